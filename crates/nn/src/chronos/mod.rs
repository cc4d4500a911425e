//! Chronos, a family of published forecasting networks, as a frozen branch: its T5 encoder over a window
//! of closes, pooled (Ansari et al. 2024, «Chronos: learning the language of time series»).
//!
//! Two architectures are read from a folder with `config.json` and `model.safetensors`, as they are
//! published: Chronos-T5, which turns every close into one of some 4,000 tokens, and Chronos-Bolt, which
//! turns every 16 closes into one. Ours, pretrained on synthetic series alone, is of the second kind and
//! comes with the program: see [`Chronos::kernelsynth`].
//!
//! Only the encoder is computed, and only as long as the window is: nothing is padded to the length that
//! the network was trained with. Missing values and padding are masked; nobody attends to them.

mod bolt;
mod config;
mod input;
mod model;
mod patches;
mod quantise;
mod stack;
mod sum;
mod weights;

pub use bolt::{Bolt, ResidualBlock, pool};
pub use config::{Architecture, BoltConfig, ChronosConfig, T5Config};
pub use input::Input;
pub use model::{Chronos, Encoded};
pub use patches::Patches;
pub use quantise::Bins;
pub use stack::{Stack, StackConfig};
