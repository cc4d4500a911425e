//! The holding test for qualified dividends (tax rule 5.4).

use lotwise_core::Date;

/// Which dividends the shares pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareClass {
    /// Common stock, funds, and preferred stock with dividends for periods up to 366 days.
    Common,
    /// Preferred stock with dividends for periods over 366 days.
    PreferredLongPeriod,
}

/// How the days were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QualifiedDividendTest {
    /// First and last day of the window.
    pub window: (Date, Date),
    /// Days held inside the window.
    pub days_inside: i32,
    /// Days held in all; `None` while the shares are held.
    pub days_total: Option<i32>,
    /// Whether the shares were held long enough inside the window.
    pub met: bool,
    /// Whether the shares were held when the ex-dividend date began.
    pub received: bool,
}

/// Counts the days that shares were held around an ex-dividend date: the purchase day is excluded,
/// the sale day included. Days with diminished risk (hedges) are not modelled.
#[must_use]
pub fn qualified_dividend_test(
    acquired: Date,
    sold: Option<Date>,
    ex_dividend: Date,
    class: ShareClass,
) -> QualifiedDividendTest {
    let (before, length, more_than) = match class {
        ShareClass::Common => (60, 121, 60),
        ShareClass::PreferredLongPeriod => (90, 181, 90),
    };
    let first = ex_dividend.plus_days(-before);
    let last = first.plus_days(length - 1);
    let from = acquired.plus_days(1).max(first);
    let to = sold.unwrap_or(last).min(last);
    let days_inside = (to.days_since(from) + 1).max(0);
    QualifiedDividendTest {
        window: (first, last),
        days_inside,
        days_total: sold.map(|sold| sold.days_since(acquired)),
        met: days_inside > more_than,
        received: acquired < ex_dividend && sold.is_none_or(|sold| sold >= ex_dividend),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn more_than_sixty_days_inside_the_window_qualify() {
        for (acquired, sold, inside, total, met) in [
            ("2024-07-05", Some("2024-08-08"), 34, Some(34), false),
            ("2024-07-11", Some("2024-09-13"), 61, Some(64), true),
            ("2024-07-11", Some("2024-09-09"), 60, Some(60), false),
            ("2023-01-03", Some("2024-07-15"), 64, Some(559), true),
            ("2024-07-01", None, 71, None, true),
        ] {
            let found = qualified_dividend_test(date(acquired), sold.map(date), date("2024-07-12"), ShareClass::Common);
            assert_eq!(found.window, (date("2024-05-13"), date("2024-09-10")));
            assert_eq!((found.days_inside, found.days_total, found.met), (inside, total, met), "{acquired}");
            assert!(found.received);
        }
    }

    #[test]
    fn preferred_stock_of_long_periods_needs_ninety_one_of_181_days() {
        let test = |sold| {
            qualified_dividend_test(
                date("2024-07-11"),
                Some(date(sold)),
                date("2024-07-12"),
                ShareClass::PreferredLongPeriod,
            )
        };
        assert_eq!(test("2024-10-09").days_inside, 90);
        assert!(!test("2024-10-09").met);
        assert!(test("2024-10-10").met);
    }

    #[test]
    fn shares_bought_on_the_ex_date_or_sold_before_it_get_no_dividend() {
        let received = |acquired, sold| {
            qualified_dividend_test(date(acquired), Some(date(sold)), date("2024-07-12"), ShareClass::Common).received
        };
        assert!(!received("2024-07-12", "2024-12-01"));
        assert!(!received("2024-07-01", "2024-07-11"));
        assert!(received("2024-07-01", "2024-07-12"));
    }
}
