//! Colour, which is never alone: sign, arrow and text say the same.

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// A heading.
    Strong,
    /// Of less weight.
    Quiet,
    /// More than before.
    Gain,
    /// Less than before.
    Loss,
    /// Needs attention.
    Caution,
    /// Does not work.
    Error,
}

impl Tone {
    /// The escape sequence. Gains are blue and losses orange: a green and red pair is alike to many eyes.
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\u{1b}[1m",
            Self::Quiet => "\u{1b}[2m",
            Self::Gain => "\u{1b}[38;5;32m",
            Self::Loss => "\u{1b}[38;5;166m",
            Self::Caution => "\u{1b}[38;5;136m",
            Self::Error => "\u{1b}[1;38;5;166m",
        }
    }
}

/// The text in its colour, or as it is.
#[must_use]
pub fn paint(text: &str, tone: Tone, colour: bool) -> String {
    if !colour || tone == Tone::Plain || text.is_empty() {
        return text.to_owned();
    }
    format!("{}{text}\u{1b}[0m", tone.code())
}
