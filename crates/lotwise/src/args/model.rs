//! Training, and what is trained.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::LabArgs;

/// `train`.
#[derive(Debug, Subcommand)]
pub enum TrainCommand {
    /// Train the encoder that knows no ticker
    Encoder(TrainEncoderArgs),
    /// Train encoders that differ in named ways, with several seeds, and compare them
    Study(TrainStudyArgs),
    /// Pretrain the frozen branch on synthetic series alone
    #[command(name = "kernelsynth")]
    KernelSynth(TrainKernelSynthArgs),
}

/// `train kernelsynth`.
#[derive(Debug, Args)]
#[command(after_help = "Ctrl-C ends a run with its state kept; --resume goes on with the same bits as a run that was \
                        never interrupted. docs/chronos.md tells what is trained and lists every key.")]
pub struct TrainKernelSynthArgs {
    /// Folder for the run; it must not hold one already
    #[arg(long, value_name = "FOLDER", required_unless_present = "resume")]
    pub out: Option<PathBuf>,
    /// What to train and how (TOML); without it the network that is shipped
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Go on with the run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "config", "seed", "steps"])]
    pub resume: Option<PathBuf>,
    /// Seed of everything, in place of the one in the file
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Steps, in place of those in the file
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Threads; without it as many as there are cores. The result is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Show what would be trained, and train and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `train encoder`.
#[derive(Debug, Args)]
#[command(after_help = "Ctrl-C ends a run with its state kept; --resume goes on with the same bits as a run that was \
                        never interrupted. docs/encoder.md tells what is trained and lists every key.")]
pub struct TrainEncoderArgs {
    /// Prices, with the tables beside them: a Parquet or CSV file, or a folder
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// Folder for the run; it must not hold one already
    #[arg(long, value_name = "FOLDER", required_unless_present = "resume")]
    pub out: Option<PathBuf>,
    /// What to train and how (TOML); without it the protocol of docs/encoder.md
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Go on with the run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "config", "seed"])]
    pub resume: Option<PathBuf>,
    /// Seed of everything, in place of the one in the file
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Trial ledger, threads, dry run.
    #[command(flatten)]
    pub lab: LabArgs,
}

/// `train study`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ctrl-C ends a study with its state kept; the same command goes on with it. Each run is written \
                        into the trial ledger. docs/encoder.md tells what a study is and lists every key."
)]
pub struct TrainStudyArgs {
    /// Prices, with the tables beside them: a Parquet or CSV file, or a folder
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// Folder for the runs and their comparison
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// What is to be compared (TOML)
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Train these variants alone; others may be trained at the same time by another call
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub only: Vec<String>,
    /// Trial ledger, threads, dry run.
    #[command(flatten)]
    pub lab: LabArgs,
}

/// `model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// What a file of weights says about itself
    Show(ModelFile),
    /// Check that the weights are those that were trained, and compute what they should
    Verify(ModelFile),
    /// The model card, in Markdown
    Card(ModelFile),
    /// Write a network as an ONNX model, which other programs can run
    Export(ExportArgs),
    /// What the encoder is worth on validation, beside plain baselines
    Evidence(EvidenceArgs),
    /// Whether the encoder finds better replacements for what is sold at a loss, on validation
    Replacements(ReplacementsArgs),
}

/// `model export`.
#[derive(Debug, Args)]
#[command(after_help = "docs/encoder.md tells what the inputs of an exported encoder are.")]
pub struct ExportArgs {
    /// A trained encoder (safetensors), or the folder or model.safetensors of a frozen branch
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where to write
    #[arg(long, value_name = "OUT.onnx")]
    pub onnx: PathBuf,
    /// Replace a file that is there already
    #[arg(long)]
    pub yes: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `model evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// A trained encoder (safetensors)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The data it was trained on: a Parquet or CSV file, or a folder
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// An encoder to set beside it, for instance one trained without the differentiation term
    #[arg(long, value_name = "FILE")]
    pub control: Option<PathBuf>,
    /// Also ask the frozen branches by themselves, which takes longer
    #[arg(long)]
    pub branches: bool,
    /// Folder of a study to tell of in the same document
    #[arg(long, value_name = "FOLDER", requires = "markdown")]
    pub study: Option<PathBuf>,
    /// Print a document in Markdown
    #[arg(long)]
    pub markdown: bool,
}

/// A file of weights.
#[derive(Debug, Args)]
pub struct ModelFile {
    /// A trained network (safetensors)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Sizes of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncoderPreset {
    /// 64 numbers an asset, 4 + 2 layers
    Base64,
    /// 128 numbers an asset, 8 + 2 layers
    Wide128,
}

/// `bench encoder`.
#[derive(Debug, Args)]
pub struct BenchEncoderArgs {
    /// Which sizes
    #[arg(long, value_enum, default_value_t = EncoderPreset::Base64)]
    pub preset: EncoderPreset,
    /// Numbers of assets
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "10,100,500")]
    pub assets: Vec<usize>,
    /// Numbers of threads
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "1,2")]
    pub threads: Vec<usize>,
    /// Repetitions, each of a tenth of a second or one call
    #[arg(long, value_name = "N", default_value = "7", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub repeats: u16,
}

/// Sizes of the encoder of Chronos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChronosSize {
    /// Chronos-T5 tiny
    Tiny,
    /// Chronos-T5 mini
    Mini,
    /// Chronos-T5 small
    Small,
    /// The branch that comes with the program
    #[value(name = "kernelsynth")]
    KernelSynth,
}

/// `bench chronos`.
#[derive(Debug, Args)]
pub struct BenchChronosArgs {
    /// Which sizes, with random weights
    #[arg(long, value_enum, default_value_t = ChronosSize::Small)]
    pub size: ChronosSize,
    /// The network in this folder, in place of random weights
    #[arg(long, value_name = "FOLDER", conflicts_with = "size")]
    pub weights: Option<PathBuf>,
    /// How many series go through together
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub series: u16,
    /// Lengths of the series, in closes
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "64,512")]
    pub lengths: Vec<u16>,
    /// Numbers of threads
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "1,2")]
    pub threads: Vec<usize>,
    /// Repetitions, each of a tenth of a second or one call
    #[arg(long, value_name = "N", default_value = "7", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub repeats: u16,
}

/// `model replacements`.
#[derive(Debug, Args)]
pub struct ReplacementsArgs {
    /// A trained encoder (safetensors)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The data it was trained on: a Parquet or CSV file, or a folder
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// Sessions over which a replacement is held, and from one choice to the next
    #[arg(long, value_name = "N", default_value = "31", value_parser = clap::value_parser!(u16).range(5..=252))]
    pub horizon: u16,
}
