//! Reads expositions for the testing kit.

use crate::values::Values;
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use prometheus_metrics::testing::parse::json;
use prometheus_metrics::testing::{Dialect, ParseError, parse, parse_strict};

/// An exposition that was read, or its fault.
#[napi(object)]
pub struct ParsedExposition {
    /// True if it was read as OpenMetrics.
    pub is_open_metrics: bool,
    /// The families, as `testing::parse::json` writes them.
    pub families: Option<Values>,
    /// The fault, if it could not be read.
    pub error: Option<ExpositionFault>,
}

/// A fault of an exposition, and its place.
#[napi(object)]
pub struct ExpositionFault {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What was expected and what was received.
    pub message: String,
}

impl From<ParseError> for ExpositionFault {
    fn from(error: ParseError) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { line: count(error.line), column: count(error.column), message: error.message }
    }
}

/// Reads an exposition: as OpenMetrics or text, or as its last line says if `is_open_metrics` is not set. `strict` accepts
/// less.
#[napi(catch_unwind)]
pub fn parse_exposition(text: String, is_open_metrics: Option<bool>, strict: bool) -> ParsedExposition {
    let dialect = match is_open_metrics {
        Some(true) => Dialect::OpenMetrics,
        Some(false) => Dialect::Text,
        None => Dialect::of(&text),
    };
    let (families, error) = match if strict { parse_strict(&text, dialect) } else { parse(&text, dialect) } {
        Ok(families) => {
            let (text, numbers) = json(&families);
            (Some(Values { text, numbers: Float64Array::new(numbers) }), None)
        }
        Err(error) => (None, Some(error.into())),
    };
    ParsedExposition { is_open_metrics: dialect == Dialect::OpenMetrics, families, error }
}
