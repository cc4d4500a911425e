//! The synthetic market keeps its promises: bars, actions, events, what is planted and what is not.

use lotwise_core::{Calendar, Date, Regime, Seed, Symbol};
use lotwise_market::synthetic::{
    EndReason, GICS_SECTORS, LifeConfig, Listing, ListingKind, MarketConfig, PlantedSignal, ScriptedSplit, SignalKind,
    SyntheticMarket, Universe, generate,
};
use lotwise_market::{AssetIdx, Panel, SessionIdx};

fn date(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

fn null_config(n_symbols: usize, n_sessions: usize) -> MarketConfig {
    MarketConfig::null(Universe::Invented { n_symbols }, date("2005-01-01"), n_sessions)
}

fn planted(kind: SignalKind, information_coefficient: f64) -> PlantedSignal {
    PlantedSignal { kind, information_coefficient }
}

fn listing(symbol: &str) -> Listing {
    Listing {
        symbol: Symbol::parse(symbol).expect("a symbol"),
        name: symbol.to_owned(),
        kind: ListingKind::Company { sector: 0 },
        beta: 1.0,
        sector_loading: 1.0,
        specific_vol_annual: 0.2,
        start_price_usd: 50.0,
        dividend_yield_annual: 0.04,
        shares_outstanding: 1e8,
        quality: 0.0,
        splits: Vec::new(),
    }
}

/// Mean of daily figures in units of its standard error.
fn t_statistic(daily: &[f64]) -> f64 {
    let count = daily.len() as f64;
    let mean = daily.iter().sum::<f64>() / count;
    let variance = daily.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    mean / (variance / count).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let (left_mean, right_mean) = (mean(left), mean(right));
    let (mut cross, mut left_squares, mut right_squares) = (0.0, 0.0, 0.0);
    for (a, b) in left.iter().zip(right) {
        cross += (a - left_mean) * (b - right_mean);
        left_squares += (a - left_mean).powi(2);
        right_squares += (b - right_mean).powi(2);
    }
    cross / (left_squares * right_squares).sqrt()
}

/// Total returns by asset, then session; the first session has none.
fn returns(market: &SyntheticMarket) -> Vec<Vec<f64>> {
    market
        .bars
        .iter()
        .map(|(_, bars)| {
            let later = bars.windows(2).map(|pair| pair[1].adj_close / pair[0].adj_close - 1.0);
            std::iter::once(f64::NAN).chain(later).collect()
        })
        .collect()
}

/// Cross-sectional correlation of a score at `t` with the total return of `t + 1`, day by day.
fn daily_coefficients(market: &SyntheticMarket, score: impl Fn(usize, usize) -> f64, from: usize) -> Vec<f64> {
    let rets = returns(market);
    (from..market.n_sessions() - 1)
        .filter_map(|session| {
            let scores: Vec<f64> = (0..market.n_assets()).map(|asset| score(asset, session)).collect();
            let next: Vec<f64> = rets.iter().map(|asset| asset[session + 1]).collect();
            let coefficient = correlation(&scores, &next);
            coefficient.is_finite().then_some(coefficient)
        })
        .collect()
}

#[test]
fn one_seed_makes_one_market() {
    let config = null_config(12, 300).with_signals(vec![planted(SignalKind::ShortTermReversal, 0.05)]);
    let text = |seed| format!("{:?}", generate(&config, Seed::new(seed)).unwrap());
    assert_eq!(text(3), text(3));
    assert_ne!(text(3), text(4));
}

#[test]
fn more_sessions_or_symbols_leave_the_earlier_ones_as_they_were() {
    let short = generate(&null_config(11, 200), Seed::new(1)).unwrap();
    let long = generate(&null_config(17, 400), Seed::new(1)).unwrap();
    for asset in 0..short.n_assets() {
        for &session in &short.sessions {
            assert_eq!(short.raw_close(AssetIdx(asset), session), long.raw_close(AssetIdx(asset), session));
        }
    }
}

#[test]
fn every_bar_is_a_proper_bar_on_a_real_session() {
    let calendar = Calendar::new_york();
    let market = generate(&null_config(40, 2_000), Seed::new(9)).unwrap();
    assert_eq!(market.sessions, calendar.between(date("2005-01-03"), *market.sessions.last().unwrap()));
    for (symbol, bars) in &market.bars {
        assert_eq!(bars.len(), 2_000);
        for bar in bars {
            assert_eq!(bar.check(&calendar).err(), None, "{symbol} {bar:?}");
            assert!(bar.volume >= 1.0 && bar.volume.fract() == 0.0);
        }
        let moving = bars.iter().filter(|bar| bar.low < bar.open.min(bar.close) && bar.high > bar.open.max(bar.close));
        assert!(moving.count() > 1_500, "{symbol}: highs and lows reach past open and close");
    }
    assert!(
        market.tickers.iter().map(|ticker| ticker.gics_sector).collect::<std::collections::BTreeSet<_>>().len() == 11
    );
}

#[test]
fn dividends_and_splits_explain_the_difference_between_raw_and_adjusted_prices() {
    let mut split = listing("SPLIT");
    split.splits.push(ScriptedSplit { ex_date: date("2007-05-12"), ratio: 4.0 });
    let mut config = null_config(1, 900);
    config.universe = Universe::Listed(vec![split, listing("PLAIN")]);
    config.actions.split_above_usd = None;
    config.actions.merge_below_usd = None;
    let market = generate(&config, Seed::new(5)).unwrap();
    let asset = market.asset("SPLIT").unwrap();
    let bars = &market.bars[asset.0].1;
    let ex = market.actions.iter().find(|action| action.split.to_f64() == 4.0).unwrap();
    assert_eq!(ex.ex_date, date("2007-05-14"), "a Saturday moves to Monday");
    for (at, bar) in bars.iter().enumerate() {
        let raw = market.raw_close(asset, bar.date).unwrap().to_f64();
        let ratio = if bar.date < ex.ex_date { 4.0 } else { 1.0 };
        assert!((raw / ratio - bar.close).abs() < 1e-9);
        let action =
            market.actions.iter().find(|action| action.symbol.as_str() == "SPLIT" && action.ex_date == bar.date);
        if at == 0 {
            assert!(action.is_none());
            continue;
        }
        let dividend = action.map_or(0.0, |action| action.dividend.to_f64());
        let adjusted = bar.adj_close / bars[at - 1].adj_close;
        assert!((adjusted - bar.close / (bars[at - 1].close - dividend)).abs() < 1e-9, "{}", bar.date);
    }
    let paid =
        market.actions.iter().filter(|action| action.symbol == ex.symbol && action.dividend.is_positive()).count();
    assert!((13..=15).contains(&paid), "four dividends a year: {paid}");
    let last = bars.last().unwrap();
    assert_eq!(last.close, last.adj_close);
}

#[test]
fn shares_far_from_the_usual_price_range_split_or_merge() {
    let mut config = null_config(1, 500);
    let mut dear = listing("DEAR");
    dear.start_price_usd = 900.0;
    let mut cheap = listing("CHEAP");
    cheap.start_price_usd = 2.0;
    config.universe = Universe::Listed(vec![dear, cheap]);
    let market = generate(&config, Seed::new(2)).unwrap();
    let ratio = |symbol: &str| {
        let mine = market.actions.iter().filter(|action| action.symbol.as_str() == symbol);
        mine.map(|action| action.split.to_f64()).find(|&split| split != 1.0)
    };
    assert_eq!(ratio("DEAR"), Some(4.0));
    assert_eq!(ratio("CHEAP"), Some(0.2));
}

#[test]
fn regimes_dwell_as_long_as_asked() {
    let mut config = null_config(1, 11_000);
    config.first_date = date("1990-01-01");
    let market = generate(&config, Seed::new(8)).unwrap();
    let regimes = &market.truth.regimes;
    for (regime, wanted) in Regime::ALL.into_iter().zip([60.0, 30.0, 15.0, 40.0]) {
        let sessions = regimes.iter().filter(|&&each| each == regime).count() as f64;
        let exits = regimes.windows(2).filter(|pair| pair[0] == regime && pair[1] != regime).count() as f64;
        // The mean of a geometric law is known to about 1/√exits of itself.
        let spread = 4.0 * wanted / exits.sqrt();
        assert!((sessions / exits - wanted).abs() < spread, "{regime}: {} sessions", sessions / exits);
    }
}

#[test]
fn returns_have_fat_tails_and_clusters_and_move_with_volume() {
    let market = generate(&null_config(30, 2_500), Seed::new(4)).unwrap();
    let (mut kurtoses, mut clusters, mut volumes) = (Vec::new(), Vec::new(), Vec::new());
    for ((_, bars), rets) in market.bars.iter().zip(returns(&market)) {
        let rets = &rets[1..];
        let centre = mean(rets);
        let squares: Vec<f64> = rets.iter().map(|ret| (ret - centre).powi(2)).collect();
        let fourths: Vec<f64> = squares.iter().map(|square| square * square).collect();
        kurtoses.push(mean(&fourths) / mean(&squares).powi(2));
        let sizes: Vec<f64> = squares.iter().map(|square| square.sqrt()).collect();
        clusters.push(correlation(&sizes[..sizes.len() - 1], &sizes[1..]));
        let log_volumes: Vec<f64> = bars[1..].iter().map(|bar| bar.volume.ln()).collect();
        volumes.push(correlation(&sizes, &log_volumes));
    }
    assert!(mean(&kurtoses) > 5.0, "kurtosis {}", mean(&kurtoses));
    assert!(mean(&clusters) > 0.05, "lag-one correlation of sizes {}", mean(&clusters));
    assert!(mean(&volumes) > 0.3, "volume against size {}", mean(&volumes));
}

#[test]
fn symbols_of_one_sector_move_together_more_than_others() {
    let market = generate(&null_config(44, 1_500), Seed::new(21)).unwrap();
    let rets = returns(&market);
    let (mut same, mut other) = (Vec::new(), Vec::new());
    for left in 0..market.n_assets() {
        for right in 0..left {
            let pair = correlation(&rets[left][1..], &rets[right][1..]);
            let together = market.tickers[left].gics_sector == market.tickers[right].gics_sector;
            if together { same.push(pair) } else { other.push(pair) }
        }
    }
    assert!(mean(&other) > 0.1, "the market factor: {}", mean(&other));
    assert!(mean(&same) > mean(&other) + 0.03, "sectors: {} against {}", mean(&same), mean(&other));
}

#[test]
fn the_null_market_cannot_be_foretold() {
    let market = generate(&null_config(120, 1_600), Seed::new(77)).unwrap();
    let constant = market.truth.expected_next_ret[0];
    assert!(market.truth.expected_next_ret.iter().all(|&expected| expected == constant));
    let bars = |asset: usize| &market.bars[asset].1;
    let back = |asset: usize, session: usize, sessions: usize| {
        bars(asset)[session].adj_close / bars(asset)[session - sessions].adj_close
    };
    let surprise = |asset: usize, session: usize| {
        let symbol = &market.bars[asset].0;
        let known = market.sessions[session];
        let mut mine = market.earnings.iter().filter(|report| &report.symbol == symbol && report.reaction <= known);
        mine.next_back().map_or(0.0, |report| report.surprise)
    };
    // A rule foretells nothing when its daily coefficients are centred on zero: |t| < 3.5 has odds
    // of 1 in 2000 against it for each rule, and the seed is fixed.
    let rules: [(&str, Vec<f64>); 5] = [
        ("one session", daily_coefficients(&market, |a, t| back(a, t, 1), 253)),
        ("five sessions", daily_coefficients(&market, |a, t| back(a, t, 5), 253)),
        ("12-1 momentum", daily_coefficients(&market, |a, t| back(a, t - 21, 231), 253)),
        ("range", daily_coefficients(&market, |a, t| bars(a)[t].high / bars(a)[t].low, 253)),
        ("beta", daily_coefficients(&market, |a, _| market.truth.betas[a], 253)),
    ];
    for (name, daily) in &rules {
        assert!(t_statistic(daily).abs() < 3.5, "{name}: t = {}", t_statistic(daily));
    }
    let sampled: Vec<f64> = daily_coefficients(&market, surprise, 1_300);
    assert!(t_statistic(&sampled).abs() < 3.5, "surprise: t = {}", t_statistic(&sampled));
    // The market as a whole: yesterday, and the regime that only the generator knows.
    let rets = returns(&market);
    let market_ret: Vec<f64> =
        (1..market.n_sessions()).map(|t| mean(&rets.iter().map(|asset| asset[t]).collect::<Vec<_>>())).collect();
    let products: Vec<f64> = market_ret.windows(2).map(|pair| (pair[0] - constant) * (pair[1] - constant)).collect();
    assert!(t_statistic(&products).abs() < 3.5, "market yesterday: t = {}", t_statistic(&products));
    for regime in Regime::ALL {
        let inside = market_ret.iter().zip(&market.truth.regimes[..market_ret.len()]);
        let after: Vec<f64> = inside.filter(|(_, each)| **each == regime).map(|(ret, _)| ret - constant).collect();
        assert!(t_statistic(&after).abs() < 3.5, "{regime}: t = {}", t_statistic(&after));
    }
}

#[test]
fn planted_signals_foretell_as_much_as_asked() {
    let planted_and_none = SignalKind::ALL.into_iter().zip([0.05, 0.10, 0.08, -0.06]);
    let cases = planted_and_none.chain([(SignalKind::ShortTermReversal, 0.0), (SignalKind::Momentum12To1, 0.0)]);
    for (kind, wanted) in cases {
        let config = null_config(100, 1_300).with_signals(vec![planted(kind, wanted)]);
        let market = generate(&config, Seed::new(31)).unwrap();
        let (signal, values) = &market.truth.signals[0];
        assert_eq!(signal.kind, kind);
        let daily: Vec<f64> = (300..market.n_sessions() - 1)
            .filter_map(|session| {
                let cells = (0..market.n_assets()).map(|asset| market.cell(AssetIdx(asset), SessionIdx(session)));
                let (scores, next): (Vec<f64>, Vec<f64>) = cells
                    .filter(|&cell| values[cell] != 0.0)
                    .map(|cell| {
                        (f64::from(values[cell]), market.truth.specific_ret[cell + 1] / market.truth.specific_vol[cell])
                    })
                    .unzip();
                let coefficient = correlation(&scores, &next);
                coefficient.is_finite().then_some(coefficient)
            })
            .collect();
        let standard_error = (mean(&daily) / t_statistic(&daily)).abs();
        assert!((mean(&daily) - wanted).abs() < 3.0 * standard_error, "{kind:?}: {} ± {standard_error}", mean(&daily));
        assert!(wanted == 0.0 || t_statistic(&daily).abs() > 5.0, "{kind:?} is there: t = {}", t_statistic(&daily));
    }
}

#[test]
fn the_oracle_expects_what_happens_on_average() {
    let signals = vec![planted(SignalKind::ShortTermReversal, 0.10), planted(SignalKind::Momentum12To1, 0.05)];
    let market = generate(&null_config(100, 1_300).with_signals(signals), Seed::new(12)).unwrap();
    let rets = returns(&market);
    let (mut slopes, mut spreads) = (Vec::new(), Vec::new());
    for session in 260..market.n_sessions() - 1 {
        let expected: Vec<f64> = (0..market.n_assets())
            .map(|asset| market.truth.expected_next_ret[market.cell(AssetIdx(asset), SessionIdx(session))])
            .collect();
        let next: Vec<f64> = rets.iter().map(|asset| asset[session + 1]).collect();
        let (expected_mean, next_mean) = (mean(&expected), mean(&next));
        let cross: f64 = expected.iter().zip(&next).map(|(a, b)| (a - expected_mean) * (b - next_mean)).sum();
        let squares: f64 = expected.iter().map(|a| (a - expected_mean).powi(2)).sum();
        slopes.push(cross / squares);
        spreads.push(cross);
    }
    let standard_error = mean(&slopes) / t_statistic(&slopes);
    assert!((mean(&slopes) - 1.0).abs() < 4.0 * standard_error, "slope {} ± {standard_error}", mean(&slopes));
    assert!(t_statistic(&spreads) > 5.0, "an oracle earns: t = {}", t_statistic(&spreads));
}

#[test]
fn reports_move_the_price_overnight_and_feed_the_fundamentals() {
    let market = generate(&null_config(60, 800), Seed::new(15)).unwrap();
    assert!(market.earnings.len() > 60 * 11, "a report each quarter: {}", market.earnings.len());
    let (mut surprises, mut gaps) = (Vec::new(), Vec::new());
    for report in &market.earnings {
        let session = market.sessions.binary_search(&report.reaction).unwrap();
        let before_the_reaction = if report.before_open { report.reaction } else { market.sessions[session - 1] };
        assert_eq!(report.announced, before_the_reaction);
        let bars = &market.bars[market.asset(report.symbol.as_str()).unwrap().0].1;
        if session > 0 {
            surprises.push(report.surprise);
            gaps.push(bars[session].open / bars[session - 1].close - 1.0);
        }
    }
    assert!(correlation(&surprises, &gaps) > 0.4, "{}", correlation(&surprises, &gaps));
    for row in &market.fundamentals {
        let known = |report: &&lotwise_market::synthetic::SyntheticEarnings| {
            report.symbol == row.symbol && report.announced < row.available_at
        };
        assert!(market.earnings.iter().any(|report| known(&report)), "{} {}", row.symbol, row.available_at);
        assert!(row.market_cap > 0.0 && row.book_value_per_share > 0.0 && row.shares_outstanding > 0.0);
    }
    assert_eq!(market.tickers[10].gics_sector, GICS_SECTORS[10]);
}

fn with_lives(n_symbols: usize, n_sessions: usize) -> MarketConfig {
    null_config(n_symbols, n_sessions).with_lives(LifeConfig { end_rate_annual: 0.25, ..LifeConfig::usual(n_sessions) })
}

#[test]
fn births_and_deaths_are_in_the_mask_and_nothing_happens_outside_a_life() {
    let market = generate(&with_lives(120, 1_000), Seed::new(41)).unwrap();
    let panel = Panel::from_groups(&market.bars);
    assert_eq!(panel.sessions(), market.sessions);
    let (mut late, mut ended) = (0, 0);
    for (at, (symbol, bars)) in market.bars.iter().enumerate() {
        let asset = AssetIdx(at);
        let Some((first, last)) = bars.first().zip(bars.last()) else { continue };
        let position = |day: Date| market.sessions.binary_search(&day).unwrap();
        let life = position(first.date)..=position(last.date);
        late += usize::from(*life.start() > 0);
        let ending = market.delistings.iter().find(|one| &one.symbol == symbol);
        assert!(ending.is_none_or(|one| one.last_session == last.date) && (ending.is_some() || *life.end() == 999));
        ended += usize::from(*life.end() < 999);
        for session in 0..1_000 {
            let day = market.sessions[session];
            let inside = life.contains(&session);
            assert_eq!(panel.full_mask(asset)[session], inside, "{symbol} {day}");
            assert_eq!(market.raw_close(asset, day).is_some(), inside);
            assert_eq!(market.raw_range(asset, day).is_some(), inside);
            let goes_on = inside && session < *life.end();
            assert_eq!(market.oracle(asset, SessionIdx(session)).is_some(), goes_on);
            let cell = market.cell(asset, SessionIdx(session));
            assert_eq!(market.truth.specific_ret[cell] != 0.0, inside);
        }
        let within = |day: Date| (first.date..=last.date).contains(&day);
        assert!(market.actions.iter().filter(|one| &one.symbol == symbol).all(|one| within(one.ex_date)));
        assert!(market.earnings.iter().filter(|one| &one.symbol == symbol).all(|one| within(one.reaction)));
    }
    // A third comes late; one in four a year ends, over a life of two to four years.
    assert!((25..=55).contains(&late), "{late}");
    assert!((40..=90).contains(&ended), "{ended}");
    let failed = market.delistings.iter().filter(|one| one.reason == EndReason::Failed).count();
    assert!(failed > 8 && failed < market.delistings.len() / 2, "{failed} of {}", market.delistings.len());
    for one in &market.delistings {
        let asset = market.asset(one.symbol.as_str()).unwrap();
        let close = market.raw_close(asset, one.last_session).unwrap().to_f64();
        assert!((one.payout.to_f64() - close * (1.0 + one.ret_after)).abs() < 1e-6);
        match one.reason {
            EndReason::Acquired => assert_eq!(one.ret_after, 0.0),
            EndReason::Failed => assert!((-0.6..=-0.2).contains(&one.ret_after)),
        }
    }
}

#[test]
fn lives_leave_markets_without_them_and_the_past_of_longer_ones_alone() {
    let config = |n_sessions| MarketConfig {
        lives: Some(LifeConfig { listing_window_sessions: 300, end_rate_annual: 0.3, ..LifeConfig::usual(300) }),
        ..null_config(30, n_sessions)
    };
    let (short, long) = (generate(&config(300), Seed::new(6)).unwrap(), generate(&config(700), Seed::new(6)).unwrap());
    for asset in (0..30).map(AssetIdx) {
        for &session in &short.sessions {
            assert_eq!(short.raw_close(asset, session), long.raw_close(asset, session));
        }
    }
    // A symbol that is there from the first session on trades as in a market without lives.
    let plain = generate(&null_config(30, 300), Seed::new(6)).unwrap();
    let compared = (0..30).map(AssetIdx).filter(|&asset| {
        let bars = &short.bars[asset.0].1;
        let ends = short.delistings.iter().any(|one| one.symbol == short.bars[asset.0].0);
        bars.len() == 300 && !ends && bars == &plain.bars[asset.0].1
    });
    assert!(compared.count() > 8);
}

#[test]
fn an_ending_is_fair_in_the_null_market_and_its_oracle_is_a_constant() {
    let market = generate(&with_lives(400, 1_000), Seed::new(52)).unwrap();
    let expected: Vec<f64> = (0..market.n_assets())
        .flat_map(|asset| (0..market.n_sessions()).map(move |session| (asset, session)))
        .filter_map(|(asset, session)| market.oracle(AssetIdx(asset), SessionIdx(session)))
        .collect();
    assert!(expected.iter().all(|&one| one == expected[0]));
    assert!((market.oracle_excess(SessionIdx(500), 10).unwrap()).abs() < 1e-15);
    // What holders of the last close but one get: the jump, the session and what is paid out.
    let rets: Vec<f64> = market
        .delistings
        .iter()
        .filter_map(|one| {
            let bars = &market.bars[market.asset(one.symbol.as_str()).unwrap().0].1;
            let [.., before, last] = &bars[..] else { return None };
            Some(last.adj_close / before.adj_close * (1.0 + one.ret_after) - 1.0)
        })
        .collect();
    assert!(rets.len() > 150, "{}", rets.len());
    assert!(t_statistic(&rets).abs() < 3.0, "t = {}", t_statistic(&rets));
    assert!(rets.iter().any(|ret| *ret > 0.2) && rets.iter().any(|ret| *ret < -0.5));
}

#[test]
fn a_portfolio_of_what_the_oracle_likes_earns_what_the_oracle_expects() {
    let signals = vec![planted(SignalKind::ShortTermReversal, 0.10), planted(SignalKind::PostEarningsDrift, 0.08)];
    let config = with_lives(120, 1_300).with_signals(signals);
    let market = generate(&config, Seed::new(19)).unwrap();
    let (mut earned, mut expected) = (Vec::new(), Vec::new());
    for session in 30..market.n_sessions() - 1 {
        let mut alive: Vec<(f64, f64)> = (0..market.n_assets())
            .filter_map(|at| {
                let (asset, day) = (AssetIdx(at), SessionIdx(session));
                let wanted = market.oracle(asset, day)?;
                let (symbol, bars) = &market.bars[at];
                let next = market.sessions[session + 1];
                let place = bars.binary_search_by_key(&next, |bar| bar.date).unwrap();
                let ending = market.delistings.iter().find(|one| &one.symbol == symbol && one.last_session == next);
                let paid = 1.0 + ending.map_or(0.0, |one| one.ret_after);
                Some((wanted, bars[place].adj_close / bars[place - 1].adj_close * paid - 1.0))
            })
            .collect();
        alive.sort_by(|a, b| b.0.total_cmp(&a.0));
        let ret = |some: &[(f64, f64)]| mean(&some.iter().map(|one| one.1).collect::<Vec<_>>());
        let bound = market.oracle_excess(SessionIdx(session), 10).unwrap();
        assert!(bound > 0.0);
        expected.push(bound);
        earned.push(ret(&alive[..10]) - ret(&alive));
    }
    let surprise: Vec<f64> = earned.iter().zip(&expected).map(|(earned, expected)| earned - expected).collect();
    assert!(t_statistic(&earned) > 5.0, "t = {}", t_statistic(&earned));
    assert!(t_statistic(&surprise).abs() < 3.0, "{} against {}", mean(&earned), mean(&expected));
    assert_eq!(market.oracle_excess(SessionIdx(100), 0), None);
    assert_eq!(market.oracle_excess(SessionIdx(market.n_sessions() - 1), 10), None, "nothing follows the last session");
}

#[test]
fn settings_that_cannot_be_simulated_are_refused_by_name() {
    type Spoil = fn(&mut MarketConfig);
    let cases: [(&str, Spoil); 11] = [
        ("lives.end_rate_annual", |config| {
            config.lives = Some(LifeConfig { end_rate_annual: 1.5, ..LifeConfig::usual(100) });
        }),
        ("lives.listing_window_sessions", |config| {
            config.lives = Some(LifeConfig { listing_window_sessions: 101, ..LifeConfig::usual(100) });
        }),
        ("n_sessions", |config| config.n_sessions = 0),
        ("n_sessions", |config| config.n_sessions = usize::MAX),
        ("universe", |config| config.universe = Universe::Invented { n_symbols: 0 }),
        ("tail_freedom", |config| config.tail_freedom = 2.0),
        ("garch.shock_weight + garch.persistence", |config| config.garch.shock_weight = 0.2),
        ("exits[2]", |config| config.exits[2] = [0.5, 0.5, 0.5, 0.0]),
        ("regimes[1].mean_dwell_sessions", |config| config.regimes[1].mean_dwell_sessions = f64::NAN),
        ("predictability.signals", |config| {
            let signal = PlantedSignal { kind: SignalKind::Momentum12To1, information_coefficient: 0.1 };
            *config = config.clone().with_signals(vec![signal, signal]);
        }),
        ("universe[TWICE].symbol", |config| {
            config.universe = Universe::Listed(vec![listing("TWICE"), listing("TWICE")]);
        }),
    ];
    for (setting, spoil) in cases {
        let mut config = null_config(12, 100);
        spoil(&mut config);
        let error = generate(&config, Seed::new(1)).unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
    }
}
