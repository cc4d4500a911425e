//! A Flex report as statements, sections and records. Everything a record says stands in its attributes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use quick_xml::XmlVersion;
use quick_xml::escape::EscapeError;
use quick_xml::events::Event;
use quick_xml::events::attributes::{AttrError, Attributes};
use quick_xml::reader::Reader;

use crate::Error;
use crate::gather::clip;
use crate::lines::Lines;
use crate::read::ReadOptions;

/// Deepest nesting; a report needs six.
const DEEPEST: usize = 16;

/// What to do about a report that is not well-formed.
const REMEDY: &str = "run the Flex query again and save the file unchanged";

/// One element and its attributes, without those that are blank.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: Vec<(&'a str, Cow<'a, str>)>,
    /// Line where the element starts.
    pub(super) row: u32,
}

impl Node<'_> {
    /// The value of an attribute, `None` when it is missing or blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim())
    }
}

/// A section of a statement, for instance `Trades`.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) node: Node<'a>,
    pub(super) records: Vec<Node<'a>>,
}

/// One account and period.
#[derive(Debug)]
pub(super) struct FlexStatement<'a> {
    pub(super) node: Node<'a>,
    pub(super) sections: Vec<Section<'a>>,
}

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Report<'a> {
    /// Name of the outermost element.
    pub(super) root: &'a str,
    pub(super) statements: Vec<FlexStatement<'a>>,
    /// The text of `ErrorCode`, when the service answered with an error instead of a report.
    pub(super) error_code: Option<String>,
}

/// Reads the report.
///
/// # Errors
/// [`Error::Malformed`] with line, column and remedy for anything that is not well-formed XML, for a document type
/// declaration, and for nesting beyond all reason; [`Error::OverLimit`] for too many records or attributes.
pub(super) fn parse<'a>(text: &'a str, options: &ReadOptions<'_>) -> Result<Report<'a>, Error> {
    let lines = Lines::new(text);
    let malformed = |offset: usize, reason: &str| {
        let (line, column) = lines.place(offset);
        // A name in the reason is as long as the file wants it.
        Error::Malformed { line, column, reason: format!("{}; {REMEDY}", clip(reason, 160)) }
    };
    let mut reader = Reader::from_str(text);
    let mut report = Report::default();
    // Names of the open elements.
    let mut open: Vec<&'a str> = Vec::new();
    let mut records = 0;
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let event = reader.read_event();
        let end = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        match event {
            Ok(Event::Start(ref tag) | Event::Empty(ref tag)) => {
                let empty = matches!(event, Ok(Event::Empty(_)));
                let content_end = end.saturating_sub(1 + usize::from(empty));
                let content_start = content_end.saturating_sub(tag.len());
                let content = text.get(content_start..content_end).unwrap_or_default();
                let name = content.get(..tag.name().as_ref().len()).unwrap_or_default();
                if open.len() >= DEEPEST {
                    return Err(malformed(content_start, "elements are nested deeper than a Flex report does"));
                }
                let node = node(content, name, content_start, &lines, options, &malformed)?;
                match open.len() {
                    0 if report.root.is_empty() => report.root = name,
                    0 => return Err(malformed(content_start, "a second report starts here")),
                    2 if name == "FlexStatement" => {
                        report.statements.push(FlexStatement { node, sections: Vec::new() });
                    }
                    3 if open.get(2) == Some(&"FlexStatement") => {
                        if let Some(statement) = report.statements.last_mut() {
                            statement.sections.push(Section { node, records: Vec::new() });
                        }
                    }
                    4 if open.get(2) == Some(&"FlexStatement") => {
                        let section = report.statements.last_mut().and_then(|statement| statement.sections.last_mut());
                        if let Some(section) = section {
                            records += 1;
                            options.check(records)?;
                            section.records.push(node);
                        }
                    }
                    _ => {}
                }
                if !empty {
                    open.push(name);
                }
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Text(words)) => {
                if open.last() == Some(&"ErrorCode") {
                    report.error_code = Some(words.trim().chars().take(12).collect());
                }
            }
            Ok(Event::DocType(_)) => {
                return Err(malformed(start, "a document type declaration is not part of a Flex report"));
            }
            Ok(Event::Eof) if open.is_empty() => return Ok(report),
            Ok(Event::Eof) => {
                let reason = format!("the file ends inside <{}>: it was cut off", open.last().unwrap_or(&""));
                return Err(malformed(text.len(), &reason));
            }
            Ok(_) => {}
            Err(error) => {
                let offset = usize::try_from(reader.error_position()).unwrap_or(text.len());
                return Err(malformed(offset, &error.to_string()));
            }
        }
    }
}

/// The attributes of one tag. `content` is what stands between its angle brackets, `offset` where that starts.
fn node<'a>(
    content: &'a str,
    name: &'a str,
    offset: usize,
    lines: &Lines<'_>,
    options: &ReadOptions<'_>,
    malformed: &dyn Fn(usize, &str) -> Error,
) -> Result<Node<'a>, Error> {
    let mut seen = BTreeSet::new();
    let mut node = Node { name, attributes: Vec::new(), row: lines.line(offset) };
    // The reader's own check for duplicates compares every pair; the set here stays fast for any number.
    for attribute in Attributes::new(content, name.len()).with_checks(false) {
        let attribute = attribute.map_err(|error| {
            let (at, reason) = attribute_fault(&error);
            malformed(offset + at, &reason)
        })?;
        let key: &'a str = attribute.key.0;
        let at = offset + place_in(content, key);
        if !seen.insert(key) {
            return Err(malformed(at, &format!("the attribute {key} is given twice")));
        }
        options.check_columns(seen.len())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| {
            let (inner, reason) = value_fault(&error);
            let start = match &attribute.value {
                Cow::Borrowed(value) => place_in(content, value),
                Cow::Owned(_) => at - offset,
            };
            malformed(offset + start + inner, &format!("{reason} in the attribute {key}"))
        })?;
        if !value.trim().is_empty() {
            node.attributes.push((key, value));
        }
    }
    Ok(node)
}

/// Byte of `whole` where `part`, a slice of it, starts.
fn place_in(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}

fn attribute_fault(error: &AttrError) -> (usize, String) {
    match *error {
        AttrError::ExpectedEq(at) => (at, "an attribute lacks its = here".to_owned()),
        AttrError::ExpectedValue(at) => (at, "an attribute lacks its value here".to_owned()),
        AttrError::UnquotedValue(at) => (at, "an attribute's value lacks its quotes here".to_owned()),
        AttrError::ExpectedQuote(at, _) => (at, "an attribute's value lacks its closing quote here".to_owned()),
        AttrError::Duplicated(at, _) => (at, "an attribute is given twice".to_owned()),
    }
}

fn value_fault(error: &quick_xml::Error) -> (usize, String) {
    match error {
        quick_xml::Error::Escape(EscapeError::UnterminatedEntity(range)) => {
            (range.start, "a bare & (it must be written &amp;)".to_owned())
        }
        quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(range, _)) => {
            (range.start, "an entity that XML does not define".to_owned())
        }
        _ => (0, "a character reference that names no character".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> String {
        parse(text, &ReadOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_place_and_remedy() {
        let report = |inside: &str| {
            format!(
                "<FlexQueryResponse>\n<FlexStatements><FlexStatement>\n{inside}\n</FlexStatement></FlexStatements></FlexQueryResponse>"
            )
        };
        for (inside, expected) in [
            ("<A><B x=\"1 & 2\"/></A>", "line 3, column 12: a bare & (it must be written &amp;) in the attribute x"),
            ("<A><B x=\"&eacute;\"/></A>", "line 3, column 11: an entity that XML does not define in the attribute x"),
            (
                "<A><B x=\"&#0;\"/></A>",
                "line 3, column 10: a character reference that names no character in the attribute x",
            ),
            ("<A><B x=\"1\" y=\"2\"\n x=\"3\"/></A>", "line 4, column 2: the attribute x is given twice"),
            ("<A><B x=1/></A>", "line 3, column 9: an attribute's value lacks its quotes here"),
            ("<A><B x/></A>", "line 3, column 8: an attribute lacks its = here"),
            ("<A></B>", "line 3, column 4: "),
        ] {
            let message = fails(&report(inside));
            assert!(message.starts_with(expected), "{inside}: {message}");
            assert!(message.ends_with(REMEDY), "{inside}: {message}");
        }
    }

    #[test]
    fn declarations_depth_and_cut_off_files_are_refused() {
        let laughs = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<FlexQueryResponse/>";
        assert!(fails(laughs).starts_with("line 1, column 1: a document type declaration"), "{}", fails(laughs));
        assert!(fails(&"<A>".repeat(20)).contains("nested deeper"));
        assert!(fails("<FlexQueryResponse><FlexStatements>").contains("cut off"));
        let many: String = (0..300).map(|number| format!(" a{number}=\"1\"")).collect();
        assert_eq!(fails(&format!("<A{many}/>")), "the file has more than 256 columns");
    }

    #[test]
    fn sections_records_and_values_come_out() {
        let text = "<FlexQueryResponse><FlexStatements><FlexStatement accountId='U1'><Trades a=''>\
                    <Trade symbol=' A&amp;B ' note=''/></Trades></FlexStatement></FlexStatements></FlexQueryResponse>";
        let report = parse(text, &ReadOptions::default()).unwrap();
        let section = &report.statements[0].sections[0];
        assert_eq!(report.statements[0].node.get("accountId"), Some("U1"));
        assert_eq!((section.node.name, section.records[0].name), ("Trades", "Trade"));
        assert_eq!((section.records[0].get("symbol"), section.records[0].get("note")), (Some("A&B"), None));
    }
}
