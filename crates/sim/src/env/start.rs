//! How episodes begin (SPEC E-04): where on the tape, with which assets, in cash or with random lots.

use lotwise_core::{Date, Money, Objective, Seed, Shares};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::episode::{Episode, NO_SLOT, exact};
use super::{EnvConfig, Tape};
use crate::Error;

/// Tries to find a session with enough assets.
const TRIES: usize = 1_000;

/// Draws an episode from the stream of its seed and number.
pub(super) fn reset(
    episode: &mut Episode,
    config: &EnvConfig,
    tape: &Tape,
    seed: Seed,
    number: u64,
) -> Result<(), Error> {
    let mut random = seed.stream("episode", number);
    let objective = config.start.objective.unwrap_or_else(|| Objective::ALL[below(&mut random, 6)]);
    let horizon = config.horizon_steps[objective as usize] as usize;
    let n_sessions = tape.sessions().len();
    let (from, to) = config.start.sessions.unwrap_or((0, n_sessions));
    let first = from.max(config.start.warmup_sessions);
    // The last decision needs one session after it.
    let last = to.min(n_sessions).saturating_sub(horizon + 1);
    let mut eligible = Vec::with_capacity(tape.n_assets());
    for _ in 0..TRIES {
        if first > last {
            break;
        }
        let session = first + below(&mut random, last - first + 1);
        let established = |asset: &u32| tape.is_established(session, *asset, config.start.warmup_sessions);
        eligible.clear();
        eligible.extend((0..tape.n_assets() as u32).filter(established));
        if eligible.len() < config.n_assets {
            continue;
        }
        for at in 0..config.n_assets {
            let other = at + below(&mut random, eligible.len() - at);
            eligible.swap(at, other);
        }
        eligible.truncate(config.n_assets);
        episode.place(config, tape, session, &eligible, objective)?;
        if uniform(&mut random) < config.start.random_portfolio {
            endow(episode, config, tape, &mut random)?;
        }
        return Ok(());
    }
    Err(Error::NoStart { n_assets: config.n_assets, sessions: last.saturating_sub(first) })
}

impl Episode {
    /// Starts at the close of a session of the tape with given assets, `[N]`, in cash: for evaluation.
    ///
    /// # Errors
    /// When assets or session are not on the tape, or an asset stands twice in the universe. The episode is then as it
    /// was.
    pub fn place(
        &mut self,
        config: &EnvConfig,
        tape: &Tape,
        session: usize,
        universe: &[u32],
        objective: Objective,
    ) -> Result<(), Error> {
        let there = universe.iter().all(|asset| (*asset as usize) < tape.n_assets());
        if !there || universe.len() != config.n_assets || session + 1 >= tape.sessions().len() {
            return Err(Error::NoStart { n_assets: config.n_assets, sessions: tape.sessions().len() });
        }
        let mut sorted = universe.to_vec();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::PlacedTwice { asset: pair[0] as usize });
        }
        self.account.reset(config.start.value);
        self.objective = objective;
        self.universe.copy_from_slice(universe);
        self.session = session;
        self.steps_left = config.horizon_steps[objective as usize];
        self.unfunded = true;
        self.last_turnover = 0.0;
        self.slots.clear();
        self.slots.resize(tape.n_assets(), NO_SLOT);
        for (at, &asset) in universe.iter().enumerate() {
            self.slots[asset as usize] = at as u32;
        }
        self.positions.place(tape, session, universe);
        self.begin(config, tape)
    }

    /// Takes the account as it stands for the start.
    fn begin(&mut self, config: &EnvConfig, tape: &Tape) -> Result<(), Error> {
        self.revalue(config, tape.date(self.session))?;
        self.start_value = self.value;
        let before_tax = self.value_before_tax();
        let cash = self.account.cash().to_f64();
        self.reward_state = config.reward.start(self.objective, if before_tax > 0.0 { cash / before_tax } else { 1.0 });
        Ok(())
    }
}

/// Replaces the cash by a random portfolio of random lots of the same value.
fn endow(episode: &mut Episode, config: &EnvConfig, tape: &Tape, random: &mut ChaCha8Rng) -> Result<(), Error> {
    let start = &config.start;
    let total = start.value.to_f64();
    let n = config.n_assets;
    // Equal chances on the simplex: exponentials over their sum.
    let mut weights: Vec<f64> = (0..=n).map(|_| exponential(random)).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    let today = tape.date(episode.session);
    let mut lots: Vec<(Date, usize, Shares, Money)> = Vec::with_capacity(n * start.lots as usize);
    let mut cash = start.value;
    for at in 0..n {
        let n_lots = 1 + below(random, start.lots as usize);
        let parts: Vec<f64> = (0..n_lots).map(|_| exponential(random)).collect();
        let whole: f64 = parts.iter().sum();
        for part in parts {
            let age = start.age_days.0 + below(random, (start.age_days.1 - start.age_days.0 + 1) as usize) as u32;
            let factor = start.basis.0 + (start.basis.1 - start.basis.0) * uniform(random);
            let close = episode.positions.closes[at];
            let Some(price) = exact(close) else { continue };
            let mut count = total * weights[at + 1] * part / whole / close;
            if !config.fractional_shares {
                count = count.floor();
            }
            let shares = Shares::from_billionths((count * 1e9).floor() as i128);
            let value = price * shares;
            if !shares.is_positive() || !value.is_positive() {
                continue;
            }
            let basis = Money::from_billionths((value.to_f64() * factor * 1e9).round() as i128);
            lots.push((today.plus_days(-(age as i32)), at, shares, basis));
            cash -= value;
        }
    }
    lots.sort_by_key(|(date, at, ..)| (*date, *at));
    episode.account.reset(cash.max(Money::ZERO));
    for (date, at, shares, basis) in lots {
        episode.account.endow(date, at, shares, basis)?;
        let last_trade = &mut episode.positions.memory.last_trade[at];
        *last_trade = (*last_trade).max(date.days());
        episode.positions.memory.mark(at);
    }
    episode.unfunded = false;
    episode.begin(config, tape)
}

/// A number below `n`, each equally likely: the bias of a 64-bit product is below 1e-15.
fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(random.next_u64()) * n as u128) >> 64) as usize
}

/// A number from 0 to below 1.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn exponential(random: &mut ChaCha8Rng) -> f64 {
    -libm::log1p(-uniform(random))
}
