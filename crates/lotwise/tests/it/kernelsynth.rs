//! `train kernelsynth`, with a network that is trained in a moment.

use crate::program::Folder;

const CONFIG: &str = "
seed = 3
steps = 4
batch = 8
kernels = 4
samples = 1
length = 60
contexts = [20, 30]
horizon = 4
quantiles = [0.1, 0.5, 0.9]
patch = 8
dim = 8
heads = 2
hidden = 12
layers = 1
";

#[test]
fn a_run_leaves_a_network_in_the_published_layout() {
    let folder = Folder::new().with("small.toml", CONFIG);
    let train = ["train", "kernelsynth", "-c", "small.toml", "--out", "run", "--json"];
    let planned = folder.run(&[&train[..], &["--dry-run"]].concat());
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    assert_eq!(planned.json()["data"]["state"], "planned");
    assert!(!folder.path("run").exists());

    let trained = folder.run(&train);
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    let data = &trained.json()["data"];
    assert_eq!((&data["state"], &data["steps"]), (&"finished".into(), &4.into()));
    assert!(data["measured"]["loss"].as_f64().is_some_and(f64::is_finite));
    for file in ["config.json", "model.safetensors", "run.json", "log.ndjson", "state.safetensors"] {
        assert!(folder.path("run").join(file).exists(), "{file} is missing");
    }

    let again = folder.run(&train[..train.len() - 1]);
    assert!(again.code != 0 && again.stderr.contains("holds a run already"), "{}", again.stderr);
    let resumed = folder.run(&["train", "kernelsynth", "--resume", "run", "--json"]);
    assert_eq!(resumed.json()["data"]["state"], "finished");
}

#[test]
fn settings_that_cannot_be_are_told_with_their_page() {
    let folder = Folder::new().with("bad.toml", "heads = 7").with("unknown.toml", "haeds = 4");
    let bad = folder.run(&["train", "kernelsynth", "-c", "bad.toml", "--out", "run"]);
    assert_eq!(bad.code, 2, "{}", bad.stderr);
    assert!(bad.stderr.contains("heads is 7") && bad.stderr.contains("docs/chronos.md"), "{}", bad.stderr);
    let unknown = folder.run(&["train", "kernelsynth", "-c", "unknown.toml", "--out", "run"]);
    assert!(unknown.stderr.contains("haeds") && !folder.path("run").exists(), "{}", unknown.stderr);
}
