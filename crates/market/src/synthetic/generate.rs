//! The loop over sessions that makes a market.

use lotwise_core::{Date, Price, Rate, RawBar, Seed};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::bars::{SessionMove, TradedBar, traded_bar, volume};
use super::events::{Actions, Books, ReportDay};
use super::factors::{FactorStep, Factors, SESSIONS_PER_YEAR, Shocks, expected_drift_after, limited, regime_drift};
use super::lives::Life;
use super::signals::{Known, raw_value, standardise};
use super::{
    Listing, MarketConfig, PlantedSignal, Predictability, SyntheticAction, SyntheticDelisting, SyntheticEarnings,
    SyntheticError, SyntheticFundamentals, SyntheticMarket, SyntheticTicker, Truth,
};

/// Largest daily move of a symbol's own part and of an earnings jump, both tails alike.
const LARGEST_SPECIFIC_MOVE: f64 = 0.25;
const LARGEST_JUMP: f64 = 0.20;
/// A symbol's variance never exceeds this multiple of its long-run value.
const LARGEST_VARIANCE_RATIO: f64 = 9.0;
/// Part of the shares that changes hands on a usual day.
const USUAL_TURNOVER: f64 = 0.005;

/// Makes the market that `config` and `seed` determine. Time and memory grow with symbols × sessions.
///
/// # Errors
/// The first setting that cannot be simulated.
pub fn generate(config: &MarketConfig, seed: Seed) -> Result<SyntheticMarket, SyntheticError> {
    config.validate()?;
    let sessions = config.sessions()?;
    let shocks = Shocks::new(config.tail_freedom)?;
    let listings = config.universe.listings(seed);
    let (n_assets, n_sessions) = (listings.len(), sessions.len());
    let planted = Planted::new(config);
    let mut symbols: Vec<SymbolState<'_>> =
        listings.iter().map(|listing| SymbolState::new(listing, config, &sessions, seed)).collect();
    let mut factors = Factors::new(config, shocks, seed);
    let mut truth = Truth {
        regimes: Vec::with_capacity(n_sessions),
        market_factor: Vec::with_capacity(n_sessions),
        sector_factors: Vec::with_capacity(n_sessions),
        betas: listings.iter().map(|listing| listing.beta).collect(),
        signals: planted.signals.iter().map(|&signal| (signal, vec![0.0; n_assets * n_sessions])).collect(),
        expected_next_ret: vec![0.0; n_assets * n_sessions],
        specific_ret: vec![0.0; n_assets * n_sessions],
        specific_vol: vec![0.0; n_assets * n_sessions],
    };
    let mut forecast = vec![0.0; n_assets];
    let mut events = Events::default();
    for (session, &date) in sessions.iter().enumerate() {
        let step = factors.step(session == 0);
        truth.regimes.push(step.regime);
        truth.market_factor.push(step.market + regime_drift(config, step.regime));
        truth.sector_factors.push(step.sectors);
        let today = Today { config, shocks, step, session, date, noise_share: planted.noise_share };
        for (asset, symbol) in symbols.iter_mut().enumerate().filter(|(_, symbol)| symbol.lives(session)) {
            truth.specific_ret[asset * n_sessions + session] = symbol.trade(&today, forecast[asset], &mut events);
        }
        planted.foretell(session, &step, &symbols, &mut truth, &mut forecast);
        let drift = config.drift_annual / SESSIONS_PER_YEAR;
        let market_drift = expected_drift_after(config, step.regime);
        for (asset, symbol) in symbols.iter().enumerate().filter(|(_, symbol)| symbol.goes_on(session)) {
            let expected = drift + symbol.listing.beta * market_drift + symbol.variance.sqrt() * forecast[asset];
            truth.expected_next_ret[asset * n_sessions + session] = expected;
            truth.specific_vol[asset * n_sessions + session] = symbol.variance.sqrt();
        }
    }
    Ok(assemble(&sessions, symbols, events, truth))
}

/// The signals that are planted and what they leave to chance.
struct Planted {
    signals: Vec<PlantedSignal>,
    /// Standard deviation left for noise when the signals explain the rest of variance one.
    noise_share: f64,
}

impl Planted {
    fn new(config: &MarketConfig) -> Self {
        let signals = match &config.predictability {
            Predictability::None => Vec::new(),
            Predictability::Planted { signals, .. } => signals.clone(),
        };
        let explained: f64 = signals.iter().map(|signal| signal.information_coefficient.powi(2)).sum();
        Self { signals, noise_share: (1.0 - explained).max(0.0).sqrt() }
    }

    /// Writes each symbol's expected specific return of the next session, in units of its
    /// volatility, into `forecast`.
    fn foretell(
        &self,
        session: usize,
        step: &FactorStep,
        symbols: &[SymbolState<'_>],
        truth: &mut Truth,
        forecast: &mut [f64],
    ) {
        forecast.fill(0.0);
        let mut scores = vec![0.0; symbols.len()];
        let n_sessions = truth.expected_next_ret.len() / symbols.len();
        for (signal, values) in &mut truth.signals {
            let raw: Vec<Option<f64>> =
                symbols.iter().map(|symbol| raw_value(signal.kind, &symbol.known(session)?)).collect();
            standardise(signal.kind, step.regime, &raw, &mut scores);
            for (asset, &score) in scores.iter().enumerate() {
                values[asset * n_sessions + session] = score as f32;
                forecast[asset] += signal.information_coefficient * score;
            }
        }
    }
}

/// Everything a symbol needs to know about the session it trades in.
struct Today<'a> {
    config: &'a MarketConfig,
    shocks: Shocks,
    step: FactorStep,
    session: usize,
    date: Date,
    noise_share: f64,
}

#[derive(Default)]
struct Events {
    earnings: Vec<SyntheticEarnings>,
    fundamentals: Vec<SyntheticFundamentals>,
}

/// One symbol under way.
struct SymbolState<'a> {
    listing: &'a Listing,
    /// The sessions in which it is listed; its own count of sessions starts with the first of them.
    sessions: &'a [Date],
    life: Life,
    random: ChaCha8Rng,
    books: Option<Books>,
    actions: Actions,
    last_close: f64,
    /// Variance of the specific part in the next session.
    variance: f64,
    long_run_variance: f64,
    restlessness: f64,
    shares_outstanding: f64,
    surprise: Option<(usize, f64)>,
    log_index: Vec<f64>,
    traded: Vec<(TradedBar, f64)>,
    effective: Vec<(usize, super::events::Effective)>,
}

impl<'a> SymbolState<'a> {
    fn new(listing: &'a Listing, config: &MarketConfig, sessions: &'a [Date], seed: Seed) -> Self {
        let own = seed.child(listing.symbol.as_str(), 0);
        let life = Life::draw(config.lives, own);
        let sessions = &sessions[life.sessions(sessions.len())];
        let mut event_random = own.stream("events", 0);
        let long_run_variance = listing.specific_vol_annual.powi(2) / SESSIONS_PER_YEAR;
        Self {
            listing,
            sessions,
            life,
            random: own.stream("noise", 0),
            books: Books::open(listing, config.earnings.interval_sessions, &mut event_random),
            actions: Actions::new(listing, sessions, &mut event_random),
            last_close: super::bars::to_cents(listing.start_price_usd),
            variance: long_run_variance,
            long_run_variance,
            restlessness: 0.0,
            shares_outstanding: listing.shares_outstanding,
            surprise: None,
            log_index: Vec::with_capacity(sessions.len()),
            traded: Vec::with_capacity(sessions.len()),
            effective: Vec::new(),
        }
    }

    /// Whether there is a bar in this session of the market.
    fn lives(&self, session: usize) -> bool {
        session >= self.life.first && session - self.life.first < self.sessions.len()
    }

    /// Whether there is a bar in this session and the listing does not end with it.
    fn goes_on(&self, session: usize) -> bool {
        self.lives(session) && self.life.end.is_none_or(|end| session < end.last)
    }

    /// What is known at the close of a session of the market; `None` without a bar, and where no more follow.
    fn known(&self, session: usize) -> Option<Known<'_>> {
        let known =
            || Known { session: session - self.life.first, log_index: &self.log_index, surprise: self.surprise };
        self.goes_on(session).then(known)
    }

    /// Trades one session; returns the specific part of the return.
    fn trade(&mut self, today: &Today<'_>, forecast: f64, events: &mut Events) -> f64 {
        let (listing, config, step) = (self.listing, today.config, &today.step);
        let session = today.session - self.life.first;
        let effective = self.actions.effective(session, self.last_close, listing);
        if effective.split != 1.0 {
            self.shares_outstanding *= effective.split;
            if let Some(books) = &mut self.books {
                books.split(effective.split);
            }
        }
        if effective.dividend > 0.0 || effective.split != 1.0 {
            self.effective.push((session, effective));
        }
        let last_close = (self.last_close - effective.dividend) / effective.split;
        let ends = self.life.end.filter(|end| end.last == today.session).map_or(0.0, |end| end.jump());
        let jump = self.report(today, last_close, events) + ends;

        let specific_vol = self.variance.sqrt();
        let noise = today.noise_share * specific_vol * today.shocks.draw(&mut self.random);
        let specific_shock = limited(noise, LARGEST_SPECIFIC_MOVE);
        let sector = listing.kind.sector().map_or(0.0, |sector| step.sectors[sector]);
        let loading = if listing.kind.sector().is_some() { listing.sector_loading } else { 0.0 };
        let specific_expected = specific_vol * forecast;
        let moved = SessionMove {
            expected: config.drift_annual / SESSIONS_PER_YEAR
                + listing.beta * regime_drift(config, step.regime)
                + specific_expected,
            jump,
            shock: listing.beta * step.market + loading * sector + specific_shock,
            vol: ((listing.beta * step.market_vol).powi(2) + (loading * step.sector_vol).powi(2) + self.variance)
                .sqrt(),
        };
        let bar = traded_bar(last_close, moved, &mut self.random);
        let usual = USUAL_TURNOVER * self.shares_outstanding;
        let shares_traded = volume(usual, &mut self.restlessness, moved, &mut self.random);

        let garch = config.garch;
        let omega = self.long_run_variance * (1.0 - garch.shock_weight - garch.persistence);
        self.variance = (omega + garch.shock_weight * specific_shock.powi(2) + garch.persistence * self.variance)
            .min(LARGEST_VARIANCE_RATIO * self.long_run_variance);
        self.log_index.push(self.log_index.last().copied().unwrap_or(0.0) + (bar.close / last_close).ln());
        self.last_close = bar.close;
        self.traded.push((bar, shares_traded));
        self.actions.watch(session, bar.close, config.actions);
        specific_expected + specific_shock
    }

    /// Reports earnings when they are due; returns the jump before the open.
    fn report(&mut self, today: &Today<'_>, price: f64, events: &mut Events) -> f64 {
        let session = today.session - self.life.first;
        let Some(books) = self.books.as_mut().filter(|books| books.due(session)) else {
            return 0.0;
        };
        let surprise: f64 = StandardNormal.sample(&mut self.random);
        let other: f64 = StandardNormal.sample(&mut self.random);
        let config = today.config.earnings;
        let day = ReportDay {
            sessions: self.sessions,
            session,
            interval: config.interval_sessions,
            price,
            shares_outstanding: self.shares_outstanding,
        };
        let (earnings, fundamentals) = books.report(self.listing, &day, surprise);
        debug_assert!(earnings.reaction == today.date, "a report moves the session it is for");
        events.earnings.push(earnings);
        events.fundamentals.extend(fundamentals);
        self.surprise = Some((session, surprise));
        let explained = config.surprise_share.sqrt() * surprise + (1.0 - config.surprise_share).sqrt() * other;
        limited(config.jump_vol * explained, LARGEST_JUMP)
    }

    /// The end of the listing, where the market reaches it.
    fn delisting(&self, sessions: &[Date]) -> Option<SyntheticDelisting> {
        let end = self.life.end?;
        Some(SyntheticDelisting {
            symbol: self.listing.symbol.clone(),
            last_session: *sessions.get(end.last)?,
            reason: end.reason,
            ret_after: end.ret_after,
            payout: Price::from_f64(self.last_close * (1.0 + end.ret_after))?,
        })
    }

    /// Bars adjusted for later splits and dividends, and the actions, newest known to all.
    fn adjusted(&self) -> (Vec<RawBar>, Vec<SyntheticAction>) {
        let sessions = self.sessions;
        let mut bars = Vec::with_capacity(self.traded.len());
        let mut actions = Vec::with_capacity(self.effective.len());
        let (mut split_factor, mut dividend_factor) = (1.0, 1.0);
        let mut later = self.effective.iter().rev().peekable();
        for (session, &(bar, shares)) in self.traded.iter().enumerate().rev() {
            bars.push(RawBar {
                date: sessions[session],
                open: bar.open / split_factor,
                high: bar.high / split_factor,
                low: bar.low / split_factor,
                close: bar.close / split_factor,
                adj_close: bar.close / split_factor * dividend_factor,
                volume: (shares * split_factor).round(),
            });
            while let Some((_, effective)) = later.next_if(|&&(at, _)| at == session) {
                // The day before the first session has no bar, and nothing is due on the first.
                let Some(before) = session.checked_sub(1).map(|at| self.traded[at].0.close) else { continue };
                actions.push(SyntheticAction {
                    ex_date: sessions[session],
                    symbol: self.listing.symbol.clone(),
                    dividend: Price::from_f64(effective.dividend / split_factor).unwrap_or(Price::ZERO),
                    dividend_paid: Price::from_f64(effective.dividend).unwrap_or(Price::ZERO),
                    split: Rate::from_f64(effective.split).unwrap_or(Rate::ONE),
                });
                split_factor *= effective.split;
                dividend_factor *= 1.0 - effective.dividend / before;
            }
        }
        bars.reverse();
        (bars, actions)
    }
}

fn assemble(sessions: &[Date], symbols: Vec<SymbolState<'_>>, mut events: Events, truth: Truth) -> SyntheticMarket {
    let mut market = SyntheticMarket {
        bars: Vec::with_capacity(symbols.len()),
        tickers: Vec::with_capacity(symbols.len()),
        actions: Vec::new(),
        earnings: Vec::new(),
        fundamentals: Vec::new(),
        delistings: Vec::new(),
        truth,
        raw_closes: Vec::with_capacity(symbols.len() * sessions.len()),
        sessions: sessions.to_vec(),
    };
    for symbol in symbols {
        let (bars, actions) = symbol.adjusted();
        let missing = |n: usize| std::iter::repeat_n(f64::NAN, n);
        let before = symbol.life.first.min(sessions.len());
        market.raw_closes.extend(missing(before));
        market.raw_closes.extend(symbol.traded.iter().map(|(bar, _)| bar.close));
        market.raw_closes.extend(missing(sessions.len() - before - symbol.traded.len()));
        market.delistings.extend(symbol.delisting(sessions));
        market.bars.push((symbol.listing.symbol.clone(), bars));
        market.actions.extend(actions);
        market.tickers.push(SyntheticTicker {
            symbol: symbol.listing.symbol.clone(),
            name: symbol.listing.name.clone(),
            gics_sector: symbol.listing.kind.gics_sector(),
        });
    }
    market.actions.sort_by(|a, b| (a.ex_date, &a.symbol).cmp(&(b.ex_date, &b.symbol)));
    events.earnings.sort_by(|a, b| (a.announced, &a.symbol).cmp(&(b.announced, &b.symbol)));
    events.fundamentals.sort_by(|a, b| (a.available_at, &a.symbol).cmp(&(b.available_at, &b.symbol)));
    market.delistings.sort_by(|a, b| (a.last_session, &a.symbol).cmp(&(b.last_session, &b.symbol)));
    market.earnings = events.earnings;
    market.fundamentals = events.fundamentals;
    market
}
