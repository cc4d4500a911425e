//! What companies and funds announce: reports, dividends and splits.

use lotwise_core::Date;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, StandardUniform};

use super::{ActionConfig, Listing, ListingKind, SyntheticEarnings, SyntheticFundamentals};

/// Sessions between two dividends.
const DIVIDEND_INTERVAL: usize = 63;
/// Sessions from the announcement of a split to its ex-date.
const SPLIT_NOTICE: usize = 10;

/// The reports of one company.
#[derive(Debug, Clone)]
pub(super) struct Books {
    /// Session that reacts to the next report.
    next: usize,
    before_open: bool,
    price_to_earnings: f64,
    return_on_equity: f64,
    profit_margin: f64,
    revenue_growth: f64,
    debt_to_equity: f64,
    /// Earnings a share of the last four quarters, newest last.
    quarters: [f64; 4],
}

impl Books {
    /// The books of a company; `None` for a fund.
    pub(super) fn open(listing: &Listing, interval: usize, random: &mut ChaCha8Rng) -> Option<Self> {
        if !matches!(listing.kind, ListingKind::Company { .. }) {
            return None;
        }
        let offset: f64 = StandardUniform.sample(random);
        let morning: f64 = StandardUniform.sample(random);
        let mut normal = || -> f64 { StandardNormal.sample(random) };
        let quality = listing.quality;
        let price_to_earnings = (18.0 * (0.15 * quality + 0.2 * normal()).exp()).clamp(6.0, 60.0);
        Some(Self {
            next: ((offset * interval as f64) as usize).max(1),
            before_open: morning < 0.5,
            price_to_earnings,
            return_on_equity: (0.14 + 0.06 * quality + 0.02 * normal()).clamp(0.02, 0.6),
            profit_margin: (0.10 + 0.04 * quality + 0.02 * normal()).clamp(0.01, 0.45),
            revenue_growth: 0.06 + 0.03 * quality + 0.02 * normal(),
            debt_to_equity: (0.7 * (-0.4 * quality + 0.3 * normal()).exp()).min(5.0),
            quarters: [listing.start_price_usd / (4.0 * price_to_earnings); 4],
        })
    }

    /// Whether the session reacts to a report.
    pub(super) fn due(&self, session: usize) -> bool {
        session == self.next
    }

    /// Books a report: the estimate follows the last quarter and the price, the report misses or
    /// beats it by the surprise. Schedules the next one.
    pub(super) fn report(
        &mut self,
        listing: &Listing,
        at: &ReportDay<'_>,
        surprise: f64,
    ) -> (SyntheticEarnings, Option<SyntheticFundamentals>) {
        let fair = at.price / (4.0 * self.price_to_earnings);
        let eps_estimate = to_tenth_cents(0.85 * self.quarters[3] + 0.15 * fair);
        let reported_eps = to_tenth_cents(eps_estimate * (1.0 + 0.06 * surprise));
        self.quarters.rotate_left(1);
        self.quarters[3] = reported_eps;
        let announced = if self.before_open { at.session } else { at.session - 1 };
        self.next += at.interval;
        let earnings = SyntheticEarnings {
            symbol: listing.symbol.clone(),
            announced: at.sessions[announced],
            before_open: self.before_open,
            reaction: at.sessions[at.session],
            eps_estimate,
            reported_eps,
            surprise,
        };
        let eps_trailing: f64 = self.quarters.iter().sum();
        let fundamentals = at.sessions.get(announced + 1).map(|&available_at| SyntheticFundamentals {
            symbol: listing.symbol.clone(),
            available_at,
            eps_trailing,
            book_value_per_share: eps_trailing / self.return_on_equity,
            return_on_equity: self.return_on_equity,
            profit_margin: self.profit_margin,
            revenue_growth: self.revenue_growth,
            debt_to_equity: self.debt_to_equity,
            shares_outstanding: at.shares_outstanding,
            market_cap: at.price * at.shares_outstanding,
        });
        (earnings, fundamentals)
    }

    /// Restates the past per share after a split.
    pub(super) fn split(&mut self, ratio: f64) {
        for quarter in &mut self.quarters {
            *quarter /= ratio;
        }
    }
}

/// The day of a report.
pub(super) struct ReportDay<'a> {
    pub(super) sessions: &'a [Date],
    /// Session that reacts.
    pub(super) session: usize,
    pub(super) interval: usize,
    /// Close before the reaction.
    pub(super) price: f64,
    pub(super) shares_outstanding: f64,
}

/// Dividends and splits of one symbol.
#[derive(Debug, Clone)]
pub(super) struct Actions {
    next_dividend: usize,
    payments: usize,
    per_quarter: f64,
    scripted: Vec<(usize, f64)>,
    pending: Option<(usize, f64)>,
}

/// What takes effect at the start of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effective {
    /// Dollars a share before the split; 0 for none.
    pub(super) dividend: f64,
    /// New shares for one old share; 1 for none.
    pub(super) split: f64,
}

impl Actions {
    pub(super) fn new(listing: &Listing, sessions: &[Date], random: &mut ChaCha8Rng) -> Self {
        let offset: f64 = StandardUniform.sample(random);
        let mut scripted: Vec<(usize, f64)> = listing
            .splits
            .iter()
            .map(|split| (sessions.partition_point(|&session| session < split.ex_date), split.ratio))
            .filter(|&(session, _)| session > 0 && session < sessions.len())
            .collect();
        scripted.sort_by_key(|&(session, _)| session);
        scripted.dedup_by_key(|&mut (session, _)| session);
        let next_dividend = ((offset * DIVIDEND_INTERVAL as f64) as usize).max(1);
        Self { next_dividend, payments: 0, per_quarter: 0.0, scripted, pending: None }
    }

    /// What takes effect this session, given the last close. A dividend never falls on a split's day.
    pub(super) fn effective(&mut self, session: usize, last_close: f64, listing: &Listing) -> Effective {
        let mut split = 1.0;
        if self.scripted.first().is_some_and(|&(at, _)| at == session) {
            split = self.scripted.remove(0).1;
        } else if let Some((at, ratio)) = self.pending
            && at == session
        {
            split = ratio;
            self.pending = None;
        }
        if split != 1.0 {
            self.per_quarter = to_tenth_cents(self.per_quarter / split);
        }
        let mut dividend = 0.0;
        if session >= self.next_dividend && split == 1.0 {
            self.next_dividend = session + DIVIDEND_INTERVAL;
            if listing.dividend_yield_annual > 0.0 {
                // Boards look at the price once a year and keep the amount in between.
                if self.payments.is_multiple_of(4) {
                    self.per_quarter = to_cent(listing.dividend_yield_annual / 4.0 * last_close).max(0.01);
                }
                self.payments += 1;
                dividend = if self.per_quarter < 0.25 * last_close { self.per_quarter } else { 0.0 };
            }
        }
        Effective { dividend, split }
    }

    /// Announces a split when the price has left the range.
    pub(super) fn watch(&mut self, session: usize, close: f64, config: ActionConfig) {
        if self.pending.is_some() || self.scripted.iter().any(|&(at, _)| at <= session + SPLIT_NOTICE) {
            return;
        }
        if config.split_above_usd.is_some_and(|limit| close > f64::from(limit)) {
            self.pending = Some((session + SPLIT_NOTICE, 4.0));
        } else if config.merge_below_usd.is_some_and(|limit| close < f64::from(limit)) {
            self.pending = Some((session + SPLIT_NOTICE, 0.2));
        }
    }
}

fn to_cent(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

fn to_tenth_cents(amount: f64) -> f64 {
    (amount * 1000.0).round() / 1000.0
}
