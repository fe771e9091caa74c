//! Parses expositions in text 0.0.4, OpenMetrics 1.0 and 2.0, and protobuf. It must not know registries and encoders.
//!
//! In text and OpenMetrics 1.0 it accepts and refuses the same texts as the parsers of Python's `prometheus_client` 0.26, with the same values and
//! the same oddities. They are the reference for OpenMetrics, and a text that a test accepts here is accepted by other
//! tools too. All differences:
//!
//! - Text: a counter keeps its names as written. Python removes `_total` from the family or adds it to samples.
//! - `-0` is minus zero. Python reads an integer, and its zero has no sign.
//! - An integer over the largest double is an infinity. Python keeps integers of any size.
//!
//! Python's parser of text also accepts many invalid texts; [`parse_strict`] refuses them.

mod counted;
mod dialect;
mod exposition;
mod fault;
mod groups;
mod json;
mod labels;
mod line;
mod metric;
mod names;
mod native_histogram;
mod number;
mod openmetrics;
mod openmetrics2;
mod openmetrics_line;
mod parsed;
mod protobuf;
mod scan;
mod strict;
mod text;

pub use dialect::Dialect;
pub use exposition::parse;
pub use fault::ParseError;
#[doc(hidden)]
pub use json::json;
pub use parsed::{FamilyKind, ParsedExemplar, ParsedFamily, ParsedNativeHistogram, ParsedSample};
pub use protobuf::parse_protobuf;
pub use strict::parse_strict;
