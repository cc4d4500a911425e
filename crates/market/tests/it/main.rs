//! What the market crate promises, feature by feature.

mod provider;
mod replay;
mod synthetic;
