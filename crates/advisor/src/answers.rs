//! What a person answered to the questions that the files leave open.

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Price, Shares};
use lotwise_statements::Stated;

/// BookAnswers by the stable key of their question, for instance `basis:AAA@main`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookAnswers(BTreeMap<String, String>);

impl BookAnswers {
    /// The answer to a question, without blanks around it; `None` where there is none or it is empty.
    ///
    /// A key such as `expired:*` answers all questions of its group that have no answer of their own.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let of_group = || self.0.get(&lotwise_statements::group_of(key)?);
        self.0.get(key).or_else(of_group).map(|answer| answer.trim()).filter(|answer| !answer.is_empty())
    }

    /// BookAnswers a question; an earlier answer is replaced.
    pub fn insert(&mut self, key: &str, answer: &str) {
        self.0.insert(key.to_owned(), answer.to_owned());
    }

    /// Keys and answers, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, answer)| (key.as_str(), answer.as_str()))
    }
}

/// What a person answered to the questions of files, in words: some keys are asked here too.
impl From<&lotwise_statements::Answers> for BookAnswers {
    fn from(answers: &lotwise_statements::Answers) -> Self {
        answers.iter().map(|(key, answer)| (key, answer.to_string())).collect()
    }
}

impl<K: Into<String>, A: Into<String>> FromIterator<(K, A)> for BookAnswers {
    fn from_iter<I: IntoIterator<Item = (K, A)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, answer)| (key.into(), answer.into())).collect())
    }
}

/// What shares cost, as an answer states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// In total.
    Total(Money),
    /// For each share.
    PerShare(Price),
}

/// Shares with their basis and date, as an answer states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LotAnswer {
    /// How many; all that were asked for without it.
    pub(crate) shares: Option<Shares>,
    /// What they cost.
    pub(crate) cost: Cost,
    /// When they were acquired.
    pub(crate) acquired: Option<Date>,
}

impl LotAnswer {
    /// Total basis of this many shares.
    pub(crate) fn basis(&self, shares: Shares) -> Money {
        match self.cost {
            Cost::Total(amount) => amount,
            Cost::PerShare(price) => price * shares,
        }
    }
}

/// How shares came that were not bought, as an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A gift (tax rule 2.5).
    Gift {
        /// The donor's total basis.
        basis: Option<Money>,
        /// When the donor acquired them.
        acquired: Option<Date>,
        /// Market value in total on the day of the gift.
        value: Money,
    },
    /// An inheritance (tax rule 2.6).
    Inherited {
        /// Market value in total on the day that counts.
        value: Option<Money>,
        /// Day of death.
        died: Option<Date>,
    },
}

/// Reads `gift BASIS DATE VALUE` and `inherited VALUE DATE`; `unknown` stands for what is not known.
pub(crate) fn origin(text: &str) -> Option<Origin> {
    match Stated::of(text)? {
        // The value on the day bounds a loss; without it nothing can be said.
        Stated::Gift { basis, acquired, value } => Some(Origin::Gift { basis, acquired, value: value? }),
        Stated::Inherited { value, died } => Some(Origin::Inherited { value, died }),
        Stated::SpinOff { .. } | Stated::Exchange { .. } => None,
    }
}

/// How [`lots`] is written, for messages.
pub(crate) const LOTS_FORM: &str =
    "TOTAL DATE, @PRICE DATE, SHARES @PRICE DATE; SHARES @PRICE DATE, gift BASIS DATE VALUE, or inherited VALUE DATE";

/// Reads `2500 2019-03-04`, `@25 2019-03-04` or `40 @25 2019-03-04; 60 @30 2020-01-02`; the date may be missing.
pub(crate) fn lots(text: &str) -> Option<Vec<LotAnswer>> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(one_lot).collect()
}

fn one_lot(text: &str) -> Option<LotAnswer> {
    let spaced = text.replace('@', " @");
    let mut words: Vec<&str> = spaced.split_whitespace().filter(|word| *word != "@").collect();
    let per_share = text.contains('@');
    let acquired = words.last().and_then(|word| Date::parse(word).ok());
    if acquired.is_some() {
        words.pop();
    }
    let amount = words.pop()?.trim_start_matches('@').trim_start_matches('$');
    let shares = match words.pop() {
        Some(word) => Some(Shares::parse(word).ok().filter(|shares| shares.is_positive())?),
        None => None,
    };
    let cost = match per_share {
        true => Cost::PerShare(Price::parse(amount).ok().filter(|price| !price.is_negative())?),
        false => Cost::Total(Money::parse(amount).ok().filter(|amount| !amount.is_negative())?),
    };
    words.is_empty().then_some(LotAnswer { shares, cost, acquired })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_stated_in_total_or_per_share() {
        let money = |text: &str| Money::parse(text).unwrap();
        let whole = lots("2500 2019-03-04").unwrap();
        assert_eq!((whole[0].shares, whole[0].acquired), (None, Date::parse("2019-03-04").ok()));
        assert_eq!(whole[0].basis(Shares::from_whole(7)), money("2500"));
        let two = lots("40 @ 25 2019-03-04; 60 @$30.5").unwrap();
        assert_eq!(two.iter().map(|lot| lot.basis(lot.shares.unwrap())).sum::<Money>(), money("2830"));
        assert_eq!(two[1].acquired, None);
        for wrong in ["", "soon", "10 20 30", "-5 2019-03-04", "0 @5", "@ 2019-03-04"] {
            assert!(lots(wrong).is_none_or(|lots| lots.is_empty()), "{wrong}");
        }
    }
}
