//! One request at a time for one symbol; who comes later waits for the answer to the first.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use lotwise_core::Symbol;

/// Requests under way, by symbol.
pub(super) struct Flights<T> {
    under_way: Mutex<BTreeMap<Symbol, Arc<Flight<T>>>>,
}

struct Flight<T> {
    state: Mutex<State<T>>,
    landed: Condvar,
}

enum State<T> {
    UnderWay,
    Landed(T),
    /// The thread that flew it panicked.
    Lost,
}

impl<T: Clone> Flights<T> {
    pub(super) fn new() -> Self {
        Self { under_way: Mutex::new(BTreeMap::new()) }
    }

    /// Runs `fetch`, or waits for the thread that already runs it for this symbol.
    ///
    /// `None` when that thread ended without an answer.
    pub(super) fn share(&self, symbol: &Symbol, fetch: impl FnOnce() -> T) -> Option<T> {
        let (flight, first) = {
            let mut under_way = held(&self.under_way);
            match under_way.get(symbol) {
                Some(flight) => (Arc::clone(flight), false),
                None => {
                    let flight = Arc::new(Flight { state: Mutex::new(State::UnderWay), landed: Condvar::new() });
                    under_way.insert(symbol.clone(), Arc::clone(&flight));
                    (flight, true)
                }
            }
        };
        if first {
            let landing = Landing { flights: self, symbol, flight: &flight };
            let answer = fetch();
            *held(&flight.state) = State::Landed(answer.clone());
            drop(landing);
            return Some(answer);
        }
        let mut state = held(&flight.state);
        loop {
            match &*state {
                State::Landed(answer) => return Some(answer.clone()),
                State::Lost => return None,
                State::UnderWay => state = flight.landed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Ends a flight however its thread ends, so that nobody waits for ever.
struct Landing<'a, T> {
    flights: &'a Flights<T>,
    symbol: &'a Symbol,
    flight: &'a Flight<T>,
}

impl<T> Drop for Landing<'_, T> {
    fn drop(&mut self) {
        held(&self.flights.under_way).remove(self.symbol);
        let mut state = held(&self.flight.state);
        if matches!(*state, State::UnderWay) {
            *state = State::Lost;
        }
        drop(state);
        self.flight.landed.notify_all();
    }
}

/// What these locks guard is whole at every moment, so a panic elsewhere leaves nothing to distrust.
fn held<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn many_askers_share_one_request() {
        let (flights, calls, gate) = (Flights::new(), AtomicUsize::new(0), Barrier::new(2));
        let symbol = Symbol::parse("AAA").unwrap();
        let answers: Vec<Option<u32>> = std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.share(&symbol, || {
                    gate.wait();
                    // The others must be waiting before this one lands.
                    while Arc::strong_count(&held(&flights.under_way)[&symbol]) < 6 {
                        std::thread::yield_now();
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
                    7
                })
            });
            gate.wait();
            let ask = || flights.share(&symbol, || calls.fetch_add(1, Ordering::SeqCst) as u32);
            let others: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            std::iter::once(leader).chain(others).map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers, [Some(7); 5]);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(flights.share(&symbol, || 8), Some(8), "the next request flies again");
    }

    #[test]
    fn a_request_that_panics_frees_those_who_wait() {
        let (flights, gate) = (Flights::<u32>::new(), Barrier::new(2));
        let symbol = Symbol::parse("AAA").unwrap();
        let waited = std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.share(&symbol, || {
                    gate.wait();
                    while Arc::strong_count(&held(&flights.under_way)[&symbol]) < 3 {
                        std::thread::yield_now();
                    }
                    panic!("a provider with a defect")
                })
            });
            gate.wait();
            let follower = scope.spawn(|| flights.share(&symbol, || 1));
            assert!(leader.join().is_err());
            follower.join().unwrap()
        });
        assert_eq!(waited, None);
    }
}
