//! Fixed-point decimals: text in, integers of a billionth inside, text out.

/// Decimal places kept by every exact quantity.
pub(crate) const DECIMALS: u32 = 9;
/// One whole unit in billionths.
pub(crate) const UNIT: i128 = 1_000_000_000;
/// Largest magnitude accepted from text, in whole units (a thousand million million).
const LARGEST_WHOLE: i128 = 1_000_000_000_000_000;

/// Why a text is not a decimal that we can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is empty or blank.
    #[error("a number is missing")]
    Empty,
    /// The text is not a plain or scientific decimal.
    #[error("{0:?} is not a decimal number")]
    NotANumber(String),
    /// The text has more than nine decimal places that matter.
    #[error("{0:?} has more than 9 decimal places")]
    TooPrecise(String),
    /// The magnitude is beyond what any portfolio needs.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

/// What to do with digits beyond the last one kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Ties go to the even neighbour; used when a product or share is formed.
    HalfEven,
    /// Ties go away from zero; used when a figure leaves for a report (tax rule 0.1).
    HalfAwayFromZero,
}

/// Computes `a * b / c` without losing the product's high bits, rounding once.
///
/// Returns `None` when `c` is zero or the quotient does not fit.
#[must_use]
#[inline]
pub fn mul_div(a: i128, b: i128, c: i128, rounding: Rounding) -> Option<i128> {
    // Nearly all figures fit 64 bits. Their product takes one instruction, and its quotient one
    // division of the processor where 64 bits hold the product too.
    if let (Ok(a), Ok(b), Ok(c)) = (i64::try_from(a), i64::try_from(b), u64::try_from(c))
        && c != 0
    {
        let product = i128::from(a) * i128::from(b);
        if product.unsigned_abs() > u128::from(u64::MAX)
            && let (Some(b), Some(c)) = (whole_units(b.unsigned_abs()), whole_units(c))
        {
            // Whole shares of whole shares: the same quotient of smaller numbers.
            let magnitude = u128::from(a.unsigned_abs()) * u128::from(b);
            return Some(div_narrow(magnitude, product < 0, c, rounding));
        }
        return Some(div_narrow(product.unsigned_abs(), product < 0, c, rounding));
    }
    mul_div_wide(a, b, c, rounding)
}

/// So many billionths in whole units, when they are.
#[inline]
fn whole_units(billionths: u64) -> Option<u64> {
    const ONE: u64 = UNIT as u64;
    billionths.is_multiple_of(ONE).then_some(billionths / ONE)
}

/// `magnitude / c` with rounding and a sign; the magnitude is a product of two numbers of 64 bits.
#[inline]
fn div_narrow(magnitude: u128, negative: bool, c: u64, rounding: Rounding) -> i128 {
    let (quotient, remainder) = match u64::try_from(magnitude) {
        Ok(small) => (u128::from(small / c), small % c),
        Err(_) => {
            let quotient = magnitude / u128::from(c);
            // The remainder is below the divisor, so that its low half is all of it.
            (quotient, (magnitude as u64).wrapping_sub((quotient as u64).wrapping_mul(c)))
        }
    };
    let up = remainder != 0
        && match remainder.cmp(&(c - remainder)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => rounding == Rounding::HalfAwayFromZero || quotient & 1 == 1,
        };
    // Both factors have 63 bits, so that there is room for one more.
    let rounded = quotient as i128 + i128::from(up);
    if negative { -rounded } else { rounded }
}

fn mul_div_wide(a: i128, b: i128, c: i128, rounding: Rounding) -> Option<i128> {
    if c == 0 {
        return None;
    }
    if let Some(product) = a.checked_mul(b) {
        return div_round(product, c, rounding);
    }
    let negative = (a < 0) ^ (b < 0) ^ (c < 0);
    let (high, low) = wide_mul(a.unsigned_abs(), b.unsigned_abs());
    let divisor = c.unsigned_abs();
    let (quotient, remainder) = wide_div(high, low, divisor)?;
    let up = round_up(quotient & 1 == 1, remainder, divisor, rounding);
    let magnitude = i128::try_from(quotient.checked_add(u128::from(up))?).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Divides with rounding; `None` when the divisor is zero or the quotient overflows.
pub(crate) fn div_round(numerator: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    let quotient = match (i64::try_from(numerator), i64::try_from(divisor)) {
        (Ok(small), Ok(by)) => i128::from(small.checked_div(by)?),
        _ => numerator.checked_div(divisor)?,
    };
    let remainder = numerator - quotient * divisor;
    if remainder == 0 {
        return Some(quotient);
    }
    let up = round_up(quotient & 1 == 1, remainder.unsigned_abs(), divisor.unsigned_abs(), rounding);
    let step = if (numerator < 0) ^ (divisor < 0) { -1 } else { 1 };
    if up { quotient.checked_add(step) } else { Some(quotient) }
}

fn round_up(odd: bool, remainder: u128, divisor: u128, rounding: Rounding) -> bool {
    // remainder < divisor, so `divisor - remainder` cannot underflow.
    match remainder.cmp(&(divisor - remainder)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => match rounding {
            Rounding::HalfEven => odd,
            Rounding::HalfAwayFromZero => true,
        },
    }
}

fn wide_mul(a: u128, b: u128) -> (u128, u128) {
    const MASK: u128 = u64::MAX as u128;
    let (a1, a0) = (a >> 64, a & MASK);
    let (b1, b0) = (b >> 64, b & MASK);
    let low = a0 * b0;
    let mid1 = a1 * b0 + (low >> 64);
    let mid2 = a0 * b1 + (mid1 & MASK);
    let high = a1 * b1 + (mid1 >> 64) + (mid2 >> 64);
    (high, (mid2 << 64) | (low & MASK))
}

fn wide_div(high: u128, low: u128, divisor: u128) -> Option<(u128, u128)> {
    if high >= divisor {
        return None;
    }
    let (mut remainder, mut quotient) = (high, 0_u128);
    for bit in (0..128).rev() {
        let carry = remainder >> 127;
        remainder = (remainder << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carry == 1 || remainder >= divisor {
            remainder = remainder.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    Some((quotient, remainder))
}

/// Reads `[+-]digits[.digits][e[+-]digits]` into billionths.
///
/// With `rounding` the digits past the ninth place are rounded, without it they are an error.
pub(crate) fn parse(text: &str, rounding: Option<Rounding>) -> Result<i128, DecimalError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(DecimalError::Empty);
    }
    let bad = || DecimalError::NotANumber(clip(trimmed));
    let (mantissa, exponent) = match trimmed.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
        None => (trimmed, 0),
    };
    let (negative, digits) = match mantissa.as_bytes().first() {
        Some(b'-') => (true, &mantissa[1..]),
        Some(b'+') => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(bad());
    }
    if exponent.abs() > 40 || whole.len() + fraction.len() > 60 {
        return Err(DecimalError::TooLarge(clip(trimmed)));
    }
    // Position of the decimal point after the exponent, counted from the first digit.
    let point = i32::try_from(whole.len()).map_err(|_| bad())? + exponent;
    let last_kept = point + DECIMALS as i32;
    let (mut value, mut beyond, mut dropped_any) = (0_i128, 0_u8, false);
    for (position, byte) in (0_i32..).zip(whole.bytes().chain(fraction.bytes())) {
        let digit = byte - b'0';
        if position < last_kept {
            value = value * 10 + i128::from(digit);
            if value > LARGEST_WHOLE * UNIT {
                return Err(DecimalError::TooLarge(clip(trimmed)));
            }
        } else if position == last_kept {
            beyond = digit;
        } else if digit != 0 {
            dropped_any = true;
        }
    }
    let written = i32::try_from(whole.len() + fraction.len()).map_err(|_| bad())?;
    for _ in written..last_kept {
        value *= 10;
        if value > LARGEST_WHOLE * UNIT {
            return Err(DecimalError::TooLarge(clip(trimmed)));
        }
    }
    if beyond != 0 || dropped_any {
        let Some(rounding) = rounding else {
            return Err(DecimalError::TooPrecise(clip(trimmed)));
        };
        let up = match (beyond.cmp(&5), dropped_any) {
            (std::cmp::Ordering::Greater, _) | (std::cmp::Ordering::Equal, true) => true,
            (std::cmp::Ordering::Less, _) => false,
            (std::cmp::Ordering::Equal, false) => match rounding {
                Rounding::HalfEven => value & 1 == 1,
                Rounding::HalfAwayFromZero => true,
            },
        };
        value += i128::from(up);
    }
    Ok(if negative { -value } else { value })
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Writes billionths as the shortest exact decimal, keeping at least `min_decimals` places.
pub(crate) fn format(value: i128, min_decimals: usize) -> String {
    let magnitude = value.unsigned_abs();
    let unit = UNIT.unsigned_abs();
    let mut fraction = format!("{:09}", magnitude % unit);
    while fraction.len() > min_decimals && fraction.ends_with('0') {
        fraction.pop();
    }
    let sign = if value < 0 { "-" } else { "" };
    let whole = magnitude / unit;
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_survive_the_round_trip() {
        for text in ["0", "1", "-1", "0.5", "-0.000000001", "123456789.123456789", "1000000"] {
            assert_eq!(format(parse(text, None).unwrap(), 0), text);
        }
        assert_eq!(format(parse("+0000000000100.00000", None).unwrap(), 2), "100.00");
        assert_eq!(parse("1e3", None), Ok(1_000 * UNIT));
        assert_eq!(parse("-2.637591265E-4", Some(Rounding::HalfEven)), Ok(-263_759));
        assert_eq!(parse("-2.637591265E-4", None), Err(DecimalError::TooPrecise("-2.637591265E-4".into())));
        assert_eq!(parse(".5", None), Ok(UNIT / 2));
        assert_eq!(parse("5.", None), Ok(5 * UNIT));
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for text in ["NaN", "inf", "1,000", "--1", "1.2.3", "0x10", ".", "-", "e5", "1e", "١"] {
            assert!(matches!(parse(text, None), Err(DecimalError::NotANumber(_))), "{text}");
        }
        assert_eq!(parse("  ", None), Err(DecimalError::Empty));
        for text in ["1e30", "9999999999999999", "1e-99"] {
            assert!(matches!(parse(text, None), Err(DecimalError::TooLarge(_))), "{text}");
        }
    }

    #[test]
    fn ties_round_as_asked() {
        assert_eq!(div_round(5, 2, Rounding::HalfEven), Some(2));
        assert_eq!(div_round(-5, 2, Rounding::HalfEven), Some(-2));
        assert_eq!(div_round(5, 2, Rounding::HalfAwayFromZero), Some(3));
        assert_eq!(div_round(-5, 2, Rounding::HalfAwayFromZero), Some(-3));
        assert_eq!(div_round(1, 0, Rounding::HalfEven), None);
    }

    proptest! {
        #[test]
        fn wide_products_agree_with_exact_division(
            a in prop_oneof![any::<i64>(), -99_i64..99],
            b in prop_oneof![any::<i64>(), -99_i64..99, (-9_000_000_000_i64..9_000_000_000).prop_map(|whole| whole * UNIT as i64)],
            c in prop_oneof![1_i64.., 1_i64..9, (1_i64..99).prop_map(|whole| whole * UNIT as i64)],
        ) {
            let product = i128::from(a) * i128::from(b);
            let expected = div_round(product, i128::from(c), Rounding::HalfEven);
            prop_assert_eq!(mul_div(a.into(), b.into(), c.into(), Rounding::HalfEven), expected);
            let away = mul_div(a.into(), b.into(), c.into(), Rounding::HalfAwayFromZero);
            prop_assert_eq!(away, div_round(product, i128::from(c), Rounding::HalfAwayFromZero));
            // Scaling numerator and denominator alike forces the 256-bit path and changes nothing.
            let scale = 1_i128 << 62;
            let scaled = mul_div(i128::from(a) * scale, i128::from(b), i128::from(c) * scale, Rounding::HalfEven);
            prop_assert_eq!(scaled, expected);
        }

        #[test]
        fn text_round_trips(value in -(1_i128 << 79)..(1_i128 << 79)) {
            prop_assert_eq!(parse(&format(value, 0), None), Ok(value));
        }
    }
}
