//! Agreement with PyTorch: numbers that `tools/torch_fixtures.py` has written.

use lotwise_tensor::fused::{Activation, BlockConfig, BlockExtras, BlockStyle, MlpConfig};
use lotwise_tensor::{AdamW, AdamWConfig, Array, Gradients, Params, Random, Tape, Var, Weights};

const TORCH: &[u8] = include_bytes!("fixtures/torch.safetensors");

fn torch() -> Weights {
    Weights::from_bytes(TORCH, "the fixture").expect("a fixture that reads")
}

#[track_caller]
fn assert_close(got: &[f32], wanted: &Array, what: &str) {
    assert_eq!(got.len(), wanted.data().len(), "{what}");
    // Both sides round at every step, by the size of what is added up.
    let largest = wanted.data().iter().fold(1.0_f32, |largest, x| largest.max(x.abs()));
    for (i, (got, wanted)) in got.iter().zip(wanted.data()).enumerate() {
        assert!((got - wanted).abs() <= 3e-6 * largest, "{what} at {i}: {got}, not {wanted}");
    }
}

/// Compares the output and the gradients of all of `params`, which bear the names of the case's inputs
/// behind an optional first part.
fn compare(torch: &Weights, case: &str, params: &Params, build: impl Fn(&mut Tape) -> Var) {
    let mut tape = Tape::new(params);
    let y = build(&mut tape);
    assert_close(tape.value(y).data(), &torch.tensors[&format!("{case}/out")], case);
    let weights = torch.tensors[&format!("{case}/weights")].reshaped(tape.shape(y));
    let weights = tape.constant(weights);
    let product = tape.mul(y, weights);
    let loss = tape.sum_all(product);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    for id in params.ids() {
        let name = params.name(id).trim_start_matches("block.");
        let wanted = &torch.tensors[&format!("{case}/grad/{name}")];
        assert_close(gradients.get(id).expect("a gradient"), wanted, &format!("{case}, gradient of {name}"));
    }
}

/// The inputs of a case as parameters, in alphabetical order.
fn inputs(torch: &Weights, case: &str) -> Params {
    let (mut params, prefix) = (Params::new(), format!("{case}/in/"));
    for (name, value) in torch.tensors.iter().filter(|(name, _)| name.starts_with(&prefix)) {
        params.add(&name[prefix.len()..], value.clone());
    }
    params
}

#[test]
fn operations() {
    let torch = torch();
    type Build = fn(&mut Tape, &[Var]) -> Var;
    let all: &[(&str, Build)] = &[
        ("relu", |t, v| t.relu(v[0])),
        ("gelu", |t, v| t.gelu(v[0])),
        ("sigmoid", |t, v| t.sigmoid(v[0])),
        ("tanh", |t, v| t.tanh(v[0])),
        ("softplus", |t, v| t.softplus(v[0])),
        ("exp", |t, v| t.exp(v[0])),
        ("log", |t, v| t.log(v[0])),
        ("sqrt", |t, v| t.sqrt(v[0])),
        ("square", |t, v| t.square(v[0])),
        ("abs", |t, v| t.abs(v[0])),
        ("clamp", |t, v| t.clamp(v[0], -0.7, 1.1)),
        ("huber", |t, v| t.huber(v[0], 0.8)),
        ("softmax", |t, v| t.softmax(v[0], None)),
        ("log_softmax", |t, v| t.log_softmax(v[0], None)),
        ("layer_norm", |t, v| t.layer_norm(v[2], v[0], v[1], 1e-5)),
        ("rms_norm", |t, v| t.rms_norm(v[1], v[0], 1e-6)),
        ("div", |t, v| t.div(v[0], v[1])),
        ("minimum", |t, v| t.min(v[0], v[1])),
        ("matmul", |t, v| t.matmul(v[0], v[1])),
        ("matmul_nt", |t, v| t.matmul_nt(v[0], v[1])),
        ("cosine", |t, v| t.cosine_similarity(v[0], v[1])),
        ("cross_entropy", |t, v| t.cross_entropy(v[0], &[Some(4), Some(0), Some(2), Some(4)])),
        ("embedding", |t, v| t.gather(v[0], &[6, 0, 0, 3])),
    ];
    for (case, build) in all {
        let params = inputs(&torch, case);
        assert!(params.count() > 0, "{case} is not in the fixture");
        compare(&torch, case, &params, |tape| {
            let vars: Vec<Var> = params.ids().map(|id| tape.param(id)).collect();
            build(tape, &vars)
        });
    }
}

#[test]
fn fused_blocks() {
    let torch = torch();
    for (case, style, activation) in
        [("block", BlockStyle::Standard, Activation::Gelu), ("block_t5", BlockStyle::T5, Activation::Relu)]
    {
        let given = inputs(&torch, case);
        let mut params = Params::new();
        let config = BlockConfig { dim: 12, heads: 2, head_dim: 5, hidden: 11, style, activation, epsilon: 1e-5 };
        let block = config.init(&mut params, "block", &mut Random::new(1));
        for id in params.ids() {
            let name = params.name(id).trim_start_matches("block.").to_owned();
            *params.value_mut(id) = given.value(given.find(&name).unwrap()).clone();
        }
        let mut add = |name: &str| given.find(name).map(|id| params.add(name, given.value(id).clone()));
        let (x, bias) = (add("x").unwrap(), add("bias"));
        let keep = &torch.tensors[&format!("{case}/keep")];
        compare(&torch, case, &params, |tape| {
            let (x, bias) = (tape.param(x), bias.map(|bias| tape.param(bias)));
            block.forward(tape, x, BlockExtras { keep: Some(keep), bias, dropout: None })
        });
    }
}

#[test]
fn fused_mlp() {
    let torch = torch();
    let given = inputs(&torch, "mlp");
    let mut own = Params::new();
    let config = MlpConfig { sizes: vec![13, 9, 2], activation: Activation::Gelu };
    let mlp = config.init(&mut own, "mlp", &mut Random::new(1));
    // Under the names of the case, at the places that the layers know.
    let mut params = Params::new();
    for name in ["w0", "b0", "w1", "b1", "x"] {
        params.add(name, given.value(given.find(name).unwrap()).clone());
    }
    assert_eq!(mlp.layers().len(), 2);
    let x = params.find("x").unwrap();
    compare(&torch, "mlp", &params, |tape| {
        let x = tape.param(x);
        mlp.forward(tape, x)
    });
}

#[test]
fn clipped_steps_of_adamw() {
    let torch = torch();
    let mut params = Params::new();
    let weight = params.add("weight", torch.tensors["adamw/start"].clone());
    let mut adam = AdamW::new(AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() });
    for step in 0..3 {
        let mut tape = Tape::new(&params);
        let var = tape.param(weight);
        let square = tape.square(var);
        let sum = tape.sum_all(square);
        let loss = tape.scale(sum, 3.0);
        let mut gradients = Gradients::new();
        tape.backward(loss, &mut gradients);
        tape.clear();
        gradients.clip(1.0);
        adam.step(&mut params, &gradients, 0.05);
        let wanted = &torch.tensors[&format!("adamw/step{step}")];
        assert_close(params.value(weight).data(), wanted, &format!("step {step}"));
    }
}
