//! Which frozen branch a configuration asks for.

use std::path::Path;

use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::Chronos;
use lotwise_nn::temporal::{MiniRocketConfig, NoTemporal};

use super::{CachedTemporal, TemporalChoice};
use crate::Error;

/// The kinds that a configuration may name; `chronos_t5` and `chronos_bolt` need a folder of weights.
pub const KINDS: [&str; 5] = ["minirocket", "none", "chronos_t5", "chronos_bolt", "kernelsynth"];

/// Makes the branch.
///
/// # Errors
/// Where there is no such kind, its weights are not named or cannot be used, they are of another kind, or
/// the cache cannot be opened.
pub fn branch(choice: &TemporalChoice) -> Result<Box<dyn FrozenTemporal>, Error> {
    let branch = without_cache(choice)?;
    match &choice.cache {
        None => Ok(branch),
        Some(folder) => Ok(Box::new(CachedTemporal::open(branch, Path::new(folder))?)),
    }
}

fn without_cache(choice: &TemporalChoice) -> Result<Box<dyn FrozenTemporal>, Error> {
    let refuse = |setting: &str, problem: String| Err(Error::Config { setting: setting.to_owned(), problem });
    match (choice.kind.as_str(), &choice.weights) {
        ("minirocket" | "none", Some(weights)) => {
            refuse("temporal.weights", format!("{weights:?}, and {} has none", choice.kind))
        }
        ("minirocket", None) => Ok(Box::new(MiniRocketConfig::default().init())),
        ("none", None) => Ok(Box::new(NoTemporal)),
        // The one that comes with the program; a folder names another run of the same kind.
        ("kernelsynth", None) => Ok(Box::new(Chronos::kernelsynth()?)),
        (kind, None) if KINDS.contains(&kind) => {
            refuse("temporal.weights", format!("missing; {kind} needs a folder with config.json and model.safetensors"))
        }
        // What stands for a folder must have become one.
        (_, Some(name)) if choice.folder.is_none() && name.starts_with("hub:") => {
            refuse("temporal.weights", format!("{name:?}, which nobody has fetched; expected a folder"))
        }
        (kind, Some(folder)) if KINDS.contains(&kind) => {
            let branch = Chronos::load(Path::new(choice.folder.as_ref().unwrap_or(folder)))?;
            if branch.kind() != kind {
                return refuse(
                    "temporal.kind",
                    format!("{kind:?}, and {folder} holds a network of kind {}", branch.kind()),
                );
            }
            Ok(Box::new(branch))
        }
        (other, _) => refuse("temporal.kind", format!("{other:?}; expected one of {}", KINDS.join(", "))),
    }
}
