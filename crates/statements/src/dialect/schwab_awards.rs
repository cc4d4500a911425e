//! Schwab's equity awards: an event, and below it one or several records without date and action that tell the award, or
//! the lots of a sale. Shares that vest and arrive in a brokerage account stand in that account's transactions too, without
//! a price; [`crate::pair_awards`] brings the two together.

use lotwise_core::Money;

use super::row::{Fault, Row};
use super::{Classify, Dialect, Footer, Kind, Role, Rule, Words, needed, optional};
use crate::formats::{Format, FormatInfo};
use crate::gather::clip;
use crate::{Action as A, RowNote, StatedLot, Statement, Transaction};

use Kind::{BySign, Do, Ignore, In, Out};
use Words::Is;

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "schwab-equity-awards-csv",
        title: "Charles Schwab, equity awards (CSV)",
        extensions: &["csv"],
        example: "\"Date\",\"Action\",\"Symbol\",\"Description\",\"Quantity\",\"FeesAndCommissions\",…,\"AwardDate\",\"AwardId\",…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options).map(lapses_beside_deposits),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "schwab-equity-awards-csv",
    columns: &[
        needed(Role::Date, &["date"]),
        needed(Role::Action, &["action"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Description, &["description"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Fee, &["feesandcommissions", "fees and commissions"]),
        needed(Role::Amount, &["amount"]),
        needed(Role::BasisPrice, &["fairmarketvalueprice", "fair market value price", "vestfairmarketvalue"]),
        optional(Role::Price, &["saleprice", "sale price"]),
        optional(Role::LotId, &["awardid", "award id", "grantid", "grant id"]),
        optional(Role::LotShares, &["shares"]),
        optional(Role::NetShares, &["netsharesdeposited", "net shares deposited"]),
        optional(Role::Acquired, &["vestdate", "vest date"]),
        optional(Role::VestPrice, &["vestfairmarketvalue", "vest fair market value"]),
        optional(Role::Purchased, &["purchasedate", "purchase date"]),
        optional(Role::PurchasePrice, &["purchaseprice", "purchase price"]),
        optional(Role::Account, &["account", "account number"]),
    ],
    classify: Classify::Words(RULES),
    footers: &[Footer::Starts("transactions total"), Footer::LongText(120)],
    continues: true,
    finish: Some(finish),
    ..Dialect::PLAIN
};

/// Where a file has deposits, the shares of a lapse arrive by the deposit that follows it.
fn lapses_beside_deposits(mut statement: Statement) -> Statement {
    let is = |transaction: &Transaction, detail: &str| transaction.detail.as_deref() == Some(detail);
    if statement.transactions.iter().any(|transaction| is(transaction, "equity_award")) {
        let (lapses, kept) = statement.transactions.into_iter().partition(|transaction| is(transaction, "vest"));
        statement.transactions = kept;
        let note = |lapse: Transaction| RowNote {
            row: lapse.row,
            column: None,
            value: None,
            reason: "lapse: its shares arrive by the deposit that follows it".to_owned(),
        };
        let lapses: Vec<Transaction> = lapses;
        statement.ignored.extend(lapses.into_iter().map(note));
    }
    statement
}

fn finish(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    match transaction.action {
        A::Grant => grant(row, transaction),
        A::Sell => sale(row, transaction),
        _ => Ok(()),
    }
}

/// Shares that vested or were bought under a plan: those that were left after some were withheld, at their value.
fn grant(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    if let Some(net) = row.shares_of(Role::NetShares)? {
        if let Some(all) = transaction.shares.filter(|all| all.abs() != net) {
            let withheld = all.abs() - net;
            transaction.description =
                format!("{}; {all} vested, {withheld} withheld for taxes", transaction.description);
        }
        transaction.shares = Some(net);
    }
    let value = match row.price_of(Role::PurchasePrice)? {
        Some(paid) => Some(paid),
        None => row.price_of(Role::VestPrice)?.or(row.price_of(Role::BasisPrice)?),
    };
    transaction.price = value;
    let Some(shares) = transaction.shares else { return Ok(()) };
    let acquired = match row.date_of(Role::Purchased)? {
        Some(bought) => bought,
        None => row.date_of(Role::Acquired)?.unwrap_or(transaction.trade_date),
    };
    transaction.lots = vec![StatedLot {
        id: lot_id(row),
        acquired: Some(acquired),
        shares,
        basis: value.and_then(|value| super::gross(value, shares)),
        ..StatedLot::default()
    }];
    Ok(())
}

/// The lots of a sale, one in each record below it.
fn sale(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let mut lots = Vec::new();
    for (line, cells) in row.below {
        let lot = Row { cells, line: *line, below: &[], ..*row };
        let Some(shares) = lot.shares_of(Role::LotShares)? else { continue };
        let purchased = lot.date_of(Role::Purchased)?;
        let value = match purchased {
            Some(_) => lot.price_of(Role::PurchasePrice)?,
            None => lot.price_of(Role::VestPrice)?,
        };
        let price = lot.price()?;
        lots.push(StatedLot {
            id: lot_id(&lot),
            acquired: purchased.or(lot.date_of(Role::Acquired)?),
            shares,
            basis: value.and_then(|value| super::gross(value, shares)),
            proceeds: price.and_then(|price| super::gross(price, shares)),
            ..StatedLot::default()
        });
    }
    // Lots may be sold at prices of their own; then the sale as a whole has none.
    let prices: Vec<_> = row.below.iter().filter_map(|(_, cells)| cells.get(row.header.place(Role::Price)?)).collect();
    if prices.windows(2).any(|pair| pair[0] != pair[1]) {
        transaction.price = None;
    }
    share_fees(transaction.fees, &mut lots);
    transaction.lots = lots;
    Ok(())
}

/// Takes the fees of the sale off the lots' proceeds, by shares; the parts sum to the fees.
fn share_fees(fees: Money, lots: &mut [StatedLot]) {
    let weights: Vec<_> = lots.iter().map(|lot| lot.shares).collect();
    let Some(parts) = fees.split(&weights) else { return };
    for (lot, part) in lots.iter_mut().zip(parts) {
        lot.proceeds = lot.proceeds.map(|proceeds| proceeds - part);
    }
}

fn lot_id(row: &Row<'_>) -> Option<String> {
    let id = row.text(Role::LotId);
    (!id.is_empty()).then(|| clip(id, 60))
}

const RULES: &[Rule] = &[
    (Is("lapse"), In(A::Grant), "vest"),
    (Is("deposit"), In(A::Grant), "equity_award"),
    (Is("restricted stock lapse"), In(A::Grant), "vest"),
    (Is("espp purchase"), In(A::Grant), "employee_purchase"),
    (Is("sale"), Out(A::Sell), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("quick sale"), Out(A::Sell), ""),
    (Is("forced quick sell"), Out(A::Sell), ""),
    (Is("dividend"), Do(A::Dividend), ""),
    (Is("qualified dividend"), Do(A::Dividend), "qualified"),
    (Is("dividend reinvested"), In(A::Reinvest), ""),
    (Is("tax withholding"), Do(A::TaxWithheld), ""),
    (Is("tax reversal"), Do(A::TaxWithheld), "reversal"),
    (Is("wire transfer"), BySign(A::Deposit, A::Withdrawal), "wire"),
    (Is("forced disbursement"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("disbursement"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("check"), BySign(A::Deposit, A::Withdrawal), "check"),
    (Is("journal"), BySign(A::TransferIn, A::TransferOut), "journal"),
    (Is("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("share transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("stock split"), Do(A::Split), ""),
    (Is("award"), Ignore("an award that has not vested"), ""),
    (Is("grant"), Ignore("an award that has not vested"), ""),
    (Is("cancellation"), Ignore("an award that was not kept"), ""),
    (Is("forfeiture"), Ignore("an award that was not kept"), ""),
];
