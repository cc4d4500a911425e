//! Ticker symbols.

use std::sync::Arc;

/// A ticker symbol in upper case; class shares are written with a dash (`BRK-B`).
///
/// Holds 1 to 32 characters of `A–Z`, `0–9`, `.`, `-`, `^`, `=`, `:`, `_` and inner spaces
/// (option symbols carry them).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

/// Why a text is not a symbol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a ticker symbol (1 to 32 letters, digits, dots or dashes)")]
pub struct SymbolError(pub String);

impl Symbol {
    /// Reads a symbol: trims, raises to upper case, and writes class shares with a dash, since
    /// brokers write `BRK.B`, `BRK/B` and `BRK B` for the same share.
    ///
    /// # Errors
    /// When nothing is left, it is longer than 32 characters, or has another character.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let trimmed = text.trim();
        let error = || SymbolError(trimmed.chars().take(40).collect());
        if trimmed.is_empty() || trimmed.len() > 32 {
            return Err(error());
        }
        let mut upper = trimmed.to_ascii_uppercase();
        if let Some((root, class)) = upper.split_once(['.', '/', ' '])
            && class.len() == 1
            && class.bytes().all(|byte| byte.is_ascii_uppercase())
            && root.len() <= 5
            && !root.is_empty()
            && root.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            upper = format!("{root}-{class}");
        }
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b".-^=:_ /".contains(&byte);
        if !upper.bytes().all(allowed) {
            return Err(error());
        }
        Ok(Self(upper.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Symbol {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Symbol {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

impl std::fmt::Debug for Symbol {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

impl std::str::FromStr for Symbol {
    type Err = SymbolError;
    fn from_str(text: &str) -> Result<Self, SymbolError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_shares_have_one_spelling() {
        for text in ["BRK-B", "BRK.B", "BRK/B", "brk b", " Brk.B "] {
            assert_eq!(Symbol::parse(text).unwrap().as_str(), "BRK-B");
        }
        assert_eq!(Symbol::parse("ORCL  170915P00050000").unwrap().as_str(), "ORCL  170915P00050000");
        for text in ["", "   ", "A\u{0}B", "Ä", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH", "=1+1;A"] {
            assert!(Symbol::parse(text).is_err(), "{text}");
        }
    }
}
