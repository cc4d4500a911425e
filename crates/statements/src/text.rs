//! Bytes to text: the encodings that exports come in, and a name for what is no text at all.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::Error;

/// A decoded file.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    content: Cow<'a, str>,
}

impl<'a> Text<'a> {
    /// Decodes UTF-8 (with or without a byte-order mark), UTF-16 with a byte-order mark, and
    /// Windows-1252 where the bytes are plausible as such.
    ///
    /// # Errors
    /// When the content is empty, a well-known binary kind, or not text.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        if let Some((found, remedy)) = wrong_kind(bytes) {
            return Err(Error::WrongKind { found, remedy });
        }
        let content = match bytes {
            [0xEF, 0xBB, 0xBF, rest @ ..] => from_utf8_or_1252(rest, 3)?,
            [0xFF, 0xFE, rest @ ..] => from_utf16(rest, UTF_16LE)?,
            [0xFE, 0xFF, rest @ ..] => from_utf16(rest, UTF_16BE)?,
            _ => {
                if let Some(reason) = bare_utf16(bytes) {
                    return Err(Error::NotText { reason: reason.to_owned(), offset: 0 });
                }
                from_utf8_or_1252(bytes, 0)?
            }
        };
        if content.trim().is_empty() {
            return Err(Error::Empty);
        }
        Ok(Self { content })
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.content
    }
}

/// Kinds of file that people hand over by mistake, by their first bytes.
const WRONG_KINDS: &[(&[u8], &str, &str)] = &[
    (b"%PDF", "a PDF document", "download the activity as CSV, OFX or QFX instead"),
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive", "open it and export or unpack the CSV file"),
    (b"PK\x05\x06", "an empty ZIP archive", "download the export again"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook", "open it and export CSV"),
    (b"\x1F\x8B", "a gzip archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xFD7zXZ\x00", "an xz archive", "unpack it first"),
    (b"\x28\xB5\x2F\xFD", "a zstd archive", "unpack it first"),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive", "unpack it first"),
    (b"\x89PNG", "a PNG picture", "download the activity as CSV, OFX or QFX instead"),
    (b"\xFF\xD8\xFF", "a JPEG picture", "download the activity as CSV, OFX or QFX instead"),
    (b"GIF8", "a GIF picture", "download the activity as CSV, OFX or QFX instead"),
    (b"PAR1", "a Parquet table", "prices go to --prices; a history is CSV, OFX, QFX, XML or JSON"),
    (b"SQLite format 3\x00", "an SQLite database", "export the transactions as CSV"),
    (b"\x7FELF", "a program", "choose the export that your broker gave you"),
    (b"{\\rtf", "an RTF document", "download the activity as CSV, OFX or QFX instead"),
];

fn wrong_kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let magic = WRONG_KINDS.iter().find(|(magic, ..)| bytes.starts_with(magic));
    if let Some(&(_, found, remedy)) = magic {
        return Some((found, remedy));
    }
    let head = bytes.trim_ascii_start();
    let starts = |prefix: &[u8]| head.len() >= prefix.len() && head[..prefix.len()].eq_ignore_ascii_case(prefix);
    (starts(b"<!doctype html") || starts(b"<html"))
        .then_some(("a web page", "log in at your broker and download the file itself; the session may have ended"))
}

/// Windows tools write UTF-16; without its mark it looks like text with a NUL at every other place.
fn bare_utf16(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(256) & !1];
    if head.len() < 4 {
        return None;
    }
    let nul_at = |parity: usize| head.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let pairs = head.len() / 2;
    let mostly = |parity: usize| nul_at(parity) * 10 >= pairs * 9 && nul_at(1 - parity) == 0;
    (mostly(0) || mostly(1)).then_some("UTF-16 without a byte-order mark; save it as UTF-8")
}

fn from_utf16<'a>(bytes: &'a [u8], encoding: &'static encoding_rs::Encoding) -> Result<Cow<'a, str>, Error> {
    let (content, broken) = encoding.decode_without_bom_handling(bytes);
    if broken {
        return Err(Error::NotText { reason: "broken UTF-16; the file may be cut off".to_owned(), offset: 2 });
    }
    match content.find(is_control) {
        Some(offset) => {
            Err(Error::NotText { reason: "a control character in UTF-16".to_owned(), offset: 2 + offset * 2 })
        }
        None => Ok(content),
    }
}

fn from_utf8_or_1252(bytes: &[u8], skipped: usize) -> Result<Cow<'_, str>, Error> {
    // NUL and most control characters never stand in an export, whatever its encoding.
    if let Some(offset) = bytes.iter().position(|&byte| is_control(char::from(byte))) {
        let reason = if bytes[offset] == 0 { "a NUL byte" } else { "a control character" };
        return Err(Error::NotText {
            reason: format!("{reason}; the file is binary or damaged"),
            offset: offset + skipped,
        });
    }
    let broken = match std::str::from_utf8(bytes) {
        Ok(content) => return Ok(Cow::Borrowed(content)),
        Err(broken) => broken,
    };
    // A few accented letters among ASCII are Windows-1252; anything denser is not a Western export,
    // and bytes that Windows-1252 leaves unassigned are in no text at all.
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let unassigned = bytes.iter().position(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D));
    let offset = unassigned.unwrap_or_else(|| broken.valid_up_to());
    if unassigned.is_some() || high * 4 > bytes.len() {
        let reason = "neither UTF-8 nor Windows-1252; save it as UTF-8".to_owned();
        return Err(Error::NotText { reason, offset: offset + skipped });
    }
    Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0)
}

/// Control characters other than tab, line breaks, and the end-of-file mark of old DOS tools.
fn is_control(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{E}'..='\u{19}' | '\u{1B}'..='\u{1F}' | '\u{7F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<String, Error> {
        Text::decode(bytes).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn every_encoding_of_an_export_reads_the_same() {
        let expected = "Café,1\n";
        let utf16 = |little: bool| -> Vec<u8> {
            let mark: u16 = 0xFEFF;
            std::iter::once(mark)
                .chain(expected.encode_utf16())
                .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect()
        };
        let cases: [(&str, Vec<u8>); 5] = [
            ("UTF-8", expected.into()),
            ("UTF-8 with mark", format!("\u{FEFF}{expected}").into()),
            ("UTF-16 LE", utf16(true)),
            ("UTF-16 BE", utf16(false)),
            ("Windows-1252", b"Caf\xE9,1\n".to_vec()),
        ];
        for (name, bytes) in cases {
            assert_eq!(decoded(&bytes).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_is_not_text_is_named() {
        let cases: &[(&[u8], &str)] = &[
            (b"", "the file is empty"),
            (b" \r\n\t", "the file is empty"),
            (b"\xEF\xBB\xBF", "the file is empty"),
            (b"%PDF-1.7", "this is a PDF document; download the activity as CSV, OFX or QFX instead"),
            (
                b"PK\x03\x04rest",
                "this is an Excel workbook or another ZIP archive; open it and export or unpack the CSV file",
            ),
            (b"\x1F\x8B\x08", "this is a gzip archive; unpack it first"),
            (b"a,b\n1,\0", "not text: a NUL byte; the file is binary or damaged at byte 6"),
            (b"D\0a\0t\0e\0", "not text: UTF-16 without a byte-order mark; save it as UTF-8 at byte 0"),
            (b"\xFF\xFEa\0b", "not text: broken UTF-16; the file may be cut off at byte 2"),
            (b"abc\x81def", "not text: neither UTF-8 nor Windows-1252; save it as UTF-8 at byte 3"),
            (
                b" <!DOCTYPE HTML>",
                "this is a web page; log in at your broker and download the file itself; the session may have ended",
            ),
        ];
        for (bytes, message) in cases {
            assert_eq!(decoded(bytes).unwrap_err().to_string(), *message);
        }
    }
}
