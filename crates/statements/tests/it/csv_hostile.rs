//! Whatever is done to a table: no panic, and every row accounted for.

use lotwise_statements::{ReadOptions, formats, read};
use proptest::prelude::*;

use crate::told::assert_accounted;

/// One small file of each table format.
const VALID: [&str; 18] = [
    "date,account,action,symbol,shares,price,amount,fees,currency,split_ratio,id\n\
     2024-01-02,A,buy,ACRN,10,5.5,-56,1,USD,,b1\n2024-01-03,B,sell,ACRN,4,6,,0.1,,,\n2024-01-04,A,split,ACRN,6,,,,,2:1,\n",
    "\"Transactions for account Individual XXXX-1 as of 01/05/2024\"\n\
     \"Date\",\"Action\",\"Symbol\",\"Description\",\"Quantity\",\"Price\",\"Fees & Comm\",\"Amount\"\n\
     \"01/04/2024 as of 01/03/2024\",\"Stock Split\",\"ACRN\",\"ACORN\",\"9\",\"\",\"\",\"\"\n\
     01/02/2024,Buy,ACRN,ACORN,\"1,000\",$5,$1,\"-$5,001.00\"\n01/02/2024,Odd Thing,ACRN,ACORN,,,,$1\nTransactions Total,,,,,,,$1\n",
    "Run Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n\
     01/02/2024,Mine,Z1,\"INTEREST EARNED as of Jan-01-2024 (Cash)\",,No Description,Cash,,0.000,,,,0.04,\n\
     01/02/2024,Mine,Z1,YOU SOLD ACORN,ACRN,ACORN,Cash,5,-2,,0.01,,9.99,01/04/2024\n\n\
     \"The data and information in this spreadsheet is provided\"\nDate downloaded 01/05/2024",
    "Activity Date,Process Date,Settle Date,Instrument,Description,Trans Code,Quantity,Price,Amount\n\
     1/2/2024,1/2/2024,1/4/2024,ACRN,\"Acorn\nCUSIP: 037833100\",Buy,1,$5.00,($5.00)\n\
     1/2/2024,1/2/2024,1/4/2024,ACRN,ACRN 1/17/2025 Call $150.00,OEXP,1S,,\n,,,,,,,,,The data provided is\n",
    "Statement,Header,Field Name,Field Value\nStatement,Data,Period,\"January 1, 2024 - March 31, 2024\"\n\
     Account Information,Data,Account,U7\n\
     Open Positions,Header,DataDiscriminator,Symbol,Quantity,Close Price\nOpen Positions,Data,Summary,ACRN,6,5\n\
     Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Proceeds,Comm/Fee,Code\n\
     Trades,Data,Order,Stocks,USD,ACRN,\"2024-01-15, 10:30:00\",\"1,000\",5,-5000,-5,O\n\
     Trades,Data,ClosedLot,Stocks,USD,ACRN,2024-01-15,400,5,,,\nTrades,SubTotal,,Stocks,USD,ACRN,,600,,,,\n\
     Corporate Actions,Header,Date/Time,Description,Quantity,Proceeds\n\
     Corporate Actions,Data,2024-03-04,\"B(US1234567890) Split 4 for 1 (B, BIRCH, US1234567890)\",300,0\nMystery,Data,1\n",
    "Summary,Header,Field Name,Field Value\nSummary,Data,Base Currency,GBP\n\
     Transaction History,Header,Date,Account,Description,Transaction Type,Symbol,Quantity,Price,Gross Amount ,Commission,Net Amount\n\
     Transaction History,Data,2024-08-15,U1,ACORN,Sell,ACRN,-2.0,1001.00,2002.0,-3.0,1999.0\n\
     Transaction History,Data,2024-10-01,U1,Forex,Forex Trade Component,GBP.USD,0.8,1.32,-2.6E-4,-,-2.6E-4\n",
    "For Account:,####1\n\nTransactionDate,TransactionType,SecurityType,Symbol,Quantity,Amount,Price,Commission,Description\n\
     12/31/24,Dividend,MF,BIRX,5.834,-81.33,0,0,BIRCH REINVEST\n09/01/24,Sold Short,OPTN,ACRN Dec 15 '28 $400 Call,-1,149.35,1.5,0.65,X\n",
    "\"Exported on: 1\"\n\"Settlement date\",\"Description\",\"Type\",\"Symbol/ CUSIP\",\"Quantity\",\"Price\",\"Amount\"\n\
     \"08/28/2026\" ,\"Purchase ACORN\" ,\"T\",\"ACRN\",\"4\",\"$57.00\",\"-$228.00\"\n\"Total\",\"\"\n",
    "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,\n1,ACORN,ACRX,6.2,300.00,1860.00,\n\n\
     Account Number,Trade Date,Settlement Date,Transaction Type,Transaction Description,Investment Name,Symbol,Shares,Share Price,Net Amount,\n\
     1,2024-04-01,2024-04-02,Sell,Sell,ACORN FUND,ACRX,-4.0,240.00,959.98,\n",
    "My account,,,\nCash Transactions,,,\nDate,Details,Amount,Balance\n09/03/2022,\"Bought 1,550 Acorn (ACRN)\",-14982.06,17.94\n\
     Balance,7.94,,\nInvestment Transactions,,,\nDate,InvestmentName,TransactionDetails,Quantity,Price,Cost\n\
     10/03/2022,Acorn (ACRN),\"Bought 1,550 Acorn (ACRN)\",1550,9.66,14982.06\n",
    "Name,Symbol,Side,Status,Filled,Avg Price,Filled Time\nAcorn,ACRN,Sell,Filled,100,189.10,03/02/2026 10:12:40 EST\n\
     ,ACRN260327C00654000,Sell,Filled,10,12.97,03/26/2026 16:01:46 EDT\n",
    "Date,Action,Symbol,Description,Quantity,FeesAndCommissions,Amount,Shares,SalePrice,VestDate,AwardId,FairMarketValuePrice,VestFairMarketValue,NetSharesDeposited\n\
     09/20/2023,Sale,ACRN,Sale,30,$0.30,\"$2,999.70\"\n,,,,,,,20,$100.00,08/15/2023,7,,$90\n,,,,,,,10,$100.00\n\
     08/15/2023,Lapse,ACRN,Lapse,40,,,,,,,,,\n,,,,,,,,,,7,$90.00,,20\n",
    "\"Lot Details for X as of Y\"\nAcc 1,\nSymbol,Closed Date,Opened Date,Quantity,Proceeds,Cost Basis (CB),Term,Disallowed Loss\n\
     ACRN,02/20/2026,02/11/2026,100,$925.00,$900.00,Short Term,\nACRN 01/16/2026 150.00 C,01/10/2026,01/05/2026,2,$200,$1,Long Term,$3\n",
    "Date,Ticker,Type,Quantity,Price per share,Total Amount,Currency,FX Rate\n\
     2025-09-08T07:29:03.333Z,BIRC,BUY - MARKET,\"0,76672417\",€26.09,€20,EUR,1\n2019-12-02T08:23:08Z,,CASH WITHDRAWAL,,,-$30.93,USD,1\n",
    "Action,Time,ISIN,Ticker,Name,No. of shares,Price / share,Currency (Price / share),Result (EUR),Total (EUR),Stamp duty\n\
     Market buy,2021-03-05 14:21:12,US0000000002,ACRN,Acorn,2,10,USD,,20.00,1\nWithdrawal,2021-03-05,,,,,,,,5,\n",
    "Account;Currency\n1;EUR\nID;Type;Time;Comment;Symbol;Amount\n1;Stock purchase;02.01.2024 10:00:00;OPEN BUY 2/5 @ 163,40;ACRN.US;-326,80\n",
    "1a - Description (Example),CUSIP,1b. Date acquired,1c. Date sold,1d. Proceeds,1e. Cost basis,1g. Wash sale,Form 8949 Code\nShort Term - Covered\n\
     100 SH ACORN,037833100,VARIOUS,03/01/2025,\"$1,000\",$900,5,D\nBIRCH,,01/02/2024,03/01/2025,1,,,\n",
    "BOF,1\nHEADER,TRNT,ClientAccountID,CurrencyPrimary,AssetClass,Symbol,TradeDate,Quantity,TradePrice,Proceeds,IBCommission,Buy/Sell\n\
     DATA,TRNT,U1,USD,STK,ACRN,20240305,10,5,-50,-1,BUY\nEOS,1\nType,SettleDate,ISIN,Description,Amount,CurrencyPrimary\n\
     Dividends,20240523,CH0111762537,ACRN(CH0111762537) CASH,7,CHF\n",
];

/// Pieces that break tables, to be put anywhere.
const PIECES: [&str; 26] = [
    ",",
    ";",
    "\t",
    "\"",
    "\"\"",
    "\n",
    "\r",
    "\r\n",
    "é",
    "İ",
    "−",
    " as of ",
    "1e999",
    "9e14",
    "-",
    "--",
    "(",
    ")",
    "$",
    "NaN",
    "99999999999999999999999999",
    "02/30/2024",
    "Header",
    "Total",
    "\u{FEFF}",
    "a",
];

/// Bytes in which a cut is looked at by every format.
const HEAD: usize = 80;

/// Reads in every way there is; only the sum and the absence of a panic are looked at.
fn survive(bytes: &[u8]) {
    let forced = formats().into_iter().map(|format| Some(format.id.to_owned()));
    survive_as(bytes, forced.chain([None]));
}

/// Reads as these formats, `None` being recognition.
fn survive_as(bytes: &[u8], wanted: impl Iterator<Item = Option<String>>) {
    for format in wanted {
        let options = ReadOptions { format, ..ReadOptions::default() };
        if let Ok(statement) = read(bytes, &options) {
            assert_accounted(&statement);
            for one in &statement.transactions {
                assert!(!one.id.is_empty() && one.price.is_none_or(|price| !price.is_negative()));
            }
        }
    }
}

#[test]
fn the_valid_files_are_read() {
    for text in VALID {
        let statement = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        assert_accounted(&statement);
        assert!(!statement.transactions.is_empty(), "{text}");
    }
}

#[test]
fn a_file_cut_anywhere_is_survived() {
    for text in VALID {
        let own = read(text.as_bytes(), &ReadOptions::default()).unwrap().format;
        for end in 0..text.len() {
            // All formats look at the head, where a cut changes what is recognised; further down a part of the cuts will
            // do, since what is read then is read by the format's own reader, and that meets every cut.
            let recognised = (end < HEAD || end % 11 == 0).then_some(None);
            survive_as(&text.as_bytes()[..end], recognised.into_iter().chain([Some(own.to_owned())]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survive(&bytes);
    }

    #[test]
    fn any_text_below_a_header_is_survived(which in 0..VALID.len(), tail in "[ -~\\n\\réİ−]{0,200}") {
        let header: String = VALID[which].lines().take(4).map(|line| format!("{line}\n")).collect();
        survive(format!("{header}{tail}").as_bytes());
    }

    #[test]
    fn any_change_to_a_valid_file_is_survived(
        which in 0..VALID.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len(), 0_usize..6), 1..6),
    ) {
        let mut text: Vec<char> = VALID[which].chars().collect();
        for (place, piece, removed) in changes {
            let start = place.index(text.len());
            let end = (start + removed).min(text.len());
            text.splice(start..end, PIECES[piece].chars());
            if text.is_empty() {
                break;
            }
        }
        survive(text.into_iter().collect::<String>().as_bytes());
    }
}
