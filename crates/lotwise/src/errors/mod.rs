//! What a person is told when something does not work: what, where, and what to do.

mod market;
mod render;
mod similar;

pub use market::market_error;
pub use render::place_json;
pub use similar::did_you_mean;

/// The exit codes of the program. Blocked by a limit (4) comes with the commands that place orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed for a reason that is none of the others.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The input has errors.
    Input = 3,
    /// A choice or a confirmation is needed, and there is nobody to ask.
    Confirm = 5,
    /// Data are missing or too old.
    DataMissing = 6,
    /// A check did not hold.
    CheckFailed = 7,
    /// Interrupted from the keyboard.
    Interrupted = 130,
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, as the person named it.
    pub file: Option<String>,
    /// Line, counted from 1.
    pub line: Option<u32>,
    /// Character in the line, counted from 1.
    pub column: Option<u32>,
    /// Name of the column or tag, where the file has such names.
    pub field: Option<String>,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(name: impl Into<String>) -> Self {
        Self { file: Some(name.into()), ..Self::default() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.file.clone());
        parts.extend(self.line.map(|line| line.to_string()));
        parts.extend(self.line.and(self.column).map(|column| column.to_string()));
        let place = parts.join(":");
        match (&self.field, place.is_empty()) {
            (Some(field), true) => write!(formatter, "column {field:?}"),
            (Some(field), false) => write!(formatter, "{place} (column {field:?})"),
            (None, _) => formatter.write_str(&place),
        }
    }
}

/// The line that is wrong, and which of its characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line without its end.
    pub line: String,
    /// First character concerned, counted from 0.
    pub start: usize,
    /// How many characters are concerned, at least 1.
    pub length: usize,
}

impl Excerpt {
    /// Line `number` (counted from 1) of `text`, underlining the first occurrence of `value`, or
    /// the whole line where there is no value or it is not found.
    #[must_use]
    pub fn find(text: &str, number: u32, value: Option<&str>) -> Option<Self> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        Some(Self::of_line(text.lines().nth(at)?, value))
    }

    /// As [`Excerpt::find`], of a line that is known already.
    #[must_use]
    pub fn of_line(line: &str, value: Option<&str>) -> Self {
        let line = line.trim_end_matches('\r').to_owned();
        let found = value.filter(|value| !value.is_empty()).and_then(|value| Some((line.find(value)?, value)));
        let (start, length) = match found {
            Some((byte, value)) => (line[..byte].chars().count(), value.chars().count()),
            None => (0, line.chars().count().max(1)),
        };
        Self { line, start, length }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// Stable name for programs, `kebab-case`.
    pub code: &'static str,
    /// What the program ends with.
    pub exit: Exit,
    /// What is wrong, lower case, without a final period.
    pub message: String,
    /// Where.
    pub place: Option<Box<Place>>,
    /// What to do.
    pub help: Option<String>,
    /// The line concerned.
    pub excerpt: Option<Box<Excerpt>>,
    /// How many rows are wrong in the same way, at least 1.
    pub rows: u32,
}

impl CliError {
    /// An error with neither place nor help yet.
    #[must_use]
    pub fn new(code: &'static str, exit: Exit, message: impl Into<String>) -> Self {
        Self { code, exit, message: message.into(), place: None, help: None, excerpt: None, rows: 1 }
    }

    /// With a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the line concerned.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Option<Excerpt>) -> Self {
        self.excerpt = excerpt.map(Box::new);
        self
    }
}

/// Everything that is wrong, in the order found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure(pub Vec<CliError>);

impl Failure {
    /// What the program ends with: the code of the first error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.0.first().map_or(Exit::Done, |error| error.exit)
    }

    /// Errors that differ only in their row become one that counts them («214 rows like this»).
    #[must_use]
    pub fn grouped(self) -> Self {
        let mut kept: Vec<CliError> = Vec::new();
        for error in self.0 {
            let file = |error: &CliError| error.place.as_ref().and_then(|place| place.file.clone());
            let like = |other: &&mut CliError| {
                (other.code, &other.message) == (error.code, &error.message) && file(other) == file(&error)
            };
            match kept.iter_mut().find(like) {
                Some(first) => first.rows += error.rows,
                None => kept.push(error),
            }
        }
        Self(kept)
    }
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        Self(vec![error])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_only_in_their_row_are_counted() {
        let row = |line| {
            CliError::new("bad-date", Exit::Input, "the date is not a date").at(Place {
                file: Some("a.csv".into()),
                line: Some(line),
                ..Place::default()
            })
        };
        let other = CliError::new("bad-date", Exit::Input, "the date is not a date").at(Place::file("b.csv"));
        let grouped = Failure(vec![row(3), other.clone(), row(9), row(4)]).grouped();
        assert_eq!(grouped.0, [CliError { rows: 3, ..row(3) }, other]);
    }

    #[test]
    fn an_excerpt_underlines_the_value_by_characters() {
        let text = "Datum,Betrag\r\nmärz,12x\r\n";
        assert_eq!(Excerpt::find(text, 2, Some("12x")), Some(Excerpt { line: "märz,12x".into(), start: 5, length: 3 }));
        assert_eq!(Excerpt::find(text, 2, None).map(|excerpt| excerpt.length), Some(8));
        assert_eq!(Excerpt::find(text, 7, None), None);
        assert_eq!(Excerpt::find(text, 0, None), None);
    }
}
