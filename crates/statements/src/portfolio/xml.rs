//! The tree of a file that XStream wrote: elements that stand once in full, and elsewhere as references to that place.

use std::collections::BTreeMap;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::Error;
use crate::gather::clip;
use crate::lines::Lines;
use crate::read::ReadOptions;

/// Deepest nesting. Trades stand inside accounts inside trades; a file that goes deeper is refused by name.
const DEEPEST: usize = 512;

/// More elements for a row than this are no file of transactions; prices take most of them.
const ELEMENTS_FOR_A_ROW: usize = 40;

/// Longest chain of references from one to the next.
const LONGEST_CHAIN: usize = 8;

/// Elements of which nothing is needed, however many there are.
const SKIPPED: [&str; 10] = [
    "prices",
    "latest",
    "dashboards",
    "settings",
    "taxonomies",
    "watchlists",
    "plans",
    "properties",
    "attributes",
    "consumerPriceIndices",
];

/// Number of an element in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeId(u32);

/// One element.
#[derive(Debug, Default)]
struct Node {
    name: String,
    text: String,
    attributes: Vec<(String, String)>,
    parent: Option<NodeId>,
    children: Vec<NodeId>,
    row: u32,
}

/// All elements of a file.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Elements by the id that references use instead of paths.
    by_id: BTreeMap<String, NodeId>,
}

impl Tree {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Error::Malformed`] with its place for what is no well-formed XML, [`Error::OverLimit`] for too many elements.
    pub(super) fn parse(text: &str, options: &ReadOptions<'_>) -> Result<Self, Error> {
        let lines = Lines::new(text);
        let malformed = |offset: u64, reason: &str| {
            let (line, column) = lines.place(usize::try_from(offset).unwrap_or(text.len()));
            Error::Malformed { line, column, reason: clip(reason, 160) }
        };
        let most = options.limits.rows.saturating_mul(ELEMENTS_FOR_A_ROW);
        let mut reader = Reader::from_str(text);
        let mut tree = Self { nodes: Vec::new(), by_id: BTreeMap::new() };
        let mut open: Vec<NodeId> = Vec::new();
        // How deep inside something skipped we are.
        let mut skipping = 0_usize;
        loop {
            let start = reader.buffer_position();
            match reader.read_event() {
                Ok(event @ (Event::Start(_) | Event::Empty(_))) => {
                    let empty = matches!(event, Event::Empty(_));
                    let (Event::Start(tag) | Event::Empty(tag)) = event else { continue };
                    let name = tag.name();
                    let name: &str = name.as_ref();
                    if skipping > 0 || (SKIPPED.contains(&name) && !open.is_empty()) {
                        skipping += usize::from(!empty);
                        continue;
                    }
                    if open.len() >= DEEPEST {
                        return Err(malformed(start, "elements are nested deeper than this program can follow"));
                    }
                    if open.is_empty() && !tree.nodes.is_empty() {
                        return Err(malformed(start, "a second file starts here"));
                    }
                    if tree.nodes.len() >= most {
                        return Err(Error::OverLimit { what: "elements", limit: most as u64 });
                    }
                    if tree.nodes.len().is_multiple_of(1024) {
                        options.check_time()?;
                    }
                    let mut attributes = Vec::new();
                    for attribute in tag.attributes() {
                        let attribute = attribute.map_err(|error| malformed(start, &error.to_string()))?;
                        let value = attribute
                            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                            .map_err(|error| malformed(start, &error.to_string()))?;
                        attributes.push((attribute.key.0.to_owned(), value.into_owned()));
                        options.check_columns(attributes.len())?;
                    }
                    let row = lines.line(usize::try_from(start).unwrap_or(text.len()));
                    let id = tree.add(name, attributes, open.last().copied(), row);
                    if !empty {
                        open.push(id);
                    }
                }
                Ok(Event::End(_)) if skipping > 0 => skipping -= 1,
                Ok(Event::End(_)) => {
                    open.pop();
                }
                Ok(Event::Text(words)) if skipping == 0 => {
                    if let Some(id) = open.last() {
                        tree.nodes[id.0 as usize].text.push_str(&words);
                    }
                }
                Ok(Event::GeneralRef(name)) if skipping == 0 => {
                    let character = quick_xml::escape::unescape(&format!("&{};", &*name)).map(|text| text.into_owned());
                    let character = character.map_err(|error| malformed(start, &error.to_string()))?;
                    if let Some(id) = open.last() {
                        tree.nodes[id.0 as usize].text.push_str(&character);
                    }
                }
                Ok(Event::DocType(_)) => {
                    return Err(malformed(start, "a document type declaration is not part of such a file"));
                }
                Ok(Event::Eof) if open.is_empty() && skipping == 0 => return Ok(tree),
                Ok(Event::Eof) => return Err(malformed(start, "the file ends inside an element: it was cut off")),
                Ok(_) => {}
                Err(error) => return Err(malformed(reader.error_position(), &error.to_string())),
            }
        }
    }

    fn add(&mut self, name: &str, attributes: Vec<(String, String)>, parent: Option<NodeId>, row: u32) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        if let Some((_, own)) = attributes.iter().find(|(key, _)| key == "id") {
            self.by_id.entry(own.clone()).or_insert(id);
        }
        if let Some(parent) = parent {
            self.nodes[parent.0 as usize].children.push(id);
        }
        self.nodes.push(Node { name: name.to_owned(), attributes, parent, row, ..Node::default() });
        id
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The outermost element, unless the file has none.
    pub(super) fn root(&self) -> Option<NodeId> {
        (!self.nodes.is_empty()).then_some(NodeId(0))
    }

    /// The name of an element.
    pub(super) fn name(&self, id: NodeId) -> &str {
        &self.node(id).name
    }

    /// Line on which an element starts.
    pub(super) fn row(&self, id: NodeId) -> u32 {
        self.node(id).row
    }

    /// An attribute of an element.
    pub(super) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        self.node(id).attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The elements inside one, each where it stands in full.
    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.node(id).children.iter().filter_map(|&child| self.resolve(child))
    }

    /// The first element of this name inside another, where it stands in full.
    pub(super) fn child(&self, id: NodeId, name: &str) -> Option<NodeId> {
        let found = self.node(id).children.iter().copied().find(|&child| self.node(child).name == name)?;
        self.resolve(found)
    }

    /// The words of an element inside another; `None` where there are none.
    pub(super) fn words(&self, id: NodeId, name: &str) -> Option<&str> {
        let words = self.node(self.child(id, name)?).text.trim();
        (!words.is_empty()).then_some(words)
    }

    /// Where an element stands in full: itself, or what it refers to.
    fn resolve(&self, id: NodeId) -> Option<NodeId> {
        let mut at = id;
        for _ in 0..LONGEST_CHAIN {
            let Some(reference) = self.attribute(at, "reference") else { return Some(at) };
            at = match self.by_id.get(reference) {
                Some(&found) => found,
                None => self.walk(at, reference)?,
            };
        }
        None
    }

    /// Follows a path such as `../../securities/security[3]` from an element, or `/client/…` from the outermost one.
    fn walk(&self, from: NodeId, path: &str) -> Option<NodeId> {
        let mut at = from;
        let mut steps = path.split('/');
        if path.starts_with('/') {
            at = self.root()?;
            // The first step is empty, the second names the outermost element itself.
            steps.next();
            steps.next();
        }
        for step in steps {
            let (name, number) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
                Some((name, number)) => (name, number.parse::<usize>().ok()?),
                None => (step, 1),
            };
            at = match name {
                "" | "." => at,
                ".." => self.node(at).parent?,
                _ => {
                    let place = number.checked_sub(1)?;
                    let mut same = self.node(at).children.iter().filter(|&&child| self.node(child).name == name);
                    *same.nth(place)?
                }
            };
            // A path may lead through an element that is a reference itself.
            if name != ".." && self.attribute(at, "reference").is_some() && at != from {
                at = self.by_id.get(self.attribute(at, "reference")?).copied().unwrap_or(at);
            }
        }
        (at != from).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::parse(text, &ReadOptions::default()).unwrap()
    }

    #[test]
    fn references_lead_to_where_an_element_stands_in_full() {
        let found = tree(
            "<client><list><a><name>one &amp; only</name></a><a><name>two</name></a></list>\
             <use><a reference=\"../../list/a[2]\"/></use><use><a reference=\"/client/use/a\"/></use></client>",
        );
        let root = found.root().unwrap();
        let uses: Vec<NodeId> = found.children(root).filter(|&id| found.name(id) == "use").collect();
        for one in uses {
            assert_eq!(found.child(one, "a").and_then(|a| found.words(a, "name")), Some("two"));
        }
        let list = found.child(root, "list").unwrap();
        assert_eq!(found.children(list).next().and_then(|a| found.words(a, "name")), Some("one & only"));
        let numbered = tree("<client id=\"1\"><a id=\"2\"><name>x</name></a><b><a reference=\"2\"/></b></client>");
        let b = numbered.child(numbered.root().unwrap(), "b").unwrap();
        assert_eq!(numbered.child(b, "a").and_then(|a| numbered.words(a, "name")), Some("x"));
    }

    #[test]
    fn references_to_nothing_or_in_a_circle_lead_nowhere() {
        let found = tree(
            "<client><a reference=\"../b\"/><b reference=\"../a\"/><c reference=\"../../../..\"/><d reference=\"../e[0]\"/></client>",
        );
        let root = found.root().unwrap();
        assert_eq!(found.children(root).count(), 0);
        let refused = |text: &str| Tree::parse(text, &ReadOptions::default()).unwrap_err().to_string();
        assert!(refused("<a><b></a>").starts_with("line 1"), "{}", refused("<a><b></a>"));
        assert!(refused("<a>").contains("cut off") && refused("<a/><a/>").contains("second file"));
        assert!(refused(&"<a>".repeat(600)).contains("nested deeper"));
        assert!(refused("<!DOCTYPE a><a/>").contains("document type"));
    }
}
