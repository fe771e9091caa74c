//! Parses one sample line of OpenMetrics: name, labels, value, timestamp, exemplar.

use super::fault::{Fault, Parsed};
use super::labels::{Labels, labels};
use super::line::Line;
use super::names::{EXEMPLAR, metric_name};
use super::number::{Number, Stamp};
use super::parsed::{ParsedExemplar, ParsedSample};
use super::scan::{is_plain_name, last_unquoted, slice, unquoted};

/// The maximum length of an exemplar's labels together, in characters.
const EXEMPLAR_LABELS_MAX: usize = 128;

/// Parses a sample line.
pub(super) fn sample(line: &str) -> Parsed<'_, Line> {
    let brace = unquoted(line, 0, b"{").filter(|&brace| !line[..brace].contains(EXEMPLAR));
    let Some(brace) = brace else {
        let end = unquoted(line, 0, b" ");
        let name = slice(line, 0, end);
        if !is_plain_name(name) {
            return Err(Fault::expected("a metric name", line));
        }
        return with_value(name.to_owned(), Labels::new(), end.map_or(line, |end| &line[end + 1..]));
    };
    let Some(close) = unquoted(line, 0, b"}") else {
        return Err(Fault::new(&line[brace..], "Expected a closing brace after the labels"));
    };
    let mut labels = labels(slice(line, brace + 1, Some(close)), true)?;
    let name = metric_name(&line[..brace], &mut labels, &line[brace..])?;
    // Like Python, skip one character between the brace and the value without checking it.
    let rest = &line[close + 1..];
    with_value(
        name,
        labels,
        rest.char_indices().nth(1).map_or(&rest[rest.len()..], |(start, _)| &rest[start..]),
    )
}

fn with_value(name: String, labels: Labels, text: &str) -> Parsed<'_, Line> {
    let (value, rest) = text.split_once(' ').map_or((text, None), |(value, rest)| (value, Some(rest)));
    let number = Number::read(value).ok_or_else(|| Fault::expected("a value", value))?;
    let (stamp, exemplar) = match rest {
        Some(rest) => after_value(rest)?,
        None => (None, None),
    };
    let sample = ParsedSample {
        name,
        labels,
        value: number.value,
        timestamp: stamp.as_ref().map(Stamp::seconds),
        start: None,
        exemplar: exemplar.map(Box::new),
        native_histogram: None,
    };
    Ok(Line { sample, number: Some(number), stamp, is_bare: false })
}

/// The part of the line that is expected next, after the value.
#[derive(PartialEq)]
enum Expected {
    Timestamp,
    Hash,
    SpaceAfterHash,
    Brace,
    Labels,
    SpaceAfterLabels,
    Value,
    ExemplarTimestamp,
}

/// Parses a timestamp and an exemplar. Like Python, it ignores quoted text everywhere except in the labels.
fn after_value(text: &str) -> Parsed<'_, (Option<Stamp>, Option<ParsedExemplar>)> {
    let (mut timestamp, mut value, mut exemplar_timestamp) = (String::new(), String::new(), String::new());
    let mut exemplar_labels = None;
    let mut state = Expected::Timestamp;
    let mut in_quotes = false;
    for (position, character) in text.char_indices() {
        let at = &text[position..];
        if character == '"' {
            in_quotes = !in_quotes;
        }
        if in_quotes {
            continue;
        }
        state = match (state, character) {
            (Expected::Timestamp, '#') if timestamp.is_empty() => Expected::SpaceAfterHash,
            (Expected::Timestamp, ' ') => Expected::Hash,
            (Expected::Timestamp, _) => {
                timestamp.push(character);
                Expected::Timestamp
            }
            (Expected::Hash, '#') => Expected::SpaceAfterHash,
            (Expected::Hash, _) => return Err(Fault::expected("# and an exemplar", at)),
            (Expected::SpaceAfterHash, ' ') => Expected::Brace,
            (Expected::SpaceAfterHash, _) => return Err(Fault::expected("a space after #", at)),
            (Expected::Brace, '{') => {
                let start = unquoted(text, 0, b"{").map_or(0, |brace| brace + 1);
                exemplar_labels = Some(labels(slice(text, start, last_unquoted(text, b'}')), true)?);
                Expected::Labels
            }
            (Expected::Brace, _) => return Err(Fault::expected("an exemplar's labels in braces", at)),
            (Expected::Labels, '}') => Expected::SpaceAfterLabels,
            (Expected::Labels, _) => Expected::Labels,
            (Expected::SpaceAfterLabels, ' ') => Expected::Value,
            (Expected::SpaceAfterLabels, _) => {
                return Err(Fault::expected("a space and an exemplar's value", at));
            }
            (Expected::Value, ' ') if value.is_empty() => {
                return Err(Fault::expected("an exemplar's value", at));
            }
            (Expected::Value, ' ') => Expected::ExemplarTimestamp,
            (Expected::Value, _) => {
                value.push(character);
                Expected::Value
            }
            (Expected::ExemplarTimestamp, _) => {
                exemplar_timestamp.push(character);
                Expected::ExemplarTimestamp
            }
        };
    }
    check_end(&state, &timestamp, &exemplar_timestamp, &text[text.len()..])?;
    let stamp = stamp(&timestamp, text)?;
    let exemplar = match exemplar_labels {
        Some(labels) => Some(exemplar(labels, &value, &exemplar_timestamp, text)?),
        None => None,
    };
    Ok((stamp, exemplar))
}

/// Refuses a line that ended while a part of it was still expected.
fn check_end<'a>(
    state: &Expected,
    timestamp: &str,
    exemplar_timestamp: &str,
    end: &'a str,
) -> Parsed<'a, ()> {
    match state {
        Expected::Timestamp if timestamp.is_empty() => {
            Err(Fault::expected("a timestamp or an exemplar", end))
        }
        Expected::ExemplarTimestamp if exemplar_timestamp.is_empty() => {
            Err(Fault::expected("an exemplar's timestamp", end))
        }
        Expected::Hash | Expected::SpaceAfterHash | Expected::Brace | Expected::Labels => {
            Err(Fault::expected("the rest of an exemplar", end))
        }
        _ => Ok(()),
    }
}

fn stamp<'a>(timestamp: &str, text: &'a str) -> Parsed<'a, Option<Stamp>> {
    if timestamp.is_empty() {
        return Ok(None);
    }
    Stamp::read(timestamp).map(Some).ok_or_else(|| Fault::expected("a timestamp in seconds", text))
}

fn exemplar<'a>(labels: Labels, value: &str, timestamp: &str, text: &'a str) -> Parsed<'a, ParsedExemplar> {
    let length: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
    if length > EXEMPLAR_LABELS_MAX {
        let message = format!(
            "Expected at most {EXEMPLAR_LABELS_MAX} characters in an exemplar's labels but received {length}"
        );
        return Err(Fault::new(text, message));
    }
    let number = Number::read(value).ok_or_else(|| Fault::expected("an exemplar's value", text))?;
    let timestamp = stamp(timestamp, text)?.as_ref().map(Stamp::seconds);
    Ok(ParsedExemplar { labels, value: number.value, timestamp })
}
