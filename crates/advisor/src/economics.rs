//! What waiting, harvesting and deferring are worth, beyond the tax itself.
//!
//! The tax of a sale, now or later, and where a loss goes come exactly from the tax crate. Here
//! stand the estimates around it: risk over the wait, cost, value over years. Every result keeps
//! its parts.

use lotwise_core::{Money, Price, Rate, Shares};
use lotwise_tax::{Error, FlatRates, LossRoom, Term, WaitForLongTerm, wait_for_long_term};

use crate::risk::{DAYS_PER_YEAR, probability_of_fall};

/// A sale that could wait for the long-term rate: shares of one basis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardInput {
    /// Shares to sell.
    pub shares: Shares,
    /// Price per share now.
    pub price: Price,
    /// Basis of all these shares.
    pub basis: Money,
    /// The person's rates.
    pub rates: FlatRates,
    /// Calendar days to the first long-term day; 0 or less when the lot is long-term already.
    pub days: i32,
    /// Longest wait in calendar days that the guard looks at; SPEC T-10 has 30.
    pub max_days: i32,
    /// Annualised volatility of the price; `None` where the history is too short for one.
    pub volatility_annual: Option<f64>,
    /// Dollars of saving asked for per dollar of after-tax risk over the wait; SPEC T-10 has 0.1.
    pub risk_aversion: f64,
    /// A risk limit demands the sale, so that no guard may hold it back.
    pub forced: bool,
}

/// What the long-term guard found: all parts, and the verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardVerdict {
    /// Now against waiting, exactly: gain, after-tax results, saving, break-even.
    pub wait: WaitForLongTerm,
    /// Calendar days to the first long-term day.
    pub days: i32,
    /// The volatility that was used.
    pub volatility_annual: Option<f64>,
    /// What the risk of waiting counts for:
    /// `risk_aversion · value · volatility · √(days/365) · (1 − long rate)`, to the cent.
    pub risk_charge: Option<Money>,
    /// Chance that the price falls below the break-even by the first long-term day, with no drift.
    pub chance_of_larger_fall: Option<f64>,
    /// True when the sale should wait; then `reason` is [`GuardReason::SavingOutweighsRisk`].
    pub suppressed: bool,
    /// Why it should or should not.
    pub reason: GuardReason,
}

/// Why the guard holds a sale back or lets it pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardReason {
    /// The saving counts for more than the risk of waiting: wait.
    SavingOutweighsRisk,
    /// A risk limit demands the sale.
    ForcedByRiskLimit,
    /// There is no gain, so the long-term rate saves nothing.
    NoGain,
    /// The shares are long-term already.
    AlreadyLongTerm,
    /// The first long-term day is too far off.
    TooFarOff,
    /// Both rates give the same tax.
    NoSaving,
    /// The volatility is unknown, so the risk cannot be weighed.
    RiskUnknown,
    /// The risk of waiting counts for more than the saving.
    RiskOutweighsSaving,
}

impl GuardReason {
    /// One plain sentence without a final period.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SavingOutweighsRisk => "the tax saved counts for more than the risk of a fall while waiting",
            Self::ForcedByRiskLimit => "a risk limit asks for this sale, so it does not wait",
            Self::NoGain => "there is no gain, so the long-term rate would save nothing",
            Self::AlreadyLongTerm => "the shares are long-term already",
            Self::TooFarOff => "the first long-term day is too far off to wait for",
            Self::NoSaving => "waiting would save no tax",
            Self::RiskUnknown => "the price history is too short to weigh the risk of waiting",
            Self::RiskOutweighsSaving => "the risk of a fall while waiting counts for more than the tax saved",
        }
    }
}

/// Weighs waiting for the long-term rate (SPEC T-10, tax rule 7.1).
///
/// # Errors
/// Those of [`wait_for_long_term`], and [`Error::OutOfRange`] for a volatility or risk aversion
/// that is negative or not finite.
pub fn long_term_guard(input: &GuardInput) -> Result<GuardVerdict, Error> {
    let wait = wait_for_long_term(input.shares, input.price, input.basis, input.rates)?;
    let out_of_range = |field| Error::OutOfRange { field, of: "the long-term guard".to_owned() };
    if input.volatility_annual.is_some_and(|volatility| !volatility.is_finite() || volatility < 0.0) {
        return Err(out_of_range("volatility"));
    }
    if !input.risk_aversion.is_finite() || input.risk_aversion < 0.0 {
        return Err(out_of_range("risk aversion"));
    }
    let days = input.days.max(0).unsigned_abs();
    let value = (wait.gain + input.basis).to_f64();
    let kept = 1.0 - input.rates.long.to_f64();
    let charge = |volatility: f64| {
        let spread = volatility * (f64::from(days) / DAYS_PER_YEAR).sqrt();
        let charge = Money::from_f64(input.risk_aversion * value * spread * kept);
        charge.map(Money::to_cents).ok_or_else(|| out_of_range("risk of the wait"))
    };
    let risk_charge = input.volatility_annual.map(charge).transpose()?;
    let fall = wait.break_even_fall.to_f64();
    let chance_of_larger_fall =
        input.volatility_annual.and_then(|volatility| probability_of_fall(fall, days, volatility, 0.0));
    let reason = match risk_charge {
        _ if input.forced => GuardReason::ForcedByRiskLimit,
        _ if !wait.gain.is_positive() => GuardReason::NoGain,
        _ if input.days <= 0 => GuardReason::AlreadyLongTerm,
        _ if input.days > input.max_days => GuardReason::TooFarOff,
        _ if !wait.saving.is_positive() => GuardReason::NoSaving,
        None => GuardReason::RiskUnknown,
        Some(charge) if wait.saving > charge => GuardReason::SavingOutweighsRisk,
        Some(_) => GuardReason::RiskOutweighsSaving,
    };
    Ok(GuardVerdict {
        wait,
        days: input.days,
        volatility_annual: input.volatility_annual,
        risk_charge,
        chance_of_larger_fall,
        suppressed: reason == GuardReason::SavingOutweighsRisk,
        reason,
    })
}

/// Years and return over which a benefit is carried forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Horizon {
    years: f64,
    annual_return: f64,
}

impl Default for Horizon {
    /// Stated: ten years at 7 %, as in the worked examples (tax rule 7.3).
    fn default() -> Self {
        Self { years: 10.0, annual_return: 0.07 }
    }
}

impl Horizon {
    /// Takes 0 to 60 years and an annual return of 0 to 0.25; `None` otherwise.
    #[must_use]
    pub fn new(years: f64, annual_return: f64) -> Option<Self> {
        ((0.0..=60.0).contains(&years) && (0.0..=0.25).contains(&annual_return))
            .then_some(Self { years, annual_return })
    }

    /// The number of years.
    #[must_use]
    pub fn years(self) -> f64 {
        self.years
    }

    /// The annual return, 0.07 for 7 %.
    #[must_use]
    pub fn annual_return(self) -> f64 {
        self.annual_return
    }

    /// What a dollar grows to.
    #[must_use]
    pub fn growth(self) -> f64 {
        (1.0 + self.annual_return).powf(self.years)
    }
}

/// A loss that could be taken, and what it meets. Losses are positive and without what a wash
/// sale disallows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HarvestContext {
    /// Short-term loss.
    pub usable_short_loss: Money,
    /// Long-term loss.
    pub usable_long_loss: Money,
    /// Net short-term result of the year so far, carryover included; negative for a loss.
    pub realised_short: Money,
    /// Net long-term result of the year so far, carryover included; negative for a loss.
    pub realised_long: Money,
    /// The year's limit on losses against ordinary income.
    pub ordinary_limit: Money,
    /// The person's rates.
    pub rates: FlatRates,
    /// Value of the shares that are sold and replaced.
    pub traded_value: Money,
    /// Proportional cost of a trade, each side.
    pub cost: Rate,
    /// Years until the replacement is sold, 0 to 60.
    pub horizon_years: f64,
    /// Annual discount rate, 0 to 0.25.
    pub discount_rate: f64,
}

/// An amount of loss and what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossUse {
    /// Dollars of loss used this way.
    pub amount: Money,
    /// Dollars of tax that they save.
    pub value: Money,
}

/// What harvesting a loss is worth, with all its parts (SPEC T-07, tax rule 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HarvestValue {
    /// Used against short-term gains of the year, at the short-term rate.
    pub against_short: LossUse,
    /// Used against long-term gains of the year, at the long-term rate.
    pub against_long: LossUse,
    /// Deducted from ordinary income this year, at the short-term rate.
    pub against_ordinary: LossUse,
    /// Carried into later years, at half the long-term rate (SPEC T-07, a decision).
    pub carried: LossUse,
    /// Cost of selling and of buying the replacement.
    pub round_trip_cost: Money,
    /// Present value of the tax on the lower basis of the replacement,
    /// `long rate · loss / (1 + r)^years`, to the cent.
    pub lower_basis: Money,
    /// Everything: this year's saving and the carried part, less cost, less the lower basis.
    pub net: Money,
}

impl HarvestValue {
    /// Tax saved this year.
    #[must_use]
    pub fn saved_now(&self) -> Money {
        self.against_short.value + self.against_long.value + self.against_ordinary.value
    }
}

/// Values a loss that could be harvested (SPEC T-07).
///
/// Each loss meets gains of its own term first, then the other term's, then ordinary income, as
/// the year's netting does (tax rules 3.1 and 3.2); what is left is carried.
///
/// # Errors
/// Those of the tax crate's `harvest_value`, and [`Error::OutOfRange`] for a negative cost or a
/// horizon beyond [`Horizon::new`].
pub fn harvest_value(context: &HarvestContext) -> Result<HarvestValue, Error> {
    let out_of_range = |field| Error::OutOfRange { field, of: "the harvest".to_owned() };
    let horizon = Horizon::new(context.horizon_years, context.discount_rate)
        .ok_or_else(|| out_of_range("horizon or discount rate"))?;
    if context.cost.is_negative() || context.cost > Rate::ONE || context.traded_value.is_negative() {
        return Err(out_of_range("cost or traded value"));
    }
    let half = Rate::ratio(1, 2).expect("Invariant: two is not zero");
    let uses = |loss, term, net_short| {
        let room = LossRoom { net_short, net_long: context.realised_long, loss_limit: context.ordinary_limit };
        lotwise_tax::harvest_value(loss, term, room, context.rates, half)
    };
    // The long-term loss finds what the short-term loss has left.
    let short = uses(context.usable_short_loss, Term::Short, context.realised_short)?;
    let long = uses(context.usable_long_loss, Term::Long, context.realised_short - context.usable_short_loss)?;
    let used = |amount: Money, rate: Rate| LossUse { amount, value: amount * rate };
    let rates = context.rates;
    let against_short = used(short.against_short + long.against_short, rates.short);
    let against_long = used(short.against_long + long.against_long, rates.long);
    let against_ordinary = used(short.against_ordinary + long.against_ordinary, rates.short);
    let carried = LossUse { amount: short.carried + long.carried, value: short.carried_value + long.carried_value };
    let round_trip_cost = context.traded_value * context.cost + context.traded_value * context.cost;
    let loss = context.usable_short_loss + context.usable_long_loss;
    let lower_basis = FutureValue::new(loss, rates.long.to_f64(), horizon).present;
    let saved = against_short.value + against_long.value + against_ordinary.value;
    let net = saved + carried.value - round_trip_cost - lower_basis;
    Ok(HarvestValue { against_short, against_long, against_ordinary, carried, round_trip_cost, lower_basis, net })
}

/// A value at the end of a horizon, and today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FutureValue {
    /// Dollars at the end of the horizon, to the cent.
    pub future: Money,
    /// The same discounted to today, to the cent.
    pub present: Money,
}

impl FutureValue {
    fn new(amount: Money, per_dollar: f64, horizon: Horizon) -> Self {
        let times = |factor: f64| {
            let factor = Rate::from_f64(factor).expect("Invariant: a horizon grows by a bounded factor");
            (amount * factor).to_cents()
        };
        Self { future: times(per_dollar), present: times(per_dollar / horizon.growth()) }
    }
}

/// Harvesting as deferral (tax rule 7.3): the tax saved now is reinvested and its growth taxed at
/// the end, when the lower basis of the replacement costs its tax.
///
/// `FV = X·s·((1+r)^T·(1−l) + l) − X·l'` for a loss `X`, the rate saved now `s`, the rate on the
/// growth of the saving `l` and the rate on the lower basis `l'`.
#[must_use]
pub fn harvest_as_deferral(
    loss: Money,
    saved: Rate,
    growth_taxed: Rate,
    basis_taxed: Rate,
    horizon: Horizon,
) -> FutureValue {
    let (saved, growth_taxed, basis_taxed) = (saved.to_f64(), growth_taxed.to_f64(), basis_taxed.to_f64());
    let per_dollar = saved * (horizon.growth() * (1.0 - growth_taxed) + growth_taxed) - basis_taxed;
    FutureValue::new(loss, per_dollar, horizon)
}

/// What it is worth not to realise a gain until the end of the horizon (tax rule 7.4): the growth
/// on the tax not yet paid, itself taxed at the end, `l·G·((1+r)^T − 1)·(1−l)`.
#[must_use]
pub fn deferral_of_gain(gain: Money, rate: Rate, horizon: Horizon) -> FutureValue {
    let rate = rate.to_f64();
    FutureValue::new(gain, rate * (horizon.growth() - 1.0) * (1.0 - rate), horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    type Change = fn(&mut GuardInput);

    /// 50 shares, basis 133.26, price 190.38, rates 24 % and 15 % (tax rule 7.1).
    fn persona() -> GuardInput {
        GuardInput {
            shares: Shares::from_whole(50),
            price: Price::parse("190.38").unwrap(),
            basis: money("6663.00"),
            rates: FlatRates { short: rate("0.24"), long: rate("0.15") },
            days: 26,
            max_days: 30,
            volatility_annual: Some(0.25),
            risk_aversion: 0.1,
            forced: false,
        }
    }

    #[test]
    fn waiting_is_weighed_with_its_break_even_and_its_chance() {
        let guard = long_term_guard(&persona()).unwrap();
        assert!(guard.suppressed);
        assert_eq!(guard.wait.saving.to_cents(), money("257.04"));
        // 0.1 · 9519 · 0.25 · √(26/365) · 0.85
        assert_eq!(guard.risk_charge, Some(money("53.99")));
        assert!((guard.chance_of_larger_fall.unwrap() - 1.0 / 3.0).abs() < 0.01);
    }

    #[test]
    fn a_sale_passes_the_guard_for_a_named_reason() {
        let judged = |change: Change| {
            let mut input = persona();
            change(&mut input);
            long_term_guard(&input).unwrap()
        };
        let cases: [(Change, GuardReason); 9] = [
            (|input| input.forced = true, GuardReason::ForcedByRiskLimit),
            (|input| input.basis = money("9519.01"), GuardReason::NoGain),
            (|input| input.days = 0, GuardReason::AlreadyLongTerm),
            (|input| input.days = -400, GuardReason::AlreadyLongTerm),
            (|input| input.days = 31, GuardReason::TooFarOff),
            (|input| input.rates.long = input.rates.short, GuardReason::NoSaving),
            (|input| input.volatility_annual = None, GuardReason::RiskUnknown),
            // 257.04 / 539.89 is the aversion at which both sides come out equal.
            (|input| input.risk_aversion = 0.4762, GuardReason::RiskOutweighsSaving),
            (|input| input.risk_aversion = 0.4760, GuardReason::SavingOutweighsRisk),
        ];
        for (change, reason) in cases {
            let guard = judged(change);
            assert_eq!((guard.reason, guard.suppressed), (reason, reason == GuardReason::SavingOutweighsRisk));
            assert!(!reason.sentence().ends_with('.'));
        }
        assert!(judged(|input| input.days = 30).suppressed, "the thirtieth day still counts");
    }

    #[test]
    fn a_risk_that_is_no_number_is_refused() {
        for (volatility, aversion) in [(f64::NAN, 0.1), (-0.2, 0.1), (0.2, f64::INFINITY), (1e300, 0.1)] {
            let input = GuardInput { volatility_annual: Some(volatility), risk_aversion: aversion, ..persona() };
            assert!(matches!(long_term_guard(&input), Err(Error::OutOfRange { .. })));
        }
    }

    /// A year with 1,000 short-term and 2,000 long-term gains; rates 35 % and 15 %.
    fn harvest(short: &str, long: &str) -> HarvestContext {
        HarvestContext {
            usable_short_loss: money(short),
            usable_long_loss: money(long),
            realised_short: money("1000"),
            realised_long: money("2000"),
            ordinary_limit: money("3000"),
            rates: FlatRates { short: rate("0.35"), long: rate("0.15") },
            traded_value: money("4000"),
            cost: rate("0.0005"),
            horizon_years: 10.0,
            discount_rate: 0.07,
        }
    }

    #[test]
    fn a_loss_is_worth_what_it_meets_less_cost_and_lower_basis() {
        let value = harvest_value(&harvest("10000", "0")).unwrap();
        let used = |amount, value| LossUse { amount: money(amount), value: money(value) };
        assert_eq!(value.against_short, used("1000", "350"));
        assert_eq!(value.against_long, used("2000", "300"));
        assert_eq!(value.against_ordinary, used("3000", "1050"));
        assert_eq!(value.carried, used("4000", "300"));
        assert_eq!(value.saved_now(), money("1700"));
        assert_eq!(value.round_trip_cost, money("4.00"));
        // 0.15 · 10,000 / 1.07^10
        assert_eq!(value.lower_basis, money("762.52"));
        assert_eq!(value.net, money("1233.48"));
    }

    #[test]
    fn losses_of_both_terms_share_the_room() {
        for (short, long, amounts) in [
            ("600", "0", "600.00 0.00 0.00 0.00"),
            ("0", "600", "0.00 600.00 0.00 0.00"),
            ("0", "2500", "500.00 2000.00 0.00 0.00"),
            ("600", "2100", "700.00 2000.00 0.00 0.00"),
            ("1500", "1500", "1000.00 2000.00 0.00 0.00"),
            ("3000", "4000", "1000.00 2000.00 3000.00 1000.00"),
        ] {
            let value = harvest_value(&harvest(short, long)).unwrap();
            let parts = [value.against_short, value.against_long, value.against_ordinary, value.carried];
            assert_eq!(parts.map(|part| part.amount.to_string()).join(" "), amounts, "{short} and {long}");
        }
    }

    #[test]
    fn a_harvest_that_makes_no_sense_is_refused() {
        assert!(harvest_value(&HarvestContext { horizon_years: -1.0, ..harvest("1", "0") }).is_err());
        assert!(harvest_value(&HarvestContext { discount_rate: f64::NAN, ..harvest("1", "0") }).is_err());
        assert!(harvest_value(&HarvestContext { cost: rate("-0.1"), ..harvest("1", "0") }).is_err());
        assert!(harvest_value(&harvest("-1", "0")).is_err());
    }

    #[test]
    fn harvesting_is_mostly_deferral() {
        // Tax rule 7.3: per 1,000 of loss, ten years at 7 %, both later rates 15 %.
        for (saved, future, present) in [
            ("0.35", "487.73", "247.94"),
            ("0.24", "287.30", "146.05"),
            ("0.15", "123.31", "62.69"),
            ("0", "-150.00", "-76.25"),
        ] {
            let value = harvest_as_deferral(money("1000"), rate(saved), rate("0.15"), rate("0.15"), Horizon::default());
            assert_eq!(value, FutureValue { future: money(future), present: money(present) }, "at {saved}");
        }
    }

    #[test]
    fn deferring_a_gain_is_worth_the_growth_on_the_tax() {
        // Tax rule 7.4: a gain of 50 at 15 %, 7 % a year.
        for (years, worth) in [(1.0, "0.45"), (5.0, "2.57"), (10.0, "6.17"), (20.0, "18.29"), (30.0, "42.15")] {
            let horizon = Horizon::new(years, 0.07).unwrap();
            assert_eq!(
                deferral_of_gain(money("50"), rate("0.15"), horizon).future,
                money(worth),
                "after {years} years"
            );
        }
    }

    #[test]
    fn horizons_out_of_reach_are_refused() {
        assert_eq!(Horizon::new(-1.0, 0.07), None);
        assert_eq!(Horizon::new(10.0, f64::NAN), None);
        assert_eq!(Horizon::new(10.0, 0.3), None);
        assert!(Horizon::new(60.0, 0.25).is_some());
    }
}
