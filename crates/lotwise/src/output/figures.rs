//! Amounts as text. Everything that `--privacy` hides passes through [`Figures`], and the JSON of
//! a command can hold an amount only as a [`Figure`], so that none is forgotten.

use lotwise_core::{Money, Price, Rate, Rounding, Shares};
use serde::Serialize;
use serde_json::Value;

/// What stands in place of a hidden amount.
const MASK: &str = "•••";

/// An amount as JSON text: an exact decimal, or the mask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Figure(String);

impl Figure {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes amounts, or masks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    masked: bool,
}

impl Figures {
    /// Masked or not.
    #[must_use]
    pub const fn new(masked: bool) -> Self {
        Self { masked }
    }

    /// Nothing is masked.
    #[cfg(test)]
    pub const fn plain() -> Self {
        Self::new(false)
    }

    /// Whether amounts are masked.
    #[must_use]
    pub const fn masked(self) -> bool {
        self.masked
    }

    fn mask_or(self, text: impl FnOnce() -> String) -> String {
        if self.masked { MASK.to_owned() } else { text() }
    }

    /// An amount for JSON: the exact decimal.
    #[must_use]
    pub fn money(self, amount: Money) -> Figure {
        Figure(self.mask_or(|| amount.to_string()))
    }

    /// An amount for JSON in cents, half away from zero, as a report states it (tax rule 0.1).
    #[must_use]
    pub fn cents(self, amount: Money) -> Figure {
        self.money(amount.to_cents())
    }

    /// A number of shares for JSON.
    #[must_use]
    pub fn shares(self, shares: Shares) -> Figure {
        Figure(self.mask_or(|| shares.to_string()))
    }

    /// A price for JSON. Prices are public and stay.
    #[must_use]
    pub fn price(self, price: Price) -> Figure {
        Figure(price.to_string())
    }

    /// A rate or a weight for JSON; they stay.
    #[must_use]
    pub fn rate(self, rate: Rate) -> Figure {
        Figure(rate.to_string())
    }

    /// Text that a broker or a file wrote: its digits may be amounts.
    #[must_use]
    pub fn free_text(self, text: &str) -> String {
        if !self.masked {
            return text.to_owned();
        }
        text.chars().map(|character| if character.is_numeric() { '•' } else { character }).collect()
    }

    /// A sentence of our own: dollars and numbers of shares are hidden, dates, percentages and
    /// counts stay.
    #[must_use]
    pub fn sentence(self, text: &str) -> String {
        if !self.masked {
            return text.to_owned();
        }
        let words: Vec<&str> = text.split(' ').collect();
        let hidden = words.iter().enumerate().map(|(at, word)| {
            let counts_shares = words.get(at + 1).is_some_and(|next| next.starts_with("share"));
            match word.find('$') {
                Some(start) => {
                    let end = word.rfind(|c: char| c.is_ascii_digit()).map_or(word.len(), |last| last + 1);
                    format!("{}${MASK}{}", &word[..start], &word[end.max(start + 1)..])
                }
                None if of_currency(words.get(at + 1)) && Money::parse(word).is_ok() => MASK.to_owned(),
                None if counts_shares && word.starts_with(|c: char| c.is_ascii_digit()) => MASK.to_owned(),
                None if at > 0 && words[at - 1] == "account" => {
                    let name = word.trim_end_matches([',', ';', '.', ':']);
                    format!("{}{}", self.account(name), &word[name.len()..])
                }
                None => (*word).to_owned(),
            }
        });
        hidden.collect::<Vec<_>>().join(" ")
    }

    /// Masks every number, and every text that is one, inside a JSON value.
    pub fn mask_numbers(self, value: &mut Value) {
        if !self.masked {
            return;
        }
        match value {
            Value::Number(_) => *value = Value::from(MASK),
            Value::String(text) if Money::parse_rounded(text).is_ok() => *value = Value::from(MASK),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_numbers(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.mask_numbers(field)),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }

    /// The name of an account: its last four characters are enough to tell it.
    #[must_use]
    pub fn account(self, name: &str) -> String {
        let length = name.chars().count();
        if !self.masked || length <= 4 {
            return name.to_owned();
        }
        format!("…{}", name.chars().skip(length - 4).collect::<String>())
    }

    /// Dollars and cents for a table: `1,234.50`, `−1,234.50`.
    #[must_use]
    pub fn table_money(self, amount: Money) -> String {
        self.mask_or(|| money_text(amount, 2))
    }

    /// A change in dollars and cents, with its sign: `+1,234.50`, `−1,234.50`, `0.00`.
    #[must_use]
    pub fn table_change(self, amount: Money) -> String {
        self.mask_or(|| signed(money_text(amount, 2), amount.round(2, Rounding::HalfEven).is_positive()))
    }

    /// Whole dollars for a sentence or a headline: `$1,234`, `−$1,234`.
    #[must_use]
    pub fn dollars(self, amount: Money) -> String {
        if self.masked {
            return format!("${MASK}");
        }
        let text = money_text(amount, 0);
        text.strip_prefix('−').map_or_else(|| format!("${text}"), |magnitude| format!("−${magnitude}"))
    }

    /// A change in whole dollars, with its sign: `+$1,234`, `−$1,234`, `$0`.
    #[must_use]
    pub fn dollar_change(self, amount: Money) -> String {
        signed(self.dollars(amount), !self.masked && amount.round(0, Rounding::HalfEven).is_positive())
    }

    /// Shares for people, as many places as they have: `1,250.5`.
    #[must_use]
    pub fn share_count(self, shares: Shares) -> String {
        self.mask_or(|| grouped(&shares.to_string()))
    }

    /// A price for people, at least cents: `1,234.5678`.
    #[must_use]
    pub fn price_text(self, price: Price) -> String {
        grouped(&price.round(4, Rounding::HalfEven).to_string())
    }
}

/// Whether the word behind an amount is a currency code.
fn of_currency(word: Option<&&str>) -> bool {
    let plain = word.map_or("", |word| word.trim_end_matches([',', ';', '.', ':']));
    plain.len() == 3 && plain.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// An amount rounded once, half to even, with grouped thousands and a true minus.
fn money_text(amount: Money, decimals: u32) -> String {
    let rounded = amount.round(decimals, Rounding::HalfEven);
    let text = rounded.to_string();
    grouped(if decimals == 0 { text.strip_suffix(".00").unwrap_or(&text) } else { &text })
}

/// A share of one in percent, rounded once half to even: two places for returns, one for weights.
#[must_use]
pub fn percent_text(rate: Rate, decimals: u32) -> String {
    // A percent is a hundredth: rounding at `decimals + 2` places of the rate rounds once.
    let rounded = rate.round(decimals + 2, Rounding::HalfEven).billionths() * 100;
    let text = Rate::from_billionths(rounded).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let places = decimals as usize;
    let point = if places > 0 { "." } else { "" };
    format!("{} %", grouped(&format!("{whole}{point}{fraction:0<places$}")))
}

fn signed(text: String, positive: bool) -> String {
    if positive { format!("+{text}") } else { text }
}

/// Plain decimal text with a comma between thousands and a true minus.
fn grouped(text: &str) -> String {
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", text), |magnitude| ("−", magnitude));
    let (whole, fraction) = magnitude.split_once('.').map_or((magnitude, None), |(whole, part)| (whole, Some(part)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn amounts_for_people_are_rounded_once_and_signed() {
        let figures = Figures::plain();
        let cases = [
            ("1234567.891", "1,234,567.89", "+1,234,567.89", "$1,234,568"),
            ("-1234.5", "−1,234.50", "−1,234.50", "−$1,234"),
            ("0.004", "0.00", "0.00", "$0"),
            ("-0.004", "0.00", "0.00", "$0"),
            ("0.125", "0.12", "+0.12", "$0"),
            ("999.5", "999.50", "+999.50", "$1,000"),
            ("0", "0.00", "0.00", "$0"),
        ];
        for (amount, table, change, dollars) in cases {
            let amount = money(amount);
            assert_eq!(figures.table_money(amount), table);
            assert_eq!(figures.table_change(amount), change);
            assert_eq!(figures.dollars(amount), dollars);
        }
        assert_eq!(figures.dollar_change(money("12.6")), "+$13");
    }

    #[test]
    fn percentages_keep_the_places_asked_for() {
        let percent = |text, decimals| percent_text(Rate::parse(text).unwrap(), decimals);
        assert_eq!(percent("0.0731", 2), "7.31 %");
        assert_eq!(percent("-0.5", 1), "−50.0 %");
        assert_eq!(percent("0.24", 0), "24 %");
        assert_eq!(percent("0.333333333", 1), "33.3 %");
        assert_eq!(percent("12.5", 2), "1,250.00 %");
    }

    #[test]
    fn privacy_hides_amounts_and_shares_and_leaves_prices_and_rates() {
        let figures = Figures::new(true);
        assert_eq!(figures.money(money("12.5")).as_str(), "•••");
        assert_eq!(figures.shares(Shares::from_whole(3)).as_str(), "•••");
        assert_eq!(figures.dollars(money("-7")), "$•••");
        assert_eq!(figures.dollar_change(money("7")), "$•••");
        assert_eq!(figures.price(Price::from_whole(9)).as_str(), "9.00");
        assert_eq!(figures.rate(Rate::ONE).as_str(), "1");
        assert_eq!(figures.free_text("YOU BOUGHT 12 @ $3.50"), "YOU BOUGHT •• @ $•.••");
        assert_eq!(figures.account("Z12345678"), "…5678");
        assert_eq!(
            figures.sentence("Sell 12.5 shares of ABC for −$1,234.56, down to 3.4 % from 5 Jul 2026 ($9)"),
            "Sell ••• shares of ABC for −$•••, down to 3.4 % from 5 Jul 2026 ($•••)"
        );
    }
}
