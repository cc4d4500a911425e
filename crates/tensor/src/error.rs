//! What can go wrong with files and foreign input.

use std::path::PathBuf;

/// Why weights or an optimiser's state could not be written, read or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    /// Not a safetensors file, or a damaged one.
    #[error("{place} is not a valid safetensors file: {source}")]
    Format {
        /// The file, or what the bytes are.
        place: String,
        /// Why.
        source: safetensors::SafeTensorError,
    },
    /// A number type that is not read.
    #[error("tensor {name} has numbers of type {found}; f32, f16 and bf16 are read")]
    NumberType {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// More dimensions than an array has.
    #[error("tensor {name} has {found} dimensions; at most 5 are read")]
    Dimensions {
        /// The tensor.
        name: String,
        /// How many.
        found: usize,
    },
    /// Names or shapes that do not match.
    #[error("weights do not fit: {0}")]
    Misfit(String),
    /// An entry of the header that is missing or does not read.
    #[error("the header's entry {key} is {problem}")]
    Header {
        /// The entry.
        key: String,
        /// "missing", or how it reads.
        problem: String,
    },
}
