//! Trades of options that do not say whether they open or close a position.
//!
//! A row that says so makes a part of the position certain; what exceeds it is asked about, since a file may begin with
//! positions that it does not show.

use std::collections::BTreeMap;

use lotwise_core::{Shares, Symbol};

use crate::{Action, Question, Statement, Transaction};

/// Detail of a trade of options whose row does not say whether it opens or closes; it never leaves the reading.
pub(crate) const UNSAID: &str = "opens_or_closes";

/// What is known of a position while the rows are walked through in time.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// Contracts held, below zero those owed, if the file begins with none.
    shown: Shares,
    /// Contracts of that which some row says were opened.
    sure: Shares,
}

/// Gives every unsaid trade the action that fits its position, and asks about those where that is not certain.
pub(crate) fn open_or_close(statement: &mut Statement) {
    let mut order: Vec<usize> = (0..statement.transactions.len()).collect();
    let newest_first = statement.transactions.first().map(|each| each.trade_date)
        > statement.transactions.last().map(|each| each.trade_date);
    if newest_first {
        order.reverse();
    }
    order.sort_by_key(|&at| statement.transactions.get(at).map(|each| each.trade_date));
    let mut positions: BTreeMap<(String, Option<Symbol>), Position> = BTreeMap::new();
    let (mut assumed, mut larger) = (Vec::new(), Vec::new());
    for at in order {
        let Some(each) = statement.transactions.get_mut(at).filter(|each| each.option.is_some()) else { continue };
        let Some(moved) = each.shares else { continue };
        let position = positions.entry((each.account.clone(), each.symbol.clone())).or_default();
        let unsaid = is_unsaid(each);
        let mut certain = true;
        if unsaid {
            let closes = against(position.shown, moved);
            each.action = if closes { Action::OptionClose } else { Action::OptionOpen };
            each.detail = Some(if moved.is_positive() != closes { "long" } else { "short" }.into());
            // Nobody is long and short at once: beside what was opened for sure, more of it opens.
            certain = match closes {
                true => against(position.sure, moved) && moved.abs() <= position.sure.abs(),
                false => against(position.sure, -moved),
            };
            if closes && moved.abs() > position.shown.abs() {
                larger.push(each.row);
            } else if !certain {
                assumed.push(each.row);
            }
        }
        position.book(each.action, moved, certain);
    }
    let mut ask = |key: &str, text: &str, proposed: &str, mut rows: Vec<u32>| {
        rows.sort_unstable();
        rows.dedup();
        if !rows.is_empty() {
            let (key, text, proposed) = (key.to_owned(), text.to_owned(), proposed.to_owned());
            statement.questions.push(Question { key, text, rows, proposed });
        }
    };
    ask(
        "option-flip",
        "Trades of options are larger than the position that the file shows. Do they close more than the file shows?",
        "take them as closing a position that was partly opened before the file begins",
        larger,
    );
    ask(
        "option-side",
        "Trades of options do not say whether they open or close. Is every earlier trade of them in the file?",
        "take a trade that brings the holding of the file nearer to zero as closing",
        assumed,
    );
    statement.questions.sort_by(|a, b| a.key.cmp(&b.key));
}

fn is_unsaid(transaction: &Transaction) -> bool {
    matches!(transaction.action, Action::Buy | Action::Sell) && transaction.detail.as_deref() == Some(UNSAID)
}

/// Whether a trade of so many contracts goes against a position.
fn against(position: Shares, moved: Shares) -> bool {
    !position.is_zero() && !moved.is_zero() && position.is_positive() == moved.is_negative()
}

/// What is left of a position of which so many contracts go.
fn less(position: Shares, moved: Shares) -> Shares {
    if moved.abs() >= position.abs() {
        return Shares::ZERO;
    }
    if position.is_positive() { position - moved.abs() } else { position + moved.abs() }
}

impl Position {
    fn book(&mut self, action: Action, moved: Shares, certain: bool) {
        if action == Action::OptionOpen {
            let more = |position: Shares| match against(position, moved) {
                true => moved,
                false => position.checked_add(moved).unwrap_or_default(),
            };
            self.shown = more(self.shown);
            self.sure = if certain { more(self.sure) } else { Shares::ZERO };
        } else {
            // Contracts that lapse or are delivered leave the position, whichever sign the file gives them.
            (self.shown, self.sure) = (less(self.shown, moved), less(self.sure, moved));
        }
    }
}

#[cfg(test)]
mod tests {
    use lotwise_core::{Date, OptionContract};

    use super::*;

    /// Trades as `day words contracts`, and what became of them, with the keys and rows asked about.
    fn told(lines: &str) -> (Vec<String>, Vec<String>) {
        let mut statement = crate::gather::Gathering::new("test", 100).finish();
        for (row, line) in (1..).zip(lines.split(';')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (action, detail) = match words[1] {
                "open" => (Action::OptionOpen, None),
                "close" => (Action::OptionClose, None),
                "expire" => (Action::OptionExpire, None),
                _ => (Action::Buy, Some(UNSAID.into())),
            };
            let option = OptionContract::parse_occ("ACRN240621C00050000").ok();
            let symbol = option.as_ref().and_then(OptionContract::symbol);
            let shares = Shares::parse(words[2]).ok();
            let date = Date::parse(&format!("2024-01-{}", words[0])).unwrap();
            let plain = Transaction::new(action, date, row);
            statement.transactions.push(Transaction { detail, option, symbol, shares, ..plain });
        }
        open_or_close(&mut statement);
        let became = statement
            .transactions
            .iter()
            .map(|each| format!("{} {}", each.action, each.detail.as_deref().unwrap_or("-")));
        let asked = statement.questions.iter().map(|question| format!("{} {:?}", question.key, question.rows));
        (became.collect(), asked.collect())
    }

    #[test]
    fn the_running_position_tells_and_what_a_file_may_not_show_is_asked() {
        for (lines, became, asked) in [
            // Everything hangs on the first trade, of which the file does not say that it was the first.
            ("02 trade 2; 03 trade -2", "option_open long, option_close long", "option-side [1, 2]"),
            // What was opened for sure closes for sure; behind that nothing is.
            (
                "02 open 2; 03 trade -2; 04 trade -1",
                "option_open -, option_close long, option_open short",
                "option-side [3]",
            ),
            ("02 open -2; 03 trade -1; 04 trade 3", "option_open -, option_open short, option_close short", ""),
            ("02 open 2; 03 trade -3", "option_open -, option_close long", "option-flip [2]"),
            (
                "02 open 2; 03 expire 2; 04 trade 1",
                "option_open -, option_expire -, option_open long",
                "option-side [3]",
            ),
            (
                "02 close -2; 03 trade 1; 04 trade -1",
                "option_close -, option_open long, option_close long",
                "option-side [2, 3]",
            ),
            // Newest first.
            ("04 trade -1; 03 open 1", "option_close long, option_open -", ""),
        ] {
            let (found, questions) = told(lines);
            assert_eq!((found.join(", ").as_str(), questions.join(", ").as_str()), (became, asked), "{lines}");
        }
    }
}
