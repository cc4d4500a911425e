//! Records of a delimited text: quoted cells with line breaks inside, ragged rows, any line end.
//!
//! Made for exports as they are: cells may be half quoted, quotes may be followed by blanks before
//! the delimiter, and every record knows the line of the file on which it starts.

use std::borrow::Cow;

use crate::Error;

/// Walks the records of a text; the cells of the current record lie in [`cells`](Self::cells).
pub(crate) struct Records<'a> {
    text: &'a str,
    at: usize,
    next_line: u32,
    delimiter: u8,
    /// Cells of the current record, trimmed.
    pub(crate) cells: Vec<Cow<'a, str>>,
    /// Line on which the current record starts, counted from 1.
    pub(crate) line: u32,
    /// Byte at which the current record starts.
    pub(crate) offset: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, at: 0, next_line: 1, delimiter, cells: Vec::new(), line: 0, offset: 0 }
    }

    /// Moves to the next record; false at the end of the text. A blank line is a record of one empty cell.
    ///
    /// # Errors
    /// [`Error::Malformed`] when a quoted cell is never closed.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        self.cells.clear();
        if self.at >= self.text.len() {
            return Ok(false);
        }
        self.line = self.next_line;
        self.offset = self.at;
        loop {
            let cell = self.cell()?;
            self.cells.push(cell);
            match self.text.as_bytes().get(self.at) {
                Some(&byte) if byte == self.delimiter => self.at += 1,
                Some(b'\r') => {
                    self.at += 1 + usize::from(self.text.as_bytes().get(self.at + 1) == Some(&b'\n'));
                    self.next_line = self.next_line.saturating_add(1);
                    return Ok(true);
                }
                Some(_) => {
                    self.at += 1;
                    self.next_line = self.next_line.saturating_add(1);
                    return Ok(true);
                }
                None => return Ok(true),
            }
        }
    }

    /// True when every cell of the current record is empty.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_empty())
    }

    /// Reads one cell and stops on the delimiter or line end behind it.
    fn cell(&mut self) -> Result<Cow<'a, str>, Error> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut first = start;
        while first < bytes.len() && matches!(bytes[first], b' ' | b'\t') && bytes[first] != self.delimiter {
            first += 1;
        }
        if bytes.get(first) != Some(&b'"') {
            self.at = self.end_of_plain(start);
            return Ok(Cow::Borrowed(self.text[start..self.at].trim()));
        }
        let (inside, after) = self.quoted(first)?;
        self.at = self.end_of_plain(after);
        let rest = self.text[after..self.at].trim();
        Ok(match (inside, rest) {
            (Cow::Borrowed(inside), "") => Cow::Borrowed(inside.trim()),
            (inside, rest) => Cow::Owned(format!("{}{rest}", inside.trim())),
        })
    }

    fn end_of_plain(&self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        bytes[from..]
            .iter()
            .position(|&byte| byte == self.delimiter || byte == b'\n' || byte == b'\r')
            .map_or(bytes.len(), |length| from + length)
    }

    /// The content between the quote at `open` and the quote that closes it, and the byte behind that.
    fn quoted(&mut self, open: usize) -> Result<(Cow<'a, str>, usize), Error> {
        let bytes = self.text.as_bytes();
        let mut doubled = false;
        let (mut at, mut breaks) = (open + 1, 0_u32);
        loop {
            match bytes.get(at) {
                Some(b'"') if bytes.get(at + 1) == Some(&b'"') => {
                    doubled = true;
                    at += 2;
                }
                Some(b'"') => break,
                Some(byte) => {
                    let ends_line = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
                    breaks = breaks.saturating_add(u32::from(ends_line));
                    at += 1;
                }
                None => {
                    return Err(Error::Malformed {
                        line: self.next_line,
                        column: u32::try_from(self.text[self.offset..open].chars().count() + 1).unwrap_or(u32::MAX),
                        reason: "a quoted cell is never closed; the file seems cut off, so download it again"
                            .to_owned(),
                    });
                }
            }
        }
        self.next_line = self.next_line.saturating_add(breaks);
        let inside = &self.text[open + 1..at];
        let inside = if doubled { Cow::Owned(inside.replace("\"\"", "\"")) } else { Cow::Borrowed(inside) };
        Ok((inside, at + 1))
    }
}

/// The delimiter of a text: the most frequent candidate outside quotes near its beginning.
pub(crate) fn delimiter(head: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in head.bytes().take(8 * 1024) {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted && let Some((_, count)) = counts.iter_mut().find(|(candidate, _)| *candidate == byte) {
            *count += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|&(_, count)| count).map_or(b',', |(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(u32, Vec<String>)>, Error> {
        let mut records = Records::new(text, b',');
        let mut found = Vec::new();
        while records.advance()? {
            found.push((records.line, records.cells.iter().map(|cell| cell.clone().into_owned()).collect()));
        }
        Ok(found)
    }

    #[test]
    fn exports_read_as_they_are() {
        let text = "a, b ,\"c,d\"\r\n\r\"x\"\"y\" ,\"two\nlines\",z\n\"half\"open,1";
        let found = all(text).unwrap();
        let expected: [(u32, &[&str]); 4] =
            [(1, &["a", "b", "c,d"]), (2, &[""]), (3, &["x\"y", "two\nlines", "z"]), (5, &["halfopen", "1"])];
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), expected);
        }
    }

    #[test]
    fn an_open_quote_is_refused_where_it_opens() {
        let Error::Malformed { line, column, .. } = all("a,b\n1,\"cut o").unwrap_err() else {
            panic!("expected a place")
        };
        assert_eq!((line, column), (2, 3));
    }

    #[test]
    fn the_delimiter_is_the_frequent_one() {
        for (text, expected) in [("a,b;c,d", b','), ("a;b;\"1,2,3,4\"", b';'), ("a\tb", b'\t'), ("alone", b',')] {
            assert_eq!(delimiter(text), expected, "{text}");
        }
    }
}
