//! Exports of Portfolio Performance, Wealthfolio and Ghostfolio.

use crate::told::{asked, notes, refusal, statement, told};

#[test]
fn portfolio_performance_reads_alike_from_the_account_and_the_portfolio_in_both_languages() {
    // The account's side signs cash, the portfolio's side signs holdings.
    let account = "Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,Fees,Taxes,Shares,ISIN,WKN,Ticker Symbol,Security Name,Note\n\
        2024-01-15T00:00,Buy,\"-1,001.50\",EUR,,,,1.50,,10.5,US0000000001,,ACRN,Acorn Corp,first\n\
        2024-02-15T00:00,Sell,240.00,EUR,,,,,,2,US0000000001,,ACRN,Acorn Corp,\n\
        2024-03-01T00:00,Dividend,8.50,EUR,,,,,1.50,8.5,US0000000001,,ACRN,Acorn Corp,\n\
        2024-03-02T00:00,Deposit,100.00,EUR,,,,,,,,,,,\n\
        2024-03-03T00:00,Interest Charge,-1.00,EUR,,,,,,,,,,,\n\
        2024-03-04T00:00,Fees Refund,2.00,EUR,,,,,,,,,,,\n\
        2024-03-05T00:00,Removal,-10.00,EUR,,,,,,,,,,,\n\
        2024-03-06T00:00,Juggling,-10.00,EUR,,,,,,,,,,,\n";
    let read = statement(account);
    assert_eq!(read.format, "portfolio-performance-csv");
    assert_eq!(
        told(&read),
        [
            "2024-01-15 buy ACRN 10.5 @ - = -1001.50, 1.50 EUR -",
            "2024-02-15 sell ACRN -2 @ - = 240.00, 0.00 EUR -",
            "2024-03-01 dividend ACRN - @ - = 8.50, 0.00 EUR -",
            "2024-03-02 deposit - - @ - = 100.00, 0.00 EUR -",
            "2024-03-03 interest - - @ - = -1.00, 0.00 EUR -",
            "2024-03-04 fee - - @ - = 2.00, 0.00 EUR refund",
            "2024-03-05 withdrawal - - @ - = -10.00, 0.00 EUR -",
        ]
    );
    assert_eq!(notes(&read.quarantined), ["9: Type has an unknown action \"Juggling\""]);
    assert_eq!(asked(&read), ["tax-inside", "unknown-action:Juggling"]);
    let portfolio = "Datum;Typ;Wert;Buchungswährung;Gebühren;Steuern;Stück;ISIN;WKN;Ticker-Symbol;Wertpapiername;Notiz\n\
        2024-01-15T10:30;Kauf;1.001,50;EUR;1,50;;10,5;US0000000001;;ACRN;Acorn Corp;\n\
        2024-02-15T00:00;Verkauf;-240,00;EUR;;;2;US0000000001;;ACRN;Acorn Corp;\n\
        2024-04-01T00:00;Einlieferung;1.000,00;EUR;;;5;;;;Ahorn AG;\n";
    let read = statement(portfolio);
    assert_eq!(
        told(&read),
        [
            "2024-01-15 buy ACRN 10.5 @ - = -1001.50, 1.50 EUR -",
            "2024-02-15 sell ACRN -2 @ - = 240.00, 0.00 EUR -",
            "2024-04-01 transfer_in AHORN AG 5 @ - = 0.00, 0.00 EUR delivery",
        ]
    );
    assert_eq!(read.transactions[2].lots[0].basis.unwrap().to_string(), "1000.00");
    assert_eq!(asked(&read), ["name-only-security:Ahorn AG"]);
}

#[test]
fn wealthfolio_reads_alike_from_table_and_json() {
    let table = "date,symbol,quantity,activityType,unitPrice,currency,fee,amount\n\
        2024-01-15T00:00:00.000Z,ACRN,10,BUY,50.25,USD,1,\n2024-02-01,ACRN,4,SELL,60,USD,0.5,\n\
        2024-02-15,ACRN,1,DIVIDEND,12.5,USD,0,12.5\n2024-02-16,$CASH-USD,1,DEPOSIT,1000,USD,0,1000\n\
        2024-02-17,$CASH-USD,1,FEE,0,USD,3,0\n2024-02-18,ACRN,0,SPLIT,0,USD,0,2\n2024-02-19,OAK,5,TRANSFER_IN,7,USD,0,\n2024-02-20,X,1,DANCE,1,USD,0,\n";
    let expected = [
        "2024-01-15 buy ACRN 10 @ 50.25 = -503.50, 1.00 USD -",
        "2024-02-01 sell ACRN -4 @ 60.00 = 239.50, 0.50 USD -",
        "2024-02-15 dividend ACRN - @ - = 12.50, 0.00 USD -",
        "2024-02-16 deposit - - @ - = 1000.00, 0.00 USD -",
        "2024-02-17 fee - - @ - = -3.00, 0.00 USD -",
        "2024-02-18 split ACRN - @ - = 0.00, 0.00 USD -",
        "2024-02-19 transfer_in OAK 5 @ 7.00 = 0.00, 0.00 USD -",
    ];
    let read = statement(table);
    assert_eq!((read.format, told(&read)), ("wealthfolio-csv", expected.map(str::to_owned).to_vec()));
    assert_eq!(asked(&read), ["unknown-action:DANCE"]);
    assert_eq!(read.transactions[6].lots[0].basis.unwrap().to_string(), "35.00");
    let json: Vec<String> = table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!(
                "{{\"id\":\"{line}\",\"date\":\"{}\",\"assetId\":\"{}\",\"quantity\":\"{}\",\"activityType\":\"{}\",\"unitPrice\":{},\
                 \"currency\":\"{}\",\"fee\":{},\"amount\":{},\"isDraft\":false}}",
                cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], if cells[7].is_empty() { "null" } else { cells[7] }
            )
        })
        .collect();
    let read = statement(&format!("[{}]", json.join(",\n")));
    assert_eq!((read.format, told(&read)), ("wealthfolio-json", expected.map(str::to_owned).to_vec()));
    assert_eq!(asked(&read), ["unknown-action:DANCE"]);
}

#[test]
fn ghostfolio_reads_alike_from_table_and_json() {
    let table = "Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note\n\
        15-01-2024,ACRN,YAHOO,USD,50.25,10,buy,1,first\n2024-02-01,ACRN,YAHOO,USD,60,4,sell,0.5,\n\
        2024-02-15,ACRN,YAHOO,USD,0.25,10,dividend,0,\n2024-02-16,House,MANUAL,USD,100000,1,item,0,\n";
    let expected = [
        "2024-01-15 buy ACRN 10 @ 50.25 = -503.50, 1.00 USD -",
        "2024-02-01 sell ACRN -4 @ 60.00 = 239.50, 0.50 USD -",
        "2024-02-15 dividend ACRN - @ - = 2.50, 0.00 USD -",
    ];
    let read = statement(table);
    assert_eq!((read.format, told(&read)), ("ghostfolio-csv", expected.map(str::to_owned).to_vec()));
    let json = r#"{"meta":{"date":"2024-03-01T00:00:00.000Z","version":"2.1"},"accounts":[{"id":"a"}],"activities":[
      {"accountId":"a","comment":"first","fee":1,"quantity":10,"type":"BUY","unitPrice":50.25,"currency":"USD","dataSource":"YAHOO","date":"2024-01-15T00:00:00.000Z","symbol":"ACRN"},
      {"accountId":"a","comment":null,"fee":0.5,"quantity":4,"type":"SELL","unitPrice":60,"currency":"USD","dataSource":"YAHOO","date":"2024-02-01T00:00:00.000Z","symbol":"ACRN"},
      {"accountId":"a","fee":0,"quantity":10,"type":"DIVIDEND","unitPrice":0.25,"currency":"USD","dataSource":"YAHOO","date":"2024-02-15T00:00:00.000Z","symbol":"ACRN"},
      {"accountId":"a","fee":0,"quantity":1,"type":"ITEM","unitPrice":100000,"currency":"USD","dataSource":"MANUAL","date":"2024-02-16T00:00:00.000Z","symbol":"House"},
      {"accountId":"a","fee":0,"quantity":"x","type":"BUY","unitPrice":1,"currency":"USD","dataSource":"MANUAL","date":"2024-02-16T00:00:00.000Z","symbol":"ACRN"}]}"#;
    let read = statement(json);
    assert_eq!((read.format, told(&read)), ("ghostfolio-json", expected.map(str::to_owned).to_vec()));
    assert_eq!(read.transactions[0].account, "a");
    assert_eq!(notes(&read.quarantined), ["6: quantity is not a number"]);
}

/// A file of Portfolio Performance: one security, a cash account and a portfolio that is written inside a trade.
fn client(version: u32, transactions: &str) -> String {
    format!(
        "<client>
<version>{version}</version><baseCurrency>USD</baseCurrency>
<securities><security><uuid>s1</uuid><name>Acorn Inc</name><currencyCode>USD</currencyCode><isin>US0000000001</isin>
<tickerSymbol>ACRN</tickerSymbol><prices><price t=\"2024-01-02\" v=\"5000000000\"/></prices></security>
<security><uuid>s2</uuid><name>Birch Fund</name></security></securities>
<accounts><account><uuid>a1</uuid><name>Cash</name><transactions>
{transactions}
</transactions></account></accounts>
<portfolios><portfolio reference=\"../../accounts/account/transactions/account-transaction/crossEntry/portfolio\"/></portfolios>
</client>"
    )
}

const TRADES: &str = "<account-transaction><uuid>t1</uuid><date>2024-01-02T10:30</date><currencyCode>USD</currencyCode><amount>50100</amount>
<security reference=\"../../../../../securities/security\"/><crossEntry class=\"buysell\">
<portfolio><uuid>p1</uuid><name>Broker</name><referenceAccount reference=\"../../../../..\"/><transactions>
<portfolio-transaction><uuid>t2</uuid><date>2024-01-02T10:30</date><currencyCode>USD</currencyCode><amount>50100</amount>
<security reference=\"../../../../../../../../../securities/security\"/><crossEntry class=\"buysell\" reference=\"../../../..\"/>
<shares>1000000000</shares><note>first &amp; last</note><units><unit type=\"FEE\"><amount currency=\"USD\" amount=\"100\"/></unit></units>
<type>BUY</type></portfolio-transaction>
<portfolio-transaction><uuid>t3</uuid><date>2024-02-02T00:00</date><currencyCode>USD</currencyCode><amount>24000</amount>
<security reference=\"../../../../../../../../../securities/security[2]\"/><shares>250000000</shares><type>DELIVERY_INBOUND</type></portfolio-transaction>
<portfolio-transaction><uuid>t4</uuid><date>2024-03-02T00:00</date><currencyCode>USD</currencyCode><amount>100</amount>
<security reference=\"../../../../../../../../../securities/security[9]\"/><shares>one</shares><type>SELL</type></portfolio-transaction>
</transactions></portfolio><portfolioTransaction reference=\"../portfolio/transactions/portfolio-transaction\"/>
<account reference=\"../../../..\"/><accountTransaction reference=\"../..\"/></crossEntry><shares>0</shares><type>BUY</type></account-transaction>
<account-transaction><uuid>t5</uuid><date>2024-04-02T00:00</date><currencyCode>USD</currencyCode><amount>850</amount>
<security reference=\"../../../../../securities/security\"/><shares>1000000000</shares>
<units><unit type=\"TAX\"><amount currency=\"USD\" amount=\"150\"/></unit></units><type>DIVIDENDS</type></account-transaction>
<account-transaction><uuid>t6</uuid><date>2024-04-03T00:00</date><currencyCode>EUR</currencyCode><amount>999</amount><type>REMOVAL</type></account-transaction>
<account-transaction><uuid>t7</uuid><date>2024-04-04T00:00</date><currencyCode>USD</currencyCode><amount>5</amount><type>GIFT_CARD</type></account-transaction>";

#[test]
fn the_file_of_portfolio_performance_is_read_through_its_references() {
    let read = statement(&client(68, TRADES));
    assert_eq!(read.format, "portfolio-performance-xml");
    assert_eq!(
        told(&read),
        [
            "2024-01-02 buy ACRN 10 @ - = -501.00, 1.00 USD -",
            "2024-02-02 transfer_in BIRCH FUND 2.5 @ - = 0.00, 0.00 USD delivery",
            "2024-04-02 dividend ACRN - @ - = 8.50, 0.00 USD -",
            "2024-04-03 withdrawal - - @ - = -9.99, 0.00 EUR -",
        ]
    );
    let first = &read.transactions[0];
    assert_eq!(
        (first.account.as_str(), first.id.as_str(), first.description.as_str()),
        ("Broker", "t2", "first & last")
    );
    assert_eq!(read.transactions[1].lots[0].basis, lotwise_core::Money::parse("240").ok());
    // The cash account settles one portfolio, so that dividends stand beside its shares.
    assert!(read.transactions.iter().all(|one| one.account == "Broker"));
    assert_eq!(notes(&read.ignored), ["7: BUY: the cash side of a trade that its portfolio shows"]);
    assert_eq!(read.quarantined.len(), 2);
    assert_eq!(asked(&read), ["name-only-security:Birch Fund", "tax-inside", "unknown-action:GIFT_CARD"]);
    assert_eq!(read.rows, 7);
}

#[test]
fn a_file_that_an_old_portfolio_performance_wrote_is_refused_by_name() {
    let message = refusal(&client(48, TRADES)).to_string();
    assert!(message.starts_with("line 2, column 1: an old Portfolio Performance"), "{message}");
    let cut = client(68, TRADES);
    assert!(refusal(&cut[..cut.rfind("</portfolios>").unwrap()]).to_string().contains("cut off"));
}
