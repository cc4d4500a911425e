//! Splits, dividends and spin-offs by ex-date.
//!
//! A price table gives prices in the split basis of its last day. The raw price of an earlier day,
//! which a broker's file shows, is that price times every ratio with a later ex-date (SPEC D-02).

use std::collections::BTreeMap;
use std::path::Path;

use lotwise_core::{Date, Price, Rate, Rounding, Shares, Symbol, mul_div};

use crate::load::{DataIssue, IssueKind};
use crate::table::Table;
use crate::{Error, Issues};

/// Largest number of old shares in a ratio that counts as a split.
const MAX_OLD_SHARES: u32 = 100;
/// Distance between a ratio as written and a fraction with few old shares; tables often keep four decimals (0.3333).
const COARSE: f64 = 5e-5;
/// The same for a fraction with more old shares, which lie too close together for that.
const FINE: f64 = 1e-6;
/// Old shares up to which the coarse distance holds.
const FEW_OLD_SHARES: u32 = 10;
/// Within this distance of one a ratio is more often a small spin-off that happens to be a round
/// figure (1.025) than a split.
const NEAR_ONE: f64 = 0.099;

/// A split: holders own `new` shares for each `old` shares from the ex-date on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// First session on the new basis.
    pub ex_date: Date,
    /// Shares after.
    pub new: Shares,
    /// Shares before.
    pub old: Shares,
}

impl Split {
    /// What becomes of a holding; rounds half to even at the billionth of a share. `None` beyond
    /// the range.
    #[must_use]
    pub fn apply(&self, held: Shares) -> Option<Shares> {
        mul_div(held.billionths(), self.new.billionths(), self.old.billionths(), Rounding::HalfEven)
            .map(Shares::from_billionths)
    }

    /// New shares for one old share, rounded to billionths.
    #[must_use]
    pub fn ratio(&self) -> Rate {
        Rate::ratio(self.new.billionths(), self.old.billionths()).unwrap_or(Rate::ONE)
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-for-{}", self.new, self.old)
    }
}

/// A cash dividend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dividend {
    /// First session without the right to it.
    pub ex_date: Date,
    /// US dollars a share, in the split basis of the price table.
    pub per_share: Price,
}

/// A change of the price basis that is no split of a holding: the price was divided by an odd
/// ratio because shares of another company were handed out, or a split and a distribution fell on
/// one day. Shares and basis follow from the company's notice, not from this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpinoffLike {
    /// First session on the new basis.
    pub ex_date: Date,
    /// What earlier prices were divided by.
    pub ratio: Rate,
    /// The value handed out as the table states it, US dollars a share.
    pub distribution: Option<Price>,
}

#[derive(Debug, Clone, Default)]
struct SymbolActions {
    splits: Vec<Split>,
    dividends: Vec<Dividend>,
    spinoffs: Vec<SpinoffLike>,
}

/// One row of the table: ex-date, symbol, dividend a share and split ratio; what is zero, one, NaN
/// or negative is nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRow {
    /// First session on the new basis.
    pub ex_date: Date,
    /// The symbol.
    pub symbol: Symbol,
    /// US dollars a share, split-adjusted.
    pub dividend: f64,
    /// New for old shares.
    pub split: f64,
}

/// Everything that is known of splits and distributions; empty where no table is at hand.
#[derive(Debug, Clone, Default)]
pub struct CorporateActions {
    by_symbol: BTreeMap<Symbol, SymbolActions>,
    last_date: Option<Date>,
    issues: Issues,
}

impl CorporateActions {
    /// Reads a table with the columns `date` (the ex-date), `ticker`, `dividend` and `split`.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a column. Rows without symbol or date, or with a
    /// negative number, are left out and listed in [`CorporateActions::issues`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let table = Table::open(path)?;
        let (dates, tickers) = (table.column_date("date")?, table.column_str("ticker")?);
        let (dividends, splits) = (table.column_f64("dividend")?, table.column_f64("split")?);
        let mut issues = Issues::default();
        let mut rows = Vec::with_capacity(table.n_rows());
        for (row, ((date, ticker), (&dividend, &split))) in
            dates.iter().zip(tickers.iter()).zip(dividends.iter().zip(&splits)).enumerate()
        {
            let symbol = ticker.and_then(|text| Symbol::parse(text).ok());
            let problem = match (&symbol, date) {
                (None, _) => Some((IssueKind::BadSymbol, "the ticker is missing or not a symbol".to_owned())),
                (_, None) => Some((IssueKind::BadDate, "the ex-date is missing".to_owned())),
                _ if dividend < 0.0 || split < 0.0 || dividend.is_infinite() || split.is_infinite() => {
                    Some((IssueKind::BadNumber, format!("dividend {dividend}, split {split}")))
                }
                _ => None,
            };
            if let Some((kind, message)) = problem {
                issues.add(kind, || DataIssue {
                    file: path.to_owned(),
                    row: Some(row as u64 + 1),
                    symbol,
                    date: *date,
                    kind,
                    message,
                });
            } else if let (Some(symbol), Some(ex_date)) = (symbol, *date) {
                rows.push(ActionRow { ex_date, symbol, dividend, split });
            }
        }
        Ok(Self { issues, ..Self::from_rows(rows) })
    }

    /// Sorts rows out into splits, dividends and what resembles a spin-off.
    #[must_use]
    pub fn from_rows(rows: impl IntoIterator<Item = ActionRow>) -> Self {
        // A day's dividend and split may stand in two rows, and mean a spin-off only together.
        let mut days: BTreeMap<(Symbol, Date), (f64, f64)> = BTreeMap::new();
        for row in rows {
            let day = days.entry((row.symbol, row.ex_date)).or_insert((0.0, 1.0));
            if row.dividend.is_finite() && row.dividend > 0.0 {
                day.0 += row.dividend;
            }
            if row.split.is_finite() && row.split > 0.0 {
                day.1 *= row.split;
            }
        }
        let mut actions = Self { last_date: days.keys().map(|(_, date)| *date).max(), ..Self::default() };
        for ((symbol, ex_date), (dividend, split)) in days {
            let of_symbol = actions.by_symbol.entry(symbol).or_default();
            let per_share = Price::from_f64(dividend).filter(|price| price.is_positive());
            let changes_basis = (split - 1.0).abs() > 1e-9;
            match (changes_basis, per_share) {
                (false, None) => {}
                (false, Some(per_share)) => of_symbol.dividends.push(Dividend { ex_date, per_share }),
                (true, distribution) => match small_ratio(split).filter(|_| distribution.is_none()) {
                    Some((new, old)) => of_symbol.splits.push(Split {
                        ex_date,
                        new: Shares::from_whole(new.into()),
                        old: Shares::from_whole(old.into()),
                    }),
                    None => {
                        if let Some(ratio) = Rate::from_f64(split).filter(|ratio| ratio.is_positive()) {
                            of_symbol.spinoffs.push(SpinoffLike { ex_date, ratio, distribution });
                        }
                    }
                },
            }
        }
        actions
    }

    /// Splits of a symbol, rising by ex-date. What resembles a spin-off is not among them.
    #[must_use]
    pub fn splits(&self, symbol: &Symbol) -> &[Split] {
        self.by_symbol.get(symbol).map_or(&[], |actions| &actions.splits)
    }

    /// Cash dividends of a symbol, rising by ex-date.
    #[must_use]
    pub fn dividends(&self, symbol: &Symbol) -> &[Dividend] {
        self.by_symbol.get(symbol).map_or(&[], |actions| &actions.dividends)
    }

    /// Changes of the price basis that are never applied to a holding, rising by ex-date.
    #[must_use]
    pub fn spinoff_like(&self, symbol: &Symbol) -> &[SpinoffLike] {
        self.by_symbol.get(symbol).map_or(&[], |actions| &actions.spinoffs)
    }

    /// Whether the table knows the symbol at all; one that is absent may have split unseen.
    #[must_use]
    pub fn covers(&self, symbol: &Symbol) -> bool {
        self.by_symbol.contains_key(symbol)
    }

    /// Symbols with at least one entry, rising.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.by_symbol.keys()
    }

    /// The last ex-date of any symbol.
    #[must_use]
    pub fn last_date(&self) -> Option<Date> {
        self.last_date
    }

    /// Rows of the file that were left out.
    #[must_use]
    pub fn issues(&self) -> &Issues {
        &self.issues
    }

    /// What a price of `date` in the table's basis is multiplied with to give the price of that
    /// day: the product of all ratios with a later ex-date. Spin-offs count, since the sources
    /// divide earlier prices by their ratios too. `None` beyond the range.
    #[must_use]
    pub fn raw_factor(&self, symbol: &Symbol, date: Date) -> Option<Rate> {
        let (new, old) = self.splits(symbol).iter().filter(|split| split.ex_date > date).try_fold(
            (Rate::ONE.billionths(), 1_i128),
            |(new, old), split| {
                let (numerator, denominator) = (split.new.billionths(), split.old.billionths());
                let whole = Shares::from_whole(1).billionths();
                Some((new.checked_mul(numerator / whole)?, old.checked_mul(denominator / whole)?))
            },
        )?;
        let splits = mul_div(new, 1, old, Rounding::HalfEven)?;
        self.spinoff_like(symbol)
            .iter()
            .filter(|spinoff| spinoff.ex_date > date)
            .try_fold(splits, |factor, spinoff| {
                mul_div(factor, spinoff.ratio.billionths(), Rate::ONE.billionths(), Rounding::HalfEven)
            })
            .map(Rate::from_billionths)
    }

    /// The price of that day from a price in the table's basis. A price table keeps four decimals,
    /// so a price that was divided once is only known to the cent: it is rounded to the cent from
    /// one dollar on, and to four decimals below. `None` beyond the range.
    #[must_use]
    pub fn raw_price(&self, symbol: &Symbol, date: Date, adjusted: Price) -> Option<Price> {
        let factor = self.raw_factor(symbol, date)?;
        if factor == Rate::ONE {
            return Some(adjusted);
        }
        let raw = mul_div(adjusted.billionths(), factor.billionths(), Rate::ONE.billionths(), Rounding::HalfEven)
            .map(Price::from_billionths)?;
        let decimals = if raw >= Price::from_whole(1) { 2 } else { 4 };
        Some(raw.round(decimals, Rounding::HalfEven))
    }
}

/// The fraction of small whole numbers that a written ratio stands for, `None` for odd ratios.
fn small_ratio(ratio: f64) -> Option<(u32, u32)> {
    if !(0.0005..=10_000.0).contains(&ratio) || (ratio - 1.0).abs() < NEAR_ONE {
        return None;
    }
    // Continued fraction: each convergent is the best approximation with so small a denominator.
    let (mut before, mut last) = ((1_u64, 0_u64), (ratio.floor() as u64, 1_u64));
    let mut rest = ratio - ratio.floor();
    loop {
        let (new, old) = (u32::try_from(last.0).ok()?, u32::try_from(last.1).ok()?);
        if old > MAX_OLD_SHARES {
            return None;
        }
        let within = if old <= FEW_OLD_SHARES { COARSE } else { FINE };
        if new > 0 && (ratio - f64::from(new) / f64::from(old)).abs() <= within.min(ratio * 0.01) {
            return Some((new, old));
        }
        if rest < 1e-9 {
            return None;
        }
        let inverse = 1.0 / rest;
        let term = inverse.floor();
        rest = inverse - term;
        let term = term as u64;
        let next = (term.checked_mul(last.0)?.checked_add(before.0)?, term.checked_mul(last.1)?.checked_add(before.1)?);
        before = last;
        last = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(text: &str) -> Symbol {
        Symbol::parse(text).unwrap()
    }

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn actions(rows: &[(&str, &str, f64, f64)]) -> CorporateActions {
        CorporateActions::from_rows(rows.iter().map(|&(day, ticker, dividend, split)| ActionRow {
            ex_date: date(day),
            symbol: symbol(ticker),
            dividend,
            split,
        }))
    }

    #[test]
    fn written_ratios_become_exact_fractions_and_odd_ones_do_not() {
        for (ratio, expected) in [
            (2.0, (2, 1)),
            (1.5, (3, 2)),
            (7.0, (7, 1)),
            (0.1, (1, 10)),
            (0.05, (1, 20)),
            (0.01, (1, 100)),
            (0.3333, (1, 3)),
            (1.333_333, (4, 3)),
            (1.1, (11, 10)),
            (50.0, (50, 1)),
        ] {
            assert_eq!(small_ratio(ratio), Some(expected), "{ratio}");
        }
        for ratio in
            [1.226_693, 1.025, 1.05, 2.011_668, 2.002, 1.998, 1.289, 2.376, 0.955, 0.487_329, 0.0, 1e9, f64::NAN]
        {
            assert_eq!(small_ratio(ratio), None, "{ratio}");
        }
    }

    #[test]
    fn raw_prices_undo_every_later_ratio_and_no_earlier_one() {
        let table = actions(&[
            ("2020-08-31", "AAA", 0.0, 4.0),
            ("2014-06-09", "AAA", 0.0, 7.0),
            ("2016-02-04", "AAA", 0.52, 0.0),
            ("2024-04-01", "BBB", 0.0, 1.196),
            ("2022-01-03", "CCC", 0.0, 0.3333),
        ]);
        let raw = |ticker: &str, day: &str, price: &str| {
            table.raw_price(&symbol(ticker), date(day), Price::parse(price).unwrap()).unwrap().to_string()
        };
        assert_eq!(raw("AAA", "2014-06-06", "23.0561"), "645.57");
        assert_eq!(raw("AAA", "2014-06-09", "23.0561"), "92.22", "on its ex-date a split is done");
        assert_eq!(raw("AAA", "2020-08-31", "129.0437"), "129.0437");
        assert_eq!(raw("BBB", "2024-03-28", "88.6873"), "106.07", "spin-offs are in the prices too");
        assert_eq!(raw("CCC", "2021-12-31", "30"), "10.00");
        assert_eq!(raw("UNKNOWN", "2014-06-06", "30"), "30.00");
        assert_eq!(
            table.splits(&symbol("AAA")).iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["7-for-1", "4-for-1"]
        );
        assert_eq!(table.splits(&symbol("AAA"))[0].apply(Shares::parse("0.5").unwrap()), Shares::parse("3.5").ok());
        assert_eq!(table.dividends(&symbol("AAA")).len(), 1);
        assert!(table.splits(&symbol("BBB")).is_empty());
        assert_eq!(table.spinoff_like(&symbol("BBB"))[0].ratio, Rate::parse("1.196").unwrap());
    }

    #[test]
    fn a_dividend_and_a_split_on_one_day_are_left_to_a_person() {
        let table = actions(&[("2013-05-01", "AAA", 4.06, 0.0), ("2013-05-01", "AAA", 0.0, 0.5)]);
        assert!(table.splits(&symbol("AAA")).is_empty() && table.dividends(&symbol("AAA")).is_empty());
        let found = table.spinoff_like(&symbol("AAA"))[0];
        assert_eq!((found.ratio, found.distribution), (Rate::parse("0.5").unwrap(), Price::parse("4.06").ok()));
    }
}
