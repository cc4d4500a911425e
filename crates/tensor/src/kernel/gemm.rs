//! The matrix product: a register tile over strided `a` and contiguous panels of `b`.

use std::mem::MaybeUninit;

use super::lanes::Lanes;
use super::scratch;

/// A matrix in a slice: element `(i, j)` stands at `i * row_step + j * column_step`.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
    /// How many of the columns stand in the slice; the rest are zeros.
    filled: usize,
}

impl<'a> Mat<'a> {
    /// Rows of `columns` numbers, one after the other.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows that start `row_step` numbers after each other.
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        assert!(rows == 0 || columns == 0 || (rows - 1) * row_step + columns <= data.len(), "matrix beyond its slice");
        Self { data, rows, columns, row_step, column_step: 1, filled: columns }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// So many rows from `first` on.
    pub(crate) fn row_range(self, first: usize, rows: usize) -> Self {
        assert!(first + rows <= self.rows, "rows beyond the matrix");
        Self { data: &self.data[(first * self.row_step).min(self.data.len())..], rows, ..self }
    }

    /// Rows and columns exchanged, without moving anything.
    pub(crate) fn transposed(self) -> Self {
        let Self { data, rows, columns, row_step, column_step, filled } = self;
        assert_eq!(columns, filled, "zeros stand at the right");
        Self { data, rows: columns, columns: rows, row_step: column_step, column_step: row_step, filled: rows }
    }

    /// With columns of zeros up to this number, as the right side of a product: whole vectors cost less than parts.
    pub(crate) fn widened(self, columns: usize) -> Self {
        Self { columns: columns.max(self.columns), ..self }
    }
}

/// So many terms are summed in registers before a tile goes back to memory.
const DEPTH: usize = 128;
/// Rows of `b` that lie a multiple of so many numbers apart share a few places of the nearest cache: where the panel is
/// used often enough, it is copied together first.
const ALIAS: usize = 128;

#[inline(always)]
pub(super) fn gemm<L: Lanes>(
    l: L,
    a: Mat<'_>,
    b: Mat<'_>,
    bias: Option<&[f32]>,
    c: &mut [f32],
    c_step: usize,
    accumulate: bool,
) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(a.columns, a.filled, "zeros stand on the right side of a product");
    assert!(bias.is_none_or(|bias| bias.len() == n), "a bias of another width than the product's");
    assert_eq!(k, b.rows, "inner sizes of a product differ");
    if m == 0 || n == 0 {
        return;
    }
    assert!(
        (m - 1) * c_step + n <= c.len() && n <= c_step.max(n) && (m == 1 || n <= c_step),
        "product beyond its slice"
    );
    if k == 0 {
        for row in c.chunks_mut(c_step.max(n)).take(m) {
            for (j, c) in row[..n].iter_mut().enumerate() {
                *c = bias.map_or(0.0, |bias| bias[j]) + if accumulate { *c } else { 0.0 };
            }
        }
        return;
    }
    let mut first = 0;
    while first < k {
        let depth = DEPTH.min(k - first);
        let accumulate = accumulate || first > 0;
        let bias = bias.filter(|_| first == 0);
        let mut column = 0;
        while column < n {
            let left = n - column;
            // How many vectors side by side: as many as the registers allow and the width fills.
            let vectors = match left.div_ceil(L::N) {
                1 => 1,
                2 | 3 => 2,
                _ if L::N == 8 => 2,
                _ => 4,
            };
            let width = (vectors * L::N).min(left);
            let part = Part { m, depth, first, column, width, accumulate };
            let bias = bias.map(|bias| &bias[column..column + width]);
            match (L::N, vectors) {
                (16, 4) => panel::<L, 6, 4>(l, a, b, bias, c, c_step, part),
                (16, 2) => panel::<L, 12, 2>(l, a, b, bias, c, c_step, part),
                (16, _) => panel::<L, 20, 1>(l, a, b, bias, c, c_step, part),
                (8, 2) => panel::<L, 6, 2>(l, a, b, bias, c, c_step, part),
                (8, _) => panel::<L, 12, 1>(l, a, b, bias, c, c_step, part),
                (_, 4) => panel::<L, 4, 4>(l, a, b, bias, c, c_step, part),
                (_, 2) => panel::<L, 6, 2>(l, a, b, bias, c, c_step, part),
                _ => panel::<L, 8, 1>(l, a, b, bias, c, c_step, part),
            }
            column += width;
        }
        first += depth;
    }
}

/// Which part of the product: `depth` terms from `first`, `width` columns from `column`, all `m` rows.
#[derive(Clone, Copy)]
struct Part {
    m: usize,
    depth: usize,
    first: usize,
    column: usize,
    width: usize,
    accumulate: bool,
}

/// All rows of `c` in the columns of one panel of `b`.
#[inline(always)]
#[allow(clippy::int_plus_one, reason = "one macro writes the loops for all heights")]
fn panel<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    l: L,
    a: Mat<'_>,
    b: Mat<'_>,
    bias: Option<&[f32]>,
    c: &mut [f32],
    c_step: usize,
    part: Part,
) {
    let Part { m, depth, first, column, width, .. } = part;
    let whole = VECTORS * L::N;
    let packed;
    let (panel, panel_step) = if b.column_step == 1
        && width == whole
        && b.filled == b.columns
        && (!b.row_step.is_multiple_of(ALIAS) || m <= 4 * ROWS)
    {
        (&b.data[first * b.row_step + column..], b.row_step)
    } else {
        packed = pack(b, part, whole);
        (&*packed, whole)
    };
    let mut start = [l.splat(0.0); VECTORS];
    if let Some(bias) = bias {
        for (start, bias) in start.iter_mut().zip(bias.chunks(L::N)) {
            *start = l.get(bias, 0.0);
        }
    }
    let a_first = &a.data[first * a.column_step..];
    // What the tiles below rely on; `Mat` and `gemm` have made sure of it.
    assert!((depth - 1) * panel_step + whole <= panel.len());
    assert!((m - 1) * a.row_step + (depth - 1) * a.column_step < a_first.len());
    assert!((m - 1) * c_step + column + width <= c.len());
    let mut row = 0;
    macro_rules! tiles {
        ($rows:expr) => {
            while row + $rows <= m {
                let to = &mut c[row * c_step + column..];
                // SAFETY: rows `row..row + $rows` are below `m`, so by the three assertions every element
                // of `a`, of the panel and of `c` that the tile touches lies within its slice.
                unsafe {
                    let (from, to) = (a_first.as_ptr().add(row * a.row_step), to.as_mut_ptr());
                    // One of the two steps is 1, and the addresses cost less where that is known.
                    if a.column_step == 1 {
                        let at = |i, p| from.add(i * a.row_step + p);
                        tile::<L, { $rows }, VECTORS>(l, start, part, at, panel.as_ptr(), panel_step, to, c_step);
                    } else {
                        let at = |i, p| from.add(i + p * a.column_step);
                        tile::<L, { $rows }, VECTORS>(l, start, part, at, panel.as_ptr(), panel_step, to, c_step);
                    }
                }
                row += $rows;
            }
        };
    }
    tiles!(ROWS);
    tiles!(4);
    tiles!(2);
    tiles!(1);
}

/// A panel of `b` with its rows side by side (one copy for all kernels: it only moves numbers), filled up with zeros to `whole` columns.
#[inline(never)]
fn pack(b: Mat<'_>, part: Part, whole: usize) -> scratch::Scratch {
    let Part { depth, first, column, width, .. } = part;
    let width = width.min(b.filled.saturating_sub(column));
    let mut packed = scratch::take(depth * whole);
    if b.column_step == 1 {
        for (p, to) in packed.chunks_exact_mut(whole).enumerate() {
            let start = (first + p) * b.row_step + column;
            to[..width].copy_from_slice(&b.data[start..start + width]);
            to[width..].fill(0.0);
        }
    } else {
        // Column `j` of the panel is a row of memory, or every `row_step`-th number from its start on.
        let source = |j: usize| &b.data[(column + j) * b.column_step + first * b.row_step..];
        let mut done = 0;
        if b.row_step == 1 {
            while done + 4 <= width {
                let rows = [0, 1, 2, 3].map(|j| &source(done + j)[..depth]);
                turn_four(rows, &mut packed[done..], whole);
                done += 4;
            }
        }
        for j in done..whole {
            let to = packed[j..].iter_mut().step_by(whole);
            if j < width {
                to.zip(source(j).iter().step_by(b.row_step)).for_each(|(to, &from)| *to = from);
            } else {
                to.for_each(|to| *to = 0.0);
            }
        }
    }
    packed
}

/// Writes four rows as four columns side by side, in squares that fit registers.
fn turn_four(rows: [&[f32]; 4], to: &mut [f32], step: usize) {
    let squares = rows.map(|row| row.as_chunks::<4>());
    let whole = squares[0].0.len();
    for i in 0..whole {
        let square = squares.map(|square| square.0[i]);
        for q in 0..4 {
            let start = (4 * i + q) * step;
            to[start..start + 4].copy_from_slice(&square.map(|row| row[q]));
        }
    }
    for i in 4 * whole..rows[0].len() {
        to[i * step..i * step + 4].copy_from_slice(&rows.map(|row| row[i]));
    }
}

/// `ROWS` rows and `VECTORS` vectors of the product, held in registers over the whole depth.
///
/// # Safety
/// `a(i, p)` must be readable, `b` at `p * b_step + j`, and `c` readable and writable at `i * c_step + j`, for `i < ROWS`,
/// `p < depth` and `j` below the width (for `b`, the whole width of the vectors).
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product")]
unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    l: L,
    start: [L::V; VECTORS],
    Part { depth, width, accumulate, .. }: Part,
    a: impl Fn(usize, usize) -> *const f32,
    b: *const f32,
    b_step: usize,
    c: *mut f32,
    c_step: usize,
) {
    let mut sums = [start; ROWS];
    macro_rules! term {
        ($p:expr) => {
            let mut right = [l.splat(0.0); VECTORS];
            for (j, right) in right.iter_mut().enumerate() {
                // SAFETY: within the panel, as the caller promises.
                *right = unsafe { l.load(b.add($p * b_step + j * L::N)) };
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: within `a`, as the caller promises.
                let left = l.splat(unsafe { *a(i, $p) });
                for (sum, &right) in sums.iter_mut().zip(&right) {
                    *sum = l.mul_add(left, right, *sum);
                }
            }
        };
    }
    let mut p = 0;
    while p < depth {
        term!(p);
        p += 1;
    }
    // Whole vectors are written by loops so plain that the compiler keeps all sums in registers. A narrower tile goes
    // through a place of its own.
    let mut aside = MaybeUninit::<[[[f32; 16]; VECTORS]; ROWS]>::uninit();
    let whole = width == VECTORS * L::N;
    let (to, step) = if whole { (c, c_step) } else { (aside.as_mut_ptr().cast(), VECTORS * L::N) };
    if accumulate && whole {
        for (i, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                // SAFETY: within the width of `c`, as the caller promises, and nobody else holds these numbers.
                unsafe {
                    let to = to.add(i * step + j * L::N);
                    l.store(to, l.add(l.load(to), sum));
                }
            }
        }
        return;
    }
    for (i, sums) in sums.iter().enumerate() {
        for (j, &sum) in sums.iter().enumerate() {
            // SAFETY: as above, or within `aside`, whose rows are at least as wide.
            unsafe { l.store(to.add(i * step + j * L::N), sum) };
        }
    }
    if !whole {
        for i in 0..ROWS {
            // SAFETY: `width` numbers of this row of `c`, as the caller promises, and nobody else holds them; those of
            // `aside` have just been written, one vector behind the other.
            let (to, from) = unsafe {
                let from = aside.as_ptr().cast::<f32>().add(i * step);
                (std::slice::from_raw_parts_mut(c.add(i * c_step), width), std::slice::from_raw_parts(from, width))
            };
            for (to, &sum) in to.iter_mut().zip(from) {
                *to = if accumulate { *to + sum } else { sum };
            }
        }
    }
}
