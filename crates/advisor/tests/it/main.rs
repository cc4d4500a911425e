//! Features of the advisor, from statements and prices to suggestions.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod advice;
mod books;
mod fixture;
mod joined;
mod named_lots;
mod quotes;
mod rows;
mod what_if;
