//! A table whose cells are shaded by their value.

use crate::svg::{Anchor, Canvas, text_width};
use crate::{Chart, DataTable, Unit, Width};

/// Values by row and column, for instance returns by year and month. Shades only repeat what the
/// numbers in the cells say; on a narrow page the numbers are in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatTable {
    /// What the rows are, the first column of the table.
    pub corner: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Name of each row and its cells, `None` where there is none.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
    /// How values are written.
    pub unit: Unit,
}

const ROW: f64 = 24.0;
/// Shades on each side of zero.
const SHADES: f64 = 4.0;

impl Chart for HeatTable {
    fn draw(&self, width: Width, mark: Option<&str>) -> String {
        let head = if mark.is_some() { 44.0 } else { 24.0 };
        let mut canvas = Canvas::new(width.pixels(), head + ROW * self.rows.len() as f64 + 8.0);
        let names = self.rows.iter().map(|(name, _)| text_width(name)).fold(0.0, f64::max) + 12.0;
        let cell = (width.pixels() - names - 4.0) / self.columns.len().max(1) as f64;
        let all = || self.rows.iter().flat_map(|(_, cells)| cells.iter().flatten());
        let largest = all().map(|value| value.abs()).fold(0.0, f64::max);
        let widest = all().map(|value| text_width(&self.bare(*value))).fold(0.0, f64::max);
        let legible = widest + 4.0 <= cell;
        for (at, name) in self.columns.iter().enumerate() {
            let middle = names + cell * (at as f64 + 0.5);
            let short: String =
                if text_width(name) > cell - 2.0 { name.chars().take(1).collect() } else { name.clone() };
            canvas.text("quiet", (middle, head - 8.0), Anchor::Middle, &short);
        }
        for (down, (name, cells)) in self.rows.iter().enumerate() {
            let top = head + ROW * down as f64;
            canvas.text("quiet", (names - 8.0, top + 16.0), Anchor::End, name);
            for (at, value) in cells.iter().enumerate().take(self.columns.len()) {
                let Some(value) = value.filter(|value| value.is_finite()) else { continue };
                let left = names + cell * at as f64;
                let share = if largest > 0.0 { (value.abs() / largest * SHADES).ceil() } else { 0.0 };
                if share > 0.0 {
                    let side = if value > 0.0 { "gain" } else { "loss" };
                    let says = format!("{name} {}: {}", self.columns[at], self.unit.signed(value));
                    let class = format!("{side} h{share}");
                    canvas.rect(&class, (left + 1.0, top + 1.0), (cell - 2.0, ROW - 2.0), Some(&says));
                }
                if legible {
                    canvas.text("", (left + cell / 2.0, top + 16.0), Anchor::Middle, &self.bare(value));
                }
            }
        }
        if let Some(mark) = mark {
            canvas.text("mark", (names, 16.0), Anchor::Start, mark);
        }
        canvas.finish()
    }

    fn table(&self) -> DataTable {
        let mut header = vec![self.corner.clone()];
        header.extend(self.columns.iter().cloned());
        let row = |(name, cells): &(String, Vec<Option<f64>>)| {
            let cell = |at: usize| {
                let value = cells.get(at).copied().flatten();
                value.map_or_else(|| "not available".to_owned(), |value| self.unit.signed(value))
            };
            std::iter::once(name.clone()).chain((0..self.columns.len()).map(cell)).collect()
        };
        DataTable { header, rows: self.rows.iter().map(row).collect() }
    }
}

impl HeatTable {
    /// The number without its unit: the title says that.
    fn bare(&self, value: f64) -> String {
        self.unit.signed(value).replace(['$', '%', '\u{202f}'], "")
    }
}
