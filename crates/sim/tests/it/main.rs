//! Policies as a person meets them: an observation in, weights and notes out.

#[cfg(test)]
mod backtest;
#[cfg(test)]
mod env;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod no_look_ahead;
#[cfg(test)]
mod optimal;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod same_account;
#[cfg(test)]
mod tax_aware;
#[cfg(test)]
mod twin;
