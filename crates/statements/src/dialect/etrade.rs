//! E*TRADE's transactions, in the layout up to 2024 and the one since.
//!
//! Both have lines above the header and may have a blank line below it. A dividend that buys shares is called `Dividend` and
//! has a quantity and a negative amount. An option stands in the symbol or in the description; `Bought` and `Sold` alone
//! say whether it opens or closes only in the description.

use lotwise_core::Money;

use super::row::{Row, contract, normal, side_unsaid};
use super::sections::Part;
use super::{Class, Classify, Dialect, Footer, Kind, Role, Rule, Words, look_up, needed, optional};
use crate::Action as A;
use crate::cell::DateStyle;
use crate::formats::{Format, FormatInfo};

use Kind::{BySign, Do, In, Out};
use Words::{Has, Is, Starts};

const ID: &str = "etrade-transactions-csv";

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: ID,
        title: "E*TRADE, transactions (CSV)",
        extensions: &["csv"],
        example: "Activity/Trade Date,Transaction Date,Settlement Date,Activity Type,Description,Symbol,…",
    },
    recognise: |sniff| super::recognise_parts(PARTS, sniff),
    read: |text, options| super::read_sides(super::read_parts(ID, PARTS, text, options)),
};

static PARTS: &[Part] = &[Part::Events(&NEW), Part::Events(&OLD)];

pub(crate) static NEW: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["activity/trade date", "activity date"]),
        needed(Role::Action, &["activity type"]),
        needed(Role::Description, &["description"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["quantity #", "quantity"]),
        needed(Role::Price, &["price $", "price"]),
        needed(Role::Amount, &["amount $", "amount"]),
        optional(Role::SettleDate, &["settlement date"]),
        optional(Role::Cusip, &["cusip"]),
        optional(Role::Fee, &["commission"]),
        optional(Role::Account, &["account", "account number"]),
    ],
    account_between: Some(("account ", " | ")),
    ..SHARED
};

pub(crate) static OLD: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["transactiondate"]),
        needed(Role::Action, &["transactiontype"]),
        needed(Role::Class, &["securitytype"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Amount, &["amount"]),
        needed(Role::Price, &["price"]),
        optional(Role::Fee, &["commission"]),
        optional(Role::Description, &["description"]),
    ],
    account_between: Some(("for account:", "")),
    ..SHARED
};

/// What both layouts share.
const SHARED: Dialect = Dialect {
    id: ID,
    dates: &[DateStyle::MonthDayYear, DateStyle::Iso],
    classify: Classify::With(classify),
    footers: &[Footer::Starts("total:"), Footer::LongText(60)],
    ..Dialect::PLAIN
};

fn classify(row: &Row<'_>) -> Option<Class> {
    let class = look_up(RULES, &normal(row.text(Role::Action)))?;
    let plain = |kind: Kind, detail: &'static str| Some(Class { kind, detail: Some(detail) });
    let description = normal(row.text(Role::Description));
    let has = |word: &str| description.contains(word);
    let option = || row.text(Role::Class).eq_ignore_ascii_case("optn") || contract(row).is_some();
    match class.kind {
        Do(A::Dividend) => {
            let moves_shares = row.shares().ok().flatten().is_some();
            let pays = row.money(Role::Amount).ok().flatten().is_some_and(Money::is_negative);
            if moves_shares && pays {
                Some(Class { kind: In(A::Reinvest), detail: None })
            } else {
                look_up(DIVIDENDS, &description).or(Some(class))
            }
        }
        In(A::Buy) | Out(A::Sell) if option() => {
            let buys = class.kind == In(A::Buy);
            let opens = has("opening") || matches!(class.detail, Some("short_sale"));
            let closes = has("closing") || matches!(class.detail, Some("short_cover"));
            match (buys, opens, closes) {
                (true, true, false) => plain(In(A::OptionOpen), "long"),
                (false, true, false) => plain(Out(A::OptionOpen), "short"),
                (true, false, true) => plain(In(A::OptionClose), "short"),
                (false, false, true) => plain(Out(A::OptionClose), "long"),
                // A contract that the row names is told by what is held of it.
                (_, false, false) if contract(row).is_some() => Some(side_unsaid(row, class)),
                _ => None,
            }
        }
        In(A::Buy) | Out(A::Sell) if class.detail.is_none() && has("assign") => plain(class.kind, "by_assignment"),
        In(A::Buy) | Out(A::Sell) if class.detail.is_none() && has("exercis") => plain(class.kind, "by_exercise"),
        _ => Some(class),
    }
}

/// What the words in a dividend's description make of it.
const DIVIDENDS: &[Rule] = &[
    (Has("lt cap gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Has("long term cap"), Do(A::CapitalGainDistribution), "long_term"),
    (Has("long-term cap"), Do(A::CapitalGainDistribution), "long_term"),
    (Has("st cap gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Has("short term cap"), Do(A::CapitalGainDistribution), "short_term"),
    (Has("short-term cap"), Do(A::CapitalGainDistribution), "short_term"),
    (Has("return of capital"), Do(A::ReturnOfCapital), ""),
    (Has("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
    (Has("in lieu of dividend"), Do(A::Dividend), "payment_in_lieu"),
];

const RULES: &[Rule] = &[
    // Trades.
    (Is("bought"), In(A::Buy), ""),
    (Is("buy"), In(A::Buy), ""),
    (Is("sold"), Out(A::Sell), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("sold short"), Out(A::Sell), "short_sale"),
    (Is("bought to cover"), In(A::Buy), "short_cover"),
    (Is("dividend reinvestment"), In(A::Reinvest), ""),
    (Is("reinvestment"), In(A::Reinvest), ""),
    (Is("redemption"), Out(A::Sell), "redemption"),
    (Is("bond redemption"), Out(A::Sell), "redemption"),
    // Options.
    (Is("bought to open"), In(A::OptionOpen), "long"),
    (Is("sold to open"), Out(A::OptionOpen), "short"),
    (Is("bought to close"), In(A::OptionClose), "short"),
    (Is("sold to close"), Out(A::OptionClose), "long"),
    (Is("option expiration"), Do(A::OptionExpire), ""),
    (Is("option expired"), Do(A::OptionExpire), ""),
    (Is("expired"), Do(A::OptionExpire), ""),
    (Is("option assigned"), Do(A::OptionAssign), ""),
    (Is("option assignment"), Do(A::OptionAssign), ""),
    (Is("assigned"), Do(A::OptionAssign), ""),
    (Is("option exercised"), Do(A::OptionExercise), ""),
    (Is("option exercise"), Do(A::OptionExercise), ""),
    (Is("exercised"), Do(A::OptionExercise), ""),
    // Dividends and interest.
    (Is("dividend"), Do(A::Dividend), ""),
    (Is("cash dividend"), Do(A::Dividend), ""),
    (Is("qualified dividend"), Do(A::Dividend), "qualified"),
    (Is("non-qualified dividend"), Do(A::Dividend), "not_qualified"),
    (Is("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Is("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("lt cap gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("st cap gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("long term cap"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("short term cap"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("long term capital gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("short term capital gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Is("capital gain"), Do(A::CapitalGainDistribution), ""),
    (Is("return of capital"), Do(A::ReturnOfCapital), ""),
    (Is("interest"), Do(A::Interest), ""),
    (Is("interest income"), Do(A::Interest), ""),
    (Is("credit interest"), Do(A::Interest), ""),
    (Is("bond interest"), Do(A::Interest), "bond_interest"),
    (Is("margin interest"), Do(A::Interest), "margin"),
    (Is("interest expense"), Do(A::Interest), "margin"),
    (Is("foreign tax"), Do(A::TaxWithheld), "foreign"),
    (Is("foreign tax withheld"), Do(A::TaxWithheld), "foreign"),
    (Is("tax withholding"), Do(A::TaxWithheld), ""),
    (Is("tax withheld"), Do(A::TaxWithheld), ""),
    (Is("fee"), Do(A::Fee), ""),
    (Is("service fee"), Do(A::Fee), ""),
    (Is("adr fee"), Do(A::Fee), "adr_fee"),
    (Is("reorganization fee"), Do(A::Fee), ""),
    (Is("wire fee"), Do(A::Fee), "wire"),
    // Cash and shares that move.
    (Is("transfer"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("online transfer"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("transfers"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("ach"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("ach transfer"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("direct deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("direct debit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("funds received"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("funds paid"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("wire"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("wire transfer"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("wire in"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("wire out"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("check"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Is("check deposit"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Is("bill payment"), BySign(A::Deposit, A::Withdrawal), "bill"),
    (Is("pos"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Is("atm"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Is("contribution"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Is("distribution"), BySign(A::Deposit, A::Withdrawal), "distribution"),
    (Is("journal"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Is("internal transfer"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Is("account transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("security transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("acat"), BySign(A::TransferIn, A::TransferOut), "acats"),
    (Is("acats"), BySign(A::TransferIn, A::TransferOut), "acats"),
    (Is("sweep"), Kind::Sweep, "sweep"),
    // Corporate actions.
    (Is("stock split"), Do(A::Split), ""),
    (Is("forward split"), Do(A::Split), ""),
    (Is("split"), Do(A::Split), ""),
    (Is("reverse split"), Do(A::Split), "reverse"),
    (Is("stock dividend"), Do(A::Split), "stock_dividend"),
    (Is("spin-off"), Do(A::Spinoff), ""),
    (Is("spinoff"), Do(A::Spinoff), ""),
    (Is("merger"), Do(A::Merger), ""),
    (Is("cash merger"), Do(A::Merger), "cash"),
    (Is("name change"), Do(A::Merger), "name_change"),
    (Is("exchange"), Do(A::Merger), "exchange"),
    (Is("exchanged"), Do(A::Merger), "exchange"),
    (Is("conversion"), Do(A::Merger), "conversion"),
    (Is("tender"), Do(A::Merger), "tender"),
    (Is("reorganization"), Do(A::Merger), "exchange"),
    // The rest that we know by name.
    (Is("stock plan"), Do(A::Grant), "equity_award"),
    (Is("restricted stock"), Do(A::Grant), "equity_award"),
    (Is("adjustment"), Do(A::Other), "adjustment"),
    (Is("misc trade"), Do(A::Other), "miscellaneous"),
    (Is("other"), Do(A::Other), "miscellaneous"),
];
