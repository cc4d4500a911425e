//! Sales as Form 1099-B reports them, in the tables that brokers and tax programs export: every row is a sale with its
//! basis, its term and what was disallowed. Names of columns differ, so each has many; numbers of boxes and remarks in
//! brackets around them do not count. Headings such as `Short Term - Covered` hold for the rows below.

use lotwise_core::Shares;

use super::row::{Context, Fault, Row, contract};
use super::{Class, Classify, Dialect, Footer, HeaderStyle, Kind, Role, needed, optional};
use crate::cell::DateStyle;
use crate::formats::{Format, FormatInfo};
use crate::{Action as A, Transaction};

use super::Ask;

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "form-1099b-csv",
        title: "Form 1099-B, sales (CSV)",
        extensions: &["csv"],
        example: "Description,CUSIP,Quantity,Date Acquired,Date Sold,Proceeds,Cost Basis,Wash Sale Loss Disallowed,…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "form-1099b-csv",
    columns: &[
        needed(
            Role::Description,
            &[
                "description of property",
                "property description",
                "description of property/cusip/symbol",
                "security description",
                "security name",
                "description",
                "security",
                "name",
                "asset name",
                "currency name",
            ],
        ),
        needed(
            Role::Acquired,
            &[
                "date acquired",
                "acquired date",
                "acquisition date",
                "date of acquisition",
                "acquired",
                "open date",
                "purchase date",
            ],
        ),
        needed(
            Role::Date,
            &[
                "date sold or disposed",
                "date sold or disposed of",
                "date sold/disposed",
                "date sold",
                "sold date",
                "sale date",
                "date of sale",
                "date of sale or exchange",
                "date disposed",
                "disposal date",
                "close date",
            ],
        ),
        needed(
            Role::Amount,
            &[
                "proceeds",
                "gross proceeds",
                "sales proceeds",
                "total proceeds",
                "sale proceeds",
                "net proceeds",
                "sales price",
                "sale amount",
            ],
        ),
        needed(
            Role::Basis,
            &[
                "cost or other basis",
                "cost basis",
                "cost/other basis",
                "cost or basis",
                "adjusted cost basis",
                "cost/basis",
                "basis",
                "cost",
                "purchase amount",
            ],
        ),
        optional(
            Role::Disallowed,
            &[
                "wash sale loss disallowed",
                "wash sale disallowed",
                "wash sale loss",
                "wash sale disallowed loss",
                "wash sale amount disallowed",
                "disallowed wash sale loss",
                "disallowed loss",
                "loss disallowed",
                "wash sale adjustment",
                "wash sale amount",
                "wash sale",
                "wash amt disallowed",
                "wash sale loss disallowed amount",
                "amount of adjustment",
                "adjustment amount",
                "adjustment",
            ],
        ),
        optional(
            Role::Term,
            &[
                "term",
                "short-term or long-term",
                "short or long term",
                "short/long",
                "long/short",
                "type of gain or loss",
                "type of gain",
                "gain/loss type",
                "holding period",
                "holding term",
                "long or short term",
            ],
        ),
        optional(
            Role::FormBox,
            &[
                "form 8949 code",
                "form8949code",
                "form 8949 type",
                "form 8949 box",
                "8949 box",
                "8949 code",
                "applicable checkbox on form 8949",
                "applicable check box on form 8949",
                "reporting category",
                "sales category",
            ],
        ),
        optional(
            Role::Covered,
            &[
                "covered",
                "covered security",
                "basis reported to irs",
                "basis reported",
                "check if basis reported to irs",
                "covered or noncovered",
                "covered/noncovered",
                "covered/uncovered",
                "cost basis reported to irs",
            ],
        ),
        optional(
            Role::Noncovered,
            &["noncovered security", "noncovered", "check if noncovered security", "non-covered"],
        ),
        optional(
            Role::Shares,
            &["quantity", "quantity sold", "qty", "shares", "shares sold", "number of shares", "units"],
        ),
        optional(
            Role::Symbol,
            &["symbol", "stock or other symbol", "ticker", "ticker symbol", "security symbol", "symbol/cusip"],
        ),
        optional(Role::Cusip, &["cusip", "cusip number", "cusip no", "cusip #"]),
        optional(Role::Account, &["account number", "account #", "account"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Code, &["code", "codes", "adjustment code", "adjustment codes", "code, if any"]),
    ],
    dates: &[DateStyle::MonthDayYear, DateStyle::Iso, DateStyle::MonthName, DateStyle::Compact],
    classify: Classify::With(|row| {
        let action = if contract(row).is_some() { A::OptionClose } else { A::Sell };
        Some(Class { kind: Kind::Out(action), detail: Some("form_1099b") })
    }),
    footers: &[
        Footer::Undated("total"),
        Footer::Undated("subtotal"),
        Footer::Undated("sub-total"),
        Footer::Undated("grand total"),
        Footer::LongText(120),
    ],
    header: HeaderStyle::BoxNumbers,
    row_is_lot: true,
    unnamed: true,
    heading: Some(heading),
    finish: Some(shares_in_description),
    ask: Some(unnamed),
    ..Dialect::PLAIN
};

/// `Short Term - Covered`, `LONG-TERM TRANSACTIONS FOR NONCOVERED TAX LOTS`, `Box A`.
fn heading(text: &str, context: &mut Context) -> bool {
    let lower = text.to_ascii_lowercase().replace('-', " ");
    let short = lower.contains("short term");
    let long = lower.contains("long term");
    let uncovered = ["noncovered", "non covered", "uncovered", "not reported"].iter().any(|word| lower.contains(word));
    let covered = !uncovered && (lower.contains("covered") || lower.contains("reported"));
    if short == long && !covered && !uncovered {
        return false;
    }
    context.long_term = (short != long).then_some(long);
    context.covered = (covered != uncovered).then_some(covered);
    true
}

/// Where no column has them: `100 SH ACORN INC`, `12.5000 SHARES OF ACORN INC`, `10 ACRN`.
fn shares_in_description(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let mut words = row.text(Role::Description).split_whitespace();
    let first = words.next().unwrap_or_default().replace(',', "");
    let number = Shares::parse_rounded(&first)
        .ok()
        .filter(|shares| shares.is_positive() && *shares < Shares::from_whole(1_000_000_000));
    let rest: Vec<&str> = words.collect();
    let unit = rest.first().map(|word| word.trim_end_matches('.').to_ascii_lowercase());
    let says_shares = matches!(unit.as_deref(), Some("sh" | "shs" | "share" | "shares"));
    let name = if says_shares { &rest[1..] } else { &rest[..] };
    let name = if name.first().is_some_and(|word| word.eq_ignore_ascii_case("of")) { &name[1..] } else { name };
    let ticker = match name {
        [word] if word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'.') => {
            lotwise_core::Symbol::parse(word).ok()
        }
        _ => None,
    };
    if transaction.shares.is_none()
        && let Some(shares) = number.filter(|_| says_shares || ticker.is_some())
    {
        transaction.shares = Some(-shares);
        for lot in &mut transaction.lots {
            lot.shares = shares;
        }
    }
    if transaction.symbol.is_none() && transaction.cusip.is_none() && number.is_some() {
        transaction.symbol = ticker;
    }
    if transaction.price.is_none()
        && transaction.action == A::Sell
        && let Some(shares) = transaction.shares
    {
        // The form has no price; proceeds over shares would be one of our own making.
        transaction.shares = Some(-shares.abs());
    }
    Ok(())
}

fn unnamed(_: &Row<'_>, transaction: &Transaction) -> Option<Ask> {
    let named = transaction.symbol.is_some() || transaction.cusip.is_some();
    let counted = transaction.shares.is_some();
    (!named || !counted).then_some(Ask {
        key: "unnamed-sale",
        text: "These sales name no ticker and no CUSIP, or no number of shares. They count in the totals and cannot be \
               matched with lots. Which securities are they?",
        proposed: "keep them for their totals",
    })
}
