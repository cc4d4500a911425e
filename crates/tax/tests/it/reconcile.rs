//! Our rows against a broker's Form 1099-B.

#![expect(clippy::unwrap_used, reason = "a form that cannot be read is a mistake of the test that wrote it")]

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_tax::report::{BrokerRow, OwnSide, Reconciliation, Reporting, SecurityKind, reconcile};
use lotwise_tax::{AccountId, Rules, Term};

use crate::dsl::ledger;

/// `10 AAA 2024-03-01 2025-02-03 900 1000 wash 50 short noncovered`, one per line.
fn broker(text: &str) -> Vec<BrokerRow> {
    let money = |text: &str| Money::parse(text).unwrap();
    let date = |text: &str| Date::parse(text).ok();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .enumerate()
        .map(|(at, line)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let has = |word: &str| words.contains(&word);
            let after = |key: &str| words.iter().position(|word| *word == key).map(|place| words[place + 1]);
            BrokerRow {
                account: AccountId::new(after("in").unwrap_or("T")),
                symbol: Symbol::parse(words[1]).unwrap(),
                shares: Shares::parse(words[0]).unwrap(),
                acquired: date(words[2]),
                sold: date(words[3]).unwrap(),
                proceeds: money(words[4]),
                basis: Some(words[5]).filter(|word| *word != "?").map(money),
                disallowed: after("wash").map_or(Money::ZERO, money),
                term: [("short", Term::Short), ("long", Term::Long)]
                    .into_iter()
                    .find_map(|(word, term)| has(word).then_some(term)),
                covered: Some(!has("noncovered")),
                row: at as u32 + 2,
            }
        })
        .collect()
}

fn compare_by(text: &str, form: &str, rules: &Rules) -> Reconciliation {
    let ledger = ledger(text);
    let booking = lotwise_tax::book(&ledger, rules).unwrap();
    let own = OwnSide { sales: &booking.sales, ledger: &ledger, rules, kind: &|_| SecurityKind::Stock };
    reconcile(&own, &broker(form))
}

fn compare(text: &str, form: &str) -> Reconciliation {
    compare_by(text, form, &Rules::default())
}

fn show(found: &Reconciliation) -> Vec<String> {
    found
        .differences
        .iter()
        .map(|one| {
            let code = one.code.map_or(String::new(), |code| format!(" {code} {}", one.adjustment));
            format!("{}: {}{code}", one.field.name(), one.cause.name())
        })
        .collect()
}

const SIMPLE: &str = "
    2024-03-01 buy  10 AAA @ 100 fee 1
    2025-02-03 sell 10 AAA @ 90 fee 2
";

#[test]
fn the_same_figures_agree() {
    let found = compare(SIMPLE, "10 AAA 2024-03-01 2025-02-03 898 1001 short");
    assert_eq!((found.agreed, found.rows, found.differences.len()), (1, 1, 0));
    let (ours, theirs) = found.totals.values().next().unwrap();
    assert_eq!((found.totals.len(), ours), (1, theirs));
    assert_eq!(ours.basis.to_string(), "1001.00");
}

#[test]
fn each_difference_has_its_cause_and_its_code() {
    for (ledger, form, expected) in [
        (SIMPLE, "10 AAA 2024-03-01 2025-02-03 898.01 1000.99 short", vec!["proceeds: rounding", "basis: rounding"]),
        (SIMPLE, "10 AAA 2024-03-01 2025-02-03 900 1001 short", vec!["proceeds: fee_treatment E -2.00"]),
        (SIMPLE, "10 AAA 2024-03-01 2025-02-03 898 1000 short", vec!["basis: fee_treatment B -1.00"]),
        (
            SIMPLE,
            "10 AAA 2024-03-01 2025-02-03 900 1000 short",
            vec!["proceeds: fee_treatment E -2.00", "basis: fee_treatment B -1.00"],
        ),
        (SIMPLE, "10 AAA - 2025-02-03 898 ? noncovered", vec!["basis: missing_basis"]),
        (SIMPLE, "10 AAA - 2025-02-03 898 0 short", vec!["basis: missing_basis B -1001.00"]),
        (SIMPLE, "10 AAA 2024-03-01 2025-02-03 898 1001 long", vec!["term: unexplained T 0.00"]),
        (SIMPLE, "10 AAA 2024-03-01 2025-02-03 850 1001 short", vec!["proceeds: unexplained E 48.00"]),
        (
            SIMPLE,
            "9 AAA 2024-03-01 2025-02-03 808 900 short",
            vec!["only_ours: not_reported", "only_brokers: unexplained"],
        ),
        (
            "2024-03-01 buy 10 AAA @ 100\n2025-02-03 sell 10 AAA @ 90\n2025-02-04 buy 4 AAA @ 90 in I",
            "10 AAA 2024-03-01 2025-02-03 900 1000 short",
            vec!["wash_loss: wash_elsewhere W 40.00"],
        ),
        (
            "2024-12-01 buy 10 AAA @ 100\n2025-01-20 buy 10 AAA @ 95\n2025-02-03 sell 20 AAA @ 90",
            "10 AAA 2024-12-01 2025-02-03 900 1000 short wash 100\n10 AAA 2025-01-20 2025-02-03 900 1050 short",
            vec!["basis: lots_leave_order B 100.00", "wash_loss: lots_leave_order W 0.00"],
        ),
        (
            "2024-03-01 buy 10 AAA @ 100\n2024-06-03 return 50 AAA\n2025-02-03 sell 10 AAA @ 110",
            "10 AAA 2024-03-01 2025-02-03 1100 1000 short",
            vec!["basis: corporate_action B 50.00"],
        ),
        (
            "2023-03-01 buy 10 AAA @ 100\n2023-06-01 buy 10 AAA @ 80\n2025-02-03 sell 10 AAA @ 110",
            "10 AAA 2023-06-01 2025-02-03 1100 800 long",
            vec!["basis: lot_method B -200.00", "acquired: lot_method"],
        ),
        (
            "2023-03-01 buy 10 AAA @ 100\n2025-01-02 buy 10 AAA @ 95\n2025-02-03 sell 10 AAA @ 110 lots L2=10",
            "10 AAA 2023-03-01 2025-02-03 1100 1000 long",
            vec!["basis: lot_method B 50.00", "term: lot_method T 0.00", "acquired: lot_method"],
        ),
        (
            "2024-02-01 buy 10 AAA @ 100\n2025-01-15 sell 10 AAA @ 90\n2025-01-20 buy 10 AAA @ 91 in U\n2025-03-20 sell 10 AAA @ 95 in U",
            "10 AAA 2025-01-20 2025-03-20 950 910 short in U",
            vec!["basis: wash_elsewhere B -100.00", "term: holding_period T 0.00"],
        ),
    ] {
        assert_eq!(show(&compare(ledger, form)), expected, "{form}");
    }
}

#[test]
fn brokers_divide_and_merge_lots() {
    let ledger = "2024-03-01 buy 10 AAA @ 100\n2025-02-03 sell 10 AAA @ 90";
    let found = compare(ledger, "6 AAA 2024-03-01 2025-02-03 540 600 short\n4 AAA 2024-03-01 2025-02-03 360 400 short");
    assert_eq!((found.agreed, found.differences.len()), (2, 0));
    let two = "2024-03-01 buy 5 AAA @ 100\n2024-03-02 buy 5 AAA @ 102\n2025-02-03 sell 10 AAA @ 90";
    let various = compare(two, "10 AAA - 2025-02-03 900 1010 short");
    assert_eq!((various.agreed, various.differences.len()), (1, 0));
}

#[test]
fn the_brokers_figures_reach_form_8949() {
    let found = compare(SIMPLE, "10 AAA 2024-03-01 2025-02-03 900 1000 short");
    let (_, reported) = found.reported(0).unwrap();
    assert_eq!(reported.proceeds.map(|amount| amount.to_string()).as_deref(), Some("900.00"));
    assert_eq!(reported.basis.map(|amount| amount.to_string()).as_deref(), Some("1000.00"));
    assert_eq!(found.reported(1), None);
    // What the broker does not list goes into box C or F.
    let two = format!("{SIMPLE}\n2025-02-03 buy 1 BBB @ 5\n2025-02-04 sell 1 BBB @ 6");
    let found = compare(&two, "10 AAA 2024-03-01 2025-02-03 898 1001 short");
    assert_eq!(found.reported(1).map(|(reporting, _)| reporting), Some(Reporting::NotReported));
}

#[test]
fn other_accounts_and_years_are_left_alone() {
    let ledger = "
        2023-03-01 buy 30 AAA @ 100
        2023-03-01 buy 10 AAA @ 100 in U
        2024-02-03 sell 10 AAA @ 110
        2025-02-03 sell 10 AAA @ 120
        2025-02-03 sell 10 AAA @ 120 in U
    ";
    let found = compare(ledger, "10 AAA 2023-03-01 2025-02-03 1200 1000 long");
    assert_eq!((found.agreed, found.differences.len()), (1, 0));
    assert_eq!(found.unexplained().count(), 0);
}
