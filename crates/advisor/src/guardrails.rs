//! The three limits that every order is checked against (SPEC S-05).

use lotwise_core::{Money, Rate};
use lotwise_market::{AsOf, Field};

use crate::portfolio::Portfolio;
use crate::suggestion::{LimitCheck, dollars};

/// Guardrails of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest fraction of the value in one position after a purchase.
    pub max_position: Rate,
    /// Largest single order.
    pub max_order: Money,
    /// Loss of the last session, as a fraction of the value, that blocks purchases.
    pub daily_loss: Rate,
}

impl Default for Limits {
    /// 20 %, $5,000 and 2 % (SPEC S-05).
    fn default() -> Self {
        Self {
            max_position: Rate::from_billionths(200_000_000),
            max_order: Money::from_whole(5_000),
            daily_loss: Rate::from_billionths(20_000_000),
        }
    }
}

/// Loss of the holdings over the last session as a fraction of the value before it; negative for a
/// gain, `None` without two sessions of prices.
#[must_use]
pub fn last_session_loss(portfolio: &Portfolio, market: &AsOf<'_>) -> Option<f64> {
    let mut change = 0.0;
    let mut before = portfolio.cash.to_f64();
    let mut seen = false;
    for holding in &portfolio.holdings {
        let Some(asset) = holding.quote.asset else {
            before += holding.value.to_f64();
            continue;
        };
        let closes: Vec<f64> = market
            .column(asset, Field::AdjClose)
            .iter()
            .rev()
            .copied()
            .filter(|close| close.is_finite())
            .take(2)
            .collect();
        let value = holding.value.to_f64();
        let ret = match closes[..] {
            [last, previous] if previous > 0.0 => last / previous - 1.0,
            _ => continue,
        };
        seen = true;
        change += value - value / (1.0 + ret);
        before += value / (1.0 + ret);
    }
    (seen && before > 0.0).then(|| -change / before)
}

/// The three checks for one suggestion.
///
/// `weight_after` is the position's fraction of the value after the trade, `amount` what is
/// traded, `buys` whether it adds to the position.
#[must_use]
pub fn checks(
    limits: &Limits,
    weight_after: f64,
    amount: Money,
    buys: bool,
    session_loss: Option<f64>,
) -> Vec<LimitCheck> {
    let max_position = limits.max_position.to_f64();
    let over = weight_after > max_position + 1e-9;
    let position = LimitCheck {
        name: "max_position",
        value: format!("{weight_after:.4}"),
        threshold: limits.max_position.to_string(),
        pass: !over || !buys,
        note: match (over, buys) {
            (false, _) => {
                format!("{:.1} % of the value after this, at most {:.1} %", weight_after * 100.0, max_position * 100.0)
            }
            (true, true) => "the purchase would make the position too large".to_owned(),
            (true, false) => format!(
                "the position stays above {:.1} % ({:.1} %); the limit stops purchases, not holding or selling",
                max_position * 100.0,
                weight_after * 100.0
            ),
        },
    };
    let orders = order_count(amount, limits.max_order);
    let largest = if orders > 1 { limits.max_order } else { amount };
    let order = LimitCheck {
        name: "max_order",
        value: largest.to_cents().to_string(),
        threshold: limits.max_order.to_string(),
        pass: true,
        note: if orders > 1 {
            format!("sent as {orders} orders of at most {}, spread over time", dollars(limits.max_order))
        } else {
            "fits into one order".to_owned()
        },
    };
    let loss = LimitCheck {
        name: "daily_loss",
        value: session_loss.map_or_else(|| "unknown".to_owned(), |loss| format!("{:.4}", loss.max(0.0))),
        threshold: limits.daily_loss.to_string(),
        pass: !buys || !blocks_purchases(limits, session_loss),
        note: match session_loss {
            None => "not available, because there are no two sessions of prices".to_owned(),
            Some(loss) if loss > limits.daily_loss.to_f64() => {
                "the loss of the last session blocks purchases until the next one".to_owned()
            }
            Some(_) => "the last session's loss is below the limit".to_owned(),
        },
    };
    vec![position, order, loss]
}

/// Whether the last session's loss blocks purchases.
#[must_use]
pub fn blocks_purchases(limits: &Limits, session_loss: Option<f64>) -> bool {
    session_loss.is_some_and(|loss| loss > limits.daily_loss.to_f64())
}

/// Orders needed so that none is above the cap.
fn order_count(amount: Money, cap: Money) -> i128 {
    if !cap.is_positive() {
        return 1;
    }
    let (amount, cap) = (amount.abs().billionths(), cap.billionths());
    (amount + cap - 1) / cap
}
