//! What a person reads: headings, sentences and tables in order.

use unicode_width::UnicodeWidthStr;

use super::{Table, Tone, paint};

enum Block {
    Heading(String),
    Sentence(String, Tone),
    Item(String),
    Facts(Vec<(String, String)>),
    Table(Table),
    Gap,
}

/// Text for people, built from top to bottom.
#[derive(Default)]
pub struct Page {
    blocks: Vec<Block>,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A heading, with a blank line before it unless it is the first thing.
    pub fn heading(&mut self, text: impl Into<String>) {
        if !self.blocks.is_empty() {
            self.gap();
        }
        self.blocks.push(Block::Heading(text.into()));
    }

    /// A sentence or a paragraph; it is wrapped on a terminal.
    pub fn sentence(&mut self, text: impl Into<String>) {
        self.toned(text, Tone::Plain);
    }

    /// A sentence with a meaning.
    pub fn toned(&mut self, text: impl Into<String>, tone: Tone) {
        self.blocks.push(Block::Sentence(text.into(), tone));
    }

    /// A point of a list.
    pub fn item(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Item(text.into()));
    }

    /// Names and values, aligned.
    pub fn facts(&mut self, facts: impl IntoIterator<Item = (String, String)>) {
        self.blocks.push(Block::Facts(facts.into_iter().collect()));
    }

    /// A table; an empty one leaves nothing.
    pub fn table(&mut self, table: Table) {
        if !table.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// A blank line; two in a row are one.
    pub fn gap(&mut self) {
        if !matches!(self.blocks.last(), Some(Block::Gap)) {
            self.blocks.push(Block::Gap);
        }
    }

    /// The page as text.
    #[must_use]
    pub fn to_text(&self, width: Option<usize>, colour: bool) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            match block {
                Block::Heading(heading) => text.push_str(&paint(heading, Tone::Strong, colour)),
                Block::Sentence(sentence, tone) => text.push_str(&paint(&wrap(sentence, "", width), *tone, colour)),
                Block::Item(item) => text.push_str(&format!("• {}", wrap(item, "  ", width))),
                Block::Facts(facts) => text.push_str(&facts_text(facts, width)),
                Block::Table(table) => text.push_str(&table.to_text(width, colour)),
                Block::Gap => {}
            }
            if !text.ends_with('\n') || matches!(block, Block::Gap) {
                text.push('\n');
            }
        }
        text
    }
}

fn facts_text(facts: &[(String, String)], width: Option<usize>) -> String {
    let widest = facts.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let indent = " ".repeat(widest + 2);
    facts
        .iter()
        .map(|(name, value)| {
            let pad = " ".repeat(widest - name.width() + 2);
            format!("{name}{pad}{}\n", wrap(value, &indent, width))
        })
        .collect()
}

/// Breaks lines at spaces so that none is wider than the terminal; later lines are indented.
fn wrap(text: &str, indent: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let (mut out, mut used) = (String::new(), indent.width());
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 && used + 1 + word.width() > width {
            out.push('\n');
            out.push_str(indent);
            used = indent.width();
        } else if at > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += word.width();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_from_top_to_bottom_and_wraps_on_a_terminal() {
        let mut page = Page::new();
        page.heading("Your lots");
        page.sentence("Two lots turn long-term in the next thirty days.");
        page.item("Wait 26 days before selling these 50 shares.");
        page.heading("Rates");
        page.facts([("Short-term".to_owned(), "24 %".to_owned()), ("State".to_owned(), "none entered".to_owned())]);
        insta::assert_snapshot!(page.to_text(Some(30), false), @r"
        Your lots
        Two lots turn long-term in the
        next thirty days.
        • Wait 26 days before selling
          these 50 shares.

        Rates
        Short-term  24 %
        State       none entered
        ");
        assert!(page.to_text(None, false).contains("Two lots turn long-term in the next thirty days.\n"));
        assert!(page.to_text(None, true).starts_with("\u{1b}[1mYour lots\u{1b}[0m\n"));
    }
}
