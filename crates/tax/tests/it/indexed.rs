//! What the indexed book says between events agrees with its rows.

use std::sync::Arc;

use lotwise_core::{Date, Money, Shares};
use lotwise_tax::{
    AccountIdx, AccountKind, At, IndexedBook, Method, Pick, Rules, SaleIdx, SymbolKind, Term, Trade, WINDOW_DAYS,
};
use proptest::prelude::*;

/// Days since the last event, purchase or sale, shares, whole dollars.
fn orders() -> impl Strategy<Value = Vec<(i32, bool, i64, i64)>> {
    proptest::collection::vec((0_i32..40, any::<bool>(), 1_i64..50, 1_i64..4_000), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn sums_holdings_and_windows_follow_the_rows(orders in orders(), least_tax in any::<bool>()) {
        let method = if least_tax { Method::MinTax } else { Method::Hifo };
        let mut book = IndexedBook::new(&[(AccountKind::Taxable, method)], Arc::new(Rules::default()));
        let symbol = book.add_symbol(SymbolKind::Stock, None);
        let account = AccountIdx(0);
        let mut date = Date::from_ymd(2020, 3, 1).unwrap();
        let (mut bought, mut first_row) = (Vec::new(), 0);
        for (days, buys, shares, dollars) in orders {
            date = date.plus_days(days);
            let at = At { date, account, symbol };
            let shares = Shares::from_whole(shares);
            let trade = Trade { shares, amount: Money::from_whole(dollars), fee: Money::ZERO };
            if buys {
                book.buy(at, trade).unwrap();
                bought.push(date);
            } else if book.held(account, symbol) >= shares {
                book.sell(at, SaleIdx(0), trade, Pick::Standing, None).unwrap();
                let new = book.rows_from(first_row);
                prop_assert_eq!(new.iter().map(|row| row.shares).sum::<Shares>(), shares);
            }
            first_row = book.rows().len();
            let of_year = book.rows().iter().filter(|row| row.sold().year() == date.year());
            let sum = |term| of_year.clone().filter(|row| row.term == Some(term)).filter_map(|row| row.reportable()).sum::<Money>();
            let realised = book.realised(date);
            prop_assert_eq!((realised.short, realised.long), (sum(Term::Short), sum(Term::Long)));
            let held: Shares = book.holdings(account, symbol).map(|one| one.shares).sum();
            prop_assert_eq!(held, book.held(account, symbol));
            let mut visited = Vec::new();
            book.visit_holdings(account, symbol, |one| visited.push(*one));
            prop_assert_eq!(visited, book.holdings(account, symbol).collect::<Vec<_>>());
            // What lies further back than the window may be forgotten at any event.
            let recent = |day: &Date| date.days_since(*day) <= WINDOW_DAYS;
            let open = book.rows().iter().filter(|row| row.reportable().is_some_and(Money::is_negative));
            let latest = open.map(|row| row.sold()).max();
            prop_assert_eq!(book.latest_open_loss(symbol).filter(recent), latest.filter(recent));
            if let Some(day) = book.latest_replacement(symbol) {
                prop_assert!(bought.contains(&day));
            }
        }
    }
}
