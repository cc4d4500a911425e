//! Bars by category.

use crate::frame::{Plot, fit, head};
use crate::scale::ticks;
use crate::svg::{Anchor, Canvas, text_width};
use crate::theme::MOST_SERIES;
use crate::{Chart, DataTable, Unit, Width};

/// One value for every category.
#[derive(Debug, Clone, PartialEq)]
pub struct BarSeries {
    /// Its name.
    pub name: String,
    /// A value for every category, `None` where there is none.
    pub values: Vec<Option<f64>>,
}

/// How the bars of a category stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stacking {
    /// Side by side.
    Beside,
    /// One on the other, what is below zero downwards.
    Stacked,
}

/// Bars by category, at most six series. A single series is coloured by sign.
#[derive(Debug, Clone, PartialEq)]
pub struct BarChart {
    /// What the categories are, the first column of the table.
    pub category: String,
    /// Names of the categories, in order.
    pub categories: Vec<String>,
    /// The series; those after the sixth are in the table only.
    pub series: Vec<BarSeries>,
    /// How values are written.
    pub unit: Unit,
    /// How the bars of a category stand.
    pub stacking: Stacking,
}

const HEIGHT: f64 = 260.0;
const FOOT: f64 = 24.0;
const LEGEND: f64 = 22.0;

impl BarChart {
    /// Counts of values in bins of equal width between round ends.
    #[must_use]
    pub fn histogram(name: &str, values: &[f64], n_bins: usize, unit: Unit) -> Self {
        let bins = ticks(values.iter().copied(), n_bins.max(1));
        let (first, step) = (bins.ends.0, bins.step);
        let n_bins = bins.values.len().saturating_sub(1).max(1);
        let mut counts = vec![0_u32; n_bins];
        for value in values.iter().filter(|value| value.is_finite()) {
            let at = ((value - first) / step) as usize;
            counts[at.min(n_bins - 1)] += 1;
        }
        let unit = unit.for_step(step);
        Self {
            category: name.to_owned(),
            categories: bins.values.iter().take(n_bins).map(|low| unit.text(*low)).collect(),
            series: vec![BarSeries {
                name: "Count".to_owned(),
                values: counts.into_iter().map(|count| Some(f64::from(count))).collect(),
            }],
            unit: Unit::Number(0),
            stacking: Stacking::Beside,
        }
    }

    fn extremes(&self) -> Vec<f64> {
        let shown = &self.series[..self.series.len().min(MOST_SERIES)];
        let mut values = vec![0.0];
        match self.stacking {
            Stacking::Beside => values.extend(shown.iter().flat_map(|series| series.values.iter().flatten())),
            Stacking::Stacked => {
                for at in 0..self.categories.len() {
                    let of_category = || shown.iter().filter_map(|series| series.values.get(at).copied().flatten());
                    values.push(of_category().filter(|value| *value > 0.0).sum());
                    values.push(of_category().filter(|value| *value < 0.0).sum());
                }
            }
        }
        values
    }
}

impl Chart for BarChart {
    fn draw(&self, width: Width, mark: Option<&str>) -> String {
        let shown = &self.series[..self.series.len().min(MOST_SERIES)];
        let legend = if shown.len() > 1 { LEGEND } else { 0.0 };
        let head = head(mark);
        let mut canvas = Canvas::new(width.pixels(), head + HEIGHT + legend);
        let ticks = ticks(self.extremes().into_iter(), 5);
        let plot = Plot::new(width, &ticks, self.unit, 8.0, (head + 12.0 + legend, head + HEIGHT + legend - FOOT));
        let y = plot.values(&mut canvas, &ticks, self.unit);
        let zero = y.at(0.0);
        let slot = (plot.right - plot.left) / self.categories.len().max(1) as f64;
        let gap = (slot * 0.15).min(8.0);
        let beside = if self.stacking == Stacking::Beside { shown.len().max(1) } else { 1 };
        let bar = (slot - 2.0 * gap) / beside as f64;
        for (at, category) in self.categories.iter().enumerate() {
            let left = plot.left + slot * at as f64 + gap;
            let (mut up, mut down) = (0.0, 0.0);
            for (which, series) in shown.iter().enumerate() {
                let Some(value) = series.values.get(at).copied().flatten().filter(|value| value.is_finite()) else {
                    continue;
                };
                let class = match (shown.len(), value) {
                    (1, value) if value > 0.0 => "gain".to_owned(),
                    (1, value) if value < 0.0 => "loss".to_owned(),
                    _ => format!("f{which}"),
                };
                let says = format!("{category}, {}: {}", series.name, self.unit.text(value));
                match self.stacking {
                    Stacking::Beside => {
                        let x = left + bar * which as f64;
                        canvas.rect(&class, (x, zero), (bar.max(1.0), y.at(value) - zero), Some(&says));
                    }
                    Stacking::Stacked => {
                        let base: &mut f64 = if value < 0.0 { &mut down } else { &mut up };
                        let from = y.at(*base);
                        *base += value;
                        canvas.rect(&class, (left, from), (bar.max(1.0), y.at(*base) - from), Some(&says));
                    }
                }
            }
        }
        let widest = self.categories.iter().map(|name| text_width(name)).fold(0.0, f64::max).min(90.0);
        let every = ((widest + 8.0) / slot).ceil().max(1.0) as usize;
        for (at, category) in self.categories.iter().enumerate().step_by(every) {
            let middle = plot.left + slot * (at as f64 + 0.5);
            canvas.text("quiet", (middle, plot.bottom + 17.0), Anchor::Middle, &fit(category, slot * every as f64));
        }
        let mut x = plot.left;
        for (which, series) in shown.iter().enumerate().filter(|_| legend > 0.0) {
            canvas.rect(&format!("f{which}"), (x, head + 6.0), (11.0, 11.0), None);
            canvas.text("", (x + 15.0, head + 16.0), Anchor::Start, &series.name);
            x += text_width(&series.name) + 32.0;
        }
        plot.mark(&mut canvas, mark);
        canvas.finish()
    }

    fn table(&self) -> DataTable {
        let mut header = vec![self.category.clone()];
        header.extend(self.series.iter().map(|series| series.name.clone()));
        let row = |at: usize, category: &String| {
            let cell = |series: &BarSeries| {
                let value = series.values.get(at).copied().flatten();
                value.map_or_else(|| "not available".to_owned(), |value| self.unit.text(value))
            };
            std::iter::once(category.clone()).chain(self.series.iter().map(cell)).collect()
        };
        DataTable { header, rows: self.categories.iter().enumerate().map(|(at, name)| row(at, name)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_every_value_once() {
        let values = [-0.031, -0.01, 0.0, 0.004, 0.011, 0.029, 0.05];
        let chart = BarChart::histogram("Return", &values, 8, Unit::Percent(1));
        let counted: f64 = chart.series[0].values.iter().flatten().sum();
        assert_eq!(counted, 7.0);
        assert_eq!(chart.categories.first().map(String::as_str), Some("−4\u{202f}%"));
    }

    #[test]
    fn stacked_bars_reach_their_sum_in_both_directions() {
        let series = |name: &str, values: [f64; 2]| BarSeries {
            name: name.to_owned(),
            values: values.into_iter().map(Some).collect(),
        };
        let chart = BarChart {
            category: "Year".to_owned(),
            categories: vec!["2023".to_owned(), "2024".to_owned()],
            series: vec![series("Short", [100.0, -50.0]), series("Long", [200.0, 70.0])],
            unit: Unit::Dollars(0),
            stacking: Stacking::Stacked,
        };
        let extremes = chart.extremes();
        assert!(extremes.contains(&300.0) && extremes.contains(&-50.0) && extremes.contains(&70.0));
        assert_eq!(chart.table().rows[1], ["2024", "−$50", "$70"]);
    }
}
