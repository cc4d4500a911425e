//! Interactive Brokers' Transaction History.
//!
//! Three sections; `-` is an empty cell; amounts are in the account's base currency and may be written
//! `-2.637591265E-4`; accounts are masked. A taken-back booking is a row of its own with the other sign, and both stay.

use super::option;
use super::row::{Fault, Row, contract, normal, side_unsaid};
use super::sections::{self, Part, Section};
use super::{Class, Classify, Dialect, FeeSign, Kind, Role, Rule, Words, look_up, needed, optional};
use crate::cell::DateStyle;
use crate::formats::{Confidence, Format, FormatInfo};
use crate::{Action as A, Transaction};

use Kind::{BySign, Do, In, Out};
use Words::Is;

const ID: &str = "ibkr-transaction-history-csv";

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: ID,
        title: "Interactive Brokers, Transaction History (CSV)",
        extensions: &["csv"],
        example: "Transaction History,Header,Date,Account,Description,Transaction Type,Symbol,Quantity,…",
    },
    recognise: |sniff| match sections::has_record(sniff.head, "transaction history", "header") {
        true => Confidence::Sure,
        false => Confidence::No,
    },
    read: |text, options| super::read_sides(sections::read(ID, SECTIONS, text, options)),
};

static SECTIONS: &[Section] =
    &[("Statement", Part::Facts), ("Summary", Part::Facts), ("Transaction History", Part::Events(&DIALECT))];

static DIALECT: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["date"]),
        needed(Role::Description, &["description"]),
        needed(Role::Action, &["transaction type"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["price"]),
        needed(Role::Amount, &["net amount"]),
        optional(Role::Fee, &["commission"]),
        optional(Role::Account, &["account"]),
    ],
    dates: &[DateStyle::Iso, DateStyle::Compact],
    classify: Classify::With(classify),
    fees: FeeSign::CostNegative,
    finish: Some(finish),
    ..Dialect::PLAIN
};

fn classify(row: &Row<'_>) -> Option<Class> {
    let class = look_up(RULES, &normal(row.text(Role::Action)))?;
    if option::named_in(row.text(Role::Symbol)).is_some() {
        let sided = side_unsaid(row, class);
        if sided.detail != class.detail {
            return Some(sided);
        }
    }
    let description = normal(row.text(Role::Description));
    let stock_leg = |detail| Some(Class { kind: Kind::ByShares(A::Buy, A::Sell), detail: Some(detail) });
    let refined = match class.kind {
        // The shares that an option moved have a row of the same name.
        Do(A::OptionAssign) if contract(row).is_none() => stock_leg("by_assignment"),
        Do(A::OptionExercise) if contract(row).is_none() => stock_leg("by_exercise"),
        Do(A::Dividend) => look_up(DIVIDENDS, &description),
        _ => None,
    };
    Some(refined.unwrap_or(class))
}

/// The ISIN behind the ticker in a description, and currency pairs that are no security.
fn finish(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    if transaction.detail.as_deref() == Some("forex") {
        (transaction.symbol, transaction.shares) = (None, None);
    }
    if transaction.cusip.is_none() {
        transaction.cusip = super::ibkr_activity::isin_in(row.text(Role::Description));
    }
    Ok(())
}

/// What the words in a dividend's description make of it.
pub(super) const DIVIDENDS: &[Rule] = &[
    (Words::Has("(return of capital)"), Do(A::ReturnOfCapital), ""),
    (Words::Has("return of capital"), Do(A::ReturnOfCapital), ""),
    (Words::Has("long term capital gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Words::Has("short term capital gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Words::Has("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Words::Has("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
];

const RULES: &[Rule] = &[
    (Is("buy"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("dividend"), Do(A::Dividend), ""),
    (Is("dividend reinvestment"), In(A::Reinvest), ""),
    (Is("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Is("payment in lieu of dividend"), Do(A::Dividend), "payment_in_lieu"),
    (Is("return of capital"), Do(A::ReturnOfCapital), ""),
    (Is("credit interest"), Do(A::Interest), ""),
    (Is("debit interest"), Do(A::Interest), "margin"),
    (Is("bond interest"), Do(A::Interest), "bond_interest"),
    (Is("bond interest received"), Do(A::Interest), "bond_interest"),
    (Is("bond interest paid"), Do(A::Interest), "bond_interest"),
    (Is("investment interest received"), Do(A::Interest), "bond_interest"),
    (Is("investment interest paid"), Do(A::Interest), "bond_interest"),
    (Is("stock yield enhancement program"), Do(A::Interest), "stock_lending"),
    (Is("syep interest"), Do(A::Interest), "stock_lending"),
    (Is("foreign tax withholding"), Do(A::TaxWithheld), "foreign"),
    (Is("withholding tax"), Do(A::TaxWithheld), ""),
    (Is("us tax withholding"), Do(A::TaxWithheld), ""),
    (Is("tax withholding"), Do(A::TaxWithheld), ""),
    (Is("other fee"), Do(A::Fee), ""),
    (Is("fee"), Do(A::Fee), ""),
    (Is("broker fee"), Do(A::Fee), ""),
    (Is("advisor fee"), Do(A::Fee), "advisor_fee"),
    (Is("transaction fee"), Do(A::Fee), "transaction_fee"),
    (Is("transaction fees"), Do(A::Fee), "transaction_fee"),
    (Is("sales tax"), Do(A::Fee), "sales_tax"),
    (Is("commission adjustment"), Do(A::Fee), "commission_adjustment"),
    (Is("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("disbursement"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("electronic fund transfer"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("cash transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("system transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("position transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("internal transfer"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Is("stock split"), Do(A::Split), ""),
    (Is("split"), Do(A::Split), ""),
    (Is("reverse split"), Do(A::Split), "reverse"),
    (Is("stock dividend"), Do(A::Split), "stock_dividend"),
    (Is("spinoff"), Do(A::Spinoff), ""),
    (Is("spin-off"), Do(A::Spinoff), ""),
    (Is("merger"), Do(A::Merger), ""),
    (Is("acquisition"), Do(A::Merger), ""),
    (Is("tender"), Do(A::Merger), "tender"),
    (Is("symbol change"), Do(A::Merger), "name_change"),
    (Is("assignment"), Do(A::OptionAssign), ""),
    (Is("exercise"), Do(A::OptionExercise), ""),
    (Is("expiration"), Do(A::OptionExpire), ""),
    (Is("grant"), Do(A::Grant), ""),
    (Is("forex trade component"), Do(A::Other), "forex"),
    (Is("adjustment"), Do(A::Other), "adjustment"),
    (Is("price adjustment"), Do(A::Other), "price_adjustment"),
];
