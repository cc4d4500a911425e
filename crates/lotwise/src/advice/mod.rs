//! From files and prices to lots, harvests and suggestions, as pages and as JSON.

mod json;
mod pages;
mod session;

pub use json::{Json, find_priced};
pub use pages::{harvest_page, harvest_table, suggestions_page, upcoming_table, worth_facts};
pub use session::{PriceNeed, Session, SessionInput, histories, refused, require_lots};
