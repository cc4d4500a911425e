//! Merrill's activity.
//!
//! Blanks stand before the commas, lone commas between the rows. What happened is the beginning of the description; there
//! is no column for it. The layout since 2026 has no trade date: its dates are those of settlement.

use super::row::Row;
use super::{Ask, Classify, Dialect, Footer, Kind, Role, Rule, Words, needed, optional};
use crate::formats::{Format, FormatInfo};
use crate::{Action as A, Transaction};

use Kind::{BySign, Do, In, Out};
use Words::Starts;

const ID: &str = "merrill-activity-csv";

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: ID,
        title: "Merrill, activity (CSV)",
        extensions: &["csv"],
        example: "\"Trade Date\" ,\"Settlement Date\" ,\"Account\" ,\"Description\" ,\"Type\" ,\"Symbol/ CUSIP\" ,…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["trade date", "settlement date"]),
        needed(Role::Action, &["description", "description 1"]),
        needed(Role::Description, &["description", "description 1"]),
        needed(Role::Symbol, &["symbol/ cusip", "symbol/cusip", "symbol/ cusip #", "symbol/cusip #"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["price"]),
        needed(Role::Amount, &["amount"]),
        optional(Role::SettleDate, &["settlement date"]),
        optional(Role::Account, &["account", "account #", "account number"]),
        optional(Role::Class, &["type"]),
    ],
    classify: Classify::Words(RULES),
    words_per_action: 2,
    footers: &[Footer::Undated("total"), Footer::LongText(80)],
    account_between: Some(("selected account(s):", "")),
    ask: Some(settlement_only),
    ..Dialect::PLAIN
};

/// Where the file has no trade date, the day that counts for tax is a day or two before the one it has.
fn settlement_only(row: &Row<'_>, transaction: &Transaction) -> Option<Ask> {
    let settles = row.header.place(Role::Date) == row.header.place(Role::SettleDate);
    (settles && matches!(transaction.action, A::Buy | A::Sell | A::OptionOpen | A::OptionClose)).then_some(Ask {
        key: "settlement-date-only",
        text: "The file dates trades by settlement. Holding periods and tax years go by the trade date, which is a day \
               or two before. Is the settlement date good enough?",
        proposed: "use the settlement date",
    })
}

const RULES: &[Rule] = &[
    // Options come before trades, whose words begin alike.
    (Starts("purchase to open"), In(A::OptionOpen), "long"),
    (Starts("purchase opening"), In(A::OptionOpen), "long"),
    (Starts("sale to open"), Out(A::OptionOpen), "short"),
    (Starts("sale opening"), Out(A::OptionOpen), "short"),
    (Starts("purchase to close"), In(A::OptionClose), "short"),
    (Starts("purchase closing"), In(A::OptionClose), "short"),
    (Starts("sale to close"), Out(A::OptionClose), "long"),
    (Starts("sale closing"), Out(A::OptionClose), "long"),
    (Starts("option expiration"), Do(A::OptionExpire), ""),
    (Starts("option expired"), Do(A::OptionExpire), ""),
    (Starts("expired"), Do(A::OptionExpire), ""),
    (Starts("option assigned"), Do(A::OptionAssign), ""),
    (Starts("option assignment"), Do(A::OptionAssign), ""),
    (Starts("option exercised"), Do(A::OptionExercise), ""),
    (Starts("short sale"), Out(A::Sell), "short_sale"),
    (Starts("cover purchase"), In(A::Buy), "short_cover"),
    // Trades.
    (Starts("purchase"), In(A::Buy), ""),
    (Starts("sale"), Out(A::Sell), ""),
    (Starts("redemption"), Out(A::Sell), "redemption"),
    (Starts("reinvestment share(s)"), In(A::Reinvest), ""),
    (Starts("reinvestment shares"), In(A::Reinvest), ""),
    (Starts("reinvestment program"), Kind::Ignore("cash for shares that stand in a row of their own"), ""),
    (Starts("reinvest"), In(A::Reinvest), ""),
    // Income.
    (Starts("qualified dividend"), Do(A::Dividend), "qualified"),
    (Starts("dividend"), Do(A::Dividend), ""),
    (Starts("foreign dividend"), Do(A::Dividend), "foreign"),
    (Starts("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("substitute payment"), Do(A::Dividend), "payment_in_lieu"),
    (Starts("long term capital gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("lt capital gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("short term capital gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("st capital gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("return of capital"), Do(A::ReturnOfCapital), ""),
    (Starts("principal payment"), Do(A::ReturnOfCapital), "principal"),
    (Starts("bank interest"), Do(A::Interest), ""),
    (Starts("bond interest"), Do(A::Interest), "bond_interest"),
    (Starts("margin interest"), Do(A::Interest), "margin"),
    (Starts("interest"), Do(A::Interest), ""),
    (Starts("foreign tax"), Do(A::TaxWithheld), "foreign"),
    (Starts("withholding"), Do(A::TaxWithheld), ""),
    (Starts("tax withheld"), Do(A::TaxWithheld), ""),
    (Starts("federal tax"), Do(A::TaxWithheld), "federal"),
    (Starts("state tax"), Do(A::TaxWithheld), "state"),
    (Starts("depository bank"), Do(A::Fee), "adr_fee"),
    (Starts("adr fee"), Do(A::Fee), "adr_fee"),
    (Starts("advisory fee"), Do(A::Fee), "advisor_fee"),
    (Starts("inv. advisory fee"), Do(A::Fee), "advisor_fee"),
    (Starts("annual fee"), Do(A::Fee), ""),
    (Starts("wire fee"), Do(A::Fee), "wire"),
    (Starts("transaction fee"), Do(A::Fee), ""),
    (Starts("fee"), Do(A::Fee), ""),
    // Cash and shares that move.
    (Starts("funds received"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("funds transfer"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("funds paid"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("direct deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("check"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Starts("bill payment"), BySign(A::Deposit, A::Withdrawal), "bill"),
    (Starts("visa"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Starts("wire"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Starts("pre authdebit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("ach"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("contribution"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("distribution"), BySign(A::Deposit, A::Withdrawal), "distribution"),
    (Starts("rollover"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("journal"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Starts("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("security transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("bank deposit"), Kind::Sweep, "sweep"),
    (Starts("bank withdrawal"), Kind::Sweep, "sweep"),
    // Corporate actions.
    (Starts("stock dividend"), Do(A::Split), "stock_dividend"),
    (Starts("stock split"), Do(A::Split), ""),
    (Starts("split"), Do(A::Split), ""),
    (Starts("reverse split"), Do(A::Split), "reverse"),
    (Starts("spin-off"), Do(A::Spinoff), ""),
    (Starts("spinoff"), Do(A::Spinoff), ""),
    (Starts("merger"), Do(A::Merger), ""),
    (Starts("exchange"), Do(A::Merger), "exchange"),
    (Starts("name change"), Do(A::Merger), "name_change"),
    (Starts("conversion"), Do(A::Merger), "conversion"),
    (Starts("adjustment"), Do(A::Other), "adjustment"),
];
