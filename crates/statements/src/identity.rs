//! Stable ids: the same row read again, from this file or one that overlaps it, has the same id.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::Transaction;

/// A digest of what a transaction says. Its id and where it stands in the file do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Content([u8; 16]);

/// Gives ids to transactions that have none from their broker.
///
/// An id is made from content and from how often that content has been seen in this file: two
/// equal purchases of one day are two, and stay two when the file is read again.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    seen: BTreeMap<Content, u32>,
}

impl Identity {
    /// The id for the next transaction with this content.
    pub(crate) fn next(&mut self, content: Content) -> String {
        let occurrence = self.seen.entry(content).or_insert(0);
        *occurrence += 1;
        let mut text = String::with_capacity(40);
        for byte in content.0 {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        if *occurrence > 1 {
            text.push_str(&format!("-{occurrence}"));
        }
        text
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Content {
    /// The content of a transaction of this format.
    pub(crate) fn of(format: &str, transaction: &Transaction) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(format.as_bytes());
        part(transaction.account.as_bytes());
        part(&transaction.trade_date.days().to_le_bytes());
        part(&transaction.settle_date.map_or(i32::MIN, lotwise_core::Date::days).to_le_bytes());
        part(transaction.action.name().as_bytes());
        part(transaction.detail.as_deref().unwrap_or_default().as_bytes());
        part(transaction.symbol.as_ref().map_or("", |symbol| symbol.as_str()).as_bytes());
        part(transaction.cusip.as_deref().unwrap_or_default().as_bytes());
        part(transaction.description.as_bytes());
        part(&transaction.shares.map_or(i128::MIN, |shares| shares.billionths()).to_le_bytes());
        part(&transaction.price.map_or(i128::MIN, |price| price.billionths()).to_le_bytes());
        part(&transaction.amount.billionths().to_le_bytes());
        part(&transaction.fees.billionths().to_le_bytes());
        part(transaction.currency.as_bytes());
        // Two sales may differ in nothing but the lot that they closed.
        for lot in &transaction.lots {
            part(lot.id.as_deref().unwrap_or_default().as_bytes());
            part(&lot.acquired.map_or(i32::MIN, lotwise_core::Date::days).to_le_bytes());
            part(&lot.shares.billionths().to_le_bytes());
            part(&lot.basis.map_or(i128::MIN, |basis| basis.billionths()).to_le_bytes());
        }
        let digest = hash.finalize();
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self(first)
    }
}
