//! What the networks promise.

mod temporal;
