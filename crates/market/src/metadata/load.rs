//! The side tables of a dataset folder, each row with the date from which it may be used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lotwise_core::{Calendar, Date, Symbol};

use super::company::{Count, Shorted, Snapshot, Statement};
use super::events::{InsiderTrade, Report};
use super::{Dated, Sector, Timeline};
use crate::table::{Table, TextColumn};
use crate::{CorporateActions, Error, Tickers};

/// Everything beside the bars, each fact with the session from whose close on it is public.
///
/// Sectors are the exception: they are the latest known, since no history of them is at hand.
#[derive(Debug, Clone, Default)]
pub struct MetadataSource {
    /// Sector of each symbol.
    pub sectors: BTreeMap<Symbol, Sector>,
    /// Published ratios and market values.
    pub snapshots: Timeline<Snapshot>,
    /// Annual statements.
    pub statements: Timeline<Statement>,
    /// Share counts as filed, in the shares of the day they count.
    pub share_counts: Timeline<Count>,
    /// Shares sold short.
    pub short_interest: Timeline<Shorted>,
    /// Quarterly earnings reports.
    pub reports: Timeline<Report>,
    /// Insiders' purchases and sales on the open market.
    pub insider_trades: Timeline<InsiderTrade>,
    /// Implied volatility at the money, annual, a fraction.
    pub implied_vols: Timeline<f64>,
    /// New shares for one old share, from the ex-date on; spin-offs are not among them.
    pub splits: Timeline<f64>,
    /// Dividends a share in the split basis of the panel, US dollars, from the ex-date on.
    pub dividends: Timeline<f64>,
    /// Every day on which the table of corporate actions mentions a symbol: how one knows that it
    /// covers the symbol and is kept up.
    pub action_days: Timeline<()>,
    /// Closes of sector funds that the panel lacks, not adjusted for dividends, US dollars.
    pub fund_closes: Timeline<f64>,
}

/// A loaded source and what there was to load.
#[derive(Debug, Clone)]
pub struct MetadataLoad {
    /// The facts.
    pub source: MetadataSource,
    /// Rows read of each table that is there.
    pub read: BTreeMap<&'static str, usize>,
    /// Rows left out: symbol, date or value is missing or makes no sense, or the row says nothing that
    /// a field asks for (insiders' grants, exercises, taxes and gifts).
    pub skipped: BTreeMap<&'static str, usize>,
    /// Tables that are not there; their fields stay unavailable.
    pub absent: Vec<&'static str>,
}

const TICKERS: &str = "tickers";
const SNAPSHOTS: &str = "fundamentals_snapshots";
const ANNUAL: &str = "fundamentals_annual";
const FACTS: &str = "sec_company_facts";
const SHARES: &str = "shares_outstanding_pit";
const SHORT: &str = "short_interest";
const EARNINGS: &str = "earnings_surprises";
const INSIDERS: &str = "insider_transactions";
const IMPLIED: &str = "implied_vol_daily";
const ACTIONS: &str = "corporate_actions";
const FUNDS: &str = "sector_etf_extra_close";

impl MetadataSource {
    /// Reads every side table of a folder in the layout of the development data. A table is
    /// `NAME.parquet`, `NAME.csv` or either with a suffix (`NAME_2012_2016.parquet`); one that is absent leaves its fields unavailable.
    ///
    /// Publication lags (SPEC D-03), in sessions of the New York Stock Exchange: snapshots and
    /// filings one after their date; annual statements without a filing date on 1 May of the year
    /// after the fiscal year; short interest eight after settlement; insiders' trades two after the
    /// trade, since a Form 4 is due by then; earnings one after the report; implied volatility one
    /// after its day; splits and dividends on their ex-date.
    ///
    /// # Errors
    /// When a table that is there cannot be read or lacks a column.
    pub fn load(folder: impl AsRef<Path>) -> Result<MetadataLoad, Error> {
        let mut loader = Loader {
            folder: folder.as_ref().to_owned(),
            calendar: Calendar::new_york(),
            read: BTreeMap::new(),
            skipped: BTreeMap::new(),
            absent: Vec::new(),
        };
        std::fs::read_dir(&loader.folder).map_err(Error::io(&loader.folder))?;
        let mut source = Self { sectors: loader.sectors()?, ..Self::default() };
        source.snapshots = loader.snapshots()?;
        source.statements = loader.statements()?;
        source.share_counts = loader.share_counts()?;
        source.short_interest = loader.short_interest()?;
        source.reports = loader.reports()?;
        source.insider_trades = loader.insider_trades()?;
        source.implied_vols = loader.dated_values(IMPLIED, "implied_vol", 1)?;
        loader.actions(&mut source)?;
        source.fund_closes = loader.dated_values(FUNDS, "close", 0)?;
        Ok(MetadataLoad { source, read: loader.read, skipped: loader.skipped, absent: loader.absent })
    }

    /// The tables of a folder that market values are computed from ([`super::MetadataView::market_caps`]): published
    /// values, filed share counts and splits, those of them that are there.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn market_cap_tables(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, Error> {
        let found = [SNAPSHOTS, SHARES, ACTIONS].into_iter().map(|name| find(folder.as_ref(), name));
        found.filter_map(Result::transpose).collect()
    }

    /// The sector of a symbol; [`Sector::Unknown`] where it is not listed.
    #[must_use]
    pub fn sector(&self, symbol: &Symbol) -> Sector {
        self.sectors.get(symbol).copied().unwrap_or(Sector::Unknown)
    }
}

struct Loader {
    folder: PathBuf,
    calendar: Calendar,
    read: BTreeMap<&'static str, usize>,
    skipped: BTreeMap<&'static str, usize>,
    absent: Vec<&'static str>,
}

/// A table with the symbol of each row.
struct Sheet {
    table: Table,
    symbols: Vec<Option<Symbol>>,
}

impl Sheet {
    fn numbers<const N: usize>(&self, names: [&str; N]) -> Result<[Vec<f64>; N], Error> {
        let mut columns = std::array::from_fn(|_| Vec::new());
        for (column, name) in columns.iter_mut().zip(names) {
            *column = self.table.column_f64(name)?;
        }
        Ok(columns)
    }

    fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[TextColumn; N], Error> {
        let mut columns = std::array::from_fn(|_| TextColumn::default());
        for (column, name) in columns.iter_mut().zip(names) {
            *column = self.table.column_str(name)?;
        }
        Ok(columns)
    }
}

/// Where the table of a name lies in a folder; `None` where there is none.
fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>, Error> {
    for extension in ["parquet", "csv"] {
        let path = folder.join(format!("{name}.{extension}"));
        if path.is_file() {
            return Ok(Some(path));
        }
    }
    let mut longer = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        if file
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('_') && (rest.ends_with(".parquet") || rest.ends_with(".csv")))
        {
            longer.push(path);
        }
    }
    longer.sort();
    Ok(longer.into_iter().next())
}

/// Values of one report by concept and end of the period.
type Facts<'a> = BTreeMap<(&'a str, Date), f64>;

impl Loader {
    /// Opens a table and reads its tickers; `None` where the folder has none of that name.
    fn open(&mut self, name: &'static str) -> Result<Option<Sheet>, Error> {
        let Some(path) = find(&self.folder, name)? else {
            self.absent.push(name);
            return Ok(None);
        };
        let table = Table::open(path)?;
        let tickers = table.column_str("ticker")?;
        let parsed: Vec<Option<Symbol>> = tickers
            .distinct()
            .iter()
            // A dash alone stands for «no ticker» in filings.
            .map(|text| {
                Symbol::parse(text).ok().filter(|symbol| symbol.as_str().bytes().any(|b| b.is_ascii_alphabetic()))
            })
            .collect();
        let symbols = tickers.codes().iter().map(|&code| parsed.get(code? as usize)?.clone()).collect();
        self.read.insert(name, table.n_rows());
        Ok(Some(Sheet { table, symbols }))
    }

    fn after(&self, date: Date, sessions: i32) -> Option<Date> {
        self.calendar.shift(date, sessions)
    }

    /// Makes a timeline of the rows that hold together and counts the others.
    fn collect<T>(
        &mut self,
        name: &'static str,
        sheet: &Sheet,
        mut row: impl FnMut(&Self, usize) -> Option<Dated<T>>,
    ) -> Timeline<T> {
        let rows: Vec<(Symbol, Dated<T>)> = sheet
            .symbols
            .iter()
            .enumerate()
            .filter_map(|(at, symbol)| Some((symbol.clone()?, row(self, at)?)))
            .collect();
        self.skipped.insert(name, sheet.symbols.len() - rows.len());
        Timeline::from_rows(rows)
    }

    fn sectors(&mut self) -> Result<BTreeMap<Symbol, Sector>, Error> {
        let Some(path) = find(&self.folder, TICKERS)? else {
            self.absent.push(TICKERS);
            return Ok(BTreeMap::new());
        };
        let sectors: BTreeMap<Symbol, Sector> =
            Tickers::open(path)?.iter().map(|(symbol, ticker)| (symbol.clone(), ticker.sector)).collect();
        self.read.insert(TICKERS, sectors.len());
        Ok(sectors)
    }

    fn snapshots(&mut self) -> Result<Timeline<Snapshot>, Error> {
        let Some(sheet) = self.open(SNAPSHOTS)? else { return Ok(Timeline::default()) };
        let dates = sheet.table.column_date("snapshot_date")?;
        let [price, pe, yield_pct, eps, book, cap, sales, price_book] = sheet.numbers([
            "price",
            "pe",
            "dividend_yield_pct",
            "eps",
            "book_value_ps",
            "market_cap",
            "price_sales",
            "price_book",
        ])?;
        let some = |value: f64| Some(value).filter(|value| value.is_finite());
        Ok(self.collect(SNAPSHOTS, &sheet, |this, at| {
            let date = dates[at]?;
            let price = some(price[at]).filter(|&price| price > 0.0);
            let value = Snapshot {
                date,
                earnings_yield: match (some(eps[at]), price, some(pe[at])) {
                    (Some(eps), Some(price), _) => Some(eps / price),
                    (_, _, Some(pe)) if pe != 0.0 => Some(1.0 / pe),
                    _ => None,
                },
                book_yield: match (some(book[at]), price, some(price_book[at])) {
                    (Some(book), Some(price), _) => Some(book / price),
                    (_, _, Some(ratio)) if ratio > 0.0 => Some(1.0 / ratio),
                    _ => None,
                },
                price_to_sales: some(sales[at]).filter(|&ratio| ratio > 0.0),
                dividend_yield: some(yield_pct[at]).filter(|&percent| percent >= 0.0).map(|percent| percent / 100.0),
                // Most snapshots state billions; no listed company is worth less than a hundred thousand dollars
                // and none more than a hundred trillion.
                market_cap: some(cap[at]).filter(|&cap| cap > 0.0).map(|cap| if cap < 1e5 { cap * 1e9 } else { cap }),
            };
            Some(Dated { available_at: this.after(date, 1)?, value })
        }))
    }

    /// Annual statements of both tables.
    fn statements(&mut self) -> Result<Timeline<Statement>, Error> {
        let annual = self.annual()?;
        let filed = self.filed_facts()?;
        Ok(Timeline::from_rows(annual.iter().chain(filed.iter()).map(|(symbol, fact)| (symbol.clone(), *fact))))
    }

    fn annual(&mut self) -> Result<Timeline<Statement>, Error> {
        let Some(sheet) = self.open(ANNUAL)? else { return Ok(Timeline::default()) };
        let years = sheet.table.column_i64("fiscal_year")?;
        let [revenue, income, equity, long_debt, short_debt, eps, shares] = sheet.numbers([
            "total_revenue",
            "net_income",
            "total_equity",
            "long_term_debt",
            "short_term_debt_current_portion_of_long_term_debt",
            "earnings_per_share",
            "estimated_shares_outstanding",
        ])?;
        let mut rows: BTreeMap<(Symbol, i64), usize> = BTreeMap::new();
        for (at, symbol) in sheet.symbols.iter().enumerate() {
            if let (Some(symbol), Some(year)) = (symbol, years[at]) {
                rows.insert((symbol.clone(), year), at);
            }
        }
        let some = |value: f64| Some(value).filter(|value| value.is_finite());
        Ok(self.collect(ANNUAL, &sheet, |_, at| {
            let year = years[at]?;
            let before = rows.get(&(sheet.symbols[at].clone()?, year - 1)).copied();
            // Earnings a share of two years only compare when no split lies between them, which the
            // number of shares behind them shows.
            let same_shares = before.is_some_and(|before| (shares[at] / shares[before]).ln().abs() < 0.25);
            let value = Statement {
                revenue: some(revenue[at]).filter(|&revenue| revenue > 0.0),
                revenue_before: before.and_then(|before| some(revenue[before])).filter(|&revenue| revenue > 0.0),
                net_income: some(income[at]),
                equity: some(equity[at]).filter(|&equity| equity != 0.0),
                debt: some(long_debt[at]).map(|debt| debt + some(short_debt[at]).unwrap_or(0.0)),
                eps: some(eps[at]).filter(|_| same_shares),
                eps_before: before.filter(|_| same_shares).and_then(|before| some(eps[before])),
            };
            let available_at = Date::from_ymd(i32::try_from(year).ok()?.checked_add(1)?, 5, 1)?;
            Some(Dated { available_at, value })
        }))
    }

    /// One statement for each annual report: the latest fiscal year in it and the year before.
    fn filed_facts(&mut self) -> Result<Timeline<Statement>, Error> {
        let Some(sheet) = self.open(FACTS)? else { return Ok(Timeline::default()) };
        let [concepts, forms] = sheet.texts(["concept", "form"])?;
        let (starts, ends) = (sheet.table.column_date("start")?, sheet.table.column_date("end")?);
        let filed = sheet.table.column_date("filed")?;
        let [values] = sheet.numbers(["value"])?;
        let mut reports: BTreeMap<(Symbol, Date), Facts<'_>> = BTreeMap::new();
        let mut used = 0;
        for (at, symbol) in sheet.symbols.iter().enumerate() {
            let (Some(symbol), Some(concept), Some(end), Some(filed)) = (symbol, concepts.get(at), ends[at], filed[at])
            else {
                continue;
            };
            used += 1;
            let annual = starts[at].is_none_or(|start| (340..=390).contains(&end.days_since(start)));
            if forms.get(at) == Some("10-K") && annual && values[at].is_finite() {
                reports.entry((symbol.clone(), filed)).or_default().insert((concept, end), values[at]);
            }
        }
        self.skipped.insert(FACTS, sheet.symbols.len() - used);
        let rows = reports.into_iter().filter_map(|((symbol, filed), facts)| {
            let end = facts.keys().map(|&(_, end)| end).max()?;
            let now = |concept| facts.get(&(concept, end)).copied();
            let before = |concept| {
                let year_ago =
                    |&(name, at): &(&str, Date)| name == concept && (340..=390).contains(&end.days_since(at));
                facts.iter().rev().find(|(key, _)| year_ago(key)).map(|(_, &value)| value)
            };
            const SALES: [&str; 2] = ["Revenues", "RevenueFromContractWithCustomerExcludingAssessedTax"];
            let sales = SALES.into_iter().find(|&concept| now(concept).is_some());
            let value = Statement {
                revenue: sales.and_then(now).filter(|&revenue| revenue > 0.0),
                revenue_before: sales.and_then(before).filter(|&revenue| revenue > 0.0),
                net_income: now("NetIncomeLoss"),
                equity: now("StockholdersEquity").filter(|&equity| equity != 0.0),
                debt: now("LongTermDebt").or_else(|| now("LongTermDebtNoncurrent")),
                eps: now("EarningsPerShareDiluted"),
                eps_before: before("EarningsPerShareDiluted"),
            };
            Some((symbol, Dated { available_at: self.calendar.shift(filed, 1)?, value }))
        });
        Ok(Timeline::from_rows(rows.collect::<Vec<_>>()))
    }

    fn share_counts(&mut self) -> Result<Timeline<Count>, Error> {
        let Some(sheet) = self.open(SHARES)? else { return Ok(Timeline::default()) };
        let (ends, filed) = (sheet.table.column_date("end_date")?, sheet.table.column_date("filed_date")?);
        let [shares] = sheet.numbers(["shares_outstanding"])?;
        Ok(self.collect(SHARES, &sheet, |this, at| {
            let value = Count { date: ends[at]?, shares: shares[at] };
            (value.shares > 0.0 && value.shares.is_finite()).then_some(())?;
            Some(Dated { available_at: this.after(filed[at]?, 1)?, value })
        }))
    }

    fn short_interest(&mut self) -> Result<Timeline<Shorted>, Error> {
        let Some(sheet) = self.open(SHORT)? else { return Ok(Timeline::default()) };
        let settled = sheet.table.column_date("settlement_date")?;
        let [shares] = sheet.numbers(["short_shares"])?;
        Ok(self.collect(SHORT, &sheet, |this, at| {
            let value = Shorted { settled: settled[at]?, shares: shares[at] };
            (value.shares >= 0.0).then_some(())?;
            Some(Dated { available_at: this.after(value.settled, 8)?, value })
        }))
    }

    fn reports(&mut self) -> Result<Timeline<Report>, Error> {
        let Some(sheet) = self.open(EARNINGS)? else { return Ok(Timeline::default()) };
        let (announced, reactions) =
            (sheet.table.column_date("earnings_date")?, sheet.table.column_date("reaction_date")?);
        let [estimate, reported] = sheet.numbers(["eps_estimate", "reported_eps"])?;
        let some = |value: f64| Some(value).filter(|value| value.is_finite());
        Ok(self.collect(EARNINGS, &sheet, |this, at| {
            let value = Report { reaction: reactions[at]?, estimate: some(estimate[at]), reported: some(reported[at]) };
            Some(Dated { available_at: this.after(announced[at]?, 1)?.max(value.reaction), value })
        }))
    }

    fn insider_trades(&mut self) -> Result<Timeline<InsiderTrade>, Error> {
        let Some(sheet) = self.open(INSIDERS)? else { return Ok(Timeline::default()) };
        let dates = sheet.table.column_date("transaction_date")?;
        let [codes] = sheet.texts(["code"])?;
        let [shares, price] = sheet.numbers(["shares", "price"])?;
        Ok(self.collect(INSIDERS, &sheet, |this, at| {
            // Grants, exercises, taxes and gifts say nothing about what an insider thinks.
            let sign = match codes.get(at)? {
                "P" => 1.0,
                "S" => -1.0,
                _ => return None,
            };
            let dollars = shares[at] * price[at];
            (dollars > 0.0 && dollars.is_finite()).then_some(())?;
            let value = InsiderTrade { date: dates[at]?, dollars: sign * dollars };
            Some(Dated { available_at: this.after(value.date, 2)?, value })
        }))
    }

    /// A table of one positive value for each ticker and date.
    fn dated_values(&mut self, name: &'static str, column: &str, lag: i32) -> Result<Timeline<f64>, Error> {
        let Some(sheet) = self.open(name)? else { return Ok(Timeline::default()) };
        let dates = sheet.table.column_date("date")?;
        let [values] = sheet.numbers([column])?;
        Ok(self.collect(name, &sheet, |this, at| {
            (values[at] > 0.0 && values[at].is_finite()).then_some(())?;
            Some(Dated { available_at: this.after(dates[at]?, lag)?, value: values[at] })
        }))
    }

    fn actions(&mut self, source: &mut MetadataSource) -> Result<(), Error> {
        let Some(path) = find(&self.folder, ACTIONS)? else {
            self.absent.push(ACTIONS);
            return Ok(());
        };
        let actions = CorporateActions::open(path)?;
        let (mut splits, mut dividends, mut days) = (Vec::new(), Vec::new(), Vec::new());
        for symbol in actions.symbols() {
            for split in actions.splits(symbol) {
                let value = split.ratio().to_f64();
                splits.push((symbol.clone(), Dated { available_at: split.ex_date, value }));
                days.push((symbol.clone(), Dated { available_at: split.ex_date, value: () }));
            }
            for dividend in actions.dividends(symbol) {
                let value = dividend.per_share.to_f64();
                dividends.push((symbol.clone(), Dated { available_at: dividend.ex_date, value }));
                days.push((symbol.clone(), Dated { available_at: dividend.ex_date, value: () }));
            }
            for spinoff in actions.spinoff_like(symbol) {
                days.push((symbol.clone(), Dated { available_at: spinoff.ex_date, value: () }));
            }
        }
        self.read.insert(ACTIONS, days.len() + actions.issues().total() as usize);
        self.skipped.insert(ACTIONS, actions.issues().total() as usize);
        source.splits = Timeline::from_rows(splits);
        source.dividends = Timeline::from_rows(dividends);
        source.action_days = Timeline::from_rows(days);
        Ok(())
    }
}
