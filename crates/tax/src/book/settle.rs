//! When a trade settles.

use std::sync::OnceLock;

use lotwise_core::{Calendar, Date};

/// The day on which a trade of `traded` settles: one session later from 2024-05-28, two from
/// 2017-09-05, three before; an option one session later at all times (17 CFR 240.15c6-1).
///
/// Outside the exchange calendar (1990 to 2035) only weekends are left out.
#[must_use]
pub fn settlement_date(traded: Date, option: bool) -> Date {
    static CALENDAR: OnceLock<Calendar> = OnceLock::new();
    let from = |year, month, day| Date::from_ymd(year, month, day).is_some_and(|from| traded >= from);
    let sessions = if option || from(2024, 5, 28) {
        1
    } else if from(2017, 9, 5) {
        2
    } else {
        3
    };
    let calendar = CALENDAR.get_or_init(Calendar::new_york);
    if traded.year() >= Calendar::FIRST_YEAR
        && let Some(settled) = calendar.shift(traded, sessions)
    {
        return settled;
    }
    let (mut day, mut left) = (traded, sessions);
    while left > 0 && day < Date::MAX {
        day = day.plus_days(1);
        if !is_weekend(day) {
            left -= 1;
        }
    }
    day
}

/// Saturdays and Sundays: 1970-01-01 was a Thursday.
fn is_weekend(date: Date) -> bool {
    matches!((date.days() + 4).rem_euclid(7), 0 | 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlement_became_shorter_twice() {
        let settled = |text: &str| settlement_date(Date::parse(text).unwrap(), false).to_string();
        assert_eq!(settled("2017-09-01"), "2017-09-07");
        assert_eq!(settled("2017-09-05"), "2017-09-07");
        assert_eq!(settled("2024-05-24"), "2024-05-29");
        assert_eq!(settled("2024-05-28"), "2024-05-29");
        assert_eq!(settled("2024-12-24"), "2024-12-26");
        assert_eq!(settled("1969-12-22"), "1969-12-25");
        assert_eq!(settlement_date(Date::parse("2016-01-08").unwrap(), true).to_string(), "2016-01-11");
        assert_eq!(settlement_date(Date::MAX, false), Date::MAX);
    }
}
