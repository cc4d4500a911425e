//! Why a file as a whole could not be read. Single bad rows are [`RowNote`](crate::RowNote)s instead.

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// No dialect recognises the content.
    #[error("not a known export: {hint}")]
    Unrecognised {
        /// What the content looks like and what is accepted.
        hint: String,
    },
    /// The content is not text in an encoding that we read.
    #[error("not text: {reason} at byte {offset}")]
    NotText {
        /// What was found.
        reason: String,
        /// Where.
        offset: usize,
    },
    /// The content is a well-known kind of file that holds no statement text.
    #[error("this is {found}; {remedy}")]
    WrongKind {
        /// What the content is, with its article: `an Excel workbook`.
        found: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// An export that is known by name and not read in this version.
    #[error("{title} are not read yet; {remedy}")]
    NotYet {
        /// Name of the export, in the plural.
        title: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A name was given for the account, and the file has several accounts.
    #[error("the file has {count} accounts, so they cannot all be called {name:?}; leave the account name out")]
    SeveralAccounts {
        /// How many the file names.
        count: usize,
        /// What was asked for.
        name: String,
    },
    /// A format is recognised but its structure is broken.
    #[error("line {line}, column {column}: {reason}")]
    Malformed {
        /// Line, counted from 1.
        line: u32,
        /// Character in the line, counted from 1.
        column: u32,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A strict limit was reached.
    #[error("the file has more than {limit} {what}")]
    OverLimit {
        /// `bytes`, `rows`, `columns` or `milliseconds of reading time`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A column that the dialect needs is not in the header.
    #[error("line {line}: the column {column:?} is missing")]
    MissingColumn {
        /// Line of the header.
        line: u32,
        /// Name of the column.
        column: String,
    },
    /// The name given with `--as` is no format.
    #[error("{name:?} is not a format; use one of {known}")]
    UnknownFormat {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}
