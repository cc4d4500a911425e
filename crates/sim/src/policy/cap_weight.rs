//! Weights in proportion to market value.

use std::sync::Arc;

use lotwise_market::metadata::{MetadataSource, MetadataView};

use super::frame::Frame;
use super::{Decision, LeftOutReason, Observation, Policy, PolicyConfig};
use crate::Error;

/// Market values as they were known day by day.
#[derive(Clone)]
pub struct MarketCaps(pub Arc<MetadataSource>);

// All tables of a folder would be printed.
impl std::fmt::Debug for MarketCaps {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MarketCaps({} snapshots)", self.0.snapshots.len())
    }
}

/// Gives every asset the weight of its market value among those whose value was public at the close of the decision
/// ([`MetadataView::market_caps`]); the others are left out.
#[derive(Debug, Clone)]
pub struct CapWeight {
    /// Cash and limits.
    pub config: PolicyConfig,
    /// Market values.
    pub caps: MarketCaps,
}

impl Policy for CapWeight {
    fn name(&self) -> &'static str {
        "cap-weight"
    }

    fn describe(&self) -> &'static str {
        "Weighs every asset by the market value that was public on the day; assets whose value was not known are left \
         out. A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        let cap_of = |asset| {
            let found = MetadataView::market_caps(&observation.market, &self.caps.0, &[asset]);
            found[0].filter(|cap| cap.is_finite() && *cap > 0.0)
        };
        frame.screen(|asset| cap_of(asset).is_none().then_some(LeftOutReason::NoMarketCap));
        let caps: Vec<f64> = frame.assets().into_iter().filter_map(cap_of).collect();
        let sum: f64 = caps.iter().sum();
        frame.finish(&caps.iter().map(|cap| cap / sum).collect::<Vec<f64>>())
    }
}
