//! Robinhood's account activity.
//!
//! Descriptions span lines (name, CUSIP, `Recurring`), money is written `($142.60)`, and the last line is a disclaimer
//! in a cell behind the table. A quantity may end in `S` for the short side. An option row names the underlying as its
//! instrument; the option itself stands in the description.

use lotwise_core::Symbol;

use super::row::{Fault, Row};
use super::{Classify, Dialect, Footer, Kind, Role, Rule, Words, needed};
use crate::cell;
use crate::formats::{Format, FormatInfo};
use crate::{Action as A, Transaction};

use Kind::{BySign, Do, In, Out};
use Words::Is;

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "robinhood-activity-csv",
        title: "Robinhood, account activity (CSV)",
        extensions: &["csv"],
        example: "\"Activity Date\",\"Process Date\",\"Settle Date\",\"Instrument\",\"Description\",\"Trans Code\",…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "robinhood-activity-csv",
    columns: &[
        needed(Role::Date, &["activity date"]),
        needed(Role::SettleDate, &["settle date"]),
        needed(Role::Symbol, &["instrument"]),
        needed(Role::Description, &["description"]),
        needed(Role::Action, &["trans code"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["price"]),
        needed(Role::Amount, &["amount"]),
    ],
    classify: Classify::Words(RULES),
    footers: &[Footer::BehindTheTable, Footer::Starts("the data provided is for informational purposes")],
    short_suffix: true,
    finish: Some(from_description),
    ..Dialect::PLAIN
};

/// Takes the CUSIP and the option out of the description, and the short side out of the quantity.
fn from_description(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let description = row.text(Role::Description);
    if let Some((_, after)) = description.split_once("CUSIP:") {
        let cusip = after.split_whitespace().next().unwrap_or_default();
        if cell::is_cusip(cusip) && transaction.cusip.is_none() {
            transaction.cusip = Some(cusip.to_ascii_uppercase());
        }
    }
    let is_option = matches!(
        transaction.action,
        A::OptionOpen | A::OptionClose | A::OptionExercise | A::OptionAssign | A::OptionExpire
    );
    if is_option && transaction.option.is_none() {
        let name = transaction.description.replace('$', "");
        let name = name.strip_prefix("Option Expiration for ").unwrap_or(&name);
        transaction.symbol = Some(
            Symbol::parse(name)
                .map_err(|_| row.fault(Role::Description, "the description does not name the option"))?,
        );
    }
    let short = row.text(Role::Shares).trim_end().ends_with(['S', 's']);
    transaction.shares = transaction.shares.map(|shares| match (transaction.action, short) {
        // What lapses or is assigned leaves a long position and closes a short one.
        (A::OptionExpire | A::OptionAssign | A::OptionExercise, true) => shares.abs(),
        (A::OptionExpire | A::OptionAssign | A::OptionExercise, false) | (_, true) => -shares.abs(),
        (_, false) => shares,
    });
    Ok(())
}

const RULES: &[Rule] = &[
    // Trades.
    (Is("buy"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("bcxl"), Out(A::Other), "cancelled_buy"),
    (Is("scxl"), In(A::Other), "cancelled_sell"),
    (Is("drip"), In(A::Reinvest), ""),
    // Options.
    (Is("bto"), In(A::OptionOpen), "long"),
    (Is("sto"), Out(A::OptionOpen), "short"),
    (Is("btc"), In(A::OptionClose), "short"),
    (Is("stc"), Out(A::OptionClose), "long"),
    (Is("oexp"), Do(A::OptionExpire), ""),
    (Is("oasgn"), Do(A::OptionAssign), ""),
    (Is("oexcs"), Do(A::OptionExercise), ""),
    (Is("oexer"), Do(A::OptionExercise), ""),
    (Is("oca"), Do(A::Other), "option_adjustment"),
    (Is("occ"), Do(A::Other), "option_adjustment"),
    // Dividends.
    (Is("cdiv"), Do(A::Dividend), ""),
    (Is("mdiv"), Do(A::Dividend), "manufactured"),
    (Is("qdiv"), Do(A::Dividend), "qualified"),
    (Is("sdiv"), Do(A::Split), "stock_dividend"),
    (Is("cil"), Do(A::Dividend), "cash_in_lieu"),
    (Is("ltcg"), Do(A::CapitalGainDistribution), "long_term"),
    (Is("stcg"), Do(A::CapitalGainDistribution), "short_term"),
    (Is("roc"), Do(A::ReturnOfCapital), ""),
    (Is("liq"), Do(A::ReturnOfCapital), "liquidation"),
    // Interest.
    (Is("int"), Do(A::Interest), ""),
    (Is("slip"), Do(A::Interest), "stock_lending"),
    (Is("mint"), Do(A::Interest), "margin"),
    (Is("bint"), Do(A::Interest), "bond_interest"),
    // Taxes withheld and fees.
    (Is("dtax"), Do(A::TaxWithheld), "foreign"),
    (Is("nrat"), Do(A::TaxWithheld), "non_resident"),
    (Is("bwh"), Do(A::TaxWithheld), "backup"),
    (Is("dfee"), Do(A::Fee), "adr_fee"),
    (Is("afee"), Do(A::Fee), "adr_fee"),
    (Is("gold"), Do(A::Fee), "subscription"),
    (Is("gmpc"), Do(A::Fee), "subscription_credit"),
    (Is("fee"), Do(A::Fee), ""),
    (Is("wfee"), Do(A::Fee), "wire"),
    // Cash and shares that move.
    (Is("ach"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("rtp"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("wire"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("dcf"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Is("xent"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Is("xent_cc"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Is("itrf"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Is("jnl"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Is("jnlc"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Is("jnls"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Is("trf"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("t/a"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("acati"), BySign(A::TransferIn, A::TransferOut), "acats"),
    (Is("acato"), BySign(A::TransferIn, A::TransferOut), "acats"),
    (Is("acats"), BySign(A::TransferIn, A::TransferOut), "acats"),
    (Is("rec"), BySign(A::TransferIn, A::TransferOut), "received"),
    (Is("futswp"), Kind::Sweep, "sweep"),
    (Is("swp"), Kind::Sweep, "sweep"),
    // Corporate actions.
    (Is("spl"), Do(A::Split), ""),
    (Is("spr"), Do(A::Split), "reverse"),
    (Is("soff"), Do(A::Spinoff), ""),
    (Is("mrgs"), Do(A::Merger), ""),
    (Is("mrgc"), Do(A::Merger), "cash"),
    (Is("mrg"), Do(A::Merger), ""),
    (Is("exch"), Do(A::Merger), "exchange"),
    (Is("sxch"), Do(A::Merger), "name_change"),
    (Is("conv"), Do(A::Merger), "conversion"),
    (Is("nmch"), Do(A::Merger), "name_change"),
    // The rest that we know by name.
    (Is("crrd"), Do(A::Other), "correction"),
    (Is("adj"), Do(A::Other), "adjustment"),
    (Is("misc"), Do(A::Other), "miscellaneous"),
    (Is("gdbp"), Do(A::Other), "promotion"),
    (Is("mtch"), Do(A::Other), "promotion"),
    (Is("abip"), Do(A::Other), "promotion"),
    (Is("rwd"), Do(A::Other), "promotion"),
];
