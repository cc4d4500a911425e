//! The events of the reference booking beside purchases and sales: corporate actions, transfers,
//! gifts, short sales and options (tax rules 2.3 to 2.9).

use lotwise_core::{Date, Shares};
use lotwise_tax::{Delivery, Event, EventKind, Scope, Term, Way};

use crate::reference::{BILLIONTH, Fine, Piece, Reference, Reservation, Row, Short, money, part, shares};

impl Reference<'_> {
    pub fn step(&mut self, index: usize, event: &Event) {
        let symbol = event.symbol.as_str();
        let account = event.account.as_str();
        match &event.kind {
            EventKind::Buy { lot, shares: bought, amount, fee } => {
                self.purchase(index, event, symbol, lot.as_str(), shares(*bought), money(*amount + *fee));
            }
            EventKind::Sell { sale, shares: sold, amount, fee, lots, .. } => {
                self.sale(index, symbol, sale.as_str(), shares(*sold), money(*amount - *fee), lots);
            }
            EventKind::Open { lot, shares: held, basis, acquired, .. } => {
                let basis = money(basis.expect("known in these ledgers"));
                let acquired = acquired.expect("known in these ledgers");
                self.receive(index, event, lot.as_str(), shares(*held), basis, acquired);
            }
            EventKind::Gift { lot, shares: given, donor_basis, donor_acquired, value } => {
                let basis = money(donor_basis.expect("known in these ledgers"));
                let acquired = donor_acquired.expect("known in these ledgers");
                self.receive(index, event, lot.as_str(), shares(*given), basis, acquired);
                if money(*value) < basis {
                    self.held.last_mut().expect("just received").for_loss = Some((money(*value), event.date));
                }
            }
            EventKind::Inherit { lot, shares: left, value, died } => {
                let basis = money(value.expect("known in these ledgers"));
                self.receive(index, event, lot.as_str(), shares(*left), basis, died.unwrap_or(event.date));
                self.held.last_mut().expect("just received").inherited = true;
            }
            EventKind::Split { new, old } => {
                for piece in self.held.iter_mut().filter(|piece| piece.symbol == symbol) {
                    piece.shares = ratio(piece.shares, *new, *old);
                }
                for short in self.shorts.iter_mut().filter(|short| short.symbol == symbol) {
                    short.shares = ratio(short.shares, *new, *old);
                }
            }
            EventKind::Remove { shares: left } => {
                let picked = self.pick(event, symbol, shares(*left), &lotwise_tax::LotSelection::Standing);
                self.remove_all(&picked);
            }
            EventKind::Transfer { to, shares: moved, lots } => {
                let picked = self.pick(event, symbol, shares(*moved), lots);
                for piece in self.remove_all(&picked) {
                    self.arrive(Piece { account: to.as_str().into(), ..piece });
                }
            }
            EventKind::ReturnOfCapital { sale, amount } => self.return_capital(index, sale.as_str(), money(*amount)),
            EventKind::SpinOff { to, new, old, to_new, scope } => {
                let concerned =
                    |piece: &Piece| piece.symbol == symbol && (*scope == Scope::Household || piece.account == account);
                let mut spun = Vec::new();
                for piece in self.held.iter_mut().filter(|piece| concerned(piece)) {
                    let moved = part(piece.basis, to_new.billionths(), BILLIONTH);
                    let value = piece.for_loss.map(|(value, day)| (part(value, to_new.billionths(), BILLIONTH), day));
                    spun.push(Piece {
                        lot: format!("{}/{to}", piece.lot),
                        symbol: to.as_str().into(),
                        shares: ratio(piece.shares, *new, *old),
                        basis: moved,
                        for_loss: value,
                        purchase: false,
                        ..piece.clone()
                    });
                    piece.basis -= moved;
                    piece.for_loss = piece.for_loss.map(|(all, day)| (all - value.map_or(0, |(part, _)| part), day));
                }
                self.held.extend(spun);
            }
            EventKind::Exchange { to, new, old, cash, scope, .. } => {
                if let Some(boot) = cash {
                    self.boot(index, boot.sale.as_str(), money(boot.cash), money(boot.value));
                }
                let concerned =
                    |piece: &Piece| piece.symbol == symbol && (*scope == Scope::Household || piece.account == account);
                for piece in self.held.iter_mut().filter(|piece| concerned(piece)) {
                    piece.symbol = to.as_str().into();
                    piece.shares = ratio(piece.shares, *new, *old);
                }
            }
            EventKind::ShortSell { lot, shares: sold, amount, fee } => {
                let (proceeds, quantity) = (money(*amount - *fee), shares(*sold));
                self.open_short(index, event, lot.as_str(), quantity, proceeds);
            }
            EventKind::Cover { sale, shares: closed, amount, fee, settled, .. } => {
                let (cost, quantity) = (money(*amount + *fee), shares(*closed));
                for short in self.close(account, symbol, quantity) {
                    let gain = short.proceeds - part(cost, short.shares, quantity);
                    // A gain counts on the trade date, a loss when the shares are delivered.
                    let sold = if gain < 0 { settled.expect("stated in these ledgers") } else { event.date };
                    self.close_row(index, sale.as_str(), &short, gain, sold);
                }
            }
            EventKind::Exercise(delivery) => {
                let premium = self.used_up(event, delivery.contracts);
                self.deliver(index, event, delivery, premium, -premium);
            }
            EventKind::Assign(delivery) => {
                let closed = self.close(account, symbol, shares(delivery.contracts));
                let premium: Fine = closed.iter().map(|short| short.proceeds).sum();
                self.deliver(index, event, delivery, -premium, premium);
            }
            EventKind::Expire { sale, contracts } => {
                let order = self.of(account, symbol);
                if order.is_empty() {
                    for short in self.close(account, symbol, shares(*contracts)) {
                        self.close_row(index, sale.as_str(), &short, short.proceeds, event.date);
                    }
                } else {
                    let standing = lotwise_tax::LotSelection::By(lotwise_tax::Method::Fifo);
                    self.sale(index, symbol, sale.as_str(), shares(*contracts), 0, &standing);
                }
            }
        }
    }

    fn receive(&mut self, index: usize, event: &Event, lot: &str, quantity: Fine, basis: Fine, acquired: Date) {
        self.purchase(index, event, event.symbol.as_str(), lot, quantity, basis);
        let piece = self.held.last_mut().expect("just received");
        (piece.purchase, piece.acquired, piece.from) = (false, acquired, acquired);
    }

    /// A piece of a lot that already lies here joins its like. Where its pieces differ, nothing says
    /// which of them leaves first: those that stayed or those that came back.
    fn arrive(&mut self, piece: Piece) {
        let of_lot =
            |held: &&Piece| (held.event, &held.account, &held.symbol) == (piece.event, &piece.account, &piece.symbol);
        let alike = |held: &Piece| {
            let basis = part(piece.basis, held.shares, piece.shares);
            held.key() == piece.key() && (basis - held.basis).abs() < 1_000 * BILLIONTH
        };
        self.open |= self.held.iter().filter(of_lot).any(|held| !alike(held));
        let like = |held: &&mut Piece| {
            held.key() == piece.key() && held.account == piece.account && held.symbol == piece.symbol
        };
        match self.held.iter_mut().find(like) {
            Some(held) => {
                held.shares += piece.shares;
                held.basis += piece.basis;
                held.for_loss = held.for_loss.zip(piece.for_loss).map(|((one, day), (two, _))| (one + two, day));
            }
            None => self.held.push(piece),
        }
    }

    /// Basis falls share by share; what is beyond it is gain (tax rule 2.7).
    fn return_capital(&mut self, index: usize, sale: &str, amount: Fine) {
        let event = &self.ledger.events[index];
        let order = self.of(event.account.as_str(), event.symbol.as_str());
        let quantity: Fine = order.iter().map(|at| self.held[*at].shares).sum();
        let taxable = !self.is_ira(event.account.as_str());
        for at in order {
            let returned = part(amount, self.held[at].shares, quantity);
            let beyond = (returned - self.held[at].basis).max(0);
            self.held[at].basis -= returned - beyond;
            self.held[at].for_loss =
                self.held[at].for_loss.map(|(value, day)| ((value - returned).max(0), day)).filter(|_| beyond == 0);
            if beyond > 0 && taxable {
                let piece = Piece { basis: 0, for_loss: None, ..self.held[at].clone() };
                self.report(index, sale, &piece, beyond);
            }
        }
    }

    /// Cash beside shares: gain up to the cash, no loss; basis falls by the cash and rises by the
    /// gain (tax rule 2.4).
    fn boot(&mut self, index: usize, sale: &str, cash: Fine, value: Fine) {
        let event = &self.ledger.events[index];
        let order = self.of(event.account.as_str(), event.symbol.as_str());
        let quantity: Fine = order.iter().map(|at| self.held[*at].shares).sum();
        let taxable = !self.is_ira(event.account.as_str());
        for at in order {
            let held = self.held[at].shares;
            let (cash, value) = (part(cash, held, quantity), part(value, held, quantity));
            let gain = (cash + value - self.held[at].basis).clamp(0, cash);
            self.held[at].basis += gain - cash;
            // The basis for a loss on a gift falls and rises alike (26 USC 358).
            self.held[at].for_loss = self.held[at].for_loss.map(|(value, day)| ((value + gain - cash).max(0), day));
            if taxable {
                let piece = Piece { basis: 0, for_loss: None, ..self.held[at].clone() };
                self.report(index, sale, &piece, gain);
            }
        }
    }

    /// A short lot, with what earlier losses reserved on it.
    fn open_short(&mut self, index: usize, event: &Event, lot: &str, quantity: Fine, proceeds: Fine) {
        let mut rest = Short {
            lot: lot.into(),
            event: index,
            account: event.account.as_str().into(),
            symbol: event.symbol.as_str().into(),
            shares: quantity,
            proceeds,
            used: false,
            matched: usize::MAX,
        };
        for one in std::mem::take(&mut self.reserved[index]) {
            let cut = rest.cut(one.shares);
            self.absorb_short(cut, one.loss);
        }
        if rest.shares > 0 {
            self.shorts.push(rest);
        }
    }

    fn absorb_short(&mut self, short: Short, loss: Fine) {
        let matched = self.n_matches;
        self.n_matches += 1;
        self.shorts.push(Short { used: true, matched, proceeds: short.proceeds - loss, ..short });
    }

    /// Short lots closed, the earliest first, in parts where need be.
    fn close(&mut self, account: &str, symbol: &str, quantity: Fine) -> Vec<Short> {
        let (mut left, mut closed) = (quantity, Vec::new());
        self.shorts.sort_by_key(|short| (short.event, short.matched));
        for short in &mut self.shorts {
            let taken = left.min(short.shares);
            if short.account == account && short.symbol == symbol && taken > 0 {
                closed.push(short.cut(taken));
                left -= taken;
            }
        }
        assert_eq!(left, 0, "the ledger closes what is open");
        self.shorts.retain(|short| short.shares > 0);
        closed
    }

    /// A row of a short sale closed or an option lapsed: short-term, and a loss is washed by another
    /// short sale within 30 days of the closing (26 USC 1091(e)).
    fn close_row(&mut self, index: usize, sale: &str, short: &Short, gain: Fine, sold: Date) {
        let mut row = Row {
            sale: sale.into(),
            lot: short.lot.clone(),
            shares: short.shares,
            gain,
            disallowed: 0,
            term: Term::Short,
            sold,
            matches: Vec::new(),
        };
        // Writing an option is no short sale, and writing it again acquires nothing.
        let option = lotwise_core::OptionContract::parse_occ(&short.symbol).is_ok();
        if gain < 0 && !option && self.can_be_washed(&short.symbol, sold) {
            self.wash_short(index, short, &mut row);
        }
        self.rows.push(row);
    }

    fn wash_short(&mut self, index: usize, short: &Short, row: &mut Row) {
        let (loss, mut left) = (-row.gain, short.shares);
        for candidate in 0..self.ledger.events.len() {
            let event = &self.ledger.events[candidate];
            let EventKind::ShortSell { lot, shares: sold, .. } = &event.kind else { continue };
            let near = event.date.days_since(row.sold).abs() <= 30;
            let older = candidate < short.event && !self.rules.older_lots_can_replace;
            if !near || older || candidate == short.event || !self.identical(event.symbol.as_str(), &short.symbol) {
                continue;
            }
            let (matched, in_its_units) = if candidate < index {
                let free = self.shorts.iter().position(|other| other.event == candidate && !other.used);
                let Some(at) = free else { continue };
                let n = left.min(self.shorts[at].shares);
                let cut = self.shorts[at].cut(n);
                self.shorts.retain(|other| other.shares > 0);
                self.absorb_short(cut, part(loss, n, short.shares));
                (n, n)
            } else {
                let (new, old) = self.splits_between(index, candidate, event.symbol.as_str());
                let taken: Fine = self.reserved[candidate].iter().map(|one| one.shares).sum();
                let n = left.min(part(shares(*sold) - taken, old, new));
                if n <= 0 {
                    continue;
                }
                let reservation = Reservation {
                    shares: part(n, new, old),
                    loss: part(loss, n, short.shares),
                    sold: row.sold,
                    sold_from: row.sold,
                };
                self.reserved[candidate].push(reservation);
                (n, part(n, new, old))
            };
            let moved = part(loss, matched, short.shares);
            row.disallowed += moved;
            row.matches.push((lot.as_str().into(), in_its_units, moved, false));
            left -= matched;
            if left == 0 {
                return;
            }
        }
    }

    /// Contracts held that are exercised, the earliest first: what they cost.
    fn used_up(&mut self, event: &Event, contracts: Shares) -> Fine {
        let standing = lotwise_tax::LotSelection::By(lotwise_tax::Method::Fifo);
        let picked = self.pick(event, event.symbol.as_str(), shares(contracts), &standing);
        self.remove_all(&picked).iter().map(|piece| piece.basis).sum()
    }

    fn deliver(&mut self, index: usize, event: &Event, delivery: &Delivery, to_basis: Fine, to_proceeds: Fine) {
        let underlying = delivery.underlying.as_str();
        match &delivery.way {
            Way::In { lot } => {
                let basis = money(delivery.amount + delivery.fee) + to_basis;
                self.purchase(index, event, underlying, lot.as_str(), shares(delivery.shares), basis);
            }
            Way::Out { sale, lots } => {
                let proceeds = money(delivery.amount - delivery.fee) + to_proceeds;
                self.sale(index, underlying, sale.as_str(), shares(delivery.shares), proceeds, lots);
            }
        }
    }
}

fn ratio(quantity: Fine, new: Shares, old: Shares) -> Fine {
    part(quantity, new.billionths(), old.billionths())
}
