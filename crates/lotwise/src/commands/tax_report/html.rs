//! The report as one printable page: no script, no font, no picture from elsewhere.

use std::fmt::Write as _;

use lotwise_core::Money;
use lotwise_tax::report::{Cause, FormBox, FormRow, LineTotals, us_date};

use super::forms::{carried_sentence, description, range_sentence, schedule_lines};
use super::{Shown, broker, words};
use crate::output::{Figures, Warning};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn page(shown: &Shown<'_>, warnings: &[Warning], figures: Figures) -> String {
    let report = &shown.report;
    let status = report.status.name().replace('_', " ");
    let title = format!("Form 8949 and Schedule D for {}", report.year);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    let mut write = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    write(format!("<header><h1>{title}</h1>"));
    write(format!(
        "<p class=\"lead\">Filing status: {status}. Made on {} by Lotwise {}. A worksheet for a return, no tax advice.</p></header>",
        shown.today.long(),
        env!("CARGO_PKG_VERSION")
    ));
    write(result(shown, figures));
    let told: Vec<String> = warnings.iter().map(|warning| warning.message.clone()).collect();
    if !told.is_empty() {
        write(section("What to know first", "warnings", &list(&told)));
    }
    let mut notes = Notes::default();
    for (at, rows) in report.form_8949() {
        write(form(at, &rows, &mut notes, figures));
    }
    let open: Vec<&FormRow> = report.open_rows().filter(|row| row.form_box().is_none()).collect();
    if !open.is_empty() {
        let body = table(&open, &mut notes, figures, None);
        write(section("Rows without a box: the date of purchase is not known", "form", &body));
    }
    write(schedule(shown, figures));
    if let Some(found) = &shown.reconciliation {
        write(reconciliation(found, figures));
    }
    let accounts: Vec<String> = words::accounts(report, figures);
    write(section("Accounts", "plain", &list(&accounts)));
    write(section("How it was made", "plain", &list(&shown.assumptions)));
    out.push_str("</body>\n</html>\n");
    out
}

/// The result in three figures, above everything.
fn result(shown: &Shown<'_>, figures: Figures) -> String {
    let netting = &shown.report.schedule_d.netting;
    let known = if shown.report.range.is_some() { ", known rows only" } else { "" };
    let card = |name: &str, amount: Money| {
        format!(
            "<div class=\"card\"><span>{name}{known}</span><b class=\"{}\">{}</b></div>",
            tone(amount),
            signed(amount, figures)
        )
    };
    let mut text = format!(
        "<section class=\"cards\">{}{}{}</section>\n<p>{}</p>",
        card("Net short-term (line 7)", netting.net_short),
        card("Net long-term (line 15)", netting.net_long),
        card("Together (line 16)", netting.net),
        escape(&carried_sentence(shown, figures))
    );
    if let Some(sentence) = range_sentence(shown, figures) {
        let _ = write!(text, "\n<p class=\"caution\"><b>Range.</b> {}</p>", escape(&sentence));
    }
    text
}

/// Footnotes in the order in which they are met; the same words have one number.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, text: String) -> usize {
        match self.0.iter().position(|known| *known == text) {
            Some(at) => at + 1,
            None => {
                self.0.push(text);
                self.0.len()
            }
        }
    }
}

/// One box of Form 8949, on a page of its own where it is printed.
fn form(at: FormBox, rows: &[&FormRow], notes: &mut Notes, figures: Figures) -> String {
    let term = at.term().name();
    let heading = format!("Form 8949, Part {}, box {}: {term}-term, {}", at.part(), at.letter(), at.words());
    let totals = LineTotals::of(rows.iter().copied());
    section(&heading, "form", &table(rows, notes, figures, Some(totals)))
}

fn table(rows: &[&FormRow], notes: &mut Notes, figures: Figures, totals: Option<LineTotals>) -> String {
    let mut own = Vec::new();
    let mut body = String::new();
    for row in rows {
        let marks: Vec<usize> = row.notes.iter().map(|note| notes.number(words::note(note, figures).1)).collect();
        own.extend(marks.iter().copied());
        let marks: String = marks.iter().map(|mark| format!("<sup>{mark}</sup>")).collect();
        let amount =
            |amount: Option<Money>| amount.map_or_else(|| "unknown".to_owned(), |amount| figures.table_money(amount));
        let adjustment = if row.codes.is_empty() { String::new() } else { figures.table_money(row.adjustment) };
        let gain = row.gain.map_or_else(|| "unknown".to_owned(), |gain| signed(gain, figures));
        let _ = writeln!(
            body,
            "<tr><td>{}{marks}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td>\
             <td class=\"n\">{adjustment}</td><td class=\"n {}\">{gain}</td></tr>",
            escape(&description(row, figures)),
            row.acquired.text(),
            us_date(row.sold),
            figures.table_money(row.proceeds),
            amount(row.basis),
            row.codes,
            row.gain.map_or("", tone),
        );
    }
    let foot = totals.map_or_else(String::new, |totals| {
        format!(
            "<tr class=\"total\"><td colspan=\"3\">Totals of {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td></td>\
             <td class=\"n\">{}</td><td class=\"n {}\">{}</td></tr>\n",
            words::counted(totals.rows, "row"),
            figures.table_money(totals.proceeds),
            figures.table_money(totals.basis),
            figures.table_money(totals.adjustment),
            tone(totals.gain),
            signed(totals.gain, figures)
        )
    });
    own.sort_unstable();
    own.dedup();
    let footnotes: String =
        own.iter().map(|mark| format!("<li value=\"{mark}\">{}</li>", escape(&notes.0[mark - 1]))).collect();
    let footnotes = if own.is_empty() { footnotes } else { format!("<ol class=\"notes\">{footnotes}</ol>\n") };
    // The totals are the last rows of the body: a table foot is repeated on every printed page.
    format!(
        "<table>\n<thead><tr><th>(a) Description</th><th>(b) Acquired</th><th>(c) Sold</th><th class=\"n\">(d) Proceeds</th>\
         <th class=\"n\">(e) Basis</th><th>(f) Code</th><th class=\"n\">(g) Adjustment</th><th class=\"n\">(h) Gain or loss</th>\
         </tr></thead>\n<tbody>\n{body}{foot}</tbody>\n</table>\n{footnotes}"
    )
}

fn schedule(shown: &Shown<'_>, figures: Figures) -> String {
    let mut body = String::new();
    for line in schedule_lines(&shown.report.schedule_d) {
        let column = |of: fn(&LineTotals) -> Money| {
            line.totals
                .filter(|totals| totals.rows > 0)
                .map_or_else(String::new, |totals| figures.table_money(of(&totals)))
        };
        let _ = writeln!(
            body,
            "<tr{}><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n {}\">{}</td></tr>",
            if line.strong { " class=\"total\"" } else { "" },
            line.number,
            escape(line.words),
            column(|totals| totals.proceeds),
            column(|totals| totals.basis),
            column(|totals| totals.adjustment),
            tone(line.amount),
            signed(line.amount, figures)
        );
    }
    let table = format!(
        "<table>\n<thead><tr><th>Line</th><th>What</th><th class=\"n\">(d) Proceeds</th><th class=\"n\">(e) Basis</th>\
         <th class=\"n\">(g) Adjustment</th><th class=\"n\">(h) Gain or loss</th></tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
    );
    section("Schedule D", "form", &table)
}

fn reconciliation(found: &lotwise_tax::report::Reconciliation, figures: Figures) -> String {
    let unexplained = found.unexplained().count();
    let mut items = String::new();
    for (sentence, difference) in broker::sentences(found, figures).iter().zip(&found.differences) {
        let class = if difference.cause == Cause::Unexplained { " class=\"caution\"" } else { "" };
        let _ = write!(items, "<li{class}>{}</li>", escape(sentence));
    }
    let mut rows = String::new();
    for (at, (ours, brokers)) in &found.totals {
        for (whose, sums) in [("ours", ours), ("broker’s", brokers)] {
            let _ = writeln!(
                rows,
                "<tr><td>{}</td><td>{whose}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                at.map_or('?', |at| at.letter()),
                sums.rows,
                figures.table_money(sums.proceeds.to_cents()),
                figures.table_money(sums.basis.to_cents()),
                figures.table_money(sums.disallowed.to_cents())
            );
        }
    }
    let body = format!(
        "<p>{} of {} rows agree; {} differences, {unexplained} of them unexplained.</p>\n<ul>{items}</ul>\n<table>\n<thead>\
         <tr><th>Box</th><th>Whose</th><th class=\"n\">Rows</th><th class=\"n\">1d Proceeds</th><th class=\"n\">1e Basis</th>\
         <th class=\"n\">1g Wash loss</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>",
        found.agreed,
        found.rows,
        found.differences.len()
    );
    section("Against the broker’s form", "form", &body)
}

fn section(heading: &str, class: &str, body: &str) -> String {
    format!("<section class=\"{class}\">\n<h2>{}</h2>\n{body}\n</section>", escape(heading))
}

fn list(items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect();
    format!("<ul>{items}</ul>")
}

fn signed(amount: Money, figures: Figures) -> String {
    figures.table_change(amount)
}

/// Losses are told by their sign; colour only repeats it.
fn tone(amount: Money) -> &'static str {
    if amount.is_negative() { "loss" } else { "gain" }
}

/// Text of a file may hold anything.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
