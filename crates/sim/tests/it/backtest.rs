//! Runs whose every cent is computed by hand, and what must hold of all runs.

use std::sync::Arc;

use lotwise_core::{Date, Money, RawBar, Rounding, Shares, Symbol};
use lotwise_market::metadata::{Dated, MetadataSource, Snapshot, Timeline};
use lotwise_market::{ActionRow, AssetIdx, CorporateActions, Field, Panel};
use lotwise_sim::Error;
use lotwise_sim::backtest::strategies::{StrategyConfig, needs_market_caps, strategy_by_name, strategy_names};
use lotwise_sim::backtest::{
    AccountView, BacktestConfig, BacktestError, BacktestMarket, Costs, EventKind, NullWorlds, Record, Stateless,
    Strategy, Taxes, null_worlds, run, run_windows, summarise_windows,
};
use lotwise_sim::policy::{CapWeight, Decision, MarketCaps, Observation, Policy, PolicyConfig, Weights, by_name};

/// A bar of open and close; `adjusted` is the close adjusted for dividends.
struct Bar(&'static str, f64, f64, f64);

fn panel(columns: &[(&str, &[Bar])]) -> Panel {
    let group = |(symbol, bars): &(&str, &[Bar])| {
        let rows = bars.iter().map(|Bar(date, open, close, adjusted)| RawBar {
            date: day(date),
            open: *open,
            high: open.max(*close),
            low: open.min(*close),
            close: *close,
            adj_close: *adjusted,
            volume: 1e6,
        });
        (Symbol::parse(symbol).unwrap(), rows.collect())
    };
    Panel::from_groups(&columns.iter().map(group).collect::<Vec<_>>())
}

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// To the cent: a purchase with all the cash leaves a hair of it.
fn cents(amount: Money) -> Money {
    amount.round(2, Rounding::HalfEven)
}

/// Weights by date; on other dates nothing is touched.
struct Script(Vec<(&'static str, Vec<f64>)>);

impl Strategy for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn decide(&mut self, observation: &Observation<'_>, account: &AccountView<'_>) -> Result<Decision, Error> {
        let wanted = self.0.iter().find(|(date, _)| day(date) == account.date).map(|(_, weights)| weights.clone());
        let weights = Weights::new(wanted.unwrap_or_else(|| observation.weights.to_vec()))?;
        Ok(Decision { weights, notes: Vec::new() })
    }
}

fn plain(panel: &Panel, cash: i64) -> BacktestConfig {
    let sessions = panel.sessions();
    BacktestConfig {
        initial_cash: Money::from_whole(cash),
        costs: Costs { basis_points: 0.0, impact: None },
        taxes: Taxes::None,
        ..BacktestConfig::standard(sessions[0], sessions[sessions.len() - 1])
    }
}

fn play(
    panel: &Panel,
    actions: &CorporateActions,
    config: &BacktestConfig,
    script: &[(&'static str, Vec<f64>)],
) -> Record {
    let market = BacktestMarket::new(panel, panel.assets().collect(), actions, None);
    run(&market, &mut Script(script.to_vec()), config).unwrap()
}

fn none() -> CorporateActions {
    CorporateActions::default()
}

#[test]
fn all_cash_earns_its_interest_and_nothing_else() {
    let panel = panel(&[(
        "AAA",
        &[Bar("2021-01-04", 1.0, 1.0, 1.0), Bar("2021-01-05", 2.0, 2.0, 2.0), Bar("2021-01-06", 3.0, 3.0, 3.0)],
    )]);
    let config = BacktestConfig { cash_rate_annual: 0.0252, ..plain(&panel, 10_000) };
    let record = play(&panel, &none(), &config, &[]);
    let values: Vec<String> = record.sessions.iter().map(|session| session.value.to_string()).collect();
    assert_eq!(values, ["10001.00", "10002.0001"]);
    assert!(record.trades.is_empty());
    assert_eq!(record.cash_shares(), [1.0, 1.0]);
}

#[test]
fn one_trade_is_executed_at_the_next_open_with_its_cost() {
    let panel = panel(&[("AAA", &[Bar("2021-01-04", 9.0, 9.0, 9.0), Bar("2021-01-05", 10.0, 11.0, 11.0)])]);
    let config = BacktestConfig { costs: Costs { basis_points: 10.0, impact: None }, ..plain(&panel, 1_001) };
    let record = play(&panel, &none(), &config, &[("2021-01-04", vec![0.0, 1.0])]);
    // 1,001 dollars buy 100 shares at 10 and pay 10 basis points of 1,000.
    let trade = record.trades[0];
    assert_eq!(
        (trade.date, trade.price.to_string(), trade.fee.to_string()),
        (day("2021-01-05"), "10.00".into(), "1.00".into())
    );
    assert_eq!(trade.shares, Shares::from_whole(100));
    assert_eq!(record.finals.value, money("1100"));
    // Everything sold at 11 pays another 1.10.
    assert_eq!(record.finals.liquidation, money("1098.90"));
    assert_eq!((record.costs(), record.sessions[0].traded), (money("1"), money("1000")));
}

#[test]
fn a_single_session_is_a_run() {
    let panel = panel(&[("AAA", &[Bar("2021-01-04", 9.0, 9.0, 9.0), Bar("2021-01-05", 10.0, 12.0, 12.0)])]);
    let record = play(&panel, &none(), &plain(&panel, 500), &[("2021-01-04", vec![0.5, 0.5])]);
    assert_eq!(record.sessions.len(), 1);
    // Half of 500 is 27.777… shares at the close that was seen, which cost 277.78 at the open.
    assert_eq!(cents(record.finals.value), money("555.56"));
    assert_eq!(record.pre_tax_returns().len(), 1);
    let same_day = BacktestConfig { to: panel.sessions()[0], ..plain(&panel, 500) };
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &none(), None);
    assert!(matches!(
        run(&market, &mut Script(Vec::new()), &same_day),
        Err(BacktestError::Setting { setting: "to", .. })
    ));
}

#[test]
fn buy_and_hold_collects_dividends_and_passes_a_split() {
    // Two for one on the 6th, prices in the new basis; 0.55 a new share on the 7th.
    let bars = [
        Bar("2021-01-04", 10.0, 10.0, 9.5),
        Bar("2021-01-05", 10.0, 10.5, 9.975),
        Bar("2021-01-06", 11.0, 11.0, 10.45),
        Bar("2021-01-07", 10.5, 10.5, 10.5),
        Bar("2021-01-08", 12.0, 12.0, 12.0),
    ];
    let panel = panel(&[("AAA", &bars)]);
    let split =
        ActionRow { ex_date: day("2021-01-06"), symbol: Symbol::parse("AAA").unwrap(), dividend: 0.0, split: 2.0 };
    let actions = CorporateActions::from_rows([split]);
    let record = play(&panel, &actions, &plain(&panel, 1_000), &[("2021-01-04", vec![0.0, 1.0])]);
    // At the price of the day, 20, the money buys 50 shares, which become 100; those earn 55.
    assert_eq!(record.trades[0].price.to_string(), "20.00");
    assert_eq!(record.trades[0].shares.round(6, Rounding::HalfEven), Shares::from_whole(50));
    let values: Vec<Money> = record.sessions.iter().map(|session| cents(session.value)).collect();
    assert_eq!(values, [money("1050"), money("1100"), money("1105"), money("1255")]);
    assert_eq!(cents(record.sessions[3].cash), money("55"));
}

#[test]
fn gains_accrue_tax_daily_and_it_is_paid_in_april() {
    let bars = [
        Bar("2020-12-28", 10.0, 10.0, 10.0),
        Bar("2020-12-29", 10.0, 15.0, 15.0),
        Bar("2020-12-30", 20.0, 20.0, 20.0),
        Bar("2021-03-01", 20.0, 20.0, 20.0),
        Bar("2021-04-15", 25.0, 25.0, 25.0),
        Bar("2021-04-16", 25.0, 30.0, 30.0),
    ];
    let panel = panel(&[("AAA", &bars)]);
    let config = BacktestConfig { taxes: Taxes::standard(), ..plain(&panel, 1_000) };
    // 100 shares for 10; half of them, as of the close, sold for 20: a short-term gain of 500, tax 120 at 24 %.
    let record = play(&panel, &none(), &config, &[("2020-12-28", vec![0.0, 1.0]), ("2020-12-29", vec![0.5, 0.5])]);
    let seen: Vec<(Money, Money, Money)> =
        record.sessions.iter().map(|day| (cents(day.value), cents(day.liability), cents(day.tax_paid))).collect();
    assert_eq!(seen[0], (money("1500"), Money::ZERO, Money::ZERO));
    assert_eq!(seen[1], (money("2000"), money("120"), Money::ZERO));
    assert_eq!(seen[2], (money("2000"), money("120"), Money::ZERO));
    assert_eq!(seen[3], (money("2130"), Money::ZERO, money("120")));
    assert_eq!(seen[4], (money("2380"), Money::ZERO, Money::ZERO));
    // 50 shares with a basis of 500 sold for 1,500: 240 more.
    assert_eq!(cents(record.finals.liquidation), money("2140"));
    assert_eq!(cents(record.finals.step_up), money("2380"));
    let returns = record.pre_tax_returns();
    assert!((returns[3] - 0.125).abs() < 1e-12, "a tax is no loss before taxes: {returns:?}");
    assert_eq!(cents(record.tax()), money("120"));
}

#[test]
fn a_tax_that_cash_cannot_pay_is_raised_by_sales_and_cash_never_falls_below_zero() {
    let bars = [
        Bar("2020-12-28", 10.0, 10.0, 10.0),
        Bar("2020-12-29", 10.0, 10.0, 10.0),
        Bar("2020-12-30", 20.0, 20.0, 20.0),
        Bar("2020-12-31", 20.0, 20.0, 20.0),
        Bar("2021-04-15", 20.0, 20.0, 20.0),
        Bar("2021-04-16", 20.0, 20.0, 20.0),
    ];
    let panel = panel(&[
        ("AAA", &bars),
        (
            "BBB",
            &[
                Bar("2020-12-28", 1.0, 1.0, 1.0),
                Bar("2020-12-29", 1.0, 1.0, 1.0),
                Bar("2020-12-30", 1.0, 1.0, 1.0),
                Bar("2020-12-31", 1.0, 1.0, 1.0),
                Bar("2021-04-15", 1.0, 1.0, 1.0),
                Bar("2021-04-16", 1.0, 1.0, 1.0),
            ],
        ),
    ]);
    let config = BacktestConfig { taxes: Taxes::standard(), ..plain(&panel, 1_000) };
    // Sold at twice the close that was seen; what that leaves in cash is invested a session later.
    let all_b = || vec![0.0, 0.0, 1.0];
    let script = [("2020-12-28", vec![0.0, 1.0, 0.0]), ("2020-12-29", all_b()), ("2020-12-30", all_b())];
    let record = play(&panel, &none(), &config, &script);
    assert!(record.sessions.iter().all(|session| !session.cash.is_negative()));
    let april = record.sessions[3];
    assert_eq!((cents(april.tax_paid), april.liability), (money("240"), Money::ZERO));
    assert!((april.value.to_f64() - 1760.0).abs() < 1e-3);
    assert!(record.events.iter().any(|event| matches!(event.kind, EventKind::SoldForTax { .. })));
}

#[test]
fn a_washed_loss_is_not_deducted() {
    let bars = [
        Bar("2021-01-04", 10.0, 10.0, 10.0),
        Bar("2021-01-05", 10.0, 10.0, 10.0),
        Bar("2021-01-06", 8.0, 8.0, 8.0),
        Bar("2021-01-07", 8.0, 8.0, 8.0),
        Bar("2021-01-08", 8.0, 8.0, 8.0),
    ];
    let panel = panel(&[("AAA", &bars)]);
    let config = BacktestConfig { taxes: Taxes::standard(), ..plain(&panel, 1_000) };
    let script = [("2021-01-04", vec![0.0, 1.0]), ("2021-01-05", vec![1.0, 0.0]), ("2021-01-06", vec![0.0, 1.0])];
    let record = play(&panel, &none(), &config, &script);
    // A loss of 200 saves 48 until it is washed by the purchase of the next session.
    assert_eq!(cents(record.sessions[1].liability), money("-48"));
    assert_eq!(cents(record.sessions[2].liability), Money::ZERO);
    assert_eq!(cents(record.years[0].disallowed), money("200"));
    assert_eq!((cents(record.years[0].short), cents(record.finals.liquidation)), (Money::ZERO, money("848")));
}

#[test]
fn a_ticker_that_dies_is_paid_out_at_its_last_price() {
    let other: Vec<Bar> =
        ["2021-01-04", "2021-01-05", "2021-01-06", "2021-01-07"].map(|date| Bar(date, 5.0, 5.0, 5.0)).into();
    let panel =
        panel(&[("AAA", &[Bar("2021-01-04", 10.0, 10.0, 10.0), Bar("2021-01-05", 10.0, 4.0, 4.0)]), ("BBB", &other)]);
    let script = [("2021-01-04", vec![0.0, 0.5, 0.5])];
    let record = play(&panel, &none(), &plain(&panel, 1_000), &script);
    let values: Vec<Money> = record.sessions.iter().map(|session| cents(session.value)).collect();
    assert_eq!(values, [money("700"), money("700"), money("700")]);
    assert_eq!(cents(record.sessions[1].cash), money("200"));
    assert!(matches!(record.events[0].kind, EventKind::Ended { paid } if cents(paid) == money("200")));
    assert_eq!((record.events[0].date, record.events[0].asset), (day("2021-01-06"), Some(AssetIdx(0))));
    let harsh = BacktestConfig { delisting_loss: 0.3, ..plain(&panel, 1_000) };
    assert_eq!(cents(play(&panel, &none(), &harsh, &script).finals.value), money("640"));
}

/// A lively market of eight symbols over three years.
fn walks() -> Panel {
    let columns: Vec<(String, Vec<f64>)> =
        (0..8).map(|asset| (format!("S{asset}"), crate::fixture::walk(7, asset, 700, 0.03))).collect();
    let borrowed: Vec<(&str, Vec<f64>)> =
        columns.iter().map(|(name, closes)| (name.as_str(), closes.clone())).collect();
    crate::fixture::panel(&borrowed)
}

fn run_named(panel: &Panel, name: &str, to: Date) -> Record {
    let market = BacktestMarket::new(panel, panel.assets().collect(), &none(), None);
    let config = BacktestConfig { rebalance_sessions: 5, ..BacktestConfig::standard(panel.sessions()[300], to) };
    let mut strategy = Stateless(by_name(name, PolicyConfig::default()).unwrap());
    run(&market, &mut strategy, &config).unwrap()
}

#[test]
fn bars_of_the_future_change_nothing_before_them() {
    let panel = walks();
    let mut corrupted = panel.clone();
    for asset in panel.assets() {
        for session in 500..panel.n_sessions() {
            let bar = crate::fixture::bar(session, 1.0 + (session * (asset.0 + 3) % 17) as f64);
            corrupted.set(asset, lotwise_market::SessionIdx(session), &bar);
        }
    }
    let last = *panel.sessions().last().unwrap();
    for name in ["equal-weight", "min-variance", "risk-parity", "momentum-tilt", "inverse-volatility"] {
        let (whole, other) = (run_named(&panel, name, last), run_named(&corrupted, name, last));
        let before = |record: &Record| record.sessions[..199].to_vec();
        assert_eq!(before(&whole), before(&other), "{name}");
        assert_ne!(whole.sessions[250..], other.sessions[250..], "{name}");
        let cut = run_named(&panel, name, panel.sessions()[499]);
        assert_eq!(cut.sessions, before(&whole), "{name}: a run that ends earlier is the beginning of the longer one");
    }
}

#[test]
fn money_is_neither_made_nor_lost() {
    let panel = walks();
    for name in ["equal-weight", "momentum-tilt"] {
        let record = run_named(&panel, name, *panel.sessions().last().unwrap());
        let mut cash = record.initial_cash;
        for trade in &record.trades {
            cash = cash - trade.price * trade.shares - trade.fee;
        }
        let paid: Money = record.sessions.iter().map(|session| session.tax_paid).sum();
        assert_eq!(cash - paid, record.sessions.last().unwrap().cash, "{name}");
        assert!(record.sessions.iter().all(|session| !session.cash.is_negative()), "{name}");
        let fees: Money = record.trades.iter().map(|trade| trade.fee).sum();
        assert_eq!(fees, record.costs());
        assert!(record.years.len() >= 2 && record.finals.liquidation <= record.finals.value);
    }
}

#[test]
fn windows_are_the_same_on_one_and_two_threads() {
    let panel = walks();
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &none(), None);
    let config = BacktestConfig::standard(panel.sessions()[300], panel.sessions()[400]);
    let strategy = StrategyConfig::standard();
    let all = |threads: usize| {
        let names = ["equal-weight", "random-dirichlet", "olmar", "harvester", "hrp"];
        let of = |name: &&str| {
            run_windows(&market, &|| strategy_by_name(name, &strategy), &config, &[14, 30], 5, threads).unwrap()
        };
        names.iter().map(of).collect::<Vec<_>>()
    };
    let (one, two) = (all(1), all(2));
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    assert_eq!(one[0].len(), 18 + 15);
    let summary = summarise_windows(&one[0], 5, lotwise_core::Seed::new(1));
    assert_eq!(format!("{summary:?}"), format!("{:?}", summarise_windows(&two[0], 5, lotwise_core::Seed::new(1))));
    assert!(summary.iter().all(|one| one.alpha.low <= one.alpha.estimate && one.alpha.estimate <= one.alpha.high));
}

#[test]
fn after_tax_equal_weight_is_compared_with_equal_weight_taxed_alike() {
    let panel = walks();
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &none(), None);
    let config = BacktestConfig::standard(panel.sessions()[300], panel.sessions()[420]);
    let strategy = StrategyConfig::standard();
    let of = |name: &str, config: &BacktestConfig| {
        let windows = run_windows(&market, &|| strategy_by_name(name, &strategy), config, &[60], 20, 1).unwrap();
        let summary = summarise_windows(&windows, 20, lotwise_core::Seed::new(1));
        (windows, summary)
    };
    let (windows, summary) = of("equal-weight", &config);
    assert!(windows.iter().any(|window| window.tax != Money::ZERO));
    for window in &windows {
        let (own, other) = (window.ret_after_tax - window.ret, window.ret_ew_after_tax - window.ret_ew);
        assert!((own - other).abs() < 1e-12, "the same account owes the same tax: {own} and {other}");
    }
    assert!((summary[0].after_tax.estimate - summary[0].alpha.estimate).abs() < 1e-12);
    // The parts add up to the difference of what is taxed on both sides.
    for name in ["olmar", "equal-weight-hold"] {
        let (_, summary) = of(name, &config);
        assert!((summary[0].parts.iter().sum::<f64>() - summary[0].after_tax.estimate).abs() < 1e-12, "{name}");
    }
    let untaxed = BacktestConfig { taxes: Taxes::None, ..config };
    assert!(of("olmar", &untaxed).0.iter().all(|window| window.ret_ew_after_tax == window.ret_ew));
}

/// Market values, each published a session after the one at whose close it was measured.
fn caps(panel: &Panel, known: &[(&str, usize, f64)]) -> MarketCaps {
    let rows = known.iter().map(|(symbol, at, cap)| {
        let value = Snapshot {
            date: panel.sessions()[*at],
            earnings_yield: None,
            book_yield: None,
            price_to_sales: None,
            dividend_yield: None,
            market_cap: Some(*cap),
        };
        (Symbol::parse(symbol).unwrap(), Dated { available_at: panel.sessions()[at + 1], value })
    });
    MarketCaps(Arc::new(MetadataSource { snapshots: Timeline::from_rows(rows), ..MetadataSource::default() }))
}

#[test]
fn cap_weights_follow_the_market_values_that_were_public() {
    let panel = walks();
    let known = caps(&panel, &[("S0", 300, 1e9), ("S1", 300, 3e9), ("S2", 310, 4e9)]);
    let decide = |at: usize| {
        let universe: Vec<_> = panel.assets().collect();
        let mut weights = vec![0.0; universe.len() + 1];
        weights[0] = 1.0;
        let observation = Observation {
            market: panel.as_of(panel.sessions()[at]).unwrap(),
            universe: &universe,
            weights: &weights,
            objective: lotwise_core::Objective::MaxGain1y,
        };
        let config = PolicyConfig { cash_target: 0.0, ..PolicyConfig::default() };
        CapWeight { config, caps: known.clone() }.decide(&observation).unwrap()
    };
    let close = |symbol: &str, at: usize| {
        panel.full_history(panel.asset(&Symbol::parse(symbol).unwrap()).unwrap(), Field::Close)[at]
    };
    // Values move with the closes; the third is not public yet, the others never are.
    let moved = [1e9 * close("S0", 305) / close("S0", 300), 3e9 * close("S1", 305) / close("S1", 300)];
    let decision = decide(305);
    for (weight, cap) in decision.weights.assets().iter().zip(moved) {
        assert!((weight - cap / (moved[0] + moved[1])).abs() < 1e-12);
    }
    assert!(decision.weights.assets()[2..].iter().all(|weight| *weight == 0.0));
    assert!(decision.notes.iter().all(|note| note.code() == "no_market_cap"));
    assert_eq!(decide(300).weights.cash(), 1.0, "measured, and not published yet");
    assert_eq!((decide(310).weights.assets()[2], decide(311).weights.assets()[2] > 0.0), (0.0, true));
}

#[test]
fn market_values_are_no_part_of_what_was_chosen() {
    let chosen = StrategyConfig::standard();
    let with_values = StrategyConfig { caps: Some(caps(&walks(), &[("S0", 300, 1e9)])), ..chosen.clone() };
    assert_eq!(format!("{chosen:?}"), format!("{with_values:?}"));
    assert_ne!(format!("{chosen:?}"), format!("{:?}", StrategyConfig { seed: lotwise_core::Seed::new(1), ..chosen }));
}

#[test]
fn every_strategy_runs_and_says_so_when_it_cannot() {
    let panel = walks();
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &none(), None);
    let config = BacktestConfig::standard(panel.sessions()[300], panel.sessions()[340]);
    let mut strategy = StrategyConfig::standard();
    strategy.index = Symbol::parse("S0").unwrap();
    strategy.bond = Symbol::parse("S1").unwrap();
    strategy.mix = vec![(Symbol::parse("S2").unwrap(), 0.5)];
    for name in strategy_names() {
        if needs_market_caps(name) {
            assert!(matches!(strategy_by_name(name, &strategy), Err(Error::NotAvailable { .. })));
            strategy.caps = Some(caps(&panel, &[("S0", 300, 1e9), ("S1", 300, 3e9)]));
        }
        let record = run(&market, strategy_by_name(name, &strategy).unwrap().as_mut(), &config).unwrap();
        assert_eq!((record.strategy.as_str(), record.sessions.len()), (name, 40));
        assert!(record.sessions.iter().all(|session| !session.cash.is_negative()), "{name}");
        assert_eq!(record.trades.is_empty(), name == "hold", "{name}");
    }
    assert!(matches!(strategy_by_name("bcrp", &strategy), Err(Error::NotAvailable { .. })));
    assert!(matches!(strategy_by_name("oracle", &strategy), Err(Error::UnknownPolicy { .. })));
}

#[test]
fn the_harvester_takes_losses_that_count_and_stays_invested() {
    let mut columns: Vec<(&str, Vec<f64>)> = vec![("AAA", Vec::new()), ("BBB", Vec::new()), ("CCC", Vec::new())];
    let walk = crate::fixture::walk(3, 1, 200, 0.01);
    for (at, price) in walk.iter().enumerate() {
        // The first and second move alike, until the first falls by a third on its own.
        let fall = if at > 120 { 0.66 } else { 1.0 };
        columns[0].1.push(price * fall);
        columns[1].1.push(price * (1.0 + 0.001 * f64::from(at as u32 % 3)));
        columns[2].1.push(100.0 + f64::from(at as u32 % 7));
    }
    let panel = crate::fixture::panel(&columns);
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &none(), None);
    let config = BacktestConfig::standard(panel.sessions()[70], panel.sessions()[199]);
    let mut rules = StrategyConfig::standard();
    rules.harvest.least_loss = 0.25;
    let mut harvester = strategy_by_name("harvester", &rules).unwrap();
    let record = run(&market, harvester.as_mut(), &config).unwrap();
    let sold: Vec<AssetIdx> =
        record.trades.iter().filter(|trade| trade.shares.is_negative()).map(|trade| trade.asset).collect();
    assert_eq!(sold, [AssetIdx(0)]);
    let bought = record.trades.last().unwrap();
    assert_eq!(bought.asset, AssetIdx(1), "the replacement is the one that moves alike");
    assert!(record.years[0].short.is_negative() && record.years[0].disallowed.is_zero());
    assert!(record.sessions.last().unwrap().liability.is_negative());
    assert!(record.cash_shares().last().unwrap() < &0.01);
}

#[test]
fn knowing_tomorrow_earns_what_the_oracle_earns() {
    /// Holds what rises most tomorrow; it was handed the future at birth.
    struct Prophet(Vec<usize>);
    impl Strategy for Prophet {
        fn name(&self) -> &str {
            "prophet"
        }
        fn decide(&mut self, observation: &Observation<'_>, _: &AccountView<'_>) -> Result<Decision, Error> {
            let mut weights = vec![0.0; observation.weights.len()];
            weights[1 + self.0[observation.market.end().0]] = 1.0;
            Ok(Decision { weights: Weights::new(weights)?, notes: Vec::new() })
        }
    }
    // Each session opens at the close before, so that a decision of session t earns from t to t + 1.
    let mut panel = walks();
    for asset in panel.assets() {
        for session in 1..panel.n_sessions() {
            let close = |session: usize| panel.full_history(asset, Field::Close)[session];
            let (open, close) = (close(session - 1), close(session));
            let bar =
                RawBar { open, high: open.max(close), low: open.min(close), ..crate::fixture::bar(session, close) };
            panel.set(asset, lotwise_market::SessionIdx(session), &bar);
        }
    }
    let closes = |asset: usize| panel.full_history(AssetIdx(asset), Field::AdjClose);
    let growth = |asset: usize, at: usize| closes(asset)[at + 1] / closes(asset)[at];
    let best = |at: usize| (0..8).max_by(|&a, &b| growth(a, at).total_cmp(&growth(b, at))).unwrap();
    let choice: Vec<usize> = (0..699).map(best).chain([0]).collect();
    let config = BacktestConfig {
        costs: Costs { basis_points: 0.0, impact: None },
        taxes: Taxes::None,
        ..BacktestConfig::standard(panel.sessions()[300], panel.sessions()[340])
    };
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &none(), None);
    let record = run(&market, &mut Prophet(choice.clone()), &config).unwrap();
    let oracle: f64 = (300..340).map(|at| growth(choice[at], at)).product();
    let earned = record.finals.value.to_f64() / 100_000.0;
    assert!((earned / oracle - 1.0).abs() < 1e-6 && oracle > 1.5, "{earned} of {oracle}");
}

#[test]
fn without_predictability_nothing_looks_like_skill() {
    let worlds = NullWorlds { n_worlds: 6, n_symbols: 8, warm_up: 260, n_sessions: 200, rebalance_sessions: 5 };
    let names = ["equal-weight", "equal-weight-hold", "inverse-volatility", "momentum-tilt", "pamr"];
    let found = null_worlds(&names, worlds, lotwise_core::Seed::new(11), 2).unwrap();
    let fewer = NullWorlds { n_worlds: 2, ..worlds };
    let alone = null_worlds(&names, fewer, lotwise_core::Seed::new(11), 1).unwrap();
    for (one, alone) in found.iter().zip(&alone) {
        assert_eq!(format!("{:?}", &one.alphas[..2]), format!("{:?}", alone.alphas));
        assert!(one.alphas.iter().all(Option::is_some), "{}", one.strategy);
        assert!(one.rejections() <= 1, "{}: {} of 6 worlds", one.strategy, one.rejections());
    }
}
