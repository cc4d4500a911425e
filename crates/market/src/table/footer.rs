//! A look at a Parquet footer before the decoder is let in: no list may declare more elements than
//! the footer has bytes left.
//!
//! The decoder walks what is declared, so a damaged count of two thousand million empty elements
//! would keep it busy for seconds. Written from the description of Thrift's compact protocol, in
//! which an element takes at least one byte.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Length of the footer's length and the closing magic.
const TAIL: u64 = 8;

/// Deepest nesting that a footer has any use for.
const DEEPEST: u32 = 64;

/// What keeps a footer from being read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FooterFault {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the footer {0}")]
    Damaged(String),
}

/// Checks the footer of an open file. Files that are too short, or whose footer is encrypted, are
/// left for the decoder to refuse.
pub(super) fn check(file: &mut File) -> Result<(), FooterFault> {
    let bytes = file.metadata()?.len();
    if bytes < TAIL {
        return Ok(());
    }
    let mut tail = [0; TAIL as usize];
    file.seek(SeekFrom::Start(bytes - TAIL))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if &magic == b"PAR1" && length <= bytes - TAIL {
        let mut footer = vec![0; length as usize];
        file.seek(SeekFrom::Start(bytes - TAIL - length))?;
        file.read_exact(&mut footer)?;
        check_bytes(&footer).map_err(FooterFault::Damaged)?;
    }
    file.rewind()?;
    Ok(())
}

/// Walks one struct of the compact protocol.
fn check_bytes(footer: &[u8]) -> Result<(), String> {
    Walk { rest: footer }.fields(0)
}

/// What is left to walk.
struct Walk<'a> {
    rest: &'a [u8],
}

/// Codes of the compact protocol's types.
mod code {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const UUID: u8 = 13;
}

impl Walk<'_> {
    fn fields(&mut self, depth: u32) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST}"));
        }
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(());
            }
            if header >> 4 == 0 {
                self.varint()?;
            }
            match header & 0x0f {
                code::TRUE | code::FALSE => {}
                kind => self.value(kind, depth)?,
            }
        }
    }

    /// A value behind a field's header or inside a list, where a truth value takes a byte.
    fn value(&mut self, kind: u8, depth: u32) -> Result<(), String> {
        match kind {
            code::TRUE | code::FALSE | code::BYTE => self.skip(1),
            code::I16 | code::I32 | code::I64 => self.varint().map(|_| ()),
            code::DOUBLE => self.skip(8),
            code::UUID => self.skip(16),
            code::BINARY => {
                let length = self.varint()?;
                self.skip(length)
            }
            code::LIST | code::SET => {
                let header = self.byte()?;
                let count = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
                self.elements(count, &[header & 0x0f], depth)
            }
            code::MAP => match self.varint()? {
                0 => Ok(()),
                count => {
                    let kinds = self.byte()?;
                    self.elements(count, &[kinds >> 4, kinds & 0x0f], depth)
                }
            },
            code::STRUCT => self.fields(depth + 1),
            _ => Err(format!("has a value of the unknown type {kind}")),
        }
    }

    fn elements(&mut self, count: u64, kinds: &[u8], depth: u32) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST}"));
        }
        if count > self.rest.len() as u64 {
            return Err(format!("declares {count} elements in {} bytes", self.rest.len()));
        }
        for _ in 0..count {
            kinds.iter().try_for_each(|kind| self.value(*kind, depth + 1))?;
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (&first, rest) = self.rest.split_first().ok_or_else(ends)?;
        self.rest = rest;
        Ok(first)
    }

    /// A number in groups of seven bits, lowest first.
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("has a number of more than 64 bits".to_owned())
    }

    fn skip(&mut self, bytes: u64) -> Result<(), String> {
        let bytes = usize::try_from(bytes).map_err(|_| ends())?;
        self.rest = self.rest.get(bytes..).ok_or_else(ends)?;
        Ok(())
    }
}

fn ends() -> String {
    "ends in the middle of a value".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_with_true_counts_passes() {
        // Field 1: i32; field 2: a list of two truth values; field 3: text; stop.
        let footer = [0x15, 0x02, 0x19, 0x21, 1, 2, 0x18, 2, b'a', b'b', 0];
        assert_eq!(check_bytes(&footer), Ok(()));
        // Field 1: a list of one empty struct; field 2: a map of one pair of bytes.
        assert_eq!(check_bytes(&[0x19, 0x1c, 0, 0x1b, 1, 0x33, 7, 8, 0]), Ok(()));
    }

    #[test]
    fn a_list_longer_than_the_footer_is_refused() {
        let footer = [0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        assert_eq!(check_bytes(&footer).unwrap_err(), "declares 2147483647 elements in 1 bytes");
        let nested = [0x1c; 200];
        assert_eq!(check_bytes(&nested).unwrap_err(), "is nested deeper than 64");
        let lists: Vec<u8> = std::iter::once(0x19).chain(std::iter::repeat_n(0x19, 200)).collect();
        assert_eq!(check_bytes(&lists).unwrap_err(), "is nested deeper than 64");
        assert_eq!(check_bytes(&[0x15]).unwrap_err(), "ends in the middle of a value");
        assert_eq!(check_bytes(&[0x18, 0x7f, 0]).unwrap_err(), "ends in the middle of a value");
    }
}
