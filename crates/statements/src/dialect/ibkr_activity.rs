//! Interactive Brokers' Activity Statement: sections with headers that change inside a section, orders with executions
//! and closed lots below them, sums marked as rows. Proceeds are before commission.

use super::row::{Fault, Row, normal};
use super::sections::{self, Part, Section};
use super::{AmountMeaning, Class, Classify, Column, Dialect, FeeSign, Kind, Role, Rule, Words};
use super::{look_up, needed, optional};
use crate::cell::{self, DateStyle};
use crate::formats::{Confidence, Format, FormatInfo};
use crate::{Action as A, Transaction};
use lotwise_core::{Shares, Symbol};

use Kind::{BySign, Do, Ignore, In, Out};
use Words::{Has, Starts};

const ID: &str = "ibkr-activity-statement-csv";

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: ID,
        title: "Interactive Brokers, Activity Statement (CSV)",
        extensions: &["csv"],
        example: "Statement,Header,Field Name,Field Value",
    },
    recognise: |sniff| {
        let has = |section: &str| sections::has_record(sniff.head, section, "header");
        // The first two stand in other reports of the same make; the title tells them apart.
        match ["trades", "account information", "change in nav", "net asset value"].into_iter().any(has) {
            true => Confidence::Sure,
            false if has("statement") => Confidence::Plausible,
            false => Confidence::No,
        }
    },
    read: |text, options| sections::read(ID, SECTIONS, text, options),
};

static SECTIONS: &[Section] = &[
    ("Statement", Part::Facts),
    ("Account Information", Part::Facts),
    ("Trades", Part::Events(&TRADES)),
    ("Deposits & Withdrawals", Part::Events(&DEPOSITS)),
    ("Dividends", Part::Events(&DIVIDENDS)),
    ("Payment In Lieu Of Dividends", Part::Events(&PAYMENTS_IN_LIEU)),
    ("Withholding Tax", Part::Events(&WITHHOLDING)),
    ("871(m) Withholding", Part::Events(&WITHHOLDING)),
    ("Interest", Part::Events(&INTEREST)),
    ("Bond Interest Received", Part::Events(&INTEREST)),
    ("Bond Interest Paid", Part::Events(&INTEREST)),
    ("Broker Interest Paid", Part::Events(&INTEREST)),
    ("Broker Interest Received", Part::Events(&INTEREST)),
    ("Fees", Part::Events(&FEES)),
    ("Other Fees", Part::Events(&FEES)),
    ("Advisor Fees", Part::Events(&FEES)),
    ("Client Fees", Part::Events(&FEES)),
    ("Sales Tax", Part::Events(&FEES)),
    ("Commission Adjustments", Part::Events(&FEES)),
    ("Transaction Fees", Part::Events(&TRANSACTION_FEES)),
    ("Other Income", Part::Events(&OTHER_INCOME)),
    ("Corporate Actions", Part::Events(&CORPORATE_ACTIONS)),
    ("Transfers", Part::Events(&TRANSFERS)),
    ("Grant Activity", Part::Events(&GRANTS)),
    ("Open Positions", Part::Holdings(&POSITIONS)),
    // Summaries, and details of what the sections above already say.
    ("Net Asset Value", Part::Summary),
    ("Change in NAV", Part::Summary),
    ("Change in Dividend Accruals", Part::Summary),
    ("Open Dividend Accruals", Part::Summary),
    ("Dividend Accruals", Part::Summary),
    ("Interest Accruals", Part::Summary),
    ("Cash Report", Part::Summary),
    ("Mark-to-Market Performance Summary", Part::Summary),
    ("Realized & Unrealized Performance Summary", Part::Summary),
    ("Month & Year to Date Performance Summary", Part::Summary),
    ("Performance by Symbol", Part::Summary),
    ("Performance by Asset Class", Part::Summary),
    ("Net Stock Position Summary", Part::Summary),
    ("Complex Positions Summary", Part::Summary),
    ("Forex Balances", Part::Summary),
    ("Forex P/L Details", Part::Summary),
    ("Financial Instrument Information", Part::Summary),
    ("Base Currency Exchange Rate", Part::Summary),
    ("Codes", Part::Summary),
    ("Notes/Legal Notes", Part::Summary),
    ("Notes", Part::Summary),
    ("Legal Notes", Part::Summary),
    ("Location of Customer Assets, Positions and Money", Part::Summary),
    ("Commission Details", Part::Summary),
    ("Commission Credits", Part::Summary),
    ("Sales Tax Details", Part::Summary),
    ("Transaction Fee Details", Part::Summary),
    ("Interest Details", Part::Summary),
    ("Tier Interest Details", Part::Summary),
    ("Hard to Borrow Details", Part::Summary),
    ("Borrow Fee Details", Part::Summary),
    ("Stock Yield Enhancement Program Securities Lent", Part::Summary),
    ("Stock Yield Enhancement Program Securities Lent Activity", Part::Summary),
    ("Stock Yield Enhancement Program Securities Lent Interest Details", Part::Summary),
    ("IBKR Managed Securities Lent", Part::Summary),
    ("IBKR Managed Securities Lent Activity", Part::Summary),
    ("IBKR Managed Securities Lent Interest Details", Part::Summary),
    ("Collateral for Customer Borrowing", Part::Summary),
    ("Routing Commission Details", Part::Summary),
    ("Margin Requirements", Part::Summary),
    ("Pending Exercises", Part::Summary),
    ("Unbooked Trades", Part::Summary),
    ("Trade Summary by Symbol", Part::Summary),
    ("Trade Summary by Asset Class", Part::Summary),
];

const DATES: &[DateStyle] = &[DateStyle::Iso, DateStyle::Compact, DateStyle::MonthDayYear];

static TRADES: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Class, &["asset category"]),
        needed(Role::Currency, &["currency"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Date, &["date/time", "date", "trade date/time", "trade date"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["t. price", "trade price", "price"]),
        needed(Role::Amount, &["proceeds", "notional value"]),
        optional(Role::Fee, &["comm/fee", "comm in usd", "commission", "comm/tax"]),
        optional(Role::Kind, &["datadiscriminator"]),
        optional(Role::Code, &["code"]),
        optional(Role::Account, &["account"]),
        optional(Role::Basis, &["basis"]),
        optional(Role::Gain, &["realized p/l"]),
    ],
    dates: DATES,
    classify: Classify::With(trade),
    fees: FeeSign::CostNegative,
    amount: AmountMeaning::BeforeFees,
    finish: Some(trade_finish),
    ..Dialect::PLAIN
};

/// A trade by its record kind, asset category, sign and codes.
fn trade(row: &Row<'_>) -> Option<Class> {
    let plain = |kind: Kind, detail: &'static str| Some(Class { kind, detail: (!detail.is_empty()).then_some(detail) });
    match normal(row.text(Role::Kind)).as_str() {
        "" | "order" => {}
        "trade" | "execution" if row.context.orders_seen => {
            return plain(Ignore("an execution of the order above it"), "");
        }
        "trade" | "execution" => {}
        "closedlot" | "closed lot" => return plain(Kind::Lot, ""),
        "washsale" | "wash sale" => return plain(Ignore("a wash sale as the broker sees it, not a trade"), ""),
        "symbolsummary" | "assetsummary" => return plain(Ignore("a summary, not a trade"), ""),
        _ => return None,
    }
    let codes = row.text(Role::Code);
    let coded = |wanted: &str| codes.split([';', ' ', ',']).any(|code| code == wanted);
    let sold = row.text(Role::Shares).trim_start().starts_with(['-', '−', '(']);
    if coded("Ca") {
        return plain(Do(A::Other), "cancelled_trade");
    }
    match normal(row.text(Role::Class)).as_str() {
        "stocks"
        | "stock"
        | "etfs"
        | "funds"
        | "mutual funds"
        | "treasury bills"
        | "warrants"
        | "structured products" => {
            let detail = match () {
                () if coded("R") => "dividend_reinvestment",
                () if coded("A") => "by_assignment",
                () if coded("Ex") => "by_exercise",
                () => "",
            };
            plain(
                match (sold, coded("R")) {
                    (true, _) => Out(A::Sell),
                    (false, true) => In(A::Reinvest),
                    (false, false) => In(A::Buy),
                },
                detail,
            )
        }
        "equity and index options" | "options" | "options on futures" => {
            let action = if coded("Ex") {
                A::OptionExercise
            } else if coded("A") {
                A::OptionAssign
            } else if coded("Ep") {
                A::OptionExpire
            } else if coded("C") && !coded("O") {
                A::OptionClose
            } else if coded("O") && !coded("C") {
                A::OptionOpen
            } else {
                return None;
            };
            plain(Do(action), if sold { "sold" } else { "bought" })
        }
        "forex" => plain(Do(A::Other), "forex"),
        "bonds" | "bond" => plain(if sold { Out(A::Sell) } else { In(A::Buy) }, "bond"),
        "futures" => plain(Do(A::Other), "future"),
        "cfds" | "forex cfds" => plain(Do(A::Other), "contract_for_difference"),
        "crypto" | "cryptocurrencies" => plain(if sold { Out(A::Sell) } else { In(A::Buy) }, "crypto"),
        _ => None,
    }
}

fn trade_finish(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let name = transaction.symbol.as_ref().map_or_else(String::new, ToString::to_string);
    let category = row.text(Role::Class);
    transaction.description = format!("{category} {name}").trim_end().to_owned();
    if matches!(transaction.detail.as_deref(), Some("forex" | "future" | "contract_for_difference")) {
        // Neither a currency pair nor a contract is a holding of shares.
        (transaction.symbol, transaction.shares) = (None, None);
    }
    Ok(())
}

/// Columns of the sections that hold cash.
const CASH: &[Column] = &[
    needed(Role::Date, &["date", "settle date", "date/time", "report date"]),
    needed(Role::Description, &["description"]),
    needed(Role::Amount, &["amount"]),
    optional(Role::Currency, &["currency"]),
    optional(Role::Account, &["account"]),
    optional(Role::Code, &["code"]),
];

macro_rules! cash_section {
    ($($name:ident: $rules:expr;)*) => {
        $(static $name: Dialect = Dialect {
            id: ID,
            columns: CASH,
            dates: DATES,
            classify: Classify::With(|row| look_up($rules, &normal(row.text(Role::Description)))),
            finish: Some(security_in_description),
            ..Dialect::PLAIN
        };)*
    };
}

cash_section! {
    DEPOSITS: &[(Has("internal"), BySign(A::TransferIn, A::TransferOut), "internal"), (ANY, BySign(A::Deposit, A::Withdrawal), "")];
    DIVIDENDS: &[
        (Has("return of capital"), Do(A::ReturnOfCapital), ""),
        (Has("long term capital gain"), Do(A::CapitalGainDistribution), "long_term"),
        (Has("short term capital gain"), Do(A::CapitalGainDistribution), "short_term"),
        (Has("payment in lieu"), Do(A::Dividend), "payment_in_lieu"),
        (Has("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
        (ANY, Do(A::Dividend), ""),
    ];
    PAYMENTS_IN_LIEU: &[(ANY, Do(A::Dividend), "payment_in_lieu")];
    WITHHOLDING: &[(ANY, Do(A::TaxWithheld), "")];
    INTEREST: &[
        (Has("debit interest"), Do(A::Interest), "margin"),
        (Has("syep"), Do(A::Interest), "stock_lending"),
        (Has("stock yield enhancement"), Do(A::Interest), "stock_lending"),
        (Has("bond"), Do(A::Interest), "bond_interest"),
        (ANY, Do(A::Interest), ""),
    ];
    FEES: &[(ANY, Do(A::Fee), "")];
    OTHER_INCOME: &[(ANY, Do(A::Other), "other_income")];
}

/// Matches every text: these sections hold one kind of row.
const ANY: Words = Has("");

fn security_in_description(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let description = row.text(Role::Description);
    transaction.cusip = isin_in(description);
    let concerns_security = matches!(
        transaction.action,
        A::Dividend | A::CapitalGainDistribution | A::ReturnOfCapital | A::TaxWithheld | A::Fee
    );
    // `AAPL(US0378331005) Cash Dividend …`: the ticker stands before the bracket.
    if concerns_security
        && let Some((ticker, rest)) = description.split_once('(')
        && rest.get(..12).is_some_and(cell::is_isin)
    {
        transaction.symbol = Symbol::parse(ticker).ok();
    }
    Ok(())
}

static TRANSACTION_FEES: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["date/time", "date"]),
        needed(Role::Amount, &["amount"]),
        needed(Role::Description, &["description"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Symbol, &["symbol"]),
        optional(Role::Account, &["account"]),
    ],
    dates: DATES,
    classify: Classify::With(|_| Some(Class { kind: Do(A::Fee), detail: Some("transaction_tax") })),
    ..Dialect::PLAIN
};

static CORPORATE_ACTIONS: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Date, &["date/time", "date", "report date"]),
        needed(Role::Description, &["description"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Amount, &["proceeds"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Class, &["asset category"]),
        optional(Role::Account, &["account"]),
        optional(Role::Code, &["code"]),
    ],
    dates: DATES,
    classify: Classify::With(|row| look_up(CORPORATE_RULES, &normal(row.text(Role::Description)))),
    finish: Some(corporate_security),
    ..Dialect::PLAIN
};

const CORPORATE_RULES: &[Rule] = &[
    (Has(") spinoff"), Do(A::Spinoff), ""),
    (Has(") spin-off"), Do(A::Spinoff), ""),
    (Has(") stock dividend"), Do(A::Split), "stock_dividend"),
    (Has(") split"), Do(A::Split), ""),
    (Has(") reverse split"), Do(A::Split), "reverse"),
    (Has(") merged"), Do(A::Merger), ""),
    (Has(") cash and stock merger"), Do(A::Merger), "cash_and_stock"),
    (Has(") cash merger"), Do(A::Merger), "cash"),
    (Has("merged(acquisition)"), Do(A::Merger), ""),
    (Has(") acquisition"), Do(A::Merger), ""),
    (Has(") tendered"), Do(A::Merger), "tender"),
    (Has(") cusip/isin change"), Do(A::Merger), "name_change"),
    (Has(") symbol change"), Do(A::Merger), "name_change"),
    (Has(") name change"), Do(A::Merger), "name_change"),
    (Has(") exchange"), Do(A::Merger), "exchange"),
    (Has(") conversion"), Do(A::Merger), "conversion"),
    (Has(") bond maturity"), Do(A::Merger), "maturity"),
    (Has(") full call"), Do(A::Merger), "maturity"),
    (Has(") tbill maturity"), Do(A::Merger), "maturity"),
    (Has(") subscribable rights issue"), Do(A::Other), "rights"),
    (Has(") rights"), Do(A::Other), "rights"),
    (Has(") subscribes to"), Do(A::Other), "rights"),
    (Has(") delisted"), Do(A::Other), "worthless"),
    (Has(") worthless"), Do(A::Other), "worthless"),
    (Has(") voluntary offer allocation"), Do(A::Other), "tender"),
    (Starts("cash in lieu"), Do(A::Dividend), "cash_in_lieu"),
];

/// The security of a leg stands in the last bracket: `… Split 4 for 1 (AAPL, APPLE INC, US0378331005)`.
fn corporate_security(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let description = row.text(Role::Description);
    let inside =
        description.rfind('(').and_then(|open| description.get(open + 1..)).and_then(|rest| rest.split(')').next());
    if let Some(inside) = inside {
        let ticker = inside.split(',').next().unwrap_or_default();
        transaction.symbol = Symbol::parse(ticker.trim_end_matches(".OLD")).ok();
        transaction.cusip = inside
            .rsplit(',')
            .map(str::trim)
            .find(|part| cell::is_isin(part) || cell::is_cusip(part))
            .map(str::to_owned);
    }
    if transaction.action == A::Split {
        transaction.split_ratio = ratio_in(description);
        if transaction.split_ratio.is_some_and(|(new, old)| new < old) {
            transaction.detail = Some("reverse".into());
        }
    }
    Ok(())
}

/// `Split 4 for 1` as new shares for old.
fn ratio_in(description: &str) -> Option<(Shares, Shares)> {
    let lower = description.to_ascii_lowercase();
    let after = lower.split_once("split ")?.1;
    let mut words = after.split_whitespace();
    let new = Shares::parse(words.next()?).ok()?;
    let old = words.next().filter(|word| *word == "for").and_then(|_| Shares::parse(words.next()?).ok())?;
    (new.is_positive() && old.is_positive()).then_some((new, old))
}

static TRANSFERS: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Date, &["date", "date/time"]),
        needed(Role::Action, &["direction"]),
        needed(Role::Shares, &["qty", "quantity"]),
        needed(Role::Amount, &["cash amount"]),
        optional(Role::Kind, &["type"]),
        optional(Role::Price, &["xfer price"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Account, &["account"]),
    ],
    dates: DATES,
    classify: Classify::Words(&[(Words::Is("in"), In(A::TransferIn), ""), (Words::Is("out"), Out(A::TransferOut), "")]),
    finish: Some(|row, transaction| {
        transaction.description = format!("{} {}", row.text(Role::Kind), row.text(Role::Action)).trim().to_owned();
        Ok(())
    }),
    ..Dialect::PLAIN
};

static GRANTS: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Date, &["vesting date", "report date", "date"]),
        needed(Role::Shares, &["quantity"]),
        optional(Role::Description, &["description"]),
        optional(Role::Price, &["price"]),
        optional(Role::Account, &["account"]),
    ],
    dates: DATES,
    classify: Classify::With(|_| Some(Class { kind: In(A::Grant), detail: Some("equity_award") })),
    ..Dialect::PLAIN
};

static POSITIONS: Dialect = Dialect {
    id: ID,
    columns: &[
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["quantity"]),
        optional(Role::Price, &["close price"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Class, &["asset category"]),
        optional(Role::Kind, &["datadiscriminator"]),
        optional(Role::Account, &["account"]),
    ],
    ..Dialect::PLAIN
};

/// The ISIN in the first bracket of a description that holds one.
pub(super) fn isin_in(description: &str) -> Option<String> {
    description
        .split('(')
        .skip(1)
        .filter_map(|part| part.split(')').next())
        .find(|inside| cell::is_isin(inside))
        .map(str::to_ascii_uppercase)
}
