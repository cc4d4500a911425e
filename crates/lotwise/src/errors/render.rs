//! Errors as text for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use super::{CliError, Excerpt, Failure, Place};
use crate::output::{Figures, Tone, paint};

/// A line longer than this is cut around the place that is wrong.
const LONGEST_EXCERPT: usize = 120;

impl Failure {
    /// Text for stderr.
    #[must_use]
    pub fn to_text(&self, figures: Figures, colour: bool) -> String {
        self.0.iter().map(|error| error.to_text(figures, colour)).collect::<Vec<_>>().join("\n")
    }

    /// The keys `error` (the first one) and, where there are several, `errors`.
    #[must_use]
    pub fn to_json(&self, figures: Figures) -> Map<String, Value> {
        let mut object = Map::new();
        let all: Vec<Value> = self.0.iter().map(|error| error.to_json(figures)).collect();
        if let Some(first) = all.first() {
            object.insert("error".to_owned(), first.clone());
        }
        if all.len() > 1 {
            object.insert("errors".to_owned(), Value::Array(all));
        }
        object
    }
}

impl CliError {
    /// The message; where it speaks of a line of the person's own file it may quote an amount.
    fn shown_message(&self, figures: Figures) -> String {
        if self.excerpt.is_some() { figures.free_text(&self.message) } else { self.message.clone() }
    }

    fn to_text(&self, figures: Figures, colour: bool) -> String {
        let mut text = format!("{} {}\n", paint("error:", Tone::Error, colour), self.shown_message(figures));
        let place = self.place.as_deref().map(Place::to_string).filter(|place| !place.is_empty());
        if let Some(place) = place {
            let _ = writeln!(text, "  --> {place}");
        }
        if let Some(excerpt) = &self.excerpt {
            let number = self.place.as_ref().and_then(|place| place.line).map_or_else(String::new, |n| n.to_string());
            let pad = " ".repeat(number.len());
            let (line, before, under) = window(excerpt);
            let line = figures.free_text(&line);
            let mark = paint(&"^".repeat(under.max(1)), Tone::Error, colour);
            let _ = writeln!(text, " {pad} |\n {number} | {line}\n {pad} | {}{mark}", " ".repeat(before));
        }
        if self.rows > 1 {
            let _ = writeln!(text, "  = {} rows like this", self.rows);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(text, "  = {help}");
        }
        text
    }

    fn to_json(&self, figures: Figures) -> Value {
        let place = self.place.as_deref().cloned().unwrap_or_default();
        let mut object = json!({
            "code": self.code,
            "message": self.shown_message(figures),
            "where": place_json(&place),
            "help": self.help,
        });
        if self.rows > 1 {
            object["rows"] = json!(self.rows);
        }
        if let Some(excerpt) = &self.excerpt {
            object["line"] = json!(figures.free_text(&window(excerpt).0));
        }
        object
    }
}

/// A place as JSON; null where nothing is known.
pub fn place_json(place: &Place) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    };
    put("file", place.file.clone().map(Value::from));
    put("line", place.line.map(Value::from));
    put("column", place.column.map(Value::from));
    put("field", place.field.clone().map(Value::from));
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

/// The part of a line around what is wrong, printable: its text, the width before the mark, and
/// the width of the mark.
fn window(excerpt: &Excerpt) -> (String, usize, usize) {
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    let characters: Vec<char> = excerpt.line.chars().map(printable).collect();
    let first = if characters.len() <= LONGEST_EXCERPT { 0 } else { excerpt.start.saturating_sub(40) };
    let last = characters.len().min(first + LONGEST_EXCERPT);
    let start = excerpt.start.clamp(first, last);
    let end = (excerpt.start + excerpt.length).clamp(start, last);
    let text = |range: &[char]| range.iter().collect::<String>();
    let (open, close) = (if first > 0 { "…" } else { "" }, if last < characters.len() { "…" } else { "" });
    let before = format!("{open}{}", text(&characters[first..start]));
    let marked = text(&characters[start..end]);
    let line = format!("{before}{marked}{}{close}", text(&characters[end..last]));
    (line, before.width(), marked.width())
}

#[cfg(test)]
mod tests {
    use super::super::Exit;
    use super::*;

    #[test]
    fn an_error_names_its_place_and_underlines_the_value() {
        let text = "Date,Action\n2024-13-01,Buy\n";
        let error = CliError {
            rows: 214,
            ..CliError::new("bad-date", Exit::Input, "\"2024-13-01\" is not a date")
                .at(Place {
                    file: Some("trades.csv".into()),
                    line: Some(2),
                    column: Some(1),
                    field: Some("Date".into()),
                })
                .help("write dates as YYYY-MM-DD")
                .excerpt(Excerpt::find(text, 2, Some("2024-13-01")))
        };
        insta::assert_snapshot!(error.to_text(Figures::plain(), false), @r#"
        error: "2024-13-01" is not a date
          --> trades.csv:2:1 (column "Date")
           |
         2 | 2024-13-01,Buy
           | ^^^^^^^^^^
          = 214 rows like this
          = write dates as YYYY-MM-DD
        "#);
        assert_eq!(
            error.to_json(Figures::plain()),
            json!({
                "code": "bad-date",
                "message": "\"2024-13-01\" is not a date",
                "where": {"file": "trades.csv", "line": 2, "column": 1, "field": "Date"},
                "help": "write dates as YYYY-MM-DD",
                "rows": 214,
                "line": "2024-13-01,Buy",
            })
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let excerpt = Excerpt { line: format!("{}bad{}", "x".repeat(300), "y".repeat(300)), start: 300, length: 3 };
        let (line, before, under) = window(&excerpt);
        assert!(line.starts_with("…x") && line.ends_with("y…"));
        assert_eq!((before, under), (41, 3));
        assert_eq!(line.chars().skip(before).take(under).collect::<String>(), "bad");
    }
}
