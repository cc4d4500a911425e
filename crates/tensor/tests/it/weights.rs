//! Weight files and optimiser states.

use lotwise_tensor::{AdamW, AdamWConfig, Array, Ema, Error, Gradients, Params, Tape, Weights};

use crate::normal;

fn params() -> Params {
    let mut params = Params::new();
    params.add("layer.weight", normal([13, 5], 1));
    params.add("layer.bias", normal([5], 2));
    params.add("scale", normal([], 3));
    params
}

/// One step of a small regression; `step` chooses the batch.
fn train(params: &mut Params, optimiser: &mut AdamW, step: u64) {
    let [weight, bias] = ["layer.weight", "layer.bias"].map(|name| params.find(name).expect("a parameter"));
    let mut tape = Tape::new(params);
    let x = tape.constant(normal([7, 13], 100 + step));
    let (weight, bias) = (tape.param(weight), tape.param(bias));
    let y = tape.linear(x, weight, Some(bias));
    let square = tape.square(y);
    let loss = tape.mean_all(square);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    tape.clear();
    gradients.clip(1.0);
    optimiser.step(params, &gradients, 1e-2);
}

fn optimiser() -> AdamW {
    AdamW::new(AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() })
}

#[test]
fn a_resumed_run_has_the_bits_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut whole, mut adam) = (params(), optimiser());
    (0..10).for_each(|step| train(&mut whole, &mut adam, step));

    let (mut first, mut adam) = (params(), optimiser());
    (0..4).for_each(|step| train(&mut first, &mut adam, step));
    let [weights, state] = ["weights", "state"].map(|name| folder.path().join(name).with_extension("safetensors"));
    Weights::of(&first).write(&weights).unwrap();
    adam.state(&first).write(&state).unwrap();

    let (mut second, mut adam) = (params(), optimiser());
    Weights::read(&weights).unwrap().load_into(&mut second).complete().unwrap();
    adam.restore(&second, &Weights::read(&state).unwrap()).unwrap();
    (4..10).for_each(|step| train(&mut second, &mut adam, step));
    assert_eq!(Weights::of(&second), Weights::of(&whole));
    assert_eq!(adam.state(&second), {
        let (mut whole, mut adam) = (params(), optimiser());
        (0..10).for_each(|step| train(&mut whole, &mut adam, step));
        adam.state(&whole)
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing partial is left behind");
}

#[test]
fn frozen_and_unreached_parameters_stay_bit_for_bit() {
    let (mut params, mut adam) = (params(), optimiser());
    let before = Weights::of(&params);
    let weight = params.find("layer.weight").unwrap();
    params.rule_mut(weight).trainable = false;
    (0..3).for_each(|step| train(&mut params, &mut adam, step));
    let after = Weights::of(&params);
    assert_eq!(before.tensors["layer.weight"], after.tensors["layer.weight"]);
    assert_eq!(before.tensors["scale"], after.tensors["scale"], "no decay without a gradient");
    assert_ne!(before.tensors["layer.bias"], after.tensors["layer.bias"]);
    assert_eq!(adam.state(&params).tensors.len(), 2, "moments for the bias alone");
}

#[test]
fn files_keep_every_bit_and_have_one_form() {
    let mut weights = Weights::of(&params());
    weights.tensors.insert("odd".into(), Array::new([4], vec![f32::MIN_POSITIVE / 2.0, -0.0, f32::INFINITY, 1e-38]));
    weights.tensors.insert("empty".into(), Array::zeros([0, 3]));
    weights.header.extend(["b", "a", "ü \"quoted\"\n"].map(|key| (key.to_owned(), format!("text of {key}"))));
    let bytes = weights.to_bytes();
    let again = Weights::from_bytes(&bytes, "memory").unwrap();
    assert_eq!(again, weights);
    assert_eq!(again.tensors["odd"].data()[1].to_bits(), (-0.0_f32).to_bits());
    assert_eq!(again.to_bytes(), bytes);
}

#[test]
fn half_precision_is_read() {
    let header = r#"{"half":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"brain":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([0x00, 0x3c, 0x00, 0xc1, 0xc0, 0x3f, 0x80, 0xff]);
    let weights = Weights::from_bytes(&bytes, "memory").unwrap();
    assert_eq!(weights.tensors["half"], Array::new([2], vec![1.0, -2.5]));
    assert_eq!(weights.tensors["brain"], Array::new([1, 2], vec![1.5, f32::NEG_INFINITY]));
}

#[test]
fn what_does_not_fit_is_named() {
    let mut other = Params::new();
    other.add("layer.weight", normal([5, 13], 1));
    other.add("layer.bias", normal([5], 9));
    other.add("added", normal([1], 1));
    let report = Weights::of(&params()).load_into(&mut other);
    assert_eq!(report.loaded, ["layer.bias"]);
    let message = report.complete().unwrap_err().to_string();
    let wanted = "weights do not fit: missing: added; not known here: scale; layer.weight is [13, 5], not [5, 13]";
    assert_eq!(message, wanted);

    let damaged = Weights::from_bytes(b"\x10\0\0\0\0\0\0\0{\"a\":", "weights.safetensors").unwrap_err();
    assert!(damaged.to_string().starts_with("weights.safetensors is not a valid safetensors file"), "{damaged}");
    let header = r#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([0; 8]);
    let integers = Weights::from_bytes(&bytes, "x").unwrap_err();
    assert_eq!(integers.to_string(), "tensor a has numbers of type I64; f32, f16 and bf16 are read");
    let nowhere = Weights::read(std::path::Path::new("/nowhere/x.safetensors")).unwrap_err();
    assert!(nowhere.to_string().starts_with("cannot read /nowhere/x.safetensors:"), "{nowhere}");
    let missing = Weights::of(&params()).write(std::path::Path::new("/nowhere/x.safetensors")).unwrap_err();
    assert!(matches!(missing, Error::File { action: "write", .. }));
}

#[test]
fn a_state_that_does_not_fit_changes_nothing() {
    let (mut params, mut adam) = (params(), optimiser());
    train(&mut params, &mut adam, 0);
    let good = adam.state(&params);
    for (damage, wanted) in [
        (0, "weights do not fit: adamw.second.layer.bias is missing"),
        (1, "the header's entry adamw.steps.layer.bias is missing"),
        (2, "the header's entry adamw.steps.layer.bias is \"many\", not a count"),
        (3, "weights do not fit: moments of layer.bias are [2], not [5]"),
        (4, "weights do not fit: 1 moments belong to no parameter"),
    ] {
        let mut bad = good.clone();
        match damage {
            0 => drop(bad.tensors.remove("adamw.second.layer.bias")),
            1 => drop(bad.header.remove("adamw.steps.layer.bias")),
            2 => drop(bad.header.insert("adamw.steps.layer.bias".into(), "many".into())),
            3 => drop(bad.tensors.insert("adamw.first.layer.bias".into(), Array::zeros([2]))),
            _ => drop(bad.tensors.insert("adamw.first.gone".into(), Array::zeros([2]))),
        }
        assert_eq!(adam.restore(&params, &bad).unwrap_err().to_string(), wanted);
        assert_eq!(adam.state(&params), good);
    }
}

#[test]
fn the_average_follows_slowly() {
    let mut params = params();
    let mut average = Ema::new(&params, 0.75);
    let scale = params.find("scale").unwrap();
    params.value_mut(scale).data_mut()[0] += 4.0;
    let before = average.params.value(scale).data()[0];
    average.update(&params);
    assert!((average.params.value(scale).data()[0] - before - 1.0).abs() < 1e-6);
}
