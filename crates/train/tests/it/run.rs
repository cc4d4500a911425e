//! Runs: they learn, they stop and go on, and they are the same every time.

use std::cell::Cell;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicU64, Ordering};

use lotwise_nn::Checkpoint;
use lotwise_train::Error;
use lotwise_train::encoder::{
    Contrast, EncoderData, Event, Finished, Hooks, Outcome, Path, RunConfig, RunFolder, Stage, TemporalChoice,
    evidence, resume, train,
};

use crate::sample::{config, data};

/// Runs or goes on until done, or until so many steps were taken.
fn go(folder: &FilePath, data: &EncoderData, config: Option<&RunConfig>, most: Option<u64>) -> Result<Outcome, Error> {
    let steps = AtomicU64::new(0);
    let mut event = |event: &Event| {
        if matches!(event, Event::Step { .. }) {
            steps.fetch_add(1, Ordering::Relaxed);
        }
    };
    let stop = || most.is_some_and(|most| steps.load(Ordering::Relaxed) >= most);
    let mut hooks = Hooks { event: &mut event, stop: &stop };
    match config {
        Some(config) => train(folder, data, config, &mut hooks),
        None => resume(folder, data, None, &mut hooks),
    }
}

fn files(folder: &FilePath) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("Invariant: the run has a folder")
        .map(|entry| entry.expect("Invariant: a listed file is there").path())
        .map(|path| (path.display().to_string(), path))
        .map(|(_, path)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("Invariant: a listed file can be read"))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_run_that_was_interrupted_ends_with_the_bits_of_one_that_was_not() {
    let config = RunConfig { temporal: TemporalChoice::default(), ..config() };
    let data = data(&config);
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let Outcome::Finished(Finished { epochs, steps, .. }) = go(&whole, &data, Some(&config), None).unwrap() else {
        panic!("nobody asked to stop");
    };
    assert_eq!((epochs, steps), (4, 16));
    // In the middle of an epoch, at its end, at the end of a stage, and one step before the end.
    let parts = folder.path().join("parts");
    let mut outcome = go(&parts, &data, Some(&config), Some(3)).unwrap();
    for most in [1, 2, 2, 7] {
        assert!(matches!(outcome, Outcome::Interrupted { .. }), "{outcome:?}");
        outcome = go(&parts, &data, None, Some(most)).unwrap();
    }
    assert_eq!(outcome, Outcome::Interrupted { steps: 15 });
    let other_threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    outcome = other_threads.install(|| go(&parts, &data, None, None).unwrap());
    assert!(matches!(outcome, Outcome::Finished(_)));
    for ((name, one), (_, other)) in files(&whole).iter().zip(files(&parts)) {
        assert!(*one == other, "{name} differs");
    }
    assert_eq!(files(&whole).len(), 7);
    // A finished run is only told again.
    assert!(matches!(go(&parts, &data, None, None).unwrap(), Outcome::Finished(_)));
    assert!(files(&whole) == files(&parts));
}

#[test]
fn the_log_of_a_crash_is_cut_back_to_the_state() {
    let config = config();
    let data = data(&config);
    let folder = tempfile::tempdir().unwrap();
    let (whole, crashed) = (folder.path().join("whole"), folder.path().join("crashed"));
    go(&whole, &data, Some(&config), None).unwrap();
    go(&crashed, &data, Some(&config), Some(5)).unwrap();
    let log = RunFolder::new(&crashed).log();
    let mut text = std::fs::read_to_string(&log).unwrap();
    text.push_str("{\"event\":\"epoch\", half a li");
    std::fs::write(&log, text).unwrap();
    go(&crashed, &data, None, None).unwrap();
    assert!(std::fs::read(log).unwrap() == std::fs::read(RunFolder::new(&whole).log()).unwrap());
}

#[test]
fn two_programs_do_not_train_one_run() {
    let config = config();
    let data = data(&config);
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    go(&run, &data, Some(&config), Some(5)).unwrap();
    let state = std::fs::read(run.join("state.safetensors")).unwrap();
    let other = std::fs::File::open(run.join("config.json")).unwrap();
    other.lock().unwrap();
    let error = go(&run, &data, None, None).unwrap_err().to_string();
    assert!(error.contains("another program is training this run"), "{error}");
    assert!(state == std::fs::read(run.join("state.safetensors")).unwrap());
    drop(other);
    assert!(matches!(go(&run, &data, None, None).unwrap(), Outcome::Finished(_)));
}

#[test]
fn a_run_learns_and_its_weights_are_ready_for_use() {
    let mut config = config();
    config.stages = vec![Stage { name: "joint".to_owned(), path: Path::Whole, epochs: 6, patience: 6, contrast: 0.5 }];
    config.sampling.steps_per_epoch = 25;
    config.sampling.dates_per_batch = 8;
    config.optimiser.rate = 3e-3;
    config.loss.contrast = Contrast::Vicreg;
    let data = data(&config);
    let folder = tempfile::tempdir().unwrap();
    let first = Cell::new(None);
    let (mut losses, mut event_losses) = (Vec::new(), |_: &Event| {});
    let Outcome::Finished(finished) = ({
        let mut hooks = Hooks { event: &mut event_losses, stop: &|| false };
        train(&folder.path().join("run"), &data, &config, &mut hooks).unwrap()
    }) else {
        panic!("nobody asked to stop");
    };
    let run = RunFolder::new(folder.path().join("run"));
    for line in std::fs::read_to_string(run.log()).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["event"] == "epoch" {
            first.set(first.get().or(line["validation"]["losses/total"].as_f64()));
            losses.push(line["validation"]["losses/total"].as_f64().unwrap());
        }
    }
    let last = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(last < 0.85 * first.get().unwrap(), "{losses:?}");
    let measured = &finished.measured;
    for name in [
        "losses/ret",
        "losses/mask",
        "losses/regime",
        "losses/market_regime",
        "losses/variance",
        "cosine/tokens",
        "cosine/market",
        "cosine/gated",
        "cosine/fused",
        "embedding/effective_rank",
        "embedding/alignment",
        "embedding/uniformity",
        "regime/accuracy",
        "regime/accuracy_majority",
        "regime/accuracy_as_before",
        "probe/log_vol_5_r2",
        "probe/ret_r2",
    ] {
        assert!(measured.contains_key(name), "{name} is not measured: {measured:?}");
    }
    assert!(measured["losses/mask"] < 1.0, "recovering is better than guessing the mean: {measured:?}");
    let checkpoint = Checkpoint::read(&run.model()).unwrap();
    checkpoint.verify("run").unwrap();
    let found = evidence(&checkpoint, &data, &config, &lotwise_nn::temporal::NoTemporal);
    // Three horizons, five sets of inputs for returns and four for volatility, seen tickers and others.
    assert_eq!(found.forecasts.len(), 54);
    // With two companies in a sector none is kept away.
    let seen = found.forecasts.iter().filter(|one| one.tickers == "seen" && one.horizon < 21);
    let mut fitted = seen.filter(|one| one.inputs != "always_up");
    assert!(fitted.clone().all(|one| one.r_squared.is_some()));
    let plain = |one: &lotwise_train::encoder::Forecast| ["har", "momentum"].contains(&one.inputs);
    assert!(fitted.all(|one| one.gain.is_some() != plain(one)));
    assert_eq!(found.measured["cosine/fused"], measured["cosine/fused"]);
    assert!(found.cross_sector.is_some() && found.twins.is_empty());
    assert_eq!(found.missing_block_increase.len(), 10);
    let record = checkpoint.manifest.training.clone().unwrap();
    assert_eq!(record.metrics, *measured);
    assert_eq!(record.best_score, Some(last));
    assert_eq!(checkpoint.manifest.feature_names.len(), 16);
}

#[test]
fn a_branch_that_remembers_trains_to_the_same_bits() {
    let minirocket = TemporalChoice { kind: "minirocket".to_owned(), ..TemporalChoice::default() };
    let mut config = RunConfig { temporal: minirocket, ..config() };
    config.sampling.train_dates = 4;
    let data = data(&config);
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str, config: &RunConfig| {
        go(&folder.path().join(name), &data, Some(config), None).unwrap();
        std::fs::read(RunFolder::new(folder.path().join(name)).log()).unwrap()
    };
    let without = log("without", &config);
    config.temporal.cache = Some(folder.path().join("cache").display().to_string());
    assert!(log("first", &config) == without);
    let size =
        || std::fs::read_dir(folder.path().join("cache")).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let before: Vec<u64> = size().collect();
    assert!(before.len() == 1 && before[0] > 100_000, "{before:?}");
    assert!(log("second", &config) == without);
    assert_eq!(size().collect::<Vec<_>>(), before, "nothing was computed again");
}

#[test]
fn every_differentiation_term_trains() {
    let data = data(&config());
    for contrast in [Contrast::MeanCosine, Contrast::Vicreg, Contrast::VicregDay, Contrast::Infonce] {
        let mut config = config();
        config.loss.contrast = contrast;
        config.stages =
            vec![Stage { name: "one".to_owned(), path: Path::Whole, epochs: 1, patience: 1, contrast: 0.5 }];
        let folder = tempfile::tempdir().unwrap();
        let outcome = go(&folder.path().join("run"), &data, Some(&config), None).unwrap();
        let Outcome::Finished(finished) = outcome else { panic!("nobody asked to stop") };
        assert!(finished.measured["losses/contrast"].is_finite(), "{contrast:?}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_by_name() {
    let good = config();
    let data = data(&good);
    let folder = tempfile::tempdir().unwrap();
    let refused = |change: fn(&mut RunConfig), setting: &str| {
        let mut config = good.clone();
        change(&mut config);
        let error = go(&folder.path().join("refused"), &data, Some(&config), None).unwrap_err().to_string();
        assert!(error.contains(setting), "{setting}: {error}");
        assert!(!folder.path().join("refused").exists(), "{setting}: a folder was left");
    };
    refused(|config| config.temporal.kind = "crystal_ball".to_owned(), "temporal.kind");
    refused(|config| config.temporal.kind = "chronos_t5".to_owned(), "temporal.weights");
    refused(|config| config.temporal.weights = Some("somewhere".to_owned()), "temporal.weights");
    refused(|config| config.network.heads = 3, "heads");
    refused(|config| config.network.features = 17, "network.features");
    refused(|config| config.network.metadata_fields = 7, "network.metadata_fields");
    refused(|config| config.optimiser.rate = f32::NAN, "optimiser.rate");
    refused(|config| config.stages.clear(), "stages");
    refused(|config| config.stages[0].contrast = 0.5, "stages[0].contrast");
    refused(|config| config.data.validation_from = "2012-13-01".to_owned(), "data.validation_from");
    refused(|config| config.sampling.steps_per_epoch = 0, "sampling.steps_per_epoch");

    let run = folder.path().join("run");
    go(&run, &data, Some(&good), Some(1)).unwrap();
    assert!(go(&run, &data, Some(&good), None).unwrap_err().to_string().contains("holds a run already"));
    // Another configuration or other data are another run.
    let path = run.join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"ret\": 0.30000001192092896", "\"ret\": 0.5")).unwrap();
    assert_ne!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(matches!(go(&run, &data, None, None), Err(Error::Resume { .. })));
    std::fs::write(&path, text).unwrap();
    let mut later = good.clone();
    later.data.validation_to = "2012-09-20".to_owned();
    let other = EncoderData::new(
        lotwise_market::Panel::from_groups(&crate::sample::market().bars),
        crate::sample::metadata(&crate::sample::market()),
        None,
        "other".to_owned(),
        &later,
    )
    .unwrap();
    assert!(matches!(go(&run, &other, None, None), Err(Error::Resume { .. })));
    assert!(matches!(go(&folder.path().join("nowhere"), &data, None, None), Err(Error::File { .. })));
}
