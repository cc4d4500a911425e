//! Lotwise's own CSV, described in `docs/formats.md`.

use super::{AmountMeaning, Classify, Dialect, Kind, Role, Rule, Words, needed, optional};
use crate::Action;
use crate::cell::DateStyle;
use crate::formats::{Format, FormatInfo};

use Action as A;
use Kind::{BySign, Do, In, Out};
use Words::Is;

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "lotwise-csv",
        title: "Lotwise, transactions (CSV)",
        extensions: &["csv"],
        example: "date,action,symbol,shares,price,amount,fees",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "lotwise-csv",
    columns: &[
        needed(Role::Date, &["date", "trade_date"]),
        needed(Role::Action, &["action"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["shares"]),
        needed(Role::Amount, &["amount"]),
        optional(Role::Price, &["price"]),
        optional(Role::Fee, &["fees", "fee"]),
        optional(Role::Account, &["account"]),
        optional(Role::SettleDate, &["settle_date"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Cusip, &["cusip"]),
        optional(Role::Ratio, &["split_ratio"]),
        optional(Role::Id, &["id"]),
        optional(Role::Detail, &["detail"]),
        optional(Role::Description, &["description", "note"]),
    ],
    only_known_columns: true,
    dates: &[DateStyle::Iso],
    classify: Classify::Words(RULES),
    amount: AmountMeaning::NetOrComputed,
    ..Dialect::PLAIN
};

const RULES: &[Rule] = &[
    (Is("buy"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("reinvest"), In(A::Reinvest), ""),
    (Is("dividend"), Do(A::Dividend), ""),
    (Is("capital_gain_distribution"), Do(A::CapitalGainDistribution), ""),
    (Is("interest"), Do(A::Interest), ""),
    (Is("tax_withheld"), Do(A::TaxWithheld), ""),
    (Is("fee"), Do(A::Fee), ""),
    (Is("deposit"), Do(A::Deposit), ""),
    (Is("withdrawal"), Do(A::Withdrawal), ""),
    (Is("transfer_in"), In(A::TransferIn), ""),
    (Is("transfer_out"), Out(A::TransferOut), ""),
    (Is("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("split"), Do(A::Split), ""),
    (Is("spinoff"), Do(A::Spinoff), ""),
    (Is("merger"), Do(A::Merger), ""),
    (Is("return_of_capital"), Do(A::ReturnOfCapital), ""),
    (Is("option_open"), Do(A::OptionOpen), ""),
    (Is("option_close"), Do(A::OptionClose), ""),
    (Is("option_exercise"), Do(A::OptionExercise), ""),
    (Is("option_assign"), Do(A::OptionAssign), ""),
    (Is("option_expire"), Do(A::OptionExpire), ""),
    (Is("grant"), In(A::Grant), ""),
    (Is("other"), Do(A::Other), ""),
];
