//! The encoder that knows no ticker, from bars to `h_fused`.

use lotwise_tensor::Array;
use lotwise_tensor::fused::{Activation, BlockConfig, BlockStyle};

use super::graph::{Attribute, Axis, Edge, TO_FLOAT};
use super::layers::Builder;
use crate::Checkpoint;
use crate::encoder::{EncoderConfig, Gate, STATISTICS};
use crate::layers::EPSILON;

/// Axes that may have any size; no window is longer than the network's.
const DAYS: Axis = Axis::Any("days");
const ASSETS: Axis = Axis::Any("assets");
const BARS: Axis = Axis::Any("bars");

/// The content of an ONNX file that computes what [`crate::CrossAssetEncoder::embed`] does.
///
/// Inputs have the names and shapes of [`crate::EncoderInputs`], without `masked`; those that the network has
/// no use for (of a branch or of metadata that it is without) are left out. The output is `h_fused`
/// `[days, assets, d]`. The manifest lies under `manifest` in the file's notes.
#[must_use]
pub fn encoder_model(checkpoint: &Checkpoint) -> Vec<u8> {
    let config = checkpoint.encoder.config();
    let mut build = Builder::new(&checkpoint.params);
    let keep = build.graph.input("keep", &[DAYS, ASSETS]);
    let market = market(&mut build, config);
    let days_assets = build.graph.sizes(&keep, &[0, 1]);
    let dim = build.graph.ints(&[config.dim as i64]);
    let shape = build.graph.join(&[&days_assets, &dim], 0);
    let mut gated = build.op("Reshape", &[&market, &shape]);
    if config.temporal_width > 0 && config.gate != Gate::Off {
        gated = fusion(&mut build, config, &gated);
    }
    if config.metadata_fields > 0 {
        let metadata = metadata(&mut build, config);
        gated = build.op("Add", &[&gated, &metadata]);
    }
    // A choice, not a product: padding may hold what is not a number, which a product with 0 would hand on to the day.
    let kept = build.unsqueeze(&keep, &[2]);
    let is_kept = build.set(&kept);
    let zero = build.graph.float(0.0);
    let mut x = build.op("Where", &[&is_kept, &gated, &zero]);
    for i in 0..config.asset_layers {
        x = build.block(&x, &keep, None, &format!("assets.block.{i}"), &block(config));
    }
    let x = build.layer_norm(&x, "assets.norm", EPSILON);
    let fused = build.op("Mul", &[&x, &kept]);
    build.graph.output("h_fused", &fused, &[DAYS, ASSETS, Axis::Fixed(config.dim)]);
    let manifest =
        serde_json::to_string(&checkpoint.manifest).expect("Invariant: a manifest is made of texts and numbers");
    let doc =
        "The encoder that knows no ticker: bars, closes and metadata of the assets of a day become one vector each.";
    build.graph.into_model("encoder", doc, &[("manifest", &manifest)])
}

fn block(config: &EncoderConfig) -> BlockConfig {
    BlockConfig {
        dim: config.dim,
        heads: config.heads,
        head_dim: config.dim / config.heads,
        hidden: config.hidden,
        style: BlockStyle::Standard,
        activation: Activation::Gelu,
        epsilon: EPSILON,
    }
}

/// Stage 1: `[days * assets, 1, d]`.
fn market(build: &mut Builder<'_>, config: &EncoderConfig) -> Edge {
    let features = Axis::Fixed(config.features);
    let [values, undefined] =
        ["values", "undefined"].map(|name| build.graph.input(name, &[DAYS, ASSETS, BARS, features]));
    let present = build.graph.input("present", &[DAYS, ASSETS, BARS]);
    let bars = build.graph.sizes(&present, &[2]);
    let [any, last] = [-1, config.features as i64].map(|x| build.graph.ints(&[x]));
    let windows = build.graph.join(&[&any, &bars], 0);
    let present = build.op("Reshape", &[&present, &windows]);
    let windows = build.graph.join(&[&windows, &last], 0);
    let [values, undefined] = [&values, &undefined].map(|x| build.op("Reshape", &[x, &windows]));

    // What is unknown tells no value, and padding tells nothing.
    let there = build.unsqueeze(&present, &[2]);
    let there = build.set(&there);
    let unknown = build.set(&undefined);
    let unknown = build.op("And", &[&unknown, &there]);
    let known = build.op("Not", &[&unknown]);
    let known = build.op("And", &[&known, &there]);
    let zero = build.graph.float(0.0);
    let values = build.op("Where", &[&known, &values, &zero]);
    let unknown = build.cast(&unknown, TO_FLOAT);
    let x = build.linear(&values, "market.input");
    let table = build.param("market.undefined_embedding");
    let added = build.op("MatMul", &[&unknown, &table]);
    let x = build.op("Add", &[&x, &added]);

    // Positions count from the last bar. The table stands the other way round, so that a window that is too long asks
    // for a row that is not there: before the first row, an index would count from the end.
    let table = build.value("market.position");
    let (window, dim) = (config.window, config.dim);
    let turned = Array::from_fn([window, dim], |i| table.data()[(window - 1 - i / dim) * dim + i % dim]);
    let table = build.graph.weight("market.position.newest_first", &turned);
    let one = build.graph.ints(&[1]);
    let back = build.op("Sub", &[&bars, &one]);
    let count = build.op("Squeeze", &[&bars]);
    let [first, step] = [0, 1].map(|x| build.graph.int(x));
    let at = build.op("Range", &[&first, &count, &step]);
    let rows = build.op("Sub", &[&back, &at]);
    let positions = build.graph.op("Gather", &[&table, &rows], &[("axis", Attribute::Int(0))]);
    let mut x = build.op("Add", &[&x, &positions]);
    for i in 0..config.market_layers {
        x = build.block(&x, &present, None, &format!("market.block.{i}"), &block(config));
    }
    let tokens = build.layer_norm(&x, "market.norm", EPSILON);
    let pool = build.param("market.pool");
    let scores = build.op("MatMul", &[&tokens, &pool]);
    let scores = build.transpose(&scores, &[0, 2, 1]);
    let present = build.unsqueeze(&present, &[1]);
    let shares = build.softmax(&scores, &present);
    build.op("MatMul", &[&shares, &tokens])
}

/// Stage 1.5: lets the frozen branch in.
fn fusion(build: &mut Builder<'_>, config: &EncoderConfig, market: &Edge) -> Edge {
    let sizes = [("temporal", config.temporal_width), ("statistics", STATISTICS), ("statistics_known", 1)];
    let [branch, statistics, known] =
        sizes.map(|(name, width)| build.graph.input(name, &[DAYS, ASSETS, Axis::Fixed(width)]));
    let joined = build.graph.join(&[&branch, &statistics], 2);
    let x = build.mlp(&joined, "temporal", 2, Activation::Gelu);
    let x = build.layer_norm(&x, "temporal.norm", EPSILON);
    let is_known = build.set(&known);
    let zero = build.graph.float(0.0);
    let temporal = build.op("Where", &[&is_known, &x, &zero]);
    let let_in = if config.gate == Gate::Learned {
        let both = build.graph.join(&[market, &temporal], 2);
        let gate = build.linear(&both, "gate");
        let gate = build.op("Sigmoid", &[&gate]);
        build.op("Mul", &[&gate, &temporal])
    } else {
        temporal
    };
    build.op("Add", &[market, &let_in])
}

fn metadata(build: &mut Builder<'_>, config: &EncoderConfig) -> Edge {
    let axes = [DAYS, ASSETS, Axis::Fixed(config.metadata_fields)];
    let [values, available] = ["metadata", "available"].map(|name| build.graph.input(name, &axes));
    let typical = build.param("metadata.typical");
    let available = build.set(&available);
    let fields = build.op("Where", &[&available, &values, &typical]);
    let x = build.mlp(&fields, "metadata", 2, Activation::Gelu);
    build.layer_norm(&x, "metadata.norm", EPSILON)
}
