//! Series over time.

use lotwise_core::Date;

use crate::frame::{Plot, fit, head, spread};
use crate::scale::{Scale, date_ticks, ticks};
use crate::svg::{Anchor, Canvas, text_width};
use crate::theme::MOST_SERIES;
use crate::{Chart, DataTable, Unit, Width};

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name, written at its end.
    pub name: String,
    /// A value for every date, `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// A range around it.
    pub band: Option<Band>,
}

/// A range around a line, a value for every date.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Lower end.
    pub low: Vec<Option<f64>>,
    /// Upper end.
    pub high: Vec<Option<f64>>,
}

/// A horizontal line at a value that matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// What it is.
    pub name: String,
    /// Where it is.
    pub value: f64,
}

/// A strip below the plot for values of zero or less, for instance the distance from the last peak.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// What it shows.
    pub name: String,
    /// A value of zero or less for every date.
    pub values: Vec<Option<f64>>,
    /// How its values are written.
    pub unit: Unit,
}

/// Lines over time, at most six.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// The dates, rising.
    pub dates: Vec<Date>,
    /// The lines; those after the sixth are in the table only.
    pub series: Vec<Series>,
    /// How values are written.
    pub unit: Unit,
    /// A level to compare with.
    pub level: Option<Level>,
    /// A strip below.
    pub strip: Option<Strip>,
}

const HEIGHT: f64 = 280.0;
const STRIP_HEIGHT: f64 = 70.0;
/// Room for the labels of dates.
const FOOT: f64 = 24.0;
const TOP: f64 = 12.0;
const LABEL_HEIGHT: f64 = 15.0;

impl Chart for LineChart {
    fn draw(&self, width: Width, mark: Option<&str>) -> String {
        let strip_height = if self.strip.is_some() { STRIP_HEIGHT } else { 0.0 };
        let head = head(mark);
        let mut canvas = Canvas::new(width.pixels(), head + HEIGHT + strip_height);
        let shown = &self.series[..self.series.len().min(MOST_SERIES)];
        let with_band = |series: &Series| {
            let band = series.band.iter().flat_map(|band| band.low.iter().chain(&band.high));
            series.values.iter().chain(band).flatten().copied().collect::<Vec<f64>>()
        };
        let level = self.level.iter().map(|level| level.value);
        // Counts begin at zero: an axis of parts of one says nothing of them.
        let count = (self.unit == Unit::Number(0)).then_some(0.0);
        let ticks = ticks(shown.iter().flat_map(with_band).chain(level).chain(count), 5);
        let all = shown.iter().map(|series| &series.name).chain(self.level.iter().map(|level| &level.name));
        let names = all.map(|name| text_width(name)).fold(0.0, f64::max);
        let room = (names + 12.0).min(width.pixels() * 0.33);
        let bottom = head + HEIGHT - FOOT;
        let mut plot = Plot::new(width, &ticks, self.unit, room, (head + TOP, bottom));
        if let Some(strip) = &self.strip {
            plot.left = plot.left.max(text_width(&strip.unit.text(strip.lowest())) + 10.0);
        }
        let y = plot.values(&mut canvas, &ticks, self.unit);
        let Some(x) = self.time_axis(&mut canvas, plot, bottom + strip_height) else { return canvas.finish() };
        for (at, series) in shown.iter().enumerate() {
            if let Some(band) = &series.band {
                draw_band(&mut canvas, &format!("band f{at}"), &self.dates, band, x, y);
            }
        }
        for (at, series) in shown.iter().enumerate() {
            let points = thinned(&self.dates, &series.values, x, y);
            canvas.path(&format!("line s{at}"), points.into_iter());
        }
        if let Some(level) = &self.level {
            let at = y.at(level.value);
            canvas.line("level", (plot.left, at), (plot.right, at));
        }
        self.names(&mut canvas, shown, plot, y, room);
        if let Some(strip) = &self.strip {
            self.strip(&mut canvas, strip, plot, x);
        }
        plot.mark(&mut canvas, mark);
        canvas.finish()
    }

    fn table(&self) -> DataTable {
        let mut header = vec!["Date".to_owned()];
        for series in &self.series {
            header.push(series.name.clone());
            if series.band.is_some() {
                header.push(format!("{}, low", series.name));
                header.push(format!("{}, high", series.name));
            }
        }
        header.extend(self.strip.iter().map(|strip| strip.name.clone()));
        let cell = |values: &[Option<f64>], at: usize, unit: Unit| {
            values.get(at).copied().flatten().map_or_else(|| "not available".to_owned(), |value| unit.text(value))
        };
        let row = |at: usize, date: &Date| {
            let mut row = vec![date.to_string()];
            for series in &self.series {
                row.push(cell(&series.values, at, self.unit));
                if let Some(band) = &series.band {
                    row.push(cell(&band.low, at, self.unit));
                    row.push(cell(&band.high, at, self.unit));
                }
            }
            row.extend(self.strip.iter().map(|strip| cell(&strip.values, at, strip.unit)));
            row
        };
        DataTable { header, rows: self.dates.iter().enumerate().map(|(at, date)| row(at, date)).collect() }
    }
}

impl Strip {
    fn lowest(&self) -> f64 {
        self.values.iter().flatten().copied().filter(|value| value.is_finite()).fold(0.0, f64::min)
    }
}

impl LineChart {
    /// Draws the ticks of time and returns the scale; `None` without dates.
    fn time_axis(&self, canvas: &mut Canvas, plot: Plot, foot: f64) -> Option<Scale> {
        let (&first, &last) = (self.dates.first()?, self.dates.last()?);
        let ends = (f64::from(first.days()), f64::from(last.days().max(first.days() + 1)));
        let x = Scale::new(ends, (plot.left, plot.right));
        let most = ((plot.right - plot.left) / 75.0) as usize;
        for (date, text) in date_ticks(first, last, most) {
            let at = x.at(f64::from(date.days()));
            let half = text_width(&text) / 2.0;
            canvas.line("grid", (at, foot), (at, foot + 4.0));
            let middle = at.clamp(half, plot.right.max(half));
            canvas.text("quiet", (middle, foot + 17.0), Anchor::Middle, &text);
        }
        Some(x)
    }

    /// Writes each line's name at its end, and the level's at its own.
    fn names(&self, canvas: &mut Canvas, shown: &[Series], plot: Plot, y: Scale, room: f64) {
        let end = |(at, series): (usize, &Series)| {
            let last = series.values.iter().rev().find_map(|value| *value)?;
            Some((format!("f{at}"), fit(&series.name, room - 8.0), y.at(last)))
        };
        let mut ends: Vec<(String, String, f64)> = shown.iter().enumerate().filter_map(end).collect();
        ends.extend(
            self.level.iter().map(|level| ("quiet".to_owned(), fit(&level.name, room - 8.0), y.at(level.value))),
        );
        let wanted: Vec<f64> = ends.iter().map(|(.., height)| *height).collect();
        let placed = spread(&wanted, LABEL_HEIGHT, (plot.top + 6.0, plot.bottom));
        for ((class, name, _), height) in ends.into_iter().zip(placed) {
            canvas.text(&class, (plot.right + 6.0, height + 4.0), Anchor::Start, &name);
        }
    }

    fn strip(&self, canvas: &mut Canvas, strip: &Strip, plot: Plot, x: Scale) {
        let (top, bottom) = (plot.bottom + 18.0, plot.bottom + STRIP_HEIGHT - 4.0);
        let lowest = strip.lowest();
        let y = Scale::new((0.0, if lowest < 0.0 { lowest } else { -1.0 }), (top, bottom));
        canvas.line("axis", (plot.left, top), (plot.right, top));
        canvas.text("quiet", (plot.left, top - 4.0), Anchor::Start, &strip.name);
        let points = thinned(&self.dates, &strip.values, x, y);
        for run in points.split(Option::is_none) {
            let mut run: Vec<(f64, f64)> = run.iter().flatten().copied().collect();
            if let (Some(first), Some(last)) = (run.first().copied(), run.last().copied()) {
                run.push((last.0, top));
                run.push((first.0, top));
                canvas.area("under", &run);
            }
        }
        if lowest < 0.0 {
            canvas.text("quiet", (plot.left - 6.0, bottom + 4.0), Anchor::End, &strip.unit.text(lowest));
        }
    }
}

fn draw_band(canvas: &mut Canvas, class: &str, dates: &[Date], band: &Band, x: Scale, y: Scale) {
    let (low, high) = (thinned(dates, &band.low, x, y), thinned(dates, &band.high, x, y));
    let mut outline: Vec<(f64, f64)> = high.into_iter().flatten().collect();
    outline.extend(low.into_iter().flatten().rev());
    canvas.area(class, &outline);
}

/// The points of a line, of which each half pixel keeps the first, lowest, highest and last value:
/// decades of days draw the same picture as all of them would, in a fraction of the text.
fn thinned(dates: &[Date], values: &[Option<f64>], x: Scale, y: Scale) -> Vec<Option<(f64, f64)>> {
    let mut kept: Vec<Option<(f64, f64)>> = Vec::new();
    let mut cell: Vec<(f64, f64)> = Vec::new();
    let mut column = i64::MIN;
    let flush = |cell: &mut Vec<(f64, f64)>, kept: &mut Vec<Option<(f64, f64)>>| {
        let extreme = |least: bool| {
            let sign = if least { 1.0 } else { -1.0 };
            (0..cell.len()).min_by(|&a, &b| (sign * cell[a].1).total_cmp(&(sign * cell[b].1)))
        };
        let mut wanted: Vec<usize> = [Some(0), extreme(true), extreme(false), cell.len().checked_sub(1)]
            .into_iter()
            .flatten()
            .filter(|&at| at < cell.len())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        kept.extend(wanted.into_iter().map(|at| Some(cell[at])));
        cell.clear();
    };
    for (date, value) in dates.iter().zip(values) {
        let at = x.at(f64::from(date.days()));
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                let here = (at * 2.0) as i64;
                if here != column {
                    flush(&mut cell, &mut kept);
                    column = here;
                }
                cell.push((at, y.at(value)));
            }
            None => {
                flush(&mut cell, &mut kept);
                kept.push(None);
                column = i64::MIN;
            }
        }
    }
    flush(&mut cell, &mut kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_peak_and_gap() {
        let first = Date::parse("2000-01-03").unwrap();
        let dates: Vec<Date> = (0..9000).map(|day| first.plus_days(day)).collect();
        let mut values: Vec<Option<f64>> = (0..9000).map(|day| Some(f64::from(day % 10))).collect();
        values[4321] = Some(99.0);
        values[7000] = None;
        let x = Scale::new((f64::from(first.days()), f64::from(first.days() + 8999)), (0.0, 800.0));
        let points = thinned(&dates, &values, x, Scale::new((0.0, 1.0), (0.0, 1.0)));
        assert!(points.len() < 6500, "{}", points.len());
        assert!(points.iter().flatten().any(|point| point.1 == 99.0));
        assert_eq!(points.iter().filter(|point| point.is_none()).count(), 1);
        assert_eq!(points.first().copied().flatten().map(|point| point.1), Some(0.0));
    }
}
