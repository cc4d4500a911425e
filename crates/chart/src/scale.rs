//! From values to pixels, and where the ticks go.

use lotwise_core::Date;

/// A straight map from values to pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Maps `low..high` to `from..to`.
    pub fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        Self { low, high, from, to }
    }

    pub fn at(self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

/// Ends that are multiples of a round step and hold all values, and the ticks between them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticks {
    pub ends: (f64, f64),
    pub step: f64,
    pub values: Vec<f64>,
}

/// About `wanted` ticks at steps of 1, 2 or 5 times a power of ten around all finite values.
pub(crate) fn ticks(values: impl Iterator<Item = f64>, wanted: usize) -> Ticks {
    let (mut low, mut high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        (low, high) = (0.0, 1.0);
    }
    if high - low <= low.abs().max(high.abs()) * 1e-9 {
        // One value only: room on both sides.
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low, high) = (low - room, high + room);
    }
    let raw = (high - low) / wanted.max(1) as f64;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    // Products of whole numbers, so that zero is zero.
    let values: Vec<f64> = (0..=(last - first) as usize).map(|at| (first + at as f64) * step).collect();
    Ticks { ends: (first * step, last * step), step, values }
}

/// Ticks of a time axis: first days of years, quarters or months, as many as there is room for.
pub(crate) fn date_ticks(first: Date, last: Date, most: usize) -> Vec<(Date, String)> {
    const STEPS: [u32; 9] = [1, 2, 3, 6, 12, 24, 60, 120, 240];
    let month_of = |date: Date| date.year() as u32 * 12 + date.month() - 1;
    let (from, to) = (month_of(first), month_of(last));
    for step in STEPS {
        let months: Vec<u32> = (from..=to).filter(|month| month.is_multiple_of(step)).collect();
        if months.len() > most.max(1) {
            continue;
        }
        let ticks: Vec<(Date, String)> = months
            .into_iter()
            .filter_map(|month| Date::from_ymd((month / 12) as i32, month % 12 + 1, 1))
            .filter(|date| *date >= first && *date <= last)
            .map(|date| (date, if step >= 12 { date.year().to_string() } else { month_text(date) }))
            .collect();
        if ticks.len() >= 2 || step == 240 {
            return ticks;
        }
        break;
    }
    // Less than two months: the ends say it.
    let text = |date: Date| format!("{} {}", date.day(), month_text(date));
    if first == last { vec![(first, text(first))] } else { vec![(first, text(first)), (last, text(last))] }
}

/// `Mar 2024`.
fn month_text(date: Date) -> String {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    format!("{} {}", NAMES[(date.month() as usize - 1) % 12], date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let of = |values: &[f64]| ticks(values.iter().copied(), 5);
        assert_eq!(
            of(&[0.03, 0.97]).values,
            [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|value: f64| (value * 5.0).round() * 0.2)
        );
        assert_eq!(of(&[-120.0, 340.0]).ends, (-200.0, 400.0));
        assert!(of(&[-1.0, 2.0]).values.contains(&0.0));
        assert_eq!(of(&[]).ends, (0.0, 1.0));
        let flat = of(&[5.0, 5.0]);
        assert!(flat.ends.0 < 5.0 && flat.ends.1 > 5.0);
        assert_eq!(of(&[f64::NAN, 1.0, 2.0]).ends, of(&[1.0, 2.0]).ends);
    }

    #[test]
    fn time_axes_show_years_months_or_days() {
        let date = |text| Date::parse(text).unwrap();
        let texts = |first, last, most| -> Vec<String> {
            date_ticks(date(first), date(last), most).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(
            texts("2000-01-03", "2024-06-28", 6),
            ["2000", "2005", "2010", "2015", "2020"].map(str::to_owned)[1..]
        );
        assert_eq!(texts("2024-01-02", "2024-06-28", 8), ["Feb 2024", "Mar 2024", "Apr 2024", "May 2024", "Jun 2024"]);
        assert_eq!(texts("2024-01-02", "2024-01-20", 8), ["2 Jan 2024", "20 Jan 2024"]);
        assert_eq!(texts("2024-01-02", "2024-01-02", 8), ["2 Jan 2024"]);
    }
}
