//! The walk over the rows: each becomes the events that it is to the tax engine.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{AccountKind, Date, Money, Price, Shares, Symbol};
use lotwise_statements::corporate::{CorporateEvent, CorporateKind};
use lotwise_statements::{Action, StatedLot};
use lotwise_tax::{Account, AccountId, BasisSource, Event, EventKind, Ledger, LotId, LotSelection, Method, SaleId};

use super::cancelled::is_cancellation;
use super::finish::{Special, finish};
use super::income::{Income, included_in_reinvestment};
use super::joined::{Joint, Joints};
use super::named::{self, RowLots};
use super::opening::Openings;
use super::options::proceeds;
use super::questions::Questions;
use super::rows::{Entry, RowKey, Rows, is_option};
use super::splits::SplitTable;
use super::{BookOptions, Source, SourceRole};
use crate::answers;
use crate::issue::{Issue, Severity};
use crate::suggestion::share_text;

/// Everything that the walk keeps.
pub(super) struct Builder<'a, 'q> {
    pub(super) options: &'a BookOptions,
    pub(super) kinds: &'a BTreeMap<AccountId, AccountKind>,
    pub(super) splits: &'a SplitTable,
    pub(super) questions: &'q mut Questions<'a>,
    /// Lots that files name for their sales.
    pub(super) named: &'a BTreeMap<RowKey<'a>, Vec<StatedLot>>,
    pub(super) cash: BTreeMap<AccountId, Money>,
    pub(super) income: BTreeMap<i32, Income>,
    pub(super) openings: Openings,
    /// Contracts and shares owed.
    pub(super) shorts: BTreeMap<(AccountId, Symbol), Shares>,
    /// Fractions of a share that a split or exchange left and that cash will follow, with the
    /// security that they are of.
    pub(super) fractions: BTreeMap<(AccountId, Symbol), (Symbol, Shares)>,
    /// Losses that the broker says it disallowed, by account and sale.
    pub(super) told_disallowed: BTreeMap<(AccountId, SaleId), (Money, Symbol, String)>,
    joints: &'a Joints<'a>,
    entries: &'a [Entry<'a>],
    events: Vec<Event>,
    special: BTreeMap<usize, Special>,
    lots_of_rows: RowLots,
    /// First row of each account.
    begins: BTreeMap<AccountId, Date>,
    /// Days on which shares were bought.
    bought: BTreeMap<(AccountId, Symbol), BTreeSet<Date>>,
    lot_count: usize,
    next_split: BTreeMap<Symbol, usize>,
}

impl<'a, 'q> Builder<'a, 'q> {
    pub(super) fn new(
        options: &'a BookOptions,
        kinds: &'a BTreeMap<AccountId, AccountKind>,
        splits: &'a SplitTable,
        rows: &'a Rows<'a>,
        joints: &'a Joints<'a>,
        questions: &'q mut Questions<'a>,
    ) -> Self {
        Self {
            options,
            kinds,
            splits,
            questions,
            named: &rows.named,
            entries: &rows.entries,
            joints,
            shorts: BTreeMap::new(),
            told_disallowed: BTreeMap::new(),
            cash: BTreeMap::new(),
            income: BTreeMap::new(),
            events: Vec::new(),
            openings: Openings::default(),
            special: BTreeMap::new(),
            lots_of_rows: RowLots::default(),
            begins: BTreeMap::new(),
            bought: BTreeMap::new(),
            lot_count: 0,
            next_split: BTreeMap::new(),
            fractions: BTreeMap::new(),
        }
    }

    /// Books the row at this place.
    pub(super) fn take(&mut self, at: usize) {
        let (entry, joints) = (self.entries[at], self.joints);
        let (entry, transaction) = (&entry, entry.transaction);
        let account = entry.account();
        let here = joints.at.get(&at).map_or(&[][..], Vec::as_slice);
        for joint in here {
            // What was held before a split in two rows belongs before it.
            if let Joint::Corporate(CorporateEvent { kind: CorporateKind::Split, to: Some(to), date, .. }) = joint {
                self.begin(&account, &to.symbol, *date);
            }
        }
        self.splits_until(transaction.trade_date);
        self.begins.entry(account.clone()).or_insert(transaction.trade_date);
        *self.cash.entry(account.clone()).or_default() += transaction.amount + included_in_reinvestment(transaction);
        if self.kinds.get(&account).is_some_and(|kind| kind.is_taxable()) {
            self.income.entry(transaction.trade_date.year()).or_default().count(transaction);
        }
        for joint in here {
            match joint {
                Joint::Corporate(event) => self.corporate(event, &entry.place()),
                Joint::Transfer(transfer) => self.transfer(transfer),
                Joint::Delivery { option, stock } => self.delivery(option, stock),
            }
        }
        if joints.rows.contains(&at) || is_cancellation(transaction) {
            return;
        }
        if is_option(transaction) {
            return self.option(entry);
        }
        let Some(symbol) = transaction.symbol.clone() else {
            if transaction.shares.is_some_and(|shares| !shares.is_zero()) {
                let text = format!(
                    "{} names no ticker ({}), so its shares are not in the lots",
                    transaction.action,
                    transaction.cusip.as_deref().unwrap_or(&transaction.description)
                );
                self.questions.tell(Issue::new("no-symbol", Severity::Warning, None, text).at(entry.place()));
            }
            return;
        };
        let shares = transaction.shares.unwrap_or_default();
        if !shares.is_zero() {
            self.begin(&account, &symbol, transaction.trade_date);
        }
        let detail = transaction.detail.as_deref();
        match transaction.action {
            Action::Sell if shares.is_negative() && detail == Some("short_sale") => {
                self.short_sale(entry, account, symbol, shares.abs());
            }
            Action::Buy if shares.is_positive() && detail == Some("short_cover") => {
                self.cover(entry, account, symbol, shares);
            }
            Action::Buy | Action::Reinvest if shares.is_positive() => self.purchase(entry, account, symbol, shares),
            Action::Sell if shares.is_negative() => self.sale(entry, account, symbol, shares.abs()),
            Action::Grant if shares.is_positive() => self.grant(entry, at, account, symbol, shares),
            Action::TransferIn | Action::Spinoff if shares.is_positive() => {
                self.receive(entry, account, symbol, shares);
            }
            // Shares that were paid for, as when one fund is exchanged for another.
            Action::Merger if shares.is_positive() && transaction.amount.is_negative() => {
                self.purchase(entry, account, symbol, shares);
            }
            Action::Merger if shares.is_negative() && transaction.amount.is_positive() => {
                self.sale(entry, account, symbol, shares.abs());
            }
            Action::Merger | Action::Other if shares.is_positive() => self.receive(entry, account, symbol, shares),
            Action::TransferOut | Action::Merger | Action::Other | Action::Spinoff if shares.is_negative() => {
                self.remove(entry, account, symbol, shares.abs());
            }
            // A split pair's leg under a new name arrives as shares without a purchase.
            Action::Split if !self.splits.covers(&symbol, transaction.trade_date) && shares.is_positive() => {
                self.receive(entry, account, symbol, shares);
            }
            Action::ReturnOfCapital if transaction.amount.is_positive() => {
                let sale = SaleId::new(&format!("roc-{}", transaction.id));
                let kind = EventKind::ReturnOfCapital { sale, amount: transaction.amount };
                if self.openings.held(&account, &symbol).is_positive() {
                    self.push(transaction.trade_date, account, symbol, kind);
                }
            }
            Action::Dividend if detail == Some("cash_in_lieu") => {
                if let Some((of, fraction)) = self.fractions.remove(&(account.clone(), symbol.clone())) {
                    self.fractions.remove(&(account.clone(), of.clone()));
                    self.sell_fraction(entry, account, of, fraction);
                    return;
                }
                let text = format!(
                    "{symbol} paid {} for a fraction of a share; the file does not say how large it was, so the sale \
                     of that fraction is not in the gains",
                    super::dollars_and_cents(transaction.amount)
                );
                let issue = Issue::new("cash-in-lieu", Severity::Warning, Some(&symbol), text);
                self.questions.tell(issue.at(entry.place()));
            }
            _ => {}
        }
    }

    /// Notes the first row of an account and security.
    pub(super) fn begin(&mut self, account: &AccountId, symbol: &Symbol, date: Date) {
        self.openings.begin(account, symbol, date, self.events.len());
    }

    /// The next event needs more than the rows say.
    pub(super) fn special(&mut self, special: Special) {
        self.special.insert(self.events.len(), special);
    }

    /// Whether cash for a fraction of one of these follows within two months.
    pub(super) fn paid_in_lieu(&self, account: &AccountId, symbols: [&Symbol; 2], date: Date) -> bool {
        self.entries.iter().any(|entry| super::splits::pays_for_fraction(entry, account, &symbols, date))
    }

    pub(super) fn push(&mut self, date: Date, account: AccountId, symbol: Symbol, kind: EventKind) {
        self.events.push(Event { date, account, symbol, kind });
    }

    pub(super) fn new_lot(&mut self, entry: &Entry<'_>, account: &AccountId, symbol: &Symbol) -> LotId {
        self.lot_count += 1;
        let transaction = entry.transaction;
        let lot = LotId::new(&format!("{symbol}-{}-{}", transaction.trade_date, self.lot_count));
        self.lots_of_rows.add(&transaction.id, account, lot.clone());
        lot
    }

    pub(super) fn purchase(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        let fees = transaction.fees;
        // The cash that left is the basis: a rebate has lowered it already.
        let fee = fees.max(Money::ZERO);
        let paid = -transaction.amount;
        let stated = transaction.price.map(|price| price * shares);
        let amount = if paid.is_positive() {
            (paid - fee).max(Money::ZERO)
        } else if paid.is_negative() && fees.is_negative() {
            // A rebate larger than the price leaves nothing to capitalise.
            Money::ZERO
        } else if let Some(value) = stated.filter(|value| value.is_positive()) {
            let text = format!("{symbol} was bought without an amount; its basis is shares times the stated price");
            let issue = Issue::new("amount-derived", Severity::Note, Some(&symbol), text);
            self.questions.tell(issue.at(entry.place()));
            value
        } else {
            self.receive(entry, account, symbol, shares);
            return;
        };
        let lot = self.new_lot(entry, &account, &symbol);
        self.openings.add(&account, &symbol, shares);
        self.bought.entry((account.clone(), symbol.clone())).or_default().insert(transaction.trade_date);
        self.push(transaction.trade_date, account, symbol, EventKind::Buy { lot, shares, amount, fee });
    }

    pub(super) fn sale(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        let lots = self.lots_of(entry, &account, &symbol, shares);
        self.open_stated(entry, &account, &symbol, &lots, shares);
        self.cover_shortage(entry, &account, &symbol, shares);
        let (amount, fee) = proceeds(entry);
        let sale = SaleId::new(&transaction.id);
        let kind = EventKind::Sell { sale, shares, amount, fee, lots: LotSelection::Standing, identified: None };
        let disallowed: Money = lots.iter().filter_map(|lot| lot.disallowed).sum();
        if disallowed.is_positive() {
            let told = (disallowed, symbol.clone(), entry.place());
            self.told_disallowed.insert((account.clone(), SaleId::new(&transaction.id)), told);
        }
        if !lots.is_empty() {
            self.special(Special::Lots { lots, place: entry.place() });
        }
        self.openings.take(&account, &symbol, shares);
        self.push(transaction.trade_date, account, symbol, kind);
    }

    /// The lots that an answer or a file names for a sale.
    pub(super) fn lots_of(
        &mut self,
        entry: &Entry<'_>,
        account: &AccountId,
        symbol: &Symbol,
        shares: Shares,
    ) -> Vec<StatedLot> {
        let transaction = entry.transaction;
        let key = named::key(account, symbol, transaction.trade_date, shares);
        if let Some(text) = self.questions.answer(&key) {
            match named::answer(text) {
                Some(lots) => return lots,
                None => self.questions.misunderstood(&key, "LOT=SHARES or DATE=SHARES, with commas between"),
            }
        }
        let row = (transaction.account.as_str(), transaction.id.as_str());
        self.named.get(&row).cloned().unwrap_or_default()
    }

    /// A named lot from before the account's first row was held when the files begin, with the
    /// basis and the date that the broker states. So was one for which no other shares are left.
    pub(super) fn open_stated(
        &mut self,
        entry: &Entry<'_>,
        account: &AccountId,
        symbol: &Symbol,
        lots: &[StatedLot],
        wanted: Shares,
    ) {
        let begins = self.begins.get(account).copied().unwrap_or(entry.transaction.trade_date);
        for lot in lots {
            let Some(acquired) = lot.acquired else { continue };
            if lot.id.as_ref().is_some_and(|id| self.lots_of_rows.has(id)) {
                continue;
            }
            let bought = self.bought.get(&(account.clone(), symbol.clone()));
            if bought.is_some_and(|days| days.contains(&acquired)) {
                continue;
            }
            let missing = wanted - self.openings.held(account, symbol);
            if acquired < begins {
                self.openings.owe_stated(account, symbol, lot.shares, lot.basis, acquired);
                self.openings.add(account, symbol, lot.shares);
            } else if missing >= lot.shares && acquired <= entry.transaction.trade_date {
                let id = self.new_lot(entry, account, symbol);
                let (shares, basis) = (lot.shares, lot.basis);
                let source = if basis.is_some() { BasisSource::Stated } else { BasisSource::Unknown };
                let kind = EventKind::Open { lot: id, shares, basis, acquired: Some(acquired), source };
                self.openings.add(account, symbol, shares);
                self.push(entry.transaction.trade_date, account.clone(), symbol.clone(), kind);
            }
        }
    }

    /// Cash in lieu of a fraction: received, then sold (tax rule 2.3).
    fn sell_fraction(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        self.openings.take(&account, &symbol, shares);
        let kind = EventKind::Sell {
            sale: SaleId::new(&transaction.id),
            shares,
            amount: transaction.amount,
            fee: Money::ZERO,
            lots: LotSelection::By(Method::Fifo),
            identified: None,
        };
        self.push(transaction.trade_date, account, symbol, kind);
    }

    /// Employee stock: the vesting day and the value on it are acquisition date and basis.
    fn grant(&mut self, entry: &Entry<'a>, at: usize, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        let value = transaction.price.map(|price| price * shares).filter(|value| value.is_positive());
        let stated = match (self.joints.grants.get(&at), value) {
            (Some(lots), _) => lots.clone(),
            (None, Some(basis)) if transaction.lots.is_empty() => {
                let (acquired, basis) = (Some(transaction.trade_date), Some(basis));
                vec![StatedLot { acquired, shares, basis, ..StatedLot::default() }]
            }
            (None, _) => transaction.lots.clone(),
        };
        self.receive_stated(entry, account, symbol, shares, &stated);
    }

    pub(super) fn receive(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let stated = &entry.transaction.lots;
        self.receive_stated(entry, account, symbol, shares, stated);
    }

    /// Shares that came in without a purchase: as an answer says, as the file states, else unknown.
    fn receive_stated(
        &mut self,
        entry: &Entry<'_>,
        account: AccountId,
        symbol: Symbol,
        shares: Shares,
        stated: &[StatedLot],
    ) {
        let date = entry.transaction.trade_date;
        let key = format!("basis:{symbol}@{account}:{date}");
        let answered = self.questions.answer(&key).and_then(answers::origin);
        let of_row = || entry.transaction.detail.as_deref().and_then(answers::origin);
        if let Some(origin) = answered.or_else(of_row) {
            let lot = self.new_lot(entry, &account, &symbol);
            let kind = match origin {
                answers::Origin::Gift { basis, acquired, value } => EventKind::Gift {
                    lot,
                    shares,
                    donor_basis: basis,
                    donor_acquired: acquired.filter(|acquired| *acquired <= date),
                    value,
                },
                answers::Origin::Inherited { value, died } => {
                    EventKind::Inherit { lot, shares, value, died: died.filter(|died| *died <= date) }
                }
            };
            if answered.is_none()
                && let EventKind::Gift { donor_basis: None, .. } | EventKind::Inherit { value: None, .. } = kind
            {
                let text = format!(
                    "{} of {symbol} came in on {date} as a gift or an inheritance whose basis the file does not state; \
                     it is unknown until you state it",
                    share_text(shares),
                );
                self.questions.ask("unknown-basis", &key, Some(&symbol), text, UNKNOWN, Some(entry.place()));
            }
            self.openings.add(&account, &symbol, shares);
            return self.push(date, account, symbol, kind);
        }
        let of_answer = |lot: &answers::LotAnswer| {
            let count = lot.shares.unwrap_or(shares);
            (count, Some(lot.basis(count)), lot.acquired)
        };
        let lots: Vec<(Shares, Option<Money>, Option<Date>)> = match self.answered_lots(&key) {
            Some(lots) => lots.iter().map(of_answer).collect(),
            None => stated.iter().map(|lot| (lot.shares, lot.basis, lot.acquired)).collect(),
        };
        let mut left = shares;
        for (count, basis, acquired) in lots {
            let part = count.min(left);
            if part.is_positive() {
                left -= part;
                let basis = basis.and_then(|basis| basis.portion(part, count));
                let acquired = acquired.filter(|acquired| *acquired <= date);
                self.openings.add(&account, &symbol, part);
                let lot = self.new_lot(entry, &account, &symbol);
                let source = if basis.is_some() { BasisSource::Stated } else { BasisSource::Unknown };
                let days = self.bought.entry((account.clone(), symbol.clone())).or_default();
                days.extend(acquired);
                let kind = EventKind::Open { lot, shares: part, basis, acquired, source };
                self.push(date, account.clone(), symbol.clone(), kind);
            }
        }
        if left.is_positive() {
            let reason = format!("came in by {} on {date}", entry.transaction.action);
            // Employee stock begins to be held when it arrives; of a transfer nobody knows.
            let acquired = Some(date).filter(|_| entry.transaction.action == Action::Grant);
            self.open_unknown(&account, &symbol, left, (date, acquired), &reason, &entry.place());
        }
    }

    /// Shares of unknown basis, and the question what it is.
    pub(super) fn open_unknown(
        &mut self,
        account: &AccountId,
        symbol: &Symbol,
        shares: Shares,
        (date, acquired): (Date, Option<Date>),
        reason: &str,
        place: &str,
    ) {
        let key = format!("basis:{symbol}@{account}:{date}");
        let text = format!(
            "{} of {symbol} {reason} without a purchase price; the basis is unknown until you state it",
            share_text(shares),
        );
        self.questions.ask("unknown-basis", &key, Some(symbol), text, UNKNOWN, Some(place.to_owned()));
        self.openings.add(account, symbol, shares);
        self.lot_count += 1;
        let lot = LotId::new(&format!("{symbol}-{date}-{}", self.lot_count));
        let kind = EventKind::Open { lot, shares, basis: None, acquired, source: BasisSource::Unknown };
        self.push(date, account.clone(), symbol.clone(), kind);
    }

    /// The lots that an answer states, where there is one that can be read.
    fn answered_lots(&mut self, key: &str) -> Option<Vec<answers::LotAnswer>> {
        let text = self.questions.answer(key)?;
        if text == UNKNOWN {
            return None;
        }
        let lots = answers::lots(text);
        if lots.is_none() {
            self.questions.misunderstood(key, answers::LOTS_FORM);
        }
        lots
    }

    fn remove(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        self.cover_shortage(entry, &account, &symbol, shares);
        self.openings.take(&account, &symbol, shares);
        self.push(entry.transaction.trade_date, account, symbol, EventKind::Remove { shares });
    }

    /// Shares that leave although the files do not show how they came: they were held before.
    pub(super) fn cover_shortage(&mut self, entry: &Entry<'_>, account: &AccountId, symbol: &Symbol, wanted: Shares) {
        self.need(account, symbol, wanted, entry.transaction.trade_date, &entry.place());
    }

    /// As [`Builder::cover_shortage`], for several rows at once.
    pub(super) fn need(&mut self, account: &AccountId, symbol: &Symbol, wanted: Shares, date: Date, place: &str) {
        let missing = wanted - self.openings.held(account, symbol);
        if missing.is_positive() {
            let which = if missing == wanted { "the".to_owned() } else { format!("{missing} of the") };
            let were = if missing == Shares::from_whole(1) { "was" } else { "were" };
            let text = format!(
                "{which} {} of {symbol} that left on {date} {were} held before the files begin",
                share_text(wanted)
            );
            self.openings.owe(account, symbol, missing, text, place.to_owned());
            self.openings.add(account, symbol, missing);
        }
    }

    /// Books the splits up to a day.
    pub(super) fn splits_until(&mut self, date: Date) {
        let splits = self.splits;
        for (symbol, known) in splits.iter() {
            let next = self.next_split.entry(symbol.clone()).or_default();
            while let Some(split) = known.get(*next).filter(|split| split.date <= date) {
                *next += 1;
                let holders = self.openings.split(symbol, split.ratio);
                for (account, before) in &holders {
                    let Some(&booked) = split.booked.get(account) else { continue };
                    let fraction = split.ratio.apply(*before) - (*before + booked);
                    if fraction.is_positive() && fraction < Shares::from_whole(1) {
                        let of = (symbol.clone(), fraction);
                        self.fractions.insert((account.clone(), symbol.clone()), of);
                    }
                }
                if let Some((account, _)) = holders.into_iter().next() {
                    let kind = EventKind::Split {
                        new: Shares::from_billionths(split.ratio.new * 1_000_000_000),
                        old: Shares::from_billionths(split.ratio.old * 1_000_000_000),
                    };
                    self.events.push(Event { date: split.date, account, symbol: symbol.clone(), kind });
                }
            }
        }
    }

    /// Where a file states its positions at the end of the books and holds more than its rows
    /// explain, the difference was there before.
    pub(super) fn reconcile_positions(&mut self, sources: &[Source<'_>]) {
        for source in sources.iter().filter(|source| source.role == SourceRole::History) {
            let complete =
                source.statement.transactions.iter().all(|transaction| transaction.trade_date <= self.options.as_of);
            for position in &source.statement.positions {
                let (Some(symbol), true) = (&position.symbol, complete) else { continue };
                if position.as_of.is_some_and(|date| date > self.options.as_of) {
                    continue;
                }
                let account = AccountId::new(&position.account);
                self.openings.begin(&account, symbol, self.options.as_of, self.events.len());
                let missing = position.shares - self.openings.held(&account, symbol);
                let place = format!("{}:{}", source.name, position.row);
                if missing.is_positive() {
                    let text = format!(
                        "the broker states {} of {symbol}, the rows explain {missing} fewer",
                        share_text(position.shares)
                    );
                    self.openings.owe(&account, symbol, missing, text, place);
                    self.openings.add(&account, symbol, missing);
                } else if missing.is_negative() {
                    let text = format!(
                        "the broker states {} of {symbol}, the rows add up to {} more",
                        share_text(position.shares),
                        missing.abs()
                    );
                    let issue = Issue::new("position-differs", Severity::Warning, Some(symbol), text);
                    self.questions.tell(issue.at(place));
                }
            }
        }
    }

    /// The ledger: events with the openings before the first row of their security.
    pub(super) fn ledger(&mut self) -> Ledger {
        let openings = self.opening_events();
        let mut openings = openings.into_iter().peekable();
        let events = std::mem::take(&mut self.events);
        let mut moved = Vec::with_capacity(events.len());
        let mut ordered = Vec::with_capacity(events.len());
        for (place, event) in events.into_iter().map(Some).chain([None]).enumerate() {
            while let Some((_, opening)) = openings.next_if(|(before, _)| *before <= place) {
                ordered.push(opening);
            }
            moved.push(ordered.len());
            ordered.extend(event);
        }
        let special = std::mem::take(&mut self.special);
        let special = special.into_iter().map(|(place, special)| (moved[place], special)).collect();
        let accounts = self
            .kinds
            .iter()
            .map(|(id, &kind)| Account { id: id.clone(), kind, method: self.options.method })
            .collect();
        let mut ledger = Ledger { accounts, events: ordered };
        finish(&mut ledger, special, &self.lots_of_rows, &self.options.rules, self.questions);
        ledger
    }

    /// Whether a ticker is that of a money-market fund, by its form, and nothing traded at another
    /// price than 1.00.
    fn is_money_market(&self, symbol: &Symbol) -> bool {
        let name = symbol.as_str();
        let fits = name.len() == 5 && name.ends_with("XX");
        let of_symbol =
            || self.entries.iter().map(|entry| entry.transaction).filter(|row| row.symbol.as_ref() == Some(symbol));
        fits && of_symbol().filter_map(|row| row.price).all(|price| price == Price::from_whole(1))
    }

    /// What was held before the first row, with its basis as stated or answered, else unknown.
    fn opening_events(&mut self) -> Vec<(usize, Event)> {
        let mut events = Vec::new();
        for opening in self.openings.owed() {
            let (account, symbol, date) = (&opening.account, &opening.symbol, opening.date);
            let mut add = |name: String, shares: Shares, basis: Option<Money>, acquired: Option<Date>| {
                let source = if basis.is_some() { BasisSource::Stated } else { BasisSource::Unknown };
                let acquired = acquired.filter(|acquired| *acquired <= date);
                let kind = EventKind::Open { lot: LotId::new(&name), shares, basis, acquired, source };
                let event = Event { date, account: account.clone(), symbol: symbol.clone(), kind };
                events.push((opening.place, event));
            };
            for (number, lot) in (1..).zip(&opening.stated) {
                add(
                    format!("{symbol}-{}-before-{account}-{number}", lot.acquired),
                    lot.shares,
                    lot.basis,
                    Some(lot.acquired),
                );
            }
            let mut left = opening.shares;
            if !left.is_positive() {
                continue;
            }
            let key = format!("basis:{symbol}@{account}");
            for (number, lot) in (1..).zip(self.answered_lots(&key).unwrap_or_default()) {
                let wanted = lot.shares.unwrap_or(opening.shares);
                let part = wanted.min(left);
                if part.is_positive() {
                    left -= part;
                    let basis = lot.basis(wanted).portion(part, wanted);
                    add(format!("{symbol}-before-{account}-answer-{number}"), part, basis, lot.acquired);
                }
            }
            if left.is_positive() && self.is_money_market(symbol) {
                let text = format!(
                    "{} of {symbol} held before {date} are taken for shares of a money-market fund, bought at 1.00 each",
                    share_text(left)
                );
                self.questions.tell(Issue::new("money-market-basis", Severity::Note, Some(symbol), text));
                add(format!("{symbol}-before-{account}"), left, Some(Price::from_whole(1) * left), None);
            } else if left.is_positive() {
                add(format!("{symbol}-before-{account}"), left, None, None);
                let text = format!(
                    "{}; what {} held before {date} cost, and since when, is unknown until you state it, and so are the \
                     gains of their sales",
                    opening.reason,
                    share_text(left),
                );
                let place = Some(opening.source);
                self.questions.ask("history-incomplete", &key, Some(symbol), text, UNKNOWN, place);
            }
        }
        events
    }
}

/// The proposed answer where a basis is missing: it stays a state of the lot, never a guess.
const UNKNOWN: &str = "unknown";
