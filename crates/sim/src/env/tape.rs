//! The market laid out for playing forward: what every episode reads and none changes.

use lotwise_core::{Date, Price};
use lotwise_market::{Field, Split};

use crate::backtest::BacktestMarket;
use crate::state::Season;

/// No session.
const NEVER: u32 = u32::MAX;

/// Prices, actions and calendars of a market, session by session: one step reads one row.
///
/// Everything about session `t` stands in row `t`. An [`super::Episode`] at session `t` has read rows
/// up to `t` only, and a step moves it one row on.
#[derive(Debug, Clone)]
pub struct Tape {
    n_assets: usize,
    sessions: Vec<Date>,
    seasons: Vec<Season>,
    /// Calendar months of the sessions, 1 to 12.
    months: Vec<u8>,
    /// `[session * n_assets + asset]`: what a step reads of one asset lies side by side.
    cells: Vec<Cell>,
    /// Mean return of all assets that trade.
    market_ret: Vec<f64>,
    dividends: Rows<Price>,
    splits: Rows<Split>,
    /// Sessions with the asset's first and last bar; `NEVER` without any.
    first: Vec<u32>,
    last: Vec<u32>,
    /// Whether the last bar of an asset lies just before the session.
    ends: Vec<bool>,
    /// What a share is paid out with after the last bar, where that is known.
    payouts: Vec<Option<Price>>,
    /// Whether the asset may be bought, where a membership restricts it.
    members: Option<Vec<bool>>,
}

/// One asset in one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// As traded that day, US dollars; NaN without a bar.
    pub open: f64,
    /// The same.
    pub close: f64,
    /// Total return since the close before; NaN without both.
    pub ret: f64,
    /// Standard deviation of daily returns, of the last month; known at the close of the session.
    pub vol_daily: f32,
    /// Dollars traded a day, the same.
    pub dollar_volume: f32,
}

/// Entries by session.
#[derive(Debug, Clone)]
struct Rows<T> {
    starts: Vec<u32>,
    entries: Vec<(u32, T)>,
}

impl<T: Copy> Rows<T> {
    fn new(n_sessions: usize, mut entries: Vec<(usize, u32, T)>) -> Self {
        entries.sort_by_key(|(session, asset, _)| (*session, *asset));
        let starts = (0..=n_sessions).map(|at| entries.partition_point(|(session, ..)| *session < at) as u32).collect();
        Self { starts, entries: entries.into_iter().map(|(_, asset, entry)| (asset, entry)).collect() }
    }

    /// Entries of one asset in one session.
    fn of(&self, session: usize, asset: u32) -> impl Iterator<Item = T> + '_ {
        let row = self.row(session);
        let first = row.partition_point(|(other, _)| *other < asset);
        row[first..].iter().take_while(move |(other, _)| *other == asset).map(|(_, entry)| *entry)
    }

    /// All entries of a session, by asset.
    fn row(&self, session: usize) -> &[(u32, T)] {
        &self.entries[self.starts[session] as usize..self.starts[session + 1] as usize]
    }

    fn is_quiet(&self, session: usize) -> bool {
        self.starts[session] == self.starts[session + 1]
    }
}

impl Cell {
    fn read(market: &BacktestMarket<'_>, asset: usize, session: usize) -> Self {
        let price = |field| market.raw(asset, session, field).map_or(f64::NAN, Price::to_f64);
        let (vol_daily, dollar_volume) = market.depth(asset, session);
        Self {
            open: price(Field::Open),
            close: price(Field::Close),
            ret: market.total_return(asset, session).unwrap_or(f64::NAN),
            vol_daily,
            dollar_volume,
        }
    }
}

impl Tape {
    /// Lays a market out. Assets keep their order.
    #[must_use]
    pub fn new(market: &BacktestMarket<'_>) -> Self {
        let panel = market.panel();
        let (n_assets, n_sessions) = (market.assets().len(), panel.n_sessions());
        let cells = n_assets * n_sessions;
        let mut tape = Self {
            n_assets,
            sessions: panel.sessions().to_vec(),
            seasons: panel.sessions().iter().map(|&date| season(date)).collect(),
            months: panel.sessions().iter().map(|date| date.month() as u8).collect(),
            cells: Vec::with_capacity(cells),
            market_ret: vec![0.0; n_sessions],
            dividends: Rows { starts: Vec::new(), entries: Vec::new() },
            splits: Rows { starts: Vec::new(), entries: Vec::new() },
            first: vec![NEVER; n_assets],
            last: vec![NEVER; n_assets],
            ends: vec![false; n_sessions],
            payouts: (0..n_assets).map(|asset| market.payout(asset)).collect(),
            members: None,
        };
        let (mut dividends, mut splits) = (Vec::new(), Vec::new());
        for asset in 0..n_assets {
            let history = &market.histories[asset];
            dividends.extend(history.dividends.iter().map(|(session, price)| (*session, asset as u32, *price)));
            splits.extend(history.splits.iter().map(|(session, split)| (*session, asset as u32, *split)));
            if let Some((first, last)) = history.bars {
                (tape.first[asset], tape.last[asset]) = (first as u32, last as u32);
                if let Some(ends) = tape.ends.get_mut(last + 1) {
                    *ends = true;
                }
            }
        }
        tape.dividends = Rows::new(n_sessions, dividends);
        tape.splits = Rows::new(n_sessions, splits);
        for session in 0..n_sessions {
            tape.cells.extend((0..n_assets).map(|asset| Cell::read(market, asset, session)));
            let there = tape.cells(session).iter().map(|cell| cell.ret).filter(|ret| ret.is_finite());
            let n = there.clone().count();
            tape.market_ret[session] = if n > 0 { there.sum::<f64>() / n as f64 } else { 0.0 };
        }
        let restricted = (0..n_assets).any(|asset| (0..n_sessions).any(|session| !market.is_member(asset, session)));
        if restricted {
            let cell = |at: usize| market.is_member(at % n_assets, at / n_assets);
            tape.members = Some((0..cells).map(cell).collect());
        }
        tape
    }

    /// Number of assets.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.n_assets
    }

    /// The sessions, rising.
    #[must_use]
    pub fn sessions(&self) -> &[Date] {
        &self.sessions
    }

    /// Memory of the arrays, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.cells.len() * size_of::<Cell>() + self.members.as_ref().map_or(0, Vec::len)
    }

    pub(super) fn date(&self, session: usize) -> Date {
        self.sessions[session]
    }

    pub(super) fn season(&self, session: usize) -> Season {
        self.seasons[session]
    }

    /// Month of a session, 1 to 12.
    pub(super) fn month(&self, session: usize) -> u8 {
        self.months[session]
    }

    /// All assets in a session, `[n_assets]`.
    pub(super) fn cells(&self, session: usize) -> &[Cell] {
        &self.cells[session * self.n_assets..(session + 1) * self.n_assets]
    }

    pub(super) fn market_ret(&self, session: usize) -> f64 {
        self.market_ret[session]
    }

    pub(super) fn dividends(&self, session: usize, asset: u32) -> impl Iterator<Item = Price> + '_ {
        self.dividends.of(session, asset)
    }

    /// All dividends of a session, by asset.
    pub(super) fn dividends_in(&self, session: usize) -> &[(u32, Price)] {
        self.dividends.row(session)
    }

    pub(super) fn splits(&self, session: usize, asset: u32) -> impl Iterator<Item = Split> + '_ {
        self.splits.of(session, asset)
    }

    /// Whether any asset splits in a session.
    pub(super) fn splits_in(&self, session: usize) -> bool {
        !self.splits.is_quiet(session)
    }

    /// Whether any asset had its last bar in the session before.
    pub(super) fn ends_in(&self, session: usize) -> bool {
        self.ends[session]
    }

    /// Whether a membership says what may be bought.
    pub(super) fn is_restricted(&self) -> bool {
        self.members.is_some()
    }

    /// Whether an asset has a bar in the session and is a member.
    pub(super) fn may_be_bought(&self, session: usize, asset: u32) -> bool {
        let cell = session * self.n_assets + asset as usize;
        self.cells[cell].close.is_finite() && self.members.as_ref().is_none_or(|members| members[cell])
    }

    /// Whether the asset's last bar lies before the session.
    pub(super) fn has_ended(&self, session: usize, asset: u32) -> bool {
        let last = self.last[asset as usize];
        last == NEVER || (last as usize) < session
    }

    /// What a share of an asset that has ended is paid out with, where that is known.
    pub(super) fn payout(&self, asset: u32) -> Option<Price> {
        self.payouts[asset as usize]
    }

    /// Whether the asset has `before` bars' time behind it and is a member in the session.
    pub(super) fn is_established(&self, session: usize, asset: u32, before: usize) -> bool {
        let first = self.first[asset as usize];
        first != NEVER && first as usize + before <= session && self.may_be_bought(session, asset)
    }
}

fn season(date: Date) -> Season {
    let start = Date::from_ymd(date.year(), 1, 1).unwrap_or(date);
    Season::of((date.days_since(start) + 1) as u16, date.month() as u8)
}
