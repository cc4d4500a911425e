//! The program as people and scripts meet it.

mod bad_input;
mod data;
mod help;
mod import;
mod prices;
mod program;
mod settings;
mod tax;
mod verify;
