//! Splits from the files or, where these have none, from the market: each once.

use std::collections::BTreeMap;

use lotwise_core::{Date, Shares, Symbol};
use lotwise_market::CorporateActions;
use lotwise_statements::Action;
use lotwise_statements::corporate::CorporateKind;
use lotwise_tax::AccountId;

use super::joined::Joints;
use super::questions::Questions;
use super::ratio::Ratio;
use super::rows::Entry;

/// Days around a split in which the broker's rows and the market's entry mean the same event.
const SAME_EVENT_DAYS: i32 = 20;

/// Who says that there was a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitSource {
    /// A row of the person's own files.
    Statement,
    /// The market's table of corporate actions.
    Market,
}

/// A split of a symbol that the household holds or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSplit {
    /// First day on the new basis: the ex-date, or the broker's booking date.
    pub date: Date,
    /// New per old shares.
    pub ratio: Ratio,
    /// Who says so.
    pub source: SplitSource,
    /// Change of the holding per account, as the broker booked it.
    pub booked: BTreeMap<AccountId, Shares>,
}

/// All splits per symbol, rising by date.
#[derive(Debug, Default)]
pub(super) struct SplitTable {
    known: BTreeMap<Symbol, Vec<KnownSplit>>,
}

/// What the files say about one split before the market is asked.
struct Booked {
    date: Date,
    ratio: Option<Ratio>,
    booked: BTreeMap<AccountId, Shares>,
    place: String,
}

impl SplitTable {
    /// Reads the split rows of all files and fills in the market's splits that no file shows.
    pub(super) fn gather(
        entries: &[Entry<'_>],
        joints: &Joints<'_>,
        actions: &CorporateActions,
        questions: &mut Questions<'_>,
    ) -> Self {
        let mut booked = booked_splits(entries, joints);
        let mut table = Self::default();
        let symbols: std::collections::BTreeSet<&Symbol> =
            entries.iter().filter_map(|entry| entry.transaction.symbol.as_ref()).collect();
        for symbol in symbols {
            let mut from_files = booked.remove(symbol).unwrap_or_default();
            let mut known = Vec::new();
            for split in actions.splits(symbol) {
                let Some(ratio) = Ratio::new(split.new.billionths(), split.old.billionths()) else { continue };
                let same = from_files.iter().position(|file| near(file.date, split.ex_date));
                match same.map(|at| from_files.remove(at)) {
                    Some(file) => {
                        let key = format!("split:{symbol}:{}", file.date);
                        let differs = file.ratio.is_some_and(|stated| !agree(stated, ratio));
                        let answered = if differs { questions.answer(&key).map(Ratio::parse) } else { None };
                        if answered == Some(None) {
                            questions.misunderstood(&key, "a ratio such as 3-for-2");
                        }
                        let answered = answered.flatten();
                        if differs && answered.is_none() {
                            let text = format!(
                                "your file books a {} split of {symbol} on {}, the corporate actions say {ratio}",
                                file.ratio.map(|stated| stated.to_string()).unwrap_or_default(),
                                file.date
                            );
                            let place = Some(file.place);
                            questions.ask("split-differs", &key, Some(symbol), text, &ratio.to_string(), place);
                        }
                        let ratio = answered.unwrap_or(ratio);
                        known.push(KnownSplit {
                            date: file.date,
                            ratio,
                            source: SplitSource::Statement,
                            booked: file.booked,
                        });
                    }
                    None => known.push(KnownSplit {
                        date: split.ex_date,
                        ratio,
                        source: SplitSource::Market,
                        booked: BTreeMap::new(),
                    }),
                }
            }
            for file in from_files {
                let Some(ratio) = file.ratio else { continue };
                known.push(KnownSplit { date: file.date, ratio, source: SplitSource::Statement, booked: file.booked });
            }
            known.sort_by_key(|split| split.date);
            if !known.is_empty() {
                table.known.insert(symbol.clone(), known);
            }
        }
        table
    }

    /// Whether a split row of that day is one of the table's splits.
    pub(super) fn covers(&self, symbol: &Symbol, date: Date) -> bool {
        self.known.get(symbol).is_some_and(|splits| splits.iter().any(|split| near(split.date, date)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Symbol, &[KnownSplit])> {
        self.known.iter().map(|(symbol, splits)| (symbol, splits.as_slice()))
    }

    pub(super) fn into_known(self) -> BTreeMap<Symbol, Vec<KnownSplit>> {
        self.known
    }
}

fn near(a: Date, b: Date) -> bool {
    a.days_since(b).abs() <= SAME_EVENT_DAYS
}

/// A booked 10-for-7 and a declared 3-for-2 agree: the fraction was paid in cash.
fn agree(stated: Ratio, declared: Ratio) -> bool {
    (stated.to_f64() / declared.to_f64() - 1.0).abs() < 0.1
}

/// Days in which cash for a fraction follows a split or exchange.
const CASH_FOLLOWS_DAYS: i32 = 60;

/// Whether a row pays for a fraction of one of these that an event of this day left.
pub(super) fn pays_for_fraction(entry: &Entry<'_>, account: &AccountId, symbols: &[&Symbol], date: Date) -> bool {
    let transaction = entry.transaction;
    transaction.action == Action::Dividend
        && transaction.detail.as_deref() == Some("cash_in_lieu")
        && transaction.account == account.as_str()
        && transaction.symbol.as_ref().is_some_and(|symbol| symbols.contains(&symbol))
        && (0..=CASH_FOLLOWS_DAYS).contains(&transaction.trade_date.days_since(date))
}

fn booked_splits(entries: &[Entry<'_>], joints: &Joints<'_>) -> BTreeMap<Symbol, Vec<Booked>> {
    let pays: Vec<&Entry<'_>> =
        entries.iter().filter(|entry| entry.transaction.detail.as_deref() == Some("cash_in_lieu")).collect();
    // Where no cash follows, the change of the holding is the ratio, however odd.
    let explain = |account: &AccountId, symbol: &Symbol, date: Date, before: Shares, after: Shares| {
        let fraction = pays.iter().any(|entry| pays_for_fraction(entry, account, &[symbol], date));
        match fraction {
            true => Ratio::explaining(before, after),
            false => Ratio::new(after.billionths(), before.billionths()),
        }
    };
    let mut held: BTreeMap<(AccountId, Symbol), Shares> = BTreeMap::new();
    let mut booked: BTreeMap<Symbol, Vec<Booked>> = BTreeMap::new();
    let mut events = joints.corporate_events().peekable();
    for (at, entry) in entries.iter().enumerate() {
        while let Some((_, event)) = events.next_if(|(place, _)| *place == at) {
            let account = AccountId::new(&event.account);
            if let (CorporateKind::Split, Some(from), Some(to)) = (event.kind, &event.from, &event.to) {
                let ratio = explain(&account, &to.symbol, event.date, from.shares, to.shares);
                let change = to.shares - from.shares;
                note(&mut booked, &to.symbol, event.date, ratio, (account.clone(), change), entry.place());
            }
            for (leg, sign) in [(&event.from, -1), (&event.to, 1)] {
                if let Some(leg) = leg {
                    let own = held.entry((account.clone(), leg.symbol.clone())).or_default();
                    let change = if sign < 0 { -leg.shares } else { leg.shares };
                    *own = (*own + change).max(Shares::ZERO);
                }
            }
        }
        let transaction = entry.transaction;
        let (Some(symbol), Some(shares)) = (&transaction.symbol, transaction.shares) else { continue };
        let of_corporate_action =
            joints.rows.contains(&at) && matches!(transaction.action, Action::Merger | Action::Spinoff | Action::Split);
        if of_corporate_action {
            continue;
        }
        let account = entry.account();
        let before = held.entry((account.clone(), symbol.clone())).or_default();
        let after = *before + shares;
        if transaction.action == Action::Split {
            let stated = transaction.split_ratio.and_then(|(new, old)| Ratio::new(new.billionths(), old.billionths()));
            let ratio = stated.or_else(|| match before.is_positive() {
                true => explain(&account, symbol, transaction.trade_date, *before, after),
                false => None,
            });
            note(&mut booked, symbol, transaction.trade_date, ratio, (account, shares), entry.place());
        }
        *before = after.max(Shares::ZERO);
    }
    booked
}

/// Adds an account's part to the split of that day.
fn note(
    booked: &mut BTreeMap<Symbol, Vec<Booked>>,
    symbol: &Symbol,
    date: Date,
    ratio: Option<Ratio>,
    (account, change): (AccountId, Shares),
    place: String,
) {
    let splits = booked.entry(symbol.clone()).or_default();
    match splits.iter_mut().find(|split| near(split.date, date)) {
        Some(split) => {
            split.ratio = split.ratio.or(ratio);
            split.booked.insert(account, change);
        }
        None => splits.push(Booked { date, ratio, booked: BTreeMap::from([(account, change)]), place }),
    }
}
