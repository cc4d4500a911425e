//! Tables: aligned for people, exact for programs.

use lotwise_core::{Money, Price, Shares};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Figures, Tone, paint};

/// Space between two columns.
const GAP: &str = "  ";
/// A text column is not cut below this width.
const NARROWEST: usize = 8;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in CSV.
    pub key: &'static str,
    /// Heading for people.
    pub title: &'static str,
    /// Numbers stand to the right.
    right: bool,
}

impl Column {
    /// A column of words; the widest one gives way when the terminal is narrow.
    #[must_use]
    pub const fn words(key: &'static str, title: &'static str) -> Self {
        Self { key, title, right: false }
    }

    /// A column of numbers; it is never cut.
    #[must_use]
    pub const fn number(key: &'static str, title: &'static str) -> Self {
        Self { key, title, right: true }
    }
}

/// One value of a table.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    raw: Option<String>,
    tone: Tone,
}

impl Cell {
    /// Words.
    #[must_use]
    pub fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), raw: None, tone: Tone::Plain }
    }

    /// Words with a meaning.
    #[must_use]
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), raw: None, tone }
    }

    /// Text for people and another text for CSV.
    #[must_use]
    pub fn with_raw(text: impl Into<String>, raw: impl Into<String>) -> Self {
        Self { text: text.into(), raw: Some(raw.into()), tone: Tone::Plain }
    }

    /// An amount.
    #[must_use]
    pub fn money(figures: Figures, amount: Money) -> Self {
        Self::with_raw(figures.table_money(amount), figures.money(amount).as_str())
    }

    /// A gain or a loss, with its sign and colour. Zero is neutral.
    #[must_use]
    pub fn change(figures: Figures, amount: Money) -> Self {
        let tone = match () {
            () if figures.masked() || amount.is_zero() => Tone::Plain,
            () if amount.is_positive() => Tone::Gain,
            () => Tone::Loss,
        };
        Self { tone, ..Self::with_raw(figures.table_change(amount), figures.money(amount).as_str()) }
    }

    /// A number of shares.
    #[must_use]
    pub fn shares(figures: Figures, shares: Shares) -> Self {
        Self::with_raw(figures.share_count(shares), figures.shares(shares).as_str())
    }

    /// A price.
    #[must_use]
    pub fn price(figures: Figures, price: Price) -> Self {
        Self::with_raw(figures.price_text(price), figures.price(price).as_str())
    }

    /// A count.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::words(count.to_string())
    }

    /// A value that is there or not; what is not there is an empty cell.
    #[must_use]
    pub fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(Self::default, cell)
    }
}

/// Rows under columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row with one cell per column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "Invariant: a row has one cell per column");
        self.rows.push(cells);
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// For people: aligned columns, at most `width` wide where that can be had without cutting a number.
    #[must_use]
    pub fn to_text(&self, width: Option<usize>, colour: bool) -> String {
        let widths = self.widths(width);
        let heading: Vec<Cell> = self.columns.iter().map(|column| Cell::toned(column.title, Tone::Strong)).collect();
        let mut text = String::new();
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = String::new();
            for (at, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
                let shown = clip(&printable(&cell.text), widths[at]);
                let pad = " ".repeat(widths[at].saturating_sub(shown.width()));
                let painted = paint(&shown, cell.tone, colour);
                line.push_str(if at > 0 { GAP } else { "" });
                line.push_str(&if column.right { format!("{pad}{painted}") } else { format!("{painted}{pad}") });
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// For programs: RFC 4180 with a header of keys.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = self.columns.iter().map(|column| column.key.to_owned()).collect();
        let rows = self.rows.iter().map(|row| {
            row.iter()
                .zip(&self.columns)
                .map(|(cell, column)| cell.raw.clone().unwrap_or_else(|| csv_text(&cell.text, column.right)))
                .collect::<Vec<String>>()
        });
        for record in std::iter::once(header).chain(rows) {
            writer.write_record(&record).expect("Invariant: writing to memory does not fail");
        }
        let bytes = writer.into_inner().expect("Invariant: writing to memory does not fail");
        String::from_utf8(bytes).expect("Invariant: the cells are text")
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| column.title.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(printable(&cell.text).width());
            }
        }
        let Some(limit) = limit else { return widths };
        loop {
            let total = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
            let widest = (0..widths.len())
                .filter(|&at| !self.columns[at].right && widths[at] > NARROWEST)
                .max_by_key(|&at| widths[at]);
            match widest {
                Some(at) if total > limit => widths[at] -= 1,
                _ => return widths,
            }
        }
    }
}

/// A spreadsheet would run text that begins like a formula.
fn csv_text(text: &str, number: bool) -> String {
    if !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// Control characters of a file must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn clip(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 1);
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let figures = Figures::plain();
        let mut table = Table::new([
            Column::words("symbol", "Symbol"),
            Column::words("description", "Description"),
            Column::number("gain", "Gain"),
        ]);
        table.row([
            Cell::words("ALFA"),
            Cell::words("Alfa Holdings\u{7} of somewhere"),
            Cell::change(figures, Money::from_whole(1234)),
        ]);
        table.row([Cell::words("BRK-B"), Cell::words("=1+1"), Cell::change(figures, Money::from_whole(-5))]);
        table.row([Cell::words("日本"), Cell::default(), Cell::change(figures, Money::ZERO)]);
        table
    }

    #[test]
    fn numbers_stand_to_the_right_and_widths_count_columns_of_the_terminal() {
        insta::assert_snapshot!(sample().to_text(None, false), @r"
        Symbol  Description                       Gain
        ALFA    Alfa Holdings  of somewhere  +1,234.00
        BRK-B   =1+1                             −5.00
        日本                                      0.00
        ");
    }

    #[test]
    fn a_narrow_terminal_cuts_words_and_never_numbers() {
        let text = sample().to_text(Some(30), false);
        assert!(text.lines().all(|line| line.width() <= 30), "{text}");
        assert!(text.contains("Alfa Hold") && text.contains('…') && text.contains("+1,234.00"), "{text}");
    }

    #[test]
    fn colour_goes_around_words_and_not_into_widths() {
        let plain = sample().to_text(None, false);
        let painted = sample().to_text(None, true);
        assert!(painted.contains("\u{1b}[38;5;32m+1,234.00\u{1b}[0m"));
        let mut stripped = painted;
        while let Some(start) = stripped.find('\u{1b}') {
            let end = start + stripped[start..].find('m').unwrap();
            stripped.replace_range(start..=end, "");
        }
        assert_eq!(stripped, plain);
    }

    #[test]
    fn csv_holds_exact_numbers_and_no_formulas() {
        assert_eq!(
            sample().to_csv(),
            "symbol,description,gain\nALFA,Alfa Holdings\u{7} of somewhere,1234.00\nBRK-B,'=1+1,-5.00\n日本,,0.00\n"
        );
    }
}
