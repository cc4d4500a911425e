//! Every operation against central differences, and the certainty that none is left out.

use std::collections::BTreeSet;

use lotwise_tensor::{Array, Gradients, OPERATIONS, ParamId, Params, Tape, Var};

use crate::{fused, normal};

/// A computation whose gradients are checked.
pub struct Case {
    pub name: String,
    pub params: Params,
    pub build: Box<dyn Fn(&mut Tape) -> Var>,
}

/// An operation on parameters of these shapes.
fn case(name: &str, shapes: &[&[usize]], build: fn(&mut Tape, &[Var]) -> Var) -> Case {
    let mut params = Params::new();
    let ids: Vec<ParamId> = shapes
        .iter()
        .enumerate()
        .map(|(i, &shape)| params.add(format!("input {i}"), normal(shape, i as u64 + 10)))
        .collect();
    let build = move |tape: &mut Tape| {
        let vars: Vec<Var> = ids.iter().map(|&id| tape.param(id)).collect();
        build(tape, &vars)
    };
    Case { name: name.to_owned(), params, build: Box::new(build) }
}

/// Positive numbers away from 0.
fn positive(mut case: Case) -> Case {
    for id in case.params.ids() {
        case.params.value_mut(id).data_mut().iter_mut().for_each(|x| *x = x.abs() + 0.5);
    }
    case
}

fn keep() -> Array {
    Array::new([5], vec![1.0, 0.0, 1.0, 1.0, 0.0])
}

fn cases() -> Vec<Case> {
    let s: &[usize] = &[7, 3, 13, 5];
    vec![
        case("relu", &[s], |t, v| t.relu(v[0])),
        case("gelu", &[s], |t, v| t.gelu(v[0])),
        case("sigmoid", &[s], |t, v| t.sigmoid(v[0])),
        case("tanh", &[s], |t, v| t.tanh(v[0])),
        case("softplus", &[s], |t, v| t.softplus(v[0])),
        case("exp", &[s], |t, v| t.exp(v[0])),
        positive(case("log", &[s], |t, v| t.log(v[0]))),
        positive(case("sqrt", &[s], |t, v| t.sqrt(v[0]))),
        case("square", &[s], |t, v| t.square(v[0])),
        case("abs", &[s], |t, v| t.abs(v[0])),
        case("affine", &[s], |t, v| t.affine(v[0], -1.5, 0.25)),
        case("clamp", &[s], |t, v| t.clamp(v[0], -0.7, 1.1)),
        case("huber", &[s], |t, v| t.huber(v[0], 0.8)),
        case("add", &[s, s], |t, v| t.add(v[0], v[1])),
        case("add a row", &[s, &[5]], |t, v| t.add(v[0], v[1])),
        case("sub, both stretched", &[&[7, 1, 13, 1], &[3, 1, 5]], |t, v| t.sub(v[0], v[1])),
        case("mul", &[s, s], |t, v| t.mul(v[0], v[1])),
        case("mul by itself", &[s], |t, v| t.mul(v[0], v[0])),
        case("mul by a number", &[&[], s], |t, v| t.mul(v[0], v[1])),
        case("mul of numbers", &[&[], &[]], |t, v| t.mul(v[0], v[1])),
        positive(case("div", &[&[3, 13, 5], &[13, 1]], |t, v| t.div(v[0], v[1]))),
        case("min", &[&[13, 5], &[3, 1, 5]], |t, v| t.min(v[0], v[1])),
        case("max", &[&[13, 5], &[3, 13, 1]], |t, v| t.max(v[0], v[1])),
        case("matmul", &[&[7, 3, 13], &[13, 5]], |t, v| t.matmul(v[0], v[1])),
        case("matmul, batched", &[&[2, 3, 7, 13], &[2, 3, 13, 5]], |t, v| t.matmul(v[0], v[1])),
        case("matmul_nt", &[&[7, 3, 13], &[5, 13]], |t, v| t.matmul_nt(v[0], v[1])),
        case("matmul_nt, batched", &[&[3, 7, 13], &[3, 5, 13]], |t, v| t.matmul_nt(v[0], v[1])),
        case("matmul_tn", &[&[13, 7], &[13, 5]], |t, v| t.matmul_tn(v[0], v[1])),
        case("matmul_tn, batched", &[&[3, 13, 7], &[3, 13, 5]], |t, v| t.matmul_tn(v[0], v[1])),
        case("matmul of many rows", &[&[211, 3], &[3, 5]], |t, v| t.matmul(v[0], v[1])),
        case("linear", &[&[7, 3], &[3, 13], &[13]], |t, v| t.linear(v[0], v[1], Some(v[2]))),
        case("softmax", &[s], |t, v| t.softmax(v[0], None)),
        case("softmax, masked", &[s], |t, v| t.softmax(v[0], Some(&keep()))),
        case("log_softmax", &[s], |t, v| t.log_softmax(v[0], None)),
        case("log_softmax, masked", &[&[7, 5]], |t, v| {
            let log = t.log_softmax(v[0], Some(&keep()));
            t.slice(log, 1, 2..4)
        }),
        case("layer_norm", &[&[7, 3, 13], &[13], &[13]], |t, v| t.layer_norm(v[0], v[1], v[2], 1e-5)),
        case("layer_norm of many rows", &[&[300, 5], &[5], &[5]], |t, v| t.layer_norm(v[0], v[1], v[2], 1e-2)),
        case("rms_norm", &[&[7, 3, 13], &[13]], |t, v| t.rms_norm(v[0], v[1], 1e-6)),
        case("sum", &[s], |t, v| t.sum(v[0], 2)),
        case("sum, last", &[s], |t, v| t.sum(v[0], 3)),
        case("mean", &[s], |t, v| t.mean(v[0], 0)),
        case("sum_all", &[s], |t, v| t.sum_all(v[0])),
        case("reshape", &[s], |t, v| t.reshape(v[0], [21, 65])),
        case("permute", &[s], |t, v| t.permute(v[0], &[2, 0, 3, 1])),
        case("permute of five", &[&[2, 3, 1, 5, 4]], |t, v| t.permute(v[0], &[4, 1, 3, 0, 2])),
        case("transpose", &[s], |t, v| t.transpose(v[0])),
        case("concat", &[&[7, 3, 5], &[7, 2, 5], &[7, 1, 5]], |t, v| t.concat(v, 1)),
        case("slice", &[s], |t, v| t.slice(v[0], 2, 3..8)),
        case("gather", &[&[7, 3, 5]], |t, v| t.gather(v[0], &[6, 0, 0, 3, 6, 6])),
        case("dropout", &[s], |t, v| t.dropout(v[0], 0.3, 5)),
        case("cross_entropy", &[&[4, 5]], |t, v| t.cross_entropy(v[0], &[Some(4), None, Some(0), Some(4)])),
        case("cross_entropy_soft", &[&[4, 5], &[4, 5]], |t, v| {
            let targets = t.softmax(v[1], None);
            t.cross_entropy_soft(v[0], targets)
        }),
        case("cosine_similarity", &[&[7, 13], &[7, 13]], |t, v| t.cosine_similarity(v[0], v[1])),
    ]
}

/// The sum of all outputs under fixed weights, added up in `f64`.
fn value(case: &Case, params: &Params) -> f64 {
    let mut tape = Tape::inference(params);
    let y = (case.build)(&mut tape);
    let weights = normal(tape.shape(y), 99);
    tape.value(y).data().iter().zip(weights.data()).map(|(&y, &w)| f64::from(y) * f64::from(w)).sum()
}

/// The gradients of the same sum.
pub fn gradients(case: &Case) -> Gradients {
    let mut tape = Tape::new(&case.params);
    let y = (case.build)(&mut tape);
    let weights = tape.constant(normal(tape.shape(y), 99));
    let product = tape.mul(y, weights);
    let loss = tape.sum_all(product);
    let mut gradients = Gradients::new();
    tape.backward(loss, &mut gradients);
    gradients
}

/// Compares the gradients of all parameters with central differences at up to `most` places each.
fn check(case: &Case, most: usize) {
    let gradients = gradients(case);
    let step = 1.2e-2_f32;
    let (name, params) = (&case.name, &case.params);
    for id in params.ids() {
        let input = params.name(id);
        let gradient = gradients.get(id).unwrap_or_else(|| panic!("{name}: no gradient for {input}"));
        let count = gradient.len();
        for place in 0..count.min(most) {
            let at = if count <= most { place } else { place * (count / most) };
            let mut moved = params.clone();
            let x = params.value(id).data()[at];
            let mut at_step = |step: f32| {
                moved.value_mut(id).data_mut()[at] = x + step;
                (value(case, &moved), f64::from(x + step))
            };
            let slope = |at_step: &mut dyn FnMut(f32) -> (f64, f64), step: f32| {
                let ((up, x_up), (down, x_down)) = (at_step(step), at_step(-step));
                (up - down) / (x_up - x_down)
            };
            let near = slope(&mut at_step, step);
            // Two widths together cancel the curvature's leading term (Richardson).
            let numeric = (4.0 * near - slope(&mut at_step, 2.0 * step)) / 3.0;
            let exact = f64::from(gradient[at]);
            // Corners (relu, clamp, min and max) may lie between the places.
            let (before, _) = at_step(0.0);
            let sides = [at_step(step).0 - before, before - at_step(-step).0].map(|rise| rise / f64::from(step));
            let error =
                [numeric, near, sides[0], sides[1]].iter().map(|side| (exact - side).abs()).fold(f64::MAX, f64::min);
            assert!(error <= 2e-3 * (1.0 + numeric.abs()), "{name}: {input} at {at}: {exact}, not {numeric}");
        }
    }
}

#[test]
fn gradients_agree_with_central_differences() {
    for case in cases() {
        check(&case, 40);
    }
}

#[test]
fn gradients_of_fused_blocks_agree_with_central_differences() {
    for case in fused::cases() {
        check(&case, 12);
    }
}

#[test]
fn every_operation_has_a_case() {
    let mut seen = BTreeSet::new();
    for case in cases().into_iter().chain(fused::cases()) {
        let mut tape = Tape::new(&case.params);
        (case.build)(&mut tape);
        seen.extend(tape.recorded());
    }
    let missing: Vec<&&str> = OPERATIONS.iter().copied().flatten().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no gradient is checked for {missing:?}");
}
