//! Vanguard UK's report: cash transactions with purchases and sales in prose (`Bought 1,550 Acorn ETF (ACRN)`), and
//! investment transactions that tell the same trades again with their price, a day or two later. The cash section counts;
//! the other adds its prices, and is read as trades only where a trade has no cash row.

use std::collections::BTreeMap;

use lotwise_core::{Shares, Symbol};

use super::row::{Fault, Row, normal};
use super::sections::Part;
use super::{AmountMeaning, Class, Classify, Dialect, Footer, Kind, Role, Rule, Words, look_up, needed};
use crate::cell::{self, Comma, DateStyle};
use crate::formats::{Confidence, Format, FormatInfo};
use crate::gather::clip;
use crate::{Action as A, RowNote, Statement, Transaction};

use Kind::{BySign, Do, In, Out};
use Words::{Has, Starts};

const ID: &str = "vanguard-uk-report-csv";

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: ID,
        title: "Vanguard UK, cash and investment transactions (CSV)",
        extensions: &["csv"],
        example: "Cash Transactions … Date,Details,Amount,Balance",
    },
    recognise: |sniff| {
        // Banks have tables with the columns of the cash section; the sections' titles are this report's own.
        let head = sniff.head.to_ascii_lowercase();
        let titles = ["cash transactions", "investment transactions", "investmentname"];
        match titles.iter().any(|title| head.contains(title)) {
            true => super::recognise_parts(PARTS, sniff),
            false => Confidence::No,
        }
    },
    read: |text, options| super::read_parts(ID, PARTS, text, options).map(once),
};

static PARTS: &[Part] = &[Part::Events(&CASH), Part::Events(&INVESTMENTS)];

/// Trades in the same words that are looked through for the one of an investment row.
const MOST_ALIKE: usize = 256;

/// Marks what comes from the second section until [`once`] has looked at it.
const SECOND: &str = "investment_section";

static CASH: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["date"]),
        needed(Role::Action, &["details"]),
        needed(Role::Description, &["details"]),
        needed(Role::Amount, &["amount"]),
        needed(Role::Code, &["balance"]),
    ],
    ..SHARED
};

/// What both sections share.
const SHARED: Dialect = Dialect {
    id: ID,
    dates: &[DateStyle::DayMonthYear, DateStyle::Iso],
    classify: Classify::With(|row| look_up(RULES, &normal(row.text(Role::Action)))),
    words_per_action: 2,
    footers: &[Footer::Starts("balance"), Footer::Starts("cost")],
    comma: Comma::ThousandsAnyCurrency,
    currency: "GBP",
    heading: Some(|text, context| {
        // A row that was cut off is no heading.
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return false;
        }
        let section = matches!(text.to_ascii_lowercase().as_str(), "cash transactions" | "investment transactions");
        if !section {
            context.account = Some(clip(text, 60));
        }
        true
    }),
    finish: Some(in_prose),
    ..Dialect::PLAIN
};

static INVESTMENTS: Dialect = Dialect {
    columns: &[
        needed(Role::Date, &["date"]),
        needed(Role::Code, &["investmentname", "investment name"]),
        needed(Role::Action, &["transactiondetails", "transaction details"]),
        needed(Role::Description, &["transactiondetails", "transaction details"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["price"]),
        needed(Role::Amount, &["cost"]),
    ],
    classify: Classify::With(|row| {
        let class = look_up(RULES, &normal(row.text(Role::Action)))?;
        Some(Class { kind: class.kind, detail: Some(SECOND) })
    }),
    amount: AmountMeaning::UnsignedTrades,
    ..SHARED
};

/// Shares and ticker out of `Bought 1,550 Acorn ETF Distributing (ACRN)` and `DIV: ACRN.XLON.GB @ GBP 0.41`.
fn in_prose(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let text = row.text(Role::Description);
    if matches!(transaction.action, A::Buy | A::Sell) {
        if transaction.shares.is_none() {
            let word = text.split_whitespace().nth(1).unwrap_or_default();
            let shares = cell::number(word, Comma::Thousands).ok().and_then(|plain| Shares::parse_rounded(&plain).ok());
            let shares = shares
                .filter(|shares| shares.is_positive() && *shares < Shares::from_whole(1_000_000_000_000))
                .ok_or_else(|| {
                    row.fault(Role::Description, "the number of shares does not stand behind the first word")
                })?;
            transaction.shares = Some(if transaction.action == A::Sell { -shares } else { shares });
        }
        transaction.symbol = ticker_at_end(text);
        if transaction.symbol.is_none() {
            // Funds have no ticker here; their name is the only one they have.
            transaction.cusip = Some(clip(name_of_fund(text), 80)).filter(|name| !name.is_empty());
        }
    } else if let Some((_, after)) = text.split_once("DIV: ") {
        let code = after.split_whitespace().next().unwrap_or_default();
        transaction.symbol = Symbol::parse(code.split('.').next().unwrap_or_default()).ok();
    }
    Ok(())
}

/// `(ACRN)` at the end.
fn ticker_at_end(text: &str) -> Option<Symbol> {
    let inside = text.trim_end().strip_suffix(')')?.rsplit_once('(')?.1;
    let shaped = inside.len() <= 6 && inside.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    shaped.then(|| Symbol::parse(inside).ok()).flatten()
}

/// What stands behind the number of shares.
fn name_of_fund(text: &str) -> &str {
    let rest = text.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim()
}

/// Leaves each trade once: the cash row, with the price that the investment row has.
fn once(mut statement: Statement) -> Statement {
    let mut waiting: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let key = |transaction: &Transaction| (transaction.account.clone(), normal(&transaction.description));
    let second = |transaction: &Transaction| transaction.detail.as_deref() == Some(SECOND);
    for (place, transaction) in statement.transactions.iter().enumerate().rev() {
        if !second(transaction) && matches!(transaction.action, A::Buy | A::Sell) {
            waiting.entry(key(transaction)).or_default().push(place);
        }
    }
    let mut prices = Vec::new();
    let mut repeated = vec![false; statement.transactions.len()];
    for (place, transaction) in statement.transactions.iter().enumerate().filter(|(_, one)| second(one)) {
        // The first cash row with these words that no other investment row has taken, and that is near in time.
        if let Some(places) = waiting.get_mut(&key(transaction))
            && let Some(at) = (0..places.len()).rev().take(MOST_ALIKE).find(|&at| {
                let cash = &statement.transactions[places[at]];
                let days = cash.trade_date.days_since(transaction.trade_date).abs();
                days <= 10 && cash.shares == transaction.shares
            })
        {
            prices.push((places.remove(at), transaction.price, transaction.row));
            repeated[place] = true;
        }
    }
    for (cash, price, row) in prices {
        statement.transactions[cash].price = price;
        let reason = format!(
            "investment transaction: the same trade as the cash transaction in row {}",
            statement.transactions[cash].row
        );
        statement.ignored.push(RowNote { row, column: None, value: None, reason });
    }
    let mut place = 0;
    statement.transactions.retain(|_| {
        place += 1;
        !repeated[place - 1]
    });
    for transaction in &mut statement.transactions {
        if second(transaction) {
            transaction.detail = None;
        }
    }
    statement
}

const RULES: &[Rule] = &[
    (Starts("bought"), In(A::Buy), ""),
    (Starts("sold"), Out(A::Sell), ""),
    (Has("div:"), Do(A::Dividend), ""),
    (Starts("dividend"), Do(A::Dividend), ""),
    (Starts("income"), Do(A::Dividend), ""),
    (Starts("cash account interest"), Do(A::Interest), ""),
    (Starts("interest"), Do(A::Interest), ""),
    (Starts("account fee"), Do(A::Fee), ""),
    (Starts("etf dealing fee"), Do(A::Fee), "dealing"),
    (Starts("fee"), Do(A::Fee), ""),
    (Starts("reversal of account fee"), Do(A::Fee), "reversal"),
    (Starts("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("regular deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("payment by"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("payment"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("direct debit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("tax relief"), BySign(A::Deposit, A::Withdrawal), "tax_relief"),
    (Starts("cash transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("isa transfer"), BySign(A::TransferIn, A::TransferOut), ""),
];
