//! An exemplar: a recent example of what a cell counted, with labels that lead to its trace.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelName, LabelSet};

/// The largest number of code points in the names and values of an exemplar's labels together (OpenMetrics 1.0).
const MAX_CODE_POINTS: usize = 128;

/// An example of what a counter or a bucket counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    labels: Vec<u8>,
    value: f64,
    /// Seconds since the epoch.
    timestamp: f64,
}

impl Exemplar {
    /// Checks and makes an exemplar.
    ///
    /// # Errors
    /// `InvalidLabelName` for a name beyond the old rule; `InvalidLabelValue` if names and values have over 128 code points
    /// together (OpenMetrics 1.0).
    pub fn new(labels: &LabelSet, value: f64, timestamp: f64) -> Result<Self> {
        // Few servers and tools read others, and the names are those of tracing systems.
        labels.iter().try_for_each(|(name, _)| LabelName::new(name.as_str()).map(drop))?;
        let points: usize =
            labels.iter().map(|(name, value)| name.as_str().len() + value.chars().count()).sum();
        if points > MAX_CODE_POINTS {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelValue,
                "Label set size must be smaller than 128 UTF-8 chars",
            ));
        }
        Ok(Self { labels: labels.rendered(), value, timestamp })
    }

    /// The labels as an exposition shows them between the braces.
    pub(crate) fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The example's value.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn timestamp(&self) -> f64 {
        self.timestamp
    }
}
