//! Lotwise.
fn main() {}
