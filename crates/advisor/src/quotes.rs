//! Prices for the household's holdings, in the shares that the books count.
//!
//! Price tables are adjusted for splits, also for splits that lie after the date of a price; the
//! books hold the shares of their own day. The person's own trade prices show which splits a table
//! is adjusted for, and a jump that no split explains is a question.

use std::collections::BTreeMap;

use lotwise_core::{Date, Price, Rounding, Symbol, mul_div};
use lotwise_market::{AsOf, AssetIdx, Field};

use crate::books::{Books, KnownSplit, Ratio, TradePrice};
use crate::issue::{Issue, Severity};

/// A price older than this many days pauses every suggestion that depends on it.
pub const STALE_AFTER_DAYS: i32 = 7;
/// A stated price within this factor of the table's close is the same price basis: a day's range
/// and a limit order explain less, the smallest common split (5-for-4) more.
const SAME_BASIS_FACTOR: f64 = 1.2;
/// A factor this close to a common split's is taken for that split: a day's range explains the rest.
const SPLIT_FACTOR: f64 = 1.08;

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteSource {
    /// The price table.
    Table,
    /// A money-market fund held at one dollar (assumption).
    MoneyMarket,
}

/// The last price of a holding at the close of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Session of the price.
    pub date: Date,
    /// US dollars per share, in the shares of that date.
    pub price: Price,
    /// Where it comes from.
    pub source: QuoteSource,
    /// Position in the panel, where it comes from there.
    pub asset: Option<AssetIdx>,
    /// Older than [`STALE_AFTER_DAYS`] at the close of the books.
    pub stale: bool,
    /// The price basis is a question; the price is the proposed answer.
    pub questioned: bool,
}

impl Quote {
    /// Whether suggestions may rest on this price.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        !self.stale && !self.questioned
    }
}

/// Prices of `symbols` at the end of `market`, and what is wrong with the others.
///
/// `table_end` is the last session of the whole table, visible or not: splits after it cannot be
/// in the table unless the person's trades show that they are.
#[must_use]
pub fn quotes<'a>(
    books: &Books,
    symbols: impl IntoIterator<Item = &'a Symbol>,
    market: &AsOf<'_>,
    table_end: Date,
) -> (BTreeMap<Symbol, Quote>, Vec<Issue>) {
    let mut quotes = BTreeMap::new();
    let mut issues = Vec::new();
    let mut missing = Vec::new();
    for symbol in symbols {
        let trades = books.trade_prices.get(symbol).map_or(&[][..], Vec::as_slice);
        let Some(asset) = market.asset(symbol) else {
            if let Some(quote) = money_market(symbol, trades, books.as_of) {
                let text = format!("{symbol} is taken for a money-market fund at 1.00 a share");
                issues.push(Issue::new("money-market", Severity::Note, Some(symbol), text));
                quotes.insert(symbol.clone(), quote);
            } else {
                missing.push(symbol.clone());
            }
            continue;
        };
        let Some((date, close)) = market.last_price(asset) else {
            missing.push(symbol.clone());
            continue;
        };
        let splits = books.splits.get(symbol).map_or(&[][..], Vec::as_slice);
        let basis = Basis::infer(symbol, splits, trades, market, asset, table_end, &mut issues);
        let Some(price) = basis.unadjusted(close, date, splits) else { continue };
        let stale = books.as_of.days_since(date) > STALE_AFTER_DAYS;
        if stale {
            let text = format!(
                "the last price of {symbol} is of {}, {} days before {}; suggestions for it are paused",
                date,
                books.as_of.days_since(date),
                books.as_of
            );
            issues.push(Issue::new("stale-price", Severity::Warning, Some(symbol), text));
        }
        let questioned = basis.inferred.is_some();
        let quote = Quote { date, price, source: QuoteSource::Table, asset: Some(asset), stale, questioned };
        quotes.insert(symbol.clone(), quote);
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(Symbol::as_str).collect();
        let text = format!(
            "no price for {} of your holdings ({}); they are kept, shown and left out of value and suggestions",
            missing.len(),
            names.join(", ")
        );
        let symbol = if missing.len() == 1 { missing.first() } else { None };
        issues.push(Issue::new("no-price", Severity::Warning, symbol, text));
    }
    (quotes, issues)
}

/// Money-market funds have five letters ending in XX and trade at exactly one dollar.
fn money_market(symbol: &Symbol, trades: &[TradePrice], as_of: Date) -> Option<Quote> {
    let name = symbol.as_str();
    let one = Price::from_whole(1);
    let fits = name.len() == 5 && name.ends_with("XX") && !trades.is_empty();
    (fits && trades.iter().all(|trade| trade.price == one)).then_some(Quote {
        date: as_of,
        price: one,
        source: QuoteSource::MoneyMarket,
        asset: None,
        stale: false,
        questioned: false,
    })
}

/// Splits that companies make often enough to be recognised from prices alone, new for old.
const COMMON_SPLITS: [(i128, i128); 22] = [
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 1),
    (6, 1),
    (7, 1),
    (8, 1),
    (10, 1),
    (15, 1),
    (20, 1),
    (25, 1),
    (30, 1),
    (50, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 8),
    (1, 10),
    (1, 15),
    (1, 20),
    (1, 50),
];

/// Which splits a table is adjusted for.
struct Basis {
    /// All known splits up to this day.
    through: Date,
    /// The common split that would explain every one of them.
    inferred: Option<Ratio>,
}

impl Basis {
    fn infer(
        symbol: &Symbol,
        splits: &[KnownSplit],
        trades: &[TradePrice],
        market: &AsOf<'_>,
        asset: AssetIdx,
        table_end: Date,
        issues: &mut Vec<Issue>,
    ) -> Self {
        let evidence: Vec<(TradePrice, f64)> = trades
            .iter()
            .filter(|trade| trade.date <= market.date())
            .filter_map(|&trade| close_near(market, asset, trade.date).map(|close| (trade, close)))
            .collect();
        // Candidates: adjusted for every split known, then for ever fewer of the latest ones.
        let mut candidates: Vec<Date> = splits.iter().rev().map(|split| split.date).collect();
        candidates.insert(0, Date::MAX);
        candidates.push(Date::MIN);
        let fits = |through: Date| {
            let basis = Self { through, inferred: None };
            let explained = |&(trade, close): &(TradePrice, f64)| {
                let expected = close * basis.factor_after(trade.date, splits).to_f64();
                let ratio = trade.price.to_f64() / expected;
                (1.0 / SAME_BASIS_FACTOR..=SAME_BASIS_FACTOR).contains(&ratio)
            };
            evidence.iter().filter(|pair| explained(pair)).count()
        };
        let best = candidates
            .iter()
            .enumerate()
            .max_by_key(|&(position, &through)| (fits(through), std::cmp::Reverse(position)))
            .map_or(Date::MAX, |(_, &through)| through);
        let mut basis = Self { through: best, inferred: None };
        let unexplained: Vec<&(TradePrice, f64)> = evidence
            .iter()
            .filter(|(trade, close)| {
                let ratio = trade.price.to_f64() / (close * basis.factor_after(trade.date, splits).to_f64());
                !(1.0 / SAME_BASIS_FACTOR..=SAME_BASIS_FACTOR).contains(&ratio)
            })
            .collect();
        if let Some((trade, close)) = unexplained.first() {
            let expected = close * basis.factor_after(trade.date, splits).to_f64();
            let text = format!(
                "{symbol} traded at {} in your file on {}, the price table says {expected:.2}; no split in your file or \
                 in the corporate actions explains the factor {:.3} ({} of {} trades)",
                trade.price,
                trade.date,
                trade.price.to_f64() / expected,
                unexplained.len(),
                evidence.len()
            );
            let factors: Vec<f64> = unexplained
                .iter()
                .map(|(trade, close)| trade.price.to_f64() / (close * basis.factor_after(trade.date, splits).to_f64()))
                .collect();
            // Only if every trade stands a common split away from the table is the table in doubt;
            // an odd price is the trade's own.
            basis.inferred = if unexplained.len() == evidence.len() { common_split(&factors) } else { None };
            issues.push(match basis.inferred {
                Some(ratio) => {
                    let proposed = format!(
                        "the table is taken to be adjusted for a {ratio} split to come; {symbol} is valued so, and \
                         suggestions for it are paused"
                    );
                    Issue::new("price-jump", Severity::Question, Some(symbol), text).proposing(&proposed)
                }
                None => Issue::new("price-jump", Severity::Warning, Some(symbol), text),
            });
        }
        let undecided = splits.iter().any(|split| split.date > table_end)
            && !evidence.iter().any(|(trade, _)| trade.date <= table_end);
        if undecided {
            let text = format!(
                "{symbol} splits after the price table ends on {table_end}; whether its prices are already adjusted for \
                 that cannot be read from your trades"
            );
            let issue = Issue::new("split-basis", Severity::Question, Some(symbol), text);
            issues.push(issue.proposing("the table is adjusted for it"));
        }
        basis
    }

    /// New per old shares from `date` to the basis of the table.
    fn factor_after(&self, date: Date, splits: &[KnownSplit]) -> Ratio {
        splits
            .iter()
            .filter(|split| split.date > date && split.date <= self.through)
            .fold(Ratio::ONE, |factor, split| split.ratio.after(factor).unwrap_or(factor))
    }

    /// The price in shares of its own date. `None` beyond the range.
    fn unadjusted(&self, close: Price, date: Date, splits: &[KnownSplit]) -> Option<Price> {
        let known = self.factor_after(date, splits);
        let factor = self.inferred.and_then(|inferred| inferred.after(known)).unwrap_or(known);
        mul_div(close.billionths(), factor.new, factor.old, Rounding::HalfEven).map(Price::from_billionths)
    }
}

/// The common split that explains every factor within [`SPLIT_FACTOR`].
fn common_split(factors: &[f64]) -> Option<Ratio> {
    COMMON_SPLITS
        .iter()
        .filter_map(|&(new, old)| Ratio::new(new, old))
        .map(|ratio| {
            let worst = factors.iter().map(|factor| (factor / ratio.to_f64()).ln().abs()).fold(0.0, f64::max);
            (ratio, worst)
        })
        .filter(|(_, worst)| *worst < SPLIT_FACTOR.ln())
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(ratio, _)| ratio)
}

/// The close of the session on or shortly before `date`.
fn close_near(market: &AsOf<'_>, asset: AssetIdx, date: Date) -> Option<f64> {
    let end = market.sessions().partition_point(|&session| session <= date).checked_sub(1)?;
    let close = *market.column(asset, Field::Close).get(end)?;
    (date.days_since(market.sessions()[end]) <= 5 && close.is_finite() && close > 0.0).then_some(close)
}
