//! Yahoo's chart answer (version 8): its JSON shape, and what a price history makes of it.

use std::collections::BTreeMap;

use lotwise_core::{Calendar, Date, Instant, Price, Rate, RawBar, Symbol};
use serde::Deserialize;

use super::new_york::new_york_date;
use super::{Distribution, DistributionKind, FetchedSeries};

#[derive(Deserialize)]
struct Answer {
    chart: Chart,
}

#[derive(Deserialize)]
struct Chart {
    result: Option<Vec<ResultNode>>,
    error: Option<ErrorNode>,
}

#[derive(Deserialize)]
struct ErrorNode {
    #[serde(default)]
    code: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct ResultNode {
    meta: Meta,
    #[serde(default)]
    timestamp: Vec<i64>,
    #[serde(default)]
    events: Events,
    indicators: Indicators,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    currency: Option<String>,
    symbol: Option<String>,
    exchange_timezone_name: Option<String>,
    regular_market_time: Option<i64>,
    data_granularity: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Events {
    dividends: BTreeMap<String, Payment>,
    capital_gains: BTreeMap<String, Payment>,
    splits: BTreeMap<String, SplitNode>,
}

#[derive(Deserialize)]
struct Payment {
    amount: f64,
    date: i64,
}

#[derive(Deserialize)]
struct SplitNode {
    date: i64,
    numerator: f64,
    denominator: f64,
}

#[derive(Deserialize)]
struct Indicators {
    quote: Vec<Quote>,
    #[serde(default)]
    adjclose: Vec<AdjClose>,
}

type Column = Vec<Option<f64>>;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Quote {
    open: Column,
    high: Column,
    low: Column,
    close: Column,
    volume: Column,
}

#[derive(Deserialize)]
struct AdjClose {
    adjclose: Column,
}

/// What an answer can be other than a price history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChartFault {
    /// It stops in the middle.
    BrokenOff,
    /// It is something else.
    Nonsense(String),
    /// The provider says it has no such symbol.
    UnknownSymbol,
    /// The provider says it has nothing for the time.
    NoBars,
    /// Another currency or country.
    NotUnitedStates(String),
}

fn nonsense(what: impl Into<String>) -> ChartFault {
    ChartFault::Nonsense(what.into())
}

/// Reads an answer. Rows that are no bar are left out and named.
pub(super) fn read_chart(
    body: &[u8],
    provider: &str,
    symbol: &Symbol,
    calendar: &Calendar,
) -> Result<FetchedSeries, ChartFault> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() && !body.is_empty() { ChartFault::BrokenOff } else { nonsense(describe(body)) }
    })?;
    if let Some(error) = answer.chart.error {
        return Err(match error.code.as_str() {
            "Not Found" => ChartFault::UnknownSymbol,
            _ if error.description.contains("Data doesn't exist") => ChartFault::NoBars,
            _ => nonsense(clip(&format!("{}: {}", error.code, error.description))),
        });
    }
    let node = answer.chart.result.into_iter().flatten().next().ok_or_else(|| nonsense("an empty result"))?;
    check_meta(&node.meta, symbol)?;
    let (bars, skipped) = read_bars(&node, calendar)?;
    let quoted_at = match (node.meta.regular_market_time, node.timestamp.last()) {
        (Some(seconds), _) | (None, Some(&seconds)) => moment(seconds)?,
        (None, None) => return Err(ChartFault::NoBars),
    };
    if bars.is_empty() {
        return Err(ChartFault::NoBars);
    }
    let mut distributions = Vec::new();
    let payments = [
        (&node.events.dividends, DistributionKind::Dividend),
        (&node.events.capital_gains, DistributionKind::CapitalGain),
    ];
    for (payments, kind) in payments {
        for payment in payments.values() {
            let amount = Price::from_f64(significant(payment.amount)).filter(|amount| amount.is_positive());
            let amount = amount.ok_or_else(|| nonsense(format!("a distribution of {}", payment.amount)))?;
            distributions.push(Distribution { ex_date: day(payment.date)?, amount, kind });
        }
    }
    distributions.sort_by_key(|distribution| distribution.ex_date);
    let mut splits = Vec::new();
    for split in node.events.splits.values() {
        let ratio = Rate::from_f64(split.numerator / split.denominator).filter(|ratio| ratio.is_positive());
        let ratio =
            ratio.ok_or_else(|| nonsense(format!("a split of {} for {}", split.numerator, split.denominator)))?;
        splits.push((day(split.date)?, ratio));
    }
    splits.sort_by_key(|&(date, _)| date);
    Ok(FetchedSeries {
        symbol: symbol.clone(),
        provider: provider.to_owned(),
        bars,
        distributions,
        splits,
        quoted_at,
        skipped,
    })
}

fn check_meta(meta: &Meta, symbol: &Symbol) -> Result<(), ChartFault> {
    if let Some(answered) = meta.symbol.as_deref().filter(|answered| !answered.eq_ignore_ascii_case(symbol.as_str())) {
        return Err(nonsense(format!("prices of {}", clip(answered))));
    }
    if let Some(currency) = meta.currency.as_deref().filter(|&currency| currency != "USD") {
        return Err(ChartFault::NotUnitedStates(clip(currency)));
    }
    if let Some(zone) = meta.exchange_timezone_name.as_deref().filter(|zone| !zone.starts_with("America/")) {
        return Err(ChartFault::NotUnitedStates(clip(zone)));
    }
    if let Some(step) = meta.data_granularity.as_deref().filter(|&step| step != "1d") {
        return Err(nonsense(format!("bars of {} and not of a day", clip(step))));
    }
    Ok(())
}

type Rows = (Vec<RawBar>, Vec<(Date, String)>);

fn read_bars(node: &ResultNode, calendar: &Calendar) -> Result<Rows, ChartFault> {
    let count = node.timestamp.len();
    if count == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let quote = node.indicators.quote.first().ok_or_else(|| nonsense("no quotes"))?;
    let adjusted = &node.indicators.adjclose.first().ok_or_else(|| nonsense("no adjusted closes"))?.adjclose;
    let columns = [&quote.open, &quote.high, &quote.low, &quote.close, adjusted, &quote.volume];
    if columns.iter().any(|column| column.len() != count) {
        return Err(nonsense("columns of different lengths"));
    }
    // A live session may stand twice, as its own row and as the last quote: the later one counts.
    let mut bars: BTreeMap<Date, RawBar> = BTreeMap::new();
    let mut skipped = Vec::new();
    for (row, &seconds) in node.timestamp.iter().enumerate() {
        let date = day(seconds)?;
        let cells: Option<Vec<f64>> = columns.iter().map(|column| column[row]).collect();
        let Some(cells) = cells else {
            skipped.push((date, "a price or the volume is missing".to_owned()));
            continue;
        };
        let [open, high, low, close, adj_close] = [0, 1, 2, 3, 4].map(|column| significant(cells[column]));
        let bar = RawBar { date, open, high, low, close, adj_close, volume: cells[5] };
        match bar.check(calendar) {
            Ok(_) => drop(bars.insert(date, bar)),
            Err(fault) => skipped.push((date, fault.to_string())),
        }
    }
    Ok((bars.into_values().collect(), skipped))
}

fn moment(seconds: i64) -> Result<Instant, ChartFault> {
    seconds.checked_mul(1000).map(Instant).ok_or_else(|| nonsense(format!("a time of {seconds} seconds")))
}

fn day(seconds: i64) -> Result<Date, ChartFault> {
    new_york_date(moment(seconds)?).ok_or_else(|| nonsense(format!("a time of {seconds} seconds")))
}

/// Rounds to seven significant digits, all that the provider's 32-bit prices hold: 189.9499969…
/// is the 189.95 that was traded.
fn significant(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

/// What a body that is no JSON of ours looks like, for the message.
fn describe(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let start = text.trim_start();
    if start.is_empty() {
        "an empty body".to_owned()
    } else if start.starts_with('<') {
        "a web page".to_owned()
    } else if start.starts_with(['{', '[']) {
        "JSON of another shape".to_owned()
    } else {
        format!("the text {:?}", clip(start))
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO_DAYS: &str = r#"{"chart":{"result":[{"meta":{"currency":"USD","symbol":"AAA","exchangeTimezoneName":"America/New_York",
        "regularMarketTime":1719604801,"dataGranularity":"1d"},
        "timestamp":[1719495000,1719581400],
        "events":{"dividends":{"1719581400":{"amount":0.25,"date":1719581400}},
            "splits":{"1719495000":{"date":1719495000,"numerator":4.0,"denominator":1.0,"splitRatio":"4:1"}}},
        "indicators":{"quote":[{"open":[189.9499969482422,191.0],"high":[192.5,193.25],"low":[189.0,190.5],
            "close":[191.5,192.75],"volume":[1000,2000]}],"adjclose":[{"adjclose":[191.25,192.75]}]}}],"error":null}}"#;

    fn read(body: &str) -> Result<FetchedSeries, ChartFault> {
        read_chart(body.as_bytes(), "yahoo", &Symbol::parse("AAA").unwrap(), &Calendar::new_york())
    }

    #[test]
    fn an_answer_becomes_bars_and_events() {
        let series = read(TWO_DAYS).unwrap();
        assert_eq!(series.bars.len(), 2);
        assert_eq!((series.bars[0].date.to_string(), series.bars[0].open), ("2024-06-27".to_owned(), 189.95));
        assert_eq!((series.bars[1].close, series.bars[0].adj_close, series.bars[1].volume), (192.75, 191.25, 2000.0));
        assert_eq!(series.quoted_at, Instant(1_719_604_801_000));
        assert_eq!(series.splits, [(Date::parse("2024-06-27").unwrap(), Rate::parse("4").unwrap())]);
        assert_eq!(series.distributions[0].amount.to_string(), "0.25");
    }

    #[test]
    fn a_live_session_is_unfinished() {
        let calendar = Calendar::new_york();
        assert_eq!(read(TWO_DAYS).unwrap().unfinished(&calendar), None, "quoted at four");
        let live = read(&TWO_DAYS.replace("1719604801", "1719590000")).unwrap();
        assert_eq!(live.unfinished(&calendar), Date::parse("2024-06-28").ok());
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(start in 0_usize..700, length in 0_usize..20, noise in proptest::collection::vec(any::<u8>(), 0..20)) {
            let mut body = TWO_DAYS.as_bytes().to_vec();
            let start = start.min(body.len());
            let end = (start + length).min(body.len());
            body.splice(start..end, noise);
            if let Ok(series) = read_chart(&body, "yahoo", &Symbol::parse("AAA").unwrap(), &Calendar::new_york()) {
                prop_assert!(series.bars.iter().all(|bar| bar.fault().is_none()));
            }
        }
    }

    #[test]
    fn rows_that_are_no_bar_are_named_and_the_rest_kept() {
        for (from, to, why) in [
            ("[189.9499969482422,", "[null,", "a price or the volume is missing"),
            (r#""low":[189.0,"#, r#""low":[190.0,"#, "open or close lies outside low to high"),
            (r#""timestamp":[1719495000"#, r#""timestamp":[1719667800"#, "the exchange was closed on this date"),
            (r#""volume":[1000"#, r#""volume":[-1"#, "the volume is negative"),
        ] {
            let series = read(&TWO_DAYS.replace(from, to)).unwrap();
            assert_eq!(series.bars.len(), 1, "{why}");
            assert_eq!(series.skipped[0].1, why);
        }
    }

    #[test]
    fn the_later_of_two_rows_of_one_day_counts() {
        let series = read(&TWO_DAYS.replace("1719495000,1719581400]", "1719581400,1719604801]")).unwrap();
        assert_eq!(series.bars.len(), 1);
        assert_eq!(series.bars[0].close, 192.75);
    }

    #[test]
    fn answers_that_are_no_price_history_are_told_apart() {
        use ChartFault::{BrokenOff, NoBars, Nonsense, NotUnitedStates, UnknownSymbol};
        let error = |code: &str, text: &str| {
            format!(r#"{{"chart":{{"result":null,"error":{{"code":"{code}","description":"{text}"}}}}}}"#)
        };
        let cases = [
            (TWO_DAYS[..300].to_owned(), BrokenOff),
            (String::new(), Nonsense("an empty body".into())),
            ("<!DOCTYPE html><p>Sorry".into(), Nonsense("a web page".into())),
            ("Too Many Requests".into(), Nonsense("the text \"Too Many Requests\"".into())),
            (r#"{"finance":{}}"#.into(), Nonsense("JSON of another shape".into())),
            (error("Not Found", "No data found, symbol may be delisted"), UnknownSymbol),
            (error("Bad Request", "Data doesn't exist for startDate = 1"), NoBars),
            (error("Unauthorized", "Invalid Crumb"), Nonsense("Unauthorized: Invalid Crumb".into())),
            (TWO_DAYS.replace("USD", "EUR"), NotUnitedStates("EUR".into())),
            (TWO_DAYS.replace("America/New_York", "Asia/Tokyo"), NotUnitedStates("Asia/Tokyo".into())),
            (TWO_DAYS.replace("\"AAA\"", "\"BBB\""), Nonsense("prices of BBB".into())),
            (TWO_DAYS.replace("\"1d\"", "\"1mo\""), Nonsense("bars of 1mo and not of a day".into())),
            (TWO_DAYS.replace("[192.5,193.25]", "[192.5]"), Nonsense("columns of different lengths".into())),
            (TWO_DAYS.replace("\"denominator\":1.0", "\"denominator\":0"), Nonsense("a split of 4 for 0".into())),
            (TWO_DAYS.replace("1719581400]", "99999999999999]"), Nonsense("a time of 99999999999999 seconds".into())),
        ];
        for (body, expected) in cases {
            assert_eq!(read(&body).unwrap_err(), expected, "{}", clip(&body));
        }
    }
}
