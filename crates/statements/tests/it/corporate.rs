//! Corporate actions that stand in pairs of rows become one event.

use lotwise_statements::corporate::{CorporateEvent, events};
use lotwise_statements::{ReadOptions, Statement, read};

fn schwab(rows: &str) -> Result<Statement, lotwise_statements::Error> {
    let head = "\"Date\",\"Action\",\"Symbol\",\"Description\",\"Quantity\",\"Price\",\"Fees & Comm\",\"Amount\"\n";
    read(format!("{head}{rows}").as_bytes(), &ReadOptions::default())
}

fn told(event: &CorporateEvent) -> String {
    let leg = |leg: &Option<lotwise_statements::corporate::Leg>| {
        leg.as_ref().map_or_else(|| "-".to_owned(), |leg| format!("{} {}", leg.shares, leg.symbol))
    };
    format!(
        "{} {:?} {} > {} + {} {:?}",
        event.date,
        event.kind,
        leg(&event.from),
        leg(&event.to),
        event.cash,
        event.rows
    )
}

/// Events of rows written newest first, as the broker does.
fn found(rows: &str) -> (Vec<String>, Vec<usize>) {
    let statement = schwab(rows).expect("Invariant: the rows have the shape of the export");
    let mut rows: Vec<_> = statement.transactions.iter().collect();
    rows.reverse();
    let found = events(&rows);
    (found.events.iter().map(told).collect(), found.unclear)
}

#[test]
fn two_legs_under_a_number_and_a_ticker_are_one_event() {
    for (rows, expected) in [
        (
            "06/10/2024,Reverse Split,ACRN,ACORN PHARMA HLDGS,5,,,\n\
             06/10/2024,Reverse Split,890260854,ACORN PHARMA HLDGS XXXREVERSE SPLIT EFF: 06/10/24,-100,,,\n",
            "2024-06-10 Split 100 ACRN > 5 ACRN + 0.00 [0, 1]",
        ),
        (
            "04/30/2021,Name Change,NEWO,NEWOAK INC,\"1,000\",,,\n\
             04/30/2021,Name Change,09070K200,BIRCH SOLAR INC XXXNAME CHANGE EFF: 04/30/21,\"-1,000\",,,\n\
             01/05/2021,Buy,BRCH,BIRCH SOLAR INC,\"1,000\",$1,,-$1000\n",
            "2021-04-30 Rename 1000 BRCH > 1000 NEWO + 0.00 [1, 2]",
        ),
        (
            "07/26/2021,Stock Merger,LARC,LARCH GROUP INC,50,,,\n\
             07/26/2021,Stock Merger,171439102,CEDAR CAPITAL IV XXXMANDATORY MERGER EFF: 07/26/21,-50,,,\n",
            "2021-07-26 Exchange 50 171439102 > 50 LARC + 0.00 [0, 1]",
        ),
        (
            "08/25/2023,Conversion,ELM,ELM ENTERTAINMENT CLASS A,34,,,\n\
             08/25/2023,Conversion,00165C203,ELM ENTERTAINMEN 0% PFDPFD,-344,,,\n\
             08/22/2022,Spin-off,ELMP,ELM ENTERTAINMENT 0%PFD SUBJ TO XTRO REDEMPTION,344,,,\n\
             01/05/2022,Buy,ELM,ELM ENTERTAINMENT CLASS A,344,$10,,-$3440\n",
            "2023-08-25 Exchange 344 ELMP > 34 ELM + 0.00 [2, 3]",
        ),
    ] {
        let (told, unclear) = found(rows);
        assert!(told.contains(&expected.to_owned()) && unclear.is_empty(), "{told:?} {unclear:?}");
    }
}

#[test]
fn a_spin_off_names_its_parent_where_one_name_fits() {
    let spin = "08/22/2022,Spin-off,ELMP,ELM ENTERTAINMENT 0%PFD,344,,,\n";
    let held = "01/05/2022,Buy,ELM,ELM ENTERTAINMENT CLASS A,344,$10,,-$3440\n";
    let other = "01/05/2022,Buy,ELMZ,ELM ESTATES,1,$10,,-$10\n";
    assert_eq!(found(&format!("{spin}{held}")).0, ["2022-08-22 SpinOff 0 ELM > 344 ELMP + 0.00 [1]"]);
    assert_eq!(found(spin).0, ["2022-08-22 SpinOff - > 344 ELMP + 0.00 [0]"]);
    assert_eq!(found(&format!("{spin}{held}{other}")).0, ["2022-08-22 SpinOff - > 344 ELMP + 0.00 [2]"]);
}

#[test]
fn shares_given_up_for_cash_are_one_event_with_the_cash() {
    let rows = "03/02/2022,Cash Merger,ELM,ELM ENTERTAINMENT,,,,$550.00\n\
                03/02/2022,Cash Merger Adj,ELM,ELM ENTERTAINMENT,-10,,,\n\
                01/05/2022,Buy,ELM,ELM ENTERTAINMENT,10,$10,,-$100\n";
    assert_eq!(found(rows).0, ["2022-03-02 CashMerger 10 ELM > - + 550.00 [1, 2]"]);
    let both = "03/02/2022,Cash/Stock Merger,OAK,OAK INC,5,,,\n\
                03/02/2022,Cash/Stock Merger,ELM,ELM ENTERTAINMENT,,,,$50.00\n\
                03/02/2022,Cash/Stock Merger,ELM,ELM ENTERTAINMENT,-10,,,\n";
    assert_eq!(found(both).0, ["2022-03-02 Exchange 10 ELM > 5 OAK + 50.00 [0, 1, 2]"]);
}

#[test]
fn legs_that_could_belong_to_two_actions_stay_apart() {
    let rows = "07/26/2021,Stock Merger,LARC,LARCH GROUP INC,50,,,\n\
                07/26/2021,Stock Merger,BEEC,BEECH GROUP INC,50,,,\n\
                07/26/2021,Stock Merger,171439102,CEDAR CAPITAL IV,-50,,,\n";
    let (told, unclear) = found(rows);
    assert_eq!((told.len(), unclear.len()), (0, 3));
    // Words tell two mergers of one day apart.
    let rows = "07/26/2021,Stock Merger,LARC,LARCH NEW INC,50,,,\n\
                07/26/2021,Stock Merger,BEEC,BEECH NEW INC,50,,,\n\
                07/26/2021,Stock Merger,171439102,BEECH OLD INC,-50,,,\n\
                07/26/2021,Stock Merger,171439103,LARCH OLD INC,-50,,,\n";
    let (told, unclear) = found(rows);
    assert!(told.iter().all(|event| event.contains("50 171439102 > 50 BEEC") || event.contains("103 > 50 LARC")));
    assert_eq!((told.len(), unclear.len()), (2, 0));
}

#[test]
fn a_split_in_one_row_is_no_pair() {
    assert!(found("07/15/2024,Stock Split,ACRN,ACORN INC,9,,,\n").0.is_empty());
}
