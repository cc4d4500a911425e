//! A network read from its files, and what it says of windows.

use std::path::Path;

use lotwise_tensor::{Array, ParamId, Params, Random, Tape, Weights};
use sha2::{Digest, Sha256};

use super::bolt::{Bolt, pool};
use super::weights::{check, fill, links, publish};
use super::{Architecture, Bins, ChronosConfig, Input, Stack, T5Config};
use crate::{Error, FrozenTemporal};

/// The files of a published network.
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
/// Windows are taken together up to so many positions, which bounds the memory; no bit depends on it.
const TOGETHER: usize = 8192;

/// The encoder of a Chronos network.
pub struct Chronos {
    config: ChronosConfig,
    params: Params,
    network: Network,
    digest: String,
}

enum Network {
    T5 { config: T5Config, bins: Bins, table: ParamId, stack: Stack },
    Bolt { context: usize, bolt: Bolt },
}

/// The encoder's states.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// `[windows, positions, d]`.
    pub states: Array,
    /// `[windows, positions]`: 1 where a position counts, 0 where it is missing or padding.
    pub keep: Array,
}

impl Chronos {
    /// Reads `config.json` and `model.safetensors` (f32, bf16 or f16) of a folder.
    ///
    /// # Errors
    /// Where a file cannot be read, the configuration asks for what is not computed here (named), or a
    /// tensor is missing, unknown, of another shape or not finite (named).
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let (config, weights) = (folder.join(CONFIG), folder.join(WEIGHTS));
        let text = std::fs::read_to_string(&config).map_err(|source| Error::File {
            action: "read",
            path: config.clone(),
            source,
        })?;
        let config = ChronosConfig::parse(&text, &config.display().to_string())?;
        let place = weights.display().to_string();
        Self::new(config, Weights::read(&weights)?, &place)
    }

    /// The network that comes with the program: pretrained here on synthetic series alone (its card lies in
    /// `models/kernelsynth`).
    ///
    /// # Errors
    /// Never, unless the program itself is damaged.
    pub fn kernelsynth() -> Result<Self, Error> {
        let place = "models/kernelsynth";
        let config = ChronosConfig::parse(include_str!("../../../../models/kernelsynth/config.json"), place)?;
        let weights = include_bytes!("../../../../models/kernelsynth/model.safetensors");
        Self::new(config, Weights::from_bytes(weights, place)?, place)
    }

    /// Made from a configuration and the tensors of a published file; `place` is how messages call it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn new(config: ChronosConfig, mut weights: Weights, place: &str) -> Result<Self, Error> {
        let links = links(&config);
        // Before anything is made, so that a size beyond reason costs nothing.
        check(&links, &mut weights, place)?;
        let mut params = Params::new();
        let network = Network::init(&config, &mut params, &mut Random::new(0));
        fill(&links, &weights, &mut params);
        let digest = digest(&params);
        Ok(Self { config, params, network, digest })
    }

    /// A network of this configuration whose weights a seed draws, for measuring and for tests.
    #[must_use]
    pub fn random(config: ChronosConfig, seed: u64) -> Self {
        let (mut params, mut random) = (Params::new(), Random::new(seed));
        let network = Network::init(&config, &mut params, &mut random);
        if let Network::T5 { table, .. } = network {
            let table = params.value_mut(table);
            *table = Array::from_fn(table.shape(), |_| random.normal());
        }
        let digest = digest(&params);
        Self { config, params, network, digest }
    }

    /// The tensors of this network, as [`Self::publish`].
    #[must_use]
    pub fn to_weights(&self) -> Weights {
        Self::publish(&self.config, &self.params)
    }

    /// The tensors of a network under their published names, for a folder that [`Self::load`] reads.
    ///
    /// # Panics
    /// Where parameters of the network are missing.
    #[must_use]
    pub fn publish(config: &ChronosConfig, params: &Params) -> Weights {
        publish(&links(config), params)
    }

    /// What its files say.
    #[must_use]
    pub fn config(&self) -> &ChronosConfig {
        &self.config
    }

    /// How many numbers its parameters hold.
    #[must_use]
    pub fn size(&self) -> usize {
        self.params.count()
    }

    /// Its parameters.
    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    /// Its encoder.
    pub(crate) fn stack(&self) -> &Stack {
        match &self.network {
            Network::T5 { stack, .. } => stack,
            Network::Bolt { bolt, .. } => bolt.stack(),
        }
    }

    /// The same network fed with something else, for comparing.
    #[must_use]
    pub fn with_input(mut self, input: Input) -> Self {
        self.config.input = input;
        self
    }

    /// The encoder's states over windows as they are, without preparing them.
    ///
    /// # Shapes
    /// - `windows`: `[windows, T]`, oldest first, NaN where there is no number; of more than the network's
    ///   context the newest are used
    #[must_use]
    pub fn encode(&self, windows: &Array) -> Encoded {
        let shape = windows.shape();
        assert_eq!(shape.len(), 2, "windows of shape {shape:?} where [windows, T] is wanted");
        let windows = self.newest(windows);
        let mut tape = Tape::inference(&self.params);
        let (states, keep) = match &self.network {
            Network::Bolt { bolt, .. } => {
                let patches = bolt.cut(&windows);
                bolt.infer(&mut tape, &patches)
            }
            Network::T5 { config, bins, table, stack } => {
                let [count, time] = [windows.shape()[0], windows.shape()[1]];
                let length = time + usize::from(config.end.is_some());
                let mut tokens = Vec::with_capacity(count * length);
                let mut keep = Vec::with_capacity(count * length);
                for i in 0..count {
                    let window = &windows.data()[i * time..][..time];
                    tokens.extend(bins.tokens(window).tokens);
                    tokens.extend(config.end);
                    keep.extend(window.iter().map(|x| if x.is_nan() { 0.0 } else { 1.0 }));
                    keep.extend(config.end.map(|_| 1.0));
                }
                let keep = Array::new([count, length], keep);
                let table = tape.param(*table);
                let x = tape.gather(table, &tokens);
                let x = tape.reshape(x, [count, length, self.config.stack.dim]);
                (stack.infer(&mut tape, x, &keep), keep)
            }
        };
        Encoded { states: tape.value(states).clone(), keep }
    }

    fn context(&self) -> usize {
        match &self.network {
            Network::T5 { config, .. } => config.context,
            Network::Bolt { context, .. } => *context,
        }
    }

    fn newest(&self, windows: &Array) -> Array {
        let [count, time] = [windows.shape()[0], windows.shape()[1]];
        let kept = time.min(self.context());
        if kept == time {
            return windows.clone();
        }
        let rows = windows.data().chunks_exact(time).flat_map(|window| &window[time - kept..]);
        Array::new([count, kept], rows.copied().collect())
    }
}

impl Network {
    fn init(config: &ChronosConfig, params: &mut Params, random: &mut Random) -> Self {
        match &config.architecture {
            Architecture::T5(t5) => {
                let table = params.add("table", Array::zeros([t5.vocabulary, config.stack.dim]));
                let stack = config.stack.init(params, "encoder", random);
                let bins = Bins::new(t5.limits, t5.tokens, t5.special, t5.missing);
                Self::T5 { config: *t5, bins, table, stack }
            }
            Architecture::Bolt(bolt) => {
                Self::Bolt { context: bolt.context, bolt: Bolt::init(bolt, config.stack, params, random) }
            }
        }
    }
}

/// A digest of all parameters.
fn digest(params: &Params) -> String {
    let mut hash = Sha256::new();
    for id in params.ids() {
        hash.update(params.name(id));
        for part in params.value(id).data().chunks(4096) {
            let bytes: Vec<u8> = part.iter().flat_map(|x| x.to_le_bytes()).collect();
            hash.update(&bytes);
        }
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl FrozenTemporal for Chronos {
    fn width(&self) -> usize {
        self.config.stack.dim
    }

    fn kind(&self) -> &'static str {
        match self.config.architecture {
            _ if self.config.kernelsynth => "kernelsynth",
            Architecture::T5(_) => "chronos_t5",
            Architecture::Bolt(_) => "chronos_bolt",
        }
    }

    fn fingerprint(&self) -> String {
        let ChronosConfig { stack, input, .. } = &self.config;
        let (kind, digest) = (self.kind(), &self.digest);
        format!("{kind}/1 d={} layers={} input={} weights={digest}", stack.dim, stack.layers, input.name())
    }

    fn embed(&self, closes: &Array) -> Array {
        let shape = closes.shape();
        assert_eq!(shape.len(), 2, "closes of shape {shape:?} where [windows, T] is wanted");
        let (count, time, dim) = (shape[0], shape[1], self.width());
        let mut out = Array::zeros([count, dim]);
        if time == 0 {
            return out;
        }
        let together = (TOGETHER / time.min(self.context())).max(1);
        let parts = closes.data().chunks(together * time).zip(out.data_mut().chunks_mut(together * dim));
        for (part, out) in parts {
            let windows = self.config.input.prepare(&Array::new([part.len() / time, time], part.to_vec()));
            let windows = self.newest(&windows);
            let Encoded { states, keep } = self.encode(&windows);
            let mut tape = Tape::inference(&Params::new());
            let states = tape.constant(states);
            let pooled = pool(&mut tape, states, &keep);
            out.copy_from_slice(tape.value(pooled).data());
            let used = windows.shape()[1];
            for (window, out) in windows.data().chunks_exact(used).zip(out.chunks_exact_mut(dim)) {
                // The positions that close a sequence say nothing by themselves.
                if window.iter().all(|x| x.is_nan()) {
                    out.fill(0.0);
                }
            }
        }
        out
    }
}
