//! `train encoder` and `model`, on a synthetic market.

use lotwise_core::{Date, Seed};
use lotwise_market::Panel;
use lotwise_market::synthetic::{MarketConfig, Universe, generate};

use crate::program::Folder;

pub const CONFIG: &str = r#"
seed = 3
[temporal]
kind = "none"
[data]
train_from = "2010-01-01"
train_to = "2012-02-29"
validation_from = "2012-03-01"
validation_to = "2012-09-30"
universe = "all"
[sampling]
dates_per_batch = 2
assets_per_date = 4
steps_per_epoch = 2
validation_dates = 4
validation_assets = 4
probe_dates = 2
least_bars = 5
[network]
dim = 8
heads = 2
market_layers = 1
asset_layers = 1
hidden = 16
window = 20
features = 16
metadata_fields = 50
temporal_width = 0
gate = "learned"
regimes = 4
dropout = 0.1
[[stages]]
name = "joint"
path = "whole"
epochs = 2
patience = 2
contrast = 0.5
"#;

/// A folder with a price table, sectors and a configuration.
pub fn folder() -> Folder {
    let first = Date::parse("2010-01-01").expect("Invariant: a date");
    let config = MarketConfig::null(Universe::Invented { n_symbols: 33 }, first, 700);
    let market = generate(&config, Seed::new(5)).expect("Invariant: the sample market can be made");
    let mut tickers = String::from("ticker,name,gics_sector\n");
    for ticker in &market.tickers {
        tickers.push_str(&format!("{},{},{}\n", ticker.symbol, ticker.name, ticker.gics_sector));
    }
    let folder = Folder::new().with("tickers.csv", tickers).with("small.toml", CONFIG);
    let panel = Panel::from_groups(&market.bars);
    panel.write_parquet(folder.path("prices.parquet")).expect("Invariant: the folder can be written");
    folder
}

#[test]
fn a_run_leaves_a_model_that_tells_what_it_is() {
    let folder = folder();
    let train = ["train", "encoder", "--data", "prices.parquet", "-c", "small.toml"];
    let with = |more: &[&'static str]| [&train[..], more].concat();

    let planned = folder.run(&with(&["--out", "run", "--dry-run", "--json"]));
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    assert!(!folder.path("run").exists());

    let ran = folder.run(&with(&["--out", "run", "--json"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let body: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(body["schema"], "lotwise.train.encoder/1");
    assert_eq!((&body["data"]["state"], &body["data"]["steps"]), (&"finished".into(), &4.into()));
    assert!(body["data"]["measured"]["losses/total"].as_f64().unwrap().is_finite());
    let log = lotwise_market::table::Table::open(folder.path("run").join("log.parquet")).unwrap();
    assert!(log.column_str("name").unwrap().iter().any(|name| name == Some("losses/total")));

    let again = folder.run(&with(&["--out", "again", "--json", "--threads", "1"]));
    assert_eq!(again.code, 0, "{}", again.stderr);
    let bytes = |run: &str| std::fs::read(folder.path(run).join("encoder.safetensors")).unwrap();
    assert!(bytes("run") == bytes("again"), "the same seed gives the same file");
    let taken = folder.run(&with(&["--out", "run"]));
    assert_eq!(taken.code, 2);
    assert!(taken.stderr.contains("--resume run"), "{}", taken.stderr);
    let resumed = folder.run(&["train", "encoder", "--data", "prices.parquet", "--resume", "run", "--json"]);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);

    let shown = folder.run(&["model", "show", "run/encoder.safetensors", "--json"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let body: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(body["data"]["manifest"]["training"]["seed"], 3);
    assert_eq!(body["data"]["manifest"]["feature_names"][0], "log_return_1");
    let verified = folder.run(&["model", "verify", "run/encoder.safetensors"]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    let card = folder.run(&["model", "card", "run/encoder.safetensors"]);
    assert!(card.stdout.starts_with("# Model card") && card.stdout.contains("| losses/total |"), "{}", card.stdout);

    let model = "run/encoder.safetensors";
    let evidence = folder.run(&["model", "evidence", model, "--data", "prices.parquet", "--json"]);
    assert_eq!(evidence.code, 0, "{}", evidence.stderr);
    let body: serde_json::Value = serde_json::from_str(&evidence.stdout).unwrap();
    assert_eq!(body["warnings"], serde_json::json!([]));
    assert_eq!(body["data"]["evidence"]["forecasts"].as_array().unwrap().len(), 54);
    assert!(
        folder.run(&["model", "evidence", model, "--data", "prices.parquet"]).stdout.contains("What a line foretells")
    );

    let judged = folder.run(&["model", "replacements", model, "--data", "prices.parquet", "--horizon", "20", "--json"]);
    assert_eq!(judged.code, 0, "{}", judged.stderr);
    let body: serde_json::Value = serde_json::from_str(&judged.stdout).unwrap();
    let ways = body["data"]["ways"].as_array().unwrap();
    assert!(ways.len() >= 4 && ways[0]["gain"].is_null() && ways[0]["same_choice"] == 1.0, "{ways:?}");
    assert!(ways[..4].iter().all(|way| way["tracking_error"].as_f64().unwrap() > 0.0), "{ways:?}");
    assert_eq!((&ways[3]["way"], &ways[3]["same_sector"]), (&"sector, encoder".into(), &1.0.into()));

    let export = ["model", "export", model, "--onnx", "encoder.onnx"];
    let planned = folder.run(&[&export[..], &["--dry-run"]].concat());
    assert!(planned.code == 0 && !folder.path("encoder.onnx").exists(), "{}", planned.stderr);
    let exported = folder.run(&[&export[..], &["--json"]].concat());
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let body: serde_json::Value = serde_json::from_str(&exported.stdout).unwrap();
    let size = std::fs::metadata(folder.path("encoder.onnx")).unwrap().len();
    assert_eq!((&body["data"]["kind"], &body["data"]["bytes"]), (&"encoder".into(), &size.into()));
    assert_eq!(folder.run(&export).code, 5, "what is there is not replaced unasked");
    assert_eq!(folder.run(&[&export[..], &["--yes"]].concat()).code, 0);
    assert_eq!(folder.run(&["model", "export", "nowhere.safetensors", "--onnx", "none.onnx"]).code, 6);

    let mut altered = bytes("run");
    let last = altered.len() - 1;
    altered[last] ^= 1;
    std::fs::write(folder.path("altered.safetensors"), altered).unwrap();
    let refused = folder.run(&["model", "verify", "altered.safetensors"]);
    assert_eq!(refused.code, 7, "{}", refused.stderr);
    assert_eq!(folder.run(&["model", "show", "nowhere.safetensors"]).code, 6);
    assert_eq!(folder.run(&["model", "show", "tickers.csv"]).code, 3);
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    let folder =
        folder().with("typo.toml", "[optimiser]\nrte = 0.1\n").with("bad.toml", "[temporal]\nkind = \"oracle\"\n");
    let run = |config: &str| folder.run(&["train", "encoder", "--data", ".", "-c", config, "--out", "run"]);
    let typo = run("typo.toml");
    assert_eq!(typo.code, 2);
    assert!(typo.stderr.contains("typo.toml:2") && typo.stderr.contains("rte"), "{}", typo.stderr);
    let bad = run("bad.toml");
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("minirocket"), "{}", bad.stderr);
    let nowhere = folder.run(&["train", "encoder", "--data", "nowhere", "--out", "run"]);
    assert_eq!(nowhere.code, 6, "{}", nowhere.stderr);
    assert!(!folder.path("run").exists());
}

#[test]
fn the_encoder_can_be_timed() {
    let arguments = ["bench", "encoder", "--assets", "3", "--threads", "1", "--repeats", "1", "--json"];
    let ran = Folder::new().run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let body: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let results = body["data"]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert!(results.iter().all(|one| one["unit"] == "ms" && one["value"].as_f64().unwrap() > 0.0), "{results:?}");
}

const STUDY: &str = r#"
seeds = [1, 2]
[base]
temporal = { kind = "none" }
stages = [{ name = "joint", path = "whole", epochs = 1, patience = 1, contrast = 0.5 }]
[base.data]
train_from = "2010-01-01"
train_to = "2012-02-29"
validation_from = "2012-03-01"
validation_to = "2012-09-30"
universe = "all"
[base.sampling]
dates_per_batch = 2
assets_per_date = 4
steps_per_epoch = 2
validation_dates = 4
validation_assets = 4
probe_dates = 2
least_bars = 5
[base.network]
dim = 8
heads = 2
market_layers = 1
asset_layers = 1
hidden = 16
window = 20
[[variants]]
name = "own"
what = "as it is"
[[variants]]
name = "no-metadata"
what = "without metadata"
change = { network = { metadata_fields = 0 } }
[[orders]]
name = "claim"
measure = "cosine/fused"
rising = ["own", "no-metadata"]
"#;

#[test]
fn a_study_trains_each_variant_with_each_seed_and_goes_on_where_it_stopped() {
    let folder = folder().with("study.toml", STUDY);
    let study = ["train", "study", "--data", "prices.parquet", "-c", "study.toml", "--out", "study", "--json"];
    let with = |more: &[&'static str]| {
        let ran = folder.run(&[&study[..], &["--trials", "trials.ndjson"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()["data"].clone()
    };
    assert_eq!(with(&["--dry-run"])["runs"], 4);
    assert!(!folder.path("study").exists());
    assert_eq!(with(&["--only", "no-metadata"])["done"], 2);
    let body = with(&[]);
    assert_eq!((&body["done"], &body["reference"]), (&4.into(), &"own".into()));
    let cosine = &body["variants"][1]["measures"]["cosine/fused"];
    assert_eq!(cosine["over_seeds"]["seeds"], 2);
    assert!(cosine["difference"]["half"].as_f64().unwrap() > 0.0);
    // Everything that was tried is counted once, and telling it again counts nothing.
    assert_eq!(with(&[]), body);
    let trials = std::fs::read_to_string(folder.path("trials.ndjson")).unwrap();
    assert_eq!(trials.lines().count(), 4);
    assert_eq!(trials.matches("train encoder").count(), 4);

    let [model, control] = ["study/own/seed-1/encoder.safetensors", "study/own/seed-2/encoder.safetensors"];
    let evidence = ["model", "evidence", model, "--data", "prices.parquet", "--control", control];
    let told = folder.run(&[&evidence[..], &["--study", "study", "--markdown"]].concat());
    assert_eq!(told.code, 0, "{}", told.stderr);
    for part in ["| no-metadata | without metadata |", "claim (cosine/fused): own < no-metadata in", "| Control |"] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }

    // Runs of other data are not compared with these, and the table of these stays.
    let facts = folder.path("study/own/seed-1/data.json");
    let text = std::fs::read_to_string(&facts).unwrap();
    let hash = serde_json::from_str::<serde_json::Value>(&text).unwrap()["hash"].as_str().unwrap().to_owned();
    std::fs::write(&facts, text.replace(&hash, "other")).unwrap();
    let mixed = folder.run(&study);
    assert_eq!(mixed.code, 3, "{}", mixed.stdout);
    assert!(mixed.stdout.contains("other runs"), "{}", mixed.stdout);
    std::fs::write(&facts, text).unwrap();
    // A table that was lost is written again although nothing is left to train.
    std::fs::remove_file(folder.path("study/study.json")).unwrap();
    assert_eq!(with(&[]), body);
    assert!(folder.path("study/study.json").exists());
    // A control of other tickers kept away is no control.
    let folder =
        folder.with("kept.toml", CONFIG.replace("universe = \"all\"", "universe = \"all\"\nheld_out_seed = 5"));
    let train = ["train", "encoder", "--data", "prices.parquet", "-c", "kept.toml", "--out", "kept"];
    assert_eq!(folder.run(&train).code, 0);
    let other = ["model", "evidence", model, "--data", "prices.parquet", "--control", "kept/encoder.safetensors"];
    let refused = folder.run(&other);
    assert!(refused.code == 3 && refused.stderr.contains("the control was trained on other"), "{}", refused.stderr);

    // A changed study does not take up runs of another one.
    let folder = folder.with("study.toml", STUDY.replace("steps_per_epoch = 2", "steps_per_epoch = 3"));
    let other = folder.run(&study);
    assert_eq!(other.code, 3, "{}", other.stderr);
    assert!(other.stdout.contains("other settings"), "{}", other.stdout);
    let unknown = folder.run(&[&study[..], &["--only", "owl"]].concat());
    assert_eq!(unknown.code, 2);
    assert!(unknown.stdout.contains("it has own, no-metadata"), "{}", unknown.stdout);
}
