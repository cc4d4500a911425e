//! The whole answer: what the household is worth, what to do, and why.

mod sentences;
mod suggestions;

use lotwise_core::{Date, Money, Objective, Rate, Symbol};
use lotwise_market::{AsOf, AssetIdx, Tickers};
use lotwise_sim::ReturnMatrix;
use lotwise_sim::policy::{self, Decision, Observation, PolicyConfig};
use lotwise_tax::{Book, Booking, LotSelection, Method, Rules, Term};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::books::Books;
use crate::guardrails::{blocks_purchases, last_session_loss};
use crate::harvest::{HarvestCandidate, HarvestOptions, HarvestReport, HarvestView, harvest, identical, orders_for};
use crate::issue::{Issue, Severity};
use crate::plan::{PlanOptions, Target, Trades, trades};
use crate::portfolio::{Portfolio, PricedLot};
use crate::suggestion::{Motive, Suggestion, count, dollars};
use crate::tax_profile::TaxProfile;
use crate::what_if::{Desk, Order};

/// Sessions over which volatility is measured for the long-term guard.
const VOLATILITY_SESSIONS: usize = 252;

/// Below this many assets a weighting rule has next to nothing to weigh.
const FEW_ASSETS: usize = 3;

/// What the person asks for.
#[derive(Debug, Clone)]
pub struct AdviceOptions {
    /// What the account is for.
    pub objective: Objective,
    /// Policy by name; the objective's stated default without it.
    pub policy: Option<String>,
    /// Settings of the policy.
    pub policy_config: PolicyConfig,
    /// How targets become trades.
    pub plan: PlanOptions,
    /// What a harvest has to be worth.
    pub harvest: HarvestOptions,
    /// Proportional cost of a trade, each side (SPEC E-10).
    pub cost: Rate,
    /// Policy switches of the tax engine.
    pub rules: Rules,
    /// Rates, or a household's brackets.
    pub tax: TaxProfile,
}

impl AdviceOptions {
    /// The stated defaults for an objective: 5 basis points a side, flat 24 % and 15 %.
    #[must_use]
    pub fn for_objective(objective: Objective) -> Self {
        Self {
            objective,
            policy: None,
            policy_config: PolicyConfig::default(),
            plan: PlanOptions::default(),
            harvest: HarvestOptions::default(),
            cost: Rate::from_billionths(500_000),
            rules: Rules::default(),
            tax: TaxProfile::default(),
        }
    }
}

/// A lot that turns long-term soon.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    /// The security.
    pub symbol: Symbol,
    /// The lot.
    pub lot: PricedLot,
    /// First long-term day.
    pub date: Date,
    /// Days until then.
    pub days: i32,
    /// Tax saved by selling then instead of today, at the same price.
    pub saving: Money,
}

/// What the household is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worth {
    /// Cash and priced holdings.
    pub value: Money,
    /// Tax if everything with a known basis were sold today, beyond the tax already due on what
    /// the year has realised; negative when losses outweigh.
    pub tax_if_sold: Money,
    /// Value less that tax.
    pub after_tax: Money,
    /// Unrealised gain of lots with a known basis.
    pub unrealised: Money,
    /// Value of lots whose basis is unknown; their tax is not in the figure.
    pub unknown_basis_value: Money,
}

/// What a policy wanted and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSummary {
    /// Stable id: equal inputs give equal ids.
    pub id: String,
    /// What the account is for.
    pub objective: Objective,
    /// Name of the policy.
    pub policy: &'static str,
    /// What the policy does, and that it is a classical rule.
    pub describe: &'static str,
    /// Why it is the objective's default, where it was not chosen by name.
    pub default_reason: Option<&'static str>,
    /// Latest session among the prices used.
    pub prices_as_of: Option<Date>,
    /// Cash fraction after all trades.
    pub cash_weight: f64,
    /// Two-sided turnover, as a fraction of the value.
    pub expected_turnover: f64,
    /// Tax of the planned sales this year; negative when losses outweigh.
    pub tax: Money,
    /// Tax if the oldest lots were sold instead.
    pub tax_fifo: Money,
    /// Cost of all trades.
    pub cost: Money,
    /// Remarks of the policy.
    pub notes: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Advice {
    /// Day of the books.
    pub as_of: Date,
    /// What everything is worth.
    pub worth: Worth,
    /// What the policy wanted and what became of it.
    pub plan: PlanSummary,
    /// Complete suggestions, those worth most first.
    pub suggestions: Vec<Suggestion>,
    /// Losses worth taking.
    pub harvest: HarvestReport,
    /// Lots that turn long-term, soonest first.
    pub upcoming: Vec<Upcoming>,
    /// What a person should know.
    pub issues: Vec<Issue>,
}

/// Everything that the answer is computed from.
#[derive(Clone, Copy)]
pub struct AdviceInput<'a> {
    /// The household's books.
    pub books: &'a Books,
    /// The books, booked, and open for sales that have not happened.
    pub book: &'a Book,
    /// What is in the book.
    pub booking: &'a Booking,
    /// Prices up to the day of the books.
    pub market: AsOf<'a>,
    /// Last session of the whole price table.
    pub table_end: Date,
    /// Sectors, where the data has them.
    pub tickers: Option<&'a Tickers>,
}

/// Computes the answer.
///
/// # Errors
/// When nothing held has a price, the policy's name is unknown, the solver fails, or a
/// hypothetical sale cannot be booked.
pub fn advise(input: &AdviceInput<'_>, options: &AdviceOptions) -> Result<Advice, Error> {
    let (portfolio, mut issues) = Portfolio::build(input.books, input.booking, &input.market, input.table_end);
    issues.splice(0..0, input.books.issues.iter().cloned());
    let desk = Desk { book: input.book, ledger: &input.books.ledger, cost: options.cost };
    let worth = worth(&portfolio, &desk, &options.tax)?;
    let view =
        HarvestView { portfolio: &portfolio, desk, market: input.market, tickers: input.tickers, tax: &options.tax };
    let harvest = harvest(&view, &options.harvest)?;
    let (targets, decision, chosen) = targets(&portfolio, input.market, options)?;
    let session_loss = last_session_loss(&portfolio, &input.market);
    let blocked = blocked_purchases(&portfolio, input, options, &harvest, session_loss);
    let rates = options.tax.rates();
    let planned = trades(&portfolio, &without_harvested(&targets, &harvest), &blocked, rates, &options.plan);
    let upcoming = upcoming(&portfolio, rates);
    let taken = taken(&harvest, &planned);
    let context = suggestions::Context {
        input,
        options,
        portfolio: &portfolio,
        desk,
        harvest: &taken,
        targets: &targets,
        trades: &planned,
        session_loss,
        policy: chosen.name(),
    };
    let suggestions = suggestions::build(&context)?;
    let (tax, tax_fifo) = plan_tax(&portfolio, &desk, &planned, &taken, &options.tax)?;
    let bought: Money = planned.purchases.iter().map(|purchase| purchase.amount).sum();
    let sold: Money = planned.sales.iter().map(|sale| sale.amount).sum();
    // A harvest sells, and buys its replacement for the same amount.
    let harvested: Money = taken.iter().map(|candidate| candidate.value).sum();
    let replaced: Money = taken.iter().filter(|found| found.replacement.is_some()).map(|found| found.value).sum();
    let traded = bought + sold + harvested + replaced;
    let cost = traded * options.cost;
    let cash_after = portfolio.cash + sold + harvested - bought - replaced - cost;
    let mut notes: Vec<String> = decision.notes.iter().map(ToString::to_string).collect();
    // What the rule did not want to buy needs no word about why it is not bought.
    let wanted = |symbol: &Symbol| {
        let gap = |target: &Target| target.target - target.current > options.plan.rebalance_threshold;
        targets.iter().any(|target| target.symbol == *symbol && gap(target))
    };
    let stopped = planned.blocked.iter().filter(|(symbol, _)| wanted(symbol));
    notes.extend(stopped.map(|(symbol, reason)| format!("{symbol} is not bought: {reason}")));
    if portfolio.realised.unknown_sales > 0 {
        let text = format!(
            "{} of {} {} an unknown basis; the gain is not in the year's figures",
            count(portfolio.realised.unknown_sales, "sale"),
            portfolio.as_of.year(),
            if portfolio.realised.unknown_sales == 1 { "has" } else { "have" }
        );
        issues.push(Issue::new("unknown-gain", Severity::Warning, None, text));
    }
    if targets.len() < FEW_ASSETS {
        let text = format!(
            "only {} of your holdings can be weighed against each other; a rule over so few says little about your \
             money as a whole",
            targets.len()
        );
        issues.push(Issue::new("few-assets", Severity::Warning, None, text));
    }
    if portfolio.cash.is_positive() {
        let text = format!(
            "cash of {} is the sum of the rows of your files, from an assumed balance of zero before them",
            dollars(portfolio.cash)
        );
        issues.push(Issue::new("cash-assumed", Severity::Note, None, text));
    }
    if input.books.later_rows > 0 {
        let verb = if input.books.later_rows == 1 { "is" } else { "are" };
        let rows = count(input.books.later_rows, "row");
        let text = format!("{rows} dated after {} {verb} not used", portfolio.as_of);
        issues.push(Issue::new("later-rows", Severity::Note, None, text));
    }
    if planned.sales.iter().any(|sale| sale.motive == Motive::RaiseCash) {
        notes.push("raising cash comes first; rebalancing waits until it is there".to_owned());
    }
    let plan = PlanSummary {
        id: plan_id(&suggestions, &portfolio, options),
        objective: options.objective,
        policy: chosen.name(),
        describe: chosen.describe(),
        default_reason: options.policy.is_none().then(|| policy::default_for(options.objective).reason),
        prices_as_of: portfolio.prices_as_of,
        cash_weight: portfolio.weight(cash_after),
        expected_turnover: portfolio.weight(traded),
        tax,
        tax_fifo,
        cost,
        notes,
    };
    Ok(Advice { as_of: portfolio.as_of, worth, plan, suggestions, harvest, upcoming, issues })
}

/// Value before and after the tax of selling everything today.
///
/// # Errors
/// When the hypothetical sale cannot be booked.
pub fn worth(portfolio: &Portfolio, desk: &Desk<'_>, tax: &TaxProfile) -> Result<Worth, Error> {
    let mut orders = Vec::new();
    for holding in &portfolio.holdings {
        let lots: Vec<&PricedLot> = holding.lots.iter().filter(|lot| lot.taxable && lot.gain.is_some()).collect();
        orders.extend(orders_for(holding, &lots));
    }
    let free = Desk { cost: Rate::ZERO, ..*desk };
    let (short, long) = free.sell(portfolio.as_of, &orders)?.reportable();
    let tax_if_sold = tax.marginal(portfolio.realised, short, long)?;
    let known = portfolio.lots().filter_map(|(_, lot)| lot.gain).sum();
    let unknown_basis_value =
        portfolio.lots().filter(|(_, lot)| lot.gain.is_none() && lot.taxable).map(|(_, lot)| lot.value).sum();
    Ok(Worth {
        value: portfolio.value,
        tax_if_sold,
        after_tax: portfolio.value - tax_if_sold,
        unrealised: known,
        unknown_basis_value,
    })
}

/// Lots of taxable accounts with a gain that turn long-term, soonest first.
#[must_use]
pub fn upcoming(portfolio: &Portfolio, rates: lotwise_tax::FlatRates) -> Vec<Upcoming> {
    let mut upcoming: Vec<Upcoming> = portfolio
        .lots()
        .filter(|(_, lot)| lot.taxable)
        .filter_map(|(holding, lot)| {
            let (days, date, gain) = (lot.days_to_long(portfolio.as_of)?, lot.long_from?, lot.gain?);
            gain.is_positive().then(|| Upcoming {
                symbol: holding.symbol.clone(),
                lot: lot.clone(),
                date,
                days,
                saving: gain * rates.short - gain * rates.long,
            })
        })
        .collect();
    upcoming.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| b.saving.cmp(&a.saving)));
    upcoming
}

type Chosen = Box<dyn policy::Policy>;

fn targets(
    portfolio: &Portfolio,
    market: AsOf<'_>,
    options: &AdviceOptions,
) -> Result<(Vec<Target>, Decision, Chosen), Error> {
    let name = options.policy.as_deref().unwrap_or(policy::default_for(options.objective).policy);
    let usable: Vec<(&crate::portfolio::Holding, AssetIdx)> = portfolio
        .holdings
        .iter()
        .filter(|holding| holding.quote.is_usable())
        .filter_map(|holding| Some((holding, holding.quote.asset?)))
        .collect();
    if usable.is_empty() {
        return Err(Error::NothingPriced);
    }
    // Money-market funds and stale holdings stand beside cash: the policy does not touch them.
    let held: Vec<f64> = usable.iter().map(|(holding, _)| portfolio.weight(holding.value)).collect();
    let rest = (1.0 - held.iter().sum::<f64>()).max(0.0);
    let weights: Vec<f64> = std::iter::once(rest).chain(held.iter().copied()).collect();
    let universe: Vec<AssetIdx> = usable.iter().map(|(_, asset)| *asset).collect();
    // An account that is fully invested does not sell just to have cash.
    let cash_target = options.policy_config.cash_target.min(rest);
    let chosen = policy::by_name(name, PolicyConfig { cash_target, ..options.policy_config })?;
    let observation = Observation { market, universe: &universe, weights: &weights, objective: options.objective };
    let decision = chosen.decide(&observation)?;
    let returns = ReturnMatrix::daily(market, &universe, VOLATILITY_SESSIONS);
    let targets = usable
        .iter()
        .zip(decision.weights.assets())
        .enumerate()
        .map(|(position, ((holding, _), &target))| Target {
            symbol: holding.symbol.clone(),
            current: held[position],
            target,
            volatility: returns.volatility_annual(position),
            price: holding.quote.price,
        })
        .collect();
    Ok((targets, decision, chosen))
}

/// Symbols that must not be bought today, with the reason.
fn blocked_purchases(
    portfolio: &Portfolio,
    input: &AdviceInput<'_>,
    options: &AdviceOptions,
    harvest: &HarvestReport,
    session_loss: Option<f64>,
) -> Vec<(Symbol, String)> {
    let today = portfolio.as_of;
    let stopped = blocks_purchases(&options.plan.limits, session_loss);
    portfolio
        .holdings
        .iter()
        .filter_map(|holding| {
            let same = |symbol: &Symbol| identical(&options.rules, symbol, &holding.symbol);
            let sold_at_loss = input
                .booking
                .sales
                .iter()
                .filter(|row| same(&row.symbol) && row.sold <= today && today.days_since(row.sold) <= 30)
                .filter(|row| row.gain.is_some_and(Money::is_negative) && portfolio.is_taxable(&row.account))
                .map(|row| row.sold)
                .max();
            let reason = if let Some(candidate) = harvest.candidates.iter().find(|found| same(&found.symbol)) {
                format!("its loss is harvested; buying before {} would undo that", candidate.rebuy_from.long())
            } else if let Some(sold) = sold_at_loss {
                format!("it was sold at a loss on {}; buying before {} would wash that", sold, sold.plus_days(31))
            } else if stopped {
                "the loss of the last session blocks purchases until the next one".to_owned()
            } else {
                return None;
            };
            Some((holding.symbol.clone(), reason))
        })
        .collect()
}

/// A symbol whose loss is harvested is not sold a second time by the policy.
fn without_harvested(targets: &[Target], harvest: &HarvestReport) -> Vec<Target> {
    let mut targets = targets.to_vec();
    for target in &mut targets {
        if harvest.candidates.iter().any(|candidate| candidate.symbol == target.symbol) {
            target.target = target.current;
        }
    }
    targets
}

/// Candidates that are harvested: shares that are sold for cash are not sold a second time.
fn taken<'a>(harvest: &'a HarvestReport, planned: &Trades) -> Vec<&'a HarvestCandidate> {
    let raised =
        |symbol: &Symbol| planned.sales.iter().any(|sale| sale.motive == Motive::RaiseCash && sale.symbol == *symbol);
    harvest.candidates.iter().filter(|candidate| !raised(&candidate.symbol)).collect()
}

/// Tax of the planned sales, and of the same sales from the oldest lots.
fn plan_tax(
    portfolio: &Portfolio,
    desk: &Desk<'_>,
    planned: &Trades,
    harvest: &[&HarvestCandidate],
    tax: &TaxProfile,
) -> Result<(Money, Money), Error> {
    let mut orders: Vec<Order> = planned.sales.iter().flat_map(|sale| sale.orders.iter().cloned()).collect();
    let mut oldest: Vec<Order> =
        orders.iter().cloned().map(|order| Order { lots: LotSelection::By(Method::Fifo), ..order }).collect();
    for candidate in harvest {
        orders.extend(candidate.orders.iter().cloned());
        oldest.extend(candidate.orders.iter().cloned());
    }
    let of = |orders: &[Order]| -> Result<Money, Error> {
        let outcome = desk.sell(portfolio.as_of, orders)?;
        let taxed = outcome.rows.iter().filter(|row| portfolio.is_taxable(&row.account));
        let (short, long) = crate::tax_profile::by_term(taxed);
        tax.marginal(portfolio.realised, short, long)
    };
    Ok((of(&orders)?, of(&oldest)?))
}

fn plan_id(suggestions: &[Suggestion], portfolio: &Portfolio, options: &AdviceOptions) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{} {} {}", portfolio.as_of, options.objective, portfolio.value));
    for suggestion in suggestions {
        hash.update(&suggestion.id);
    }
    short_hex(&hash.finalize())
}

/// The first eight bytes as hexadecimal digits.
fn short_hex(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a term is short or unknown.
fn is_short(term: Option<Term>) -> bool {
    term != Some(Term::Long)
}

/// A signed amount for prose: `$12 more` or `$12 less`.
fn more_or_less(amount: Money) -> String {
    if amount.is_negative() { format!("{} less", dollars(amount.abs())) } else { format!("{} more", dollars(amount)) }
}
