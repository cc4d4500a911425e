//! A panel back into a price table.

use std::path::Path;

use crate::table::{ColumnData, write_parquet};
use crate::{Error, Field, Panel};

impl Panel {
    /// Writes the bars as Parquet in the layout that [`Panel::load`] reads, by symbol and then date;
    /// volumes are rounded to whole shares. The file appears only when it is complete.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_parquet(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let n_bars = self.assets().map(|asset| self.full_mask(asset).iter().filter(|&&present| present).count()).sum();
        let (mut dates, mut tickers, mut volumes) =
            (Vec::with_capacity(n_bars), Vec::with_capacity(n_bars), Vec::with_capacity(n_bars));
        let mut prices: [Vec<f64>; 5] = std::array::from_fn(|_| Vec::with_capacity(n_bars));
        for asset in self.assets() {
            for (at, _) in self.full_mask(asset).iter().enumerate().filter(|(_, present)| **present) {
                dates.push(Some(self.sessions()[at]));
                tickers.push(Some(self.symbols()[asset.0].as_str()));
                for (values, field) in prices.iter_mut().zip(Field::ALL) {
                    values.push(self.full_history(asset, field)[at]);
                }
                let volume = self.full_history(asset, Field::Volume)[at];
                volumes.push(Some(volume.round() as i64));
            }
        }
        let [open, high, low, close, adj_close] = &prices;
        write_parquet(
            path,
            &[
                ("date", ColumnData::Date(&dates)),
                ("ticker", ColumnData::Text(&tickers)),
                ("open", ColumnData::Float(open)),
                ("high", ColumnData::Float(high)),
                ("low", ColumnData::Float(low)),
                ("close", ColumnData::Float(close)),
                ("adj_close", ColumnData::Float(adj_close)),
                ("volume", ColumnData::Integer(&volumes)),
            ],
        )
    }
}
