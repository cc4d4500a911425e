//! What a tape keeps, forgets and refuses.

use lotwise_tensor::{Array, Gradients, Params, Tape, dropout_mask};

use crate::normal;

#[test]
fn a_restarted_tape_gives_the_same_bits() {
    let mut params = Params::new();
    let weight = params.add("weight", normal([13, 5], 1));
    let gain = params.add("gain", normal([5], 2));
    let weight_id = params.find("weight").unwrap();
    let mut tape = Tape::default();
    let mut run = || {
        tape.restart(&params);
        let x = tape.constant(normal([7, 13], 3));
        let (weight, gain_var) = (tape.param(weight), tape.param(gain));
        let y = tape.matmul(x, weight);
        let y = tape.rms_norm(y, gain_var, 1e-6);
        let y = tape.gelu(y);
        let loss = tape.mean_all(y);
        let mut gradients = Gradients::new();
        tape.backward(loss, &mut gradients);
        (tape.scalar(loss), gradients.get(weight_id).unwrap().to_vec())
    };
    let first = run();
    assert_eq!(first, run());
    assert_eq!(first, run());
}

#[test]
fn gradients_accumulate_until_cleared() {
    let mut params = Params::new();
    let id = params.add("w", normal([3], 1));
    let mut gradients = Gradients::new();
    let walk = |gradients: &mut Gradients| {
        let mut tape = Tape::new(&params);
        let w = tape.param(id);
        let y = tape.square(w);
        let loss = tape.sum_all(y);
        tape.backward(loss, gradients);
    };
    walk(&mut gradients);
    let once = gradients.get(id).unwrap().to_vec();
    walk(&mut gradients);
    assert!(gradients.get(id).unwrap().iter().zip(&once).all(|(&two, &one)| two == 2.0 * one));
    gradients.scale(0.5);
    assert_eq!(gradients.get(id).unwrap(), once);
    gradients.clear();
    assert!(gradients.get(id).is_none());
}

#[test]
fn frozen_parameters_and_stopped_paths_take_no_gradient() {
    let mut params = Params::new();
    let [a, b] = ["a", "b"].map(|name| params.add(name, normal([4], 7)));
    params.rule_mut(a).trainable = false;
    let mut tape = Tape::new(&params);
    let (va, vb) = (tape.param(a), tape.param(b));
    let stopped = tape.stop_gradient(vb);
    let left = tape.mul(va, stopped);
    let right = tape.mul(vb, va);
    let sum = tape.add(left, right);
    let loss = tape.sum_all(sum);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    assert!(gradients.get(a).is_none());
    // Only the right product has a way back, so the gradient of b is a and not twice a.
    assert_eq!(gradients.get(b).unwrap(), params.value(a).data());
}

#[test]
fn clipping_shortens_to_the_norm_and_leaves_short_ones() {
    let mut params = Params::new();
    let id = params.add("w", Array::new([2], vec![3.0, 4.0]));
    let mut tape = Tape::new(&params);
    let w = tape.param(id);
    let square = tape.square(w);
    let half = tape.scale(square, 0.5);
    let loss = tape.sum_all(half);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    assert_eq!(gradients.clip(10.0), 5.0);
    assert_eq!(gradients.get(id).unwrap(), [3.0, 4.0]);
    assert_eq!(gradients.clip(1.0), 5.0);
    assert!((gradients.norm() - 1.0).abs() < 1e-6);
}

#[test]
fn dropout_multiplies_by_its_mask() {
    let params = Params::new();
    let mut tape = Tape::new(&params);
    let x = tape.constant(normal([7, 13], 1));
    let y = tape.dropout(x, 0.25, 9);
    let mask = dropout_mask([7, 13], 0.25, 9);
    let wanted: Vec<f32> = tape.value(x).data().iter().zip(mask.data()).map(|(x, m)| x * m).collect();
    assert_eq!(tape.value(y).data(), wanted);
}

#[test]
fn not_a_number_is_never_hidden() {
    let params = Params::new();
    let mut tape = Tape::new(&params);
    let x = tape.constant(Array::new([2], vec![f32::NAN, 1.0]));
    let one = tape.constant(Array::scalar(1.0));
    let all = [
        tape.relu(x),
        tape.gelu(x),
        tape.sigmoid(x),
        tape.tanh(x),
        tape.exp(x),
        tape.softplus(x),
        tape.clamp(x, 0.0, 1.0),
        tape.huber(x, 1.0),
        tape.min(x, one),
        tape.max(one, x),
        tape.softmax(x, None),
        tape.log_softmax(x, None),
    ];
    for (i, var) in all.into_iter().enumerate() {
        assert!(tape.value(var).data()[0].is_nan(), "operation {i}");
    }
}

#[test]
#[should_panic(expected = "shapes [7, 3] and [13] do not stretch")]
fn shapes_that_do_not_fit_are_named() {
    let mut tape = Tape::new(&Params::new());
    let (a, b) = (tape.constant(Array::zeros([7, 3])), tape.constant(Array::zeros([13])));
    tape.add(a, b);
}
