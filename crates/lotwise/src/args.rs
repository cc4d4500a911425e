//! Every command, flag and value of the command line, in one place: help, completions and man
//! pages are made from these definitions.

mod lab;
mod model;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use lotwise_core::{Date, Money, Objective, Rate, Shares, Symbol};
use lotwise_tax::{FilingStatus, Method};

use crate::store::Mode;

pub use lab::{BacktestArgs, BenchBacktestArgs, BenchEnvArgs, EvaluateArgs, LabArgs, NullArgs};
pub use model::{
    BenchChronosArgs, BenchEncoderArgs, ChronosSize, EncoderPreset, EvidenceArgs, ExportArgs, ModelCommand, ModelFile,
    ReplacementsArgs, TrainCommand, TrainEncoderArgs, TrainKernelSynthArgs, TrainStudyArgs,
};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "lotwise",
    version,
    about = "Tax-aware portfolio management: lots, wash sales, harvesting and after-tax advice",
    after_help = "Not investment or tax advice: estimates from your data and the rates you entered.",
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Flags that work everywhere.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that work everywhere.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// Print one JSON object instead of text
    #[arg(long, global = true, conflicts_with = "csv")]
    pub json: bool,
    /// Print the main table as CSV
    #[arg(long, global = true)]
    pub csv: bool,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Mask amounts and share counts; weights and percentages stay
    #[arg(long, global = true)]
    pub privacy: bool,
    /// Use no colours (NO_COLOR does the same)
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The main job on bundled sample data, offline
    Demo(DemoArgs),
    /// Read brokers' exports, and keep them in the ledger if you choose so
    Import(ImportArgs),
    /// Write the ledger into one file and verify it
    Backup(BackupArgs),
    /// Put a backup in the place of the ledger
    Restore(RestoreArgs),
    /// Check the ledger and the folder it lies in
    Doctor(DoctorArgs),
    /// Open lots, their long-term dates, and what was sold
    Lots(LotsArgs),
    /// Losses worth taking, and what to hold instead
    Harvest(HarvestArgs),
    /// What something would come to after tax
    #[command(subcommand)]
    Whatif(WhatifCommand),
    /// What to do with the account, in dollars after tax
    Recommend(RecommendArgs),
    /// The year's tax
    #[command(subcommand)]
    Tax(TaxCommand),
    /// Recompute worked cases and compare with what they expect
    Verify(VerifyArgs),
    /// Look into a folder or file of prices
    #[command(subcommand)]
    Data(DataCommand),
    /// Prices from a provider, kept in a local cache
    #[command(subcommand)]
    Prices(PricesCommand),
    /// Train a network
    #[command(subcommand)]
    Train(TrainCommand),
    /// Look at a trained network
    #[command(subcommand)]
    Model(ModelCommand),
    /// Run strategies over history, with lots, taxes and costs
    Backtest(BacktestArgs),
    /// Judge a policy on many windows, against equal weight with as much cash
    Evaluate(EvaluateArgs),
    /// Measure, or compute published results again
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all pages into a folder
    Man {
        /// Write one page per command into this folder
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

/// `import`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "All files are imported, or none. The first import asks which mode you want; \
                  --mode or the setting mode answers it."
)]
pub struct ImportArgs {
    /// Exports to read, of any known broker
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Take the files for this format instead of recognising it
    #[arg(long = "as", value_name = "FORMAT")]
    pub format: Option<String>,
    /// Read only this account, or give this name to the only one
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Show what would be imported and store nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What is kept; without it the setting `mode`, else what you chose before
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Option<Mode>,
    /// How the files are read where they leave something open.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Write the open questions into this file, to be filled in for --answers
    #[arg(long, value_name = "FILE")]
    pub write_answers: Option<PathBuf>,
    /// Ask the open questions at the terminal, also for a dry run
    #[arg(long)]
    pub ask: bool,
    /// Ask nothing and take every answer that is proposed
    #[arg(long, visible_alias = "yes", conflicts_with = "ask")]
    pub no_ask: bool,
    /// Print a column map for a table that no format knows, made from its header
    #[arg(long, conflicts_with_all = ["dry_run", "ask", "map", "answers", "write_answers"])]
    pub propose_map: bool,
    /// What else `import` can do.
    #[command(subcommand)]
    pub command: Option<ImportCommand>,
}

/// What a person adds to files that leave something open.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadingArgs {
    /// Read the files as tables by this column map (TOML)
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    pub map: Option<PathBuf>,
    /// Answers to the questions that the files raise (TOML)
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
}

/// Other things that `import` does.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// List the formats that are read
    Formats,
    /// List what was imported
    List,
    /// Take an import back; rows that another file also has stay
    Undo(UndoArgs),
}

/// `import undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// Number of the import, as `import list` shows it
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    pub id: i64,
    /// Whether it is done, and whether it is asked about first.
    #[command(flatten)]
    pub caution: CautionArgs,
}

/// How careful a command is that takes away or replaces something.
#[derive(Debug, Clone, Copy, Args)]
pub struct CautionArgs {
    /// Check, show what would be done and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, and replace what is there
    #[arg(long)]
    pub yes: bool,
}

/// `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// File to write
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whether it is done, and whether it is asked about first.
    #[command(flatten)]
    pub caution: CautionArgs,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Backup to take
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whether it is done, and whether it is asked about first.
    #[command(flatten)]
    pub caution: CautionArgs,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print the content of the ledger as sorted lines, the same for the same content
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub dump: bool,
}

/// Histories, prices and the day, as most commands take them.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// Brokers' exports, read without being stored; without it what was imported
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub history: Vec<PathBuf>,
    /// Take the files for this format instead of recognising it
    #[arg(long = "as", value_name = "FORMAT", requires = "history")]
    pub format: Option<String>,
    /// Use only this account, or give this name to the only one
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// How the files are read where they leave something open.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// The broker's own lots: reports of realised lots; they only say which lots sales took
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub lots: Vec<PathBuf>,
    /// Prices: a Parquet or CSV file, or a folder of them; without it the local cache
    #[arg(long, value_name = "PATH")]
    pub prices: Option<PathBuf>,
    /// Look at the account at the close of this day instead of today
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<Date>,
    /// The person's tax rates.
    #[command(flatten)]
    pub rates: RateArgs,
}

/// The person's tax rates; each may also stand in `lotwise.toml`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tax rates")]
pub struct RateArgs {
    /// Marginal rate on short-term gains, for instance 0.24
    #[arg(long, value_name = "RATE")]
    pub short_rate: Option<Rate>,
    /// Marginal rate on long-term gains, for instance 0.15
    #[arg(long, value_name = "RATE")]
    pub long_rate: Option<Rate>,
    /// State rate on short-term gains
    #[arg(long, value_name = "RATE")]
    pub state_short_rate: Option<Rate>,
    /// State rate on long-term gains
    #[arg(long, value_name = "RATE")]
    pub state_long_rate: Option<Rate>,
}

/// Which lots leave when a sale names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodArg {
    /// Earliest acquired first: the legal default
    Fifo,
    /// Latest acquired first
    Lifo,
    /// Highest basis per share first
    Hifo,
    /// Lowest basis per share first
    Lofo,
    /// Least tax first, wash sales included
    MinTax,
    /// Average basis; only for lots marked eligible
    Average,
}

/// Reads a filing status by its name and lists the names in help and errors.
fn filing_status() -> impl TypedValueParser<Value = FilingStatus> {
    PossibleValuesParser::new(FilingStatus::ALL.map(FilingStatus::name))
        .map(|name| FilingStatus::parse(&name).expect("Invariant: only names of statuses pass"))
}

impl MethodArg {
    /// The engine's method.
    #[must_use]
    pub const fn to_method(self) -> Method {
        match self {
            Self::Fifo => Method::Fifo,
            Self::Lifo => Method::Lifo,
            Self::Hifo => Method::Hifo,
            Self::MinTax => Method::MinTax,
            Self::Lofo => Method::Lofo,
            Self::Average => Method::Average,
        }
    }

    /// The name used in flags and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        method_name(self.to_method())
    }
}

/// The name of a method in flags and tables.
#[must_use]
pub const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Fifo => "fifo",
        Method::Lifo => "lifo",
        Method::Hifo => "hifo",
        Method::MinTax => "min-tax",
        Method::Lofo => "lofo",
        Method::Average => "average",
    }
}

/// `lots`.
#[derive(Debug, Args)]
pub struct LotsArgs {
    /// Show only this symbol
    #[arg(value_name = "SYMBOL")]
    pub symbol: Option<Symbol>,
    /// Histories, prices and the day.
    #[command(flatten)]
    pub input: HistoryArgs,
    /// Which lots left in sales that name none
    #[arg(long, value_enum, default_value_t = MethodArg::Fifo)]
    pub method: MethodArg,
    /// Show only lots that turn long-term within this many days
    #[arg(long, value_name = "DAYS")]
    pub countdown: Option<u16>,
}

/// `harvest`.
#[derive(Debug, Args)]
pub struct HarvestArgs {
    /// Histories, prices and the day.
    #[command(flatten)]
    pub input: HistoryArgs,
    /// The tax year; without it the year of the day
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(2018..=2026))]
    pub year: Option<i32>,
    /// Leave out losses smaller than this amount
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub min: Money,
    /// How replacements are found.
    #[command(flatten)]
    pub likeness: LikenessArgs,
}

/// How replacements of what is sold at a loss are found.
#[derive(Debug, Args)]
pub struct LikenessArgs {
    /// Find replacements by this encoder (safetensors), in place of sector and correlation
    #[arg(long, value_name = "FILE", requires = "prices")]
    pub model: Option<PathBuf>,
}

/// `whatif`.
#[derive(Debug, Subcommand)]
pub enum WhatifCommand {
    /// What a sale would come to after tax
    Sell(WhatifSellArgs),
}

/// A scenario to put beside the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Comparison {
    /// Sell the same shares once they are long-term
    Wait,
    /// Every lot method and the whole position
    All,
}

/// Shares of a lot named for a sale: `ID=SHARES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotChoice {
    /// The lot.
    pub lot: String,
    /// Shares of it, above zero.
    pub shares: Shares,
}

impl std::str::FromStr for LotChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (lot, shares) = text.rsplit_once('=').ok_or("expected ID=SHARES, for instance lot-3=10")?;
        let shares = Shares::parse(shares).map_err(|error| error.to_string())?;
        if lot.is_empty() || !shares.is_positive() {
            return Err("expected ID=SHARES with a number of shares above zero".to_owned());
        }
        Ok(Self { lot: lot.to_owned(), shares })
    }
}

/// `whatif sell`.
#[derive(Debug, Args)]
pub struct WhatifSellArgs {
    /// What to sell
    pub symbol: Symbol,
    /// How many shares
    pub shares: Shares,
    /// Histories, prices and the day.
    #[command(flatten)]
    pub input: HistoryArgs,
    /// The day of the sale; without it the day of the account
    #[arg(long, value_name = "DATE")]
    pub on: Option<Date>,
    /// Which lots leave
    #[arg(long, value_enum, conflicts_with = "lot")]
    pub method: Option<MethodArg>,
    /// Sell these shares of this lot; may be given several times
    #[arg(long, value_name = "ID=SHARES")]
    pub lot: Vec<LotChoice>,
    /// Scenarios to put beside it
    #[arg(long, value_enum, value_delimiter = ',')]
    pub compare: Vec<Comparison>,
}

/// `recommend`.
#[derive(Debug, Args)]
pub struct RecommendArgs {
    /// Histories, prices and the day.
    #[command(flatten)]
    pub input: HistoryArgs,
    /// What the account is for
    #[arg(long, value_name = "OBJECTIVE", default_value = "MAX_GAIN_1Y")]
    pub objective: Objective,
    /// Cash that has to be free after the plan
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub cash_needed: Money,
    /// The rule that chooses the weights; without it the default of the objective
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,
    /// How replacements are found.
    #[command(flatten)]
    pub likeness: LikenessArgs,
}

/// The invented persons of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Persona {
    /// Buys and sells often
    Trader,
    /// Bought years ago and held
    Longterm,
    /// Sits on losses
    Loss,
    /// Lives on the account
    Retiree,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Whose account to look at
    #[arg(long, value_enum, default_value_t = Persona::Longterm)]
    pub persona: Persona,
}

/// `tax`.
#[derive(Debug, Subcommand)]
pub enum TaxCommand {
    /// Estimate the federal and state tax of a year
    Estimate(TaxEstimateArgs),
    /// Fill in Form 8949 and Schedule D of a year, and compare them with a broker's 1099-B
    Report(TaxReportArgs),
}

/// How to compute the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaxMode {
    /// Brackets, the 0/15/20 % bands and the net investment income tax
    Brackets,
    /// Two flat rates: an explicit simplification
    Flat,
}

/// `tax estimate`.
#[derive(Debug, Args)]
pub struct TaxEstimateArgs {
    /// The tax year
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(2018..=2026))]
    pub year: i32,
    /// How you file; without it the setting `status`
    #[arg(long, value_name = "STATUS", value_parser = filing_status())]
    pub status: Option<FilingStatus>,
    /// Wages
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub wages: Money,
    /// Taxable interest
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub interest: Money,
    /// Other ordinary income that is not from investments, negative for a loss
    #[arg(long, value_name = "AMOUNT", default_value = "0", allow_negative_numbers = true)]
    pub other_income: Money,
    /// Qualified dividends; with --history, so much of the dividends in the files
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub qualified_dividends: Money,
    /// Dividends that are not qualified
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub ordinary_dividends: Money,
    /// The year's net short-term gain, negative for a loss
    #[arg(long, value_name = "AMOUNT", default_value = "0", allow_negative_numbers = true)]
    pub short_term_gain: Money,
    /// The year's net long-term gain, negative for a loss
    #[arg(long, value_name = "AMOUNT", default_value = "0", allow_negative_numbers = true)]
    pub long_term_gain: Money,
    /// Short-term loss carried over from the year before, above zero
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub short_carryover: Money,
    /// Long-term loss carried over from the year before, above zero
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub long_carryover: Money,
    /// Deduction in place of the standard one
    #[arg(long, value_name = "AMOUNT")]
    pub deduction: Option<Money>,
    /// Brackets, or two flat rates
    #[arg(long, value_enum, default_value_t = TaxMode::Brackets)]
    pub mode: TaxMode,
    /// Add the sales, dividends and interest of these exports to the amounts above; without it those
    /// that were imported
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub history: Vec<PathBuf>,
    /// Use the amounts above alone, also where histories were imported
    #[arg(long, conflicts_with = "history")]
    pub by_hand: bool,
    /// The broker's own lots: reports of realised lots; they only say which lots sales took
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "history")]
    pub lots: Vec<PathBuf>,
    /// Answers to the questions that the files raise (TOML)
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Which lots left in sales that name none
    #[arg(long, value_enum, default_value_t = MethodArg::Fifo)]
    pub method: MethodArg,
    /// Flat and state rates.
    #[command(flatten)]
    pub rates: RateArgs,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A table of the rows
    Csv,
    /// Tax Exchange Format, version 042, for tax programs
    Txf,
    /// Everything, for programs
    Json,
    /// One page to read or print
    Html,
}

/// What a broker told the tax authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportedAs {
    /// Proceeds and basis (boxes A and D)
    Basis,
    /// Proceeds alone (boxes B and E)
    Proceeds,
    /// Nothing (boxes C and F)
    Nothing,
}

/// What a broker told of a symbol or a lot: `NAME=basis|proceeds|nothing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedChoice {
    /// Symbol or lot.
    pub name: String,
    /// What was told.
    pub reported: ReportedAs,
}

impl std::str::FromStr for ReportedChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected SYMBOL or LOT, =, and one of basis, proceeds, nothing";
        let (name, reported) = text.rsplit_once('=').ok_or(expected)?;
        let reported = ReportedAs::from_str(reported, true).map_err(|_| expected)?;
        if name.is_empty() { Err(expected.to_owned()) } else { Ok(Self { name: name.to_owned(), reported }) }
    }
}

/// `tax report`.
#[derive(Debug, Args)]
pub struct TaxReportArgs {
    /// The tax year
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(2018..=2026))]
    pub year: i32,
    /// Histories and the day.
    #[command(flatten)]
    pub input: HistoryArgs,
    /// Which lots left in sales that name none
    #[arg(long, value_enum, default_value_t = MethodArg::Fifo)]
    pub method: MethodArg,
    /// How you file; without it the setting `status`
    #[arg(long, value_name = "STATUS", value_parser = filing_status())]
    pub status: Option<FilingStatus>,
    /// Print or write this form
    #[arg(long = "format", value_enum)]
    pub form: Option<ReportFormat>,
    /// Write to this file instead of printing
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub yes: bool,
    /// Compare with these forms 1099-B or lists of realised lots
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub reconcile: Vec<PathBuf>,
    /// Short-term loss carried over from the year before, above zero
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub short_carryover: Money,
    /// Long-term loss carried over from the year before, above zero
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub long_carryover: Money,
    /// Taxable income (Form 1040 line 15, below zero too), for the loss that is carried on
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub taxable_income: Option<Money>,
    /// Say what the broker reported of a symbol or lot: NAME=basis, proceeds or nothing
    #[arg(long, value_name = "NAME=WHAT")]
    pub reported_as: Vec<ReportedChoice>,
    /// Mutual funds, for which brokers report basis from 2012; separated by commas
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub fund: Vec<Symbol>,
    /// Round every amount to whole dollars
    #[arg(long)]
    pub whole_dollars: bool,
    /// Leave rows that need no adjustment off Form 8949: only their totals go on Schedule D
    #[arg(long)]
    pub totals: bool,
    /// One row per order in place of one per lot
    #[arg(long)]
    pub combine: bool,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// JSON files of cases
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `bench`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The published table of online portfolio selection
    Olps(OlpsArgs),
    /// Time walk-forward runs over synthetic prices
    Backtest(BenchBacktestArgs),
    /// Time the training environment with lots, wash sales and taxes
    Env(BenchEnvArgs),
    /// Time the encoder: a day of so many assets, and a step of training
    Encoder(BenchEncoderArgs),
    /// How long the encoder of Chronos takes
    Chronos(BenchChronosArgs),
    /// Count false positives in markets without predictability
    Null(NullArgs),
}

/// `bench olps`.
#[derive(Debug, Args)]
pub struct OlpsArgs {
    /// Folder with a CSV of price relatives per data set (sessions by line, assets by column)
    #[arg(long, value_name = "FOLDER")]
    pub data: PathBuf,
}

/// `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Find duplicates, gaps, impossible bars, jumps, stale runs and unadjusted splits
    Check(DataPath),
    /// Say what is there: symbols, sessions, tables
    Describe(DataPath),
    /// Compute features, regimes and metadata
    Features(FeaturesArgs),
}

/// A table of prices.
#[derive(Debug, Args)]
pub struct DataPath {
    /// A Parquet or CSV file, or a folder of them
    pub path: PathBuf,
}

/// How features are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScaleArg {
    /// As they are defined
    Raw,
    /// Against the last 252 bars, clipped to ±5
    Normalised,
}

/// `data features`.
#[derive(Debug, Args)]
pub struct FeaturesArgs {
    /// A Parquet or CSV file, or a folder of them
    pub path: PathBuf,
    /// Only these symbols, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub symbols: Vec<Symbol>,
    /// First session
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// Last session
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// Features as they are defined, or normalised as a network reads them
    #[arg(long, value_enum, default_value_t = ScaleArg::Raw)]
    pub scale: ScaleArg,
    /// Write a Parquet file instead of printing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    pub out: Option<PathBuf>,
}

/// `prices`.
#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// Fetch daily prices into the local cache
    Fetch(FetchArgs),
    /// Say what the cache holds and how old it is
    Status,
}

/// `prices fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// What to fetch
    #[arg(required = true, value_name = "SYMBOL")]
    pub symbols: Vec<Symbol>,
    /// First day; without it five years back
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// Use only what the cache holds
    #[arg(long)]
    pub offline: bool,
    /// Take the prices from this file or folder instead of the network
    #[arg(long, value_name = "PATH")]
    pub source: Option<PathBuf>,
}
