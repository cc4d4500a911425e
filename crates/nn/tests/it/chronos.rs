//! The encoders of Chronos: the reference's numbers, and files that do not fit.
//!
//! The fixtures are tiny networks with random weights, invented series and the reference package's states; the recipe is
//! `tools/chronos_parity.py --fixture crates/nn/tests/it/fixtures`.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::{Bolt, BoltConfig, Chronos, ChronosConfig, Input, StackConfig, pool};
use lotwise_tensor::fused::Activation;
use lotwise_tensor::{Array, Gradients, Params, Random, Tape, Weights};

use crate::temporal::contract;

const NETWORKS: [&str; 3] = ["chronos_t5", "chronos_bolt", "chronos_bolt_plain"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(name)
}

fn network(name: &str) -> Chronos {
    Chronos::load(&fixture(name)).expect("Invariant: fixtures are networks")
}

/// The text of a fixture's configuration with a part replaced.
fn config(name: &str, from: &str, to: &str) -> Result<ChronosConfig, String> {
    let text = std::fs::read_to_string(fixture(name).join("config.json")).expect("Invariant: fixtures are there");
    assert!(text.contains(from), "{from} is not in the configuration");
    ChronosConfig::parse(&text.replacen(from, to, 1), "config.json").map_err(|error| error.to_string())
}

fn refused(name: &str, from: &str, to: &str) -> String {
    config(name, from, to).expect_err("this is to be refused")
}

#[test]
fn states_agree_with_the_reference() {
    for name in NETWORKS {
        let expected = Weights::read(&fixture(&format!("{name}.safetensors"))).unwrap().tensors;
        let encoded = network(name).encode(&expected["windows"]);
        let states = &expected["states"];
        assert_eq!(encoded.states.shape(), states.shape(), "{name}");
        for (i, (ours, theirs)) in encoded.states.data().iter().zip(states.data()).enumerate() {
            assert!((ours - theirs).abs() <= 1e-5, "{name}: {ours}, not {theirs}, at {i}");
        }
    }
}

#[test]
fn chronos_keeps_the_contract_with_every_input() {
    for name in NETWORKS {
        for input in Input::ALL {
            contract(&network(name).with_input(input));
        }
    }
}

#[test]
fn pooled_outputs_leave_out_what_is_missing() {
    let network = network("chronos_t5");
    let full = Array::new([1, 6], vec![1.0, 1.1, 0.9, 1.2, 1.0, 0.8]);
    let encoded = network.encode(&full);
    let mean = |column: usize| (0..7).map(|row| encoded.states.data()[row * 12 + column]).sum::<f32>() / 7.0;
    for (column, pooled) in network.embed(&full).data().iter().enumerate() {
        assert!((pooled - mean(column)).abs() < 1e-5, "the mean over six numbers and the end");
    }
    let gap = Array::new([1, 6], vec![1.0, 1.1, f32::NAN, 1.2, 1.0, 0.8]);
    assert_eq!(network.encode(&gap).keep.data(), [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn a_published_file_comes_back_as_it_was() {
    for name in NETWORKS {
        let network = network(name);
        let again = ChronosConfig::parse(&network.config().to_json(), "again").unwrap();
        assert_eq!(&again, network.config());
    }
}

#[test]
fn the_kinds_are_told_apart() {
    assert_eq!(NETWORKS.map(|name| network(name).kind()), ["chronos_t5", "chronos_bolt", "chronos_bolt"]);
    let prints: Vec<String> = NETWORKS.iter().map(|name| network(name).fingerprint()).collect();
    assert!(prints[1] != prints[2] && prints[0].contains("input=prices"), "{prints:?}");
    assert_ne!(network("chronos_t5").with_input(Input::Returns).fingerprint(), prints[0]);
}

#[test]
fn settings_that_are_not_computed_are_refused_by_name() {
    let t5 = |from: &str, to: &str| refused("chronos_t5", from, to);
    assert_snapshot!(t5("\"feed_forward_proj\": \"relu\"", "\"feed_forward_proj\": \"gated-gelu\""), @r#"config.json: feed_forward_proj is "gated-gelu"; "relu" and "gelu" are computed here"#);
    assert_snapshot!(t5("\"is_gated_act\": false", "\"is_gated_act\": true"), @r#"config.json: is_gated_act is true; only false is computed here"#);
    assert_snapshot!(t5("\"MeanScaleUniformBins\"", "\"Other\""), @r#"config.json: chronos_config.tokenizer_class is "Other"; only "MeanScaleUniformBins" is computed here"#);
    assert_snapshot!(t5("\"model_type\": \"seq2seq\"", "\"model_type\": \"causal\""), @r#"config.json: chronos_config.model_type is "causal"; only "seq2seq" is computed here"#);
    assert_snapshot!(t5("\"T5ForConditionalGeneration\"", "\"Chronos2Model\""), @r#"config.json: architectures is ["Chronos2Model"]; ["T5ForConditionalGeneration"] (Chronos-T5) and ["ChronosBoltModelForForecasting"] (Chronos-Bolt) are computed here"#);
    assert_snapshot!(t5("\"d_model\": 12", "\"d_model\": 0"), @r#"config.json: d_model is 0"#);
    assert_snapshot!(t5("\"d_model\": 12", "\"d_model\": 12.5"), @r#"config.json: d_model is 12.5, not a whole number up to 65536"#);
    assert_snapshot!(t5("\"d_model\": 12,", ""), @r#"config.json: d_model is missing"#);
    assert_snapshot!(t5("\"n_tokens\": 128", "\"n_tokens\": 129"), @r#"config.json: chronos_config.n_tokens is 129, with 2 special tokens in a vocab_size of 128: no bins fit"#);
    assert_snapshot!(t5("\"top_k\": 50", "\"mystery\": 1"), @r#"config.json: chronos_config.mystery is not known here and might change what is computed"#);
    assert_snapshot!(t5("\"d_kv\"", "\"rope_theta\": 1, \"d_kv\""), @r#"config.json: rope_theta is not known here and might change what is computed"#);
    assert_snapshot!(t5("\"chronos_config\"", "\"_chronos_config\""), @r#"config.json: chronos_config is missing: this is not the configuration of a Chronos network"#);
    assert_snapshot!(t5("\"pad_token_id\": 0,\n    \"prediction", "\"pad_token_id\": 5,\n    \"prediction"), @r#"config.json: chronos_config.pad_token_id is 5, which is none of the 2 special tokens"#);
    assert_snapshot!(t5("{", "["), @r#"config.json: the file is not JSON: expected `,` or `]` at line 2 column 18"#);
    let bolt = |from: &str, to: &str| refused("chronos_bolt", from, to);
    assert_snapshot!(bolt("\"ChronosBoltPipeline\"", "\"OtherPipeline\""), @r#"config.json: chronos_pipeline_class is "OtherPipeline"; only "ChronosBoltPipeline" is computed here"#);
    assert_snapshot!(bolt("\"input_patch_size\": 16", "\"input_patch_size\": null"), @r#"config.json: chronos_config.input_patch_size is missing"#);
    assert_snapshot!(bolt("\"relative_attention_num_buckets\": 32", "\"relative_attention_num_buckets\": 7"), @r#"config.json: relative_attention_num_buckets is 7; an even number from 4 up is expected, and a relative_attention_max_distance above a quarter of it"#);
    assert_snapshot!(bolt("\"use_reg_token\": true", "\"use_reg_token\": true, \"use_arcsinh\": true"), @r#"config.json: chronos_config.use_arcsinh is not known here and might change what is computed"#);
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let config = || config("chronos_t5", "{", "{").unwrap();
    let read = || Weights::read(&fixture("chronos_t5").join("model.safetensors")).unwrap();
    let refused = |change: &dyn Fn(&mut Weights)| {
        let mut weights = read();
        change(&mut weights);
        Chronos::new(config(), weights, "model.safetensors").err().map_or_else(String::new, |error| error.to_string())
    };
    let bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    assert_snapshot!(refused(&|weights| drop(weights.tensors.remove(bias))), @r#"model.safetensors: tensor encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight is missing"#);
    assert_snapshot!(refused(&|weights| {
        let gain = weights.tensors.remove("encoder.final_layer_norm.weight").unwrap();
        weights.tensors.insert("encoder.last_norm.weight".into(), gain);
    }), @r#"model.safetensors: tensor encoder.final_layer_norm.weight is missing; the file has encoder.last_norm.weight instead, which is not known here"#);
    assert_snapshot!(refused(&|weights| {
        let name = "encoder.block.1.layer.1.DenseReluDense.wi.weight";
        let turned = weights.tensors[name].reshaped([12, 20]);
        weights.tensors.insert(name.into(), turned);
    }), @r#"model.safetensors: tensor encoder.block.1.layer.1.DenseReluDense.wi.weight has the shape [12, 20], not [20, 12] as config.json says"#);
    assert_snapshot!(refused(&|weights| {
        weights.tensors.insert("encoder.block.2.layer.1.layer_norm.weight".into(), Array::zeros([12]));
    }), @r#"model.safetensors: tensor encoder.block.2.layer.1.layer_norm.weight is not part of a Chronos network that is computed here"#);
    assert_snapshot!(refused(&|weights| {
        weights.tensors.get_mut("shared.weight").unwrap().data_mut()[3] = f32::NAN;
    }), @r#"model.safetensors: tensor shared.weight holds numbers that are not finite"#);
    // What does no harm: the decoder, and the second name of the table.
    assert_eq!(
        refused(&|weights| {
            weights.tensors.insert("decoder.final_layer_norm.weight".into(), Array::zeros([12]));
            let table = weights.tensors.remove("shared.weight").unwrap();
            weights.tensors.insert("encoder.embed_tokens.weight".into(), table);
        }),
        ""
    );
}

#[test]
fn the_network_that_comes_with_the_program_keeps_the_contract() {
    let network = Chronos::kernelsynth().unwrap();
    assert_eq!((network.kind(), network.width(), network.config().input), ("kernelsynth", 128, Input::LogPrices));
    for input in Input::ALL {
        contract(&Chronos::kernelsynth().unwrap().with_input(input));
    }
    // A falling and a rising window, a calm and a wild one: what it says is not all the same.
    let windows = Array::from_fn([4, 60], |i| {
        let (kind, day) = (i / 60, (i % 60) as f32);
        let wave = (1.7 * day).sin();
        30.0 * [(-0.004 * day).exp(), (0.004 * day).exp(), 1.0 + 0.01 * wave, 1.0 + 0.01 * wave * day / 60.0][kind]
    });
    let outputs = network.embed(&windows);
    let row = |i: usize| &outputs.data()[i * 128..(i + 1) * 128];
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    assert!(cosine(row(0), row(1)) < 0.9 && cosine(row(0), row(2)) < 0.9, "{}", cosine(row(0), row(1)));
}

#[test]
fn a_folder_without_files_says_which_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let error = Chronos::load(folder.path()).err().unwrap().to_string();
    assert!(error.starts_with("cannot read") && error.contains("config.json"), "{error}");
}

#[test]
fn gradients_of_the_encoder_agree_with_central_differences() {
    let config = BoltConfig { context: 64, prediction: 4, patch: 4, stride: 4, quantiles: vec![0.5], register: true };
    for activation in [Activation::Gelu, Activation::Relu] {
        let stack = StackConfig {
            dim: 6,
            heads: 2,
            head_dim: 3,
            hidden: 7,
            layers: 2,
            buckets: 8,
            max_distance: 9,
            epsilon: 1e-6,
            activation,
        };
        let (mut params, mut random) = (Params::new(), Random::new(3));
        let bolt = Bolt::init(&config, stack, &mut params, &mut random);
        let windows =
            Array::from_fn([3, 19], |i| if i % 19 < i / 19 * 5 || i == 30 { f32::NAN } else { (0.7 * i as f32).sin() });
        let weights = Array::from_fn([3, 6], |_| random.normal());
        let loss = |params: &Params, gradients: Option<&mut Gradients>| {
            let mut tape = Tape::new(params);
            let patches = bolt.cut(&windows);
            let (states, keep) = bolt.forward(&mut tape, &patches);
            let pooled = pool(&mut tape, states, &keep);
            let weights = tape.constant(weights.clone());
            let product = tape.mul(pooled, weights);
            let sum = tape.sum_all(product);
            if let Some(gradients) = gradients {
                tape.backward(sum, gradients);
            }
            f64::from(tape.scalar(sum))
        };
        let mut gradients = Gradients::new();
        loss(&params, Some(&mut gradients));
        for id in params.ids().collect::<Vec<_>>() {
            let name = params.name(id).to_owned();
            let gradient = gradients.get(id).unwrap_or_else(|| panic!("{name} has no gradient")).to_vec();
            let mut worst = 0.0_f64;
            for (at, exact) in gradient.iter().enumerate().step_by(1 + gradient.len() / 8) {
                let step = 4e-3;
                let x = params.value(id).data()[at];
                let mut moved = |to: f32| {
                    params.value_mut(id).data_mut()[at] = to;
                    loss(&params, None)
                };
                let [up, down, here] = [moved(x + step), moved(x - step), moved(x)];
                // A corner of the activation may lie between: then one side is right.
                let sides = [(up - down) / 2.0, up - here, here - down].map(|rise| rise / f64::from(step));
                let error = sides.map(|side| (side - f64::from(*exact)).abs()).into_iter().fold(f64::MAX, f64::min);
                worst = worst.max(error / (1.0 + f64::from(exact.abs())));
            }
            assert!(worst < 3e-3, "{name} ({activation:?}): off by {worst}");
        }
    }
}

#[test]
fn an_epsilon_that_is_nothing_in_f32_is_refused() {
    let text = include_str!("../../../../models/kernelsynth/config.json").replace("1e-6", "1e-60");
    let error = ChronosConfig::parse(&text, "config.json").unwrap_err().to_string();
    assert!(error.contains("layer_norm_epsilon is 0") && error.contains("not above 0"), "{error}");
}
