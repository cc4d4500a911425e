//! Facts with the date from which they may be used.

use std::collections::BTreeMap;

use lotwise_core::{Date, Symbol};

/// A fact and the first session at whose close it was public (SPEC D-03).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dated<T> {
    /// From the close of this session on.
    pub available_at: Date,
    /// The fact.
    pub value: T,
}

/// Facts about many symbols, each symbol's in the order in which they became public.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline<T> {
    facts: BTreeMap<Symbol, Vec<Dated<T>>>,
    /// Every date on which anything became public, rising.
    dates: Vec<Date>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { facts: BTreeMap::new(), dates: Vec::new() }
    }
}

impl<T> Timeline<T> {
    /// Sorts facts; of two that became public together, the later in `rows` counts as the newer.
    #[must_use]
    pub fn from_rows(rows: impl IntoIterator<Item = (Symbol, Dated<T>)>) -> Self {
        let mut facts: BTreeMap<Symbol, Vec<Dated<T>>> = BTreeMap::new();
        let mut dates = Vec::new();
        for (symbol, fact) in rows {
            dates.push(fact.available_at);
            facts.entry(symbol).or_default().push(fact);
        }
        for rows in facts.values_mut() {
            rows.sort_by_key(|fact| fact.available_at);
        }
        dates.sort_unstable();
        dates.dedup();
        Self { facts, dates }
    }

    /// What was public about `symbol` at the close of `date`, oldest first.
    #[must_use]
    pub fn known(&self, symbol: &Symbol, date: Date) -> &[Dated<T>] {
        let facts = self.facts.get(symbol).map_or(&[] as &[_], Vec::as_slice);
        &facts[..facts.partition_point(|fact| fact.available_at <= date)]
    }

    /// The last date at or before `date` on which anything about any symbol became public.
    #[must_use]
    pub fn alive_until(&self, date: Date) -> Option<Date> {
        self.dates[..self.dates.partition_point(|&at| at <= date)].last().copied()
    }

    /// Number of facts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// All facts, by symbol and then date.
    pub fn iter(&self) -> impl Iterator<Item = (&Symbol, &Dated<T>)> {
        self.facts.iter().flat_map(|(symbol, facts)| facts.iter().map(move |fact| (symbol, fact)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_unknown_until_it_is_public() {
        let day = |text| Date::parse(text).unwrap();
        let symbol = Symbol::parse("AAA").unwrap();
        let row = |text, value| (symbol.clone(), Dated { available_at: day(text), value });
        let timeline = Timeline::from_rows([row("2020-05-04", 2), row("2020-02-03", 1), row("2020-05-04", 3)]);
        let known = |text| timeline.known(&symbol, day(text)).iter().map(|fact| fact.value).collect::<Vec<_>>();
        assert_eq!(known("2020-02-02"), [0; 0]);
        assert_eq!(known("2020-02-03"), [1]);
        assert_eq!(known("2020-05-04"), [1, 2, 3]);
        assert_eq!(timeline.alive_until(day("2020-05-03")), Some(day("2020-02-03")));
        assert_eq!((timeline.len(), timeline.iter().count()), (3, 3));
        assert!(timeline.known(&Symbol::parse("BBB").unwrap(), day("2024-01-01")).is_empty());
    }
}
