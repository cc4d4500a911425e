//! A graph of operations under construction.

use std::collections::BTreeMap;

use lotwise_tensor::Array;

use super::wire::Message;

/// The version of the operations.
const OPSET: i64 = 17;
/// The version of the file's layout that came with it.
const IR: i64 = 8;
/// Kinds of numbers.
const FLOAT: i64 = 1;
const INT64: i64 = 7;
/// Kinds of numbers to convert to.
pub const TO_FLOAT: i64 = FLOAT;
pub const TO_DOUBLE: i64 = 11;

/// What an operation computes or a model is given, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge(String);

/// A switch of an operation.
#[derive(Debug, Clone)]
pub enum Attribute {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
}

/// A size of an input or output.
#[derive(Debug, Clone, Copy)]
pub enum Axis {
    /// Always so many.
    Fixed(usize),
    /// Any number, the same wherever this name stands.
    Any(&'static str),
}

/// Sizes, kind and content.
type Constant = (Vec<i64>, i64, Vec<u8>);

/// Operations in the order in which they can be computed, and what they work on.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Message>,
    weights: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
    /// Constants by their content, so that each is written once.
    constants: BTreeMap<Constant, Edge>,
}

impl Graph {
    /// An input of the model.
    pub fn input(&mut self, name: &str, axes: &[Axis]) -> Edge {
        self.inputs.push(value_info(name, axes));
        Edge(name.to_owned())
    }

    /// Names what is computed as an output of the model.
    pub fn output(&mut self, name: &str, edge: &Edge, axes: &[Axis]) {
        self.node("Identity", &[edge], &[], name.to_owned());
        self.outputs.push(value_info(name, axes));
    }

    /// A tensor that comes with the model.
    pub fn weight(&mut self, name: &str, value: &Array) -> Edge {
        let bytes: Vec<u8> = value.data().iter().flat_map(|x| x.to_le_bytes()).collect();
        self.weights.push(tensor(name, value.shape().iter().map(|&size| size as i64), FLOAT, &bytes));
        Edge(name.to_owned())
    }

    /// Whole numbers: a shape, axes, indices. Always of one dimension.
    pub fn ints(&mut self, values: &[i64]) -> Edge {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(vec![values.len() as i64], INT64, bytes)
    }

    /// One whole number, without a dimension.
    pub fn int(&mut self, value: i64) -> Edge {
        self.constant(Vec::new(), INT64, value.to_le_bytes().to_vec())
    }

    /// One number, without a dimension.
    pub fn float(&mut self, value: f32) -> Edge {
        self.constant(Vec::new(), FLOAT, value.to_le_bytes().to_vec())
    }

    fn constant(&mut self, shape: Vec<i64>, kind: i64, bytes: Vec<u8>) -> Edge {
        let key = (shape, kind, bytes);
        if let Some(edge) = self.constants.get(&key) {
            return edge.clone();
        }
        let edge = Edge(format!("constant.{}", self.constants.len()));
        self.weights.push(tensor(&edge.0, key.0.iter().copied(), kind, &key.2));
        self.constants.insert(key, edge.clone());
        edge
    }

    /// An operation with one output.
    pub fn op(&mut self, kind: &str, inputs: &[&Edge], attributes: &[(&str, Attribute)]) -> Edge {
        let name = format!("{kind}.{}", self.nodes.len());
        self.node(kind, inputs, attributes, name)
    }

    fn node(&mut self, kind: &str, inputs: &[&Edge], attributes: &[(&str, Attribute)], name: String) -> Edge {
        let node = Message::default()
            .each(inputs, |node, input| node.text(1, &input.0))
            .text(2, &name)
            .text(3, &name)
            .text(4, kind)
            .each(attributes, |node, (name, value)| node.message(5, &attribute(name, value)));
        self.nodes.push(node);
        Edge(name)
    }

    /// The sizes of some dimensions, as a list.
    pub fn sizes(&mut self, of: &Edge, dimensions: &[i64]) -> Edge {
        let shape = self.op("Shape", &[of], &[]);
        let dimensions = self.ints(dimensions);
        self.op("Gather", &[&shape, &dimensions], &[("axis", Attribute::Int(0))])
    }

    /// A list of whole numbers joined from several.
    pub fn join(&mut self, parts: &[&Edge], axis: i64) -> Edge {
        self.op("Concat", parts, &[("axis", Attribute::Int(axis))])
    }

    /// The whole model as a file; `notes` say what it is.
    pub fn into_model(self, name: &str, doc: &str, notes: &[(&str, &str)]) -> Vec<u8> {
        let graph = Message::default()
            .each(&self.nodes, |graph, node| graph.message(1, node))
            .text(2, name)
            .each(&self.weights, |graph, weight| graph.message(5, weight))
            .each(&self.inputs, |graph, input| graph.message(11, input))
            .each(&self.outputs, |graph, output| graph.message(12, output));
        Message::default()
            .int(1, IR)
            .text(2, "lotwise")
            .text(3, env!("CARGO_PKG_VERSION"))
            .text(6, doc)
            .message(7, &graph)
            .message(8, &Message::default().text(1, "").int(2, OPSET))
            .each(notes, |model, (key, text)| model.message(14, &Message::default().text(1, key).text(2, text)))
            .into_bytes()
    }
}

fn tensor(name: &str, shape: impl IntoIterator<Item = i64>, kind: i64, bytes: &[u8]) -> Message {
    let sizes = Message::default().each(shape, |tensor, size| tensor.int(1, size));
    sizes.int(2, kind).text(8, name).bytes(9, bytes)
}

fn value_info(name: &str, axes: &[Axis]) -> Message {
    let shape = Message::default().each(axes, |shape, axis| {
        let size = match axis {
            Axis::Fixed(size) => Message::default().int(1, *size as i64),
            Axis::Any(name) => Message::default().text(2, name),
        };
        shape.message(1, &size)
    });
    let kind = Message::default().int(1, FLOAT).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &kind))
}

fn attribute(name: &str, value: &Attribute) -> Message {
    let named = Message::default().text(1, name);
    match value {
        Attribute::Float(x) => named.float(2, *x).int(20, 1),
        Attribute::Int(x) => named.int(3, *x).int(20, 2),
        Attribute::Ints(all) => named.each(all, |named, x| named.int(8, *x)).int(20, 7),
    }
}
