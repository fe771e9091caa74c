//! Finds the name of a metric: in a comment, before the braces or in them.

use std::borrow::Cow;

use super::fault::{Fault, Parsed};
use super::labels::{Labels, NAME, labels};
use super::scan::{is_plain_name, slice, strip, unquote, unquoted};

/// Separates a value from an exemplar. Text 0.0.4 has no exemplars, but Python's parser looks for this in it as well.
pub(super) const EXEMPLAR: &str = " # ";

/// The name in HELP or TYPE.
pub(super) fn comment_name(candidate: &str) -> Parsed<'_, Cow<'_, str>> {
    let (name, is_quoted) = unquote(candidate)?;
    if !is_quoted && !is_plain_name(&name) {
        return Err(Fault::expected("a metric name", candidate));
    }
    Ok(name)
}

/// Splits a sample line of text 0.0.4 into name, labels, and the rest.
pub(super) fn split(line: &str) -> Parsed<'_, (String, Labels, &str)> {
    let brace = unquoted(line, 0, b"{").filter(|&brace| !line[..brace].contains(EXEMPLAR));
    let Some(brace) = brace else {
        let end = unquoted(line, 0, b" \t");
        let name = strip(slice(line, 0, end));
        if !is_plain_name(name) {
            return Err(Fault::expected("a metric name", line));
        }
        return Ok((name.to_owned(), Labels::new(), end.map_or(line, |end| &line[end + 1..])));
    };
    let Some(close) = unquoted(&line[brace..], 0, b"}").map(|close| brace + close) else {
        return Err(Fault::new(&line[brace..], "Expected a closing brace after the labels"));
    };
    let mut labels = labels(&line[brace + 1..close], false)?;
    let name = metric_name(strip(&line[..brace]), &mut labels, &line[brace..])?;
    Ok((name, labels, &line[close + 1..]))
}

/// The metric's name, which stands either before the braces or in them.
pub(super) fn metric_name<'a>(name: &str, labels: &mut Labels, at: &'a str) -> Parsed<'a, String> {
    let inner = labels.iter().position(|(label, _)| label == NAME);
    match (name, inner) {
        ("", None) => Err(Fault::new(at, "Expected a metric name before the braces or in them")),
        ("", Some(position)) => Ok(labels.remove(position).1),
        (name, None) => Ok(name.to_owned()),
        (_, Some(_)) => Err(Fault::new(at, "Expected one metric name but received another in the braces")),
    }
}
