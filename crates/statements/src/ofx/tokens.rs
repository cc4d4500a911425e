//! One tolerant tokenizer for both dialects of OFX: SGML (1.x), whose leaves are never closed, and XML (2.x).
//!
//! A token is a tag or the text between two tags. Nothing is copied and nothing is expanded here, so the
//! work is linear in the text and an entity cannot multiply it.

use std::borrow::Cow;

/// What stands between two places of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<NAME>`; `closed` for `<NAME/>`.
    Open { name: &'a str, closed: bool },
    /// `</NAME>`.
    Close { name: &'a str },
    /// Text that may contain entities.
    Text(&'a str),
    /// The inside of `<![CDATA[…]]>`, taken as it is.
    Literal(&'a str),
}

/// A token and the byte where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) offset: usize,
}

/// What the tokenizer refuses, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) reason: String,
}

/// Longest tag name; OFX's own stay below 20 characters.
const LONGEST_NAME: usize = 64;

/// Splits `text` from byte `start` on. Blank text between tags is dropped.
///
/// # Errors
/// On a document type declaration (nothing of OFX needs one and it can define entities), and on a comment,
/// instruction or CDATA section without an end.
pub(super) fn tokenize(text: &str, start: usize, most: usize) -> Result<Vec<Placed<'_>>, Fault> {
    let mut tokens = Vec::new();
    let mut position = start;
    while position < text.len() {
        if tokens.len() >= most {
            return Err(Fault { offset: position, reason: format!("there are more than {most} tags before this one") });
        }
        let rest = &text[position..];
        if !rest.starts_with('<') {
            position += push_text(&mut tokens, text, position, 0);
        } else if let Some(length) = skipped(rest, position)? {
            position += length;
        } else if let Some(inside) = rest.strip_prefix("<![CDATA[") {
            let Some(length) = inside.find("]]>") else {
                return Err(unfinished(position, "CDATA section", "]]>"));
            };
            tokens.push(Placed { token: Token::Literal(&inside[..length]), offset: position });
            position += "<![CDATA[".len() + length + "]]>".len();
        } else if let Some((token, length)) = tag(rest) {
            tokens.push(Placed { token, offset: position });
            position += length;
        } else {
            // A lone `<` inside a memo: text, together with what follows it.
            position += push_text(&mut tokens, text, position, 1);
        }
    }
    Ok(tokens)
}

/// Pushes the text from `position` to the next `<` after the first `skip` bytes; returns its length.
fn push_text<'a>(tokens: &mut Vec<Placed<'a>>, text: &'a str, position: usize, skip: usize) -> usize {
    let rest = &text[position..];
    let length = rest[skip..].find('<').map_or(rest.len(), |found| found + skip);
    if !rest[..length].trim().is_empty() {
        tokens.push(Placed { token: Token::Text(&rest[..length]), offset: position });
    }
    length
}

/// Length of a comment or processing instruction at the start of `rest`, if there is one.
fn skipped(rest: &str, offset: usize) -> Result<Option<usize>, Fault> {
    for (open, close, what) in [("<!--", "-->", "comment"), ("<?", "?>", "processing instruction")] {
        if let Some(inside) = rest.strip_prefix(open) {
            return match inside.find(close) {
                Some(length) => Ok(Some(open.len() + length + close.len())),
                None => Err(unfinished(offset, what, close)),
            };
        }
    }
    let declaration = ["<!DOCTYPE", "<!ENTITY", "<!ELEMENT"];
    if declaration.iter().any(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))) {
        let reason = "a document type declaration is not part of an OFX file; download the file again".to_owned();
        return Err(Fault { offset, reason });
    }
    Ok(None)
}

fn unfinished(offset: usize, what: &str, close: &str) -> Fault {
    Fault { offset, reason: format!("the {what} that starts here never ends with {close}") }
}

/// The tag at the start of `rest` and its length; `None` when the `<` there is only a character.
fn tag(rest: &str) -> Option<(Token<'_>, usize)> {
    let inside = &rest[1..];
    let (inside, closing) = inside.strip_prefix('/').map_or((inside, false), |after| (after, true));
    let name_length = inside.bytes().take(LONGEST_NAME + 1).take_while(|&byte| is_name(byte)).count();
    if name_length == 0 || name_length > LONGEST_NAME || !inside.as_bytes()[0].is_ascii_alphabetic() {
        return None;
    }
    let end = inside.find(['<', '>']).filter(|&at| inside.as_bytes()[at] == b'>')?;
    let attributes = &inside[name_length..end];
    if !attributes.is_empty() && !attributes.starts_with([' ', '\t', '\r', '\n', '/']) {
        return None;
    }
    let name = &inside[..name_length];
    let length = 1 + usize::from(closing) + end + 1;
    let token = if closing { Token::Close { name } } else { Token::Open { name, closed: attributes.ends_with('/') } };
    Some((token, length))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Replaces the five named entities, `&nbsp;` and numbered characters; whatever else follows an `&` stays as
/// written, since SGML exporters leave it bare (`AT&T`).
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest reference that means something is `&#x10FFFF;`.
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((character(&rest[1..end])?, end))) {
            Some((character, end)) => {
                decoded.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|character| !character.is_control())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Vec<Token<'_>> {
        tokenize(text, 0, 1000).unwrap().into_iter().map(|placed| placed.token).collect()
    }

    #[test]
    fn tags_and_text_alternate() {
        let open = |name| Token::Open { name, closed: false };
        assert_eq!(
            plain("<A><B>1<C >x y</A>"),
            [open("A"), open("B"), Token::Text("1"), open("C"), Token::Text("x y"), Token::Close { name: "A" }]
        );
        assert_eq!(plain("<?xml?><!-- <A> --><B/>"), [Token::Open { name: "B", closed: true }]);
        assert_eq!(plain("<M><![CDATA[a<b&amp;]]></M>")[1], Token::Literal("a<b&amp;"));
    }

    #[test]
    fn a_lone_angle_bracket_is_text() {
        for memo in ["< 5 shares", "<5", "<b and more", "<", "<>", "a<é>"] {
            let text = format!("<MEMO>{memo}</MEMO>");
            let words: String = plain(&text)
                .into_iter()
                .filter_map(|token| if let Token::Text(text) = token { Some(text) } else { None })
                .collect();
            assert_eq!(words, memo);
        }
    }

    #[test]
    fn declarations_and_endless_sections_are_refused_with_their_place() {
        for text in ["<!DOCTYPE x [<!ENTITY a \"b\">]>", "<!entity a 'b'>", "<!-- x", "<?OFX x", "<![CDATA[x"] {
            let fault = tokenize(&format!("ab {text}"), 0, 1000).unwrap_err();
            assert_eq!(fault.offset, 3, "{text}");
        }
        assert!(tokenize(&"<A>".repeat(20), 0, 10).is_err());
    }

    #[test]
    fn entities_are_decoded_once_and_strangers_stay() {
        assert_eq!(decode("S&amp;P &lt;500&gt; &#65;&#x42; AT&T &foo; &amp;amp; &#0; &#xD800; & é&"), {
            "S&P <500> AB AT&T &foo; &amp; &#0; &#xD800; & é&"
        });
    }
}
