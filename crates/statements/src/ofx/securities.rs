//! The security list of an OFX file: from identifier to ticker and name.

use std::collections::BTreeMap;

use lotwise_core::Symbol;

use super::tree::Element;
use crate::gather::{Gathering, clip};

/// What the list says of one identifier.
#[derive(Debug, Default)]
struct Listing {
    symbols: Vec<Symbol>,
    names: Vec<String>,
    /// Bonds have no ticker, so nobody is asked for one.
    debt: bool,
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
        Security { symbol, cusip, name: listing.and_then(|listing| only(&listing.names)) }
    }
}
