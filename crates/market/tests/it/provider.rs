//! Prices from a provider: what comes back, what is kept, and what happens when it fails.

use std::path::Path;
use std::time::Duration;

use lotwise_core::{Date, Instant, Seed, Symbol};
use lotwise_market::CorporateActions;
use lotwise_market::provider::{
    FetchSettings, Fetched, Fetcher, FolderProvider, Freshness, Network, Origin, PriceCache, PriceProvider,
    ProviderError, StaleReason, Yahoo, YahooConfig,
};
use lotwise_market::synthetic::{MarketConfig, Universe, generate};

use crate::replay::{JumpingPace, Replay, Reply, SetClock};

/// Friday 20 November 2026, 11:00 in New York: the exchange is open.
const FRIDAY_AT_ELEVEN: i64 = 1_795_190_400;

fn date(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).expect("a symbol")
}

fn friday() -> SetClock {
    SetClock::at(Instant(FRIDAY_AT_ELEVEN * 1000), date("2026-11-20"))
}

/// The shape of a chart answer: Thursday and a live Friday with its quote at `quoted` seconds.
fn chart(symbol: &str, quoted: i64, last_close: f64) -> String {
    let (thursday, live) = (1_795_098_600, FRIDAY_AT_ELEVEN);
    format!(
        r#"{{"chart":{{"result":[{{"meta":{{"currency":"USD","symbol":"{symbol}","exchangeName":"NMS",
        "fullExchangeName":"NasdaqGS","instrumentType":"EQUITY","firstTradeDate":345479400,"regularMarketTime":{quoted},
        "gmtoffset":-18000,"timezone":"EST","exchangeTimezoneName":"America/New_York","regularMarketPrice":{last_close},
        "priceHint":2,"dataGranularity":"1d","range":"","validRanges":["1d","5d","max"]}},
        "timestamp":[{thursday},{live}],
        "events":{{"dividends":{{"{thursday}":{{"amount":0.27,"date":{thursday}}}}}}},
        "indicators":{{"quote":[{{"volume":[41000000,12000000],"high":[231.5,{last_close}],"low":[228.25,228.0],
        "close":[230.25,{last_close}],"open":[229.0,230.0]}}],"adjclose":[{{"adjclose":[230.25,{last_close}]}}]}}}}],
        "error":null}}}}"#
    )
}

fn good(symbol: &str) -> Reply {
    Reply::ok(chart(symbol, FRIDAY_AT_ELEVEN, 232.5))
}

fn yahoo(server: &Replay) -> Yahoo {
    Yahoo::new(YahooConfig {
        base_url: server.base_url(),
        timeout: Duration::from_millis(400),
        max_body_bytes: 100_000,
        proxy_from_environment: false,
        ..YahooConfig::public()
    })
}

/// Everything a fetch needs, with a cache folder of its own.
struct Desk {
    server: Replay,
    clock: SetClock,
    pace: JumpingPace,
    folder: tempfile::TempDir,
}

impl Desk {
    fn with(replies: Vec<Reply>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { server: Replay::start(replies), clock: friday(), pace: JumpingPace::default(), folder }
    }

    fn fetch(&self, network: Network, name: &str, from: &str) -> Result<Fetched, ProviderError> {
        let provider = yahoo(&self.server);
        self.fetcher(&provider, network).fetch(&symbol(name), date(from))
    }

    fn fetcher<'a>(&'a self, provider: &'a dyn PriceProvider, network: Network) -> Fetcher<'a> {
        let cache = PriceCache::new(self.folder.path());
        Fetcher::new(provider, cache, &self.clock, &self.pace, FetchSettings::standard(network), Seed::new(1))
    }
}

#[test]
fn prices_are_asked_for_once_in_fifteen_minutes() {
    let desk = Desk::with(vec![good("AAA"), Reply::ok(chart("AAA", FRIDAY_AT_ELEVEN + 960, 233.0))]);
    let first = desk.fetch(Network::Online, "aaa", "2020-01-01").unwrap();
    assert_eq!(first.origin, Origin::Provider);
    assert_eq!(first.freshness, Freshness::Fresh { age: Duration::ZERO });
    let series = &first.prices.series;
    assert_eq!(series.bars.iter().map(|bar| bar.date.to_string()).collect::<Vec<_>>(), ["2026-11-19", "2026-11-20"]);
    assert_eq!((series.bars[1].close, series.bars[0].volume), (232.5, 41e6));
    assert_eq!((series.distributions.len(), series.quoted_at), (1, Instant(FRIDAY_AT_ELEVEN * 1000)));

    desk.clock.advance(15);
    let second = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    assert_eq!((second.origin, second.prices == first.prices), (Origin::Cache, true));
    assert_eq!(second.freshness, Freshness::Fresh { age: Duration::from_secs(900) });
    desk.clock.advance(1);
    let third = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    assert_eq!((third.origin, third.prices.series.bars[1].close), (Origin::Provider, 233.0));
    let requests = desk.server.requests();
    assert_eq!(requests.len(), 2);
    let wanted = "GET /v8/finance/chart/AAA?period1=1577836800&period2=1795219200&interval=1d\
                  &events=div%7Csplit%7CcapitalGains&includePrePost=false HTTP/1.1";
    assert_eq!(requests[0], wanted);
}

#[test]
fn each_kind_of_failure_is_told_apart_and_only_passing_ones_are_tried_again() {
    let half = chart("AAA", FRIDAY_AT_ELEVEN, 232.5)[..400].to_owned();
    let redirect = Reply::Answer { status: 302, headers: "Location: /elsewhere\r\n", body: String::new() };
    let patient = Reply::Answer { status: 429, headers: "Retry-After: 3600\r\n", body: "Too Many Requests".into() };
    let unknown = r#"{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}"#;
    let none =
        r#"{"chart":{"result":null,"error":{"code":"Bad Request","description":"Data doesn't exist for startDate"}}}"#;
    let cases = [
        (
            "429",
            Reply::status(429, "Too Many Requests"),
            4,
            "refuses more requests for now (AAA): try again in some minutes",
        ),
        ("429 for an hour", patient, 1, "try again in 3600 seconds"),
        ("500", Reply::status(500, "oops"), 4, "failed with status 500"),
        ("503", Reply::status(503, ""), 4, "failed with status 503"),
        ("half body", Reply::HalfBody { promised: 5_000, body: half.clone() }, 4, "broke off"),
        ("half chunks", Reply::HalfChunks { body: half.clone() }, 4, "broke off"),
        ("half JSON", Reply::ok(half), 4, "broke off"),
        ("hang-up", Reply::HangUp, 4, "broke off"),
        ("silence", Reply::Silence, 4, "did not answer for AAA within 1 seconds"),
        ("web page", Reply::ok("<html>We value your privacy</html>"), 1, "(a web page)"),
        ("binary", Reply::ok("\u{0}\u{1}\u{2}"), 1, "no price history"),
        ("nothing", Reply::ok(""), 1, "(an empty body)"),
        ("other symbol", good("BBB"), 1, "(prices of BBB)"),
        ("too long", Reply::ok("[".repeat(200_000)), 1, "more than 100000 bytes"),
        ("redirect", redirect, 1, "refused the request for AAA with status 302"),
        ("forbidden", Reply::status(403, "Forbidden"), 1, "refused the request for AAA with status 403"),
        ("unknown", Reply::status(404, unknown), 1, "knows no symbol AAA"),
        ("nothing then", Reply::status(400, none), 1, "has no prices of AAA from 2020-01-01 to 2026-11-20"),
    ];
    for (name, reply, attempts, message) in cases {
        let desk = Desk::with(vec![reply; 6]);
        let error = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap_err();
        let text = error.to_string();
        assert!(text.contains(message), "{name}: {text}");
        assert!(!text.ends_with('.') && !text.contains('\n'), "{name}: one sentence: {text}");
        assert_eq!(desk.server.requests().len(), attempts, "{name}");
        assert_eq!(PriceCache::new(desk.folder.path()).entries().unwrap(), [], "{name}: nothing is kept");
    }
}

#[test]
fn passing_failures_are_waited_out() {
    let busy = Reply::Answer { status: 429, headers: "Retry-After: 3\r\n", body: String::new() };
    let half = Reply::HalfBody { promised: 9_000, body: "{\"chart\"".into() };
    let desk = Desk::with(vec![busy, Reply::status(502, ""), half, good("AAA")]);
    let fetched = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    assert_eq!((fetched.origin, desk.server.requests().len()), (Origin::Provider, 4));
    let waits = desk.pace.waits();
    assert_eq!(waits[0], Duration::from_secs(3), "as the provider asked");
    assert!(waits[1..].iter().all(|wait| *wait <= Duration::from_secs(2)), "{waits:?}");
    let again = Desk::with(vec![Reply::status(500, ""), Reply::status(500, ""), good("AAA")]);
    let once_more = Desk::with(vec![Reply::status(500, ""), Reply::status(500, ""), good("AAA")]);
    again.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    once_more.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    assert_eq!(again.pace.waits(), once_more.pace.waits(), "the same seed waits equally long");
}

#[test]
fn requests_are_spaced() {
    let desk = Desk::with(vec![good("AAA"), good("BBB"), good("CCC")]);
    let provider = yahoo(&desk.server);
    let symbols = ["AAA", "BBB", "CCC"].map(symbol);
    let fetched = desk.fetcher(&provider, Network::Online).fetch_all(&symbols, date("2020-01-01"));
    assert!(fetched.iter().all(|(_, result)| result.is_ok()));
    assert_eq!(desk.pace.waits(), [Duration::from_millis(500); 2]);
}

#[test]
fn many_threads_that_want_one_symbol_make_one_request() {
    let desk = Desk::with(vec![good("AAA")]);
    let provider = yahoo(&desk.server);
    let fetcher = desk.fetcher(&provider, Network::Online);
    let wanted = symbol("AAA");
    let closes: Vec<f64> = std::thread::scope(|scope| {
        let ask = || fetcher.fetch(&wanted, date("2020-01-01")).unwrap().prices.series.bars[1].close;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(closes, [232.5; 8]);
    assert_eq!(desk.server.requests().len(), 1);
}

#[test]
fn offline_never_asks_and_says_how_old_the_prices_are() {
    let desk = Desk::with(vec![good("AAA")]);
    let missing = desk.fetch(Network::Offline, "AAA", "2020-01-01").unwrap_err();
    assert!(matches!(missing, ProviderError::NotCached { fault: None, .. }), "{missing}");
    assert!(missing.to_string().contains("run without --offline once"), "{missing}");
    desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    desk.clock.advance(10);
    let young = desk.fetch(Network::Offline, "AAA", "2021-01-01").unwrap();
    assert_eq!(young.freshness, Freshness::Fresh { age: Duration::from_secs(600) });
    desk.clock.advance(3 * 24 * 60);
    let old = desk.fetch(Network::Offline, "AAA", "2020-01-01").unwrap();
    let age = Duration::from_secs(600 + 3 * 86_400);
    assert_eq!(old.freshness, Freshness::Stale { age, reason: StaleReason::Offline });
    let earlier = desk.fetch(Network::Offline, "AAA", "2019-01-01").unwrap_err();
    assert!(matches!(earlier, ProviderError::NotCached { .. }), "{earlier}");
    assert_eq!(desk.server.requests().len(), 1);
}

#[test]
fn old_prices_come_back_marked_when_the_provider_fails() {
    let desk = Desk::with(vec![good("AAA"), Reply::status(403, "")]);
    desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    desk.clock.advance(60);
    let fetched = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    let Freshness::Stale { age, reason: StaleReason::ProviderFailed(error) } = fetched.freshness else {
        panic!("stale because of the provider: {:?}", fetched.freshness);
    };
    assert_eq!(age, Duration::from_secs(3600));
    assert!(error.to_string().contains("status 403"), "{error}");
}

#[test]
fn a_provider_that_is_behind_is_not_asked_over_and_over() {
    let behind = Reply::ok(chart("AAA", FRIDAY_AT_ELEVEN - 3600, 232.5));
    let desk = Desk::with(vec![behind.clone(), behind]);
    for expected in [1, 1] {
        let fetched = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
        let stale = Freshness::Stale { age: Duration::from_secs(3600), reason: StaleReason::ProviderIsBehind };
        assert_eq!((fetched.freshness, desk.server.requests().len()), (stale, expected));
    }
    desk.clock.advance(1);
    desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    assert_eq!(desk.server.requests().len(), 2);
}

#[test]
fn a_quote_from_the_future_is_not_fresh_for_ever() {
    let ahead = Reply::ok(chart("AAA", FRIDAY_AT_ELEVEN + 400 * 86_400, 232.5));
    let desk = Desk::with(vec![ahead, good("AAA")]);
    desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    desk.clock.advance(14);
    assert_eq!(desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap().origin, Origin::Cache);
    desk.clock.advance(2);
    assert_eq!(desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap().origin, Origin::Provider);
}

#[test]
fn an_earlier_start_is_fetched_and_the_longer_history_kept() {
    let desk = Desk::with(vec![good("AAA"), good("AAA")]);
    desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    let longer = desk.fetch(Network::Online, "AAA", "2010-01-01").unwrap();
    assert_eq!((longer.origin, longer.prices.asked_from), (Origin::Provider, date("2010-01-01")));
    assert_eq!(desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap().origin, Origin::Cache);
    assert_eq!(desk.server.requests().len(), 2);
}

#[test]
fn a_damaged_cache_file_is_named_and_fetched_again() {
    let desk = Desk::with(vec![good("AAA"), good("AAA")]);
    let file = PriceCache::new(desk.folder.path()).file(&symbol("AAA"));
    desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let offline = desk.fetch(Network::Offline, "AAA", "2020-01-01").unwrap_err();
    assert!(offline.to_string().contains("checksum does not match"), "{offline}");
    let fetched = desk.fetch(Network::Online, "AAA", "2020-01-01").unwrap();
    assert_eq!(fetched.origin, Origin::Provider);
    assert!(fetched.notes[0].contains("prices-AAA.txt are unusable"), "{:?}", fetched.notes);
    assert_eq!(std::fs::read(&file).unwrap(), whole, "and the file is whole again");
}

#[test]
fn a_cache_that_cannot_be_written_costs_a_note_and_no_prices() {
    let desk = Desk::with(vec![good("AAA")]);
    let provider = yahoo(&desk.server);
    let file = desk.folder.path().join("a file");
    std::fs::write(&file, "in the way").unwrap();
    let settings = FetchSettings::standard(Network::Online);
    let fetcher = Fetcher::new(&provider, PriceCache::new(file), &desk.clock, &desk.pace, settings, Seed::new(1));
    let fetched = fetcher.fetch(&symbol("AAA"), date("2020-01-01")).unwrap();
    assert_eq!(fetched.prices.series.bars.len(), 2);
    assert!(fetched.notes.iter().any(|note| note.contains("could not be kept for later")), "{:?}", fetched.notes);
}

#[test]
fn without_a_network_one_sentence_says_what_to_do() {
    let closed = Replay::start(Vec::new());
    let url = closed.base_url();
    drop(closed);
    for base_url in [url, "http://nowhere.invalid".to_owned()] {
        let config = YahooConfig { base_url, proxy_from_environment: false, ..YahooConfig::public() };
        let error = Yahoo::new(config).daily(&symbol("AAA"), date("2020-01-01"), date("2020-02-01")).unwrap_err();
        assert!(matches!(error, ProviderError::NoConnection { .. }), "{error:?}");
        assert!(!error.passes());
        let text = error.to_string();
        assert!(text.starts_with("no connection to ") && text.contains("--offline") && text.contains("--prices PATH"));
    }
}

/// Writes a market as a folder in the layout of a price table.
fn write_folder(folder: &Path) -> Vec<lotwise_core::RawBar> {
    let config = MarketConfig::null(Universe::Invented { n_symbols: 3 }, date("2020-01-01"), 300);
    let market = generate(&config, Seed::new(6)).expect("a folder that can be written");
    let mut prices = "date,ticker,open,high,low,close,adj_close,volume\n".to_owned();
    for (symbol, bars) in &market.bars {
        for bar in bars {
            let lotwise_core::RawBar { date, open, high, low, close, adj_close, volume } = bar;
            prices += &format!("{date},{symbol},{open},{high},{low},{close},{adj_close},{volume}\n");
        }
    }
    std::fs::write(folder.join("prices.csv"), prices).expect("a folder that can be written");
    let actions = "date,ticker,dividend,split\n2020-05-04,S0002,0.5,\n2020-06-01,S0002,,2\n2020-06-02,S0001,0.1,1\n";
    std::fs::write(folder.join("corporate_actions.csv"), actions).expect("a folder that can be written");
    market.bars[1].1.clone()
}

#[test]
fn a_folder_in_the_layout_of_a_price_table_is_a_provider_too() {
    let folder = tempfile::tempdir().unwrap();
    let bars = write_folder(folder.path());
    let provider = FolderProvider::new(folder.path());
    let series = provider.daily(&symbol("S0002"), date("2020-02-03"), date("2020-12-31")).unwrap();
    let wanted: Vec<_> =
        bars.iter().filter(|bar| (date("2020-02-03")..=date("2020-12-31")).contains(&bar.date)).collect();
    assert_eq!(series.bars.iter().collect::<Vec<_>>(), wanted);
    assert_eq!(series.splits.len(), 1);
    assert_eq!(series.distributions[0].amount.to_string(), "0.50");
    let actions = CorporateActions::from_rows(series.action_rows());
    assert_eq!((actions.splits(&series.symbol).len(), actions.dividends(&series.symbol).len()), (1, 1));
    assert_eq!(series.quoted_at, Instant(1_609_448_400_000), "the close of 31 December 2020");
    let unknown = provider.daily(&symbol("NONE"), date("2020-01-01"), date("2020-12-31")).unwrap_err();
    assert!(matches!(unknown, ProviderError::NoBars { .. }), "{unknown}");
    let missing = FolderProvider::new(folder.path().join("nowhere"));
    let error = missing.daily(&symbol("S0001"), date("2020-01-01"), date("2020-12-31")).unwrap_err();
    assert!(matches!(error, ProviderError::LocalFile { .. }), "{error}");

    let desk = Desk::with(Vec::new());
    let fetched = desk.fetcher(&provider, Network::Online).fetch(&symbol("S0001"), date("2020-02-03")).unwrap();
    assert_eq!(fetched.prices.series.bars.len(), 279);
    assert!(matches!(fetched.freshness, Freshness::Stale { reason: StaleReason::ProviderIsBehind, .. }));
}
