//! A slow booking written from the tax rules alone: lists that are searched, purchases that are looked
//! ahead at, and amounts in billionths of a billionth. The engine has to come to the same
//! (`differential.rs`).

use std::collections::BTreeSet;

use lotwise_core::{Date, Money, Rounding, Shares, Symbol, mul_div};
use lotwise_tax::{
    AssetClass, Event, EventKind, ExchangeKind, Ledger, LotSelection, LotsLeave, Method, Rules, Tacking, Term, Way,
};

/// Billionths of a billionth, of a dollar or of a share.
pub type Fine = i128;

/// One billionth.
pub const BILLIONTH: Fine = 1_000_000_000;

/// Amounts this close may be told apart by rounding alone.
const TINY: Fine = 1_000 * BILLIONTH;

/// The part of an amount that belongs to `of` out of `whole`.
pub fn part(amount: Fine, of: Fine, whole: Fine) -> Fine {
    mul_div(amount, of, whole, Rounding::HalfEven).expect("amounts of the test are small")
}

pub fn money(amount: Money) -> Fine {
    amount.billionths() * BILLIONTH
}

pub fn shares(shares: Shares) -> Fine {
    shares.billionths() * BILLIONTH
}

/// Shares of one acquisition with one basis and one date.
#[derive(Debug, Clone)]
pub struct Piece {
    pub lot: String,
    /// The event that acquired them.
    pub event: usize,
    /// Whether that was a purchase (tax rule 4.4).
    pub purchase: bool,
    pub account: String,
    pub symbol: String,
    pub shares: Fine,
    pub basis: Fine,
    /// For a loss on a gift: the market value and the day of the gift (tax rule 2.5).
    pub for_loss: Option<(Fine, Date)>,
    pub acquired: Date,
    pub from: Date,
    pub inherited: bool,
    pub used: bool,
    /// Counts the matches of the whole ledger, so that matched pieces leave in their order.
    pub matched: usize,
}

impl Piece {
    /// Order of acquisition, then of matching, the unmatched rest last (tax rule 4.5).
    pub fn key(&self) -> (Date, usize, usize) {
        (self.acquired, self.event, self.matched)
    }

    pub fn cut(&mut self, shares: Fine) -> Self {
        let basis = part(self.basis, shares, self.shares);
        let for_loss = self.for_loss.map(|(value, day)| (part(value, shares, self.shares), day));
        let cut = Self { shares, basis, for_loss, ..self.clone() };
        self.for_loss = self.for_loss.map(|(value, day)| (value - for_loss.map_or(0, |(cut, _)| cut), day));
        self.shares -= shares;
        self.basis -= basis;
        cut
    }
}

/// Shares sold short or an option written, not closed yet.
#[derive(Debug, Clone)]
pub struct Short {
    pub lot: String,
    /// The event that opened it.
    pub event: usize,
    pub account: String,
    pub symbol: String,
    pub shares: Fine,
    pub proceeds: Fine,
    pub used: bool,
    pub matched: usize,
}

impl Short {
    pub fn cut(&mut self, shares: Fine) -> Self {
        let proceeds = part(self.proceeds, shares, self.shares);
        let cut = Self { shares, proceeds, ..self.clone() };
        self.shares -= shares;
        self.proceeds -= proceeds;
        cut
    }
}

pub struct Reservation {
    pub shares: Fine,
    pub loss: Fine,
    pub sold: Date,
    pub sold_from: Date,
}

/// A reportable row.
#[derive(Debug)]
pub struct Row {
    pub sale: String,
    pub lot: String,
    pub shares: Fine,
    pub gain: Fine,
    pub disallowed: Fine,
    pub term: Term,
    pub sold: Date,
    /// Lot, shares, loss, and whether it is gone for good.
    pub matches: Vec<(String, Fine, Fine, bool)>,
}

pub struct Reference<'a> {
    pub ledger: &'a Ledger,
    pub rules: &'a Rules,
    pub held: Vec<Piece>,
    pub shorts: Vec<Short>,
    pub rows: Vec<Row>,
    pub permanent: Fine,
    /// The rules leave two results open here, or rounding decides: the ledger is not compared.
    pub open: bool,
    groups: Vec<BTreeSet<&'a str>>,
    pub reserved: Vec<Vec<Reservation>>,
    pub n_matches: usize,
}

/// More than one year, counted from the day after (tax rule 1.3).
pub fn term(from: Date, sold: Date) -> Term {
    let start = from.plus_days(1);
    let year_on = Date::from_ymd(start.year() + 1, start.month(), start.day());
    let first = year_on.or_else(|| Date::from_ymd(start.year() + 1, 3, 1)).expect("a date of this century");
    if sold >= first { Term::Long } else { Term::Short }
}

/// Symbols that are one security for the wash-sale rule: the user's groups, and names that a
/// security had before and after a change of name (tax rule 4.2). Groups that share a name are one.
fn groups<'a>(ledger: &'a Ledger, rules: &'a Rules) -> Vec<BTreeSet<&'a str>> {
    let declared = rules.identity_groups.iter().map(|group| group.iter().map(Symbol::as_str).collect());
    let renamed = ledger.events.iter().filter_map(|event| match &event.kind {
        EventKind::Exchange { to, kind: ExchangeKind::Rename, .. } => {
            Some(BTreeSet::from([event.symbol.as_str(), to.as_str()]))
        }
        _ => None,
    });
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for mut group in declared.chain(renamed) {
        while let Some(at) = found.iter().position(|known| !known.is_disjoint(&group)) {
            group.extend(found.remove(at));
        }
        found.push(group);
    }
    found
}

impl<'a> Reference<'a> {
    pub fn book(ledger: &'a Ledger, rules: &'a Rules) -> Self {
        let reserved = ledger.events.iter().map(|_| Vec::new()).collect();
        let groups = groups(ledger, rules);
        let (held, shorts, rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut book =
            Self { ledger, rules, held, shorts, rows, permanent: 0, open: false, groups, reserved, n_matches: 0 };
        for (index, event) in ledger.events.iter().enumerate() {
            // Where two results are right, what follows may not fit one of them.
            if book.open {
                break;
            }
            book.step(index, event);
        }
        book
    }

    pub fn is_ira(&self, account: &str) -> bool {
        let found = self.ledger.accounts.iter().find(|one| one.id.as_str() == account);
        found.expect("the account is listed").kind.is_retirement()
    }

    /// A lot made by an event, with what earlier losses reserved on it (tax rules 4.6 and 4.7).
    pub fn purchase(&mut self, index: usize, event: &Event, symbol: &str, lot: &str, quantity: Fine, basis: Fine) {
        let mut rest = Piece {
            lot: lot.into(),
            event: index,
            purchase: true,
            account: event.account.as_str().into(),
            symbol: symbol.into(),
            shares: quantity,
            basis,
            for_loss: None,
            acquired: event.date,
            from: event.date,
            inherited: false,
            used: false,
            matched: usize::MAX,
        };
        for one in std::mem::take(&mut self.reserved[index]) {
            let mut cut = rest.cut(one.shares);
            self.absorb(&mut cut, one.loss, one.sold, one.sold_from);
            self.held.push(cut);
        }
        if rest.shares > 0 {
            self.held.push(rest);
        }
    }

    fn absorb(&mut self, piece: &mut Piece, loss: Fine, sold: Date, sold_from: Date) {
        piece.used = true;
        piece.matched = self.n_matches;
        self.n_matches += 1;
        if self.is_ira(&piece.account) {
            return;
        }
        piece.basis += loss;
        piece.from = match self.rules.tacking {
            Tacking::Union if piece.acquired <= sold => piece.from.min(sold_from),
            _ => piece.from.plus_days(-sold.days_since(sold_from)),
        };
    }

    pub fn identical(&self, one: &str, other: &str) -> bool {
        one == other || self.groups.iter().any(|group| [one, other].iter().all(|name| group.contains(name)))
    }

    /// Everything of a security that an account holds, in order of acquisition.
    pub fn of(&self, account: &str, symbol: &str) -> Vec<usize> {
        let of_account = |at: &usize| self.held[*at].account == account && self.held[*at].symbol == symbol;
        let mut order: Vec<usize> = (0..self.held.len()).filter(of_account).collect();
        order.sort_by_key(|at| self.held[*at].key());
        order
    }

    /// Which pieces leave, and how much of each (tax rule 2.2).
    pub fn pick(&mut self, event: &Event, symbol: &str, quantity: Fine, lots: &LotSelection) -> Vec<(usize, Fine)> {
        let mut order = self.of(event.account.as_str(), symbol);
        let standing = self.ledger.accounts.iter().find(|account| account.id == event.account).map(|one| one.method);
        let method = match lots {
            LotSelection::Lots(named) => {
                let mut picked = Vec::new();
                for (lot, wanted) in named {
                    let of_lot: Vec<usize> =
                        order.iter().copied().filter(|at| self.held[*at].lot == lot.as_str()).collect();
                    picked.extend(self.take(&of_lot, shares(*wanted)));
                }
                return picked;
            }
            LotSelection::By(method) => *method,
            LotSelection::Standing => standing.expect("the account is listed"),
        };
        match method {
            Method::Fifo => {}
            Method::Average => self.average(&order),
            // Later lots first, but each lot's pieces in leaving order.
            Method::Lifo => {
                order.sort_by_key(|at| std::cmp::Reverse((self.held[*at].acquired, self.held[*at].event)));
            }
            Method::Hifo | Method::Lofo => {
                let per_share = |at: &usize| part(self.held[*at].basis, BILLIONTH * BILLIONTH, self.held[*at].shares);
                order.sort_by_key(|at| if method == Method::Hifo { -per_share(at) } else { per_share(at) });
                // Lots of nearly one price are told apart by the last billionth.
                let near = |pair: &[usize]| (per_share(&pair[0]) - per_share(&pair[1])).abs() < TINY;
                self.open |= order.windows(2).any(near);
            }
            Method::MinTax => panic!("the rules do not fix the order of least tax"),
        }
        self.take(&order, quantity)
    }

    fn take(&self, order: &[usize], quantity: Fine) -> Vec<(usize, Fine)> {
        let (mut left, mut picked) = (quantity, Vec::new());
        for &at in order {
            let taken = left.min(self.held[at].shares);
            if taken > 0 {
                picked.push((at, taken));
                left -= taken;
            }
        }
        assert_eq!(left, 0, "the ledger sells what is held");
        picked
    }

    /// One basis per share for all shares of the account.
    fn average(&mut self, order: &[usize]) {
        let basis: Fine = order.iter().map(|at| self.held[*at].basis).sum();
        let quantity: Fine = order.iter().map(|at| self.held[*at].shares).sum();
        for at in order {
            self.held[*at].basis = part(basis, self.held[*at].shares, quantity);
        }
    }

    pub fn remove(&mut self, key: (Date, usize, usize), account: &str, symbol: &str, quantity: Fine) -> Piece {
        let is_it = |held: &Piece| held.key() == key && held.account == account && held.symbol == symbol;
        let at = self.held.iter().position(is_it).expect("it is held");
        let cut = self.held[at].cut(quantity);
        if self.held[at].shares == 0 {
            self.held.remove(at);
        }
        cut
    }

    /// Takes what was picked out of the book.
    pub fn remove_all(&mut self, picked: &[(usize, Fine)]) -> Vec<Piece> {
        let found: Vec<(Piece, Fine)> =
            picked.iter().map(|(at, quantity)| (self.held[*at].clone(), *quantity)).collect();
        found
            .into_iter()
            .map(|(piece, quantity)| self.remove(piece.key(), &piece.account, &piece.symbol, quantity))
            .collect()
    }

    /// A sale order (tax rule 4.10): net proceeds by quantity, losses in order of acquisition.
    pub fn sale(
        &mut self,
        index: usize,
        symbol: &str,
        sale: &str,
        quantity: Fine,
        proceeds: Fine,
        lots: &LotSelection,
    ) {
        let event = &self.ledger.events[index];
        let mut picked = self.pick(event, symbol, quantity, lots);
        picked.sort_by_key(|(at, _)| self.held[*at].key());
        let taxable = !self.is_ira(event.account.as_str());
        let report = |book: &mut Self, piece: Piece| {
            if taxable {
                let proceeds = part(proceeds, piece.shares, quantity);
                book.report(index, sale, &piece, proceeds);
            }
        };
        match self.rules.lots_leave {
            LotsLeave::Together => {
                for piece in self.remove_all(&picked) {
                    report(self, piece);
                }
            }
            LotsLeave::OneByOne => {
                let mut of_lots: Vec<((Date, usize), Fine)> = Vec::new();
                for (at, quantity) in picked {
                    let lot = (self.held[at].acquired, self.held[at].event);
                    match of_lots.last_mut() {
                        Some((last, sum)) if *last == lot => *sum += quantity,
                        _ => of_lots.push((lot, quantity)),
                    }
                }
                for (lot, mut left) in of_lots {
                    let mut sold = Vec::new();
                    while left > 0 {
                        let order = self.of(event.account.as_str(), symbol);
                        let first = order.into_iter().find(|at| (self.held[*at].acquired, self.held[*at].event) == lot);
                        let first = self.held[first.expect("the lot holds it")].clone();
                        let taken = left.min(first.shares);
                        sold.push(self.remove(first.key(), &first.account, symbol, taken));
                        left -= taken;
                    }
                    for piece in sold {
                        report(self, piece);
                    }
                }
            }
        }
    }

    /// The row of a piece that left for `proceeds`.
    pub fn report(&mut self, index: usize, sale: &str, piece: &Piece, proceeds: Fine) {
        let sold = self.ledger.events[index].date;
        let (gain, from) = match piece.for_loss {
            Some((value, day)) if proceeds < value => (proceeds - value, day),
            // Between the market value and the donor's basis there is neither gain nor loss.
            Some(_) if proceeds <= piece.basis => (0, piece.from),
            _ => (proceeds - piece.basis, piece.from),
        };
        // A gain of nearly nothing can be a loss for one of two ways to round.
        self.open |= gain != 0 && gain.abs() < TINY || piece.for_loss.is_some() && gain.abs() < TINY;
        let mut row = Row {
            sale: sale.into(),
            lot: piece.lot.clone(),
            shares: piece.shares,
            gain,
            disallowed: 0,
            term: if piece.inherited { Term::Long } else { term(from, sold) },
            sold,
            matches: Vec::new(),
        };
        if gain < 0 && self.can_be_washed(&piece.symbol, sold) {
            self.wash(index, piece, from, &mut row);
        }
        self.rows.push(row);
    }

    /// The rule covers stock and securities (tax rule 2.11).
    pub fn can_be_washed(&self, symbol: &str, sold: Date) -> bool {
        let class = self.rules.classes.iter().find(|(known, _)| known.as_str() == symbol).map(|(_, class)| *class);
        class != Some(AssetClass::DigitalAsset)
            || self.rules.digital_asset_wash_sales_from.is_some_and(|day| sold >= day)
    }

    fn wash(&mut self, index: usize, piece: &Piece, from: Date, row: &mut Row) {
        let loss = -row.gain;
        let mut left = piece.shares;
        let mut candidates: Vec<usize> = (0..self.ledger.events.len()).collect();
        candidates.retain(|at| self.can_replace(index, *at, piece));
        for candidate in candidates {
            let event = &self.ledger.events[candidate];
            let (lot, bought) = bought(event).expect("a candidate is a purchase");
            let (matched, in_its_units, permanent) = if candidate < index {
                let Some((matched, account)) = self.match_held(candidate, left, piece, from, loss, row.sold) else {
                    continue;
                };
                (matched, matched, self.is_ira(&account))
            } else {
                let (new, old) = self.splits_between(index, candidate, purchased(event));
                let taken: Fine = self.reserved[candidate].iter().map(|one| one.shares).sum();
                let n = left.min(part(bought - taken, old, new));
                if n <= 0 {
                    continue;
                }
                let its = part(n, new, old);
                self.reserved[candidate].push(Reservation {
                    shares: its,
                    loss: part(loss, n, piece.shares),
                    sold: row.sold,
                    sold_from: from,
                });
                (n, its, self.is_ira(event.account.as_str()))
            };
            let moved = part(loss, matched, piece.shares);
            row.disallowed += moved;
            self.permanent += if permanent { moved } else { 0 };
            row.matches.push((lot.to_owned(), in_its_units, moved, permanent));
            left -= matched;
            if left == 0 {
                return;
            }
        }
    }

    /// Tax rule 4.4, as far as it speaks of the acquisition.
    fn can_replace(&self, index: usize, candidate: usize, piece: &Piece) -> bool {
        let event = &self.ledger.events[candidate];
        let sold = self.ledger.events[index].date;
        if bought(event).is_none() || candidate == piece.event || event.date.days_since(sold).abs() > 30 {
            return false;
        }
        let older = (event.date, candidate) < (piece.acquired, piece.event);
        if older && !self.rules.older_lots_can_replace {
            return false;
        }
        // What is held is known by its name of today, what is to come by the name it is bought under.
        candidate < index || self.identical(purchased(event), &piece.symbol)
    }

    fn match_held(
        &mut self,
        candidate: usize,
        left: Fine,
        sold: &Piece,
        sold_from: Date,
        loss: Fine,
        day: Date,
    ) -> Option<(Fine, String)> {
        let fits = |held: &Piece| {
            held.event == candidate && held.purchase && !held.used && self.identical(&held.symbol, &sold.symbol)
        };
        let free: Vec<usize> = (0..self.held.len()).filter(|at| fits(&self.held[*at])).collect();
        let &at = free.first()?;
        // A lot that lies in two accounts: nothing says which part comes first.
        self.open |= free.len() > 1;
        let n = left.min(self.held[at].shares);
        let mut cut = self.held[at].cut(n);
        if self.held[at].shares == 0 {
            self.held.remove(at);
        }
        self.absorb(&mut cut, part(loss, n, sold.shares), day, sold_from);
        let account = cut.account.clone();
        self.held.push(cut);
        Some((n, account))
    }

    /// New shares for old ones of what is bought later, through splits and changes of name in
    /// between (tax rule 4.7a).
    pub fn splits_between(&self, from: usize, until: usize, symbol: &str) -> (Fine, Fine) {
        let (mut name, mut new, mut old) = (symbol, 1, 1);
        for event in self.ledger.events[from..until].iter().rev() {
            match &event.kind {
                EventKind::Split { new: more, old: fewer } if event.symbol.as_str() == name => {
                    new *= more.billionths() / BILLIONTH;
                    old *= fewer.billionths() / BILLIONTH;
                }
                EventKind::Exchange { to, new: more, old: fewer, kind: ExchangeKind::Rename, .. }
                    if to.as_str() == name =>
                {
                    new *= more.billionths() / BILLIONTH;
                    old *= fewer.billionths() / BILLIONTH;
                    name = event.symbol.as_str();
                }
                _ => {}
            }
        }
        (new, old)
    }
}

/// Lot and shares of a purchase.
fn bought(event: &Event) -> Option<(&str, Fine)> {
    match &event.kind {
        EventKind::Buy { lot, shares: bought, .. } => Some((lot.as_str(), shares(*bought))),
        EventKind::Exercise(delivery) | EventKind::Assign(delivery) => match &delivery.way {
            Way::In { lot } => Some((lot.as_str(), shares(delivery.shares))),
            Way::Out { .. } => None,
        },
        _ => None,
    }
}

/// What a purchase bought.
fn purchased(event: &Event) -> &str {
    match &event.kind {
        EventKind::Exercise(delivery) | EventKind::Assign(delivery) => delivery.underlying.as_str(),
        _ => event.symbol.as_str(),
    }
}
