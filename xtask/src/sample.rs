//! `cargo xtask sample`: writes the bundled sample, or checks that it is what would be written.
//!
//! Everything in it is invented: a seeded market with a known truth, and four people's records as
//! their brokers would have exported them.

mod book;
mod exports;
mod listings;
mod ofx;
mod people;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lotwise_core::{Date, Rate, Seed};
use lotwise_market::synthetic::SyntheticMarket;
use lotwise_market::{LoadOptions, Panel};

use crate::workspace;

/// Where the sample lies, from the root of the repository.
const FOLDER: &str = "crates/lotwise/sample";
const PRICES: &str = "prices.parquet";
/// Varies the fills inside each day's range.
const FILL_SEED: u64 = 2026;

/// Writes the sample, or with `check` fails when the committed files differ from what would be written.
///
/// # Errors
/// When a story does not fit the market, a file cannot be written, or the check finds a difference.
pub fn run(check: bool) -> Result<()> {
    let folder = workspace::root().join(FOLDER);
    let market = listings::market()?;
    let texts = texts(&market)?;
    let panel = Panel::from_groups(&rounded(&market));
    if check {
        return compare(&folder, &texts, &panel);
    }
    std::fs::create_dir_all(&folder)?;
    panel.write_parquet(folder.join(PRICES))?;
    for (name, text) in &texts {
        std::fs::write(folder.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    for (name, length) in sizes(&folder)? {
        println!("sample: {FOLDER}/{name}, {length} bytes");
    }
    Ok(())
}

/// Every text file of the sample by name.
fn texts(market: &SyntheticMarket) -> Result<BTreeMap<&'static str, String>> {
    let as_of = Date::parse(listings::AS_OF)?;
    let names = exports::Names::new(market.tickers.iter().map(|ticker| (ticker.symbol.clone(), ticker.name.clone())));
    let seed = Seed::new(FILL_SEED);
    let mut tickers = "ticker,name,gics_sector\n".to_owned();
    for ticker in &market.tickers {
        tickers += &format!("{},{},{}\n", ticker.symbol, ticker.name, ticker.gics_sector);
    }
    let mut actions = "date,ticker,dividend,split\n".to_owned();
    for action in &market.actions {
        let dividend = if action.dividend.is_zero() { String::new() } else { action.dividend.to_string() };
        let split = if action.split == Rate::ONE { String::new() } else { action.split.to_string() };
        actions += &format!("{},{},{dividend},{split}\n", action.ex_date, action.symbol);
    }
    Ok(BTreeMap::from([
        ("README.md", include_str!("sample/README.md").to_owned()),
        ("tickers.csv", tickers),
        ("corporate_actions.csv", actions),
        ("trader.csv", exports::schwab(&people::trader(market, seed)?, &names)?),
        ("longterm.csv", exports::fidelity(&people::longterm(market, seed)?, &names)?),
        ("loss.csv", exports::robinhood(&people::loss(market, seed)?, &names)?),
        ("retiree.ofx", ofx::statement(&people::retiree(market, seed)?, &names, market, as_of)?),
    ]))
}

/// The bars as the table keeps them: prices to four decimals.
fn rounded(market: &SyntheticMarket) -> Vec<(lotwise_core::Symbol, Vec<lotwise_core::RawBar>)> {
    let round = |price: f64| (price * 10_000.0).round() / 10_000.0;
    let mut groups = market.bars.clone();
    for bar in groups.iter_mut().flat_map(|(_, bars)| bars) {
        bar.open = round(bar.open);
        bar.high = round(bar.high);
        bar.low = round(bar.low);
        bar.close = round(bar.close);
        bar.adj_close = round(bar.adj_close);
    }
    groups
}

fn compare(folder: &Path, texts: &BTreeMap<&'static str, String>, panel: &Panel) -> Result<()> {
    let mut differing = Vec::new();
    for (name, text) in texts {
        if std::fs::read(folder.join(name)).ok().as_deref() != Some(text.as_bytes()) {
            differing.push(*name);
        }
    }
    // Another version of the compressor writes other bytes for the same table, so the content counts.
    let committed = Panel::load(folder.join(PRICES), &LoadOptions::default());
    if !committed.is_ok_and(|loaded| loaded.issues.is_empty() && same_bars(&loaded.panel, panel)) {
        differing.push(PRICES);
    }
    if !differing.is_empty() {
        bail!("{FOLDER}: {} differ from what `cargo xtask sample` writes; run it and commit", differing.join(", "));
    }
    println!("sample: {} files are what would be written", texts.len() + 1);
    Ok(())
}

fn same_bars(left: &Panel, right: &Panel) -> bool {
    left.symbols() == right.symbols()
        && left.sessions() == right.sessions()
        && left.assets().all(|asset| {
            left.full_mask(asset) == right.full_mask(asset)
                && lotwise_market::Field::ALL.into_iter().all(|field| {
                    let pairs = left.full_history(asset, field).iter().zip(right.full_history(asset, field));
                    pairs.into_iter().all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
                })
        })
}

fn sizes(folder: &Path) -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        sizes.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()));
    }
    sizes.sort();
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::book::{Book, Kind};
    use super::*;
    use lotwise_core::{Money, Shares};

    #[test]
    fn the_committed_sample_is_what_would_be_written() {
        run(true).unwrap();
    }

    #[test]
    fn every_record_could_have_happened_on_its_market() {
        let market = listings::market().unwrap();
        let seed = Seed::new(FILL_SEED);
        let people: [(&str, Book); 4] = [
            ("trader", people::trader(&market, seed).unwrap()),
            ("longterm", people::longterm(&market, seed).unwrap()),
            ("loss", people::loss(&market, seed).unwrap()),
            ("retiree", people::retiree(&market, seed).unwrap()),
        ];
        for (person, book) in people {
            assert!((30..=120).contains(&book.events.len()), "{person}: {} rows", book.events.len());
            let mut cash = Money::ZERO;
            let mut held: BTreeMap<_, Shares> = BTreeMap::new();
            for event in &book.events {
                cash += event.amount;
                assert!(!cash.is_negative(), "{person}: cash of {cash} on {}", event.date);
                let Some(symbol) = &event.symbol else { continue };
                let shares = held.entry(symbol.clone()).or_default();
                match event.kind {
                    Kind::Buy | Kind::Reinvest | Kind::Split => *shares += event.shares,
                    Kind::Sell => *shares -= event.shares,
                    _ => {}
                }
                assert!(!shares.is_negative(), "{person}: {shares} of {symbol} on {}", event.date);
                if matches!(event.kind, Kind::Buy | Kind::Sell | Kind::Reinvest) {
                    let (low, high) = market.raw_range(market.asset(symbol.as_str()).unwrap(), event.date).unwrap();
                    let price = event.price.to_f64();
                    assert!(
                        (low - 0.01..=high + 0.01).contains(&price),
                        "{person}: {symbol} at {price} on {}",
                        event.date
                    );
                }
            }
            held.retain(|_, shares| !shares.is_zero());
            let left = book.held.iter().filter(|(_, shares)| !shares.is_zero());
            assert_eq!((cash, held.iter().collect::<Vec<_>>()), (book.cash, left.collect()), "{person}");
        }
    }
}
