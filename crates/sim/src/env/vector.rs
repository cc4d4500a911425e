//! Many environments at once.

use std::sync::Arc;

use lotwise_core::Seed;
use rayon::prelude::*;

use super::{EnvConfig, Episode, StepResult, Tape};
use crate::Error;
use crate::execution::Action;

/// What a step of all environments gives, in the order of the environments.
#[derive(Debug, Clone)]
pub struct Batch {
    /// State of each asset, `[environments, N, 12]`, of the state after the step.
    pub tickers: Vec<f32>,
    /// State of each account, `[environments, 16]`.
    pub global: Vec<f32>,
    /// Results, `[environments]`; `None` before the first step.
    pub results: Vec<Option<StepResult>>,
}

/// Environments that share a tape and settings.
#[derive(Debug)]
pub struct Environments {
    tape: Arc<Tape>,
    config: EnvConfig,
    episodes: Vec<Episode>,
    seed: Seed,
    /// Episodes begun by each environment.
    begun: Vec<u64>,
    /// Threads of their own; those of the process where there are none.
    pool: Option<rayon::ThreadPool>,
}

impl Environments {
    /// `n` environments, each at the start of its first episode. Environment `i`'s episode `k` is
    /// the same whatever the other environments do.
    ///
    /// # Errors
    /// When a setting is out of range or no episode can start.
    pub fn new(tape: Arc<Tape>, config: EnvConfig, n: usize, seed: Seed) -> Result<Self, Error> {
        let episodes = vec![Episode::new(&config)?; n];
        let mut environments = Self { tape, config, episodes, seed, begun: vec![0; n], pool: None };
        environments.reset_where(|_| true)?;
        Ok(environments)
    }

    /// The same on that many threads of their own. It changes no result.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn on_threads(mut self, n: usize) -> Result<Self, Error> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
        self.pool = Some(pool.map_err(|error| Error::Threads(error.to_string()))?);
        Ok(self)
    }

    /// Room for results.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let (n, assets) = (self.episodes.len(), self.config.n_assets);
        Batch { tickers: vec![0.0; n * assets * 12], global: vec![0.0; n * 16], results: vec![None; n] }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &EnvConfig {
        &self.config
    }

    /// The market.
    #[must_use]
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The environments.
    #[must_use]
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    /// Writes what policies see now, without a step.
    pub fn observe(&self, batch: &mut Batch) {
        match &self.pool {
            Some(pool) => pool.install(|| self.observe_here(batch)),
            None => self.observe_here(batch),
        }
    }

    fn observe_here(&self, batch: &mut Batch) {
        let (tape, config) = (&*self.tape, &self.config);
        let rows = self.episodes.par_iter().zip(batch.tickers.par_chunks_mut(config.n_assets * 12));
        rows.zip(batch.global.par_chunks_mut(16)).for_each(|((episode, tickers), global)| {
            episode.observe(config, tape, tickers, global);
        });
    }

    /// Steps every environment towards its weights, `[environments, 1 + N]`, with actions
    /// `[environments, N]` if there are any, and writes results and the states after it.
    ///
    /// An environment whose episode is over must be begun anew with [`Environments::reset_ended`]
    /// before the next step.
    ///
    /// # Errors
    /// The first environment's, in their order, that cannot step; none is rolled back.
    pub fn step(
        &mut self,
        weights: &[f64],
        actions: Option<&[Action]>,
        symmetry: f64,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let Some(pool) = self.pool.take() else { return self.step_here(weights, actions, symmetry, batch) };
        let done = pool.install(|| self.step_here(weights, actions, symmetry, batch));
        self.pool = Some(pool);
        done
    }

    fn step_here(
        &mut self,
        weights: &[f64],
        actions: Option<&[Action]>,
        symmetry: f64,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let (tape, config) = (&*self.tape, &self.config);
        let n_assets = config.n_assets;
        let n = self.episodes.len();
        let fits = weights.len() == n * (n_assets + 1) && actions.is_none_or(|actions| actions.len() == n * n_assets);
        assert!(fits && batch.results.len() == n, "Invariant: one row of weights and results for each environment");
        let one = |(at, ((((episode, tickers), global), weights), result)): StepRoom<'_>| {
            let actions = actions.map(|actions| &actions[at * n_assets..(at + 1) * n_assets]);
            *result = Some(episode.step(config, tape, weights, actions, symmetry)?);
            episode.observe(config, tape, tickers, global);
            Ok(())
        };
        let rows = self.episodes.par_iter_mut().zip(batch.tickers.par_chunks_mut(n_assets * 12));
        let rows = rows.zip(batch.global.par_chunks_mut(16)).zip(weights.par_chunks(n_assets + 1));
        let rooms = rows.zip(batch.results.par_iter_mut()).enumerate().with_min_len(8);
        let failed: Vec<(usize, Error)> = rooms.filter_map(|room| Some((room.0, one(room).err()?))).collect();
        failed.into_iter().min_by_key(|(at, _)| *at).map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Begins a new episode wherever the last step ended one; returns how many.
    ///
    /// # Errors
    /// When no episode can start.
    pub fn reset_ended(&mut self, batch: &Batch) -> Result<usize, Error> {
        self.reset_where(|at| batch.results[at].is_some_and(|result| result.end.is_some()))
    }

    fn reset_where(&mut self, ended: impl Fn(usize) -> bool) -> Result<usize, Error> {
        let mut n = 0;
        for at in 0..self.episodes.len() {
            if ended(at) {
                let seed = self.seed.child("env", at as u64);
                self.episodes[at].reset(&self.config, &self.tape, seed, self.begun[at])?;
                self.begun[at] += 1;
                n += 1;
            }
        }
        Ok(n)
    }
}

/// One environment with its rows.
type StepRoom<'a> =
    (usize, ((((&'a mut Episode, &'a mut [f32]), &'a mut [f32]), &'a [f64]), &'a mut Option<StepResult>));
