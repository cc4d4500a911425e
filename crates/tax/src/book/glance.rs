//! What a simulator looks at between events, without copies and in a few steps per lot.

use lotwise_core::{Date, Money, Shares};

use super::index::{AccountIdx, LotIdx, SymbolIdx};
use super::indexed::IndexedBook;
use super::lot::{Lot, NONE, Segment, UNKNOWN_DAY, date_of};
use super::rows::{Realised, Row};
use crate::model::BasisSource;

/// Shares of one lot with one basis and one holding period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The lot they belong to.
    pub lot: LotIdx,
    /// Shares held.
    pub shares: Shares,
    /// Adjusted basis; `None` is unknown.
    pub basis: Option<Money>,
    /// Day that the holding period starts from, since 1970; `None` is unknown.
    pub holding_from_days: Option<i32>,
    /// Where the basis comes from; inherited shares are long-term at once.
    pub source: BasisSource,
}

impl IndexedBook {
    /// What one account holds of one symbol, by acquisition.
    pub fn holdings(&self, account: AccountIdx, symbol: SymbolIdx) -> impl Iterator<Item = Holding> + '_ {
        let group = &self.groups[self.group_of(symbol.0) as usize];
        let found = group.position(account.0, symbol.0);
        found.into_iter().flat_map(move |at| group.segments_of(at)).map(move |id| {
            let segment = &group.segments[id as usize];
            holding(segment, &group.lots[segment.lot as usize])
        })
    }

    /// Visits what [`IndexedBook::holdings`] lists, in its order: for those who read thousands of lots.
    pub fn visit_holdings(&self, account: AccountIdx, symbol: SymbolIdx, mut visit: impl FnMut(&Holding)) {
        let group = &self.groups[self.group_of(symbol.0) as usize];
        let Some(at) = group.position(account.0, symbol.0) else { return };
        for lot in &group.positions[at as usize].lots {
            let of = &group.lots[*lot as usize];
            let (mut id, mut rest) = (of.first, of.rest);
            while id != NONE || rest != NONE {
                if id == NONE {
                    (id, rest) = (rest, NONE);
                }
                let segment = &group.segments[id as usize];
                visit(&holding(segment, of));
                id = segment.next;
            }
        }
    }

    /// Realised results of the year of `date`, as far as they are booked. Purchases of the next
    /// January can still wash a loss and so change them.
    #[must_use]
    pub fn realised(&self, date: Date) -> Realised {
        self.out.realised(date)
    }

    /// Rows from one number on: those of the events since [`IndexedBook::rows`] had that length.
    #[must_use]
    pub fn rows_from(&self, first: usize) -> &[Row] {
        self.out.rows.get(first..).unwrap_or_default()
    }

    /// The latest purchase in the identity group of `symbol` that a loss could still meet, whether
    /// or not 30 days have passed since (tax rule 4.1).
    #[must_use]
    pub fn latest_replacement(&self, symbol: SymbolIdx) -> Option<Date> {
        let group = &self.groups[self.group_of(symbol.0) as usize];
        let bought = group.purchases.lots(&group.lots).map(|lot| group.lots[lot as usize].acquired);
        bought.max().and_then(date_of)
    }

    /// The latest sale in the identity group of `symbol` of whose loss something is left that a
    /// purchase could wash, whether or not 30 days have passed since (tax rule 4.1).
    #[must_use]
    pub fn latest_open_loss(&self, symbol: SymbolIdx) -> Option<Date> {
        let group = &self.groups[self.group_of(symbol.0) as usize];
        let sold = group.losses.iter().filter(|loss| loss.shares.is_positive()).map(|loss| loss.sold);
        sold.max().and_then(date_of)
    }
}

fn holding(segment: &Segment, of: &Lot) -> Holding {
    let piece = &segment.piece;
    Holding {
        lot: LotIdx(of.name),
        shares: piece.shares,
        basis: piece.known_basis(),
        holding_from_days: (piece.holding_from != UNKNOWN_DAY).then_some(piece.holding_from),
        source: of.source,
    }
}
