//! AdamW, and a running average of the parameters.

use crate::kernel::{self, AdamRule};
use crate::params::{Gradients, Params};
use crate::{Array, Error, Weights};

/// The constants of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the running mean of gradients.
    pub beta1: f32,
    /// Decay of the running mean of squared gradients.
    pub beta2: f32,
    /// Added to the root of the latter.
    pub epsilon: f32,
    /// Decoupled decay: each step takes `rate * weight_decay` of a weight away.
    pub weight_decay: f32,
}

impl Default for AdamWConfig {
    /// 0.9, 0.999, 1e-8 and no decay.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
///
/// A parameter without a gradient, or one that is not trainable, is left alone altogether; each
/// parameter counts its own steps.
#[derive(Debug, Clone)]
pub struct AdamW {
    config: AdamWConfig,
    moments: Vec<Option<Moments>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Moments {
    steps: u64,
    first: Vec<f32>,
    second: Vec<f32>,
}

const STEPS: &str = "adamw.steps.";
const FIRST: &str = "adamw.first.";
const SECOND: &str = "adamw.second.";

impl AdamW {
    /// No step taken yet.
    #[must_use]
    pub fn new(config: AdamWConfig) -> Self {
        Self { config, moments: Vec::new() }
    }

    /// Moves every trainable parameter that has a gradient, at this learning rate times its own scale.
    pub fn step(&mut self, params: &mut Params, gradients: &Gradients, rate: f32) {
        self.moments.resize(params.all.len().max(self.moments.len()), None);
        for ((param, moments), id) in params.all.iter_mut().zip(&mut self.moments).zip(0..) {
            let Some(gradient) = gradients.get(crate::ParamId(id)).filter(|_| param.rule.trainable) else { continue };
            let fresh = || Moments { steps: 0, first: vec![0.0; gradient.len()], second: vec![0.0; gradient.len()] };
            let Moments { steps, first, second } = moments.get_or_insert_with(fresh);
            *steps += 1;
            let AdamWConfig { beta1, beta2, epsilon, weight_decay } = self.config;
            let rate = f64::from(rate * param.rule.rate_scale);
            // The corrections need more digits than f32 has where beta is close to one.
            let remains = |beta: f32| 1.0 - f64::from(beta).powf(*steps as f64);
            let rule = AdamRule {
                beta1,
                beta2,
                epsilon,
                keep: (1.0 - rate * f64::from(weight_decay * param.rule.decay_scale)) as f32,
                step: (rate / remains(beta1)) as f32,
                second_scale: (1.0 / remains(beta2).sqrt()) as f32,
            };
            kernel::adamw(param.value.data_mut(), gradient, first, second, &rule);
        }
    }

    /// The state under the names of the parameters, for a checkpoint. Nothing is rounded.
    #[must_use]
    pub fn state(&self, params: &Params) -> Weights {
        let mut state = Weights::default();
        for (param, moments) in params.all.iter().zip(&self.moments) {
            if let Some(Moments { steps, first, second }) = moments {
                let array = |data: &[f32]| Array::new(param.value.shape(), data.to_vec());
                state.tensors.insert(format!("{FIRST}{}", param.name), array(first));
                state.tensors.insert(format!("{SECOND}{}", param.name), array(second));
                state.header.insert(format!("{STEPS}{}", param.name), steps.to_string());
            }
        }
        state
    }

    /// Takes up a saved state. Going on from it gives the bits of a run that never stopped.
    ///
    /// # Errors
    /// Where the state names parameters that are not there, has other shapes, or a count that does not
    /// read. The optimiser then is as it was.
    pub fn restore(&mut self, params: &Params, state: &Weights) -> Result<(), Error> {
        let mut moments = vec![None; params.all.len()];
        let mut used = 0;
        for (param, moments) in params.all.iter().zip(&mut moments) {
            let Some(first) = state.tensors.get(&format!("{FIRST}{}", param.name)) else { continue };
            let second = state.tensors.get(&format!("{SECOND}{}", param.name));
            let second = second.ok_or_else(|| Error::Misfit(format!("{SECOND}{} is missing", param.name)))?;
            for part in [first, second] {
                if part.shape() != param.value.shape() {
                    let (found, wanted) = (part.shape(), param.value.shape());
                    return Err(Error::Misfit(format!("moments of {} are {found:?}, not {wanted:?}", param.name)));
                }
            }
            let key = format!("{STEPS}{}", param.name);
            let count = state.header.get(&key);
            let count = count.ok_or_else(|| Error::Header { key: key.clone(), problem: "missing".into() })?;
            let steps = count.parse().map_err(|_| Error::Header { key, problem: format!("{count:?}, not a count") })?;
            *moments = Some(Moments { steps, first: first.data().to_vec(), second: second.data().to_vec() });
            used += 2;
        }
        let ours = |name: &&String| name.starts_with(FIRST) || name.starts_with(SECOND);
        let there = state.tensors.keys().filter(ours).count();
        if used != there {
            return Err(Error::Misfit(format!("{} moments belong to no parameter", there - used)));
        }
        self.moments = moments;
        Ok(())
    }
}

/// An exponential moving average of parameters, for evaluating a smoother network.
#[derive(Debug, Clone)]
pub struct Ema {
    decay: f32,
    /// The averages, under the same names.
    pub params: Params,
}

impl Ema {
    /// Starts from the present values.
    #[must_use]
    pub fn new(params: &Params, decay: f32) -> Self {
        Self { decay, params: params.clone() }
    }

    /// Moves the averages a little towards the present values.
    pub fn update(&mut self, params: &Params) {
        for (average, param) in self.params.all.iter_mut().zip(&params.all) {
            for (average, &value) in average.value.data_mut().iter_mut().zip(param.value.data()) {
                *average = self.decay * *average + (1.0 - self.decay) * value;
            }
        }
    }
}
