//! TD Ameritrade's transactions, as they were until its accounts went to Schwab: what happened is a sentence, shares are
//! written without a sign, and the last line is `***END OF FILE***`.

use super::row::{Row, normal, side_unsaid};
use super::{Class, Classify, Dialect, Footer, Kind, Role, Rule, Words, look_up, needed, optional};
use crate::Action as A;
use crate::formats::{Format, FormatInfo};

use Kind::{BySign, Do, In, Out};
use Words::{Has, Starts};

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "td-ameritrade-csv",
        title: "TD Ameritrade, transactions (CSV)",
        extensions: &["csv"],
        example: "DATE,TRANSACTION ID,DESCRIPTION,QUANTITY,SYMBOL,PRICE,COMMISSION,AMOUNT,REG FEE,…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read_sides(super::read(&DIALECT, text, options)),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "td-ameritrade-csv",
    columns: &[
        needed(Role::Date, &["date"]),
        needed(Role::Id, &["transaction id"]),
        needed(Role::Action, &["description"]),
        needed(Role::Description, &["description"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Price, &["price"]),
        needed(Role::Amount, &["amount"]),
        optional(Role::Fee, &["commission"]),
        optional(Role::Fee, &["reg fee"]),
        optional(Role::Fee, &["short-term rdm fee"]),
        optional(Role::Fee, &["fund redemption fee"]),
        optional(Role::Fee, &["deferred sales charge"]),
        optional(Role::Account, &["account", "account number"]),
    ],
    classify: Classify::With(classify),
    words_per_action: 4,
    footers: &[Footer::ToEnd("***end of file***")],
    ..Dialect::PLAIN
};

fn classify(row: &Row<'_>) -> Option<Class> {
    Some(side_unsaid(row, look_up(RULES, &normal(row.text(Role::Action)))?))
}

const RULES: &[Rule] = &[
    (Starts("bought to open"), In(A::OptionOpen), "long"),
    (Starts("sold to open"), Out(A::OptionOpen), "short"),
    (Starts("bought to close"), In(A::OptionClose), "short"),
    (Starts("sold to close"), Out(A::OptionClose), "long"),
    (Starts("bought to cover"), In(A::Buy), "short_cover"),
    (Starts("sold short"), Out(A::Sell), "short_sale"),
    (Starts("removal of option due to expiration"), Do(A::OptionExpire), ""),
    (Starts("removal of option due to assignment"), Do(A::OptionAssign), ""),
    (Starts("removal of option due to exercise"), Do(A::OptionExercise), ""),
    (Starts("bought"), In(A::Buy), ""),
    (Starts("sold"), Out(A::Sell), ""),
    (Has("dividend reinvest"), In(A::Reinvest), ""),
    (Starts("ordinary dividend"), Do(A::Dividend), ""),
    (Starts("qualified dividend"), Do(A::Dividend), "qualified"),
    (Starts("non-taxable dividend"), Do(A::Dividend), "tax_exempt"),
    (Starts("non-taxable dividends"), Do(A::Dividend), "tax_exempt"),
    (Starts("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Has("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("long term gain distribution"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("short term capital gains"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("short term gain distribution"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("return of capital"), Do(A::ReturnOfCapital), ""),
    (Starts("margin interest"), Do(A::Interest), "margin"),
    (Starts("free balance interest"), Do(A::Interest), ""),
    (Starts("cash alternatives interest"), Do(A::Interest), ""),
    (Starts("off-cycle interest"), Do(A::Interest), ""),
    (Starts("money market interest"), Do(A::Interest), ""),
    (Starts("interest"), Do(A::Interest), ""),
    (Starts("w-8 withholding"), Do(A::TaxWithheld), "non_resident"),
    (Starts("foreign tax withheld"), Do(A::TaxWithheld), "foreign"),
    (Starts("backup withholding"), Do(A::TaxWithheld), "backup"),
    (Starts("adr fee"), Do(A::Fee), "adr_fee"),
    (Starts("mandatory reorganization fee"), Do(A::Fee), ""),
    (Starts("misc fee"), Do(A::Fee), ""),
    (Starts("client requested electronic funding"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("third party electronic funding"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("wire incoming"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Starts("wire outgoing"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Starts("personal check"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Starts("check"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Starts("internal transfer"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Starts("transfer of security or option in"), In(A::TransferIn), ""),
    (Starts("transfer of security or option out"), Out(A::TransferOut), ""),
    (Starts("cash movement of incoming account transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("cash movement of outgoing account transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("stock split"), Do(A::Split), ""),
    (Starts("stock dividend"), Do(A::Split), "stock_dividend"),
    (Has("- name change"), Do(A::Merger), "name_change"),
    (Has("- exchange"), Do(A::Merger), "exchange"),
    (Has("- reverse split"), Do(A::Split), "reverse"),
    (Has("spin-off"), Do(A::Spinoff), ""),
];
