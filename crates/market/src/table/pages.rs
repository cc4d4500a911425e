//! Pages of a column chunk that do not promise more than they hold.

use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// Passes pages on, but no dictionary that declares more values than it has bytes: decoders ask for
/// the memory of all declared values at once, and a value takes at least a byte.
pub(super) struct HonestPages<R>(pub(super) R);

impl<R: PageReader> PageReader for HonestPages<R> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.0.get_next_page()?;
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page
            && *num_values as usize > buf.len()
        {
            let message = format!("a dictionary of {} bytes declares {num_values} values", buf.len());
            return Err(ParquetError::General(message));
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.0.at_record_boundary()
    }
}

impl<R: PageReader> Iterator for HonestPages<R> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Encoding;

    /// One dictionary page of four bytes.
    struct Declared(Option<u32>);

    impl PageReader for Declared {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            Ok(self.0.take().map(|num_values| Page::DictionaryPage {
                buf: vec![0; 4].into(),
                num_values,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            }))
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    impl Iterator for Declared {
        type Item = Result<Page>;
        fn next(&mut self) -> Option<Self::Item> {
            self.get_next_page().transpose()
        }
    }

    #[test]
    fn a_dictionary_that_declares_more_values_than_bytes_is_refused() {
        assert!(HonestPages(Declared(Some(1))).get_next_page().is_ok_and(|page| page.is_some()));
        assert!(HonestPages(Declared(Some(4_000_000_000))).get_next_page().is_err());
    }
}
