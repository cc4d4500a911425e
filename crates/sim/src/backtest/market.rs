//! A panel made ready for trading: prices as traded, dividends, splits, members and ends.

use lotwise_core::{Date, Price, Rounding, Symbol, mul_div};
use lotwise_market::synthetic::SyntheticDelisting;
use lotwise_market::{AssetIdx, CorporateActions, Field, Membership, Panel, SessionIdx, Split};

/// Prices carry four decimals, so that a gap between two closes smaller than this many units of
/// the last one may be rounding.
const ROUNDING_UNITS: f64 = 3.0;
const LAST_DECIMAL: f64 = 1e-4;
/// Smallest dividend taken from the gap, as a fraction of the price.
const LEAST_YIELD: f64 = 2e-4;
const BILLION: f64 = 1e9;

/// What the engine needs of one asset.
#[derive(Debug, Clone, Default)]
pub(crate) struct AssetHistory {
    /// Session from which a factor of the raw price holds, and the factor; empty is one throughout.
    pub factors: Vec<(usize, i128)>,
    /// Splits by session, rising.
    pub splits: Vec<(usize, Split)>,
    /// Dividends a share in raw dollars by session, rising.
    pub dividends: Vec<(usize, Price)>,
    /// First and last session with a bar.
    pub bars: Option<(usize, usize)>,
    /// What a share is paid out with after the last bar, as traded, where it is known.
    pub payout: Option<Price>,
}

/// What a share of a listing that has ended is paid out with.
#[derive(Debug, Clone, PartialEq)]
pub struct Payout {
    /// The symbol.
    pub symbol: Symbol,
    /// Last session with a bar.
    pub last_session: Date,
    /// Dollars a share as traded; paid before the next session's open.
    pub per_share: Price,
}

impl From<&SyntheticDelisting> for Payout {
    fn from(ended: &SyntheticDelisting) -> Self {
        Self { symbol: ended.symbol.clone(), last_session: ended.last_session, per_share: ended.payout }
    }
}

/// The market of a run.
#[derive(Debug)]
pub struct BacktestMarket<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) assets: Vec<AssetIdx>,
    pub(crate) histories: Vec<AssetHistory>,
    /// `[asset][session]`, where a membership restricts.
    members: Option<Vec<Vec<bool>>>,
}

impl<'a> BacktestMarket<'a> {
    /// Prepares `assets` of a panel. Splits come from the table of actions where it knows the
    /// symbol; where it does not, lots are kept in the split basis of the prices, which changes no
    /// amount. Dividends come from the table where it has the symbol and its time, else from the
    /// gap between the two closes. With a membership, an asset may only be held on its days.
    #[must_use]
    pub fn new(
        panel: &'a Panel,
        mut assets: Vec<AssetIdx>,
        actions: &CorporateActions,
        membership: Option<&Membership>,
    ) -> Self {
        assets.sort_unstable();
        assets.dedup();
        let table_start = actions
            .symbols()
            .flat_map(|symbol| actions.dividends(symbol).iter().map(|dividend| dividend.ex_date))
            .min();
        let histories = assets.iter().map(|&asset| history(panel, asset, actions, table_start)).collect();
        let members = membership.map(|membership| {
            let of = |asset: &AssetIdx| {
                let spells = membership.spells(&panel.symbols()[asset.0]);
                panel.sessions().iter().map(|&date| spells.iter().any(|spell| spell.contains(date))).collect()
            };
            assets.iter().map(of).collect()
        });
        Self { panel, assets, histories, members }
    }

    /// The same with what holders get at the end of listings. An entry counts where the last bar of its
    /// symbol is that of its session; listings without one are paid out as the run's settings say.
    #[must_use]
    pub fn with_payouts(mut self, payouts: impl IntoIterator<Item = Payout>) -> Self {
        for payout in payouts {
            let at = self.assets.iter().position(|asset| self.panel.symbols()[asset.0] == payout.symbol);
            let history = at.map(|at| &mut self.histories[at]);
            if let Some(history) = history
                && history.bars.is_some_and(|(_, last)| self.panel.sessions()[last] == payout.last_session)
                && !payout.per_share.is_negative()
            {
                history.payout = Some(payout.per_share);
            }
        }
        self
    }

    /// What a share of the asset is paid out with after its last bar, where that is known.
    #[must_use]
    pub fn payout(&self, at: usize) -> Option<Price> {
        self.histories[at].payout
    }

    /// The panel.
    #[must_use]
    pub fn panel(&self) -> &'a Panel {
        self.panel
    }

    /// The assets, rising.
    #[must_use]
    pub fn assets(&self) -> &[AssetIdx] {
        &self.assets
    }

    /// Whether an asset, by its position among [`BacktestMarket::assets`], may be held in a session.
    #[must_use]
    pub fn is_member(&self, at: usize, session: usize) -> bool {
        self.members.as_ref().is_none_or(|members| members[at][session])
    }

    /// Whether the asset has a bar in the session.
    #[must_use]
    pub fn trades(&self, at: usize, session: usize) -> bool {
        self.panel.full_mask(self.assets[at])[session]
    }

    /// Whether the asset's last bar lies before the session while the panel goes on.
    #[must_use]
    pub(crate) fn has_ended(&self, at: usize, session: usize) -> bool {
        self.histories[at].bars.is_none_or(|(_, last)| last < session)
    }

    /// Total return of the asset from the close of the session before; `None` without both bars. A known
    /// payout counts in the session after the last bar.
    #[must_use]
    pub fn total_return(&self, at: usize, session: usize) -> Option<f64> {
        let history = &self.histories[at];
        if let Some((payout, (_, last))) = history.payout.zip(history.bars)
            && session == last + 1
        {
            let close = self.raw(at, last, Field::Close)?.to_f64();
            return Some(payout.to_f64() / close - 1.0);
        }
        let closes = self.panel.full_history(self.assets[at], Field::AdjClose);
        let (before, after) = (*closes.get(session.checked_sub(1)?)?, *closes.get(session)?);
        let ret = after / before - 1.0;
        (before > 0.0 && ret.is_finite()).then_some(ret)
    }

    /// What the market can take of the asset, known at the close of a session: the standard deviation of
    /// the last 21 daily returns, and the mean US dollars traded in the last 20 sessions; 0 where
    /// nothing is known.
    #[must_use]
    pub(crate) fn depth(&self, at: usize, session: usize) -> (f32, f32) {
        let (first, last) = match self.histories[at].bars {
            Some((first, last)) if first <= session => (first, last.min(session) + 1),
            _ => return (0.0, 0.0),
        };
        let volumes = self.panel.full_history(self.assets[at], Field::Volume);
        let closes = self.panel.full_history(self.assets[at], Field::Close);
        // Volume and close have one split basis, so that their product is in dollars of the day.
        let traded = |session: usize| Some(volumes[session] * closes[session]).filter(|dollars| dollars.is_finite());
        let since = |sessions: usize| (session + 1).saturating_sub(sessions).max(first);
        let dollars = mean((since(VOLUME_SESSIONS)..last).filter_map(traded)).unwrap_or(0.0);
        let rets = || (since(VOL_SESSIONS)..session + 1).filter_map(|session| self.total_return(at, session));
        let squares = mean(rets().map(|ret| ret * ret)).unwrap_or(0.0);
        let average = mean(rets()).unwrap_or(0.0);
        ((squares - average * average).max(0.0).sqrt() as f32, dollars as f32)
    }

    /// The price as traded in a session; `None` without a bar, or a price no trade can have.
    #[must_use]
    pub(crate) fn raw(&self, at: usize, session: usize, field: Field) -> Option<Price> {
        let value = self.panel.full_history(self.assets[at], field)[session];
        let price = exact(value)?;
        match self.histories[at].factor(session) {
            UNIT => Some(price),
            factor => mul_div(price.billionths(), factor, UNIT, Rounding::HalfEven).map(Price::from_billionths),
        }
        .filter(|price| price.is_positive())
    }

    /// The last session on or before a date.
    #[must_use]
    pub(crate) fn session(&self, date: Date) -> Option<SessionIdx> {
        self.panel.session_on_or_before(date)
    }
}

const UNIT: i128 = 1_000_000_000;

/// Sessions over which usual volume and volatility are taken.
const VOLUME_SESSIONS: usize = 20;
const VOL_SESSIONS: usize = 21;

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

impl AssetHistory {
    /// What prices of the session are multiplied with to be those of the day, in billionths.
    pub fn factor(&self, session: usize) -> i128 {
        let after = self.factors.partition_point(|(from, _)| *from <= session);
        after.checked_sub(1).map_or(UNIT, |at| self.factors[at].1)
    }
}

/// A price as the nearest billionth; `None` unless positive and below ten million.
fn exact(value: f64) -> Option<Price> {
    if !(value > 0.0 && value < 1e7) {
        return None;
    }
    // Below this bound the product has fewer than 54 bits, so rounding gives the decimal meant.
    Some(Price::from_billionths((value * BILLION).round() as i128))
}

fn history(panel: &Panel, asset: AssetIdx, actions: &CorporateActions, table_start: Option<Date>) -> AssetHistory {
    let symbol = &panel.symbols()[asset.0];
    let sessions = panel.sessions();
    let mask = panel.full_mask(asset);
    let bars = mask.iter().position(|&there| there).zip(mask.iter().rposition(|&there| there));
    let at_or_after = |date: Date| sessions.partition_point(|&session| session < date);
    let splits: Vec<(usize, Split)> = actions
        .splits(symbol)
        .iter()
        .map(|split| (at_or_after(split.ex_date), *split))
        .filter(|(session, _)| *session < sessions.len())
        .collect();
    // Spin-off ratios stay inside the prices: no shares are booked for them, so neither may the
    // price change its basis there.
    let mut factors = Vec::new();
    if !splits.is_empty() {
        let later = |from: usize| {
            splits.iter().filter(|(session, _)| *session > from).try_fold(UNIT, |factor, (_, split)| {
                mul_div(factor, split.new.billionths(), split.old.billionths(), Rounding::HalfEven)
            })
        };
        let starts = std::iter::once(0).chain(splits.iter().map(|(session, _)| *session));
        factors = starts.filter_map(|from| Some((from, later(from)?))).collect();
    }
    let mut found = AssetHistory { factors, splits, dividends: Vec::new(), bars, payout: None };
    found.dividends = dividends(panel, asset, actions, table_start, &found);
    found
}

fn dividends(
    panel: &Panel,
    asset: AssetIdx,
    actions: &CorporateActions,
    table_start: Option<Date>,
    found: &AssetHistory,
) -> Vec<(usize, Price)> {
    let symbol = &panel.symbols()[asset.0];
    let sessions = panel.sessions();
    let raw = |session: usize, per_share: Price| {
        mul_div(per_share.billionths(), found.factor(session), UNIT, Rounding::HalfEven).map(Price::from_billionths)
    };
    let covered_from = table_start.filter(|_| actions.covers(symbol));
    let mut dividends = Vec::new();
    if let Some((first, last)) = found.bars {
        let (closes, adjusted) = (panel.full_history(asset, Field::Close), panel.full_history(asset, Field::AdjClose));
        let mask = panel.full_mask(asset);
        let mut before = first;
        for session in first + 1..=last {
            if !mask[session] {
                continue;
            }
            let previous = std::mem::replace(&mut before, session);
            if covered_from.is_some_and(|from| sessions[session] >= from) {
                continue;
            }
            // The adjusted close before an ex-date is scaled by one minus dividend over close.
            let kept = (closes[session] / closes[previous]) / (adjusted[session] / adjusted[previous]);
            let noise = ROUNDING_UNITS * LAST_DECIMAL / closes[previous].min(adjusted[previous]);
            let part = 1.0 - kept;
            if part > LEAST_YIELD.max(noise) && part < 1.0 {
                let per_share = exact((part * closes[previous] * 1e6).round() / 1e6);
                dividends.extend(per_share.and_then(|price| raw(session, price)).map(|price| (session, price)));
            }
        }
    }
    let table = actions.dividends(symbol).iter().filter_map(|dividend| {
        let session = sessions.partition_point(|&session| session < dividend.ex_date);
        let inside = found.bars.is_some_and(|(first, last)| first < session && session <= last);
        let per_share = raw(session.min(sessions.len() - 1), dividend.per_share)?;
        inside.then_some((session, per_share))
    });
    dividends.extend(table);
    dividends.sort_by_key(|(session, _)| *session);
    dividends
}
