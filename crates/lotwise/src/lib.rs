//! `lotwise`: the command line. The program is [`run`]; [`answer`] is one command of it, for whoever has the words, the
//! surroundings and somewhere to write.

mod advice;
mod answers;
mod args;
mod clock;
mod commands;
mod context;
mod errors;
mod hub;
mod input;
mod interrupt;
mod market;
mod output;
mod settings;
mod start;
mod store;
mod trials;
mod verify;

pub use errors::Exit;
pub use settings::Surroundings;
pub use start::{answer, run};
