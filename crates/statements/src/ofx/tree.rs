//! Elements of an OFX file, built from its tokens.
//!
//! SGML closes aggregates and leaves its leaves open, so an element without text is an aggregate exactly when
//! a closing tag is left for it. Walking the tokens backwards decides that in one pass.

use std::borrow::Cow;

use super::tokens::{Fault, Placed, Token, decode, tokenize};

/// Deepest nesting; OFX itself needs about a dozen.
const DEEPEST: usize = 48;

/// Most tags of one file.
const MOST_TAGS: usize = 8_000_000;

/// A leaf with its text, or an aggregate with its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Tag as written; compare with [`is`](Self::is).
    pub(super) name: &'a str,
    /// Text of a leaf, decoded.
    pub(super) text: Cow<'a, str>,
    /// Parts of an aggregate, in order.
    pub(super) children: Vec<Element<'a>>,
    /// Byte where the tag starts.
    pub(super) offset: usize,
}

impl<'a> Element<'a> {
    /// True for this tag, in whatever case the file writes it.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first child with this tag.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(name))
    }

    /// The children with this tag.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Self> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The first descendant with this tag, nearest parents first in document order.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.child(name).or_else(|| self.children.iter().find_map(|child| child.find(name)))
    }

    /// The text of the child with this tag, `None` when it is missing or blank.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|leaf| leaf.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads the `<OFX>` elements that start at or after byte `start`; a file may be several joined.
///
/// # Errors
/// What [`tokenize`] refuses, tags that do not nest, a file that ends early, and nesting beyond all reason.
pub(super) fn parse(text: &str, start: usize) -> Result<Vec<Element<'_>>, Fault> {
    let tokens = tokenize(text, start, MOST_TAGS)?;
    let aggregates = aggregates(&tokens, text.len())?;
    let mut stack: Vec<Element<'_>> = vec![Element::default()];
    let mut leaf_is_open = false;
    for (position, placed) in tokens.iter().enumerate() {
        let top = stack.last_mut().expect("Invariant: the root stays on the stack");
        match placed.token {
            Token::Open { name, .. } => {
                let element = Element { name, offset: placed.offset, ..Element::default() };
                leaf_is_open = !aggregates[position];
                if leaf_is_open {
                    top.children.push(element);
                } else if stack.len() > DEEPEST {
                    let reason = format!("elements are nested more than {DEEPEST} deep, which no OFX file does");
                    return Err(Fault { offset: placed.offset, reason });
                } else {
                    stack.push(element);
                }
            }
            Token::Close { .. } => {
                leaf_is_open = false;
                if aggregates[position] {
                    let done = stack.pop().expect("Invariant: closing tags were matched");
                    stack.last_mut().expect("Invariant: the root stays on the stack").children.push(done);
                }
            }
            // Stray text of an aggregate means nothing and is dropped.
            Token::Text(_) | Token::Literal(_) if !leaf_is_open => {}
            Token::Text(words) => add_text(top, decode(words)),
            Token::Literal(words) => add_text(top, Cow::Borrowed(words)),
        }
    }
    let root = stack.pop().expect("Invariant: the root stays on the stack");
    let roots: Vec<_> = root.children.into_iter().filter(|child| child.is("OFX")).collect();
    if roots.is_empty() {
        return Err(Fault { offset: text.len(), reason: "the file has no <OFX> element".to_owned() });
    }
    Ok(roots)
}

/// Text belongs to the leaf just opened.
fn add_text<'a>(parent: &mut Element<'a>, words: Cow<'a, str>) {
    let Some(leaf) = parent.children.last_mut() else { return };
    if leaf.text.is_empty() {
        leaf.text = words;
    } else {
        leaf.text.to_mut().push_str(&words);
    }
}

/// Marks the tokens that open and close aggregates.
fn aggregates(tokens: &[Placed<'_>], end: usize) -> Result<Vec<bool>, Fault> {
    let mut marks = vec![false; tokens.len()];
    let mut waiting: Vec<(usize, &str)> = Vec::new();
    for (position, placed) in tokens.iter().enumerate().rev() {
        match placed.token {
            Token::Close { name } => waiting.push((position, name)),
            Token::Open { name, closed: false } => {
                let next_is_text = matches!(tokens.get(position + 1), Some(next) if is_text(next));
                // A leaf's own closing tag follows its text at once; an empty one's follows its tag.
                let leaf_end = position + 1 + tokens[position + 1..].iter().take_while(|next| is_text(next)).count();
                if let Some(&(close, _)) = waiting.last().filter(|(_, waiting)| waiting.eq_ignore_ascii_case(name)) {
                    if close == leaf_end {
                        waiting.pop();
                    } else if !next_is_text {
                        waiting.pop();
                        marks[position] = true;
                        marks[close] = true;
                    }
                }
                if name.eq_ignore_ascii_case("OFX") && !marks[position] && waiting.is_empty() {
                    let reason = "the file ends before </OFX>: it was cut off, download it again".to_owned();
                    return Err(Fault { offset: end, reason });
                }
            }
            Token::Open { closed: true, .. } | Token::Text(_) | Token::Literal(_) => {}
        }
    }
    match waiting.last() {
        None => Ok(marks),
        Some(&(position, name)) => Err(Fault {
            offset: tokens[position].offset,
            reason: format!("the closing tag </{name}> has no opening tag that fits; download the file again"),
        }),
    }
}

fn is_text(placed: &Placed<'_>) -> bool {
    matches!(placed.token, Token::Text(_) | Token::Literal(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only root of a text.
    fn one(text: &str) -> Result<Element<'_>, Fault> {
        parse(text, 0).map(|mut roots| roots.remove(0))
    }

    /// Writes a tree the way XML would.
    fn outline(element: &Element<'_>) -> String {
        let inside: String = element.children.iter().map(outline).collect();
        format!("{}({}{inside})", element.name, element.text.trim())
    }

    #[test]
    fn open_leaves_closed_leaves_and_empty_leaves_give_the_same_tree() {
        let expected = "OFX(A(B(1)M()C(x y)D(E(2))))";
        for text in [
            "<OFX><A><B>1<M><C>x y<D><E>2</D></A></OFX>",
            "<OFX><A><B>1</B><M></M>stray<C>x y</C><D><E>2</E>stray</D></A></OFX>",
            "<OFX>\n <A>\n <B>1\n <M/>\n <C> x y \n <D>\n <E>2\n </D>\n </A>\n</OFX>\n",
            "<OFX><A><B>1</B><M><C>x <![CDATA[y]]></C><D><E>2</E></D></A></OFX>",
        ] {
            assert_eq!(outline(&one(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn the_name_of_an_aggregate_may_return_inside_it() {
        let tree = one("<OFX><BAL><BAL>5</BAL><BAL><X>1</BAL></BAL></OFX>").unwrap();
        assert_eq!(outline(&tree), "OFX(BAL(BAL(5)BAL(X(1))))");
    }

    #[test]
    fn what_does_not_nest_is_refused_at_its_place() {
        for (text, offset, word) in [
            ("<OFX><A><B>1</OFX>", 18, ""),
            ("<OFX><A></B></A></OFX>", 8, "</B>"),
            ("<OFX><A></OFX></A>", 14, "</A>"),
            ("<OFX><A><B>1</A>", 16, "cut off"),
            ("<FOO></FOO>", 11, "no <OFX>"),
        ] {
            match one(text) {
                Ok(tree) => assert!(word.is_empty(), "{text}: {}", outline(&tree)),
                Err(fault) => {
                    assert_eq!(fault.offset, offset, "{text}: {}", fault.reason);
                    assert!(fault.reason.contains(word), "{text}: {}", fault.reason);
                }
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("<OFX>{}{}</OFX>", "<A>".repeat(10_000), "</A>".repeat(10_000));
        // The innermost pair reads as an empty leaf, all others as aggregates.
        assert!(one(&deep).unwrap_err().reason.contains("nested"));
        // Leaves that are never closed do not nest.
        assert_eq!(one(&format!("<OFX>{}</OFX>", "<A>".repeat(10_000))).unwrap().children.len(), 10_000);
    }
}
