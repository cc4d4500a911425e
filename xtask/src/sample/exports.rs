//! The four records as the brokers' own downloads, oldest or newest first as each of them writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use lotwise_core::{Date, Money, Shares, Symbol};

use super::book::{Book, Event, Kind};

/// Names and identifiers of the sample's securities.
pub struct Names(BTreeMap<Symbol, (String, String)>);

impl Names {
    /// Names by symbol, with an identifier from the numbers that are set aside for internal use.
    pub fn new(names: impl IntoIterator<Item = (Symbol, String)>) -> Self {
        let mut sorted: Vec<(Symbol, String)> = names.into_iter().collect();
        sorted.sort();
        Self(
            sorted
                .into_iter()
                .enumerate()
                .map(|(number, (symbol, name))| (symbol, (name, internal_cusip(number))))
                .collect(),
        )
    }

    pub(super) fn name(&self, symbol: &Symbol) -> Result<&str> {
        self.0.get(symbol).map(|(name, _)| name.as_str()).with_context(|| format!("{symbol} has a name"))
    }

    pub(super) fn cusip(&self, symbol: &Symbol) -> Result<&str> {
        self.0.get(symbol).map(|(_, cusip)| cusip.as_str()).with_context(|| format!("{symbol} has an identifier"))
    }
}

/// CUSIP numbers whose first three characters are 990 to 999 belong to nobody; the ninth is the check digit.
fn internal_cusip(number: usize) -> String {
    let body = format!("9907{number:02}10");
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(place, byte)| u32::from(byte - b'0') * if place % 2 == 1 { 2 } else { 1 })
        .map(|value| value / 10 + value % 10)
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// The person's record as a Schwab transactions download.
///
/// # Errors
/// When a symbol has no name.
pub fn schwab(book: &Book, names: &Names) -> Result<String> {
    let mut text = row(&["Date", "Action", "Symbol", "Description", "Quantity", "Price", "Fees & Comm", "Amount"]);
    for event in book.events.iter().rev() {
        let (symbol, name) = symbol_and_name(event, names)?;
        let date = slashed(event.date);
        let (shares, price, fees) = (grouped_shares(event.shares), dollars(&event.price.to_string()), fee(event));
        let amount = signed_dollars(event.amount);
        let upper = name.to_uppercase();
        text += &match event.kind {
            Kind::Deposit | Kind::Withdrawal => {
                row(&[&date, "MoneyLink Transfer", "", "Tfr SAMPLE BANK", "", "", "", &amount])
            }
            Kind::Buy => row(&[&date, "Buy", symbol, &upper, &shares, &price, "", &amount]),
            Kind::Sell => row(&[&date, "Sell", symbol, &upper, &shares, &price, &fees, &amount]),
            Kind::Dividend { .. } => row(&[&date, "Qualified Dividend", symbol, &upper, "", "", "", &amount]),
            Kind::Reinvest => row(&[&date, "Reinvest Shares", symbol, &upper, &shares, &price, "", &amount]),
            Kind::Interest { since } => {
                let period = format!("SCHWAB1 INT {}-{}", month_day(since), month_day(event.date));
                row(&[&date, "Credit Interest", "", &period, "", "", "", &amount])
            }
            Kind::Split => row(&[&date, "Stock Split", symbol, &upper, &shares, "", "", ""]),
        };
    }
    Ok(text)
}

/// The person's record as a Fidelity account history download.
///
/// # Errors
/// When a symbol has no name.
pub fn fidelity(book: &Book, names: &Names) -> Result<String> {
    let mut text =
        "\n\nRun Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),\
                    Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n"
            .to_owned();
    for event in book.events.iter().rev() {
        let (symbol, name) = symbol_and_name(event, names)?;
        let upper = name.to_uppercase();
        let security = format!("{upper} ({symbol}) (Cash)");
        let (price, settle) = (event.price.to_string(), slashed(event.settle));
        let none = String::new();
        let (action, shares, price, settle) = match event.kind {
            Kind::Deposit => {
                ("Electronic Funds Transfer Received (Cash)".to_owned(), "0.000".to_owned(), none.clone(), none)
            }
            Kind::Withdrawal => {
                ("Electronic Funds Transfer Paid (Cash)".to_owned(), "0.000".to_owned(), none.clone(), none)
            }
            Kind::Buy => (format!("YOU BOUGHT {security}"), event.shares.to_string(), price, settle),
            Kind::Sell => (format!("YOU SOLD {security}"), (-event.shares).to_string(), price, settle),
            Kind::Dividend { .. } => (format!("DIVIDEND RECEIVED {security}"), "0.000".to_owned(), none.clone(), none),
            Kind::Reinvest => (format!("REINVESTMENT {security}"), event.shares.to_string(), price, none),
            Kind::Interest { .. } => ("INTEREST EARNED (Cash)".to_owned(), "0.000".to_owned(), none.clone(), none),
            Kind::Split => (format!("STOCK SPLIT {security}"), event.shares.to_string(), none.clone(), none),
        };
        let described = if symbol.is_empty() { "No Description" } else { upper.as_str() };
        let fees = if event.fees.is_zero() { String::new() } else { event.fees.to_string() };
        let amount = if event.kind == Kind::Split { "0.00".to_owned() } else { event.amount.to_string() };
        writeln!(
            text,
            "{},\"Individual\",\"Z99000017\",\"{action}\",{symbol},\"{described}\",Cash,{price},{shares},,{fees},,{amount},{settle}",
            slashed(event.date),
        )?;
    }
    text += "\n\nDate downloaded 07/01/2026 9:12 am\n";
    Ok(text)
}

/// The person's record as a Robinhood activity report.
///
/// # Errors
/// When a symbol has no name.
pub fn robinhood(book: &Book, names: &Names) -> Result<String> {
    let mut text = row(&[
        "Activity Date",
        "Process Date",
        "Settle Date",
        "Instrument",
        "Description",
        "Trans Code",
        "Quantity",
        "Price",
        "Amount",
    ]);
    for event in book.events.iter().rev() {
        let (symbol, name) = symbol_and_name(event, names)?;
        let (date, settle) = (unpadded(event.date), unpadded(event.settle));
        let mut described = match &event.symbol {
            Some(symbol) => format!("{name}\nCUSIP: {}", names.cusip(symbol)?),
            None => String::new(),
        };
        let recurring = event.kind == Kind::Buy && -event.amount < Money::from_whole(300);
        if recurring {
            described += "\nRecurring";
        }
        let shares = event.shares.to_string();
        let price = dollars(&event.price.to_string());
        let amount = if event.amount.is_negative() {
            format!("({})", dollars(&(-event.amount).to_string()))
        } else {
            dollars(&event.amount.to_string())
        };
        let line = |code: &str, described: &str, shares: &str, price: &str, amount: &str| {
            row(&[&date, &date, &settle, symbol, described, code, shares, price, amount])
        };
        text += &match event.kind {
            Kind::Deposit => line("ACH", "ACH Deposit", "", "", &amount),
            Kind::Withdrawal => line("ACH", "ACH Withdrawal", "", "", &amount),
            Kind::Buy => line("Buy", &described, &shares, &price, &amount),
            Kind::Sell => line("Sell", &described, &shares, &price, &amount),
            Kind::Dividend { record } => {
                let said = format!("Cash Div: R/D {record} P/D {} - {shares} shares at {}", event.date, event.price);
                line("CDIV", &said, "", "", &amount)
            }
            Kind::Reinvest => line("Buy", &format!("{described}\nDividend Reinvestment"), &shares, &price, &amount),
            Kind::Interest { .. } => line("INT", "Interest Payment", "", "", &amount),
            Kind::Split => line("SPL", &described, &shares, "", ""),
        };
    }
    text += &row(&["", "", "", "", "", "", "", "", "", "The data provided is for informational purposes only."]);
    Ok(text)
}

pub(super) fn symbol_and_name<'a>(event: &'a Event, names: &'a Names) -> Result<(&'a str, &'a str)> {
    match &event.symbol {
        Some(symbol) => Ok((symbol.as_str(), names.name(symbol)?)),
        None => Ok(("", "")),
    }
}

fn row(cells: &[&str]) -> String {
    let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{cell}\"")).collect();
    quoted.join(",") + "\n"
}

fn slashed(date: Date) -> String {
    format!("{:02}/{:02}/{}", date.month(), date.day(), date.year())
}

fn unpadded(date: Date) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

fn month_day(date: Date) -> String {
    format!("{:02}/{:02}", date.month(), date.day())
}

fn fee(event: &Event) -> String {
    if event.fees.is_zero() { String::new() } else { dollars(&event.fees.to_string()) }
}

fn dollars(plain: &str) -> String {
    format!("${}", grouped(plain))
}

fn signed_dollars(amount: Money) -> String {
    let sign = if amount.is_negative() { "-" } else { "" };
    format!("{sign}{}", dollars(&amount.abs().to_string()))
}

fn grouped_shares(shares: Shares) -> String {
    grouped(&shares.to_string())
}

/// Thousands with commas.
fn grouped(plain: &str) -> String {
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    fraction.map_or(text.clone(), |fraction| format!("{text}.{fraction}"))
}
