//! From a header to the roles of its columns.

use std::borrow::Cow;

use super::{Column, Role};

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
}

impl Header {
    /// Matches the cells of a record with the columns of a dialect.
    ///
    /// # Errors
    /// The first name of each required column that is not there.
    pub(crate) fn find(columns: &[Column], cells: &[Cow<'_, str>]) -> Result<Self, Vec<&'static str>> {
        let names: Vec<String> = cells.iter().map(|cell| normal_name(cell)).collect();
        let mut header = Self { at: [None; Role::COUNT], fees: Vec::new(), names: Vec::new(), unknown: Vec::new() };
        let mut taken = vec![false; names.len()];
        let mut missing = Vec::new();
        for column in columns {
            // The order of the synonyms decides, not that of the file: the better name wins.
            let place = column.names.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
            match place {
                Some(place) => {
                    taken[place] = true;
                    header.at[column.role as usize].get_or_insert(place);
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

/// Lower case, without `($)`, with single blanks.
fn normal_name(cell: &str) -> String {
    super::row::normal(&cell.replace("($)", " "))
}
