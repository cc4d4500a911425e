//! How numbers are written: true minus, thousands apart, a fixed number of decimals.

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A fraction written in percent with this many decimals.
    Percent(u8),
    /// US dollars with this many decimals.
    Dollars(u8),
    /// A bare number with this many decimals.
    Number(u8),
}

impl Unit {
    /// The number as people read it, `−1,234.5 %`; a value that rounds to zero has no sign.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        let (scaled, decimals) = match self {
            Self::Percent(decimals) => (value * 100.0, decimals),
            Self::Dollars(decimals) | Self::Number(decimals) => (value, decimals),
        };
        if !scaled.is_finite() {
            return "n/a".to_owned();
        }
        let digits = format!("{:.*}", usize::from(decimals), scaled.abs());
        let zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let sign = if scaled < 0.0 && !zero { "−" } else { "" };
        let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        match self {
            // A narrow space keeps number and sign together.
            Self::Percent(_) => format!("{sign}{grouped}{rest}\u{202f}%"),
            Self::Dollars(_) => format!("{sign}${grouped}{rest}"),
            Self::Number(_) => format!("{sign}{grouped}{rest}"),
        }
    }

    /// As [`Unit::text`], with a plus in front of what is above zero.
    #[must_use]
    pub fn signed(self, value: f64) -> String {
        let text = self.text(value);
        let positive = value > 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        if positive { format!("+{text}") } else { text }
    }

    /// The same unit with just the decimals that tell ticks a step apart.
    pub(crate) fn for_step(self, step: f64) -> Self {
        let needed = |step: f64| -> u8 { (0..9).find(|&at| is_whole(step * 10_f64.powi(i32::from(at)))).unwrap_or(9) };
        match self {
            Self::Percent(_) => Self::Percent(needed(step * 100.0)),
            Self::Dollars(_) => Self::Dollars(if step < 1.0 { needed(step).max(2) } else { 0 }),
            Self::Number(_) => Self::Number(needed(step)),
        }
    }
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_true_minus_groups_and_no_signed_zero() {
        assert_eq!(Unit::Dollars(0).text(-1_234_567.4), "−$1,234,567");
        assert_eq!(Unit::Percent(2).text(0.123_45), "12.35\u{202f}%");
        assert_eq!(Unit::Percent(1).text(-0.0001), "0.0\u{202f}%");
        assert_eq!(Unit::Number(2).signed(999.0), "+999.00");
        assert_eq!(Unit::Number(0).signed(0.2), "0");
        assert_eq!(Unit::Number(0).text(f64::NAN), "n/a");
    }

    #[test]
    fn ticks_have_as_many_decimals_as_their_step_needs() {
        assert_eq!(Unit::Percent(2).for_step(0.05).text(0.15), "15\u{202f}%");
        assert_eq!(Unit::Percent(0).for_step(0.0025).text(0.0075), "0.75\u{202f}%");
        assert_eq!(Unit::Dollars(2).for_step(500.0).text(1500.0), "$1,500");
        assert_eq!(Unit::Dollars(0).for_step(0.5).text(1.5), "$1.50");
        assert_eq!(Unit::Number(0).for_step(0.2).text(0.4), "0.4");
    }
}
