//! Gradients against central finite differences, on random windows.

use lotwise_core::Seed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::*;

/// A random window with its weights.
struct Window {
    n_assets: usize,
    n_steps: usize,
    ret_before: Vec<f64>,
    ret_after: Vec<f64>,
    cash_ret: Vec<f64>,
    tradable: Vec<bool>,
    gain_ratio: Vec<f64>,
    short_share: Vec<f64>,
    start: Vec<f64>,
    weights: Vec<f64>,
    funding: Funding,
}

fn uniform(random: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * (random.next_u64() as f64 / u64::MAX as f64)
}

impl Window {
    fn random(seed: u64, n_assets: usize, n_steps: usize) -> Self {
        let mut random = Seed::new(seed).stream("window", 0);
        let cells = n_steps * n_assets;
        let many = |random: &mut ChaCha8Rng, n: usize, low: f64, high: f64| -> Vec<f64> {
            (0..n).map(|_| uniform(random, low, high)).collect()
        };
        let mut start =
            vec![uniform(&mut random, 1e3, 3e4), uniform(&mut random, -2e3, 2e3), uniform(&mut random, -2e3, 2e3)];
        start.extend(many(&mut random, n_assets, 1e3, 2e4));
        let mut weights = Vec::new();
        for _ in 0..n_steps {
            let raw: Vec<f64> =
                many(&mut random, n_assets + 1, 0.02, 1.0).iter().map(|weight| weight * weight).collect();
            let sum: f64 = raw.iter().sum();
            weights.extend(raw.iter().map(|weight| weight / sum));
        }
        Self {
            n_assets,
            n_steps,
            ret_before: many(&mut random, cells, -0.01, 0.01),
            ret_after: many(&mut random, cells, -0.03, 0.03),
            cash_ret: many(&mut random, n_steps, 0.0, 0.0002),
            tradable: (0..cells).map(|_| uniform(&mut random, 0.0, 1.0) < 0.85).collect(),
            gain_ratio: many(&mut random, cells, -0.4, 0.4),
            short_share: many(&mut random, cells, 0.0, 1.0),
            start,
            weights,
            funding: if seed.is_multiple_of(3) { Funding::Initial } else { Funding::Rebalance },
        }
    }

    fn path(&self) -> Path<'_> {
        Path {
            ret_before: &self.ret_before,
            ret_after: &self.ret_after,
            cash_ret: &self.cash_ret,
            tradable: &self.tradable,
            gain_ratio: &self.gain_ratio,
            short_share: &self.short_share,
            funding: self.funding,
        }
    }
}

fn config(seed: u64) -> TwinConfig {
    TwinConfig {
        rebalance_threshold: 0.01,
        turnover_cap: [0.25, f64::INFINITY, 0.6][seed as usize % 3],
        cost_rate: 0.0005,
        smoothing: Smoothing::stated(),
        tax: TwinTax {
            short_rate: 0.32,
            long_rate: 0.15,
            loss_limit: 3_000.0,
            carried_loss_rate: 0.075,
            account_scale: 100_000.0,
        },
    }
}

/// A loss of every output and of the state at the end.
fn loss(twin: &mut Twin, window: &Window, start: &[f64], weights: &[f64], of: &[StepOutput], of_end: &[f64]) -> f64 {
    let mut outputs = vec![StepOutput::default(); window.n_steps];
    twin.forward(&window.path(), start, weights, &mut outputs);
    let steps: f64 = outputs
        .iter()
        .zip(of)
        .map(|(output, of)| {
            output.log_ret * of.log_ret + output.turnover * of.turnover + output.cash_ratio * of.cash_ratio
        })
        .sum();
    steps + twin.end_state().iter().zip(of_end).map(|(value, of)| value * of).sum::<f64>()
}

/// Richardson's extrapolation of two central differences: error of the fourth power of the step.
fn difference(mut value_at: impl FnMut(f64) -> f64, step: f64) -> f64 {
    let mut central = |h: f64| (value_at(h) - value_at(-h)) / (2.0 * h);
    let (wide, narrow) = (central(step), central(step / 2.0));
    (4.0 * narrow - wide) / 3.0
}

fn relative_error(got: &[f64], wanted: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(wanted).map(|(a, b)| a - b)) / norm(&mut wanted.iter().copied()).max(1e-12)
}

#[test]
fn gradients_of_weights_and_start_are_those_of_finite_differences() {
    for seed in 0..24 {
        let window = Window::random(seed, 1 + seed as usize % 6, 1 + seed as usize % 9);
        let mut random = Seed::new(seed).stream("loss", 0);
        let mut draw = || uniform(&mut random, -1.0, 1.0);
        let of: Vec<StepOutput> = (0..window.n_steps)
            .map(|_| StepOutput { log_ret: draw(), turnover: 0.1 * draw(), cash_ratio: 0.1 * draw() })
            .collect();
        let of_end: Vec<f64> = window.start.iter().map(|_| 1e-5 * draw()).collect();
        let mut twin = Twin::new(config(seed), window.n_assets);
        loss(&mut twin, &window, &window.start, &window.weights, &of, &of_end);
        let mut gradient = vec![f64::NAN; window.weights.len()];
        let of_start = twin.reverse(&window.path(), &window.weights, &of, Some(&of_end), &mut gradient).to_vec();

        let by_weight: Vec<f64> = (0..window.weights.len())
            .map(|at| {
                let shifted = |h: f64| {
                    let mut weights = window.weights.clone();
                    weights[at] += h;
                    loss(&mut twin, &window, &window.start, &weights, &of, &of_end)
                };
                difference(shifted, 2e-6)
            })
            .collect();
        let error = relative_error(&gradient, &by_weight);
        assert!(error < 1e-5, "window {seed}: weights differ by {error}");
        let by_start: Vec<f64> = (0..window.start.len())
            .map(|at| {
                let shifted = |h: f64| {
                    let mut start = window.start.clone();
                    start[at] += h;
                    loss(&mut twin, &window, &start, &window.weights, &of, &of_end)
                };
                difference(shifted, 0.2)
            })
            .collect();
        let error = relative_error(&of_start, &by_start);
        assert!(error < 1e-5, "window {seed}: start differs by {error}");
    }
}

#[test]
fn windows_can_be_chained() {
    let window = Window::random(7, 4, 8);
    let of = vec![StepOutput { log_ret: -1.0, turnover: 0.05, cash_ratio: 0.02 }; 8];
    let mut twin = Twin::new(config(7), 4);
    let mut outputs = vec![StepOutput::default(); 8];
    twin.forward(&window.path(), &window.start, &window.weights, &mut outputs);
    let mut whole = vec![0.0; window.weights.len()];
    let start = twin.reverse(&window.path(), &window.weights, &of, None, &mut whole).to_vec();

    let half = |from: usize, to: usize| Path {
        ret_before: &window.ret_before[from * 4..to * 4],
        ret_after: &window.ret_after[from * 4..to * 4],
        cash_ret: &window.cash_ret[from..to],
        tradable: &window.tradable[from * 4..to * 4],
        gain_ratio: &window.gain_ratio[from * 4..to * 4],
        short_share: &window.short_share[from * 4..to * 4],
        funding: window.funding,
    };
    let (early, late) = window.weights.split_at(3 * 5);
    let mut first = Twin::new(config(7), 4);
    let mut first_outputs = vec![StepOutput::default(); 3];
    first.forward(&half(0, 3), &window.start, early, &mut first_outputs);
    let mut second = Twin::new(config(7), 4);
    let mut second_outputs = vec![StepOutput::default(); 5];
    second.forward(&half(3, 8), first.end_state(), late, &mut second_outputs);
    assert_eq!([&first_outputs[..], &second_outputs[..]].concat(), outputs);
    let mut parts = vec![0.0; whole.len()];
    let (early_slope, late_slope) = parts.split_at_mut(15);
    let middle = second.reverse(&half(3, 8), late, &of[3..], None, late_slope).to_vec();
    let chained = first.reverse(&half(0, 3), early, &of[..3], Some(&middle), early_slope).to_vec();
    assert!(relative_error(&parts, &whole) < 1e-14 && relative_error(&chained, &start) < 1e-14);
}

#[test]
fn descent_along_the_gradient_finds_the_asset_that_rises() {
    // One asset gains 1 % a step, the other loses as much; a step along the gradient earns more.
    let (n_assets, n_steps) = (2, 10);
    let cells = n_assets * n_steps;
    let ret_after: Vec<f64> = (0..cells).map(|at| if at % 2 == 0 { 0.01 } else { -0.01 }).collect();
    let (zeros, open) = (vec![0.0; cells], vec![true; cells]);
    let path = Path {
        ret_before: &zeros,
        ret_after: &ret_after,
        cash_ret: &zeros[..n_steps],
        tradable: &open,
        gain_ratio: &zeros,
        short_share: &zeros,
        funding: Funding::Initial,
    };
    let mut logits = vec![0.0; n_steps * 3];
    let softmax = |logits: &[f64]| -> Vec<f64> {
        logits
            .chunks(3)
            .flat_map(|step| {
                let exps: Vec<f64> = step.iter().map(|logit| logit.exp()).collect();
                let sum: f64 = exps.iter().sum();
                exps.into_iter().map(move |exp| exp / sum)
            })
            .collect()
    };
    let mut twin = Twin::new(config(1), n_assets);
    let start = [100_000.0, 0.0, 0.0, 0.0, 0.0];
    let mut outputs = vec![StepOutput::default(); n_steps];
    let mut growth = Vec::new();
    for _ in 0..60 {
        let weights = softmax(&logits);
        twin.forward(&path, &start, &weights, &mut outputs);
        let (loss, of_output) = negative_log_growth(&outputs);
        growth.push(-loss);
        let mut gradient = vec![0.0; weights.len()];
        twin.reverse(&path, &weights, &vec![of_output; n_steps], None, &mut gradient);
        for ((logits, weights), gradient) in logits.chunks_mut(3).zip(weights.chunks(3)).zip(gradient.chunks(3)) {
            let mean: f64 = weights.iter().zip(gradient).map(|(weight, slope)| weight * slope).sum();
            for ((logit, weight), slope) in logits.iter_mut().zip(weights).zip(gradient) {
                *logit -= 300.0 * weight * (slope - mean);
            }
        }
    }
    let best = 10.0 * 1.01_f64.ln();
    assert!(growth[0] < 0.01 && growth[59] > 0.9 * best, "{} to {} of {best}", growth[0], growth[59]);
}
