//! Fused blocks against plain compositions of tape operations, and what holds for them as wholes.

use lotwise_tensor::fused::{
    Activation, AttentionInputs, Block, BlockConfig, BlockExtras, BlockStyle, Dropout, MlpConfig,
};
use lotwise_tensor::{Array, Gradients, ParamId, Params, Random, Tape, Var};

use crate::gradients::{Case, gradients};
use crate::normal;

const BATCH: usize = 7;
const TIME: usize = 5;

fn config(style: BlockStyle) -> BlockConfig {
    BlockConfig { dim: 13, heads: 3, head_dim: 4, hidden: 11, style, activation: Activation::Gelu, epsilon: 1e-5 }
}

/// Padding of different length in each sequence; the last has none to attend to but itself.
fn keep() -> Array {
    Array::from_fn([BATCH, TIME], |at| if at % TIME <= at / TIME { 1.0 } else { 0.0 })
}

/// Weights of a size at which attention is no mere average, biases and gains that are not trivial.
fn roughen(params: &mut Params) {
    for id in params.ids() {
        let gain = if params.name(id).ends_with("gain") { 1.0 } else { 0.0 };
        let shape = params.value(id).shape();
        let noise = normal(shape, 1000 + params.name(id).len() as u64);
        *params.value_mut(id) = Array::from_fn(shape, |at| gain + 0.5 * noise.data()[at]);
    }
}

/// What a case of a block switches on.
#[derive(Clone, Copy)]
struct Switches {
    style: BlockStyle,
    activation: Activation,
    padded: bool,
    biased: bool,
    dropout: Option<Dropout>,
}

fn switches() -> Vec<(&'static str, Switches)> {
    let (style, activation) = (BlockStyle::Standard, Activation::Gelu);
    let plain = Switches { style, activation, padded: false, biased: false, dropout: None };
    vec![
        ("block", plain),
        ("block with padding", Switches { padded: true, ..plain }),
        ("T5 block with bias and padding", Switches { style: BlockStyle::T5, padded: true, biased: true, ..plain }),
        (
            "T5 block as published",
            Switches { style: BlockStyle::T5, activation: Activation::Relu, biased: true, ..plain },
        ),
        ("block with dropout", Switches { dropout: Some(Dropout { rate: 0.2, seed: 3 }), ..plain }),
    ]
}

/// A block with its input as a parameter: `(case, the same from plain operations)`.
fn block(name: &str, on: Switches) -> [Case; 2] {
    block_of(name, on, config(on.style), [BATCH, TIME])
}

fn block_of(name: &str, on: Switches, config: BlockConfig, [batch, time]: [usize; 2]) -> [Case; 2] {
    let mut params = Params::new();
    let input = params.add("x", normal([batch, time, config.dim], 1));
    let bias = on.biased.then(|| params.add("bias", normal([config.heads, time, time], 2)));
    let block = BlockConfig { activation: on.activation, ..config }.init(&mut params, "block", &mut Random::new(4));
    roughen(&mut params);
    let mask = on.padded.then(keep);
    let (plain, plain_mask) = (block.clone(), mask.clone());
    let fused = move |tape: &mut Tape| {
        let (x, bias) = (tape.param(input), bias.map(|bias| tape.param(bias)));
        block.forward(tape, x, BlockExtras { keep: mask.as_ref(), bias, dropout: on.dropout })
    };
    let reference = move |tape: &mut Tape| {
        let (x, bias) = (tape.param(input), bias.map(|bias| tape.param(bias)));
        composed(&plain, tape, x, plain_mask.as_ref(), bias)
    };
    let case = |build| Case { name: name.to_owned(), params: params.clone(), build };
    [case(Box::new(fused)), case(Box::new(reference))]
}

/// The block from plain operations (without dropout, whose places differ).
fn composed(block: &Block, tape: &mut Tape, x: Var, keep: Option<&Array>, bias: Option<Var>) -> Var {
    let config = *block.config();
    let [batch, time, dim] = tape.dims(x);
    let (heads, head_dim) = (config.heads, config.head_dim);
    let vars = block.params().map(|id| id.map(|id| tape.param(id)));
    let var = |i: usize| vars[i].expect("a gain or weight");
    let norm = |tape: &mut Tape, x: Var, i: usize| match vars[i + 1] {
        Some(shift) => tape.layer_norm(x, var(i), shift, config.epsilon),
        None => tape.rms_norm(x, var(i), config.epsilon),
    };
    let normed = norm(tape, x, 0);
    let qkv = tape.linear(normed, var(2), vars[3]);
    let qkv = tape.reshape(qkv, [batch, time, 3, heads, head_dim]);
    let qkv = tape.permute(qkv, &[2, 0, 3, 1, 4]);
    let [q, k, v] = [0, 1, 2].map(|i| {
        let part = tape.slice(qkv, 0, i..i + 1);
        tape.reshape(part, [batch, heads, time, head_dim])
    });
    let mut scores = tape.matmul_nt(q, k);
    if config.style == BlockStyle::Standard {
        scores = tape.scale(scores, 1.0 / (head_dim as f32).sqrt());
    }
    if let Some(bias) = bias {
        scores = tape.add(scores, bias);
    }
    let size = batch * heads * time * time;
    let mask = keep.map(|keep| {
        let per = heads * time * time;
        let row = |at: usize| keep.data()[at / per * time + at % time];
        Array::from_fn([batch, heads, time, time], row)
    });
    assert_eq!(tape.shape(scores).count(), size);
    let p = tape.softmax(scores, mask.as_ref());
    let answers = tape.matmul(p, v);
    let answers = tape.permute(answers, &[0, 2, 1, 3]);
    let answers = tape.reshape(answers, [batch, time, heads * head_dim]);
    let out = tape.linear(answers, var(4), vars[5]);
    let middle = tape.add(x, out);
    let normed = norm(tape, middle, 6);
    let hidden = tape.linear(normed, var(8), vars[9]);
    let active = match config.activation {
        Activation::Gelu => tape.gelu(hidden),
        Activation::Relu => tape.relu(hidden),
    };
    let out = tape.linear(active, var(10), vars[11]);
    assert_eq!(tape.dims(out), [batch, time, dim]);
    tape.add(middle, out)
}

fn mlp(activation: Activation) -> [Case; 2] {
    let mut params = Params::new();
    let input = params.add("x", normal([7, 3, 13], 1));
    let mlp = MlpConfig { sizes: vec![13, 9, 17, 2], activation }.init(&mut params, "mlp", &mut Random::new(5));
    roughen(&mut params);
    let layers = mlp.layers().to_vec();
    let fused = move |tape: &mut Tape| {
        let x = tape.param(input);
        mlp.forward(tape, x)
    };
    let reference = move |tape: &mut Tape| {
        let mut x = tape.param(input);
        for (i, layer) in layers.iter().enumerate() {
            let [weight, bias] = layer.map(|id| tape.param(id));
            x = tape.linear(x, weight, Some(bias));
            if i + 1 < layers.len() {
                x = match activation {
                    Activation::Gelu => tape.gelu(x),
                    Activation::Relu => tape.relu(x),
                };
            }
        }
        x
    };
    let case = |build| Case { name: format!("mlp, {activation:?}"), params: params.clone(), build };
    [case(Box::new(fused)), case(Box::new(reference))]
}

/// Attention of three queries over five keys: `(case, the same from plain operations)`.
fn attention(dropout: Option<Dropout>) -> [Case; 2] {
    const QUERIES: usize = 3;
    let mut params = Params::new();
    let shapes = [("q", QUERIES), ("k", TIME), ("v", TIME)];
    let ids: [ParamId; 3] =
        shapes.map(|(name, rows)| params.add(name, normal([BATCH, rows, 8], rows as u64 + name.len() as u64)));
    let bias = params.add("bias", normal([2, QUERIES, TIME], 8));
    let fused = move |tape: &mut Tape| {
        let [queries, keys, values] = ids.map(|id| tape.param(id));
        let bias = Some(tape.param(bias));
        tape.attention(&AttentionInputs { queries, keys, values, heads: 2, keep: Some(&keep()), bias, dropout })
    };
    let reference = move |tape: &mut Tape| {
        let heads = ids.map(|id| {
            let x = tape.param(id);
            let [batch, rows, _] = tape.dims(x);
            let x = tape.reshape(x, [batch, rows, 2, 4]);
            tape.permute(x, &[0, 2, 1, 3])
        });
        let scores = tape.matmul_nt(heads[0], heads[1]);
        let scores = tape.scale(scores, 0.5);
        let bias = tape.param(bias);
        let scores = tape.add(scores, bias);
        let keep = keep();
        let mask = |at: usize| keep.data()[at / (2 * QUERIES * TIME) * TIME + at % TIME];
        let p = tape.softmax(scores, Some(&Array::from_fn([BATCH, 2, QUERIES, TIME], mask)));
        let y = tape.matmul(p, heads[2]);
        let y = tape.permute(y, &[0, 2, 1, 3]);
        tape.reshape(y, [BATCH, QUERIES, 8])
    };
    let case = |build| Case { name: "attention".to_owned(), params: params.clone(), build };
    [case(Box::new(fused)), case(Box::new(reference))]
}

/// Every fused operation with each of its switches, for the checks of gradients.
pub fn cases() -> Vec<Case> {
    let drop = Some(Dropout { rate: 0.3, seed: 11 });
    // Central differences do not see through the many corners of a layer of ReLU.
    let smooth = switches().into_iter().filter(|(_, on)| on.activation == Activation::Gelu);
    let blocks = smooth.map(|(name, on)| block(name, on));
    let others = [attention(None), attention(drop), mlp(Activation::Gelu)];
    blocks.chain(others).map(|[fused, _]| fused).collect()
}

fn output(case: &Case) -> Array {
    let mut tape = Tape::inference(&case.params);
    let y = (case.build)(&mut tape);
    tape.value(y).clone()
}

#[track_caller]
fn assert_close(got: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(got.len(), wanted.len());
    for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() <= 2e-5 * (1.0 + wanted.abs()), "{what} at {i}: {got}, not {wanted}");
    }
}

/// Compares a block of any sizes with its composition: batch, rows, width, heads, their width, hidden.
pub fn compare_sizes([batch, time, dim, heads, head_dim, hidden]: [usize; 6]) {
    let on = Switches { biased: true, ..switches()[0].1 };
    let config = BlockConfig { dim, heads, head_dim, hidden, epsilon: 0.1, ..config(on.style) };
    let [fused, reference] = block_of("any size", on, config, [batch, time]);
    assert_near(output(&fused).data(), output(&reference).data(), 1e-4, "any size");
    let (a, b) = (gradients(&fused), gradients(&reference));
    for id in fused.params.ids() {
        let what = format!("gradient of {}", fused.params.name(id));
        assert_near(a.get(id).expect("a gradient"), b.get(id).expect("a gradient"), 1e-4, &what);
    }
}

/// Close by the size of the largest number: what was added up on the way was of that size.
#[track_caller]
fn assert_near(got: &[f32], wanted: &[f32], tolerance: f32, what: &str) {
    let largest = wanted.iter().fold(1.0_f32, |largest, x| largest.max(x.abs()));
    for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() <= tolerance * largest, "{what} at {i}: {got}, not {wanted}");
    }
}

#[test]
fn fused_blocks_equal_their_compositions() {
    let plain = switches().into_iter().filter(|(_, on)| on.dropout.is_none()).map(|(name, on)| block(name, on));
    for [fused, reference] in plain.chain([attention(None), mlp(Activation::Gelu), mlp(Activation::Relu)]) {
        assert_close(output(&fused).data(), output(&reference).data(), &fused.name);
        let (a, b) = (gradients(&fused), gradients(&reference));
        for id in fused.params.ids() {
            let what = format!("{}: gradient of {}", fused.name, fused.params.name(id));
            assert_near(a.get(id).unwrap(), b.get(id).unwrap(), 5e-6, &what);
        }
    }
}

/// Loss, gradients and outputs of everything fused, at a size that is cut into many chunks and groups.
fn bits() -> Vec<u32> {
    let mut params = Params::new();
    let mut random = Random::new(1);
    let config = BlockConfig { dim: 16, heads: 2, head_dim: 8, hidden: 24, ..config(BlockStyle::Standard) };
    let blocks = [0, 1].map(|i| config.init(&mut params, &format!("block.{i}"), &mut random));
    let sizes = vec![16, 20, 1];
    let scorer = MlpConfig { sizes, activation: Activation::Gelu }.init(&mut params, "scorer", &mut random);
    let mut tape = Tape::new(&params);
    let mut x = tape.constant(normal([131, 13, 16], 2));
    for block in &blocks {
        let dropout = Some(Dropout { rate: 0.1, seed: 5 });
        x = block.forward(&mut tape, x, BlockExtras { dropout, ..BlockExtras::default() });
    }
    let y = scorer.forward(&mut tape, x);
    let square = tape.square(y);
    let loss = tape.mean_all(square);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    let numbers = params.ids().flat_map(|id| gradients.get(id).expect("a gradient").to_vec());
    numbers.chain(tape.value(y).data().to_vec()).map(f32::to_bits).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(bits)
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(run(threads) == one, "{threads} threads change bits");
    }
}

fn set_attention(x: Array, keep: Option<&Array>) -> Array {
    let mut params = Params::new();
    let block = config(BlockStyle::Standard).init(&mut params, "set", &mut Random::new(4));
    roughen(&mut params);
    let mut tape = Tape::inference(&params);
    let x = tape.constant(x);
    let y = block.forward(&mut tape, x, BlockExtras { keep, ..BlockExtras::default() });
    tape.value(y).clone()
}

#[test]
fn permuting_a_set_permutes_the_outputs() {
    let x = normal([1, 7, 13], 3);
    let order = [4, 0, 6, 2, 1, 5, 3];
    let permute = |x: &Array| Array::from_fn([1, 7, 13], |at| x.data()[order[at / 13] * 13 + at % 13]);
    let (one, other) = (permute(&set_attention(x.clone(), None)), set_attention(permute(&x), None));
    assert_close(other.data(), one.data(), "permuted");
}

#[test]
fn padding_changes_no_bit() {
    let x = normal([1, 7, 13], 3);
    let plain = set_attention(x.clone(), None);
    let padded = Array::from_fn([1, 20, 13], |at| if at < 91 { x.data()[at] } else { 1e3 });
    let keep = Array::from_fn([1, 20], |at| if at < 7 { 1.0 } else { 0.0 });
    let with_padding = set_attention(padded, Some(&keep));
    assert_eq!(&with_padding.data()[..91], plain.data());
}

#[test]
fn nobody_to_attend_to_gives_zeros_and_no_gradient() {
    let mut params = Params::new();
    let x = params.add("x", normal([1, 3, 4], 1));
    let mut tape = Tape::new(&params);
    let var = tape.param(x);
    let keep = Array::zeros([1, 3]);
    let inputs = AttentionInputs {
        queries: var,
        keys: var,
        values: var,
        heads: 2,
        keep: Some(&keep),
        bias: None,
        dropout: None,
    };
    let y = tape.attention(&inputs);
    assert!(tape.value(y).data().iter().all(|&y| y == 0.0));
    let loss = tape.sum_all(y);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    assert!(gradients.get(x).unwrap().iter().all(|&g| g == 0.0));
}

#[test]
fn frozen_blocks_pass_gradients_through() {
    let [mut case, _] = block("frozen", switches()[0].1);
    let all = gradients(&case);
    let input = case.params.find("x").unwrap();
    for id in case.params.ids().filter(|&id| id != input).collect::<Vec<_>>() {
        case.params.rule_mut(id).trainable = false;
    }
    let frozen = gradients(&case);
    assert_eq!(frozen.get(input), all.get(input));
    assert!(case.params.ids().filter(|&id| id != input).all(|id| frozen.get(id).is_none()));
}

#[test]
fn two_blocks_learn_to_tell_sequences_apart() {
    use lotwise_tensor::{AdamW, AdamWConfig};
    let mut params = Params::new();
    let mut random = Random::new(1);
    let config = BlockConfig { dim: 16, heads: 2, head_dim: 8, hidden: 32, ..config(BlockStyle::Standard) };
    let blocks = [0, 1].map(|i| config.init(&mut params, &format!("block.{i}"), &mut random));
    let head = MlpConfig { sizes: vec![16, 3], activation: Activation::Relu }.init(&mut params, "head", &mut random);
    let mut adam = AdamW::new(AdamWConfig::default());
    let (mut tape, mut gradients) = (Tape::default(), Gradients::new());
    let targets: Vec<Option<usize>> = (0..12).map(|i| Some(i % 3)).collect();
    let mut losses = Vec::new();
    for _ in 0..60 {
        tape.restart(&params);
        let mut x = tape.constant(normal([12, TIME, 16], 8));
        for block in &blocks {
            x = block.forward(&mut tape, x, BlockExtras::default());
        }
        let pooled = tape.mean(x, 1);
        let logits = head.forward(&mut tape, pooled);
        let loss = tape.cross_entropy(logits, &targets);
        losses.push(tape.scalar(loss));
        gradients.clear();
        tape.backward(loss, &mut gradients);
        tape.clear();
        gradients.clip(1.0);
        adam.step(&mut params, &gradients, 3e-3);
    }
    assert!(losses[0] > 0.8 && losses[59] < 0.05, "{} to {}", losses[0], losses[59]);
}
