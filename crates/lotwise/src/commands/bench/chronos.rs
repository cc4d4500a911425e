//! `bench chronos`: how long the encoder of Chronos takes for some series of closes.

use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::{Architecture, Chronos, ChronosConfig, Input, StackConfig, T5Config};
use lotwise_tensor::fused::Activation;
use lotwise_tensor::{Array, Random};
use serde_json::{Value, json};

use super::encoder::measure;
use crate::args::{BenchChronosArgs, ChronosSize};
use crate::commands::model::model_error;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::{Cell, Column, Page, Report, Table};

/// Times the states of every length at every number of threads, tokens and all.
///
/// # Errors
/// When the network cannot be read, or a size is out of range.
pub fn run(arguments: &BenchChronosArgs, context: &Context) -> Result<Report, Failure> {
    let network = network(arguments)?;
    let name = match &arguments.weights {
        Some(_) => network.kind().to_owned(),
        None => format!("{:?}", arguments.size).to_lowercase(),
    };
    let series = usize::from(arguments.series);
    let mut results: Vec<Value> = Vec::new();
    let mut table = Table::new([
        Column::words("job", "Job"),
        Column::number("threads", "Threads"),
        Column::number("median_ms", "Median ms"),
        Column::number("spread_ms", "Most less least"),
        Column::number("processor_ms", "Processor ms"),
    ]);
    for &threads in &arguments.threads {
        if threads == 0 || threads > 1_024 {
            return Err(CliError::new("bad-threads", Exit::Usage, "numbers of threads are from 1 to 1024").into());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| CliError::new("no-threads", Exit::Failed, error.to_string()))?;
        for &length in &arguments.lengths {
            if length == 0 || length > 8_192 {
                return Err(CliError::new("bad-lengths", Exit::Usage, "lengths are from 1 to 8192 closes").into());
            }
            let length = usize::from(length);
            let walks = walks(series, length);
            let (mut calls, busy) = (0_u32, processor_ms());
            let times = pool.install(|| {
                measure(context, arguments.repeats.into(), &mut || {
                    calls += 1;
                    std::hint::black_box(network.encode(&walks));
                })
            });
            let busy = processor_ms().zip(busy).map(|(now, then)| (now - then) / f64::from(calls.max(1)));
            let (median, spread) = (times[times.len() / 2], times[times.len() - 1] - times[0]);
            let job = format!("{series} x {length}");
            let number = |value: f64| Cell::with_raw(format!("{value:.1}"), value.to_string());
            table.row([
                Cell::words(&job),
                Cell::count(threads),
                number(median),
                number(spread),
                busy.map_or_else(|| Cell::words("–"), number),
            ]);
            results.push(json!({
                "name": format!("chronos {name} {job}"), "unit": "ms", "value": median, "spread": spread,
                "threads": threads, "n": times.len(), "least": times[0], "processor": busy,
            }));
        }
    }
    let mut page = Page::new();
    page.heading(format!("The encoder of {} ({name}), {} parameters", network.kind(), network.size()));
    page.table(table.clone());
    page.sentence(
        "Random walks, tokens or patches included. Processor time is that of all threads a call, where the system tells it.",
    );
    Ok(Report::new("bench", context.today(), json!({"results": results}), page).table(table))
}

fn network(arguments: &BenchChronosArgs) -> Result<Chronos, Failure> {
    if let Some(folder) = &arguments.weights {
        return Chronos::load(folder).map_err(|error| model_error(&error, folder));
    }
    let [dim, hidden, layers, heads] = match arguments.size {
        ChronosSize::Tiny => [256, 1024, 4, 4],
        ChronosSize::Mini => [384, 1536, 4, 8],
        ChronosSize::Small => [512, 2048, 6, 8],
        ChronosSize::KernelSynth => {
            let ours = Chronos::kernelsynth();
            return ours.map_err(|error| CliError::new("damaged", Exit::Failed, error.to_string()).into());
        }
    };
    let stack = StackConfig {
        dim,
        heads,
        head_dim: 64,
        hidden,
        layers,
        buckets: 32,
        max_distance: 128,
        epsilon: 1e-6,
        activation: Activation::Relu,
    };
    let t5 = T5Config {
        context: 512,
        limits: [-15.0, 15.0],
        tokens: 4096,
        special: 2,
        missing: 0,
        end: Some(1),
        vocabulary: 4096,
    };
    let config = ChronosConfig { architecture: Architecture::T5(t5), stack, input: Input::Prices, kernelsynth: false };
    Ok(Chronos::random(config, 1))
}

/// `[series, length]` closes.
fn walks(series: usize, length: usize) -> Array {
    let (mut random, mut level) = (Random::new(1), 0.0);
    Array::from_fn([series, length], |i| {
        level = if i % length == 0 { 4.0 } else { level + 0.02 * random.normal() };
        level.exp()
    })
}

/// Milliseconds that the threads of this process have spent on a processor, where Linux tells it: on a busy
/// machine the clock on the wall measures the neighbours.
fn processor_ms() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?.flatten();
    let statistics = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    let times: Vec<f64> = statistics.filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
    (!times.is_empty()).then(|| times.iter().sum::<f64>() / 1e6)
}
