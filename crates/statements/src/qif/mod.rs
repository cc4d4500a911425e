//! Quicken Interchange Format: the investment accounts of a file.
//!
//! A record is lines of one letter and a value, ended by `^`. Amounts carry no sign; the action tells the direction.

mod actions;
mod lines;

use std::collections::BTreeMap;

use lotwise_core::{Date, Shares, Symbol};

use crate::facts::{self, Names};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, LEFT_OUT, Meaning, clip, describe};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, StatedLot, Statement, Transaction};
use actions::{Direction, Known};
use lines::{DateOrder, Record, Section, records};

/// Quicken's investment accounts.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "qif-investment",
        title: "Quicken, investment account (QIF)",
        extensions: &["qif"],
        example: "!Type:Invst, then D1/15'26, NBuy, YExample Corp, …, ^",
    },
    recognise: |sniff: &Sniff<'_>| {
        let begins = sniff.head.trim_start().starts_with('!');
        let has = |wanted: &str| sniff.head.lines().any(|line| line.trim().eq_ignore_ascii_case(wanted));
        match begins && (has("!type:invst") || has("!account")) {
            true => Confidence::Sure,
            false if begins && has("!type:bank") => Confidence::Plausible,
            false => Confidence::No,
        }
    },
    read,
};

const NAMES: Names<'static> = Names { symbol: "Y", shares: "Q", price: "I", amount: "T" };

fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let records = records(text.as_str(), options)?;
    if !records.iter().any(|record| record.section == Section::Investment) {
        let hint = "a Quicken file without an investment account (!Type:Invst); export that account".to_owned();
        return Err(Error::Unrecognised { hint });
    }
    let tickers = tickers(&records);
    let order = DateOrder::of(&records);
    let mut gathering = Gathering::with(FORMAT.info.id, options);
    let mut account = "default".to_owned();
    for record in records {
        match record.section {
            Section::Account => account = record.text('N').map_or_else(|| account.clone(), |name| clip(name, 60)),
            Section::List => {}
            Section::Cash => {
                gathering.ignore(
                    record.row,
                    "record",
                    "belongs to a bank or card account, and only investment accounts are read",
                )?;
            }
            Section::Investment => {
                if order == DateOrder::Unclear {
                    let text = "No date tells whether days or months come first. Do months come first?";
                    gathering.ask(
                        "date-order",
                        text,
                        "months first, as Quicken writes in the United States",
                        record.row,
                    );
                }
                match transaction(&record, &account, order, &tickers, &mut gathering) {
                    Ok(Some(transaction)) => gathering.accept(transaction)?,
                    Ok(None) => {
                        let what = record.text('N').unwrap_or("record");
                        gathering.ignore(record.row, &clip(what, 40), ignored(what))?;
                    }
                    Err(fault) => gathering.quarantine(fault.into_note(record.row))?,
                }
            }
        }
    }
    Ok(gathering.finish())
}

fn ignored(what: &str) -> &'static str {
    actions::find(what).map_or(LEFT_OUT, |known| match known {
        Known::Ignore(reason) => reason,
        Known::Do(..) | Known::Refuse(_) => LEFT_OUT,
    })
}

/// Tickers of the file's list of securities, by name in lower case.
fn tickers(records: &[Record<'_>]) -> BTreeMap<String, Symbol> {
    let listed = records.iter().filter(|record| record.section == Section::List);
    listed
        .filter_map(|record| {
            let symbol = Symbol::parse(record.text('S')?).ok()?;
            Some((record.text('N')?.to_ascii_lowercase(), symbol))
        })
        .collect()
}

fn transaction(
    record: &Record<'_>,
    account: &str,
    order: DateOrder,
    tickers: &BTreeMap<String, Symbol>,
    gathering: &mut Gathering,
) -> Result<Option<Transaction>, Fault> {
    if !record.ended {
        return Err(Fault::new("record", "", "is not ended by ^; the file seems cut off"));
    }
    if let Some((code, line)) = record.unknown {
        return Err(Fault::new("line", line, format!("has the code {code:?}, which investment records do not have")));
    }
    // A record without an action is a movement of cash.
    let word = record.text('N').unwrap_or("Cash");
    let known = match actions::find(word) {
        Some(known) => known,
        None => match gathering.meaning("N", word, record.row)? {
            Meaning::Do(action) => Known::Do(action, Direction::of(action), ""),
            Meaning::LeaveOut => return Ok(None),
        },
    };
    let (action, direction, detail) = match known {
        Known::Ignore(_) => return Ok(None),
        Known::Refuse(reason) => return Err(Fault::new("N", word, reason)),
        Known::Do(action, direction, detail) => (action, direction, detail),
    };
    let text = record.text('D').ok_or_else(|| Fault::missing("D"))?;
    let date: Date = order.read(text).ok_or_else(|| Fault::new("D", text, order.expected()))?;
    let mut draft = Transaction { account: account.to_owned(), ..Transaction::new(action, date, record.row) };
    draft.description = describe(&[Some(word), record.text('Y'), record.text('P'), record.text('M')]);
    draft.detail = (!detail.is_empty()).then_some(detail.into());
    if let Some(name) = record.text('Y') {
        draft.symbol = security(name, tickers, record.row, gathering);
    }
    draft.price = record.text('I').map(|text| facts::price("I", text)).transpose()?;
    draft.fees = record.text('O').map(|text| facts::money("O", text)).transpose()?.unwrap_or_default();
    let amount = match record.text('T').map(|text| ('T', text)).or_else(|| record.text('U').map(|text| ('U', text))) {
        Some((code, text)) => Some(facts::money(&code.to_string(), text)?),
        None => None,
    };
    let quantity = record.text('Q').map(|text| facts::shares("Q", text)).transpose()?;
    if action == Action::Split {
        let ratio = quantity.filter(|ratio| ratio.is_positive());
        // Quicken states a split as new shares for ten old ones.
        draft.split_ratio = Some((ratio.ok_or_else(|| Fault::missing("Q"))?, Shares::from_whole(10)));
    } else {
        draft.shares = quantity.map(|quantity| match direction {
            Direction::Pays if matches!(action, Action::Sell) => -quantity.abs(),
            _ => facts::directed(action, quantity),
        });
    }
    let amount = amount.map(|amount| match direction {
        Direction::Costs => -amount.abs(),
        Direction::Pays => amount,
        Direction::Signed => amount,
        Direction::Shares => lotwise_core::Money::ZERO,
    });
    if action == Action::Deposit && amount.is_some_and(|amount| amount.is_negative()) {
        draft.action = Action::Withdrawal;
    }
    // A movement whose category is another account, in brackets, is a transfer.
    let other_account = record.text('L').is_some_and(|category| category.starts_with('['));
    if other_account && word.eq_ignore_ascii_case("cash") {
        draft.action = if draft.action == Action::Withdrawal { Action::TransferOut } else { Action::TransferIn };
    }
    if action == Action::TransferIn
        && let (Some(shares), Some(price)) = (draft.shares, draft.price)
    {
        // Shares that are added bring their cost along; the date may be that of the transfer.
        let basis = crate::dialect::gross(price, shares);
        draft.lots = vec![StatedLot { shares, basis, ..StatedLot::default() }];
    }
    let amount = amount.or_else(|| matches!(action, Action::Split).then_some(lotwise_core::Money::ZERO));
    facts::complete(&mut draft, amount, &NAMES)?;
    Ok(Some(draft))
}

/// The ticker of a security, by the file's list, by a person's answer, or the name itself.
fn security(name: &str, tickers: &BTreeMap<String, Symbol>, row: u32, gathering: &mut Gathering) -> Option<Symbol> {
    if let Some(symbol) = tickers.get(&name.to_ascii_lowercase()) {
        return Some(symbol.clone());
    }
    gathering.named(name, row)
}
