//! What can go wrong with checkpoints and foreign weights.

/// Why a network could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A weight file that cannot be read, or does not fit.
    #[error(transparent)]
    Weights(#[from] lotwise_tensor::Error),
}
