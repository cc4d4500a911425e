//! What an event has to satisfy before it is booked, and faults with their names.

use std::fmt::Display;

use lotwise_core::{Date, Money, OptionContract, OptionRight, Rate, Shares};

use super::index::{AccountIdx, Fault};
use super::lot::date_of;
use super::{Book, LARGEST_UNITS, largest_shares, settlement_date};
use crate::error::Error;
use crate::model::{Delivery, Event, EventKind, LotId, LotSelection, Method, SaleId, Scope, Way};

/// Roots of listed options on broad-based indices, which are section 1256 contracts.
const INDEX_ROOTS: [&str; 20] = [
    "SPX", "SPXW", "SPXPM", "XSP", "NANOS", "NDX", "NDXP", "XND", "NQX", "RUT", "RUTW", "MRUT", "DJX", "OEX", "XEO",
    "VIX", "VIXW", "MXEA", "MXEF", "RLG",
];

pub(super) fn is_index_root(root: &str) -> bool {
    INDEX_ROOTS.contains(&root)
}

/// The name of the order that an event is, or what it is where it has none.
pub(super) fn order_name(event: &Event) -> SaleId {
    match &event.kind {
        EventKind::Sell { sale, .. }
        | EventKind::ReturnOfCapital { sale, .. }
        | EventKind::Cover { sale, .. }
        | EventKind::Expire { sale, .. } => sale.clone(),
        EventKind::Exercise(Delivery { way: Way::Out { sale, .. }, .. })
        | EventKind::Assign(Delivery { way: Way::Out { sale, .. }, .. }) => sale.clone(),
        EventKind::Transfer { .. } => SaleId::new("transfer"),
        _ => SaleId::new("order"),
    }
}

/// What errors call an event.
fn label(event: &Event) -> String {
    match &event.kind {
        EventKind::Buy { lot, .. }
        | EventKind::Open { lot, .. }
        | EventKind::Gift { lot, .. }
        | EventKind::Inherit { lot, .. }
        | EventKind::ShortSell { lot, .. } => lot.to_string(),
        EventKind::Sell { sale, .. } | EventKind::Cover { sale, .. } | EventKind::ReturnOfCapital { sale, .. } => {
            sale.to_string()
        }
        _ => event.symbol.to_string(),
    }
}

/// Range checks of one event.
struct Quantities {
    date: Date,
}

impl Quantities {
    fn shares(&self, field: &'static str, of: &dyn Display, shares: Shares) -> Result<(), Error> {
        if !shares.is_positive() {
            return Err(Error::NotPositive { field, of: of.to_string(), date: self.date });
        }
        if shares > largest_shares() {
            return Err(Error::OutOfRange { field, of: of.to_string() });
        }
        Ok(())
    }

    fn money(&self, field: &'static str, of: &dyn Display, amount: Money) -> Result<(), Error> {
        if amount.is_negative() {
            return Err(Error::Negative { field, of: of.to_string(), date: self.date });
        }
        if amount > Money::from_whole(LARGEST_UNITS) {
            return Err(Error::OutOfRange { field, of: of.to_string() });
        }
        Ok(())
    }

    fn trade(&self, of: &dyn Display, shares: Shares, amount: Money, fee: Money) -> Result<(), Error> {
        self.shares("shares", of, shares)?;
        self.money("amount", of, amount)?;
        self.money("fee", of, fee)
    }

    fn not_later(&self, lot: &LotId, acquired: Option<Date>) -> Result<(), Error> {
        match acquired.filter(|acquired| *acquired > self.date) {
            Some(acquired) => Err(Error::AcquiredLater { lot: lot.clone(), acquired, date: self.date }),
            None => Ok(()),
        }
    }
}

impl Book {
    /// What every event has to satisfy, and its account.
    pub(super) fn check(&self, event: &Event) -> Result<AccountIdx, Error> {
        let date = event.date;
        let account = self.check_place(event)?;
        let check = Quantities { date };
        match &event.kind {
            EventKind::Buy { lot, shares, amount, fee } | EventKind::ShortSell { lot, shares, amount, fee } => {
                check.trade(lot, *shares, *amount, *fee)?;
                self.check_new(lot, date)?;
            }
            EventKind::Open { lot, shares, basis, acquired, .. } => {
                check.shares("shares", lot, *shares)?;
                check.money("basis", lot, basis.unwrap_or(Money::ZERO))?;
                self.check_new(lot, date)?;
                check.not_later(lot, *acquired)?;
            }
            EventKind::Gift { lot, shares, donor_basis, donor_acquired, value } => {
                check.shares("shares", lot, *shares)?;
                check.money("the donor's basis", lot, donor_basis.unwrap_or(Money::ZERO))?;
                check.money("value", lot, *value)?;
                self.check_new(lot, date)?;
                check.not_later(lot, *donor_acquired)?;
            }
            EventKind::Inherit { lot, shares, value, died } => {
                check.shares("shares", lot, *shares)?;
                check.money("value", lot, value.unwrap_or(Money::ZERO))?;
                self.check_new(lot, date)?;
                check.not_later(lot, *died)?;
            }
            EventKind::Sell { sale, shares, amount, fee, lots, identified } => {
                check.trade(sale, *shares, *amount, *fee)?;
                self.check_selection(event, account, lots)?;
                self.check_identified(event, account, sale, lots, *identified)?;
            }
            EventKind::Split { new, old } => {
                check.shares("new shares of the split", &event.symbol, *new)?;
                check.shares("old shares of the split", &event.symbol, *old)?;
            }
            EventKind::Remove { shares } => {
                check.shares("shares", &event.symbol, *shares)?;
                self.check_selection(event, account, &LotSelection::Standing)?;
            }
            EventKind::ReturnOfCapital { sale, amount } => check.money("amount", sale, *amount)?,
            EventKind::Transfer { to, shares, lots } => {
                check.shares("shares", &event.symbol, *shares)?;
                self.account(to, date)?;
                self.check_selection(event, account, lots)?;
            }
            EventKind::SpinOff { new, old, to_new, .. } => {
                check.shares("new shares of the spin-off", &event.symbol, *new)?;
                check.shares("old shares of the spin-off", &event.symbol, *old)?;
                if to_new.is_negative() || *to_new > Rate::ONE {
                    return Err(Error::OutOfRange { field: "the part of the basis that moves", of: label(event) });
                }
            }
            EventKind::Exchange { new, old, cash, scope, .. } => {
                check.shares("new shares of the exchange", &event.symbol, *new)?;
                check.shares("old shares of the exchange", &event.symbol, *old)?;
                if let Some(boot) = cash {
                    check.money("cash", &boot.sale, boot.cash)?;
                    check.money("value", &boot.sale, boot.value)?;
                    if *scope != Scope::Account {
                        let what = "cash of an exchange for several accounts at once";
                        return Err(Error::Unsupported { what, rule: "2.4" });
                    }
                }
            }
            EventKind::Cover { sale, shares, amount, fee, settled, .. } => {
                check.trade(sale, *shares, *amount, *fee)?;
                if settled.is_some_and(|settled| settled < date) {
                    return Err(Error::OutOfRange { field: "the settlement date", of: label(event) });
                }
            }
            EventKind::Exercise(delivery) => self.check_delivery(event, account, delivery, false)?,
            EventKind::Assign(delivery) => self.check_delivery(event, account, delivery, true)?,
            EventKind::Expire { contracts, .. } => check.shares("contracts", &event.symbol, *contracts)?,
        }
        Ok(account)
    }

    /// The account of an event, which is not before the last one.
    fn check_place(&self, event: &Event) -> Result<AccountIdx, Error> {
        let date = event.date;
        if date.days() < self.core.last {
            return Err(Error::OutOfOrder { date, last: date_of(self.core.last).unwrap_or(Date::MIN) });
        }
        self.account(&event.account, date)
    }

    /// What a purchase has to satisfy, and its account. Its lot gets its name.
    pub(super) fn enter_purchase(
        &mut self,
        event: &Event,
        lot: &LotId,
        (shares, amount, fee): (Shares, Money, Money),
    ) -> Result<AccountIdx, Error> {
        let account = self.check_place(event)?;
        Quantities { date: event.date }.trade(lot, shares, amount, fee)?;
        if self.lots.add(lot).is_none() {
            return Err(Error::DuplicateLot { lot: lot.clone(), date: event.date });
        }
        Ok(account)
    }

    fn check_delivery(
        &self,
        event: &Event,
        account: AccountIdx,
        delivery: &Delivery,
        written: bool,
    ) -> Result<(), Error> {
        let check = Quantities { date: event.date };
        check.shares("contracts", &event.symbol, delivery.contracts)?;
        check.trade(&event.symbol, delivery.shares, delivery.amount, delivery.fee)?;
        // A call brings shares to its holder and takes them from its writer; a put the other way.
        let comes_in = matches!(delivery.way, Way::In { .. });
        if let Ok(contract) = OptionContract::parse_occ(event.symbol.as_str()) {
            let expected = (contract.right == OptionRight::Call) != written;
            if expected != comes_in {
                let what = "a delivery of shares that goes the other way than the option says";
                return Err(Error::Unsupported { what, rule: "2.8" });
            }
        }
        match &delivery.way {
            Way::In { lot } => self.check_new(lot, event.date),
            Way::Out { lots, .. } => {
                let of_shares = Event { symbol: delivery.underlying.clone(), ..event.clone() };
                self.check_selection(&of_shares, account, lots)
            }
        }
    }

    /// Average basis needs shares that are marked for it (tax rule 2.2).
    fn check_selection(&self, event: &Event, account: AccountIdx, lots: &LotSelection) -> Result<(), Error> {
        if self.method_of(account, lots) != Some(Method::Average) {
            return Ok(());
        }
        let key = (event.account.clone(), event.symbol.clone());
        if self.rules.average_eligible.contains(&key) {
            return Ok(());
        }
        Err(Error::NotEligibleForAverage { account: key.0, symbol: key.1 })
    }

    /// The method of a selection; `None` for named lots.
    fn method_of(&self, account: AccountIdx, lots: &LotSelection) -> Option<Method> {
        match lots {
            LotSelection::Lots(_) => None,
            LotSelection::By(method) => Some(*method),
            LotSelection::Standing => Some(self.accounts[account.0 as usize].method),
        }
    }

    /// Identification counts until settlement (tax rule 2.2).
    fn check_identified(
        &self,
        event: &Event,
        account: AccountIdx,
        sale: &SaleId,
        lots: &LotSelection,
        identified: Option<Date>,
    ) -> Result<(), Error> {
        let Some(identified) = identified else { return Ok(()) };
        if matches!(self.method_of(account, lots), Some(Method::Fifo | Method::Average)) {
            return Ok(());
        }
        let option = OptionContract::parse_occ(event.symbol.as_str()).is_ok();
        let settled = settlement_date(event.date, option);
        if identified > settled {
            return Err(Error::LateIdentification { sale: sale.clone(), identified, settled });
        }
        Ok(())
    }

    fn check_new(&self, lot: &LotId, date: Date) -> Result<(), Error> {
        if self.lots.number(lot).is_some() {
            return Err(Error::DuplicateLot { lot: lot.clone(), date });
        }
        Ok(())
    }

    /// A fault with the names of the event.
    pub(super) fn named(&self, fault: Fault, event: &Event) -> Error {
        let Event { date, account, symbol, kind } = event;
        let (date, account, sale) = (*date, account.clone(), order_name(event));
        // Of a delivery the fault may be about the option or about the shares.
        let (symbol, wanted) = match kind {
            EventKind::Sell { shares, .. }
            | EventKind::Remove { shares }
            | EventKind::Transfer { shares, .. }
            | EventKind::Cover { shares, .. } => (symbol.clone(), *shares),
            EventKind::Expire { contracts, .. } => (symbol.clone(), *contracts),
            EventKind::Exercise(delivery) | EventKind::Assign(delivery) => {
                let of_contracts = match kind {
                    EventKind::Exercise(_) => self.held(&account, symbol) < delivery.contracts,
                    _ => self.owed(&account, symbol) < delivery.contracts,
                };
                if of_contracts {
                    (symbol.clone(), delivery.contracts)
                } else {
                    (delivery.underlying.clone(), delivery.shares)
                }
            }
            _ => (symbol.clone(), Shares::ZERO),
        };
        match fault {
            Fault::OutOfOrder { last } => Error::OutOfOrder { date, last },
            Fault::NotPositive => Error::NotPositive { field: "a quantity", of: label(event), date },
            Fault::OutOfRange => {
                let field = match kind {
                    EventKind::Split { .. } => "shares after the split",
                    _ => "a quantity",
                };
                Error::OutOfRange { field, of: label(event) }
            }
            Fault::InsufficientShares { held } => Error::InsufficientShares { account, symbol, date, held, wanted },
            Fault::InsufficientShort { owed } => Error::InsufficientShort { account, symbol, date, owed, wanted },
            Fault::InsufficientLot { lot, held, wanted } => {
                Error::InsufficientLot { lot: self.lots.name(lot.0).clone(), sale, held, wanted }
            }
            Fault::LotOfAnotherAccount { lot, held_in } => Error::LotOfAnotherAccount {
                lot: self.lots.name(lot.0).clone(),
                sale,
                account,
                held_in: self.accounts[held_in.0 as usize].id.clone(),
            },
            Fault::LotOfAnotherSymbol { lot, held } => Error::LotOfAnotherSymbol {
                lot: self.lots.name(lot.0).clone(),
                sale,
                symbol,
                held: self.symbols.name(held.0).clone(),
            },
            Fault::SelectionSum { named } => Error::SelectionSum { sale, sold: wanted, named },
            Fault::NothingHeld => Error::NothingHeld { account, symbol, date },
            Fault::AcrossKinds => {
                let to = match kind {
                    EventKind::Transfer { to, .. } => to.clone(),
                    _ => account.clone(),
                };
                Error::TransferAcrossKinds { from: account, to, symbol, date }
            }
            Fault::Unsupported { what, rule } => Error::Unsupported { what, rule },
        }
    }
}
