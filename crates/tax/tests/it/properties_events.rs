//! What every kind of event leaves unchanged.

use lotwise_core::Money;
use lotwise_tax::{AccountId, EventKind, Ledger, Way};

use crate::differential::Maker;

/// Ledgers looked at; those with gifts are left out, whose two bases leave a gap by law.
const LEDGERS: u64 = 3_000;

fn is_taxable(ledger: &Ledger, account: &AccountId) -> bool {
    let found = ledger.accounts.iter().find(|one| one.id == *account);
    found.expect("every event names an account").kind.is_taxable()
}

/// Cash out of and into the taxable accounts, with what came in with a basis and without cash.
fn cash(ledger: &Ledger) -> Money {
    let taxable = ledger.events.iter().filter(|event| is_taxable(ledger, &event.account));
    taxable
        .map(|event| match &event.kind {
            EventKind::Buy { amount, fee, .. } | EventKind::Cover { amount, fee, .. } => -(*amount + *fee),
            EventKind::Sell { amount, fee, .. } | EventKind::ShortSell { amount, fee, .. } => *amount - *fee,
            EventKind::Open { basis, .. } => -basis.unwrap_or(Money::ZERO),
            EventKind::Inherit { value, .. } => -value.unwrap_or(Money::ZERO),
            EventKind::ReturnOfCapital { amount, .. } => *amount,
            EventKind::Exchange { cash, .. } => cash.as_ref().map_or(Money::ZERO, |boot| boot.cash),
            EventKind::Exercise(delivery) | EventKind::Assign(delivery) => match delivery.way {
                Way::In { .. } => -(delivery.amount + delivery.fee),
                Way::Out { .. } => delivery.amount - delivery.fee,
            },
            EventKind::Split { .. }
            | EventKind::Remove { .. }
            | EventKind::Transfer { .. }
            | EventKind::SpinOff { .. }
            | EventKind::Expire { .. } => Money::ZERO,
            EventKind::Gift { .. } => panic!("ledgers with gifts are left out"),
        })
        .sum()
}

/// Tax rule 0.6, to the billionth, with short sales: cash is what was reported, less the basis of
/// what is held, plus the proceeds of what is owed, less what is lost for good.
#[test]
fn money_is_conserved_through_every_kind_of_event() {
    let mut looked_at = 0;
    for seed in 0..LEDGERS {
        let (ledger, rules) = Maker::ledger(seed ^ 0x5eed << 20);
        if ledger.events.iter().any(|event| matches!(event.kind, EventKind::Gift { .. })) {
            continue;
        }
        let booking = lotwise_tax::book(&ledger, &rules).unwrap();
        let reported: Money = booking.sales.iter().filter_map(|row| row.reportable).sum();
        let lots = booking.open_lots.iter().chain(&booking.removed).filter(|lot| is_taxable(&ledger, &lot.account));
        let held: Money = lots.filter_map(|lot| lot.basis).sum();
        let owed: Money = booking.open_shorts.iter().map(|short| short.proceeds).sum();
        let expected = reported - held + owed - booking.permanently_disallowed;
        assert_eq!(cash(&ledger), expected, "seed {seed}: {:#?}", ledger.events);
        looked_at += 1;
    }
    assert!(looked_at > LEDGERS / 10, "{looked_at}");
}
