//! Price relatives: what one unit of each asset becomes in a session.

/// Why rows are no price relatives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelativesError {
    /// There is nothing.
    #[error("there are no sessions or no assets")]
    Empty,
    /// Rows of different length.
    #[error("session {session} has {found} assets, the first has {wanted}")]
    Ragged {
        /// Position of the session, from zero.
        session: usize,
        /// Assets in it.
        found: usize,
        /// Assets in the first.
        wanted: usize,
    },
    /// A relative that is not a positive number.
    #[error("session {session}, asset {asset}: a price relative is above zero")]
    NotPositive {
        /// Position of the session, from zero.
        session: usize,
        /// Position of the asset, from zero.
        asset: usize,
    },
}

/// Closing price over that of the session before, `[sessions, assets]`, all above zero.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRelatives {
    n_assets: usize,
    values: Vec<f64>,
}

impl PriceRelatives {
    /// Takes relatives by session.
    ///
    /// # Errors
    /// When there are none, rows differ in length, or one is not above zero.
    pub fn from_rows(rows: &[Vec<f64>]) -> Result<Self, RelativesError> {
        let wanted = rows.first().map_or(0, Vec::len);
        if wanted == 0 {
            return Err(RelativesError::Empty);
        }
        for (session, row) in rows.iter().enumerate() {
            if row.len() != wanted {
                return Err(RelativesError::Ragged { session, found: row.len(), wanted });
            }
            if let Some(asset) = row.iter().position(|relative| !(relative.is_finite() && *relative > 0.0)) {
                return Err(RelativesError::NotPositive { session, asset });
            }
        }
        Ok(Self { n_assets: wanted, values: rows.concat() })
    }

    /// Number of assets.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.n_assets
    }

    /// Number of sessions.
    #[must_use]
    pub fn n_sessions(&self) -> usize {
        self.values.len() / self.n_assets
    }

    /// The sessions, oldest first, each `[assets]`.
    pub fn sessions(&self) -> impl DoubleEndedIterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_assets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_relative_is_refused_with_its_place() {
        assert_eq!(PriceRelatives::from_rows(&[]), Err(RelativesError::Empty));
        let ragged = PriceRelatives::from_rows(&[vec![1.0, 1.0], vec![1.0]]);
        assert_eq!(ragged, Err(RelativesError::Ragged { session: 1, found: 1, wanted: 2 }));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = PriceRelatives::from_rows(&[vec![1.0, 1.0], vec![1.0, wrong]]);
            assert_eq!(error, Err(RelativesError::NotPositive { session: 1, asset: 1 }));
        }
    }
}
