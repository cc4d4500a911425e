//! Exports of more brokers: each with its quirks, and hostile rows with the cell to blame.

use crate::told::{asked, lots, notes, refusal, statement, told};

/// `row column value` of each quarantined record.
fn blamed(read: &lotwise_statements::Statement) -> Vec<String> {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    read.quarantined.iter().map(|note| format!("{} {} {}", note.row, part(&note.column), part(&note.value))).collect()
}

#[test]
fn etrade_reads_the_layout_until_2024() {
    let read = statement(
        "For Account:,####1234\r\n\r\n\
         TransactionDate,TransactionType,SecurityType,Symbol,Quantity,Amount,Price,Commission,Description\r\n\r\n\
         12/31/24,Dividend,MF,BIRX,5.834,-81.33,0,0,BIRCH FUND   REINVEST PRICE $ 13.94\r\n\
         12/31/24,Dividend,MF,BIRX,0,81.33,0,0,BIRCH FUND   RECORD 12/27/24\r\n\
         12/30/24,Dividend,MF,BIRX,0,9.00,0,0,BIRCH FUND LONG TERM CAP GAIN\r\n\
         12/15/24,Interest,BOND,#2021396,0,0.14,0,0,EXTENDED INSURANCE SWEEP\r\n\
         11/03/24,Sold,EQ,ACRN,-2,402.15,201.1,0.05,ACORN INC\r\n\
         2024-09-02,Bought,EQ,ACRN,2,-364.9,182.45,0,ACORN INC\r\n\
         09/01/24,Sold Short,OPTN,ACRN Dec 15 '28 $400 Call,-1,149.35,1.5,0.65,CALL ACRN 12/15/28 400\r\n\
         09/01/24,Bought,OPTN,ACRN--281215P00100000,1,-50.65,0.5,0.65,PUT ACRN 12/15/28 100 OPENING\r\n\
         09/01/24,Bought,OPTN,ACRN--281215P00100000,1,-50.65,0.5,0.65,PUT ACRN 12/15/28 100\r\n\
         08/29/24,Transfer,CASH,,,15000.00,,,ACH DEPOSIT REFID:000\r\n\
         08/28/24,Bought,EQ,ACRN,two,-364.9,182.45,0,ACORN INC\r\n",
    );
    assert_eq!(read.format, "etrade-transactions-csv");
    assert_eq!(
        told(&read),
        [
            "2024-12-31 reinvest BIRX 5.834 @ - = -81.33, 0.00 USD -",
            "2024-12-31 dividend BIRX - @ - = 81.33, 0.00 USD -",
            "2024-12-30 capital_gain_distribution BIRX - @ - = 9.00, 0.00 USD long_term",
            "2024-12-15 interest - - @ - = 0.14, 0.00 USD -",
            "2024-11-03 sell ACRN -2 @ 201.10 = 402.15, 0.05 USD -",
            "2024-09-02 buy ACRN 2 @ 182.45 = -364.90, 0.00 USD -",
            "2024-09-01 option_open ACRN281215C00400000 -1 @ 1.50 = 149.35, 0.65 USD short",
            "2024-09-01 option_open ACRN281215P00100000 1 @ 0.50 = -50.65, 0.65 USD long",
            "2024-09-01 option_open ACRN281215P00100000 1 @ 0.50 = -50.65, 0.65 USD long",
            "2024-08-29 deposit - - @ - = 15000.00, 0.00 USD -",
        ]
    );
    assert!(read.transactions.iter().all(|one| one.account == "####1234"));
    assert_eq!(read.transactions[6].option.as_ref().map(|option| option.strike.to_string()).as_deref(), Some("400.00"));
    assert_eq!(blamed(&read), ["15 Quantity two"]);
    assert_eq!((asked(&read), read.questions[0].rows.as_slice()), (vec!["option-side"], &[13][..]));
}

#[test]
fn etrade_reads_the_layout_since_2025() {
    let read = statement(
        "All Transactions Activity Types\n\nAccount Joint -1234 | Jan 1, 2025 - Mar 31, 2025\n\nTotal:,$0.00\n\n\
         Activity/Trade Date,Transaction Date,Settlement Date,Activity Type,Description,Symbol,Cusip,Quantity #,Price $,Amount $,Commission,Category,Note\n\
         02/18/25,02/18/25,02/19/25,Sold Short,PUT  ACRN    02/27/26   260.000,ACRN,--,-1.0,2.13,212.49,0.51,--,--\n\
         02/17/25,02/17/25,02/18/25,Option Assigned,PUT  ACRN    02/27/26   260.000,ACRN,--,1.0,0,0,0,--,--\n\
         02/17/25,02/17/25,02/18/25,Bought,ACORN INC OPTION ASSIGNED,ACRN,--,100,260,-26000.00,0,--,--\n\
         02/16/25,02/16/25,02/16/25,Qualified Dividend,ACORN INC,ACRN,037833100,0,0,12.00,0.0,--,--\n\
         02/15/25,02/15/25,02/15/25,Online Transfer,TRNSFR FROM BANK,--,--,--,--,500.00,0.0,--,--\n\
         This is the disclaimer of the house and it is longer than any account's name would be.,,,,,,,,,,,,\n",
    );
    assert_eq!(
        told(&read),
        [
            "2025-02-18 option_open ACRN260227P00260000 -1 @ 2.13 = 212.49, 0.51 USD short",
            "2025-02-17 option_assign ACRN260227P00260000 1 @ - = 0.00, 0.00 USD -",
            "2025-02-17 buy ACRN 100 @ 260.00 = -26000.00, 0.00 USD by_assignment",
            "2025-02-16 dividend ACRN - @ - = 12.00, 0.00 USD qualified",
            "2025-02-15 deposit - - @ - = 500.00, 0.00 USD -",
        ]
    );
    assert_eq!(read.transactions[0].account, "Joint -1234");
    assert!(read.quarantined.is_empty() && read.questions.is_empty(), "{:?}", read.questions);
}

#[test]
fn merrill_reads_blanks_before_commas_and_actions_in_the_description() {
    let read = statement(
        "Exported on: 08/11/2024 09:27 PM ET\n\nSelected account(s):CMA 00X\n\n\
         \"Trade Date\" ,\"Settlement Date\" ,\"Account\" ,\"Description\" ,\"Type\" ,\"Symbol/ CUSIP\" ,\"Quantity\" ,\"Price\" ,\"Amount\" ,\" \" \n\
         ,\n\
         \"12/31/2023\" ,\"12/31/2023\" ,\"CMA 00X\" ,\"Bank Interest ML FROM 11/30\" ,\"\" ,\"990000000\" ,\"\" ,\"\" ,\"$0.50\" ,\"\" \n\
         \"12/06/2023\" ,\"12/08/2023\" ,\"CMA 00X\" ,\"Purchase  ACORN & CO ACTUAL PRICES\" ,\"\" ,\"ACRN\" ,\"300\" ,\"$151.89\" ,\"-$45,567.00\" ,\"\" \n\
         \"11/17/2023\" ,\"11/18/2023\" ,\"CMA 00X\" ,\"Sale  ACORN & CO\" ,\"\" ,\"ACRN\" ,\"-10\" ,\"$150.00\" ,\"$1,499.96\" ,\"\" \n\
         \"11/16/2023\" ,\"11/16/2023\" ,\"CMA 00X\" ,\"Wondrous Event ACORN\" ,\"\" ,\"ACRN\" ,\"\" ,\"\" ,\"$1.00\" ,\"\" \n\
         \"Total activity from 11/16/2023\" ,\"\" ,\"\" ,\"\" ,\"\" ,\"\" ,\"\" ,\"\" ,\"$0.00\" ,\"\" \n,\n",
    );
    assert_eq!(
        told(&read),
        [
            "2023-12-31 interest - - @ - = 0.50, 0.00 USD -",
            "2023-12-06 buy ACRN 300 @ 151.89 = -45567.00, 0.00 USD -",
            "2023-11-17 sell ACRN -10 @ 150.00 = 1499.96, 0.00 USD -",
        ]
    );
    assert_eq!(blamed(&read), ["10 Description Wondrous Event ACORN"]);
    assert_eq!(asked(&read), ["unknown-action:Wondrous Event"]);
    let newer = statement(
        "\"Exported on: 10/09/2026 01:15 PM ET\"\r\n\r\n\"Selected account(s): CMA 00X\"\r\n\r\n\
         \"Settlement date\",\"Description\",\"Type\",\"Symbol/ CUSIP\",\"Quantity\",\"Price\",\"Amount\"\r\n\
         \"10/05/2026\",\"Dividend ACORN\",\"Dividends/ Interest\",\"ACRN\",\"--\",\"--\",\"+$44.92\"\r\n\
         \"08/28/2026\",\"Purchase ACORN\",\"Trades/Securities\",\"ACRN\",\"4\",\"$57.00\",\"-$228.00\"\r\n\
         \"Total Aug 2026 - Oct 2026\",\"\",\"\",\"\",\"\",\"\",\"$0.00\"\r\n",
    );
    assert_eq!(
        told(&newer),
        ["2026-10-05 dividend ACRN - @ - = 44.92, 0.00 USD -", "2026-08-28 buy ACRN 4 @ 57.00 = -228.00, 0.00 USD -",]
    );
    assert_eq!((newer.transactions[0].account.as_str(), asked(&newer)), ("CMA 00X", vec!["settlement-date-only"]));
}

#[test]
fn vanguard_reads_holdings_and_transactions_of_one_file() {
    let read = statement(
        "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,\n\
         001,ACORN FUND,ACRX,6.2,300.00,1860.00,\n001,CASH FUND,VMFXX,968.5,1.00,968.50,\n\n\n\
         Account Number,Trade Date,Settlement Date,Transaction Type,Transaction Description,Investment Name,Symbol,Shares,Share Price,Principal Amount,Commissions and Fees,Net Amount,Accrued Interest,Account Type,\n\
         001,2024-04-01,2024-04-02,Sell,Sell,ACORN FUND,ACRX,-4.00000,240.00,960.00,0.02,959.98,0.0,CASH,\n\
         001,03/26/2024,03/26/2024,Reinvestment,Dividend Reinvestment,ACORN FUND,ACRX,0.20000,42.50,-8.50,0.0,-8.50,0.0,CASH,\n\
         001,2024-03-26,2024-03-26,Dividend,Dividend Received,ACORN FUND,ACRX,0.00000,0.85,8.50,0.0,8.50,0.0,CASH,\n\
         001,2024-03-02,2024-03-02,Sweep in,Sweep Into Settlement Fund,CASH FUND,VMFXX,0.00000,1.00,-500.00,0.0,-500.00,0.0,CASH,\n\
         002,2024-03-02,2024-03-02,Exchange,Exchange From,BIRCH FUND,BIRX,-10.0,48.00,480.00,0.0,480.00,0.0,CASH,\n\
         002,2024-03-02,2024-03-02,Exchange,Exchange To,ACORN FUND,ACRX,2.0,240.00,-480.00,0.0,-480.00,0.0,CASH,\n\
         002,2024-13-02,2024-03-02,Buy,Buy,ACORN FUND,ACRX,2.0,240.00,-480.00,0.0,-480.00,0.0,CASH,\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-04-01 sell ACRX -4 @ 240.00 = 959.98, 0.02 USD -",
            "2024-03-26 reinvest ACRX 0.2 @ 42.50 = -8.50, 0.00 USD -",
            "2024-03-26 dividend ACRX - @ 0.85 = 8.50, 0.00 USD -",
            "2024-03-02 transfer_out VMFXX - @ 1.00 = -500.00, 0.00 USD sweep",
            "2024-03-02 sell BIRX -10 @ 48.00 = 480.00, 0.00 USD exchange",
            "2024-03-02 buy ACRX 2 @ 240.00 = -480.00, 0.00 USD exchange",
        ]
    );
    assert_eq!((read.positions.len(), read.rows), (2, 7));
    assert_eq!(blamed(&read), ["13 Trade Date 2024-13-02"]);
    let report = statement(
        "Settlement Date,Trade Date,Symbol,Name,Transaction Type,Account Type,Quantity,Price,Commissions & Fees,Amount\n\
         01/04/2024,01/03/2024,ACRX,Acorn Fund,Buy,CASH,2.5,10,Free,-25\n",
    );
    assert_eq!(told(&report), ["2024-01-03 buy ACRX 2.5 @ 10.00 = -25.00, 0.00 USD -"]);
}

#[test]
fn vanguard_uk_counts_a_trade_of_two_sections_once() {
    let read = statement(
        "My General account,,,,,\n,,,,,\nCash Transactions,,,,,\n,,,,,\nDate,Details,Amount,Balance,,\n\
         08/03/2022,Deposit for investment purchases,\"15,000\",15000,,\n\
         09/03/2022,\"Bought 1,550 Acorn ETF Distributing (ACRN)\",-14982.06,17.94,,\n\
         09/04/2022,DIV: ACRN.XLON.GB @ GBP 0.4106,225.83,243.77,,\n\
         10/04/2022,Reversal of DIV: ACRN.XLON.GB @ GBP 0.4106,-225.83,17.94,,\n\
         01/10/2022,Bought .5 Birch Fund - Accumulation,-10,7.94,,\n\
         02/10/2022,Bought some Birch Fund,-10,7.94,,\n\
         Balance,7.94,,,,\n,,,,,\nInvestment Transactions,,,,,\n,,,,,\nDate,InvestmentName,TransactionDetails,Quantity,Price,Cost\n\
         10/03/2022,Acorn ETF Distributing (ACRN),\"Bought 1,550 Acorn ETF Distributing (ACRN)\",1550,9.665845,14982.06\n\
         12/03/2022,Cedar ETF (CEDR),Sold 3 Cedar ETF (CEDR),3,2.00,6.00\nCost,12545,,,,\n",
    );
    assert_eq!(
        told(&read),
        [
            "2022-03-08 deposit - - @ - = 15000.00, 0.00 GBP -",
            "2022-03-09 buy ACRN 1550 @ 9.665845 = -14982.06, 0.00 GBP -",
            "2022-04-09 dividend ACRN - @ - = 225.83, 0.00 GBP -",
            "2022-04-10 dividend ACRN - @ - = -225.83, 0.00 GBP -",
            "2022-10-01 buy - 0.5 @ - = -10.00, 0.00 GBP -",
            "2022-03-12 sell CEDR -3 @ 2.00 = 6.00, 0.00 GBP -",
        ]
    );
    assert!(read.transactions.iter().all(|one| one.account == "My General account"));
    assert_eq!(notes(&read.ignored), ["17: investment transaction: the same trade as the cash transaction in row 7"]);
    assert_eq!(blamed(&read), ["11 Details Bought some Birch Fund"]);
}

#[test]
fn a_banks_table_is_no_report_of_vanguard_uk() {
    let error = refusal(
        "Date,Details,Amount,Balance\n08/03/2022,Card payment,-15.00,985.00\n09/03/2022,Salary,15.00,1000.00\n",
    );
    assert!(error.to_string().starts_with("not a known export"), "{error}");
}

#[test]
fn webull_reads_what_was_filled() {
    let read = statement(
        "Name,Symbol,Side,Status,Filled,Total Qty,Price,Avg Price,Time-in-Force,Placed Time,Filled Time\n\
         Acorn Inc,ACRN,Sell,Filled,100,100,@189.00,189.10,DAY,03/02/2026 10:12:00 EST,03/02/2026 10:12:40 EST\n\
         Acorn Inc,ACRN,Sell,Cancelled,0,100,@195.00,,GTC,03/02/2026 09:40:00 EST,\n\
         Acorn Inc,ACRN,Buy,Cancelled,30,50,@20.00,20.00,GTC,07/06/2026 15:58:00 EDT,07/06/2026 15:59:30 EDT\n\
         ACRN Vertical,,Sell,Filled,10,10,@1.25,1.25,DAY,03/26/2026 16:01:46 EDT,03/26/2026 16:01:46 EDT\n\
         ,ACRN260327C00654000,Sell,Filled,10,10,@12.97,12.97,DAY,03/26/2026 16:01:46 EDT,03/26/2026 16:01:46 EDT\n\
         Acorn Inc,ACRN,Buy,Filled,5,5,@20.00,,GTC,07/06/2026 15:58:00 EDT,07/06/2026 15:59:30 EDT\n",
    );
    assert_eq!(
        told(&read),
        [
            "2026-03-02 sell ACRN -100 @ 189.10 = 18910.00, 0.00 USD -",
            "2026-07-06 buy ACRN 30 @ 20.00 = -600.00, 0.00 USD -",
            "2026-03-26 option_open ACRN260327C00654000 -10 @ 12.97 = 12970.00, 0.00 USD short",
        ]
    );
    assert_eq!(
        notes(&read.ignored),
        [
            "3: Cancelled: nothing of the order was filled",
            "5: Filled: an order of several legs, which stand in rows of their own"
        ]
    );
    assert_eq!(notes(&read.quarantined), ["7: the amount is missing"]);
    assert_eq!(asked(&read), ["option-side"]);
}

#[test]
fn awards_carry_their_value_and_sales_their_lots() {
    let read = statement(
        "\"Date\",\"Action\",\"Symbol\",\"Description\",\"Quantity\",\"FeesAndCommissions\",\"DisbursementElection\",\"Amount\",\"Type\",\"Shares\",\"SalePrice\",\"PurchaseDate\",\"PurchasePrice\",\"VestDate\",\"VestFairMarketValue\",\"AwardDate\",\"AwardId\",\"FairMarketValuePrice\",\"SharesSoldWithheldForTaxes\",\"NetSharesDeposited\",\"Taxes\"\n\
         \"09/20/2023\",\"Sale\",\"ACRN\",\"Share Sale\",\"30\",\"$0.30\",\"\",\"$2,999.70\"\n\
         \"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"RS\",\"20\",\"$100.00\",\"\",\"\",\"08/15/2023\",\"$90.00\",\"\",\"7\"\n\
         \"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"ESPP\",\"10\",\"$100.00\",\"01/31/2023\",\"$60.00\"\n\
         \"08/15/2023\",\"Lapse\",\"ACRN\",\"Restricted Stock Lapse\",\"40\"\n\
         \"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"03/21/2022\",\"7\",\"$90.00\",\"20\",\"20\",\"$1,800.00\"\n",
    );
    assert_eq!(
        told(&read),
        [
            "2023-09-20 sell ACRN -30 @ 100.00 = 2999.70, 0.30 USD -",
            "2023-08-15 grant ACRN 20 @ 90.00 = 0.00, 0.00 USD vest",
        ]
    );
    assert_eq!(
        lots(&read),
        [
            "2: 2023-08-15 20 1800.00/1999.80/- - -",
            "2: 2023-01-31 10 600.00/999.90/- - -",
            "5: 2023-08-15 20 1800.00/-/- - -",
        ]
    );
    assert_eq!(read.transactions[1].description, "Restricted Stock Lapse; 40 vested, 20 withheld for taxes");
    let rows: Vec<u32> = read.ignored.iter().map(|note| note.row).collect();
    assert_eq!(rows, [3, 4, 6]);
}

#[test]
fn an_award_lends_its_price_to_the_shares_that_arrive() {
    let awards = statement(
        "Date,Action,Symbol,Description,Quantity,FeesAndCommissions,Amount,AwardDate,AwardId,FairMarketValuePrice,NetSharesDeposited\n\
         08/15/2023,Lapse,ACRN,Restricted Stock Lapse,40,,,,,,\n,,,,,,,03/21/2022,7,$90.00,20\n\
         05/15/2023,Lapse,ACRN,Restricted Stock Lapse,40,,,,,,\n,,,,,,,03/21/2022,7,$80.00,20\n",
    );
    let transactions = statement(
        "Date,Action,Symbol,Description,Quantity,Price,Fees & Comm,Amount\n\
         08/18/2023 as of 08/15/2023,Stock Plan Activity,ACRN,ACORN INC,20,,,\n\
         08/01/2023,Stock Plan Activity,ACRN,ACORN INC,7,,,\n",
    );
    let (mut awards, mut transactions) = (awards, transactions);
    assert_eq!(lotwise_statements::pair_awards(&mut [&mut awards, &mut transactions]), 1);
    assert_eq!(told(&awards), ["2023-05-15 grant ACRN 20 @ 80.00 = 0.00, 0.00 USD vest"]);
    assert_eq!(told(&transactions)[0], "2023-08-15 grant ACRN 20 @ 90.00 = 0.00, 0.00 USD equity_award");
    assert_eq!(lots(&transactions), ["2: 2023-08-15 20 1800.00/-/- - -"]);
    assert!(notes(&awards.ignored).iter().any(|note| note.starts_with("2: award: its shares arrive in row 2")));
    crate::told::assert_accounted(&awards);
}

#[test]
fn realized_lots_are_sales_of_one_lot_each() {
    let read = statement(
        "\"Realized Gain/Loss - Lot Details for All_Accounts as of Tue Mar 03 19:13:09 EDT 2026 from 01/01/2026 to 03/03/2026\",\"\",\"\"\n\
         \"Individual ...001\",\"\",\"\"\n\
         \"Symbol\",\"Name\",\"Closed Date\",\"Opened Date\",\"Quantity\",\"Proceeds Per Share\",\"Cost Per Share\",\"Proceeds\",\"Cost Basis (CB)\",\"Gain/Loss ($)\",\"Term\",\"Wash Sale?\",\"Disallowed Loss\"\n\
         \"ACRN\",\"ACORN INC\",\"02/20/2026\",\"02/11/2026\",\"100\",\"$9.25\",\"$9.00\",\"$925.00\",\"$900.00\",\"$25.00\",\"Short Term\",\"No\",\"\"\n\
         \"BIRC\",\"BIRCH INC\",\"02/20/2026\",\"02/16/2024\",\"10\",\"$33.00\",\"$46.00\",\"$330.00\",\"$460.00\",\"-$130.00\",\"Long Term\",\"Yes\",\"$130.00\"\n\
         \"BIRC\",\"BIRCH INC\",\"02/20/2026\",\"soon\",\"10\",\"$33.00\",\"$46.00\",\"$330.00\",\"$460.00\",\"\",\"Long Term\",\"No\",\"\"\n\
         \"Joint ...002\",\"\",\"\"\n\
         \"ACRN 01/16/2026 150.00 C\",\"CALL ACORN\",\"01/10/2026\",\"01/05/2026\",\"2\",\"$1.00\",\"$0.50\",\"$200.00\",\"$100.00\",\"$100.00\",\"Short Term\",\"No\",\"\"\n\
         \"Total\",\"\",\"\",\"\",\"\",\"\",\"\",\"$1,455.00\",\"\",\"\",\"\",\"\",\"\"\n",
    );
    assert_eq!(
        told(&read),
        [
            "2026-02-20 sell ACRN -100 @ 9.25 = 925.00, 0.00 USD realized_lot",
            "2026-02-20 sell BIRC -10 @ 33.00 = 330.00, 0.00 USD realized_lot",
            "2026-01-10 option_close ACRN260116C00150000 -2 @ 1.00 = 200.00, 0.00 USD realized_lot",
        ]
    );
    assert_eq!(
        lots(&read),
        [
            "4: 2026-02-11 100 900.00/925.00/- short -",
            "5: 2024-02-16 10 460.00/330.00/130.00 long -",
            "8: 2026-01-05 2 100.00/200.00/- short -",
        ]
    );
    let accounts: Vec<&str> = read.transactions.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(accounts, ["Individual ...001", "Individual ...001", "Joint ...002"]);
    assert_eq!(blamed(&read), ["6 Opened Date soon"]);
}

#[test]
fn revolut_reads_signs_of_currencies_and_decimal_commas() {
    let read = statement(
        "Date,Ticker,Type,Quantity,Price per share,Total Amount,Currency,FX Rate\n\
         2019-12-02T08:23:08.459586Z,,CASH WITHDRAWAL,,,-$30.93,USD,1.1\n\
         2023-09-22T13:30:10.514Z,ACRN,BUY - MARKET,1.5,$52.07,$78.11,USD,1.06\n\
         2023-09-23T13:30:10.514Z,ACRN,SELL - LIMIT,0.5,$60,$30,USD,1.06\n\
         2023-08-06T09:06:58.89986Z,ACRN,TRANSFER FROM REVOLUT TRADING LTD TO REVOLUT SECURITIES EUROPE UAB,0.5,,$0,USD,1\n\
         2022-08-25T08:27:46.41Z,ACRN,STOCK SPLIT,2,,$0,USD,0.09\n\
         2025-09-08T07:29:03.333Z,BIRC,BUY - MARKET,\"0,76672417\",€26.09,€20,EUR,1\n\
         2025-09-09T07:29:03.333Z,BIRC,BUY - MARKET,\"1,234\",€26.09,€20,EUR,1\n\
         2025-09-10T07:29:03.333Z,BIRC,BUY - MARKET,1,€26.09,€26.09,USD,1\n",
    );
    assert_eq!(
        told(&read),
        [
            "2019-12-02 withdrawal - - @ - = -30.93, 0.00 USD -",
            "2023-09-22 buy ACRN 1.5 @ 52.07 = -78.11, 0.00 USD -",
            "2023-09-23 sell ACRN -0.5 @ 60.00 = 30.00, 0.00 USD -",
            "2023-08-06 transfer_in ACRN - @ - = 0.00, 0.00 USD custodian_change",
            "2022-08-25 split ACRN 2 @ - = 0.00, 0.00 USD -",
            "2025-09-08 buy BIRC 0.76672417 @ 26.09 = -20.00, 0.00 EUR -",
        ]
    );
    assert_eq!(blamed(&read), ["8 Quantity 1,234", "9 Total Amount €26.09"]);
}

#[test]
fn trading_212_reads_older_and_newer_columns() {
    let newer = statement(
        "Action,Time,ISIN,Ticker,Name,No. of shares,Price / share,Currency (Price / share),Exchange rate,Result,Currency (Result),Total,Currency (Total),Withholding tax,Currency (Withholding tax),Notes,ID,Currency conversion fee,Currency (Currency conversion fee)\n\
         Deposit,2024-01-01 00:15:20.149,,,,,,,,,,3000.00,\"GBP\",,,Bank,d1,,\n\
         Market buy,2024-01-01 16:10:05.175,US0000000002,ACRN,\"Acorn\",24.0,124.01,USD,1.25,,\"GBP\",2381.35,\"GBP\",,,,E1,4.71,\"GBP\"\n\
         Limit sell,2024-04-29 13:20:03,GB0000000001,BIRC,\"Birch\",2,10.5,GBP,1,,\"GBP\",21.00,\"GBP\",,,,E2,,\n\
         Dividend (Ordinary),2024-03-23 18:35:26,US0000000002,ACRN,\"Acorn\",24.0,0.03,USD,Not available,,,0.11,\"GBP\",0.02,USD,,,,\n\
         Withdrawal,2024-05-26 16:18:16.235,,,,,,,,,,-2000.00,\"GBP\",,,Out,w1,,\n\
         Market buy,2024-01-01,US0000000002,ACRN,\"Acorn\",24.0,124.01,USD,1.25,,\"GBP\",none,\"GBP\",,,,E3,,\n",
    );
    assert_eq!(
        told(&newer),
        [
            "2024-01-01 deposit - - @ - = 3000.00, 0.00 GBP -",
            "2024-01-01 buy ACRN 24 @ - = -2381.35, 0.00 GBP -",
            "2024-04-29 sell BIRC -2 @ 10.50 = 21.00, 0.00 GBP -",
            "2024-03-23 dividend ACRN - @ - = 0.11, 0.00 GBP -",
            "2024-05-26 withdrawal - - @ - = -2000.00, 0.00 GBP -",
        ]
    );
    assert_eq!(newer.transactions[1].description, "Acorn at 124.01 USD; currency conversion fee 4.71 GBP");
    assert_eq!((newer.transactions[1].id.as_str(), blamed(&newer)), ("E1", vec!["7 Total none".to_owned()]));
    let older = statement(
        "Action,Time,ISIN,Ticker,Name,No. of shares,Price / share,Currency (Price / share),Exchange rate,Result (EUR),Total (EUR),Notes,ID\n\
         Market buy,2021-03-05 14:21:12,US0000000002,ACRN,Acorn,2,10,EUR,1,,20.00,,E1\n",
    );
    assert_eq!(told(&older), ["2021-03-05 buy ACRN 2 @ 10.00 = -20.00, 0.00 EUR -"]);
}

#[test]
fn xtb_reads_trades_in_comments_and_asks_for_the_currency() {
    let read = statement(
        "ID;Type;Time;Comment;Symbol;Amount\n\
         1;Stock purchase;02.01.2024 10:00:00;OPEN BUY 2/5 @ 163.40;ACRN.US;-326,80\n\
         2;Stock sale;03.01.2024 10:00:00;CLOSE BUY 1 @ 40.00;BIRC.UK;46.10\n\
         3;Free-funds Interest;04.01.2024 10:00:00;Free-funds Interest 2024-01;;0.10\n\
         4;Stock purchase;02.01.2024 10:00:00;bought something;ACRN.US;-326.80\n",
    );
    assert_eq!(
        told(&read),
        [
            "2024-01-02 buy ACRN 2 @ 163.40 = -326.80, 0.00 XXX -",
            "2024-01-03 sell BIRC.UK -1 @ - = 46.10, 0.00 XXX -",
            "2024-01-04 interest - - @ - = 0.10, 0.00 XXX -",
        ]
    );
    assert_eq!(
        (asked(&read), blamed(&read)),
        (vec!["currency-unknown"], vec!["5 Comment bought something".to_owned()])
    );
    let stated = statement(
        "Name;Account;Currency;Balance\nJane;123;EUR;5\n\nID;Type;Time;Comment;Symbol;Amount\n\
         1;Deposit;2024-01-02 10:00:00;Deposit;;100.00\nTotal;;;;;100.00\n",
    );
    assert_eq!(told(&stated), ["2024-01-02 deposit - - @ - = 100.00, 0.00 EUR -"]);
}

#[test]
fn form_1099b_reads_names_written_as_one_word() {
    let expected = ["2025-02-03 sell ACRN -5 @ - = 500.00, 0.00 USD form_1099b"];
    let files = [
        "Description,DateAcquired,DateSold,GrossProceeds,CostBasis,WashSaleLossDisallowed,Symbol,Quantity\n\
         ACORN,01/02/2025,02/03/2025,500,450,5,ACRN,5\n",
        "description,date_acquired,date_sold,proceeds,cost_basis,wash_sale_loss_disallowed,symbol,quantity\n\
         ACORN,2025-01-02,2025-02-03,500,450,5,ACRN,5\n",
        "1099-B,ACCOUNT NUMBER,TAX YEAR,DATE ACQUIRED,SALE DATE,DESCRIPTION,SYMBOL,SHARES,COST BASIS,SALES PRICE,TERM,WASH AMT DISALLOWED,FORM8949CODE\n\
         1099-B,7,2025,20250102,20250203,ACORN,ACRN,5,450,500,SHORT,5,A\n",
    ];
    for file in files {
        let read = statement(file);
        assert_eq!(told(&read), expected);
        assert!(lots(&read)[0].starts_with("2: 2025-01-02 5 450.00/500.00/5.00"), "{:?}", lots(&read));
    }
}

#[test]
fn a_security_called_total_is_no_total() {
    let read = statement(
        "Description,Date Acquired,Date Sold,Proceeds,Cost Basis,CUSIP,Quantity\n\
         TOTAL SYSTEM SERVICES,2025-01-02,2025-02-03,500,450,891906109,5\nTotal,,,500,450,,\n",
    );
    assert_eq!(
        (read.rows, told(&read)),
        (1, vec!["2025-02-03 sell - -5 @ - = 500.00, 0.00 USD form_1099b".to_owned()])
    );
}

#[test]
fn form_1099b_reads_many_sets_of_columns() {
    let brokers = statement(
        "Form 1099-B 2025\n\
         1a - Description of property (Example: 100 sh. XYZ Co.),CUSIP,Quantity,1b. Date acquired,1c. Date sold or disposed,1d. Proceeds,1e. Cost or other basis,1g. Wash sale loss disallowed,Term,Form 8949 Code\n\
         ACORN INC,037833100,10,01/15/2024,03/01/2025,\"$1,000.00\",$900.00,,Long-term,D\n\
         BIRCH INC,09070K200,5,VARIOUS,03/02/2025,100.00,150.00,50.00,Short-term,A\n\
         CEDAR INC,00165C203,5,Inherited,03/02/2025,100.00,,,,\n\
         CALL ACRN 01/16/2026 150,,1,02/01/2025,02/10/2025,120.00,100.00,,Short-term,A\n\
         DOGWOOD INC,00165C203,5,someday,03/02/2025,100.00,1.00,,S,B\n\
         Total,,,,,\"1,320.00\",,,,\n",
    );
    assert_eq!(
        told(&brokers),
        [
            "2025-03-01 sell - -10 @ - = 1000.00, 0.00 USD form_1099b",
            "2025-03-02 sell - -5 @ - = 100.00, 0.00 USD form_1099b",
            "2025-03-02 sell - -5 @ - = 100.00, 0.00 USD form_1099b",
            "2025-02-10 option_close ACRN260116C00150000 -1 @ - = 120.00, 0.00 USD form_1099b",
        ]
    );
    assert_eq!(
        lots(&brokers),
        [
            "3: 2024-01-15 10 900.00/1000.00/- long covered",
            "4: - 5 150.00/100.00/50.00 short covered",
            "5: - 5 -/100.00/- long -",
            "6: 2025-02-01 1 100.00/120.00/- short covered",
        ]
    );
    assert_eq!(blamed(&brokers), ["7 1b. Date acquired someday"]);
    let sections = statement(
        "Description,Date Acquired,Date Sold,Proceeds,Cost Basis,Wash Sale Loss Disallowed,Gain/Loss\n\
         Short Term - Covered,,,,,,\n\
         100 SH ACORN INC,2025-01-02,2025-02-03,500,450,0,50\n\
         12.5 ACRN,2025-01-02,2025-02-03,50,45,,5\n\
         LONG-TERM TRANSACTIONS FOR NONCOVERED TAX LOTS,,,,,,\n\
         BIRCH INC,2020-01-02,2025-02-03,500,,,\n",
    );
    assert_eq!(
        told(&sections),
        [
            "2025-02-03 sell - -100 @ - = 500.00, 0.00 USD form_1099b",
            "2025-02-03 sell ACRN -12.5 @ - = 50.00, 0.00 USD form_1099b",
            "2025-02-03 sell - - @ - = 500.00, 0.00 USD form_1099b",
        ]
    );
    assert_eq!(
        lots(&sections),
        [
            "3: 2025-01-02 100 450.00/500.00/0.00 short covered",
            "4: 2025-01-02 12.5 45.00/50.00/- short covered",
            "6: 2020-01-02 0 -/500.00/- long noncovered",
        ]
    );
    assert_eq!(asked(&sections), ["unnamed-sale"]);
}

#[test]
fn a_flex_query_in_csv_reads_as_the_one_in_xml() {
    let marked = statement(
        "\"BOF\",\"U1\",\"Activity\",\"2\",\"20240101\",\"20241231\"\n\"BOA\",\"U1\"\n\"BOS\",\"TRNT\",\"Trades; trade date basis\"\n\
         \"HEADER\",\"TRNT\",\"ClientAccountID\",\"CurrencyPrimary\",\"AssetClass\",\"Symbol\",\"ISIN\",\"TradeDate\",\"Quantity\",\"TradePrice\",\"Proceeds\",\"IBCommission\",\"IBCommissionCurrency\",\"NetCash\",\"Open/CloseIndicator\",\"Notes/Codes\",\"Buy/Sell\",\"LevelOfDetail\",\"TradeID\"\n\
         \"DATA\",\"TRNT\",\"U1\",\"USD\",\"STK\",\"ACRN\",\"US0378331005\",\"20240305\",\"10\",\"5\",\"-50\",\"-1\",\"USD\",\"-51\",\"O\",\"\",\"BUY\",\"EXECUTION\",\"t1\"\n\
         \"DATA\",\"TRNT\",\"U1\",\"USD\",\"OPT\",\"ACRN  240621C00050000\",\"\",\"20240306\",\"-1\",\"0.5\",\"50\",\"-1\",\"USD\",\"49\",\"O\",\"\",\"SELL\",\"EXECUTION\",\"t2\"\n\
         \"DATA\",\"TRNT\",\"U1\",\"USD\",\"STK\",\"ACRN\",\"US0378331005\",\"20240305\",\"10\",\"5\",\"-50\",\"-1\",\"USD\",\"-51\",\"O\",\"\",\"BUY\",\"ORDER\",\"\"\n\
         \"EOS\",\"TRNT\",\"3\"\n\"BOS\",\"CTRN\",\"Cash Transactions\"\n\
         \"HEADER\",\"CTRN\",\"ClientAccountID\",\"CurrencyPrimary\",\"Symbol\",\"Date/Time\",\"Amount\",\"Type\",\"Description\"\n\
         \"DATA\",\"CTRN\",\"U1\",\"USD\",\"ACRN\",\"20240307;202000\",\"2.5\",\"Dividends\",\"ACRN(US0378331005) CASH DIVIDEND\"\n\
         \"EOS\",\"CTRN\",\"1\"\n\"EOA\",\"U1\"\n\"EOF\"\n",
    );
    assert_eq!(marked.format, "ibkr-flex-csv");
    assert_eq!(
        told(&marked),
        [
            "2024-03-05 buy ACRN 10 @ 5.00 = -51.00, 1.00 USD -",
            "2024-03-06 option_open ACRN240621C00050000 -1 @ 0.50 = 49.00, 1.00 USD short",
            "2024-03-07 dividend ACRN - @ - = 2.50, 0.00 USD -",
        ]
    );
    assert_eq!((marked.rows, marked.ignored.len(), marked.transactions[0].account.as_str()), (4, 1, "U1"));
    assert_eq!(marked.transactions[1].option.as_ref().map(|option| option.multiplier), Some(100));
    let bare = statement(
        "Buy/Sell,TradeDate,ISIN,Quantity,TradePrice,TradeMoney,CurrencyPrimary,IBCommission,IBCommissionCurrency\n\
         BUY,20240522,CH0111762537,7,282.7,1978.9,CHF,-5,CHF\n\
         SELL,20240522,,-8000,1.1173,-8938.4,USD,-1.8,CHF\n\
         HOLD,20240522,CH0111762537,7,282.7,1978.9,CHF,-5,CHF\n\
         Type,SettleDate,ISIN,Description,Amount,CurrencyPrimary\n\
         Dividends,20240523,CH0111762537,ACRN(CH0111762537) CASH DIVIDEND CHF 1 (Ordinary Dividend),7,CHF\n",
    );
    assert_eq!(
        told(&bare),
        [
            "2024-05-22 buy - 7 @ 282.70 = -1983.90, 5.00 CHF -",
            "2024-05-22 sell - - @ 1.1173 = 8938.40, 0.00 USD forex",
            "2024-05-23 dividend ACRN - @ - = 7.00, 0.00 CHF -",
        ]
    );
    assert_eq!(asked(&bare), ["commission-currency", "unnamed-security"]);
    assert_eq!(blamed(&bare), ["4 buySell HOLD"]);
}

#[test]
fn closed_lots_of_an_activity_statement_belong_to_the_sale_above() {
    let read = statement(
        "Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Proceeds,Comm/Fee,Basis,Realized P/L,Code\n\
         Trades,Data,ClosedLot,Stocks,USD,ACRN,2024-01-15,1,5,,,5,1,ST\n\
         Trades,Data,Order,Stocks,USD,ACRN,\"2024-02-20, 15:30:00\",-400,160.5,64200,-2.31,-60102,4095.69,C;P\n\
         Trades,Data,ClosedLot,Stocks,USD,ACRN,2023-01-15,300,150.255,,,45076.5,3071.7675,LT\n\
         Trades,Data,ClosedLot,Stocks,USD,ACRN,2024-01-15,100,150.255,,,15025.5,1023.9225,ST\n\
         Trades,Data,Order,Stocks,USD,BIRC,\"2024-02-21, 15:30:00\",100,150,-15000,0,15000,0,A;O\n",
    );
    assert_eq!(
        lots(&read),
        ["3: 2023-01-15 300 45076.50/48148.2675/- long -", "3: 2024-01-15 100 15025.50/16049.4225/- short -"]
    );
    assert_eq!(
        notes(&read.ignored),
        [
            "2: ClosedLot: a tax lot, but no sale of its security stands above it",
            "4: ClosedLot: a tax lot of the trade above it, kept with that trade",
            "5: ClosedLot: a tax lot of the trade above it, kept with that trade",
        ]
    );
    assert_eq!(told(&read)[1], "2024-02-21 buy BIRC 100 @ 150.00 = -15000.00, 0.00 USD by_assignment");
    assert!(read.questions.is_empty(), "{:?}", read.questions);
}

#[test]
fn td_ameritrade_reads_sentences_up_to_the_end_of_the_file() {
    let read = statement(
        "DATE,TRANSACTION ID,DESCRIPTION,QUANTITY,SYMBOL,PRICE,COMMISSION,AMOUNT,REG FEE,SHORT-TERM RDM FEE,FUND REDEMPTION FEE, DEFERRED SALES CHARGE\n\
         01/04/2021,301,Bought 3 ACRN @ 374.12,3,ACRN,374.12,0.00,-1122.36,,,,\n\
         01/05/2021,302,Sold 1 ACRN @ 380.00,1,ACRN,380.00,0.00,379.99,0.01,,,\n\
         01/06/2021,303,QUALIFIED DIVIDEND (ACRN),,ACRN,,,1.20,,,,\n\
         01/07/2021,304,CLIENT REQUESTED ELECTRONIC FUNDING RECEIPT (FUNDS NOW),,,,,500.00,,,,\n\
         01/08/2021,305,Sold 1 ACRN Jan 15 2021 130.0 Put @ 1.50,1,ACRN Jan 15 2021 130.0 Put,1.50,0.65,149.34,0.01,,,\n\
         01/16/2021,306,REMOVAL OF OPTION DUE TO EXPIRATION (0ACRN.MF10130000),1,ACRN Jan 15 2021 130.0 Put,,,0.00,,,,\n\
         ***END OF FILE***\n",
    );
    assert_eq!(
        told(&read),
        [
            "2021-01-04 buy ACRN 3 @ 374.12 = -1122.36, 0.00 USD -",
            "2021-01-05 sell ACRN -1 @ 380.00 = 379.99, 0.01 USD -",
            "2021-01-06 dividend ACRN - @ - = 1.20, 0.00 USD qualified",
            "2021-01-07 deposit - - @ - = 500.00, 0.00 USD -",
            "2021-01-08 option_open ACRN210115P00130000 -1 @ 1.50 = 149.34, 0.66 USD short",
            "2021-01-16 option_expire ACRN210115P00130000 1 @ - = 0.00, 0.00 USD -",
        ]
    );
    assert_eq!((asked(&read), read.transactions[0].id.as_str()), (vec!["option-side"], "301"));
}

#[test]
fn shares_that_an_option_moved_are_trades_by_assignment() {
    let fidelity = statement(
        "Run Date,Action,Symbol,Description,Type,Quantity,Price ($),Commission ($),Fees ($),Accrued Interest ($),Amount ($),Cash Balance ($),Settlement Date\n\
         01/22/2024,YOU BOUGHT ASSIGNED PUTS AS OF 01-19-24 ACORN INC (ACRN) (Margin),ACRN,ACORN INC,Margin,100,150,,,,-15000,Processing,01/23/2024\n\
         01/22/2024,ASSIGNED as of Jan-19-2024 PUT (ACRN) ACORN INC JAN 19 24 $150 (100 SHS) (Margin), -ACRN240119P150,PUT (ACRN) ACORN INC JAN 19 24 $150 (100 SHS),Margin,1,,,,,,Processing,\n",
    );
    assert_eq!(
        told(&fidelity),
        [
            "2024-01-19 buy ACRN 100 @ 150.00 = -15000.00, 0.00 USD by_assignment",
            "2024-01-19 option_assign ACRN240119P00150000 1 @ - = 0.00, 0.00 USD -",
        ]
    );
    let history = statement(
        "Transaction History,Header,Date,Account,Description,Transaction Type,Symbol,Quantity,Price,Gross Amount ,Commission,Net Amount\n\
         Transaction History,Data,2024-01-19,U***1,ACORN INC,Assignment,ACRN,100,150,-15000,-,-15000\n\
         Transaction History,Data,2024-01-19,U***1,ACRN 19JAN24 150 P,Assignment,ACRN  240119P00150000,1,-,-,-,-\n",
    );
    assert_eq!(
        told(&history),
        [
            "2024-01-19 buy ACRN 100 @ 150.00 = -15000.00, 0.00 USD by_assignment",
            "2024-01-19 option_assign ACRN240119P00150000 1 @ - = 0.00, 0.00 USD -",
        ]
    );
}

#[test]
fn sales_copied_from_form_8949_read_by_its_letters() {
    let read = statement(
        "(a) Description of property,(b) Date acquired,(c) Date sold or disposed of,(d) Proceeds,(e) Cost or other basis,(f) Code,(g) Amount of adjustment,(h) Gain or (loss)\n\
         10 ACRN,01/15/2024,03/01/2025,900.00,\"1,000.00\",W,100.00,0.00\n\
         10 BIRC,01/15/2024,03/01/2025,900.00,800.00,B,50.00,150.00\n",
    );
    assert_eq!(lots(&read), ["2: 2024-01-15 10 1000.00/900.00/100.00 - -", "3: 2024-01-15 10 800.00/900.00/- - -"]);
}
