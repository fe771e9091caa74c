//! Reads expositions back, in text 0.0.4 and OpenMetrics 1.0. Pure: it knows no registry and no encoder.
//!
//! It reads what the parsers of Python's `prometheus_client` 0.26 read, to the same values, and refuses what they
//! refuse, their oddities included: they are the reference for OpenMetrics, and what a test accepts here another tool
//! accepts too. Its differences, all of them:
//!
//! - Text: a counter keeps the names it was written under. Python takes `_total` from the family or adds it to samples.
//! - `-0` is minus zero. Python reads an integer, which has no sign at zero.
//! - An integer beyond the largest double is an infinity. Python keeps integers of any size.
//!
//! Python's parser of text reads much that is wrong; [`parse_strict`] refuses that too.

mod counted;
mod fault;
mod json;
mod labels;
mod native_histogram;
mod number;
mod openmetrics;
mod openmetrics_line;
mod scan;
mod strict;
mod text;

pub use json::json;
pub use strict::parse_strict;

use std::fmt;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Dialect {
    /// The dialect a text is in: OpenMetrics where its last line is `# EOF`, text otherwise.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let last = text.strip_suffix('\n').unwrap_or(text).rsplit('\n').next();
        if last == Some("# EOF") { Self::OpenMetrics } else { Self::Text }
    }
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FamilyKind {
    /// `counter`
    Counter,
    /// `gauge`
    Gauge,
    /// `histogram`
    Histogram,
    /// `gaugehistogram`
    GaugeHistogram,
    /// `summary`
    Summary,
    /// `info`
    Info,
    /// `stateset`
    StateSet,
    /// `unknown`, `untyped`, or no TYPE at all.
    Unknown,
}

impl FamilyKind {
    /// The word for it, which is the one in TYPE but for `untyped`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "gaugehistogram" => Self::GaugeHistogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            "unknown" | "untyped" => Self::Unknown,
            _ => return None,
        })
    }
}

/// A family and its samples. In text each sample that no TYPE or HELP announced is a family of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFamily {
    /// As TYPE and HELP have it; without them the sample's name.
    pub name: String,
    /// Its type.
    pub kind: FamilyKind,
    /// The help text, unescaped; empty where there is none.
    pub help: String,
    /// The unit; empty where there is none, as in text always.
    pub unit: String,
    /// The samples in their order.
    pub samples: Vec<ParsedSample>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSample {
    /// The whole name, suffix included.
    pub name: String,
    /// Names and values as they stand, unescaped; values may be empty.
    pub labels: Vec<(String, String)>,
    /// The value; NaN beside a native histogram.
    pub value: f64,
    /// Seconds since the epoch, in both formats.
    pub timestamp: Option<f64>,
    /// The exemplar, in OpenMetrics.
    pub exemplar: Option<Box<ParsedExemplar>>,
    /// What stands in place of a value: Python's early form of native histograms in OpenMetrics.
    pub native_histogram: Option<Box<ParsedNativeHistogram>>,
}

impl ParsedSample {
    /// The value of a label; an absent one is `None`, an empty one `Some("")`.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
}

/// An exemplar.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedExemplar {
    /// Names and values as they stand, unescaped.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// Seconds since the epoch.
    pub timestamp: Option<f64>,
}

/// A native histogram. Its integers are given as doubles.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedNativeHistogram {
    /// Number of observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// How fine its buckets are.
    pub schema: f64,
    /// Observations nearer to zero than this are in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// Offsets and lengths of runs of buckets for positive values.
    pub positive_spans: Vec<(f64, f64)>,
    /// Offsets and lengths of runs of buckets for negative values.
    pub negative_spans: Vec<(f64, f64)>,
    /// What each bucket for positive values has more than the one before.
    pub positive_deltas: Vec<f64>,
    /// What each bucket for negative values has more than the one before.
    pub negative_deltas: Vec<f64>,
}

/// Why a text is no exposition, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was expected and what was received.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Reads an exposition. It takes time in proportion to the text's length, whatever the text is.
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
/// At the first thing in the text that the format does not allow.
pub fn parse(text: &str, dialect: Dialect) -> Result<Vec<ParsedFamily>, ParseError> {
    match dialect {
        Dialect::Text => text::families(text),
        Dialect::OpenMetrics => openmetrics::families(text),
    }
}
