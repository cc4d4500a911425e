//! Exports a network to ONNX and answers questions to compare with.
//!
//! `onnx MODEL OUT.onnx IN.safetensors OUT.safetensors`: `MODEL` is an encoder (a safetensors file) or the folder of a frozen
//! branch. The questions are arrays named `CASE/INPUT`, with the inputs of the exported file; the answers are named
//! `CASE`. `tools/check_onnx.py` asks a runtime of ONNX the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lotwise_nn::onnx::Model;
use lotwise_nn::{EncoderInputs, FrozenTemporal};
use lotwise_tensor::{Array, Weights};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, onnx, questions, answers] = &arguments[..] else {
        return Err("usage: onnx MODEL OUT.onnx IN.safetensors OUT.safetensors".into());
    };
    let model = Model::read(Path::new(model))?;
    std::fs::write(onnx, model.to_onnx()?)?;
    let questions = Weights::read(Path::new(questions))?.tensors;
    let cases: BTreeSet<&str> = questions.keys().filter_map(|name| name.split('/').next()).collect();
    let mut out = Weights::default();
    for case in cases {
        out.tensors.insert(case.to_owned(), answer(&model, case, &questions)?);
    }
    Ok(out.write(Path::new(answers))?)
}

fn answer(model: &Model, case: &str, questions: &BTreeMap<String, Array>) -> Result<Array, Failure> {
    let find = |input: &str| {
        let name = format!("{case}/{input}");
        questions.get(&name).cloned().ok_or_else(|| format!("{name} is missing"))
    };
    let checkpoint = match model {
        Model::Temporal(network) => return Ok(network.embed(&find("closes")?)),
        Model::Encoder(checkpoint) => checkpoint,
    };
    let (keep, present) = (find("keep")?, find("present")?);
    let dims = [keep.shape()[0], keep.shape()[1]];
    let empty = EncoderInputs::empty(checkpoint.encoder.config(), dims, present.shape()[2]);
    // Inputs that the network has no use for are not asked for.
    let other = |input: &str, or: Array| find(input).unwrap_or(or);
    let inputs = EncoderInputs {
        values: find("values")?,
        undefined: find("undefined")?,
        present,
        masked: None,
        temporal: other("temporal", empty.temporal),
        statistics: other("statistics", empty.statistics),
        statistics_known: other("statistics_known", empty.statistics_known),
        metadata: other("metadata", empty.metadata),
        available: other("available", empty.available),
        keep,
    };
    Ok(checkpoint.encoder.embed(&checkpoint.params, &inputs))
}
