//! What a broker's export becomes: transactions, and an account of every row that did not become one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lotwise_core::{AccountKind, Date, Money, OptionContract, Price, Shares, Symbol};

use crate::answers::Answer;

/// What a transaction did (the names of CLI.md, `import`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Purchase for cash.
    Buy,
    /// Sale for cash.
    Sell,
    /// Purchase paid by a distribution.
    Reinvest,
    /// Cash dividend of any kind, payment in lieu of one, cash in lieu of a fraction.
    Dividend,
    /// Long- or short-term capital gain paid out by a fund.
    CapitalGainDistribution,
    /// Interest credited or debited.
    Interest,
    /// Tax withheld at source.
    TaxWithheld,
    /// Fee that belongs to no trade.
    Fee,
    /// Cash in.
    Deposit,
    /// Cash out.
    Withdrawal,
    /// Cash or shares in from another account.
    TransferIn,
    /// Cash or shares out to another account.
    TransferOut,
    /// Split or stock dividend; `shares` is the change of the holding.
    Split,
    /// Shares of a company spun off.
    Spinoff,
    /// Merger, conversion or name change; one row per leg.
    Merger,
    /// Return of capital.
    ReturnOfCapital,
    /// Option position opened.
    OptionOpen,
    /// Option position closed.
    OptionClose,
    /// Own option exercised.
    OptionExercise,
    /// Written option assigned.
    OptionAssign,
    /// Option lapsed.
    OptionExpire,
    /// Employee stock received.
    Grant,
    /// Anything else that the dialect knows by name; see the description.
    Other,
}

impl Action {
    /// All actions, in the order of CLI.md.
    pub const ALL: [Self; 23] = [
        Self::Buy,
        Self::Sell,
        Self::Reinvest,
        Self::Dividend,
        Self::CapitalGainDistribution,
        Self::Interest,
        Self::TaxWithheld,
        Self::Fee,
        Self::Deposit,
        Self::Withdrawal,
        Self::TransferIn,
        Self::TransferOut,
        Self::Split,
        Self::Spinoff,
        Self::Merger,
        Self::ReturnOfCapital,
        Self::OptionOpen,
        Self::OptionClose,
        Self::OptionExercise,
        Self::OptionAssign,
        Self::OptionExpire,
        Self::Grant,
        Self::Other,
    ];

    /// The name used in files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Reinvest => "reinvest",
            Self::Dividend => "dividend",
            Self::CapitalGainDistribution => "capital_gain_distribution",
            Self::Interest => "interest",
            Self::TaxWithheld => "tax_withheld",
            Self::Fee => "fee",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::TransferIn => "transfer_in",
            Self::TransferOut => "transfer_out",
            Self::Split => "split",
            Self::Spinoff => "spinoff",
            Self::Merger => "merger",
            Self::ReturnOfCapital => "return_of_capital",
            Self::OptionOpen => "option_open",
            Self::OptionClose => "option_close",
            Self::OptionExercise => "option_exercise",
            Self::OptionAssign => "option_assign",
            Self::OptionExpire => "option_expire",
            Self::Grant => "grant",
            Self::Other => "other",
        }
    }

    /// The action with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// One line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Stable id: the broker's own where there is one, else made from content and occurrence.
    pub id: String,
    /// The account as the file names it, possibly masked. Where it names none, the broker, for instance
    /// `"schwab"`; `"default"` in formats that are no broker's.
    pub account: String,
    /// Trade date.
    pub trade_date: Date,
    /// Settlement date.
    pub settle_date: Option<Date>,
    /// What happened.
    pub action: Action,
    /// Ticker, where the file or its security list has one.
    pub symbol: Option<Symbol>,
    /// CUSIP or ISIN, where the file has one.
    pub cusip: Option<String>,
    /// The broker's words.
    pub description: String,
    /// Shares moved: positive in, negative out. A sale is negative, a split is the change.
    pub shares: Option<Shares>,
    /// Price per share as stated.
    pub price: Option<Price>,
    /// Signed effect on cash, net of fees: negative when cash leaves.
    pub amount: Money,
    /// Commissions and fees of the trade, already inside `amount`. Below zero is a rebate.
    pub fees: Money,
    /// ISO currency code.
    pub currency: String,
    /// Refinement of the action in the dialect's words, for instance `cash_in_lieu`,
    /// `payment_in_lieu`, `qualified`, `name_change`.
    pub detail: Option<Cow<'static, str>>,
    /// New shares per old share, where the file states a split's ratio itself.
    pub split_ratio: Option<(Shares, Shares)>,
    /// Lots that the file itself names: those that a sale closed, or what shares that came in bring
    /// along. Empty where it names none.
    pub lots: Vec<StatedLot>,
    /// Terms of the option that the row is about, where the file states them.
    pub option: Option<OptionContract>,
    /// Row of the file, counted from 1 as an editor does.
    pub row: u32,
}

impl Transaction {
    /// A row in US dollars of the account `default` that says no more than this.
    #[must_use]
    pub fn new(action: Action, trade_date: Date, row: u32) -> Self {
        Self {
            id: String::new(),
            account: "default".to_owned(),
            trade_date,
            settle_date: None,
            action,
            symbol: None,
            cusip: None,
            description: String::new(),
            shares: None,
            price: None,
            amount: Money::ZERO,
            fees: Money::ZERO,
            currency: "USD".to_owned(),
            detail: None,
            split_ratio: None,
            lots: Vec::new(),
            option: None,
            row,
        }
    }
}

/// A lot, or a part of one, as a file states it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatedLot {
    /// Its name, where the file has names for lots.
    pub id: Option<String>,
    /// Acquisition date.
    pub acquired: Option<Date>,
    /// Shares of it that the row is about, above zero.
    pub shares: Shares,
    /// Basis of those shares in total.
    pub basis: Option<Money>,
    /// Proceeds of those shares in total, net of fees, where a sale closed them.
    pub proceeds: Option<Money>,
    /// Loss that the broker disallowed as a wash sale, zero or more.
    pub disallowed: Option<Money>,
    /// Whether the broker reports the sale as long-term.
    pub long_term: Option<bool>,
    /// Whether the broker reports the basis to the tax authority (a covered lot).
    pub covered: Option<bool>,
}

/// Why a row is not among the transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowNote {
    /// Row of the file, counted from 1 as an editor does.
    pub row: u32,
    /// Column (header name or tag) of the culprit, where one cell is to blame.
    pub column: Option<String>,
    /// The value of that cell, shortened.
    pub value: Option<String>,
    /// Reason, lower case, without a period.
    pub reason: String,
}

/// A holding that the file itself states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The account as the file names it.
    pub account: String,
    /// Ticker, where known.
    pub symbol: Option<Symbol>,
    /// CUSIP or ISIN, where known.
    pub cusip: Option<String>,
    /// Shares held.
    pub shares: Shares,
    /// Price per share as stated.
    pub price: Option<Price>,
    /// Date of the statement.
    pub as_of: Option<Date>,
    /// Row of the file.
    pub row: u32,
}

/// Something a person has to decide; many rows may share one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Stable key for an answers file, for instance `unknown-action:Foo Adj`.
    pub key: String,
    /// The question in plain words.
    pub text: String,
    /// Rows concerned.
    pub rows: Vec<u32>,
    /// What we would do unasked.
    pub proposed: String,
}

/// One file, read. Always `transactions + ignored + quarantined + duplicates = rows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Id of the format that was recognised, for instance `schwab-transactions-csv`.
    pub format: &'static str,
    /// Records that are neither header nor blank nor footer.
    pub rows: usize,
    /// Good rows, in file order.
    pub transactions: Vec<Transaction>,
    /// Rows that carry no event for us, with the reason.
    pub ignored: Vec<RowNote>,
    /// Rows that we could not read, with the reason.
    pub quarantined: Vec<RowNote>,
    /// Rows that repeat another row of the same file under one broker id.
    pub duplicates: Vec<RowNote>,
    /// Holdings stated by the file.
    pub positions: Vec<Position>,
    /// What the file calls an account beside its number, for instance `Rollover IRA`.
    pub account_labels: BTreeMap<String, String>,
    /// Owner and type of accounts, where the file itself states them.
    pub account_kinds: BTreeMap<String, AccountKind>,
    /// What a person has to decide.
    pub questions: Vec<Question>,
    /// What a person has decided, by the key of the question.
    pub answered: BTreeMap<String, Answer>,
}
