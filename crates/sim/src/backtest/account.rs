//! Cash, holdings and lots of a run, in exact quantities.

use std::collections::BTreeMap;
use std::sync::Arc;

use lotwise_core::{AccountKind, Date, Money, Shares};
use lotwise_market::{AssetIdx, Split};
use lotwise_tax::{
    AccountIdx, At, Fault, IndexedBook, LotIdx, Method, Pick, Rules, SaleIdx, SymbolIdx, SymbolKind, Trade,
};

use super::config::Taxes;
use super::execute::NamedLots;
use crate::execution::TaxYear;

/// Part of a holding that was bought in one trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotView {
    /// Number of the lot in the book.
    pub lot: u32,
    /// Shares left of it.
    pub shares: Shares,
    /// What they cost, fee included, before any adjustment for wash sales.
    pub basis: Money,
    /// Trade date.
    pub acquired: Date,
}

/// What a strategy may know of its own account at the close of a session.
#[derive(Debug, Clone, Copy)]
pub struct AccountView<'a> {
    /// The session's date.
    pub date: Date,
    /// Cash and holdings at the close, before taxes that are owed, US dollars.
    pub value: f64,
    /// The market's assets, rising, to which `held` and `lots` belong.
    pub assets: &'a [AssetIdx],
    /// Shares held of each.
    pub held: &'a [Shares],
    /// Open lots of each, oldest first; empty unless [`super::Strategy::needs_lots`] and taxes are on.
    pub lots: &'a [Vec<LotView>],
    /// Closes as traded that day, US dollars, NaN without one.
    pub closes: &'a [f64],
    /// The book, in which assets are numbered by their position in `assets`; `None` unless
    /// [`super::Strategy::needs_lots`] and taxes are on.
    pub book: Option<&'a IndexedBook>,
    /// The tax year of the next day, US dollars; `None` where the book is.
    pub tax: Option<TaxYear>,
    /// What a trade costs without impact, a fraction of it.
    pub cost_rate: f64,
}

impl AccountView<'_> {
    /// Open lots of an asset.
    #[must_use]
    pub fn lots_of(&self, asset: AssetIdx) -> &[LotView] {
        let at = self.assets.binary_search(&asset).ok();
        at.and_then(|at| self.lots.get(at)).map_or(&[], Vec::as_slice)
    }

    /// Close of an asset as traded, US dollars.
    #[must_use]
    pub fn close_of(&self, asset: AssetIdx) -> Option<f64> {
        let at = self.assets.binary_search(&asset).ok()?;
        self.closes.get(at).copied().filter(|close| close.is_finite())
    }
}

/// The account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub cash: Money,
    pub held: Vec<Shares>,
    pub lots: Vec<Vec<LotView>>,
    /// Lots that the next sale of an asset takes, where they were named.
    named: NamedLots,
    book: Option<IndexedBook>,
    n_sales: u32,
    keeps_lots: bool,
}

/// Billionths of a share by which weights may miss the lots that they stand for.
const SALE_ROUNDING: i128 = 1_000_000;

/// The one account of the household.
pub(super) const OWN: AccountIdx = AccountIdx(0);

impl Account {
    pub fn new(cash: Money, n_assets: usize, taxes: &Taxes, method: Method, keeps_lots: bool) -> Self {
        let book = (*taxes != Taxes::None).then(|| {
            let rules = Rules { rates: taxes.marginal(), ..Rules::default() };
            let mut book = IndexedBook::new(&[(AccountKind::Taxable, method)], Arc::new(rules));
            for _ in 0..n_assets {
                book.add_symbol(SymbolKind::Stock, None);
            }
            book
        });
        let lots = if keeps_lots { vec![Vec::new(); n_assets] } else { Vec::new() };
        Self { cash, held: vec![Shares::ZERO; n_assets], lots, named: BTreeMap::new(), book, n_sales: 0, keeps_lots }
    }

    pub fn book(&self) -> Option<&IndexedBook> {
        self.book.as_ref()
    }

    pub fn permanently_disallowed(&self) -> Money {
        self.book.as_ref().map_or(Money::ZERO, IndexedBook::permanently_disallowed)
    }

    /// Names the lots of the next sales, by asset; forgets what was named before.
    pub fn name_lots(&mut self, lots: NamedLots) {
        self.named = lots;
    }

    /// Shares that a sale of about `shares` is of: those of the lots named, where rounding alone is
    /// between the two.
    pub fn rounded_sale(&self, asset: usize, shares: Shares) -> Shares {
        let Some(named) = self.named.get(&asset) else { return shares };
        let whole: Shares = named.iter().map(|(_, shares)| *shares).sum();
        let apart = (whole - shares).billionths().abs();
        if apart <= SALE_ROUNDING && whole <= self.held[asset] { whole } else { shares }
    }

    /// The named lots of a sale, as far as its shares go; `None` where they do not cover it.
    fn take_named(&mut self, asset: usize, shares: Shares) -> Option<Vec<(LotIdx, Shares)>> {
        let mut named = self.named.remove(&asset)?;
        let mut rest = shares;
        for (_, of_lot) in &mut named {
            *of_lot = (*of_lot).min(rest);
            rest -= *of_lot;
        }
        named.retain(|(_, shares)| shares.is_positive());
        rest.is_zero().then_some(named)
    }

    pub fn buy(&mut self, date: Date, asset: usize, trade: Trade) -> Result<(), Fault> {
        let Trade { shares, amount, fee } = trade;
        if let Some(book) = &mut self.book {
            let lot = book.buy(at(date, asset), trade)?;
            if self.keeps_lots {
                self.lots[asset].push(LotView { lot: lot.0, shares, basis: amount + fee, acquired: date });
            }
        }
        self.cash -= amount + fee;
        self.held[asset] += shares;
        Ok(())
    }

    pub fn sell(&mut self, date: Date, asset: usize, trade: Trade) -> Result<(), Fault> {
        let Trade { shares, amount, fee } = trade;
        let named = self.take_named(asset, shares);
        if let Some(book) = &mut self.book {
            let first = book.rows().len();
            let pick = named.as_ref().map_or(Pick::Standing, |named| Pick::Lots(named));
            book.sell(at(date, asset), SaleIdx(self.n_sales), trade, pick, None)?;
            self.n_sales += 1;
            if self.keeps_lots {
                let lots = &mut self.lots[asset];
                for row in &book.rows()[first..] {
                    if let Some(lot) = lots.iter_mut().find(|lot| lot.lot == row.lot.0) {
                        lot.basis -= lot.basis.portion(row.shares, lot.shares).unwrap_or(lot.basis);
                        lot.shares -= row.shares;
                    }
                }
                lots.retain(|lot| lot.shares.is_positive());
            }
        }
        self.cash += amount - fee;
        self.held[asset] -= shares;
        Ok(())
    }

    /// New shares for old ones. A holding too small to survive stays as it is.
    pub fn split(&mut self, date: Date, asset: usize, split: &Split) -> Result<(), Fault> {
        let Some(after) = split.apply(self.held[asset]).filter(|shares| shares.is_positive()) else { return Ok(()) };
        match &mut self.book {
            None => self.held[asset] = after,
            Some(book) => {
                book.split(at(date, asset), split.new, split.old)?;
                // The book rounds lot by lot; its sum is what can be sold.
                self.held[asset] = book.held(OWN, SymbolIdx(asset as u32));
                if self.keeps_lots {
                    for lot in &mut self.lots[asset] {
                        lot.shares = split.apply(lot.shares).unwrap_or(lot.shares);
                    }
                }
            }
        }
        Ok(())
    }
}

fn at(date: Date, asset: usize) -> At {
    At { date, account: OWN, symbol: SymbolIdx(asset as u32) }
}
