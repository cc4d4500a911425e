//! What is written is what is read.

use lotwise_nn::checkpoint::{Names, load_fitting, read_manifest};
use lotwise_nn::encoder::Gate;
use lotwise_nn::temporal::MiniRocketConfig;
use lotwise_nn::{Checkpoint, EncoderConfig};
use lotwise_tensor::{Params, Weights};

use crate::sample::{inputs, small};

fn checkpoint(config: &EncoderConfig) -> Checkpoint {
    let mut params = Params::new();
    let encoder = config.init(&mut params, 21).expect("Invariant: the sample's sizes are valid");
    let heads = config.init_heads(&mut params, 21);
    let names = Names { features: (0..5).map(|i| format!("feature {i}")).collect(), ..Names::default() };
    let branch = MiniRocketConfig { kernels: 3, largest_dilation_log2: 1, seed: 5 }.init();
    Checkpoint::new(params, encoder, heads, names, &branch, None)
}

#[test]
fn a_file_gives_back_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.safetensors");
    let written = checkpoint(&small());
    written.write(&path).unwrap();
    let read = Checkpoint::read(&path).unwrap();
    assert_eq!(read.manifest, written.manifest);
    assert_eq!(read.verify("small").unwrap(), 0.0);
    let inputs = inputs(&small(), [2, 4], 9, 1);
    assert_eq!(read.encoder.embed(&read.params, &inputs), written.encoder.embed(&written.params, &inputs));
    read.write(&path.with_extension("again")).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(path.with_extension("again")).unwrap());
}

#[test]
fn an_altered_number_is_noticed() {
    let mut weights = checkpoint(&small()).to_weights();
    let name = weights.tensors.keys().next().unwrap().clone();
    weights.tensors.get_mut(&name).unwrap().data_mut()[0] += 1e-6;
    let error = Checkpoint::from_weights(&weights, "small").unwrap_err();
    assert!(error.to_string().contains("digest"), "{error}");
}

#[test]
fn a_network_that_computes_something_else_is_noticed() {
    let mut other = checkpoint(&small());
    other.manifest.probe[3] += 0.5;
    assert!(other.verify("small").unwrap_err().to_string().contains("probe"));
}

#[test]
fn foreign_files_are_refused() {
    assert!(read_manifest(&Weights::default(), "x").unwrap_err().to_string().contains("manifest"));
    let mut weights = checkpoint(&small()).to_weights();
    let text = weights.header["manifest"].replace("lotwise.encoder/1", "lotwise.encoder/9");
    weights.header.insert("manifest".into(), text);
    assert!(read_manifest(&weights, "x").unwrap_err().to_string().contains("lotwise.encoder/9"));
    let mut weights = checkpoint(&small()).to_weights();
    weights.tensors.remove("assets.norm.gain");
    assert!(Checkpoint::from_weights(&weights, "x").is_err());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.safetensors");
    std::fs::write(&path, b"not weights").unwrap();
    assert!(Checkpoint::read(&path).is_err());
}

#[test]
fn what_fits_is_loaded_and_misfits_outside_the_list_are_refused() {
    let weights = checkpoint(&small()).to_weights();
    let mut params = Params::new();
    let other = EncoderConfig { temporal_width: 8, ..small() };
    other.init(&mut params, 1).unwrap();
    other.init_heads(&mut params, 1);
    assert!(load_fitting(&weights, &mut params, &[]).unwrap_err().to_string().contains("temporal.0.weight"));
    let report = load_fitting(&weights, &mut params, &["temporal."]).unwrap();
    assert_eq!(report.reshaped.len(), 1);
    assert!(report.missing.is_empty() && report.extra.is_empty() && report.loaded.len() > 20);
}

#[test]
fn the_number_of_parameters_is_told_from_the_sizes() {
    let mut all = vec![small(), EncoderConfig::base64(512), EncoderConfig { metadata_fields: 0, ..small() }];
    all.extend([Gate::Fixed1, Gate::Off].map(|gate| EncoderConfig { gate, ..small() }));
    all.push(EncoderConfig { temporal_width: 0, asset_layers: 0, ..small() });
    for config in all {
        let mut params = Params::new();
        config.init(&mut params, 1).unwrap();
        config.init_heads(&mut params, 1);
        assert_eq!(config.parameters(), params.count() as u64, "{config:?}");
    }
}

#[test]
fn sizes_beyond_the_file_are_refused_before_they_are_made() {
    let mut weights = checkpoint(&small()).to_weights();
    let manifest = weights.header.get_mut("manifest").unwrap();
    *manifest = manifest.replace("\"hidden\":20", "\"hidden\":65536").replace("\"window\":9", "\"window\":65536");
    *manifest = manifest.replace("\"market_layers\":2", "\"market_layers\":65536");
    let error = Checkpoint::from_weights(&weights, "small").unwrap_err();
    assert!(error.to_string().contains("numbers, and a network of its sizes has"), "{error}");
}
