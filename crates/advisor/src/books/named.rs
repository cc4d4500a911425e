//! Sales whose lots a file names: the lots leave that were named, or a person is asked (tax rule 2.2).

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_statements::{Action, StatedLot};
use lotwise_tax::{AccountId, Event, LotId, OpenLot};

use super::questions::Questions;
use super::rows::{Entry, RowKey};
use crate::suggestion::share_text;

/// The lots that rows made, by the id of the row: a file may name them for a later sale, also in another account that the
/// shares have moved to since.
#[derive(Debug, Default)]
pub(super) struct RowLots(BTreeMap<String, Vec<(AccountId, LotId)>>);

impl RowLots {
    /// A row of this account made this lot.
    pub(super) fn add(&mut self, row: &str, account: &AccountId, lot: LotId) {
        self.0.entry(row.to_owned()).or_default().push((account.clone(), lot));
    }

    /// Whether a row has made a lot.
    pub(super) fn has(&self, row: &str) -> bool {
        self.0.contains_key(row)
    }

    /// The lots of a row, those of this account first: ids repeat between accounts.
    fn of<'a>(&'a self, row: &str, account: &'a AccountId) -> impl Iterator<Item = &'a LotId> {
        let made = self.0.get(row).map_or(&[][..], Vec::as_slice);
        let own = made.iter().filter(move |(maker, _)| maker == account);
        own.chain(made.iter().filter(move |(maker, _)| maker != account)).map(|(_, lot)| lot)
    }

    /// The lots of a row, and those of a company spun off, which are named after the lot of their parent: `L1/NEW`.
    fn called(&self, name: &str, account: &AccountId) -> Vec<LotId> {
        let places = name.match_indices('/').map(|(place, _)| place);
        let children = places.rev().flat_map(|place| {
            let (parent, child) = name.split_at(place);
            self.of(parent, account).map(move |lot| LotId::new(&format!("{lot}{child}")))
        });
        self.of(name, account).cloned().chain(children).collect()
    }
}

/// Key of the question which lots a sale took.
pub(super) fn key(account: &AccountId, symbol: &Symbol, date: Date, shares: Shares) -> String {
    format!("lots:{symbol}@{account}:{date}:{shares}")
}

/// Reads `ID=SHARES, 2019-03-04=SHARES`: a lot by its name or by its acquisition date.
pub(super) fn answer(text: &str) -> Option<Vec<StatedLot>> {
    let one = |part: &str| {
        let (name, shares) = part.rsplit_once('=')?;
        let shares = Shares::parse(shares.trim()).ok().filter(|shares| shares.is_positive())?;
        let name = name.trim();
        let acquired = Date::parse(name).ok();
        let id = acquired.is_none().then(|| name.to_owned());
        Some(StatedLot { id, acquired, shares, ..StatedLot::default() })
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

/// Gives the sales of the histories the lots that reports of realised lots name for them. A report
/// has one row per lot; all its rows of one security and day belong to the sales of that day, in
/// their order.
///
/// A file of sales with their lots that was named as a history is such a report too, where other
/// files show the same sales; where none does, its rows are the sales.
pub(super) fn join_reports<'a>(
    entries: Vec<Entry<'a>>,
    reports: &[Entry<'a>],
    named: &mut BTreeMap<RowKey<'a>, Vec<StatedLot>>,
    questions: &mut Questions<'_>,
) -> Vec<Entry<'a>> {
    let reporting = report_files(&entries);
    let (also_reports, entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| reporting.contains(&entry.file));
    let mut sales: BTreeMap<(&str, Date), Vec<Entry<'a>>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.transaction.action == Action::Sell) {
        if let Some(security) = security(entry) {
            sales.entry((security, entry.transaction.trade_date)).or_default().push(*entry);
        }
    }
    let mut by_day: BTreeMap<(&str, Date), Vec<Entry<'a>>> = BTreeMap::new();
    for entry in reports.iter().chain(&also_reports) {
        if let Some(security) = security(entry) {
            by_day.entry((security, entry.transaction.trade_date)).or_default().push(*entry);
        }
    }
    let mut kept = entries;
    for (day, rows) in by_day {
        let empty = Vec::new();
        let of_day = sales.get(&day).unwrap_or(&empty);
        // Reports often name the account otherwise; where the names agree they count.
        let same: Vec<Entry<'a>> =
            of_day.iter().filter(|sale| sale.transaction.account == rows[0].transaction.account).copied().collect();
        let candidates = if same.is_empty() { of_day } else { &same };
        let sold: Shares = candidates.iter().filter_map(|sale| sale.transaction.shares).map(Shares::abs).sum();
        let stated: Vec<StatedLot> = rows.iter().flat_map(|row| row.transaction.lots.iter().cloned()).collect();
        let told: Shares = stated.iter().map(|lot| lot.shares).sum();
        if candidates.is_empty() && also_reports.iter().any(|row| rows[0].file == row.file) {
            kept.extend(rows);
            continue;
        }
        if candidates.is_empty() || told != sold {
            let (name, date) = day;
            let text = format!(
                "the realised lots name {} of {name} sold on {date}, the histories show {}; those lots are not used",
                share_text(told),
                share_text(sold)
            );
            let key = format!("realised:{name}:{date}");
            let symbol = rows[0].transaction.symbol.as_ref();
            questions.ask("realised-differs", &key, symbol, text, "the account's lot method", Some(rows[0].place()));
            continue;
        }
        hand_out(candidates, stated, named);
    }
    kept.sort_by_key(|entry| entry.transaction.trade_date);
    kept
}

/// Files all of whose rows are sales with lots, where another file has other rows.
fn report_files<'a>(entries: &[Entry<'a>]) -> Vec<&'a str> {
    let mut files: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in entries {
        let transaction = entry.transaction;
        let is_report = transaction.action == Action::Sell && !transaction.lots.is_empty();
        *files.entry(entry.file).or_insert(true) &= is_report;
    }
    if files.values().all(|is_report| *is_report) {
        return Vec::new();
    }
    files.into_iter().filter(|(_, is_report)| *is_report).map(|(file, _)| file).collect()
}

fn security<'a>(entry: &Entry<'a>) -> Option<&'a str> {
    let symbol = entry.transaction.symbol.as_ref().map(Symbol::as_str);
    symbol.or(entry.transaction.cusip.as_deref())
}

/// Fills the sales of a day from the lots in order; a lot that spans two sales is cut.
fn hand_out<'a>(sales: &[Entry<'a>], lots: Vec<StatedLot>, named: &mut BTreeMap<RowKey<'a>, Vec<StatedLot>>) {
    let mut lots = lots.into_iter();
    let mut next = lots.next();
    for sale in sales {
        let mut left = sale.transaction.shares.unwrap_or_default().abs();
        let mut own = Vec::new();
        while left.is_positive() {
            let Some(lot) = next.take() else { break };
            let (part, rest) = cut(lot, left);
            left -= part.shares;
            own.push(part);
            next = rest.or_else(|| lots.next());
        }
        named.insert((&sale.transaction.account, &sale.transaction.id), own);
    }
}

/// The first shares of a lot, and what is left of it.
fn cut(lot: StatedLot, shares: Shares) -> (StatedLot, Option<StatedLot>) {
    if lot.shares <= shares {
        return (lot, None);
    }
    let portion = |amount: Option<Money>| amount.and_then(|amount| amount.portion(shares, lot.shares));
    let less = |whole: Option<Money>, part: Option<Money>| whole.zip(part).map(|(whole, part)| whole - part);
    let part = StatedLot {
        shares,
        basis: portion(lot.basis),
        proceeds: portion(lot.proceeds),
        disallowed: portion(lot.disallowed),
        ..lot.clone()
    };
    let rest = StatedLot {
        shares: lot.shares - shares,
        basis: less(lot.basis, part.basis),
        proceeds: less(lot.proceeds, part.proceeds),
        disallowed: less(lot.disallowed, part.disallowed),
        ..lot
    };
    (part, Some(rest))
}

/// The lots of `open` that the stated ones mean. Lots that are not there are a question; until it is
/// answered the shares they should have supplied come from the oldest other lots. `None` where not
/// one is there.
pub(super) fn choose(
    open: &[OpenLot],
    stated: &[StatedLot],
    event: &Event,
    shares: Shares,
    lots_of_rows: &RowLots,
    questions: &mut Questions<'_>,
    place: String,
) -> Option<Vec<(LotId, Shares)>> {
    let found = find(open, stated, shares, &event.account, lots_of_rows);
    if found.missing.is_positive() {
        let text = format!(
            "of the {} of {} that left on {}, {} {} from lots that are named and that the books do not hold{}",
            share_text(shares),
            event.symbol,
            event.date,
            found.missing,
            if found.missing == Shares::from_whole(1) { "is" } else { "are" },
            if found.unknown.is_empty() { String::new() } else { format!(" ({})", found.unknown.join(", ")) },
        );
        let key = key(&event.account, &event.symbol, event.date, shares);
        let proposed = "the oldest of the other lots";
        questions.ask("lots-not-found", &key, Some(&event.symbol), text, proposed, Some(place));
    }
    if found.taken.is_empty() { None } else { Some(found.complete(open, shares)) }
}

/// What became of the named lots.
#[derive(Debug, Default)]
struct Found {
    taken: Vec<(LotId, Shares)>,
    missing: Shares,
    /// How the lots that are not there were named.
    unknown: Vec<String>,
}

impl Found {
    /// The named lots, and for shares that none supplies the oldest others.
    fn complete(mut self, open: &[OpenLot], wanted: Shares) -> Vec<(LotId, Shares)> {
        let mut left = wanted - self.taken.iter().map(|(_, shares)| *shares).sum();
        for (lot, held) in held(open) {
            if !left.is_positive() {
                break;
            }
            let free = held.shares - taken_of(&self.taken, &lot);
            let part = free.min(left);
            if part.is_positive() {
                left -= part;
                add(&mut self.taken, &lot, part);
            }
        }
        self.taken
    }
}

fn taken_of(taken: &[(LotId, Shares)], lot: &LotId) -> Shares {
    taken.iter().filter(|(id, _)| id == lot).map(|(_, shares)| *shares).sum()
}

fn add(taken: &mut Vec<(LotId, Shares)>, lot: &LotId, shares: Shares) {
    match taken.iter_mut().find(|(id, _)| id == lot) {
        Some(entry) => entry.1 += shares,
        None => taken.push((lot.clone(), shares)),
    }
}

/// A lot of the book, its segments taken together.
#[derive(Debug)]
struct Held {
    shares: Shares,
    acquired: Option<Date>,
    /// Dates that a wash sale gave its segments.
    holding_from: Vec<Option<Date>>,
    basis: Option<Money>,
}

/// Lots in the order of the book, each once.
fn held(open: &[OpenLot]) -> Vec<(LotId, Held)> {
    let mut lots: Vec<(LotId, Held)> = Vec::new();
    let mut places: BTreeMap<&LotId, usize> = BTreeMap::new();
    for segment in open {
        match places.get(&segment.lot) {
            Some(&place) => {
                let lot = &mut lots[place].1;
                lot.shares += segment.shares;
                lot.basis = lot.basis.zip(segment.basis).map(|(a, b)| a + b);
                lot.holding_from.push(segment.holding_from);
            }
            None => {
                places.insert(&segment.lot, lots.len());
                let (shares, acquired, basis) = (segment.shares, segment.acquired, segment.basis);
                let holding_from = vec![segment.holding_from];
                lots.push((segment.lot.clone(), Held { shares, acquired, holding_from, basis }));
            }
        }
    }
    lots
}

fn find(open: &[OpenLot], stated: &[StatedLot], wanted: Shares, account: &AccountId, lots_of_rows: &RowLots) -> Found {
    let lots = held(open);
    let mut found = Found::default();
    let mut room = wanted;
    for one in stated {
        let mut left = one.shares.min(room);
        room -= left;
        for position in candidates(&lots, one, account, lots_of_rows) {
            let (id, lot) = &lots[position];
            let part = (lot.shares - taken_of(&found.taken, id)).min(left);
            if part.is_positive() {
                left -= part;
                add(&mut found.taken, id, part);
            }
        }
        if left.is_positive() {
            found.missing += left;
            let date = one.acquired.map(|date| format!("acquired {date}"));
            found.unknown.extend(one.id.clone().or(date));
        }
    }
    found.missing += room;
    found
}

/// The lots that a stated lot may mean, the likeliest first.
fn candidates(lots: &[(LotId, Held)], stated: &StatedLot, account: &AccountId, lots_of_rows: &RowLots) -> Vec<usize> {
    if let Some(name) = &stated.id {
        let called = lots_of_rows.called(name, account).into_iter();
        let mut called = called.chain([LotId::new(name)]);
        if let Some(position) = called.find_map(|lot| lots.iter().position(|(id, _)| *id == lot)) {
            return vec![position];
        }
    }
    let Some(date) = stated.acquired else { return Vec::new() };
    let by = |wanted: &dyn Fn(&Held) -> bool| -> Vec<usize> {
        lots.iter().enumerate().filter(|(_, (_, lot))| wanted(lot)).map(|(position, _)| position).collect()
    };
    let mut found = by(&|lot| lot.acquired == Some(date));
    if found.is_empty() {
        // Some brokers print the date that a wash sale gave the shares.
        found = by(&|lot| lot.holding_from.contains(&Some(date)));
    }
    let per_share = |basis: Option<Money>, shares: Shares| basis.and_then(|basis| basis.per_share(shares));
    if let Some(wanted) = per_share(stated.basis, stated.shares) {
        found.sort_by_key(|&position| {
            let lot = &lots[position].1;
            per_share(lot.basis, lot.shares).map_or(i128::MAX, |price| (price - wanted).billionths().abs())
        });
    }
    found
}
