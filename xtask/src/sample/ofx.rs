//! A record as an OFX 2.2 investment statement.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use lotwise_core::{Date, Shares, Symbol};
use lotwise_market::synthetic::SyntheticMarket;

use super::book::{Book, Event, Kind};
use super::exports::Names;

const BROKER: &str = "brokerage.example";
const ACCOUNT: &str = "990000042";

/// The person's record as an OFX statement with positions, balance and the list of securities.
///
/// # Errors
/// When a symbol has no name or price.
pub fn statement(book: &Book, names: &Names, market: &SyntheticMarket, as_of: Date) -> Result<String> {
    let first = book.events.first().context("the record is not empty")?.date;
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
         <?OFX OFXHEADER=\"200\" VERSION=\"220\" SECURITY=\"NONE\" OLDFILEUID=\"NONE\" NEWFILEUID=\"NONE\"?>\n<OFX>\n",
    );
    let now = moment(as_of, "180000");
    write!(
        text,
        "<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><DTSERVER>{now}</DTSERVER>\
         <LANGUAGE>ENG</LANGUAGE><FI><ORG>SAMPLE</ORG><FID>99000</FID></FI></SONRS></SIGNONMSGSRSV1>\n\
         <INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>1</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>\n\
         <INVSTMTRS><DTASOF>{now}</DTASOF><CURDEF>USD</CURDEF>\
         <INVACCTFROM><BROKERID>{BROKER}</BROKERID><ACCTID>{ACCOUNT}</ACCTID></INVACCTFROM>\n\
         <INVTRANLIST><DTSTART>{}</DTSTART><DTEND>{now}</DTEND>\n",
        moment(first, "000000"),
    )?;
    for (number, event) in book.events.iter().enumerate() {
        let id = format!("{}{number:04}", event.date.to_string().replace('-', ""));
        text += &transaction(event, &id, names)?;
    }
    text += "</INVTRANLIST>\n<INVPOSLIST>\n";
    let held: Vec<(&Symbol, Shares)> =
        book.held.iter().filter(|(_, shares)| shares.is_positive()).map(|(symbol, &shares)| (symbol, shares)).collect();
    for &(symbol, shares) in &held {
        let asset = market.asset(symbol.as_str()).with_context(|| format!("{symbol} is in the market"))?;
        let price = market.raw_close(asset, as_of).context("the last session has a close")?;
        writeln!(
            text,
            "<POSSTOCK><INVPOS>{}<HELDINACCT>CASH</HELDINACCT><POSTYPE>LONG</POSTYPE><UNITS>{shares}</UNITS>\
             <UNITPRICE>{price}</UNITPRICE><MKTVAL>{}</MKTVAL><DTPRICEASOF>{}</DTPRICEASOF></INVPOS></POSSTOCK>",
            security(symbol, names)?,
            (price * shares).to_cents(),
            moment(as_of, "160000"),
        )?;
    }
    write!(
        text,
        "</INVPOSLIST>\n<INVBAL><AVAILCASH>{}</AVAILCASH><MARGINBALANCE>0</MARGINBALANCE><SHORTBALANCE>0</SHORTBALANCE>\
         </INVBAL>\n</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>\n<SECLISTMSGSRSV1><SECLIST>\n",
        book.cash
    )?;
    for symbol in book.held.keys() {
        writeln!(
            text,
            "<STOCKINFO><SECINFO>{}<SECNAME>{}</SECNAME><TICKER>{symbol}</TICKER></SECINFO></STOCKINFO>",
            security(symbol, names)?,
            names.name(symbol)?,
        )?;
    }
    text += "</SECLIST></SECLISTMSGSRSV1>\n</OFX>\n";
    Ok(text)
}

fn transaction(event: &Event, id: &str, names: &Names) -> Result<String> {
    let day = moment(event.date, "120000");
    let settles = moment(event.settle, "120000");
    let trade = |memo: &str| {
        format!(
            "<INVTRAN><FITID>{id}</FITID><DTTRADE>{day}</DTTRADE><DTSETTLE>{settles}</DTSETTLE><MEMO>{memo}</MEMO></INVTRAN>"
        )
    };
    let of = |event: &Event| security(event.symbol.as_ref().context("a trade has a symbol")?, names);
    let accounts = "<SUBACCTSEC>CASH</SUBACCTSEC><SUBACCTFUND>CASH</SUBACCTFUND>";
    let Event { shares, price, fees, amount, .. } = event;
    let bank = |kind: &str, name: &str| {
        format!(
            "<INVBANKTRAN><STMTTRN><TRNTYPE>{kind}</TRNTYPE><DTPOSTED>{day}</DTPOSTED><TRNAMT>{amount}</TRNAMT>\
             <FITID>{id}</FITID><NAME>{name}</NAME></STMTTRN><SUBACCTFUND>CASH</SUBACCTFUND></INVBANKTRAN>\n"
        )
    };
    Ok(match event.kind {
        Kind::Deposit => bank("CREDIT", "Transfer from bank"),
        Kind::Withdrawal => bank("DEBIT", "Transfer to bank"),
        Kind::Interest { .. } => bank("INT", "Interest on cash"),
        Kind::Buy => format!(
            "<BUYSTOCK><INVBUY>{}{}<UNITS>{shares}</UNITS><UNITPRICE>{price}</UNITPRICE><COMMISSION>0</COMMISSION>\
             <TOTAL>{amount}</TOTAL>{accounts}</INVBUY><BUYTYPE>BUY</BUYTYPE></BUYSTOCK>\n",
            trade("Buy"),
            of(event)?,
        ),
        Kind::Sell => format!(
            "<SELLSTOCK><INVSELL>{}{}<UNITS>{}</UNITS><UNITPRICE>{price}</UNITPRICE><COMMISSION>0</COMMISSION>\
             <FEES>{fees}</FEES><TOTAL>{amount}</TOTAL>{accounts}</INVSELL><SELLTYPE>SELL</SELLTYPE></SELLSTOCK>\n",
            trade("Sell"),
            of(event)?,
            -*shares,
        ),
        Kind::Dividend { .. } => format!(
            "<INCOME>{}{}<INCOMETYPE>DIV</INCOMETYPE><TOTAL>{amount}</TOTAL>{accounts}</INCOME>\n",
            trade("Dividend"),
            of(event)?,
        ),
        // The dividend has its own record, so the shares are a purchase.
        Kind::Reinvest => format!(
            "<BUYSTOCK><INVBUY>{}{}<UNITS>{shares}</UNITS><UNITPRICE>{price}</UNITPRICE><COMMISSION>0</COMMISSION>\
             <TOTAL>{amount}</TOTAL>{accounts}</INVBUY><BUYTYPE>BUY</BUYTYPE></BUYSTOCK>\n",
            trade("Dividend reinvestment"),
            of(event)?,
        ),
        Kind::Split => anyhow::bail!("the sample's OFX record has no split"),
    })
}

fn security(symbol: &Symbol, names: &Names) -> Result<String> {
    let cusip = names.cusip(symbol)?;
    Ok(format!("<SECID><UNIQUEID>{cusip}</UNIQUEID><UNIQUEIDTYPE>CUSIP</UNIQUEIDTYPE></SECID>"))
}

/// New York summer or winter time by the month, which is all that a day's noon needs.
fn moment(date: Date, time: &str) -> String {
    let zone = if (4..=10).contains(&date.month()) { "-4:EDT" } else { "-5:EST" };
    format!("{}{time}.000[{zone}]", date.to_string().replace('-', ""))
}
