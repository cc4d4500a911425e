//! Pictures from series, as SVG: the same code for pages, reports and the command line.
//!
//! A chart is data ([`LineChart`], [`BarChart`], [`Waterfall`], [`HeatTable`]); [`Chart::draw`] makes
//! SVG of it for a width class, with text never below 12 px, colours for light and dark that stay
//! apart under the common colour-vision deficiencies, and no meaning carried by colour alone. A
//! [`Figure`] adds what every picture has to say in words: the finding, a summary, source and date,
//! and the numbers as a table.
//!
//! Nothing here knows where the numbers come from, reads a file, or asks for the time.

mod bars;
mod figure;
mod frame;
mod heat;
mod line;
mod scale;
mod svg;
mod theme;
mod unit;
mod waterfall;

pub use bars::{BarChart, BarSeries, Stacking};
pub use figure::{DataTable, Figure};
pub use heat::HeatTable;
pub use line::{Band, Level, LineChart, Series, Strip};
pub use theme::STYLE;
pub use unit::Unit;
pub use waterfall::{Step, Waterfall};

/// How much room there is: a chart is drawn anew for each, never scaled down, so that its text stays
/// readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// A phone: 320 px.
    Narrow,
    /// Half a page: 640 px.
    Medium,
    /// A page: 960 px.
    Wide,
}

impl Width {
    /// All width classes.
    pub const ALL: [Self; 3] = [Self::Narrow, Self::Medium, Self::Wide];

    /// Width in pixels.
    #[must_use]
    pub const fn pixels(self) -> f64 {
        match self {
            Self::Narrow => 320.0,
            Self::Medium => 640.0,
            Self::Wide => 960.0,
        }
    }
}

/// Something that can be drawn, and told in numbers.
pub trait Chart {
    /// The picture as an SVG element without a style sheet of its own; [`STYLE`] has to be on the page.
    /// `mark` is printed inside the picture, for instance `simulated`.
    fn draw(&self, width: Width, mark: Option<&str>) -> String;

    /// The numbers behind the picture.
    fn table(&self) -> DataTable;
}
