//! Exports of Portfolio Performance, Wealthfolio and Ghostfolio.

use crate::told::{asked, notes, statement, told};

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
