//! Brokers' tables: each dialect with its quirks, as people's files show them.

use lotwise_statements::formats;

use crate::told::{asked, notes, statement, told};

#[test]
fn lotwise_csv_reads_every_column_and_computes_what_follows() {
    let read = statement(
        "date,account,action,symbol,shares,price,amount,fees,currency,settle_date,split_ratio,id,description\n\
         2024-01-02,Joint,buy,ACRN,10,50.25,,1,USD,2024-01-04,,b1,first lot\n\
         2024-02-01,Joint,sell,acrn,4,60,,0.02,,,,s1,\n\
         2024-02-01,IRA,dividend,BRK.B,,,12.34,,,,,,\n\
         2024-03-01,Joint,split,ACRN,54,,,,,,10:1,,\n\
         2024-03-02,Joint,transfer,BIRX,-3,,,,,,,,\n\
         2024-03-03,Joint,reinvest,BIRX,0.5,,-7.00,,,,,,\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-01-02 buy ACRN 10 @ 50.25 = -503.50, 1.00 USD -",
            "2024-02-01 sell ACRN -4 @ 60.00 = 239.98, 0.02 USD -",
            "2024-02-01 dividend BRK-B - @ - = 12.34, 0.00 USD -",
            "2024-03-01 split ACRN 54 @ - = 0.00, 0.00 USD -",
            "2024-03-02 transfer_out BIRX -3 @ - = 0.00, 0.00 USD -",
            "2024-03-03 reinvest BIRX 0.5 @ - = -7.00, 0.00 USD -",
        ]
    );
    assert_eq!(read.format, "lotwise-csv");
    assert_eq!(read.transactions[0].id, "b1");
    assert_eq!(read.transactions[0].settle_date.map(|date| date.to_string()).as_deref(), Some("2024-01-04"));
    let ratio = read.transactions[3].split_ratio.map(|(new, old)| format!("{new} for {old}"));
    assert_eq!(ratio.as_deref(), Some("10 for 1"));
    let accounts: Vec<&str> = read.transactions.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(accounts, ["Joint", "Joint", "IRA", "Joint", "Joint", "Joint"]);
    assert!(read.quarantined.is_empty() && read.questions.is_empty());
}

#[test]
fn schwab_reads_in_both_column_orders_and_any_quoting() {
    let expected = [
        "2024-03-04 sell ACRN -200 @ 140.35 = 28068.66, 1.34 USD -",
        "2024-03-01 grant ACRN 200 @ - = 0.00, 0.00 USD equity_award",
        "2024-02-01 reinvest BIRX 1259.59 @ 1.00 = -1259.59, 0.00 USD -",
        "2024-01-31 dividend BIRX - @ - = 1259.59, 0.00 USD -",
    ];
    let quantity_first = statement(
        "\"Transactions  for account Individual XXXX-1234 as of 03/05/2024 10:00:00 ET\",\"\"\n\
         \"Date\",\"Action\",\"Symbol\",\"Description\",\"Quantity\",\"Price\",\"Fees & Comm\",\"Amount\"\n\
         \"03/04/2024\",\"Sell\",\"ACRN\",\"ACORN INC\",\"200\",\"$140.35\",\"$1.34\",\"$28,068.66\"\n\
         \"03/04/2024 as of 03/01/2024\",\"Stock Plan Activity\",\"ACRN\",\"ACORN INC\",\"200\",\"\",\"\",\"\"\n\
         02/01/2024,Reinvest Shares,BIRX,BIRCH FUND,\"1,259.59\",$1.00,,\"-$1,259.59\"\n\
         01/31/2024,Reinvest Dividend,BIRX,BIRCH FUND,,,,\"$1,259.59\"\n\
         Transactions Total,,,,,,,\"$28,068.66\"\n",
    );
    assert_eq!(told(&quantity_first), expected);
    assert!(quantity_first.transactions.iter().all(|one| one.account == "Individual XXXX-1234"));
    assert_eq!(quantity_first.transactions[1].settle_date.map(|date| date.to_string()).as_deref(), Some("2024-03-04"));
    let price_first = statement(
        "Date,Action,Symbol,Description,Price,Quantity,Fees & Comm,Amount\r\n\
         03/04/2024,Sell,ACRN,ACORN INC,$140.35,200,$1.34,$28068.66\r\n\
         03/04/2024 as of 03/01/2024,Stock Plan Activity,ACRN,ACORN INC,,200,,\r\n\
         02/01/2024,Reinvest Shares,BIRX,BIRCH FUND,$1,1259.59,$0,-$1259.59\r\n\
         01/31/2024,Reinvest Dividend,BIRX,BIRCH FUND,,,,$1259.59\r\n",
    );
    assert_eq!(told(&price_first), expected);
    assert!(quantity_first.questions.is_empty() && price_first.questions.is_empty());
}

#[test]
fn schwab_names_what_is_neither_trade_nor_dividend() {
    let read = statement(
        "Date,Action,Symbol,Description,Quantity,Price,Fees & Comm,Amount\n\
         07/15/2024 as of 07/12/2024,Stock Split,ACRN,ACORN INC,9,,,\n\
         06/10/2024,Reverse Split,BIRC,BIRCH,1,,,\n\
         06/10/2024,Reverse Split,890260854,BIRCH XXXREVERSE SPLIT EFF: 06/10/24,-10,,,\n\
         05/22/2024,Journaled Shares,CEDR,CEDAR,-877,$22.91,,\n\
         05/21/2024,Journal,,TO ACCOUNT,,,,-$50.00\n\
         05/20/2024,Long Term Cap Gain Reinvest,CEDR,CEDAR,,,,$99.02\n\
         05/19/2024,Cash In Lieu,CEDR,CEDAR,,,,$5.49\n\
         05/18/2024,Foreign Tax Paid,CEDR,CEDAR,,,,-$1.30\n\
         05/17/2024,ADR Mgmt Fee,CEDR,CEDAR,,,,-$0.50\n\
         05/16/2024,Wire Sent,,OUT,,,,-$100.00\n\
         05/15/2024,Sell to Open,ACRN 01/17/2025 150.00 C,CALL ACORN INC,2,$1.50,$1.32,$298.68\n\
         05/14/2024,Expired,ACRN 01/17/2025 150.00 C,CALL ACORN INC,2,,,\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-07-12 split ACRN 9 @ - = 0.00, 0.00 USD -",
            "2024-06-10 split BIRC 1 @ - = 0.00, 0.00 USD reverse",
            "2024-06-10 split - -10 @ - = 0.00, 0.00 USD reverse",
            "2024-05-22 transfer_out CEDR -877 @ 22.91 = 0.00, 0.00 USD journal",
            "2024-05-21 transfer_out - - @ - = -50.00, 0.00 USD journal",
            "2024-05-20 capital_gain_distribution CEDR - @ - = 99.02, 0.00 USD long_term",
            "2024-05-19 dividend CEDR - @ - = 5.49, 0.00 USD cash_in_lieu",
            "2024-05-18 tax_withheld CEDR - @ - = -1.30, 0.00 USD foreign",
            "2024-05-17 fee CEDR - @ - = -0.50, 0.00 USD adr_fee",
            "2024-05-16 withdrawal - - @ - = -100.00, 0.00 USD wire",
            "2024-05-15 option_open ACRN250117C00150000 -2 @ 1.50 = 298.68, 1.32 USD short",
            "2024-05-14 option_expire ACRN250117C00150000 2 @ - = 0.00, 0.00 USD -",
        ]
    );
    assert_eq!(read.transactions[2].cusip.as_deref(), Some("890260854"));
    assert!(read.questions.is_empty());
}

#[test]
fn fidelity_reads_old_and_new_columns_and_stops_at_the_legal_text() {
    let new = statement(
        "\u{FEFF}\n\nRun Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n\
         12/31/2025,\"Mine\",\"Z1\",\"INTEREST EARNED as of Dec-30-2025 (Cash)\",,\"No Description\",Cash,,0.000,,,,0.04,\n\
         12/24/2025,\"Mine\",\"Z1\",\"YOU BOUGHT ACORN IN... (ACRN) (Cash)\",ACRN,\"ACORN INC \",Cash,142.035,28,0.5,0.5,,-3977.98,12/26/2025\n\
         12/24/2025,\"Other\",\"Z2\",\"YOU SOLD ACORN IN... (ACRN) (Cash)\",ACRN,\"ACORN INC \",Cash,142,-2,,0.01,,283.99,12/26/2025\n\
         12/23/2025,\"Mine\",\"Z1\",\"REINVESTMENT ACORN IN... (ACRN) (Cash)\",ACRN,\"ACORN INC \",Cash,141.26,0.8724,,,,-123.23,\n\
         12/22/2025,\"Mine\",\"Z1\",\"LONG-TERM CAP GAIN BIRCH (BIRX) (Cash)\",BIRX,\"BIRCH\",Cash,,0.000,,,,9.00,\n\
         12/21/2025,\"Mine\",\"Z1\",\"PURCHASE INTO CORE ACCOUNT CASH FUND (SPAXX) (Cash)\",SPAXX,\"CASH FUND\",Cash,1,50,,,,-50.00,\n\
         12/20/2025,\"Mine\",\"Z1\",\"YOU BOUGHT OPENING TRANSACTION CALL (ACRN) ACORN\", -ACRN260116C150,\"CALL\",Margin,1.5,1,0.65,0.02,,-150.67,\n\
         \n\n\"The data and information in this spreadsheet is provided to you solely for your use and is not for\"\n\
         \"distribution, and so on.\"\n\nDate downloaded 01/02/2026 11:54 am",
    );
    assert_eq!(
        told(&new),
        [
            "2025-12-30 interest - - @ - = 0.04, 0.00 USD -",
            "2025-12-24 buy ACRN 28 @ 142.035 = -3977.98, 1.00 USD -",
            "2025-12-24 sell ACRN -2 @ 142.00 = 283.99, 0.01 USD -",
            "2025-12-23 reinvest ACRN 0.8724 @ 141.26 = -123.23, 0.00 USD -",
            "2025-12-22 capital_gain_distribution BIRX - @ - = 9.00, 0.00 USD long_term",
            "2025-12-21 transfer_out SPAXX - @ 1.00 = -50.00, 0.00 USD sweep",
            "2025-12-20 option_open ACRN260116C00150000 1 @ 1.50 = -150.67, 0.67 USD long",
        ]
    );
    assert_eq!((new.rows, new.transactions[2].account.as_str()), (7, "Z2"));
    assert!(new.questions.is_empty(), "{:?}", new.questions);
    let old = statement(
        "Brokerage\n\nRun Date,Account,Action,Symbol,Security Description,Security Type,Quantity,Price ($),Commission ($),Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n\
         \x20 01/04/2021,Mine Z1, YOU BOUGHT ACORN INC (ACRN) (Cash), ACRN, ACORN INC,Cash,10,50,,,,-500,01/06/2021\n",
    );
    assert_eq!(told(&old), ["2021-01-04 buy ACRN 10 @ 50.00 = -500.00, 0.00 USD -"]);
}

#[test]
fn a_settlement_before_the_run_date_is_asked_about_and_kept() {
    let read = statement(
        "Run Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n\
         12/24/2025,Mine,Z1,YOU BOUGHT ACORN,ACRN,ACORN,Cash,10,2,,,,-20,12/15/2025\n",
    );
    assert_eq!(asked(&read), ["settles-before-trade"]);
    assert_eq!(told(&read), ["2025-12-24 buy ACRN 2 @ 10.00 = -20.00, 0.00 USD -"]);
}

#[test]
fn robinhood_reads_cells_with_line_breaks_and_the_short_side() {
    let read = statement(
        "\"Activity Date\",\"Process Date\",\"Settle Date\",\"Instrument\",\"Description\",\"Trans Code\",\"Quantity\",\"Price\",\"Amount\"\n\
         \"3/12/2024\",\"3/12/2024\",\"3/13/2024\",\"ACRN\",\"Acorn\nCUSIP: 037833100\nRecurring\",\"Buy\",\"0.25\",\"$570.40\",\"($142.60)\"\n\
         \"3/11/2024\",\"3/11/2024\",\"3/12/2024\",\"ACRN\",\"ACRN 1/17/2025 Call $150.00\",\"STO\",\"1\",\"$2.00\",\"$199.95\"\n\
         \"3/10/2024\",\"3/10/2024\",\"3/11/2024\",\"ACRN\",\"Option Expiration for ACRN 1/17/2025 Call $150.00\",\"OEXP\",\"1S\",\"\",\"\"\n\
         \"3/09/2024\",\"3/09/2024\",\"3/09/2024\",\"BIRC\",\"Birch\",\"SPR\",\"100S\",\"\",\"\"\n\
         \"3/09/2024\",\"3/09/2024\",\"3/09/2024\",\"BIRC\",\"Birch\",\"SPR\",\"10\",\"\",\"\"\n\
         \"3/08/2024\",\"3/08/2024\",\"3/08/2024\",\"\",\"ACH Withdrawal\",\"ACH\",\"\",\"\",\"($10.00)\"\n\
         \"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"The data provided is for informational purposes only.\"\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-03-12 buy ACRN 0.25 @ 570.40 = -142.60, 0.00 USD -",
            "2024-03-11 option_open ACRN250117C00150000 -1 @ 2.00 = 199.95, 0.00 USD short",
            "2024-03-10 option_expire ACRN250117C00150000 1 @ - = 0.00, 0.00 USD -",
            "2024-03-09 split BIRC -100 @ - = 0.00, 0.00 USD reverse",
            "2024-03-09 split BIRC 10 @ - = 0.00, 0.00 USD reverse",
            "2024-03-08 withdrawal - - @ - = -10.00, 0.00 USD -",
        ]
    );
    let rows: Vec<u32> = read.transactions.iter().map(|one| one.row).collect();
    assert_eq!(rows, [2, 5, 6, 7, 8, 9]);
    assert_eq!(read.transactions[0].cusip.as_deref(), Some("037833100"));
}

#[test]
fn an_activity_statement_reads_by_sections_whose_headers_change() {
    let read = statement(
        "Statement,Header,Field Name,Field Value\n\
         Statement,Data,Period,\"January 1, 2024 - March 31, 2024\"\n\
         Account Information,Header,Field Name,Field Value\n\
         Account Information,Data,Account,U7\n\
         Net Asset Value,Header,Asset Class,Total\n\
         Net Asset Value,Data,Cash,5\n\
         Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity,Mult,Cost Price,Close Price,Value,Code\n\
         Open Positions,Data,Summary,Stocks,USD,ACRN,600,1,150,151,90600,\n\
         Open Positions,Data,Lot,Stocks,USD,ACRN,600,1,150,151,90600,\n\
         Open Positions,Total,,Stocks,USD,,,,,,90600,\n\
         Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,C. Price,Proceeds,Comm/Fee,Basis,Realized P/L,MTM P/L,Code\n\
         Trades,Data,Order,Stocks,USD,ACRN,\"2024-01-15, 10:30:00\",\"1,000\",150.25,151,-150250,-5,150255,0,750,O\n\
         Trades,Data,Trade,Stocks,USD,ACRN,\"2024-01-15, 10:30:00\",\"1,000\",150.25,151,-150250,-5,150255,0,750,O\n\
         Trades,Data,Order,Stocks,USD,ACRN,\"2024-02-20, 15:30:00\",-400,160.5,160,64200,0.31,-60102,4095,200,C;P\n\
         Trades,Data,ClosedLot,Stocks,USD,ACRN,2024-01-15,400,150.255,,,,60102,4095,,LT\n\
         Trades,Data,Order,Equity and Index Options,USD,ACRN 19JAN25 150 C,\"2024-02-21, 15:30:00\",1,2,2,-200,-1,201,0,0,O\n\
         Trades,SubTotal,,Stocks,USD,ACRN,,600,,,-86050,-5,90153,4095,950,\n\
         Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,,Proceeds,Comm in USD,,,MTM in USD,Code\n\
         Trades,Data,Order,Forex,USD,EUR.USD,\"2024-03-02, 09:40:00\",1000,1.08,,-1080,-2,,,0,\n\
         Dividends,Header,Currency,Date,Description,Amount\n\
         Dividends,Data,EUR,2024-02-12,ACRN(US0378331005) Cash Dividend EUR 0.25 (Return of Capital),250\n\
         Dividends,Data,Total,,,250\n\
         Dividends,Data,Total in USD,,,270\n\
         Corporate Actions,Header,Asset Category,Currency,Report Date,Date/Time,Description,Quantity,Proceeds,Value,Realized P/L,Code\n\
         Corporate Actions,Data,Stocks,USD,2024-03-05,\"2024-03-04, 20:25:00\",\"BIRC(US1234567890) Split 4 for 1 (BIRC, BIRCH, US1234567890)\",300,0,0,0,\n\
         Mystery Box,Header,A,B\n\
         Mystery Box,Data,1,2\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-01-15 buy ACRN 1000 @ 150.25 = -150255.00, 5.00 USD -",
            "2024-02-20 sell ACRN -400 @ 160.50 = 64200.31, -0.31 USD -",
            "2024-02-21 option_open ACRN250119C00150000 1 @ 2.00 = -201.00, 1.00 USD bought",
            "2024-03-02 other - - @ 1.08 = -1082.00, 2.00 USD forex",
            "2024-02-12 return_of_capital ACRN - @ - = 250.00, 0.00 EUR -",
            "2024-03-04 split BIRC 300 @ - = 0.00, 0.00 USD -",
        ]
    );
    assert_eq!(
        notes(&read.ignored),
        [
            "13: Trade: an execution of the order above it",
            "15: ClosedLot: a tax lot of the trade above it, kept with that trade"
        ]
    );
    assert_eq!(notes(&read.quarantined), ["27: unknown section \"Mystery Box\""]);
    assert_eq!(asked(&read), ["unknown-section:Mystery Box"]);
    assert_eq!(read.positions.len(), 1);
    let position = &read.positions[0];
    assert_eq!(
        (position.account.as_str(), position.shares.to_string().as_str(), position.as_of.map(|date| date.to_string())),
        ("U7", "600", Some("2024-03-31".to_owned()))
    );
}

#[test]
fn a_transaction_history_keeps_reversals_and_the_base_currency() {
    let read = statement(
        "Statement,Header,Field Name,Field Value\n\
         Statement,Data,Title,Transaction History\n\
         Summary,Header,Field Name,Field Value\n\
         Summary,Data,Base Currency,GBP\n\
         Transaction History,Header,Date,Account,Description,Transaction Type,Symbol,Quantity,Price,Gross Amount ,Commission,Net Amount\n\
         Transaction History,Data,2024-11-03,U***1,ACRN(US0378331005) Cash Dividend USD 0.50 per Share,Dividend,ACRN,-,-,20.0,-,20.0\n\
         Transaction History,Data,2024-10-01,U***1,Net Amount in Base from Forex Trade: 0.8 GBP.USD,Forex Trade Component,GBP.USD,0.8,1.32,-2.637591265E-4,-,-2.637591265E-4\n\
         Transaction History,Data,2024-08-15,U***1,ACORN,Sell,ACRN,-2.0,1001.00,2002.0,-3.0,1999.0\n\
         Transaction History,Data,2024-02-08,U***1,CANCEL WITHHOLDING ON Credit Interest,Foreign Tax Withholding,-,-,-,3.9,-,3.9\n\
         Transaction History,Data,2024-02-01,U***1,Withholding @ 30% on Credit Interest,Foreign Tax Withholding,-,-,-,-3.9,-,-3.9\n\
         Transaction History,Data,2024-02-01,U***1,A CALL,Buy,ACRN  240119C00150000,1,1,-100,-1,-101\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-11-03 dividend ACRN - @ - = 20.00, 0.00 GBP -",
            "2024-10-01 other - - @ 1.32 = -0.000263759, 0.00 GBP forex",
            "2024-08-15 sell ACRN -2 @ 1001.00 = 1999.00, 3.00 GBP -",
            "2024-02-08 tax_withheld - - @ - = 3.90, 0.00 GBP foreign",
            "2024-02-01 tax_withheld - - @ - = -3.90, 0.00 GBP foreign",
            "2024-02-01 option_open ACRN240119C00150000 1 @ 1.00 = -101.00, 1.00 GBP long",
        ]
    );
    // The file does not say whether an option trade opens or closes.
    assert_eq!((asked(&read), read.questions[0].rows.as_slice()), (vec!["option-side"], &[11][..]));
}

#[test]
fn every_format_has_its_own_id_and_an_example() {
    let all = formats();
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|format| format.id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.iter().all(|format| !format.example.is_empty() && !format.extensions.is_empty()));
}

#[test]
fn the_documented_example_reads_without_a_question() {
    let guide = include_str!("../../../../docs/formats.md");
    let example = guide.split("```csv\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let read = statement(example);
    assert_eq!((read.rows, read.transactions.len(), read.questions.len()), (5, 5, 0));
    assert!(formats().iter().all(|format| guide.contains(&format!("`{}`", format.id))));
}
