//! What to hold instead of a security that is sold for its loss (SPEC T-08), and how well that would have
//! followed it.

use std::collections::BTreeMap;

use lotwise_core::Symbol;
use lotwise_market::{AsOf, AssetIdx, Field, Panel, Sector, SessionIdx, Tickers};
use lotwise_sim::{ReturnMatrix, SESSIONS_PER_YEAR};

/// Returns that the replacement's correlation is measured on.
const CORRELATION_SESSIONS: usize = 252;
/// Fewest common sessions for a correlation.
const CORRELATION_MIN_SESSIONS: usize = 120;
/// Funds that move together more closely than this may follow one index and could be held
/// substantially identical, so they are not offered as replacements of each other.
const SAME_INDEX_CORRELATION: f64 = 0.995;

/// What an encoder says of companies on one day, by symbol; all of one length.
pub type Representations = BTreeMap<Symbol, Vec<f32>>;

/// A similar, not identical security.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// The security.
    pub symbol: Symbol,
    /// Its place on the panel's axis.
    pub asset: AssetIdx,
    /// Its sector.
    pub sector: Sector,
    /// Correlation of daily returns over a year.
    pub correlation: f64,
    /// Cosine of the representations, where they chose it.
    pub cosine: Option<f64>,
}

/// What «most alike» means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Likeness<'a> {
    /// Of the same sector, and the highest correlation of daily returns over a year.
    Returns,
    /// The highest correlation of daily returns, whatever the sector.
    ReturnsAnywhere,
    /// The highest cosine of the representations, whatever the sector.
    Representation(&'a Representations),
    /// Of the same sector, and the highest cosine.
    RepresentationWithinSector(&'a Representations),
}

/// The one of `others` that is most like the security sold, or why there is none. Whatever «alike» means, a
/// replacement has a year of prices to compare with, in which it does not move the other way.
///
/// # Errors
/// A clause that says what is missing, for people.
pub fn most_alike(
    market: AsOf<'_>,
    sector_of: &dyn Fn(&Symbol) -> Sector,
    sold: AssetIdx,
    others: &[AssetIdx],
    likeness: Likeness<'_>,
) -> Result<Replacement, String> {
    let symbol = |asset: AssetIdx| &market.symbols()[asset.0];
    let (name, sector) = (symbol(sold), sector_of(symbol(sold)));
    let within = matches!(likeness, Likeness::Returns | Likeness::RepresentationWithinSector(_));
    if within && sector == Sector::Unknown {
        return Err(format!("the sector of {name} is not known"));
    }
    let others = others.iter().copied().filter(|&other| !within || sector_of(symbol(other)) == sector);
    // The correlation of one, where it can be offered at all.
    let correlation = |returns: &ReturnMatrix, column: usize, other: AssetIdx| {
        let found = returns.correlation(0, column, CORRELATION_MIN_SESSIONS)?;
        let fund = sector == Sector::Fund && sector_of(symbol(other)) == Sector::Fund;
        (found > 0.0 && !(fund && found > SAME_INDEX_CORRELATION)).then_some(found)
    };
    let made = |asset: AssetIdx, correlation: f64, cosine: Option<f64>| Replacement {
        symbol: symbol(asset).clone(),
        asset,
        sector: sector_of(symbol(asset)),
        correlation,
        cosine,
    };
    match likeness {
        Likeness::Returns | Likeness::ReturnsAnywhere => {
            let assets: Vec<AssetIdx> = std::iter::once(sold).chain(others).collect();
            let returns = ReturnMatrix::daily(market, &assets, CORRELATION_SESSIONS);
            let all = (assets.iter().enumerate().skip(1))
                .filter_map(|(column, &asset)| Some((asset, correlation(&returns, column, asset)?)));
            all.max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| symbol(b.0).cmp(symbol(a.0))))
                .map(|(asset, correlation)| made(asset, correlation, None))
                .ok_or_else(|| {
                    let whose = if within { "security of the same sector" } else { "security" };
                    format!("no other {whose} has a year of prices to compare {name} with")
                })
        }
        Likeness::Representation(all) | Likeness::RepresentationWithinSector(all) => {
            let own = all.get(name).ok_or_else(|| format!("the encoder says nothing of {name} today"))?;
            let near = |asset: AssetIdx| Some((asset, cosine(own, all.get(symbol(asset))?)?));
            let mut near: Vec<(AssetIdx, f64)> = others.filter_map(near).collect();
            near.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| symbol(a.0).cmp(symbol(b.0))));
            let offered = |&(asset, cosine): &(AssetIdx, f64)| {
                let returns = ReturnMatrix::daily(market, &[sold, asset], CORRELATION_SESSIONS);
                Some(made(asset, correlation(&returns, 1, asset)?, Some(cosine)))
            };
            near.iter()
                .find_map(offered)
                .ok_or_else(|| format!("nothing that the encoder knows has a year of prices to compare {name} with"))
        }
    }
}

/// Whether two symbols are shares of one company: by the names of the table without what they say of the class
/// of shares, or by symbols that differ in a class alone (`BRK.A`, `BRK.B`). Classes of one company may be
/// substantially identical (tax rule 4.2), so that none is offered instead of another.
#[must_use]
pub fn one_company(tickers: Option<&Tickers>, one: &Symbol, other: &Symbol) -> bool {
    let name = |symbol: &Symbol| tickers.and_then(|all| all.get(symbol)?.name.as_deref());
    let by_name = || name(one).zip(name(other)).is_some_and(|(one, other)| one_name(one, other));
    one == other || root(one.as_str()) == root(other.as_str()) || by_name()
}

/// A symbol without a class of one or two letters.
fn root(symbol: &str) -> &str {
    let class = |class: &str| (1..=2).contains(&class.len()) && class.bytes().all(|byte| byte.is_ascii_alphabetic());
    symbol.rsplit_once(['.', '-', '/']).filter(|(_, after)| class(after)).map_or(symbol, |(root, _)| root)
}

/// Whether two names have the same words, and any, before what tells of a class.
fn one_name(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (company_words(one), company_words(other));
    let mut any = false;
    loop {
        match (one.next(), other.next()) {
            (None, None) => return any,
            (Some(a), Some(b)) if a.to_lowercase() == b.to_lowercase() => any = true,
            _ => return false,
        }
    }
}

/// The words of a name before a bracket, «Class A», «Series C» or «Common Stock».
fn company_words(name: &str) -> impl Iterator<Item = &str> {
    let among = |word: &str, all: &[&str]| all.iter().any(|one| one.eq_ignore_ascii_case(word));
    let before = name.split('(').next().unwrap_or_default();
    let mut words = before.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    std::iter::from_fn(move || {
        let word = words.next()?;
        let next = words.peek().copied().unwrap_or_default();
        let class = among(word, &["class", "cl", "series"]) && next.len() == 1;
        let kind = among(word, &["common", "capital", "ordinary"]) && among(next, &["stock", "share", "shares"]);
        (!class && !kind).then_some(word)
    })
    .fuse()
}

/// `None` where one of them has no direction, or their lengths differ.
fn cosine(one: &[f32], other: &[f32]) -> Option<f64> {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let scale = (product(one, one) * product(other, other)).sqrt();
    (one.len() == other.len() && scale > 0.0 && scale.is_finite()).then(|| product(one, other) / scale)
}

/// How far one security strayed from another after the close of `from`: the deviation of the differences of
/// their daily returns over the next `horizon` sessions, a year. This looks ahead, to judge a choice
/// afterwards. `None` unless both have every close.
#[must_use]
pub fn tracking_error(panel: &Panel, [sold, held]: [AssetIdx; 2], from: SessionIdx, horizon: usize) -> Option<f64> {
    let column = |asset| panel.full_history(asset, Field::AdjClose).get(from.0..=from.0 + horizon);
    let (sold, held) = (column(sold)?, column(held)?);
    let ret = |pair: &[f64]| pair[1] / pair[0] - 1.0;
    let apart: Vec<f64> = sold.windows(2).zip(held.windows(2)).map(|(a, b)| ret(a) - ret(b)).collect();
    let count = apart.len() as f64;
    if apart.len() < 2 || apart.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mean = apart.iter().sum::<f64>() / count;
    let square = apart.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    Some((square * SESSIONS_PER_YEAR).sqrt())
}

#[cfg(test)]
mod tests {
    use lotwise_core::{Date, RawBar};
    use lotwise_market::Ticker;

    use super::*;

    /// Five securities over 200 days: `A` and `B` of one sector move alike, `C` of another moves nearly as `A`, `D` of
    /// `A`'s sector moves the other way, `E` has no year of prices.
    fn panel() -> Panel {
        let symbols = ["A", "B", "C", "D", "E"].map(|name| Symbol::parse(name).unwrap());
        let first = Date::from_ymd(2024, 1, 1).unwrap();
        let wave = |day: i32, step: f64| (f64::from(day) * step).sin();
        let prices = |asset: usize, day: i32| {
            let (own, noise) = (wave(day, 0.9), wave(day, 2.3 + asset as f64));
            10.0 * (0.02 * [own, own + 0.6 * noise, own + 0.1 * noise, -own, own][asset]).exp()
        };
        let bar = |asset: usize, day: i32| {
            let close = prices(asset, day);
            RawBar {
                date: first.plus_days(day),
                open: close,
                high: close,
                low: close,
                close,
                adj_close: close,
                volume: 1.0,
            }
        };
        let bars = |asset: usize| (if asset == 4 { 150 } else { 0 }..200).map(|day| bar(asset, day)).collect();
        let groups: Vec<(Symbol, Vec<RawBar>)> =
            symbols.into_iter().enumerate().map(|(asset, symbol)| (symbol, bars(asset))).collect();
        Panel::from_groups(&groups)
    }

    fn sector(symbol: &Symbol) -> Sector {
        if symbol.as_str() == "C" { Sector::Energy } else { Sector::Financials }
    }

    fn found(likeness: Likeness<'_>) -> Result<String, String> {
        let panel = panel();
        let others = [1, 2, 3, 4].map(AssetIdx);
        let market = panel.at(SessionIdx(panel.n_sessions() - 1));
        most_alike(market, &sector, AssetIdx(0), &others, likeness).map(|found| found.symbol.to_string())
    }

    #[test]
    fn likeness_of_returns_stays_in_the_sector_unless_told_otherwise() {
        assert_eq!(found(Likeness::Returns).unwrap(), "B");
        assert_eq!(found(Likeness::ReturnsAnywhere).unwrap(), "C");
    }

    #[test]
    fn the_nearest_representation_that_can_be_compared_is_chosen() {
        let says = |rows: [[f32; 2]; 5]| -> Representations {
            let names = ["A", "B", "C", "D", "E"].map(|name| Symbol::parse(name).unwrap());
            names.into_iter().zip(rows).map(|(name, row)| (name, row.to_vec())).collect()
        };
        // D and E are nearest, but the one moves the other way and the other is young; 0 has no direction.
        let all = says([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [1.0, 0.1]]);
        assert_eq!(found(Likeness::Representation(&all)).unwrap(), "C");
        let none = found(Likeness::RepresentationWithinSector(&all)).unwrap_err();
        assert_eq!(none, "nothing that the encoder knows has a year of prices to compare A with");
        let all = says([[1.0, 0.0], [-1.0, 0.5], [1.0, 1.0], [2.0, 0.0], [1.0, 0.1]]);
        assert_eq!(found(Likeness::RepresentationWithinSector(&all)).unwrap(), "B");
        let none = found(Likeness::Representation(&Representations::new())).unwrap_err();
        assert_eq!(none, "the encoder says nothing of A today");
    }

    #[test]
    fn classes_of_shares_are_of_one_company() {
        let named = |names: [Option<&str>; 2], [one, other]: [&str; 2]| {
            let [a, b] = [one, other].map(|symbol| Symbol::parse(symbol).unwrap());
            let ticker = |name: Option<&str>| Ticker {
                name: name.map(str::to_owned),
                sector: Sector::Energy,
                sub_industry: None,
            };
            let tickers = Tickers::from_iter([(a.clone(), ticker(names[0])), (b.clone(), ticker(names[1]))]);
            one_company(Some(&tickers), &a, &b)
        };
        for names in [
            ["Alphabet Inc. (Class C)", "Alphabet Inc. (Class A)"],
            ["Alphabet Inc. - Class C Capital Stock", "ALPHABET INC CLASS A"],
            ["Lennar Corporation Common Stock Class A", "Lennar Corporation Class B"],
            ["Discovery (Series A)", "Discovery Series C"],
        ] {
            assert!(named(names.map(Some), ["X", "Y"]), "{names:?}");
        }
        for names in [
            ["Alphabet Inc. (Class C)", "Meta Platforms (Class A)"],
            ["American Airlines Group", "American International Group"],
            ["World Class Travel", "World"],
            ["(A)", "(B)"],
        ] {
            assert!(!named(names.map(Some), ["X", "Y"]), "{names:?}");
        }
        assert!(!named([None, None], ["GOOG", "GOOGL"]), "nothing tells");
        assert!(named([None, None], ["BRK.A", "BRK.B"]));
        assert!(!named([None, None], ["SYN-1", "SYN-2"]));
    }

    #[test]
    fn tracking_error_is_the_yearly_deviation_of_the_difference() {
        let panel = panel();
        let error = |held: usize, from: usize, horizon| {
            tracking_error(&panel, [AssetIdx(0), AssetIdx(held)], SessionIdx(from), horizon)
        };
        assert_eq!(error(0, 10, 31), Some(0.0));
        assert!(error(2, 10, 31).unwrap() < error(1, 10, 31).unwrap());
        assert_eq!(error(1, 180, 31), None, "the panel ends before");
        assert_eq!(error(4, 140, 31), None, "not both have a close");
    }
}
