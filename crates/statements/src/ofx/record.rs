//! Fields that the investment transactions of OFX share, read with the field to blame when one is wrong.

use lotwise_core::{Date, DecimalError, Money, OptionContract, Price, Shares, mul_div};

use super::securities::Security;
use super::tree::Element;
use super::values;
use crate::gather::{Fault, describe};
use crate::{Action, Transaction};

/// One child of `INVTRANLIST`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'r, 'a> {
    /// The child itself, for instance `BUYSTOCK`.
    pub(super) whole: &'r Element<'a>,
    /// Where its common fields are: `INVBUY`, `INVSELL`, or the child itself.
    body: &'r Element<'a>,
}

impl<'r, 'a> Record<'r, 'a> {
    pub(super) fn new(whole: &'r Element<'a>) -> Self {
        let body = ["INVBUY", "INVSELL", "STMTTRN"].iter().find_map(|name| whole.child(name)).unwrap_or(whole);
        Self { whole, body }
    }

    /// The text of a field, in the common part or beside it.
    pub(super) fn text(&self, name: &str) -> Option<&'r str> {
        self.body.value(name).or_else(|| self.whole.value(name))
    }

    /// The text of a field in upper case, for the words of a closed list.
    pub(super) fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_ascii_uppercase()
    }

    pub(super) fn security_id(&self) -> Option<&'r Element<'a>> {
        self.body.child("SECID").or_else(|| self.whole.child("SECID"))
    }

    fn header(&self) -> &'r Element<'a> {
        self.body.child("INVTRAN").or_else(|| self.whole.child("INVTRAN")).unwrap_or(self.body)
    }

    /// The broker's id, or nothing.
    pub(super) fn broker_id(&self) -> &'r str {
        self.header().value("FITID").unwrap_or_default()
    }

    /// True when the broker says that this record takes another back.
    pub(super) fn reverses(&self) -> bool {
        self.header().value("REVERSALFITID").is_some()
    }

    /// Trade date, or the posting date of a bank record.
    pub(super) fn date(&self) -> Result<Date, Fault> {
        let name = if self.body.is("STMTTRN") { "DTPOSTED" } else { "DTTRADE" };
        let text = self.header().value(name).ok_or_else(|| Fault::missing(name))?;
        values::date(text).map_err(|reason| Fault::new(name, text, reason))
    }

    fn decimal<T>(&self, name: &str, parse: fn(&str) -> Result<T, DecimalError>) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = values::number(text).map_err(|reason| Fault::new(name, text, reason))?;
        parse(&number).map(Some).map_err(|error| Fault::new(name, text, format!("cannot be read: {error}")))
    }

    /// An amount, rounded half to even at the billionth.
    pub(super) fn money(&self, name: &str) -> Result<Option<Money>, Fault> {
        self.decimal(name, Money::parse_rounded)
    }

    /// A number of shares, rounded half to even at the billionth.
    pub(super) fn shares(&self, name: &str) -> Result<Option<Shares>, Fault> {
        self.decimal(name, Shares::parse_rounded)
    }

    /// The price per share as stated.
    pub(super) fn price(&self) -> Result<Option<Price>, Fault> {
        self.decimal("UNITPRICE", Price::parse_rounded)
    }

    pub(super) fn required_money(&self, name: &str) -> Result<Money, Fault> {
        self.money(name)?.ok_or_else(|| Fault::missing(name))
    }

    pub(super) fn required_shares(&self, name: &str) -> Result<Shares, Fault> {
        self.shares(name)?.ok_or_else(|| Fault::missing(name))
    }

    /// Commission, taxes, fees, load and penalty; brokers sign them either way.
    pub(super) fn fees(&self) -> Result<Money, Fault> {
        let mut sum = Money::ZERO;
        for name in ["COMMISSION", "TAXES", "FEES", "LOAD", "PENALTY"] {
            sum += self.money(name)?.unwrap_or(Money::ZERO).abs();
        }
        Ok(sum)
    }

    /// Cash moved by a trade of `units`: the stated total, or units times price where that product is exact.
    ///
    /// `sign` is -1 for a purchase, 1 for a sale. The fees come off in both directions.
    pub(super) fn total_or_product(
        &self,
        units: Shares,
        fees: Money,
        sign: i128,
        contract: Option<&OptionContract>,
    ) -> Result<Money, Fault> {
        if let Some(total) = self.money("TOTAL")? {
            return Ok(total);
        }
        let cannot = || Fault {
            reason: "is missing and does not follow exactly from the rest".to_owned(),
            ..Fault::missing("TOTAL")
        };
        // The price of a bond is a percentage, and an option's needs the size of the contract.
        if self.whole.name.to_ascii_uppercase().ends_with("DEBT") {
            return Err(cannot());
        }
        let contract = match self.whole.name.to_ascii_uppercase().ends_with("OPT") {
            true => match (self.shares("SHPERCTRCT")?, contract) {
                (Some(stated), _) => stated.billionths() / Shares::from_whole(1).billionths(),
                (None, Some(contract)) => i128::from(contract.multiplier),
                (None, None) => return Err(cannot()),
            },
            false => 1,
        };
        let price = self.price()?.ok_or_else(cannot)?;
        let unit = Shares::from_whole(1).billionths();
        let product = price.billionths().checked_mul(units.abs().billionths()).ok_or_else(cannot)?;
        if product % unit != 0 {
            return Err(cannot());
        }
        let gross = mul_div(product, contract, unit, lotwise_core::Rounding::HalfEven).ok_or_else(cannot)?;
        let limit = Money::from_whole(1_000_000_000_000_000);
        let gross = Some(Money::from_billionths(gross)).filter(|gross| gross.abs() <= limit).ok_or_else(cannot)?;
        Ok(if sign < 0 { -(gross + fees) } else { gross - fees })
    }

    /// The transaction with all that does not depend on its kind; amount nothing, action as given.
    pub(super) fn draft(
        &self,
        action: Action,
        account: &str,
        default_currency: Option<&str>,
        security: Security,
        row: u32,
    ) -> Result<Transaction, Fault> {
        let settled = self.header().value("DTSETTLE");
        let settle_date = settled.map(|text| values::date(text).map_err(|reason| Fault::new("DTSETTLE", text, reason)));
        let currency = self.body.child("CURRENCY").or_else(|| self.whole.child("CURRENCY"));
        let currency = currency.and_then(|currency| currency.value("CURSYM")).or(default_currency);
        let currency = currency.ok_or_else(|| Fault::missing("CURDEF"))?.to_ascii_uppercase();
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(Fault::new("CURSYM", &currency, "is not a currency code"));
        }
        let header = self.header();
        let description = describe(&[header.value("NAME"), header.value("MEMO"), security.name.as_deref()]);
        Ok(Transaction {
            id: self.broker_id().to_owned(),
            account: account.to_owned(),
            settle_date: settle_date.transpose()?,
            symbol: security.symbol,
            cusip: security.cusip,
            option: security.option,
            description: if description.is_empty() { self.whole.name.to_owned() } else { description },
            price: self.price()?,
            currency,
            ..Transaction::new(action, self.date()?, row)
        })
    }
}
