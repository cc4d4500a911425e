//! The boxes, columns and codes of Form 8949 (tax rule 6.1).

use std::collections::BTreeSet;

use lotwise_core::{Date, OptionContract, Symbol};

use crate::model::{AssetClass, Rules, Term};

/// First year of Form 1099-DA and of the boxes that go with it.
pub const DIGITAL_BOXES_FROM: i32 = 2025;

/// What the broker told the tax authority about a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reporting {
    /// Proceeds and basis: a covered security.
    BasisReported,
    /// Proceeds alone: a noncovered security.
    BasisNotReported,
    /// Nothing: no Form 1099-B or 1099-DA was issued.
    NotReported,
}

impl Reporting {
    /// Every kind, in the order of the boxes.
    pub const ALL: [Self; 3] = [Self::BasisReported, Self::BasisNotReported, Self::NotReported];

    /// The name used in files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BasisReported => "basis_reported",
            Self::BasisNotReported => "basis_not_reported",
            Self::NotReported => "not_reported",
        }
    }
}

/// What was sold, as far as the broker's duty to report goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SecurityKind {
    /// A share of a company, or of a fund that is not a mutual fund.
    #[default]
    Stock,
    /// A share of a mutual fund, or one bought through a dividend reinvestment plan.
    Fund,
    /// An option.
    Option,
    /// A coin or token.
    DigitalAsset,
}

impl SecurityKind {
    /// What a symbol stands for: listed options are known by their form, coins by the rules, and
    /// everything else is taken for a stock.
    #[must_use]
    pub fn of(symbol: &Symbol, rules: &Rules) -> Self {
        match rules.classes.get(symbol) {
            Some(AssetClass::DigitalAsset) => Self::DigitalAsset,
            _ if OptionContract::parse_occ(symbol.as_str()).is_ok() => Self::Option,
            _ => Self::Stock,
        }
    }

    /// The first acquisition date for which brokers report basis.
    ///
    /// Stocks from 2011, funds from 2012, options from 2014, digital assets from 2026
    /// (Reg. 1.6045-1(a)(15)).
    #[must_use]
    pub fn covered_from(self) -> Date {
        let year = match self {
            Self::Stock => 2011,
            Self::Fund => 2012,
            Self::Option => 2014,
            Self::DigitalAsset => 2026,
        };
        Date::from_ymd(year, 1, 1).expect("Invariant: the first of January is a date")
    }

    /// What is assumed of a sale on `sold` of shares `acquired` in the account that sold them, where
    /// nobody says more. Shares that came from elsewhere, or at an unknown date or basis, are
    /// noncovered.
    #[must_use]
    pub fn assumed_reporting(self, acquired: Option<Date>, sold: Date) -> Reporting {
        if self == Self::DigitalAsset && sold.year() < DIGITAL_BOXES_FROM {
            return Reporting::NotReported;
        }
        match acquired {
            Some(acquired) if acquired >= self.covered_from() => Reporting::BasisReported,
            _ => Reporting::BasisNotReported,
        }
    }
}

/// A box of Form 8949: `A` to `F`, and `G` to `L` for digital assets from 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormBox {
    term: Term,
    digital: bool,
    reporting: Reporting,
}

impl FormBox {
    /// The box of a sale in `year`.
    #[must_use]
    pub const fn of(term: Term, reporting: Reporting, kind: SecurityKind, year: i32) -> Self {
        let digital = matches!(kind, SecurityKind::DigitalAsset) && year >= DIGITAL_BOXES_FROM;
        Self { term, digital, reporting }
    }

    /// Its letter.
    #[must_use]
    pub const fn letter(self) -> char {
        let first = match (self.term, self.digital) {
            (Term::Short, false) => b'A',
            (Term::Long, false) => b'D',
            (Term::Short, true) => b'G',
            (Term::Long, true) => b'J',
        };
        let step = match self.reporting {
            Reporting::BasisReported => 0,
            Reporting::BasisNotReported => 1,
            Reporting::NotReported => 2,
        };
        (first + step) as char
    }

    /// `I` for short-term, `II` for long-term.
    #[must_use]
    pub const fn part(self) -> &'static str {
        match self.term {
            Term::Short => "I",
            Term::Long => "II",
        }
    }

    /// Short- or long-term.
    #[must_use]
    pub const fn term(self) -> Term {
        self.term
    }

    /// What the broker reported.
    #[must_use]
    pub const fn reporting(self) -> Reporting {
        self.reporting
    }

    /// Whether it is one of the boxes for digital assets.
    #[must_use]
    pub const fn is_digital(self) -> bool {
        self.digital
    }

    /// The words beside the box.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match (self.digital, self.reporting) {
            (false, Reporting::BasisReported) => "reported on Form 1099-B with basis reported to the IRS",
            (false, Reporting::BasisNotReported) => "reported on Form 1099-B with basis not reported to the IRS",
            (false, Reporting::NotReported) => "not reported on Form 1099-B",
            (true, Reporting::BasisReported) => "reported on Form 1099-DA with basis reported to the IRS",
            (true, Reporting::BasisNotReported) => "reported on Form 1099-DA with basis not reported to the IRS",
            (true, Reporting::NotReported) => "digital assets not reported on Form 1099-DA",
        }
    }
}

/// Adjustment codes of column (f), written together in alphabetical order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Codes(BTreeSet<char>);

impl Codes {
    /// Adds a code.
    pub fn add(&mut self, code: char) {
        self.0.insert(code);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this code is there.
    #[must_use]
    pub fn has(&self, code: char) -> bool {
        self.0.contains(&code)
    }
}

impl FromIterator<char> for Codes {
    fn from_iter<I: IntoIterator<Item = char>>(codes: I) -> Self {
        Self(codes.into_iter().collect())
    }
}

impl std::fmt::Display for Codes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0.iter().collect::<String>())
    }
}

/// Column (b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acquired {
    /// The actual acquisition date.
    On(Date),
    /// `INHERITED`.
    Inherited,
    /// `VARIOUS`: one row for shares of one order that were bought on several days.
    Various,
    /// Not known; the row cannot be filed yet.
    Unknown,
}

impl Acquired {
    /// As the form shows it: `MM/DD/YYYY`, `INHERITED`, `VARIOUS`, or nothing.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::On(date) => us_date(date),
            Self::Inherited => "INHERITED".to_owned(),
            Self::Various => "VARIOUS".to_owned(),
            Self::Unknown => String::new(),
        }
    }
}

/// `MM/DD/YYYY`.
#[must_use]
pub fn us_date(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.month(), date.day(), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_box_has_its_letter() {
        let letters = |term, kind, year| {
            Reporting::ALL.map(|reporting| FormBox::of(term, reporting, kind, year).letter()).iter().collect::<String>()
        };
        assert_eq!(letters(Term::Short, SecurityKind::Stock, 2025), "ABC");
        assert_eq!(letters(Term::Long, SecurityKind::Fund, 2025), "DEF");
        assert_eq!(letters(Term::Short, SecurityKind::DigitalAsset, 2025), "GHI");
        assert_eq!(letters(Term::Long, SecurityKind::DigitalAsset, 2026), "JKL");
        // Before Form 1099-DA there were no boxes of their own.
        assert_eq!(letters(Term::Long, SecurityKind::DigitalAsset, 2024), "DEF");
    }

    #[test]
    fn brokers_report_basis_from_a_day_that_depends_on_the_security() {
        let date = |text| Date::parse(text).unwrap();
        for (kind, acquired, sold, expected) in [
            (SecurityKind::Stock, "2010-12-31", "2025-03-03", Reporting::BasisNotReported),
            (SecurityKind::Stock, "2011-01-01", "2025-03-03", Reporting::BasisReported),
            (SecurityKind::Fund, "2011-12-31", "2025-03-03", Reporting::BasisNotReported),
            (SecurityKind::Fund, "2012-01-01", "2025-03-03", Reporting::BasisReported),
            (SecurityKind::Option, "2014-01-01", "2025-03-03", Reporting::BasisReported),
            (SecurityKind::DigitalAsset, "2025-06-01", "2026-03-03", Reporting::BasisNotReported),
            (SecurityKind::DigitalAsset, "2026-01-01", "2026-03-03", Reporting::BasisReported),
            (SecurityKind::DigitalAsset, "2020-01-01", "2024-03-03", Reporting::NotReported),
        ] {
            assert_eq!(kind.assumed_reporting(Some(date(acquired)), date(sold)), expected, "{kind:?} {acquired}");
        }
        assert_eq!(SecurityKind::Stock.assumed_reporting(None, date("2025-03-03")), Reporting::BasisNotReported);
    }

    #[test]
    fn codes_stand_in_alphabetical_order() {
        assert_eq!(['W', 'B', 'T', 'B'].into_iter().collect::<Codes>().to_string(), "BTW");
    }
}
