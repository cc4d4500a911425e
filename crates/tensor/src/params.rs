//! Named parameters and their gradients.

use crate::{Array, Random, Shape};

/// Which parameter of a [`Params`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(pub(crate) usize);

/// How an optimiser treats one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamRule {
    /// False leaves it untouched: no step, no decay, no moments.
    pub trainable: bool,
    /// Multiplies the learning rate.
    pub rate_scale: f32,
    /// Multiplies the weight decay; biases and gains start with 0.
    pub decay_scale: f32,
}

#[derive(Debug, Clone)]
pub(crate) struct Param {
    pub name: String,
    pub value: Array,
    pub rule: ParamRule,
}

/// The parameters of a network, in the order in which they were added, each under a name of its own.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pub(crate) all: Vec<Param>,
}

impl Params {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter. Vectors are taken for biases or gains and do not decay.
    ///
    /// # Panics
    /// Where the name is taken.
    pub fn add(&mut self, name: impl Into<String>, value: Array) -> ParamId {
        let name = name.into();
        assert!(self.find(&name).is_none(), "parameter {name} exists already");
        let decay_scale = if value.shape().len() > 1 { 1.0 } else { 0.0 };
        self.all.push(Param { name, value, rule: ParamRule { trainable: true, rate_scale: 1.0, decay_scale } });
        ParamId(self.all.len() - 1)
    }

    /// Adds a parameter drawn from a normal distribution.
    pub fn add_normal(
        &mut self,
        name: impl Into<String>,
        shape: impl Into<Shape>,
        deviation: f32,
        random: &mut Random,
    ) -> ParamId {
        self.add(name, Array::from_fn(shape, |_| deviation * random.normal()))
    }

    /// Adds a parameter drawn uniformly from `-limit..limit`.
    pub fn add_uniform(
        &mut self,
        name: impl Into<String>,
        shape: impl Into<Shape>,
        limit: f32,
        random: &mut Random,
    ) -> ParamId {
        self.add(name, Array::from_fn(shape, |_| limit * (2.0 * random.uniform() - 1.0)))
    }

    /// The parameter of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.all.iter().position(|param| param.name == name).map(ParamId)
    }

    /// Every parameter, in order.
    pub fn ids(&self) -> impl Iterator<Item = ParamId> + use<> {
        (0..self.all.len()).map(ParamId)
    }

    /// The name.
    #[must_use]
    pub fn name(&self, id: ParamId) -> &str {
        &self.all[id.0].name
    }

    /// The value.
    #[must_use]
    pub fn value(&self, id: ParamId) -> &Array {
        &self.all[id.0].value
    }

    /// The value, for changing it. Its shape is the caller's promise to keep.
    pub fn value_mut(&mut self, id: ParamId) -> &mut Array {
        &mut self.all[id.0].value
    }

    /// How an optimiser treats it.
    pub fn rule_mut(&mut self, id: ParamId) -> &mut ParamRule {
        &mut self.all[id.0].rule
    }

    /// How many numbers all parameters hold.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.iter().map(|param| param.value.shape().count()).sum()
    }
}

/// The gradient of each parameter that took part, summed over all backward walks since [`Self::clear`].
#[derive(Debug, Default)]
pub struct Gradients {
    pub(crate) all: Vec<Option<Vec<f32>>>,
    spare: Vec<Option<Vec<f32>>>,
}

impl Gradients {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The gradient of a parameter; `None` where no walk has reached it.
    #[must_use]
    pub fn get(&self, id: ParamId) -> Option<&[f32]> {
        self.all.get(id.0)?.as_deref()
    }

    /// Forgets everything, for the next step; the memory is kept.
    pub fn clear(&mut self) {
        for (i, gradient) in self.all.iter_mut().enumerate() {
            if gradient.is_some() {
                self.spare[i] = gradient.take();
            }
        }
    }

    /// Multiplies everything, for instance by one over the number of accumulated batches.
    pub fn scale(&mut self, factor: f32) {
        self.all.iter_mut().flatten().flatten().for_each(|g| *g *= factor);
    }

    /// The Euclidean norm over all parameters.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let square = |gradient: &Vec<f32>| gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
        self.all.iter().flatten().map(square).sum::<f64>().sqrt()
    }

    /// Shortens all gradients together to at most this norm, and returns the norm before.
    pub fn clip(&mut self, largest: f64) -> f64 {
        let norm = self.norm();
        if norm > largest {
            self.scale((largest / norm) as f32);
        }
        norm
    }

    /// Adds to the gradient of one parameter.
    pub(crate) fn add(&mut self, id: ParamId, from: &[f32]) {
        if self.all.len() <= id.0 {
            self.all.resize(id.0 + 1, None);
            self.spare.resize(id.0 + 1, None);
        }
        match &mut self.all[id.0] {
            Some(sum) => crate::kernel::add(sum, from),
            empty => {
                let mut fresh = self.spare[id.0].take().unwrap_or_default();
                fresh.clear();
                fresh.extend_from_slice(from);
                *empty = Some(fresh);
            }
        }
    }
}
