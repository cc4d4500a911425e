//! The last look at a statement of any format: the account's name, and questions that need all of it.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Money, Price, Shares};

use crate::dialect::gross;
use crate::gather::LEFT_OUT;
use crate::read::ReadOptions;
use crate::{Action, Answer, Error, Question, RowNote, Statement, Transaction};

/// Names the account as asked, and asks a person about what does not fit together.
///
/// # Errors
/// [`Error::SeveralAccounts`] when one name is given for several accounts.
pub(crate) fn review(mut statement: Statement, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    name_account(&mut statement, options)?;
    let mut questions = Questions::default();
    for transaction in &statement.transactions {
        if options.today.is_some_and(|today| transaction.trade_date > today) {
            questions.add(
                "future-date",
                "These rows are dated after today. Are the dates right?",
                "keep the dates",
                transaction.row,
            );
        }
        if transaction.settle_date.is_some_and(|settled| settled < transaction.trade_date) {
            questions.add(
                "settles-before-trade",
                "These rows settle before the date that the file gives for the trade. Which date counts?",
                "use the date of the trade as the file gives it",
                transaction.row,
            );
        }
        if amount_differs(transaction) {
            questions.add(
                "amount-mismatch",
                "Shares times price and fees do not give the amount of these rows. Which is right?",
                "use the amount, since it is what moved in cash",
                transaction.row,
            );
        }
        if lots_differ(transaction) {
            questions.add(
                "lots-differ",
                "The lots that the file states for these rows do not add up to their shares. Which is right?",
                "use the shares of the row, and the stated lots as far as they go",
                transaction.row,
            );
        }
        if transaction.detail.as_deref().is_some_and(|detail| detail.starts_with("cancelled_")) {
            questions.add(
                "cancelled-trade",
                "These rows take an earlier trade back. Are the trade and its cancellation both as if they had not been?",
                "take both out where the trade is found, else ask about the lots",
                transaction.row,
            );
        }
    }
    statement.questions.extend(questions.0.into_values());
    apply_answers(&mut statement, options);
    Ok(statement)
}

/// Settles the questions that were answered beforehand.
///
/// Rows are named by their line. Where records share one line (many OFX files are a single one), leaving them out would
/// take others along, so the question stays.
fn apply_answers(statement: &mut Statement, options: &ReadOptions<'_>) {
    let mut open = Vec::new();
    for question in std::mem::take(&mut statement.questions) {
        let rows: BTreeSet<u32> = question.rows.iter().copied().collect();
        let settled = match options.answers.get(&question.key) {
            Some(Answer::Accept) => {
                // What is unknown is proposed to be left out.
                if question.key.starts_with("unknown-") && !lines_are_shared(statement, &rows) {
                    leave_out_unreadable(statement, &rows);
                }
                true
            }
            Some(Answer::LeaveOut) if !lines_are_shared(statement, &rows) => {
                leave_out_unreadable(statement, &rows);
                leave_out(statement, &rows);
                true
            }
            Some(Answer::Means(_) | Answer::Ticker(_) | Answer::Kind(_) | Answer::Words(_) | Answer::LeaveOut)
            | None => false,
        };
        match options.answers.get(&question.key).filter(|_| settled) {
            Some(answer) => {
                statement.answered.insert(question.key, answer.clone());
            }
            None => open.push(question),
        }
    }
    let accounts = statement.transactions.iter().map(|each| &each.account);
    let accounts: BTreeSet<&String> = accounts.chain(statement.positions.iter().map(|each| &each.account)).collect();
    for name in accounts {
        let key = format!("account-kind:{name}");
        if let Some(answer @ Answer::Kind(kind)) = options.answers.get(&key) {
            statement.account_kinds.insert(name.clone(), *kind);
            open.retain(|question| question.key != key);
            statement.answered.insert(key, answer.clone());
        }
    }
    statement.questions = open;
}

/// Whether a line of these has several records.
fn lines_are_shared(statement: &Statement, rows: &BTreeSet<u32>) -> bool {
    let mut seen = BTreeSet::new();
    let transactions = statement.transactions.iter().map(|each| each.row);
    let all = transactions.chain(statement.quarantined.iter().map(|note| note.row));
    all.filter(|row| rows.contains(row)).any(|row| !seen.insert(row))
}

fn leave_out_unreadable(statement: &mut Statement, rows: &BTreeSet<u32>) {
    let (left, kept): (Vec<_>, Vec<_>) =
        std::mem::take(&mut statement.quarantined).into_iter().partition(|note| rows.contains(&note.row));
    statement.quarantined = kept;
    statement
        .ignored
        .extend(left.into_iter().map(|note| RowNote { reason: format!("{LEFT_OUT}: {}", note.reason), ..note }));
    statement.ignored.sort_by_key(|note| note.row);
}

fn leave_out(statement: &mut Statement, rows: &BTreeSet<u32>) {
    let (left, kept): (Vec<_>, Vec<_>) =
        std::mem::take(&mut statement.transactions).into_iter().partition(|each| rows.contains(&each.row));
    statement.transactions = kept;
    let note = |each: Transaction| RowNote { row: each.row, column: None, value: None, reason: LEFT_OUT.to_owned() };
    statement.ignored.extend(left.into_iter().map(note));
    statement.ignored.sort_by_key(|note| note.row);
}

#[derive(Default)]
struct Questions(BTreeMap<&'static str, Question>);

impl Questions {
    fn add(&mut self, key: &'static str, text: &str, proposed: &str, row: u32) {
        let question = self.0.entry(key).or_insert_with(|| Question {
            key: key.to_owned(),
            text: text.to_owned(),
            rows: Vec::new(),
            proposed: proposed.to_owned(),
        });
        question.rows.push(row);
    }
}

/// Gives the accounts the name that the person said. Without one, an account that the file does not
/// name is called after the broker: two brokers' files are two accounts, whose lots do not mix.
fn name_account(statement: &mut Statement, options: &ReadOptions<'_>) -> Result<(), Error> {
    let Some(name) = &options.account else {
        if let Some(broker) = broker(statement.format) {
            rename(statement, broker, |account| account == UNNAMED);
        }
        return Ok(());
    };
    let accounts: BTreeSet<&str> = statement
        .transactions
        .iter()
        .map(|transaction| transaction.account.as_str())
        .chain(statement.positions.iter().map(|position| position.account.as_str()))
        .collect();
    if accounts.len() > 1 {
        return Err(Error::SeveralAccounts { count: accounts.len(), name: name.clone() });
    }
    rename(statement, name, |_| true);
    Ok(())
}

/// Renames the accounts that `which` picks.
fn rename(statement: &mut Statement, name: &str, which: impl Fn(&str) -> bool) {
    let in_rows = statement.transactions.iter_mut().map(|transaction| &mut transaction.account);
    let in_positions = statement.positions.iter_mut().map(|position| &mut position.account);
    for account in in_rows.chain(in_positions).filter(|account| which(account)) {
        name.clone_into(account);
    }
    renamed_keys(&mut statement.account_labels, name, &which);
    renamed_keys(&mut statement.account_kinds, name, &which);
}

fn renamed_keys<T>(by_account: &mut BTreeMap<String, T>, name: &str, which: impl Fn(&str) -> bool) {
    let old = std::mem::take(by_account);
    by_account.extend(old.into_iter().map(|(account, value)| {
        let account = if which(&account) { name.to_owned() } else { account };
        (account, value)
    }));
}

/// Name of an account that the file does not name, before it is called after its broker.
const UNNAMED: &str = "default";

/// The broker that a format belongs to: the first word of its id. `None` for formats that any broker
/// or program may write.
fn broker(format: &'static str) -> Option<&'static str> {
    const ANYONES: [&str; 10] =
        ["lotwise", "ofx", "qif", "form", "map", "beancount", "ledger", "ghostfolio", "wealthfolio", "portfolio"];
    let word = format.split('-').next()?;
    (!ANYONES.contains(&word)).then_some(word)
}

/// Details of purchases and sales that are trades of options themselves.
const OPTION_TRADES: [&str; 7] = [
    "option",
    "option_open",
    "option_close",
    "option_close_and_open",
    "option_assign",
    "option_exercise",
    "option_expire",
];

/// Whether stated lots hold other shares than the row moves.
fn lots_differ(transaction: &Transaction) -> bool {
    let Some(shares) = transaction.shares.filter(|_| !transaction.lots.is_empty()) else { return false };
    let stated = transaction.lots.iter().map(|lot| lot.shares.billionths()).fold(0_i128, i128::saturating_add);
    stated != shares.abs().billionths()
}

/// Whether shares times price and fees miss the amount by more than their rounding explains.
fn amount_differs(transaction: &Transaction) -> bool {
    let contract = transaction.option.as_ref().map_or(100, |option| i128::from(option.multiplier));
    let multiplier = match transaction.action {
        // Contracts are for a hundred shares where nothing else is said. Flex reports call their trades purchases and sales.
        Action::Buy | Action::Sell
            if transaction.detail.as_deref().is_some_and(|detail| OPTION_TRADES.contains(&detail)) =>
        {
            contract
        }
        Action::Buy | Action::Sell | Action::Reinvest => 1,
        Action::OptionOpen | Action::OptionClose => contract,
        _ => return false,
    };
    let (Some(shares), Some(price)) = (transaction.shares, transaction.price) else { return false };
    let contracts = Shares::from_billionths(shares.billionths() * multiplier);
    let Some(expected) = gross(price, contracts) else { return true };
    // What the trade moved before fees; a purchase is negative and its gross positive.
    let moved = transaction.amount + transaction.fees;
    let misses = |expected: Money| (moved + expected).abs() > tolerance(transaction, contracts, price, expected);
    let per_hundred = Money::from_billionths(expected.billionths() / 100);
    // A bond's price is a percentage of its face value; a bond has no ticker.
    misses(expected) && (transaction.symbol.is_some() || misses(per_hundred))
}

/// Half a unit of the last stated place of price and of shares, a few cents, and where no fee is stated the regulatory
/// fees that brokers take off the amount in silence (below a twentieth of a percent).
fn tolerance(transaction: &Transaction, shares: Shares, price: Price, expected: Money) -> Money {
    let half_price = Price::from_billionths(half_unit(price.billionths(), 2));
    let half_shares = match shares.billionths() % Shares::from_whole(1).billionths() {
        0 => Shares::ZERO,
        _ => Shares::from_billionths(half_unit(shares.billionths(), 3)),
    };
    let cents = Money::from_billionths(50_000_000);
    let silent = match transaction.fees.is_zero() {
        true => Money::from_billionths(expected.billionths().abs() / 2_000),
        false => Money::ZERO,
    };
    let rounding = |price: Price, shares: Shares| gross(price, shares.abs()).unwrap_or(Money::ZERO);
    cents + silent + rounding(half_price, shares) + rounding(price, half_shares)
}

/// Half of the last decimal place that a value uses, at least `least` places being stated.
fn half_unit(billionths: i128, least: u32) -> i128 {
    let mut places = 9;
    let mut rest = billionths;
    while places > least && rest % 10 == 0 {
        rest /= 10;
        places -= 1;
    }
    10_i128.pow(9 - places) / 2
}
