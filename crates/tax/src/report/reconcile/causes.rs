//! Why a broker's figures differ: the ledger is booked again the way a broker may have done it,
//! and what then comes out the same is the cause.

use lotwise_core::{Date, Money, Symbol};

use super::pairing::Pair;
use super::{Cause, Difference, Field, Figure, OwnSide};
use crate::book::book;
use crate::model::{AccountId, EventKind, Ledger, LotSelection, LotsLeave, Method, Rules, SaleRow, Scope};

/// Brokers round rows to cents.
const CENT: Money = Money::from_billionths(10_000_000);

/// Other ways to book the ledger, each booked when it is first needed.
pub(super) struct Alternatives<'a> {
    own: &'a OwnSide<'a>,
    booked: Vec<(Cause, Option<AccountId>, Vec<SaleRow>)>,
    all_accounts: bool,
}

impl<'a> Alternatives<'a> {
    pub fn new(own: &'a OwnSide<'a>) -> Self {
        Self { own, booked: Vec::new(), all_accounts: false }
    }

    /// The cause whose booking gives the broker's figures for a pair.
    fn explain(&mut self, pair: &Pair<'_>) -> Option<Cause> {
        let (account, symbol, sold) = pair.key();
        self.prepare(&account);
        let day = |rows: &[SaleRow]| -> Vec<SaleRow> {
            let same = |row: &&SaleRow| row.account == account && row.symbol == symbol && row.sold == sold;
            rows.iter().filter(same).cloned().collect()
        };
        let of_account = |of: &Option<AccountId>| of.as_ref().is_none_or(|of| *of == account);
        let mut fitting = self.booked.iter().filter(|(_, of, _)| of_account(of));
        fitting.find(|(_, _, rows)| gives(&day(rows), pair)).map(|(cause, ..)| *cause)
    }

    fn prepare(&mut self, account: &AccountId) {
        if !self.all_accounts {
            self.all_accounts = true;
            let rules = self.own.rules;
            let flipped = match rules.lots_leave {
                LotsLeave::Together => LotsLeave::OneByOne,
                LotsLeave::OneByOne => LotsLeave::Together,
            };
            self.try_booking(
                Cause::LotsLeaveOrder,
                None,
                self.own.ledger,
                &Rules { lots_leave: flipped, ..rules.clone() },
            );
            for (sales, purchases) in [(true, false), (false, true), (true, true)] {
                self.try_booking(Cause::FeeTreatment, None, &without_fees(self.own.ledger, sales, purchases), rules);
            }
            let without = without(self.own.ledger, |kind| matches!(kind, EventKind::ReturnOfCapital { .. }));
            if without.events.len() < self.own.ledger.events.len() {
                self.try_booking(Cause::CorporateAction, None, &without, rules);
            }
        }
        if self.booked.iter().any(|(_, of, _)| of.as_ref() == Some(account)) {
            return;
        }
        // A broker sees one account and one security at a time.
        let mut alone = self.own.ledger.clone();
        alone.events.retain(|event| event.account == *account || concerns_all(&event.kind));
        let rules = Rules { identity_groups: Vec::new(), ..self.own.rules.clone() };
        self.try_booking(Cause::WashElsewhere, Some(account.clone()), &alone, &rules);
        for method in [Method::Fifo, Method::Lifo, Method::Hifo, Method::Lofo, Method::Average] {
            let ledger = by_method(self.own.ledger, account, method);
            self.try_booking(Cause::LotMethod(method), Some(account.clone()), &ledger, self.own.rules);
        }
    }

    fn try_booking(&mut self, cause: Cause, account: Option<AccountId>, ledger: &Ledger, rules: &Rules) {
        let sales = book(ledger, rules).map(|booking| booking.sales).unwrap_or_default();
        self.booked.push((cause, account, sales));
    }

    /// A corporate action on the security between the purchase and the sale.
    fn has_corporate_action(&self, symbol: &Symbol, from: Option<Date>, until: Date) -> bool {
        self.own.ledger.events.iter().any(|event| {
            let (concerned, other) = match &event.kind {
                EventKind::Split { .. } | EventKind::ReturnOfCapital { .. } => (true, None),
                EventKind::SpinOff { to, .. } | EventKind::Exchange { to, .. } => (true, Some(to)),
                _ => (false, None),
            };
            concerned
                && (event.symbol == *symbol || other == Some(symbol))
                && event.date <= until
                && from.is_none_or(|from| event.date >= from)
        })
    }
}

/// What one account reports and every account has.
fn concerns_all(kind: &EventKind) -> bool {
    match kind {
        EventKind::Split { .. } => true,
        EventKind::SpinOff { scope, .. } | EventKind::Exchange { scope, .. } => *scope == Scope::Household,
        _ => false,
    }
}

fn without_fees(ledger: &Ledger, of_sales: bool, of_purchases: bool) -> Ledger {
    let mut ledger = ledger.clone();
    for event in &mut ledger.events {
        match &mut event.kind {
            EventKind::Sell { fee, .. } | EventKind::ShortSell { fee, .. } if of_sales => *fee = Money::ZERO,
            EventKind::Buy { fee, .. } | EventKind::Cover { fee, .. } if of_purchases => *fee = Money::ZERO,
            _ => {}
        }
    }
    ledger
}

fn without(ledger: &Ledger, left_out: impl Fn(&EventKind) -> bool) -> Ledger {
    let mut ledger = ledger.clone();
    ledger.events.retain(|event| !left_out(&event.kind));
    ledger
}

fn by_method(ledger: &Ledger, account: &AccountId, method: Method) -> Ledger {
    let mut ledger = ledger.clone();
    for event in ledger.events.iter_mut().filter(|event| event.account == *account) {
        if let EventKind::Sell { lots, .. } = &mut event.kind {
            *lots = LotSelection::By(method);
        }
    }
    ledger
}

/// Whether the rows of a booking come to the broker's figures.
fn gives(rows: &[SaleRow], pair: &Pair<'_>) -> bool {
    // The pair may be a part of the day: the rows of its lots, or all of them.
    let dates: Vec<Option<Date>> = pair.broker.iter().map(|row| row.acquired).collect();
    let of_dates: Vec<&SaleRow> =
        rows.iter().filter(|row| dates.iter().any(|date| date.is_none() || *date == row.acquired)).collect();
    if of_dates.is_empty() {
        return false;
    }
    let tolerance = cents(of_dates.len().max(pair.broker.len()));
    let near = |ours: Money, theirs: Money| (ours - theirs).abs() <= tolerance;
    let basis: Option<Money> = of_dates.iter().try_fold(Money::ZERO, |sum, row| Some(sum + row.basis?));
    of_dates.iter().map(|row| row.shares).sum::<lotwise_core::Shares>() == pair.broker_shares()
        && near(of_dates.iter().map(|row| row.proceeds).sum(), pair.broker_proceeds())
        && near(of_dates.iter().map(|row| row.disallowed).sum(), pair.broker_disallowed())
        && match (basis, pair.broker_basis()) {
            (Some(ours), Some(theirs)) => near(ours, theirs),
            (_, None) => true,
            (None, Some(_)) => false,
        }
}

fn cents(rows: usize) -> Money {
    Money::from_billionths(CENT.billionths() * rows as i128)
}

/// The differences of a pair with their causes.
pub(super) fn differences(pair: &Pair<'_>, alternatives: &mut Alternatives<'_>) -> Vec<Difference> {
    let (account, symbol, sold) = pair.key();
    let make = |field, ours, brokers, cause, code, adjustment| Difference {
        account: account.clone(),
        symbol: symbol.clone(),
        sold,
        shares: if pair.own.is_empty() { pair.broker_shares() } else { pair.own_shares() },
        field,
        ours,
        brokers,
        cause,
        code,
        adjustment,
        broker_rows: pair.broker.iter().map(|row| row.row).collect(),
    };
    if pair.broker.is_empty() {
        let ours = Some(Figure::Amount(pair.own_proceeds()));
        return vec![make(Field::OnlyOurs, ours, None, Cause::NotReported, None, Money::ZERO)];
    }
    if pair.own.is_empty() {
        let theirs = Some(Figure::Amount(pair.broker_proceeds()));
        return vec![make(Field::OnlyBrokers, None, theirs, Cause::Unexplained, None, Money::ZERO)];
    }
    let tolerance = cents(pair.own.len().max(pair.broker.len()));
    let near = |one: Money, other: Money| (one - other).abs() <= tolerance;
    let amount = |amount| Some(Figure::Amount(amount));
    let (proceeds, their_proceeds) = (pair.own_proceeds(), pair.broker_proceeds());
    let (basis, their_basis) = (pair.own_basis(), pair.broker_basis());
    let (washed, their_washed) = (pair.own_disallowed(), pair.broker_disallowed());
    let terms_differ = pair.own_term().zip(pair.broker_term()).is_some_and(|(one, other)| one != other);
    let basis_differs = basis != their_basis && !basis.zip(their_basis).is_some_and(|(one, other)| near(one, other));
    let differs = !near(proceeds, their_proceeds) || basis_differs || !near(washed, their_washed) || !pair.same_dates();
    let whole = if differs { alternatives.explain(pair) } else { None };
    let covered = pair.broker.iter().all(|row| row.covered.unwrap_or(row.basis.is_some()));
    let mut found = Vec::new();
    if proceeds.to_cents() != their_proceeds.to_cents() {
        let cause = if near(proceeds, their_proceeds) { Cause::Rounding } else { whole.unwrap_or(Cause::Unexplained) };
        let code = (cause != Cause::Rounding).then_some('E');
        found.push(make(
            Field::Proceeds,
            amount(proceeds),
            amount(their_proceeds),
            cause,
            code,
            code.map_or(Money::ZERO, |_| proceeds - their_proceeds),
        ));
    }
    match (basis, their_basis) {
        (Some(ours), Some(theirs)) if ours.to_cents() != theirs.to_cents() => {
            let from = pair.own.iter().filter_map(|(_, row)| row.acquired).min();
            let cause = match whole {
                _ if near(ours, theirs) => Cause::Rounding,
                Some(cause) => cause,
                None if theirs.is_zero() => Cause::MissingBasis,
                None if alternatives.has_corporate_action(&symbol, from, sold) => Cause::CorporateAction,
                None => Cause::Unexplained,
            };
            let code = (cause != Cause::Rounding).then_some('B');
            let adjustment = if code.is_some() && covered { theirs - ours } else { Money::ZERO };
            found.push(make(Field::Basis, amount(ours), amount(theirs), cause, code, adjustment));
        }
        (Some(ours), None) => {
            // Basis that was not reported is simply written into column (e).
            found.push(make(Field::Basis, amount(ours), None, Cause::MissingBasis, None, Money::ZERO));
        }
        (None, Some(theirs)) => {
            found.push(make(Field::Basis, None, amount(theirs), Cause::Unexplained, None, Money::ZERO));
        }
        _ => {}
    }
    if washed.to_cents() != their_washed.to_cents() {
        let elsewhere = || matched_elsewhere(pair, alternatives.own.ledger);
        let cause = match whole {
            _ if near(washed, their_washed) => Cause::Rounding,
            Some(cause) => cause,
            None if near(washed - elsewhere(), their_washed) => Cause::WashElsewhere,
            None => Cause::Unexplained,
        };
        let code = (cause != Cause::Rounding).then_some('W');
        let adjustment = if code.is_some() { washed } else { Money::ZERO };
        found.push(make(Field::WashLoss, amount(washed), amount(their_washed), cause, code, adjustment));
    }
    if !pair.same_dates() {
        let date = |date: Option<Date>| date.map(Figure::Date);
        let ours = pair.own.iter().filter_map(|(_, row)| row.acquired).min();
        let theirs = pair.broker.iter().filter_map(|row| row.acquired).min();
        let cause = whole.unwrap_or(Cause::Unexplained);
        found.push(make(Field::Acquired, date(ours), date(theirs), cause, None, Money::ZERO));
    }
    if terms_differ {
        let tacked = pair.own.iter().any(|(_, row)| row.holding_from != row.acquired);
        let cause = if tacked { Cause::HoldingPeriod } else { whole.unwrap_or(Cause::Unexplained) };
        let term = |term: Option<crate::model::Term>| term.map(Figure::Term);
        found.push(make(Field::Term, term(pair.own_term()), term(pair.broker_term()), cause, Some('T'), Money::ZERO));
    }
    found
}

/// The part of the disallowed loss that went to a lot of another account or security.
fn matched_elsewhere(pair: &Pair<'_>, ledger: &Ledger) -> Money {
    let (account, symbol, _) = pair.key();
    let here = |lot: &crate::model::LotId| {
        ledger.events.iter().any(|event| {
            event.account == account
                && event.symbol == symbol
                && matches!(&event.kind, EventKind::Buy { lot: made, .. } if made == lot)
        })
    };
    let matches = pair.own.iter().flat_map(|(_, row)| &row.matches);
    matches.filter(|found| !here(&found.lot)).map(|found| found.disallowed).sum()
}
