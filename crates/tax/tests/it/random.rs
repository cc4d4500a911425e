//! Random ledgers that can be booked, for the properties.

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_tax::{Book, Event, EventKind, Ledger, LotId, LotSelection, LotsLeave, Method, Rules, SaleId, Tacking};
use proptest::prelude::*;

use crate::dsl::accounts;

/// What a random ledger may hold.
#[derive(Debug, Clone, Copy)]
pub struct Ingredients {
    /// Standing methods and methods by order; without, first-in first-out only.
    pub methods: &'static [Method],
    /// Opening positions, removals and returns of capital.
    pub rare: bool,
}

/// One step before it is fitted to what is held.
#[derive(Debug, Clone)]
pub struct Step {
    gap: i32,
    kind: u8,
    account: usize,
    symbol: usize,
    size: usize,
    cents: i64,
    choice: usize,
}

fn step() -> impl Strategy<Value = Step> {
    // Short gaps, so that windows overlap; few symbols and accounts, so that they meet.
    (0_i32..14, 0_u8..24, 0_usize..8, 0_usize..3, 0_usize..6, 700_i64..1_300, 0_usize..100).prop_map(
        |(gap, kind, account, symbol, size, cents, choice)| Step { gap, kind, account, symbol, size, cents, choice },
    )
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

/// The policy switches, and whether AAA and BBB are one identity group.
pub fn rules() -> impl Strategy<Value = Rules> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(together, older, add, grouped)| Rules {
        lots_leave: if together { LotsLeave::Together } else { LotsLeave::OneByOne },
        older_lots_can_replace: older,
        tacking: if add { Tacking::Add } else { Tacking::Union },
        identity_groups: if grouped { vec![vec![symbol(0), symbol(1)]] } else { Vec::new() },
        ..Rules::default()
    })
}

pub fn symbol(index: usize) -> Symbol {
    Symbol::parse(["AAA", "BBB", "CCC"][index]).expect("a good symbol")
}

/// Fits the steps to what is held, and books them on the way.
pub fn ledger(steps: &[Step], rules: &Rules, with: Ingredients) -> (Ledger, Book) {
    let mut accounts = accounts();
    // Taxable accounts come up more often than the others.
    let names = [0, 0, 0, 1, 1, 2, 4, 5];
    for (index, account) in accounts.iter_mut().enumerate() {
        account.method = with.methods[index % with.methods.len()];
    }
    let mut book = Book::new(&accounts, rules).expect("accounts are distinct");
    let mut events = Vec::new();
    let mut date = Date::parse("2023-06-01").expect("a date");
    for (number, step) in steps.iter().enumerate() {
        date = date.plus_days(step.gap);
        let account = accounts[names[step.account]].id.clone();
        let symbol = symbol(step.symbol);
        // Sizes and ratios are products of 2 and 5, so that splits stay exact.
        let shares = Shares::from_whole([1, 2, 4, 5, 10, 20][step.size]);
        let held = book.held(&account, &symbol);
        let lots = book.open_lots_of(&account, &symbol);
        let price = |shares: Shares| Money::from_billionths(shares.billionths() * i128::from(step.cents) / 100);
        let fee = Money::from_billionths(i128::from(step.cents % 3) * 350_000_000);
        let kind = match step.kind {
            0..=10 => EventKind::Buy { lot: LotId::new(&format!("L{number}")), shares, amount: price(shares), fee },
            11..=18 if held.is_positive() => {
                let lot = &lots[step.choice % lots.len()].lot;
                let of_lot: Shares = lots.iter().filter(|other| other.lot == *lot).map(|other| other.shares).sum();
                let (shares, selection) = match step.choice % 4 {
                    0 => (shares.min(held), LotSelection::By(with.methods[step.choice / 4 % with.methods.len()])),
                    1 => (shares.min(of_lot), LotSelection::Lots(vec![(lot.clone(), shares.min(of_lot))])),
                    _ => (shares.min(held), LotSelection::Standing),
                };
                let sale = SaleId::new(&format!("S{number}"));
                EventKind::Sell { sale, shares, amount: price(shares), fee, lots: selection, identified: None }
            }
            19 => {
                let [new, old] = [[2, 1], [1, 2], [5, 2], [2, 5]][step.choice % 4];
                EventKind::Split { new: Shares::from_whole(new), old: Shares::from_whole(old) }
            }
            20 if with.rare => EventKind::Open {
                lot: LotId::new(&format!("L{number}")),
                shares,
                basis: Some(price(shares)),
                acquired: Some(date.plus_days(-(step.choice as i32) * 5)),
                source: lotwise_tax::BasisSource::Stated,
            },
            21 if with.rare && held.is_positive() => EventKind::Remove { shares: shares.min(held) },
            22 if with.rare && held.is_positive() => EventKind::ReturnOfCapital {
                sale: SaleId::new(&format!("R{number}")),
                amount: Money::from_billionths(price(held).billionths() / 3),
            },
            _ => continue,
        };
        // A split that two accounts report is one split; here each one is meant.
        let account = if matches!(kind, EventKind::Split { .. }) { accounts[0].id.clone() } else { account };
        let event = Event { date, account, symbol, kind };
        book.apply(&event).expect("a step that fits what is held");
        events.push(event);
    }
    (Ledger { accounts, events }, book)
}
