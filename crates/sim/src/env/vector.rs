//! Many environments at once, on the threads of the rayon pool in which they are stepped. Who steps often does so inside
//! `ThreadPool::install`, so that no step is handed over from outside; a pool of one thread is as good as none.

use std::sync::Arc;

use lotwise_core::Seed;
use rayon::prelude::*;

use super::{EnvConfig, Episode, StepResult, Tape};
use crate::Error;
use crate::execution::Action;

/// Fewest environments that are handed to a thread at a time.
const LEAST_PART: usize = 8;

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
}

impl Environments {
    /// `n` environments, each at the start of its first episode. Environment `i`'s episode `k` is
    /// the same whatever the other environments do.
    ///
    /// # Errors
    /// When a setting is out of range or no episode can start.
    pub fn new(tape: Arc<Tape>, config: EnvConfig, n: usize, seed: Seed) -> Result<Self, Error> {
        let episodes = vec![Episode::new(&config)?; n];
        let mut environments = Self { tape, config, episodes, seed, begun: vec![0; n] };
        environments.reset_where(|_| true)?;
        Ok(environments)
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
        let (tape, config) = (&*self.tape, &self.config);
        let (width, Batch { tickers, global, .. }) = (config.n_assets * 12, batch);
        let one = |((episode, tickers), global): ((&Episode, &mut [f32]), &mut [f32])| {
            episode.observe(config, tape, tickers, global);
        };
        if alone() {
            return self.episodes.iter().zip(tickers.chunks_mut(width)).zip(global.chunks_mut(16)).for_each(one);
        }
        let rows = self.episodes.par_iter().zip(tickers.par_chunks_mut(width));
        rows.zip(global.par_chunks_mut(16)).with_min_len(LEAST_PART).for_each(one);
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
        let (tape, config) = (&*self.tape, &self.config);
        let n_assets = config.n_assets;
        let n = self.episodes.len();
        let fits = weights.len() == n * (n_assets + 1) && actions.is_none_or(|actions| actions.len() == n * n_assets);
        assert!(fits && batch.results.len() == n, "Invariant: one row of weights and results for each environment");
        let one = |(at, ((((episode, tickers), global), weights), result)): StepRoom<'_>| {
            let actions = actions.map(|actions| &actions[at * n_assets..(at + 1) * n_assets]);
            let stepped = episode.step(config, tape, weights, actions, symmetry);
            episode.observe(config, tape, tickers, global);
            *result = stepped.as_ref().ok().copied();
            stepped.err().map(|error| (at, error))
        };
        let (width, Batch { tickers, global, results }) = (n_assets * 12, batch);
        let episodes = &mut self.episodes;
        let failed = if alone() {
            let rows = episodes.iter_mut().zip(tickers.chunks_mut(width)).zip(global.chunks_mut(16));
            // Every environment steps, whichever fails.
            let failed = rows.zip(weights.chunks(n_assets + 1)).zip(results).enumerate().filter_map(one);
            failed.min_by_key(|(at, _)| *at)
        } else {
            let rows = episodes.par_iter_mut().zip(tickers.par_chunks_mut(width)).zip(global.par_chunks_mut(16));
            let rooms = rows.zip(weights.par_chunks(n_assets + 1)).zip(results.par_iter_mut()).enumerate();
            rooms.with_min_len(LEAST_PART).filter_map(one).min_by_key(|(at, _)| *at)
        };
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Begins a new episode wherever the last step ended one; returns how many.
    ///
    /// # Errors
    /// When no episode can start.
    pub fn reset_ended(&mut self, batch: &Batch) -> Result<usize, Error> {
        self.reset_where(|at| batch.results[at].is_some_and(|result| result.end.is_some()))
    }

    fn reset_where(&mut self, ended: impl Fn(usize) -> bool + Sync) -> Result<usize, Error> {
        let n = (0..self.episodes.len()).filter(|&at| ended(at)).count();
        let (tape, config, seed) = (&*self.tape, &self.config, self.seed);
        let one = |(at, (episode, begun)): (usize, (&mut Episode, &mut u64))| {
            let reset = || episode.reset(config, tape, seed.child("env", at as u64), *begun);
            let failed = ended(at).then(reset)?.err();
            *begun += 1;
            failed.map(|error| (at, error))
        };
        // Most often none has ended, or one.
        let failed = if alone() || n < LEAST_PART {
            self.episodes.iter_mut().zip(&mut self.begun).enumerate().filter_map(one).min_by_key(|(at, _)| *at)
        } else {
            let rows = self.episodes.par_iter_mut().zip(&mut self.begun).enumerate().with_min_len(LEAST_PART);
            rows.filter_map(one).min_by_key(|(at, _)| *at)
        };
        failed.map_or(Ok(n), |(_, error)| Err(error))
    }
}

/// Whether nobody is there to share the work with.
fn alone() -> bool {
    rayon::current_num_threads() == 1
}

/// One environment with its rows.
type StepRoom<'a> =
    (usize, ((((&'a mut Episode, &'a mut [f32]), &'a mut [f32]), &'a [f64]), &'a mut Option<StepResult>));
