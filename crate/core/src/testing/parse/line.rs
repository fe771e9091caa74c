//! Holds a parsed sample line, and compares lines: by label set and by value.

use crate::sort::sort_by;
use std::cmp::Ordering;

use super::number::{Number, Stamp};
use super::parsed::ParsedSample;

/// A parsed sample line: the sample, and the exact number and timestamp for comparisons.
pub(super) struct Line {
    pub(super) sample: ParsedSample,
    /// `None` if there is a native histogram.
    pub(super) number: Option<Number>,
    pub(super) stamp: Option<Stamp>,
    /// A native histogram without braces, or with only its name in them.
    pub(super) is_bare: bool,
}

/// The part of a sample's name after as many characters as the family's name has.
pub(super) fn tail<'a>(sample_name: &'a str, name: &str) -> &'a str {
    if let Some(tail) = sample_name.strip_prefix(name) {
        return tail;
    }
    let start = sample_name.char_indices().nth(name.chars().count());
    start.map_or("", |(start, _)| &sample_name[start..])
}

/// A key for a label set that does not depend on the order of the labels. The separator 0xff does not occur in UTF-8.
pub(super) fn key(name: &str, sample: &ParsedSample, except: Option<&str>) -> Vec<u8> {
    let mut labels: Vec<&(String, String)> =
        sample.labels.iter().filter(|(label, _)| Some(&**label) != except).collect();
    sort_by(&mut labels, |(one, _), (two, _)| one.cmp(two));
    let mut key = Vec::with_capacity(64);
    key.extend_from_slice(name.as_bytes());
    for (label, value) in labels {
        for text in [label, value] {
            key.push(0xff);
            key.extend_from_slice(text.as_bytes());
        }
    }
    key
}

/// Whether two values are equal, even if they are written differently.
pub(super) fn is_same(one: &Number, two: &Number) -> bool {
    one.compare(two) == Some(Ordering::Equal)
}
