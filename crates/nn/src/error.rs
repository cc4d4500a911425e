//! What can go wrong with configurations, checkpoints and foreign weights.

/// Why a network could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A size or switch that cannot be.
    #[error("the network's setting {setting} is {problem}")]
    Config {
        /// Which.
        setting: &'static str,
        /// How it reads, and what is expected.
        problem: String,
    },
    /// A weight file that cannot be read, or does not fit.
    #[error(transparent)]
    Weights(#[from] lotwise_tensor::Error),
    /// A weight file that says nothing, or something else, about itself.
    #[error("{place} is no checkpoint of this program: {problem}")]
    Manifest {
        /// The file.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Numbers that are not those that were written.
    #[error("the weights of {place} are not those it was written with: {problem}; copy or train it again")]
    Altered {
        /// The file.
        place: String,
        /// What differs.
        problem: String,
    },
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A setting of a foreign configuration that is missing, does not read, or is not computed here.
    #[error("{place}: {key} {problem}")]
    Setting {
        /// The file.
        place: String,
        /// The key, with those around it.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A tensor of a foreign file that is missing, not known, or not what the configuration says.
    #[error("{place}: tensor {name} {problem}")]
    Tensor {
        /// The file.
        place: String,
        /// The tensor.
        name: String,
        /// What is wrong.
        problem: String,
    },
}
