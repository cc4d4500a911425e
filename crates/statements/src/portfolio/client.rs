//! Portfolio Performance's own file (`<client>`): securities, cash accounts and portfolios in XML.
//!
//! A trade stands there as two transactions of one cross entry, of the cash account and of the portfolio; the portfolio's
//! is the one that is imported. Shares are in units of a hundred-millionth, amounts in hundredths.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Money, Shares};

use super::xml::{NodeId, Tree};
use crate::facts::{self, Names};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, Meaning, clip};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, StatedLot, Statement, Transaction};

/// The file that Portfolio Performance saves as XML.
pub(crate) const PORTFOLIO_PERFORMANCE_XML: Format = Format {
    info: FormatInfo {
        id: "portfolio-performance-xml",
        title: "Portfolio Performance, file (XML)",
        extensions: &["xml"],
        example: "<client><version>68</version><baseCurrency>USD</baseCurrency><securities><security>…",
    },
    recognise: |sniff: &Sniff<'_>| {
        let has = |word: &str| sniff.head.contains(word);
        match has("<client>") || has("<client id=") {
            true if has("<version>") && (has("<securities") || has("<baseCurrency>")) => Confidence::Sure,
            _ => Confidence::No,
        }
    },
    read,
};

const NAMES: Names<'static> = Names { symbol: "security", shares: "shares", price: "quote", amount: "amount" };

/// Files of this version and later count shares in hundred-millionths.
const OLDEST_VERSION: u32 = 49;

/// Most accounts and portfolios of one file; people have a handful.
const MOST_ACCOUNTS: usize = 2000;

/// What the two kinds of transactions are called.
const OF_ACCOUNT: &str = "account-transaction";
const OF_PORTFOLIO: &str = "portfolio-transaction";

fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let tree = Tree::parse(text.as_str(), options)?;
    let wrong = |id: Option<NodeId>, reason: &str| Error::Malformed {
        line: id.map_or(1, |id| tree.row(id)),
        column: 1,
        reason: reason.to_owned(),
    };
    let root = tree.root().filter(|&root| tree.name(root) == "client");
    let root = root.ok_or_else(|| wrong(tree.root(), "the outermost element is not <client>"))?;
    let version = tree.words(root, "version").and_then(|words| words.parse::<u32>().ok());
    if version.is_none_or(|version| version < OLDEST_VERSION) {
        let reason = "an old Portfolio Performance wrote this file, with another unit for shares; open it in a present one, \
                      save it again as XML and import that";
        return Err(wrong(tree.child(root, "version"), reason));
    }
    let mut reading = Reading { tree: &tree, gathering: Gathering::with(PORTFOLIO_PERFORMANCE_XML.info.id, options) };
    let listed = |list: &str, name: &str| -> Vec<NodeId> {
        let Some(list) = tree.child(root, list) else { return Vec::new() };
        tree.children(list).filter(|&id| tree.name(id) == name).collect()
    };
    let (accounts, portfolios) = (listed("accounts", "account"), listed("portfolios", "portfolio"));
    if accounts.len() + portfolios.len() > MOST_ACCOUNTS {
        return Err(Error::OverLimit { what: "accounts and portfolios", limit: MOST_ACCOUNTS as u64 });
    }
    let names = names(&tree, &accounts, &portfolios);
    let mut trades: BTreeSet<NodeId> = BTreeSet::new();
    let mut done: BTreeSet<NodeId> = BTreeSet::new();
    let mut count = 0;
    for (holders, kind) in [(&portfolios, OF_PORTFOLIO), (&accounts, OF_ACCOUNT)] {
        for &holder in holders {
            let Some(list) = tree.child(holder, "transactions") else { continue };
            let name = names.get(&holder).map_or("default", String::as_str);
            for id in tree.children(list).filter(|&id| tree.name(id) == kind || is_leg(&tree, id, kind)) {
                count += 1;
                options.check(count)?;
                if !done.insert(id) {
                    continue;
                }
                if kind == OF_PORTFOLIO {
                    trades.insert(id);
                }
                reading.transaction(id, name, kind, &trades)?;
            }
        }
    }
    Ok(reading.gathering.finish())
}

/// Whether an element that is written in full inside a cross entry is a transaction of this kind.
fn is_leg(tree: &Tree, id: NodeId, kind: &str) -> bool {
    let of_account = matches!(tree.name(id), "accountTransaction");
    let of_portfolio = matches!(tree.name(id), "portfolioTransaction");
    // Both sides of a transfer between two accounts or two portfolios have the same names.
    let either = matches!(tree.name(id), "transactionFrom" | "transactionTo");
    either || (of_account && kind == OF_ACCOUNT) || (of_portfolio && kind == OF_PORTFOLIO)
}

/// The name of every account and portfolio. A cash account that settles one portfolio alone goes by that one's name.
fn names(tree: &Tree, accounts: &[NodeId], portfolios: &[NodeId]) -> BTreeMap<NodeId, String> {
    let own = |id: NodeId| clip(tree.words(id, "name").unwrap_or("default"), 120);
    let mut names: BTreeMap<NodeId, String> = portfolios.iter().map(|&id| (id, own(id))).collect();
    for &account in accounts {
        let mut settles = portfolios.iter().filter(|&&id| tree.child(id, "referenceAccount") == Some(account));
        let name = match (settles.next(), settles.next()) {
            (Some(&portfolio), None) => own(portfolio),
            _ => own(account),
        };
        names.insert(account, name);
    }
    names
}

struct Reading<'a> {
    tree: &'a Tree,
    gathering: Gathering,
}

impl Reading<'_> {
    fn transaction(&mut self, id: NodeId, account: &str, kind: &str, trades: &BTreeSet<NodeId>) -> Result<(), Error> {
        let row = self.tree.row(id);
        let word = self.tree.words(id, "type").unwrap_or_default();
        if kind == OF_ACCOUNT && matches!(word, "BUY" | "SELL") {
            let shares = self.tree.child(id, "crossEntry");
            let shares = shares.and_then(|entry| self.tree.child(entry, "portfolioTransaction"));
            return match shares.is_some_and(|shares| trades.contains(&shares)) {
                true => self.gathering.ignore(row, word, "the cash side of a trade that its portfolio shows"),
                false => {
                    let reason = "is the cash side of a trade whose shares are in no portfolio of the file";
                    self.gathering.quarantine(Fault::new("crossEntry", word, reason).into_note(row))
                }
            };
        }
        match self.draft(id, account, kind, word) {
            Ok(Some(draft)) => self.gathering.accept(draft),
            Ok(None) => self.gathering.ignore(row, word, crate::gather::LEFT_OUT),
            Err(fault) => self.gathering.quarantine(fault.into_note(row)),
        }
    }

    fn draft(&mut self, id: NodeId, account: &str, kind: &str, word: &str) -> Result<Option<Transaction>, Fault> {
        let tree = self.tree;
        let row = tree.row(id);
        let date = tree.words(id, "date").ok_or_else(|| Fault::missing("date"))?;
        let date = facts::iso_date("date", date)?;
        let of_portfolio = kind == OF_PORTFOLIO;
        let action = match (of_portfolio, word) {
            (true, "BUY") => Action::Buy,
            (true, "SELL") => Action::Sell,
            (true, "TRANSFER_IN" | "DELIVERY_INBOUND") | (false, "TRANSFER_IN") => Action::TransferIn,
            (true, "TRANSFER_OUT" | "DELIVERY_OUTBOUND") | (false, "TRANSFER_OUT") => Action::TransferOut,
            (false, "DEPOSIT") => Action::Deposit,
            (false, "REMOVAL") => Action::Withdrawal,
            (false, "INTEREST" | "INTEREST_CHARGE") => Action::Interest,
            (false, "DIVIDENDS") => Action::Dividend,
            (false, "FEES" | "FEES_REFUND") => Action::Fee,
            (false, "TAXES" | "TAX_REFUND") => Action::TaxWithheld,
            (_, "") => return Err(Fault::missing("type")),
            _ => match self.gathering.meaning("type", word, row)? {
                Meaning::Do(action) => action,
                Meaning::LeaveOut => return Ok(None),
            },
        };
        let mut draft = Transaction { account: account.to_owned(), ..Transaction::new(action, date, row) };
        draft.id = tree.words(id, "uuid").map(|words| clip(words, 80)).unwrap_or_default();
        draft.description = clip(tree.words(id, "note").unwrap_or_default(), 200);
        if let Some(code) = tree.words(id, "currencyCode") {
            draft.currency = facts::currency("currencyCode", code)?;
        }
        let amount =
            Money::from_billionths(scaled(tree, id, "amount", HUNDREDTH)?.ok_or_else(|| Fault::missing("amount"))?);
        self.security(id, &mut draft)?;
        let tax = self.units(id, &mut draft)?;
        let inward = matches!(action, Action::Buy | Action::TransferIn);
        if of_portfolio {
            let shares = scaled(tree, id, "shares", HUNDRED_MILLIONTH)?.map(Shares::from_billionths);
            let shares = shares.filter(|shares| !shares.is_zero()).ok_or_else(|| Fault::missing("shares"))?;
            if shares.abs() > facts::MOST_SHARES {
                return Err(Fault::new("shares", &shares.to_string(), "is more shares than any company has issued"));
            }
            draft.shares = Some(if inward { shares.abs() } else { -shares.abs() });
        }
        let cash = match (of_portfolio, action, word) {
            (true, Action::TransferIn, _) => {
                // What comes in without a purchase has its value as cost.
                let shares = draft.shares.unwrap_or_default();
                let basis = (word == "DELIVERY_INBOUND").then_some(amount);
                draft.lots = vec![StatedLot { shares, basis, ..StatedLot::default() }];
                Money::ZERO
            }
            (true, Action::TransferOut, _) => Money::ZERO,
            (false, Action::Interest | Action::Dividend, word) => {
                if word == "INTEREST_CHARGE" {
                    -amount.abs()
                } else {
                    amount
                }
            }
            (false, _, "FEES_REFUND" | "TAX_REFUND") => {
                draft.detail = Some("refund".into());
                amount.abs()
            }
            _ => facts::signed(action, amount),
        };
        if of_portfolio && matches!(action, Action::TransferIn | Action::TransferOut) {
            draft.detail = Some(if word.starts_with("DELIVERY") { "delivery" } else { "transfer" }.into());
        }
        if !of_portfolio && !matches!(action, Action::Dividend | Action::TaxWithheld | Action::Fee | Action::Interest) {
            (draft.symbol, draft.cusip) = (None, None);
        }
        if tax {
            let text = "Rows carry tax inside their amount, and no row of its own for it. Enter the tax by hand if it counts for you.";
            self.gathering.ask("tax-inside", text, "keep the amount as the cash that moved", row);
        }
        facts::complete(&mut draft, Some(cash), &NAMES)?;
        Ok(Some(draft))
    }

    /// Ticker and ISIN of the security that a transaction refers to.
    fn security(&mut self, id: NodeId, draft: &mut Transaction) -> Result<(), Fault> {
        let Some(security) = self.tree.child(id, "security") else { return Ok(()) };
        let words = |name: &str| self.tree.words(security, name);
        draft.cusip = words("isin").map(|isin| clip(isin, 40));
        if let Some(ticker) = words("tickerSymbol") {
            (draft.symbol, _) = facts::security("tickerSymbol", ticker)?;
        }
        if draft.symbol.is_none() {
            let name = words("name").map(|name| clip(name, 120));
            let name = name.ok_or_else(|| Fault::missing("tickerSymbol"))?;
            draft.symbol = self.gathering.named(&name, draft.row);
        }
        Ok(())
    }

    /// Fees of a transaction, which its amount holds already; true where it holds taxes too.
    fn units(&mut self, id: NodeId, draft: &mut Transaction) -> Result<bool, Fault> {
        let Some(units) = self.tree.child(id, "units") else { return Ok(false) };
        let mut tax = false;
        for unit in self.tree.children(units) {
            let Some(amount) = self.tree.child(unit, "amount") else { continue };
            let text = self.tree.attribute(amount, "amount").unwrap_or_default();
            let amount = Money::from_billionths(times("unit", text, HUNDREDTH)?);
            match self.tree.attribute(unit, "type") {
                Some("FEE") => draft.fees = draft.fees.checked_add(amount).ok_or_else(|| too_large("unit", text))?,
                Some("TAX") => tax |= !amount.is_zero(),
                _ => {}
            }
        }
        Ok(tax)
    }
}

/// Billionths of a hundredth and of a hundred-millionth.
const HUNDREDTH: i128 = 10_000_000;
const HUNDRED_MILLIONTH: i128 = 10;

/// A whole number of units inside an element, in billionths.
fn scaled(tree: &Tree, id: NodeId, name: &str, unit: i128) -> Result<Option<i128>, Fault> {
    tree.words(id, name).map(|words| times(name, words, unit)).transpose()
}

fn times(name: &str, words: &str, unit: i128) -> Result<i128, Fault> {
    let count = words.trim().parse::<i64>().map_err(|_| Fault::new(name, words, "is not a whole number of units"))?;
    let billionths = i128::from(count).checked_mul(unit).filter(|product| product.abs() <= MOST_BILLIONTHS);
    billionths.ok_or_else(|| too_large(name, words))
}

fn too_large(name: &str, words: &str) -> Fault {
    Fault::new(name, words, "is too large")
}

/// More than any portfolio holds.
const MOST_BILLIONTHS: i128 = 1_000_000_000_000_000 * 1_000_000_000;
