//! Four invented people and what they did.

use anyhow::{Context, Result};
use lotwise_core::{Date, Money, Seed, Symbol};
use lotwise_market::synthetic::SyntheticMarket;

use super::book::{Book, Deed, Habits, Step, keep};

struct Story {
    steps: Vec<Step>,
}

impl Story {
    fn new() -> Self {
        Self { steps: Vec::new() }
    }

    fn step(&mut self, date: &str, deed: Deed) -> Result<&mut Self> {
        self.steps.push(Step { date: Date::parse(date)?, deed });
        Ok(self)
    }

    fn deposit(&mut self, date: &str, dollars: i64) -> Result<&mut Self> {
        self.step(date, Deed::Deposit(Money::from_whole(dollars)))
    }

    fn withdraw(&mut self, date: &str, dollars: i64) -> Result<&mut Self> {
        self.step(date, Deed::Withdraw(Money::from_whole(dollars)))
    }

    fn buy(&mut self, date: &str, symbol: &str, dollars: i64) -> Result<&mut Self> {
        self.step(date, Deed::Buy(Symbol::parse(symbol)?, dollars))
    }

    fn sell(&mut self, date: &str, symbol: &str, hundredths: i64) -> Result<&mut Self> {
        self.step(date, Deed::Sell(Symbol::parse(symbol)?, hundredths))
    }
}

fn symbols(texts: &[&str]) -> Result<Vec<Symbol>> {
    texts.iter().map(|text| Symbol::parse(text).with_context(|| format!("{text} is a symbol"))).collect()
}

/// Trades for about a month at a time: buys last fortnight's winners, is out again within weeks, and
/// has two fifths in one company. Some losses are washed by buying back too soon.
///
/// # Errors
/// When the story does not fit the market.
pub fn trader(market: &SyntheticMarket, seed: Seed) -> Result<Book> {
    const PICKS: [&str; 11] =
        ["VELDO", "KESTO", "GENVO", "QUILO", "DTNFJ", "WAVLO", "TELMO", "ORBEK", "HOLMR", "MINVO", "TRWEL"];
    let mut story = Story::new();
    story.deposit("2026-01-05", 65_000)?;
    let start = market.sessions.partition_point(|session| session.to_string().as_str() < "2026-01-08");
    let mut open: Vec<(usize, &str)> = Vec::new();
    for session in (start..market.sessions.len() - 2).step_by(3) {
        let day = market.sessions[session].to_string();
        // Holds for 12 to 21 sessions, by what came first.
        if let Some(at) = open.iter().position(|&(since, _)| session - since >= 15) {
            let (_, symbol) = open.remove(at);
            story.sell(&day, symbol, 100)?;
        }
        let risen = |symbol: &&str| -> f64 {
            let bars = market.asset(symbol).map(|asset| &market.bars[asset.0].1);
            bars.map_or(0.0, |bars| bars[session - 1].adj_close / bars[session - 11].adj_close)
        };
        let idle = PICKS.iter().filter(|symbol| open.iter().all(|(_, held)| held != *symbol));
        let best = idle.max_by(|left, right| risen(left).total_cmp(&risen(right)));
        if let Some(symbol) = best.filter(|_| open.len() < 5) {
            open.push((session, symbol));
            story.buy(&day, symbol, 6_500)?;
        }
    }
    story.deposit("2026-06-08", 15_000)?.buy("2026-06-09", "NIMBO", 22_000)?.buy("2026-06-11", "NIMBO", 11_000)?;
    let habits = Habits { share_decimals: 0, reinvest: Vec::new(), interest_bps: 5, interest_months: 1 };
    keep(market, &story.steps, &habits, seed.child("trader", 0))
}

/// Buys and holds: a big winner that has split, and lots that turn long-term in 25 days.
///
/// # Errors
/// When the story does not fit the market.
pub fn longterm(market: &SyntheticMarket, seed: Seed) -> Result<Book> {
    let mut story = Story::new();
    story.deposit("2023-03-13", 20_000)?;
    story.buy("2023-03-15", "BRDMK", 8_000)?.buy("2023-03-15", "NIMBO", 6_000)?.buy("2023-03-20", "MRVAL", 4_000)?;
    story.deposit("2023-09-11", 9_000)?.buy("2023-09-13", "DTNFJ", 5_000)?.buy("2023-09-13", "NIMBO", 4_000)?;
    story.deposit("2024-02-12", 8_000)?.buy("2024-02-14", "KALTH", 4_500)?.buy("2024-02-14", "LUMBO", 3_000)?;
    story.deposit("2024-08-12", 8_000)?.buy("2024-08-14", "QUILO", 4_000)?.buy("2024-08-14", "BRDMK", 4_000)?;
    story.sell("2024-12-12", "LUMBO", 100)?;
    story.deposit("2025-02-10", 9_000)?.buy("2025-02-12", "STVAN", 4_500)?.buy("2025-02-12", "VELDO", 4_500)?;
    story.deposit("2025-07-21", 24_000)?;
    story.buy("2025-07-24", "NIMBO", 9_000)?.buy("2025-07-24", "QUILO", 7_000)?.buy("2025-07-24", "DTNFJ", 6_000)?;
    story.deposit("2025-09-08", 9_000)?.buy("2025-09-10", "KALTH", 4_500)?.buy("2025-09-10", "ORBEK", 4_500)?;
    story.sell("2026-01-14", "NIMBO", 10)?;
    story.buy("2026-01-21", "RFTRE", 4_000)?.buy("2026-02-18", "GENVO", 3_500)?;
    story.deposit("2026-04-13", 6_000)?.buy("2026-04-15", "ORBEK", 3_000)?.buy("2026-04-15", "WAVLO", 3_000)?;
    let habits = Habits { share_decimals: 3, reinvest: symbols(&["BRDMK"])?, interest_bps: 260, interest_months: 6 };
    keep(market, &story.steps, &habits, seed.child("longterm", 0))
}

/// Sits on losses that could be harvested, has gains to set them against, and has just washed one
/// loss by buying back after ten days. A small purchase recurs every month.
///
/// # Errors
/// When the story does not fit the market.
pub fn loss(market: &SyntheticMarket, seed: Seed) -> Result<Book> {
    let mut story = Story::new();
    story.deposit("2025-01-13", 12_000)?.buy("2025-01-15", "NIMBO", 7_000)?.buy("2025-01-15", "TEKFU", 4_000)?;
    story.deposit("2025-08-11", 14_000)?.buy("2025-08-13", "GENVO", 6_000)?.buy("2025-08-20", "TELMO", 6_500)?;
    story.deposit("2025-10-06", 12_000)?.buy("2025-10-08", "VELDO", 5_000)?.buy("2025-10-15", "KESTO", 5_500)?;
    story.deposit("2025-12-08", 9_000)?.buy("2025-12-10", "TELMO", 3_500)?.buy("2025-12-17", "GENVO", 3_000)?;
    story.sell("2026-02-11", "NIMBO", 60)?.buy("2026-02-19", "QUILO", 5_000)?.buy("2026-03-05", "HOLMR", 4_000)?;
    story.sell("2026-06-10", "VELDO", 100)?.buy("2026-06-22", "VELDO", 2_000)?;
    for month in ["2025-02", "2025-03", "2025-04", "2025-05", "2025-06", "2025-07", "2025-08", "2025-09", "2025-10"] {
        story.deposit(&format!("{month}-03"), 150)?.buy(&format!("{month}-04"), "BRDMK", 150)?;
    }
    for month in ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"] {
        story.deposit(&format!("{month}-03"), 250)?.buy(&format!("{month}-04"), "BRDMK", 250)?;
    }
    let habits = Habits { share_decimals: 6, reinvest: Vec::new(), interest_bps: 100, interest_months: 3 };
    keep(market, &story.steps, &habits, seed.child("loss", 0))
}

/// Lives off a spread portfolio: bonds, dividends, a withdrawal each quarter, some cash.
///
/// # Errors
/// When the story does not fit the market.
pub fn retiree(market: &SyntheticMarket, seed: Seed) -> Result<Book> {
    let mut story = Story::new();
    story.deposit("2024-06-10", 520_000)?;
    let first = [
        ("BNDLO", 170_000),
        ("BRDMK", 75_000),
        ("DVMRK", 70_000),
        ("WIDEM", 45_000),
        ("HYDLE", 25_000),
        ("PANTL", 25_000),
        ("STVAN", 20_000),
        ("KALTH", 20_000),
        ("RFTRE", 20_000),
    ];
    for (symbol, dollars) in first {
        story.buy("2024-06-12", symbol, dollars)?;
    }
    for (day, dollars) in [
        ("2024-07-02", 6_000),
        ("2024-10-02", 6_000),
        ("2025-01-03", 6_500),
        ("2025-04-02", 6_500),
        ("2025-07-02", 6_500),
        ("2025-10-02", 6_500),
        ("2026-01-05", 7_000),
        ("2026-04-02", 7_000),
    ] {
        story.withdraw(day, dollars)?;
    }
    story.sell("2024-12-11", "BRDMK", 10)?.buy("2024-12-13", "BNDLO", 6_000)?;
    story.sell("2025-06-11", "WIDEM", 15)?.buy("2025-06-13", "TRWEL", 8_000)?;
    story.sell("2025-12-10", "BRDMK", 12)?.buy("2025-12-12", "BNDLO", 9_000)?;
    story.buy("2026-02-11", "LUMBO", 7_000)?;
    let habits = Habits { share_decimals: 0, reinvest: symbols(&["DVMRK"])?, interest_bps: 380, interest_months: 6 };
    keep(market, &story.steps, &habits, seed.child("retiree", 0))
}
