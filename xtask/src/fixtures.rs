//! Brokers' exports with known counts and sums, kept outside the repository; what each must come out as.
//!
//! Groups are those of the fixtures' own README: `cash_move` is cash or shares that move between accounts, `other` is
//! corporate actions and whatever has no cash. Sums are signed cash as the file states it.

use std::collections::BTreeMap;
use std::path::Path;

use lotwise_core::{Money, Shares};
use lotwise_statements::{Action, ReadOptions, Statement, Transaction, read};

/// What one file must come out as.
pub struct FixtureExpectation {
    /// File name.
    pub file: &'static str,
    /// Result.
    pub expect: Expect,
}

/// The result of reading a file.
pub enum Expect {
    /// Read, with these figures.
    Read {
        /// Id of the format.
        format: &'static str,
        /// What the file's amounts include.
        sums: Sums,
        /// Group, number of events, and sum of cash where the README states one.
        groups: &'static [(&'static str, usize, &'static str)],
        /// Sum of fees, a cost being positive.
        fees: &'static str,
    },
    /// Refused with a message that contains this.
    Refused(&'static str),
}

/// How the README's sums relate to our amounts, which are net of fees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sums {
    /// Net of fees.
    Net,
    /// Before fees.
    BeforeFees,
}

use Expect::{Read, Refused};
use Sums::{BeforeFees, Net};

/// Expectations, in the order of the README.
pub const EXPECTED: &[FixtureExpectation] = &[
    FixtureExpectation {
        file: "fidelity_accounts_history_2025_footer.csv",
        expect: Read {
            format: "fidelity-history-csv",
            sums: Net,
            groups: &[
                ("buy", 5, "-28375.78"),
                ("dividend", 1, "144.98"),
                ("interest", 8, "1.65"),
                ("reinvest_buy", 1, "-123.23"),
                ("tax", 1, "-21.75"),
            ],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "handwritten_alpaca_activities.json",
        expect: Read {
            format: "alpaca-activities-json",
            sums: Net,
            groups: &[("buy", 2, "-1855.12"), ("cash_move", 1, "5000"), ("dividend", 1, "2.40"), ("sell", 1, "570.30")],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "handwritten_etrade_legacy.csv",
        expect: Read {
            format: "etrade-transactions-csv",
            sums: Net,
            groups: &[
                ("buy", 2, "-649.91"),
                ("cash_move", 1, "15000.00"),
                ("dividend", 1, "81.33"),
                ("interest", 1, "0.14"),
                ("reinvest_buy", 1, "-81.33"),
                ("sell", 1, "402.15"),
            ],
            fees: "5.00",
        },
    },
    FixtureExpectation {
        file: "handwritten_ibkr_activity_statement.csv",
        expect: Read {
            format: "ibkr-activity-statement-csv",
            sums: BeforeFees,
            groups: &[
                ("buy", 1, "-150250"),
                ("cash_move", 1, "200000"),
                ("dividend", 1, "250"),
                ("interest", 1, "12.34"),
                ("other", 1, ""),
                ("sell", 1, "64200"),
                ("tax", 1, "-37.5"),
            ],
            fees: "9.31",
        },
    },
    FixtureExpectation {
        file: "handwritten_investment.qif",
        expect: Read {
            format: "qif-investment",
            sums: Net,
            groups: &[
                ("buy", 1, "-412.95"),
                ("dividend", 1, "7.00"),
                ("reinvest_buy", 1, "-7.00"),
                ("sell", 1, "199.98"),
            ],
            fees: "0.97",
        },
    },
    FixtureExpectation {
        file: "handwritten_merrill_space_before_comma.csv",
        expect: Read {
            format: "merrill-activity-csv",
            sums: Net,
            groups: &[
                ("buy", 1, "-45567.00"),
                ("cash_move", 1, "50000.00"),
                ("dividend", 1, "304.43"),
                ("interest", 1, "0.50"),
                ("sell", 1, "1499.96"),
            ],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "handwritten_robinhood_9col.csv",
        expect: Read {
            format: "robinhood-activity-csv",
            sums: Net,
            groups: &[
                ("buy", 2, "-12016.60"),
                ("cash_move", 1, "15000.00"),
                ("dividend", 1, "21.88"),
                ("fee", 1, "-5.00"),
                ("interest", 1, "1.25"),
                ("sell", 1, "839.98"),
            ],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "handwritten_schwab_realized_lots.csv",
        expect: Read { format: "schwab-realized-lots-csv", sums: Net, groups: &[("sell", 3, "3755.00")], fees: "0" },
    },
    FixtureExpectation {
        file: "handwritten_snaptrade_activities.json",
        expect: Read {
            format: "snaptrade-activities-json",
            sums: Net,
            groups: &[("buy", 1, "-1400.0"), ("cash_move", 1, "2000"), ("dividend", 1, "14.9"), ("sell", 1, "580.97")],
            fees: "0.03",
        },
    },
    FixtureExpectation {
        file: "handwritten_vanguard_us_ofxdownload.csv",
        expect: Read {
            format: "vanguard-download-csv",
            sums: Net,
            groups: &[
                ("buy", 1, "-2300.00"),
                ("cash_move", 2, "0.00"),
                ("dividend", 1, "8.50"),
                ("reinvest_buy", 1, "-8.50"),
                ("sell", 1, "959.98"),
            ],
            fees: "0.02",
        },
    },
    FixtureExpectation {
        file: "handwritten_webull_orders.csv",
        expect: Read {
            format: "webull-orders-csv",
            sums: Net,
            // The cancelled order is ignored.
            groups: &[("buy", 2, "-19340.00"), ("sell", 1, "18910.00")],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "ibkr_flex_cash.xml",
        expect: Read {
            format: "ibkr-flex-xml",
            sums: Net,
            groups: &[
                ("cash_move", 2, "5000.00"),
                ("dividend", 2, "100.00"),
                ("fee", 5, "-46.00"),
                ("interest", 3, "232.25"),
                ("other", 2, ""),
                ("tax", 1, "-15.00"),
            ],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "ibkr_flex_cash_quoted.csv",
        // Currencies are mixed: four rows are in francs, one in yen.
        expect: Read {
            format: "ibkr-flex-csv",
            sums: Net,
            groups: &[("dividend", 7, "895.32"), ("tax", 4, "-73.63")],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "ibkr_flex_fractional_shares.xml",
        expect: Read {
            format: "ibkr-flex-xml",
            sums: Net,
            groups: &[("buy", 2, "-556.75"), ("other", 1, ""), ("sell", 1, "232.50")],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "ibkr_flex_pp02.xml",
        expect: Read {
            format: "ibkr-flex-xml",
            sums: Net,
            groups: &[
                ("buy", 7, "-27931.157878"),
                ("dividend", 1, "19"),
                ("fee", 2, "-17.16"),
                ("sell", 2, "101.0"),
                ("tax", 1, "-2.85"),
            ],
            fees: "47.467878",
        },
    },
    FixtureExpectation {
        file: "ibkr_flex_trades_quoted.csv",
        // The three sales are exchanges of currency, whose commissions (5.33142) are in another currency than the rows
        // and so are neither in their amounts nor among their fees.
        expect: Read {
            format: "ibkr-flex-csv",
            sums: BeforeFees,
            groups: &[("buy", 8, "-33555.45"), ("sell", 3, "31584.261")],
            fees: "11.979",
        },
    },
    FixtureExpectation {
        file: "ibkr_transaction_history.csv",
        expect: Read {
            format: "ibkr-transaction-history-csv",
            sums: Net,
            groups: &[
                ("buy", 1, "-4003.0"),
                ("cash_move", 1, "5000.0"),
                ("dividend", 2, "21.0"),
                ("interest", 1, "13.0"),
                ("other", 2, ""),
                ("sell", 1, "1999.0"),
                ("tax", 4, "-3.15"),
            ],
            fees: "6.0",
        },
    },
    FixtureExpectation { file: "malformed_ibkr_flex_bare_ampersand.xml", expect: Refused("line ") },
    FixtureExpectation {
        file: "ofx1_sgml_401k_transfers.ofx",
        expect: Read {
            format: "ofx-investment",
            sums: Net,
            groups: &[("buy", 1, "-197.2"), ("other", 2, "")],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "ofx1_sgml_fidelity.ofx",
        expect: Read {
            format: "ofx-investment",
            sums: Net,
            groups: &[
                ("buy", 8, "-11686.1000"),
                ("cash_move", 3, "-0.5700"),
                ("dividend", 4, "65.9000"),
                ("sell", 2, "1094.1000"),
            ],
            fees: "47.7000",
        },
    },
    FixtureExpectation {
        file: "ofx1_sgml_vanguard.ofx",
        expect: Read { format: "ofx-investment", sums: Net, groups: &[("sell", 1, "4212.3")], fees: "0" },
    },
    FixtureExpectation {
        file: "ofx2_xml_investment.ofx",
        expect: Read {
            format: "ofx-investment",
            sums: Net,
            groups: &[("buy", 1, "-5025.00"), ("cash_move", 1, "1000.00")],
            fees: "25.00",
        },
    },
    FixtureExpectation {
        file: "revolut_invest.csv",
        expect: Read {
            format: "revolut-invest-csv",
            sums: Net,
            groups: &[
                ("buy", 3, "-155.11"),
                ("cash_move", 5, "-25.72"),
                ("dividend", 1, "0.08"),
                ("fee", 1, "-0.01"),
                ("other", 1, ""),
                ("sell", 1, "80.34"),
            ],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "schwab_equity_award_v1.json",
        expect: Read { format: "schwab-equity-awards-json", sums: Net, groups: &[("other", 4, "")], fees: "0.67" },
    },
    FixtureExpectation {
        file: "schwab_rsu_awards.csv",
        expect: Read { format: "schwab-equity-awards-csv", sums: Net, groups: &[("other", 1, "")], fees: "0" },
    },
    FixtureExpectation {
        file: "schwab_rsu_transactions.csv",
        expect: Read {
            format: "schwab-transactions-csv",
            sums: Net,
            groups: &[("buy", 1, "-40503.61"), ("cash_move", 1, "40503.61"), ("other", 1, ""), ("sell", 1, "28068.66")],
            fees: "2.68",
        },
    },
    FixtureExpectation {
        file: "schwab_txn_2023_quoted.csv",
        expect: Read {
            format: "schwab-transactions-csv",
            sums: Net,
            groups: &[("buy", 3, "-293732.24"), ("cash_move", 1, "1000000.00"), ("sell", 3, "313559.10")],
            fees: "6.23",
        },
    },
    FixtureExpectation {
        file: "schwab_txn_price_before_qty_unquoted.csv",
        expect: Read {
            format: "schwab-transactions-csv",
            sums: Net,
            groups: &[
                ("buy", 6, "-10696.1"),
                ("cash_move", 1, "10000.00"),
                ("interest", 2, "1.4"),
                ("sell", 4, "10174"),
            ],
            fees: "45",
        },
    },
    FixtureExpectation {
        file: "schwab_txn_thousands_reinvest.csv",
        expect: Read {
            format: "schwab-transactions-csv",
            sums: Net,
            groups: &[
                ("buy", 1, "-1680.00"),
                ("cash_move", 4, "-100022.94"),
                ("dividend", 44, "15292.01"),
                ("fee", 11, "-4367.47"),
                ("interest", 5, "142.48"),
                ("other", 11, ""),
                ("reinvest_buy", 40, "-14423.59"),
                ("sell", 2, "505135.00"),
                ("tax", 1, "-1.30"),
            ],
            fees: "10.00",
        },
    },
    FixtureExpectation {
        file: "trading212_2024.csv",
        expect: Read {
            format: "trading212-history-csv",
            sums: Net,
            groups: &[
                ("buy", 1, "-2381.35"),
                ("cash_move", 2, "1000.00"),
                ("dividend", 1, "0.11"),
                ("interest", 1, "0.04"),
                ("other", 1, ""),
                ("sell", 1, "3138.50"),
            ],
            fees: "0",
        },
    },
    FixtureExpectation {
        file: "vanguard_uk_cash_investment.csv",
        expect: Read {
            format: "vanguard-uk-report-csv",
            sums: Net,
            groups: &[
                ("buy", 4, "-46329.34"),
                ("cash_move", 5, "45879.76"),
                ("dividend", 4, "396.66"),
                ("fee", 2, "-27.96"),
                ("interest", 1, "0.41"),
                ("sell", 1, "104.06"),
            ],
            fees: "0",
        },
    },
];

/// How many files came out as they must.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Read, every count and sum right.
    pub right: usize,
    /// Refused by name, as it must be.
    pub refused: usize,
    /// Anything else.
    pub wrong: usize,
}

/// Reads every file of the folder, prints a line for each, and counts.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn run(folder: &Path) -> std::io::Result<Tally> {
    let mut tally = Tally::default();
    for FixtureExpectation { file, expect } in EXPECTED {
        let bytes = std::fs::read(folder.join(file))?;
        let result = read(&bytes, &ReadOptions::default());
        let (verdict, remark) = match (expect, result) {
            (Read { format, sums, groups, fees }, Ok(statement)) => {
                let differences = differences(&statement, format, *sums, groups, fees);
                if differences.is_empty() {
                    tally.right += 1;
                    ("right", summary(&statement))
                } else {
                    tally.wrong += 1;
                    ("WRONG", differences.join("; "))
                }
            }
            (Refused(words), Err(error)) if error.to_string().contains(words) => {
                tally.refused += 1;
                ("refused", error.to_string())
            }
            (Refused(words), Ok(statement)) => {
                tally.wrong += 1;
                ("WRONG", format!("read as {} where {words:?} was expected", statement.format))
            }
            (_, Err(error)) => {
                tally.wrong += 1;
                ("WRONG", error.to_string())
            }
        };
        println!("{verdict:<8} {file:<44} {remark}");
    }
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in names {
        if name != "README.md" && !EXPECTED.iter().any(|expected| expected.file == name) {
            tally.wrong += 1;
            println!("{:<8} {name:<44} nobody said what to expect", "WRONG");
        }
    }
    println!("{} right, {} refused by name, {} wrong", tally.right, tally.refused, tally.wrong);
    Ok(tally)
}

fn summary(statement: &Statement) -> String {
    format!(
        "{}: {} rows, {} imported, {} ignored, {} quarantined, {} duplicates",
        statement.format,
        statement.rows,
        statement.transactions.len(),
        statement.ignored.len(),
        statement.quarantined.len(),
        statement.duplicates.len()
    )
}

fn differences(
    statement: &Statement,
    format: &str,
    sums: Sums,
    groups: &[(&'static str, usize, &'static str)],
    fees: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    if statement.format != format {
        found.push(format!("format {} instead of {format}", statement.format));
    }
    let accounted = statement.transactions.len()
        + statement.ignored.len()
        + statement.quarantined.len()
        + statement.duplicates.len();
    if accounted != statement.rows {
        found.push(format!("{accounted} rows accounted for of {}", statement.rows));
    }
    if let Some(note) = statement.quarantined.first() {
        found.push(format!("{} quarantined, first in row {}: {}", statement.quarantined.len(), note.row, note.reason));
    }
    let mut totals: BTreeMap<&str, (usize, Money)> = BTreeMap::new();
    for transaction in &statement.transactions {
        let total = totals.entry(group(statement.format, transaction)).or_default();
        total.0 += 1;
        total.1 += match sums {
            Net => transaction.amount,
            BeforeFees => transaction.amount + transaction.fees,
        };
    }
    for (name, count, sum) in groups {
        let (found_count, found_sum) = totals.remove(name).unwrap_or_default();
        if found_count != *count {
            found.push(format!("{name}: {found_count} instead of {count}"));
        }
        if !sum.is_empty() && Money::parse(sum) != Ok(found_sum) {
            found.push(format!("{name}: {found_sum} instead of {sum}"));
        }
    }
    for (name, (count, _)) in totals {
        found.push(format!("{name}: {count} instead of none"));
    }
    let found_fees: Money = statement.transactions.iter().map(|transaction| transaction.fees).sum();
    if Money::parse(fees) != Ok(found_fees) {
        found.push(format!("fees: {found_fees} instead of {fees}"));
    }
    found
}

/// The README's group of a transaction.
fn group(format: &str, transaction: &Transaction) -> &'static str {
    match transaction.action {
        // The README counts every event of the awards centre with `other`.
        _ if format == "schwab-equity-awards-json" => "other",
        // The README counts the report's own words, which call every trade of an option a purchase or a sale.
        Action::OptionOpen
        | Action::OptionClose
        | Action::OptionExercise
        | Action::OptionAssign
        | Action::OptionExpire
            if format == "ibkr-flex-xml" =>
        {
            if transaction.shares.is_some_and(|shares| shares.is_negative()) {
                "sell"
            } else {
                "buy"
            }
        }
        Action::Buy => "buy",
        Action::Sell => "sell",
        Action::Reinvest => "reinvest_buy",
        // The README counts a dividend that returns capital with the dividends.
        Action::Dividend | Action::CapitalGainDistribution | Action::ReturnOfCapital => "dividend",
        Action::Interest => "interest",
        Action::TaxWithheld => "tax",
        Action::Fee => "fee",
        // The README counts OFX's TRANSFER, which moves shares and no cash, with `other`.
        Action::TransferIn | Action::TransferOut if format == "ofx-investment" && transaction.shares.is_some() => {
            "other"
        }
        Action::Deposit | Action::Withdrawal | Action::TransferIn | Action::TransferOut => "cash_move",
        // The README goes by the report's own BUY and SELL, also for what happens to options.
        Action::OptionOpen
        | Action::OptionClose
        | Action::OptionExercise
        | Action::OptionAssign
        | Action::OptionExpire => {
            if transaction.shares.is_some_and(Shares::is_negative) {
                "sell"
            } else {
                "buy"
            }
        }
        Action::Split | Action::Spinoff | Action::Merger | Action::Grant | Action::Other => "other",
    }
}
