//! A checkpoint of the encoder: any bytes, and a sound file whose manifest alone is damaged (its digest is set right, so
//! that the damage reaches what stands behind it). The first byte picks which.
#![no_main]

use std::sync::OnceLock;

use lotwise_nn::checkpoint::{Names, digest};
use lotwise_nn::onnx::encoder_model;
use lotwise_nn::temporal::NoTemporal;
use lotwise_nn::{Checkpoint, EncoderConfig};
use lotwise_tensor::{Params, Weights};

/// A network of a few hundred numbers.
fn sound() -> &'static Weights {
    static SOUND: OnceLock<Weights> = OnceLock::new();
    SOUND.get_or_init(|| {
        let config = EncoderConfig {
            dim: 2,
            heads: 1,
            market_layers: 1,
            asset_layers: 1,
            hidden: 2,
            window: 2,
            features: 2,
            metadata_fields: 0,
            regimes: 2,
            ..EncoderConfig::base64(0)
        };
        let mut params = Params::new();
        let encoder = config.init(&mut params, 1).expect("the sizes are valid");
        let heads = config.init_heads(&mut params, 1);
        Checkpoint::new(params, encoder, heads, Names::default(), &NoTemporal, None).to_weights()
    })
}

fn check(weights: &Weights) {
    if let Ok(read) = Checkpoint::from_weights(weights, "given") {
        let _ = read.verify("given");
        assert!(!encoder_model(&read).is_empty());
        let written = read.to_weights();
        let again = Checkpoint::from_weights(&written, "written").expect("what was written is read");
        assert_eq!(again.to_weights().to_bytes(), written.to_bytes(), "what was read is written back the same");
    }
}

/// Sets the digest in the manifest right, and checks again.
fn check_mended(mut weights: Weights) {
    let found = digest(&weights);
    let Some(text) = weights.header.get_mut("manifest") else { return };
    let Ok(mut manifest) = serde_json::from_str::<serde_json::Value>(text) else { return };
    let Some(place) = manifest.get_mut("digest") else { return };
    *place = found.into();
    *text = manifest.to_string();
    check(&weights);
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, given)) = bytes.split_first() else { return };
    if pick % 2 == 0 {
        let Ok(weights) = Weights::from_bytes(given, "given") else { return };
        check(&weights);
        check_mended(weights);
    } else if let Ok(text) = std::str::from_utf8(given) {
        let mut weights = sound().clone();
        weights.header.insert("manifest".to_owned(), text.to_owned());
        check(&weights);
        check_mended(weights);
    }
});
