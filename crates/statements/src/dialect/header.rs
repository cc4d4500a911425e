//! From a header to the roles of its columns.

use std::borrow::Cow;

use super::{Dialect, HeaderStyle, Role};

/// Where the roles of a dialect stand in one header.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// First column of each role.
    at: [Option<usize>; Role::COUNT],
    /// All columns that hold fees.
    pub(crate) fees: Vec<usize>,
    /// Names as written.
    pub(crate) names: Vec<String>,
    /// Columns that the dialect does not list.
    pub(crate) unknown: Vec<usize>,
    /// Currency in the name of the column of amounts.
    pub(crate) currency: Option<String>,
}

impl Header {
    /// Matches the cells of a record with the columns of a dialect.
    ///
    /// # Errors
    /// The first name of each required column that is not there.
    pub(crate) fn find(dialect: &Dialect, cells: &[Cow<'_, str>]) -> Result<Self, Vec<&'static str>> {
        let names: Vec<String> = cells.iter().map(|cell| normal_name(cell, dialect.header)).collect();
        let mut header =
            Self { at: [None; Role::COUNT], fees: Vec::new(), names: Vec::new(), unknown: Vec::new(), currency: None };
        let mut taken = vec![false; names.len()];
        let mut missing = Vec::new();
        for column in dialect.columns {
            // The order of the synonyms decides, not that of the file: the better name wins.
            let place = column.names.iter().find_map(|wanted| names.iter().position(|name| is_called(name, wanted)));
            match place {
                Some(place) => {
                    taken[place] = true;
                    header.at[column.role as usize].get_or_insert(place);
                    if column.role == Role::Amount {
                        header.currency = currency_of(&names[place]).map(str::to_ascii_uppercase);
                    }
                    if column.role == Role::Fee {
                        header.fees.push(place);
                    }
                }
                None if column.required => missing.extend(column.names.first()),
                None => {}
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        header.unknown = (0..names.len()).filter(|&place| !taken[place] && !names[place].is_empty()).collect();
        header.names = cells.iter().map(|cell| cell.trim().to_owned()).collect();
        Ok(header)
    }

    /// The column of this role.
    pub(crate) fn place(&self, role: Role) -> Option<usize> {
        self.at[role as usize]
    }

    /// The name of the column of this role, as the file writes it.
    pub(crate) fn name(&self, role: Role) -> Option<&str> {
        self.place(role).and_then(|place| self.names.get(place)).map(String::as_str)
    }

    /// Number of columns up to the last that has a name.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }
}

/// Whether a column's name is the one wanted; `total (*)` is `total (eur)`.
fn is_called(name: &str, wanted: &str) -> bool {
    match wanted.strip_suffix("(*)") {
        Some(start) => name
            .strip_prefix(start)
            .is_some_and(|rest| currency_of(rest).is_some_and(|code| rest.len() == code.len() + 2)),
        None => name == wanted,
    }
}

/// The currency in brackets at the end of a name: `eur` of `total (eur)`.
fn currency_of(name: &str) -> Option<&str> {
    let code = name.strip_suffix(')')?.rsplit_once('(')?.1;
    (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(code)
}

/// Lower case, without `($)`, with single blanks; a form's box numbers and remarks in brackets left out where the
/// style has them.
fn normal_name(cell: &str, style: HeaderStyle) -> String {
    if style == HeaderStyle::Plain {
        return super::row::normal(&cell.replace("($)", " "));
    }
    let name = super::row::normal(&as_words(cell));
    let mut plain = String::with_capacity(name.len());
    let mut depth = 0_usize;
    for character in name.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    let words: Vec<&str> = plain.split_whitespace().filter(|word| !is_box_number(word)).collect();
    words.join(" ").trim_matches(['-', ':', '.', ' ']).to_owned()
}

/// `cost_basis` and `CostBasis` as words.
fn as_words(cell: &str) -> String {
    let one_word = !cell.trim().contains(char::is_whitespace);
    let mut words = String::with_capacity(cell.len() + 4);
    let mut after_lower = false;
    for character in cell.chars() {
        if character == '_' || (one_word && after_lower && character.is_ascii_uppercase()) {
            words.push(' ');
        }
        if character != '_' {
            words.push(character);
        }
        after_lower = character.is_ascii_lowercase();
    }
    words
}

/// `1a`, `1d.`, `1099-b`, `1099-b-1g`, `box`, `12`.
fn is_box_number(word: &str) -> bool {
    let rest = word.trim_end_matches(['.', ':', '-']);
    let rest = rest.strip_prefix("1099-b").unwrap_or(rest).trim_start_matches('-');
    let letters = rest.trim_start_matches(|character: char| character.is_ascii_digit());
    let number = rest.len() - letters.len();
    rest.is_empty()
        || rest == "box"
        || ((1..=2).contains(&number) && letters.len() <= 1 && letters.bytes().all(|byte| byte.is_ascii_lowercase()))
}
