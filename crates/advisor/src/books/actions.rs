//! Corporate actions and transfers as events of the tax engine (tax rules 2.3, 2.4 and 2.10).

use lotwise_core::{Date, Money, Rate, Shares, Symbol};
use lotwise_statements::corporate::{CorporateEvent, CorporateKind, Leg};
use lotwise_statements::part_of_basis;
use lotwise_tax::{AccountId, BasisSource, Boot, EventKind, ExchangeKind, LotSelection, SaleId, Scope};

use super::builder::Builder;
use super::finish::Special;
use super::joined::Transfer;
use super::ratio::Ratio;
use crate::issue::{Issue, Severity};
use crate::suggestion::share_text;

impl<'a> Builder<'a, '_> {
    /// Books a corporate action at its first row.
    pub(super) fn corporate(&mut self, event: &CorporateEvent, place: &str) {
        let account = AccountId::new(&event.account);
        match (event.kind, &event.from, &event.to) {
            // Splits are booked with all others, each once; here only what was held is settled.
            (CorporateKind::Split, _, Some(to)) => self.settle_split(&account, to, event.date, place),
            (CorporateKind::Rename | CorporateKind::Exchange, Some(from), Some(to)) => {
                self.exchange(event, &account, from, to, place);
            }
            (CorporateKind::CashMerger, Some(from), _) => self.cash_merger(event, &account, from, place),
            (CorporateKind::SpinOff, from, Some(to)) => self.spin_off(event, account, from.as_ref(), to, place),
            _ => {}
        }
    }

    /// After a split in two rows the account holds what the second row says; what the books lack
    /// was held before the files begin.
    fn settle_split(&mut self, account: &AccountId, to: &Leg, date: Date, place: &str) {
        let missing = to.shares - self.openings.held(account, &to.symbol);
        if missing >= Shares::from_whole(1) {
            let text = format!("{} of {} were there after the split of {date}", share_text(to.shares), to.symbol);
            self.openings.owe(account, &to.symbol, missing, text, place.to_owned());
            self.openings.add(account, &to.symbol, missing);
        }
    }

    fn exchange(&mut self, event: &CorporateEvent, account: &AccountId, from: &Leg, to: &Leg, place: &str) {
        if from.symbol == to.symbol {
            return;
        }
        let date = event.date;
        self.begin(account, &from.symbol, date);
        self.begin(account, &to.symbol, date);
        self.need(account, &from.symbol, from.shares, date, place);
        let held = self.openings.held(account, &from.symbol);
        // A fraction that is paid in cash is received first and sold when the cash comes.
        let ratio = match event.ratio {
            Some((new, old)) => Ratio::new(new.billionths(), old.billionths()),
            None if self.paid_in_lieu(account, [&from.symbol, &to.symbol], date) => {
                Ratio::explaining(from.shares, to.shares)
            }
            None => Ratio::new(to.shares.billionths(), from.shares.billionths()),
        };
        let Some(ratio) = ratio else { return };
        let received = ratio.apply(held);
        let fraction = ratio.apply(from.shares) - to.shares;
        if fraction.is_positive() {
            for symbol in [&from.symbol, &to.symbol] {
                self.fractions.insert((account.clone(), symbol.clone()), (to.symbol.clone(), fraction));
            }
        }
        self.openings.take(account, &from.symbol, held);
        self.openings.add(account, &to.symbol, received);
        let (new, old) = ratio.as_shares();
        let (kind, cash) = match event.kind {
            CorporateKind::Rename => (ExchangeKind::Rename, None),
            _ if event.cash.is_positive() => (ExchangeKind::Reorganisation, Some(event.cash)),
            _ => (ExchangeKind::Reorganisation, None),
        };
        let boot = match cash {
            None => None,
            Some(cash) => match self.market_value(account, to, date).or(event.value) {
                Some(value) => Some(Boot { sale: SaleId::new(&format!("{}-{date}-cash", from.symbol)), cash, value }),
                None => {
                    let key = value_key(account, &to.symbol, date);
                    let text = format!(
                        "{} of {} became {} of {} and {} in cash on {date}; how much of the cash is gain depends \
                         on what the new shares were worth in total on that day. Until you state it their basis is \
                         unknown and the cash is in no gain",
                        share_text(from.shares),
                        from.symbol,
                        share_text(to.shares),
                        to.symbol,
                        super::dollars_and_cents(cash)
                    );
                    let symbol = Some(&to.symbol);
                    self.questions.ask("cash-in-merger", &key, symbol, text, "unknown", Some(place.to_owned()));
                    self.special(Special::Dissolve { to: to.symbol.clone(), keep: false });
                    None
                }
            },
        };
        let scope = Scope::Account;
        let kind = EventKind::Exchange { to: to.symbol.clone(), new, old, kind, cash: boot, scope };
        self.push(date, account.clone(), from.symbol.clone(), kind);
    }

    /// What shares were worth in total, as an answer says.
    fn market_value(&mut self, account: &AccountId, leg: &Leg, date: Date) -> Option<Money> {
        let key = value_key(account, &leg.symbol, date);
        let text = self.questions.answer(&key)?;
        let value = Money::parse(text.trim_start_matches('$')).ok().filter(|value| value.is_positive());
        if value.is_none() && text != "unknown" {
            self.questions.misunderstood(&key, "the total value of the new shares in dollars");
        }
        value
    }

    /// A merger for cash alone is a sale (tax rule 2.4).
    fn cash_merger(&mut self, event: &CorporateEvent, account: &AccountId, from: &Leg, place: &str) {
        self.begin(account, &from.symbol, event.date);
        self.need(account, &from.symbol, from.shares, event.date, place);
        self.openings.take(account, &from.symbol, from.shares);
        let kind = EventKind::Sell {
            sale: SaleId::new(&format!("{}-{}-merger", from.symbol, event.date)),
            shares: from.shares,
            amount: event.cash,
            fee: Money::ZERO,
            lots: LotSelection::Standing,
            identified: None,
        };
        self.push(event.date, account.clone(), from.symbol.clone(), kind);
    }

    /// A spin-off divides the parent's basis by the company's allocation, which no broker's export
    /// states: it is asked for, and until then the basis of both is unknown.
    fn spin_off(&mut self, event: &CorporateEvent, account: AccountId, from: Option<&Leg>, to: &Leg, place: &str) {
        let date = event.date;
        self.begin(&account, &to.symbol, date);
        let held = from.map_or(Shares::ZERO, |leg| self.openings.held(&account, &leg.symbol));
        let ratio = match event.ratio.filter(|_| held.is_positive()) {
            Some((new, old)) => Ratio::new(new.billionths(), old.billionths()),
            None => Ratio::new(to.shares.billionths(), held.billionths()),
        };
        let Some((parent, ratio)) = from.zip(ratio) else {
            let named = from.map_or_else(String::new, |leg| format!(" of {}", leg.symbol));
            let reason = format!("came in by a spin-off{named}, of which the files show no shares,");
            self.open_unknown(&account, &to.symbol, to.shares, (date, None), &reason, place);
            return;
        };
        let parent = &parent.symbol;
        let key = format!("allocation:{parent}>{}:{date}", to.symbol);
        let answered = self.questions.answer(&key);
        let to_new = answered.and_then(part_of_basis).or(event.to_new);
        if to_new.is_none() {
            if answered.is_some_and(|text| text != "unknown") {
                self.questions.misunderstood(&key, "the part of the basis that goes to the new shares, such as 12.5%");
            }
            let text = format!(
                "{} of {} came from {parent} on {date}; which part of the basis of {parent} goes to them stands in the \
                 company's Form 8937, not in your files. Until you state it the basis of both is unknown",
                share_text(to.shares),
                to.symbol
            );
            let symbol = Some(&to.symbol);
            self.questions.ask("allocation", &key, symbol, text, "unknown", Some(place.to_owned()));
            self.special(Special::Dissolve { to: to.symbol.clone(), keep: true });
        }
        self.openings.add(&account, &to.symbol, to.shares);
        let (new, old) = ratio.as_shares();
        let to_new = to_new.unwrap_or(Rate::ZERO);
        let kind = EventKind::SpinOff { to: to.symbol.clone(), new, old, to_new, scope: Scope::Account };
        self.push(date, account, parent.clone(), kind);
    }

    /// Shares that moved between loaded accounts take their lots along.
    pub(super) fn transfer(&mut self, transfer: &Transfer<'a>) {
        let Transfer { out, into, symbol, shares, date } = transfer;
        let (shares, date) = (*shares, *date);
        let (from, to) = (out.account(), into.account());
        self.begin(&from, symbol, date);
        self.begin(&to, symbol, date);
        let lots = if into.transaction.lots.is_empty() { &out.transaction.lots } else { &into.transaction.lots };
        self.open_stated(out, &from, symbol, lots, shares);
        self.need(&from, symbol, shares, date, &out.place());
        let kind_of = |account: &AccountId| self.kinds.get(account).copied();
        let both = kind_of(&from).zip(kind_of(&to));
        // Between retirement accounts and others it is a contribution, distribution or conversion.
        let alike = both.is_some_and(|(a, b)| a == b || (!a.is_retirement() && !b.is_retirement()));
        self.openings.take(&from, symbol, shares);
        if !alike {
            self.push(date, from.clone(), symbol.clone(), EventKind::Remove { shares });
            let value = into.transaction.price.or(out.transaction.price).map(|price| price * shares);
            match value.filter(|value| value.is_positive()) {
                Some(value) => {
                    let lot = self.new_lot(into, &to, symbol);
                    let source = BasisSource::Stated;
                    let (basis, acquired) = (Some(value), Some(date));
                    self.openings.add(&to, symbol, shares);
                    let kind = EventKind::Open { lot, shares, basis, acquired, source };
                    self.push(date, to.clone(), symbol.clone(), kind);
                }
                None => self.receive(into, to.clone(), symbol.clone(), shares),
            }
            let text = format!(
                "{} of {symbol} moved from {from} to {to} on {date}, accounts that are taxed differently: a \
                 contribution, distribution or conversion, whose own tax is not computed",
                share_text(shares)
            );
            let issue = Issue::new("transfer-across-kinds", Severity::Warning, Some(symbol), text);
            self.questions.tell(issue.at(into.place()));
            return;
        }
        if !lots.is_empty() {
            self.special(Special::Lots { lots: lots.clone(), place: into.place() });
        }
        self.openings.add(&to, symbol, shares);
        let kind = EventKind::Transfer { to, shares, lots: LotSelection::Standing };
        self.push(date, from, symbol.clone(), kind);
    }
}

fn value_key(account: &AccountId, symbol: &Symbol, date: Date) -> String {
    format!("value:{symbol}@{account}:{date}")
}
