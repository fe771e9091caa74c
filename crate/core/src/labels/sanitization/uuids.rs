//! Finds UUIDs with dashes, of any version. Written by hand: they are frequent in labels that should not have them, and
//! comparing at fixed places costs a nanosecond for each byte.

use super::words::{begins_word, ends_word};
use std::ops::Range;

pub(super) const BYTES: usize = 36;

/// The first UUID that begins at or after `from`.
pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = (from..=bytes.len().checked_sub(BYTES)?).find(|at| {
        is_uuid(&bytes[*at..at + BYTES]) && begins_word(bytes, *at) && ends_word(bytes, at + BYTES)
    })?;
    Some(start..start + BYTES)
}

fn is_uuid(bytes: &[u8]) -> bool {
    let dash = |place: usize| matches!(place, 8 | 13 | 18 | 23);
    bytes[8] == b'-'
        && bytes.iter().enumerate().all(|(place, byte)| match dash(place) {
            true => *byte == b'-',
            false => byte.is_ascii_hexdigit(),
        })
}
