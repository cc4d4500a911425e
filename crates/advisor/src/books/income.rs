//! Dividends, interest and the rest that the files show as income of a year.

use lotwise_core::Money;
use lotwise_statements::{Action, Transaction};

/// Income of a calendar year as the files show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Income {
    /// Dividends of all kinds with the short-term gains that funds pay out, which are taxed as
    /// ordinary dividends; US dollars.
    pub dividends: Money,
    /// Taxable interest received, US dollars.
    pub interest: Money,
    /// Long-term capital gain distributions of funds.
    pub capital_gain_distributions: Money,
    /// Income that brokers call miscellaneous.
    pub miscellaneous: Money,
    /// Dividends and interest that the file calls tax-exempt; in none of the other figures.
    pub tax_exempt: Money,
    /// Margin interest paid, positive; an itemised deduction, so in none of the other figures.
    pub margin_interest: Money,
}

impl Income {
    /// Adds what a row brings.
    pub(super) fn count(&mut self, transaction: &Transaction) {
        let detail = transaction.detail.as_deref().unwrap_or_default();
        let amount = transaction.amount;
        if detail.contains("tax_exempt") && matches!(transaction.action, Action::Dividend | Action::Interest) {
            self.tax_exempt += amount;
            return;
        }
        match transaction.action {
            // Cash for a fraction of a share is its sale.
            Action::Dividend if detail == "cash_in_lieu" => {}
            Action::Dividend => self.dividends += amount,
            Action::Interest if detail.contains("margin") => self.margin_interest -= amount,
            Action::Interest => self.interest += amount,
            Action::CapitalGainDistribution if detail.contains("short_term") => self.dividends += amount,
            Action::CapitalGainDistribution => self.capital_gain_distributions += amount,
            Action::Other if detail == "miscellaneous_income" => self.miscellaneous += amount,
            Action::Reinvest => {
                let income = included_in_reinvestment(transaction);
                match detail {
                    "includes_long_term_gain" => self.capital_gain_distributions += income,
                    "includes_interest" => self.interest += income,
                    "includes_miscellaneous_income" => self.miscellaneous += income,
                    _ => self.dividends += income,
                }
            }
            _ => {}
        }
    }
}

/// Income that a reinvestment brings itself, because no other row shows it; else zero.
pub(super) fn included_in_reinvestment(transaction: &Transaction) -> Money {
    let includes = transaction.detail.as_deref().is_some_and(|detail| detail.starts_with("includes_"));
    if transaction.action == Action::Reinvest && includes { -transaction.amount } else { Money::ZERO }
}
