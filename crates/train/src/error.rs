//! What can go wrong with a run of training.

use std::path::PathBuf;

/// Why a network could not be trained.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that cannot be.
    #[error("the setting {setting} is {problem}")]
    Config {
        /// Which, as the configuration file calls it.
        setting: String,
        /// How it reads, and what is expected.
        problem: String,
    },
    /// Prices and tables that cannot be read.
    #[error(transparent)]
    Market(#[from] lotwise_market::Error),
    /// Data that can be read and do not suffice.
    #[error("the data do not suffice: {0}")]
    Data(String),
    /// A network or its file.
    #[error(transparent)]
    Network(#[from] lotwise_nn::Error),
    /// A state that cannot be read or written.
    #[error(transparent)]
    Weights(#[from] lotwise_tensor::Error),
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A run that cannot go on.
    #[error("the run in {} cannot be resumed: {problem}", path.display())]
    Resume {
        /// Its folder.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// Numbers ran away.
    #[error("the loss is {loss} at step {step} of stage {stage}; lower optimiser.rate and start again")]
    Diverged {
        /// Not a finite number.
        loss: f32,
        /// Of all stages together.
        step: u64,
        /// Its name.
        stage: String,
    },
}

impl Error {
    /// For `map_err` on operations on a path.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
