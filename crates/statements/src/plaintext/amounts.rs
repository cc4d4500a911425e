//! Amounts as plain-text accounting writes them: `10 ACRN {50.25 USD, 2024-01-02} @ 60 USD`, `$-5.00`, `-3 "X 1"`.

use lotwise_core::{Date, Money, Price, Shares};

use crate::dialect::gross;

/// A number of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amount {
    /// The number, as exact shares; of money the same digits.
    pub(super) number: Shares,
    pub(super) commodity: String,
}

impl Amount {
    /// The number as money.
    pub(super) fn money(&self) -> Money {
        Money::from_billionths(self.number.billionths())
    }

    /// The number as a price, where it is none below zero.
    pub(super) fn price(&self) -> Option<Price> {
        Some(Price::from_billionths(self.number.billionths())).filter(|price| !price.is_negative())
    }
}

/// What units are held at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Per unit.
    pub(super) each: Option<Amount>,
    /// In total.
    pub(super) total: Option<Amount>,
    pub(super) date: Option<Date>,
    pub(super) label: Option<String>,
}

/// A posting's units with cost and price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) units: Amount,
    pub(super) cost: Option<Cost>,
    /// Per unit.
    pub(super) price: Option<Amount>,
    /// In total, of the units without their sign.
    pub(super) total_price: Option<Amount>,
}

impl Quantity {
    /// What the posting weighs in its transaction: cost, else price, else the units themselves.
    pub(super) fn weight(&self) -> Option<(Money, String)> {
        let signed = |amount: Money| if self.units.number.is_negative() { -amount.abs() } else { amount.abs() };
        let product = |each: &Amount| gross(each.price()?, self.units.number);
        if let Some(cost) = &self.cost
            && let Some(weighed) = match (&cost.each, &cost.total) {
                (Some(each), _) => Some((product(each)?, each.commodity.clone())),
                (None, Some(total)) => Some((signed(total.money()), total.commodity.clone())),
                (None, None) => None,
            }
        {
            return Some(weighed);
        }
        match (&self.price, &self.total_price) {
            (Some(each), _) => Some((product(each)?, each.commodity.clone())),
            (None, Some(total)) => Some((signed(total.money()), total.commodity.clone())),
            (None, None) => Some((self.units.money(), self.units.commodity.clone())),
        }
    }

    /// The price of one unit and what it is in, by price or by the total of it.
    pub(super) fn total(&self) -> Option<(Money, String)> {
        match (&self.price, &self.total_price) {
            (Some(each), _) => Some((gross(each.price()?, self.units.number.abs())?, each.commodity.clone())),
            (None, Some(total)) => Some((total.money().abs(), total.commodity.clone())),
            (None, None) => None,
        }
    }

    /// The cost of all units and what it is in.
    pub(super) fn cost_in_total(&self) -> Option<(Money, String)> {
        let cost = self.cost.as_ref()?;
        match (&cost.each, &cost.total) {
            (Some(each), _) => Some((gross(each.price()?, self.units.number.abs())?, each.commodity.clone())),
            (None, Some(total)) => Some((total.money().abs(), total.commodity.clone())),
            (None, None) => None,
        }
    }
}

/// Signs that stand for a currency.
const SIGNS: [(&str, &str); 6] =
    [("$", "USD"), ("US$", "USD"), ("€", "EUR"), ("£", "GBP"), ("¥", "JPY"), ("C$", "CAD")];

/// Whether a commodity is money rather than a security: a currency code, or a sign of one.
pub(super) fn is_currency(commodity: &str) -> bool {
    const CODES: [&str; 34] = [
        "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "CNY", "HKD",
        "SGD", "INR", "KRW", "TWD", "THB", "IDR", "MYR", "PHP", "MXN", "BRL", "CLP", "ARS", "ZAR", "ILS", "TRY", "RUB",
        "AED", "RON",
    ];
    CODES.contains(&commodity)
}

/// Reads a number with its commodity before or behind it.
pub(super) fn amount(text: &str) -> Option<Amount> {
    let text = text.trim();
    let is_number = |character: char| character.is_ascii_digit() || "+-.,'".contains(character);
    let (number, commodity) = if text.starts_with(is_number)
        && !text.starts_with("-$")
        && !text.starts_with("-€")
        && !text.starts_with("-£")
    {
        let end = text.find(|character: char| !is_number(character)).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        (number.to_owned(), rest.trim().to_owned())
    } else {
        // A sign may stand before the commodity or behind it: -$5, $-5.
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (commodity, number) = match quoted {
            Some((commodity, number)) => (commodity.to_owned(), number),
            None => {
                let at = rest.find(is_number)?;
                let (commodity, number) = rest.split_at(at);
                (commodity.to_owned(), number)
            }
        };
        (if negative { format!("-{}", number.trim()) } else { number.trim().to_owned() }, commodity.trim().to_owned())
    };
    let bare = !commodity.contains('"') && !text.contains('"');
    let commodity = commodity.trim_matches('"').trim().to_owned();
    // A name of several words, or one that begins with no letter, is quoted; a formula is none.
    let begins = |first: char| first.is_alphabetic() || "$€£¥".contains(first);
    if bare && (!commodity.starts_with(begins) || commodity.contains(char::is_whitespace)) {
        return None;
    }
    let commodity = SIGNS.iter().find(|(sign, _)| *sign == commodity).map_or(commodity, |(_, code)| (*code).to_owned());
    if commodity.is_empty() || commodity.len() > 64 {
        return None;
    }
    let number = number.replace('\'', ",");
    let plain = crate::cell::number(&number, crate::cell::Comma::Thousands).ok()?;
    Shares::parse_rounded(&plain)
        .ok()
        .filter(|shares| shares.abs() <= crate::facts::MOST_SHARES)
        .map(|number| Amount { number, commodity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_stand_before_and_behind_their_commodity() {
        for (text, expected) in [
            ("10 ACRN", Some(("10", "ACRN"))),
            ("-1,234.5 USD", Some(("-1234.5", "USD"))),
            ("$-5.00", Some(("-5", "USD"))),
            ("-$5.00", Some(("-5", "USD"))),
            ("3 \"X 1\"", Some(("3", "X 1"))),
            ("€1'000.00", Some(("1000", "EUR"))),
            ("10", None),
            ("ACRN", None),
            ("1..2 A", None),
        ] {
            let found = amount(text).map(|found| (found.number.to_string(), found.commodity));
            assert_eq!(found.as_ref().map(|(number, unit)| (number.as_str(), unit.as_str())), expected, "{text}");
        }
    }
}
