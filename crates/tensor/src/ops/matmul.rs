//! Matrix products, batched, with either side transposed.

use rayon::prelude::*;

use crate::kernel::{self, Mat};
use crate::tape::{Node, Op, Tape, Var, Walk};
use crate::{Array, Shape};

/// Rows of a product that one thread takes at a time: enough to pay for copying the other side.
const ROWS: usize = 96;

impl Tape {
    /// The matrix product.
    ///
    /// # Shapes
    /// - `a`: `[.., m, k]`
    /// - `b`: `[k, n]`, the same for all of `a`, or `[.., k, n]` with the leading sizes of `a`
    /// - output: `[.., m, n]`
    pub fn matmul(&mut self, a: Var, b: Var) -> Var {
        self.matmul_transposed(a, b, [false, false])
    }

    /// `a bᵀ`, see [`Self::matmul`]; `b`: `[.., n, k]`.
    pub fn matmul_nt(&mut self, a: Var, b: Var) -> Var {
        self.matmul_transposed(a, b, [false, true])
    }

    /// `aᵀ b`, see [`Self::matmul`]; `a`: `[.., k, m]`.
    pub fn matmul_tn(&mut self, a: Var, b: Var) -> Var {
        self.matmul_transposed(a, b, [true, false])
    }

    /// `x w + bias`.
    ///
    /// # Shapes
    /// - `x`: `[.., inputs]`, `weight`: `[inputs, outputs]`, `bias`: `[outputs]`
    /// - output: `[.., outputs]`
    pub fn linear(&mut self, x: Var, weight: Var, bias: Option<Var>) -> Var {
        let y = self.matmul(x, weight);
        match bias {
            Some(bias) => self.add(y, bias),
            None => y,
        }
    }

    fn matmul_transposed(&mut self, a: Var, b: Var, transposed: [bool; 2]) -> Var {
        let plan = Plan::new(self.shape(a), self.shape(b), transposed);
        let mut out = self.pool.take(plan.output.count());
        let (a_data, b_data) = (self.value(a).data(), self.value(b).data());
        products(&mut out, |i| (plan.a(a_data, i), plan.b(b_data, i)));
        let tracked = self.tracks([a, b]);
        self.push(Array::new(plan.output, out), Op::MatMul { a, b, transposed }, tracked)
    }
}

pub(super) fn backward(
    walk: &mut Walk<'_>,
    before: &[Node],
    [a, b]: [Var; 2],
    transposed: [bool; 2],
    shape: Shape,
    dy: &[f32],
) {
    let (a_value, b_value) = (&before[a.0].value, &before[b.0].value);
    let plan = Plan::new(a_value.shape(), b_value.shape(), transposed);
    debug_assert_eq!(shape, plan.output);
    let (a_data, b_data) = (a_value.data(), b_value.data());
    let dy = |i| Mat::new(&dy[i * plan.m * plan.n..][..plan.m * plan.n], plan.m, plan.n);
    if walk.wants(a) {
        let mut da = walk.pool.take(a_data.len());
        // da = dy bᵀ, or its transpose b dyᵀ.
        products(&mut da, |i| {
            let b = plan.b(b_data, i);
            if transposed[0] { (b, dy(i).transposed()) } else { (dy(i), b.transposed()) }
        });
        walk.give(a, da);
    }
    if walk.wants(b) {
        let mut db = walk.pool.take(b_data.len());
        // db = aᵀ dy, or its transpose dyᵀ a.
        products(&mut db, |i| {
            let a = plan.a(a_data, i);
            if transposed[1] { (dy(i).transposed(), a) } else { (a.transposed(), dy(i)) }
        });
        walk.give(b, db);
    }
}

/// Fills `out` with one product after the other, each cut into pieces of whole rows.
fn products<'a>(out: &mut [f32], operands: impl Fn(usize) -> (Mat<'a>, Mat<'a>) + Sync) {
    if out.is_empty() {
        return;
    }
    let (left, right) = operands(0);
    let (rows, width) = (left.rows(), right.columns());
    out.par_chunks_mut(rows * width).enumerate().for_each(|(i, matrix)| {
        let (left, right) = operands(i);
        if rows <= ROWS {
            return kernel::gemm(left, right, None, matrix, width, false);
        }
        matrix.par_chunks_mut(ROWS * width).enumerate().for_each(|(piece, out)| {
            kernel::gemm(left.row_range(piece * ROWS, out.len() / width), right, None, out, width, false);
        });
    });
}

/// The sizes of a product.
struct Plan {
    output: Shape,
    m: usize,
    k: usize,
    n: usize,
    transposed: [bool; 2],
}

impl Plan {
    fn new(a: Shape, b: Shape, transposed: [bool; 2]) -> Self {
        let fits = a.len() >= 2 && b.len() >= 2;
        assert!(fits, "a product needs matrices, not {a:?} and {b:?}");
        let tail = |shape: Shape, turned: bool| {
            let [rows, columns] = [shape[shape.len() - 2], shape[shape.len() - 1]];
            if turned { [columns, rows] } else { [rows, columns] }
        };
        let ([m, k], [k_b, n]) = (tail(a, transposed[0]), tail(b, transposed[1]));
        let lead = &a[..a.len() - 2];
        let matrix = b.len() == 2;
        assert!(
            k == k_b && (matrix || b[..b.len() - 2] == *lead),
            "a product of {a:?} and {b:?} (transposed: {transposed:?})"
        );
        let output = a.with(a.len() - 2, m).with(a.len() - 1, n);
        let batch: usize = lead.iter().product();
        // Rows of all matrices can be taken together unless they are columns.
        if matrix && !transposed[0] {
            return Self { output, m: batch * m, k, n, transposed };
        }
        assert!(!matrix || batch == 1, "a transposed batch {a:?} needs a batch on the other side, not {b:?}");
        Self { output, m, k, n, transposed }
    }

    fn a<'a>(&self, data: &'a [f32], i: usize) -> Mat<'a> {
        let data = &data[i * self.m * self.k..][..self.m * self.k];
        if self.transposed[0] { Mat::new(data, self.k, self.m).transposed() } else { Mat::new(data, self.m, self.k) }
    }

    fn b<'a>(&self, data: &'a [f32], i: usize) -> Mat<'a> {
        let data = &data[i * self.k * self.n..][..self.k * self.n];
        if self.transposed[1] { Mat::new(data, self.n, self.k).transposed() } else { Mat::new(data, self.k, self.n) }
    }
}
