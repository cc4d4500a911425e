//! One row of a table becomes one transaction, or a reason why not.

use std::borrow::Cow;

use lotwise_core::{Date, DecimalError, Money, Price, Rounding, Shares, mul_div};

use super::header::Header;
use super::{AmountMeaning, Class, Classify, Dialect, FeeSign, Kind, Role, look_up};
use crate::cell::{self, Security};
use crate::gather::clip;
use crate::{Action, RowNote, Transaction};

/// Longest piece of a cell that a note repeats.
const LONGEST_VALUE: usize = 80;
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
}

/// One record with its header.
pub(crate) struct Row<'r> {
    pub(crate) dialect: &'r Dialect,
    pub(crate) header: &'r Header,
    pub(crate) cells: &'r [Cow<'r, str>],
    pub(crate) line: u32,
    pub(crate) context: &'r Context,
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
    /// An event.
    Taken(Box<Transaction>),
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
        cell::number(text, self.context.decimal_comma_possible)
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
        let price = self.decimal(Role::Price, Price::parse_rounded)?;
        if price.is_some_and(Price::is_negative) {
            return Err(self.fault(Role::Price, "a negative price"));
        }
        Ok(price.filter(|price| !price.is_zero()))
    }

    /// All fees, a cost being positive.
    fn fees(&self) -> Result<Money, Fault> {
        let mut sum = Money::ZERO;
        for &place in &self.header.fees {
            let text = self.cells.get(place).map_or("", |cell| cell.as_ref());
            if cell::is_nothing(text) {
                continue;
            }
            let fee = cell::number(text, self.context.decimal_comma_possible)
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
            Role::Account
            | Role::AccountName
            | Role::Action
            | Role::Symbol
            | Role::Cusip
            | Role::Description
            | Role::Fee
            | Role::Currency
            | Role::Id
            | Role::Class
            | Role::Code
            | Role::Kind => "the value",
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
            return Ok(self.context.currency.clone().unwrap_or_else(|| "USD".to_owned()));
        }
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Ok(text.to_ascii_uppercase());
        }
        Err(self.fault(Role::Currency, "not a currency code of three letters"))
    }

    /// Ticker and CUSIP or ISIN.
    pub(crate) fn security(&self) -> Result<(Option<lotwise_core::Symbol>, Option<String>), Fault> {
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
    let (trade_date, settle_date) = row.dates()?;
    let (symbol, cusip) = row.security()?;
    let fees = row.fees()?;
    let amount = row.decimal(Role::Amount, Money::parse_rounded)?;
    let amount = match dialect.amount {
        AmountMeaning::BeforeFees => amount.map(|amount| amount - fees),
        AmountMeaning::Net | AmountMeaning::NetOrComputed => amount,
    };
    let stated = row.shares()?;
    let (action, shares) = directed(class.kind, stated, amount.unwrap_or(Money::ZERO));
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
        detail: class.detail.map(Into::into),
        split_ratio: ratio(row)?,
        ..Transaction::new(action, trade_date, row.line)
    };
    if let Some(finish) = dialect.finish {
        finish(row, &mut transaction)?;
    }
    complete(row, &mut transaction, amount.is_some())?;
    Ok(Outcome::Taken(Box::new(transaction)))
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
        Kind::Do(action) => (action, shares),
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
        // Rows to ignore never get here; they say nothing.
        Kind::Ignore(_) => (Action::Other, None),
    }
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
    let needs_shares = || row.fault(Role::Shares, "the number of shares is missing");
    let needs_security = || row.fault(Role::Symbol, "the symbol is missing");
    let needs_amount = || row.fault(Role::Amount, "the amount is missing");
    let unnamed = transaction.symbol.is_none() && transaction.cusip.is_none();
    match transaction.action {
        Action::Buy | Action::Sell | Action::Reinvest => {
            let shares = transaction.shares.ok_or_else(needs_shares)?;
            if unnamed {
                return Err(needs_security());
            }
            if !amount_stated {
                let price = transaction.price.filter(|_| row.dialect.amount == AmountMeaning::NetOrComputed);
                let gross = gross(price.ok_or_else(needs_amount)?, shares).ok_or_else(|| too_large(row))?;
                transaction.amount = -gross - transaction.fees;
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
            if transaction.shares.is_none() {
                return Err(needs_shares());
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
