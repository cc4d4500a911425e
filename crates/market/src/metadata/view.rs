//! All that is known at one session.

use lotwise_core::{Date, Symbol};

use super::load::MetadataSource;
use super::{Metadata, Sector};
use crate::panel::{AsOf, AssetIdx, Field};
use crate::regime::{market_returns, volatility_annual};

/// Sessions of market returns that any field looks back.
const MARKET_SESSIONS: usize = 420;
/// Days that a bar may be older than the date it stands for.
const CLOSE_DAYS: i32 = 10;

/// Bars and side tables as they were known at the close of one session, ready to be asked for the
/// metadata of many assets.
///
/// «The market» is the equal-weight market of SPEC D-07: all assets of the panel that are neither
/// fund nor index, rebalanced every session.
#[derive(Debug, Clone)]
pub struct MetadataView<'a> {
    pub(super) view: AsOf<'a>,
    pub(super) source: &'a MetadataSource,
    pub(super) date: Date,
    first_market_session: usize,
    market: Vec<f64>,
}

impl<'a> MetadataView<'a> {
    /// Looks at the panel and the tables from the end of `view`.
    #[must_use]
    pub fn new(view: &AsOf<'a>, source: &'a MetadataSource) -> Self {
        let members: Vec<AssetIdx> = view
            .symbols()
            .iter()
            .enumerate()
            .filter(|(_, symbol)| source.sector(symbol).is_company())
            .map(|(asset_idx, _)| AssetIdx(asset_idx))
            .collect();
        let first = view.sessions().len().saturating_sub(MARKET_SESSIONS);
        Self {
            view: *view,
            source,
            date: view.date(),
            first_market_session: first,
            market: market_returns(view, &members, first),
        }
    }

    /// Market values of assets at the end of a view, US dollars, as they were known then; `None` where they were not.
    ///
    /// A published value moves with the close, and with the number of shares where filings around both days and the
    /// splits between them are known; only with those does it live longer than 400 days.
    #[must_use]
    pub fn market_caps(view: &AsOf<'a>, source: &'a MetadataSource, assets: &[AssetIdx]) -> Vec<Option<f64>> {
        // No market is needed for it.
        let view = Self { view: *view, source, date: view.date(), first_market_session: 0, market: Vec::new() };
        assets.iter().map(|&asset| view.market_cap(asset, &view.view.symbols()[asset.0])).collect()
    }

    /// The fifty fields of one asset.
    #[must_use]
    pub fn of(&self, asset: AssetIdx) -> Metadata {
        let mut fields = Metadata::UNKNOWN;
        let symbol = &self.view.symbols()[asset.0];
        self.sector_fields(symbol, &mut fields);
        self.company_fields(asset, symbol, &mut fields);
        // 28 to 30 (analysts), 32 to 34 (option chains) and 44, 45 (institutions): no table knows them.
        self.event_fields(asset, symbol, &mut fields);
        self.price_fields(asset, symbol, &mut fields);
        fields
    }

    /// The fields of every asset, in the panel's order.
    #[must_use]
    pub fn all(&self) -> Vec<Metadata> {
        (0..self.view.symbols().len()).map(|asset_idx| self.of(AssetIdx(asset_idx))).collect()
    }

    /// Fields 0 to 11. A symbol that no table lists is «other», and whether it belongs to one of the
    /// eleven is unavailable.
    fn sector_fields(&self, symbol: &Symbol, fields: &mut Metadata) {
        let sector = self.source.sector(symbol);
        let companies = Sector::COMPANIES.len();
        let at = (sector as usize).min(companies);
        fields.set(companies, Some(f64::from(u8::from(at == companies))));
        if sector != Sector::Unknown {
            for (field, company) in Sector::COMPANIES.into_iter().enumerate() {
                fields.set(field, Some(f64::from(u8::from(company == sector))));
            }
        }
    }

    /// The market's simple return in a visible session.
    pub(super) fn market_return(&self, session: usize) -> Option<f64> {
        let at = session.checked_sub(self.first_market_session)?;
        self.market.get(at).copied().filter(|ret| ret.is_finite())
    }

    /// The market's annualised volatility over its last `count` sessions.
    pub(super) fn market_volatility(&self, count: usize) -> Option<f64> {
        let tail = &self.market[self.market.len().checked_sub(count)?..];
        let log_returns: Vec<f64> = tail.iter().map(|ret| ret.ln_1p()).filter(|ret| ret.is_finite()).collect();
        (log_returns.len() == count).then(|| volatility_annual(log_returns))?
    }

    /// The position of the session on `date`; `None` where that day is none, or not visible.
    pub(super) fn session_of(&self, date: Date) -> Option<usize> {
        self.view.sessions().binary_search(&date).ok()
    }

    /// Total return from the close of session `from` to that of session `to` less the market's; `None`
    /// where a bar is missing or `to` is still to come.
    pub(super) fn excess_return(&self, asset: AssetIdx, from: usize, to: usize) -> Option<f64> {
        let close = self.view.column(asset, Field::AdjClose);
        let own = close.get(to)? / close.get(from)? - 1.0;
        let mut market = 1.0;
        for session in from + 1..=to {
            market *= 1.0 + self.market_return(session)?;
        }
        Some(own - (market - 1.0)).filter(|ret| ret.is_finite())
    }

    /// Position and close, in the source's split basis, of the last visible bar, unless it is old.
    pub(super) fn last_close(&self, asset: AssetIdx) -> Option<(usize, f64)> {
        self.close_at(asset, self.date)
    }

    /// Close of the last visible bar over that of the last bar at `since`: no split shows in it.
    pub(super) fn close_ratio(&self, asset: AssetIdx, since: Date) -> Option<f64> {
        let (_, now) = self.last_close(asset)?;
        let (_, then) = self.close_at(asset, since)?;
        Some(now / then)
    }

    /// The last bar at or before `date`, at most ten days old.
    fn close_at(&self, asset: AssetIdx, date: Date) -> Option<(usize, f64)> {
        let sessions = self.view.sessions();
        let close = self.view.column(asset, Field::Close);
        let stop = sessions.partition_point(|&session| session <= date);
        (0..stop)
            .rev()
            .take_while(|&at| date.days_since(sessions[at]) <= CLOSE_DAYS)
            .find(|&at| close[at] > 0.0 && close[at].is_finite())
            .map(|at| (at, close[at]))
    }
}

/// The metadata of one asset at the end of a view. For many assets of one session, make one
/// [`MetadataView`] and ask it.
#[must_use]
pub fn metadata_at(view: &AsOf<'_>, asset: AssetIdx, source: &MetadataSource) -> Metadata {
    MetadataView::new(view, source).of(asset)
}
