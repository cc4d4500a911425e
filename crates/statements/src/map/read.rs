//! Reads a table by its map.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lotwise_core::{Date, Money, OptionContract, Shares};

use super::{AmountIs, AmountSign, FeesSign, Map, Meant, normal};
use crate::cell;
use crate::facts::{self, Names};
use crate::gather::{Fault, Gathering, LEFT_OUT, Meaning, clip, describe};
use crate::json::Outcome;
use crate::read::ReadOptions;
use crate::records::{Records, delimiter};
use crate::text::Text;
use crate::{Action, Error, Statement, Transaction};

/// Records in which a header is looked for.
const HEADER_WITHIN: usize = 100;
/// More cells are no header.
const WIDEST_HEADER: usize = 512;

/// Places of the columns of one header.
struct Header {
    at: BTreeMap<&'static str, Vec<usize>>,
    names: Vec<String>,
}

/// Last touches on a row that a map cannot say: the cell of a role, the transaction, its stated amount.
pub(crate) type Finish = fn(&dyn Fn(&str) -> String, &mut Transaction, &mut Option<Money>) -> Result<(), Fault>;

/// Whether a record among the first is the header of this map.
pub(crate) fn header_matches(map: &Map, head: &str) -> bool {
    find_header(map, head).is_ok()
}

fn find_header(map: &Map, content: &str) -> Result<(Header, u32, u8), Error> {
    let delimiter = map.delimiter.unwrap_or_else(|| delimiter(content));
    let mut records = Records::new(content, delimiter);
    let mut nearest: Option<(usize, u32, String)> = None;
    for _ in 0..HEADER_WITHIN {
        if !records.advance()? {
            break;
        }
        match header(map, &records.cells) {
            Ok(header) => return Ok((header, records.line, delimiter)),
            Err((missing, column)) => {
                if nearest.as_ref().is_none_or(|(fewest, ..)| missing < *fewest) {
                    nearest = Some((missing, records.line, column));
                }
            }
        }
    }
    let (_, line, column) = nearest.unwrap_or_default();
    Err(Error::MissingColumn { line, column })
}

/// The places, or how many columns are missing and the first of them.
fn header(map: &Map, cells: &[Cow<'_, str>]) -> Result<Header, (usize, String)> {
    if cells.len() > WIDEST_HEADER {
        return Err((usize::MAX, String::new()));
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (place, cell) in cells.iter().enumerate() {
        names.entry(normal(cell)).or_insert(place);
    }
    let mut at: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    let (mut missing, mut first) = (0, None);
    for (role, wanted) in map.columns.roles() {
        let mut places = wanted.all().iter().filter_map(|name| names.get(&normal(name)).copied());
        let found: Vec<usize> = if role == "fees" { places.collect() } else { places.next().into_iter().collect() };
        let needed = !map.lenient || matches!(role, "date" | "action") || map.required.iter().any(|name| name == role);
        let all_fees = map.lenient || role != "fees" || found.len() == wanted.all().len();
        if !wanted.all().is_empty() && (found.is_empty() || !all_fees) && needed {
            missing += 1;
            let lacking = wanted.all().iter().find(|name| !names.contains_key(&normal(name)));
            first = first.or_else(|| lacking.cloned());
        }
        if !found.is_empty() {
            at.insert(role, found);
        }
    }
    if missing > 0 {
        return Err((missing, first.unwrap_or_default()));
    }
    Ok(Header { at, names: cells.iter().map(|cell| cell.trim().to_owned()).collect() })
}

/// Reads the whole table.
///
/// # Errors
/// When the header is not there, a cell is never closed, or a limit is reached.
pub(crate) fn read(
    format: &'static str,
    map: &Map,
    finish: Option<Finish>,
    text: &Text<'_>,
    options: &ReadOptions<'_>,
) -> Result<Statement, Error> {
    let (header, line, delimiter) = find_header(map, text.as_str())?;
    options.check_columns(header.names.len())?;
    options.check_time()?;
    let mut gathering = Gathering::with(format, options);
    let mut records = Records::new(text.as_str(), delimiter);
    let mut count = 0;
    while records.advance()? {
        if records.line <= line || records.is_blank() || is_footer(map, &records.cells) {
            continue;
        }
        options.check_columns(records.cells.len())?;
        count += 1;
        options.check(count)?;
        let decimal_comma = map.decimal_comma.unwrap_or(delimiter == b';');
        let row = Row { map, decimal_comma, header: &header, cells: &records.cells, line: records.line };
        match transaction(&row, finish, &mut gathering) {
            Ok(Outcome::Take(transaction)) => gathering.accept(*transaction)?,
            Ok(Outcome::Ignore { what, reason }) => gathering.ignore(records.line, &what, reason)?,
            Err(fault) => gathering.quarantine(fault.into_note(records.line))?,
        }
    }
    Ok(gathering.finish())
}

fn is_footer(map: &Map, cells: &[Cow<'_, str>]) -> bool {
    let first = cells.iter().find(|cell| !cell.is_empty()).map_or(String::new(), |cell| normal(cell));
    map.footers.iter().any(|words| first.starts_with(words))
}

struct Row<'r> {
    map: &'r Map,
    decimal_comma: bool,
    header: &'r Header,
    cells: &'r [Cow<'r, str>],
    line: u32,
}

impl Row<'_> {
    fn place(&self, role: &str) -> Option<usize> {
        self.header.at.get(role).and_then(|places| places.first()).copied()
    }

    /// The name of the column of a role, for notes.
    fn column(&self, role: &str) -> &str {
        let known =
            ["symbol", "shares", "price", "amount"].into_iter().find(|known| *known == role).unwrap_or("column");
        self.place(role).and_then(|place| self.header.names.get(place)).map_or(known, String::as_str)
    }

    fn text(&self, role: &str) -> &str {
        let text = self.place(role).and_then(|place| self.cells.get(place)).map_or("", |cell| cell.as_ref());
        if cell::is_nothing(text) { "" } else { text }
    }

    fn number<T>(&self, role: &str, text: &str, parse: fn(&str, &str) -> Result<T, Fault>) -> Result<Option<T>, Fault> {
        if text.is_empty() {
            return Ok(None);
        }
        let plain = plain_number(text, self.decimal_comma)
            .ok_or_else(|| Fault::new(self.column(role), text, "is not a number with the map's decimal sign"))?;
        parse(self.column(role), &plain).map(Some).map_err(|fault| Fault { value: Some(clip(text, 80)), ..fault })
    }

    fn date(&self, role: &str) -> Result<Option<Date>, Fault> {
        let text = self.text(role);
        if text.is_empty() {
            return Ok(None);
        }
        let read = self.map.dates.iter().find_map(|pattern| pattern.read(text));
        read.map(Some).ok_or_else(|| Fault::new(self.column(role), text, "is no date of the map's patterns"))
    }
}

/// Without currency signs and thousands, with a period for decimals.
pub(super) fn plain_number(text: &str, decimal_comma: bool) -> Option<String> {
    let text = text.trim();
    let sign = |character: char| "€£$¥\u{a0}\u{202f} ".contains(character);
    let kept: String = text.chars().filter(|character| !sign(*character)).collect();
    let code = |text: &str| {
        text.len() > 3 && text.is_char_boundary(3) && text.bytes().take(3).all(|byte| byte.is_ascii_uppercase())
    };
    let kept = if code(&kept) { kept[3..].to_owned() } else { kept };
    let tail = kept.len().checked_sub(3).filter(|at| kept.is_char_boundary(*at));
    let kept = match tail.and_then(|at| kept.split_at_checked(at)) {
        Some((number, unit)) if unit.bytes().all(|byte| byte.is_ascii_uppercase()) && !number.is_empty() => {
            number.to_owned()
        }
        _ => kept,
    };
    if !decimal_comma {
        return Some(kept.replace('\'', ""));
    }
    let (whole, decimals) =
        kept.split_once(',').map_or((kept.as_str(), None), |(whole, decimals)| (whole, Some(decimals)));
    if decimals.is_some_and(|decimals| decimals.contains([',', '.'])) {
        return None;
    }
    let mut groups = whole.trim_start_matches(['-', '+', '(']).split(['.', '\'']);
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    // A period that groups no thousands would be a decimal point.
    if !rest.is_empty() && (first.len() > 3 || rest.iter().any(|group| group.len() != 3)) {
        return None;
    }
    let whole = whole.replace(['.', '\''], "");
    Some(decimals.map_or(whole.clone(), |decimals| format!("{whole}.{decimals}")))
}

fn transaction(row: &Row<'_>, finish: Option<Finish>, gathering: &mut Gathering) -> Result<Outcome, Fault> {
    let map = row.map;
    if let Some(extra) =
        row.cells.get(row.header.names.len()..).and_then(|extra| extra.iter().find(|cell| !cell.is_empty()))
    {
        return Err(Fault::new("row", extra, "has more cells than the header; is a delimiter not quoted?"));
    }
    let word = row.text("action");
    let meant = match (word, &map.constants.action) {
        ("", Some(action)) => super::meant(action),
        ("", None) => return Err(Fault::missing(row.column("action"))),
        (word, _) => map.meaning(word),
    };
    let meant = match meant {
        Some(meant) => meant,
        None => match gathering.meaning(row.column("action"), word, row.line)? {
            Meaning::Do(action) => Meant::Do(action),
            Meaning::LeaveOut => Meant::LeaveOut,
        },
    };
    if meant == Meant::LeaveOut {
        return Ok(Outcome::ignore(
            word,
            if map.meaning(word).is_some() { "left out by the column map" } else { LEFT_OUT },
        ));
    }
    let date = row.date("date")?.ok_or_else(|| Fault::missing(row.column("date")))?;
    let fees = fees(row)?;
    let amount = row.number("amount", row.text("amount"), facts::money)?;
    let amount = match map.signs.amount {
        AmountSign::Reversed => amount.map(|amount| -amount),
        AmountSign::Signed | AmountSign::Unsigned => amount,
    };
    let shares = row.number("shares", row.text("shares"), facts::shares)?.filter(|shares| !shares.is_zero());
    let out = |shares: Option<Shares>| match (shares, amount) {
        (Some(shares), amount) if amount.is_none_or(Money::is_zero) => shares.is_negative(),
        (_, amount) => amount.is_some_and(Money::is_negative),
    };
    let action = match meant {
        Meant::Do(action) => action,
        Meant::BySign(inward, outward) => {
            if out(shares) {
                outward
            } else {
                inward
            }
        }
        Meant::Trade => {
            let sells = shares.is_some_and(Shares::is_negative) || amount.is_some_and(Money::is_positive);
            if sells { Action::Sell } else { Action::Buy }
        }
        Meant::LeaveOut => Action::Other,
    };
    let mut draft = Transaction::new(action, date, row.line);
    draft.id = row.text("id").to_owned();
    draft.settle_date = row.date("settle_date")?;
    draft.description = describe(&[Some(row.text("description")), Some(row.text("name"))]);
    draft.price = row.number("price", row.text("price"), facts::price)?.filter(|price| !price.is_zero());
    draft.fees = fees;
    draft.shares = shares.map(|shares| facts::directed(action, shares));
    if let Some(account) =
        Some(row.text("account")).filter(|text| !text.is_empty()).or(map.constants.account.as_deref())
    {
        draft.account = clip(account, 80);
    }
    if let Some(code) = Some(row.text("currency")).filter(|text| !text.is_empty()).or(map.constants.currency.as_deref())
    {
        draft.currency = facts::currency(row.column("currency"), code)?;
    }
    draft.split_ratio = ratio(row)?;
    security(row, &mut draft, gathering)?;
    let mut amount = amount.map(|amount| match map.signs.amount {
        AmountSign::Unsigned => facts::signed(action, amount),
        AmountSign::Signed | AmountSign::Reversed => amount,
    });
    if map.signs.amount_is == AmountIs::BeforeFees {
        amount = amount.map(|amount| amount - fees);
    }
    if let Some(tax) = row.number("taxes", row.text("taxes"), facts::money)?
        && !tax.is_zero()
    {
        let text = "Rows carry tax inside their amount, and no row of its own for it. Enter the tax by hand if it counts for you.";
        gathering.ask("tax-inside", text, "keep the amount as the cash that moved", row.line);
    }
    if let Some(finish) = finish {
        finish(&|role| row.text(role).to_owned(), &mut draft, &mut amount)?;
    }
    let names = Names {
        symbol: row.column("symbol"),
        shares: row.column("shares"),
        price: row.column("price"),
        amount: row.column("amount"),
    };
    facts::complete(&mut draft, amount, &names)?;
    Ok(Outcome::Take(Box::new(draft)))
}

fn fees(row: &Row<'_>) -> Result<Money, Fault> {
    let mut sum = Money::ZERO;
    for &place in row.header.at.get("fees").map_or(&[][..], Vec::as_slice) {
        let text = row.cells.get(place).map_or("", |cell| cell.as_ref());
        let text = if cell::is_nothing(text) { "" } else { text };
        let fee = row.number("fees", text, facts::money)?.unwrap_or(Money::ZERO);
        sum += match row.map.signs.fees {
            FeesSign::CostPositive => fee,
            FeesSign::CostNegative => -fee,
            FeesSign::Absolute => fee.abs(),
        };
    }
    Ok(sum)
}

/// `10:1` as new shares for old.
fn ratio(row: &Row<'_>) -> Result<Option<(Shares, Shares)>, Fault> {
    let text = row.text("split_ratio");
    if text.is_empty() {
        return Ok(None);
    }
    let read = |part: &str| {
        Shares::parse(part.trim()).ok().filter(|shares| shares.is_positive() && *shares <= facts::MOST_SHARES)
    };
    let parts = text.split_once([':', '/']).and_then(|(new, old)| Some((read(new)?, read(old)?)));
    let wrong = || Fault::new(row.column("split_ratio"), text, "is not a ratio of new shares to old such as 10:1");
    parts.map(Some).ok_or_else(wrong)
}

/// The ticker, else the identifier, else for what moves shares a ticker that a person answers or the name itself.
fn security(row: &Row<'_>, draft: &mut Transaction, gathering: &mut Gathering) -> Result<(), Fault> {
    let text = Some(row.text("symbol")).filter(|text| !text.is_empty()).or(row.map.constants.symbol.as_deref());
    // Programs that book cash as if it were a security call it so.
    if let Some(text) = text.filter(|text| !text.starts_with("$CASH")) {
        if let Ok(option) = OptionContract::parse_occ(text) {
            draft.symbol = option.symbol();
            draft.option = Some(option);
        } else {
            (draft.symbol, draft.cusip) = facts::security(row.column("symbol"), text)?;
        }
    }
    let identifier = row.text("cusip");
    if !identifier.is_empty() {
        draft.cusip = Some(clip(identifier, 20));
    }
    let name = row.text("name");
    if draft.symbol.is_none() && draft.cusip.is_none() && !name.is_empty() && draft.shares.is_some() {
        draft.symbol = gathering.named(name, row.line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_the_maps_decimal_sign() {
        for (text, comma, expected) in [
            ("1.234,56", true, Some("1234.56")),
            ("-1.234.567,5", true, Some("-1234567.5")),
            ("12,5 €", true, Some("12.5")),
            ("1.23", true, None),
            ("1,2,3", true, None),
            ("1'234,5", true, Some("1234.5")),
            ("EUR 5", false, Some("5")),
            ("5.25USD", false, Some("5.25")),
            ("1,234.5", false, Some("1,234.5")),
            ("€88.94", false, Some("88.94")),
        ] {
            assert_eq!(plain_number(text, comma).as_deref(), expected, "{text}");
        }
    }
}
