//! The axes of the panel: which symbols and sessions the price tables speak of.

use std::collections::BTreeMap;

use lotwise_core::{Calendar, Date, Symbol};

use super::rows::{NO_NAME, PriceRows};
use super::{IssueKind, LoadOptions};
use crate::table::NO_DAY;

/// Stands for «no position on the axis».
const NOWHERE: u32 = u32::MAX;

/// What a row is about, before its numbers are known.
pub(super) enum Place {
    /// A symbol (position among the panel's) and a day that are asked for.
    At(usize, i32),
    /// Outside of what was asked for.
    Unselected,
    /// The row cannot be placed.
    Bad(IssueKind),
}

/// The two axes of the panel, and how to find a place on them.
pub(super) struct Axes {
    pub(super) symbols: Vec<Symbol>,
    pub(super) sessions: Vec<Date>,
    /// For each file and each of its ticker spellings: position on the axis.
    pub(super) assets: Vec<Vec<Result<Option<u32>, ()>>>,
    /// For each day from [`Date::MIN`]: whether the exchange was open.
    open: Vec<bool>,
    /// For each day from [`Date::MIN`]: position on the axis.
    session_of_day: Vec<u32>,
    from: i32,
    to: i32,
}

impl Axes {
    pub(super) fn find(tables: &[PriceRows], options: &LoadOptions, calendar: &Calendar) -> Self {
        let n_days = day_slot(Date::MAX.days()).unwrap_or(0) + 1;
        let mut axes = Self {
            symbols: Vec::new(),
            sessions: Vec::new(),
            assets: Vec::new(),
            open: vec![false; n_days],
            session_of_day: vec![NOWHERE; n_days],
            from: options.from.unwrap_or(Date::MIN).days(),
            to: options.to.unwrap_or(Date::MAX).days(),
        };
        for session in calendar.sessions() {
            if let Some(slot) = day_slot(session.days()) {
                axes.open[slot] = true;
            }
        }
        // Positions are provisional (order of appearance) until every symbol that has a bar is known.
        let mut provisional: BTreeMap<Symbol, u32> = BTreeMap::new();
        for table in tables {
            let spellings = table.names.iter().map(|name| match Symbol::parse(name) {
                Err(_) => Err(()),
                Ok(symbol) if options.symbols.as_ref().is_some_and(|wanted| !wanted.contains(&symbol)) => Ok(None),
                Ok(symbol) => {
                    let next = provisional.len() as u32;
                    Ok(Some(*provisional.entry(symbol).or_insert(next)))
                }
            });
            axes.assets.push(spellings.collect());
        }
        let mut has_bar = vec![false; provisional.len()];
        let mut day_seen = vec![false; n_days];
        for (table, file) in tables.iter().zip(0..) {
            axes.each_place(table, file, &mut |_, place| {
                if let Place::At(asset, day) = place {
                    has_bar[asset] = true;
                    day_seen[day_slot(day).unwrap_or(0)] = true;
                }
            });
        }
        let mut position = vec![None; provisional.len()];
        for (symbol, at) in provisional {
            if has_bar[at as usize] {
                position[at as usize] = Some(axes.symbols.len() as u32);
                axes.symbols.push(symbol);
            }
        }
        for spelling in axes.assets.iter_mut().flatten() {
            // A symbol without any bar still has its bad rows reported.
            *spelling = spelling.map(|at| at.map(|at| position[at as usize].unwrap_or(NOWHERE)));
        }
        for (slot, _) in day_seen.iter().enumerate().filter(|(_, seen)| **seen) {
            axes.session_of_day[slot] = axes.sessions.len() as u32;
            axes.sessions.extend(Date::from_days(Date::MIN.days() + slot as i32));
        }
        axes
    }

    /// Says for each row of a table what it is about.
    pub(super) fn each_place(&self, table: &PriceRows, file: usize, visit: &mut dyn FnMut(usize, Place)) {
        let mut row = 0;
        for &(name, count) in &table.runs {
            let asset = if name == NO_NAME { Err(()) } else { self.assets[file][name as usize] };
            for &day in &table.days[row..row + count as usize] {
                let place = match asset {
                    Err(()) => Place::Bad(IssueKind::BadSymbol),
                    Ok(None) => Place::Unselected,
                    Ok(Some(_)) if day == NO_DAY => Place::Bad(IssueKind::BadDate),
                    Ok(Some(_)) if day < self.from || day > self.to => Place::Unselected,
                    Ok(Some(asset)) => match day_slot(day) {
                        Some(slot) if self.open[slot] => Place::At(asset as usize, day),
                        Some(_) => Place::Bad(IssueKind::NotASession),
                        None => Place::Bad(IssueKind::BadDate),
                    },
                };
                visit(row, place);
                row += 1;
            }
        }
    }

    pub(super) fn cell(&self, asset: usize, day: i32) -> u32 {
        let session = day_slot(day).map_or(0, |slot| self.session_of_day[slot]);
        asset as u32 * self.sessions.len() as u32 + session
    }
}

fn day_slot(day: i32) -> Option<usize> {
    (Date::MIN.days()..=Date::MAX.days()).contains(&day).then(|| (day - Date::MIN.days()) as usize)
}
