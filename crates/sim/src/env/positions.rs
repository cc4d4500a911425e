//! What an episode knows of each asset between two closes: prices as last seen, positions and what is remembered of
//! trades, one array for each fact.

use lotwise_core::{Date, Money};

use super::lots::Lots;
use super::{Account, Tape};

/// Positions of an episode, `[N]` each. Money in US dollars.
#[derive(Debug, Clone)]
pub(super) struct Positions {
    /// Close as last seen, in units of today; NaN before the first.
    pub closes: Vec<f64>,
    /// Market value at those closes.
    pub values: Vec<f64>,
    /// Whether there was a close in the session.
    pub tradable: Vec<bool>,
    pub lots: Vec<Lots>,
    pub memory: Memory,
    /// Shares held, as the lots were read.
    shares: Vec<f64>,
    /// First day on which a lot of any asset turns long-term, days since 1970.
    next_turn: i32,
    /// Market value of all positions.
    total: f64,
}

/// What trades leave behind, `[N]` each.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    /// Total return since the last trade, as a factor.
    pub growth: Vec<f64>,
    /// Value traded in the last step.
    pub traded: Vec<f64>,
    /// Days since 1970 of the last trade; `i32::MIN` before the first.
    pub last_trade: Vec<i32>,
    /// Assets whose lots must be read again; each is flagged once.
    changed: Vec<u32>,
    is_changed: Vec<bool>,
    /// Whether anything was traded in the last step.
    has_traded: bool,
}

impl Memory {
    /// Marks an asset whose lots must be read again.
    pub fn mark(&mut self, at: usize) {
        if !std::mem::replace(&mut self.is_changed[at], true) {
            self.changed.push(at as u32);
        }
    }

    /// Whether the lots of an asset were changed since they were read.
    pub fn is_changed(&self, at: usize) -> bool {
        self.is_changed[at]
    }

    /// Remembers a trade and gives its dollars.
    pub fn note(&mut self, at: usize, date: Date, amount: Money) -> f64 {
        let dollars = amount.to_f64();
        (self.last_trade[at], self.growth[at]) = (date.days(), 1.0);
        self.traded[at] += dollars;
        self.has_traded = true;
        self.mark(at);
        dollars
    }

    /// Forgets what the last step traded.
    pub fn begin_step(&mut self) {
        if std::mem::take(&mut self.has_traded) {
            self.traded.fill(0.0);
        }
    }

    fn clear(&mut self) {
        self.growth.fill(1.0);
        self.traded.fill(0.0);
        self.last_trade.fill(i32::MIN);
        self.has_traded = false;
    }
}

impl Positions {
    /// Room for `n` assets.
    pub fn new(n: usize) -> Self {
        Self {
            closes: vec![f64::NAN; n],
            values: vec![0.0; n],
            tradable: vec![false; n],
            lots: vec![Lots::default(); n],
            memory: Memory {
                growth: vec![1.0; n],
                traded: vec![0.0; n],
                last_trade: vec![i32::MIN; n],
                changed: Vec::with_capacity(n),
                is_changed: vec![false; n],
                has_traded: false,
            },
            shares: vec![0.0; n],
            next_turn: i32::MAX,
            total: 0.0,
        }
    }

    /// Takes the closes of a session in which nothing was traded yet, and marks every asset as changed.
    pub fn place(&mut self, tape: &Tape, session: usize, universe: &[u32]) {
        let cells = tape.cells(session);
        for (at, &asset) in universe.iter().enumerate() {
            self.closes[at] = cells[asset as usize].close;
            self.tradable[at] = self.closes[at].is_finite();
            self.memory.mark(at);
        }
        self.memory.clear();
    }

    /// Shares held, as the lots were read last.
    pub fn shares(&self, at: usize) -> f64 {
        self.shares[at]
    }

    /// Takes the closes of a session in. Gives the mean return of the assets that traded: equal weights, rebalanced
    /// daily, no cost.
    pub fn see(&mut self, tape: &Tape, session: usize, universe: &[u32]) -> f64 {
        let cells = tape.cells(session);
        let (mut sum, mut n) = (0.0, 0.0);
        let facts = self.closes.iter_mut().zip(&mut self.tradable).zip(&mut self.memory.growth);
        for (((close, tradable), growth), &asset) in facts.zip(universe) {
            let cell = &cells[asset as usize];
            *tradable = cell.close.is_finite();
            *close = if *tradable { cell.close } else { *close };
            let (ret, there) = if cell.ret.is_finite() { (cell.ret, 1.0) } else { (0.0, 0.0) };
            *growth *= 1.0 + ret;
            sum += ret;
            n += there;
        }
        if n > 0.0 { sum / n } else { 0.0 }
    }

    /// Reads the lots again that events have changed, and values all at the closes.
    pub fn revalue(&mut self, account: &Account, date: Date) {
        let today = date.days();
        let any_changed = !self.memory.changed.is_empty();
        for at in self.memory.changed.drain(..) {
            let at = at as usize;
            self.memory.is_changed[at] = false;
            self.lots[at].read(account, at, today);
            self.shares[at] = self.lots[at].shares();
        }
        if today >= self.next_turn {
            self.lots.iter_mut().filter(|lots| today >= lots.next_turn()).for_each(|lots| lots.sum_up(today));
        }
        if any_changed || today >= self.next_turn {
            self.next_turn = self.lots.iter().map(Lots::next_turn).min().unwrap_or(i32::MAX);
        }
        // Four sums side by side: one alone would wait for each addition to finish.
        let mut lanes = [0.0; 4];
        for (at, (value, (shares, close))) in
            self.values.iter_mut().zip(self.shares.iter().zip(&self.closes)).enumerate()
        {
            *value = if *shares > 0.0 && !close.is_nan() { shares * close } else { 0.0 };
            lanes[at & 3] += *value;
        }
        self.total = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    }

    /// Market value of all positions at the last valuation.
    pub fn total(&self) -> f64 {
        self.total
    }
}
