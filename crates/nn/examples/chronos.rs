//! The encoder of a Chronos network from a folder, for comparing it with the reference.
//!
//! - `chronos embed FOLDER IN OUT` reads every array `[windows, T]` of the safetensors file `IN` and writes the
//!   states (`NAME`, `[windows, positions, d]`), which positions count (`NAME.keep`) and the pooled outputs
//!   (`NAME.pooled`) to `OUT`.
//! - `chronos pool FOLDER IN OUT INPUT` writes the pooled outputs alone (`NAME`, `[windows, k]`) of a network fed with
//!   `prices`, `log_prices` or `returns`; the folder `minirocket` stands for fixed convolutions, which prepare closes
//!   themselves.

use std::path::Path;

use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::{Chronos, Input};
use lotwise_nn::temporal::MiniRocketConfig;
use lotwise_tensor::Weights;

fn embed(folder: &str, from: &str, to: &str) -> Result<(), Box<dyn std::error::Error>> {
    let network = Chronos::load(Path::new(folder))?;
    let mut out = Weights::default();
    for (name, windows) in Weights::read(Path::new(from))?.tensors {
        let encoded = network.encode(&windows);
        out.tensors.insert(format!("{name}.keep"), encoded.keep);
        out.tensors.insert(format!("{name}.pooled"), network.embed(&windows));
        out.tensors.insert(name, encoded.states);
    }
    out.write(Path::new(to))?;
    println!("{}", network.fingerprint());
    Ok(())
}

fn pool(folder: &str, from: &str, to: &str, input: &str) -> Result<(), Box<dyn std::error::Error>> {
    let branch: Box<dyn FrozenTemporal> = if folder == "minirocket" {
        Box::new(MiniRocketConfig::default().init())
    } else {
        let input = Input::named(input).ok_or("the input is prices, log_prices or returns")?;
        Box::new(Chronos::load(Path::new(folder))?.with_input(input))
    };
    let mut out = Weights::default();
    for (name, windows) in Weights::read(Path::new(from))?.tensors {
        out.tensors.insert(name, branch.embed(&windows));
    }
    out.write(Path::new(to))?;
    println!("{}", branch.fingerprint());
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["embed", folder, from, to] => embed(folder, from, to),
        ["pool", folder, from, to, input] => pool(folder, from, to, input),
        _ => Err("usage: chronos embed FOLDER IN OUT | chronos pool FOLDER IN OUT INPUT".into()),
    }
}
