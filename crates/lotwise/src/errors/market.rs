//! Why market data cannot be used, as the person is told.

use std::io::ErrorKind;
use std::path::Path;

use lotwise_market::Error;

use super::{CliError, Exit, Failure, Place};

/// Maps an error of the market room. Where the file itself is wrong the input has errors (3); where
/// it is not there, data are missing (6).
#[must_use]
pub fn market_error(error: &Error) -> Failure {
    let at = |file: &Path| Place::file(file.display().to_string());
    let told = |code, exit, place| CliError::new(code, exit, error.to_string()).at(place);
    let layout = "prices need the columns date, ticker, open, high, low, close, adj_close and volume";
    match error {
        Error::Io { file, source } => match source.kind() {
            ErrorKind::NotFound => CliError::new("no-such-file", Exit::DataMissing, "there is no such file or folder")
                .at(at(file))
                .help("check the name, or fetch prices with lotwise prices fetch SYMBOL"),
            ErrorKind::PermissionDenied => {
                CliError::new("no-permission", Exit::Failed, "the file may not be read or written").at(at(file))
            }
            _ => CliError::new("unreadable", Exit::Failed, format!("the file cannot be used: {source}")).at(at(file)),
        },
        Error::Empty { file } | Error::NoRows { file } => told("empty-file", Exit::Input, at(file)),
        Error::NotParquet { file } | Error::Corrupt { file, .. } => told("damaged-file", Exit::Input, at(file)),
        Error::Encoding { file, .. } => told("wrong-encoding", Exit::Input, at(file)),
        Error::Csv { file, line, .. } => {
            told("malformed", Exit::Input, Place { line: u32::try_from(*line).ok(), ..at(file) })
        }
        Error::BadCell { file, line, column, .. } => {
            let place = Place { line: u32::try_from(*line).ok(), field: Some(column.clone()), ..at(file) };
            told("bad-cell", Exit::Input, place)
        }
        Error::MissingColumn { file, column, .. } => {
            told("missing-column", Exit::Input, Place { field: Some(column.clone()), ..at(file) }).help(layout)
        }
        Error::WrongType { file, column, .. } => {
            told("wrong-type", Exit::Input, Place { field: Some(column.clone()), ..at(file) }).help(layout)
        }
        Error::TooLarge { file, .. } => told("too-large", Exit::Input, at(file)),
        Error::NoPriceTable { folder } => told("no-price-table", Exit::DataMissing, at(folder)).help(layout),
        Error::UnequalColumns { .. } => CliError::new("unequal-columns", Exit::Failed, error.to_string()),
    }
    .into()
}
