//! What the market crate promises, feature by feature.

mod bad_input;
mod checks;
mod features;
mod loading;
mod metadata;
mod provider;
mod random_panel;
mod regimes;
mod replay;
mod synthetic;
