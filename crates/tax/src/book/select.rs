//! Which shares leave: the standing methods, named lots and least tax (tax rule 2.2).

use std::collections::BTreeMap;

use lotwise_core::{Money, Rate, Shares, Symbol};

use super::group::{Cut, Desk, Group, Order, Place, Position, cut_lot};
use super::lot::{Lot, LotKey, Segment};
use crate::error::Error;
use crate::model::{FlatRates, LotId, LotSelection, Method, SaleRow, Term};

/// Every lot that was ever made, by name.
pub(super) type LotIndex = BTreeMap<LotId, Place>;

/// The cuts that answer an order, checked against what the account holds.
pub(super) fn select(
    desk: Desk<'_>,
    index: &LotIndex,
    group: &Group,
    order: &Order<'_>,
    selection: &LotSelection,
) -> Result<Vec<Cut>, Error> {
    let account = &desk.accounts[order.account];
    let nothing = Position::default();
    let position = group.positions.get(&(order.account, order.symbol.clone())).unwrap_or(&nothing);
    let method = match selection {
        LotSelection::Lots(named) => return select_named(desk, index, position, order, named),
        LotSelection::By(method) => *method,
        LotSelection::Standing => account.method,
    };
    if position.held < order.shares {
        return Err(Error::InsufficientShares {
            account: account.id.clone(),
            symbol: order.symbol.clone(),
            date: order.date,
            held: position.held,
            wanted: order.shares,
        });
    }
    match method {
        // Nothing is taxed on a sale inside an IRA, so there the legal default stands.
        Method::MinTax if account.kind.is_taxable() => Ok(least_tax(desk, group, position, order)),
        _ => without_price(position, order.shares, method),
    }
}

fn select_named(
    desk: Desk<'_>,
    index: &LotIndex,
    position: &Position,
    order: &Order<'_>,
    named: &[(LotId, Shares)],
) -> Result<Vec<Cut>, Error> {
    let mut wanted: BTreeMap<LotKey, (&LotId, Shares)> = BTreeMap::new();
    let mut total = Shares::ZERO;
    let too_large = || Error::OutOfRange { field: "shares of the lots named", of: order.sale.to_string() };
    for (lot, shares) in named {
        if !shares.is_positive() {
            return Err(Error::NotPositive { field: "shares of a lot named", of: lot.to_string(), date: order.date });
        }
        total = total.checked_add(*shares).ok_or_else(too_large)?;
        let unknown = || Error::UnknownLot { lot: lot.clone(), sale: order.sale.clone() };
        let place = index.get(lot).ok_or_else(unknown)?;
        if place.account != order.account {
            return Err(Error::LotOfAnotherAccount {
                lot: lot.clone(),
                sale: order.sale.clone(),
                account: desk.accounts[order.account].id.clone(),
                held_in: desk.accounts[place.account].id.clone(),
            });
        }
        if place.symbol != *order.symbol {
            return Err(Error::LotOfAnotherSymbol {
                lot: lot.clone(),
                sale: order.sale.clone(),
                symbol: order.symbol.clone(),
                held: place.symbol.clone(),
            });
        }
        wanted.entry(place.key).or_insert((lot, Shares::ZERO)).1 += *shares;
    }
    if total != order.shares {
        return Err(Error::SelectionSum { sale: order.sale.clone(), sold: order.shares, named: total });
    }
    let mut cuts = Vec::new();
    for (key, (lot, shares)) in wanted {
        let held = position.lots.get(&key).map_or(Shares::ZERO, Lot::shares);
        if held < shares {
            return Err(Error::InsufficientLot { lot: lot.clone(), sale: order.sale.clone(), held, wanted: shares });
        }
        if let Some(lot) = position.lots.get(&key) {
            cut_lot(key, lot, shares, &mut cuts);
        }
    }
    Ok(cuts)
}

/// Cuts for shares that leave without a price: least tax has no meaning there, so it is first-in
/// first-out. The position holds `shares`.
pub(super) fn without_price(position: &Position, shares: Shares, method: Method) -> Result<Vec<Cut>, Error> {
    match method {
        Method::Fifo | Method::MinTax => Ok(earliest_first(position, shares)),
        Method::Lifo => Ok(latest_first(position, shares)),
        Method::Lofo => Err(Error::Unsupported { what: "lowest basis first", rule: "2.2" }),
        Method::Hifo => Ok(highest_basis_first(position, shares)),
        Method::Average => Err(Error::Unsupported { what: "average basis", rule: "2.2" }),
    }
}

fn earliest_first(position: &Position, shares: Shares) -> Vec<Cut> {
    take_lots(position.lots.iter(), shares)
}

fn latest_first(position: &Position, shares: Shares) -> Vec<Cut> {
    take_lots(position.lots.iter().rev(), shares)
}

fn take_lots<'a>(lots: impl Iterator<Item = (&'a LotKey, &'a Lot)>, shares: Shares) -> Vec<Cut> {
    let (mut left, mut cuts) = (shares, Vec::new());
    for (key, lot) in lots {
        if !left.is_positive() {
            break;
        }
        left = cut_lot(*key, lot, left, &mut cuts);
    }
    cuts
}

/// A segment that could leave, with its place.
struct Candidate<'a> {
    key: LotKey,
    position: usize,
    segment: &'a Segment,
}

fn candidates(position: &Position) -> Vec<Candidate<'_>> {
    let of_lot = |(key, lot): (&LotKey, &Lot)| -> Vec<(LotKey, usize)> {
        lot.segments().enumerate().map(|(segment, _)| (*key, segment)).collect()
    };
    let places: Vec<(LotKey, usize)> = position.lots.iter().flat_map(of_lot).collect();
    let segments = position.lots.values().flat_map(Lot::segments);
    places.into_iter().zip(segments).map(|((key, position), segment)| Candidate { key, position, segment }).collect()
}

fn take_candidates<'a>(ranked: impl IntoIterator<Item = &'a Candidate<'a>>, shares: Shares) -> Vec<Cut> {
    let (mut left, mut cuts) = (shares, Vec::new());
    for candidate in ranked {
        if !left.is_positive() {
            break;
        }
        let taken = left.min(candidate.segment.shares);
        cuts.push(Cut { key: candidate.key, segment: candidate.position, shares: taken });
        left -= taken;
    }
    cuts
}

/// An amount per share, in billionths of a dollar; exact enough to rank by.
fn per_share(amount: Money, shares: Shares) -> i128 {
    amount.per_share(shares).map_or(i128::MAX, lotwise_core::Price::billionths)
}

/// Segments by basis per share, highest first; equal ones in order of acquisition, and those of
/// unknown basis last.
fn highest_basis_first(position: &Position, shares: Shares) -> Vec<Cut> {
    let mut ranked = candidates(position);
    ranked.sort_by_key(|candidate| {
        std::cmp::Reverse(candidate.segment.basis.map(|basis| per_share(basis, candidate.segment.shares)))
    });
    take_candidates(&ranked, shares)
}

/// How good an outcome is: less is better, the parts in order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    /// Shares whose tax nobody can know.
    unknown: Shares,
    tax: Money,
    permanent: Money,
    disallowed: Money,
}

/// The cheapest of several orderings, each booked on a copy so that the wash-sale effect of what
/// it sells is exactly that of the sale; the legal default wins ties.
///
/// A loss that is washed saves nothing now, and which losses are washed depends on what else
/// leaves, so no single ranking is best for all ledgers. Only shares held at the sale can be known
/// to wash it: the choice has to reach the broker before later purchases happen.
fn least_tax(desk: Desk<'_>, group: &Group, position: &Position, order: &Order<'_>) -> Vec<Cut> {
    let candidates = candidates(position);
    let rates = desk.rules.rates;
    let by = |washing: bool| {
        let mut ranked: Vec<(i128, &Candidate<'_>)> = candidates
            .iter()
            .map(|candidate| (tax_per_share(desk, group, order, candidate, rates, washing), candidate))
            .collect();
        ranked.sort_by_key(|(tax, _)| *tax);
        take_candidates(ranked.into_iter().map(|(_, candidate)| candidate), order.shares)
    };
    let orderings = [
        earliest_first(position, order.shares),
        by(true),
        by(false),
        highest_basis_first(position, order.shares),
        latest_first(position, order.shares),
    ];
    orderings
        .into_iter()
        .map(|cuts| (outcome(&group.clone().sell(desk, order, cuts.clone()), rates), cuts))
        // `min_by` keeps the first of equals.
        .min_by(|(a, _), (b, _)| a.cmp(b))
        .map(|(_, cuts)| cuts)
        .unwrap_or_default()
}

/// Tax per share at flat rates if the segment were sold alone, whole; unknown ones last. With
/// `washing` a loss counts only as far as no shares held would replace it.
fn tax_per_share(
    desk: Desk<'_>,
    group: &Group,
    order: &Order<'_>,
    candidate: &Candidate<'_>,
    rates: FlatRates,
    washing: bool,
) -> i128 {
    let segment = candidate.segment;
    let (Some(basis), Some(proceeds)) = (segment.basis, order.proceeds.portion(segment.shares, order.shares)) else {
        return i128::MAX;
    };
    let mut gain = proceeds - basis;
    if washing && gain.is_negative() {
        let replaced = group.replaceable(desk, candidate.key, segment.shares);
        gain -= gain.portion(replaced, segment.shares).unwrap_or(Money::ZERO);
    }
    let term = segment.holding_from.map(|from| Term::of(from, order.date));
    per_share(gain * rates.of(term), segment.shares)
}

fn outcome(rows: &[SaleRow], rates: FlatRates) -> Outcome {
    let mut outcome =
        Outcome { unknown: Shares::ZERO, tax: Money::ZERO, permanent: Money::ZERO, disallowed: Money::ZERO };
    for row in rows {
        match row.reportable {
            Some(reportable) => outcome.tax += reportable * rates.of(row.term),
            None => outcome.unknown += row.shares,
        }
        outcome.disallowed += row.disallowed;
        outcome.permanent += row.matches.iter().filter(|one| one.permanent).map(|one| one.disallowed).sum::<Money>();
    }
    outcome
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
}

impl Group {
    /// How many of `shares` of a lot would find replacements among the shares held now.
    fn replaceable(&self, desk: Desk<'_>, lot: LotKey, shares: Shares) -> Shares {
        let mut found = Shares::ZERO;
        for (sequence, place) in &self.purchases {
            let older = lot.0.is_some() && place.key < lot;
            if *sequence == lot.1 || (older && !desk.rules.older_lots_can_replace) {
                continue;
            }
            found += self.free_at(&place.symbol, place.account, place.key);
            if found >= shares {
                return shares;
            }
        }
        found
    }

    /// Shares at a place that could absorb a loss.
    pub(super) fn free_at(&self, symbol: &Symbol, account: usize, key: LotKey) -> Shares {
        let position = self.positions.get(&(account, symbol.clone()));
        position.and_then(|position| position.lots.get(&key)).map_or(Shares::ZERO, Lot::free)
    }
}
