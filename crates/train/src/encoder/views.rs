//! Views of a batch: what is hidden, cut off and shaken (SPEC P1-06, P1-10, P1-16).

use lotwise_market::metadata::METADATA_BLOCKS;
use lotwise_nn::EncoderInputs;
use lotwise_tensor::{Array, Random};
use rayon::prelude::*;

use super::{Batch, ViewConfig};

/// A batch as one pass of training sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What the network reads.
    pub inputs: EncoderInputs,
    /// `[B, N, D]`: features that are hidden and to be recovered.
    pub asked: Array,
}

/// What chance takes from one asset.
struct Cut {
    asked: Vec<bool>,
    dropped: Vec<bool>,
    /// Bars at the front of the window that go.
    bars: usize,
    jitter: Random,
}

impl Cut {
    fn draw(config: &ViewConfig, features: usize, bars: usize, random: &mut Random) -> Self {
        let mut asked: Vec<bool> = (0..features).map(|_| random.uniform() < config.mask_rate).collect();
        let most = (features / 2).max(1);
        let mut chosen: Vec<usize> = (0..features).filter(|&feature| asked[feature]).collect();
        if chosen.is_empty() {
            asked[crate::seeds::below(random, features)] = true;
        } else if chosen.len() > most {
            crate::seeds::choose(random, &mut chosen, most);
            chosen[most..].iter().for_each(|&feature| asked[feature] = false);
        }
        let dropped = (0..features).map(|_| random.uniform() < config.channel_drop).collect();
        let most = (bars as f32 * config.crop) as usize;
        let bars = crate::seeds::below(random, most + 1);
        Self { asked, dropped, bars, jitter: Random::new(random.bits()) }
    }
}

/// Draws a view. The same batch, rates and seed give the same view.
#[must_use]
pub fn view(batch: &Batch, config: &ViewConfig, seed: u64) -> View {
    let mut inputs = batch.inputs.clone();
    let [time, features] = inputs.window_dims();
    let shape = inputs.values.shape();
    let (days, assets) = (shape[0], shape[1]);
    let mut asked = vec![0.0; days * assets * features];
    let mut masked = vec![0.0; days * assets * features];
    let values = inputs.values.data_mut().par_chunks_mut(time * features);
    let present = inputs.present.data_mut().par_chunks_mut(time);
    let flags = asked.par_chunks_mut(features).zip(masked.par_chunks_mut(features));
    values.zip(present).zip(flags).enumerate().for_each(|(i, ((values, present), (asked, masked)))| {
        // Each asset has a stream of its own, so the order of work does not matter.
        let mut random = Random::new(Random::new(seed).bits().wrapping_add(i as u64));
        random = Random::new(random.bits());
        let first = present.iter().position(|&there| there != 0.0).unwrap_or(time);
        let cut = Cut::draw(config, features, time - first, &mut random);
        for feature in 0..features {
            asked[feature] = f32::from(u8::from(cut.asked[feature]));
            masked[feature] = f32::from(u8::from(cut.asked[feature] || cut.dropped[feature]));
        }
        present[first..(first + cut.bars).min(time)].fill(0.0);
        let mut jitter = cut.jitter;
        if config.jitter > 0.0 {
            values.iter_mut().for_each(|value| *value += config.jitter * jitter.normal());
        }
    });
    drop_metadata(&mut inputs.available, config, seed);
    inputs.masked = Some(Array::new([days, assets, features], masked));
    View { inputs, asked: Array::new([days, assets, features], asked) }
}

/// Takes fields and whole blocks away, so that any of them may be missing later.
fn drop_metadata(available: &mut Array, config: &ViewConfig, seed: u64) {
    let fields = available.shape().width();
    if fields == 0 {
        return;
    }
    let mut random = Random::new(Random::new(seed ^ 0x6d65_7461).bits());
    for row in available.data_mut().chunks_exact_mut(fields) {
        for (_, block) in &METADATA_BLOCKS {
            if random.uniform() < config.block_dropout {
                row[block.start.min(fields)..block.end.min(fields)].fill(0.0);
            }
        }
        for field in row {
            if random.uniform() < config.field_dropout {
                *field = 0.0;
            }
        }
    }
}
