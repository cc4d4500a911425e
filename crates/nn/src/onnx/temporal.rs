//! The frozen branch, from closes to pooled numbers.

use lotwise_tensor::Array;
use lotwise_tensor::fused::{BlockConfig, BlockStyle};

use super::graph::{Attribute, Axis, Edge, TO_DOUBLE, TO_FLOAT};
use super::layers::Builder;
use crate::chronos::{Architecture, BoltConfig, Chronos, Input, Stack, StackConfig};
use crate::{Error, FrozenTemporal};

const WINDOWS: Axis = Axis::Any("windows");
const BARS: Axis = Axis::Any("bars");
/// The deviation that a window without any movement is given.
const FLAT: f32 = 1e-5;

/// The content of an ONNX file that computes what [`FrozenTemporal::embed`] of a network of the Chronos-Bolt
/// form does, preparation of closes and patches included.
///
/// The input is `closes` `[windows, bars]`, NaN where there is none; the output is `temporal` `[windows, k]`.
///
/// # Errors
/// For Chronos-T5: a token changes where a sum differs in its last bit, and no ONNX runtime promises an order.
pub fn temporal_model(network: &Chronos) -> Result<Vec<u8>, Error> {
    let config = network.config();
    let Architecture::Bolt(bolt) = &config.architecture else {
        return Err(Error::Setting {
            place: "config.json".to_owned(),
            key: "architectures".to_owned(),
            problem: "is Chronos-T5, which is not exported, since its tokens depend on the order of sums; \
                      Chronos-Bolt is"
                .to_owned(),
        });
    };
    let mut build = Builder::new(network.params());
    let closes = build.graph.input("closes", &[WINDOWS, BARS]);
    let x = prepare(&mut build, &closes, config.input);
    let newest = [-(bolt.context as i64), i64::MAX, 1].map(|x| build.graph.ints(&[x]));
    let x = build.op("Slice", &[&x, &newest[0], &newest[1], &newest[2]]);
    let (values, mut keep, count) = patches(&mut build, &x, bolt);

    let hidden = build.linear(&values, "patches.hidden_layer");
    let hidden = build.activation(&hidden, config.stack.activation);
    let inner = build.linear(&hidden, "patches.output_layer");
    let beside = build.linear(&values, "patches.residual_layer");
    let mut x = build.op("Add", &[&inner, &beside]);
    if bolt.register {
        // The second row of the table stands behind the patches of every window.
        let row = build.value("table").data()[config.stack.dim..].to_vec();
        let register = build.graph.weight("table.register", &Array::new([1, 1, config.stack.dim], row));
        let one = build.graph.weight("table.kept", &Array::full([1, 1], 1.0));
        let windows = build.graph.sizes(&keep, &[0]);
        let ones = build.graph.ints(&[1]);
        let shape = build.graph.join(&[&windows, &ones], 0);
        let one = build.op("Expand", &[&one, &shape]);
        let shape = build.graph.join(&[&shape, &ones], 0);
        let register = build.op("Expand", &[&register, &shape]);
        x = build.graph.join(&[&x, &register], 1);
        keep = build.graph.join(&[&keep, &one], 1);
    }
    let x = stack(&mut build, x, &keep, network.stack(), longest(bolt));

    // The mean over positions that count, and 0 for windows without a close.
    let axis = build.graph.ints(&[1]);
    let least = build.graph.float(1.0);
    let there = build.op("ReduceSum", &[&keep, &axis]);
    let there = build.op("Max", &[&there, &least]);
    let weights = build.op("Div", &[&keep, &there]);
    let weights = build.unsqueeze(&weights, &[1]);
    let pooled = build.op("MatMul", &[&weights, &x]);
    let pooled = build.op("Squeeze", &[&pooled, &axis]);
    let any = build.set(&count);
    let any = build.cast(&any, TO_FLOAT);
    let pooled = build.op("Mul", &[&pooled, &any]);
    build.graph.output("temporal", &pooled, &[WINDOWS, Axis::Fixed(config.stack.dim)]);
    let doc = "A frozen encoder of closing prices: windows of closes become one vector each.";
    Ok(build.graph.into_model(network.kind(), doc, &[("fingerprint", &network.fingerprint())]))
}

/// The most positions of a window.
fn longest(bolt: &BoltConfig) -> usize {
    let padded = bolt.context.next_multiple_of(bolt.patch);
    (padded - bolt.patch) / bolt.stride + 1 + usize::from(bolt.register)
}

/// What of the closes is fed to the network, NaN where it is missing.
fn prepare(build: &mut Builder<'_>, closes: &Edge, input: Input) -> Edge {
    let missing = build.graph.float(f32::NAN);
    let infinite = build.op("IsInf", &[closes]);
    let x = build.op("Where", &[&infinite, &missing, closes]);
    if input == Input::Prices {
        return x;
    }
    let above = build.set(&x);
    let x = build.op("Where", &[&above, &x, &missing]);
    let base = if input == Input::LogPrices {
        // The first close that is there.
        let there = build.cast(&above, TO_FLOAT);
        let at = build.over("ArgMax", &there, 1);
        build.graph.op("GatherElements", &[&x, &at], &[("axis", Attribute::Int(1))])
    } else {
        // The close of the day before.
        let behind = build.graph.ints(&[0, 1, 0, -1]);
        build.op("Pad", &[&x, &behind, &missing])
    };
    let [x, base] = [&x, &base].map(|x| build.cast(x, TO_DOUBLE));
    let ratio = build.op("Div", &[&x, &base]);
    let log = build.op("Log", &[&ratio]);
    build.cast(&log, TO_FLOAT)
}

/// Standard scores in patches `[windows, patches, 2 size]`, which patches hold anything, and how many numbers
/// each window has, `[windows, 1]`.
fn patches(build: &mut Builder<'_>, x: &Edge, bolt: &BoltConfig) -> (Edge, Edge, Edge) {
    let [size, stride] = [bolt.patch as i64, bolt.stride as i64];
    let [zero, least, flat] = [0.0, 1.0, FLAT].map(|x| build.graph.float(x));
    let axis = build.graph.ints(&[1]);
    let gap = build.op("IsNaN", &[x]);
    let there = build.op("Not", &[&gap]);
    let there = build.cast(&there, TO_FLOAT);
    let count = build.op("ReduceSum", &[&there, &axis]);
    let divisor = build.op("Max", &[&count, &least]);
    // Sums in f64, so that their order does not matter; everything else in f32, as inference here has it.
    let divisor = build.cast(&divisor, TO_DOUBLE);
    let mean = |build: &mut Builder<'_>, of: &Edge| {
        let of = build.op("Where", &[&gap, &zero, of]);
        let of = build.cast(&of, TO_DOUBLE);
        let sum = build.op("ReduceSum", &[&of, &axis]);
        let mean = build.op("Div", &[&sum, &divisor]);
        build.cast(&mean, TO_FLOAT)
    };
    let centre = mean(build, x);
    let centred = build.op("Sub", &[x, &centre]);
    let squares = build.op("Mul", &[&centred, &centred]);
    let variance = mean(build, &squares);
    let deviation = build.op("Sqrt", &[&variance]);
    let moves = build.set(&deviation);
    let deviation = build.op("Where", &[&moves, &deviation, &flat]);
    let scores = build.op("Div", &[&centred, &deviation]);
    let scores = build.op("Where", &[&gap, &zero, &scores]);

    // Padding in front, so that the last patch ends with the newest number.
    let bars = build.graph.sizes(x, &[1]);
    let [width, none, one, step] = [size, 0, 1, stride].map(|x| build.graph.ints(&[x]));
    let over = build.op("Mod", &[&bars, &width]);
    let short = build.op("Sub", &[&width, &over]);
    let short = build.op("Mod", &[&short, &width]);
    let pads = build.graph.join(&[&none, &short, &none, &none], 0);
    let padded = build.op("Add", &[&bars, &short]);
    let span = build.op("Sub", &[&padded, &width]);
    let steps = build.op("Div", &[&span, &step]);
    let patches = build.op("Add", &[&steps, &one]);
    let patches = build.op("Squeeze", &[&patches]);
    let [from, by] = [0, 1].map(|x| build.graph.int(x));
    let first = build.op("Range", &[&from, &patches, &by]);
    let first = build.op("Mul", &[&first, &step]);
    let first = build.unsqueeze(&first, &[1]);
    let within = build.graph.ints(&(0..size).collect::<Vec<_>>());
    let at = build.op("Add", &[&first, &within]);
    let [scores, there] = [&scores, &there].map(|x| {
        let padded = build.op("Pad", &[x, &pads, &zero]);
        build.graph.op("Gather", &[&padded, &at], &[("axis", Attribute::Int(1))])
    });
    let keep = [("axes", Attribute::Ints(vec![2])), ("keepdims", Attribute::Int(0))];
    let keep = build.graph.op("ReduceMax", &[&there], &keep);
    (build.graph.join(&[&scores, &there], 2), keep, count)
}

fn stack(build: &mut Builder<'_>, mut x: Edge, keep: &Edge, stack: &Stack, longest: usize) -> Edge {
    let StackConfig { dim, heads, head_dim, hidden, layers, epsilon, activation, .. } = *stack.config();
    // The bias depends on distances alone, so that of a short sequence is a corner of that of the longest.
    let table = stack.laid_out(build.value("encoder.bias"), longest);
    let table = build.graph.weight("encoder.bias.laid_out", &table);
    let positions = build.graph.sizes(&x, &[1, 1]);
    let ends = build.graph.ints(&[longest as i64; 2]);
    let axes = build.graph.ints(&[1, 2]);
    let starts = build.op("Sub", &[&ends, &positions]);
    let bias = build.op("Slice", &[&table, &starts, &ends, &axes]);
    let config = BlockConfig { dim, heads, head_dim, hidden, style: BlockStyle::T5, activation, epsilon };
    for i in 0..layers {
        x = build.block(&x, keep, Some(&bias), &format!("encoder.block.{i}"), &config);
    }
    build.rms_norm(&x, "encoder", epsilon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_window_has_so_many_positions() {
        let bolt = |context, patch, stride, register| BoltConfig {
            context,
            prediction: 1,
            patch,
            stride,
            quantiles: vec![0.5],
            register,
        };
        assert_eq!(longest(&bolt(256, 16, 16, true)), 17);
        assert_eq!(longest(&bolt(250, 16, 16, false)), 16);
        assert_eq!(longest(&bolt(64, 16, 8, false)), 7);
    }
}
