//! The training environment: hand-computed episodes, and what must hold of all of them.

use std::sync::Arc;

use lotwise_core::{AccountKind, Date, Money, Objective, RawBar, Seed, Shares, Symbol};
use lotwise_market::synthetic::{LifeConfig, MarketConfig, Universe, generate};
use lotwise_market::{ActionRow, CorporateActions, Panel};
use lotwise_sim::Error;
use lotwise_sim::backtest::strategies::{StrategyConfig, strategy_by_name};
use lotwise_sim::backtest::{
    BacktestConfig, BacktestMarket, Costs, EventKind as Happened, Payout, Taxes, equal_weight_returns, run,
};
use lotwise_sim::env::{Batch, Booked, End, EnvConfig, Environments, Episode, Nav, Tape, Timing};
use lotwise_sim::execution::ExecutionConfig;
use lotwise_tax::{
    Account, AccountId, Event, EventKind, Ledger, LotId, LotSelection, Method, Rules, SaleId, Term, book,
};

/// Opens and closes of one symbol on consecutive weekdays from 4 January 2021; NaN is no bar.
fn panel(columns: &[(&str, &[(f64, f64)])]) -> Panel {
    let start = Date::from_ymd(2021, 1, 4).unwrap();
    let day = |at: usize| start.plus_days((at / 5 * 7 + at % 5) as i32);
    let group = |(symbol, bars): &(&str, &[(f64, f64)])| {
        let rows = bars.iter().enumerate().filter(|(_, (open, _))| open.is_finite());
        let rows = rows.map(|(at, &(open, close))| RawBar {
            date: day(at),
            open,
            high: open.max(close),
            low: open.min(close),
            close,
            adj_close: close,
            volume: 1e6,
        });
        (Symbol::parse(symbol).unwrap(), rows.collect())
    };
    Panel::from_groups(&columns.iter().map(group).collect::<Vec<_>>())
}

fn tape(panel: &Panel, actions: &CorporateActions) -> Tape {
    Tape::new(&BacktestMarket::new(panel, panel.assets().collect(), actions, None))
}

/// No costs, threshold or cap; cash at the start.
fn plain(n_assets: usize) -> EnvConfig {
    let mut config = EnvConfig::stated(n_assets).from_cash();
    config.execution =
        ExecutionConfig { rebalance_threshold: 0.0, turnover_cap: f64::INFINITY, ..ExecutionConfig::paper() };
    config.horizon_steps = [1_000; 6];
    config.ruin = 0.0;
    config
}

fn placed(config: &EnvConfig, tape: &Tape) -> Episode {
    let universe: Vec<u32> = (0..config.n_assets as u32).collect();
    let mut episode = Episode::new(config).unwrap();
    episode.keep_log();
    episode.place(config, tape, 0, &universe, Objective::MaxGain1y).unwrap();
    episode
}

/// A market with splits, dividends, regimes and 30 companies over four years.
fn synthetic(seed: u64) -> (Panel, CorporateActions) {
    let start = Date::from_ymd(2015, 1, 2).unwrap();
    let config = MarketConfig::null(Universe::Invented { n_symbols: 30 }, start, 1_000);
    let market = generate(&config, Seed::new(seed)).unwrap();
    let rows = market.actions.iter().map(|action| ActionRow {
        ex_date: action.ex_date,
        symbol: action.symbol.clone(),
        dividend: action.dividend.to_f64(),
        split: action.split.to_f64(),
    });
    (Panel::from_groups(&market.bars), CorporateActions::from_rows(rows))
}

/// Weights of a made-up policy: spread at random, and seldom changed.
fn weights(seed: u64, environment: usize, step: usize, n_assets: usize) -> Vec<f64> {
    let number = |at: usize| {
        let mut bits = seed ^ ((environment as u64) << 40) ^ (((step / 3) as u64) << 20) ^ at as u64;
        bits = (bits ^ (bits >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((bits >> 11) as f64 / (1_u64 << 53) as f64).powi(3)
    };
    let raw: Vec<f64> = (0..=n_assets).map(number).collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|weight| weight / sum).collect()
}

/// Equal to a part of a cent.
fn assert_near(value: f64, wanted: f64) {
    assert!((value - wanted).abs() < 1e-5, "{value}, not {wanted}");
}

#[test]
fn buying_and_holding_is_the_asset() {
    let panel = panel(&[("AAA", &[(10.0, 10.0), (10.0, 11.0), (11.0, 12.0), (12.0, 9.0)])]);
    let tape = tape(&panel, &CorporateActions::default());
    let config = plain(1);
    let mut episode = placed(&config, &tape);
    let values: Vec<f64> =
        (0..3).map(|_| episode.step(&config, &tape, &[0.0, 1.0], None, 0.0).unwrap().info.value_before_tax).collect();
    // 10,000 shares at the open of 10, less the hair that keeps rounding from borrowing.
    for (value, wanted) in values.into_iter().zip([110_000.0, 120_000.0, 90_000.0]) {
        assert_near(value, wanted);
    }
    assert!((episode.account().held(0) - Shares::from_whole(10_000)).abs() <= Shares::from_billionths(20));
    // Nothing was sold, so nothing is owed.
    assert_near(episode.value(), 90_000.0);
    assert_eq!(episode.step(&config, &tape, &[0.0, 1.0], None, 0.0), Err(Error::EpisodeOver));
}

#[test]
fn all_cash_stays_cash() {
    let panel = panel(&[("AAA", &[(10.0, 10.0), (20.0, 20.0), (30.0, 30.0)])]);
    let tape = tape(&panel, &CorporateActions::default());
    let config = plain(1);
    let mut episode = placed(&config, &tape);
    for _ in 0..2 {
        let result = episode.step(&config, &tape, &[1.0, 0.0], None, 0.0).unwrap();
        assert_eq!((result.info.value, result.info.n_trades, result.info.ret), (100_000.0, 0, 0.0));
    }
    assert!(episode.account().rows().is_empty());
}

#[test]
fn one_round_trip_pays_its_costs_and_its_tax() {
    let panel = panel(&[("AAA", &[(10.0, 10.0), (10.0, 12.0), (12.0, 12.0), (12.0, 12.0)])]);
    let tape = tape(&panel, &CorporateActions::default());
    let mut config = plain(1);
    config.execution.cost.proportional_bps = 10.0;
    let mut episode = placed(&config, &tape);
    let bought = episode.step(&config, &tape, &[0.5, 0.5], None, 0.0).unwrap();
    // Costs are paid from the half that is invested; it was bought at 10 and closes at 12.
    let amount = 50_000.0 / 1.001;
    assert_near(bought.info.value_before_tax, 50_000.0 + 1.2 * amount);
    let sold = episode.step(&config, &tape, &[1.0, 0.0], None, 0.0).unwrap();
    // Costs lower the proceeds and are in the basis; the gain is short-term at 24 %.
    let gain = 1.2 * amount * 0.999 - 50_000.0;
    assert_near(sold.info.value_before_tax, 100_000.0 + gain);
    assert_near(sold.info.value, 100_000.0 + 0.76 * gain);
    let row = episode.account().rows()[0];
    assert_eq!(row.term, Some(Term::Short));
    assert_near(row.reportable().unwrap().to_f64(), gain);
}

#[test]
fn a_fill_at_a_higher_open_never_borrows() {
    let panel = panel(&[("AAA", &[(10.0, 10.0), (15.0, 15.0), (15.0, 15.0)])]);
    let tape = tape(&panel, &CorporateActions::default());
    let mut config = plain(1);
    config.execution.cost.proportional_bps = 25.0;
    let mut episode = placed(&config, &tape);
    let result = episode.step(&config, &tape, &[0.0, 1.0], None, 0.0).unwrap();
    let cash = episode.account().cash();
    assert!(!cash.is_negative() && cash < Money::from_whole(1), "{cash}");
    assert!((result.info.bought - 100_000.0 / 1.0025).abs() < 1.0);
}

#[test]
fn a_symbol_that_ends_pays_its_last_price() {
    let gone = (f64::NAN, f64::NAN);
    let panel = panel(&[
        ("AAA", &[(10.0, 10.0), (10.0, 8.0), gone, gone]),
        ("BBB", &[(10.0, 10.0), (10.0, 10.0), (10.0, 10.0), (10.0, 10.0)]),
    ]);
    let tape = tape(&panel, &CorporateActions::default());
    let mut config = plain(2);
    config.delisting_loss = 0.5;
    let mut episode = placed(&config, &tape);
    episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    let ended = episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    // 10,000 shares, half of the last close of 8 each.
    assert_near(episode.account().cash().to_f64(), 40_000.0);
    assert_near(ended.info.value_before_tax, 40_000.0);
    // The loss of 60,000 saves 3,000 at 24 % this year; the carried 57,000 count half the long rate.
    assert_near(ended.info.value, 40_000.0 + 720.0 + 57_000.0 * 0.075);
    // What can no longer be bought is cash.
    episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    assert_near(episode.account().cash().to_f64(), 40_000.0);
}

#[test]
fn what_is_bought_at_a_last_close_is_paid_out() {
    let gone = (f64::NAN, f64::NAN);
    let flat = (10.0, 10.0);
    let panel = panel(&[("AAA", &[flat, flat, gone, gone]), ("BBB", &[flat, flat, flat, flat])]);
    let tape = tape(&panel, &CorporateActions::default());
    let mut config = plain(2);
    config.timing = Timing::SameClose;
    config.delisting_loss = 0.5;
    let mut episode = placed(&config, &tape);
    episode.step(&config, &tape, &[1.0, 0.0, 0.0], None, 0.0).unwrap();
    // Bought at the last close there is, and worth half of it in the session after.
    let ended = episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    assert_near(ended.info.bought, 100_000.0);
    assert!(episode.account().held(0).is_zero());
    assert_near(episode.account().cash().to_f64(), 50_000.0);
    assert_near(ended.info.value_before_tax, 50_000.0);
}

#[test]
fn what_is_sold_at_a_last_close_is_not_paid_out_again() {
    let gone = (f64::NAN, f64::NAN);
    let flat = (10.0, 10.0);
    let panel = panel(&[("AAA", &[flat, (10.0, 12.0), gone, gone]), ("BBB", &[flat, flat, flat, flat])]);
    let tape = tape(&panel, &CorporateActions::default());
    let mut config = plain(2);
    config.timing = Timing::SameClose;
    config.delisting_loss = 0.5;
    let mut episode = placed(&config, &tape);
    episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    let sold = episode.step(&config, &tape, &[1.0, 0.0, 0.0], None, 0.0).unwrap();
    assert_near(sold.info.sold, 120_000.0);
    assert_near(episode.account().cash().to_f64(), 120_000.0);
    assert_eq!(episode.account().rows().len(), 1);
    // Half of it sold at the last close leaves the other half to be paid out.
    let mut episode = placed(&config, &tape);
    episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    let halved = episode.step(&config, &tape, &[0.5, 0.5, 0.0], None, 0.0).unwrap();
    assert_near(halved.info.sold, 60_000.0);
    assert!(episode.account().held(0).is_zero());
    assert_near(episode.account().cash().to_f64(), 60_000.0 + 30_000.0);
}

#[test]
fn an_asset_that_stands_twice_in_an_episode_is_refused() {
    let flat = [(10.0, 10.0); 3];
    let panel = panel(&[("AAA", &flat), ("BBB", &flat), ("CCC", &flat)]);
    let tape = tape(&panel, &CorporateActions::default());
    let config = plain(3);
    let mut episode = placed(&config, &tape);
    let before = episode.value();
    let refused = episode.place(&config, &tape, 1, &[2, 0, 2], Objective::MaxGain1y);
    assert_eq!(refused, Err(Error::PlacedTwice { asset: 2 }));
    // Nothing was changed: both steps are still ahead.
    assert_near(episode.value(), before);
    for _ in 0..2 {
        episode.step(&config, &tape, &[1.0, 0.0, 0.0, 0.0], None, 0.0).unwrap();
    }
}

#[test]
fn each_symbol_that_ends_pays_what_it_pays_out() {
    let gone = (f64::NAN, f64::NAN);
    let flat = (10.0, 10.0);
    let panel = panel(&[
        ("AAA", &[flat, flat, gone, gone, gone]),
        ("BBB", &[flat, flat, flat, gone, gone]),
        ("CCC", &[flat, flat, flat, flat, gone]),
        ("DDD", &[flat, flat, flat, flat, flat]),
    ]);
    let payout = |symbol: &str, last: usize, per_share: &str| Payout {
        symbol: Symbol::parse(symbol).unwrap(),
        last_session: panel.sessions()[last],
        per_share: lotwise_core::Price::parse(per_share).unwrap(),
    };
    // AAA is bought at 13.50, BBB fails and pays 1.20, CCC's is not known; an entry for a symbol that
    // goes on says nothing.
    let known = [payout("AAA", 1, "13.50"), payout("BBB", 2, "1.20"), payout("DDD", 2, "1")];
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &CorporateActions::default(), None);
    let tape = Tape::new(&market.with_payouts(known.clone()));
    let config = EnvConfig { delisting_loss: 0.5, ..plain(4) };
    let mut episode = placed(&config, &tape);
    let mut wanted = vec![0.0, 0.25, 0.25, 0.25, 0.25];
    let mut cash = Vec::new();
    for _ in 0..4 {
        episode.step(&config, &tape, &wanted, None, 0.0).unwrap();
        cash.push(episode.account().cash().to_f64());
        episode.weights(&mut wanted);
    }
    // 2,500 shares of each: 33,750, then 3,000, then half of the last close.
    for (cash, wanted) in cash.into_iter().zip([0.0, 33_750.0, 36_750.0, 49_250.0]) {
        assert_near(cash, wanted);
    }
    assert_near(episode.value_before_tax(), 74_250.0);

    // The same in a backtest, whose benchmark is paid out alike.
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &CorporateActions::default(), None);
    let market = market.with_payouts(known);
    let sessions = panel.sessions();
    let config = BacktestConfig {
        delisting_loss: 0.5,
        costs: Costs { basis_points: 0.0, impact: None },
        taxes: Taxes::None,
        ..BacktestConfig::standard(sessions[0], sessions[4])
    };
    let mut hold = strategy_by_name("equal-weight-hold", &StrategyConfig::standard()).unwrap();
    let record = run(&market, hold.as_mut(), &config).unwrap();
    assert_near(record.finals.value.to_f64(), 74_250.0);
    let paid: Vec<f64> = record
        .events
        .iter()
        .filter_map(|event| match event.kind {
            Happened::Ended { paid } => Some(paid.to_f64()),
            _ => None,
        })
        .collect();
    for (paid, wanted) in paid.into_iter().zip([33_750.0, 3_000.0, 12_500.0]) {
        assert_near(paid, wanted);
    }
    let benchmark = equal_weight_returns(&market, sessions[0], sessions[4]);
    for (ret, wanted) in benchmark.into_iter().zip([0.0, 0.35 / 4.0, -0.88 / 3.0, 0.0]) {
        assert_near(ret, wanted);
    }
}

#[test]
fn holders_of_synthetic_listings_get_what_the_market_pays_out() {
    let start = Date::from_ymd(2015, 1, 2).unwrap();
    let config = MarketConfig::null(Universe::Invented { n_symbols: 40 }, start, 800)
        .with_lives(LifeConfig { end_rate_annual: 0.3, ..LifeConfig::usual(800) });
    let market = generate(&config, Seed::new(3)).unwrap();
    let panel = Panel::from_groups(&market.bars);
    let actions = CorporateActions::from_rows(market.actions.iter().map(|action| ActionRow {
        ex_date: action.ex_date,
        symbol: action.symbol.clone(),
        dividend: action.dividend.to_f64(),
        split: action.split.to_f64(),
    }));
    let tape = Tape::new(
        &BacktestMarket::new(&panel, panel.assets().collect(), &actions, None)
            .with_payouts(market.delistings.iter().map(Payout::from)),
    );
    let mut seen = 0;
    for ended in &market.delistings {
        let asset = panel.asset(&ended.symbol).unwrap();
        let last = panel.session_on_or_before(ended.last_session).unwrap().0;
        if last + 1 >= panel.n_sessions() {
            continue;
        }
        let config = plain(1);
        let mut episode = Episode::new(&config).unwrap();
        episode.place(&config, &tape, last - 1, &[asset.0 as u32], Objective::MaxGain1y).unwrap();
        episode.step(&config, &tape, &[0.0, 1.0], None, 0.0).unwrap();
        let shares = episode.account().held(0);
        let before = episode.account().cash();
        episode.step(&config, &tape, &[0.0, 1.0], None, 0.0).unwrap();
        assert!(shares.is_positive() && episode.account().held(0).is_zero());
        assert_eq!(episode.account().cash() - before, ended.payout * shares, "{}", ended.symbol);
        seen += usize::from(ended.ret_after < 0.0);
    }
    assert!(seen > 2, "some of them failed");
}

#[test]
fn splits_and_dividends_reach_the_account() {
    // The table is in the basis after the split: 2 for 1 on 6 January, 0.50 paid on 7 January.
    let panel = panel(&[("AAA", &[(10.0, 10.0), (10.0, 10.0), (10.0, 10.0), (9.5, 9.5), (9.5, 9.5)])]);
    let symbol = Symbol::parse("AAA").unwrap();
    let row = |day: u32, dividend, split| ActionRow {
        ex_date: Date::from_ymd(2021, 1, day).unwrap(),
        symbol: symbol.clone(),
        dividend,
        split,
    };
    let actions = CorporateActions::from_rows([row(6, 0.0, 2.0), row(7, 0.5, 1.0)]);
    let tape = tape(&panel, &actions);
    let config = plain(1);
    let mut episode = placed(&config, &tape);
    let mut values = Vec::new();
    for at in 0..4 {
        let mut weights = [0.0; 2];
        episode.weights(&mut weights);
        let wanted = if at == 0 { [0.0, 1.0] } else { weights };
        values.push(episode.step(&config, &tape, &wanted, None, 0.0).unwrap().info.value_before_tax);
    }
    // Bought at 20 as traded; 5,000 shares become 10,000.
    for value in values {
        assert_near(value, 100_000.0);
    }
    assert_near(episode.account().held(0).to_f64(), 10_000.0);
    assert_near(episode.account().cash().to_f64(), 5_000.0);
    // The dividend is taxed at 15 %.
    assert_near(episode.value(), 99_250.0);
}

#[test]
fn tax_is_paid_in_april_and_raised_where_there_is_no_cash() {
    let mut bars = vec![(10.0, 10.0), (10.0, 20.0)];
    bars.extend([(20.0, 20.0); 360]);
    let panel = panel(&[("AAA", &bars), ("BBB", &vec![(5.0, 5.0); 362])]);
    let tape = tape(&panel, &CorporateActions::default());
    let config = plain(2);
    let mut episode = placed(&config, &tape);
    episode.step(&config, &tape, &[0.0, 1.0, 0.0], None, 0.0).unwrap();
    // A gain of 100,000, all put into the other asset.
    for _ in 0..355 {
        let before = episode.account().paid();
        let result = episode.step(&config, &tape, &[0.0, 0.0, 1.0], None, 0.0).unwrap();
        assert!(!episode.account().cash().is_negative());
        // What is owed lowers the value from the day of the sale on, and paying it changes nothing.
        assert!((result.info.value - 176_000.0).abs() < 1e-6, "{}", result.info.value);
        if !before.is_zero() {
            assert!(tape.sessions()[episode.session()] >= Date::from_ymd(2022, 4, 15).unwrap());
        }
    }
    assert_near(episode.account().paid().to_f64(), 24_000.0);
    assert!(episode.account().unpaid().is_zero());
}

#[test]
fn the_book_of_an_episode_is_that_of_the_same_trades() {
    let (panel, actions) = synthetic(3);
    let tape = Arc::new(tape(&panel, &actions));
    let mut n_washed = 0;
    for (method, seed) in [(Method::MinTax, 1), (Method::Fifo, 2), (Method::Hifo, 3)] {
        let mut config = EnvConfig::stated(8);
        config.tax.method = method;
        config.execution.turnover_cap = 1.0;
        let mut episode = Episode::new(&config).unwrap();
        episode.keep_log();
        for number in 0..6 {
            episode.reset(&config, &tape, Seed::new(seed), number).unwrap();
            while episode.steps_left() > 0 {
                let step = episode.steps_left() as usize;
                episode.step(&config, &tape, &weights(seed, number as usize, step, 8), None, 0.0).unwrap();
                assert!(!episode.account().cash().is_negative());
            }
            let booking =
                book(&ledger(&episode, method), &Rules { rates: config.tax.rates, ..Rules::default() }).unwrap();
            let rows = episode.account().rows();
            assert_eq!(rows.len(), booking.sales.len());
            for (one, other) in rows.iter().zip(&booking.sales) {
                assert_eq!(
                    (one.shares, one.proceeds, one.basis(), one.disallowed, one.term, one.sold()),
                    (other.shares, other.proceeds, other.basis, other.disallowed, other.term, other.sold)
                );
            }
            n_washed += rows.iter().filter(|row| row.disallowed.is_positive()).count();
            for asset in 0..8 {
                let symbol = Symbol::parse(&format!("A{asset}")).unwrap();
                let open = booking.open_lots.iter().filter(|lot| lot.symbol == symbol);
                assert_eq!(episode.account().held(asset), open.map(|lot| lot.shares).sum());
            }
        }
    }
    assert!(n_washed > 100, "{n_washed} washed rows do not prove much");
}

/// The events of an episode as a ledger of a live account.
fn ledger(episode: &Episode, method: Method) -> Ledger {
    let account = AccountId::new("sim");
    let events = episode.account().log().unwrap().iter().enumerate().map(|(number, (date, asset, booked))| {
        let kind = match *booked {
            Booked::Buy(trade) => EventKind::Buy {
                lot: LotId::new(&format!("L{number}")),
                shares: trade.shares,
                amount: trade.amount,
                fee: trade.fee,
            },
            Booked::Sell(trade) => EventKind::Sell {
                sale: SaleId::new(&format!("S{number}")),
                shares: trade.shares,
                amount: trade.amount,
                fee: trade.fee,
                lots: LotSelection::Standing,
                identified: None,
            },
            Booked::Split { new, old } => EventKind::Split { new, old },
        };
        Event { date: *date, account: account.clone(), symbol: Symbol::parse(&format!("A{asset}")).unwrap(), kind }
    });
    let events = events.collect();
    Ledger { accounts: vec![Account { id: account, kind: AccountKind::Taxable, method }], events }
}

/// Plays environments and gives everything that came out as bytes.
fn play(tape: &Arc<Tape>, config: EnvConfig, threads: usize) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| played(tape, config))
}

fn played(tape: &Arc<Tape>, config: EnvConfig) -> Vec<u8> {
    let n = 40;
    let mut environments = Environments::new(Arc::clone(tape), config, n, Seed::new(11)).unwrap();
    let mut batch: Batch = environments.batch();
    let mut bytes = Vec::new();
    for step in 0..60 {
        let wanted: Vec<f64> = (0..n).flat_map(|at| weights(5, at, step, config.n_assets)).collect();
        environments.step(&wanted, None, 0.5, &mut batch).unwrap();
        for result in batch.results.iter().flatten() {
            bytes.extend(result.reward.total().to_bits().to_le_bytes());
            bytes.extend(result.info.value.to_bits().to_le_bytes());
        }
        bytes.extend(batch.tickers.iter().chain(&batch.global).flat_map(|number| number.to_bits().to_le_bytes()));
        environments.reset_ended(&batch).unwrap();
    }
    bytes
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let (panel, actions) = synthetic(4);
    let tape = Arc::new(tape(&panel, &actions));
    let config = EnvConfig::stated(6);
    let one = play(&tape, config, 1);
    assert!(one == play(&tape, config, 2) && one == play(&tape, config, 3));
}

#[test]
fn corrupted_future_bars_change_nothing_before_them() {
    let (panel, actions) = synthetic(5);
    let cut = 500;
    let mut corrupted = panel.clone();
    for asset in panel.assets() {
        for session in cut + 1..panel.n_sessions() {
            let bar = RawBar {
                date: panel.sessions()[session],
                open: 7.0,
                high: 9.0,
                low: 1.0,
                close: 3.0 + (session % 5) as f64,
                adj_close: 3.0 + (session % 5) as f64,
                volume: 10.0,
            };
            corrupted.set(asset, lotwise_market::SessionIdx(session), &bar);
        }
    }
    let mut config = EnvConfig::stated(6).from_cash();
    config.execution.cost.impact_coef = 0.1;
    config.horizon_steps = [100; 6];
    let universe = [0, 3, 5, 8, 13, 21];
    let run = |panel: &Panel| {
        let tape = tape(panel, &actions);
        let mut episode = Episode::new(&config).unwrap();
        episode.place(&config, &tape, cut - 90, &universe, Objective::IncomeHarvest).unwrap();
        let mut seen = Vec::new();
        while episode.session() < cut {
            let result = episode.step(&config, &tape, &weights(9, 0, episode.session(), 6), None, 0.0).unwrap();
            let (mut tickers, mut global) = ([0.0; 72], [0.0; 16]);
            episode.observe(&config, &tape, &mut tickers, &mut global);
            seen.push((
                result.reward.total().to_bits(),
                result.info.value.to_bits(),
                tickers.map(f32::to_bits),
                global.map(f32::to_bits),
            ));
        }
        seen
    };
    let before = run(&panel);
    assert_eq!(before.len(), 90);
    assert!(before == run(&corrupted));
}

#[test]
fn knowing_tomorrow_earns_what_tomorrow_brings() {
    let (panel, actions) = synthetic(6);
    let tape = tape(&panel, &actions);
    let mut config = plain(10);
    (config.timing, config.nav) = (Timing::SameClose, Nav::PreTax);
    let mut episode = placed(&config, &tape);
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &actions, None);
    let mut oracle = 1.0;
    for session in 1..120 {
        let rets: Vec<f64> = (0..10).map(|asset| market.total_return(asset, session).unwrap()).collect();
        let best = (0..10).max_by(|one, other| rets[*one].total_cmp(&rets[*other])).unwrap();
        oracle *= 1.0 + rets[best];
        let mut wanted = [0.0; 11];
        wanted[best + 1] = 1.0;
        episode.step(&config, &tape, &wanted, None, 0.0).unwrap();
    }
    let earned = episode.value_before_tax() / 100_000.0;
    assert!(oracle > 5.0 && (earned / oracle - 1.0).abs() < 2e-3, "{earned} of {oracle}");
}

#[test]
fn half_of_the_episodes_begin_with_random_lots_of_the_same_value() {
    let (panel, actions) = synthetic(7);
    let tape = tape(&panel, &actions);
    let config = EnvConfig::stated(10);
    let mut episode = Episode::new(&config).unwrap();
    let (mut n_random, mut n_long, mut n_loss) = (0, 0, 0);
    for number in 0..200 {
        episode.reset(&config, &tape, Seed::new(1), number).unwrap();
        assert!((episode.value_before_tax() - 100_000.0).abs() < 1e-3, "{}", episode.value_before_tax());
        let (mut tickers, mut global) = ([0.0; 120], [0.0; 16]);
        episode.observe(&config, &tape, &mut tickers, &mut global);
        if episode.account().cash() < Money::from_whole(100_000) {
            n_random += 1;
            n_long += tickers.chunks(12).filter(|ticker| ticker[2] < 1.0 && ticker[9] == 1.0).count();
            n_loss += tickers.chunks(12).filter(|ticker| ticker[4] > 0.0).count();
        }
    }
    assert!((75..=125).contains(&n_random) && n_long > 200 && n_loss > 200, "{n_random} {n_long} {n_loss}");
}

#[test]
fn an_account_that_has_lost_half_is_over() {
    let panel = panel(&[("AAA", &[(10.0, 10.0), (10.0, 10.0), (4.0, 4.0), (4.0, 4.0)])]);
    let tape = tape(&panel, &CorporateActions::default());
    let mut config = plain(1);
    config.ruin = 0.5;
    let mut episode = placed(&config, &tape);
    assert_eq!(episode.step(&config, &tape, &[0.0, 1.0], None, 0.0).unwrap().end, None);
    assert_eq!(episode.step(&config, &tape, &[0.0, 1.0], None, 0.0).unwrap().end, Some(End::Terminated));
    assert_eq!(episode.step(&config, &tape, &[0.0, 1.0], None, 0.0), Err(Error::EpisodeOver));
}

#[test]
fn what_cannot_be_a_portfolio_is_refused() {
    let panel = panel(&[("AAA", &[(10.0, 10.0), (10.0, 10.0)])]);
    let tape = tape(&panel, &CorporateActions::default());
    let config = plain(1);
    let mut episode = placed(&config, &tape);
    for weights in [&[0.5, 0.4][..], &[1.0], &[1.5, -0.5], &[f64::NAN, 1.0]] {
        assert!(
            matches!(episode.step(&config, &tape, weights, None, 0.0), Err(Error::NotOnSimplex { .. })),
            "{weights:?}"
        );
    }
    let config = EnvConfig { ruin: 2.0, ..config };
    assert!(matches!(Episode::new(&config), Err(Error::Setting { setting: "ruin", .. })));
}
