//! Checks over the folder `../shared`: data that is too large or not ours to ship.

use std::path::Path;

use anyhow::{Context, Result, bail};
use lotwise_core::{Calendar, Date, Symbol};
use lotwise_market::check::{Severity, check, days_of, sessions_against};
use lotwise_market::table::Table;

use crate::{fixtures, shell, workspace};

/// A named check of the folder.
type Check = (&'static str, fn(&Path) -> Result<()>);

/// Runs every check over `../shared`; says so where the folder is not there.
pub fn run() -> Result<()> {
    let Some(folder) = workspace::shared() else {
        println!("shared: there is no folder ../shared here, so its fixtures, cases and prices were not checked");
        return Ok(());
    };
    let checks: [Check; 4] = [
        ("calendar", calendar),
        ("brokers' fixtures", brokerage),
        ("tax cases", tax_cases),
        ("data check", data_check),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        if let Err(error) = check(&folder) {
            eprintln!("shared, {name}: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("these checks over ../shared failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Sessions of the nineties on which the table of the volatility index lacks its row.
const INDEX_GAPS: [&str; 4] = ["1991-03-01", "1997-01-31", "1997-11-26", "1999-12-31"];

/// The exchange calendar against the days on which SPY has a row, and for the years before it
/// against those of the volatility index. (The index is also quoted on holidays of later years.)
fn calendar(folder: &Path) -> Result<()> {
    let spy = days_of(folder.join("data/prices_daily.parquet"), &Symbol::parse("SPY")?)?;
    compare("SPY", &spy, &[])?;
    let table = Table::open(folder.join("data/vix_daily.csv"))?;
    let mut index: Vec<Date> =
        table.column_date("date")?.into_iter().flatten().filter(|day| day.year() < 2000).collect();
    index.sort();
    compare("the volatility index", &index, &INDEX_GAPS)
}

/// Fails on a session too many or too few; `gaps` are days that the source is known to lack.
fn compare(name: &str, days: &[Date], gaps: &[&str]) -> Result<()> {
    let (Some(&first), Some(&last)) = (days.first(), days.last()) else { bail!("{name} has no days") };
    let mut difference = sessions_against(&Calendar::new_york(), days, first, last);
    difference.missing.retain(|date| !gaps.contains(&date.to_string().as_str()));
    println!(
        "shared, calendar: {name} from {first} to {last}: {} days, {} sessions missing, {} too many",
        days.len(),
        difference.missing.len(),
        difference.extra.len()
    );
    let named = |dates: &[Date]| dates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if difference.missing.is_empty() && difference.extra.is_empty() {
        return Ok(());
    }
    bail!("{name}: missing {}; too many {}", named(&difference.missing), named(&difference.extra))
}

/// Brokers' exports with known counts and sums.
fn brokerage(folder: &Path) -> Result<()> {
    let tally = fixtures::run(&folder.join("fixtures/brokerage")).context("cannot read the fixtures")?;
    if tally.wrong > 0 { bail!("{} fixtures come out wrong", tally.wrong) } else { Ok(()) }
}

/// Worked tax cases, by the program that people use.
fn tax_cases(folder: &Path) -> Result<()> {
    let files = workspace::files(&folder.join("tax"), "json")?;
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let mut arguments = vec!["run", "--quiet", "--package", "lotwise", "--", "verify"];
    arguments.extend(names.iter().map(String::as_str));
    shell::cargo_run(&arguments, &[])
}

/// The price tables: what is found is counted, and nothing may be wrong on its face.
fn data_check(folder: &Path) -> Result<()> {
    let report = check(folder.join("data"), &Calendar::new_york())?;
    for (kind, count) in &report.counts {
        println!("shared, data check: {count} {}", kind.as_str().replace('_', " "));
    }
    let wrong = report.findings.iter().find(|finding| finding.kind.severity() == Severity::Error);
    match wrong {
        Some(finding) => bail!("{:?} on {:?}: {}", finding.symbol, finding.date, finding.message),
        None => Ok(()),
    }
}
