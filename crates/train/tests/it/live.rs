//! A day as somebody sees it who stands on it reads as it did in training.

use lotwise_market::{Panel, SessionIdx};
use lotwise_nn::Checkpoint;
use lotwise_nn::checkpoint::Names;
use lotwise_nn::temporal::NoTemporal;
use lotwise_tensor::Params;
use lotwise_train::encoder::{Day, Live, Tickers};

use crate::sample::{config, data, market, metadata};

#[test]
fn a_live_day_has_the_inputs_of_training() {
    let config = config();
    let data = data(&config);
    let (market, session) = (market(), data.sessions(lotwise_train::encoder::Part::Validation).start + 7);
    let panel = Panel::from_groups(&market.bars);
    let source = metadata(&market);
    let live = Live::new(panel.at(SessionIdx(session)), &source);
    let assets = live.companies();
    assert_eq!(assets, data.universe(session, Tickers::Seen));
    let mut params = Params::new();
    let encoder = config.network.init(&mut params, 1).unwrap();
    let heads = config.network.init_heads(&mut params, 1);
    let checkpoint = Checkpoint::new(params, encoder, heads, Names::default(), &NoTemporal, None);
    let batch = data.batch(vec![Day { session, assets: assets.clone() }], true, &NoTemporal);
    assert_eq!(live.inputs(&assets, &checkpoint, &NoTemporal), batch.inputs);
    let says = live.representations(&assets, &checkpoint, &NoTemporal);
    let states = checkpoint.encoder.embed(&checkpoint.params, &batch.inputs);
    for (row, &asset) in states.data().chunks_exact(config.network.dim).zip(&assets) {
        assert_eq!(says[data.symbol(asset)], row);
    }
    assert!(live.representations(&[], &checkpoint, &NoTemporal).is_empty());
}
