//! Shapes of every kind, drawn at random.

use lotwise_tensor::{Array, Params, Shape, Tape, Weights};
use proptest::prelude::*;

use crate::{fused, normal};

/// The number at a place of an array that stretches to the place's shape.
fn stretched(array: &Array, place: &[usize]) -> f32 {
    let shape = array.shape();
    let skipped = place.len() - shape.len();
    let at = shape.iter().zip(&place[skipped..]).fold(0, |at, (&size, &i)| at * size + if size == 1 { 0 } else { i });
    array.data()[at]
}

fn place(shape: Shape, mut at: usize) -> Vec<usize> {
    let mut place = vec![0; shape.len()];
    for (i, &size) in shape.iter().enumerate().rev() {
        place[i] = at % size;
        at /= size;
    }
    place
}

/// Two shapes that stretch to one.
fn pair() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let axis = (1_usize..6, prop_oneof![Just([true, true]), Just([true, false]), Just([false, true])]);
    (prop::collection::vec(axis, 0..5), 0_usize..5).prop_map(|(axes, cut)| {
        let side = |which: usize| axes.iter().map(move |(size, keeps)| if keeps[which] { *size } else { 1 });
        let first: Vec<usize> = side(0).collect();
        (first, side(1).skip(cut.min(axes.len())).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stretched_sums_are_right_everywhere((a, b) in pair(), turned in any::<bool>()) {
        let (a, b) = if turned { (b, a) } else { (a, b) };
        let (a, b) = (normal(&a[..], 1), normal(&b[..], 2));
        let mut tape = Tape::new(&Params::new());
        let (va, vb) = (tape.constant(a.clone()), tape.constant(b.clone()));
        let y = tape.sub(va, vb);
        let shape = tape.shape(y);
        for (at, &y) in tape.value(y).data().iter().enumerate() {
            let place = place(shape, at);
            prop_assert_eq!(y, stretched(&a, &place) - stretched(&b, &place));
        }
    }

    #[test]
    fn products_are_right_everywhere(m in 1_usize..130, k in 1_usize..40, n in 1_usize..90, batch in 1_usize..4) {
        let (a, b) = (normal([batch, m, k], 1), normal([batch, k, n], 2));
        let mut tape = Tape::new(&Params::new());
        let (va, vb) = (tape.constant(a.clone()), tape.constant(b.clone()));
        let turned = [tape.transpose(va), tape.transpose(vb)];
        let products = [tape.matmul(va, vb), tape.matmul_nt(va, turned[1]), tape.matmul_tn(turned[0], vb)];
        for y in products {
            for (at, &y) in tape.value(y).data().iter().enumerate() {
                let place = place(Shape::new(&[batch, m, n]), at);
                let [i, row, column] = [place[0], place[1], place[2]];
                let term = |p: usize| f64::from(a.data()[(i * m + row) * k + p]) * f64::from(b.data()[(i * k + p) * n + column]);
                let wanted: f64 = (0..k).map(term).sum();
                prop_assert!((f64::from(y) - wanted).abs() < 1e-4, "{} instead of {}", y, wanted);
            }
        }
    }

    #[test]
    fn permuting_there_and_back_changes_nothing(
        sizes in prop::collection::vec(0_usize..5, 1..6),
        seed in any::<u64>(),
    ) {
        let x = normal(&sizes[..], 3);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&i| seed.rotate_left(11 * i as u32) % 97);
        let mut back = vec![0; order.len()];
        order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
        let mut tape = Tape::new(&Params::new());
        let var = tape.constant(x.clone());
        let there = tape.permute(var, &order);
        let again = tape.permute(there, &back);
        prop_assert_eq!(tape.value(again), &x);
        for (at, &y) in tape.value(there).data().iter().enumerate() {
            let place = place(tape.shape(there), at);
            let from: Vec<usize> = back.iter().map(|&i| place[i]).collect();
            prop_assert_eq!(y, stretched(&x, &from));
        }
    }

    #[test]
    fn blocks_of_any_size_equal_their_compositions(
        sizes in [1_usize..9, 1_usize..40, 1_usize..40, 1_usize..5, 1_usize..20, 1_usize..40],
    ) {
        fused::compare_sizes(sizes);
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), length in 0_u64..64) {
        let _ = Weights::from_bytes(&bytes, "bytes");
        let mut framed = length.to_le_bytes().to_vec();
        framed.extend(bytes);
        let _ = Weights::from_bytes(&framed, "bytes");
    }
}
