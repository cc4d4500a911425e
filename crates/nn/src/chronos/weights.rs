//! Where the tensors of a published file go, and back.

use std::collections::BTreeMap;

use lotwise_tensor::{Array, Params, Weights};

use super::{Architecture, ChronosConfig};
use crate::Error;

/// A published tensor and the parameter that it is, or is a part of.
pub(super) struct Link {
    /// The tensor's name and shape in the file.
    pub name: String,
    pub shape: Vec<usize>,
    /// The parameter's name.
    pub ours: String,
    pub place: Place,
}

/// How a tensor lies in its parameter.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// As it is.
    Whole,
    /// Turned round, from `[outputs, inputs]` to columns of `[inputs, outputs]`, from this one on.
    Columns(usize),
}

/// The names under which a file may hold other parts of the network, which are not computed.
const OTHERS: [&str; 4] = ["decoder.", "lm_head.", "output_patch_embedding.", "shared."];
/// A second name of the table of tokens.
const SAME_TABLE: &str = "encoder.embed_tokens.weight";

/// All tensors of the encoder.
pub(super) fn links(config: &ChronosConfig) -> Vec<Link> {
    let stack = &config.stack;
    let (dim, inner, hidden) = (stack.dim, stack.heads * stack.head_dim, stack.hidden);
    let mut links = Vec::new();
    let mut link = |name: String, shape: &[usize], ours: String, place: Place| {
        links.push(Link { name, shape: shape.to_vec(), ours, place });
    };
    let turned = Place::Columns(0);
    match &config.architecture {
        Architecture::T5(t5) => {
            link("shared.weight".into(), &[t5.vocabulary, dim], "table".into(), Place::Whole);
        }
        Architecture::Bolt(bolt) => {
            for (layer, outputs, inputs) in [
                ("hidden_layer", hidden, 2 * bolt.patch),
                ("output_layer", dim, hidden),
                ("residual_layer", dim, 2 * bolt.patch),
            ] {
                let (name, ours) = (format!("input_patch_embedding.{layer}"), format!("patches.{layer}"));
                link(format!("{name}.weight"), &[outputs, inputs], format!("{ours}.weight"), turned);
                link(format!("{name}.bias"), &[outputs], format!("{ours}.bias"), Place::Whole);
            }
            if bolt.register {
                link("shared.weight".into(), &[2, dim], "table".into(), Place::Whole);
            }
        }
    }
    for i in 0..stack.layers {
        let (name, ours) = (format!("encoder.block.{i}.layer"), format!("encoder.block.{i}"));
        for (part, letter) in ["q", "k", "v"].iter().enumerate() {
            let place = Place::Columns(part * inner);
            link(format!("{name}.0.SelfAttention.{letter}.weight"), &[inner, dim], format!("{ours}.qkv.weight"), place);
        }
        link(format!("{name}.0.SelfAttention.o.weight"), &[dim, inner], format!("{ours}.out.weight"), turned);
        link(format!("{name}.0.layer_norm.weight"), &[dim], format!("{ours}.norm1.gain"), Place::Whole);
        link(format!("{name}.1.DenseReluDense.wi.weight"), &[hidden, dim], format!("{ours}.up.weight"), turned);
        link(format!("{name}.1.DenseReluDense.wo.weight"), &[dim, hidden], format!("{ours}.down.weight"), turned);
        link(format!("{name}.1.layer_norm.weight"), &[dim], format!("{ours}.norm2.gain"), Place::Whole);
    }
    let bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    link(bias.into(), &[stack.buckets, stack.heads], "encoder.bias".into(), Place::Whole);
    link("encoder.final_layer_norm.weight".into(), &[dim], "encoder.gain".into(), Place::Whole);
    links
}

/// Refuses a file that lacks a tensor, has one of another shape, one that nobody knows, or numbers that
/// are none.
pub(super) fn check(links: &[Link], weights: &mut Weights, place: &str) -> Result<(), Error> {
    let fault = |name: &str, problem: String| Error::Tensor { place: place.to_owned(), name: name.to_owned(), problem };
    let tables = [SAME_TABLE, "shared.weight"];
    if let (Some(one), None) = tables.map(|name| weights.tensors.get(name)).into() {
        let one = one.clone();
        weights.tensors.insert(tables[1].to_owned(), one);
    }
    let known: BTreeMap<&str, &Link> = links.iter().map(|link| (link.name.as_str(), link)).collect();
    let strange = |name: &&String| {
        !known.contains_key(name.as_str())
            && name.as_str() != SAME_TABLE
            && !OTHERS.iter().any(|other| name.starts_with(other))
    };
    let strangers: Vec<&String> = weights.tensors.keys().filter(strange).collect();
    for link in links {
        let Some(tensor) = weights.tensors.get(&link.name) else {
            let hint = match &strangers[..] {
                [] => String::new(),
                [first, ..] => format!("; the file has {first} instead, which is not known here"),
            };
            return Err(fault(&link.name, format!("is missing{hint}")));
        };
        if tensor.shape()[..] != link.shape[..] {
            let problem = format!("has the shape {:?}, not {:?} as config.json says", &tensor.shape()[..], link.shape);
            return Err(fault(&link.name, problem));
        }
        if tensor.data().iter().any(|x| !x.is_finite()) {
            return Err(fault(&link.name, "holds numbers that are not finite".to_owned()));
        }
    }
    match strangers.first() {
        Some(name) => Err(fault(name, "is not part of a Chronos network that is computed here".to_owned())),
        None => Ok(()),
    }
}

/// Copies a checked file into parameters.
pub(super) fn fill(links: &[Link], weights: &Weights, params: &mut Params) {
    for link in links {
        let tensor = &weights.tensors[&link.name];
        let id = params.find(&link.ours).expect("Invariant: links name parameters of the network");
        let Place::Columns(first) = link.place else {
            let shape = params.value(id).shape();
            *params.value_mut(id) = tensor.reshaped(shape);
            continue;
        };
        let width = params.value(id).shape().width();
        let to = params.value_mut(id).data_mut();
        for (column, row) in tensor.data().chunks_exact(link.shape[1]).enumerate() {
            for (i, &x) in row.iter().enumerate() {
                to[i * width + first + column] = x;
            }
        }
    }
}

/// The file of a network: the way back from [`fill`].
pub(super) fn publish(links: &[Link], params: &Params) -> Weights {
    let mut weights = Weights::default();
    for link in links {
        let id = params.find(&link.ours).expect("Invariant: links name parameters of the network");
        let value = params.value(id);
        let tensor = match link.place {
            Place::Whole => value.reshaped(&link.shape[..]),
            Place::Columns(first) => {
                let (inputs, width) = (link.shape[1], value.shape().width());
                Array::from_fn(&link.shape[..], |i| value.data()[i % inputs * width + first + i / inputs])
            }
        };
        weights.tensors.insert(link.name.clone(), tensor);
    }
    weights
}
