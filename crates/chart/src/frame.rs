//! What charts with a value axis share: the plot's place, grid, ticks, and the mark.

use crate::scale::{Scale, Ticks};
use crate::svg::{Anchor, Canvas, text_width};
use crate::{Unit, Width};

/// The rectangle in which values are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plot {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Plot {
    /// A plot with room on the left for the labels of `ticks` and `right` pixels on the right.
    pub fn new(width: Width, ticks: &Ticks, unit: Unit, right: f64, (top, bottom): (f64, f64)) -> Self {
        let unit = unit.for_step(ticks.step);
        let widest = ticks.values.iter().map(|value| text_width(&unit.text(*value))).fold(0.0, f64::max);
        Self { left: widest + 10.0, right: width.pixels() - right, top, bottom }
    }

    /// Draws horizontal grid lines with their labels and returns the value scale.
    pub fn values(self, canvas: &mut Canvas, ticks: &Ticks, unit: Unit) -> Scale {
        let scale = Scale::new(ticks.ends, (self.bottom, self.top));
        let unit = unit.for_step(ticks.step);
        for value in &ticks.values {
            let y = scale.at(*value);
            let class = if *value == 0.0 { "axis" } else { "grid" };
            canvas.line(class, (self.left, y), (self.right, y));
            canvas.text("quiet", (self.left - 6.0, y + 4.0), Anchor::End, &unit.text(*value));
        }
        scale
    }

    /// Prints the mark at the head of the picture, which nothing else is drawn in.
    pub fn mark(self, canvas: &mut Canvas, mark: Option<&str>) {
        if let Some(mark) = mark {
            canvas.text("mark", (self.left, 13.0), Anchor::Start, mark);
        }
    }
}

/// Height of the head that the mark stands in.
pub(crate) fn head(mark: Option<&str>) -> f64 {
    if mark.is_some() { 18.0 } else { 0.0 }
}

/// Moves label positions apart so that none is nearer than `distance` to the next, staying within
/// the ends where there is room. Positions come back in the order given.
pub(crate) fn spread(wanted: &[f64], distance: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut placed = wanted.to_vec();
    let mut lowest = top;
    for &at in &order {
        placed[at] = placed[at].max(lowest);
        lowest = placed[at] + distance;
    }
    let mut highest = bottom;
    for &at in order.iter().rev() {
        placed[at] = placed[at].min(highest);
        highest = placed[at] - distance;
    }
    placed
}

/// Cuts a text to about this many pixels.
pub(crate) fn fit(text: &str, pixels: f64) -> String {
    if text_width(text) <= pixels {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        if text_width(&cut) + 14.0 > pixels {
            break;
        }
        cut.push(character);
    }
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart_and_stay_inside() {
        let placed = spread(&[10.0, 12.0, 90.0], 14.0, (0.0, 100.0));
        assert_eq!(placed, [10.0, 24.0, 90.0]);
        assert_eq!(spread(&[99.0, 98.0], 14.0, (0.0, 100.0)), [100.0, 86.0]);
        assert_eq!(fit("Equal weight", 200.0), "Equal weight");
        assert!(fit("Equal weight, rebalanced daily", 60.0).ends_with('…'));
    }
}
