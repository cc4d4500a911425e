//! `data check`, `data describe` and `data features`.

mod check;
mod describe;
mod features;

pub use check::check;
pub use describe::describe;
pub use features::features;
