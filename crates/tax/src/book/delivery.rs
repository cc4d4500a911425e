//! Events of short sales and options: opened, covered, expired, exercised, assigned (tax rules 2.8
//! and 2.9).

use lotwise_core::{Date, Money, Shares};

use super::group::{Desk, Order};
use super::index::{At, Fault, LotIdx, Pick, SaleIdx, SymbolIdx, SymbolKind, Trade};
use super::indexed::{IndexedBook, fresh};
use super::lot::NONE;
use crate::model::{BasisSource, Method, RowKind};

impl IndexedBook {
    /// A short sale, or an option written (tax rules 2.8 and 2.9). Returns its short lot.
    ///
    /// # Errors
    /// As [`IndexedBook::buy`].
    pub fn short_sell(&mut self, at: At, trade: Trade) -> Result<LotIdx, Fault> {
        let day = self.begin(at, &[trade.shares], &[trade.amount, trade.fee])?;
        let proceeds = trade.amount - trade.fee;
        let option = self.symbols[at.symbol.0 as usize].kind;
        let mut order = self.order(at, day, SaleIdx(NONE), trade.shares, proceeds, RowKind::Cover);
        let stock = !matches!(option, SymbolKind::Option { .. });
        // Section 1091(e) is about short sales, which writing an option is not.
        order.washes &= stock;
        let index = self.group_of(at.symbol.0);
        let name = self.places.len() as u32;
        self.places.push((index, NONE));
        let desk = Desk { rules: &self.rules, accounts: &self.holders };
        let group = &mut self.groups[index as usize];
        group.turn_to(day);
        group.open_short(desk, &order, name, stock, &mut self.out);
        if let SymbolKind::Option { underlying, .. } = option {
            self.note_straddle(at, day, underlying);
        }
        self.end(day);
        Ok(LotIdx(name))
    }

    /// A purchase that closes short lots: the earliest, or those named. A loss counts on `settled`.
    ///
    /// # Errors
    /// As [`IndexedBook::buy`], and when the account owes fewer shares.
    pub fn cover(
        &mut self,
        at: At,
        sale: SaleIdx,
        trade: Trade,
        named: Option<&[(LotIdx, Shares)]>,
        settled: Date,
    ) -> Result<(), Fault> {
        let day = self.begin(at, &[trade.shares], &[trade.amount, trade.fee])?;
        let mut order = self.order(at, day, sale, trade.shares, trade.amount + trade.fee, RowKind::Cover);
        let stock = !matches!(self.symbols[at.symbol.0 as usize].kind, SymbolKind::Option { .. });
        order.washes &= stock;
        self.close(&order, named, stock, settled.days().max(day))?;
        self.end(day);
        Ok(())
    }

    fn close(
        &mut self,
        order: &Order,
        named: Option<&[(LotIdx, Shares)]>,
        stock: bool,
        settled: i32,
    ) -> Result<(), Fault> {
        let index = self.group_of(order.symbol);
        let desk = Desk { rules: &self.rules, accounts: &self.holders };
        let group = &mut self.groups[index as usize];
        let taken = group.take_shorts(order.account, order.symbol, order.shares, named)?;
        group.turn_to(order.day);
        group.close_shorts(desk, order, taken, stock, settled, &mut self.out);
        Ok(())
    }

    /// Options that lapse, held or written (tax rule 2.8).
    ///
    /// # Errors
    /// When the account has fewer contracts, or holds and wrote the same one.
    pub fn expire(&mut self, at: At, sale: SaleIdx, contracts: Shares) -> Result<(), Fault> {
        let day = self.begin(at, &[contracts], &[])?;
        let held = self.held(at.account, at.symbol);
        let owed = self.owed(at.account, at.symbol);
        let order = self.order(at, day, sale, contracts, Money::ZERO, RowKind::Expiry);
        match (held.is_positive(), owed.is_positive()) {
            (true, true) => {
                let what = "expiry of a contract that the account both holds and wrote";
                return Err(Fault::Unsupported { what, rule: "2.8" });
            }
            (false, true) => self.close(&Order { washes: false, ..order }, None, false, day)?,
            _ => self.dispose(order, Pick::By(Method::Fifo))?,
        }
        self.end(day);
        Ok(())
    }

    /// Premium of bought options that are exercised, which leave the book with their basis; `None`
    /// when that is unknown.
    fn use_up_held(&mut self, order: Order) -> Result<Option<Money>, Fault> {
        let order = self.pick(order, Pick::By(Method::Fifo))?;
        let index = self.group_of(order.symbol);
        let group = &mut self.groups[index as usize];
        group.take_all(&mut self.scratch);
        let mut premium = Some(Money::ZERO);
        for sold in &self.scratch.sold {
            premium = premium.zip(sold.piece.known_basis()).map(|(sum, basis)| sum + basis);
        }
        Ok(premium)
    }

    /// Shares come in by an option: a call exercised (`written` false) or a put assigned. The
    /// event's symbol is the option's. Returns the new lot.
    ///
    /// # Errors
    /// When the account has fewer contracts, or a put's premium exceeds what is paid for the shares.
    pub fn deliver_in(
        &mut self,
        at: At,
        contracts: Shares,
        written: bool,
        underlying: SymbolIdx,
        trade: Trade,
    ) -> Result<LotIdx, Fault> {
        let day = self.begin(at, &[contracts, trade.shares], &[trade.amount, trade.fee])?;
        let order = self.order(at, day, SaleIdx(NONE), contracts, Money::ZERO, RowKind::Sale);
        let paid = trade.amount + trade.fee;
        let premium = if written {
            let index = self.group_of(at.symbol.0);
            let group = &mut self.groups[index as usize];
            let before = group.clone();
            let taken = group.take_shorts(at.account.0, at.symbol.0, contracts, None)?;
            let premium: Money = taken.iter().map(|short| short.proceeds).sum();
            if premium > paid {
                *group = before;
                return Err(Fault::Unsupported { what: "a put whose premium exceeds its strike", rule: "2.8" });
            }
            Some(-premium)
        } else {
            self.use_up_held(order)?
        };
        let basis = premium.map(|premium| paid + premium);
        let target = At { symbol: underlying, ..at };
        let lot = self.acquire(target, day, fresh(trade.shares, basis, day), BasisSource::Purchase, true);
        self.end(day);
        Ok(lot)
    }

    /// Shares leave by an option: a put exercised (`written` false) or a call assigned. The event's
    /// symbol is the option's.
    ///
    /// # Errors
    /// When the account has fewer contracts or shares.
    #[expect(clippy::too_many_arguments, reason = "a delivery has two sides, each with its facts")]
    pub fn deliver_out(
        &mut self,
        at: At,
        sale: SaleIdx,
        contracts: Shares,
        written: bool,
        underlying: SymbolIdx,
        trade: Trade,
        pick: Pick<'_>,
    ) -> Result<(), Fault> {
        let day = self.begin(at, &[contracts, trade.shares], &[trade.amount, trade.fee])?;
        let target = At { symbol: underlying, ..at };
        let mut order = self.order(target, day, sale, trade.shares, trade.amount - trade.fee, RowKind::Sale);
        let option = self.group_of(at.symbol.0);
        // The contracts are used up first, since their premium is part of the price. They come back
        // when the shares are not there.
        let before = self.groups[option as usize].clone();
        if written {
            let group = &mut self.groups[option as usize];
            let taken = group.take_shorts(at.account.0, at.symbol.0, contracts, None)?;
            order.proceeds += taken.iter().map(|short| short.proceeds).sum();
        } else {
            let used = self.order(at, day, SaleIdx(NONE), contracts, Money::ZERO, RowKind::Sale);
            let Some(premium) = self.use_up_held(used)? else {
                self.groups[option as usize] = before;
                return Err(Fault::Unsupported { what: "exercise of a put of unknown basis", rule: "6.5" });
            };
            order.proceeds -= premium;
        }
        if let Err(fault) = self.dispose(order, pick) {
            self.groups[option as usize] = before;
            return Err(fault);
        }
        self.end(day);
        Ok(())
    }
}
