//! The differentiable twin of a step (SPEC X-07).
//!
//! The same arithmetic as [`crate::execution`] and the tax of a year at flat rates, with every corner
//! rounded: `|x|` is `√(x² + ε)`, the threshold is a sigmoid, limits are softplus. What a sale costs in
//! tax depends on the lots it takes; the twin is told how ([`Path::gain_ratio`], [`Path::short_share`])
//! and holds it fixed inside the step, so that gradients flow through the amounts sold and through the
//! year's netting, and not through the choice of lots. As the smoothing sharpens, values go to those of
//! the exact step.
//!
//! [`Twin::forward`] runs a window, [`Twin::reverse`] is its hand-written vector-Jacobian product: from
//! what a loss thinks of each step's outputs, and of the state at the end, to the gradient of every
//! weight and of the state at the start. A training tape holds the two as one operation; the gradient
//! of the start state lets windows be chained, and that of the end state takes in a terminal value.
//!
//! Simplifications, each named: weights only, as no action is differentiable; proportional costs, no
//! impact; shares may be broken; no largest weight and no forced exits; one tax year, so that a window
//! is cut at the end of the year.

#[cfg(test)]
mod gradients;
mod smooth;
mod step;
mod unroll;

pub use smooth::Smoothing;
pub use unroll::{StepOutput, Twin, negative_log_growth};

use crate::execution::{ExecutionConfig, Funding};

/// Settings of the twin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwinConfig {
    /// δ_reb.
    pub rebalance_threshold: f64,
    /// τ_cap; infinite for none.
    pub turnover_cap: f64,
    /// Cost of a side, a fraction of what is traded.
    pub cost_rate: f64,
    /// How round the corners are.
    pub smoothing: Smoothing,
    /// Tax of the year.
    pub tax: TwinTax,
}

/// The year's tax at flat rates (SPEC T-04, T-07).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwinTax {
    /// Rate on net short-term gains, and what a deducted loss saves.
    pub short_rate: f64,
    /// Rate on net long-term gains.
    pub long_rate: f64,
    /// Net loss that other income takes, US dollars.
    pub loss_limit: f64,
    /// What a dollar of loss beyond it is worth.
    pub carried_loss_rate: f64,
    /// Value of a usual account, US dollars: the unit in which the corners of the tax are rounded.
    pub account_scale: f64,
}

impl TwinConfig {
    /// The settings of an execution with the smoothing of X-07; its actions, impact, largest weight and
    /// forced exits have no twin.
    #[must_use]
    pub fn of(execution: &ExecutionConfig, tax: TwinTax) -> Self {
        Self {
            rebalance_threshold: execution.rebalance_threshold,
            turnover_cap: execution.turnover_cap,
            cost_rate: execution.cost.rate(),
            smoothing: Smoothing::stated(),
            tax,
        }
    }
}

/// What the market does over a window of `T` steps and `N` assets, step by step. Returns are simple.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Path<'a> {
    /// From the close that the decision saw to the trades, `[T, N]`: overnight for trades at the next
    /// open. Orders are sized before it, as in the environment.
    pub ret_before: &'a [f64],
    /// From a step's trades to the valuation after it, `[T, N]`.
    pub ret_after: &'a [f64],
    /// Of cash, credited before the trades, `[T]`.
    pub cash_ret: &'a [f64],
    /// Which assets trade, `[T, N]`.
    pub tradable: &'a [bool],
    /// Gain over value of the lots that a sale would take, before its cost, `[T, N]`.
    pub gain_ratio: &'a [f64],
    /// The part of a sale that is short-term, 0 to 1, `[T, N]`.
    pub short_share: &'a [f64],
    /// Whether the first step is the first purchase from cash.
    pub funding: Funding,
}
