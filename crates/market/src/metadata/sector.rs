//! The sectors of the Global Industry Classification Standard.

use lotwise_core::Symbol;

/// One of the eleven sectors, in their official order, or what has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Sector {
    /// Oil, gas and coal.
    Energy = 0,
    /// Chemicals, metals, paper.
    Materials = 1,
    /// Machines, transport, services to businesses.
    Industrials = 2,
    /// What people buy when they can.
    ConsumerDiscretionary = 3,
    /// What people buy anyway.
    ConsumerStaples = 4,
    /// Medicines, devices, care.
    HealthCare = 5,
    /// Banks and insurers.
    Financials = 6,
    /// Software, hardware, chips.
    InformationTechnology = 7,
    /// Telephone, media, platforms.
    CommunicationServices = 8,
    /// Power, gas and water.
    Utilities = 9,
    /// Land and buildings.
    RealEstate = 10,
    /// A fund.
    Fund = 11,
    /// An index, which nobody can hold.
    Index = 12,
    /// A company whose sector is not known.
    Unknown = 13,
}

impl Sector {
    /// The eleven sectors of companies.
    pub const COMPANIES: [Self; 11] = [
        Self::Energy,
        Self::Materials,
        Self::Industrials,
        Self::ConsumerDiscretionary,
        Self::ConsumerStaples,
        Self::HealthCare,
        Self::Financials,
        Self::InformationTechnology,
        Self::CommunicationServices,
        Self::Utilities,
        Self::RealEstate,
    ];

    /// The name in `tickers.csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Energy => "Energy",
            Self::Materials => "Materials",
            Self::Industrials => "Industrials",
            Self::ConsumerDiscretionary => "Consumer Discretionary",
            Self::ConsumerStaples => "Consumer Staples",
            Self::HealthCare => "Health Care",
            Self::Financials => "Financials",
            Self::InformationTechnology => "Information Technology",
            Self::CommunicationServices => "Communication Services",
            Self::Utilities => "Utilities",
            Self::RealEstate => "Real Estate",
            Self::Fund => "ETF",
            Self::Index => "INDEX",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads a name of `tickers.csv`; any other text is [`Sector::Unknown`].
    #[must_use]
    pub fn from_name(text: &str) -> Self {
        let text = text.trim();
        Self::COMPANIES
            .into_iter()
            .chain([Self::Fund, Self::Index])
            .find(|sector| sector.name().eq_ignore_ascii_case(text))
            .unwrap_or(Self::Unknown)
    }

    /// Whether it is a company, which earns, reports and may be valued.
    #[must_use]
    pub const fn is_company(self) -> bool {
        !matches!(self, Self::Fund | Self::Index)
    }

    /// The sector SPDR fund that stands for the sector.
    #[must_use]
    pub fn fund(self) -> Option<Symbol> {
        let text = match self {
            Self::Energy => "XLE",
            Self::Materials => "XLB",
            Self::Industrials => "XLI",
            Self::ConsumerDiscretionary => "XLY",
            Self::ConsumerStaples => "XLP",
            Self::HealthCare => "XLV",
            Self::Financials => "XLF",
            Self::InformationTechnology => "XLK",
            Self::CommunicationServices => "XLC",
            Self::Utilities => "XLU",
            Self::RealEstate => "XLRE",
            Self::Fund | Self::Index | Self::Unknown => return None,
        };
        Symbol::parse(text).ok()
    }
}

impl std::fmt::Display for Sector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sector_has_a_fund_and_reads_back_its_name() {
        for (at, sector) in Sector::COMPANIES.into_iter().enumerate() {
            assert_eq!(sector as usize, at);
            assert_eq!(Sector::from_name(sector.name()), sector);
            assert!(sector.is_company() && sector.fund().is_some());
        }
        assert_eq!(Sector::from_name("ETF"), Sector::Fund);
        assert_eq!(Sector::from_name("Shipping"), Sector::Unknown);
    }
}
