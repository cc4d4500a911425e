//! Complete suggestions from the plan, the harvest and the lots near their long-term date.

use lotwise_core::{Money, Price, Shares, Symbol};
use lotwise_tax::{LotSelection, Method, Term, wait_for_long_term};
use sha2::{Digest, Sha256};

use super::sentences as say;
use super::{AdviceInput, AdviceOptions, is_short, more_or_less, short_hex};
use crate::Error;
use crate::guardrails::checks;
use crate::harvest::HarvestCandidate;
use crate::plan::{GuardedLot, PlannedPurchase, PlannedSale, Target, Trades, guard};
use crate::portfolio::{Holding, Portfolio, PricedLot};
use crate::risk::probability_of_fall;
use crate::suggestion::{
    Alternative, LimitCheck, LotShare, Motive, Reason, ReasonSource, Side, Suggestion, dollars, share_count,
};
use crate::what_if::{Desk, Order};

/// Everything that a suggestion is written from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) input: &'a AdviceInput<'a>,
    pub(super) options: &'a AdviceOptions,
    pub(super) portfolio: &'a Portfolio,
    pub(super) desk: Desk<'a>,
    /// What is harvested.
    pub(super) harvest: &'a [&'a HarvestCandidate],
    pub(super) targets: &'a [Target],
    pub(super) trades: &'a Trades,
    pub(super) session_loss: Option<f64>,
    pub(super) policy: &'static str,
}

/// All suggestions, those worth most first, then by size and symbol.
pub(super) fn build(context: &Context<'_>) -> Result<Vec<Suggestion>, Error> {
    let mut suggestions = Vec::new();
    for candidate in context.harvest {
        suggestions.push(context.harvest_suggestion(candidate));
    }
    for holding in &context.portfolio.holdings {
        if let Some(suggestion) = context.wait_suggestion(holding)? {
            suggestions.push(suggestion);
        }
    }
    for sale in context.trades.sales.iter().filter(|sale| sale.shares.is_positive()) {
        suggestions.push(context.sale_suggestion(sale)?);
    }
    for purchase in &context.trades.purchases {
        suggestions.push(context.purchase_suggestion(purchase));
    }
    for holding in &context.portfolio.holdings {
        let told = suggestions.iter().any(|suggestion| suggestion.symbol == holding.symbol);
        if !told && holding.quote.asset.is_some() && holding.quote.is_usable() {
            suggestions.push(context.keep_suggestion(holding)?);
        }
    }
    for suggestion in &mut suggestions {
        suggestion.id = id(context, suggestion);
    }
    suggestions.sort_by(|a, b| {
        let key = |suggestion: &Suggestion| {
            (suggestion.motive == Motive::Keep, std::cmp::Reverse(suggestion.saving.unwrap_or(Money::ZERO)))
        };
        key(a).cmp(&key(b)).then_with(|| b.amount.abs().cmp(&a.amount.abs())).then_with(|| a.symbol.cmp(&b.symbol))
    });
    Ok(suggestions)
}

impl Context<'_> {
    fn target(&self, symbol: &Symbol) -> Option<&Target> {
        self.targets.iter().find(|target| target.symbol == *symbol)
    }

    fn current_weight(&self, symbol: &Symbol) -> f64 {
        self.portfolio.holding(symbol).map_or(0.0, |holding| self.portfolio.weight(holding.value))
    }

    fn harvest_suggestion(&self, candidate: &HarvestCandidate) -> Suggestion {
        let current = self.current_weight(&candidate.symbol);
        let target = current - self.portfolio.weight(candidate.value);
        let worth = &candidate.worth;
        let tax_value = worth.saved_now() + worth.carried.value;
        let rates = self.options.tax.rates();
        let mut alternatives = vec![
            Alternative {
                text: format!(
                    "do nothing: keep the {} shares; the loss can still be taken while the price stays below the basis",
                    share_count(candidate.shares)
                ),
                difference: Some(-worth.net),
            },
            Alternative {
                text: format!(
                    "sell and hold cash until {}: the same tax effect, but no share in a recovery",
                    candidate.rebuy_from.long()
                ),
                difference: None,
            },
        ];
        if candidate.disallowed.is_positive()
            && let Some(clear) = candidate.clear_from
        {
            alternatives.push(Alternative {
                text: format!(
                    "wait until {}: then no purchase of yours washes {} of the loss",
                    clear.long(),
                    dollars(candidate.disallowed)
                ),
                difference: None,
            });
        }
        let now = -candidate.loss + tax_value;
        Suggestion {
            id: String::new(),
            motive: Motive::Harvest,
            symbol: candidate.symbol.clone(),
            account: None,
            side: Side::Sell,
            current_weight: current,
            target_weight: target,
            shares: candidate.shares,
            amount: candidate.value,
            lots: candidate.lots.clone(),
            after_tax_now: Some(now),
            after_tax_wait: None,
            saving: Some(worth.net),
            wait_until: None,
            break_even_price: None,
            break_even_probability: None,
            replacement: candidate.replacement.as_ref().map(|found| found.symbol.clone()),
            reasons: vec![
                Reason {
                    source: ReasonSource::YourData,
                    text: format!("these lots stand {} below what you paid", dollars(candidate.loss)),
                    weight: -candidate.loss,
                },
                Reason { source: ReasonSource::TaxRule, text: say::loss_use(worth, candidate), weight: tax_value },
                Reason {
                    source: ReasonSource::Assumption,
                    text: format!(
                        "the replacement's lower basis costs {} in present value if it is sold after {:.0} years at the \
                         long-term rate of {}, and trading costs {}",
                        dollars(worth.lower_basis),
                        self.options.harvest.horizon.years(),
                        say::percent(rates.long),
                        dollars(worth.round_trip_cost)
                    ),
                    weight: -(worth.lower_basis + worth.round_trip_cost),
                },
            ],
            alternatives,
            limits: self.harvest_limits(candidate, target),
            confidence: None,
            evidence: self.evidence(
                "the tax arithmetic is exact for the rates you gave; that the loss is used as assumed is not certain",
            ),
            would_change: format!(
                "a purchase of {} in any account within 30 days before or after the sale, a spouse's or an IRA's \
                 included; a price above your basis",
                candidate.symbol
            ),
            unknowns: say::unseen_accounts(self.portfolio),
            sentence: say::harvest(candidate),
        }
    }

    /// The limits of what is bought instead, where something is; else those of the sale.
    fn harvest_limits(&self, candidate: &HarvestCandidate, target: f64) -> Vec<LimitCheck> {
        let limits = &self.options.plan.limits;
        match &candidate.replacement {
            Some(found) => {
                let after = self.current_weight(&found.symbol) + self.portfolio.weight(candidate.value);
                checks(limits, after, candidate.value, true, self.session_loss)
            }
            None => checks(limits, target, candidate.value, false, self.session_loss),
        }
    }

    /// Lots with a gain that are a month or less from long-term: wait, with the price of waiting.
    fn wait_suggestion(&self, holding: &Holding) -> Result<Option<Suggestion>, Error> {
        let rates = self.options.tax.rates();
        let volatility = self.target(&holding.symbol).and_then(|target| target.volatility);
        let guarded: Vec<GuardedLot> = holding
            .lots
            .iter()
            .filter_map(|lot| guard(self.portfolio, holding, lot, volatility, rates, &self.options.plan))
            .filter(GuardedLot::waits)
            .collect();
        let Some(until) = guarded.iter().map(|guarded| guarded.long_from).max() else { return Ok(None) };
        let shares: Shares = guarded.iter().map(|guarded| guarded.lot.open.shares).sum();
        let basis: Money = guarded.iter().filter_map(|guarded| guarded.lot.open.basis).sum();
        let value: Money = guarded.iter().map(|guarded| guarded.lot.value).sum();
        let wait = wait_for_long_term(shares, holding.quote.price, basis, rates)?;
        let days = until.days_since(self.portfolio.as_of);
        let fall = wait.break_even_fall.to_f64();
        let chance = volatility.and_then(|volatility| probability_of_fall(fall, days.unsigned_abs(), volatility, 0.0));
        let current = self.current_weight(&holding.symbol);
        let wanted = self.trades.sales.iter().any(|sale| sale.symbol == holding.symbol);
        let half = Money::from_billionths(wait.saving.billionths() / 2);
        // The same two sales netted with what the year has realised (tax rule 5.6).
        let realised = self.portfolio.realised;
        let short_term = self.options.tax.marginal(realised, wait.gain, Money::ZERO)?;
        let long_term = self.options.tax.marginal(realised, Money::ZERO, wait.gain)?;
        let netted_saving = short_term - long_term;
        let netted = if (netted_saving - wait.saving).abs() >= Money::from_whole(1) {
            format!(
                "at your rates alone; netted with what you have realised this year, waiting is worth {}",
                dollars(netted_saving)
            )
        } else {
            "the tax arithmetic is exact for the rates you gave; the price on the date is not known".to_owned()
        };
        Ok(Some(Suggestion {
            id: String::new(),
            motive: Motive::Wait,
            symbol: holding.symbol.clone(),
            account: None,
            side: Side::Hold,
            current_weight: current,
            target_weight: current,
            shares,
            amount: Money::ZERO,
            lots: guarded.iter().map(|guarded| lot_share(&guarded.lot)).collect(),
            after_tax_now: Some(wait.after_tax_now),
            after_tax_wait: Some(wait.after_tax_long),
            saving: Some(wait.saving),
            wait_until: Some(until),
            break_even_price: Some(wait.break_even_price),
            break_even_probability: chance,
            replacement: None,
            reasons: vec![
                Reason {
                    source: ReasonSource::YourData,
                    text: format!("you paid {} for shares now worth {}", dollars(basis), dollars(value)),
                    weight: wait.gain,
                },
                Reason {
                    source: ReasonSource::TaxRule,
                    text: format!(
                        "from {} the gain is long-term: {} of tax instead of {}",
                        until.long(),
                        say::percent(rates.long),
                        say::percent(rates.short)
                    ),
                    weight: wait.saving,
                },
                Reason {
                    source: ReasonSource::Assumption,
                    text: say::break_even(&wait, volatility, chance, days),
                    weight: -guarded.iter().filter_map(|guarded| guarded.guard.risk_charge).sum::<Money>(),
                },
            ],
            alternatives: vec![
                Alternative { text: "sell now and take the short-term tax".to_owned(), difference: Some(-wait.saving) },
                Alternative { text: "sell half now, half after the date".to_owned(), difference: Some(-half) },
                Alternative {
                    text: "do nothing: keep the shares and decide after the date".to_owned(),
                    difference: Some(Money::ZERO),
                },
            ],
            limits: checks(&self.options.plan.limits, current, Money::ZERO, false, self.session_loss),
            confidence: None,
            evidence: self.evidence(&netted),
            would_change: format!(
                "a price below the break-even of {}, a need for the cash, or a risk limit that forces a sale",
                say::price(wait.break_even_price)
            ),
            unknowns: "the price on the date, your income this year and the next".to_owned(),
            sentence: say::wait(&holding.symbol, shares, days, until, &wait, wanted),
        }))
    }

    fn sale_suggestion(&self, sale: &PlannedSale) -> Result<Suggestion, Error> {
        let today = self.portfolio.as_of;
        let outcome = self.desk.sell(today, &sale.orders)?;
        let taxed = || outcome.rows.iter().filter(|row| self.portfolio.is_taxable(&row.account));
        let (short, long) = crate::tax_profile::by_term(taxed());
        let tax = self.options.tax.marginal(self.portfolio.realised, short, long)?;
        let oldest: Vec<Order> =
            sale.orders.iter().map(|order| Order { lots: LotSelection::By(Method::Fifo), ..order.clone() }).collect();
        let (fifo_short, fifo_long) = {
            let outcome = self.desk.sell(today, &oldest)?;
            crate::tax_profile::by_term(outcome.rows.iter().filter(|row| self.portfolio.is_taxable(&row.account)))
        };
        let tax_fifo = self.options.tax.marginal(self.portfolio.realised, fifo_short, fifo_long)?;
        let gain: Money = taxed().filter_map(|row| row.gain).sum();
        let rates = self.options.tax.rates();
        // What waiting would be worth: short-term gains among the lots taxed at the long rate later.
        let short_lots = || taxed().filter(|row| is_short(row.term) && row.gain.is_some_and(Money::is_positive));
        let wait_until = short_lots().filter_map(|row| row.holding_from).map(lotwise_tax::first_long_term_date).max();
        let short_gain: Money = short_lots().filter_map(|row| row.gain).sum();
        let wait_saving = short_gain * rates.short - short_gain * rates.long;
        let current = self.current_weight(&sale.symbol);
        let after = current - self.portfolio.weight(sale.amount);
        let lots_saving = tax_fifo - tax;
        let cost = sale.amount * self.options.cost;
        let mut alternatives = vec![
            Alternative {
                text: format!("do nothing: keep all shares and owe no tax now ({} of it deferred)", dollars(tax)),
                difference: None,
            },
            Alternative {
                text: format!("let the oldest lots go (first in, first out): {} tax", more_or_less(lots_saving)),
                difference: Some(-lots_saving),
            },
        ];
        if let Some(date) = wait_until {
            alternatives.push(Alternative {
                text: format!("wait until {}, when every lot is long-term", date.long()),
                difference: Some(wait_saving),
            });
        }
        let target = self.target(&sale.symbol);
        Ok(Suggestion {
            id: String::new(),
            motive: sale.motive,
            symbol: sale.symbol.clone(),
            account: None,
            side: Side::Sell,
            current_weight: current,
            target_weight: after,
            shares: sale.shares,
            amount: sale.amount,
            lots: outcome.rows.iter().map(LotShare::from).collect(),
            after_tax_now: Some(gain - tax),
            after_tax_wait: wait_until.map(|_| gain - tax + wait_saving),
            saving: Some(lots_saving.max(Money::ZERO)),
            wait_until,
            break_even_price: None,
            break_even_probability: None,
            replacement: None,
            reasons: vec![
                match sale.motive {
                    Motive::RaiseCash => Reason {
                        source: ReasonSource::YourData,
                        text: format!(
                            "you need {} and have {} in cash",
                            dollars(self.options.plan.cash_needed),
                            dollars(self.portfolio.tradable_cash)
                        ),
                        weight: sale.amount,
                    },
                    _ => Reason {
                        source: ReasonSource::Model,
                        text: format!(
                            "the classical rule {} (not a learned policy) wants {:.1} % instead of {:.1} % here",
                            self.policy,
                            target.map_or(0.0, |target| target.target) * 100.0,
                            current * 100.0
                        ),
                        weight: sale.amount,
                    },
                },
                Reason {
                    source: ReasonSource::TaxRule,
                    text: say::tax_of_sale(short, long, tax, outcome.disallowed()),
                    weight: -tax,
                },
                Reason {
                    source: ReasonSource::YourData,
                    text: if lots_saving.is_positive() {
                        format!("naming these lots instead of the oldest saves {}", dollars(lots_saving))
                    } else {
                        "these lots cost no more tax than the oldest would".to_owned()
                    },
                    weight: lots_saving,
                },
                Reason {
                    source: ReasonSource::Assumption,
                    text: format!("trading costs {} of what is sold", say::percent(self.options.cost)),
                    weight: -cost,
                },
            ],
            alternatives,
            limits: checks(&self.options.plan.limits, after, sale.amount, false, self.session_loss),
            confidence: None,
            evidence: self.evidence("a classical rule says what to hold; it has no record on your account"),
            would_change: "another objective or policy, a cash need, or prices that move the weight back".to_owned(),
            unknowns: say::sale_unknowns(sale, self.portfolio),
            sentence: say::sale(sale, after, tax, lots_saving),
        })
    }

    fn purchase_suggestion(&self, purchase: &PlannedPurchase) -> Suggestion {
        let current = self.current_weight(&purchase.symbol);
        let after = current + self.portfolio.weight(purchase.amount);
        let cost = purchase.amount * self.options.cost;
        let limits = checks(&self.options.plan.limits, after, purchase.amount, true, self.session_loss);
        Suggestion {
            id: String::new(),
            motive: Motive::Rebalance,
            symbol: purchase.symbol.clone(),
            account: Some(purchase.account.clone()),
            side: Side::Buy,
            current_weight: current,
            target_weight: after,
            shares: purchase.shares,
            amount: -purchase.amount,
            lots: Vec::new(),
            after_tax_now: None,
            after_tax_wait: None,
            saving: None,
            wait_until: None,
            break_even_price: None,
            break_even_probability: None,
            replacement: None,
            reasons: vec![
                Reason {
                    source: ReasonSource::Model,
                    text: format!(
                        "the classical rule {} (not a learned policy) wants {:.1} % instead of {:.1} % here",
                        self.policy,
                        purchase.target_weight * 100.0,
                        current * 100.0
                    ),
                    weight: purchase.amount,
                },
                Reason {
                    source: ReasonSource::YourData,
                    text: say::cash_for(purchase, self.portfolio),
                    weight: self.portfolio.tradable_accounts.get(&purchase.account).copied().unwrap_or_default(),
                },
                Reason {
                    source: ReasonSource::Assumption,
                    text: purchase.clipped.clone().unwrap_or_else(|| {
                        format!("trading costs {} of what is bought", say::percent(self.options.cost))
                    }),
                    weight: -cost,
                },
            ],
            alternatives: vec![
                Alternative { text: "do nothing: keep the cash".to_owned(), difference: None },
                Alternative { text: "buy half now and half in a month".to_owned(), difference: None },
            ],
            limits,
            confidence: None,
            evidence: self.evidence("a classical rule says what to hold; it has no record on your account"),
            would_change: "another objective or policy, a cash need, or a sale at a loss in the next 30 days, which \
                           this purchase would wash"
                .to_owned(),
            unknowns: "how the price moves after the purchase".to_owned(),
            sentence: say::purchase(purchase, after),
        }
    }

    fn keep_suggestion(&self, holding: &Holding) -> Result<Suggestion, Error> {
        let current = self.current_weight(&holding.symbol);
        let target = self.target(&holding.symbol).map_or(current, |target| target.target);
        let (gain, complete) = holding.gain();
        let taxed: Vec<&PricedLot> = holding.lots.iter().filter(|lot| lot.taxable && lot.gain.is_some()).collect();
        let (short, long) = taxed.iter().fold((Money::ZERO, Money::ZERO), |(short, long), lot| {
            let gain = lot.gain.unwrap_or_default();
            if lot.term == Some(Term::Long) { (short, long + gain) } else { (short + gain, long) }
        });
        let tax = self.options.tax.marginal(self.portfolio.realised, short, long)?;
        let blocked = self.trades.blocked.iter().find(|(symbol, _)| *symbol == holding.symbol);
        let gap = (target - current).abs();
        let why = match blocked {
            Some((_, reason)) if target > current => format!("{} is not bought: {reason}", holding.symbol),
            _ if gap <= self.options.plan.rebalance_threshold => format!(
                "its weight of {:.1} % is within {:.0} point of what the rule {} wants",
                current * 100.0,
                self.options.plan.rebalance_threshold * 100.0,
                self.policy
            ),
            _ if target > current => format!(
                "the rule {} wants {:.1} %, but no cash is free to buy more of it today",
                self.policy,
                target * 100.0
            ),
            _ => format!("the rule {} wants {:.1} %, but no lot of it can be sold today", self.policy, target * 100.0),
        };
        Ok(Suggestion {
            id: String::new(),
            motive: Motive::Keep,
            symbol: holding.symbol.clone(),
            account: None,
            side: Side::Hold,
            current_weight: current,
            target_weight: current,
            shares: Shares::ZERO,
            amount: Money::ZERO,
            lots: holding.lots.iter().map(lot_share).collect(),
            after_tax_now: complete.then_some(gain - tax),
            after_tax_wait: None,
            saving: None,
            wait_until: None,
            break_even_price: None,
            break_even_probability: None,
            replacement: None,
            reasons: vec![
                Reason { source: ReasonSource::Model, text: why, weight: Money::ZERO },
                Reason {
                    source: ReasonSource::TaxRule,
                    text: format!("selling all of it today would change this year's tax by {}", dollars(tax)),
                    weight: -tax,
                },
                Reason {
                    source: ReasonSource::YourData,
                    text: format!(
                        "it is worth {}, {} against what you paid{}",
                        dollars(holding.value),
                        more_or_less(gain),
                        if complete { "" } else { " for the lots whose basis is known" }
                    ),
                    weight: gain,
                },
            ],
            alternatives: vec![
                Alternative { text: "do nothing".to_owned(), difference: Some(Money::ZERO) },
                Alternative { text: "sell all of it today".to_owned(), difference: Some(-tax) },
            ],
            limits: checks(&self.options.plan.limits, current, Money::ZERO, false, self.session_loss),
            confidence: None,
            evidence: self.evidence("a classical rule says what to hold; it has no record on your account"),
            would_change: format!(
                "a weight more than {:.0} point away from the target",
                self.options.plan.rebalance_threshold * 100.0
            ),
            unknowns: if complete {
                "how the price moves".to_owned()
            } else {
                "what you paid for some of these shares".to_owned()
            },
            sentence: format!("Keep your {} shares of {}", share_count(holding.shares), holding.symbol),
        })
    }

    fn evidence(&self, basis: &str) -> String {
        let history = match self.input.books.span {
            Some((first, last)) => {
                format!("{} of your trades, {} to {}", self.input.books.n_trades, first.long(), last.long())
            }
            None => "no trades of yours".to_owned(),
        };
        format!("{history}; {basis}")
    }
}

fn lot_share(lot: &PricedLot) -> LotShare {
    LotShare {
        account: lot.open.account.clone(),
        lot: lot.open.lot.clone(),
        shares: lot.open.shares,
        acquired: lot.open.acquired,
        term: lot.term,
        gain: lot.gain,
        disallowed: Money::ZERO,
    }
}

/// Equal inputs give equal ids.
fn id(context: &Context<'_>, suggestion: &Suggestion) -> String {
    let mut hash = Sha256::new();
    let price = context.portfolio.holding(&suggestion.symbol).map_or(Price::ZERO, |holding| holding.quote.price);
    hash.update(format!(
        "{}|{}|{:?}|{}|{}|{}|{price}",
        context.portfolio.as_of,
        suggestion.symbol,
        suggestion.motive,
        suggestion.side.name(),
        suggestion.shares,
        context.policy
    ));
    for lot in &suggestion.lots {
        hash.update(format!("|{}|{}", lot.lot, lot.shares));
    }
    short_hex(&hash.finalize())
}
