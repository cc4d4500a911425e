//! The engine against the reference booking, on random ledgers of everything that it books.
//!
//! `LOTWISE_LEDGERS=1000000 cargo test -p lotwise-tax --release differential` looks at more of them.

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Rate, Shares, Symbol};
use lotwise_tax::{
    Account, AccountId, AccountKind, AssetClass, BasisSource, Book, Booking, Boot, Delivery, Error, Event, EventKind,
    ExchangeKind, Ledger, LotId, LotSelection, LotsLeave, Method, RowKind, Rules, SaleId, Scope, Tacking, Way,
};

use crate::reference::{BILLIONTH, Fine, Reference, money, shares};

/// Ledgers compared where nobody asks for more.
const LEDGERS: usize = 10_000;
/// Steps of a ledger; some propose nothing that can be done.
const STEPS: usize = 45;
/// The engine rounds to the billionth at each division, the reference never that early.
const CLOSE: Fine = 200 * BILLIONTH;
/// Long enough after the last event, so that no option lapses of itself.
const CALL: &str = "AAA301220C00010000";
const PUT: &str = "AAA301220P00010000";

/// Place of the account that averages; it holds one fund.
const AVERAGING: usize = 3;

/// Random numbers that need no crate and never change.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).expect("a good symbol")
}

fn accounts() -> Vec<Account> {
    [
        ("T", AccountKind::Taxable, Method::Fifo),
        ("U", AccountKind::Taxable, Method::Lifo),
        ("V", AccountKind::Taxable, Method::Lofo),
        ("A", AccountKind::Taxable, Method::Average),
        ("P", AccountKind::SpouseTaxable, Method::Hifo),
        ("I", AccountKind::Ira, Method::Fifo),
        ("J", AccountKind::Ira, Method::Hifo),
        ("R", AccountKind::Roth, Method::Fifo),
        ("Q", AccountKind::SpouseIra, Method::Lifo),
    ]
    .map(|(id, kind, method)| Account { id: AccountId::new(id), kind, method })
    .to_vec()
}

fn rules(draw: &mut Draw) -> Rules {
    // An order that averages is not also looked at lot by lot: nothing says what that would be.
    let average = AccountId::new("A");
    Rules {
        lots_leave: draw.of(&[LotsLeave::Together, LotsLeave::Together, LotsLeave::OneByOne]),
        older_lots_can_replace: draw.below(3) > 0,
        tacking: draw.of(&[Tacking::Add, Tacking::Union]),
        identity_groups: if draw.below(2) == 0 { vec![vec![symbol("AAA"), symbol("BBB")]] } else { Vec::new() },
        classes: BTreeMap::from([(symbol("BTC"), AssetClass::DigitalAsset)]),
        digital_asset_wash_sales_from: draw.of(&[None, None, Date::from_ymd(2024, 1, 1)]),
        average_eligible: [(average, symbol("FND"))].into(),
        ..Rules::default()
    }
}

/// Makes a ledger step by step. The engine's own book says what is held, so that steps fit; what it
/// refuses by name is left out.
pub struct Maker {
    draw: Draw,
    book: Book,
    accounts: Vec<Account>,
    rules: Rules,
    events: Vec<Event>,
    date: Date,
    symbols: Vec<Symbol>,
    /// Places of the accounts that are used, some of them more than once.
    pool: Vec<usize>,
    owed: BTreeMap<(AccountId, Symbol), Shares>,
    number: usize,
    ratios: usize,
}

impl Maker {
    /// The ledger of a seed, and the rules to book it by.
    pub fn ledger(seed: u64) -> (Ledger, Rules) {
        let mut draw = Draw(seed);
        let (accounts, rules) = (accounts(), rules(&mut draw));
        let book = Book::new(&accounts, &rules).expect("the accounts are distinct");
        // Few accounts and securities in one ledger, so that they meet.
        let pool = (0..4).map(|_| draw.below(accounts.len())).chain([0]).collect();
        let third = draw.of(&["CCC", "BTC", "FND"]);
        let symbols = ["AAA", "BBB", third].map(symbol).to_vec();
        let date = Date::from_ymd(2023, 6, 1).expect("a date");
        let mut maker = Self {
            draw,
            book,
            accounts,
            rules,
            events: Vec::new(),
            date,
            symbols,
            pool,
            owed: BTreeMap::new(),
            number: 0,
            ratios: 0,
        };
        for _ in 0..STEPS {
            maker.step();
        }
        (Ledger { accounts: maker.accounts, events: maker.events }, maker.rules)
    }

    fn step(&mut self) {
        self.number += 1;
        // Short gaps, so that windows overlap, and now and then a long one, so that terms turn.
        let gap = if self.draw.below(14) == 0 { 90 + self.draw.below(200) } else { self.draw.below(13) };
        self.date = self.date.plus_days(gap as i32);
        let what = self.draw.below(42);
        let (at, name) = if (13..=30).contains(&what) {
            let Some(position) = self.position() else { return };
            position
        } else {
            let at = self.draw.of(&self.pool);
            let of = self.draw.below(self.symbols.len().min(if what < 13 { 3 } else { 9 }));
            (at, if at == AVERAGING { symbol("FND") } else { self.symbols[of].clone() })
        };
        let account = self.accounts[at].id.clone();
        let Some((name, kind)) = self.kind(what, at, &account, name) else { return };
        // A split that two accounts report on one day is one split; here each one is meant.
        let account = if matches!(kind, EventKind::Split { .. }) { self.accounts[0].id.clone() } else { account };
        let event = Event { date: self.date, account, symbol: name, kind };
        match self.book.apply(&event) {
            Ok(_) => {
                self.count_owed(&event);
                self.events.push(event);
            }
            Err(
                Error::Unsupported { .. } | Error::TransferAcrossKinds { .. } | Error::NotEligibleForAverage { .. },
            ) => {}
            Err(error) => panic!("{error}: {event:?} after {:#?}", self.events),
        }
    }

    fn amount(&mut self, shares: Shares) -> Money {
        let cents = 700 + self.draw.below(600) as i128;
        // An odd amount, so that no two lots have the same price by chance.
        Money::from_billionths(shares.billionths() * cents / 100 + self.draw.below(97) as i128 * 10_000_000)
    }

    fn fee(&mut self) -> Money {
        Money::from_billionths(self.draw.below(3) as i128 * 350_000_000)
    }

    /// An account of the pool and something that it holds.
    fn position(&mut self) -> Option<(usize, Symbol)> {
        let held = |lot: &lotwise_tax::OpenLot| {
            let at = self.accounts.iter().position(|account| account.id == lot.account).expect("it is listed");
            (![CALL, PUT].contains(&lot.symbol.as_str())).then(|| (at, lot.symbol.clone()))
        };
        let positions: Vec<(usize, Symbol)> = self.book.open_lots().iter().filter_map(held).collect();
        (!positions.is_empty()).then(|| self.draw.of(&positions))
    }

    fn kind(&mut self, what: usize, at: usize, account: &AccountId, name: Symbol) -> Option<(Symbol, EventKind)> {
        let number = self.number;
        let lot = LotId::new(&format!("L{number}"));
        let sale = SaleId::new(&format!("S{number}"));
        // Sizes and ratios are products of 2 and 5, so that splits stay exact.
        let size = Shares::from_whole(self.draw.of(&[1, 2, 4, 5, 10, 20]));
        let (held, amount, fee) = (self.book.held(account, &name), self.amount(size), self.fee());
        let some = size.min(held);
        let taxable = self.accounts[at].kind.is_taxable();
        let kind = match what {
            0..=12 => EventKind::Buy { lot, shares: size, amount, fee },
            13..=23 if held.is_positive() => {
                let (shares, lots) = self.selection(account, &name, some);
                EventKind::Sell { sale, shares, amount: self.amount(shares), fee, lots, identified: None }
            }
            31 if self.ratios < 4 => {
                self.ratios += 1;
                let (new, old) = self.draw.of(&[(2, 1), (1, 2), (5, 2), (2, 5)]);
                EventKind::Split { new: Shares::from_whole(new), old: Shares::from_whole(old) }
            }
            32 => EventKind::Open {
                lot,
                shares: size,
                basis: Some(amount),
                acquired: Some(self.date.plus_days(-(self.draw.below(600) as i32))),
                source: BasisSource::Stated,
            },
            33 => EventKind::Gift {
                lot,
                shares: size,
                donor_basis: Some(amount),
                donor_acquired: Some(self.date.plus_days(-(self.draw.below(600) as i32))),
                value: self.amount(size),
            },
            34 => {
                let died = self.date.plus_days(-(self.draw.below(60) as i32));
                EventKind::Inherit { lot, shares: size, value: Some(amount), died: Some(died) }
            }
            24 if held.is_positive() => {
                let amount = Money::from_billionths(self.amount(held).billionths() / self.draw.of(&[2, 20]));
                EventKind::ReturnOfCapital { sale, amount }
            }
            25 if held.is_positive() => EventKind::Remove { shares: some },
            26 | 27 if held.is_positive() => {
                let to = match self.accounts[at].kind {
                    AccountKind::Ira => self.draw.of(&["I", "J"]),
                    _ if taxable => self.draw.of(&["T", "U", "P"]),
                    // Out of any other account it would be a distribution or a conversion.
                    _ => return None,
                };
                if to == account.as_str() {
                    return None;
                }
                let (shares, lots) = self.selection(account, &name, some);
                EventKind::Transfer { to: AccountId::new(to), shares, lots }
            }
            28 if self.ratios < 4 && held.is_positive() && name.as_str() != "FND" => {
                self.ratios += 1;
                let to = symbol(&format!("SPN{number}"));
                self.symbols.push(to.clone());
                let (new, old) = self.draw.of(&[(1, 1), (1, 2), (1, 5)]);
                let to_new = Rate::from_billionths(self.draw.of(&[100_000_000, 250_000_000, 333_333_333]));
                let scope = self.draw.of(&[Scope::Account, Scope::Household]);
                EventKind::SpinOff { to, new: Shares::from_whole(new), old: Shares::from_whole(old), to_new, scope }
            }
            29 | 30 if self.ratios < 4 && held.is_positive() && name.as_str() != "FND" => {
                self.ratios += 1;
                let (new, old) = self.draw.of(&[(1, 1), (2, 1), (1, 2)]);
                let (new, old) = (Shares::from_whole(new), Shares::from_whole(old));
                let renamed = self.draw.below(2) == 0;
                let boot = !renamed && self.draw.below(2) == 0;
                let to = symbol(&format!("{}{number}", if renamed { "NEW" } else { "MRG" }));
                let cash = boot.then(|| Boot { sale, cash: self.amount(some), value: self.amount(held) });
                let kind = if renamed { ExchangeKind::Rename } else { ExchangeKind::Reorganisation };
                let scope = if boot { Scope::Account } else { Scope::Household };
                match self.symbols.iter_mut().find(|known| **known == name) {
                    Some(known) if scope == Scope::Household => *known = to.clone(),
                    _ => self.symbols.push(to.clone()),
                }
                EventKind::Exchange { to, new, old, kind, cash, scope }
            }
            35 | 36 if taxable && at != AVERAGING => return self.short(account, lot, sale),
            37..=41 if taxable && at != AVERAGING => return self.option(account, lot, sale),
            _ => return None,
        };
        Some((name, kind))
    }

    /// A standing order, another method, or named lots.
    fn selection(&mut self, account: &AccountId, name: &Symbol, some: Shares) -> (Shares, LotSelection) {
        let lots = self.book.open_lots_of(account, name);
        if account.as_str() == "A" || self.draw.below(2) == 0 {
            return (some, LotSelection::Standing);
        }
        if self.draw.below(2) == 0 {
            let method = self.draw.of(&[Method::Fifo, Method::Lifo, Method::Hifo, Method::Lofo]);
            return (some, LotSelection::By(method));
        }
        let lot = self.draw.of(&lots).lot;
        if lot.as_str().contains('/') {
            return (some, LotSelection::Standing);
        }
        let of_lot: Shares = lots.iter().filter(|other| other.lot == lot).map(|other| other.shares).sum();
        let shares = some.min(of_lot);
        (shares, LotSelection::Lots(vec![(lot, shares)]))
    }

    /// A short sale, or the purchase that closes one. Short and long never meet in these ledgers:
    /// what then happens to terms is tested by hand.
    fn short(&mut self, account: &AccountId, lot: LotId, sale: SaleId) -> Option<(Symbol, EventKind)> {
        let name = symbol(&format!("SHT{}", account.as_str()));
        let open = self.owed(account, &name);
        let (amount, fee) = (self.amount(Shares::from_whole(10)), self.fee());
        if open.is_zero() {
            let shares = Shares::from_whole(self.draw.of(&[5, 10]));
            return Some((name, EventKind::ShortSell { lot, shares, amount, fee }));
        }
        let shares = open.min(Shares::from_whole(self.draw.of(&[2, 5, 10])));
        let settled = Some(self.date.plus_days(2));
        Some((name, EventKind::Cover { sale, shares, amount, fee, lots: LotSelection::Standing, settled }))
    }

    fn owed(&self, account: &AccountId, name: &Symbol) -> Shares {
        self.owed.get(&(account.clone(), name.clone())).copied().unwrap_or_default()
    }

    /// Keeps count of what is owed, which only these events change: what is short is never split.
    fn count_owed(&mut self, event: &Event) {
        let change = match &event.kind {
            EventKind::ShortSell { shares, .. } => *shares,
            EventKind::Cover { shares, .. } => -*shares,
            EventKind::Assign(delivery) => -delivery.contracts,
            EventKind::Expire { contracts, .. } => -*contracts,
            _ => return,
        };
        let owed = self.owed.entry((event.account.clone(), event.symbol.clone())).or_default();
        // What is held lapses, and what is owed; never both at once.
        *owed = (*owed + change).max(Shares::ZERO);
    }

    fn option(&mut self, account: &AccountId, lot: LotId, sale: SaleId) -> Option<(Symbol, EventKind)> {
        let call = self.draw.below(2) == 0;
        let (name, underlying) = (symbol(if call { CALL } else { PUT }), symbol("AAA"));
        let (held, owed) = (self.book.held(account, &name), self.owed(account, &name));
        let contracts = Shares::from_whole(self.draw.of(&[1, 2]));
        let amount = Money::from_billionths(self.amount(contracts).billionths() / 10);
        let fee = self.fee();
        let position = held.max(owed);
        if position.is_zero() {
            let kind = match self.draw.below(2) {
                0 => EventKind::Buy { lot, shares: contracts, amount, fee },
                _ => EventKind::ShortSell { lot, shares: contracts, amount, fee },
            };
            return Some((name, kind));
        }
        let contracts = contracts.min(position);
        let sale = match self.draw.below(4) {
            0 => return Some((name, EventKind::Expire { sale, contracts })),
            1 if held.is_positive() => {
                let lots = LotSelection::Standing;
                return Some((name, EventKind::Sell { sale, shares: contracts, amount, fee, lots, identified: None }));
            }
            1 => {
                let (lots, settled) = (LotSelection::Standing, Some(self.date.plus_days(1)));
                return Some((name, EventKind::Cover { sale, shares: contracts, amount, fee, lots, settled }));
            }
            _ => sale,
        };
        let shares = Shares::from_billionths(contracts.billionths() * 5);
        let amount = Money::from_whole(10) * Rate::from_billionths(shares.billionths());
        // A call exercised or a put assigned brings shares, the others take them.
        let way = if call == held.is_positive() {
            Way::In { lot }
        } else if self.book.held(account, &underlying) >= shares {
            Way::Out { sale, lots: LotSelection::Standing }
        } else {
            return None;
        };
        let delivery = Delivery { contracts, underlying, shares, amount, fee, way };
        Some((name, if held.is_positive() { EventKind::Exercise(delivery) } else { EventKind::Assign(delivery) }))
    }
}

/// Everything that the two have to agree on, by name. A part of a lot that went to another account and
/// came back may lie beside the rest or join it, so parts of one lot with the same dates are added up.
type Lines = BTreeMap<String, Vec<Fine>>;

/// Lots of a spin-off are named after the old lot; where that lies in two accounts, both names are its.
fn root(lot: &str) -> String {
    lot.split_once('/').map_or_else(|| lot.to_owned(), |(old, _)| format!("{old}/"))
}

fn add(lines: &mut Lines, name: String, amounts: &[Fine]) {
    let sums = lines.entry(name).or_insert_with(|| vec![0; amounts.len()]);
    sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
}

fn of_engine(booking: &Booking) -> Lines {
    let fine = |amount: Option<Money>| money(amount.expect("every basis is known here"));
    let mut lines = Lines::new();
    for row in &booking.sales {
        let gain = fine(row.gain);
        if gain == 0 && matches!(row.kind, RowKind::Boot | RowKind::ReturnOfCapital) {
            continue;
        }
        let name = format!(
            "sale {} {} {} {:?}",
            row.sale,
            root(row.lot.as_str()),
            row.sold,
            row.term.expect("dates are known")
        );
        for found in &row.matches {
            let name = format!("{name} replaced by {} {}", found.lot, found.permanent);
            add(&mut lines, name, &[shares(found.shares), money(found.disallowed)]);
        }
        add(&mut lines, name, &[shares(row.shares), gain, money(row.disallowed)]);
    }
    for lot in &booking.open_lots {
        let from = lot.holding_from.expect("dates are known");
        let name = format!("open {} {} {} {from} {}", lot.account, lot.symbol, root(lot.lot.as_str()), lot.washed);
        add(&mut lines, name, &[shares(lot.shares), fine(lot.basis)]);
    }
    for short in &booking.open_shorts {
        let name = format!("short {} {} {}", short.account, short.symbol, short.lot);
        add(&mut lines, name, &[shares(short.shares), money(short.proceeds)]);
    }
    add(&mut lines, "permanent".into(), &[money(booking.permanently_disallowed)]);
    lines
}

fn of_reference(book: &Reference<'_>) -> Lines {
    let mut lines = Lines::new();
    for row in &book.rows {
        if row.gain == 0 && row.disallowed == 0 && is_corporate(book, &row.sale) {
            continue;
        }
        let name = format!("sale {} {} {} {:?}", row.sale, root(&row.lot), row.sold, row.term);
        for (lot, quantity, moved, permanent) in &row.matches {
            add(&mut lines, format!("{name} replaced by {lot} {permanent}"), &[*quantity, *moved]);
        }
        add(&mut lines, name, &[row.shares, row.gain, row.disallowed]);
    }
    for piece in &book.held {
        let name =
            format!("open {} {} {} {} {}", piece.account, piece.symbol, root(&piece.lot), piece.from, piece.used);
        add(&mut lines, name, &[piece.shares, piece.basis]);
    }
    for short in &book.shorts {
        let name = format!("short {} {} {}", short.account, short.symbol, short.lot);
        add(&mut lines, name, &[short.shares, short.proceeds]);
    }
    add(&mut lines, "permanent".into(), &[book.permanent]);
    lines
}

fn is_corporate(book: &Reference<'_>, sale: &str) -> bool {
    book.ledger.events.iter().any(|event| match &event.kind {
        EventKind::ReturnOfCapital { sale: name, .. } => name.as_str() == sale,
        EventKind::Exchange { cash: Some(boot), .. } => boot.sale.as_str() == sale,
        _ => false,
    })
}

/// The first line that differs; `None` when all agree.
fn difference(engine: &Lines, reference: &Lines) -> Option<String> {
    let near = |one: &[Fine], other: &[Fine]| one.iter().zip(other).all(|(a, b)| (a - b).abs() <= CLOSE);
    let names: std::collections::BTreeSet<&String> = engine.keys().chain(reference.keys()).collect();
    names.into_iter().find_map(|name| match (engine.get(name), reference.get(name)) {
        (Some(one), Some(other)) if near(one, other) => None,
        (one, other) => {
            let near: Vec<&String> = engine.keys().filter(|key| !reference.contains_key(*key)).collect();
            Some(format!("{name}\nengine    {one:?}\nreference {other:?}\nonly the engine has {near:?}"))
        }
    })
}

/// Books both ways. `None` when the ledger is not to be compared.
fn compared(ledger: &Ledger, rules: &Rules) -> Option<Result<(), String>> {
    let engine = lotwise_tax::book(ledger, rules).ok()?;
    let reference = Reference::book(ledger, rules);
    if reference.open {
        return None;
    }
    Some(difference(&of_engine(&engine), &of_reference(&reference)).map_or(Ok(()), Err))
}

/// The events without which the two still differ, taken away.
fn smallest(mut ledger: Ledger, rules: &Rules) -> Ledger {
    let differs = |ledger: &Ledger| {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compared(ledger, rules)));
        matches!(found, Ok(Some(Err(_))))
    };
    let mut at = ledger.events.len();
    while at > 0 {
        at -= 1;
        let mut fewer = ledger.clone();
        fewer.events.remove(at);
        if differs(&fewer) {
            ledger = fewer;
            at = at.min(ledger.events.len());
        }
    }
    ledger
}

#[test]
fn the_engine_comes_to_what_the_rules_written_out_do() {
    let wanted = std::env::var("LOTWISE_LEDGERS").ok().and_then(|text| text.parse().ok()).unwrap_or(LEDGERS);
    let (mut compared_ledgers, mut rows, mut washed, mut seed) = (0, 0, 0, 0);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    while compared_ledgers < wanted {
        let (ledger, rules) = Maker::ledger(seed);
        seed += 1;
        assert!(seed < 3 * wanted as u64 + 100, "too few ledgers can be compared: {compared_ledgers} of {seed}");
        match compared(&ledger, &rules) {
            None => continue,
            Some(Ok(())) => {}
            Some(Err(_)) => {
                let ledger = smallest(ledger, &rules);
                let found = compared(&ledger, &rules);
                panic!("seed {}: {found:#?}\n{:#?}\n{:#?}", seed - 1, ledger.events, rules);
            }
        }
        compared_ledgers += 1;
        let booking = lotwise_tax::book(&ledger, &rules).unwrap();
        rows += booking.sales.len();
        washed += booking.sales.iter().filter(|row| row.code == "W").count();
        for event in &ledger.events {
            *kinds.entry(name(&event.kind)).or_default() += 1;
        }
    }
    println!("{compared_ledgers} ledgers of {seed} compared, {rows} rows, {washed} washed, events {kinds:?}");
    assert!(rows > wanted && washed > wanted / 2, "{rows} rows, {washed} washed");
    // Whatever the engine learns to book, and whatever it stops booking, shows here.
    assert!(kinds.len() == 16 && kinds.values().all(|count| *count > wanted / 20), "{kinds:?}");
}

fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Buy { .. } => "buy",
        EventKind::Open { .. } => "open",
        EventKind::Sell { .. } => "sell",
        EventKind::Split { .. } => "split",
        EventKind::Remove { .. } => "remove",
        EventKind::ReturnOfCapital { .. } => "return of capital",
        EventKind::Transfer { .. } => "transfer",
        EventKind::Gift { .. } => "gift",
        EventKind::Inherit { .. } => "inherit",
        EventKind::SpinOff { .. } => "spin-off",
        EventKind::Exchange { .. } => "exchange",
        EventKind::ShortSell { .. } => "short sale",
        EventKind::Cover { .. } => "cover",
        EventKind::Exercise(_) => "exercise",
        EventKind::Assign(_) => "assign",
        EventKind::Expire { .. } => "expire",
    }
}
