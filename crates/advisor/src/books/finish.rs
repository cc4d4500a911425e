//! The last pass: what can only be decided with the lots as they stood on the day.

use std::collections::BTreeMap;

use lotwise_core::Rounding::HalfEven;
use lotwise_core::{Shares, Symbol, mul_div};
use lotwise_statements::StatedLot;
use lotwise_tax::{BasisSource, Book, Event, EventKind, Ledger, LotId, LotSelection, OpenLot, Rules, Way};

use super::named::{self, RowLots};
use super::questions::Questions;

/// What an event still needs.
#[derive(Debug)]
pub(super) enum Special {
    /// The lots that a file or an answer names.
    Lots {
        /// As they are named.
        lots: Vec<StatedLot>,
        /// File and row.
        place: String,
    },
    /// The exchange or spin-off happens, but how it divides the basis is not known: the lots that
    /// come keep their dates and have no known basis, and so do those that stay.
    Dissolve {
        /// The new security.
        to: Symbol,
        /// Whether the old shares stay beside the new ones.
        keep: bool,
    },
}

/// Books the ledger event by event and completes those that need more.
pub(super) fn finish(
    ledger: &mut Ledger,
    mut special: BTreeMap<usize, Special>,
    lots_of_rows: &RowLots,
    rules: &Rules,
    questions: &mut Questions<'_>,
) {
    if special.is_empty() {
        return;
    }
    let Ok(mut book) = Book::new(&ledger.accounts, rules) else { return };
    let events = std::mem::take(&mut ledger.events).into_iter().enumerate();
    let mut events: Vec<(Event, Option<Special>)> = events.map(|(at, event)| (event, special.remove(&at))).collect();
    // An event of several rows stands where the first of them is and may be of a later day.
    events.sort_by_key(|(event, _)| event.date);
    let mut done = Vec::with_capacity(events.len());
    let mut sound = true;
    for (mut event, special) in events {
        let mut instead = Vec::new();
        match special.filter(|_| sound) {
            Some(Special::Lots { lots, place }) => {
                let (symbol, shares) = leaving(&event);
                let open = book.open_lots_of(&event.account, symbol);
                let choice = named::choose(&open, &lots, &event, shares, lots_of_rows, questions, place);
                if let (Some(choice), Some(selection)) = (choice, selection(&mut event)) {
                    *selection = LotSelection::Lots(choice);
                }
            }
            Some(Special::Dissolve { to, keep }) => {
                let open = book.open_lots_of(&event.account, &event.symbol);
                instead = dissolved(&event, &open, &to, keep);
            }
            None => {}
        }
        if instead.is_empty() {
            instead.push(event);
        }
        for event in instead {
            // What the engine refuses here it refuses again, with a place, when the ledger is booked.
            sound = sound && book.apply(&event).is_ok();
            done.push(event);
        }
    }
    ledger.events = done;
}

/// The security and the number of shares that leave by named lots.
fn leaving(event: &Event) -> (&Symbol, Shares) {
    match &event.kind {
        EventKind::Sell { shares, .. } | EventKind::Transfer { shares, .. } => (&event.symbol, *shares),
        EventKind::Exercise(delivery) | EventKind::Assign(delivery) => (&delivery.underlying, delivery.shares),
        _ => (&event.symbol, Shares::ZERO),
    }
}

fn selection(event: &mut Event) -> Option<&mut LotSelection> {
    match &mut event.kind {
        EventKind::Sell { lots, .. } | EventKind::Transfer { lots, .. } => Some(lots),
        EventKind::Exercise(delivery) | EventKind::Assign(delivery) => match &mut delivery.way {
            Way::Out { lots, .. } => Some(lots),
            Way::In { .. } => None,
        },
        _ => None,
    }
}

/// The event as shares that leave and shares of unknown basis that come, lot by lot.
fn dissolved(event: &Event, open: &[OpenLot], to: &Symbol, keep: bool) -> Vec<Event> {
    let (new, old) = match &event.kind {
        EventKind::SpinOff { new, old, .. } | EventKind::Exchange { new, old, .. } => (*new, *old),
        _ => return Vec::new(),
    };
    let all: Shares = open.iter().map(|segment| segment.shares).sum();
    if !all.is_positive() {
        return Vec::new();
    }
    let (date, account) = (event.date, &event.account);
    let mut events = vec![Event { kind: EventKind::Remove { shares: all }, ..event.clone() }];
    let mut add = |symbol: &Symbol, name: String, shares: Shares, segment: &OpenLot| {
        if shares.is_positive() {
            let (acquired, source) = (segment.holding_from, BasisSource::Unknown);
            let kind = EventKind::Open { lot: LotId::new(&name), shares, basis: None, acquired, source };
            events.push(Event { date, account: account.clone(), symbol: symbol.clone(), kind });
        }
    };
    let apply = |shares: Shares| {
        let part = mul_div(shares.billionths(), new.billionths(), old.billionths(), HalfEven);
        Shares::from_billionths(part.unwrap_or(0))
    };
    // Parts of a running sum, so that they add up to the whole.
    let (mut before, mut given) = (Shares::ZERO, Shares::ZERO);
    for (number, segment) in (1..).zip(open) {
        before += segment.shares;
        let part = apply(before) - given;
        given += part;
        if keep {
            add(&event.symbol, format!("{}/{date}-{number}", segment.lot), segment.shares, segment);
        }
        add(to, format!("{}/{to}-{number}", segment.lot), part, segment);
    }
    events
}
