//! The settings of a run.

use lotwise_nn::chronos::{Architecture, BoltConfig, ChronosConfig, Input, StackConfig};
use lotwise_tensor::fused::Activation;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Everything that a run depends on. A file may leave settings out; the run's own `run.json` names all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KernelSynthConfig {
    /// The root of all draws.
    pub seed: u64,
    /// How many steps.
    pub steps: u64,
    /// Windows of a step.
    pub batch: usize,
    /// How many compositions of kernels are drawn.
    pub kernels: usize,
    /// How many samples of each.
    pub samples: usize,
    /// How long a sample is.
    pub length: usize,
    /// The lengths of context that are trained, a step each.
    pub contexts: Vec<usize>,
    /// How far ahead the network forecasts.
    pub horizon: usize,
    /// Which quantiles.
    pub quantiles: Vec<f64>,
    /// How many numbers a patch holds.
    pub patch: usize,
    /// The width of the encoder, and of what it says of a window.
    pub dim: usize,
    /// How many heads of attention.
    pub heads: usize,
    /// The width of the feed-forward layer.
    pub hidden: usize,
    /// How many blocks.
    pub layers: usize,
    /// The largest learning rate.
    pub rate: f32,
    /// Steps to get there.
    pub warm_up: u64,
    /// AdamW's decay.
    pub weight_decay: f32,
    /// The norm to which gradients are shortened.
    pub clip: f64,
    /// What of closes the finished network is fed with: `prices`, `log_prices` or `returns`.
    pub input: String,
    /// Steps between two measurements on series that are not trained on.
    pub validate_every: u64,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
}

impl Default for KernelSynthConfig {
    /// The network that is shipped.
    fn default() -> Self {
        Self {
            seed: 5,
            steps: 4000,
            batch: 256,
            kernels: 2048,
            samples: 4,
            length: 384,
            contexts: vec![32, 48, 60, 64, 96, 128, 192, 256],
            horizon: 16,
            quantiles: (1..10).map(|i| f64::from(i) / 10.0).collect(),
            patch: 16,
            dim: 128,
            heads: 4,
            hidden: 512,
            layers: 4,
            rate: 1e-3,
            warm_up: 300,
            weight_decay: 0.01,
            clip: 1.0,
            input: Input::LogPrices.name().to_owned(),
            validate_every: 250,
            checkpoint_every: 250,
        }
    }
}

impl KernelSynthConfig {
    /// Refuses settings that cannot be.
    ///
    /// # Errors
    /// Names the setting.
    pub fn check(&self) -> Result<Input, Error> {
        let fault = |setting: &str, problem: String| Error::Config { setting: setting.to_owned(), problem };
        let sizes = [
            ("batch", self.batch, 1 << 16),
            ("kernels", self.kernels, 1 << 20),
            ("samples", self.samples, 1 << 10),
            ("length", self.length, 1 << 12),
            ("horizon", self.horizon, 1 << 10),
            ("patch", self.patch, 1 << 10),
            ("dim", self.dim, 1 << 12),
            ("heads", self.heads, 1 << 8),
            ("hidden", self.hidden, 1 << 14),
            ("layers", self.layers, 1 << 6),
        ];
        for (setting, size, most) in sizes {
            if size == 0 || size > most {
                return Err(fault(setting, format!("{size}; 1 to {most} are expected")));
            }
        }
        for (setting, number) in [
            ("steps", self.steps),
            ("validate_every", self.validate_every),
            ("checkpoint_every", self.checkpoint_every),
        ] {
            if number == 0 {
                return Err(fault(setting, "0".to_owned()));
            }
        }
        if !self.dim.is_multiple_of(self.heads) {
            return Err(fault("heads", format!("{}, which does not divide dim, {}", self.heads, self.dim)));
        }
        let longest = self.contexts.iter().copied().max().unwrap_or(0);
        if self.contexts.iter().any(|&context| context < 2) || longest == 0 || longest + self.horizon > self.length {
            let room = self.length.saturating_sub(self.horizon);
            return Err(fault("contexts", format!("{:?}; lengths from 2 to {room} are expected", self.contexts)));
        }
        if self.quantiles.is_empty() || !self.quantiles.iter().all(|&level| level > 0.0 && level < 1.0) {
            return Err(fault("quantiles", format!("{:?}; levels between 0 and 1 are expected", self.quantiles)));
        }
        for (setting, number) in
            [("rate", f64::from(self.rate)), ("weight_decay", f64::from(self.weight_decay)), ("clip", self.clip)]
        {
            if !(number.is_finite() && (0.0..1e6).contains(&number)) {
                return Err(fault(setting, number.to_string()));
            }
        }
        let names = || Input::ALL.map(Input::name).join(", ");
        Input::named(&self.input).ok_or_else(|| fault("input", format!("{:?}; {} are known", self.input, names())))
    }

    /// The configuration of the network's own folder.
    #[must_use]
    pub fn network(&self, input: Input) -> ChronosConfig {
        ChronosConfig {
            architecture: Architecture::Bolt(BoltConfig {
                // Longer windows were never seen.
                context: self.contexts.iter().copied().max().unwrap_or(self.patch),
                prediction: self.horizon,
                patch: self.patch,
                stride: self.patch,
                quantiles: self.quantiles.clone(),
                register: true,
            }),
            stack: StackConfig {
                dim: self.dim,
                heads: self.heads,
                head_dim: self.dim / self.heads,
                hidden: self.hidden,
                layers: self.layers,
                buckets: 32,
                max_distance: 128,
                epsilon: 1e-6,
                activation: Activation::Relu,
            },
            input,
            kernelsynth: true,
        }
    }
}
