//! `bench encoder`: how long the encoder takes for a day of so many assets, and for a step of training.

use lotwise_core::Clock;
use lotwise_market::AssetIdx;
use lotwise_nn::{EncoderConfig, EncoderInputs, Pass};
use lotwise_tensor::{AdamW, AdamWConfig, Array, Gradients, Params, Random, Tape};
use lotwise_train::encoder::{
    Asked, Batch, Day, LossConfig, Network, Path, Targets, ViewConfig, objective, view, views_needed,
};
use serde_json::{Value, json};

use crate::args::{BenchEncoderArgs, EncoderPreset};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::{Cell, Column, Page, Report, Table};

/// Least time that one measurement is taken over, since the clock counts milliseconds.
const BLOCK_MS: i64 = 100;
/// Days and assets of a step of training.
const STEP: [usize; 2] = [8, 40];
/// Numbers of the frozen branch.
const BRANCH: usize = 512;

/// Times inference at every number of assets, and a step of training without and with the differentiation term.
///
/// # Errors
/// When a size is out of range.
pub fn run(arguments: &BenchEncoderArgs, context: &Context) -> Result<Report, Failure> {
    let mut results: Vec<Value> = Vec::new();
    let mut table = Table::new([
        Column::words("job", "Job"),
        Column::number("threads", "Threads"),
        Column::number("median_ms", "Median ms"),
        Column::number("spread_ms", "Most less least"),
    ]);
    let config = match arguments.preset {
        EncoderPreset::Base64 => EncoderConfig::base64(BRANCH),
        EncoderPreset::Wide128 => EncoderConfig::wide128(BRANCH),
    };
    let mut params = Params::new();
    let failed = |error: lotwise_nn::Error| CliError::new("bad-network", Exit::Failed, error.to_string());
    let encoder = config.init(&mut params, 1).map_err(failed)?;
    let heads = config.init_heads(&mut params, 1);
    let network = Network { encoder, heads };
    let name = format!("{:?}", arguments.preset).to_lowercase();
    for &threads in &arguments.threads {
        if threads == 0 || threads > 1_024 {
            return Err(CliError::new("bad-threads", Exit::Usage, "numbers of threads are from 1 to 1024").into());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| CliError::new("no-threads", Exit::Failed, error.to_string()))?;
        let mut add = |job: String, work: &mut (dyn FnMut() + Send)| {
            let times = pool.install(|| measure(context, arguments.repeats.into(), work));
            let (median, spread) = (times[times.len() / 2], times[times.len() - 1] - times[0]);
            table.row([
                Cell::words(&job),
                Cell::count(threads),
                Cell::with_raw(format!("{median:.1}"), median.to_string()),
                Cell::with_raw(format!("{spread:.1}"), spread.to_string()),
            ]);
            results.push(json!({
                "name": format!("encoder {name} {job}"), "unit": "ms", "value": median, "spread": spread,
                "threads": threads, "n": times.len(), "preset": name, "job": job,
            }));
        };
        for &assets in &arguments.assets {
            if assets == 0 || assets > 2_000 {
                return Err(CliError::new("bad-assets", Exit::Usage, "numbers of assets are from 1 to 2000").into());
            }
            let inputs = inputs(&config, [1, assets]);
            add(format!("inference, {assets} assets"), &mut || {
                std::hint::black_box(network.encoder.embed(&params, &inputs));
            });
        }
        let batch = batch(&config);
        for (label, contrast) in [("", 0.0), (" with two views and the differentiation term", 0.5)] {
            let mut trained = params.clone();
            let mut step = Step::new(&network, &batch, contrast);
            add(format!("training step, {} windows{label}", STEP[0] * STEP[1]), &mut || step.go(&mut trained));
        }
    }
    let mut page = Page::new();
    page.heading(format!("The encoder {name}, {} parameters, windows of {} bars", params.count(), config.window));
    page.table(table.clone());
    page.sentence(
        "Random inputs; the frozen branch's numbers are given. A step hides features, goes forward and back and moves the weights.",
    );
    Ok(Report::new("bench", context.today(), json!({"results": results}), page).table(table))
}

/// Milliseconds of each repetition, rising; the first call does not count.
pub(super) fn measure(context: &Context, repeats: usize, work: &mut (dyn FnMut() + Send)) -> Vec<f64> {
    work();
    let mut times = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let (start, mut calls) = (context.clock.now(), 0_u32);
        let spent = loop {
            work();
            calls += 1;
            let spent = context.clock.now().millis_since(start);
            if spent >= BLOCK_MS {
                break spent;
            }
        };
        times.push(spent as f64 / f64::from(calls));
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Random numbers for so many days and assets.
fn inputs(config: &EncoderConfig, dims: [usize; 2]) -> EncoderInputs {
    let mut random = Random::new(7);
    let mut inputs = EncoderInputs::empty(config, dims, config.window);
    let mut draw = |array: &Array| Array::from_fn(array.shape(), |_| random.normal());
    inputs.values = draw(&inputs.values);
    inputs.temporal = draw(&inputs.temporal);
    inputs.statistics = draw(&inputs.statistics);
    inputs.metadata = draw(&inputs.metadata);
    for flags in [&mut inputs.present, &mut inputs.statistics_known, &mut inputs.available, &mut inputs.keep] {
        *flags = Array::full(flags.shape(), 1.0);
    }
    inputs
}

fn batch(config: &EncoderConfig) -> Batch {
    let (rows, mut random) = (STEP[0] * STEP[1], Random::new(9));
    let day = |session| Day { session, assets: (0..STEP[1]).map(AssetIdx).collect() };
    let regimes = |count: usize| (0..count).map(|row| Some(row % config.regimes)).collect::<Vec<_>>();
    let targets = Targets {
        ret: (0..rows).map(|_| Some(0.02 * random.normal())).collect(),
        log_vol: vec![None; rows],
        regime: regimes(rows),
        previous_regime: vec![None; rows],
        market_regime: regimes(STEP[0]),
    };
    let closes = Array::full([STEP[0], STEP[1], config.window], 10.0);
    Batch { days: (0..STEP[0]).map(day).collect(), inputs: inputs(config, STEP), closes, targets }
}

/// Steps of training on one batch.
struct Step<'a> {
    network: &'a Network,
    batch: &'a Batch,
    asked: Asked,
    adam: AdamW,
    tape: Tape,
    gradients: Gradients,
    count: u64,
}

impl<'a> Step<'a> {
    fn new(network: &'a Network, batch: &'a Batch, contrast: f32) -> Self {
        let asked = Asked { path: Path::Whole, contrast, regime_weights: [[1.0; 4]; 2] };
        let adam = AdamW::new(AdamWConfig::default());
        Self { network, batch, asked, adam, tape: Tape::default(), gradients: Gradients::new(), count: 0 }
    }

    fn go(&mut self, params: &mut Params) {
        let (rates, loss) = (ViewConfig::default(), LossConfig::default());
        let dropout = self.network.encoder.config().dropout;
        self.count += 2;
        let seeds: Vec<u64> = (0..views_needed(&self.asked, &loss) as u64).map(|i| self.count + i).collect();
        let views: Vec<_> = seeds.iter().map(|&seed| view(self.batch, &rates, seed)).collect();
        let passes: Vec<Pass> = seeds.iter().map(|&seed| Pass::Training { dropout, seed }).collect();
        self.tape.restart(params);
        let terms = objective(&mut self.tape, self.network, self.batch, &views, &passes, &self.asked, &loss);
        self.gradients.clear();
        self.tape.backward(terms.total, &mut self.gradients);
        self.tape.clear();
        self.gradients.clip(1.0);
        self.adam.step(params, &self.gradients, 1e-4);
    }
}
