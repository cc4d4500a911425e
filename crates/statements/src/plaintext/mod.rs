//! Plain-text accounting: Beancount files, and the journals of Ledger and hledger.
//!
//! Both are transactions of postings that sum to nothing. What happened to the shares is told by what stands against
//! them: cash of the same account is a trade, income is a dividend or an interest, and so on.

mod amounts;
mod beancount;
mod events;
mod journal;

pub(crate) use beancount::BEANCOUNT;
pub(crate) use journal::JOURNAL;
