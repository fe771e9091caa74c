//! Parses the text in braces: labels, and optionally a quoted metric name.

use std::collections::HashSet;

use super::fault::{Fault, Parsed, shown};
use super::scan::{is_plain_name, strip, unquote, unquoted};

/// The label under which `labels` returns a metric name in the braces.
pub(super) const NAME: &str = "__name__";
/// With fewer labels, duplicates are searched by comparing with each label; with more, in a hash set.
const FEW: usize = 16;

pub(super) type Labels = Vec<(String, String)>;

/// Parses `a="b",c="d"`. OpenMetrics is strict about commas.
pub(super) fn labels(text: &str, strict: bool) -> Parsed<'_, Labels> {
    let mut labels = Labels::new();
    let mut seen = HashSet::new();
    let mut rest = strip(text);
    if strict && rest.starts_with(',') {
        return Err(Fault::expected("a label name", rest));
    }
    while !rest.is_empty() {
        let term = next_term(rest, strict)?;
        debug_assert!(term.rest.len() < rest.len(), "each term takes something");
        rest = term.rest;
        if term.value.is_empty() {
            if strict {
                return Err(Fault::expected("a label value in quotes", term.value));
            }
            continue;
        }
        let (name, value) = label(&term)?;
        let is_known = if labels.len() < FEW {
            labels.iter().any(|(known, _)| *known == name)
        } else {
            if seen.is_empty() {
                seen.extend(labels.iter().map(|(known, _): &(String, String)| known.clone()));
            }
            !seen.insert(name.clone())
        };
        if is_known {
            return Err(Fault::new(
                term.name,
                format!("Expected each label once but received {name:?} again"),
            ));
        }
        labels.push((name, value));
    }
    Ok(labels)
}

struct Term<'a> {
    /// The label name; [`NAME`] if there is no `=`.
    name: &'a str,
    value: &'a str,
    rest: &'a str,
}

fn next_term(text: &str, strict: bool) -> Parsed<'_, Term<'_>> {
    let mut text = text;
    if let Some(after) = text.strip_prefix(',') {
        if after.is_empty() {
            return Ok(Term { name: after, value: after, rest: after });
        }
        if after.starts_with(',') {
            return Err(Fault::expected("a label name", after));
        }
        text = after;
    }
    let mut name = NAME;
    let mut end = unquoted(text, 0, b"=,}");
    if let Some(equals) = end.filter(|&position| text.as_bytes()[position] == b'=') {
        name = &text[..equals];
        text = &text[equals + 1..];
        end = unquoted(text, 0, b",}");
    }
    let end = end.unwrap_or(text.len());
    let term = &text[..end];
    // An empty term before a brace would leave the text as it is and cause an endless loop.
    if term.is_empty() && (strict || text[end..].starts_with('}')) {
        return Err(Fault::expected("a label value in quotes", text));
    }
    Ok(Term { name, value: strip(term), rest: strip(&text[end..]) })
}

fn label<'a>(term: &Term<'a>) -> Parsed<'a, (String, String)> {
    // `NAME` is not part of the line, so an error cannot point at it.
    let at = if term.name == NAME { term.value } else { term.name };
    let (name, is_quoted) = unquote(term.name)?;
    if !is_quoted && !is_plain_name(&name) {
        return Err(Fault::expected("a label name ([a-zA-Z_:][a-zA-Z0-9_:]*, or any in quotes)", at));
    }
    let Some(quoted) = term.value.strip_prefix('"') else {
        return Err(Fault::expected("a label value in quotes", term.value));
    };
    match unquoted_end(quoted) {
        None => return Err(Fault::new(term.value, format!("Expected a quote after {}", shown(term.value)))),
        Some(end) if end + 1 < quoted.len() => {
            return Err(Fault::expected(
                "a comma or the closing brace after a label value",
                &quoted[end + 1..],
            ));
        }
        Some(_) => {}
    }
    let (value, _) = unquote(term.value)?;
    if name != NAME && is_reserved(&name) {
        return Err(Fault::new(
            at,
            format!("Expected a label name that is not reserved but received {name:?}"),
        ));
    }
    Ok((name.into_owned(), value.into_owned()))
}

/// The position of the first quote that is not escaped.
fn unquoted_end(value: &str) -> Option<usize> {
    let mut is_escaped = false;
    value.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// Python's `^__.*$`. Its dot matches everything except a newline.
fn is_reserved(name: &str) -> bool {
    name.strip_prefix("__").is_some_and(|rest| !rest.strip_suffix('\n').unwrap_or(rest).contains('\n'))
}
