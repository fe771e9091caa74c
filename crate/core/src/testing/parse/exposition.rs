//! Parses an exposition in any text format.

use super::dialect::Dialect;
use super::fault::ParseError;
use super::parsed::ParsedFamily;
use super::{openmetrics, openmetrics2, text};

/// Parses an exposition. The time is proportional to the length of the text, for every text.
///
/// ```
/// use prometheus_metrics::testing::{Dialect, FamilyKind, parse};
///
/// let families = parse("# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 3\n", Dialect::Text)?;
/// assert_eq!(families[0].kind, FamilyKind::Counter);
/// assert_eq!(families[0].samples[0].label("queue"), Some("mail"));
/// assert_eq!(families[0].samples[0].value, 3.0);
///
/// let error = parse("jobs_total{queue=\"mail} 3\n", Dialect::Text).unwrap_err();
/// assert_eq!((error.line, error.column), (1, 11));
/// # Ok::<(), prometheus_metrics::testing::ParseError>(())
/// ```
///
/// # Errors
///
/// For the first part of the text that the format does not allow.
pub fn parse(text: &str, dialect: Dialect) -> Result<Vec<ParsedFamily>, ParseError> {
    match dialect {
        Dialect::Text | Dialect::Text1 => text::families(text),
        Dialect::OpenMetrics => openmetrics::families(text),
        Dialect::OpenMetrics2 => openmetrics2::families(text),
    }
}
