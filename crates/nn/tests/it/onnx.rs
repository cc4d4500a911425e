//! Exported networks hold together: read back by a reader of the format, every operation has what it works on, and every
//! weight is the network's. What they compute is compared with onnxruntime by `tools/check_onnx.py`.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_nn::checkpoint::Names;
use lotwise_nn::chronos::{Architecture, Chronos, ChronosConfig, Input, StackConfig, T5Config};
use lotwise_nn::encoder::Gate;
use lotwise_nn::onnx::{Model, encoder_model, temporal_model};
use lotwise_nn::temporal::NoTemporal;
use lotwise_nn::{Checkpoint, EncoderConfig, FrozenTemporal};
use lotwise_tensor::Params;
use lotwise_tensor::fused::Activation;

use crate::sample::small;

/// The fields of a message, by number: whole numbers as they are, everything else as bytes.
#[derive(Debug, Default)]
struct Fields(BTreeMap<u64, Vec<Field>>);

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Int(u64),
    Bytes(Vec<u8>),
}

impl Fields {
    fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Self::default();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let mut take = |count: usize| {
                let (taken, rest) = bytes.split_at(count);
                bytes = rest;
                taken.to_vec()
            };
            let field = match key & 7 {
                0 => Field::Int(varint(&mut bytes)),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    let (taken, rest) = bytes.split_at(length);
                    bytes = rest;
                    Field::Bytes(taken.to_vec())
                }
                5 => Field::Bytes(take(4)),
                kind => unreachable!("no field is of kind {kind}"),
            };
            fields.0.entry(key >> 3).or_default().push(field);
        }
        fields
    }

    fn bytes(&self, field: u64) -> impl Iterator<Item = &[u8]> {
        self.0.get(&field).into_iter().flatten().map(|field| match field {
            Field::Bytes(bytes) => &bytes[..],
            Field::Int(_) => &[],
        })
    }

    fn texts(&self, field: u64) -> Vec<String> {
        self.bytes(field).map(|bytes| String::from_utf8(bytes.to_vec()).expect("Invariant: names are UTF-8")).collect()
    }

    fn text(&self, field: u64) -> String {
        self.texts(field).concat()
    }

    fn ints(&self, field: u64) -> Vec<u64> {
        let ints = self.0.get(&field).into_iter().flatten();
        ints.filter_map(|field| if let Field::Int(x) = field { Some(*x) } else { None }).collect()
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("Invariant: a number ends");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

/// What a model says of itself, once it is seen to hold together.
struct Read {
    inputs: Vec<String>,
    outputs: Vec<String>,
    weights: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    notes: Vec<String>,
}

/// Names with sizes, as `keep[days, assets]`.
fn shown(values: &[Fields]) -> Vec<String> {
    let one = |value: &Fields| {
        let kind = Fields::read(value.bytes(2).next().unwrap_or_default());
        let tensor = Fields::read(kind.bytes(1).next().unwrap_or_default());
        assert_eq!(tensor.ints(1), [1], "f32");
        let shape = Fields::read(tensor.bytes(2).next().unwrap_or_default());
        let axes: Vec<String> = (shape.bytes(1).map(Fields::read))
            .map(|axis| axis.ints(1).first().map_or_else(|| axis.text(2), ToString::to_string))
            .collect();
        format!("{}[{}]", value.text(1), axes.join(", "))
    };
    values.iter().map(one).collect()
}

fn read(model: &[u8]) -> Read {
    let model = Fields::read(model);
    assert_eq!(model.ints(1), [8], "version of the layout");
    let opset = Fields::read(model.bytes(8).next().unwrap_or_default());
    assert_eq!((opset.text(1), opset.ints(2)), (String::new(), vec![17]));
    let graph = Fields::read(model.bytes(7).next().unwrap_or_default());
    let all = |field: u64| graph.bytes(field).map(Fields::read).collect::<Vec<_>>();
    let (nodes, tensors, inputs, outputs) = (all(1), all(5), all(11), all(12));

    let mut known = BTreeSet::new();
    for name in inputs.iter().map(|input| input.text(1)).chain(tensors.iter().map(|tensor| tensor.text(8))) {
        assert!(known.insert(name.clone()), "{name} twice");
    }
    let mut used = BTreeSet::new();
    for node in &nodes {
        for input in node.texts(1) {
            assert!(known.contains(&input), "{} works on {input}, which is not there yet", node.text(3));
            used.insert(input);
        }
        assert!(known.insert(node.text(2)), "{} twice", node.text(2));
    }
    let outputs_named: BTreeSet<String> = outputs.iter().map(|output| output.text(1)).collect();
    assert!(outputs_named.is_subset(&known));
    let idle: Vec<&String> =
        known.iter().filter(|name| !used.contains(*name) && !outputs_named.contains(*name)).collect();
    assert!(idle.is_empty(), "nobody uses {idle:?}");

    let mut weights = BTreeMap::new();
    for tensor in tensors.iter().filter(|tensor| tensor.ints(2) == [1]) {
        let shape: Vec<usize> = tensor.ints(1).iter().map(|&size| size as usize).collect();
        let bytes = tensor.bytes(9).next().unwrap_or_default();
        let data: Vec<f32> = bytes.chunks_exact(4).map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]])).collect();
        assert_eq!(shape.iter().product::<usize>(), data.len(), "{}", tensor.text(8));
        weights.insert(tensor.text(8), (shape, data));
    }
    let notes = model.bytes(14).map(|note| Fields::read(note).text(1)).collect();
    Read { inputs: shown(&inputs), outputs: shown(&outputs), weights, notes }
}

fn checkpoint(config: &EncoderConfig) -> Checkpoint {
    let mut params = Params::new();
    let encoder = config.init(&mut params, 3).expect("Invariant: the sample's sizes are valid");
    let heads = config.init_heads(&mut params, 3);
    Checkpoint::new(params, encoder, heads, Names::default(), &NoTemporal, None)
}

#[test]
fn an_exported_encoder_holds_every_weight_of_inference() {
    let checkpoint = checkpoint(&small());
    let read = read(&encoder_model(&checkpoint));
    insta::assert_snapshot!(read.inputs.join("\n"), @"
    keep[days, assets]
    values[days, assets, bars, 5]
    undefined[days, assets, bars, 5]
    present[days, assets, bars]
    temporal[days, assets, 6]
    statistics[days, assets, 4]
    statistics_known[days, assets, 1]
    metadata[days, assets, 7]
    available[days, assets, 7]
    ");
    assert_eq!(read.outputs, ["h_fused[days, assets, 12]"]);
    assert_eq!(read.notes, ["manifest"]);
    let mut left = Vec::new();
    for id in checkpoint.params.ids() {
        let (name, value) = (checkpoint.params.name(id), checkpoint.params.value(id));
        match read.weights.get(name) {
            Some(found) => assert_eq!(*found, (value.shape().to_vec(), value.data().to_vec()), "{name}"),
            None => left.push(name),
        }
    }
    // Positions stand the other way round; training alone needs the mark of hidden features and the heads.
    let apart = ["market.position", "market.mask_embedding"];
    assert!(left.iter().all(|name| apart.contains(name) || name.starts_with("heads.")), "{left:?}");
    assert!(apart.iter().all(|name| left.contains(name)));
    let position = checkpoint.params.find("market.position").unwrap();
    let (shape, turned) = &read.weights["market.position.newest_first"];
    assert_eq!(shape[..], [9, 12]);
    assert!(turned.chunks(12).rev().flatten().eq(checkpoint.params.value(position).data()));
}

#[test]
fn inputs_that_a_network_has_no_use_for_are_left_out() {
    let inputs = |config: &EncoderConfig| {
        let read = read(&encoder_model(&checkpoint(config)));
        read.inputs.iter().map(|input| input.split('[').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let stage_1 = ["keep", "values", "undefined", "present"];
    let bare = EncoderConfig { metadata_fields: 0, temporal_width: 0, ..small() };
    assert_eq!(inputs(&bare), stage_1);
    assert_eq!(inputs(&EncoderConfig { gate: Gate::Off, metadata_fields: 0, ..small() }), stage_1);
    let fixed = EncoderConfig { gate: Gate::Fixed1, asset_layers: 0, market_layers: 0, ..small() };
    assert_eq!(inputs(&fixed).len(), 9);
}

#[test]
fn the_branch_that_ships_is_exported_whole() {
    let network = Chronos::kernelsynth().unwrap();
    let read = read(&temporal_model(&network).unwrap());
    assert_eq!(read.inputs, ["closes[windows, bars]"]);
    assert_eq!(read.outputs, ["temporal[windows, 128]"]);
    assert_eq!(read.notes, ["fingerprint"]);
    // 15 positions and more are a corner of the largest bias: a context of 256 in patches of 16, and the register.
    assert_eq!(read.weights["encoder.bias.laid_out"].0, [4, 17, 17]);
    let sizes: usize = read.weights.values().map(|(shape, _)| shape.iter().product::<usize>()).sum();
    // Without the first row of the table and the buckets of the bias, and with the bias laid out and a few constants.
    let wanted = network.size() - network.width() - 32 * 4 + 4 * 17 * 17;
    assert!(sizes.abs_diff(wanted) < 10, "{sizes} and {wanted}");
    for input in Input::ALL {
        let network = Chronos::kernelsynth().unwrap().with_input(input);
        assert!(!temporal_model(&network).unwrap().is_empty());
    }
}

#[test]
fn tokens_are_refused_by_name() {
    let stack = StackConfig {
        dim: 4,
        heads: 1,
        head_dim: 4,
        hidden: 4,
        layers: 1,
        buckets: 4,
        max_distance: 8,
        epsilon: 1e-6,
        activation: Activation::Relu,
    };
    let t5 = T5Config {
        context: 8,
        limits: [-15.0, 15.0],
        tokens: 16,
        special: 2,
        missing: 0,
        end: Some(1),
        vocabulary: 16,
    };
    let config = ChronosConfig { architecture: Architecture::T5(t5), stack, input: Input::Prices, kernelsynth: false };
    let network = Chronos::new(config.clone(), Chronos::random(config, 1).to_weights(), "tokens").unwrap();
    let error = temporal_model(&network).unwrap_err().to_string();
    assert!(error.contains("Chronos-T5, which is not exported"), "{error}");
}

#[test]
fn a_model_is_found_by_what_its_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    checkpoint(&small()).write(&path).unwrap();
    assert!(matches!(Model::read(&path).unwrap(), Model::Encoder(_)));
    let network = Chronos::kernelsynth().unwrap();
    std::fs::write(folder.path().join("config.json"), network.config().to_json()).unwrap();
    let bytes = include_bytes!("../../../../models/kernelsynth/model.safetensors");
    std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    for place in [folder.path().to_owned(), folder.path().join("model.safetensors")] {
        let Model::Temporal(read) = Model::read(&place).unwrap() else { unreachable!("not an encoder") };
        assert_eq!(read.fingerprint(), network.fingerprint());
    }
}
