//! Networks as ONNX models, so that other programs can run them (opset 17).
//!
//! A model computes what inference here computes, from the same inputs, under the same names, and holds the
//! same weights; sizes that differ from call to call (days, assets, bars, windows) are named axes. Nothing of
//! training is in it: no heads, no dropout, no hidden features.

mod encoder;
mod graph;
mod layers;
mod temporal;
mod wire;

use std::path::Path;

pub use encoder::encoder_model;
pub use temporal::temporal_model;

use crate::chronos::Chronos;
use crate::{Checkpoint, Error};

/// The name that published networks of the frozen branch have.
const PUBLISHED: &str = "model.safetensors";

/// A network that can be exported.
pub enum Model {
    /// The encoder that knows no ticker.
    Encoder(Box<Checkpoint>),
    /// A frozen branch.
    Temporal(Box<Chronos>),
}

impl Model {
    /// Reads a checkpoint of the encoder; or, where the file is called `model.safetensors` or is a folder, a
    /// network of the frozen branch with the `config.json` beside it.
    ///
    /// # Errors
    /// As [`Checkpoint::read`] and [`Chronos::load`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let folder = if path.is_dir() {
            Some(path)
        } else {
            path.parent().filter(|_| path.file_name().is_some_and(|name| name == PUBLISHED))
        };
        match folder {
            Some(folder) => Ok(Self::Temporal(Box::new(Chronos::load(folder)?))),
            None => Ok(Self::Encoder(Box::new(Checkpoint::read(path)?))),
        }
    }

    /// The content of an ONNX file.
    ///
    /// # Errors
    /// As [`temporal_model`].
    pub fn to_onnx(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Encoder(checkpoint) => Ok(encoder_model(checkpoint)),
            Self::Temporal(network) => temporal_model(network),
        }
    }
}
