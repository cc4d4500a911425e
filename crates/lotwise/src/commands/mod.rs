//! What each command does. A command turns arguments into a [`Report`] or a list of errors; it
//! prints nothing itself.

mod backtest;
mod bench;
mod data;
mod demo;
mod evaluate;
mod evidence;
mod export;
mod harvest;
mod import;
mod kernelsynth;
mod ledger;
mod lots;
mod model;
pub mod prices;
mod recommend;
mod replacements;
mod scripts;
mod study;
mod tax_estimate;
mod tax_report;
mod train;
mod verify;
mod whatif;

use crate::args::{
    BenchCommand, Command, DataCommand, ImportCommand, ModelCommand, PricesCommand, TaxCommand, TrainCommand,
    WhatifCommand,
};
use crate::context::Context;
use crate::errors::Failure;
use crate::output::{Form, Report};

/// What a command hands back.
pub enum Outcome {
    /// A result in every form.
    Report(Box<Report>),
    /// A result in this form, whatever the flags say.
    As(Box<Report>, Form),
    /// Bytes for stdout as they are: a completion script, a manual page.
    Text(Vec<u8>),
}

impl From<Report> for Outcome {
    fn from(report: Report) -> Self {
        Self::Report(Box::new(report))
    }
}

/// Runs a command.
///
/// # Errors
/// What the person has to put right.
pub fn run(command: Command, context: &Context) -> Result<Outcome, Failure> {
    match command {
        Command::Import(arguments) => match arguments.command {
            Some(ImportCommand::Formats) => Ok(import::formats(context).into()),
            Some(ImportCommand::List) => ledger::list(context).map(Outcome::from),
            Some(ImportCommand::Undo(arguments)) => ledger::undo(&arguments, context).map(Outcome::from),
            None if arguments.propose_map => crate::answers::propose_map(&arguments.files),
            None => import::run(&arguments, context).map(Outcome::from),
        },
        Command::Backup(arguments) => ledger::backup(&arguments, context).map(Outcome::from),
        Command::Restore(arguments) => ledger::restore(&arguments, context).map(Outcome::from),
        Command::Doctor(arguments) => ledger::doctor(&arguments, context),
        Command::Demo(arguments) => demo::run(&arguments, context).map(Outcome::from),
        Command::Lots(arguments) => lots::run(&arguments, context).map(Outcome::from),
        Command::Harvest(arguments) => harvest::run(&arguments, context).map(Outcome::from),
        Command::Whatif(WhatifCommand::Sell(arguments)) => whatif::run(&arguments, context).map(Outcome::from),
        Command::Recommend(arguments) => recommend::run(&arguments, context).map(Outcome::from),
        Command::Tax(TaxCommand::Estimate(arguments)) => tax_estimate::run(&arguments, context).map(Outcome::from),
        Command::Tax(TaxCommand::Report(arguments)) => tax_report::run(&arguments, context),
        Command::Verify(arguments) => verify::run(&arguments, context).map(Outcome::from),
        Command::Data(DataCommand::Check(arguments)) => data::check(&arguments, context).map(Outcome::from),
        Command::Data(DataCommand::Describe(arguments)) => data::describe(&arguments, context).map(Outcome::from),
        Command::Data(DataCommand::Features(arguments)) => data::features(&arguments, context).map(Outcome::from),
        Command::Prices(PricesCommand::Fetch(arguments)) => prices::fetch(&arguments, context).map(Outcome::from),
        Command::Prices(PricesCommand::Status) => prices::status(context).map(Outcome::from),
        Command::Train(TrainCommand::KernelSynth(arguments)) => {
            kernelsynth::kernelsynth(&arguments, context).map(Outcome::from)
        }
        Command::Train(TrainCommand::Study(arguments)) => study::run(&arguments, context).map(Outcome::from),
        Command::Train(TrainCommand::Encoder(arguments)) => train::encoder(&arguments, context).map(Outcome::from),
        Command::Model(ModelCommand::Show(arguments)) => model::show(&arguments, context).map(Outcome::from),
        Command::Model(ModelCommand::Verify(arguments)) => model::verify(&arguments, context).map(Outcome::from),
        Command::Model(ModelCommand::Evidence(arguments)) => evidence::run(&arguments, context).map(Outcome::from),
        Command::Model(ModelCommand::Replacements(arguments)) => {
            replacements::run(&arguments, context).map(Outcome::from)
        }
        Command::Model(ModelCommand::Export(arguments)) => export::run(&arguments, context).map(Outcome::from),
        Command::Model(ModelCommand::Card(arguments)) => model::card(&arguments, context).map(Outcome::from),
        Command::Backtest(arguments) => backtest::run(&arguments, context).map(Outcome::from),
        Command::Evaluate(arguments) => evaluate::run(&arguments, context).map(Outcome::from),
        Command::Bench(BenchCommand::Olps(arguments)) => bench::olps(&arguments, context).map(Outcome::from),
        Command::Bench(BenchCommand::Backtest(arguments)) => bench::backtest(&arguments, context).map(Outcome::from),
        Command::Bench(BenchCommand::Env(arguments)) => bench::env(&arguments, context).map(Outcome::from),
        Command::Bench(BenchCommand::Chronos(arguments)) => bench::chronos(&arguments, context).map(Outcome::from),
        Command::Bench(BenchCommand::Encoder(arguments)) => bench::encoder(&arguments, context).map(Outcome::from),
        Command::Bench(BenchCommand::Null(arguments)) => bench::null(&arguments, context).map(Outcome::from),
        Command::Completions { shell } => Ok(Outcome::Text(scripts::completions(shell))),
        Command::Man { out } => scripts::man(out.as_deref(), context).map(Outcome::Text),
    }
}
