//! The testing kit: assertions, a mock registry, a mock clock, and a parser of expositions. Production code does not
//! use it, except that the bridge to `prometheus-client` reads expositions with the parser.

pub mod assertions;
mod mock_clock;
mod mock_registry;
pub mod parse;
mod reading;

pub use assertions::{assert_counted, assert_metric, assert_observed, assert_valid_exposition};
pub use mock_clock::MockClock;
pub use mock_registry::MockRegistry;
pub use parse::{
    Dialect, FamilyKind, ParseError, ParsedExemplar, ParsedFamily, ParsedNativeHistogram, ParsedSample,
    parse, parse_protobuf, parse_strict,
};
pub use reading::{Labels, Reading, Subject};
