//! «Did you mean»: the known word closest to what was typed.

/// The known word within a third of the typed word's length in edits, if there is one.
fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let limit = typed.chars().count() / 3;
    known
        .into_iter()
        .map(|word| (edits(&typed, &word.to_lowercase()), word))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, word)| word)
}

/// A sentence that offers the nearest known word, or else lists up to `most` of them.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(word) = nearest(typed, known.iter().copied()) {
        return format!("did you mean {word}?");
    }
    let shown = known.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    let more = if known.len() > most { format!(" and {} more", known.len() - most) } else { String::new() };
    format!("there are {shown}{more}")
}

/// Least number of characters added, removed, replaced, or swapped with their neighbour.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, &left) in a.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, &right) in b.iter().enumerate() {
            let mut least = (last[column] + usize::from(left != right)).min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && left == b[column - 1] && a[row - 1] == right {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_word_is_offered() {
        let keys = ["short_rate", "long_rate", "status", "cache_dir"];
        assert_eq!(nearest("shortrate", keys), Some("short_rate"));
        assert_eq!(nearest("statsu", keys), Some("status"));
        assert_eq!(nearest("LONG_RATE", keys), Some("long_rate"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
        assert_eq!(nearest("V", ["T", "U"]), None);
        assert_eq!(did_you_mean("colour", keys, 2), "there are short_rate, long_rate and 2 more");
        assert_eq!(did_you_mean("AAPL", ["APPL", "MSFT"], 5), "did you mean APPL?");
    }
}
