//! Many environments at once.

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
    threads: Threads,
}

/// Where environments are stepped.
#[derive(Debug)]
enum Threads {
    /// On those of the process.
    Shared,
    /// On the caller's alone, without handing anything over.
    Caller,
    /// On their own.
    Own(rayon::ThreadPool),
}

impl Environments {
    /// `n` environments, each at the start of its first episode. Environment `i`'s episode `k` is
    /// the same whatever the other environments do.
    ///
    /// # Errors
    /// When a setting is out of range or no episode can start.
    pub fn new(tape: Arc<Tape>, config: EnvConfig, n: usize, seed: Seed) -> Result<Self, Error> {
        let episodes = vec![Episode::new(&config)?; n];
        let mut environments = Self { tape, config, episodes, seed, begun: vec![0; n], threads: Threads::Shared };
        environments.reset_where(|_| true)?;
        Ok(environments)
    }

    /// The same on that many threads of their own; one is the caller's. It changes no result.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn on_threads(mut self, n: usize) -> Result<Self, Error> {
        self.threads = if n == 1 {
            Threads::Caller
        } else {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
            Threads::Own(pool.map_err(|error| Error::Threads(error.to_string()))?)
        };
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
        let (tape, config) = (&*self.tape, &self.config);
        let (width, Batch { tickers, global, .. }) = (config.n_assets * 12, batch);
        let one = |((episode, tickers), global): ((&Episode, &mut [f32]), &mut [f32])| {
            episode.observe(config, tape, tickers, global);
        };
        match &self.threads {
            Threads::Caller => {
                self.episodes.iter().zip(tickers.chunks_mut(width)).zip(global.chunks_mut(16)).for_each(one);
            }
            Threads::Shared | Threads::Own(_) => self.threads.run(|| {
                let rows = self.episodes.par_iter().zip(tickers.par_chunks_mut(width));
                rows.zip(global.par_chunks_mut(16)).with_min_len(LEAST_PART).for_each(one);
            }),
        }
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
        let failed: Vec<(usize, Error)> = match &self.threads {
            Threads::Caller => {
                let rows = episodes.iter_mut().zip(tickers.chunks_mut(width)).zip(global.chunks_mut(16));
                rows.zip(weights.chunks(n_assets + 1)).zip(results).enumerate().filter_map(one).collect()
            }
            Threads::Shared | Threads::Own(_) => self.threads.run(|| {
                let rows = episodes.par_iter_mut().zip(tickers.par_chunks_mut(width)).zip(global.par_chunks_mut(16));
                let rooms = rows.zip(weights.par_chunks(n_assets + 1)).zip(results.par_iter_mut()).enumerate();
                rooms.with_min_len(LEAST_PART).filter_map(one).collect()
            }),
        };
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

impl Threads {
    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Own(pool) => pool.install(work),
            Self::Shared | Self::Caller => work(),
        }
    }
}

/// One environment with its rows.
type StepRoom<'a> =
    (usize, ((((&'a mut Episode, &'a mut [f32]), &'a mut [f32]), &'a [f64]), &'a mut Option<StepResult>));
