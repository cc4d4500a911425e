//! Form 8949, Schedule D and TXF from booked ledgers.

#![expect(clippy::unwrap_used, reason = "a report that cannot be made is a mistake of the test that wanted it")]

use std::fmt::Write as _;

use lotwise_core::{Date, Money};
use lotwise_tax::report::{
    Amounts, BroughtIn, Grouping, LineTotals, Listing, ReportInput, ReportOptions, Reporting, RowFacts, RowNote,
    SecurityKind, TxfRefusal, YearReport, txf, year_report,
};
use lotwise_tax::{BasisRange, BasisSource, Error, FilingStatus, SaleRow, Term};

use crate::dsl::{accounts, book};

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn stock(row: &SaleRow) -> RowFacts {
    RowFacts::assumed(SecurityKind::Stock, row)
}

fn report_by(
    text: &str,
    facts: impl Fn(&SaleRow) -> RowFacts,
    change: impl FnOnce(&mut ReportInput<'_>),
) -> YearReport {
    report_of(&book(text).sales, facts, change)
}

fn report_of(
    sales: &[SaleRow],
    facts: impl Fn(&SaleRow) -> RowFacts,
    change: impl FnOnce(&mut ReportInput<'_>),
) -> YearReport {
    let accounts = accounts();
    let mut input = ReportInput {
        year: 2025,
        status: FilingStatus::Single,
        sales,
        accounts: &accounts,
        as_of: date("2026-06-01"),
        brought_in: BroughtIn::default(),
        options: ReportOptions::default(),
    };
    change(&mut input);
    year_report(&input, facts).unwrap()
}

fn report(text: &str) -> YearReport {
    report_by(text, stock, |_| {})
}

/// One line per row, as the form has them.
fn show(report: &YearReport) -> String {
    let mut text = String::new();
    for row in &report.rows {
        let letter = row.form_box().map_or('?', |at| at.letter());
        let amount = |amount: Option<Money>| amount.map_or("?".to_owned(), |amount| amount.to_string());
        writeln!(
            text,
            "{letter} | {} | {} | {} | {} | {} | {} | {} | {}{}",
            row.description,
            row.acquired.text(),
            lotwise_tax::report::us_date(row.sold),
            row.proceeds,
            amount(row.basis),
            row.codes,
            row.adjustment,
            amount(row.gain),
            row.notes.iter().fold(String::new(), |text, note| text + &format!(" | {note:?}")),
        )
        .unwrap();
    }
    text
}

const YEAR: &str = "
    2010-05-03 buy  10 OLD @ 10
    2023-02-01 buy  10 AAA @ 50 fee 1
    2024-11-01 buy  20 BBB @ 100
    2025-01-10 buy   5 IRA @ 10 in I
    2025-02-03 sell 10 OLD @ 30
    2025-02-03 sell 10 AAA @ 60 fee 1
    2025-03-03 sell 20 BBB @ 80
    2025-03-10 buy   5 BBB @ 81
    2025-03-11 buy   5 BBB @ 82 in I
    2025-06-02 sell  5 IRA @ 20 in I
    2026-01-05 sell  5 BBB @ 90
";

#[test]
fn rows_stand_in_their_boxes_and_totals_are_their_sums() {
    let report = report(YEAR);
    assert_eq!(
        show(&report),
        "\
A | 20 sh. BBB | 11/01/2024 | 03/03/2025 | 1600.00 | 2000.00 | W | 200.00 | -200.00 | LostForGood(Money(100))
D | 10 sh. AAA | 02/01/2023 | 02/03/2025 | 599.00 | 501.00 |  | 0.00 | 98.00
E | 10 sh. OLD | 05/03/2010 | 02/03/2025 | 300.00 | 100.00 |  | 0.00 | 200.00
"
    );
    let lines = |lines: [(&str, LineTotals); 4]| {
        lines.map(|(name, line)| format!("{name}:{}/{}/{}/{}", line.proceeds, line.basis, line.adjustment, line.gain))
    };
    let schedule = report.schedule_d;
    assert_eq!(lines(schedule.short.named(Term::Short))[1], "1b:1600.00/2000.00/200.00/-200.00");
    assert_eq!(
        lines(schedule.long.named(Term::Long))[1..3],
        ["8b:599.00/501.00/0.00/98.00", "9:300.00/100.00/0.00/200.00"]
    );
    let netting = schedule.netting;
    assert_eq!([netting.net_short, netting.net_long, netting.net], [money("-200"), money("298"), money("98")]);
    let pages: Vec<(char, usize)> =
        report.form_8949().into_iter().map(|(at, rows)| (at.letter(), rows.len())).collect();
    assert_eq!(pages, [('A', 1), ('D', 1), ('E', 1)]);
    for (_, rows) in report.form_8949() {
        let totals = LineTotals::of(rows.iter().copied());
        assert_eq!(totals.gain, totals.proceeds - totals.basis + totals.adjustment);
    }
}

#[test]
fn rows_without_adjustment_may_go_straight_to_schedule_d() {
    let report = report_by(YEAR, stock, |input| input.options.listing = Listing::AdjustedOnly);
    let letters: String = report.form_8949().into_iter().map(|(at, _)| at.letter()).collect();
    assert_eq!(letters, "AE");
    assert_eq!(report.schedule_d.long.totalled.gain, money("98"));
    assert_eq!(report.schedule_d.long.basis_reported.rows, 0);
    assert_eq!(report.schedule_d.netting.net, money("98"));
}

#[test]
fn carryovers_and_distributions_enter_and_the_rest_leaves_by_character() {
    let report = report_by(YEAR, stock, |input| {
        input.brought_in =
            BroughtIn { short_carryover: money("5000"), long_carryover: money("1000"), distributions: money("50") };
    });
    let netting = report.schedule_d.netting;
    assert_eq!([netting.net_short, netting.net_long], [money("-5200"), money("-652")]);
    assert_eq!((netting.deducted, netting.on_return), (money("3000"), money("-3000")));
    let out = report.schedule_d.carryover_out(None);
    assert_eq!((out.short, out.long), (money("2200"), money("652")));
    let none = report.schedule_d.carryover_out(Some(money("-20000")));
    assert_eq!((none.short, none.long), (money("5200"), money("652")));
    let separate = report_by(YEAR, stock, |input| {
        input.status = FilingStatus::MarriedSeparate;
        input.brought_in.short_carryover = money("5000");
    });
    assert_eq!(separate.schedule_d.netting.deducted, money("1500"));
}

#[test]
fn cents_and_dollars_are_rounded_half_away_from_zero_on_every_amount() {
    let thirds = "
        2025-01-06 buy  3 AAA for 100
        2025-02-03 sell 1 AAA for 50.005
        2025-02-04 sell 1 AAA for 33.495
        2025-02-05 sell 1 AAA for 10.5
    ";
    assert_eq!(
        show(&report(thirds)),
        "\
A | 1 sh. AAA | 01/06/2025 | 02/03/2025 | 50.01 | 33.33 |  | 0.00 | 16.68
A | 1 sh. AAA | 01/06/2025 | 02/04/2025 | 33.50 | 33.33 |  | 0.00 | 0.17
A | 1 sh. AAA | 01/06/2025 | 02/05/2025 | 10.50 | 33.33 |  | 0.00 | -22.83
"
    );
    let dollars = report_by(thirds, stock, |input| input.options.amounts = Amounts::WholeDollars);
    let gains: Vec<String> = dollars.rows.iter().map(|row| row.gain.unwrap().to_string()).collect();
    assert_eq!(gains, ["17.00", "0.00", "-22.00"]);
    assert_eq!(dollars.schedule_d.netting.net, money("-5"));
}

#[test]
fn rows_of_one_order_may_share_a_line_with_various_dates() {
    let several = "
        2023-01-04 buy  10 AAA @ 10
        2023-01-05 buy  10 AAA @ 11
        2025-01-06 buy  10 AAA @ 12
        2025-02-03 sell 30 AAA @ 20
        2025-02-03 sell  0.5 BBB @ 20 lots L4=0.5
    "
    .replace("2025-02-03 sell  0.5", "2025-01-07 buy 1 BBB @ 10\n 2025-02-03 sell 0.5");
    let report = report_by(&several, stock, |input| input.options.grouping = Grouping::Orders);
    assert_eq!(
        show(&report),
        "\
A | 10 sh. AAA | 01/06/2025 | 02/03/2025 | 200.00 | 120.00 |  | 0.00 | 80.00
A | 0.5 sh. BBB | 01/07/2025 | 02/03/2025 | 10.00 | 5.00 |  | 0.00 | 5.00
D | 20 sh. AAA | VARIOUS | 02/03/2025 | 400.00 | 210.00 |  | 0.00 | 190.00
"
    );
    assert_eq!(report.rows[2].lots.len(), 2);
}

#[test]
fn a_term_that_follows_another_date_has_a_footnote_and_an_open_window_a_mark() {
    let tacked = "
        2024-02-01 buy  10 AAA @ 100
        2025-01-15 sell 10 AAA @ 90
        2025-01-20 buy  10 AAA @ 91
        2025-03-20 sell 10 AAA @ 95
        2025-12-20 buy  10 CCC @ 100
        2025-12-29 sell 10 CCC @ 90
    ";
    let report = report_by(tacked, stock, |input| input.as_of = date("2026-01-10"));
    let notes: Vec<&[RowNote]> = report.rows.iter().map(|row| &row.notes[..]).collect();
    assert_eq!(
        notes,
        [&[][..], &[RowNote::TentativeUntil(date("2026-01-28"))], &[RowNote::TermFrom(date("2024-02-06"))]]
    );
    assert_eq!(report.rows[2].acquired.text(), "01/20/2025");
    let later = report_by(tacked, stock, |input| input.as_of = date("2026-01-29"));
    assert!(later.rows[1].notes.is_empty());
}

#[test]
fn only_the_accounts_of_the_return_are_reported() {
    let household = "
        2025-01-06 buy  10 AAA @ 10 in P
        2025-01-06 buy  10 BBB @ 10
        2025-02-03 sell 10 AAA @ 20 in P
        2025-02-03 sell 10 BBB @ 20
    ";
    assert_eq!(report(household).rows.len(), 1);
    let joint = report_by(household, stock, |input| input.status = FilingStatus::MarriedJoint);
    assert_eq!(joint.rows.len(), 2);
    let parts = |report: &YearReport| {
        report.accounts.iter().map(|(id, _, part)| format!("{id}:{part:?}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        parts(&report(household)),
        "T:Reported U:Reported I:Retirement R:Retirement P:SpousesOwnReturn Q:Retirement"
    );
    assert!(parts(&joint).contains("P:Reported"));
}

#[test]
fn unknown_basis_is_a_range_and_never_zero() {
    let unknown = "
        2025-01-06 open 10 AAA
        2025-01-06 buy 10 BBB @ 10
        2025-02-03 sell 10 AAA @ 20
        2025-02-03 sell 10 BBB @ 20
    ";
    let report = report(unknown);
    assert_eq!(
        show(&report).lines().last().unwrap(),
        "? | 10 sh. AAA |  | 02/03/2025 | 200.00 | ? |  | 0.00 | ? | UnknownBasis | UnknownDate"
    );
    assert_eq!(report.schedule_d.netting.net, money("100"));
    let range = report.range.clone().unwrap();
    assert_eq!((range.rows, range.lowest), (1, None));
    assert_eq!((range.highest.netting.net, range.highest.netting.net_short), (money("300"), money("300")));
    assert_eq!(report.open_rows().count(), 1);
    assert!(matches!(txf(&report.rows, "x", date("2026-02-01")).unwrap_err()[..], [TxfRefusal::UnknownBasis { .. }]));
}

#[test]
fn an_average_basis_is_a_range_with_two_ends() {
    let booking = book("2025-01-06 buy 10 AAA @ 10\n2025-02-03 sell 10 AAA @ 20");
    let sales: Vec<SaleRow> = booking
        .sales
        .iter()
        .map(|row| SaleRow {
            basis: None,
            gain: None,
            reportable: None,
            basis_source: BasisSource::AverageOnly,
            basis_range: BasisRange { lowest: money("50"), highest: Some(money("260")) },
            ..row.clone()
        })
        .collect();
    let report = report_of(&sales, stock, |_| {});
    let range = report.range.unwrap();
    assert_eq!(range.highest.netting.net, money("150"));
    assert_eq!(range.lowest.unwrap().netting.net, money("-60"));
    assert_eq!(report.rows[0].notes, [RowNote::AverageOnly]);
    assert_eq!(report.rows[0].gain, None);
}

#[test]
fn inherited_shares_say_so_and_are_long_term() {
    let booking = book("2025-01-06 buy 10 AAA @ 10\n2025-02-03 sell 10 AAA @ 20");
    let sales: Vec<SaleRow> =
        booking.sales.iter().map(|row| SaleRow { basis_source: BasisSource::Inherited, ..row.clone() }).collect();
    let report = report_of(&sales, stock, |_| {});
    assert_eq!(show(&report), "D | 10 sh. AAA | INHERITED | 02/03/2025 | 200.00 | 100.00 |  | 0.00 | 100.00\n");
}

#[test]
fn digital_assets_have_their_own_boxes_and_no_txf() {
    let coin = |row: &SaleRow| RowFacts::assumed(SecurityKind::DigitalAsset, row);
    let report = report_by("2024-01-06 buy 10 BTC @ 10\n2025-02-03 sell 10 BTC @ 20", coin, |_| {});
    assert_eq!(report.rows[0].form_box().unwrap().letter(), 'K');
    assert_eq!(report.schedule_d.long.basis_not_reported.gain, money("100"));
    let refusals = txf(&report.rows, "lotwise", date("2026-02-01")).unwrap_err();
    assert!(refusals[0].to_string().contains("10 sh. BTC"), "{}", refusals[0]);
}

#[test]
fn options_are_counted_in_contracts() {
    let contract = "AAA250620C00010000";
    let report = report_by(
        &format!("2025-01-06 buy 2 {contract} for 300\n2025-02-03 sell 2 {contract} for 500"),
        |row| RowFacts::assumed(SecurityKind::of(&row.symbol, &lotwise_tax::Rules::default()), row),
        |_| {},
    );
    assert_eq!(
        show(&report),
        format!("A | 2 contracts {contract} | 01/06/2025 | 02/03/2025 | 500.00 | 300.00 |  | 0.00 | 200.00\n")
    );
}

#[test]
fn what_the_broker_reported_wrongly_is_shown_and_corrected() {
    let facts = |row: &SaleRow| {
        let mut facts = stock(row);
        facts.reported.proceeds = Some(money("905"));
        facts.reported.basis = Some(money("990"));
        facts
    };
    let washed = "
        2025-01-06 buy  10 AAA @ 100
        2025-02-03 sell 10 AAA @ 90 fee 5
        2025-02-04 buy   4 AAA @ 90
    ";
    let report = report_by(washed, facts, |_| {});
    // Ours is 895 - 1,000 with 42 disallowed; the broker left the fee out and has a basis of 990.
    assert_eq!(show(&report), "A | 10 sh. AAA | 01/06/2025 | 02/03/2025 | 905.00 | 990.00 | BEW | 22.00 | -63.00\n");
    assert!(matches!(
        txf(&report.rows, "x", date("2026-02-01")).unwrap_err()[..],
        [TxfRefusal::OtherAdjustment { .. }]
    ));
    // Basis that was not reported is simply written as it is.
    let noncovered = report_by(washed, |row| RowFacts { reporting: Reporting::BasisNotReported, ..facts(row) }, |_| {});
    assert_eq!(
        show(&noncovered),
        "B | 10 sh. AAA | 01/06/2025 | 02/03/2025 | 905.00 | 1000.00 | BEW | 32.00 | -63.00\n"
    );
}

#[test]
fn txf_has_one_record_per_row() {
    let report = report(YEAR);
    let file = txf(&report.rows, "Lotwise 0.1\r\n^", date("2026-02-01")).unwrap();
    let lines: Vec<&str> = file.split_terminator("\r\n").collect();
    assert_eq!(lines[..4], ["V042", "ALotwise 0.1??^", "D 02/01/2026", "^"]);
    assert_eq!(
        lines[4..15],
        ["TD", "N321", "C1", "L1", "P20 sh. BBB", "D11/01/2024", "D03/03/2025", "$2000.00", "$1600.00", "$200.00", "^"]
    );
    assert_eq!(lines.iter().filter(|line| **line == "TD").count(), 3);
    assert_eq!(
        lines.iter().filter(|line| line.starts_with('N')).copied().collect::<Vec<_>>(),
        ["N321", "N323", "N713"]
    );
    assert_eq!(lines.iter().filter(|line| **line == "$").count(), 2);
}

#[test]
fn impossible_years_and_carryovers_are_refused() {
    let accounts = accounts();
    let input = ReportInput {
        year: 2017,
        status: FilingStatus::Single,
        sales: &[],
        accounts: &accounts,
        as_of: date("2026-06-01"),
        brought_in: BroughtIn::default(),
        options: ReportOptions::default(),
    };
    assert!(matches!(year_report(&input, stock), Err(Error::UnknownYear { year: 2017, .. })));
    let brought_in = BroughtIn { long_carryover: money("-1"), ..BroughtIn::default() };
    assert!(matches!(
        year_report(&ReportInput { year: 2025, brought_in, ..input }, stock),
        Err(Error::OutOfRange { field: "long-term carryover", .. })
    ));
}
