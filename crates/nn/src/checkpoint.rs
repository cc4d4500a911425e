//! Trained networks as files: named tensors, and a manifest in the header that says what they are
//! (SPEC C-13).
//!
//! Any reader of safetensors can open one; the manifest is JSON under the header's key `manifest`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lotwise_tensor::{Array, LoadReport, Params, Random, Weights};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::encoder::{CrossAssetEncoder, EncoderConfig, EncoderInputs, TrainingHeads};
use crate::{Error, FrozenTemporal};

/// The key of the manifest in the header.
const KEY: &str = "manifest";
/// What kind of file it is, and which version of this layout.
pub const SCHEMA: &str = "lotwise.encoder/1";
/// Numbers of the answer to the probe that a manifest keeps.
const PROBED: usize = 16;
/// Largest difference of an answer between machines with other vector instructions.
pub const PROBE_TOLERANCE: f32 = 1e-4;

/// What a file of weights says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Sizes and switches.
    pub config: EncoderConfig,
    /// What the features of a bar are, in order.
    pub feature_names: Vec<String>,
    /// What the fields of metadata are, in order.
    pub metadata_names: Vec<String>,
    /// The regimes, in order.
    pub regime_names: Vec<String>,
    /// How features were brought to one scale; nothing of it is learned, so there are no statistics to keep.
    pub normalizer: String,
    /// [`FrozenTemporal::fingerprint`] of the branch that the network was trained with.
    pub temporal: String,
    /// How many numbers are learned.
    pub parameters: usize,
    /// SHA-256 over names, shapes and numbers of all tensors.
    pub digest: String,
    /// The answer to a fixed question, to see that a reader computes what was trained.
    pub probe: Vec<f32>,
    /// How it was trained; `None` for a network fresh from its seed.
    pub training: Option<TrainingRecord>,
}

/// How a network came to its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecord {
    /// 1 for the encoder.
    pub phase: u32,
    /// Name of the last stage.
    pub stage: String,
    /// Epochs over all stages.
    pub epoch: usize,
    /// Steps of the optimiser over all stages.
    pub step: u64,
    /// The seed of everything.
    pub seed: u64,
    /// Free text.
    pub note: String,
    /// Validation loss that earned the checkpoint its place.
    pub best_score: Option<f64>,
    /// First and last session of training.
    pub train_range: [String; 2],
    /// First and last session of validation.
    pub validation_range: [String; 2],
    /// SHA-256 of the data files' contents.
    pub data_hash: String,
    /// SHA-256 of the resolved configuration.
    pub config_hash: String,
    /// The resolved configuration.
    pub config: serde_json::Value,
    /// Symbols seen in training.
    pub symbols: usize,
    /// Symbols kept away from training.
    pub held_out: Vec<String>,
    /// What was measured on validation, by name.
    pub metrics: BTreeMap<String, f64>,
    /// Digests of the checkpoints that training started from.
    pub parents: Vec<String>,
}

/// A network with its weights, its training heads and its manifest.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The weights.
    pub params: Params,
    /// The network.
    pub encoder: CrossAssetEncoder,
    /// What training asked of it; the router reads the market's regime.
    pub heads: TrainingHeads,
    /// What the file says.
    pub manifest: Manifest,
}

/// Names that a manifest keeps; another order of features is another network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Features of a bar.
    pub features: Vec<String>,
    /// Fields of metadata.
    pub metadata: Vec<String>,
    /// Regimes.
    pub regimes: Vec<String>,
    /// How features are brought to one scale.
    pub normalizer: String,
}

impl Checkpoint {
    /// Puts present weights under a manifest.
    #[must_use]
    pub fn new(
        params: Params,
        encoder: CrossAssetEncoder,
        heads: TrainingHeads,
        names: Names,
        branch: &dyn FrozenTemporal,
        training: Option<TrainingRecord>,
    ) -> Self {
        let weights = Weights::of(&params);
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            config: encoder.config().clone(),
            feature_names: names.features,
            metadata_names: names.metadata,
            regime_names: names.regimes,
            normalizer: names.normalizer,
            temporal: branch.fingerprint(),
            parameters: params.count(),
            digest: digest(&weights),
            probe: probe(&params, &encoder),
            training,
        };
        Self { params, encoder, heads, manifest }
    }

    /// The file's content.
    #[must_use]
    pub fn to_weights(&self) -> Weights {
        let mut weights = Weights::of(&self.params);
        let text = serde_json::to_string(&self.manifest).expect("Invariant: a manifest is made of texts and numbers");
        weights.header.insert(KEY.to_owned(), text);
        weights
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        Ok(self.to_weights().write(path)?)
    }

    /// Reads a file and checks that its numbers are those that were written.
    ///
    /// # Errors
    /// Where it cannot be read, is no checkpoint, does not fit its own manifest, or was altered.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        let weights = Weights::read(path)?;
        Self::from_weights(&weights, &place)
    }

    /// As [`Self::read`], from what is already read; `place` is how messages call it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_weights(weights: &Weights, place: &str) -> Result<Self, Error> {
        let manifest = read_manifest(weights, place)?;
        let found = digest(weights);
        if found != manifest.digest {
            let problem = format!("their digest is {found}, not {}", manifest.digest);
            return Err(Error::Altered { place: place.to_owned(), problem });
        }
        // Before anything is made, so that a size beyond reason costs nothing.
        let held: u64 = weights.tensors.values().map(|tensor| tensor.data().len() as u64).sum();
        let wanted = manifest.config.parameters();
        if held != wanted {
            let problem = format!("it holds {held} numbers, and a network of its sizes has {wanted}");
            return Err(Error::Manifest { place: place.to_owned(), problem });
        }
        let mut params = Params::new();
        let encoder = manifest.config.init(&mut params, 0)?;
        let heads = manifest.config.init_heads(&mut params, 0);
        weights.load_into(&mut params).complete()?;
        Ok(Self { params, encoder, heads, manifest })
    }

    /// Asks the fixed question again and compares.
    ///
    /// # Errors
    /// Where the answer differs by more than [`PROBE_TOLERANCE`], or is not finite.
    pub fn verify(&self, place: &str) -> Result<f32, Error> {
        let found = probe(&self.params, &self.encoder);
        let altered = |problem| Error::Altered { place: place.to_owned(), problem };
        if found.len() != self.manifest.probe.len() {
            return Err(altered(format!(
                "{} numbers answer the probe, not {}",
                found.len(),
                self.manifest.probe.len()
            )));
        }
        let largest = found.iter().zip(&self.manifest.probe).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
        if largest <= PROBE_TOLERANCE && found.iter().all(|x| x.is_finite()) {
            return Ok(largest);
        }
        Err(altered(format!("the answer to the probe differs by {largest:e}")))
    }
}

/// The manifest of a file, without building the network.
///
/// # Errors
/// Where there is none, or it is of another kind.
pub fn read_manifest(weights: &Weights, place: &str) -> Result<Manifest, Error> {
    let refuse = |problem: String| Error::Manifest { place: place.to_owned(), problem };
    let text = weights.header.get(KEY).ok_or_else(|| refuse(format!("its header has no {KEY:?}")))?;
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or("missing");
    if schema != SCHEMA {
        return Err(refuse(format!("its schema is {schema}, and {SCHEMA} is read")));
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|error| refuse(error.to_string()))?;
    manifest.config.validate()?;
    Ok(manifest)
}

/// Loads what fits by name and shape, and refuses a misfit unless its name starts with one of `allowed`
/// (SPEC C-13).
///
/// # Errors
/// Names what is missing, extra or of another shape.
pub fn load_fitting(weights: &Weights, params: &mut Params, allowed: &[&str]) -> Result<LoadReport, Error> {
    let report = weights.load_into(params);
    let pardoned = |name: &str| allowed.iter().any(|prefix| name.starts_with(prefix));
    let strict = LoadReport {
        loaded: Vec::new(),
        missing: report.missing.iter().filter(|name| !pardoned(name)).cloned().collect(),
        extra: report.extra.iter().filter(|name| !pardoned(name)).cloned().collect(),
        reshaped: report.reshaped.iter().filter(|(name, ..)| !pardoned(name)).cloned().collect(),
    };
    strict.complete()?;
    Ok(report)
}

/// SHA-256 over names, shapes and numbers, as lower-case hexadecimal digits.
#[must_use]
pub fn digest(weights: &Weights) -> String {
    let mut hash = Sha256::new();
    for (name, tensor) in &weights.tensors {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update((tensor.shape().len() as u64).to_le_bytes());
        for &size in tensor.shape().iter() {
            hash.update((size as u64).to_le_bytes());
        }
        for number in tensor.data() {
            hash.update(number.to_le_bytes());
        }
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The network's answer to inputs that a seed draws: three assets, one of them young.
fn probe(params: &Params, encoder: &CrossAssetEncoder) -> Vec<f32> {
    let config = encoder.config();
    let time = config.window.min(12);
    let mut random = Random::new(0x70_726f_6265);
    let mut inputs = EncoderInputs::empty(config, [1, 3], time);
    let mut draw = |array: &Array| Array::from_fn(array.shape(), |_| random.normal());
    inputs.values = draw(&inputs.values);
    inputs.temporal = draw(&inputs.temporal);
    inputs.statistics = draw(&inputs.statistics);
    inputs.metadata = draw(&inputs.metadata);
    inputs.statistics_known = Array::full(inputs.statistics_known.shape(), 1.0);
    inputs.available = Array::from_fn(inputs.available.shape(), |i| f32::from(u8::from(i % 3 != 0)));
    inputs.present = Array::from_fn(inputs.present.shape(), |i| f32::from(u8::from(i >= time / 2)));
    inputs.keep = Array::full(inputs.keep.shape(), 1.0);
    let answer = encoder.embed(params, &inputs);
    answer.data().iter().take(PROBED).copied().collect()
}
