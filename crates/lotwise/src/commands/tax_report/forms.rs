//! A year's forms as tables, text and JSON.

use lotwise_core::Money;
use lotwise_tax::Term;
use lotwise_tax::report::{AccountPart, FormRow, LineTotals, ScheduleD, us_date};
use serde_json::{Map, Value, json};

use super::{Shown, broker, words};
use crate::output::{Cell, Column, Figures, Page, Table, Tone};

/// How many columns a table of rows has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Those of the form.
    Form,
    /// Those of the form and what a program needs beside them.
    Full,
}

/// Letter of the box, or a question mark where the term is unknown.
pub fn letter(row: &FormRow) -> String {
    row.form_box().map_or_else(|| "?".to_owned(), |at| at.letter().to_string())
}

/// The rows of Form 8949.
pub fn rows_table(shown: &Shown<'_>, figures: Figures, width: Width) -> Table {
    let mut columns = vec![
        Column::words("box", "Box"),
        Column::words("description", "(a) Description"),
        Column::words("acquired", "(b) Acquired"),
        Column::words("sold", "(c) Sold"),
        Column::number("proceeds", "(d) Proceeds"),
        Column::number("basis", "(e) Basis"),
        Column::words("code", "(f)"),
        Column::number("adjustment", "(g) Adjustment"),
        Column::number("gain", "(h) Gain"),
    ];
    if width == Width::Full {
        columns.extend([
            Column::words("part", "Part"),
            Column::words("term", "Term"),
            Column::words("account", "Account"),
            Column::words("symbol", "Symbol"),
            Column::number("shares", "Shares"),
            Column::words("lots", "Lots"),
            Column::words("sale", "Sale"),
            Column::words("notes", "Notes"),
        ]);
    }
    let mut table = Table::new(columns);
    for row in &shown.report.rows {
        let money = |amount| Cell::money(figures, amount);
        let description = description(row, figures);
        let mut cells = vec![
            Cell::words(letter(row)),
            Cell::words(description),
            Cell::words(row.acquired.text()),
            Cell::words(us_date(row.sold)),
            money(row.proceeds),
            Cell::maybe(row.basis, money),
            Cell::words(row.codes.to_string()),
            if row.codes.is_empty() { Cell::default() } else { money(row.adjustment) },
            Cell::maybe(row.gain, |gain| Cell::change(figures, gain)),
        ];
        if width == Width::Full {
            let lots: Vec<&str> = row.lots.iter().map(|lot| lot.as_str()).collect();
            let notes: Vec<String> = row.notes.iter().map(|note| words::note(note, figures).1).collect();
            cells.extend([
                Cell::words(row.form_box().map_or("", |at| at.part())),
                Cell::words(row.term.map_or("", Term::name)),
                Cell::words(figures.account(row.account.as_str())),
                Cell::words(row.symbol.as_str()),
                Cell::shares(figures, row.shares),
                Cell::words(lots.join(" ")),
                Cell::words(row.sale.as_str()),
                Cell::words(notes.join("; ")),
            ]);
        }
        table.row(cells);
    }
    table
}

/// Column (a), whose number of shares is hidden with the amounts.
pub fn description(row: &FormRow, figures: Figures) -> String {
    if figures.masked() {
        row.description.replacen(&row.shares.to_string(), &figures.share_count(row.shares), 1)
    } else {
        row.description.clone()
    }
}

/// A line of Schedule D: its number, words, and columns (d), (e), (g) and (h) as far as it has them.
pub struct Line {
    pub number: &'static str,
    pub words: &'static str,
    pub totals: Option<LineTotals>,
    pub amount: Money,
    /// Lines that sum others up.
    pub strong: bool,
}

/// Every line of Schedule D that the report fills in.
pub fn schedule_lines(schedule: &ScheduleD) -> Vec<Line> {
    let mut lines = Vec::new();
    let named = |number| match number {
        "1a" | "8a" => "Basis reported, no adjustment, totalled here",
        "1b" | "8b" => "Form 8949, basis reported",
        "2" | "9" => "Form 8949, basis not reported",
        _ => "Form 8949, not reported by a broker",
    };
    let single = |number, words, amount, strong| Line { number, words, totals: None, amount, strong };
    for (term, part) in [(Term::Short, &schedule.short), (Term::Long, &schedule.long)] {
        for (number, totals) in part.named(term) {
            let line = Line { number, words: named(number), totals: Some(totals), amount: totals.gain, strong: false };
            lines.push(line);
        }
        match term {
            Term::Short => lines.extend([
                single(
                    "6",
                    "Short-term loss carried over from the year before",
                    -schedule.brought_in.short_carryover,
                    false,
                ),
                single("7", "Net short-term gain or loss", schedule.netting.net_short, true),
            ]),
            Term::Long => lines.extend([
                single("13", "Capital gain distributions", schedule.brought_in.distributions, false),
                single(
                    "14",
                    "Long-term loss carried over from the year before",
                    -schedule.brought_in.long_carryover,
                    false,
                ),
                single("15", "Net long-term gain or loss", schedule.netting.net_long, true),
            ]),
        }
    }
    lines.push(single("16", "Lines 7 and 15 together", schedule.netting.net, true));
    lines.push(single("21", "Loss that reduces other income", -schedule.netting.deducted, true));
    lines
}

fn schedule_table(schedule: &ScheduleD, figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("line", "Line"),
        Column::words("what", "What"),
        Column::number("proceeds", "(d)"),
        Column::number("basis", "(e)"),
        Column::number("adjustment", "(g)"),
        Column::number("gain", "(h)"),
    ]);
    for line in schedule_lines(schedule) {
        let column = |of: fn(&LineTotals) -> Money| {
            Cell::maybe(line.totals.filter(|totals| totals.rows > 0), |totals| Cell::money(figures, of(&totals)))
        };
        let tone = if line.strong { Tone::Strong } else { Tone::Plain };
        table.row([
            Cell::words(line.number),
            Cell::toned(line.words, tone),
            column(|totals| totals.proceeds),
            column(|totals| totals.basis),
            column(|totals| totals.adjustment),
            Cell::change(figures, line.amount),
        ]);
    }
    table
}

/// What unknown basis leaves open, in a sentence.
pub fn range_sentence(shown: &Shown<'_>, figures: Figures) -> Option<String> {
    let range = shown.report.range.as_ref()?;
    let highest = figures.dollar_change(range.highest.netting.net);
    let lowest = match &range.lowest {
        Some(lowest) => format!("from {} ", figures.dollar_change(lowest.netting.net)),
        None => "anything below, since nothing bounds the loss, ".to_owned(),
    };
    Some(format!(
        "No total above counts {} of unknown basis or date: with that, the net result (line 16) can be {lowest}up to {highest}.",
        words::counted(range.rows, "row")
    ))
}

/// What is carried to the next year, in a sentence.
pub fn carried_sentence(shown: &Shown<'_>, figures: Figures) -> String {
    let out = shown.report.schedule_d.carryover_out(shown.arguments.taxable_income);
    if out.short.is_zero() && out.long.is_zero() {
        return format!("Nothing is carried over to {}.", shown.report.year + 1);
    }
    format!(
        "Carried over to {}: {} of short-term and {} of long-term loss.",
        shown.report.year + 1,
        figures.dollars(out.short),
        figures.dollars(out.long)
    )
}

/// The report for people.
pub fn page(shown: &Shown<'_>, figures: Figures) -> Page {
    let report = &shown.report;
    let mut page = Page::new();
    page.heading(format!(
        "Form 8949 for {}, {}: {}",
        report.year,
        report.status.name().replace('_', " "),
        words::counted(report.rows.len(), "row")
    ));
    page.table(rows_table(shown, figures, Width::Form));
    for row in &report.rows {
        for note in &row.notes {
            let text = words::note(note, figures).1;
            page.item(format!("{} sold {}: {text}", description(row, figures), us_date(row.sold)));
        }
    }
    let known = if report.range.is_some() { ", of the rows whose basis and date are known" } else { "" };
    page.heading(format!("Schedule D{known}"));
    page.table(schedule_table(&report.schedule_d, figures));
    page.sentence(carried_sentence(shown, figures));
    if let Some(sentence) = range_sentence(shown, figures) {
        page.toned(sentence, Tone::Caution);
    }
    if let Some(found) = &shown.reconciliation {
        broker::page(found, &mut page, figures);
    }
    page.heading("Accounts");
    words::accounts(report, figures).into_iter().for_each(|text| page.item(text));
    page.heading("How it was made");
    shown.assumptions.iter().for_each(|text| page.item(text.clone()));
    page
}

/// The report for programs.
pub fn json(shown: &Shown<'_>, figures: Figures) -> Value {
    let report = &shown.report;
    let out = report.schedule_d.carryover_out(shown.arguments.taxable_income);
    let pages: Vec<Value> = report
        .form_8949()
        .into_iter()
        .map(|(at, rows)| {
            let totals = LineTotals::of(rows.iter().copied());
            json!({
                "part": at.part(),
                "box": at.letter().to_string(),
                "meaning": at.words(),
                "rows": rows.iter().map(|row| row_json(row, figures)).collect::<Vec<_>>(),
                "totals": totals_json(&totals, figures),
            })
        })
        .collect();
    let accounts: Vec<Value> = report
        .accounts
        .iter()
        .map(|(id, kind, part)| {
            json!({
                "account": figures.account(id.as_str()),
                "kind": kind.name(),
                "reported": *part == AccountPart::Reported,
            })
        })
        .collect();
    json!({
        "year": report.year,
        "filing_status": report.status.name(),
        "accounts": accounts,
        "accounts_complete": false,
        "form_8949": pages,
        "not_ready": report.open_rows().map(|row| row_json(row, figures)).collect::<Vec<_>>(),
        "schedule_d": schedule_json(&report.schedule_d, figures),
        "carryover": {
            "short_term": figures.money(out.short),
            "long_term": figures.money(out.long),
            "assumes_enough_income": shown.arguments.taxable_income.is_none(),
        },
        "range": report.range.as_ref().map(|range| json!({
            "rows": range.rows,
            "highest": schedule_json(&range.highest, figures),
            "lowest": range.lowest.as_ref().map(|lowest| schedule_json(lowest, figures)),
        })),
        "reconciliation": shown.reconciliation.as_ref().map(|found| broker::json(found, figures)),
        "method": shown.arguments.method.name(),
        "rules": shown.session.rules.switches().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>(),
        "assumptions": shown.assumptions,
    })
}

fn row_json(row: &FormRow, figures: Figures) -> Value {
    json!({
        "part": row.form_box().map(|at| at.part()),
        "box": row.form_box().map(|at| at.letter().to_string()),
        "description": description(row, figures),
        "acquired": match row.acquired {
            lotwise_tax::report::Acquired::On(date) => Some(date.to_string()),
            lotwise_tax::report::Acquired::Unknown => None,
            other => Some(other.text()),
        },
        "sold": row.sold.to_string(),
        "proceeds": figures.money(row.proceeds),
        "basis": row.basis.map(|basis| figures.money(basis)),
        "code": row.codes.to_string(),
        "adjustment": figures.money(row.adjustment),
        "gain": row.gain.map(|gain| figures.money(gain)),
        "term": row.term.map(Term::name),
        "account": figures.account(row.account.as_str()),
        "symbol": row.symbol.as_str(),
        "shares": figures.shares(row.shares),
        "lots": row.lots.iter().map(|lot| lot.as_str()).collect::<Vec<_>>(),
        "sale": row.sale.as_str(),
        "reporting": row.reporting.name(),
        "basis_between": row.basis_between.map(|(low, high)| {
            json!({"lowest": figures.money(low), "highest": high.map(|high| figures.money(high))})
        }),
        "notes": row.notes.iter().map(|note| {
            let (code, text) = words::note(note, figures);
            json!({"code": code, "text": text})
        }).collect::<Vec<_>>(),
    })
}

fn totals_json(totals: &LineTotals, figures: Figures) -> Value {
    json!({
        "rows": totals.rows,
        "proceeds": figures.money(totals.proceeds),
        "basis": figures.money(totals.basis),
        "adjustment": figures.money(totals.adjustment),
        "gain": figures.money(totals.gain),
    })
}

fn schedule_json(schedule: &ScheduleD, figures: Figures) -> Value {
    let lines = schedule_lines(schedule).into_iter().map(|line| {
        let value = match &line.totals {
            Some(totals) => totals_json(totals, figures),
            None => json!(figures.money(line.amount)),
        };
        (line.number.to_owned(), value)
    });
    Value::Object(lines.collect())
}
