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
pub(crate) struct Document<'a> {
    text: &'a str,
    lines: Lines<'a>,
}

/// One value in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    raw: &'a RawValue,
}

/// The fields of an object in the order of the file, repeated names included.
pub(crate) type Fields<'a> = Vec<(String, Value<'a>)>;

impl<'a> Document<'a> {
    /// Checks the syntax of the whole text.
    ///
    /// # Errors
    /// [`Error::Malformed`] with line and column.
    pub(crate) fn parse(text: &'a str) -> Result<(Self, Value<'a>), Error> {
        let raw: &'a RawValue = serde_json::from_str(text).map_err(|error| not_well_formed(&error))?;
        Ok((Self { text, lines: Lines::new(text) }, Value { raw }))
    }

    /// Checks the syntax of a text of one value or several after another, as pages joined into one file are.
    ///
    /// # Errors
    /// [`Error::Malformed`] with line and column.
    pub(crate) fn parse_all(text: &'a str) -> Result<(Self, Vec<Value<'a>>), Error> {
        let lines = Lines::new(text);
        let mut values = Vec::new();
        for value in serde_json::Deserializer::from_str(text).into_iter::<&'a RawValue>() {
            values.push(Value { raw: value.map_err(|error| not_well_formed(&error))? });
        }
        Ok((Self { text, lines }, values))
    }

    fn offset(&self, value: Value<'_>) -> usize {
        (value.raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len())
    }

    /// Line where a value starts.
    pub(crate) fn row(&self, value: Value<'_>) -> u32 {
        self.lines.line(self.offset(value))
    }

    /// An error at a value's place.
    pub(crate) fn malformed(&self, value: Value<'_>, reason: &str) -> Error {
        let (line, column) = self.lines.place(self.offset(value));
        Error::Malformed { line, column, reason: reason.to_owned() }
    }
}

fn not_well_formed(error: &serde_json::Error) -> Error {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    // The library's message ends with the place, which stands in front of ours.
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or("not JSON");
    let reason = format!("not well-formed JSON: {what}");
    Error::Malformed { line: number(error.line()).max(1), column: number(error.column()).max(1), reason }
}

impl<'a> Value<'a> {
    /// The JSON text of the value.
    pub(crate) fn json(self) -> &'a str {
        self.raw.get()
    }

    /// The fields of an object; `None` when the value is none, or a name in it is no text.
    pub(crate) fn fields(self) -> Option<Fields<'a>> {
        serde_json::from_str::<FieldList<'a>>(self.json()).ok().map(|list| list.0)
    }

    /// The elements of an array.
    pub(crate) fn elements(self) -> Option<Vec<Self>> {
        serde_json::from_str::<Vec<&'a RawValue>>(self.json())
            .ok()
            .map(|elements| elements.into_iter().map(|raw| Self { raw }).collect())
    }

    /// A text.
    pub(crate) fn text(self) -> Option<String> {
        serde_json::from_str(self.json()).ok()
    }

    /// A text, or the digits of a number as they are written.
    pub(crate) fn text_or_number(self) -> Option<String> {
        let json = self.json();
        if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            Some(json.to_owned())
        } else {
            self.text()
        }
    }
}

/// The value of a field that must be there once.
pub(crate) fn field<'a>(fields: &Fields<'a>, name: &str) -> Option<Value<'a>> {
    fields.iter().find(|(known, value)| known == name && value.json() != "null").map(|(_, value)| *value)
}

/// The text or the digits of a field; `None` where it is missing, null or blank.
pub(crate) fn words(fields: &Fields<'_>, name: &str) -> Option<String> {
    let text = field(fields, name)?.text_or_number()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The first of these fields that says something, with its name.
pub(crate) fn first_words(fields: &Fields<'_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| words(fields, name).map(|text| (*name, text)))
}

/// The fields of an object inside an object.
pub(crate) fn object<'a>(fields: &Fields<'a>, name: &str) -> Option<Fields<'a>> {
    field(fields, name)?.fields()
}

/// A field that must be text.
pub(crate) fn text_field(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Fault> {
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

/// Most fields of one object; exports have a few dozen.
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
