//! Vanguard's download (`OfxDownload.csv`): holdings, blank lines, transactions; every line ends in a comma. Newer reports
//! have the transactions alone, under other names.

use super::row::{Row, normal};
use super::sections::Part;
use super::{Class, Classify, Dialect, Footer, Kind, Role, Rule, Words, look_up, needed, optional};
use crate::Action as A;
use crate::cell::DateStyle;
use crate::formats::{Format, FormatInfo};

use Kind::{ByShares, BySign, Do, In, Out};
use Words::{Has, Is, Starts};

const ID: &str = "vanguard-download-csv";

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: ID,
        title: "Vanguard, download (CSV)",
        extensions: &["csv"],
        example: "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,",
    },
    recognise: |sniff| super::recognise_parts(PARTS, sniff),
    read: |text, options| super::read_parts(ID, PARTS, text, options),
};

static PARTS: &[Part] = &[Part::Events(&TRANSACTIONS), Part::Events(&REPORT), Part::Holdings(&HOLDINGS)];

static HOLDINGS: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Account, &["account number"]),
        needed(Role::Description, &["investment name"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["shares"]),
        needed(Role::Price, &["share price"]),
        needed(Role::Amount, &["total value"]),
    ],
    ..Dialect::PLAIN
};

pub(crate) static TRANSACTIONS: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["trade date"]),
        needed(Role::Action, &["transaction type"]),
        needed(Role::Description, &["transaction description"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["shares"]),
        needed(Role::Price, &["share price"]),
        needed(Role::Amount, &["net amount"]),
        optional(Role::Account, &["account number"]),
        optional(Role::SettleDate, &["settlement date"]),
        optional(Role::AccountName, &["account name"]),
        optional(Role::Fee, &["commissions and fees", "commission fees", "commission"]),
        optional(Role::Fee, &["fees"]),
        optional(Role::Code, &["investment name"]),
    ],
    dates: &[DateStyle::Iso, DateStyle::MonthDayYear],
    classify: Classify::With(classify),
    footers: &[Footer::LongText(60)],
    finish: Some(|row, transaction| {
        let name = row.text(Role::Code).split_whitespace().collect::<Vec<_>>().join(" ");
        if !name.is_empty() {
            transaction.description = format!("{} | {name}", transaction.description);
        }
        Ok(())
    }),
    ..Dialect::PLAIN
};

static REPORT: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::SettleDate, &["settlement date"]),
        needed(Role::Date, &["trade date"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Description, &["name", "investment name"]),
        needed(Role::Action, &["transaction type"]),
        needed(Role::Class, &["account type"]),
        needed(Role::Shares, &["quantity", "shares"]),
        needed(Role::Price, &["price", "share price"]),
        needed(Role::Amount, &["amount", "net amount"]),
        optional(
            Role::Fee,
            &[
                "commissions & fees",
                "commission & fees",
                "commission and fees",
                "commissions and fees",
                "commissions & fees*",
                "fees",
            ],
        ),
        optional(Role::Account, &["account number", "account"]),
    ],
    dates: &[DateStyle::Iso, DateStyle::MonthDayYear],
    classify: Classify::With(classify),
    footers: &[Footer::LongText(60)],
    ..Dialect::PLAIN
};

fn classify(row: &Row<'_>) -> Option<Class> {
    let class = look_up(RULES, &normal(row.text(Role::Action)))?;
    let description = normal(row.text(Role::Description));
    match class.kind {
        Do(A::Dividend) => look_up(DISTRIBUTIONS, &description).or(Some(class)),
        _ => Some(class),
    }
}

/// What the words in a dividend's description make of it.
const DISTRIBUTIONS: &[Rule] = &[
    (Has("long-term capital gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Has("short-term capital gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Has("return of capital"), Do(A::ReturnOfCapital), ""),
    (Has("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
];

const RULES: &[Rule] = &[
    // Options come before trades, whose words begin alike.
    (Is("buy to open"), In(A::OptionOpen), "long"),
    (Is("sell to open"), Out(A::OptionOpen), "short"),
    (Is("buy to close"), In(A::OptionClose), "short"),
    (Is("sell to close"), Out(A::OptionClose), "long"),
    (Is("expired"), Do(A::OptionExpire), ""),
    (Is("expiration"), Do(A::OptionExpire), ""),
    (Is("assigned"), Do(A::OptionAssign), ""),
    (Is("assignment"), Do(A::OptionAssign), ""),
    (Is("exercised"), Do(A::OptionExercise), ""),
    // Trades.
    (Is("buy"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("buy (exchange)"), In(A::Buy), "exchange"),
    (Is("sell (exchange)"), Out(A::Sell), "exchange"),
    (Is("exchange"), ByShares(A::Buy, A::Sell), "exchange"),
    (Is("sell short"), Out(A::Sell), "short_sale"),
    (Is("buy to cover"), In(A::Buy), "short_cover"),
    (Starts("reinvestment"), In(A::Reinvest), ""),
    (Is("dividend reinvestment"), In(A::Reinvest), ""),
    (Is("redemption"), Out(A::Sell), "redemption"),
    (Is("corp action (redemption)"), Out(A::Sell), "redemption"),
    (Is("corp action (partial call)"), Out(A::Sell), "redemption"),
    // Income.
    (Is("dividend"), Do(A::Dividend), ""),
    (Is("dividend received"), Do(A::Dividend), ""),
    (Is("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Is("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
    (Is("corp action (cash in lieu)"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("capital gain (lt)"), Do(A::CapitalGainDistribution), "long_term"),
    (Is("long-term capital gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Is("lt cap gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("capital gain (st)"), Do(A::CapitalGainDistribution), "short_term"),
    (Is("short-term capital gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Is("st cap gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Is("return of capital"), Do(A::ReturnOfCapital), ""),
    (Is("interest"), Do(A::Interest), ""),
    (Is("bond interest"), Do(A::Interest), "bond_interest"),
    (Is("margin interest"), Do(A::Interest), "margin"),
    (Is("withholding"), Do(A::TaxWithheld), ""),
    (Is("tax withholding"), Do(A::TaxWithheld), ""),
    (Is("foreign tax"), Do(A::TaxWithheld), "foreign"),
    (Is("foreign tax withheld"), Do(A::TaxWithheld), "foreign"),
    (Is("fee"), Do(A::Fee), ""),
    (Is("advisory fee"), Do(A::Fee), "advisor_fee"),
    (Is("adr fee"), Do(A::Fee), "adr_fee"),
    // Cash and shares that move.
    (Is("sweep in"), Kind::Sweep, "sweep"),
    (Is("sweep out"), Kind::Sweep, "sweep"),
    (Is("sweep"), Kind::Sweep, "sweep"),
    (Is("funds received"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("funds sent"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("funds paid"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("wire"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("wire transfer"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("check"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Is("contribution"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Is("rollover (incoming)"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Is("distribution"), BySign(A::Deposit, A::Withdrawal), "distribution"),
    (Starts("transfer (incoming)"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("transfer (outgoing)"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("journal"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Starts("conversion (incoming)"), BySign(A::TransferIn, A::TransferOut), "conversion"),
    (Starts("conversion (outgoing)"), BySign(A::TransferIn, A::TransferOut), "conversion"),
    (Starts("roth conversion"), BySign(A::TransferIn, A::TransferOut), "roth_conversion"),
    (Is("recharacterization"), BySign(A::TransferIn, A::TransferOut), "recharacterization"),
    // Corporate actions.
    (Is("stock split"), Do(A::Split), ""),
    (Is("reverse split"), Do(A::Split), "reverse"),
    (Is("stock dividend"), Do(A::Split), "stock_dividend"),
    (Is("share class conversion"), Do(A::Merger), "conversion"),
    (Is("conversion"), Do(A::Merger), "conversion"),
    (Is("spin-off"), Do(A::Spinoff), ""),
    (Is("spinoff"), Do(A::Spinoff), ""),
    (Is("merger"), Do(A::Merger), ""),
    (Is("corp action (merger)"), Do(A::Merger), ""),
    (Is("corp action (exchange)"), Do(A::Merger), "exchange"),
    (Is("corp action (name change)"), Do(A::Merger), "name_change"),
    (Is("corp action (spinoff)"), Do(A::Spinoff), ""),
    (Is("corp action (split)"), Do(A::Split), ""),
    (Is("name change"), Do(A::Merger), "name_change"),
    (Is("adjustment"), Do(A::Other), "adjustment"),
];
