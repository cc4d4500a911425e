#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use lotwise_core::{Date, Seed, Symbol};
use lotwise_market::metadata::{
    Count, Dated, InsiderTrade, METADATA_BLOCKS, METADATA_FIELDS, METADATA_NAMES, Metadata, MetadataSource,
    MetadataView, Report, Shorted, Snapshot, Statement, Timeline, availability, metadata_at,
};
use lotwise_market::{AssetIdx, Error, Field, Panel, Sector, SessionIdx};
use proptest::prelude::*;
use rand_distr::{Distribution, StandardUniform};

use crate::random_panel::{Recipe, groups, panel, with_another_future};

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn field(name: &str) -> usize {
    METADATA_NAMES.iter().position(|&other| other == name).unwrap()
}

/// Two years and a half of gapless bars of `S000` to `S003` from 2012-01-03.
fn bars() -> Panel {
    panel(&Recipe { seed: 11, n_assets: 4, n_sessions: 640, gaps: 0.0 })
}

fn folder(tables: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in tables {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load(tables: &[(&str, &str)]) -> MetadataSource {
    MetadataSource::load(folder(tables).path()).unwrap().source
}

/// One field of `S000` at the close of a day.
fn at(panel: &Panel, source: &MetadataSource, date: &str, name: &str) -> Option<f32> {
    metadata_at(&panel.as_of(day(date)).unwrap(), AssetIdx(0), source).get(field(name))
}

fn assert_near(got: Option<f32>, expected: f64, what: &str) {
    let got = got.unwrap_or_else(|| panic!("{what} is not available"));
    assert!((f64::from(got) - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{what}: {got} for {expected}");
}

const TICKERS: (&str, &str) = (
    "tickers.csv",
    "ticker,name,gics_sector,gics_sub_industry\nS000,A,Materials,x\nS001,B,Health Care,x\nS002,C,ETF,x\nXLK,D,ETF,x\n",
);
const SNAPSHOTS: &str = "snapshot_date,ticker,price,pe,dividend_yield_pct,eps,book_value_ps,wk52_low,wk52_high,market_cap,ebitda,price_sales,price_book\n";

#[test]
fn names_and_blocks_cover_every_field_once() {
    let mut names = METADATA_NAMES.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METADATA_FIELDS);
    let fields: Vec<usize> = METADATA_BLOCKS.iter().flat_map(|(_, fields)| fields.clone()).collect();
    assert_eq!(fields, (0..METADATA_FIELDS).collect::<Vec<_>>());
}

#[test]
fn a_row_is_used_from_the_day_it_was_public() {
    let panel = bars();
    // Table, its rows, the field they fill, the last session without it and the first with it.
    let snapshot = format!("{SNAPSHOTS}2013-05-03,S000,50,10,2,5,25,,,3.5,,2,2\n");
    let annual = "ticker,fiscal_year,total_revenue,net_income,total_equity,long_term_debt,\
        short_term_debt_current_portion_of_long_term_debt,earnings_per_share,estimated_shares_outstanding\n\
        S000,2012,1000,100,500,200,50,2.0,50\n";
    let shares = "ticker,end_date,filed_date,shares_outstanding,form\nS000,2013-01-31,2013-02-08,1000000,10-Q\n";
    let short = "settlement_date,ticker,short_shares,prev_short_shares,avg_daily_volume,days_to_cover\n\
        2013-03-15,S000,50000,1,1,1\n";
    let actions = "date,ticker,dividend,split\n2012-02-01,S000,0.1,0\n2013-03-22,S001,0.1,0\n2013-03-28,S001,0.1,0\n";
    let earnings = "ticker,earnings_date,session,reaction_date,prev_close,open_t,gap,eps_estimate,reported_eps,surprise_pct\n\
        S000,2012-08-01 16:00:00-04:00,amc,2012-08-02,1,1,0,1.0,1.1,1\nS000,2012-11-01 16:00:00-04:00,amc,2012-11-02,1,1,0,1.0,1.1,1\n\
        S000,2013-02-01 16:00:00-05:00,amc,2013-02-04,1,1,0,1.0,0.9,1\nS000,2013-05-02 08:00:00-04:00,bmo,2013-05-02,1,1,0,1.0,1.1,1\n";
    let insiders =
        "ticker,transaction_date,owner_id,position,code,shares,price,shares_after\nS000,2013-07-03,1,,S,10,20,0\n";
    let implied = "date,ticker,implied_vol\n2013-06-07,S000,0.3\n";
    let cases = [
        (vec![("fundamentals_snapshots.csv", snapshot.as_str())], "earnings_yield", "2013-05-03", "2013-05-06"),
        (vec![("fundamentals_annual_2012_2016.csv", annual)], "profit_margin", "2013-04-30", "2013-05-01"),
        // The count of 31 January was public on 11 February, the short interest after eight sessions:
        // 29 March was Good Friday.
        (
            vec![
                ("shares_outstanding_pit.csv", shares),
                ("short_interest.csv", short),
                ("corporate_actions.csv", actions),
            ],
            "short_interest",
            "2013-03-26",
            "2013-03-27",
        ),
        (vec![("earnings_surprises.csv", earnings)], "beat_rate_8", "2013-05-02", "2013-05-03"),
        (vec![("insider_transactions.csv", insiders)], "insider_net_buying", "2013-07-05", "2013-07-08"),
        (vec![("implied_vol_daily.csv", implied)], "implied_over_historical_vol", "2013-06-07", "2013-06-10"),
    ];
    for (tables, name, before, after) in cases {
        let source = load(&tables);
        assert_eq!(at(&panel, &source, before, name), None, "{name} on {before}");
        assert!(at(&panel, &source, after, name).is_some(), "{name} on {after}");
    }
}

#[test]
fn published_ratios_move_with_the_close_and_keep_their_transforms() {
    let panel = bars();
    let snapshots =
        format!("{SNAPSHOTS}2013-05-03,S000,50,10,2,5,25,,,3.5,,2,2\n2013-05-03,S001,50,-10,0,-5,-25,,,9e8,,2,\n");
    let source = load(&[TICKERS, ("fundamentals_snapshots.csv", &snapshots)]);
    let close = |asset: usize, date: &str| panel.as_of(day(date)).unwrap().last_close(AssetIdx(asset)).unwrap().1;
    let moved = close(0, "2013-08-01") / close(0, "2013-05-03");
    let get = |name: &str| at(&panel, &source, "2013-08-01", name);
    assert_near(get("earnings_yield"), 0.1 / moved / 0.10, "earnings yield over a tenth");
    assert_near(get("price_to_book"), (2.0 * moved).ln() / 2.0, "half the log of price to book");
    assert_near(get("return_on_equity"), (0.1 / 0.5) / 0.25, "earnings over book");
    assert_near(get("profit_margin"), (0.1 * 2.0) / 0.20, "earnings yield times price to sales");
    assert_near(get("dividend_yield"), 0.02 / moved / 0.03, "published yield");
    assert_near(get("payout_ratio"), 0.02 / 0.1, "dividend over earnings");
    let cap = 3.5e9 * moved;
    assert!((2e9..1e10).contains(&cap));
    for (name, expected) in
        [("cap_micro", 0.0), ("cap_small", 0.0), ("cap_mid", 1.0), ("cap_large", 0.0), ("cap_unknown", 0.0)]
    {
        assert_eq!(get(name), Some(expected), "{name}");
    }
    let loser = metadata_at(&panel.as_of(day("2013-08-01")).unwrap(), AssetIdx(1), &source);
    let moved = close(1, "2013-08-01") / close(1, "2013-05-03");
    assert_near(loser.get(18), (-0.1 / moved / 0.10_f64).max(-3.0), "a loss is a negative yield");
    assert_eq!(loser.get(19), Some(-3.0), "negative book");
    assert_eq!(loser.get(20), None, "no return on a negative equity");
    assert_eq!(loser.get(27), None, "no payout from a loss");
    assert_eq!(loser.get(field("dividend_yield")), Some(0.0), "a published zero is a zero");
    // More than 400 days later the snapshot says nothing any more.
    assert_eq!(at(&panel, &source, "2014-07-01", "earnings_yield"), None);
    assert_eq!(at(&panel, &source, "2014-07-01", "cap_unknown"), Some(1.0));
    assert_eq!(at(&panel, &source, "2014-07-01", "cap_mid"), None);
}

#[test]
fn statements_give_growth_leverage_and_margins() {
    let panel = bars();
    let annual = "ticker,fiscal_year,total_revenue,net_income,total_equity,long_term_debt,\
        short_term_debt_current_portion_of_long_term_debt,earnings_per_share,estimated_shares_outstanding\n\
        S000,2011,800,60,450,200,50,1.5,40\nS000,2012,1000,100,500,200,50,2.5,40\n\
        S001,2011,800,60,450,200,50,40,1.5\nS001,2012,1000,100,-500,200,50,2.5,40\n";
    let source = load(&[TICKERS, ("fundamentals_annual_2012_2016.csv", annual)]);
    let get = |name: &str| at(&panel, &source, "2013-08-01", name);
    assert_near(get("return_on_equity"), 0.2 / 0.25, "net income over equity");
    assert_near(get("profit_margin"), 0.1 / 0.20, "net income over revenue");
    assert_near(get("revenue_growth"), 0.25 / 0.25, "a quarter more");
    assert_near(get("eps_growth"), (1.0 / 2.0) / 0.50, "one dollar more over a mean of two");
    assert_near(get("debt_to_equity"), 1.5_f64.ln(), "debt is half of equity");
    let split = metadata_at(&panel.as_of(day("2013-08-01")).unwrap(), AssetIdx(1), &source);
    assert_eq!(split.get(field("eps_growth")), None, "the share count says that a split lies between");
    assert_eq!(split.get(field("debt_to_equity")), None, "no leverage on a negative equity");
    assert_near(split.get(field("revenue_growth")), 1.0, "revenue does not mind");
}

#[test]
fn filed_facts_are_read_from_the_annual_report_that_states_both_years() {
    let panel = bars();
    let facts = "ticker,concept,unit,start,end,filed,form,fp,value\n\
        S000,Revenues,USD,2012-01-01,2012-12-31,2013-02-15,10-K,FY,1200\nS000,Revenues,USD,2011-01-01,2011-12-31,2013-02-15,10-K,FY,1000\n\
        S000,Revenues,USD,2012-10-01,2012-12-31,2013-02-15,10-K,FY,400\nS000,NetIncomeLoss,USD,2012-01-01,2012-12-31,2013-02-15,10-K,FY,60\n\
        S000,StockholdersEquity,USD,,2012-12-31,2013-02-15,10-K,FY,600\nS000,EarningsPerShareDiluted,USD/shares,2012-01-01,2012-12-31,2013-02-15,10-K,FY,3\n\
        S000,EarningsPerShareDiluted,USD/shares,2011-01-01,2011-12-31,2013-02-15,10-K,FY,1\nS000,Revenues,USD,2012-01-01,2012-12-31,2013-02-01,8-K,FY,9999\n";
    let source = load(&[TICKERS, ("sec_company_facts.csv", facts)]);
    assert_eq!(at(&panel, &source, "2013-02-15", "profit_margin"), None);
    // 18 February 2013 was Presidents' Day.
    assert_near(at(&panel, &source, "2013-02-19", "profit_margin"), 0.05 / 0.20, "margin");
    assert_near(at(&panel, &source, "2013-02-19", "revenue_growth"), 0.2 / 0.25, "growth");
    assert_near(
        at(&panel, &source, "2013-02-19", "eps_growth"),
        (2.0 / 2.0) / 0.50,
        "two dollars more over a mean of two",
    );
}

#[test]
fn share_counts_keep_an_old_market_value_alive_and_forget_splits() {
    let panel = bars();
    let shares = "ticker,end_date,filed_date,shares_outstanding,form\n\
        S000,2012-03-30,2012-04-10,1000,10-Q\nS000,2013-06-28,2013-07-10,3300,10-Q\n";
    let mut actions = "date,ticker,dividend,split\n2012-01-04,S001,0.1,0\n2013-02-01,S000,0,3.0\n".to_owned();
    for month in 1..=12 {
        for number in [1, 12, 23] {
            actions += &format!("2013-{month:02}-{number:02},S001,0.1,0\n");
        }
    }
    let snapshot = format!("{SNAPSHOTS}2012-05-01,S000,50,,,,,,,1.0,,,\n");
    let shorts = "settlement_date,ticker,short_shares,prev_short_shares,avg_daily_volume,days_to_cover\n2013-06-14,S000,99,1,1,1\n";
    let tables = [
        TICKERS,
        ("shares_outstanding_pit.csv", shares),
        ("corporate_actions.csv", &actions),
        ("fundamentals_snapshots.csv", &snapshot),
        ("short_interest.csv", shorts),
    ];
    let close = |date: &str| panel.as_of(day(date)).unwrap().last_close(AssetIdx(0)).unwrap().1;
    // A tenth more shares, the split apart; the value of May 2012 stands for 1.1 times as much.
    let cap = 1e9 * 1.1 * close("2013-09-03") / close("2012-05-01");
    let bucket = ["cap_micro", "cap_small", "cap_mid"][[3e8, 2e9].iter().filter(|&&bound| cap >= bound).count()];
    let source = load(&tables);
    assert_eq!(at(&panel, &source, "2013-09-03", bucket), Some(1.0), "{cap}");
    assert_near(
        at(&panel, &source, "2013-09-03", "short_interest"),
        99.0 / 3300.0 / 0.05,
        "share of shares outstanding",
    );
    // A filing that was two years old when the value was published says nothing about the shares of that day.
    let aged_shares = shares.replace("2012-03-30,2012-04-10", "2010-03-31,2010-04-12");
    let early_actions = actions.replace("2012-01-04,S001", "2010-01-04,S001");
    let mut aged = tables;
    (aged[1].1, aged[2].1) = (&aged_shares, &early_actions);
    assert_eq!(at(&panel, &load(&aged), "2013-09-03", bucket), None);
    aged[1].1 = shares;
    assert_eq!(at(&panel, &load(&aged), "2013-09-03", bucket), Some(1.0));
    // Without the table of actions nobody knows whether the shares compare.
    let source = load(&tables[..2]);
    assert_eq!(at(&panel, &source, "2013-09-03", bucket), None);
    assert_eq!(at(&panel, &source, "2013-09-03", "short_interest"), None);
}

#[test]
fn dividends_that_were_paid_count_over_the_last_year() {
    let panel = bars();
    let actions = "date,ticker,dividend,split\n2012-02-01,S000,5.0,0\n2012-02-02,S003,0.1,0\n2012-09-04,S000,0.5,0\n2013-03-01,S000,0.75,0\n\
        2013-06-28,S001,0.1,0\n2013-07-10,S000,9.0,0\n";
    let source = load(&[("corporate_actions.csv", actions)]);
    let close = panel.as_of(day("2013-07-03")).unwrap().last_close(AssetIdx(0)).unwrap().1;
    assert_near(
        at(&panel, &source, "2013-07-03", "dividend_yield"),
        (1.25 / close / 0.03).min(4.0),
        "a year's dividends",
    );
    let stopped = metadata_at(&panel.as_of(day("2013-07-03")).unwrap(), AssetIdx(3), &source).get(25);
    assert_eq!(stopped.map(f32::to_bits), Some(0), "a covered company that paid nothing");
    assert_eq!(at(&panel, &source, "2014-07-03", "dividend_yield"), None, "the table has not been kept up");
}

#[test]
fn insiders_net_purchases_leave_out_what_is_no_choice() {
    let panel = bars();
    let rows = "ticker,transaction_date,owner_id,position,code,shares,price,shares_after\n\
        S000,2013-03-01,1,,P,100,10,0\nS000,2013-03-04,1,,S,300,10,0\nS000,2013-06-03,1,,P,500,10,0\nS000,2013-06-04,1,,A,9999,10,0\n\
        S000,2013-06-05,1,,S,100,,0\n-,2013-06-05,1,,S,100,50,0\n";
    let folder = folder(&[("insider_transactions.csv", rows)]);
    let loaded = MetadataSource::load(folder.path()).unwrap();
    assert_eq!((loaded.read["insider_transactions"], loaded.skipped["insider_transactions"]), (6, 3));
    let get = |name: &str| at(&panel, &loaded.source, "2013-07-03", name);
    assert_near(get("insider_net_buying"), (1000.0 - 3000.0 + 5000.0) / 9000.0, "half a year");
    assert_near(get("insider_momentum"), (1.0 - -0.5) / 2.0, "newer quarter less older quarter");
    assert_eq!(at(&panel, &loaded.source, "2014-07-03", "insider_net_buying"), None, "no trade is no observation");
}

#[test]
fn reports_give_a_beat_rate_and_a_drift() {
    let panel = bars();
    let sessions = panel.sessions();
    let row = |at: usize, estimate: f64, reported: f64| {
        let (before, reaction) = (sessions[at - 1], sessions[at]);
        format!("S000,{before} 16:00:00-04:00,amc,{reaction},1,1,0,{estimate},{reported},1\n")
    };
    let header =
        "ticker,earnings_date,session,reaction_date,prev_close,open_t,gap,eps_estimate,reported_eps,surprise_pct\n";
    let reports = [(300, 1.0, 1.2), (363, 1.0, 0.7), (426, 1.0, 1.0), (489, 1.0, 1.1), (550, 1.0, 1.4)];
    let rows: String = reports.iter().map(|&(at, estimate, reported)| row(at, estimate, reported)).collect();
    let source = load(&[TICKERS, ("earnings_surprises.csv", &format!("{header}{rows}"))]);
    let close = |asset: usize| panel.full_history(AssetIdx(asset), Field::AdjClose);
    // S000, S001 and S003 are the market: S002 is a fund.
    let excess = |from: usize| {
        let own = close(0)[from + 5] / close(0)[from] - 1.0;
        let market: f64 = (from + 1..=from + 5)
            .map(|at| {
                1.0 + [0, 1, 3].iter().map(|&asset| close(asset)[at] / close(asset)[at - 1] - 1.0).sum::<f64>() / 3.0
            })
            .product();
        own - (market - 1.0)
    };
    let get = |at: usize, field: usize| metadata_at(&panel.at(SessionIdx(at)), AssetIdx(0), &source).get(field);
    assert_near(get(554, 36), 2.0 * 3.0 / 5.0 - 1.0, "meeting an estimate does not beat it");
    // Five sessions after the last report are only over at the sixth close.
    assert_near(get(554, 37), (excess(300) - excess(363) + excess(489)) / 4.0 / 0.05, "the last report is too young");
    assert_near(get(555, 37), (-excess(363) + excess(489) + excess(550)) / 4.0 / 0.05, "the first of five has left");
    assert_eq!(get(488, 36), None, "three reports are too few");
    assert!((0..panel.n_sessions()).all(|at| get(at, 35).is_none()), "the next date is in no table");
}

#[test]
fn bars_fill_the_price_and_market_fields() {
    let panel = bars();
    let extra = "date,ticker,close\n2014-02-03,XLB,30\n2014-05-05,XLB,33\n";
    let source = load(&[TICKERS, ("sector_etf_extra_close.csv", extra)]);
    // 63 sessions after 3 February.
    let (start, end) = (
        panel.session_on_or_before(day("2014-02-03")).unwrap().0,
        panel.session_on_or_before(day("2014-05-05")).unwrap().0,
    );
    assert_eq!(end - start, 63);
    let column = |asset: usize, field| &panel.full_history(AssetIdx(asset), field)[..=end];
    let (adjusted, close, volume) = (column(0, Field::AdjClose), column(0, Field::Close), column(0, Field::Volume));
    let factor: Vec<f64> = adjusted.iter().zip(close).map(|(adjusted, close)| adjusted / close).collect();
    let year = end - 251..=end;
    let high = year.clone().map(|at| column(0, Field::High)[at] * factor[at]).fold(0.0, f64::max);
    let low = year.map(|at| column(0, Field::Low)[at] * factor[at]).fold(f64::INFINITY, f64::min);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let tail = |values: &[f64], count: usize| values[values.len() - count..].to_vec();
    let market: Vec<f64> = (1..=end)
        .map(|at| {
            mean(
                &[0, 1, 3]
                    .map(|asset| column(asset, Field::AdjClose)[at] / column(asset, Field::AdjClose)[at - 1] - 1.0),
            )
        })
        .collect();
    let own: Vec<f64> = adjusted.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let covariance = |left: &[f64], right: &[f64]| {
        let (left_mean, right_mean) = (mean(left), mean(right));
        left.iter().zip(right).map(|(left, right)| (left - left_mean) * (right - right_mean)).sum::<f64>()
    };
    let (own_year, market_year) = (tail(&own, 252), tail(&market, 252));
    let beta = covariance(&own_year, &market_year) / covariance(&market_year, &market_year);
    let logs = |values: &[f64]| tail(values, 60).iter().map(|value| value.ln_1p()).collect::<Vec<_>>();
    let (own_logs, market_logs) = (logs(&own), logs(&market));
    let dollars: Vec<f64> = close.iter().zip(volume).map(|(close, volume)| close * volume).collect();
    let got = metadata_at(&panel.at(SessionIdx(end)), AssetIdx(0), &source);
    let expected = [
        ("distance_from_high_52w", (adjusted[end] / high - 1.0) / 0.5),
        ("distance_from_low_52w", (adjusted[end] / low).ln()),
        ("volume_trend", (mean(&tail(volume, 20)) / mean(&tail(volume, 120))).ln()),
        ("relative_strength_63", ((close[end] / close[start] - 33.0 / 30.0) / 0.15).clamp(-3.0, 3.0)),
        ("beta_252", (beta * 2.0 / 3.0 + 1.0 / 3.0 - 1.0).clamp(-2.0, 2.0)),
        ("momentum_12_1", ((adjusted[end - 21] / adjusted[end - 252] - 1.0) / 0.40).clamp(-3.0, 3.0)),
        ("relative_vol_60", (covariance(&own_logs, &own_logs) / covariance(&market_logs, &market_logs)).sqrt().ln()),
        ("liquidity", ((mean(&tail(&dollars, 20)).log10() - 8.0) / 2.0).clamp(-2.0, 2.0)),
    ];
    for (name, expected) in expected {
        assert_near(got.get(field(name)), expected, name);
    }
    assert_eq!([got.get(1), got.get(0), got.get(11)], [Some(1.0), Some(0.0), Some(0.0)], "materials");
    let fund = metadata_at(&panel.at(SessionIdx(end)), AssetIdx(2), &source);
    assert_eq!([fund.get(1), fund.get(11), fund.get(17)], [Some(0.0), Some(1.0), Some(1.0)], "a fund");
    let unlisted = metadata_at(&panel.at(SessionIdx(end)), AssetIdx(3), &source);
    assert_eq!([unlisted.get(1), unlisted.get(11), unlisted.get(17)], [None, Some(1.0), Some(1.0)], "nothing is known");
}

#[test]
fn an_asset_that_stopped_trading_has_no_price_fields() {
    let mut groups = groups(&Recipe { seed: 2, n_assets: 2, n_sessions: 400, gaps: 0.0 });
    groups[0].1.truncate(390);
    let panel = Panel::from_groups(&groups);
    let source = MetadataSource::default();
    let price = |at: usize| metadata_at(&panel.at(SessionIdx(at)), AssetIdx(0), &source).get(field("momentum_12_1"));
    assert!(price(394).is_some(), "five sessions are a halt");
    assert_eq!(price(395), None);
}

#[test]
fn availability_is_told_block_by_block() {
    let panel = bars();
    let view = panel.at(SessionIdx(600));
    let load = MetadataSource::load(folder(&[TICKERS]).path()).unwrap();
    assert_eq!(load.absent.len(), 10);
    let rates = |source: &MetadataSource| {
        let all = MetadataView::new(&view, source).all();
        availability(&all).into_iter().map(|block| (block.block, block.rate.unwrap())).collect::<Vec<_>>()
    };
    let rate = |rates: &[(&str, f64)], name: &str| rates.iter().find(|(block, _)| *block == name).unwrap().1;
    let (with, without) = (rates(&load.source), rates(&MetadataSource::default()));
    // Three of four symbols are listed.
    assert!((rate(&with, "sector") - (3.0 * 12.0 + 1.0) / 48.0).abs() < 1e-12);
    assert!((rate(&without, "sector") - 1.0 / 12.0).abs() < 1e-12);
    assert!((rate(&with, "market") - 1.0).abs() < 1e-12);
    for block in ["fundamentals", "analysts", "options", "earnings", "insiders", "institutions"] {
        assert!(rate(&with, block).abs() < 1e-12, "{block}");
    }
    assert_eq!(availability([])[0].rate, None);
    assert_eq!(Metadata::UNKNOWN.get(49), None);
    assert_eq!(Metadata::UNKNOWN.get(50), None);
}

#[test]
fn a_table_without_a_column_is_refused_by_name_and_a_missing_folder_too() {
    let folder = folder(&[("short_interest.csv", "ticker,settlement_date\nS000,2013-01-15\n")]);
    let error = MetadataSource::load(folder.path()).unwrap_err();
    assert!(matches!(&error, Error::MissingColumn { column, .. } if column == "short_shares"), "{error}");
    assert!(matches!(MetadataSource::load(Path::new("/no/such/folder")), Err(Error::Io { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn nothing_that_becomes_known_after_t_moves_metadata_at_t(seed in any::<u64>(), part in 0.3_f64..0.95, gaps in 0.0_f64..0.3) {
        let recipe = Recipe { seed, n_assets: 5, n_sessions: 560, gaps };
        let now = panel(&recipe);
        let end = SessionIdx((part * now.n_sessions() as f64) as usize);
        let other = with_another_future(&recipe, end);
        let last = now.sessions()[end.0];
        let source = random_source(&now, seed);
        let altered = with_another_source(&source, last);
        let before = MetadataView::new(&now.at(end), &source).all();
        let after = MetadataView::new(&other.at(end), &altered).all();
        prop_assert!(before == after);
        let rates = availability(&before);
        // The comparison would be empty without facts to compare.
        prop_assert!(rates.iter().filter(|block| block.rate.unwrap() > 0.0).count() >= 8, "{rates:?}");
    }

    #[test]
    fn permuting_assets_permutes_metadata(seed in any::<u64>()) {
        let recipe = Recipe { seed, n_assets: 5, n_sessions: 400, gaps: 0.05 };
        let mut groups = groups(&recipe);
        let before = Panel::from_groups(&groups);
        let names: Vec<Symbol> = groups.iter().map(|(symbol, _)| symbol.clone()).collect();
        let renamed = |old: &Symbol| {
            let at = names.iter().position(|name| name == old).unwrap();
            symbol(&format!("P{:03}", (at + 2) % 5))
        };
        let source = random_source(&before, seed);
        let mut moved = source.clone();
        macro_rules! rename {
            ($($table:ident),+) => {$(
                moved.$table = Timeline::from_rows(source.$table.iter().map(|(name, fact)| (renamed(name), *fact)));
            )+};
        }
        rename!(snapshots, statements, share_counts, short_interest, reports, insider_trades, implied_vols, splits, dividends, action_days);
        moved.sectors = source.sectors.iter().map(|(name, sector)| (renamed(name), *sector)).collect();
        for (name, _) in &mut groups {
            *name = renamed(name);
        }
        let after = Panel::from_groups(&groups);
        let end = SessionIdx(before.n_sessions() - 1);
        let (old, new) = (MetadataView::new(&before.at(end), &source).all(), MetadataView::new(&after.at(end), &moved).all());
        for (at, old) in old.iter().enumerate() {
            let new = &new[(at + 2) % 5];
            prop_assert_eq!(old.available, new.available);
            for (old, new) in old.values.iter().zip(new.values) {
                prop_assert!((old - new).abs() < 1e-5, "{old} {new}");
            }
        }
    }
}

/// Facts of every kind about every symbol, spread over the sessions of the panel.
fn random_source(panel: &Panel, seed: u64) -> MetadataSource {
    let mut random = Seed::new(seed).stream("facts", 0);
    let mut uniform = move || -> f64 { StandardUniform.sample(&mut random) };
    let sessions = panel.sessions();
    let mut source = MetadataSource::default();
    let mut kinds = (
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
    );
    for (number, name) in panel.symbols().iter().enumerate() {
        source.sectors.insert(name.clone(), if number == 3 { Sector::Fund } else { Sector::COMPANIES[number] });
        for (at, &date) in sessions.iter().enumerate() {
            let dated = |lag: usize| sessions.get(at + lag).copied();
            let chance = uniform();
            let Some(later) = dated(1) else { continue };
            if chance < 0.02 {
                let value = Snapshot {
                    date,
                    earnings_yield: Some(uniform() - 0.3),
                    book_yield: Some(uniform() - 0.2),
                    price_to_sales: Some(uniform() * 5.0),
                    dividend_yield: (chance < 0.01).then(|| uniform() * 0.05),
                    market_cap: Some(1e11 * uniform().powi(6)),
                };
                kinds.0.push((name.clone(), Dated { available_at: later, value }));
            } else if chance < 0.025 {
                let mut part = || Some(uniform() * 100.0);
                let value = Statement {
                    revenue: part(),
                    revenue_before: part(),
                    net_income: part(),
                    equity: part(),
                    debt: part(),
                    eps: part(),
                    eps_before: part(),
                };
                kinds.1.push((name.clone(), Dated { available_at: later, value }));
            } else if chance < 0.04 {
                kinds.2.push((
                    name.clone(),
                    Dated { available_at: later, value: Count { date, shares: 1e6 * (1.0 + uniform()) } },
                ));
            } else if chance < 0.08 {
                kinds.3.push((
                    name.clone(),
                    Dated { available_at: later, value: Shorted { settled: date, shares: 1e5 * uniform() } },
                ));
            } else if chance < 0.11 {
                let value = Report { reaction: date, estimate: Some(uniform()), reported: Some(uniform()) };
                kinds.4.push((name.clone(), Dated { available_at: later, value }));
            } else if chance < 0.14 {
                let value = InsiderTrade { date, dollars: uniform() - 0.5 };
                kinds.5.push((name.clone(), Dated { available_at: later, value }));
            } else if chance < 0.5 {
                kinds.6.push((name.clone(), Dated { available_at: later, value: 0.1 + uniform() }));
            } else if chance < 0.505 {
                kinds.7.push((name.clone(), Dated { available_at: date, value: 2.0 }));
                kinds.9.push((name.clone(), Dated { available_at: date, value: () }));
            } else if chance < 0.53 {
                kinds.8.push((name.clone(), Dated { available_at: date, value: uniform() }));
                kinds.9.push((name.clone(), Dated { available_at: date, value: () }));
            }
        }
    }
    source.snapshots = Timeline::from_rows(kinds.0);
    source.statements = Timeline::from_rows(kinds.1);
    source.share_counts = Timeline::from_rows(kinds.2);
    source.short_interest = Timeline::from_rows(kinds.3);
    source.reports = Timeline::from_rows(kinds.4);
    source.insider_trades = Timeline::from_rows(kinds.5);
    source.implied_vols = Timeline::from_rows(kinds.6);
    source.splits = Timeline::from_rows(kinds.7);
    source.dividends = Timeline::from_rows(kinds.8);
    source.action_days = Timeline::from_rows(kinds.9);
    source
}

/// The same facts up to a date; every later one is dropped or another one.
fn with_another_source(source: &MetadataSource, last: Date) -> MetadataSource {
    fn change<T: Copy>(timeline: &Timeline<T>, last: Date, another: impl Fn(T) -> T) -> Timeline<T> {
        let rows = timeline.iter().enumerate().filter_map(|(at, (name, fact))| {
            if fact.available_at <= last {
                return Some((name.clone(), *fact));
            }
            (at % 3 != 0).then(|| (name.clone(), Dated { available_at: fact.available_at, value: another(fact.value) }))
        });
        Timeline::from_rows(rows.collect::<Vec<_>>())
    }
    MetadataSource {
        sectors: source.sectors.clone(),
        snapshots: change(&source.snapshots, last, |old| Snapshot {
            earnings_yield: Some(9.0),
            market_cap: None,
            ..old
        }),
        statements: change(&source.statements, last, |old| Statement { net_income: Some(-1e9), ..old }),
        share_counts: change(&source.share_counts, last, |old| Count { shares: old.shares * 7.0, ..old }),
        short_interest: change(&source.short_interest, last, |old| Shorted { shares: old.shares * 7.0, ..old }),
        reports: change(&source.reports, last, |old| Report { reported: Some(1e9), ..old }),
        insider_trades: change(&source.insider_trades, last, |old| InsiderTrade { dollars: -1e9, ..old }),
        implied_vols: change(&source.implied_vols, last, |old| old * 7.0),
        splits: change(&source.splits, last, |old| old * 7.0),
        dividends: change(&source.dividends, last, |old| old * 7.0),
        action_days: change(&source.action_days, last, |()| ()),
        fund_closes: change(&source.fund_closes, last, |old| old * 7.0),
    }
}
