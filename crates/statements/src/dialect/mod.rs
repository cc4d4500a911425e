//! Dialects as data: a table says how one broker writes, and one reader ([`flat`], [`sections`])
//! interprets all of them.

pub(crate) mod etrade;
pub(crate) mod fidelity;
mod flat;
pub(crate) mod form_1099b;
mod header;
pub(crate) mod ibkr_activity;
pub(crate) mod ibkr_history;
mod lot;
pub(crate) mod lotwise;
pub(crate) mod merrill;
pub(crate) mod option;
pub(crate) mod revolut;
pub(crate) mod robinhood;
mod row;
pub(crate) mod schwab;
pub(crate) mod schwab_awards;
pub(crate) mod schwab_realized;
mod sections;
pub(crate) mod td_ameritrade;
pub(crate) mod trading212;
pub(crate) mod vanguard;
pub(crate) mod vanguard_uk;
pub(crate) mod webull;
pub(crate) mod xtb;

use crate::cell::{Comma, DateStyle};
use crate::{Action, Transaction};

pub(crate) use flat::{book_named, first_missing_column, read, read_parts, recognise, recognise_parts};
pub(crate) use row::gross;

/// Settles which trades of options open and which close, for dialects whose rows do not say so.
///
/// # Errors
/// Those of the reading.
pub(crate) fn read_sides(read: Result<crate::Statement, crate::Error>) -> Result<crate::Statement, crate::Error> {
    read.map(|mut statement| {
        crate::sides::open_or_close(&mut statement);
        statement
    })
}

use row::{Context, Fault, Row};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Account number, or whatever tells accounts apart best.
    Account,
    /// Name of the account, used where there is no number.
    AccountName,
    /// Trade date.
    Date,
    /// Settlement date.
    SettleDate,
    /// What happened, in the broker's words.
    Action,
    /// Ticker, CUSIP or ISIN.
    Symbol,
    /// CUSIP or ISIN.
    Cusip,
    /// Free text.
    Description,
    /// Number of shares.
    Shares,
    /// Price per share.
    Price,
    /// Cash effect.
    Amount,
    /// Commission or fee; several columns may have this role.
    Fee,
    /// ISO currency code.
    Currency,
    /// The broker's id of the row.
    Id,
    /// What refines the action, in our own words.
    Detail,
    /// Class of the asset.
    Class,
    /// Codes that refine the row.
    Code,
    /// Which kind of record of its section the row is.
    Kind,
    /// New shares for old, `10:1`.
    Ratio,
    /// Currency of the price, where it may be another than that of the amount.
    PriceCurrency,
    /// When the shares sold or granted were acquired.
    Acquired,
    /// Basis of the shares sold, in total.
    Basis,
    /// Basis per share.
    BasisPrice,
    /// Loss that the broker disallowed.
    Disallowed,
    /// Short or long term.
    Term,
    /// Box of Form 8949.
    FormBox,
    /// Whether the broker reports the basis.
    Covered,
    /// Marked where the broker does not report the basis.
    Noncovered,
    /// The broker's name of a lot or award.
    LotId,
    /// Shares of a lot.
    LotShares,
    /// Shares that were left after some were withheld.
    NetShares,
    /// Gain of a lot.
    Gain,
    /// Value of a share on the day it vested.
    VestPrice,
    /// Day of purchase under an employees' plan.
    Purchased,
    /// Price paid under an employees' plan.
    PurchasePrice,
}

impl Role {
    /// Number of roles.
    pub(crate) const COUNT: usize = Self::PurchasePrice as usize + 1;
}

/// One column of a dialect.
pub(crate) struct Column {
    /// What it holds.
    pub(crate) role: Role,
    /// Its names, in lower case, without `($)`, blanks single. A name that ends in `(*)` has a currency in its place.
    pub(crate) names: &'static [&'static str],
    /// Whether a header without it is not this dialect.
    pub(crate) required: bool,
}

/// A column that must be there.
pub(crate) const fn needed(role: Role, names: &'static [&'static str]) -> Column {
    Column { role, names, required: true }
}

/// A column that may be there.
pub(crate) const fn optional(role: Role, names: &'static [&'static str]) -> Column {
    Column { role, names, required: false }
}

/// A pattern over text in lower case with single blanks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Words {
    /// The whole text.
    Is(&'static str),
    /// How the text begins, ending at a word's end.
    Starts(&'static str),
    /// Anywhere in the text.
    Has(&'static str),
}

impl Words {
    pub(crate) fn matches(self, text: &str) -> bool {
        match self {
            Self::Is(words) => text == words,
            Self::Starts(words) => {
                text.strip_prefix(words).is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
            }
            Self::Has(words) => text.contains(words),
        }
    }
}

/// What a row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// This action; shares as the file signs them.
    Do(Action),
    /// This action with shares coming in, however the file signs them.
    In(Action),
    /// This action with shares going out, however the file signs them.
    Out(Action),
    /// The first when cash or shares come in, the second when they go out.
    BySign(Action, Action),
    /// The first when shares come in, the second when they go out.
    ByShares(Action, Action),
    /// This action with cash coming in, however the file signs it.
    Pays(Action),
    /// This action with cash going out, however the file signs it.
    Costs(Action),
    /// A lot of the trade above it, not a row of its own.
    Lot,
    /// A movement between cash and the fund that holds the cash: no shares, direction by cash.
    Sweep,
    /// No event of its own, for this reason.
    Ignore(&'static str),
}

impl Kind {
    /// What a row of this action becomes where nothing more is known of it.
    pub(crate) fn of(action: Action) -> Self {
        match action {
            Action::Buy | Action::Reinvest | Action::Grant | Action::TransferIn => Self::In(action),
            Action::Sell | Action::TransferOut => Self::Out(action),
            _ => Self::Do(action),
        }
    }
}

/// One line of a vocabulary: the broker's words, what they mean, and the refinement (`""` for none).
pub(crate) type Rule = (Words, Kind, &'static str);

/// A row after classification.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class {
    pub(crate) kind: Kind,
    pub(crate) detail: Option<&'static str>,
}

/// The first rule that matches.
pub(crate) fn look_up(rules: &[Rule], text: &str) -> Option<Class> {
    rules
        .iter()
        .find(|(words, ..)| words.matches(text))
        .map(|&(_, kind, detail)| Class { kind, detail: (!detail.is_empty()).then_some(detail) })
}

/// How a row is classified.
pub(crate) enum Classify {
    /// By the words of the action column.
    Words(&'static [Rule]),
    /// By a function, where one column is not enough. `None` is an unknown action.
    With(fn(&Row<'_>) -> Option<Class>),
}

/// How fees are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeeSign {
    /// A cost is positive.
    CostPositive,
    /// A cost is negative.
    CostNegative,
}

/// What the amount column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AmountMeaning {
    /// Signed cash effect, net of fees.
    Net,
    /// Signed cash effect before fees.
    BeforeFees,
    /// As [`Net`](Self::Net); where a trade leaves it empty it follows from shares, price and fees.
    NetOrComputed,
    /// As [`Net`](Self::Net), but trades are written without a sign.
    UnsignedTrades,
}

/// What surrounds the names in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderStyle {
    /// Nothing but `($)`.
    Plain,
    /// Numbers of a form's boxes and remarks in brackets: `1099-B-1d Proceeds`, `1a. Description (Example 100 sh.)`.
    BoxNumbers,
}

/// Something a person has to decide about a row; rows with the same key share the question.
pub(crate) struct Ask {
    /// Stable key.
    pub(crate) key: &'static str,
    /// The question in plain words.
    pub(crate) text: &'static str,
    /// What is done unasked.
    pub(crate) proposed: &'static str,
}

/// A record that is no row.
pub(crate) enum Footer {
    /// A record whose first filled cell begins like this, in lower case.
    Starts(&'static str),
    /// As [`Starts`](Self::Starts), where the record has no date: a security may be called `TOTAL`.
    Undated(&'static str),
    /// As [`Starts`](Self::Starts); everything below it is footer as well.
    ToEnd(&'static str),
    /// A record whose cells are all empty up to the width of the header, with text behind.
    BehindTheTable,
    /// A record with one filled cell, the first, of at least this many characters.
    LongText(usize),
}

/// Completes a transaction from what no column states.
pub(crate) type Finish = fn(&Row<'_>, &mut Transaction) -> Result<(), Fault>;

/// How one broker writes a table.
pub(crate) struct Dialect {
    /// Id and title of the format.
    pub(crate) id: &'static str,
    /// Columns.
    pub(crate) columns: &'static [Column],
    /// Whether a column that is not listed makes the file wrong rather than richer.
    pub(crate) only_known_columns: bool,
    /// Styles of dates, tried in order.
    pub(crate) dates: &'static [DateStyle],
    /// Meaning of rows.
    pub(crate) classify: Classify,
    /// How many words of an unknown action tell it from others.
    pub(crate) words_per_action: usize,
    /// Records that are no rows.
    pub(crate) footers: &'static [Footer],
    /// Texts before and after an account's name in the lines above the header, in lower case.
    pub(crate) account_between: Option<(&'static str, &'static str)>,
    /// How fees are signed.
    pub(crate) fees: FeeSign,
    /// What the amount means.
    pub(crate) amount: AmountMeaning,
    /// Whether a number of shares may end in `S` for the short side.
    pub(crate) short_suffix: bool,
    /// How a comma inside a number is read where the table is delimited by commas.
    pub(crate) comma: Comma,
    /// Currency where the file states none.
    pub(crate) currency: &'static str,
    /// What surrounds the names in the header.
    pub(crate) header: HeaderStyle,
    /// Whether every row is the sale of one lot that the row describes.
    pub(crate) row_is_lot: bool,
    /// Whether records without date and action belong to the row above them.
    pub(crate) continues: bool,
    /// Whether a trade may name its security by a description alone.
    pub(crate) unnamed: bool,
    /// Takes a line with one filled cell, above a table or between its rows; true where it says something about the
    /// rows below and is none itself.
    pub(crate) heading: Option<fn(&str, &mut Context) -> bool>,
    /// Last touches that no column states: identifiers in descriptions and the like.
    pub(crate) finish: Option<Finish>,
    /// What to ask about a row that was read.
    pub(crate) ask: Option<fn(&Row<'_>, &Transaction) -> Option<Ask>>,
}

impl Dialect {
    /// What most dialects share; written first, then refined with `..Dialect::PLAIN`.
    pub(crate) const PLAIN: Self = Self {
        id: "",
        columns: &[],
        only_known_columns: false,
        dates: &[DateStyle::MonthDayYear, DateStyle::Iso],
        classify: Classify::Words(&[]),
        words_per_action: 8,
        footers: &[],
        account_between: None,
        fees: FeeSign::CostPositive,
        amount: AmountMeaning::Net,
        short_suffix: false,
        comma: Comma::Thousands,
        currency: "USD",
        header: HeaderStyle::Plain,
        row_is_lot: false,
        continues: false,
        unnamed: false,
        heading: None,
        finish: None,
        ask: None,
    };
}
