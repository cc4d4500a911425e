//! Pretraining on synthetic series: it learns, can be stopped, and leaves a network that reads.

use std::cell::Cell;
use std::path::Path;

use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::{Chronos, Input};
use lotwise_tensor::Array;
use lotwise_train::kernelsynth::{Event, KernelSynthConfig, Outcome, Run};

fn small(steps: u64) -> KernelSynthConfig {
    KernelSynthConfig {
        steps,
        batch: 24,
        kernels: 12,
        samples: 2,
        length: 80,
        contexts: vec![20, 32, 48],
        horizon: 5,
        quantiles: vec![0.1, 0.5, 0.9],
        patch: 8,
        dim: 16,
        heads: 2,
        hidden: 24,
        layers: 2,
        rate: 5e-3,
        warm_up: 5,
        validate_every: 10,
        checkpoint_every: 4,
        ..KernelSynthConfig::default()
    }
}

/// Trains until a step, or to the end.
fn train(config: &KernelSynthConfig, folder: &Path, resume: bool, until: u64) -> Outcome {
    let stop = Cell::new(false);
    let run = if resume { Run::resume(folder) } else { Run::start(config.clone(), folder) };
    let tell = &mut |event: &Event| {
        if matches!(event, Event::Step { step, .. } if *step >= until) {
            stop.set(true);
        }
    };
    run.expect("Invariant: the settings are good").train(&|| stop.get(), tell).expect("Invariant: the run goes well")
}

#[test]
fn a_resumed_run_gives_the_bits_of_one_that_was_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let config = small(13);
    assert!(matches!(train(&config, &whole, false, u64::MAX), Outcome::Finished(_)));
    assert_eq!(train(&config, &parts, false, 6), Outcome::Stopped(6));
    assert!(!parts.join("model.safetensors").exists());
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert!(matches!(threads.install(|| train(&config, &parts, true, u64::MAX)), Outcome::Finished(_)));
    for file in ["model.safetensors", "config.json", "state.safetensors", "log.ndjson", "run.json"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert!(read(&whole) == read(&parts), "{file} differs");
    }
    let log = std::fs::read_to_string(whole.join("log.ndjson")).unwrap();
    assert_eq!(log.lines().count(), 13 + 2);
}

#[test]
fn what_was_killed_goes_on_from_the_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let config = small(9);
    train(&config, &whole, false, u64::MAX);
    train(&config, &parts, false, 4);
    // A kill after the checkpoint leaves lines that the resumed run writes again.
    let log = parts.join("log.ndjson");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text + "{\"event\":\"step\",\"step\":5,\"loss\":1}\n{\"event\":\"st").unwrap();
    train(&config, &parts, true, u64::MAX);
    let read = |folder: &Path| std::fs::read_to_string(folder.join("log.ndjson")).unwrap();
    assert_eq!(read(&whole), read(&parts));
}

#[test]
fn the_loss_falls_and_the_network_reads() {
    let folder = tempfile::tempdir().unwrap();
    let config = small(60);
    let mut losses = Vec::new();
    let mut run = Run::start(config, folder.path()).unwrap();
    let outcome = run.train(&|| false, &mut |event| {
        if let Event::Validation { measures, .. } = event {
            losses.push(measures.loss);
        }
    });
    assert!(matches!(outcome, Ok(Outcome::Finished(_))));
    assert!(losses.last().unwrap() < &(0.95 * losses[0]), "{losses:?}");
    let network = Chronos::load(folder.path()).unwrap();
    assert_eq!((network.kind(), network.width(), network.config().input), ("kernelsynth", 16, Input::LogPrices));
    let closes = Array::from_fn([3, 30], |i| 20.0 + (i as f32).sin());
    assert!(network.embed(&closes).data().iter().all(|x| x.is_finite()));
}

#[test]
fn runs_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |config: KernelSynthConfig| {
        Run::start(config, folder.path()).err().map_or_else(String::new, |error| error.to_string())
    };
    let resumed = || Run::resume(folder.path()).err().map_or_else(String::new, |error| error.to_string());
    assert!(resumed().starts_with("cannot read"));
    assert!(refused(KernelSynthConfig { heads: 3, ..small(3) }).contains("heads is 3"));
    assert!(refused(KernelSynthConfig { contexts: vec![79], ..small(3) }).contains("contexts is [79]"));
    assert!(refused(KernelSynthConfig { input: "volume".into(), ..small(3) }).contains("input is \"volume\""));
    train(&small(3), folder.path(), false, 2);
    assert!(refused(small(3)).contains("holds a run already"));
    let settings = folder.path().join("run.json");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("\"seed\": 5", "\"seed\": 6")).unwrap();
    assert!(resumed().contains("other settings"), "{}", resumed());
    std::fs::write(&settings, text.replace("\"seed\"", "\"sead\"")).unwrap();
    assert!(resumed().contains("run.json does not read"), "{}", resumed());
}
