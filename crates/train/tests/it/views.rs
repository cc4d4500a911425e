//! What a view takes away, and what it leaves.

use lotwise_tensor::Random;
use lotwise_train::encoder::{Batch, EncoderData, ViewConfig, view};

use crate::sample::{config, data};

fn batch(data: &EncoderData) -> Batch {
    let days = data.draw(&mut Random::new(2), 20, 10);
    data.batch(days, true, &lotwise_nn::temporal::NoTemporal)
}

#[test]
fn a_view_follows_its_seed_and_keeps_to_its_rates() {
    let data = data(&config());
    let batch = batch(&data);
    let rates = ViewConfig::default();
    let one = view(&batch, &rates, 7);
    assert_eq!(one, view(&batch, &rates, 7));
    assert_ne!(one.asked, view(&batch, &rates, 8).asked);
    let masked = one.inputs.masked.as_ref().unwrap();
    let (mut asked, mut hidden) = (0.0, 0.0);
    for (asked_of, hidden_of) in one.asked.data().chunks(16).zip(masked.data().chunks(16)) {
        let count = asked_of.iter().sum::<f32>();
        assert!((1.0..=8.0).contains(&count), "{count} features are asked for");
        assert!(asked_of.iter().zip(hidden_of).all(|(asked, hidden)| hidden >= asked));
        asked += count;
        hidden += hidden_of.iter().sum::<f32>();
    }
    let cells = masked.data().len() as f32;
    assert!((asked / cells - 0.3).abs() < 0.03, "{}", asked / cells);
    assert!((hidden / cells - 0.37).abs() < 0.04, "{}", hidden / cells);
    // Bars go from the front alone, at most a fifth of them, and the last one stays.
    let (before, after) = (batch.inputs.present.data(), one.inputs.present.data());
    let mut cut = 0;
    for (before, after) in before.chunks(20).zip(after.chunks(20)) {
        let count = |bars: &[f32]| bars.iter().filter(|&&bar| bar != 0.0).count();
        assert!(count(before) - count(after) <= count(before) / 5);
        assert!(after.is_sorted(), "the window has no hole");
        cut += count(before) - count(after);
    }
    assert!(cut > 0);
    let known = |flags: &lotwise_tensor::Array| flags.data().iter().sum::<f32>();
    let kept = known(&one.inputs.available) / known(&batch.inputs.available);
    assert!((kept - 0.81).abs() < 0.04, "{kept} of the fields stay");
}

#[test]
fn no_rates_take_nothing_but_one_feature() {
    let data = data(&config());
    let batch = batch(&data);
    let rates = ViewConfig {
        mask_rate: 0.0,
        crop: 0.0,
        jitter: 0.0,
        channel_drop: 0.0,
        field_dropout: 0.0,
        block_dropout: 0.0,
    };
    let view = view(&batch, &rates, 1);
    assert!(view.asked.data().chunks(16).all(|asked| asked.iter().sum::<f32>() == 1.0));
    let inputs = lotwise_nn::EncoderInputs { masked: None, ..view.inputs };
    assert_eq!(inputs, batch.inputs);
}
