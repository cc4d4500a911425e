//! The tax-aware list of trades as a strategy.

use lotwise_core::{Date, Money, Price, RawBar, Symbol};
use lotwise_market::{AssetIdx, CorporateActions, Panel};
use lotwise_sim::Error;
use lotwise_sim::backtest::strategies::{StrategyConfig, strategy_by_name};
use lotwise_sim::backtest::{
    AccountView, BacktestConfig, BacktestMarket, Costs, DividendTax, EventKind, LotSale, Record, Strategy, Taxes, run,
};
use lotwise_sim::policy::{Decision, Observation, Weights};
use lotwise_tax::FlatRates;

use crate::fixture::walk;

/// Sessions on consecutive days; each opens at the close before, so that trades have the prices that
/// decisions saw.
fn panel(columns: &[(&str, Vec<f64>)]) -> Panel {
    let group = |(symbol, closes): &(&str, Vec<f64>)| {
        let bars = closes.iter().enumerate().map(|(at, &close)| {
            let open = closes[at.saturating_sub(1)];
            RawBar {
                date: Date::from_ymd(2020, 1, 1).unwrap().plus_days(i32::try_from(at).unwrap()),
                open,
                high: open.max(close),
                low: open.min(close),
                close,
                adj_close: close,
                volume: 1e6,
            }
        });
        (Symbol::parse(symbol).unwrap(), bars.collect())
    };
    Panel::from_groups(&columns.iter().map(group).collect::<Vec<_>>())
}

fn play(panel: &Panel, name: &str, strategies: &StrategyConfig, config: &BacktestConfig) -> Record {
    let market = BacktestMarket::new(panel, panel.assets().collect(), &CorporateActions::default(), None);
    run(&market, strategy_by_name(name, strategies).unwrap().as_mut(), config).unwrap()
}

#[test]
fn a_loss_is_taken_whole_and_the_asset_bought_again_after_the_window() {
    let n = 90;
    // AAA falls by a fifth after the window of its purchase; BBB does not move.
    let fall = (0..n).map(|at| if at < 40 { 10.0 } else { 8.0 }).collect();
    let panel = panel(&[("AAA", fall), ("BBB", vec![10.0; n])]);
    let sessions = panel.sessions();
    let all_usable = Taxes::Flat {
        rates: FlatRates::default(),
        loss_limit: Money::from_whole(100_000),
        dividends: DividendTax::Qualified,
    };
    let config = BacktestConfig {
        costs: Costs { basis_points: 0.0, impact: None },
        taxes: all_usable,
        ..BacktestConfig::standard(sessions[0], sessions[n - 1])
    };
    let mut strategies = StrategyConfig::standard();
    strategies.tax_aware.risk_weight = 1.0;
    let record = play(&panel, "tax-aware", &strategies, &config);
    let of_a: Vec<_> = record.trades.iter().filter(|trade| trade.asset == AssetIdx(0)).collect();
    // One purchase, one sale of all of it, one purchase when the window is over.
    let dates: Vec<_> = of_a.iter().map(|trade| trade.date).collect();
    assert_eq!(dates, [sessions[1], sessions[41], sessions[72]], "{of_a:?}");
    assert_eq!(of_a[1].shares, -of_a[0].shares);
    let year = &record.years[0];
    assert_eq!(
        (year.disallowed, year.long, year.short),
        (Money::ZERO, Money::ZERO, Price::from_whole(2) * of_a[1].shares)
    );
}

#[test]
fn it_never_washes_a_loss_and_keeps_more_than_its_target_does() {
    let columns: Vec<(String, Vec<f64>)> =
        (0..6).map(|asset| (format!("S{asset}"), walk(5, asset, 900, 0.02))).collect();
    let columns: Vec<(&str, Vec<f64>)> = columns.iter().map(|(name, walk)| (name.as_str(), walk.clone())).collect();
    let panel = panel(&columns);
    let sessions = panel.sessions();
    let config = BacktestConfig { rebalance_sessions: 7, ..BacktestConfig::standard(sessions[300], sessions[899]) };
    let strategies = StrategyConfig::standard();
    let plain = play(&panel, "equal-weight", &strategies, &config);
    let aware = play(&panel, "tax-aware", &strategies, &config);
    assert!(aware.years.iter().all(|year| year.disallowed.is_zero()), "{:?}", aware.years);
    assert!(aware.sessions.iter().all(|session| !session.cash.is_negative()));
    let net = |record: &Record| record.years.iter().map(|year| year.short + year.long).sum::<Money>();
    assert!(net(&aware) < net(&plain), "{} against {}", net(&aware), net(&plain));
    assert!(aware.trades.len() > 20, "it trades");
}

/// Sells everything in December, then names a lot to sell on the day before the tax is due.
struct NamesLots {
    sales: Vec<LotSale>,
}

impl Strategy for NamesLots {
    fn name(&self) -> &str {
        "names lots"
    }

    fn needs_lots(&self) -> bool {
        true
    }

    fn lots_to_sell(&self) -> &[LotSale] {
        &self.sales
    }

    fn decide(&mut self, observation: &Observation<'_>, account: &AccountView<'_>) -> Result<Decision, Error> {
        self.sales.clear();
        let wanted = match (account.date.year(), account.date.month(), account.date.day()) {
            (2020, 11, _) => vec![0.0, 1.0, 0.0],
            // Bought in many lots.
            (2020, 12, ..15) => vec![0.0, 0.5, 0.5],
            (2020, 12, _) => vec![0.0, 0.0, 1.0],
            (2021, 4, 14) => {
                let asset = observation.universe[1];
                let lots = account.lots_of(asset);
                self.sales.extend(lots.iter().map(|lot| LotSale { asset, lot: lot.lot, shares: lot.shares }));
                vec![1.0, 0.0, 0.0]
            }
            _ => observation.weights.to_vec(),
        };
        Ok(Decision { weights: Weights::new(wanted)?, notes: Vec::new() })
    }
}

#[test]
fn lots_that_went_for_taxes_are_not_sold_again() {
    // A hundred days of AAA doubling, then BBB, with the tax of the gain due on 15 April.
    let n = 200;
    let first: Vec<f64> = (0..n).map(|at| 10.0 * (1.0 + f64::from(at as u32) / 100.0)).collect();
    let mut panel = panel(&[("AAA", first), ("BBB", vec![10.0; n])]);
    let start = Date::from_ymd(2020, 11, 1).unwrap();
    let mut groups = Vec::new();
    for asset in panel.assets() {
        let close = |session: usize| panel.full_history(asset, lotwise_market::Field::Close)[session];
        let bars = (0..n).map(|session| {
            let (open, close) = (close(session.saturating_sub(1)), close(session));
            let date = start.plus_days(i32::try_from(session).unwrap());
            RawBar { date, open, high: open.max(close), low: open.min(close), close, adj_close: close, volume: 1e6 }
        });
        groups.push((panel.symbols()[asset.0].clone(), bars.collect()));
    }
    panel = Panel::from_groups(&groups);
    let sessions = panel.sessions();
    let config = BacktestConfig::standard(sessions[0], sessions[n - 1]);
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &CorporateActions::default(), None);
    let record = run(&market, &mut NamesLots { sales: Vec::new() }, &config).unwrap();
    assert!(record.events.iter().any(|event| matches!(event.kind, EventKind::SoldForTax { .. })));
    assert!(record.sessions.last().unwrap().n_held == 0, "what was wanted is sold all the same");
}

#[test]
fn any_strategy_without_lots_can_be_its_target() {
    let strategies = StrategyConfig::standard();
    assert_eq!(strategy_by_name("Tax_Aware:Min_Variance", &strategies).unwrap().name(), "tax-aware:min-variance");
    for name in ["tax-aware:harvester", "tax-aware:tax-aware"] {
        assert!(matches!(strategy_by_name(name, &strategies), Err(Error::NotAvailable { .. })), "{name}");
    }
    assert!(matches!(strategy_by_name("tax-aware:oracle", &strategies), Err(Error::UnknownPolicy { .. })));
    let mut wrong = StrategyConfig::standard();
    wrong.tax_aware.risk_weight = f64::NAN;
    assert!(matches!(strategy_by_name("tax-aware", &wrong), Err(Error::Setting { setting: "risk_weight", .. })));
}
