//! Options in brokers' words: `AAPL 01/19/2024 190.00 C`, `PUT (TSLA) TESLA INC JUN 18 21 $600 (100 SHS)`,
//! `-TSLA210618P600`, `TSLA Dec 15 '28 $400 Call`.

use lotwise_core::{Date, OptionContract, OptionRight, Price, Symbol};

use crate::cell::{self, DateStyle};

/// Words looked at; a description of an option names its terms among the first.
const MOST_WORDS: usize = 40;
/// The highest strike that is believed.
const HIGHEST_STRIKE: Price = Price::from_whole(1_000_000);

/// The terms of the option that a text names completely: underlying, expiry, right and strike.
///
/// `None` where one of them is missing or stands there twice in different ways.
pub(crate) fn named_in(text: &str) -> Option<OptionContract> {
    one_word(text).or_else(|| words(text))
}

/// The symbol of the Options Clearing Corporation, padded by blanks or dashes or not, and the short forms of it with
/// the strike in dollars (`-TSLA210618P600`, `.AAPL240119C192.5`).
fn one_word(text: &str) -> Option<OptionContract> {
    let text = text.trim().trim_start_matches(['-', '.', ' ']);
    if !text.is_ascii() || text.len() > 32 {
        return None;
    }
    let root_end = text.find(|first: char| !first.is_ascii_alphabetic())?;
    let (root, rest) = text.split_at(root_end);
    let rest = rest.trim_start_matches([' ', '-', '_']);
    let (date, rest) = rest.split_at_checked(6)?;
    if root.is_empty() || root.len() > 6 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (right, strike) = rest.split_at_checked(1)?;
    let right = right_of(right)?;
    let decimal = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if strike.is_empty() || !strike.bytes().all(decimal) {
        return None;
    }
    let price = Price::parse(strike).ok()?;
    let strike = match strike.len() == 8 && !strike.contains('.') {
        true => Price::from_billionths(price.billionths() / 1000),
        false => price,
    };
    let expiry = cell::date(&format!("20{date}"), &[DateStyle::Compact])?;
    contract(Symbol::parse(root).ok()?, expiry, right, strike, 100)
}

/// Terms as words in any order.
fn words(text: &str) -> Option<OptionContract> {
    let words: Vec<&str> = text.split_whitespace().take(MOST_WORDS).collect();
    let mut right = None;
    let mut expiry = None;
    let mut strike = None;
    let mut underlying: Option<Symbol> = None;
    let mut bracketed = false;
    let mut multiplier = 100;
    let mut at = 0;
    while let Some(word) = words.get(at).copied() {
        at += 1;
        if let Some(found) = right_of(word) {
            if right.is_some_and(|known| known != found) {
                return None;
            }
            right = Some(found);
        } else if let Some((found, used)) = date_at(&words[at - 1..]) {
            if expiry.is_some_and(|known| known != found) {
                return None;
            }
            expiry = Some(found);
            at += used - 1;
        } else if let Some(inside) = word.strip_prefix('(') {
            let next = words.get(at).map_or("", |next| next.trim_end_matches(')'));
            if next.eq_ignore_ascii_case("shs") || next.eq_ignore_ascii_case("shares") {
                multiplier = inside.parse().ok().filter(|shares| (1..=10_000).contains(shares))?;
                at += 1;
            } else if !bracketed && let Some(symbol) = inside.strip_suffix(')').and_then(ticker) {
                (underlying, bracketed) = (Some(symbol), true);
            }
        } else if let Some(dollars) = word.strip_prefix('$') {
            strike = Some(Price::parse(&dollars.replace(',', "")).ok()?);
        } else if word.starts_with(|first: char| first.is_ascii_digit()) {
            // A number without a sign is the strike only where no other says so.
            let plain = Price::parse(&word.replace(',', "")).ok().filter(|price| price.is_positive());
            strike = strike.or(plain);
        } else if underlying.is_none() {
            underlying = ticker(word);
        }
    }
    contract(underlying?, expiry?, right?, strike?, multiplier)
}

fn contract(
    underlying: Symbol,
    expiry: Date,
    right: OptionRight,
    strike: Price,
    multiplier: u32,
) -> Option<OptionContract> {
    let believable = strike.is_positive() && strike <= HIGHEST_STRIKE;
    believable.then_some(OptionContract { underlying, expiry, right, strike, multiplier })
}

fn right_of(word: &str) -> Option<OptionRight> {
    match word {
        "C" | "c" | "CALL" | "Call" | "call" | "CALLS" | "Calls" => Some(OptionRight::Call),
        "P" | "p" | "PUT" | "Put" | "put" | "PUTS" | "Puts" => Some(OptionRight::Put),
        _ => None,
    }
}

/// Capital letters as a ticker has them, class shares included.
fn ticker(word: &str) -> Option<Symbol> {
    let shaped = (1..=7).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'/'))
        && word.starts_with(|first: char| first.is_ascii_uppercase());
    shaped.then(|| Symbol::parse(word).ok()).flatten()
}

/// The date that begins here, and how many words it takes: `01/19/24`, `19JAN24`, `2024-01-19`, `JAN 19 24`,
/// `Jan 19, 2024`, `Dec 15 '28`, `19 JAN 24`.
fn date_at(words: &[&str]) -> Option<(Date, usize)> {
    let word = words.first()?;
    if word.contains('/') || word.matches('-').count() == 2 {
        return cell::date(word, &[DateStyle::MonthDayYear, DateStyle::Iso, DateStyle::MonthName])
            .map(|date| (date, 1));
    }
    let month_of = |word: &str| {
        const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let short = word.len() == 3 || word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let name = word.get(..3).filter(|_| short)?;
        let place = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        u32::try_from(place + 1).ok()
    };
    let number = |word: &str, longest: usize| {
        let digits = word.trim_end_matches(',').trim_start_matches('\'');
        let all = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let year_of = |word: &str| match word.trim_start_matches('\'').trim_end_matches(',').len() {
        2 => number(word, 2).map(|year| 2000 + year),
        4 => number(word, 4),
        _ => None,
    };
    let made = |year: u32, month: u32, day: u32| Date::from_ymd(i32::try_from(year).ok()?, month, day);
    if word.is_ascii() && matches!(word.len(), 6 | 7 | 9) && word.starts_with(|first: char| first.is_ascii_digit()) {
        // 19JAN24, 5JAN24, 19JAN2024.
        let letters = word.find(|character: char| character.is_ascii_alphabetic())?;
        let (day, rest) = word.split_at(letters);
        let (month, year) = rest.split_at_checked(3)?;
        return made(year_of(year)?, month_of(month)?, number(day, 2)?).map(|date| (date, 1));
    }
    let (second, third) = (words.get(1)?, words.get(2)?);
    if let Some(month) = month_of(word) {
        return made(year_of(third)?, month, number(second, 2)?).map(|date| (date, 3));
    }
    made(year_of(third)?, month_of(second)?, number(word, 2)?).map(|date| (date, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_every_brokers_words() {
        let cases = [
            ("AAPL  240119C00190000", "AAPL240119C00190000"),
            ("TSLA--281215C00500000", "TSLA281215C00500000"),
            ("-TSLA210618P600", "TSLA210618P00600000"),
            ("-F240119C12.5", "F240119C00012500"),
            (".AAPL240119C192.5", "AAPL240119C00192500"),
            ("AAPL 01/19/2024 190.00 C", "AAPL240119C00190000"),
            ("BRK/B 01/19/2024 350.00 P", "BRKB240119P00350000"),
            ("ACRN 1/17/2025 Call $150.00", "ACRN250117C00150000"),
            ("Option Expiration for ACRN 1/17/2025 Call $150.00", "ACRN250117C00150000"),
            ("YOU BOUGHT PUT (TSLA) TESLA MOTORS JUN 18 21 $600 (100 SHS)", "TSLA210618P00600000"),
            ("CALL (C) CITIGROUP INC COM JAN 19 24 $50 (100 SHS) OPENING TRANSACTION", "C240119C00050000"),
            ("PUT  IWM    02/27/26   260.000", "IWM260227P00260000"),
            ("TSLA Dec 15 '28 $400 Call", "TSLA281215C00400000"),
            ("ACRN 19JAN25 150 C", "ACRN250119C00150000"),
            ("AAPL 19JAN2024 192.5 P", "AAPL240119P00192500"),
        ];
        for (text, expected) in cases {
            let found = named_in(text).and_then(|contract| contract.symbol());
            assert_eq!(found.as_ref().map(Symbol::as_str), Some(expected), "{text}");
        }
        assert_eq!(named_in("CALL (AAPL) APPLE JAN 19 24 $190 (10 SHS)").unwrap().multiplier, 10);
    }

    #[test]
    fn texts_that_do_not_name_every_term_are_no_options() {
        let cases = [
            "",
            "AAPL",
            "APPLE INC",
            "CALL AAPL",
            "AAPL 190 C",
            "AAPL 02/30/2024 190 C",
            "PUT CALL AAPL 01/19/2024 190",
            "AAPL 01/19/2024 01/20/2024 190 C",
            "AAPL240119C",
            "240119C00190000",
            "AAPL 01/19/2024 -5 C",
            "é240119C00190000",
        ];
        for text in cases {
            assert_eq!(named_in(text), None, "{text}");
        }
    }
}
