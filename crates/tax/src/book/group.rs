//! The state of one identity group: its positions, its recent purchases and its open losses.

use std::collections::{BTreeMap, VecDeque};

use lotwise_core::{Money, Rounding, Shares, mul_div};

use super::WINDOW_DAYS;
use super::index::Pick;
use super::lot::{ForLoss, Lot, NONE, Piece, Segment, UNRANKED, part};
use super::purchases::Purchases;
use super::rank::{End, Ranks, keeps_rank, ranked};
use super::rows::Outcome;
use super::sell::Loss;
use super::short::ShortLot;
use super::wash::OpenLoss;
use crate::model::{AccountKind, BasisSource, LotsLeave, Method, RowKind, Rules};

/// An account without its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub kind: AccountKind,
    pub method: Method,
}

/// What every step needs to know and none changes.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub rules: &'a Rules,
    pub accounts: &'a [Holder],
}

impl Desk<'_> {
    pub fn is_taxable(&self, account: u32) -> bool {
        self.accounts[account as usize].kind.is_taxable()
    }

    /// Whether the earliest lots of an account leave, all at once, which takes no choosing.
    pub fn earliest_first(&self, pick: Pick<'_>, account: u32) -> bool {
        let method = match pick {
            Pick::Standing => self.accounts[account as usize].method,
            Pick::By(method) => method,
            Pick::Lots(_) => return false,
        };
        method == Method::Fifo && self.rules.lots_leave == LotsLeave::Together
    }

    pub fn is_retirement(&self, account: u32) -> bool {
        self.accounts[account as usize].kind.is_retirement()
    }
}

/// What one account holds of one symbol.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub account: u32,
    pub symbol: u32,
    pub held: Shares,
    pub n_segments: usize,
    /// Lots by key; those that are sold out are passed over and cleared now and then.
    pub lots: VecDeque<u32>,
    n_dead: usize,
    highest: Option<Box<Ranks>>,
    lowest: Option<Box<Ranks>>,
    /// Whether a lot of it is known only as an average.
    pub average_only: bool,
    /// Short sales not closed, the earliest first.
    pub shorts: VecDeque<ShortLot>,
}

impl Position {
    fn is_ranked(&self) -> bool {
        self.highest.is_some() || self.lowest.is_some()
    }

    /// The room of its ranks, which are forgotten.
    fn take_ranks(&mut self) -> impl Iterator<Item = Box<Ranks>> + use<> {
        let kept = self.highest.take().into_iter().chain(self.lowest.take());
        kept.map(|mut ranks| {
            ranks.clear();
            ranks
        })
    }
}

/// A split of the current day, and who reported it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReportedSplit {
    pub day: i32,
    pub symbol: u32,
    pub account: u32,
    pub new: Shares,
    pub old: Shares,
}

/// A change of units that losses before it have to be carried through.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitChange {
    pub sequence: u32,
    pub symbol: u32,
    pub new: Shares,
    pub old: Shares,
}

/// Everything that can affect a sale of one identity group (tax rule 4.2).
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub lots: Vec<Lot>,
    pub segments: Vec<Segment>,
    /// Segments that are free, the longest first: those in use stay in about the order of their lots.
    free: VecDeque<u32>,
    pub positions: Vec<Position>,
    /// Positions by symbol and account.
    pub places: BTreeMap<(u32, u32), u32>,
    /// Purchases of the last 30 days with shares that have absorbed no loss.
    pub purchases: Purchases,
    /// Losses of the last 30 days that purchases can still wash, in order of sale.
    pub losses: VecDeque<OpenLoss>,
    /// Losses on short sales of the last 30 days that other short sales can still wash.
    pub short_losses: VecDeque<OpenLoss>,
    /// Day of the last sale of shares held.
    pub last_sale: Option<i32>,
    pub units: Vec<UnitChange>,
    pub splits: Vec<ReportedSplit>,
    /// The other basis of segments that came as gifts.
    pub for_loss: BTreeMap<u32, ForLoss>,
    /// Calls on the group's securities bought in the last 30 days: day, symbol of the call.
    pub calls: VecDeque<(i32, u32)>,
    /// Losses of the last 30 days, for calls to come: day, row.
    pub stock_losses: VecDeque<(i32, u32)>,
    /// Room of ranks that are not kept any more.
    #[expect(clippy::vec_box, reason = "they go to positions and come back as they are")]
    spare: Vec<Box<Ranks>>,
    next_version: u32,
    /// Matches so far, which number the segments that they make.
    n_matches: u32,
}

/// An acquisition.
pub(super) struct Acquisition {
    pub account: u32,
    pub symbol: u32,
    pub name: u32,
    pub acquired: i32,
    pub sequence: u32,
    pub source: BasisSource,
    pub purchase: bool,
    pub piece: Piece,
}

/// A sale order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub account: u32,
    pub symbol: u32,
    pub day: i32,
    pub sequence: u32,
    pub sale: u32,
    pub shares: Shares,
    /// Proceeds net of fees.
    pub proceeds: Money,
    pub kind: RowKind,
    pub identified: i32,
    /// Whether the wash-sale rule covers what is sold.
    pub washes: bool,
    /// Whether the basis was averaged on purpose, which makes an average exact.
    pub averaged: bool,
}

/// Shares to take off one segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub acquired: i32,
    pub sequence: u32,
    pub ordinal: u32,
    pub lot: u32,
    pub segment: u32,
    pub shares: Shares,
}

/// Shares that have left the book.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sold {
    pub lot: u32,
    pub ordinal: u32,
    pub piece: Piece,
    pub for_loss: Option<ForLoss>,
}

/// Room that is used again from order to order.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    pub cuts: Vec<Cut>,
    pub sold: Vec<Sold>,
    pub losses: Vec<Loss>,
    pub least: super::least_tax::Room,
}

impl Group {
    /// Forgets purchases and losses that no event from `day` on can reach.
    pub fn turn_to(&mut self, day: i32) {
        self.purchases.forget_before(day - WINDOW_DAYS);
        while self.losses.front().is_some_and(|loss| day - loss.sold > WINDOW_DAYS) {
            self.losses.pop_front();
        }
        while self.short_losses.front().is_some_and(|loss| day - loss.sold > WINDOW_DAYS) {
            self.short_losses.pop_front();
        }
        if !self.units.is_empty() && self.losses.is_empty() && self.short_losses.is_empty() {
            self.units.clear();
        }
        if !self.splits.is_empty() {
            self.splits.retain(|split| split.day == day);
        }
        while self.calls.front().is_some_and(|(bought, _)| day - bought > WINDOW_DAYS) {
            self.calls.pop_front();
        }
        while self.stock_losses.front().is_some_and(|(sold, _)| day - sold > WINDOW_DAYS) {
            self.stock_losses.pop_front();
        }
    }

    /// Forgets everything and keeps the room.
    pub fn clear(&mut self) {
        self.lots.clear();
        self.segments.clear();
        self.free.clear();
        for position in &mut self.positions {
            position.held = Shares::ZERO;
            position.n_segments = 0;
            position.lots.clear();
            position.n_dead = 0;
            self.spare.extend(position.take_ranks());
            position.average_only = false;
            position.shorts.clear();
        }
        self.purchases.clear();
        self.losses.clear();
        self.short_losses.clear();
        self.last_sale = None;
        self.units.clear();
        self.splits.clear();
        self.for_loss.clear();
        self.calls.clear();
        self.stock_losses.clear();
    }

    pub fn position(&self, account: u32, symbol: u32) -> Option<u32> {
        // Most groups have one position or two, which are faster to look through.
        if self.positions.len() <= 4 {
            let found = self.positions.iter().position(|one| one.account == account && one.symbol == symbol);
            return found.map(|place| place as u32);
        }
        self.places.get(&(symbol, account)).copied()
    }

    pub fn position_or_new(&mut self, account: u32, symbol: u32) -> u32 {
        if let Some(place) = self.position(account, symbol) {
            return place;
        }
        let place = self.positions.len() as u32;
        self.positions.push(Position {
            account,
            symbol,
            held: Shares::ZERO,
            n_segments: 0,
            lots: VecDeque::new(),
            n_dead: 0,
            highest: None,
            lowest: None,
            average_only: false,
            shorts: VecDeque::new(),
        });
        self.places.insert((symbol, account), place);
        place
    }

    pub fn held(&self, account: u32, symbol: u32) -> Shares {
        self.position(account, symbol).map_or(Shares::ZERO, |at| self.positions[at as usize].held)
    }

    /// Puts a lot on the book; a purchase first absorbs the losses that wait for it.
    pub fn acquire(&mut self, desk: Desk<'_>, what: &Acquisition, washes: bool, out: &mut Outcome) -> u32 {
        let lot = self.add_lot(what);
        if what.purchase && washes {
            if !self.losses.is_empty() {
                self.absorb(desk, lot, out);
            }
            if self.lots[lot as usize].rest != NONE {
                self.purchases.push(lot, what.acquired);
            }
        }
        lot
    }

    /// Puts a lot on the book, whole and unmatched unless its piece says otherwise.
    pub fn add_lot(&mut self, what: &Acquisition) -> u32 {
        let at = self.position_or_new(what.account, what.symbol);
        let lot = self.add_empty_lot(at, what.name, what.acquired, what.sequence, what.source, what.purchase);
        self.add_segment(lot, what.piece);
        lot
    }

    pub fn add_empty_lot(
        &mut self,
        at: u32,
        name: u32,
        acquired: i32,
        sequence: u32,
        source: BasisSource,
        purchase: bool,
    ) -> u32 {
        let id = self.lots.len() as u32;
        self.lots.push(Lot {
            name,
            position: at,
            acquired,
            sequence,
            first: NONE,
            last: NONE,
            rest: NONE,
            source,
            purchase,
        });
        let position = &mut self.positions[at as usize];
        position.average_only |= source == BasisSource::AverageOnly;
        let key = (acquired, sequence);
        let in_order = position.lots.back().is_none_or(|last| self.lots[*last as usize].key() <= key);
        if in_order {
            position.lots.push_back(id);
        } else {
            let place = position.lots.partition_point(|other| self.lots[*other as usize].key() <= key);
            position.lots.insert(place, id);
        }
        id
    }

    /// Adds the unmatched shares of a new lot.
    fn add_segment(&mut self, lot: u32, piece: Piece) -> u32 {
        let id = self.new_segment(lot, piece);
        self.lots[lot as usize].rest = id;
        let position = &mut self.positions[self.lots[lot as usize].position as usize];
        position.held += piece.shares;
        self.rank(id);
        id
    }

    fn new_segment(&mut self, lot: u32, piece: Piece) -> u32 {
        let version = self.next_version;
        self.next_version = version.wrapping_add(1);
        let segment = Segment { piece, lot, next: NONE, previous: NONE, ordinal: NONE, version, ranked: UNRANKED };
        self.positions[self.lots[lot as usize].position as usize].n_segments += 1;
        if let Some(id) = self.free.pop_front() {
            self.segments[id as usize] = segment;
            return id;
        }
        self.segments.push(segment);
        self.segments.len() as u32 - 1
    }

    fn append_matched(&mut self, id: u32) {
        let ordinal = self.n_matches;
        self.insert_matched(id, ordinal);
    }

    /// Puts a segment among those of its lot that leave first, at the place of its match.
    fn insert_matched(&mut self, id: u32, ordinal: u32) {
        self.n_matches = self.n_matches.max(ordinal + 1);
        let of = self.segments[id as usize].lot;
        let (mut before, mut after) = (self.lots[of as usize].last, NONE);
        while before != NONE && self.segments[before as usize].ordinal > ordinal {
            after = before;
            before = self.segments[before as usize].previous;
        }
        let segment = &mut self.segments[id as usize];
        // Segments of one rank leave by ordinal, so that it has to be ranked anew.
        (segment.ordinal, segment.previous, segment.next, segment.ranked) = (ordinal, before, after, UNRANKED);
        if before == NONE {
            self.lots[of as usize].first = id;
        } else {
            self.segments[before as usize].next = id;
        }
        if after == NONE {
            self.lots[of as usize].last = id;
        } else {
            self.segments[after as usize].previous = id;
        }
    }

    /// Puts a segment that comes from elsewhere on the book as part of a lot. It joins its like:
    /// what was one segment before it was parted.
    pub fn join_segment(&mut self, lot: u32, ordinal: u32, piece: Piece, for_loss: Option<ForLoss>) {
        let like = |group: &Self, id: &u32| {
            let segment = &group.segments[*id as usize];
            let held = &segment.piece;
            segment.ordinal == ordinal
                && (held.holding_from, held.known, held.gift) == (piece.holding_from, piece.known, piece.gift)
        };
        let found = self.segments_of_lot(lot).find(|id| like(self, id));
        self.positions[self.lots[lot as usize].position as usize].held += piece.shares;
        let id = if let Some(id) = found {
            let held = &mut self.segments[id as usize].piece;
            held.shares += piece.shares;
            held.basis += piece.basis;
            held.deferred += piece.deferred;
            id
        } else {
            let id = self.new_segment(lot, piece);
            if ordinal != NONE {
                self.insert_matched(id, ordinal);
            } else if self.lots[lot as usize].rest == NONE {
                self.lots[lot as usize].rest = id;
            } else {
                // A lot has one rest; a second one of another date leaves before it.
                self.append_matched(id);
            }
            id
        };
        if let Some(for_loss) = for_loss {
            let kept = self.for_loss.entry(id).or_insert(ForLoss { basis: Money::ZERO, ..for_loss });
            kept.basis += for_loss.basis;
        }
        self.touch(id);
    }

    /// The lot of an acquisition in a position, if it holds part of it.
    pub fn lot_like(&self, at: u32, of: &Lot) -> Option<u32> {
        let lots = &self.positions[at as usize].lots;
        let first = lots.partition_point(|lot| self.lots[*lot as usize].key() < of.key());
        let same_key = lots.iter().skip(first).take_while(|lot| self.lots[**lot as usize].key() == of.key());
        same_key.copied().find(|lot| {
            let held = &self.lots[*lot as usize];
            held.name == of.name && !held.is_empty()
        })
    }

    /// Marks `shares` of a lot's rest as used by a loss and returns the segment. The caller
    /// changes it and then calls [`Group::rank`].
    pub fn match_free(&mut self, lot: u32, shares: Shares) -> u32 {
        let rest = self.lots[lot as usize].rest;
        let whole = self.segments[rest as usize].piece.shares == shares;
        let id = if whole {
            self.lots[lot as usize].rest = NONE;
            rest
        } else {
            let cut = self.segments[rest as usize].piece.cut(shares);
            self.touch(rest);
            self.new_segment(lot, cut)
        };
        self.segments[id as usize].piece.washed = true;
        self.append_matched(id);
        id
    }

    /// Cuts `shares` off a segment into one of their own beside it. Of a lot's rest the new one
    /// joins the segments that leave first.
    pub fn split_segment(&mut self, id: u32, shares: Shares) -> u32 {
        let whole = self.segments[id as usize].piece.shares;
        let for_loss = self.take_for_loss(id, shares, whole);
        let cut = self.segments[id as usize].piece.cut(shares);
        self.touch(id);
        let lot = self.segments[id as usize].lot;
        let new = self.new_segment(lot, cut);
        self.append_matched(new);
        if let Some(for_loss) = for_loss {
            self.for_loss.insert(new, for_loss);
        }
        new
    }

    /// Takes over what another group's segments leave free.
    pub fn take_in(&mut self, other: &mut Self, offset: u32) {
        self.free.extend(other.free.drain(..).map(|id| id + offset));
        // Versions of both groups may meet, so new ones start behind both.
        self.next_version = self.next_version.max(other.next_version);
        self.n_matches = self.n_matches.max(other.n_matches);
    }

    /// Takes note that a segment has changed. What keeps its basis per share keeps its rank.
    pub fn touch(&mut self, id: u32) {
        let segment = &self.segments[id as usize];
        let at = self.lots[segment.lot as usize].position as usize;
        if !self.positions[at].is_ranked() {
            return;
        }
        if keeps_rank(&segment.piece, segment.ranked) {
            return;
        }
        let segment = &mut self.segments[id as usize];
        segment.version = self.next_version;
        self.next_version = self.next_version.wrapping_add(1);
        self.rank(id);
    }

    /// Enters a segment that is new, or has a new version, in the ranks that are kept.
    pub fn rank(&mut self, id: u32) {
        let segment = &mut self.segments[id as usize];
        let lot = &self.lots[segment.lot as usize];
        let position = &mut self.positions[lot.position as usize];
        if !position.is_ranked() {
            return;
        }
        segment.ranked = ranked(&segment.piece);
        if let Some(ranks) = &mut position.highest {
            ranks.push(id, segment, lot);
        }
        if let Some(ranks) = &mut position.lowest {
            ranks.push(id, segment, lot);
        }
    }

    /// Forgets the ranks of a position after a change of all its segments.
    pub fn forget_ranks(&mut self, at: u32) {
        let position = &mut self.positions[at as usize];
        self.spare.extend(position.take_ranks());
    }

    /// The ranks of a position, made if there are none. Give them back
    /// with [`Group::return_ranks`].
    pub fn take_ranks(&mut self, at: u32, end: End) -> Box<Ranks> {
        let position = &mut self.positions[at as usize];
        let kept = match end {
            End::Highest => position.highest.take(),
            End::Lowest => position.lowest.take(),
        };
        if let Some(mut ranks) = kept {
            ranks.refresh(position.n_segments, &self.segments);
            return ranks;
        }
        let mut ranks = self.spare.pop().unwrap_or_default();
        ranks.start(end, self.positions[at as usize].n_segments);
        for place in 0..self.positions[at as usize].lots.len() {
            let lot = &self.lots[self.positions[at as usize].lots[place] as usize];
            let (mut id, mut rest) = (lot.first, lot.rest);
            // The matched segments, then the rest.
            while id != NONE || rest != NONE {
                if id == NONE {
                    (id, rest) = (rest, NONE);
                }
                let segment = &mut self.segments[id as usize];
                segment.ranked = ranked(&segment.piece);
                ranks.push(id, segment, lot);
                id = segment.next;
            }
        }
        ranks
    }

    pub fn return_ranks(&mut self, at: u32, end: End, ranks: Box<Ranks>) {
        let position = &mut self.positions[at as usize];
        match end {
            End::Highest => position.highest = Some(ranks),
            End::Lowest => position.lowest = Some(ranks),
        }
    }

    /// Segments of a lot in the order they leave.
    pub fn segments_of_lot(&self, lot: u32) -> impl Iterator<Item = u32> + '_ {
        let Lot { first, rest, .. } = self.lots[lot as usize];
        let some = |id: u32| (id != NONE).then_some(id);
        std::iter::successors(some(first), move |id| some(self.segments[*id as usize].next)).chain(some(rest))
    }

    /// Lots of a position that hold something, by key.
    pub fn lots_of(&self, at: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.positions[at as usize].lots.iter().copied().filter(|lot| !self.lots[*lot as usize].is_empty())
    }

    /// Segments of a position in the order of lots.
    pub fn segments_of(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        self.lots_of(at).flat_map(|lot| self.segments_of_lot(lot))
    }

    pub fn shares_of_lot(&self, lot: u32) -> Shares {
        self.segments_of_lot(lot).map(|id| self.segments[id as usize].piece.shares).sum()
    }

    /// Takes shares of a segment off the book.
    pub fn take(&mut self, id: u32, shares: Shares) -> Sold {
        let segment = &self.segments[id as usize];
        let Segment { lot, next, previous, ordinal, .. } = *segment;
        let (whole, gift) = (segment.piece.shares, segment.piece.gift);
        let for_loss = if gift { self.take_for_loss(id, shares, whole) } else { None };
        let at = self.lots[lot as usize].position;
        self.positions[at as usize].held -= shares;
        if shares < whole {
            let piece = self.segments[id as usize].piece.cut(shares);
            self.touch(id);
            return Sold { lot, ordinal, piece, for_loss };
        }
        let of = &mut self.lots[lot as usize];
        if of.rest == id {
            of.rest = NONE;
        } else {
            if previous == NONE {
                of.first = next;
            } else {
                self.segments[previous as usize].next = next;
            }
            if next == NONE {
                of.last = previous;
            } else {
                self.segments[next as usize].previous = previous;
            }
        }
        let gone = of.is_empty();
        let segment = &mut self.segments[id as usize];
        segment.lot = NONE;
        let piece = segment.piece;
        self.free.push_back(id);
        let position = &mut self.positions[at as usize];
        position.n_segments -= 1;
        if gone {
            position.n_dead += 1;
            self.clear_sold_out(at);
        }
        Sold { lot, ordinal, piece, for_loss }
    }

    fn take_for_loss(&mut self, segment: u32, shares: Shares, whole: Shares) -> Option<ForLoss> {
        let kept = self.for_loss.get_mut(&segment)?;
        let basis = part(kept.basis, shares, whole);
        let cut = ForLoss { basis, holding_from: kept.holding_from };
        kept.basis -= basis;
        if shares == whole {
            self.for_loss.remove(&segment);
        }
        Some(cut)
    }

    /// Drops lots that are sold out from both ends, and from the middle once they are many.
    fn clear_sold_out(&mut self, at: u32) {
        let position = &mut self.positions[at as usize];
        let sold_out = |lot: &u32| self.lots[*lot as usize].is_empty();
        while position.lots.front().is_some_and(sold_out) {
            position.lots.pop_front();
            position.n_dead -= 1;
        }
        while position.lots.back().is_some_and(sold_out) {
            position.lots.pop_back();
            position.n_dead -= 1;
        }
        if position.n_dead > position.lots.len() / 2 + 16 {
            position.lots.retain(|lot| !sold_out(lot));
            position.n_dead = 0;
        }
    }

    /// Takes all cuts off the book, as [`Scratch::sold`].
    pub fn take_all(&mut self, scratch: &mut Scratch) {
        scratch.sold.clear();
        for cut in &scratch.cuts {
            scratch.sold.push(self.take(cut.segment, cut.shares));
        }
    }

    /// Adds cuts for `shares` of a lot, in leaving order, and returns what the lot could not give.
    pub fn cut_lot(&self, lot: u32, shares: Shares, cuts: &mut Vec<Cut>) -> Shares {
        let mut left = shares;
        for id in self.segments_of_lot(lot) {
            if !left.is_positive() {
                break;
            }
            let taken = left.min(self.segments[id as usize].piece.shares);
            cuts.push(self.cut(id, taken));
            left -= taken;
        }
        left
    }

    pub fn cut(&self, segment: u32, shares: Shares) -> Cut {
        let Segment { lot, ordinal, .. } = self.segments[segment as usize];
        let Lot { acquired, sequence, .. } = self.lots[lot as usize];
        Cut { acquired, sequence, ordinal, lot, segment, shares }
    }
}

/// `shares * new / old`, rounded half to even at the billionth.
pub(super) fn scale(shares: Shares, new: Shares, old: Shares) -> Option<Shares> {
    mul_div(shares.billionths(), new.billionths(), old.billionths(), Rounding::HalfEven).map(Shares::from_billionths)
}
