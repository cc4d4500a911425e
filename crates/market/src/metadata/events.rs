//! Fields 35 to 37, 42 and 43: earnings reports and insiders' trades.
//!
//! Field 35, trading days to the next report, stays unavailable: the tables know reports once they
//! are out but not when their date was announced. A date in a later row would be a look ahead, and
//! «a quarter after the last one» is a guess and not an observation.

use lotwise_core::{Date, Symbol};

use super::view::MetadataView;
use super::{Metadata, clip};
use crate::panel::AssetIdx;

/// Sessions over which a drift is measured.
const DRIFT_SESSIONS: usize = 5;
/// Reports of which at least this many make a rate.
const BEATS_LEAST: usize = 4;
/// Reports whose drift is averaged, and how many there must be.
const DRIFTS: usize = 4;
const DRIFTS_LEAST: usize = 2;
/// Reports older than this have left the two years that eight quarters take.
const REPORTS_DAYS: i32 = 900;
/// Half a year of insiders' trades, and its newer half.
const INSIDER_DAYS: i32 = 182;
const INSIDER_HALF_DAYS: i32 = 91;

/// A quarterly report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// First session that could react to it.
    pub reaction: Date,
    /// Expected earnings a share, US dollars.
    pub estimate: Option<f64>,
    /// Reported earnings a share, US dollars.
    pub reported: Option<f64>,
}

/// A purchase or sale on the open market by an insider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InsiderTrade {
    /// Day of the trade.
    pub date: Date,
    /// US dollars; positive for a purchase.
    pub dollars: f64,
}

impl MetadataView<'_> {
    /// Fields 36, 37, 42 and 43.
    pub(super) fn event_fields(&self, asset: AssetIdx, symbol: &Symbol, fields: &mut Metadata) {
        fields.set(36, self.beat_rate(symbol).map(|rate| 2.0 * rate - 1.0));
        fields.set(37, self.earnings_drift(asset, symbol).map(|drift| clip(drift, 0.05, -3.0, 3.0)));
        let net = |from: i32, to: i32| self.insider_net(symbol, from, to);
        fields.set(42, net(INSIDER_DAYS, 0));
        let newer = net(INSIDER_HALF_DAYS, 0);
        let older = net(INSIDER_DAYS, INSIDER_HALF_DAYS);
        fields.set(43, newer.zip(older).map(|(newer, older)| (newer - older) / 2.0));
    }

    /// Share of the last eight reports that beat their estimate; meeting it is no beat.
    fn beat_rate(&self, symbol: &Symbol) -> Option<f64> {
        let beats: Vec<bool> = self
            .source
            .reports
            .known(symbol, self.date)
            .iter()
            .rev()
            .take_while(|fact| self.date.days_since(fact.value.reaction) <= REPORTS_DAYS)
            .filter_map(|fact| Some(fact.value.reported? > fact.value.estimate?))
            .take(8)
            .collect();
        let count = beats.iter().filter(|&&beat| beat).count();
        (beats.len() >= BEATS_LEAST).then(|| count as f64 / beats.len() as f64)
    }

    /// Mean return beyond the market's over the five sessions after the reaction, in the direction of
    /// the surprise, for the last four reports whose five sessions are over.
    fn earnings_drift(&self, asset: AssetIdx, symbol: &Symbol) -> Option<f64> {
        let drifts: Vec<f64> = self
            .source
            .reports
            .known(symbol, self.date)
            .iter()
            .rev()
            .filter_map(|fact| {
                let surprise = fact.value.reported? - fact.value.estimate?;
                let start = self.session_of(fact.value.reaction)?;
                let ret = self.excess_return(asset, start, start + DRIFT_SESSIONS)?;
                Some(if surprise > 0.0 {
                    ret
                } else if surprise < 0.0 {
                    -ret
                } else {
                    0.0
                })
            })
            .take(DRIFTS)
            .collect();
        (drifts.len() >= DRIFTS_LEAST).then(|| drifts.iter().sum::<f64>() / drifts.len() as f64)
    }

    /// Purchases less sales over their sum, of trades made from `from` days ago to `to` days ago (that
    /// day left out unless it is today); `None` without a trade.
    fn insider_net(&self, symbol: &Symbol, from: i32, to: i32) -> Option<f64> {
        let (mut net, mut gross) = (0.0, 0.0);
        for fact in self.source.insider_trades.known(symbol, self.date) {
            let age = self.date.days_since(fact.value.date);
            if age < from && age >= to {
                net += fact.value.dollars;
                gross += fact.value.dollars.abs();
            }
        }
        (gross > 0.0).then(|| net / gross)
    }
}
