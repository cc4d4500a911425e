//! Interactive Brokers' Flex reports: levels of detail, kinds of record, and what is refused.

use crate::told::{asked, notes, refusal, statement, told};

/// A report of one account around these sections; the sections start in line 3.
fn report(sections: &str) -> String {
    format!(
        "<FlexQueryResponse queryName=\"q\" type=\"AF\"><FlexStatements count=\"1\">\n\
         <FlexStatement accountId=\"U1\" fromDate=\"20240101\" toDate=\"20240630\">\n{sections}\n\
         </FlexStatement></FlexStatements></FlexQueryResponse>"
    )
}

fn trades(records: &str) -> String {
    report(&format!("<Trades>\n{records}\n</Trades>"))
}

const STOCK: &str = "currency=\"USD\" assetCategory=\"STK\" symbol=\"ACRN\" tradeDate=\"20240305\"";

#[test]
fn executions_are_read_and_their_sums_and_lots_are_not() {
    let line = |name: &str, level: &str| {
        format!(
            "<{name} {STOCK} buySell=\"BUY\" quantity=\"10\" tradePrice=\"5\" netCash=\"-51\" proceeds=\"-50\" ibCommission=\"-1\" levelOfDetail=\"{level}\"/>\n"
        )
    };
    let all = [
        line("Trade", "EXECUTION"),
        line("Order", "ORDER"),
        line("SymbolSummary", "SYMBOL_SUMMARY"),
        line("Lot", "CLOSED_LOT"),
        line("WashSale", "WASH_SALE"),
    ];
    let everything = statement(&trades(&all.concat()));
    assert_eq!(told(&everything), ["2024-03-05 buy ACRN 10 @ 5.00 = -51.00, 1.00 USD -"]);
    assert_eq!(
        notes(&everything.ignored),
        [
            "5: Order: shown again at the level ORDER; the level EXECUTION is read",
            "6: SymbolSummary: shown again at the level SYMBOL_SUMMARY; the level EXECUTION is read",
            "7: Lot: shown again at the level CLOSED_LOT; the level EXECUTION is read",
            "8: WashSale: the broker's own wash-sale note; Lotwise finds them itself",
        ]
    );
    let orders = statement(&trades(&all[1..4].concat()));
    assert_eq!((orders.transactions.len(), orders.ignored.len()), (1, 2));
    let summaries = statement(&trades(&all[2..4].concat()));
    assert_eq!((summaries.transactions.len(), summaries.quarantined.len()), (0, 2));
}

#[test]
fn every_kind_of_trade_has_its_action_sign_and_detail() {
    let option =
        "currency=\"USD\" assetCategory=\"OPT\" symbol=\"ACRN  240621C00050000\" tradeDate=\"2024-03-05;101500\"";
    for (attributes, expected) in [
        (
            format!("{STOCK} buySell=\"SELL\" quantity=\"-4\" price=\"6\" proceeds=\"24\" ibCommission=\"-1\" taxes=\"-0.5\""),
            "sell ACRN -4 @ 6.00 = 22.50, 1.50 USD -",
        ),
        // A rebate is a fee below zero, inside the amount.
        (
            format!("{STOCK} buySell=\"BUY\" quantity=\"4\" tradePrice=\"6\" proceeds=\"-24\" ibCommission=\"0.1\""),
            "buy ACRN 4 @ 6.00 = -23.90, -0.10 USD -",
        ),
        (format!("{STOCK} buySell=\"BUY\" quantity=\"4\" netCash=\"-24\" notes=\"P;R\""), "reinvest ACRN 4 @ - = -24.00, 0.00 USD -"),
        (format!("{STOCK} buySell=\"BUY\" quantity=\"100\" netCash=\"-5000\" notes=\"A\""), "buy ACRN 100 @ - = -5000.00, 0.00 USD by_assignment"),
        (format!("{STOCK} buySell=\"BUY (Ca.)\" quantity=\"-4\" netCash=\"24\""), "other ACRN -4 @ - = 24.00, 0.00 USD cancelled_buy"),
        (format!("{STOCK} buySell=\"SELL\" quantity=\"4\" netCash=\"-24\" notes=\"Ca\""), "other ACRN 4 @ - = -24.00, 0.00 USD cancelled_sell"),
        (
            format!("{option} buySell=\"SELL\" quantity=\"-1\" tradePrice=\"0.5\" netCash=\"49\" openCloseIndicator=\"O\""),
            "option_open ACRN240621C00050000 -1 @ 0.50 = 49.00, 0.00 USD short",
        ),
        (
            format!("{option} buySell=\"BUY\" quantity=\"1\" tradePrice=\"0\" netCash=\"0\" openCloseIndicator=\"C\" notes=\"Ep\""),
            "option_expire ACRN240621C00050000 1 @ 0.00 = 0.00, 0.00 USD -",
        ),
        (
            "currency=\"USD\" assetCategory=\"FUT\" symbol=\"ESM4\" tradeDate=\"20240305\" buySell=\"BUY\" quantity=\"1\" proceeds=\"-250000\" netCash=\"-2.1\" ibCommission=\"-2.1\"".to_owned(),
            "other - - @ - = -2.10, 2.10 USD future",
        ),
        (
            "currency=\"USD\" assetCategory=\"CASH\" symbol=\"EUR.USD\" tradeDate=\"20240305\" buySell=\"SELL\" quantity=\"-100\" proceeds=\"108\"".to_owned(),
            "other - - @ - = 108.00, 0.00 USD forex",
        ),
    ] {
        let statement = statement(&trades(&format!("<Trade {attributes}/>")));
        assert_eq!(told(&statement), [format!("2024-03-05 {expected}")], "{attributes} {:?}", statement.quarantined);
    }
}

#[test]
fn cash_transactions_follow_their_type() {
    let cash = |kind: &str, amount: &str, words: &str| {
        format!(
            "<CashTransaction currency=\"USD\" symbol=\"\" type=\"{kind}\" amount=\"{amount}\" dateTime=\"2024-03-05;202000\" description=\"{words}\"/>"
        )
    };
    let records = [
        cash("Dividends", "5", "ACRN CASH DIVIDEND (Ordinary Dividend)"),
        cash("Dividends", "2", "ACRN CASH DIVIDEND (Return of Capital)"),
        cash("Payment In Lieu Of Dividends", "-1", "x"),
        cash("Withholding Tax", "-0.75", "x"),
        cash("Broker Interest Received", "3", "x"),
        cash("Bond Interest Paid", "-4", "x"),
        cash("Commission Adjustments", "0.2", "x"),
        cash("Deposits/Withdrawals", "100", "x"),
        cash("Deposits &amp; Withdrawals", "-40", "x"),
        cash("Realized P/L", "7", "x"),
        cash("Lottery", "9", "x"),
    ];
    let statement = statement(&report(&format!("<CashTransactions>{}</CashTransactions>", records.concat())));
    assert_eq!(
        told(&statement),
        [
            "2024-03-05 dividend - - @ - = 5.00, 0.00 USD -",
            "2024-03-05 return_of_capital - - @ - = 2.00, 0.00 USD return_of_capital",
            "2024-03-05 dividend - - @ - = -1.00, 0.00 USD payment_in_lieu",
            "2024-03-05 tax_withheld - - @ - = -0.75, 0.00 USD -",
            "2024-03-05 interest - - @ - = 3.00, 0.00 USD -",
            "2024-03-05 interest - - @ - = -4.00, 0.00 USD bond_interest",
            "2024-03-05 fee - - @ - = 0.20, 0.00 USD commission_adjustment",
            "2024-03-05 deposit - - @ - = 100.00, 0.00 USD -",
            "2024-03-05 withdrawal - - @ - = -40.00, 0.00 USD -",
            "2024-03-05 other - - @ - = 7.00, 0.00 USD realized_profit",
        ]
    );
    assert_eq!(notes(&statement.quarantined), ["3: type is not a known type of cash transaction"]);
    assert_eq!(asked(&statement), ["unknown-action:Lottery"]);
}

#[test]
fn corporate_actions_and_transfers_move_shares() {
    let action = |kind: &str, quantity: &str, rest: &str| {
        format!(
            "<CorporateAction currency=\"USD\" symbol=\"ACRN\" type=\"{kind}\" quantity=\"{quantity}\" dateTime=\"20240305;202500\" {rest}/>\n"
        )
    };
    let sections = format!(
        "<CorporateActions>\n{}{}{}{}{}{}</CorporateActions>\n<Transfers>\n{}\n{}\n</Transfers>",
        action("FS", "30", "actionID=\"1\" description=\"ACRN(US1) SPLIT 4 FOR 1 (ACRN, ACORN INC)\""),
        action("RS", "-30", "actionID=\"2\" description=\"ACRN(US1) SPLIT 1 FOR 3 (ACRN.OLD, ACORN)\""),
        action("RS", "10", "actionID=\"2\" description=\"ACRN(US1) SPLIT 1 FOR 3 (ACRN, ACORN)\""),
        action("SO", "5", "actionID=\"3\" description=\"BRCH SPINOFF 1 FOR 2\""),
        action("TC", "-5", "actionID=\"4\" proceeds=\"55\" description=\"MERGED (Acquisition)\""),
        action("ZZ", "1", "actionID=\"5\""),
        "<Transfer currency=\"USD\" assetCategory=\"STK\" symbol=\"ACRN\" date=\"20240305\" direction=\"IN\" quantity=\"7\" transferPrice=\"0\" transactionID=\"9\"/>",
        "<Transfer currency=\"USD\" assetCategory=\"CASH\" symbol=\"\" date=\"20240305\" direction=\"OUT\" cashTransfer=\"-12\" transactionID=\"10\"/>",
    );
    let statement = statement(&report(&sections));
    assert_eq!(
        told(&statement),
        [
            "2024-03-05 split ACRN 30 @ - = 0.00, 0.00 USD -",
            "2024-03-05 split ACRN -30 @ - = 0.00, 0.00 USD reverse",
            "2024-03-05 split ACRN 10 @ - = 0.00, 0.00 USD reverse",
            "2024-03-05 spinoff ACRN 5 @ - = 0.00, 0.00 USD -",
            "2024-03-05 merger ACRN -5 @ - = 55.00, 0.00 USD -",
            "2024-03-05 transfer_in ACRN 7 @ - = 0.00, 0.00 USD -",
            "2024-03-05 transfer_out - - @ - = -12.00, 0.00 USD -",
        ]
    );
    let ratios: Vec<_> = statement.transactions.iter().map(|one| one.split_ratio.is_some()).collect();
    assert_eq!(ratios, [true, false, false, false, false, false, false]);
    assert_eq!(asked(&statement), ["unknown-action:ZZ"]);
}

#[test]
fn what_cannot_be_read_is_quarantined_with_field_and_reason() {
    for (attributes, expected) in [
        (format!("{STOCK} buySell=\"BUY\" netCash=\"-1\""), "4: quantity is missing"),
        (
            format!("{STOCK} buySell=\"BUY\" quantity=\"1,5\" netCash=\"-1\""),
            "4: quantity cannot be read: \"1,5\" is not a decimal number",
        ),
        (
            format!("{STOCK} buySell=\"LEND\" quantity=\"1\" netCash=\"-1\""),
            "4: buySell is none of BUY, SELL, BUY (Ca.) and SELL (Ca.)",
        ),
        (
            format!("{STOCK} buySell=\"BUY\" quantity=\"-1\" netCash=\"1\""),
            "4: quantity and the cash contradict buySell",
        ),
        (format!("{STOCK} buySell=\"BUY\" quantity=\"1\""), "4: netCash is missing"),
        (
            STOCK.replace("20240305", "03/05/2024"),
            "4: tradeDate is not a date (set the date format of the Flex query to yyyy-MM-dd)",
        ),
        (STOCK.replace("USD", "DOLLAR"), "4: currency is not a currency code"),
        (STOCK.replace("STK", "MOON"), "4: assetCategory is not known"),
        (
            format!("{} buySell=\"BUY\" quantity=\"1\" proceeds=\"-9\"", STOCK.replace("STK", "FUT")),
            "4: netCash is missing",
        ),
    ] {
        let statement = statement(&trades(&format!("<Trade {attributes}/>")));
        assert_eq!(notes(&statement.quarantined), [expected], "{attributes}");
    }
}

#[test]
fn sections_are_read_repeated_pending_or_asked_about() {
    let sections = "<Trades><Trade currency=\"USD\" symbol=\"ACRN\" tradeDate=\"20240305\" buySell=\"BUY\" quantity=\"1\" netCash=\"-5\"/></Trades>\n\
        <ConversionRates><ConversionRate rate=\"1\"/></ConversionRates>\n\
        <OptionEAE><OptionEAE symbol=\"X\"/></OptionEAE>\n\
        <UnbookedTrades><UnbookedTrade symbol=\"X\"/></UnbookedTrades>\n\
        <MysteryBox><Mystery a=\"1\"/></MysteryBox>\n\
        <OpenPositions><OpenPosition symbol=\"ACRN\" position=\"1\" markPrice=\"5\" reportDate=\"20240630\" levelOfDetail=\"SUMMARY\"/>\
        <OpenPosition symbol=\"ACRN\" position=\"1\" levelOfDetail=\"LOT\"/></OpenPositions>";
    let all = statement(&report(sections));
    assert_eq!((all.rows, all.transactions.len(), all.ignored.len(), all.quarantined.len()), (4, 1, 2, 1));
    assert_eq!(asked(&all), ["unknown-section:MysteryBox"]);
    assert_eq!(all.positions.len(), 1);
    let alone = statement(&report("<StmtFunds><StatementOfFundsLine amount=\"1\"/></StmtFunds>"));
    assert_eq!(
        notes(&alone.quarantined),
        ["3: StmtFunds cannot be read alone; add the sections Trades and Cash Transactions to the Flex query"]
    );
}

#[test]
fn repeated_records_and_doubtful_cash_are_reported() {
    let trade =
        |id: &str, rest: &str| format!("<Trade {STOCK} transactionID=\"{id}\" buySell=\"BUY\" quantity=\"1\" {rest}/>");
    let statement = statement(&trades(
        &[
            trade("1", "netCash=\"-5\" proceeds=\"-5\" ibCommission=\"-1\""),
            trade("1", "netCash=\"-5\" proceeds=\"-5\" ibCommission=\"-1\""),
            trade("2", "netCash=\"-5\" proceeds=\"-5\" ibCommission=\"-1\" ibCommissionCurrency=\"EUR\""),
        ]
        .concat(),
    ));
    assert_eq!((statement.rows, statement.transactions.len(), statement.duplicates.len()), (3, 2, 1));
    assert_eq!(statement.transactions[1].fees.to_string(), "0.00");
    assert_eq!(asked(&statement), ["commission-currency"]);
}

#[test]
fn what_is_no_report_says_so() {
    for (text, expected) in [
        (
            "<FlexStatementResponse timestamp=\"x\"><Status>Fail</Status><ErrorCode>1019</ErrorCode></FlexStatementResponse>",
            "Interactive Brokers answered with error 1019",
        ),
        ("<FlexQueryResponse/>", "holds no FlexStatement"),
        ("<FlexQueryResponse><FlexStatements><FlexStatement>", "cut off"),
        (
            "<FlexQueryResponse a=\"Deposits & Withdrawals\"/>",
            "line 1, column 32: a bare & (it must be written &amp;) in the attribute a",
        ),
        ("<FlexQueryResponse a=\"1\" a=\"2\"/>", "line 1, column 26: the attribute a is given twice"),
        ("<FlexQueryResponse/><FlexQueryResponse/>", "a second report"),
    ] {
        let message = refusal(text).to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn closed_lots_of_a_report_are_the_lots_of_their_sale() {
    // A report may be one single line, so lots go by their place behind the trade.
    let trade = |symbol: &str, shares: u32| {
        format!(
            "<Trade currency=\"USD\" assetCategory=\"STK\" symbol=\"{symbol}\" tradeDate=\"20240305\" buySell=\"SELL\" \
             quantity=\"-{shares}\" tradePrice=\"10\" netCash=\"{}\" transactionID=\"{symbol}\" levelOfDetail=\"EXECUTION\"/>",
            shares * 10
        )
    };
    let lot = |symbol: &str, shares: u32| {
        format!(
            "<Lot symbol=\"{symbol}\" quantity=\"{shares}\" cost=\"{}\" fifoPnlRealized=\"3.5\" openDateTime=\"20230105;101010\" \
             levelOfDetail=\"CLOSED_LOT\"/>",
            shares * 5
        )
    };
    let inside = [trade("ACRN", 5), lot("ACRN", 2), lot("ACRN", 3), trade("OAK", 5), lot("OAK", 2)].concat();
    let statement = statement(&format!(
        "<FlexQueryResponse><FlexStatements><FlexStatement accountId=\"U1\"><Trades>{inside}</Trades></FlexStatement>\
         </FlexStatements></FlexQueryResponse>"
    ));
    let lots: Vec<_> = statement.transactions[0].lots.iter().collect();
    assert_eq!(lots.len(), 2);
    assert_eq!(lots[0].acquired.unwrap().to_string(), "2023-01-05");
    assert_eq!(
        (lots[1].basis.unwrap().to_string(), lots[1].proceeds.unwrap().to_string()),
        ("15.00".into(), "18.50".into())
    );
    assert!(statement.transactions[1].lots.is_empty());
    assert_eq!(asked(&statement), ["lots-incomplete"]);
    assert_eq!(statement.ignored.len(), 3);
}
