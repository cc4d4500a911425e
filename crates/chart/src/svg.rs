//! Writing SVG.

use std::fmt::Write;

/// An SVG element in the making. Coordinates are written with one decimal.
pub(crate) struct Canvas {
    body: String,
    width: f64,
    height: f64,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Canvas {
    pub fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(number);
        self.push(format_args!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    /// A rectangle; a negative height is measured upwards. `says` is read out and shown on hovering.
    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), says: Option<&str>) {
        let top = if height < 0.0 { y + height } else { y };
        let [x, y, width, height] = [x, top, width.max(0.0), height.abs()].map(number);
        let open = format_args!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        match says {
            Some(says) => self.push(format_args!("{open}><title>{}</title></rect>", escape(says))),
            None => self.push(format_args!("{open}/>")),
        }
    }

    /// A line through points, broken where a point is missing.
    pub fn path(&mut self, class: &str, points: impl Iterator<Item = Option<(f64, f64)>>) {
        let mut commands = String::new();
        let mut pen_down = false;
        for point in points {
            match point {
                Some((x, y)) => {
                    let command = if pen_down { 'L' } else { 'M' };
                    let _ = write!(commands, "{command}{} {}", number(x), number(y));
                    pen_down = true;
                }
                None => pen_down = false,
            }
        }
        if !commands.is_empty() {
            self.push(format_args!("<path class=\"{class}\" d=\"{commands}\"/>"));
        }
    }

    /// A filled shape through points.
    pub fn area(&mut self, class: &str, points: &[(f64, f64)]) {
        if points.len() < 2 {
            return;
        }
        let mut commands = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            let _ = write!(commands, "{}{} {}", if at == 0 { 'M' } else { 'L' }, number(*x), number(*y));
        }
        self.push(format_args!("<path class=\"{class}\" d=\"{commands}Z\"/>"));
    }

    /// A text at its baseline.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let (x, y, anchor) = (number(x), number(y), anchor.name());
        let text = escape(text);
        self.push(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"));
    }

    /// The element, hidden from readers that the table beside it serves better.
    pub fn finish(self) -> String {
        let (width, height) = (number(self.width), number(self.height));
        format!(
            "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" aria-hidden=\"true\">\n{}</svg>\n",
            self.body
        )
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }
}

/// A coordinate with at most one decimal.
fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // A negative zero has no place in a file.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// Text for element content and attribute values.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Characters that XML does not allow.
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
        escaped
    })
}

/// About how wide a text is in pixels, at 12 px: enough to keep labels apart.
pub(crate) fn text_width(text: &str) -> f64 {
    text.chars()
        .map(|character| if matches!(character, 'i' | 'l' | '.' | ',' | ' ' | '\u{202f}') { 4.0 } else { 7.4 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element() {
        let mut canvas = Canvas::new(10.0, 10.0);
        canvas.text("label", (0.0, -0.01), Anchor::Start, "<script>\"&'\u{1}");
        canvas.path("s0", [Some((0.0, 1.26)), None, Some((2.0, 3.0)), Some((4.0, 5.0))].into_iter());
        let svg = canvas.finish();
        assert!(svg.contains("y=\"0\" text-anchor=\"start\">&lt;script&gt;&quot;&amp;&#39;\u{fffd}</text>"), "{svg}");
        assert!(svg.contains("d=\"M0 1.3M2 3L4 5\""), "{svg}");
    }
}
