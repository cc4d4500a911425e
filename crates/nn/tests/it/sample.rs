//! Small networks and made-up inputs for them.

use lotwise_nn::temporal::MiniRocketConfig;
use lotwise_nn::{EncoderConfig, EncoderInputs};
use lotwise_tensor::{Array, Random};

/// A network whose sizes all differ.
pub fn small() -> EncoderConfig {
    EncoderConfig {
        dim: 12,
        heads: 3,
        market_layers: 2,
        asset_layers: 2,
        hidden: 20,
        window: 9,
        features: 5,
        metadata_fields: 7,
        ..EncoderConfig::base64(6)
    }
}

/// Random inputs of so many days and assets: the second asset of each day is young, some features and
/// fields are unknown, and the last day lacks its last asset where there is more than one.
pub fn inputs(config: &EncoderConfig, [batch, assets]: [usize; 2], time: usize, seed: u64) -> EncoderInputs {
    let mut random = Random::new(seed);
    let mut inputs = EncoderInputs::empty(config, [batch, assets], time);
    let branch = MiniRocketConfig { kernels: config.temporal_width / 2, largest_dilation_log2: 1, seed: 5 }.init();
    let mut level = 1.0;
    let closes = Array::from_fn([batch, assets, time], |i| {
        level = if i % time == 0 { 10.0 } else { level * (0.02 * random.normal()).exp() };
        level
    });
    if config.temporal_width > 0 {
        inputs.set_closes(&closes, &branch);
    }
    let mut flag = |share: f32| f32::from(u8::from(random.uniform() < share));
    inputs.undefined = Array::from_fn(inputs.undefined.shape(), |_| flag(0.1));
    inputs.available = Array::from_fn(inputs.available.shape(), |_| flag(0.7));
    inputs.values = Array::from_fn(inputs.values.shape(), |_| random.normal());
    inputs.metadata = Array::from_fn(inputs.metadata.shape(), |_| random.normal());
    inputs.present = Array::from_fn(inputs.present.shape(), |i| {
        let (asset, at) = (i / time % assets, i % time);
        f32::from(u8::from(asset != 1 || at >= time / 3))
    });
    inputs.keep = Array::from_fn(inputs.keep.shape(), |i| f32::from(u8::from(assets == 1 || i + 1 < batch * assets)));
    inputs
}

/// Applies a function to the `[B, N, ..]` arrays of inputs.
pub fn map(inputs: &EncoderInputs, change: impl Fn(&Array) -> Array) -> EncoderInputs {
    EncoderInputs {
        values: change(&inputs.values),
        undefined: change(&inputs.undefined),
        present: change(&inputs.present),
        masked: inputs.masked.as_ref().map(&change),
        temporal: change(&inputs.temporal),
        statistics: change(&inputs.statistics),
        statistics_known: change(&inputs.statistics_known),
        metadata: change(&inputs.metadata),
        available: change(&inputs.available),
        keep: change(&inputs.keep),
    }
}

/// Picks assets of every day, in any order; a number beyond the last gives padding.
pub fn pick(array: &Array, order: &[usize]) -> Array {
    let shape = array.shape();
    let (batch, assets) = (shape[0], shape[1]);
    let row = shape.count() / (batch * assets).max(1);
    let mut sizes = shape.to_vec();
    sizes[1] = order.len();
    let mut data = Vec::new();
    for day in 0..batch {
        for &asset in order {
            if asset < assets {
                data.extend_from_slice(&array.data()[(day * assets + asset) * row..][..row]);
            } else {
                data.extend(std::iter::repeat_n(0.0, row));
            }
        }
    }
    Array::new(sizes.as_slice(), data)
}

/// Picks one day.
pub fn day(array: &Array, day: usize) -> Array {
    let mut sizes = array.shape().to_vec();
    let row = array.shape().count() / sizes[0];
    sizes[0] = 1;
    Array::new(sizes.as_slice(), array.data()[day * row..(day + 1) * row].to_vec())
}

/// The largest distance between two arrays of one shape.
pub fn distance(one: &Array, other: &Array) -> f32 {
    assert_eq!(one.shape(), other.shape());
    one.data().iter().zip(other.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
