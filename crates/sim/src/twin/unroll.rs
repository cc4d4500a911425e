//! A window of steps: forward with a tape, and back.

use super::step::{AssetWork, Slopes, StepInput, VALUES};
use super::{Path, TwinConfig};
use crate::execution::Funding;

/// What a step of the twin shows, or what a loss thinks of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepOutput {
    /// Logarithm of the account's growth over the step, after costs and tax.
    pub log_ret: f64,
    /// Traded over the value at the decision, both sides.
    pub turnover: f64,
    /// Cash over value after the trades as planned.
    pub cash_ratio: f64,
}

/// The twin of an environment: buffers of one window, used again and again.
#[derive(Debug, Clone)]
pub struct Twin {
    config: TwinConfig,
    n_assets: usize,
    n_steps: usize,
    /// States before each step and after the last, `[T + 1, 3 + N]`.
    states: Vec<f64>,
    assets: Vec<AssetWork>,
    /// Gradients of a state and of the one before.
    slopes: [Vec<f64>; 2],
}

/// `−Σ log_ret`, and its gradient: what APG minimises by default.
#[must_use]
pub fn negative_log_growth(outputs: &[StepOutput]) -> (f64, StepOutput) {
    let loss = -outputs.iter().map(|output| output.log_ret).sum::<f64>();
    (loss, StepOutput { log_ret: -1.0, ..StepOutput::default() })
}

impl Twin {
    /// For windows of this many assets.
    #[must_use]
    pub fn new(config: TwinConfig, n_assets: usize) -> Self {
        let width = VALUES + n_assets;
        Self {
            config,
            n_assets,
            n_steps: 0,
            states: Vec::new(),
            assets: vec![AssetWork::default(); n_assets],
            slopes: [vec![0.0; width], vec![0.0; width]],
        }
    }

    /// Runs a window from `start`, `[3 + N]`: cash, short-term and long-term gains of the year so far,
    /// and the value of each asset, US dollars. `weights`, `[T, 1 + N]`, cash first; `outputs`, `[T]`.
    ///
    /// Slices must have these lengths. Nothing is allocated once a window of this length was run.
    pub fn forward(&mut self, path: &Path<'_>, start: &[f64], weights: &[f64], outputs: &mut [StepOutput]) {
        let (n_assets, n_steps, width) = (self.n_assets, outputs.len(), VALUES + self.n_assets);
        let cells = n_steps * n_assets;
        assert!(
            start.len() == width
                && weights.len() == cells + n_steps
                && [path.ret_before, path.ret_after, path.gain_ratio, path.short_share]
                    .iter()
                    .all(|x| x.len() == cells)
                && path.tradable.len() == cells
                && path.cash_ret.len() == n_steps,
            "Invariant: a window has the lengths that its documentation gives"
        );
        self.n_steps = n_steps;
        self.states.resize((n_steps + 1) * width, 0.0);
        self.states[..width].copy_from_slice(start);
        for (at, output) in outputs.iter_mut().enumerate() {
            let (before, after) = self.states.split_at_mut((at + 1) * width);
            let input = step_input(&self.config, path, &before[at * width..], weights, at, n_assets);
            let work = input.forward(&mut self.assets, &mut after[..width]);
            *output = StepOutput { log_ret: work.log_ret(), turnover: work.turnover(), cash_ratio: work.cash_ratio() };
        }
    }

    /// The state after the last step run, `[3 + N]`.
    #[must_use]
    pub fn end_state(&self) -> &[f64] {
        &self.states[self.n_steps * (VALUES + self.n_assets)..]
    }

    /// The vector-Jacobian product of the last [`Self::forward`], with its arguments: from gradients of
    /// the outputs, `[T]`, and of the state at the end, `[3 + N]` or nothing, to those of the weights,
    /// `[T, 1 + N]`, which are overwritten. Gives the gradient of the start, `[3 + N]`.
    pub fn reverse(
        &mut self,
        path: &Path<'_>,
        weights: &[f64],
        of_outputs: &[StepOutput],
        of_end: Option<&[f64]>,
        of_weights: &mut [f64],
    ) -> &[f64] {
        let (n_assets, width) = (self.n_assets, VALUES + self.n_assets);
        assert!(
            of_outputs.len() == self.n_steps
                && weights.len() == self.n_steps * (n_assets + 1)
                && of_weights.len() == weights.len()
                && of_end.is_none_or(|end| end.len() == width),
            "Invariant: gradients have the lengths of the window that was run"
        );
        of_weights.fill(0.0);
        let [now, earlier] = &mut self.slopes;
        match of_end {
            Some(end) => now.copy_from_slice(end),
            None => now.fill(0.0),
        }
        for (at, of_output) in of_outputs.iter().enumerate().rev() {
            let (before, after) = self.states.split_at_mut((at + 1) * width);
            let input = step_input(&self.config, path, &before[at * width..], weights, at, n_assets);
            let next = &mut after[..width];
            // The step's inner values are computed again instead of kept: a window of the tape is its
            // states alone, and the same numbers come out.
            let work = input.forward(&mut self.assets, next);
            let of = Slopes { output: *of_output, next: now };
            let of_step = &mut of_weights[at * (n_assets + 1)..(at + 1) * (n_assets + 1)];
            input.reverse(&work, &mut self.assets, next, of, of_step, earlier);
            std::mem::swap(now, earlier);
        }
        now
    }
}

fn step_input<'a>(
    config: &'a TwinConfig,
    path: &Path<'a>,
    state: &'a [f64],
    weights: &'a [f64],
    at: usize,
    n_assets: usize,
) -> StepInput<'a> {
    let cells = at * n_assets..(at + 1) * n_assets;
    StepInput {
        config,
        state: &state[..VALUES + n_assets],
        weights: &weights[at * (n_assets + 1)..(at + 1) * (n_assets + 1)],
        ret_before: &path.ret_before[cells.clone()],
        ret_after: &path.ret_after[cells.clone()],
        cash_ret: path.cash_ret[at],
        tradable: &path.tradable[cells.clone()],
        gain_ratio: &path.gain_ratio[cells.clone()],
        short_share: &path.short_share[cells],
        limited: at > 0 || path.funding == Funding::Rebalance,
    }
}
