//! Exchange-traded options on stocks and funds.

use crate::{Date, Price, Symbol};

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionRight {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

impl OptionRight {
    /// `call` or `put`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Put => "put",
        }
    }
}

/// Terms of a listed option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionContract {
    /// What it is an option on.
    pub underlying: Symbol,
    /// Last day of exercise.
    pub expiry: Date,
    /// Call or put.
    pub right: OptionRight,
    /// Strike price per share.
    pub strike: Price,
    /// Shares of the underlying per contract, 100 unless the contract was adjusted.
    pub multiplier: u32,
}

/// Why a text is not the symbol of a listed option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an option symbol (root, yymmdd, C or P, strike in thousandths as 8 digits)")]
pub struct OptionError(pub String);

/// Strikes are written in thousandths of a dollar.
const THOUSANDTH: i128 = 1_000_000;

impl OptionContract {
    /// Reads the symbol of the Options Clearing Corporation, for instance `AAPL  240119C00190000`, with
    /// or without the blanks that pad the root to six characters. The multiplier is taken as 100.
    ///
    /// # Errors
    /// When the text has another shape, or its date does not exist.
    pub fn parse_occ(text: &str) -> Result<Self, OptionError> {
        let error = || OptionError(text.chars().take(40).collect());
        let text = text.trim();
        if !text.is_ascii() || text.len() < 16 {
            return Err(error());
        }
        let (root, terms) = text.split_at(text.len() - 15);
        let (date, rest) = terms.split_at(6);
        let (right, strike) = rest.split_at(1);
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(date) || !digits(strike) || root.trim().len() > 6 {
            return Err(error());
        }
        let expiry = format!("20{}-{}-{}", &date[..2], &date[2..4], &date[4..]);
        let right = match right {
            "C" | "c" => OptionRight::Call,
            "P" | "p" => OptionRight::Put,
            _ => return Err(error()),
        };
        Ok(Self {
            underlying: Symbol::parse(root).map_err(|_| error())?,
            expiry: Date::parse(&expiry).map_err(|_| error())?,
            right,
            strike: Price::from_billionths(strike.parse::<i128>().map_err(|_| error())? * THOUSANDTH),
            multiplier: 100,
        })
    }

    /// The symbol of the Options Clearing Corporation without padding, under which the contract is a
    /// security of its own; `None` where the strike or the root does not fit it.
    #[must_use]
    pub fn symbol(&self) -> Option<Symbol> {
        let thousandths = self.strike.billionths() / THOUSANDTH;
        let exact = self.strike.billionths() % THOUSANDTH == 0 && (0..100_000_000).contains(&thousandths);
        let root = self.underlying.as_str().replace('-', "");
        if !exact || root.len() > 6 {
            return None;
        }
        let date = self.expiry.to_string().replace('-', "");
        let right = if self.right == OptionRight::Call { 'C' } else { 'P' };
        Symbol::parse(&format!("{root}{}{right}{thousandths:08}", &date[2..])).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_contracts_are_read_padded_or_not() {
        for text in ["AAPL  240119C00190000", "AAPL240119C00190000", " aapl240119c00190000 "] {
            let contract = OptionContract::parse_occ(text).unwrap();
            assert_eq!(contract.underlying.as_str(), "AAPL");
            assert_eq!((contract.expiry.to_string().as_str(), contract.right), ("2024-01-19", OptionRight::Call));
            assert_eq!(contract.strike, Price::parse("190").unwrap());
            assert_eq!(contract.symbol().unwrap().as_str(), "AAPL240119C00190000");
        }
        assert_eq!(OptionContract::parse_occ("F240119P00012500").unwrap().strike, Price::parse("12.5").unwrap());
    }

    #[test]
    fn other_texts_are_no_contracts() {
        for text in ["AAPL", "AAPL241319C00190000", "AAPL240119X00190000", "240119C00190000", "AAPLAAPL240119C00190000"]
        {
            assert!(OptionContract::parse_occ(text).is_err(), "{text}");
        }
    }
}
