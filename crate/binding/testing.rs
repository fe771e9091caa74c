//! Reads expositions for the testing kit.

use crate::values::Values;
use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi_derive::napi;
use prometheus_metrics::testing::parse::json;
use prometheus_metrics::testing::{Dialect, ParseError, ParsedFamily, parse, parse_protobuf, parse_strict};

/// An exposition that was read, or its fault.
#[napi(object)]
pub struct ParsedExposition {
    /// The format that it was read as: `text`, `text1`, `openmetrics`, `openmetrics2` or `protobuf`.
    pub format: String,
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

impl ParsedExposition {
    fn of(format: &str, parsed: std::result::Result<Vec<ParsedFamily>, ParseError>) -> Self {
        let (families, error) = match parsed {
            Ok(families) => {
                let (text, numbers) = json(&families);
                (Some(Values { text, numbers: Float64Array::new(numbers) }), None)
            }
            Err(error) => (None, Some(error.into())),
        };
        Self { format: format.to_owned(), families, error }
    }
}

/// Reads a text exposition: in the format of this name, or in text or OpenMetrics 1.0, as its last line says. `strict`
/// accepts less.
#[napi(catch_unwind)]
pub fn parse_exposition(text: String, format: Option<String>, strict: bool) -> ParsedExposition {
    let dialect = match format.as_deref() {
        Some("openmetrics2") => Dialect::OpenMetrics2,
        Some("openmetrics") => Dialect::OpenMetrics,
        Some("text1") => Dialect::Text1,
        Some(_) => Dialect::Text,
        None => Dialect::of(&text),
    };
    let format = match dialect {
        Dialect::Text => "text",
        Dialect::Text1 => "text1",
        Dialect::OpenMetrics => "openmetrics",
        Dialect::OpenMetrics2 => "openmetrics2",
    };
    let parsed = if strict { parse_strict(&text, dialect) } else { parse(&text, dialect) };
    ParsedExposition::of(format, parsed)
}

/// Reads an exposition in protobuf.
#[napi(catch_unwind)]
pub fn parse_protobuf_exposition(bytes: Uint8Array) -> ParsedExposition {
    ParsedExposition::of("protobuf", parse_protobuf(&bytes))
}
