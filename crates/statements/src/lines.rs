//! From a byte of a text to the line and column that an editor shows.

/// Where the lines of one text start.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines: `\n`, `\r\n` and a lone `\r` each end one.
    pub(crate) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, &byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// Line of this byte, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|&start| start <= offset)).unwrap_or(u32::MAX)
    }

    /// Line and character of this byte, both counted from 1. Walks the line, so it is for errors, not for rows.
    pub(crate) fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.starts[line as usize - 1];
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        (line, u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_an_editor() {
        let lines = Lines::new("ab\r\ncé\rd\n");
        let places: Vec<_> = [0, 1, 4, 5, 7, 8, 10, 99].into_iter().map(|offset| lines.place(offset)).collect();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1), (4, 1)]);
        assert_eq!(Lines::new("").place(0), (1, 1));
    }
}
