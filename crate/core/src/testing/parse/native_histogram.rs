//! Parses native histograms in the notation of Python's parser of OpenMetrics: a structure in place of a value.

use super::fault::{Fault, Parsed, shown};
use super::labels::labels;
use super::line::Line;
use super::names::metric_name;
use super::number::{float, is_digit, whole};
use super::parsed::{ParsedNativeHistogram, ParsedSample};
use super::scan::{strip_start, unquoted};

const SUFFIXES: [&str; 4] = ["_count", "_sum", "_bucket", "_created"];

/// Parses a line of a histogram if its value is a structure; `None` if its value is a number.
pub(super) fn sample(line: &str) -> Parsed<'_, Option<Line>> {
    let Some(first) = unquoted(line, 0, b" {") else { return Ok(None) };
    let mut name_end = first;
    if line.as_bytes()[first] == b'{' {
        name_end = unquoted(line, first, b"}")
            .ok_or_else(|| Fault::new(&line[first..], "Expected a closing brace after the labels"))?;
    }
    let Some(start) = unquoted(line, name_end + 1, b"{") else { return Ok(None) };
    if unquoted(line, name_end + 1, b"#").is_some_and(|exemplar| exemplar < start) {
        return Ok(None);
    }
    if unquoted(line, start, b"}").is_none() {
        return Err(Fault::new(&line[start..], "Expected a closing brace after a native histogram"));
    }
    let (name, labels) = if line.as_bytes()[first] == b'{' {
        let mut labels = labels(&line[first + 1..name_end], true)?;
        let name = &line[..first];
        if name.is_empty() {
            let name = metric_name(name, &mut labels, line)?;
            (name, Some(labels).filter(|labels| !labels.is_empty()))
        } else {
            (without_suffix(name)?, Some(labels))
        }
    } else {
        // Like Python, skip one character between the name and the structure without checking it.
        let name = line[..start].char_indices().next_back().map_or("", |(last, _)| &line[..last]);
        (without_suffix(name)?, None)
    };
    let is_bare = labels.is_none();
    let sample = ParsedSample {
        name,
        labels: labels.unwrap_or_default(),
        value: f64::NAN,
        timestamp: None,
        start: None,
        exemplar: None,
        native_histogram: Some(Box::new(structure(&line[start..])?)),
    };
    Ok(Some(Line { sample, number: None, stamp: None, is_bare }))
}

fn without_suffix(name: &str) -> Parsed<'_, String> {
    if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        return Err(Fault::expected("a native histogram's name without a suffix", name));
    }
    Ok(name.to_owned())
}

fn structure(text: &str) -> Parsed<'_, ParsedNativeHistogram> {
    let fields = fields(text);
    let field = |name: &str, read: fn(&str) -> Option<f64>| {
        let found = fields.iter().rev().find(|(key, _)| *key == name);
        let Some((_, value)) = found else {
            return Err(Fault::new(text, format!("Expected {name} in a native histogram")));
        };
        read(value).ok_or_else(|| {
            Fault::new(value, format!("Expected {name} as a number but received {}", shown(value)))
        })
    };
    Ok(ParsedNativeHistogram {
        count: field("count", whole)?,
        sum: field("sum", float)?,
        schema: field("schema", whole)?,
        zero_threshold: field("zero_threshold", float)?,
        zero_count: field("zero_count", whole)?,
        positive_spans: spans(text, "positive_spans:[")?,
        negative_spans: spans(text, "negative_spans:[")?,
        positive_deltas: deltas(text, "positive_deltas:[")?,
        negative_deltas: deltas(text, "negative_deltas:[")?,
    })
}

/// All matches of `(\w+):\s*([^,}]+)`, in order.
fn fields(text: &str) -> Vec<(&str, &str)> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some(colon) = rest.find(':') {
        let (before, after) = (&rest[..colon], &rest[colon + 1..]);
        let key = before.trim_end_matches(is_word).len();
        let end = after.find([',', '}']).unwrap_or(after.len());
        rest = after;
        if key < colon && end > 0 {
            fields.push((&before[key..], strip_start(&after[..end])));
            rest = &after[end..];
        }
    }
    fields
}

/// The offsets and lengths in the last list with this name, such as `[0:2,3:1]`.
fn spans<'a>(text: &'a str, name: &str) -> Parsed<'a, Vec<(f64, f64)>> {
    let is_span = |item: &str| {
        item.split_once(':').is_some_and(|(offset, length)| is_digits(offset) && is_digits(length))
    };
    let mut spans = Vec::new();
    for item in last_list(text, name, is_span) {
        let (offset, length) = item.split_once(':').unwrap_or((item, ""));
        spans.push((integer(offset)?, integer(length)?));
    }
    Ok(spans)
}

/// The integers in the last list with this name, such as `[1,-2]`.
fn deltas<'a>(text: &'a str, name: &str) -> Parsed<'a, Vec<f64>> {
    let is_delta = |item: &str| is_digits(item.strip_prefix('-').unwrap_or(item));
    last_list(text, name, is_delta).map(integer).collect()
}

/// The items of the last list with this name in which every item is valid; no items without such a list.
fn last_list<'a>(text: &'a str, name: &str, is_item: impl Fn(&str) -> bool) -> impl Iterator<Item = &'a str> {
    let lists = text.match_indices(name).filter_map(|(at, _)| {
        let rest = &text[at + name.len()..];
        // Do not search for the next bracket: with many names and a distant bracket the time would be quadratic.
        let end = rest.find(|character| !is_digit(character) && !matches!(character, ',' | ':' | '-'))?;
        (rest[end..].starts_with(']') && rest[..end].split(',').all(&is_item)).then_some(&rest[..end])
    });
    lists.last().into_iter().flat_map(|list| list.split(','))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_digit)
}

fn integer(text: &str) -> Parsed<'_, f64> {
    whole(text).ok_or_else(|| Fault::expected("an integer", text))
}
