//! Fields that the records of a Flex report share, read with the attribute to blame when one is wrong.

use lotwise_core::{Date, DecimalError, Money, Price, Shares, Symbol};

use super::xml::Node;
use crate::gather::{Fault, Gathering, describe};
use crate::{Action, Transaction};

/// One record of an account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'r, 'a> {
    pub(super) node: &'r Node<'a>,
    /// Account of the statement; a record may name its own.
    statement_account: &'r str,
}

impl<'r, 'a> Record<'r, 'a> {
    pub(super) fn new(node: &'r Node<'a>, statement_account: &'r str) -> Self {
        Self { node, statement_account }
    }

    pub(super) fn row(&self) -> u32 {
        self.node.row
    }

    /// The first of these attributes that has a value.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &'r str)> {
        names.iter().find_map(|name| self.node.get(name).map(|value| (*name, value)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'r str> {
        self.node.get(name)
    }

    /// True when the codes of `notes` (or `code`) hold this one.
    pub(super) fn has_code(&self, wanted: &str) -> bool {
        let codes = ["notes", "code"].into_iter().filter_map(|name| self.get(name));
        codes.flat_map(|codes| codes.split([';', ',', ' '])).any(|code| code == wanted)
    }

    pub(super) fn account(&self) -> &'r str {
        self.get("accountId").unwrap_or(self.statement_account)
    }

    /// The broker's id: the first of these attributes.
    pub(super) fn broker_id(&self, names: &[&'static str]) -> String {
        self.first(names).map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    fn decimal<T>(
        &self,
        names: &[&'static str],
        parse: fn(&str) -> Result<T, DecimalError>,
    ) -> Result<Option<T>, Fault> {
        let Some((name, text)) = self.first(names) else { return Ok(None) };
        parse(text).map(Some).map_err(|error| Fault::new(name, text, format!("cannot be read: {error}")))
    }

    /// An amount from the first of these attributes, rounded half to even at the billionth.
    pub(super) fn money(&self, names: &[&'static str]) -> Result<Option<Money>, Fault> {
        self.decimal(names, Money::parse_rounded)
    }

    pub(super) fn required_money(&self, names: &[&'static str]) -> Result<Money, Fault> {
        self.money(names)?.ok_or_else(|| Fault::missing(names[0]))
    }

    pub(super) fn shares(&self, names: &[&'static str]) -> Result<Option<Shares>, Fault> {
        self.decimal(names, Shares::parse_rounded)
    }

    pub(super) fn required_shares(&self, names: &[&'static str]) -> Result<Shares, Fault> {
        self.shares(names)?.ok_or_else(|| Fault::missing(names[0]))
    }

    pub(super) fn price(&self, names: &[&'static str]) -> Result<Option<Price>, Fault> {
        self.decimal(names, Price::parse_rounded)
    }

    pub(super) fn date(&self, names: &[&'static str]) -> Result<Option<Date>, Fault> {
        let Some((name, text)) = self.first(names) else { return Ok(None) };
        date(text).map(Some).ok_or_else(|| {
            Fault::new(name, text, "is not a date (set the date format of the Flex query to yyyy-MM-dd)")
        })
    }

    /// The ticker. A text that is none is asked about rather than guessed at.
    pub(super) fn symbol(&self, gathering: &mut Gathering) -> Option<Symbol> {
        let text = self.get("symbol")?;
        Symbol::parse(text).ok().or_else(|| {
            let short = crate::gather::clip(text, 40);
            let question = format!("The file calls a security {short:?}, which is no ticker symbol. Which is it?");
            gathering.ticker(&format!("unknown-security:{short}"), &question, self.row())
        })
    }

    /// CUSIP or ISIN.
    pub(super) fn security_id(&self) -> Option<String> {
        let typed = self.get("securityIDType").filter(|kind| matches!(*kind, "CUSIP" | "ISIN"));
        let id = self.first(&["cusip", "isin"]).map(|(_, value)| value);
        id.or_else(|| typed.and_then(|_| self.get("securityID"))).map(str::to_owned)
    }

    /// The transaction with all that does not depend on its kind.
    pub(super) fn draft(
        &self,
        dates: &[&'static str],
        ids: &[&'static str],
        gathering: &mut Gathering,
    ) -> Result<Transaction, Fault> {
        let trade_date = self.date(dates)?.ok_or_else(|| Fault::missing(dates[0]))?;
        let currency = self.get("currency").ok_or_else(|| Fault::missing("currency"))?.to_ascii_uppercase();
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(Fault::new("currency", &currency, "is not a currency code"));
        }
        Ok(Transaction {
            id: self.broker_id(ids),
            account: self.account().to_owned(),
            settle_date: self.date(&["settleDateTarget", "settleDate"])?,
            symbol: self.symbol(gathering),
            cusip: self.security_id(),
            description: describe(&[self.get("description")]),
            currency,
            ..Transaction::new(Action::Other, trade_date, self.row())
        })
    }
}

/// Reads `yyyyMMdd` and `yyyy-MM-dd`, with a time behind `;`, `,`, a blank or `T`. The other formats that a query
/// can be set to do not tell days from months, or centuries.
fn date(text: &str) -> Option<Date> {
    let day = text.split([';', ',', ' ', 'T']).next().unwrap_or_default();
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        return Date::parse(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..])).ok();
    }
    Date::parse(day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_with_and_without_a_time() {
        for text in [
            "20250115",
            "2025-01-15",
            "20250115;093000",
            "2025-01-15;093000",
            "2025-01-15, 09:30:00",
            "2025-01-15T09:30",
        ] {
            assert_eq!(date(text).unwrap().to_string(), "2025-01-15", "{text}");
        }
        for text in ["01/15/2025", "15-JAN-25", "", ";", "20251301", "2025011é"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
