//! The folder of a frozen branch: `config.json` and `model.safetensors`. The first byte picks which of them is damaged, beside
//! a sound one of either architecture.
#![no_main]

use std::sync::OnceLock;

use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::{Architecture, BoltConfig, Chronos, ChronosConfig, Input, StackConfig, T5Config};
use lotwise_nn::onnx::temporal_model;
use lotwise_tensor::fused::Activation;
use lotwise_tensor::{Array, Weights};

type Sound = [(ChronosConfig, Weights); 2];

/// Both architectures with as few numbers as may be.
fn sound() -> &'static Sound {
    static SOUND: OnceLock<Sound> = OnceLock::new();
    SOUND.get_or_init(|| {
        let activation = Activation::Relu;
        let stack =
            StackConfig { dim: 2, heads: 1, head_dim: 2, hidden: 2, layers: 1, buckets: 4, max_distance: 8, epsilon: 1e-6, activation };
        let bolt = BoltConfig { context: 8, prediction: 4, patch: 4, stride: 4, quantiles: vec![0.5], register: true };
        let t5 = T5Config { context: 8, limits: [-15.0, 15.0], tokens: 8, special: 2, missing: 0, end: Some(1), vocabulary: 8 };
        [Architecture::T5(t5), Architecture::Bolt(bolt)].map(|architecture| {
            let config = ChronosConfig { architecture, stack, input: Input::Prices, kernelsynth: false };
            let weights = Chronos::random(config.clone(), 1).to_weights();
            (config, weights)
        })
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, given)) = bytes.split_first() else { return };
    let (config, weights) = &sound()[usize::from(pick / 2 % 2)];
    let network = if pick % 2 == 0 {
        let Ok(text) = std::str::from_utf8(given) else { return };
        let Ok(config) = ChronosConfig::parse(text, "config.json") else { return };
        let written = ChronosConfig::parse(&config.to_json(), "written").expect("what was written is read");
        assert_eq!(written, config, "what was read is written back the same");
        Chronos::new(config, weights.clone(), "model.safetensors")
    } else {
        let Ok(weights) = Weights::from_bytes(given, "model.safetensors") else { return };
        Chronos::new(config.clone(), weights, "model.safetensors")
    };
    let Ok(network) = network else { return };
    let closes = Array::from_fn([3, 11], |i| if i % 4 == 1 || i > 25 { f32::NAN } else { 10.0 + (i % 7) as f32 });
    let out = network.embed(&closes);
    assert_eq!(*out.shape(), [3, network.width()]);
    let _ = temporal_model(&network);
});
