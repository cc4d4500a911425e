//! One training step and one inference of a small encoder, as lines of JSON.
//!
//! The job: windows of 60 bars with 16 features, a linear layer, 4 pre-norm blocks (4 heads, 256 hidden),
//! the mean over bars, a linear head; mean squared error, AdamW. `LOTWISE_BENCH_THREADS` (1),
//! `LOTWISE_BENCH_REPEATS` (5), `LOTWISE_BENCH_JOBS` (`train64,train128,infer64,infer128`, also `scorer`)
//! and `LOTWISE_BENCH_INSTRUCTIONS` (`portable`, `avx2`, …) choose what runs; with `LOTWISE_BENCH_WAIT`
//! each job waits for a line on standard input, so that a script can take turns with a peer.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::time::Instant;

use lotwise_tensor::fused::{Activation, Block, BlockConfig, BlockExtras, BlockStyle, Mlp, MlpConfig};
use lotwise_tensor::{AdamW, AdamWConfig, Array, Gradients, Instructions, ParamId, Params, Random, Tape, Var};

const BARS: usize = 60;
const FEATURES: usize = 16;

struct Encoder {
    input: [ParamId; 2],
    blocks: Vec<Block>,
    head: [ParamId; 2],
}

impl Encoder {
    fn new(params: &mut Params, dim: usize, random: &mut Random) -> Self {
        let mut linear = |params: &mut Params, name: &str, inputs: usize, outputs: usize| {
            let limit = 1.0 / (inputs as f32).sqrt();
            let weight = params.add_uniform(format!("{name}.weight"), [inputs, outputs], limit, random);
            [weight, params.add(format!("{name}.bias"), Array::zeros([outputs]))]
        };
        let input = linear(params, "input", FEATURES, dim);
        let head = linear(params, "head", dim, 1);
        let config = BlockConfig {
            dim,
            heads: 4,
            head_dim: dim / 4,
            hidden: 256,
            style: BlockStyle::Standard,
            activation: Activation::Gelu,
            epsilon: 1e-5,
        };
        let blocks = (0..4).map(|i| config.init(params, &format!("block.{i}"), random)).collect();
        Self { input, blocks, head }
    }

    /// `[B, T, D]` to `[B, 1]`.
    fn forward(&self, tape: &mut Tape, x: Var) -> Var {
        let [weight, bias] = self.input.map(|id| tape.param(id));
        let mut x = tape.linear(x, weight, Some(bias));
        for block in &self.blocks {
            x = block.forward(tape, x, BlockExtras::default());
        }
        let pooled = tape.mean(x, 1);
        let [weight, bias] = self.head.map(|id| tape.param(id));
        tape.linear(pooled, weight, Some(bias))
    }
}

fn normal(shape: &[usize], random: &mut Random) -> Array {
    Array::from_fn(shape, |_| random.normal())
}

/// Milliseconds that the threads of this process have spent on a processor, where Linux tells it: on a busy
/// machine the clock on the wall measures the neighbours.
fn processor_ms() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let statistics = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    statistics.filter_map(|line| line.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e6
}

/// Milliseconds of each repetition, after three that do not count: on the wall, and of processors.
fn time(repeats: usize, mut work: impl FnMut() -> f32) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for i in 0..repeats + 3 {
        let (start, busy) = (Instant::now(), processor_ms());
        assert!(work().is_finite());
        if i >= 3 {
            times[0].push(start.elapsed().as_secs_f64() * 1e3);
            times[1].push(processor_ms() - busy);
        }
    }
    times
}

/// A step on the mean of squares of `forward`'s distance from `y`.
fn train(
    params: &mut Params,
    repeats: usize,
    x: &Array,
    y: &Array,
    forward: impl Fn(&mut Tape, Var) -> Var,
) -> [Vec<f64>; 2] {
    let mut adam = AdamW::new(AdamWConfig { weight_decay: 0.01, ..AdamWConfig::default() });
    let (mut tape, mut gradients) = (Tape::default(), Gradients::new());
    time(repeats, || {
        tape.restart(params);
        let x = tape.constant(x.clone());
        let y = tape.constant(y.clone());
        let out = forward(&mut tape, x);
        let error = tape.sub(out, y);
        let square = tape.square(error);
        let loss = tape.mean_all(square);
        let value = tape.scalar(loss);
        gradients.clear();
        tape.backward(loss, &mut gradients);
        tape.clear();
        adam.step(params, &gradients, 1e-3);
        value
    })
}

fn run(job: &str, repeats: usize) -> [Vec<f64>; 2] {
    let mut random = Random::new(1);
    let mut params = Params::new();
    if job == "scorer" {
        // Four experts over 64 dates of 11 tokens each.
        let sizes = vec![92, 400, 400, 1];
        let experts: Vec<Mlp> = (0..4)
            .map(|i| {
                let config = MlpConfig { sizes: sizes.clone(), activation: Activation::Gelu };
                config.init(&mut params, &format!("expert.{i}"), &mut random)
            })
            .collect();
        let (x, y) = (normal(&[64, 11, 92], &mut random), normal(&[64, 11, 4], &mut random));
        return train(&mut params, repeats, &x, &y, |tape, x| {
            let scores: Vec<Var> = experts.iter().map(|expert| expert.forward(tape, x)).collect();
            tape.concat(&scores, 2)
        });
    }
    let dim = if job.ends_with("128") { 128 } else { 64 };
    let encoder = Encoder::new(&mut params, dim, &mut random);
    if job.starts_with("train") {
        let (x, y) = (normal(&[320, BARS, FEATURES], &mut random), normal(&[320, 1], &mut random));
        train(&mut params, repeats, &x, &y, |tape, x| encoder.forward(tape, x))
    } else {
        let windows = if job.contains("500x") { 500 } else { 10 };
        let x = normal(&[windows, BARS, FEATURES], &mut random);
        let mut tape = Tape::inference(&params);
        time(repeats * 10, || {
            tape.restart(&params);
            let x = tape.constant(x.clone());
            let y = encoder.forward(&mut tape, x);
            tape.value(y).data()[0]
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let setting = |name: &str, default: &str| std::env::var(format!("LOTWISE_BENCH_{name}")).unwrap_or(default.into());
    let threads: usize = setting("THREADS", "1").parse()?;
    let repeats: usize = setting("REPEATS", "5").parse()?;
    let wanted = setting("INSTRUCTIONS", "best");
    for set in Instructions::available() {
        if format!("{set:?}").eq_ignore_ascii_case(&wanted) {
            assert!(Instructions::limit(set), "the instructions are chosen before anything runs");
        }
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    for job in setting("JOBS", "train64,train128,infer64,infer128").split(',') {
        if std::env::var_os("LOTWISE_BENCH_WAIT").is_some() {
            std::io::stdin().read_line(&mut String::new())?;
        }
        let mut times = run(job, repeats);
        times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
        let [(median, least), (busy, _)] = times.map(|times| (times[times.len() / 2], times[0]));
        println!(
            "{{\"job\": \"{job}\", \"threads\": {threads}, \"median_ms\": {median:.3}, \"least_ms\": {least:.3}, \
             \"processor_ms\": {busy:.3}, \"instructions\": \"{:?}\"}}",
            Instructions::in_use()
        );
    }
    Ok(())
}
