//! The security list of an OFX file: from identifier to ticker and name.

use std::collections::BTreeMap;

use lotwise_core::{Date, OptionContract, OptionRight, Price, Symbol};

use super::tree::Element;
use super::values;
use crate::dialect::option::named_in;
use crate::gather::{Gathering, clip};

/// What the list says of one identifier.
#[derive(Debug, Default)]
struct Listing {
    symbols: Vec<Symbol>,
    names: Vec<String>,
    /// Bonds have no ticker, so nobody is asked for one.
    debt: bool,
    /// Terms of an option.
    option: Option<OptionTerms>,
}

/// What the list says of an option (OFX 2.2, section 13.8.5.4).
#[derive(Debug, Clone)]
struct OptionTerms {
    right: Option<OptionRight>,
    strike: Option<Price>,
    expiry: Option<Date>,
    multiplier: Option<u32>,
    /// `UNIQUEID` of what it is an option on.
    underlying: Option<String>,
}

/// Securities by `UNIQUEID`, in upper case.
#[derive(Debug, Default)]
pub(super) struct Securities(BTreeMap<String, Listing>);

/// A security as a record or a position names it.
#[derive(Debug, Default)]
pub(super) struct Security {
    pub(super) symbol: Option<Symbol>,
    /// CUSIP or ISIN.
    pub(super) cusip: Option<String>,
    pub(super) name: Option<String>,
    /// Terms of the option, where the list states all of them.
    pub(super) option: Option<OptionContract>,
}

/// The fields of an `OPTINFO`.
fn terms(info: &Element<'_>) -> OptionTerms {
    let own = info.child("SECINFO").and_then(|security| security.child("SECID")).map(|id| id.value("UNIQUEID"));
    let decimal = |name: &str| info.value(name).and_then(|text| values::number(text).ok());
    // The underlying stands beside the option's own identifier, not inside it.
    let underlying = info.children.iter().filter(|child| child.is("SECID")).find_map(|id| id.value("UNIQUEID"));
    OptionTerms {
        right: match info.value("OPTTYPE").map(str::to_ascii_uppercase).as_deref() {
            Some("CALL") => Some(OptionRight::Call),
            Some("PUT") => Some(OptionRight::Put),
            _ => None,
        },
        strike: decimal("STRIKEPRICE").and_then(|text| Price::parse_rounded(&text).ok()),
        expiry: info.value("DTEXPIRE").and_then(|text| values::date(text).ok()),
        multiplier: decimal("SHPERCTRCT").and_then(|text| text.split('.').next().and_then(|whole| whole.parse().ok())),
        underlying: underlying.filter(|id| own != Some(Some(*id))).map(str::to_ascii_uppercase),
    }
}

impl Securities {
    /// Reads every `SECLIST` below this element.
    pub(super) fn collect(&mut self, element: &Element<'_>) {
        for child in &element.children {
            if child.is("SECLIST") {
                child.children.iter().for_each(|info| self.add(info));
            } else if !child.is("INVSTMTMSGSRSV1") {
                self.collect(child);
            }
        }
    }

    fn add(&mut self, info: &Element<'_>) {
        let Some(security) = info.child("SECINFO") else { return };
        let Some(unique) = security.child("SECID").and_then(|id| id.value("UNIQUEID")) else { return };
        let listing = self.0.entry(unique.to_ascii_uppercase()).or_default();
        listing.debt |= info.is("DEBTINFO");
        if info.is("OPTINFO") && listing.option.is_none() {
            listing.option = Some(terms(info));
        }
        let symbol = security.value("TICKER").and_then(|ticker| Symbol::parse(ticker).ok());
        if let Some(symbol) = symbol.filter(|symbol| !listing.symbols.contains(symbol)) {
            listing.symbols.push(symbol);
        }
        let name = security.value("SECNAME").filter(|name| listing.names.iter().all(|known| known != name));
        listing.names.extend(name.map(str::to_owned));
    }

    /// The security of a `SECID`. Where the list has no ticker for it, or several, a person is asked.
    pub(super) fn resolve(&self, id: &Element<'_>, row: u32, gathering: &mut Gathering) -> Security {
        let Some(unique) = id.value("UNIQUEID") else { return Security::default() };
        let short = clip(unique, 40);
        let kind = id.value("UNIQUEIDTYPE").unwrap_or_default().to_ascii_uppercase();
        let listing = self.0.get(&unique.to_ascii_uppercase());
        let only = |texts: &[String]| if let [text] = texts { Some(text.clone()) } else { None };
        let option = listing.and_then(|listing| self.option(listing));
        if let Some(symbol) = option.as_ref().and_then(OptionContract::symbol) {
            // An option goes by the symbol of its terms, whatever the broker calls it.
            let cusip = matches!(kind.as_str(), "CUSIP" | "ISIN").then(|| unique.to_owned());
            return Security {
                symbol: Some(symbol),
                cusip,
                name: listing.and_then(|listing| only(&listing.names)),
                option,
            };
        }
        let symbol = match listing.map_or(&[][..], |listing| &listing.symbols) {
            [symbol] => Some(symbol.clone()),
            [] if kind == "TICKER" => Symbol::parse(unique).ok(),
            [] => {
                if !listing.is_some_and(|listing| listing.debt) {
                    let text = format!("The file gives no ticker for the security {short}. Which symbol is it?");
                    gathering.ticker(&format!("unknown-security:{short}"), &text, row)
                } else {
                    None
                }
            }
            several => {
                let names: Vec<&str> = several.iter().take(8).map(Symbol::as_str).collect();
                let text =
                    format!("The file gives the security {short} several tickers: {}. Which is it?", names.join(", "));
                gathering.ticker(&format!("ambiguous-security:{short}"), &text, row)
            }
        };
        let cusip = matches!(kind.as_str(), "CUSIP" | "ISIN").then(|| unique.to_owned());
        Security { symbol, cusip, name: listing.and_then(|listing| only(&listing.names)), option }
    }

    /// The terms of a listed option, from its own fields, else from its ticker or name.
    fn option(&self, listing: &Listing) -> Option<OptionContract> {
        let terms = listing.option.as_ref()?;
        let named = || {
            let texts = listing.symbols.iter().map(Symbol::as_str).chain(listing.names.iter().map(String::as_str));
            texts.into_iter().find_map(named_in)
        };
        let underlying = terms.underlying.as_ref().and_then(|unique| {
            let symbols = self.0.get(unique).map_or(&[][..], |listing| &listing.symbols);
            if let [symbol] = symbols { Some(symbol.clone()) } else { None }
        });
        let stated = underlying.and_then(|underlying| {
            Some(OptionContract {
                underlying,
                expiry: terms.expiry?,
                right: terms.right?,
                strike: terms.strike?,
                multiplier: terms.multiplier.unwrap_or(100),
            })
        });
        let multiplier = terms.multiplier;
        stated.or_else(|| {
            let named = named()?;
            Some(OptionContract { multiplier: multiplier.unwrap_or(named.multiplier), ..named })
        })
    }
}
