//! Gradients through the whole network, against differences.

use lotwise_nn::{EncoderConfig, Pass};
use lotwise_tensor::{Array, Gradients, Params, Random, Tape};

use crate::sample::{inputs, small};

/// A loss that every output and every head enters.
#[test]
fn every_parameter_has_the_gradient_that_differences_show() {
    let config = EncoderConfig { dropout: 0.2, ..small() };
    let mut params = Params::new();
    let encoder = config.init(&mut params, 3).expect("Invariant: the sample's sizes are valid");
    let heads = config.init_heads(&mut params, 3);
    let mut inputs = inputs(&config, [2, 3], 9, 11);
    inputs.masked = Some(Array::from_fn([2, 3, 5], |i| f32::from(u8::from(i % 4 == 0))));
    let mut random = Random::new(1);
    // Zeros are a special place; no parameter should stand there.
    for id in params.ids() {
        params.value_mut(id).data_mut().iter_mut().for_each(|x| *x += 0.1 * random.normal());
    }
    let mut weights = |shape: &[usize]| Array::from_fn(shape, |_| random.normal());
    let shapes: [&[usize]; 5] = [&[2, 3, 12], &[2, 3], &[6, 9, 5], &[6, 4], &[2, 4]];
    let weights = shapes.map(&mut weights);
    let loss = |params: &Params, gradients: Option<&mut Gradients>| -> f64 {
        let mut tape = Tape::new(params);
        let out = encoder.forward(&mut tape, &inputs, Pass::Training { dropout: config.dropout, seed: 5 });
        let parts = [
            out.fused,
            heads.ret(&mut tape, out.fused),
            heads.recovery(&mut tape, out.tokens),
            heads.regime(&mut tape, out.fused),
            heads.market_regime(&mut tape, out.fused, &inputs.keep),
        ];
        let mut total = tape.constant(Array::scalar(0.0));
        for (part, weights) in parts.into_iter().zip(&weights) {
            let weights = tape.constant(weights.clone());
            let product = tape.mul(part, weights);
            let sum = tape.sum_all(product);
            total = tape.add(total, sum);
        }
        let value = f64::from(tape.scalar(total));
        if let Some(gradients) = gradients {
            tape.backward(total, gradients);
        }
        value
    };
    let mut gradients = Gradients::new();
    loss(&params, Some(&mut gradients));
    for id in params.ids().collect::<Vec<_>>() {
        let name = params.name(id).to_owned();
        let gradient = gradients.get(id).unwrap_or_else(|| panic!("{name} has no gradient")).to_vec();
        let direction: Vec<f32> = (0..gradient.len()).map(|_| random.normal()).collect();
        let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
        let step = 2e-3;
        let before = params.value(id).clone();
        let mut moved = |sign: f32| {
            let data = before.data().iter().zip(&direction).map(|(x, d)| x + sign * step * d / length).collect();
            *params.value_mut(id) = Array::new(before.shape(), data);
            loss(&params, None)
        };
        let difference = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
        *params.value_mut(id) = before.clone();
        let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d / length)).sum();
        let size = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
        // The loss has some 200 in f32, so a difference is good to about 0.01.
        let tolerance = 0.01 + 0.002 * size;
        assert!((difference - along).abs() < tolerance, "{name}: {difference} by differences, {along} by the tape");
    }
}
