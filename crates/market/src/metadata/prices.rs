//! Fields 31, 38 to 41 and 46 to 49: what the bars themselves say.

use lotwise_core::Symbol;

use super::view::MetadataView;
use super::{Metadata, clip};
use crate::features::{OwnBars, moments};
use crate::panel::{AssetIdx, Field};
use crate::regime::volatility_annual;

/// Bars in a year.
const YEAR: usize = 252;
/// Sessions without a bar after which an asset counts as not traded.
const STALE_SESSIONS: usize = 5;
/// Bars of the volatility of fields 31 and 48.
const VOLATILITY_BARS: usize = 60;
/// Bars of the relative strength.
const STRENGTH_BARS: usize = 63;
/// Pairs of returns that a beta needs.
const BETA_LEAST: usize = 126;
/// Implied volatilities and fund closes older than this many days do not stand for today.
const QUOTE_DAYS: i32 = 7;

impl MetadataView<'_> {
    /// The fields that need bars; an asset that does not trade any more has none.
    pub(super) fn price_fields(&self, asset: AssetIdx, symbol: &Symbol, fields: &mut Metadata) {
        let end = self.view.end().0;
        let bars = OwnBars::since(&self.view, asset, (end + 1).saturating_sub(2 * YEAR));
        let Some(last) = bars.len().checked_sub(1) else { return };
        if end - bars.sessions[last] as usize > STALE_SESSIONS {
            return;
        }
        let close = bars.close[last];
        let tail = |count: usize| bars.len().checked_sub(count).map(|start| start..bars.len());
        if let Some(year) = tail(YEAR) {
            let high = bars.high[year.clone()].iter().copied().fold(close, f64::max);
            let low = bars.low[year].iter().copied().fold(close, f64::min);
            fields.set(38, Some(clip(close / high - 1.0, 0.5, -2.0, 0.0)));
            fields.set(39, Some(clip((close / low).ln(), 1.0, 0.0, 3.0)));
        }
        let mean_volume = |count| Some(mean(&bars.volume[tail(count)?])).filter(|&volume| volume > 0.0);
        let trend = mean_volume(20).zip(mean_volume(120)).map(|(short, long)| (short / long).ln());
        fields.set(40, trend.map(|value| clip(value, 1.0, -3.0, 3.0)));
        fields.set(41, self.relative_strength(&bars, symbol).map(|value| clip(value, 0.15, -3.0, 3.0)));

        let volatility = tail(VOLATILITY_BARS + 1)
            .and_then(|range| volatility_annual(bars.close[range].windows(2).map(|pair| (pair[1] / pair[0]).ln())));
        let implied = self.source.implied_vols.known(symbol, self.date).last();
        let implied =
            implied.filter(|fact| self.date.days_since(fact.available_at) <= QUOTE_DAYS).map(|fact| fact.value);
        let ratio = implied.zip(volatility).map(|(implied, historical)| (implied / historical).ln());
        fields.set(31, ratio.map(|value| clip(value, 0.5, -3.0, 3.0)));

        fields.set(46, self.beta(asset).map(|beta| clip(beta - 1.0, 1.0, -2.0, 2.0)));
        let momentum = last.checked_sub(YEAR).map(|year_ago| bars.close[last - 21] / bars.close[year_ago] - 1.0);
        fields.set(47, momentum.map(|value| clip(value, 0.40, -3.0, 3.0)));
        let market = self.market_volatility(VOLATILITY_BARS);
        let ratio = volatility.zip(market).map(|(own, market)| (own / market).ln());
        fields.set(48, ratio.map(|value| clip(value, 1.0, -2.0, 2.0)));
        let traded = tail(20).map(|range| {
            let dollars = bars.unadjusted_close[range.clone()].iter().zip(&bars.volume[range]);
            dollars.map(|(close, volume)| close * volume).sum::<f64>() / 20.0
        });
        let liquidity = traded.filter(|&dollars| dollars > 0.0).map(f64::log10);
        fields.set(49, liquidity.map(|value| clip(value - 8.0, 2.0, -2.0, 2.0)));
    }

    /// Return over 63 bars less that of the sector's fund over the same days.
    ///
    /// A fund of the panel is compared by total returns; one of which only closes without dividends
    /// are at hand, by the returns of closes.
    fn relative_strength(&self, bars: &OwnBars, symbol: &Symbol) -> Option<f64> {
        let fund = self.source.sector(symbol).fund()?;
        let last = bars.len() - 1;
        let start = last.checked_sub(STRENGTH_BARS)?;
        let (from, to) = (bars.sessions[start] as usize, bars.sessions[last] as usize);
        if let Some(fund) = self.view.asset(&fund) {
            let fund_close = self.view.column(fund, Field::AdjClose);
            let own = bars.close[last] / bars.close[start];
            return Some(own - fund_close[to] / fund_close[from]).filter(|strength| strength.is_finite());
        }
        let sessions = self.view.sessions();
        let fund_close = |at: usize| {
            let fact = self.source.fund_closes.known(&fund, sessions[at]).last()?;
            (sessions[at].days_since(fact.available_at) <= QUOTE_DAYS).then_some(fact.value)
        };
        let own = bars.unadjusted_close[last] / bars.unadjusted_close[start];
        Some(own - fund_close(to)? / fund_close(from)?)
    }

    /// Slope of the asset's returns on the market's over the last 252 sessions, a third of the way to 1.
    fn beta(&self, asset: AssetIdx) -> Option<f64> {
        let close = self.view.column(asset, Field::AdjClose);
        let end = close.len();
        let pairs: Vec<(f64, f64)> = (end.saturating_sub(YEAR).max(1)..end)
            .filter_map(|at| {
                let ret = close[at] / close[at - 1] - 1.0;
                let market = self.market_return(at)?;
                ret.is_finite().then_some((ret, market))
            })
            .collect();
        if pairs.len() < BETA_LEAST {
            return None;
        }
        let (count, own) = moments(pairs.iter().map(|pair| pair.0))?;
        let (_, market) = moments(pairs.iter().map(|pair| pair.1))?;
        let products: f64 = pairs.iter().map(|pair| (pair.0 - own.mean) * (pair.1 - market.mean)).sum();
        (market.squares > 0.0 && count > 1.0).then(|| 2.0 / 3.0 * (products / market.squares) + 1.0 / 3.0)
    }
}

/// The mean, NaN where a value is.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
