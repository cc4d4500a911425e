//! The door: bytes in, one statement out.

use lotwise_core::Date;

use crate::formats::{self, Format, Sniff};
use crate::review;
use crate::text::Text;
use crate::{Answers, ColumnMap, Error, Statement};

/// Strict limits of one file. Reaching one is [`Error::OverLimit`]; nothing is cut short in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file in bytes.
    pub bytes: usize,
    /// Rows (records that are neither header nor blank nor footer).
    pub rows: usize,
    /// Cells of one row, or attributes of one element.
    pub columns: usize,
    /// Reading time in milliseconds, as told by [`ReadOptions::elapsed`].
    pub milliseconds: u64,
}

impl Default for Limits {
    /// For a file on a person's own machine: 128 MiB, a million rows, 256 columns, 60 seconds.
    fn default() -> Self {
        Self { bytes: 128 * 1024 * 1024, rows: 1_000_000, columns: 256, milliseconds: 60_000 }
    }
}

/// How to read one file.
#[derive(Clone, Default)]
pub struct ReadOptions<'a> {
    /// Id of the format to use, where recognition is not wanted (`--as`).
    pub format: Option<String>,
    /// Name of the account, where the file has one account or names none (`--account`); a file with several is
    /// refused.
    pub account: Option<String>,
    /// Strict limits.
    pub limits: Limits,
    /// Milliseconds since reading began. This crate asks no clock; without this there is no limit of time.
    pub elapsed: Option<&'a dyn Fn() -> u64>,
    /// Today, if later dates shall raise a question.
    pub today: Option<Date>,
    /// What a person answered beforehand.
    pub answers: Answers,
    /// Reads the file as a table by this map, whatever it looks like.
    pub map: Option<ColumnMap>,
}

impl std::fmt::Debug for ReadOptions<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReadOptions")
            .field("format", &self.format)
            .field("account", &self.account)
            .field("limits", &self.limits)
            .field("timed", &self.elapsed.is_some())
            .field("today", &self.today)
            .field("answers", &self.answers)
            .field("mapped", &self.map.is_some())
            .finish()
    }
}

impl ReadOptions<'_> {
    /// Refuses a row count or a reading time beyond the limits; call it as rows are read.
    ///
    /// # Errors
    /// [`Error::OverLimit`].
    pub(crate) fn check(&self, rows: usize) -> Result<(), Error> {
        if rows > self.limits.rows {
            return Err(Error::OverLimit { what: "rows", limit: self.limits.rows as u64 });
        }
        // The clock is asked now and then: it costs more than a row.
        if rows.is_multiple_of(1024) { self.check_time() } else { Ok(()) }
    }

    /// Refuses a reading time beyond the limit.
    ///
    /// # Errors
    /// [`Error::OverLimit`].
    pub(crate) fn check_time(&self) -> Result<(), Error> {
        match self.elapsed {
            Some(elapsed) if elapsed() > self.limits.milliseconds => {
                Err(Error::OverLimit { what: "milliseconds of reading time", limit: self.limits.milliseconds })
            }
            _ => Ok(()),
        }
    }

    /// Refuses a number of cells or attributes beyond the limit.
    ///
    /// # Errors
    /// [`Error::OverLimit`].
    pub(crate) fn check_columns(&self, columns: usize) -> Result<(), Error> {
        if columns > self.limits.columns {
            return Err(Error::OverLimit { what: "columns", limit: self.limits.columns as u64 });
        }
        Ok(())
    }
}

/// Reads one broker's export.
///
/// The format is recognised by content alone, never by a file name. Rows that cannot be read are
/// quarantined with row, column, value and reason beside the good ones; only a file that is no
/// statement as a whole is an error.
///
/// # Errors
/// When the file is empty, over a limit, not text, of no known format, or structurally broken.
pub fn read(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Statement, Error> {
    if bytes.len() > options.limits.bytes {
        return Err(Error::OverLimit { what: "bytes", limit: options.limits.bytes as u64 });
    }
    let text = Text::decode(bytes)?;
    if let Some(map) = &options.map {
        let statement = crate::map::read(crate::map::FORMAT_ID, map.map(), None, &text, options)?;
        return review::review(statement, options);
    }
    let format = match &options.format {
        Some(name) => formats::by_name(name)?,
        None => recognise(&text)?,
    };
    options.check_time()?;
    let statement = (format.read)(&text, options)?;
    review::review(statement, options)
}

fn recognise(text: &Text<'_>) -> Result<&'static Format, Error> {
    let sniff = Sniff::new(text);
    formats::recognise(&sniff)
}
