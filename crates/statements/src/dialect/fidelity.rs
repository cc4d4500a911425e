//! Fidelity's account history (`Accounts_History.csv` and the older `History_for_Account_….csv`).
//!
//! The action is a sentence that begins with what happened and goes on with the security's name, often cut short;
//! an effective date may stand inside it (`INTEREST EARNED as of Dec-30-2025 (Cash)`). Rows without shares carry the
//! quantity `0.000`. Legal text and the date of the download stand below the table.

use super::row::{Fault, Row};
use super::{Classify, Dialect, Footer, Kind, Role, Rule, Words, needed, optional};
use crate::cell::{self, DateStyle};
use crate::formats::{Format, FormatInfo};
use crate::{Action as A, Transaction};

use Kind::{BySign, Do, In, Out};
use Words::{Has, Starts};

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "fidelity-history-csv",
        title: "Fidelity, account history (CSV)",
        extensions: &["csv"],
        example: "Run Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "fidelity-history-csv",
    columns: &[
        needed(Role::Date, &["run date"]),
        needed(Role::Action, &["action"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Description, &["description", "security description"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["price"]),
        needed(Role::Amount, &["amount"]),
        optional(Role::Fee, &["commission"]),
        optional(Role::Fee, &["fees"]),
        optional(Role::Account, &["account number", "account #"]),
        optional(Role::AccountName, &["account", "account name"]),
        optional(Role::SettleDate, &["settlement date"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Class, &["type", "security type"]),
    ],
    dates: &[DateStyle::MonthDayYear, DateStyle::MonthName, DateStyle::Iso],
    classify: Classify::Words(RULES),
    words_per_action: 3,
    footers: &[
        Footer::Starts("date downloaded"),
        Footer::ToEnd("the data and information in this spreadsheet"),
        Footer::ToEnd("brokerage services are provided"),
        Footer::LongText(60),
    ],
    finish: Some(effective_date),
    ..Dialect::PLAIN
};

/// Moves the trade date to the `as of` date inside the action, and completes the description.
fn effective_date(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let action = row.text(Role::Action);
    // ASCII case folding keeps byte positions.
    let lower = action.to_ascii_lowercase();
    if let Some(start) = lower.find(" as of ") {
        let text = action.get(start + " as of ".len()..).unwrap_or_default();
        let text = text.split([' ', '(']).next().unwrap_or_default();
        let effective = cell::date(text, DIALECT.dates)
            .ok_or_else(|| row.fault(Role::Action, "the date behind \"as of\" is no date"))?;
        let booked = transaction.trade_date;
        transaction.trade_date = effective;
        transaction.settle_date = transaction.settle_date.or(Some(booked));
    }
    let name = std::mem::take(&mut transaction.description);
    let words = action.split_whitespace().collect::<Vec<_>>().join(" ");
    transaction.description = if name.is_empty() || name.eq_ignore_ascii_case("no description") {
        words
    } else {
        format!("{words} | {name}")
    };
    Ok(())
}

const RULES: &[Rule] = &[
    // Options come before trades, whose words begin alike.
    (Starts("you bought opening transaction"), In(A::OptionOpen), "long"),
    (Starts("you sold opening transaction"), Out(A::OptionOpen), "short"),
    (Starts("you bought closing transaction"), In(A::OptionClose), "short"),
    (Starts("you sold closing transaction"), Out(A::OptionClose), "long"),
    (Starts("you bought assigned"), In(A::Buy), "by_assignment"),
    (Starts("you sold assigned"), Out(A::Sell), "by_assignment"),
    (Starts("you bought exercised"), In(A::Buy), "by_exercise"),
    (Starts("you sold exercised"), Out(A::Sell), "by_exercise"),
    (Starts("you bought cancel"), Out(A::Other), "cancelled_buy"),
    (Starts("you sold cancel"), In(A::Other), "cancelled_sell"),
    (Starts("buy cancel"), Out(A::Other), "cancelled_buy"),
    (Starts("sell cancel"), In(A::Other), "cancelled_sell"),
    (Starts("buy canceled"), Out(A::Other), "cancelled_buy"),
    (Starts("sell canceled"), In(A::Other), "cancelled_sell"),
    (Starts("you sold short"), Out(A::Sell), "short_sale"),
    (Starts("short sale"), Out(A::Sell), "short_sale"),
    (Starts("buy to cover"), In(A::Buy), "short_cover"),
    (Starts("you bought short cover"), In(A::Buy), "short_cover"),
    (Starts("expired"), Do(A::OptionExpire), ""),
    (Starts("assigned"), Do(A::OptionAssign), ""),
    (Starts("exercised"), Do(A::OptionExercise), ""),
    // Trades.
    (Starts("you bought"), In(A::Buy), ""),
    (Starts("you sold"), Out(A::Sell), ""),
    (Starts("reinvestment"), In(A::Reinvest), ""),
    (Starts("redeemed"), Out(A::Sell), "redemption"),
    (Starts("redemption payout"), Out(A::Sell), "redemption"),
    (Starts("full call payout"), Out(A::Sell), "redemption"),
    (Starts("partial call payout"), Out(A::Sell), "redemption"),
    // The fund that holds the cash.
    (Starts("purchase into core account"), Kind::Sweep, "sweep"),
    (Starts("redemption from core account"), Kind::Sweep, "sweep"),
    (Starts("exchanged to core"), Kind::Sweep, "sweep"),
    // Dividends.
    (Starts("dividend received"), Do(A::Dividend), ""),
    (Starts("qualified dividend"), Do(A::Dividend), "qualified"),
    (Starts("dividend adjustment"), Do(A::Dividend), "adjustment"),
    (Starts("dividend adj"), Do(A::Dividend), "adjustment"),
    (Starts("adj div"), Do(A::Dividend), "adjustment"),
    (Starts("special dividend"), Do(A::Dividend), "special"),
    (Starts("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Starts("pymt in lieu"), Do(A::Dividend), "payment_in_lieu"),
    (Starts("substitute payment"), Do(A::Dividend), "payment_in_lieu"),
    (Starts("in lieu of frx share"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("in lieu of"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
    (Starts("long-term cap gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("long term cap gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("lt cap gain"), Do(A::CapitalGainDistribution), "long_term"),
    (Starts("undistributed long-term cap gain"), Do(A::CapitalGainDistribution), "long_term_undistributed"),
    (Starts("short-term cap gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("short term cap gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("st cap gain"), Do(A::CapitalGainDistribution), "short_term"),
    (Starts("return of capital"), Do(A::ReturnOfCapital), ""),
    (Starts("ret of cap"), Do(A::ReturnOfCapital), ""),
    (Starts("return capital"), Do(A::ReturnOfCapital), ""),
    (Starts("liquidation"), Do(A::ReturnOfCapital), "liquidation"),
    // Interest.
    (Starts("interest earned"), Do(A::Interest), ""),
    (Starts("interest payment"), Do(A::Interest), ""),
    (Starts("muni exempt int"), Do(A::Interest), "tax_exempt"),
    (Starts("muni taxable int"), Do(A::Interest), "bond_interest"),
    (Starts("margin interest"), Do(A::Interest), "margin"),
    (Starts("fully paid lending"), Do(A::Interest), "stock_lending"),
    (Starts("fpl interest"), Do(A::Interest), "stock_lending"),
    (Starts("interest"), Do(A::Interest), ""),
    // Taxes withheld.
    (Starts("non-resident tax"), Do(A::TaxWithheld), "non_resident"),
    (Starts("nonresident tax"), Do(A::TaxWithheld), "non_resident"),
    (Starts("nra tax"), Do(A::TaxWithheld), "non_resident"),
    (Starts("foreign tax"), Do(A::TaxWithheld), "foreign"),
    (Starts("adj foreign tax"), Do(A::TaxWithheld), "foreign"),
    (Starts("adj non-resident tax"), Do(A::TaxWithheld), "non_resident"),
    (Starts("backup withholding"), Do(A::TaxWithheld), "backup"),
    (Starts("fed tax w/h"), Do(A::TaxWithheld), "federal"),
    (Starts("federal tax withheld"), Do(A::TaxWithheld), "federal"),
    (Starts("fed withhold"), Do(A::TaxWithheld), "federal"),
    (Starts("state tax w/h"), Do(A::TaxWithheld), "state"),
    (Starts("state tax withheld"), Do(A::TaxWithheld), "state"),
    (Starts("tax withheld"), Do(A::TaxWithheld), ""),
    // Fees.
    (Starts("fee charged"), Do(A::Fee), ""),
    (Starts("adjust fee charged"), Do(A::Fee), "adjustment"),
    (Starts("adj fee charged"), Do(A::Fee), "adjustment"),
    (Starts("adr fee"), Do(A::Fee), "adr_fee"),
    (Starts("advisory fee"), Do(A::Fee), "advisor_fee"),
    (Starts("advisor fee"), Do(A::Fee), "advisor_fee"),
    (Starts("management fee"), Do(A::Fee), "advisor_fee"),
    (Starts("service charge"), Do(A::Fee), ""),
    (Starts("foreign security fee"), Do(A::Fee), ""),
    (Starts("recordkeeping fee"), Do(A::Fee), ""),
    (Starts("short-term trading fee"), Do(A::Fee), ""),
    (Starts("reorganization fee"), Do(A::Fee), ""),
    (Starts("account fee"), Do(A::Fee), ""),
    // Cash and shares that move.
    (Starts("electronic funds transfer received"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("electronic funds transfer paid"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("electronic funds transfer"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("eft"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("direct deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("direct debit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("check received"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Starts("check paid"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Starts("cash contribution"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("contribution"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("partic contr"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("co contr"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("rollover"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Starts("mobile deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Starts("wire transfer"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Starts("wire trans"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Starts("bill payment"), BySign(A::Deposit, A::Withdrawal), "bill"),
    (Starts("debit card purchase"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Starts("cash advance"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Starts("atm fee rebate"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Starts("normal distr"), BySign(A::Deposit, A::Withdrawal), "distribution"),
    (Starts("premature distr"), BySign(A::Deposit, A::Withdrawal), "distribution"),
    (Starts("early distr"), BySign(A::Deposit, A::Withdrawal), "distribution"),
    (Starts("transferred from"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("transferred to"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("transfer of assets"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("transfer of account"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("journaled"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Starts("shares deposited"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("delivered to"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("received from"), BySign(A::TransferIn, A::TransferOut), ""),
    (Starts("roth conversion"), BySign(A::TransferIn, A::TransferOut), "roth_conversion"),
    (Starts("conv to roth"), BySign(A::TransferIn, A::TransferOut), "roth_conversion"),
    (Starts("partial conv to roth"), BySign(A::TransferIn, A::TransferOut), "roth_conversion"),
    (Starts("recharacterization"), BySign(A::TransferIn, A::TransferOut), "recharacterization"),
    // Corporate actions.
    (Starts("distribution spinoff"), Do(A::Spinoff), ""),
    (Starts("distribution spin-off"), Do(A::Spinoff), ""),
    (Starts("spin-off"), Do(A::Spinoff), ""),
    (Starts("spinoff"), Do(A::Spinoff), ""),
    (Starts("spin off"), Do(A::Spinoff), ""),
    (Starts("stock split"), Do(A::Split), ""),
    (Starts("forward split"), Do(A::Split), ""),
    (Starts("split"), Do(A::Split), ""),
    (Starts("reverse split"), Do(A::Split), "reverse"),
    (Starts("r/s from"), Do(A::Split), "reverse"),
    (Starts("r/s to"), Do(A::Split), "reverse"),
    (Starts("stock dividend"), Do(A::Split), "stock_dividend"),
    // «DISTRIBUTION» alone brings shares of the same security: a split or a stock dividend.
    (Starts("distribution"), Do(A::Split), "distribution"),
    (Starts("name changed"), Do(A::Merger), "name_change"),
    (Starts("name change"), Do(A::Merger), "name_change"),
    (Starts("merger"), Do(A::Merger), ""),
    (Starts("conversion"), Do(A::Merger), "conversion"),
    (Starts("exchanged to"), Do(A::Merger), "exchange"),
    (Starts("exchanged from"), Do(A::Merger), "exchange"),
    (Starts("exchange"), Do(A::Merger), "exchange"),
    (Starts("tendered"), Do(A::Merger), "tender"),
    (Starts("tender"), Do(A::Merger), "tender"),
    (Starts("rights"), Do(A::Other), "rights"),
    (Starts("warrants"), Do(A::Other), "rights"),
    (Starts("worthless"), Do(A::Other), "worthless"),
    // The rest that we know by name.
    (Starts("vested"), Do(A::Grant), "equity_award"),
    (Starts("adjustment"), Do(A::Other), "adjustment"),
    (Starts("royalty tr pymt"), Do(A::Other), "royalty"),
    (Starts("royalty"), Do(A::Other), "royalty"),
    (Starts("partnership"), Do(A::ReturnOfCapital), "partnership"),
    (Starts("foreign currency"), Do(A::Other), "forex"),
    (Starts("bonus"), Do(A::Other), "promotion"),
    (Starts("reward"), Do(A::Other), "promotion"),
    (Has("cash management account rebate"), Do(A::Other), "promotion"),
];
