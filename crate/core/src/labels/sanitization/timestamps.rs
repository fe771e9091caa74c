//! Finds dates with times (ISO 8601, extended or basic), and values that count seconds or milliseconds. Dates without a
//! time are not found, because names of models and versions contain them.

use super::words::{begins_word, ends_word};
use std::ops::{Range, RangeInclusive};

/// Digits of the shortest match: a count of seconds has 10, and the shortest date with a time, `YYYYMMDDThhmm`, has 12.
pub(super) const DIGITS_MIN: usize = 10;

/// The first match that begins at or after `from`.
pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    if from == 0 && is_epoch(text) {
        return Some(0..text.len());
    }
    let bytes = text.as_bytes();
    let mut starts = (from..bytes.len()).filter(|at| bytes[*at].is_ascii_digit() && begins_word(bytes, *at));
    starts.find_map(|start| Some(start..bytes.len() - date_time(&bytes[start..])?.len()))
}

/// Seconds, with or without a fraction, or milliseconds, from September 2001 to May 2033.
fn is_epoch(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    whole.starts_with('1') && matches!(whole.len(), 10 | 13) && digits(whole) && digits(fraction)
}

/// The text after a date with a time, the longest that ends at the end of a word. Minutes are required; seconds, their
/// fraction and the zone are optional. File names have `-` in place of `:`.
fn date_time(text: &[u8]) -> Option<&[u8]> {
    let rest = number(text, 4, 0..=9999)?;
    let dash = rest.starts_with(b"-");
    let rest = number(rest.strip_prefix(b"-").unwrap_or(rest), 2, 1..=12)?;
    let rest = number(if dash { rest.strip_prefix(b"-")? } else { rest }, 2, 1..=31)?;
    let rest = after(rest, if dash { b"Tt _" } else { b"Tt" })?;
    let rest = number(rest, 2, 0..=23)?;
    let colon = &rest[..usize::from(after(rest, b":-").is_some())];
    let minute = number(&rest[colon.len()..], 2, 0..=59)?;
    let second = minute.strip_prefix(colon).and_then(|rest| number(rest, 2, 0..=59));
    let fraction = second.and_then(fraction);
    let zone = zone(fraction.or(second).unwrap_or(minute));
    [zone, fraction, second, Some(minute)].into_iter().flatten().find(|rest| ends_word(rest, 0))
}

fn fraction(text: &[u8]) -> Option<&[u8]> {
    let digits = after(text, b".,")?;
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &digits[count..])
}

fn zone(text: &[u8]) -> Option<&[u8]> {
    after(text, b"Zz").or_else(|| {
        let rest = number(after(text, b"+-")?, 2, 0..=23)?;
        number(rest.strip_prefix(b":").unwrap_or(rest), 2, 0..=59)
    })
}

/// The text after one of these characters.
fn after<'a>(text: &'a [u8], any_of: &[u8]) -> Option<&'a [u8]> {
    text.split_first().filter(|(first, _)| any_of.contains(first)).map(|(_, rest)| rest)
}

/// The text after a number of this many digits in this range.
fn number(text: &[u8], digits: usize, range: RangeInclusive<u32>) -> Option<&[u8]> {
    let (number, rest) = text.split_at_checked(digits)?;
    let value = number
        .iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))?;
    range.contains(&value).then_some(rest)
}
