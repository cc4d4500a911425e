//! JSON values that remember where they stand and how their numbers were written.
//!
//! Numbers stay text until they become exact decimals, so `0.1` is one tenth and never a float.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;
use crate::gather::Fault;
use crate::lines::Lines;

/// A whole JSON file.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    lines: Lines<'a>,
}

/// One value in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    raw: &'a RawValue,
}

/// The fields of an object in the order of the file, repeated names included.
pub(super) type Fields<'a> = Vec<(String, Value<'a>)>;

impl<'a> Document<'a> {
    /// Checks the syntax of the whole text.
    ///
    /// # Errors
    /// [`Error::Malformed`] with line and column.
    pub(super) fn parse(text: &'a str) -> Result<(Self, Value<'a>), Error> {
        let raw: &'a RawValue = serde_json::from_str(text).map_err(|error| {
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            // The library's message ends with the place, which stands in front of ours.
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or("not JSON");
            let reason = format!("not well-formed JSON: {what}");
            Error::Malformed { line: number(error.line()).max(1), column: number(error.column()).max(1), reason }
        })?;
        Ok((Self { text, lines: Lines::new(text) }, Value { raw }))
    }

    fn offset(&self, value: Value<'_>) -> usize {
        (value.raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len())
    }

    /// Line where a value starts.
    pub(super) fn row(&self, value: Value<'_>) -> u32 {
        self.lines.line(self.offset(value))
    }

    /// An error at a value's place.
    pub(super) fn malformed(&self, value: Value<'_>, reason: &str) -> Error {
        let (line, column) = self.lines.place(self.offset(value));
        Error::Malformed { line, column, reason: reason.to_owned() }
    }
}

impl<'a> Value<'a> {
    /// The JSON text of the value.
    pub(super) fn json(self) -> &'a str {
        self.raw.get()
    }

    /// The fields of an object; `None` when the value is none, or a name in it is no text.
    pub(super) fn fields(self) -> Option<Fields<'a>> {
        serde_json::from_str::<FieldList<'a>>(self.json()).ok().map(|list| list.0)
    }

    /// The elements of an array.
    pub(super) fn elements(self) -> Option<Vec<Self>> {
        serde_json::from_str::<Vec<&'a RawValue>>(self.json())
            .ok()
            .map(|elements| elements.into_iter().map(|raw| Self { raw }).collect())
    }

    /// A text.
    pub(super) fn text(self) -> Option<String> {
        serde_json::from_str(self.json()).ok()
    }

    /// A text, or the digits of a number as they are written.
    pub(super) fn text_or_number(self) -> Option<String> {
        let json = self.json();
        if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            Some(json.to_owned())
        } else {
            self.text()
        }
    }
}

/// The value of a field that must be there once.
pub(super) fn field<'a>(fields: &Fields<'a>, name: &str) -> Option<Value<'a>> {
    fields.iter().find(|(known, value)| known == name && value.json() != "null").map(|(_, value)| *value)
}

/// A field that must be text.
pub(super) fn text_field(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Fault> {
    let Some(value) = field(fields, name) else { return Ok(None) };
    match value.text() {
        Some(text) if !text.trim().is_empty() => Ok(Some(text)),
        Some(_) => Err(Fault::new(name, "", "is blank")),
        None => Err(Fault::new(name, value.json(), "is not a text")),
    }
}

struct FieldList<'a>(Fields<'a>);

impl<'de> Deserialize<'de> for FieldList<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;
        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = FieldList<'de>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    if fields.len() >= MOST_FIELDS {
                        return Err(A::Error::custom("an object has too many fields"));
                    }
                    fields.push((name, Value { raw }));
                }
                Ok(FieldList(fields))
            }
        }
        deserializer.deserialize_map(FieldVisitor)
    }
}

/// Most fields of one object; ours have at most ten.
const MOST_FIELDS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_line_and_keep_their_digits() {
        let text = "{\n \"a\": 0.10,\n \"b\": [1e2,\n  \"x\"],\n \"a\": null\n}";
        let (document, root) = Document::parse(text).unwrap();
        let fields = root.fields().unwrap();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "a"]);
        assert_eq!(field(&fields, "a").unwrap().text_or_number().as_deref(), Some("0.10"));
        let elements = field(&fields, "b").unwrap().elements().unwrap();
        assert_eq!((document.row(elements[0]), document.row(elements[1])), (3, 4));
        assert_eq!(elements[1].text_or_number().as_deref(), Some("x"));
        assert!(root.elements().is_none() && elements[0].fields().is_none() && elements[0].text().is_none());
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, line, column) in [("{\n\"a\": }", 2, 6), ("{\"a\": 1", 1, 7), ("{} x", 1, 4), ("[1,]", 1, 4)] {
            match Document::parse(text) {
                Err(Error::Malformed { line: found_line, column: found_column, .. }) => {
                    assert_eq!((found_line, found_column), (line, column), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(Document::parse(&"[".repeat(200_000)).is_err());
    }
}
