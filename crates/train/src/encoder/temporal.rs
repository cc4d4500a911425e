//! Which frozen branch a configuration asks for.

use lotwise_nn::FrozenTemporal;
use lotwise_nn::temporal::{MiniRocketConfig, NoTemporal};

use super::TemporalChoice;
use crate::Error;

/// The kinds that a configuration may name.
pub const KINDS: [&str; 2] = ["minirocket", "none"];

/// Makes the branch.
///
/// # Errors
/// Where there is no such kind.
pub fn branch(choice: &TemporalChoice) -> Result<Box<dyn FrozenTemporal>, Error> {
    match choice.kind.as_str() {
        "minirocket" => Ok(Box::new(MiniRocketConfig::default().init())),
        "none" => Ok(Box::new(NoTemporal)),
        other => Err(Error::Config {
            setting: "temporal.kind".to_owned(),
            problem: format!("{other:?}; expected one of {}", KINDS.join(", ")),
        }),
    }
}
