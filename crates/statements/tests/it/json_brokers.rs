//! What programs and brokers' interfaces answer with, in JSON.

use crate::told::{asked, notes, refusal, statement, told};

const ALPACA: &str = r#"[
 {"id":"20260302000000000::4","activity_type":"DIV","date":"2026-03-02","net_amount":"2.40","symbol":"ACRN","qty":"10","per_share_amount":"0.24","status":"executed"},
 {"id":"20260220153005123::3","activity_type":"FILL","transaction_time":"2026-02-21T00:30:05.123Z","type":"fill","price":"190.10","qty":"3","side":"sell","symbol":"ACRN","order_id":"o2"},
 {"id":"20260115143100456::2","activity_type":"FILL","transaction_time":"2026-01-15T14:31:00.456Z","type":"fill","price":"185.52","qty":"6","side":"buy","symbol":"ACRN","order_id":"o1"},
 {"id":"20260115143059001::1","activity_type":"FILL","transaction_time":"2026-01-15T14:30:59.001Z","type":"partial_fill","price":"185.50","qty":"4","side":"buy","symbol":"ACRN","order_id":"o1"},
 {"id":"20260105000000000::0","activity_type":"CSD","date":"2026-01-05","net_amount":"5000","status":"executed"}
]"#;

#[test]
fn alpacas_fills_are_trades_of_new_yorks_day() {
    let statement = statement(ALPACA);
    assert_eq!(statement.format, "alpaca-activities-json");
    assert_eq!(
        told(&statement),
        [
            "2026-03-02 dividend ACRN - @ - = 2.40, 0.00 USD -",
            "2026-02-20 sell ACRN -3 @ 190.10 = 570.30, 0.00 USD -",
            "2026-01-15 buy ACRN 6 @ 185.52 = -1113.12, 0.00 USD -",
            "2026-01-15 buy ACRN 4 @ 185.50 = -742.00, 0.00 USD -",
            "2026-01-05 deposit - - @ - = 5000.00, 0.00 USD -",
        ]
    );
    assert!(asked(&statement).is_empty());
}

/// One activity besides a fill, with these fields.
fn activity(kind: &str, fields: &str) -> String {
    format!("[{{\"id\":\"x\",\"activity_type\":\"{kind}\",\"date\":\"2026-03-02\",\"status\":\"executed\",{fields}}}]")
}

#[test]
fn every_type_of_alpacas_activities_has_a_meaning() {
    let cash = "\"net_amount\":\"-1.50\"";
    let shares = "\"symbol\":\"ACRN\",\"qty\":\"-2\",\"net_amount\":\"0\"";
    for (kind, fields, expected) in [
        ("TRANS", cash, "withdrawal - - @ - = -1.50, 0.00 USD -"),
        ("ACATC", cash, "transfer_out - - @ - = -1.50, 0.00 USD acats"),
        ("ACATS", shares, "transfer_out ACRN -2 @ - = 0.00, 0.00 USD acats"),
        ("CFEE", shares, "fee ACRN -2 @ - = 0.00, 0.00 USD crypto_fee"),
        ("CGD", cash, "capital_gain_distribution - - @ - = -1.50, 0.00 USD -"),
        ("CSW", cash, "withdrawal - - @ - = -1.50, 0.00 USD -"),
        ("DIVCGL", cash, "capital_gain_distribution - - @ - = -1.50, 0.00 USD long_term"),
        ("DIVCGS", cash, "capital_gain_distribution - - @ - = -1.50, 0.00 USD short_term"),
        ("DIVFEE", cash, "fee - - @ - = -1.50, 0.00 USD dividend_fee"),
        ("DIVFT", cash, "tax_withheld - - @ - = -1.50, 0.00 USD foreign_tax"),
        ("DIVNRA", cash, "tax_withheld - - @ - = -1.50, 0.00 USD nonresident"),
        ("DIVROC", cash, "return_of_capital - - @ - = -1.50, 0.00 USD -"),
        ("DIVTW", cash, "tax_withheld - - @ - = -1.50, 0.00 USD backup_withholding"),
        ("DIVTXEX", cash, "dividend - - @ - = -1.50, 0.00 USD tax_exempt"),
        ("FEE", cash, "fee - - @ - = -1.50, 0.00 USD -"),
        ("INT", cash, "interest - - @ - = -1.50, 0.00 USD -"),
        ("INTNRA", cash, "tax_withheld - - @ - = -1.50, 0.00 USD nonresident"),
        ("JNLC", cash, "transfer_out - - @ - = -1.50, 0.00 USD journal"),
        ("JNLS", shares, "transfer_out ACRN -2 @ - = 0.00, 0.00 USD journal"),
        ("FOPT", shares, "transfer_out ACRN -2 @ - = 0.00, 0.00 USD free_of_payment"),
        ("MA", shares, "merger ACRN -2 @ - = 0.00, 0.00 USD -"),
        ("NC", shares, "merger ACRN -2 @ - = 0.00, 0.00 USD name_change"),
        ("SPIN", shares, "spinoff ACRN -2 @ - = 0.00, 0.00 USD -"),
        ("SPLIT", shares, "split ACRN -2 @ - = 0.00, 0.00 USD -"),
        (
            "OPTRD",
            "\"symbol\":\"ACRN\",\"qty\":\"100\",\"price\":\"50\",\"net_amount\":\"-5000\"",
            "buy ACRN 100 @ 50.00 = -5000.00, 0.00 USD by_exercise",
        ),
        (
            "OPEXP",
            "\"symbol\":\"ACRN260116C00050000\",\"qty\":\"-1\"",
            "option_expire ACRN260116C00050000 -1 @ - = 0.00, 0.00 USD -",
        ),
        (
            "DIV",
            "\"activity_sub_type\":\"SDIV\",\"symbol\":\"ACRN\",\"qty\":\"3\"",
            "split ACRN 3 @ - = 0.00, 0.00 USD stock_dividend",
        ),
        (
            "DIV",
            "\"activity_sub_type\":\"SPD\",\"net_amount\":\"3\"",
            "dividend - - @ - = 3.00, 0.00 USD payment_in_lieu",
        ),
        ("PTR", "\"net_amount\":\"0.01\"", "fee - - @ - = 0.01, 0.00 USD pass_through_rebate"),
    ] {
        let statement = statement(&activity(kind, fields));
        assert_eq!(told(&statement), [format!("2026-03-02 {expected}")], "{kind}: {:?}", statement.quarantined);
    }
}

#[test]
fn alpacas_options_open_and_close_by_the_holding() {
    let fill = |day: u32, side: &str, quantity: u32| {
        format!(
            "{{\"activity_type\":\"FILL\",\"transaction_time\":\"2026-01-{day:02}T15:00:00Z\",\"price\":\"1.5\",\"qty\":\"{quantity}\",\
             \"side\":\"{side}\",\"symbol\":\"ACRN260320P00050000\",\"id\":\"{day}\"}}"
        )
    };
    let text = format!("[{},{},{}]", fill(9, "sell", 1), fill(8, "sell", 2), fill(7, "buy", 2));
    let statement = statement(&text);
    assert_eq!(
        told(&statement),
        [
            "2026-01-09 option_open ACRN260320P00050000 -1 @ 1.50 = 150.00, 0.00 USD short",
            "2026-01-08 option_close ACRN260320P00050000 -2 @ 1.50 = 300.00, 0.00 USD long",
            "2026-01-07 option_open ACRN260320P00050000 2 @ 1.50 = -300.00, 0.00 USD long",
        ]
    );
    assert_eq!(statement.transactions[0].option.as_ref().unwrap().underlying.as_str(), "ACRN");
    assert_eq!(asked(&statement), ["option-side"]);
}

#[test]
fn activities_that_cannot_be_read_say_where_and_why() {
    for (text, expected) in [
        (activity("XYZ", "\"net_amount\":\"1\""), "1: activity_type has an unknown action \"XYZ\""),
        (activity("CSD", "\"net_amount\":\"1,0,0\""), "1: net_amount does not tell decimals from thousands (expected 1,234.56 or 1234.56)"),
        (activity("CSD", "\"qty\":\"1\""), "1: net_amount is missing"),
        (activity("ACATS", "\"qty\":\"1\",\"net_amount\":\"0\""), "1: symbol is missing"),
        ("[{\"activity_type\":\"FILL\",\"qty\":\"1\"}]".to_owned(), "1: transaction_time is missing"),
        ("[\n7, {\"activity_type\":\"FILL\",\"transaction_time\":\"2026-01-01T15:00:00Z\",\"side\":\"buy\",\"qty\":\"-1\"}]".to_owned(), "2: record is no object with named fields"),
    ] {
        let statement = statement(&text);
        assert_eq!(notes(&statement.quarantined)[0], expected, "{text}");
    }
    let canceled = statement(&activity("CSD", "\"net_amount\":\"1\"").replace("executed", "canceled"));
    assert_eq!(notes(&canceled.ignored), ["1: CSD: canceled by the broker"]);
    assert!(refusal("[{\"activity_type\": }]").to_string().starts_with("line 1, column 20: not well-formed JSON"));
}

const SNAPTRADE: &str = r#"{"data":[
 {"id":"a","symbol":{"symbol":"VAB.TO","raw_symbol":"VAB"},"option_symbol":null,"price":0,"units":0,"amount":14.9,"currency":{"code":"CAD"},"type":"DIVIDEND","description":"DIVIDEND","trade_date":"2026-03-02T05:00:00Z","settlement_date":"2026-03-02T05:00:00Z","fee":0},
 {"id":"b","symbol":{"symbol":"ACRN"},"price":290.5,"units":-2,"amount":580.97,"currency":{"code":"USD"},"type":"SELL","trade_date":"2026-02-10T15:00:00Z","settlement_date":"2026-02-11T05:00:00Z","fee":0.03},
 {"id":"c","symbol":{"symbol":"ACRN"},"price":0.1,"units":3,"amount":null,"currency":{"code":"USD"},"type":"BUY","trade_date":"2025-01-10T15:00:00Z","fee":0},
 {"id":"d","symbol":null,"option_symbol":{"ticker":"ACRN  261218C00240000","option_type":"CALL","strike_price":240,"expiration_date":"2026-12-18","underlying_symbol":{"symbol":"ACRN"}},"price":2.5,"units":-1,"amount":249.35,"currency":{"code":"USD"},"type":"SELL","option_type":"SELL_TO_OPEN","trade_date":"2025-01-08T05:00:00Z","fee":0.65},
 {"id":"e","symbol":null,"price":0,"units":0,"amount":2000,"currency":{"code":"USD"},"type":"CONTRIBUTION","trade_date":"2025-01-08T05:00:00Z","settlement_date":null,"fee":0}
],"pagination":{"offset":0,"limit":1000,"total":5}}"#;

#[test]
fn snaptrades_floats_are_exact_and_its_signs_ours() {
    let statement = statement(SNAPTRADE);
    assert_eq!(statement.format, "snaptrade-activities-json");
    assert_eq!(
        told(&statement),
        [
            "2026-03-02 dividend VAB.TO - @ - = 14.90, 0.00 CAD -",
            "2026-02-10 sell ACRN -2 @ 290.50 = 580.97, 0.03 USD -",
            "2025-01-10 buy ACRN 3 @ 0.10 = -0.30, 0.00 USD -",
            "2025-01-08 option_open ACRN261218C00240000 -1 @ 2.50 = 249.35, 0.65 USD short",
            "2025-01-08 deposit - - @ - = 2000.00, 0.00 USD -",
        ]
    );
    assert!(asked(&statement).is_empty(), "{:?}", statement.questions);
    let pages = format!("{SNAPTRADE}\n{}", SNAPTRADE.replace("\"id\":\"", "\"id\":\"2"));
    assert_eq!(crate::told::statement(&pages).transactions.len(), 10);
}

#[test]
fn snaptrades_accounts_and_faults_are_named() {
    let one = |fields: &str| {
        format!(
            "[{{\"id\":\"a\",\"units\":2,\"trade_date\":\"2026-02-10\",\"currency\":{{\"code\":\"USD\"}},{fields}}}]"
        )
    };
    let own = statement(&one(
        "\"type\":\"FEE\",\"amount\":-1,\"account\":{\"id\":\"u\",\"number\":\"77\",\"name\":\"Roth IRA\"}",
    ));
    assert_eq!(own.transactions[0].account, "77");
    assert_eq!(own.account_labels.get("77").map(String::as_str), Some("Roth IRA"));
    for (fields, expected) in [
        ("\"type\":\"FOO\",\"amount\":1", "1: type has an unknown action \"FOO\""),
        ("\"type\":\"BUY\",\"amount\":1e30,\"symbol\":{\"symbol\":\"A\"}", "1: amount is too large"),
        ("\"type\":\"BUY\",\"amount\":5,\"symbol\":{\"symbol\":\"A\"}", "1: amount is a purchase that pays cash"),
        ("\"type\":\"BUY\",\"amount\":-5", "1: symbol is missing"),
        (
            "\"type\":\"SELL\",\"amount\":5,\"option_symbol\":{\"ticker\":\"ACRN261218C00240000\"}",
            "1: option_type is missing",
        ),
    ] {
        assert_eq!(notes(&statement(&one(fields)).quarantined), [expected]);
    }
}

#[test]
fn schwabs_awards_read_alike_in_both_shapes() {
    let first = r#"{"transactions": [
 {"typeName": "ShareSaleViewModel", "eventDate": "11/16/2022", "action": "Sale", "symbol": "ACRN", "quantity": "4", "description": "Share Sale",
  "totalCommissionsAndFees": "$0.50", "amount": "$430",
  "transactionDetails": [{"type": "RS", "shares": "3", "salePrice": "$100.00", "purchaseDate": "", "grantId": "C1", "vestDate": "03/25/2021", "vestFairMarketValue": "$1,045.06", "grossProceeds": "$300.00"},
   {"type": "RS", "shares": "0", "salePrice": "$100.00", "grantId": "C2", "vestDate": "11/25/2020", "vestFairMarketValue": "$1.00", "grossProceeds": ""},
   {"type": "ESPP", "shares": "1", "salePrice": "$130.00", "grantId": null, "purchaseDate": "11/25/2020", "purchasePrice": "$60.00", "vestDate": "", "grossProceeds": "$130.00"}]},
 {"typeName": "DepositViewModel", "eventDate": "10/27/2022", "action": "Deposit", "symbol": "ACRN", "quantity": "10.5", "description": "RS", "amount": null,
  "transactionDetails": [{"awardDate": "01/05/2022", "awardName": "C1", "vestDate": "10/25/2022", "vestFairMarketValue": "$112.42"}]},
 {"eventDate": "10/20/2022", "action": "Lapse", "symbol": "ACRN", "quantity": "20", "transactionDetails": []},
 {"eventDate": "10/19/2022", "action": "Wire Transfer", "symbol": "ACRN", "amount": "$50", "transactionDetails": []}
]}"#;
    let second = r#"{"FromDate": "1", "ToDate": "2", "Transactions": [
 {"Date": "11/16/2022", "Action": "Sale", "Symbol": "ACRN", "Quantity": "4", "Description": "Share Sale", "FeesAndCommissions": "$0.50", "Amount": "$429.50",
  "TransactionDetails": [{"Details": {"Type": "RS", "Shares": "3", "SalePrice": "$100.00", "PurchaseDate": "", "GrantId": "C1", "VestDate": "03/25/2021", "VestFairMarketValue": "$1,045.06", "GrossProceeds": "$300.00"}},
   {"Details": {"Type": "ESPP", "Shares": "1", "SalePrice": "$130.00", "PurchaseDate": "11/25/2020", "PurchasePrice": "$60.00", "VestDate": null, "GrossProceeds": "$130.00"}}]},
 {"Date": "10/27/2022", "Action": "Deposit", "Symbol": "ACRN", "Quantity": "10.5", "Description": "RS", "Amount": null,
  "TransactionDetails": [{"Details": {"AwardDate": "01/05/2022", "AwardId": "C1", "VestDate": "10/25/2022", "VestFairMarketValue": "$112.42"}}]},
 {"Date": "10/20/2022", "Action": "Lapse", "Symbol": "ACRN", "Quantity": "20", "TransactionDetails": []},
 {"Date": "10/19/2022", "Action": "Wire Transfer", "Symbol": "ACRN", "Amount": "-$50", "TransactionDetails": []}
]}"#;
    let expected = [
        "2022-11-16 sell ACRN -4 @ - = 429.50, 0.50 USD -",
        "2022-10-27 grant ACRN 10.5 @ 112.42 = 0.00, 0.00 USD -",
        "2022-10-19 withdrawal ACRN - @ - = -50.00, 0.00 USD wire",
    ];
    for text in [first, second] {
        let statement = statement(text);
        assert_eq!(statement.format, "schwab-equity-awards-json");
        assert_eq!(told(&statement), expected, "{text}");
        assert_eq!(notes(&statement.ignored).len(), 1);
        let lots = |at: usize| -> Vec<String> {
            let lots = statement.transactions[at].lots.iter();
            lots.map(|lot| {
                let name = lot.id.as_deref().unwrap_or("-");
                format!("{name} {} {} {}", lot.acquired.unwrap(), lot.shares, lot.basis.unwrap())
            })
            .collect()
        };
        assert_eq!(lots(0), ["C1 2021-03-25 3 3135.18", "- 2020-11-25 1 60.00"]);
        assert_eq!(lots(1), ["C1 2022-10-25 10.5 1180.41"]);
    }
    let torn = statement(&first.replace("\"quantity\": \"4\"", "\"quantity\": \"5\""));
    assert!(torn.transactions[0].lots.is_empty());
    assert_eq!(asked(&torn), ["lots-incomplete"]);
}

#[test]
fn schwabs_transactions_in_json_read_as_the_csv_does() {
    let text = r#"{"FromDate":"01/01/2024","ToDate":"12/31/2024","TotalTransactionsAmount":"$1","BrokerageTransactions":[
 {"Date":"03/05/2024 as of 03/04/2024","Action":"Buy","Symbol":"ACRN","Description":"ACORN CORP","Quantity":"10","Price":"$50.25","Fees & Comm":"$1.00","Amount":"-$503.50","ItemIssueId":"1","AcctgRuleCd":"1"},
 {"Date":"03/06/2024","Action":"Qualified Dividend","Symbol":"ACRN","Description":"ACORN CORP","Quantity":"","Price":"","Fees & Comm":"","Amount":"$1,200.00","Mood":"good"},
 {"Date":"03/07/2024","Action":"Juggle","Symbol":"ACRN","Description":"","Quantity":"","Price":"","Fees & Comm":"","Amount":"$1"}
]}"#;
    let statement = statement(text);
    assert_eq!(statement.format, "schwab-transactions-json");
    assert_eq!(
        told(&statement),
        [
            "2024-03-04 buy ACRN 10 @ 50.25 = -503.50, 1.00 USD -",
            "2024-03-06 dividend ACRN - @ - = 1200.00, 0.00 USD qualified",
        ]
    );
    assert_eq!(notes(&statement.quarantined), ["4: unknown action \"Juggle\""]);
    assert_eq!(asked(&statement), ["unknown-action:Juggle", "unknown-field:Mood"]);
}
