//! What to train and how: the configuration of the encoder's training and of the frozen branch's, the latter through the
//! whole command line. The first byte picks which.
#![no_main]

use lotwise_fuzz::{command, scratch};
use lotwise_train::encoder::RunConfig;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, text)) = bytes.split_first() else { return };
    if pick % 2 == 0 {
        // Without the command, which would open whatever folder the text names.
        let Some(config) = std::str::from_utf8(text).ok().and_then(|text| toml::from_str::<RunConfig>(text).ok()) else {
            return;
        };
        if config.validate().is_ok() {
            assert!(config.data.dates().is_ok(), "a configuration that holds has dates");
            let written = serde_json::to_string(&config).expect("a configuration is made of texts and numbers");
            let read: RunConfig = serde_json::from_str(&written).expect("what was written is read");
            assert_eq!(read, config, "what was read is written back the same");
        }
        return;
    }
    let folder = scratch("training");
    let given = folder.join("given.toml");
    std::fs::write(&given, text).expect("the folder for temporary files can be written");
    let (given, run) = (given.display().to_string(), folder.join("run").display().to_string());
    command(&["train", "kernelsynth", "--config", &given, "--out", &run, "--dry-run"], &folder);
});
