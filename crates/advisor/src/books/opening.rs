//! Running share counts, and the shares that must have been there before the files begin.

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_tax::AccountId;

use super::ratio::Ratio;

/// Shares held per account and symbol, and those owed to a time before the first row.
#[derive(Debug, Default)]
pub(super) struct Openings {
    positions: BTreeMap<(AccountId, Symbol), Position>,
}

/// One holding while the rows are walked.
#[derive(Debug)]
struct Position {
    held: Shares,
    /// Shares missing, in the units of the first row.
    owed: Shares,
    /// Shares missing whose date a file states, in the units of the first row.
    stated: Vec<StatedOpening>,
    /// How the first shortage showed, and where.
    reason: (String, String),
    /// All splits since the first row.
    factor: Ratio,
    /// Date of the first row.
    first: Date,
    /// Events written before the first row: where an opening lot belongs in the ledger, so that
    /// splits before it do not touch it.
    place: usize,
}

/// A lot held before the first row, as a file states it.
#[derive(Debug, Clone)]
pub(super) struct StatedOpening {
    pub(super) shares: Shares,
    pub(super) basis: Option<Money>,
    pub(super) acquired: Date,
}

/// Shares held before the first row of an account and symbol.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) account: AccountId,
    pub(super) symbol: Symbol,
    /// Shares about which no file says anything.
    pub(super) shares: Shares,
    /// Lots that files state.
    pub(super) stated: Vec<StatedOpening>,
    pub(super) date: Date,
    pub(super) place: usize,
    /// How the shortage showed.
    pub(super) reason: String,
    /// File and row where it showed.
    pub(super) source: String,
}

impl Openings {
    /// Notes the first row of an account and symbol; later calls change nothing.
    pub(super) fn begin(&mut self, account: &AccountId, symbol: &Symbol, date: Date, place: usize) {
        let key = (account.clone(), symbol.clone());
        let new = || Position {
            held: Shares::ZERO,
            owed: Shares::ZERO,
            stated: Vec::new(),
            reason: Default::default(),
            factor: Ratio::ONE,
            first: date,
            place,
        };
        self.positions.entry(key).or_insert_with(new);
    }

    pub(super) fn held(&self, account: &AccountId, symbol: &Symbol) -> Shares {
        self.positions.get(&(account.clone(), symbol.clone())).map_or(Shares::ZERO, |position| position.held)
    }

    /// All holdings, by account and symbol.
    pub(super) fn all_held(&self) -> impl Iterator<Item = (&(AccountId, Symbol), Shares)> {
        self.positions.iter().map(|(place, position)| (place, position.held))
    }

    pub(super) fn add(&mut self, account: &AccountId, symbol: &Symbol, shares: Shares) {
        if let Some(position) = self.get(account, symbol) {
            position.held += shares;
        }
    }

    /// Takes shares away; the caller has covered any shortage with [`Openings::owe`].
    pub(super) fn take(&mut self, account: &AccountId, symbol: &Symbol, shares: Shares) {
        if let Some(position) = self.get(account, symbol) {
            position.held = if shares > position.held { Shares::ZERO } else { position.held - shares };
        }
    }

    /// Notes `missing` shares of today's units as held before the first row, for this reason, seen
    /// at this place.
    pub(super) fn owe(&mut self, account: &AccountId, symbol: &Symbol, missing: Shares, reason: String, place: String) {
        if let Some(position) = self.get(account, symbol) {
            if position.owed.is_zero() {
                position.reason = (reason, place);
            }
            position.owed += position.factor.undo(missing);
        }
    }

    /// Notes shares of today's units as held before the first row, with what a file states of them.
    pub(super) fn owe_stated(
        &mut self,
        account: &AccountId,
        symbol: &Symbol,
        shares: Shares,
        basis: Option<Money>,
        acquired: Date,
    ) {
        if let Some(position) = self.get(account, symbol) {
            let shares = position.factor.undo(shares);
            position.stated.push(StatedOpening { shares, basis, acquired });
        }
    }

    /// Applies a split to every holder and names each with its shares before.
    pub(super) fn split(&mut self, symbol: &Symbol, ratio: Ratio) -> Vec<(AccountId, Shares)> {
        let mut holders = Vec::new();
        for ((account, held_symbol), position) in &mut self.positions {
            if held_symbol == symbol {
                holders.push((account.clone(), position.held));
                position.held = ratio.apply(position.held);
                position.factor = ratio.after(position.factor).unwrap_or(position.factor);
            }
        }
        holders
    }

    /// All shares owed to a time before the first row, by their place in the ledger.
    pub(super) fn owed(&self) -> Vec<Opening> {
        let mut openings: Vec<Opening> = self
            .positions
            .iter()
            .filter(|(_, position)| position.owed.is_positive() || !position.stated.is_empty())
            .map(|((account, symbol), position)| Opening {
                account: account.clone(),
                symbol: symbol.clone(),
                shares: position.owed,
                stated: position.stated.clone(),
                date: position.first,
                place: position.place,
                reason: position.reason.0.clone(),
                source: position.reason.1.clone(),
            })
            .collect();
        openings.sort_by_key(|opening| opening.place);
        openings
    }

    fn get(&mut self, account: &AccountId, symbol: &Symbol) -> Option<&mut Position> {
        self.positions.get_mut(&(account.clone(), symbol.clone()))
    }
}
