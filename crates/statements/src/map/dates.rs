//! Dates by a pattern that a person writes: `DD.MM.YYYY`, `YYYY-MM-DD`, `MMM D, YYYY`.

use lotwise_core::Date;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Four digits.
    Year,
    /// Two digits of this century.
    ShortYear,
    /// Exactly two digits, or one or two.
    Month {
        padded: bool,
    },
    Day {
        padded: bool,
    },
    /// At least three letters of an English name.
    MonthName,
    /// This character.
    Literal(char),
}

/// A pattern of `YYYY`, `YY`, `MMM`, `MM`, `M`, `DD`, `D` and the characters between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatePattern(Vec<Part>);

impl DatePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = pattern;
        const TOKENS: [(&str, Part); 7] = [
            ("YYYY", Part::Year),
            ("YY", Part::ShortYear),
            ("MMM", Part::MonthName),
            ("MM", Part::Month { padded: true }),
            ("M", Part::Month { padded: false }),
            ("DD", Part::Day { padded: true }),
            ("D", Part::Day { padded: false }),
        ];
        while let Some(next) = rest.chars().next() {
            match TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
                Some((token, part)) => {
                    parts.push(*part);
                    rest = &rest[token.len()..];
                }
                None if next.is_alphanumeric() => return Err("has other letters than Y, M and D"),
                None => {
                    parts.push(Part::Literal(next));
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        let count = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count();
        let years = count(|part| matches!(part, Part::Year | Part::ShortYear));
        let months = count(|part| matches!(part, Part::Month { .. } | Part::MonthName));
        let days = count(|part| matches!(part, Part::Day { .. }));
        if (years, months, days) == (1, 1, 1) { Ok(Self(parts)) } else { Err("needs one year, one month and one day") }
    }

    /// The date at the beginning of a text; a time of day may follow.
    pub(super) fn read(&self, text: &str) -> Option<Date> {
        let mut rest = text.trim();
        let (mut year, mut month, mut day) = (0, 0, 0);
        for part in &self.0 {
            let (least, most) = match part {
                Part::Year => (4, 4),
                Part::ShortYear => (2, 2),
                Part::Month { padded } | Part::Day { padded } => (if *padded { 2 } else { 1 }, 2),
                Part::MonthName => {
                    let end = rest.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(rest.len());
                    month = month_of(rest.get(..end)?)?;
                    rest = rest.get(end..)?.trim_start_matches('.');
                    continue;
                }
                Part::Literal(character) => {
                    rest = rest.strip_prefix(*character)?;
                    continue;
                }
            };
            let end = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            if end < least {
                return None;
            }
            let number: u32 = rest.get(..end)?.parse().ok()?;
            match part {
                Part::Year => year = number,
                Part::ShortYear => year = 2000 + number,
                Part::Month { .. } => month = number,
                _ => day = number,
            }
            rest = rest.get(end..)?;
        }
        let date = Date::from_ymd(i32::try_from(year).ok()?, month, day)?;
        (rest.is_empty() || rest.starts_with([' ', 'T', ',', ';'])).then_some(date)
    }
}

fn month_of(name: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    let at = NAMES
        .iter()
        .position(|known| name.len() >= 3 && (known.starts_with(&name) || name == "sept" && *known == "september"))?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_what_they_say() {
        for (pattern, text, expected) in [
            ("DD.MM.YYYY", "05.03.2024", Some("2024-03-05")),
            ("DD.MM.YYYY", "5.3.2024", None),
            ("D.M.YYYY", "5.3.2024 10:30", Some("2024-03-05")),
            ("MM/DD/YY", "03/05/24", Some("2024-03-05")),
            ("YYYYMMDD", "20240305;1030", Some("2024-03-05")),
            ("YYYY-MM-DD", "2024-03-05T10:30:00Z", Some("2024-03-05")),
            ("YYYY-MM-DD", "2024-03-055", None),
            ("MMM D, YYYY", "Sept 5, 2024", Some("2024-09-05")),
            ("YYYY-MM-DD", "2024-02-30", None),
            ("DD MMM YYYY", "05 Mär 2024", None),
        ] {
            let found = DatePattern::parse(pattern).unwrap().read(text).map(|date| date.to_string());
            assert_eq!(found.as_deref(), expected, "{pattern} {text}");
        }
        assert_eq!(DatePattern::parse("hh:mm"), Err("has other letters than Y, M and D"));
        assert_eq!(DatePattern::parse("YYYY-MM"), Err("needs one year, one month and one day"));
    }
}
