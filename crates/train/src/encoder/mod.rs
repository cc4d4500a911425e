//! Phase 1: the encoder that knows no ticker (SPEC section 3).

mod batch;
mod cache;
mod config;
mod curves;
mod data;
mod diagnostics;
mod evidence;
mod live;
pub mod losses;
mod objective;
mod probe;
mod run;
mod spectrum;
mod state;
pub mod study;
mod temporal;
mod views;

pub use batch::{Batch, Day, Targets};
pub use cache::CachedTemporal;
pub use config::{
    Contrast, DataConfig, Dates, LossConfig, OptimiserConfig, Path, RunConfig, SamplingConfig, Stage, TemporalChoice,
    Universe, ViewConfig,
};
pub use data::{EncoderData, Part, Tickers};
pub use diagnostics::{Diagnosis, Measured};
pub use evidence::{Evidence, Forecast, HORIZONS, Interval, Target, branches, evidence};
pub use live::Live;
pub use objective::{Asked, Network, Terms, objective, return_correlation, views_needed};
pub use probe::Probe;
pub use run::{Event, Finished, Hooks, Outcome, resume, train};
pub use spectrum::effective_rank;
pub use state::RunFolder;
pub use temporal::{KINDS, branch};
pub use views::{View, view};
