//! The algorithm of tax rule 4.10 written out plainly, with fractions, look-ahead at purchases to
//! come, and no data structure but a list. The engine has to come to the same.

use std::cmp::Ordering;

use lotwise_core::{Date, Money, Shares};
use lotwise_tax::{Event, EventKind, Ledger, LotSelection, LotsLeave, Method, Rules, Tacking};
use proptest::prelude::*;

use crate::random::{Ingredients, ledger, rules, steps};

/// An exact fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction {
    top: i128,
    bottom: i128,
}

impl Fraction {
    const ZERO: Self = Self { top: 0, bottom: 1 };

    fn new(top: i128, bottom: i128) -> Self {
        let (mut a, mut b) = (top.unsigned_abs(), bottom.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = (a.max(1) as i128) * bottom.signum();
        Self { top: top / divisor, bottom: bottom / divisor }
    }

    fn billionths(value: i128) -> Self {
        Self::new(value, 1_000_000_000)
    }

    fn plus(self, other: Self) -> Self {
        Self::new(self.top * other.bottom + other.top * self.bottom, self.bottom * other.bottom)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self { top: -other.top, ..other })
    }

    fn times(self, other: Self) -> Self {
        Self::new(self.top * other.top, self.bottom * other.bottom)
    }

    fn over(self, other: Self) -> Self {
        Self::new(self.top * other.bottom, self.bottom * other.top)
    }

    fn min(self, other: Self) -> Self {
        if self.compare(other) == Ordering::Greater { other } else { self }
    }

    fn compare(self, other: Self) -> Ordering {
        self.minus(other).top.cmp(&0)
    }

    fn is_positive(self) -> bool {
        self.top > 0
    }

    /// To the nearest billionth, near enough for a comparison.
    fn rounded(self) -> i128 {
        (self.top * 1_000_000_000).div_euclid(self.bottom)
    }
}

#[derive(Debug, Clone)]
struct Piece {
    lot: String,
    event: usize,
    account: String,
    symbol: String,
    shares: Fraction,
    basis: Fraction,
    acquired: Date,
    holding_from: Date,
    used: bool,
    /// Counts the matches of the whole ledger, so that matched pieces leave in their order.
    matched: usize,
}

impl Piece {
    fn cut(&mut self, shares: Fraction) -> Self {
        let basis = self.basis.times(shares.over(self.shares));
        let cut = Self { shares, basis, ..self.clone() };
        self.shares = self.shares.minus(shares);
        self.basis = self.basis.minus(basis);
        cut
    }
}

struct Reservation {
    shares: Fraction,
    loss: Fraction,
    sold: Date,
    sold_from: Date,
}

#[derive(Debug)]
struct Row {
    sale: String,
    lot: String,
    shares: Fraction,
    gain: Fraction,
    disallowed: Fraction,
    holding_from: Date,
    matches: Vec<(String, Fraction)>,
}

struct Reference<'a> {
    ledger: &'a Ledger,
    rules: &'a Rules,
    held: Vec<Piece>,
    reserved: Vec<Vec<Reservation>>,
    rows: Vec<Row>,
    permanent: Fraction,
    n_matches: usize,
}

impl Reference<'_> {
    fn book<'a>(ledger: &'a Ledger, rules: &'a Rules) -> Reference<'a> {
        let mut reference = Reference {
            ledger,
            rules,
            held: Vec::new(),
            reserved: ledger.events.iter().map(|_| Vec::new()).collect(),
            rows: Vec::new(),
            permanent: Fraction::ZERO,
            n_matches: 0,
        };
        for (index, event) in ledger.events.iter().enumerate() {
            reference.step(index, event);
        }
        reference
    }

    fn step(&mut self, index: usize, event: &Event) {
        match &event.kind {
            EventKind::Buy { lot, shares, amount, fee } => {
                self.buy(index, event, lot.as_str(), *shares, *amount + *fee);
            }
            EventKind::Sell { sale, shares, amount, fee, lots, .. } => {
                self.sell(index, event, sale.as_str(), *shares, *amount - *fee, lots);
            }
            EventKind::Split { new, old } => {
                let ratio = Fraction::new(new.billionths(), old.billionths());
                for piece in self.held.iter_mut().filter(|piece| piece.symbol == event.symbol.as_str()) {
                    piece.shares = piece.shares.times(ratio);
                }
            }
            other => panic!("the reference does not book {other:?}"),
        }
    }

    fn buy(&mut self, index: usize, event: &Event, lot: &str, shares: Shares, basis: Money) {
        let mut rest = Piece {
            lot: lot.into(),
            event: index,
            account: event.account.as_str().into(),
            symbol: event.symbol.as_str().into(),
            shares: Fraction::billionths(shares.billionths()),
            basis: Fraction::billionths(basis.billionths()),
            acquired: event.date,
            holding_from: event.date,
            used: false,
            matched: usize::MAX,
        };
        for reservation in std::mem::take(&mut self.reserved[index]) {
            let mut cut = rest.cut(reservation.shares);
            self.adjust(&mut cut, reservation.loss, reservation.sold, reservation.sold_from);
            self.held.push(cut);
        }
        if rest.shares.is_positive() {
            self.held.push(rest);
        }
    }

    fn adjust(&mut self, piece: &mut Piece, loss: Fraction, sold: Date, sold_from: Date) {
        piece.used = true;
        piece.matched = self.n_matches;
        self.n_matches += 1;
        if self.is_ira(&piece.account) {
            return;
        }
        piece.basis = piece.basis.plus(loss);
        let overlapping = piece.acquired <= sold;
        piece.holding_from = match self.rules.tacking {
            Tacking::Union if overlapping => piece.holding_from.min(sold_from),
            _ => piece.acquired.plus_days(-sold.days_since(sold_from)),
        };
    }

    fn is_ira(&self, account: &str) -> bool {
        ["I", "R", "Q"].contains(&account)
    }

    fn identical(&self, one: &str, other: &str) -> bool {
        let both = |group: &Vec<lotwise_core::Symbol>| {
            group.iter().any(|symbol| symbol.as_str() == one) && group.iter().any(|symbol| symbol.as_str() == other)
        };
        one == other || self.rules.identity_groups.iter().any(both)
    }

    fn sell(&mut self, index: usize, event: &Event, sale: &str, shares: Shares, proceeds: Money, lots: &LotSelection) {
        let account = event.account.as_str();
        let mut wanted = self.pick(event, Fraction::billionths(shares.billionths()), lots);
        // By original acquisition; within a lot in leaving order.
        wanted.sort_by_key(|(piece, _)| leaving(&self.held[*piece]));
        let taxable = !self.is_ira(account);
        let per_share = Fraction::billionths(proceeds.billionths()).over(Fraction::billionths(shares.billionths()));
        match self.rules.lots_leave {
            LotsLeave::Together => {
                let picked: Vec<(Piece, Fraction)> =
                    wanted.iter().map(|(piece, shares)| (self.held[*piece].clone(), *shares)).collect();
                let sold: Vec<Piece> = picked.into_iter().map(|(piece, shares)| self.remove(&piece, shares)).collect();
                for piece in sold.into_iter().filter(|_| taxable) {
                    self.report(index, event, sale, &piece, per_share);
                }
            }
            LotsLeave::OneByOne => {
                let mut of_lots: Vec<(usize, Fraction)> = Vec::new();
                for (piece, shares) in wanted {
                    let lot = self.held[piece].event;
                    match of_lots.last_mut() {
                        Some((last, sum)) if *last == lot => *sum = sum.plus(shares),
                        _ => of_lots.push((lot, shares)),
                    }
                }
                for (lot, mut left) in of_lots {
                    let mut sold = Vec::new();
                    while left.is_positive() {
                        let of_lot = self.held.iter().filter(|piece| piece.event == lot);
                        let first = of_lot.min_by_key(|piece| leaving(piece)).expect("the lot holds it").clone();
                        let taken = left.min(first.shares);
                        sold.push(self.remove(&first, taken));
                        left = left.minus(taken);
                    }
                    for piece in sold.into_iter().filter(|_| taxable) {
                        self.report(index, event, sale, &piece, per_share);
                    }
                }
            }
        }
    }

    fn pick(&self, event: &Event, shares: Fraction, lots: &LotSelection) -> Vec<(usize, Fraction)> {
        let mut order: Vec<usize> = (0..self.held.len())
            .filter(|piece| {
                let piece = &self.held[*piece];
                piece.account == event.account.as_str() && piece.symbol == event.symbol.as_str()
            })
            .collect();
        order.sort_by_key(|piece| leaving(&self.held[*piece]));
        let standing = self.ledger.accounts.iter().find(|account| account.id == event.account).map(|one| one.method);
        let method = match lots {
            LotSelection::Lots(named) => {
                let (lot, _) = &named[0];
                order.retain(|piece| self.held[*piece].lot == lot.as_str());
                Method::Fifo
            }
            LotSelection::By(method) => *method,
            LotSelection::Standing => standing.expect("the account is there"),
        };
        match method {
            Method::Fifo => {}
            // Later lots first, but each lot's pieces in leaving order.
            Method::Lifo => order.sort_by_key(|piece| std::cmp::Reverse(self.held[*piece].event)),
            Method::Hifo => order.sort_by(|a, b| {
                let basis = |piece: &usize| self.held[*piece].basis.over(self.held[*piece].shares);
                basis(b).compare(basis(a))
            }),
            other => panic!("the reference does not order by {other:?}"),
        }
        let (mut left, mut picked) = (shares, Vec::new());
        for piece in order {
            let taken = left.min(self.held[piece].shares);
            if taken.is_positive() {
                picked.push((piece, taken));
                left = left.minus(taken);
            }
        }
        picked
    }

    fn remove(&mut self, piece: &Piece, shares: Fraction) -> Piece {
        let index = self.held.iter().position(|held| leaving(held) == leaving(piece)).expect("it is held");
        let cut = self.held[index].cut(shares);
        if !self.held[index].shares.is_positive() {
            self.held.remove(index);
        }
        cut
    }

    fn report(&mut self, index: usize, event: &Event, sale: &str, piece: &Piece, per_share: Fraction) {
        let gain = per_share.times(piece.shares).minus(piece.basis);
        let mut row = Row {
            sale: sale.into(),
            lot: piece.lot.clone(),
            shares: piece.shares,
            gain,
            disallowed: Fraction::ZERO,
            holding_from: piece.holding_from,
            matches: Vec::new(),
        };
        if gain.top < 0 {
            self.wash(index, event, piece, &mut row);
        }
        self.rows.push(row);
    }

    fn wash(&mut self, index: usize, event: &Event, piece: &Piece, row: &mut Row) {
        let loss_per_share = Fraction::ZERO.minus(row.gain).over(piece.shares);
        let mut left = piece.shares;
        for candidate in 0..self.ledger.events.len() {
            let bought = &self.ledger.events[candidate];
            let EventKind::Buy { lot, shares, .. } = &bought.kind else { continue };
            let in_window = bought.date.days_since(event.date).abs() <= 30;
            let older = candidate < piece.event;
            let right = self.identical(bought.symbol.as_str(), event.symbol.as_str());
            if !in_window || !right || candidate == piece.event || (older && !self.rules.older_lots_can_replace) {
                continue;
            }
            let permanent = self.is_ira(bought.account.as_str());
            let (matched, in_its_units) = if candidate < index {
                let unused = self.held.iter().position(|held| held.event == candidate && !held.used);
                let Some(position) = unused else { continue };
                let n = left.min(self.held[position].shares);
                if !n.is_positive() {
                    continue;
                }
                let mut cut = self.held[position].cut(n);
                if !self.held[position].shares.is_positive() {
                    self.held.remove(position);
                }
                self.adjust(&mut cut, n.times(loss_per_share), event.date, piece.holding_from);
                self.held.push(cut);
                (n, n)
            } else {
                // Splits of the purchase's symbol between the sale and the purchase.
                let mut ratio = Fraction::new(1, 1);
                for between in &self.ledger.events[index..candidate] {
                    if let (EventKind::Split { new, old }, true) = (&between.kind, between.symbol == bought.symbol) {
                        ratio = ratio.times(Fraction::new(new.billionths(), old.billionths()));
                    }
                }
                let taken = self.reserved[candidate].iter().fold(Fraction::ZERO, |sum, one| sum.plus(one.shares));
                let free = Fraction::billionths(shares.billionths()).minus(taken);
                let n = left.min(free.over(ratio));
                if !n.is_positive() {
                    continue;
                }
                self.reserved[candidate].push(Reservation {
                    shares: n.times(ratio),
                    loss: n.times(loss_per_share),
                    sold: event.date,
                    sold_from: piece.holding_from,
                });
                (n, n.times(ratio))
            };
            let loss = matched.times(loss_per_share);
            row.disallowed = row.disallowed.plus(loss);
            row.matches.push((lot.as_str().into(), in_its_units));
            if permanent {
                self.permanent = self.permanent.plus(loss);
            }
            left = left.minus(matched);
        }
    }
}

/// Order of acquisition, then of matching, the unmatched rest last.
fn leaving(piece: &Piece) -> (usize, usize) {
    (piece.event, piece.matched)
}

const LIKE_THE_REFERENCE: Ingredients =
    Ingredients { methods: &[Method::Fifo, Method::Lifo, Method::Hifo], rare: false };

/// Equal but for the rounding at the billionth.
fn close(exact: Fraction, found: i128) -> bool {
    (exact.rounded() - found).abs() <= 100
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn waiting_for_purchases_comes_to_what_looking_ahead_does(steps in steps(), rules in rules()) {
        let (ledger, book) = ledger(&steps, &rules, LIKE_THE_REFERENCE);
        let reference = Reference::book(&ledger, &rules);
        // A gain of nearly nothing can be a loss for one of the two.
        prop_assume!(reference.rows.iter().all(|row| row.gain.rounded().abs() > 1_000));
        let booking = book.into_booking();
        prop_assert_eq!(booking.sales.len(), reference.rows.len());
        for (found, exact) in booking.sales.iter().zip(&reference.rows) {
            prop_assert_eq!(found.sale.as_str(), &exact.sale);
            prop_assert_eq!(found.lot.as_str(), &exact.lot);
            prop_assert_eq!(found.holding_from, Some(exact.holding_from));
            prop_assert!(close(exact.shares, found.shares.billionths()));
            prop_assert!(close(exact.gain, found.gain.unwrap().billionths()), "{:?} {:?}", found, exact);
            prop_assert!(close(exact.disallowed, found.disallowed.billionths()), "{:?} {:?}", found, exact);
            let matches: Vec<&str> = found.matches.iter().map(|one| one.lot.as_str()).collect();
            let expected: Vec<&str> = exact.matches.iter().map(|(lot, _)| lot.as_str()).collect();
            prop_assert_eq!(matches, expected);
            for (one, (_, shares)) in found.matches.iter().zip(&exact.matches) {
                prop_assert!(close(*shares, one.shares.billionths()));
            }
        }
        let mut held = reference.held;
        let account = |name: &str| ledger.accounts.iter().position(|one| one.id.as_str() == name);
        held.sort_by_key(|piece| (account(&piece.account), piece.symbol.clone(), leaving(piece)));
        prop_assert_eq!(booking.open_lots.len(), held.len());
        for (found, exact) in booking.open_lots.iter().zip(&held) {
            prop_assert_eq!(found.lot.as_str(), &exact.lot);
            prop_assert_eq!(found.holding_from, Some(exact.holding_from));
            prop_assert_eq!(found.washed, exact.used);
            prop_assert!(close(exact.shares, found.shares.billionths()));
            prop_assert!(close(exact.basis, found.basis.unwrap().billionths()));
        }
        prop_assert!(close(reference.permanent, booking.permanently_disallowed.billionths()));
    }
}
