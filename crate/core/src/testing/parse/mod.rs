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
mod dialect;
mod exposition;
mod fault;
mod groups;
mod json;
mod labels;
mod line;
mod names;
mod native_histogram;
mod number;
mod openmetrics;
mod openmetrics_line;
mod parsed;
mod scan;
mod strict;
mod text;

pub use dialect::Dialect;
pub use exposition::parse;
pub use fault::ParseError;
pub use json::json;
pub use parsed::{FamilyKind, ParsedExemplar, ParsedFamily, ParsedNativeHistogram, ParsedSample};
pub use strict::parse_strict;
