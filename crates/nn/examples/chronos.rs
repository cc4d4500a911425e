//! The encoder of a Chronos network from a folder, for comparing it with the reference.
//!
//! - `chronos embed FOLDER IN OUT` reads every array `[windows, T]` of the safetensors file `IN` and writes the
//!   states (`NAME`, `[windows, positions, d]`), which positions count (`NAME.keep`) and the pooled outputs
//!   (`NAME.pooled`) to `OUT`.
//! - `chronos pool FOLDER IN OUT INPUT` writes the pooled outputs alone (`NAME`, `[windows, k]`) of a network fed with
//!   `prices`, `log_prices` or `returns`; the folder `minirocket` stands for fixed convolutions, which prepare closes
//!   themselves.
//! - `chronos time FOLDER WINDOWS LENGTH THREADS REPEATS` waits for a line on standard input, encodes random walks so
//!   often, prints the milliseconds of each repetition, on the wall and of processors, as a line of JSON, and waits
//!   again until the input ends.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::path::Path;
use std::time::Instant;

use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::{Chronos, Input};
use lotwise_nn::temporal::MiniRocketConfig;
use lotwise_tensor::{Array, Random, Weights};

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

/// Milliseconds that the threads of this process have spent on a processor, where Linux tells it: on a busy
/// machine the clock on the wall measures the neighbours.
fn processor_ms() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let statistics = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    statistics.filter_map(|line| line.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e6
}

fn time(folder: &str, [windows, length, threads, repeats]: [usize; 4]) -> Result<(), Box<dyn std::error::Error>> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let network = Chronos::load(Path::new(folder))?;
    let mut random = Random::new(1);
    let mut level = 0.0;
    let walks = Array::from_fn([windows, length], |i| {
        level = if i % length == 0 { 4.0 } else { level + 0.02 * random.normal() };
        level.exp()
    });
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line)? > 0 {
        let mut times = Vec::new();
        for _ in 0..repeats {
            let (start, busy) = (Instant::now(), processor_ms());
            let states = network.encode(&walks).states;
            times.push([start.elapsed().as_secs_f64() * 1e3, processor_ms() - busy]);
            assert!(states.data().iter().all(|x| x.is_finite()), "states are finite");
        }
        println!("{times:?}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["embed", folder, from, to] => embed(folder, from, to),
        ["pool", folder, from, to, input] => pool(folder, from, to, input),
        ["time", folder, windows, length, threads, repeats] => {
            let mut numbers = [0; 4];
            for (number, text) in numbers.iter_mut().zip([windows, length, threads, repeats]) {
                *number = text.parse()?;
            }
            time(folder, numbers)
        }
        _ => Err("usage: chronos embed FOLDER IN OUT | chronos pool FOLDER IN OUT INPUT | chronos time FOLDER WINDOWS LENGTH THREADS REPEATS".into()),
    }
}
