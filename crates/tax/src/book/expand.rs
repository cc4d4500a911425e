//! Numbers back to names: rows, lots and notes as the outside sees them.

use lotwise_core::{Money, Symbol};

use super::Book;
use super::group::Group;
use super::lot::{Lot, NONE, Piece, date_of};
use super::rows::{Match, Outcome, RawNoteKind, Row};
use crate::model::{
    AccountId, BasisRange, BasisSource, LossBasis, Note, NoteKind, OpenLot, OpenShort, Replacement, SaleId, SaleRow,
};

impl Book {
    /// Rows so far, in order of sale; the losses of the last 30 days are tentative.
    #[must_use]
    pub fn sales(&self) -> Vec<SaleRow> {
        (0..self.core.rows().len()).map(|row| self.sale_row(row)).collect()
    }

    /// Number of rows so far.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.core.rows().len()
    }

    /// One row. `row` is below the number of rows.
    #[must_use]
    pub fn sale_row(&self, row: usize) -> SaleRow {
        self.expand(&self.core.rows()[row], row as u32, &self.core.out)
    }

    /// Segments held, by account, symbol and acquisition.
    #[must_use]
    pub fn open_lots(&self) -> Vec<OpenLot> {
        let mut places: Vec<(u32, &Symbol, usize, u32)> = Vec::new();
        for (group, state) in self.core.groups.iter().enumerate() {
            for (at, position) in state.positions.iter().enumerate().filter(|(_, one)| one.held.is_positive()) {
                places.push((position.account, self.symbols.name(position.symbol), group, at as u32));
            }
        }
        places.sort_unstable();
        let lots = places.into_iter().map(|(_, _, group, at)| (&self.core.groups[group], at));
        lots.flat_map(|(group, at)| self.open_lots_at(group, at)).collect()
    }

    /// Segments held of one symbol in one account, by acquisition.
    #[must_use]
    pub fn open_lots_of(&self, account: &AccountId, symbol: &Symbol) -> Vec<OpenLot> {
        let account = self.account_index.get(account);
        let Some((account, symbol)) = account.zip(self.symbols.number(symbol)) else { return Vec::new() };
        let group = &self.core.groups[self.core.group_of(symbol) as usize];
        let at = group.position(*account, symbol);
        at.map(|at| self.open_lots_at(group, at).collect()).unwrap_or_default()
    }

    /// Short sales and written options not closed, by account, symbol and day.
    #[must_use]
    pub fn open_shorts(&self) -> Vec<OpenShort> {
        let mut shorts: Vec<(u32, &Symbol, OpenShort)> = Vec::new();
        for position in self.core.groups.iter().flat_map(|group| &group.positions) {
            let symbol = self.symbols.name(position.symbol);
            for short in &position.shorts {
                let open = OpenShort {
                    lot: self.lots.name(short.name).clone(),
                    account: self.accounts[position.account as usize].id.clone(),
                    symbol: symbol.clone(),
                    shares: short.shares,
                    proceeds: short.proceeds,
                    opened: date_of(short.opened).expect("Invariant: short sales have real dates"),
                    deferred_loss: short.deferred,
                };
                shorts.push((position.account, symbol, open));
            }
        }
        shorts.sort_by_key(|(account, symbol, _)| (*account, *symbol));
        shorts.into_iter().map(|(_, _, open)| open).collect()
    }

    /// Segments that left without a sale, in the order they left.
    #[must_use]
    pub fn removed(&self) -> Vec<OpenLot> {
        let gone = self.core.out.gone.iter();
        let seen = gone.map(|gone| {
            let (account, symbol) = (gone.account, gone.symbol);
            self.open_lot(account, symbol, gone.name, gone.acquired, gone.source, &gone.piece, None)
        });
        seen.collect()
    }

    /// What is not computed and should be known, in order of events.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let notes = self.core.out.notes.iter();
        let named = notes.map(|note| Note {
            date: date_of(note.day).expect("Invariant: notes have real dates"),
            account: self.accounts[note.account as usize].id.clone(),
            symbol: self.symbols.name(note.symbol).clone(),
            row: (note.row != NONE).then_some(note.row as usize),
            kind: match note.kind {
                RawNoteKind::CallNearLoss { call } => NoteKind::CallNearLoss { call: self.symbols.name(call).clone() },
                RawNoteKind::ShortWhileHolding => NoteKind::ShortWhileHolding,
                RawNoteKind::SaleNearShortLoss => NoteKind::SaleNearShortLoss,
                RawNoteKind::PossibleStraddle => NoteKind::PossibleStraddle,
                RawNoteKind::BasisNotExact => NoteKind::BasisNotExact,
            },
        });
        named.collect()
    }

    pub(super) fn open_lots_at<'a>(&'a self, group: &'a Group, at: u32) -> impl Iterator<Item = OpenLot> + 'a {
        let position = &group.positions[at as usize];
        group.segments_of(at).map(move |id| {
            let segment = &group.segments[id as usize];
            let Lot { name, acquired, source, .. } = group.lots[segment.lot as usize];
            let for_loss = segment.piece.gift.then(|| group.for_loss.get(&id)).flatten();
            let for_loss = for_loss.and_then(|one| {
                date_of(one.holding_from).map(|holding_from| LossBasis { basis: one.basis, holding_from })
            });
            self.open_lot(position.account, position.symbol, name, acquired, source, &segment.piece, for_loss)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field of the lot")]
    fn open_lot(
        &self,
        account: u32,
        symbol: u32,
        name: u32,
        acquired: i32,
        source: BasisSource,
        piece: &Piece,
        for_loss: Option<LossBasis>,
    ) -> OpenLot {
        OpenLot {
            lot: self.lots.name(name).clone(),
            account: self.accounts[account as usize].id.clone(),
            symbol: self.symbols.name(symbol).clone(),
            shares: piece.shares,
            basis: piece.known_basis(),
            acquired: date_of(acquired),
            holding_from: date_of(piece.holding_from),
            washed: piece.washed,
            deferred_loss: piece.deferred,
            basis_source: source,
            for_loss,
        }
    }

    /// A row of `out`, whose index is `place`. The order of a what-if has no number; it is named
    /// by the caller.
    pub(super) fn expand(&self, row: &Row, place: u32, out: &Outcome) -> SaleRow {
        let basis = row.basis();
        let highest = out.highest_basis.get(&place).copied();
        let matches: Vec<Replacement> = out.matches_of(row).map(|found| self.replacement(found)).collect();
        let sale = self.sales.get(row.sale.0 as usize).cloned();
        SaleRow {
            sale: sale.unwrap_or_else(|| SaleId::new("what-if")),
            kind: row.kind,
            account: self.accounts[row.account.0 as usize].id.clone(),
            symbol: self.symbols.name(row.symbol.0).clone(),
            lot: self.lots.name(row.lot.0).clone(),
            shares: row.shares,
            acquired: date_of(row.acquired),
            holding_from: date_of(row.holding_from),
            sold: row.sold(),
            proceeds: row.proceeds,
            basis,
            gain: row.gain(),
            disallowed: row.disallowed,
            reportable: row.reportable(),
            term: row.term,
            code: if matches.is_empty() { "" } else { "W" },
            matches,
            basis_source: row.source,
            basis_range: basis.map_or(BasisRange { lowest: Money::ZERO, highest }, BasisRange::exact),
            identified: date_of(row.identified),
        }
    }

    pub(super) fn replacement(&self, found: &Match) -> Replacement {
        Replacement {
            lot: self.lots.name(found.lot.0).clone(),
            shares: found.shares,
            disallowed: found.disallowed,
            permanent: found.permanent,
        }
    }
}
