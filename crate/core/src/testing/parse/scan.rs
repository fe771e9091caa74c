//! Scans a line like Python's parsers: quotes, escapes and white space. It works on bytes, because every delimiter is
//! ASCII.

use std::borrow::Cow;

use super::fault::{Fault, Parsed};

/// Python's `str.isspace()`. Unlike Unicode, Python counts the four separators as white space.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// `str.strip()`
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.lstrip()`
pub(super) fn strip_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Whether there is an odd number of backslashes before a position.
fn is_escaped(text: &[u8], position: usize) -> bool {
    text[..position].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// The first of these bytes outside quotes, from a position on. The position itself counts as outside.
pub(super) fn unquoted<const N: usize>(text: &str, from: usize, wanted: &[u8; N]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut in_quotes = false;
    let mut position = from;
    while let Some(&byte) = bytes.get(position) {
        if byte == b'"' && !is_escaped(bytes, position) {
            in_quotes = !in_quotes;
        } else if !in_quotes && wanted.contains(&byte) {
            return Some(position);
        }
        position += 1;
    }
    None
}

/// The last position of this byte outside quotes, with quotes counted from the end. The first byte of the text is never
/// found.
pub(super) fn last_unquoted(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut in_quotes = false;
    for (position, &byte) in bytes.iter().enumerate().skip(1).rev() {
        if byte == b'"' && !is_escaped(bytes, position) {
            in_quotes = !in_quotes;
        }
        if !in_quotes && byte == wanted {
            return Some(position);
        }
    }
    None
}

/// Python's `text[start:end]`: empty if `end` is before `start`; without an end, everything except the last character,
/// as with Python's -1.
pub(super) fn slice(text: &str, start: usize, end: Option<usize>) -> &str {
    let end = end.unwrap_or_else(|| text.char_indices().next_back().map_or(0, |(last, _)| last));
    let start = start.min(text.len());
    if start < end { &text[start..end] } else { &text[start..start] }
}

/// The first three words of a line and the rest of it, split at these bytes outside quotes. If a line ends with such a
/// byte, an empty part follows.
pub(super) fn split_comment<'a, const N: usize>(line: &'a str, separators: &[u8; N]) -> Vec<&'a str> {
    const PARTS_MAX: usize = 4;
    let mut parts = vec![&line[..0]];
    let mut at = 0;
    while at < line.len() {
        let last = parts.len() - 1;
        match unquoted(line, at, separators) {
            Some(split) if split == at => at += 1,
            Some(split) if parts.len() < PARTS_MAX => {
                parts[last] = &line[at..split];
                at = split + 1;
                parts.push(&line[at..at]);
            }
            _ => {
                parts[last] = &line[at..];
                break;
            }
        }
    }
    parts
}

/// A name or value without its quotes and escapes, and whether it had quotes.
pub(super) fn unquote(text: &str) -> Parsed<'_, (Cow<'_, str>, bool)> {
    if text.is_empty() {
        return Ok((Cow::Borrowed(text), false));
    }
    let stripped = strip(text);
    let Some(rest) = stripped.strip_prefix('"') else {
        if stripped.is_empty() {
            return Err(Fault::expected("a name", text));
        }
        return Ok((unescape(stripped, true), false));
    };
    let inner =
        rest.strip_suffix('"').ok_or_else(|| Fault::expected("text that ends in a quote", stripped))?;
    Ok((unescape(inner, true), true))
}

/// Replaces `\\`, `\n` and, if `quotes` is true, `\"`. Other escapes are unchanged.
pub(super) fn unescape(text: &str, quotes: bool) -> Cow<'_, str> {
    let Some(first) = text.find('\\') else { return Cow::Borrowed(text) };
    let mut plain = String::with_capacity(text.len());
    plain.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(position) = rest.find('\\') {
        plain.push_str(&rest[..position]);
        let replaced = match rest.as_bytes().get(position + 1) {
            Some(b'\\') => Some('\\'),
            Some(b'n') => Some('\n'),
            Some(b'"') if quotes => Some('"'),
            _ => None,
        };
        plain.push(replaced.unwrap_or('\\'));
        rest = &rest[position + if replaced.is_some() { 2 } else { 1 }..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Whether a name needs no quotes: `[a-zA-Z_:][a-zA-Z0-9_:]*`. Like Python's `$`, it allows a newline at the end.
pub(super) fn is_plain_name(name: &str) -> bool {
    let name = name.strip_suffix('\n').unwrap_or(name);
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    name.as_bytes().first().copied().is_some_and(is_first)
        && name.bytes().all(|byte| is_first(byte) || byte.is_ascii_digit())
}
