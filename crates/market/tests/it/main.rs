//! What the market crate promises, feature by feature.

mod synthetic;
