//! A sample line that was read, and how lines are compared: by label set and by value.

use std::cmp::Ordering;

use super::number::{Number, Stamp};
use super::parsed::ParsedSample;

/// What a sample line says, and what of it comparisons need beside the sample.
pub(super) struct Line {
    pub(super) sample: ParsedSample,
    /// None beside a native histogram.
    pub(super) number: Option<Number>,
    pub(super) stamp: Option<Stamp>,
    /// A native histogram has no braces, or its name alone in them.
    pub(super) is_bare: bool,
}

/// What a sample's name has beyond as many characters as the family's has.
pub(super) fn tail<'a>(sample_name: &'a str, name: &str) -> &'a str {
    if let Some(tail) = sample_name.strip_prefix(name) {
        return tail;
    }
    let start = sample_name.char_indices().nth(name.chars().count());
    start.map_or("", |(start, _)| &sample_name[start..])
}

/// A label set, whatever its order. No byte of UTF-8 is 0xff.
pub(super) fn key(name: &str, sample: &ParsedSample, except: Option<&str>) -> Vec<u8> {
    let mut labels: Vec<&(String, String)> =
        sample.labels.iter().filter(|(label, _)| Some(&**label) != except).collect();
    labels.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
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

/// Whether two values are the same, however they are written.
pub(super) fn is_same(one: &Number, two: &Number) -> bool {
    one.compare(two) == Some(Ordering::Equal)
}
