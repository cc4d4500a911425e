//! What a run leaves behind.

use lotwise_core::{Date, Money, Price, Shares};
use lotwise_market::AssetIdx;
use lotwise_tax::Carryover;

/// One session of a run, at its close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub date: Date,
    /// Cash.
    pub cash: Money,
    /// Cash and holdings at the close.
    pub value: Money,
    /// Tax accrued and not paid; negative for what losses will save.
    pub liability: Money,
    /// Costs of the session's trades.
    pub costs: Money,
    /// Taxes paid in the session; negative for a refund.
    pub tax_paid: Money,
    /// Bought and sold together.
    pub traded: Money,
    /// Assets held.
    pub n_held: u32,
    /// Value of the largest holding.
    pub largest: Money,
}

impl SessionRecord {
    /// Value after accrued taxes (SPEC E-11).
    #[must_use]
    pub fn after_tax(&self) -> Money {
        self.value - self.liability
    }
}

/// A trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeRecord {
    /// The session.
    pub date: Date,
    /// What.
    pub asset: AssetIdx,
    /// Shares, negative when sold.
    pub shares: Shares,
    /// Price as traded.
    pub price: Price,
    /// Cost.
    pub fee: Money,
}

/// A year's income and tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearRecord {
    /// The year.
    pub year: i32,
    /// Short-term result after wash sales.
    pub short: Money,
    /// Long-term result after wash sales.
    pub long: Money,
    /// Losses that wash sales deferred.
    pub disallowed: Money,
    /// Dividends.
    pub dividends: Money,
    /// Interest on cash.
    pub interest: Money,
    /// Tax of the year; negative for what losses save on other income.
    pub tax: Money,
    /// Losses left to the next year.
    pub carryover: Carryover,
    /// Whether it was paid during the run.
    pub paid: bool,
}

/// Something out of the ordinary that a reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub date: Date,
    /// What it is about, if it is about one asset.
    pub asset: Option<AssetIdx>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The symbol's prices end; the holding was paid out at the last one, less the stated loss.
    Ended {
        /// What was paid.
        paid: Money,
    },
    /// Holdings were sold to pay a tax.
    SoldForTax {
        /// What the sales brought.
        raised: Money,
    },
    /// A tax could not be paid in full.
    TaxUnpaid {
        /// What is missing.
        missing: Money,
    },
}

/// Values after the last session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalValues {
    /// Cash and holdings, taxes paid so far taken out and nothing accrued.
    pub value: Money,
    /// Less accrued taxes on realised gains: SPEC E-11.
    pub after_tax: Money,
    /// Everything sold at the last close with costs, and the tax of that paid too.
    pub liquidation: Money,
    /// Everything sold with costs and accrued taxes paid, with no tax on gains that were not
    /// realised: what heirs would have.
    pub step_up: Money,
}

/// A run from its first session to its last.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Name of the strategy.
    pub strategy: String,
    /// Cash at the start, which is there at the close before the first session of `sessions`.
    pub initial_cash: Money,
    /// The close of the first decision.
    pub start: Date,
    /// Sessions after it, rising.
    pub sessions: Vec<SessionRecord>,
    /// Trades in order; sales of a session come first.
    pub trades: Vec<TradeRecord>,
    /// Years, rising.
    pub years: Vec<YearRecord>,
    /// What was out of the ordinary, in order.
    pub events: Vec<Event>,
    /// Values at the end.
    pub finals: FinalValues,
    /// Weights at the last close, cash first, then the market's assets.
    pub last_weights: Vec<f64>,
    /// Losses that are gone for good.
    pub permanently_disallowed: Money,
}

impl Record {
    /// Dates of the sessions.
    #[must_use]
    pub fn dates(&self) -> Vec<Date> {
        self.sessions.iter().map(|session| session.date).collect()
    }

    /// Returns per session before costs and taxes: what was paid is added back.
    #[must_use]
    pub fn gross_returns(&self) -> Vec<f64> {
        self.returns(|session| session.value + session.tax_paid + session.costs, |session| session.value)
    }

    /// Returns per session after costs and before taxes.
    #[must_use]
    pub fn pre_tax_returns(&self) -> Vec<f64> {
        self.returns(|session| session.value + session.tax_paid, |session| session.value)
    }

    /// Returns per session after costs and accrued taxes.
    #[must_use]
    pub fn after_tax_returns(&self) -> Vec<f64> {
        self.returns(SessionRecord::after_tax, SessionRecord::after_tax)
    }

    fn returns(&self, after: impl Fn(&SessionRecord) -> Money, before: impl Fn(&SessionRecord) -> Money) -> Vec<f64> {
        let mut last = self.initial_cash;
        let each = |session: &SessionRecord| {
            let start = last.to_f64();
            last = before(session);
            // Nothing comes of nothing.
            if start > 0.0 { after(session).to_f64() / start - 1.0 } else { 0.0 }
        };
        self.sessions.iter().map(each).collect()
    }

    /// Share of the value in cash at the beginning of each session: at the close before it, which
    /// is one at the start.
    #[must_use]
    pub fn cash_shares(&self) -> Vec<f64> {
        let mut last = 1.0;
        let each = |session: &SessionRecord| {
            let now = share(session.cash, session.value);
            std::mem::replace(&mut last, now)
        };
        self.sessions.iter().map(each).collect()
    }

    /// Traded amount over the value at the close before, per session (SPEC E-08, two-sided).
    #[must_use]
    pub fn turnover(&self) -> Vec<f64> {
        let mut last = self.initial_cash;
        let each = |session: &SessionRecord| {
            let before = std::mem::replace(&mut last, session.value);
            share(session.traded, before)
        };
        self.sessions.iter().map(each).collect()
    }

    /// Costs of all trades.
    #[must_use]
    pub fn costs(&self) -> Money {
        self.sessions.iter().map(|session| session.costs).sum()
    }

    /// Tax of all years, paid or accrued.
    #[must_use]
    pub fn tax(&self) -> Money {
        self.years.iter().map(|year| year.tax).sum()
    }
}

fn share(part: Money, whole: Money) -> f64 {
    if whole.is_positive() { part.to_f64() / whole.to_f64() } else { 0.0 }
}
