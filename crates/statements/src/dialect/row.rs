//! One row of a table becomes one transaction, or a reason why not.

use std::borrow::Cow;

use lotwise_core::{Date, DecimalError, Money, OptionContract, Price, Rounding, Shares, Symbol, mul_div};

use super::header::Header;
use super::lot::{lot_above, stated_lot};
use super::{AmountMeaning, Ask, Class, Classify, Dialect, FeeSign, Kind, Role, look_up, option};
use crate::cell::{self, Comma, Security};
use crate::gather::clip;
use crate::sides::UNSAID;
use crate::{Action, RowNote, Stated, StatedLot, Transaction};

/// Longest piece of a cell that a note repeats.
pub(crate) const LONGEST_VALUE: usize = 80;
/// More shares than any company has issued.
const MOST_SHARES: Shares = Shares::from_whole(1_000_000_000_000);
/// A cent or two of rounding, or a fee larger than the proceeds of a fraction of a share.
const SMALL_CHANGE: Money = Money::from_whole(1);

/// What the file said outside its tables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// The account, where the file names it outside the table.
    pub(crate) account: Option<String>,
    /// Currency of the account.
    pub(crate) currency: Option<String>,
    /// Date of the statement.
    pub(crate) as_of: Option<Date>,
    /// Whether this section has shown orders, so that executions below repeat them.
    pub(crate) orders_seen: bool,
    /// Whether the table is delimited so that a comma may be a decimal point.
    pub(crate) decimal_comma_possible: bool,
    /// Whether the heading above says that the gains are long-term.
    pub(crate) long_term: Option<bool>,
    /// Whether the heading above says that the broker reports the basis.
    pub(crate) covered: Option<bool>,
}

/// One record with its header.
pub(crate) struct Row<'r> {
    pub(crate) dialect: &'r Dialect,
    pub(crate) header: &'r Header,
    pub(crate) cells: &'r [Cow<'r, str>],
    pub(crate) line: u32,
    pub(crate) context: &'r Context,
    /// Records that belong to this one, with their lines, where the dialect has such.
    pub(crate) below: &'r [(u32, Vec<Cow<'r, str>>)],
}

/// Why one row cannot be read.
#[derive(Debug)]
pub(crate) struct Fault {
    column: Option<String>,
    value: Option<String>,
    reason: String,
    /// The action that nobody taught us, if that is the reason.
    pub(crate) unknown_action: Option<String>,
}

impl Fault {
    /// A reason that no single cell is to blame for.
    pub(crate) fn of_row(reason: impl Into<String>) -> Self {
        Self { column: None, value: None, reason: reason.into(), unknown_action: None }
    }

    /// The note for the row on this line.
    pub(crate) fn into_note(self, row: u32) -> RowNote {
        RowNote { row, column: self.column, value: self.value, reason: self.reason }
    }
}

/// What one row became.
pub(crate) enum Outcome {
    /// An event, and what to ask about it.
    Taken(Box<Transaction>, Option<Ask>),
    /// A lot of the trade above, whose security is this one.
    Lot {
        /// Ticker or option.
        symbol: Option<Symbol>,
        /// The lot.
        lot: Box<StatedLot>,
        /// What the file calls the row.
        what: String,
    },
    /// No event.
    Ignored {
        /// What the file calls the row.
        what: String,
        /// Why it is none.
        reason: &'static str,
    },
}

impl Row<'_> {
    /// The text of a role; empty where there is no such column or nothing in it.
    pub(crate) fn text(&self, role: Role) -> &str {
        let text = self.header.place(role).and_then(|place| self.cells.get(place)).map_or("", |cell| cell.as_ref());
        if cell::is_nothing(text) { "" } else { text }
    }

    /// The cell of this role is to blame.
    pub(crate) fn fault(&self, role: Role, reason: impl Into<String>) -> Fault {
        let value = self.header.place(role).and_then(|place| self.cells.get(place));
        Fault {
            column: self.header.name(role).map(str::to_owned),
            value: value.map(|value| clip(value, LONGEST_VALUE)),
            reason: reason.into(),
            unknown_action: None,
        }
    }

    fn decimal<T>(&self, role: Role, parse: fn(&str) -> Result<T, DecimalError>) -> Result<Option<T>, Fault> {
        let text = self.text(role);
        if text.is_empty() {
            return Ok(None);
        }
        let text = match self.dialect.short_suffix && role == Role::Shares {
            true => text.trim_end_matches(['S', 's']),
            false => text,
        };
        cell::number(text, self.comma())
            .and_then(|plain| {
                parse(&plain).map_err(|error| match error {
                    DecimalError::TooLarge(_) => "is too large",
                    DecimalError::Empty | DecimalError::NotANumber(_) | DecimalError::TooPrecise(_) => {
                        "is not a number"
                    }
                })
            })
            .map(Some)
            .map_err(|reason| self.fault(role, format!("{} {reason}", self.words(role))))
    }

    fn comma(&self) -> Comma {
        match self.dialect.comma {
            Comma::Thousands if self.context.decimal_comma_possible => Comma::Unclear,
            comma => comma,
        }
    }

    /// An amount of money; `None` where there is none.
    pub(crate) fn money(&self, role: Role) -> Result<Option<Money>, Fault> {
        let money = self.decimal(role, Money::parse_rounded)?;
        let sign = cell::currency_sign(self.text(role)).filter(|_| self.dialect.comma != Comma::Thousands);
        let stated = self.text(Role::Currency);
        if sign.is_some_and(|sign| stated.len() == 3 && !sign.eq_ignore_ascii_case(stated)) {
            return Err(self.fault(role, format!("{} is in another currency than the row", self.words(role))));
        }
        Ok(money)
    }

    /// Shares of this role above zero; `None` where there are none.
    pub(crate) fn shares_of(&self, role: Role) -> Result<Option<Shares>, Fault> {
        let shares = self.decimal(role, Shares::parse_rounded)?.map(Shares::abs).filter(|shares| !shares.is_zero());
        if shares.is_some_and(|shares| shares > MOST_SHARES) {
            return Err(self.fault(role, "more shares than any company has issued"));
        }
        Ok(shares)
    }

    /// A price per share of this role; `None` where there is none or it is zero.
    pub(crate) fn price_of(&self, role: Role) -> Result<Option<Price>, Fault> {
        let price = self.decimal(role, Price::parse_rounded)?;
        if price.is_some_and(Price::is_negative) {
            return Err(self.fault(role, "a negative price"));
        }
        Ok(price.filter(|price| !price.is_zero()))
    }

    /// The date of a role; `None` where there is none.
    pub(crate) fn date_of(&self, role: Role) -> Result<Option<Date>, Fault> {
        match self.text(role) {
            "" => Ok(None),
            text => cell::date(text, self.dialect.dates)
                .map(Some)
                .ok_or_else(|| self.fault(role, format!("{} is no date", self.words(role)))),
        }
    }

    /// A number of shares, rounded to the billionth; `None` where there is none or it is zero.
    pub(crate) fn shares(&self) -> Result<Option<Shares>, Fault> {
        let shares = self.decimal(Role::Shares, Shares::parse_rounded)?.filter(|shares| !shares.is_zero());
        if shares.is_some_and(|shares| shares.abs() > MOST_SHARES) {
            return Err(self.fault(Role::Shares, "more shares than any company has issued"));
        }
        Ok(shares)
    }

    /// A price per share; `None` where there is none or it is zero.
    pub(crate) fn price(&self) -> Result<Option<Price>, Fault> {
        self.price_of(Role::Price)
    }

    /// All fees, a cost being positive.
    fn fees(&self) -> Result<Money, Fault> {
        let mut sum = Money::ZERO;
        for &place in &self.header.fees {
            let text = self.cells.get(place).map_or("", |cell| cell.as_ref());
            if cell::is_nothing(text) || text.eq_ignore_ascii_case("free") {
                continue;
            }
            let fee = cell::number(text, self.comma())
                .ok()
                .and_then(|plain| Money::parse_rounded(&plain).ok())
                .ok_or_else(|| Fault {
                    column: self.header.names.get(place).cloned(),
                    value: Some(clip(text, LONGEST_VALUE)),
                    reason: "the fee is not a number".to_owned(),
                    unknown_action: None,
                })?;
            sum += if self.dialect.fees == FeeSign::CostNegative { -fee } else { fee };
        }
        Ok(sum)
    }

    /// Trade date, and the date behind it where the file says `… as of …`: the effective date is the trade date,
    /// the date on which the broker booked it takes the place of the settlement date.
    fn dates(&self) -> Result<(Date, Option<Date>), Fault> {
        let read = |role: Role, text: &str| {
            cell::date(text, self.dialect.dates)
                .ok_or_else(|| self.fault(role, format!("{} is no date", self.words(role))))
        };
        let text = self.text(Role::Date);
        if text.is_empty() {
            return Err(self.fault(Role::Date, "the date is missing"));
        }
        let settled = match self.text(Role::SettleDate) {
            "" => None,
            text => Some(read(Role::SettleDate, text)?),
        };
        match text.split_once(" as of ") {
            Some((booked, effective)) => {
                let booked = read(Role::Date, booked.trim())?;
                Ok((read(Role::Date, effective.trim())?, settled.or(Some(booked))))
            }
            None => Ok((read(Role::Date, text)?, settled)),
        }
    }

    fn words(&self, role: Role) -> &'static str {
        match role {
            Role::Date => "the date",
            Role::SettleDate => "the settlement date",
            Role::Shares => "the number of shares",
            Role::Price => "the price",
            Role::Amount => "the amount",
            Role::Ratio => "the split ratio",
            Role::Acquired => "the date of acquisition",
            Role::Purchased => "the day of purchase",
            Role::Basis | Role::BasisPrice | Role::VestPrice | Role::PurchasePrice => "the basis",
            Role::Disallowed => "the disallowed loss",
            Role::LotShares | Role::NetShares => "the number of shares",
            Role::Gain => "the gain",
            Role::Account
            | Role::AccountName
            | Role::Action
            | Role::Symbol
            | Role::Cusip
            | Role::Description
            | Role::Fee
            | Role::Currency
            | Role::Id
            | Role::Detail
            | Role::Class
            | Role::Code
            | Role::Kind
            | Role::PriceCurrency
            | Role::Term
            | Role::FormBox
            | Role::Covered
            | Role::Noncovered
            | Role::LotId => "the value",
        }
    }

    fn check_width(&self) -> Result<(), Fault> {
        let (found, expected) = (self.cells.len(), self.header.width());
        if let Some(extra) = self.cells.get(expected..).and_then(|cells| cells.iter().find(|cell| !cell.is_empty())) {
            return Err(Fault {
                column: None,
                value: Some(clip(extra, LONGEST_VALUE)),
                reason: format!("{found} cells where the header has {expected}; is a comma not quoted?"),
                unknown_action: None,
            });
        }
        let cut = |column: &super::Column| {
            column.required && self.header.place(column.role).is_some_and(|place| place >= found)
        };
        if found < expected && self.dialect.columns.iter().any(cut) {
            return Err(Fault::of_row(format!("{found} cells where the header has {expected}; is the row cut off?")));
        }
        Ok(())
    }

    /// The account in the file's own words.
    pub(crate) fn account(&self) -> String {
        [self.text(Role::Account), self.text(Role::AccountName)]
            .into_iter()
            .find(|name| !name.is_empty())
            .or(self.context.account.as_deref())
            .unwrap_or("default")
            .to_owned()
    }

    /// The account's name, where the file has one beside its number.
    pub(crate) fn account_label(&self) -> Option<&str> {
        let (number, name) = (self.text(Role::Account), self.text(Role::AccountName));
        (!number.is_empty() && !name.is_empty()).then_some(name)
    }

    /// The currency of the row, of the account, or dollars.
    pub(crate) fn currency(&self) -> Result<String, Fault> {
        let text = self.text(Role::Currency);
        if text.is_empty() {
            let above = self.header.currency.as_ref().or(self.context.currency.as_ref());
            return Ok(above.cloned().unwrap_or_else(|| self.dialect.currency.to_owned()));
        }
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Ok(text.to_ascii_uppercase());
        }
        Err(self.fault(Role::Currency, "not a currency code of three letters"))
    }

    /// Ticker and CUSIP or ISIN; an option goes by its own symbol.
    pub(crate) fn named(&self, option: Option<&OptionContract>) -> Result<(Option<Symbol>, Option<String>), Fault> {
        match option.and_then(OptionContract::symbol) {
            // The symbol column may hold what no ticker is, such as the option's terms in words.
            Some(symbol) => {
                let text = self.text(Role::Cusip);
                Ok((Some(symbol), (!text.is_empty()).then(|| clip(text, LONGEST_VALUE))))
            }
            None => self.security(),
        }
    }

    /// Ticker and CUSIP or ISIN.
    pub(crate) fn security(&self) -> Result<(Option<Symbol>, Option<String>), Fault> {
        let identifier = |role: Role| {
            let text = self.text(role);
            (!text.is_empty()).then(|| clip(text, LONGEST_VALUE))
        };
        match cell::security(self.text(Role::Symbol)).map_err(|reason| self.fault(Role::Symbol, reason))? {
            Security::None => Ok((None, identifier(Role::Cusip))),
            Security::Symbol(symbol) => Ok((Some(symbol), identifier(Role::Cusip))),
            Security::Cusip(cusip) => Ok((None, Some(cusip))),
        }
    }
}

/// Reads one row.
///
/// # Errors
/// The cell to blame and the reason.
pub(crate) fn interpret(row: &Row<'_>) -> Result<Outcome, Fault> {
    row.check_width()?;
    interpret_as(row, classify(row)?)
}

/// Reads one row whose action is known.
///
/// # Errors
/// The cell to blame and the reason.
pub(crate) fn interpret_as(row: &Row<'_>, class: Class) -> Result<Outcome, Fault> {
    let dialect = row.dialect;
    if let Kind::Ignore(reason) = class.kind {
        let what = [Role::Kind, Role::Action].into_iter().map(|role| row.text(role)).find(|text| !text.is_empty());
        return Ok(Outcome::Ignored { what: clip(what.unwrap_or("row"), LONGEST_VALUE), reason });
    }
    if class.kind == Kind::Lot {
        return lot_above(row);
    }
    let (trade_date, settle_date) = row.dates()?;
    let fees = row.fees()?;
    let stated_amount = row.money(Role::Amount)?;
    let stated = row.shares()?;
    let (action, shares) = directed(class.kind, stated, stated_amount.unwrap_or(Money::ZERO));
    let amount = stated_amount.map(|amount| signed(dialect, class.kind, action, amount));
    let amount = match dialect.amount {
        AmountMeaning::BeforeFees => amount.map(|amount| amount - fees),
        AmountMeaning::Net | AmountMeaning::NetOrComputed | AmountMeaning::UnsignedTrades => amount,
    };
    let option = if is_option(action) || class.detail == Some(UNSAID) { contract(row) } else { None };
    let (symbol, cusip) = row.named(option.as_ref())?;
    let mut transaction = Transaction {
        id: row.text(Role::Id).to_owned(),
        account: row.account(),
        settle_date,
        symbol,
        cusip,
        description: row.text(Role::Description).split_whitespace().collect::<Vec<_>>().join(" "),
        shares,
        price: row.price()?,
        amount: amount.unwrap_or(Money::ZERO),
        fees,
        currency: row.currency()?,
        detail: detail(row, action)?.or(class.detail.map(Into::into)),
        split_ratio: ratio(row)?,
        option,
        ..Transaction::new(action, trade_date, row.line)
    };
    price_in_own_currency(row, &mut transaction);
    if dialect.row_is_lot {
        transaction.lots = vec![stated_lot(row, &transaction)?];
    }
    if let Some(finish) = dialect.finish {
        finish(row, &mut transaction)?;
    }
    complete(row, &mut transaction, amount.is_some())?;
    let ask = dialect.ask.and_then(|ask| ask(row, &transaction));
    Ok(Outcome::Taken(Box::new(transaction), ask))
}

/// True for what happens to options themselves.
pub(crate) fn is_option(action: Action) -> bool {
    matches!(
        action,
        Action::OptionOpen | Action::OptionClose | Action::OptionExercise | Action::OptionAssign | Action::OptionExpire
    )
}

/// The option that the row names in its symbol, its description or its action.
pub(crate) fn contract(row: &Row<'_>) -> Option<OptionContract> {
    [Role::Symbol, Role::Description, Role::Action].into_iter().find_map(|role| option::named_in(row.text(role)))
}

/// The class of a trade, which of an option does not say whether it opens or closes.
pub(crate) fn side_unsaid(row: &Row<'_>, class: Class) -> Class {
    let trade = matches!(class.kind, Kind::In(Action::Buy) | Kind::Out(Action::Sell)) && class.detail.is_none();
    if trade && contract(row).is_some() { Class { detail: Some(UNSAID), ..class } } else { class }
}

/// The sign of cash, where the file has none or the kind decides it.
fn signed(dialect: &Dialect, kind: Kind, action: Action, amount: Money) -> Money {
    let trade =
        matches!(action, Action::Buy | Action::Sell | Action::Reinvest | Action::OptionOpen | Action::OptionClose);
    let unsigned = trade && dialect.amount == AmountMeaning::UnsignedTrades;
    match kind {
        Kind::Pays(_) => amount.abs(),
        Kind::Costs(_) => -amount.abs(),
        Kind::In(_) if unsigned => -amount.abs(),
        Kind::Out(_) if unsigned => amount.abs(),
        _ => amount,
    }
}

/// A price in another currency than the amount is no price of ours; the description keeps it.
fn price_in_own_currency(row: &Row<'_>, transaction: &mut Transaction) {
    let currency = row.text(Role::PriceCurrency);
    if currency.is_empty() || currency.eq_ignore_ascii_case(&transaction.currency) {
        return;
    }
    if let Some(price) = transaction.price.take() {
        let text = format!("{} at {price} {}", transaction.description, clip(currency, 10));
        transaction.description = text.trim_start().to_owned();
    }
}

fn classify(row: &Row<'_>) -> Result<Class, Fault> {
    let text = row.text(Role::Action);
    let class = match row.dialect.classify {
        Classify::Words(rules) => {
            if text.is_empty() {
                return Err(row.fault(Role::Action, "the action is missing"));
            }
            look_up(rules, &normal(text))
        }
        Classify::With(classify) => classify(row),
    };
    class.ok_or_else(|| {
        let words = if text.is_empty() { row.text(Role::Description) } else { text };
        let words: Vec<&str> = words.split_whitespace().take(row.dialect.words_per_action).collect();
        let words = clip(&words.join(" "), LONGEST_VALUE);
        let mut fault = row.fault(Role::Action, format!("unknown action {words:?}"));
        fault.unknown_action = Some(words);
        fault
    })
}

/// The action and the signed shares of a kind.
fn directed(kind: Kind, shares: Option<Shares>, amount: Money) -> (Action, Option<Shares>) {
    match kind {
        Kind::Do(action) | Kind::Pays(action) | Kind::Costs(action) => (action, shares),
        Kind::In(action) => (action, shares.map(Shares::abs)),
        Kind::Out(action) => (action, shares.map(|shares| -shares.abs())),
        Kind::BySign(inward, outward) => {
            let out = match shares {
                Some(shares) if amount.is_zero() => shares.is_negative(),
                _ => amount.is_negative(),
            };
            (if out { outward } else { inward }, shares)
        }
        Kind::Sweep => (if amount.is_negative() { Action::TransferOut } else { Action::TransferIn }, None),
        Kind::ByShares(inward, outward) => {
            (if shares.is_some_and(Shares::is_negative) { outward } else { inward }, shares)
        }
        // Rows to ignore and lots never get here; they say nothing.
        Kind::Ignore(_) | Kind::Lot => (Action::Other, None),
    }
}

/// What refines the action. One that states facts has to be readable, and has to belong to the action.
fn detail(row: &Row<'_>, action: Action) -> Result<Option<Cow<'static, str>>, Fault> {
    let text = row.text(Role::Detail);
    let word = text.split_whitespace().next().unwrap_or_default();
    let wanted = match word {
        "" => return Ok(None),
        "gift" | "inherited" => Some(Action::TransferIn),
        "from" => Some(Action::Spinoff),
        "rename" | "exchange" => Some(Action::Merger),
        _ => None,
    };
    if let Some(wanted) = wanted {
        if wanted != action {
            return Err(row.fault(Role::Detail, format!("a detail of the action {wanted}")));
        }
        if word != text.trim() && Stated::of(text).is_none() {
            let forms = "gift BASIS DATE VALUE, inherited VALUE DATE, from OLD PART, rename OLD>NEW or exchange OLD>NEW \
                         worth VALUE, with unknown for what is not known";
            return Err(row.fault(Role::Detail, format!("not readable (expected {forms})")));
        }
    }
    Ok(Some(text.to_owned().into()))
}

/// `10:1` as new shares for old.
fn ratio(row: &Row<'_>) -> Result<Option<(Shares, Shares)>, Fault> {
    let text = row.text(Role::Ratio);
    if text.is_empty() {
        return Ok(None);
    }
    let parts = text.split_once(':').and_then(|(new, old)| {
        let read =
            |part: &str| Shares::parse(part).ok().filter(|shares| shares.is_positive() && *shares <= MOST_SHARES);
        Some((read(new)?, read(old)?))
    });
    parts.map(Some).ok_or_else(|| row.fault(Role::Ratio, "not a ratio of new shares to old such as 10:1"))
}

/// Demands what the action cannot do without, and fills in what follows from the rest.
fn complete(row: &Row<'_>, transaction: &mut Transaction, amount_stated: bool) -> Result<(), Fault> {
    let pays = matches!(
        transaction.action,
        Action::Dividend | Action::CapitalGainDistribution | Action::Interest | Action::TaxWithheld | Action::Fee
    );
    if pays {
        // Some files state the shares that were paid for; none of them moves.
        transaction.shares = None;
    }
    let needs_shares = || row.fault(Role::Shares, "the number of shares is missing");
    let needs_security = || row.fault(Role::Symbol, "the symbol is missing");
    let needs_amount = || row.fault(Role::Amount, "the amount is missing");
    let unnamed = transaction.symbol.is_none() && transaction.cusip.is_none();
    match transaction.action {
        Action::Buy | Action::Sell | Action::Reinvest => {
            if unnamed && !row.dialect.unnamed {
                return Err(needs_security());
            }
            let Some(shares) = transaction.shares else {
                return if row.dialect.unnamed && amount_stated { Ok(()) } else { Err(needs_shares()) };
            };
            if !amount_stated {
                let price = transaction.price.filter(|_| row.dialect.amount == AmountMeaning::NetOrComputed);
                transaction.amount = computed(row, transaction, price.ok_or_else(needs_amount)?, shares)?;
            }
            let wrong = if shares.is_negative() { -transaction.amount } else { transaction.amount };
            if wrong > SMALL_CHANGE + transaction.fees.abs() {
                let reason = if shares.is_negative() { "a sale that costs cash" } else { "a purchase that pays cash" };
                return Err(row.fault(Role::Amount, reason));
            }
        }
        Action::Dividend
        | Action::CapitalGainDistribution
        | Action::Interest
        | Action::TaxWithheld
        | Action::Fee
        | Action::Deposit
        | Action::Withdrawal
        | Action::ReturnOfCapital => {
            if !amount_stated {
                return Err(needs_amount());
            }
        }
        Action::TransferIn | Action::TransferOut => {
            if transaction.shares.is_some() && unnamed {
                return Err(needs_security());
            }
            if transaction.shares.is_none() && !amount_stated {
                return Err(needs_amount());
            }
        }
        Action::Split | Action::Spinoff | Action::Merger => {
            if unnamed {
                return Err(needs_security());
            }
            if transaction.shares.is_none() && transaction.split_ratio.is_none() && !amount_stated {
                return Err(needs_shares());
            }
        }
        Action::Grant
        | Action::OptionOpen
        | Action::OptionClose
        | Action::OptionExercise
        | Action::OptionAssign
        | Action::OptionExpire => {
            if unnamed {
                return Err(needs_security());
            }
            let Some(shares) = transaction.shares else { return Err(needs_shares()) };
            let trades = matches!(transaction.action, Action::OptionOpen | Action::OptionClose);
            if let Some(price) = transaction.price.filter(|_| trades && !amount_stated)
                && row.dialect.amount == AmountMeaning::NetOrComputed
                && transaction.option.is_some()
            {
                transaction.amount = computed(row, transaction, price, shares)?;
            }
        }
        Action::Other => {}
    }
    if let (Some(price), Some(shares)) = (transaction.price, transaction.shares)
        && gross(price, shares).is_none()
    {
        return Err(too_large(row));
    }
    Ok(())
}

/// The cash of a trade whose amount the file leaves out; a contract is of as many shares as its terms say.
fn computed(row: &Row<'_>, transaction: &Transaction, price: Price, shares: Shares) -> Result<Money, Fault> {
    let units = transaction.option.as_ref().map_or(1, |option| option.multiplier);
    let shares = shares.billionths().checked_mul(i128::from(units)).map(Shares::from_billionths);
    let gross = shares.and_then(|shares| gross(price, shares)).ok_or_else(|| too_large(row))?;
    Ok(-gross - transaction.fees)
}

fn too_large(row: &Row<'_>) -> Fault {
    row.fault(Role::Shares, "shares times price is larger than any portfolio")
}

/// Shares times price, signed as the shares are; `None` beyond any portfolio.
pub(crate) fn gross(price: Price, shares: Shares) -> Option<Money> {
    let unit = Shares::from_whole(1).billionths();
    let product = mul_div(price.billionths(), shares.billionths(), unit, Rounding::HalfEven)?;
    Some(Money::from_billionths(product)).filter(|product| product.abs() <= Money::from_whole(1_000_000_000_000_000))
}

/// Lower case with single blanks.
pub(crate) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.chars().flat_map(char::to_lowercase));
    }
    normal
}
