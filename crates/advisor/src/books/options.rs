//! Options and short sales as events of the tax engine (tax rules 2.8 and 2.9).

use lotwise_core::{Money, OptionContract, Shares, Symbol};
use lotwise_tax::{AccountId, Delivery, EventKind, LotSelection, SaleId, Way};

use super::builder::Builder;
use super::contracts::{self, Deed, Side};
use super::finish::Special;
use super::rows::Entry;
use crate::issue::{Issue, Severity};
use crate::suggestion::share_text;

impl<'a> Builder<'a, '_> {
    /// Books a row about an option contract, under the contract's own symbol.
    pub(super) fn option(&mut self, entry: &Entry<'a>) {
        let transaction = entry.transaction;
        let Some((contract, symbol)) = self.contract(entry) else { return };
        let account = entry.account();
        let count = transaction.shares.unwrap_or_default().abs();
        if count.is_zero() {
            return self.left_out(entry, &symbol, "states no number of contracts");
        }
        self.begin(&account, &symbol, transaction.trade_date);
        let written = self.short_held(&account, &symbol);
        let held = self.openings.held(&account, &symbol);
        match (contracts::deed(transaction), contracts::side(transaction)) {
            (Deed::Bought, Side::Closes) => self.cover(entry, account, symbol, count),
            (Deed::Bought, Side::Unsaid) if written.is_positive() => self.cover(entry, account, symbol, count),
            (Deed::Bought, _) => self.purchase(entry, account, symbol, count),
            (Deed::Sold, Side::Opens) => self.short_sale(entry, account, symbol, count),
            (Deed::Sold, Side::Unsaid) if !held.is_positive() => self.short_sale(entry, account, symbol, count),
            (Deed::Sold, _) => self.sale(entry, account, symbol, count),
            (Deed::Expired, _) if held >= count || written >= count => self.expire(entry, account, symbol, count),
            (Deed::Expired, _) => {
                self.left_out(entry, &symbol, "lapsed, but the files do not show how it was opened");
            }
            (Deed::Exercised | Deed::Assigned, _) => {
                let text = format!(
                    "came to {} of {}, for which no purchase or sale of the stock stands in the files",
                    share_text(contracts::delivered(&contract, count)),
                    contract.underlying
                );
                self.left_out(entry, &symbol, &text);
            }
            (Deed::Other, _) => self.left_out(entry, &symbol, "was changed in a way that is not supported"),
        }
    }

    /// The contract of a row that can be booked.
    fn contract(&mut self, entry: &Entry<'_>) -> Option<(OptionContract, Symbol)> {
        let terms = contracts::terms(entry.transaction);
        let symbol = terms.as_ref().and_then(contracts::symbol);
        let (Some(contract), Some(symbol)) = (terms, symbol) else {
            let text = format!("an option row without readable terms is left out ({})", entry.transaction.description);
            self.questions.tell(Issue::new("option-unknown", Severity::Warning, None, text).at(entry.place()));
            return None;
        };
        if contracts::is_index(&contract) {
            let text = format!(
                "{symbol} is a section 1256 contract, which is marked to market; it is left out (tax rule 2.10)"
            );
            let issue = Issue::new("section-1256", Severity::Warning, Some(&symbol), text);
            self.questions.tell(issue.at(entry.place()));
            return None;
        }
        Some((contract, symbol))
    }

    fn left_out(&mut self, entry: &Entry<'_>, symbol: &Symbol, why: &str) {
        let text = format!("{symbol} {why}; the row is left out of gains");
        let issue = Issue::new("option-left-out", Severity::Warning, Some(symbol), text);
        self.questions.tell(issue.at(entry.place()));
    }

    /// Contracts that the files leave open after their last day: what became of them is asked.
    pub(super) fn past_their_last_day(&mut self) {
        let held = self.openings.all_held().filter(|(_, shares)| shares.is_positive());
        let owed = self.shorts.iter().filter(|(_, shares)| shares.is_positive());
        let open: Vec<((AccountId, Symbol), Shares)> = held
            .map(|(place, shares)| (place.clone(), shares))
            .chain(owed.map(|(place, shares)| (place.clone(), *shares)))
            .collect();
        for ((account, symbol), contracts) in open {
            let Ok(contract) = OptionContract::parse_occ(symbol.as_str()) else { continue };
            if contract.expiry >= self.options.as_of {
                continue;
            }
            let key = format!("expired:{symbol}@{account}");
            match self.questions.answer(&key) {
                Some("lapsed") => {
                    let sale = SaleId::new(&format!("{symbol}-lapsed"));
                    self.push(contract.expiry, account, symbol, EventKind::Expire { sale, contracts });
                }
                answer => {
                    if answer.is_some_and(|text| text != "unknown") {
                        self.questions.misunderstood(&key, "lapsed");
                    }
                    let text = format!(
                        "{contracts} of {symbol} {} still open in the files after the last day, {}; what became of it \
                         is not known, so it is in no gain. If it lapsed, answer so; else name the file that shows it",
                        if contracts == Shares::from_whole(1) { "is" } else { "are" },
                        contract.expiry
                    );
                    self.questions.ask("option-past-expiry", &key, Some(&symbol), text, "unknown", None);
                }
            }
        }
    }

    fn expire(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, contracts: Shares) {
        if self.openings.held(&account, &symbol) >= contracts {
            self.openings.take(&account, &symbol, contracts);
        } else {
            self.close_short(&account, &symbol, contracts);
        }
        let sale = SaleId::new(&entry.transaction.id);
        self.push(entry.transaction.trade_date, account, symbol, EventKind::Expire { sale, contracts });
    }

    /// An exercise or assignment with its stock: the premium joins the stock's basis or proceeds.
    pub(super) fn delivery(&mut self, option: &Entry<'a>, stock: &Entry<'a>) {
        let Some((_, symbol)) = self.contract(option) else { return self.stock_alone(stock) };
        let (account, moved) = (option.account(), stock.transaction);
        let contracts = option.transaction.shares.unwrap_or_default().abs();
        let date = moved.trade_date;
        let assigned = contracts::deed(option.transaction) == Deed::Assigned;
        self.begin(&account, &symbol, date);
        let there = if assigned { self.short_held(&account, &symbol) } else { self.openings.held(&account, &symbol) };
        if there < contracts {
            self.left_out(option, &symbol, "became stock, but the files do not show its premium; the stock");
            return self.stock_alone(stock);
        }
        let Some(underlying) = moved.symbol.clone() else { return };
        let shares = moved.shares.unwrap_or_default();
        let fee = moved.fees.max(Money::ZERO);
        self.begin(&account, &underlying, date);
        let (way, amount) = if shares.is_positive() {
            let lot = self.new_lot(stock, &account, &underlying);
            self.openings.add(&account, &underlying, shares);
            (Way::In { lot }, (-moved.amount - fee).max(Money::ZERO))
        } else {
            let lots = self.lots_of(stock, &account, &underlying, shares.abs());
            self.open_stated(stock, &account, &underlying, &lots, shares.abs());
            self.cover_shortage(stock, &account, &underlying, shares.abs());
            self.openings.take(&account, &underlying, shares.abs());
            if !lots.is_empty() {
                self.special(Special::Lots { lots, place: stock.place() });
            }
            let sale = SaleId::new(&moved.id);
            (Way::Out { sale, lots: LotSelection::Standing }, (moved.amount + fee).max(Money::ZERO))
        };
        if assigned {
            self.close_short(&account, &symbol, contracts);
        } else {
            self.openings.take(&account, &symbol, contracts);
        }
        let delivery = Delivery { contracts, underlying, shares: shares.abs(), amount, fee, way };
        let kind = if assigned { EventKind::Assign(delivery) } else { EventKind::Exercise(delivery) };
        self.push(date, account, symbol, kind);
    }

    /// Stock that an option moved whose premium is not known: a plain purchase or sale.
    fn stock_alone(&mut self, stock: &Entry<'a>) {
        let transaction = stock.transaction;
        let (account, shares) = (stock.account(), transaction.shares.unwrap_or_default());
        let Some(symbol) = transaction.symbol.clone() else { return };
        self.begin(&account, &symbol, transaction.trade_date);
        if shares.is_positive() {
            self.purchase(stock, account, symbol, shares);
        } else if shares.is_negative() {
            self.sale(stock, account, symbol, shares.abs());
        }
    }

    /// Opens a short position, or writes an option.
    pub(super) fn short_sale(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let (amount, fee) = proceeds(entry);
        let lot = self.new_lot(entry, &account, &symbol);
        *self.shorts.entry((account.clone(), symbol.clone())).or_default() += shares;
        let kind = EventKind::ShortSell { lot, shares, amount, fee };
        self.push(entry.transaction.trade_date, account, symbol, kind);
    }

    /// Closes a short position, or buys a written option back. What the files do not show as opened
    /// is asked for; without an answer that part is left out.
    pub(super) fn cover(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        let missing = shares - self.short_held(&account, &symbol);
        if missing.is_positive() {
            let key = format!("short:{symbol}@{account}:{}", transaction.trade_date);
            let answered = self.questions.answer(&key);
            let amount = answered.and_then(|text| Money::parse(text.trim_start_matches('$')).ok());
            let Some(amount) = amount.filter(|amount| !amount.is_negative()) else {
                if answered.is_some_and(|text| text != "unknown") {
                    self.questions.misunderstood(&key, "what the sale brought in total, in dollars");
                }
                let text = format!(
                    "{missing} of the {} of {symbol} bought back on {} were sold before the files begin; what the sale \
                     brought is not known, so the row is left out of gains",
                    share_text(shares),
                    transaction.trade_date
                );
                let place = Some(entry.place());
                self.questions.ask("short-incomplete", &key, Some(&symbol), text, "unknown", place);
                return;
            };
            let lot = self.new_lot(entry, &account, &symbol);
            let kind = EventKind::ShortSell { lot, shares: missing, amount, fee: Money::ZERO };
            *self.shorts.entry((account.clone(), symbol.clone())).or_default() += missing;
            self.push(transaction.trade_date, account.clone(), symbol.clone(), kind);
        }
        let fee = transaction.fees.max(Money::ZERO);
        let amount = (-transaction.amount - fee).max(Money::ZERO);
        self.close_short(&account, &symbol, shares);
        let kind = EventKind::Cover {
            sale: SaleId::new(&transaction.id),
            shares,
            amount,
            fee,
            lots: LotSelection::Standing,
            settled: transaction.settle_date.filter(|settled| *settled >= transaction.trade_date),
        };
        self.push(transaction.trade_date, account, symbol, kind);
    }

    pub(super) fn short_held(&self, account: &AccountId, symbol: &Symbol) -> Shares {
        self.shorts.get(&(account.clone(), symbol.clone())).copied().unwrap_or_default()
    }

    fn close_short(&mut self, account: &AccountId, symbol: &Symbol, shares: Shares) {
        if let Some(held) = self.shorts.get_mut(&(account.clone(), symbol.clone())) {
            *held = (*held - shares).max(Shares::ZERO);
        }
    }
}

/// Price before fee, and fee: the cash that came is their difference. Fees above the price make the
/// proceeds negative; a rebate has raised them already.
pub(super) fn proceeds(entry: &Entry<'_>) -> (Money, Money) {
    let transaction = entry.transaction;
    let gross = transaction.amount + transaction.fees.max(Money::ZERO);
    if gross.is_negative() { (Money::ZERO, -transaction.amount) } else { (gross, gross - transaction.amount) }
}
