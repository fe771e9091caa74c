//! The testing kit: what tests of metrics need, and nothing that production does. One line a module, one an export.

pub mod parse;

pub use parse::{
    Dialect, FamilyKind, ParseError, ParsedExemplar, ParsedFamily, ParsedNativeHistogram, ParsedSample,
    parse, parse_strict,
};
