//! Which shares leave: the standing methods, named lots and least tax (tax rule 2.2).

use lotwise_core::{Money, Rate, Shares};

use super::group::{Cut, Desk, Group, Order, Scratch};
use super::index::{AccountIdx, Fault, LotIdx, Pick, SymbolIdx};
use super::lot::part;
use super::rank::End;
use crate::model::{FlatRates, Method, SaleRow, Term};

impl Group {
    /// Fills [`Scratch::cuts`] with what answers an order, in order of acquisition. With a price
    /// in the order least tax has a meaning; without (`priced` false) it is first-in first-out.
    pub(super) fn choose(
        &mut self,
        desk: Desk<'_>,
        order: &mut Order,
        pick: Pick<'_>,
        priced: bool,
        places: &dyn Fn(LotIdx) -> Vec<u32>,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        scratch.cuts.clear();
        let method = match pick {
            Pick::Lots(named) => return self.choose_named(order, named, places, &mut scratch.cuts),
            Pick::By(method) => method,
            Pick::Standing => desk.accounts[order.account as usize].method,
        };
        let at = self.covering(order)?;
        match method {
            Method::Fifo => self.take_lots(self.lots_of(at), order.shares, &mut scratch.cuts),
            Method::Lifo => {
                self.take_lots(self.lots_of(at).rev(), order.shares, &mut scratch.cuts);
                sort(&mut scratch.cuts);
            }
            Method::Hifo => self.take_ranked(at, End::Highest, order.shares, &mut scratch.cuts),
            Method::Lofo => self.take_ranked(at, End::Lowest, order.shares, &mut scratch.cuts),
            // Nothing is taxed on a sale inside an IRA, so there the legal default stands.
            Method::MinTax if priced && desk.is_taxable(order.account) => {
                self.turn_to(order.day);
                self.least_tax(desk, at, order, scratch);
            }
            Method::MinTax => self.take_lots(self.lots_of(at), order.shares, &mut scratch.cuts),
            Method::Average => {
                self.average(at)?;
                order.averaged = true;
                self.take_lots(self.lots_of(at), order.shares, &mut scratch.cuts);
            }
        }
        Ok(())
    }

    /// The position of an order that it can be answered from.
    pub(super) fn covering(&self, order: &Order) -> Result<u32, Fault> {
        let at = self.position(order.account, order.symbol);
        let held = at.map_or(Shares::ZERO, |at| self.positions[at as usize].held);
        at.filter(|_| held >= order.shares).ok_or(Fault::InsufficientShares { held })
    }

    fn choose_named(
        &self,
        order: &Order,
        named: &[(LotIdx, Shares)],
        places: &dyn Fn(LotIdx) -> Vec<u32>,
        cuts: &mut Vec<Cut>,
    ) -> Result<(), Fault> {
        let at = self.position(order.account, order.symbol);
        let mut wanted: Vec<(LotIdx, Shares)> = Vec::with_capacity(named.len());
        let mut total = Shares::ZERO;
        for (lot, shares) in named {
            total = total.checked_add(*shares).ok_or(Fault::OutOfRange)?;
            wanted.push((*lot, *shares));
        }
        wanted.sort_by_key(|(lot, _)| *lot);
        wanted.dedup_by(|one, kept| {
            let same = one.0 == kept.0;
            if same {
                kept.1 += one.1;
            }
            same
        });
        if total != order.shares {
            return Err(Fault::SelectionSum { named: total });
        }
        for (lot, shares) in wanted {
            let mut left = shares;
            for part in places(lot) {
                if Some(self.lots[part as usize].position) == at && left.is_positive() {
                    left = self.cut_lot(part, left, cuts);
                }
            }
            if left.is_positive() {
                return Err(Fault::InsufficientLot { lot, held: shares - left, wanted: shares });
            }
        }
        sort(cuts);
        Ok(())
    }

    /// Where a lot that is not in a position is instead.
    pub(super) fn elsewhere(&self, lot: u32) -> (AccountIdx, SymbolIdx) {
        let position = &self.positions[self.lots[lot as usize].position as usize];
        (AccountIdx(position.account), SymbolIdx(position.symbol))
    }

    pub(super) fn take_lots(&self, lots: impl Iterator<Item = u32>, shares: Shares, cuts: &mut Vec<Cut>) {
        let mut left = shares;
        for lot in lots {
            if !left.is_positive() {
                break;
            }
            left = self.cut_lot(lot, left, cuts);
        }
    }

    fn take_ranked(&mut self, at: u32, end: End, shares: Shares, cuts: &mut Vec<Cut>) {
        let mut ranks = self.take_ranks(at, end);
        let mut left = shares;
        while left.is_positive() {
            let Some(id) = ranks.next(&self.segments) else { break };
            let taken = left.min(self.segments[id as usize].piece.shares);
            // A segment that is only cut keeps its place.
            if taken == self.segments[id as usize].piece.shares {
                ranks.pop();
            }
            cuts.push(self.cut(id, taken));
            left -= taken;
        }
        self.return_ranks(at, end, ranks);
        sort(cuts);
    }

    /// Spreads the position's basis evenly over its shares (tax rule 2.2).
    fn average(&mut self, at: u32) -> Result<(), Fault> {
        let (mut basis, mut deferred, mut shares) = (Money::ZERO, Money::ZERO, Shares::ZERO);
        let ids: Vec<u32> = self.segments_of(at).collect();
        for id in &ids {
            let segment = &self.segments[*id as usize];
            let piece = &segment.piece;
            if piece.gift {
                return Err(Fault::Unsupported { what: "average basis over shares received as a gift", rule: "2.5" });
            }
            if !piece.known {
                return Err(Fault::Unsupported { what: "average basis over shares of unknown basis", rule: "6.5" });
            }
            basis += piece.basis;
            deferred += piece.deferred;
            shares += piece.shares;
        }
        for id in ids {
            let piece = &mut self.segments[id as usize].piece;
            piece.basis = part(basis, piece.shares, shares);
            piece.deferred = part(deferred, piece.shares, shares).min(piece.basis);
            basis -= piece.basis;
            deferred -= piece.deferred;
            shares -= piece.shares;
        }
        self.forget_ranks(at);
        Ok(())
    }
}

pub(super) fn sort(cuts: &mut [Cut]) {
    cuts.sort_unstable_by_key(|cut| (cut.acquired, cut.sequence, cut.ordinal, cut.segment));
}

impl FlatRates {
    /// The rate of a term; an unknown term is taken as short, the dearer of the two.
    #[must_use]
    pub fn of(self, term: Option<Term>) -> Rate {
        match term {
            Some(Term::Long) => self.long,
            Some(Term::Short) | None => self.short,
        }
    }

    /// Tax on rows at these rates: a simplification without netting, bands or the loss limit
    /// (tax rule 5.6). Negative for usable losses; rows of unknown basis are left out.
    #[must_use]
    pub fn tax(self, rows: &[SaleRow]) -> Money {
        rows.iter().filter_map(|row| Some(row.reportable? * self.of(row.term))).sum()
    }

    /// Where the tax on rows lies when some bases are not exact (tax rule 6.5): each row at the
    /// rate, of the terms it may have, that makes the end lower or higher. No lower end where a
    /// loss has no bound.
    #[must_use]
    pub fn tax_range(self, rows: &[SaleRow]) -> crate::model::Range {
        let (mut lowest, mut highest) = (Some(Money::ZERO), Money::ZERO);
        for row in rows {
            let range = row.reportable_range();
            let rates = row.term.map_or([self.short, self.long], |term| [self.of(Some(term)); 2]);
            let taxes = |gain: Money| rates.map(|rate| gain * rate);
            lowest = lowest.zip(range.lowest).map(|(sum, gain)| {
                let [one, other] = taxes(gain);
                sum + one.min(other)
            });
            let [one, other] = taxes(range.highest);
            highest += one.max(other);
        }
        crate::model::Range { lowest, highest }
    }
}
