//! What holds for every ledger.

use lotwise_core::{Money, Shares};
use lotwise_tax::{Account, Booking, Event, EventKind, FlatRates, Ledger, LotSelection, Method, Rules, SaleId, book};
use proptest::prelude::*;

use crate::random::{Ingredients, ledger, rules, steps, symbol};

const EVERYTHING: Ingredients =
    Ingredients { methods: &[Method::Fifo, Method::Lifo, Method::Hifo, Method::MinTax], rare: true };

fn kind_of<'a>(ledger: &'a Ledger, event: &Event) -> &'a Account {
    ledger.accounts.iter().find(|account| account.id == event.account).expect("every event names an account")
}

/// Cash out of and into the taxable accounts, stated basis of what was opened there included.
fn cash(ledger: &Ledger) -> Money {
    let taxable = ledger.events.iter().filter(|event| kind_of(ledger, event).kind.is_taxable());
    taxable
        .map(|event| match &event.kind {
            EventKind::Buy { amount, fee, .. } => -(*amount + *fee),
            EventKind::Open { basis, .. } => -basis.unwrap_or(Money::ZERO),
            EventKind::Sell { amount, fee, .. } => *amount - *fee,
            EventKind::ReturnOfCapital { amount, .. } => *amount,
            _ => Money::ZERO,
        })
        .sum()
}

fn basis_in_taxable(ledger: &Ledger, booking: &Booking) -> Money {
    let taxable = |id: &lotwise_tax::AccountId| {
        ledger.accounts.iter().any(|account| account.id == *id && account.kind.is_taxable())
    };
    let lots = booking.open_lots.iter().chain(&booking.removed).filter(|lot| taxable(&lot.account));
    lots.map(|lot| lot.basis.expect("every basis is known here")).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Tax rule 0.6, to the billionth.
    #[test]
    fn money_is_conserved(steps in steps(), rules in rules()) {
        let (ledger, book) = ledger(&steps, &rules, EVERYTHING);
        let booking = book.into_booking();
        let reportable: Money = booking.sales.iter().filter_map(|row| row.reportable).sum();
        let held = basis_in_taxable(&ledger, &booking);
        prop_assert_eq!(cash(&ledger), reportable - held - booking.permanently_disallowed);
    }

    #[test]
    fn shares_are_conserved(steps in steps(), rules in rules()) {
        let (ledger, book) = ledger(&steps, &rules, EVERYTHING);
        let mut held = std::collections::BTreeMap::new();
        for event in &ledger.events {
            let shares = match &event.kind {
                EventKind::Buy { shares, .. } | EventKind::Open { shares, .. } => *shares,
                EventKind::Sell { shares, .. } | EventKind::Remove { shares } => -*shares,
                EventKind::Split { new, old } => {
                    for ((_, of), shares) in &mut held {
                        if *of == event.symbol {
                            let scaled: Shares = *shares;
                            *shares = Shares::from_billionths(scaled.billionths() * new.billionths() / old.billionths());
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            *held.entry((event.account.clone(), event.symbol.clone())).or_insert(Shares::ZERO) += shares;
        }
        for ((account, symbol), shares) in held {
            let lots = book.open_lots_of(&account, &symbol);
            prop_assert_eq!(lots.iter().map(|lot| lot.shares).sum::<Shares>(), shares);
            prop_assert_eq!(book.held(&account, &symbol), shares);
            prop_assert!(lots.iter().all(|lot| lot.shares.is_positive()));
        }
    }

    /// A disallowed loss is in its row's matches, never exceeds the loss, and either is lost for
    /// good or raises a basis; a share absorbs one loss only.
    #[test]
    fn disallowed_losses_go_somewhere(steps in steps(), rules in rules()) {
        let (_, book) = ledger(&steps, &rules, EVERYTHING);
        let mut permanent = Money::ZERO;
        for row in book.sales() {
            let matched: Money = row.matches.iter().map(|one| one.disallowed).sum();
            prop_assert_eq!(row.disallowed, matched);
            let gain = row.gain.expect("every basis is known here");
            prop_assert!(matched <= (-gain).max(Money::ZERO));
            prop_assert_eq!(row.reportable, Some(gain + matched));
            prop_assert_eq!(row.code == "W", !row.matches.is_empty());
            prop_assert!(row.matches.iter().all(|one| one.lot != row.lot && one.shares.is_positive()));
            permanent += row.matches.iter().filter(|one| one.permanent).map(|one| one.disallowed).sum();
        }
        prop_assert_eq!(book.permanently_disallowed(), permanent);
        let open: Money = book.open_lots().iter().map(|lot| lot.deferred_loss).sum();
        let moved: Money = book.sales().iter().map(|row| row.disallowed).sum::<Money>() - permanent;
        prop_assert!(open <= moved);
        for lot in book.open_lots() {
            prop_assert!(lot.washed || lot.deferred_loss.is_zero());
            prop_assert!(lot.basis.is_some_and(|basis| basis >= lot.deferred_loss));
        }
    }

    /// Tax rule 2.2 and T-12: for one sale, at the user's rates, least tax is no more than any
    /// other method's.
    #[test]
    fn least_tax_is_least(steps in steps(), rules in rules(), part in 1_i128..=10, cents in 600_i128..1_400) {
        let (_, book) = ledger(&steps, &rules, EVERYTHING);
        let account = lotwise_tax::AccountId::new("T");
        for symbol in [symbol(0), symbol(1), symbol(2)] {
            let held = book.held(&account, &symbol);
            let shares = Shares::from_billionths(held.billionths() * part / 10);
            if !shares.is_positive() {
                continue;
            }
            let tax = |method| {
                let kind = EventKind::Sell {
                    sale: SaleId::new("sale"),
                    shares,
                    amount: Money::from_billionths(shares.billionths() * cents / 100),
                    fee: Money::ZERO,
                    lots: LotSelection::By(method),
                    identified: None,
                };
                let date = book.last_date().expect("something is held");
                let event = Event { date, account: account.clone(), symbol: symbol.clone(), kind };
                FlatRates::default().tax(&book.whatif_sell(&event).unwrap().rows)
            };
            let least = tax(Method::MinTax);
            for method in [Method::Fifo, Method::Lifo, Method::Hifo] {
                prop_assert!(least <= tax(method), "{:?}", method);
            }
        }
    }

    /// A what-if changes nothing and says what happens next.
    #[test]
    fn a_what_if_is_the_sale_that_follows(steps in steps(), rules in rules()) {
        let (ledger, _) = ledger(&steps, &rules, EVERYTHING);
        let mut book = lotwise_tax::Book::new(&ledger.accounts, &rules).unwrap();
        for event in &ledger.events {
            if matches!(event.kind, EventKind::Sell { .. }) {
                let before = book.booking();
                let preview = book.whatif_sell(event).unwrap();
                prop_assert_eq!(&book.booking(), &before);
                let added = book.apply(event).unwrap().added;
                prop_assert_eq!(&preview.rows[..], &book.sales()[added]);
                let left: Shares = preview.open_lots.iter().filter(|lot| lot.account == event.account && lot.symbol == event.symbol).map(|lot| lot.shares).sum();
                prop_assert_eq!(left, book.held(&event.account, &event.symbol));
            } else if matches!(event.kind, EventKind::Buy { .. }) {
                let preview = book.whatif_buy(event).unwrap();
                let washed = book.apply(event).unwrap().washed;
                let mut rows: Vec<usize> = preview.washed.iter().map(|one| one.row).collect();
                rows.dedup();
                prop_assert_eq!(rows, washed);
            } else {
                book.apply(event).unwrap();
            }
        }
    }

    /// A book that is cloned half-way, and a ledger whose dates are shuffled, come to the same.
    #[test]
    fn order_of_dates_and_clones_do_not_matter(steps in steps(), rules in rules(), seed in any::<usize>()) {
        let (ledger, book_of_all) = ledger(&steps, &rules, EVERYTHING);
        let expected = book_of_all.into_booking();
        let half = ledger.events.len() / 2;
        let mut one = lotwise_tax::Book::new(&ledger.accounts, &rules).unwrap();
        for event in &ledger.events[..half] {
            one.apply(event).unwrap();
        }
        let mut other = one.clone();
        for event in &ledger.events[half..] {
            other.apply(event).unwrap();
        }
        prop_assert_eq!(one.last_date(), ledger.events[..half].last().map(|event| event.date));
        prop_assert_eq!(&other.into_booking(), &expected);
        // Rotating whole days keeps the order inside each day.
        let mut shuffled = ledger.clone();
        if !ledger.events.is_empty() {
            let date = ledger.events[seed % ledger.events.len()].date;
            let (before, after): (Vec<Event>, Vec<Event>) = ledger.events.iter().cloned().partition(|event| event.date < date);
            shuffled.events = after.into_iter().chain(before).collect();
        }
        prop_assert_eq!(book(&shuffled, &rules).unwrap(), expected);
    }

    /// Whatever the numbers, an event is booked or refused, and a refusal changes nothing.
    #[test]
    fn no_event_breaks_the_book(
        kinds in prop::collection::vec((0_u8..6, 0_usize..2, extreme(), extreme(), extreme()), 1..30),
    ) {
        let accounts = crate::dsl::accounts();
        let mut book = lotwise_tax::Book::new(&accounts, &Rules::default()).unwrap();
        for (number, (kind, account, a, b, c)) in kinds.into_iter().enumerate() {
            let shares = Shares::from_billionths(a);
            let (amount, fee) = (Money::from_billionths(b), Money::from_billionths(c));
            let lot = lotwise_tax::LotId::new(&format!("L{number}"));
            let sale = SaleId::new("sale");
            let kind = match kind {
                0 | 1 => EventKind::Buy { lot, shares, amount, fee },
                2 => EventKind::Sell { sale, shares, amount, fee, lots: LotSelection::By(Method::MinTax), identified: None },
                3 => EventKind::Split { new: shares, old: Shares::from_billionths(b) },
                4 => EventKind::ReturnOfCapital { sale, amount },
                _ => EventKind::Remove { shares },
            };
            let date = lotwise_core::Date::MAX.plus_days(number as i32 - 40);
            let event = Event { date, account: accounts[account].id.clone(), symbol: symbol(0), kind };
            let before = book.booking();
            if book.apply(&event).is_err() {
                prop_assert_eq!(book.booking(), before);
            }
        }
    }
}

fn extreme() -> impl Strategy<Value = i128> {
    prop_oneof![
        Just(0_i128),
        Just(1),
        Just(-1),
        Just(i128::MAX),
        Just(i128::MIN),
        Just(1_000_000_000_000_000_000_000_000),
        1_i128..10_000_000_000_000,
    ]
}
