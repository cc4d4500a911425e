//! Tables of portfolio programs, each described by a column map as a person would write one.

use std::sync::LazyLock;

use lotwise_core::{Money, Shares};

use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::Fault;
use crate::map::{Finish, Map, header_matches, read};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, StatedLot, Statement, Transaction};

/// Portfolio Performance, in English and German.
pub(crate) const PORTFOLIO_PERFORMANCE_CSV: Format = Format {
    info: FormatInfo {
        id: "portfolio-performance-csv",
        title: "Portfolio Performance, transactions (CSV)",
        extensions: &["csv"],
        example: "Date;Type;Value;Transaction Currency;…;Shares;ISIN;WKN;Ticker Symbol;Security Name;Note",
    },
    recognise: |sniff| recognise(&PERFORMANCE, sniff),
    read: |text, options| read_by("portfolio-performance-csv", &PERFORMANCE, Some(performance), text, options),
};

/// Wealthfolio.
pub(crate) const WEALTHFOLIO_CSV: Format = Format {
    info: FormatInfo {
        id: "wealthfolio-csv",
        title: "Wealthfolio, activities (CSV)",
        extensions: &["csv"],
        example: "date,symbol,quantity,activityType,unitPrice,currency,fee,amount",
    },
    recognise: |sniff| recognise(&WEALTHFOLIO, sniff),
    read: |text, options| read_by("wealthfolio-csv", &WEALTHFOLIO, Some(by_unit_price), text, options),
};

/// Ghostfolio's table for imports.
pub(crate) const GHOSTFOLIO_CSV: Format = Format {
    info: FormatInfo {
        id: "ghostfolio-csv",
        title: "Ghostfolio, activities (CSV)",
        extensions: &["csv"],
        example: "Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note",
    },
    recognise: |sniff| recognise(&GHOSTFOLIO, sniff),
    read: |text, options| read_by("ghostfolio-csv", &GHOSTFOLIO, Some(by_unit_price), text, options),
};

fn built_in(text: &str) -> Map {
    Map::parse(text, true).expect("Invariant: built-in column maps are read by a test")
}

static PERFORMANCE: LazyLock<Map> = LazyLock::new(|| built_in(include_str!("portfolio_performance.toml")));
static WEALTHFOLIO: LazyLock<Map> = LazyLock::new(|| built_in(include_str!("wealthfolio.toml")));
static GHOSTFOLIO: LazyLock<Map> = LazyLock::new(|| built_in(include_str!("ghostfolio.toml")));

fn recognise(map: &Map, sniff: &Sniff<'_>) -> Confidence {
    if header_matches(map, sniff.head) { Confidence::Sure } else { Confidence::No }
}

fn read_by(
    format: &'static str,
    map: &Map,
    finish: Option<Finish>,
    text: &Text<'_>,
    options: &ReadOptions<'_>,
) -> Result<Statement, Error> {
    read(format, map, finish, text, options)
}

/// Values are signed from the side of the account or of the portfolio, so the type tells the direction. What comes in by
/// a delivery or transfer of shares has a value that is its cost, and moves no cash.
fn performance(
    cell: &dyn Fn(&str) -> String,
    transaction: &mut Transaction,
    amount: &mut Option<Money>,
) -> Result<(), Fault> {
    let word = crate::map::normal(&cell("action"));
    if let Some(stated) = *amount {
        let shares = transaction.shares.is_some();
        let moves_shares = matches!(transaction.action, Action::TransferIn | Action::TransferOut) && shares;
        if moves_shares {
            if let (Action::TransferIn, Some(shares)) = (transaction.action, transaction.shares) {
                transaction.lots = vec![StatedLot { shares, basis: Some(stated.abs()), ..StatedLot::default() }];
            }
            transaction.detail = Some(
                if word.contains("livery") || word.contains("lieferung") { "delivery" } else { "transfer" }.into(),
            );
            *amount = Some(Money::ZERO);
        } else if word.contains("refund") || word.contains("erstattung") {
            transaction.detail = Some("refund".into());
            *amount = Some(stated.abs());
        } else if word.contains("charge") || word.contains("belastung") {
            *amount = Some(-stated.abs());
        }
    }
    // A dividend states the shares that it was paid for.
    if !matches!(transaction.action, Action::Buy | Action::Sell | Action::TransferIn | Action::TransferOut) {
        transaction.shares = None;
    }
    Ok(())
}

/// Rows whose amount is quantity times unit price; of cash movements both may be in either column.
fn by_unit_price(
    _: &dyn Fn(&str) -> String,
    transaction: &mut Transaction,
    amount: &mut Option<Money>,
) -> Result<(), Fault> {
    cash_by_product(transaction, amount);
    Ok(())
}

/// Gives an activity without an amount the one that follows from quantity, unit price and fee.
pub(super) fn cash_by_product(transaction: &mut Transaction, amount: &mut Option<Money>) {
    if transaction.action == Action::Split {
        // The amount of a split is its ratio: new shares for an old one.
        transaction.split_ratio = amount
            .filter(|ratio| ratio.is_positive())
            .map(|ratio| (Shares::from_billionths(ratio.billionths()), Shares::from_whole(1)));
        if transaction.split_ratio.is_some() {
            transaction.shares = None;
        }
        *amount = transaction.split_ratio.map(|_| Money::ZERO);
        return;
    }
    let moves_shares = matches!(
        transaction.action,
        Action::Buy | Action::Sell | Action::Reinvest | Action::Grant | Action::Spinoff | Action::Merger
    );
    let transfers = matches!(transaction.action, Action::TransferIn | Action::TransferOut);
    if transfers && transaction.symbol.as_ref().is_some_and(|symbol| symbol.as_str().starts_with("$CASH")) {
        transaction.symbol = None;
    }
    let product = transaction
        .price
        .zip(transaction.shares)
        .and_then(|(price, shares)| crate::dialect::gross(price, shares.abs()));
    if transfers && transaction.symbol.is_some() {
        if let (Action::TransferIn, Some(shares)) = (transaction.action, transaction.shares) {
            transaction.lots = vec![StatedLot { shares, basis: product, ..StatedLot::default() }];
        }
        *amount = Some(Money::ZERO);
        return;
    }
    if moves_shares {
        if matches!(transaction.action, Action::Buy | Action::Sell | Action::Reinvest) && product.is_some() {
            // The amounts of these programs may leave the fee out; quantity, price and fee are exact.
            *amount = None;
        }
        return;
    }
    // A fee may stand in its own column alone.
    let fee_only =
        transaction.action == Action::Fee && amount.is_none_or(Money::is_zero) && product.is_none_or(Money::is_zero);
    let stated = amount.filter(|amount| !amount.is_zero()).or(product).or(fee_only.then_some(transaction.fees));
    *amount = stated.map(|stated| {
        let signed = crate::facts::signed(transaction.action, stated);
        if fee_only { signed } else { signed - transaction.fees }
    });
    if transaction.action == Action::Fee && fee_only {
        transaction.fees = Money::ZERO;
    }
    transaction.shares = None::<Shares>;
    transaction.price = None;
    if matches!(transaction.action, Action::Deposit | Action::Withdrawal | Action::Fee | Action::Interest) {
        transaction.symbol = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_maps_are_maps() {
        for text in [
            include_str!("portfolio_performance.toml"),
            include_str!("wealthfolio.toml"),
            include_str!("ghostfolio.toml"),
        ] {
            Map::parse(text, true).unwrap();
        }
    }
}
