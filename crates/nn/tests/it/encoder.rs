//! Sets stay sets, padding says nothing, and the gate starts nearly closed.

use lotwise_nn::encoder::{EncoderInputs, Gate};
use lotwise_nn::{CrossAssetEncoder, EncoderConfig, Pass};
use lotwise_tensor::{Array, Params, Tape};

use crate::sample::{day, distance, inputs, map, pick, small};

/// Largest difference that another order of the same sums makes.
const ORDER: f32 = 1e-5;

fn network(config: &EncoderConfig) -> (Params, CrossAssetEncoder) {
    let mut params = Params::new();
    let encoder = config.init(&mut params, 7).expect("Invariant: the sample's sizes are valid");
    (params, encoder)
}

#[test]
fn permuting_assets_permutes_outputs() {
    let (params, encoder) = network(&small());
    let inputs = inputs(&small(), [2, 5], 9, 1);
    let order = [3, 0, 4, 2, 1];
    let permuted = encoder.embed(&params, &map(&inputs, |array| pick(array, &order)));
    let wanted = pick(&encoder.embed(&params, &inputs), &order);
    assert!(distance(&permuted, &wanted) < ORDER);
    assert!(distance(&wanted, &encoder.embed(&params, &inputs)) > 0.1, "the order matters to the check");
}

#[test]
fn padded_assets_change_nothing_and_come_out_as_zeros() {
    let (params, encoder) = network(&small());
    let inputs = inputs(&small(), [2, 3], 9, 2);
    let alone = encoder.embed(&params, &inputs);
    let padded = encoder.embed(&params, &map(&inputs, |array| pick(array, &[9, 0, 1, 9, 2, 9])));
    assert!(distance(&pick(&padded, &[1, 2, 4]), &alone) < ORDER);
    assert!(pick(&padded, &[0, 3, 5]).data().iter().all(|&x| x == 0.0));
    // What stands in the metadata of padding must not matter either.
    let mut noisy = map(&inputs, |array| pick(array, &[0, 1, 2, 9]));
    noisy.metadata = Array::from_fn(noisy.metadata.shape(), |i| (i % 5) as f32);
    noisy.available = Array::full(noisy.available.shape(), 1.0);
    let clean = EncoderInputs { metadata: noisy.metadata.clone(), ..map(&inputs, |array| pick(array, &[0, 1, 2])) };
    let clean = EncoderInputs {
        metadata: pick(&noisy.metadata, &[0, 1, 2]),
        available: pick(&noisy.available, &[0, 1, 2]),
        ..clean
    };
    let (noisy, clean) = (encoder.embed(&params, &noisy), encoder.embed(&params, &clean));
    assert!(distance(&pick(&noisy, &[0, 1, 2]), &clean) < ORDER);
}

#[test]
fn padding_in_front_of_a_window_changes_nothing() {
    let config = small();
    let (params, encoder) = network(&config);
    let short = inputs(&config, [2, 3], 6, 3);
    let alone = encoder.embed(&params, &short);
    let mut long = EncoderInputs::empty(&config, [2, 3], 9);
    let front = |array: &Array, to: &mut Array, width: usize| {
        for (row, from) in array.data().chunks_exact(6 * width).enumerate() {
            to.data_mut()[row * 9 * width..(row + 1) * 9 * width][3 * width..].copy_from_slice(from);
        }
    };
    // Garbage under the padding must not be read.
    long.values = Array::full(long.values.shape(), 3.0);
    front(&short.values, &mut long.values, 5);
    front(&short.undefined, &mut long.undefined, 5);
    front(&short.present, &mut long.present, 1);
    let long = EncoderInputs { values: long.values, undefined: long.undefined, present: long.present, ..short };
    assert!(distance(&encoder.embed(&params, &long), &alone) < ORDER);
}

#[test]
fn any_number_of_assets_goes_through_the_same_weights() {
    let (params, encoder) = network(&small());
    for assets in [1, 2, 17, 64] {
        let out = encoder.embed(&params, &inputs(&small(), [1, assets], 9, 4));
        assert_eq!(*out.shape(), [1, assets, 12]);
        assert!(out.data().iter().all(|x| x.is_finite()));
    }
}

#[test]
fn a_batch_of_one_equals_its_row_of_a_batch() {
    let (params, encoder) = network(&small());
    let inputs = inputs(&small(), [4, 3], 9, 5);
    let all = encoder.embed(&params, &inputs);
    for i in 0..4 {
        let alone = encoder.embed(&params, &map(&inputs, |array| day(array, i)));
        assert!(distance(&alone, &day(&all, i)) < ORDER, "day {i}");
    }
}

#[test]
fn an_asset_without_a_bar_is_finite_and_a_hidden_feature_is_not_a_zero() {
    let config = small();
    let (params, encoder) = network(&config);
    let mut inputs = inputs(&config, [1, 3], 9, 6);
    let usual = encoder.embed(&params, &inputs);
    inputs.present.data_mut()[..9].fill(0.0);
    assert!(encoder.embed(&params, &inputs).data().iter().all(|x| x.is_finite()));
    inputs.present.data_mut()[..9].fill(1.0);
    let mut hidden = Array::zeros([1, 3, 5]);
    hidden.data_mut()[2] = 1.0;
    let mut zeroed = inputs.clone();
    for bar in 0..9 {
        zeroed.values.data_mut()[bar * 5 + 2] = 0.0;
        zeroed.undefined.data_mut()[bar * 5 + 2] = 0.0;
    }
    let zeroed = encoder.embed(&params, &zeroed);
    inputs.masked = Some(hidden);
    let masked = encoder.embed(&params, &inputs);
    assert!(distance(&masked, &usual) > 1e-3 && distance(&masked, &zeroed) > 1e-3);
    // Nothing of what is hidden may be read.
    for bar in 0..9 {
        inputs.values.data_mut()[bar * 5 + 2] = 99.0;
        inputs.undefined.data_mut()[bar * 5 + 2] = (bar % 2) as f32;
    }
    assert_eq!(encoder.embed(&params, &inputs), masked);
}

#[test]
fn an_unknown_field_reads_as_the_learned_one() {
    let config = small();
    let (mut params, encoder) = network(&config);
    let typical = params.find("metadata.typical").expect("Invariant: the encoder has metadata");
    *params.value_mut(typical) = Array::from_fn([7], |i| 0.3 * i as f32);
    let mut unknown = inputs(&config, [1, 2], 9, 7);
    unknown.available = Array::zeros(unknown.available.shape());
    let mut known = unknown.clone();
    known.available = Array::full(known.available.shape(), 1.0);
    known.metadata = Array::from_fn(known.metadata.shape(), |i| 0.3 * (i % 7) as f32);
    assert!(distance(&encoder.embed(&params, &unknown), &encoder.embed(&params, &known)) < 1e-6);
}

#[test]
fn the_gate_starts_nearly_closed() {
    let config = small();
    let inputs = inputs(&config, [2, 3], 9, 8);
    let gated = |gate: Gate| {
        let (params, encoder) = network(&EncoderConfig { gate, metadata_fields: 0, ..config.clone() });
        let mut tape = Tape::inference(&params);
        let mut inputs = inputs.clone();
        inputs.metadata = Array::zeros([2, 3, 0]);
        inputs.available = Array::zeros([2, 3, 0]);
        let out = encoder.forward(&mut tape, &inputs, Pass::Inference);
        tape.value(out.gated).clone()
    };
    let (off, learned, whole) = (gated(Gate::Off), gated(Gate::Learned), gated(Gate::Fixed1));
    let (little, all) = (distance(&learned, &off), distance(&whole, &off));
    assert!(little > 0.0 && little < 0.35 * all, "{little} of {all} comes through");
}

#[test]
fn parts_that_are_left_out_leave_the_others_as_they_are() {
    let (whole, _) = network(&small());
    let (without, _) = network(&EncoderConfig { temporal_width: 0, metadata_fields: 0, ..small() });
    assert!(without.count() < whole.count());
    for id in without.ids() {
        let same = whole.find(without.name(id)).expect("Invariant: the smaller network has no name of its own");
        assert_eq!(whole.value(same), without.value(id), "{}", without.name(id));
    }
}

#[test]
fn dropout_follows_its_seed() {
    let (params, encoder) = network(&small());
    let inputs = inputs(&small(), [1, 3], 9, 9);
    let with = |seed| {
        let mut tape = Tape::inference(&params);
        let out = encoder.forward(&mut tape, &inputs, Pass::Training { dropout: 0.3, seed });
        tape.value(out.fused).clone()
    };
    assert_eq!(with(1), with(1));
    assert!(distance(&with(1), &with(2)) > 1e-3);
    assert!(distance(&with(1), &encoder.embed(&params, &inputs)) > 1e-3);
}

#[test]
fn presets_have_the_sizes_that_are_told() {
    let count = |config: &EncoderConfig| network(config).0.count();
    let (base, wide) = (count(&EncoderConfig::base64(512)), count(&EncoderConfig::wide128(512)));
    assert!((300_000..500_000).contains(&base), "{base}");
    assert!((1_800_000..2_300_000).contains(&wide), "{wide}");
    let (params, _) = network(&EncoderConfig::base64(508));
    let of = |prefix: &str| {
        let ids = params.ids().filter(|&id| params.name(id).starts_with(prefix));
        ids.map(|id| params.value(id).shape().count()).sum::<usize>()
    };
    // I-05: the paper's 74 K for 512 inputs, here 508 and the four statistics, plus the norm's 128.
    assert_eq!(of("temporal."), 73_920 + 128);
    assert_eq!(of("gate."), 8_256);
}

#[test]
fn sizes_that_cannot_be_are_refused_by_name() {
    for (config, setting) in [
        (EncoderConfig { heads: 5, ..small() }, "heads"),
        (EncoderConfig { dim: 0, ..small() }, "dim"),
        (EncoderConfig { dropout: f32::NAN, ..small() }, "dropout"),
        (EncoderConfig { market_layers: usize::MAX, ..small() }, "market_layers"),
    ] {
        let error = config.init(&mut Params::new(), 1).map(|_| ()).expect_err("sizes that cannot be");
        assert!(error.to_string().contains(setting), "{error}");
    }
}
