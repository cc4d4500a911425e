//! Windows, closes, metadata and labels of some days, put side by side.

use lotwise_market::features::{FEATURES, FeatureCube};
use lotwise_market::metadata::{METADATA_FIELDS, MetadataView};
use lotwise_market::{AssetIdx, Field, SessionIdx};
use lotwise_nn::encoder::STATISTICS;
use lotwise_nn::{EncoderInputs, FrozenTemporal};
use lotwise_tensor::{Array, Random};
use rayon::prelude::*;

use super::EncoderData;
use super::data::{Part, Tickers};
use crate::seeds;

/// A session and the assets that stand for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Position on the panel's axis.
    pub session: usize,
    /// In any order.
    pub assets: Vec<AssetIdx>,
}

/// Some days as the network reads them, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The days.
    pub days: Vec<Day>,
    /// Nothing hidden.
    pub inputs: EncoderInputs,
    /// `[B, N, T]` adjusted closes of the same bars, NaN where there is none.
    pub closes: Array,
    /// What comes true.
    pub targets: Targets,
}

/// Labels, `B * N` or `B` of them; `None` for padding and what is not known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Targets {
    /// The next session's simple return.
    pub ret: Vec<Option<f32>>,
    /// Logarithm of the root mean square of the next five sessions' log returns.
    pub log_vol: Vec<Option<f32>>,
    /// The regime of each asset at the close.
    pub regime: Vec<Option<usize>>,
    /// The regime at the close before: what guessing «as yesterday» would say.
    pub previous_regime: Vec<Option<usize>>,
    /// The regime of the market.
    pub market_regime: Vec<Option<usize>>,
}

/// Sessions over which volatility is asked for.
const VOLATILITY_SESSIONS: usize = 5;

impl EncoderData {
    /// Days of training and assets of each, drawn by the generator.
    #[must_use]
    pub fn draw(&self, random: &mut Random, dates: usize, assets: usize) -> Vec<Day> {
        let range = self.sessions(Part::Train);
        let pool = if self.train_dates == 0 { range.len() } else { self.train_dates.min(range.len()) };
        let mut days = Vec::with_capacity(dates);
        // Early sessions may have no usable company; a bounded number of tries then leaves a smaller batch.
        for _ in 0..dates * 20 {
            if days.len() == dates {
                break;
            }
            let session = range.start + (2 * seeds::below(random, pool) + 1) * range.len() / (2 * pool);
            let day = self.pick(session, Tickers::Seen, assets, random);
            if !day.assets.is_empty() {
                days.push(day);
            }
        }
        days
    }

    /// Evenly spaced days of a part; which assets stand for each is decided by its date alone.
    #[must_use]
    pub fn spaced(&self, part: Part, tickers: Tickers, dates: usize, assets: usize) -> Vec<Day> {
        let mut range = self.sessions(part);
        // The last sessions have no five sessions after them.
        range.end = range.end.saturating_sub(VOLATILITY_SESSIONS).max(range.start + 1);
        let at = |i: usize| range.start + (2 * i + 1) * range.len() / (2 * dates);
        let mut sessions: Vec<usize> = (0..dates).map(at).collect();
        sessions.dedup();
        let day = |session: usize| {
            let date = self.date(session).to_string();
            let mut random = seeds::random(lotwise_core::Seed::new(0), &date, 0);
            self.pick(session, tickers, assets, &mut random)
        };
        sessions.into_iter().map(day).filter(|day| !day.assets.is_empty()).collect()
    }

    fn pick(&self, session: usize, tickers: Tickers, count: usize, random: &mut Random) -> Day {
        let mut assets = self.universe(session, tickers);
        seeds::choose(random, &mut assets, count);
        assets.truncate(count);
        Day { session, assets }
    }

    /// Puts days side by side, as wide as the one with most assets.
    ///
    /// # Panics
    /// For no days at all.
    #[must_use]
    pub fn batch(&self, days: Vec<Day>, metadata: bool, branch: &dyn FrozenTemporal) -> Batch {
        let width = days.iter().map(|day| day.assets.len()).max().expect("Invariant: a batch has a day");
        let fields = if metadata { METADATA_FIELDS } else { 0 };
        let parts: Vec<DayPart> = days.par_iter().map(|day| DayPart::of(self, day, width, fields)).collect();
        let (b, t) = (days.len(), self.window);
        let joined = |of: fn(&DayPart) -> &Vec<f32>, sizes: &[usize]| {
            let data: Vec<f32> = parts.iter().flat_map(|part| of(part).iter().copied()).collect();
            Array::new(sizes, data)
        };
        let closes = joined(|part| &part.bars.closes, &[b, width, t]);
        let mut inputs = EncoderInputs {
            values: joined(|part| &part.bars.values, &[b, width, t, FEATURES]),
            undefined: joined(|part| &part.bars.undefined, &[b, width, t, FEATURES]),
            present: joined(|part| &part.bars.present, &[b, width, t]),
            masked: None,
            temporal: Array::zeros([b, width, 0]),
            statistics: Array::zeros([b, width, STATISTICS]),
            statistics_known: Array::zeros([b, width, 1]),
            metadata: joined(|part| &part.metadata, &[b, width, fields]),
            available: joined(|part| &part.available, &[b, width, fields]),
            keep: joined(|part| &part.keep, &[b, width]),
        };
        inputs.set_closes(&closes, branch);
        let mut targets = Targets::default();
        for (day, part) in days.iter().zip(parts) {
            targets.ret.extend(part.targets.ret);
            targets.log_vol.extend(part.targets.log_vol);
            targets.regime.extend(part.targets.regime);
            targets.previous_regime.extend(part.targets.previous_regime);
            targets.market_regime.push(self.market_regimes.at(day.session).map(|regime| regime as usize));
        }
        Batch { days, inputs, closes, targets }
    }
}

/// One day's share of a batch.
struct DayPart {
    bars: Bars,
    metadata: Vec<f32>,
    available: Vec<f32>,
    keep: Vec<f32>,
    targets: Targets,
}

impl DayPart {
    fn of(data: &EncoderData, day: &Day, width: usize, fields: usize) -> Self {
        let (time, n, session) = (data.window, day.assets.len(), day.session);
        let mut part = Self {
            bars: Bars {
                values: Vec::with_capacity(width * time * FEATURES),
                undefined: Vec::with_capacity(width * time * FEATURES),
                present: Vec::with_capacity(width * time),
                closes: Vec::with_capacity(width * time),
            },
            metadata: Vec::with_capacity(width * fields),
            available: Vec::with_capacity(width * fields),
            keep: Vec::with_capacity(width),
            targets: Targets::default(),
        };
        let view = data.panel.at(SessionIdx(session));
        let known = (fields > 0).then(|| MetadataView::new(&view, &data.metadata));
        for &asset in &day.assets {
            part.window(data, asset, session);
            if let Some(known) = &known {
                let metadata = known.of(asset);
                part.metadata.extend(metadata.values);
                part.available.extend(metadata.available.map(|there| f32::from(u8::from(there))));
            }
            part.keep.push(1.0);
            let regimes = &data.regimes[asset.0];
            let at = |session: usize| regimes.at(session).map(|regime| regime as usize);
            let targets = &mut part.targets;
            targets.ret.push(data.next_return(asset, session));
            targets.log_vol.push(data.next_sessions(asset, session, VOLATILITY_SESSIONS).map(|found| found[1]));
            targets.regime.push(at(session));
            targets.previous_regime.push(session.checked_sub(1).and_then(at));
        }
        part.bars.values.resize(width * time * FEATURES, 0.0);
        part.bars.undefined.resize(width * time * FEATURES, 0.0);
        part.bars.present.resize(width * time, 0.0);
        part.bars.closes.resize(width * time, f32::NAN);
        part.metadata.resize(width * fields, 0.0);
        part.available.resize(width * fields, 0.0);
        part.keep.resize(width, 0.0);
        for labels in [&mut part.targets.ret, &mut part.targets.log_vol] {
            labels.resize(width, None);
        }
        for labels in [&mut part.targets.regime, &mut part.targets.previous_regime] {
            labels.resize(width, None);
        }
        debug_assert!(n <= width, "a day is at most as wide as its batch");
        part
    }

    /// Appends one asset's window of features, and the closes of the same bars.
    fn window(&mut self, data: &EncoderData, asset: AssetIdx, session: usize) {
        let column = data.panel.full_history(asset, Field::AdjClose);
        append_window(&data.cube, column, data.window, asset, SessionIdx(session), &mut self.bars);
    }
}

/// What the bars of some assets say, window by window.
#[derive(Default)]
pub(super) struct Bars {
    /// Normalised features.
    pub values: Vec<f32>,
    /// Which of them a bar lacks.
    pub undefined: Vec<f32>,
    /// Which bars there are.
    pub present: Vec<f32>,
    /// Closes of the same bars, NaN where there is none.
    pub closes: Vec<f32>,
}

/// Appends one asset's window of features up to a session, and the closes of the same bars, taken from the column of
/// all adjusted closes.
pub(super) fn append_window(
    cube: &FeatureCube,
    column: &[f64],
    length: usize,
    asset: AssetIdx,
    session: SessionIdx,
    to: &mut Bars,
) {
    let window = cube.window(asset, session, length);
    to.values.extend(&window.values);
    for (&present, &defined) in window.present.iter().zip(&window.defined) {
        let lacks = |feature: usize| f32::from(u8::from(present && defined >> feature & 1 == 0));
        to.undefined.extend((0..FEATURES).map(lacks));
    }
    to.present.extend(window.present.iter().map(|&present| f32::from(u8::from(present))));
    let features = cube.asset(asset);
    let stop = features.bars_until(session);
    let count = window.present.iter().filter(|present| **present).count();
    to.closes.extend(std::iter::repeat_n(f32::NAN, length - count));
    let closes = features.sessions()[stop - count..stop].iter().map(|&at| column[at as usize] as f32);
    to.closes.extend(closes);
}
