//! What every picture says in words.

use std::fmt::Write;

use crate::svg::escape;
use crate::{Chart, Width};

/// Numbers behind a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataTable {
    /// Names of the columns; the first names the rows.
    pub header: Vec<String>,
    /// Cells, as many as the header has.
    pub rows: Vec<Vec<String>>,
}

/// A chart with its words.
pub struct Figure<'a> {
    /// The finding, as a sentence.
    pub title: &'a str,
    /// One sentence for those who do not see the picture.
    pub summary: &'a str,
    /// Where the numbers come from, and of which day.
    pub source: &'a str,
    /// Printed inside the picture, for instance `simulated` or `sample data`.
    pub mark: Option<&'a str>,
    /// The picture.
    pub chart: &'a dyn Chart,
}

impl Figure<'_> {
    /// A figure element: title, picture, summary, source, and the numbers behind a disclosure.
    #[must_use]
    pub fn html(&self, width: Width) -> String {
        let svg = self.chart.draw(width, self.mark);
        let (title, summary, source) = (escape(self.title), escape(self.summary), escape(self.source));
        let mut html = format!("<figure>\n<figcaption><strong>{title}</strong> {summary}</figcaption>\n{svg}");
        let _ = writeln!(html, "<p class=\"source\">{source}</p>");
        html.push_str(&self.chart.table().html());
        html.push_str("</figure>\n");
        html
    }
}

impl DataTable {
    /// A disclosure with the table.
    #[must_use]
    pub fn html(&self) -> String {
        let mut html = String::from("<details><summary>The numbers</summary>\n<table>\n<thead><tr>");
        for name in &self.header {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escape(name));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let cell = escape(cell);
                let _ = match at {
                    0 => write!(html, "<th scope=\"row\">{cell}</th>"),
                    _ => write!(html, "<td>{cell}</td>"),
                };
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></details>\n");
        html
    }
}
