//! How parts add up to a whole.

use crate::frame::{Plot, fit};
use crate::scale::ticks;
use crate::svg::{Anchor, Canvas, text_width};
use crate::{Chart, DataTable, Unit, Width};

/// One part.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is.
    pub name: String,
    /// What it adds.
    pub value: f64,
}

/// Parts that add up, drawn as bars that begin where the last one ended, and their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// The parts, in order.
    pub steps: Vec<Step>,
    /// What the sum is called.
    pub total: String,
    /// How values are written.
    pub unit: Unit,
}

const ROW: f64 = 30.0;

impl Waterfall {
    /// The sum of the parts.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.steps.iter().map(|step| step.value).sum()
    }
}

impl Chart for Waterfall {
    // Rows instead of columns: names stay readable on a phone.
    fn draw(&self, width: Width, mark: Option<&str>) -> String {
        let mut sum = 0.0;
        let after: Vec<f64> = self
            .steps
            .iter()
            .map(|step| {
                sum += step.value;
                sum
            })
            .collect();
        let ticks = ticks(after.iter().copied().chain([0.0]), 4);
        let longest = self.steps.iter().map(|step| &step.name).chain([&self.total]).map(|name| text_width(name));
        let names = (longest.fold(0.0, f64::max) + 12.0).min(width.pixels() * 0.42);
        let foot = 24.0 + ROW * (self.steps.len() + 1) as f64;
        let mut canvas = Canvas::new(width.pixels(), foot + 24.0);
        let plot = Plot { left: names, right: width.pixels() - 70.0, top: 8.0, bottom: foot };
        let x = crate::scale::Scale::new(ticks.ends, (plot.left, plot.right));
        let unit = self.unit.for_step(ticks.step);
        for value in &ticks.values {
            let at = x.at(*value);
            canvas.line(if *value == 0.0 { "axis" } else { "grid" }, (at, 24.0), (at, foot));
            canvas.text("quiet", (at, foot + 16.0), Anchor::Middle, &unit.text(*value));
        }
        let last = Step { name: self.total.clone(), value: sum };
        let rows = self.steps.iter().zip(&after).map(|(step, after)| (step, after - step.value, *after));
        for (at, (step, from, to)) in rows.chain([(&last, 0.0, sum)]).enumerate() {
            let y = 24.0 + ROW * at as f64;
            let class = if step.value > 0.0 {
                "gain"
            } else if step.value < 0.0 {
                "loss"
            } else {
                "none"
            };
            let (left, right) = (x.at(from.min(to)), x.at(from.max(to)));
            let says = format!("{}: {}", step.name, self.unit.signed(step.value));
            canvas.rect(class, (left, y + 6.0), ((right - left).max(1.5), ROW - 12.0), Some(&says));
            canvas.text("", (names - 8.0, y + 19.0), Anchor::End, &fit(&step.name, names - 12.0));
            canvas.text("", (right + 6.0, y + 19.0), Anchor::Start, &self.unit.signed(step.value));
        }
        let total_line = 24.0 + ROW * self.steps.len() as f64;
        canvas.line("axis", (8.0, total_line), (plot.right, total_line));
        if let Some(mark) = mark {
            canvas.text("mark", (plot.left, 16.0), Anchor::Start, mark);
        }
        canvas.finish()
    }

    fn table(&self) -> DataTable {
        let row = |name: &str, value: f64| vec![name.to_owned(), self.unit.signed(value)];
        let mut rows: Vec<Vec<String>> = self.steps.iter().map(|step| row(&step.name, step.value)).collect();
        rows.push(row(&self.total, self.sum()));
        DataTable { header: vec!["Part".to_owned(), "Value".to_owned()], rows }
    }
}
