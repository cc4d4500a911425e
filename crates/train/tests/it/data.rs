//! Who may be drawn, and what may be seen.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_market::{Field, Membership, Panel};
use lotwise_nn::temporal::MiniRocketConfig;
use lotwise_tensor::Random;
use lotwise_train::encoder::{Day, EncoderData, Part, Tickers, Universe};

use crate::sample::{config, data, data_with, market, metadata};

#[test]
fn a_fifth_of_each_sector_is_kept_away_and_never_drawn() {
    let config = config();
    let data = data(&config);
    let held: BTreeSet<_> = data.held_out().into_iter().collect();
    // 22 companies in 11 sectors: a fifth of two rounds to nothing, so take half for this check.
    assert!(held.is_empty());
    let mut halves = config;
    halves.data.held_out_share = 0.5;
    let data = crate::sample::data(&halves);
    let held: BTreeSet<_> = data.held_out().into_iter().collect();
    assert_eq!((held.len(), data.n_seen()), (11, 11));
    let market = market();
    let mut sectors: BTreeMap<&str, usize> = BTreeMap::new();
    for ticker in market.tickers.iter().filter(|ticker| held.contains(&ticker.symbol)) {
        *sectors.entry(ticker.gics_sector).or_default() += 1;
    }
    assert!(sectors.values().all(|&count| count == 1) && sectors.len() == 11, "{sectors:?}");
    let mut random = Random::new(1);
    for day in data.draw(&mut random, 50, 30) {
        assert!(!day.assets.is_empty());
        assert!(day.assets.iter().all(|&asset| !held.contains(data.symbol(asset))));
    }
    let few = lotwise_train::encoder::SamplingConfig { train_dates: 7, ..halves.sampling };
    let few = crate::sample::data(&lotwise_train::encoder::RunConfig { sampling: few, ..halves.clone() });
    let sessions: BTreeSet<usize> = few.draw(&mut random, 60, 3).iter().map(|day| day.session).collect();
    assert!(sessions.len() <= 7 && sessions.len() > 3, "{sessions:?}");
    for day in data.spaced(Part::Validation, Tickers::HeldOut, 5, 30) {
        assert!(day.assets.iter().all(|&asset| held.contains(data.symbol(asset))));
    }
    halves.data.held_out_seed = 1;
    assert_ne!(crate::sample::data(&halves).held_out(), data.held_out());
}

#[test]
fn training_ends_a_window_and_an_embargo_before_validation() {
    let config = config();
    let data = data(&config);
    let (train, validation) = (data.sessions(Part::Train), data.sessions(Part::Validation));
    // Window 20, horizon 1, embargo 10.
    assert_eq!(validation.start - train.end, 31);
    assert!(data.range(Part::Validation)[1].to_string().as_str() <= "2012-09-30");
    let last = data.sessions(Part::Validation).end;
    assert!(
        data.next_return(data.universe(last - 1, Tickers::Seen)[0], last - 1).is_none(),
        "later bars are not there"
    );
}

#[test]
fn a_day_holds_the_members_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.csv");
    std::fs::write(
        &path,
        "ticker,start_date,end_date\nS0001,2009-01-01,\nS0002,2011-06-01,\nS0003,2009-01-01,2011-06-01\n",
    )
    .unwrap();
    let mut config = config();
    config.data.universe = Universe::Members;
    config.data.held_out_share = 0.0;
    let data = data_with(&config, Some(Membership::open(&path).unwrap()));
    let names = |session: usize| {
        let assets = data.universe(session, Tickers::Seen);
        assets.iter().map(|&asset| data.symbol(asset).to_string()).collect::<Vec<_>>().join(" ")
    };
    let first = data.sessions(Part::Train).start;
    assert_eq!(names(first + 100), "S0001 S0003");
    assert_eq!(names(data.sessions(Part::Validation).start), "S0001 S0002");
    assert_eq!(names(first + 10), "", "too few bars yet");
}

#[test]
fn bars_after_a_day_change_nothing_of_its_inputs() {
    let config = config();
    let market = market();
    let branch = MiniRocketConfig::default().init();
    let session = 400;
    let of = |market: &lotwise_market::synthetic::SyntheticMarket| {
        let panel = Panel::from_groups(&market.bars);
        let data = EncoderData::new(panel, metadata(market), None, String::new(), &config).unwrap();
        let assets = data.universe(session, Tickers::Seen);
        let batch = data.batch(vec![Day { session, assets }], true, &branch);
        (batch.inputs, batch.closes, batch.targets)
    };
    let (inputs, closes, targets) = of(&market);
    let mut changed = market;
    let mut random = Random::new(3);
    for (_, bars) in &mut changed.bars {
        for bar in &mut bars[session + 1..] {
            let factor = f64::from(0.3 * random.normal()).exp();
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close, &mut bar.adj_close] {
                *price *= factor;
            }
        }
    }
    let (other_inputs, other_closes, other_targets) = of(&changed);
    assert_eq!(inputs, other_inputs);
    assert_eq!(closes, other_closes);
    assert_eq!((&targets.regime, &targets.previous_regime), (&other_targets.regime, &other_targets.previous_regime));
    assert_ne!(targets.ret, other_targets.ret, "what comes true did change");
}

#[test]
fn targets_are_the_bars_that_follow() {
    let config = config();
    let data = data(&config);
    let market = market();
    let panel = Panel::from_groups(&market.bars);
    let session = 333;
    let asset = data.universe(session, Tickers::Seen)[2];
    let close = panel.full_history(asset, Field::AdjClose);
    let ret = data.next_return(asset, session).unwrap();
    assert!((f64::from(ret) - (close[session + 1] / close[session] - 1.0)).abs() < 1e-7);
    let [total, log_vol] = data.next_sessions(asset, session, 5).unwrap();
    assert!((f64::from(total) - (close[session + 5] / close[session]).ln()).abs() < 1e-6);
    let square = (0..5).map(|i| (close[session + i + 1] / close[session + i]).ln().powi(2)).sum::<f64>() / 5.0;
    assert!((f64::from(log_vol) - square.sqrt().ln()).abs() < 1e-5);
    let batch = data.batch(
        vec![Day { session, assets: vec![asset] }, Day { session: 334, assets: data.universe(334, Tickers::Seen) }],
        true,
        &lotwise_nn::temporal::NoTemporal,
    );
    assert_eq!(batch.targets.ret[0], Some(ret));
    let width = batch.inputs.dims()[1];
    assert!(batch.targets.ret[1..width].iter().all(Option::is_none), "padding has no target");
    assert_eq!(batch.inputs.keep.data()[..2], [1.0, 0.0]);
    let last = batch.closes.data()[batch.closes.shape()[2] - 1];
    assert!((f64::from(last) - close[session]).abs() < 1e-3, "the window ends with the day's close");
}
