//! Label sets: rendered once to the bytes that an exposition shows, and compared without regard to order. A label with
//! an empty value is the same as no label (Prometheus data model). A name that text formats write in quotes is rendered in
//! quotes; a valid one needs no escapes there.

use super::escape;
use super::escaping::{forms, is_name};
use super::validation::{LabelName, Names, check_different};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::sort::sort_by;
use std::borrow::Cow;

/// Labels by name. Two sets are equal, and hash alike, when they hold the same non-empty labels in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LabelSet {
    /// Ascending by name, no name twice, no empty value.
    labels: Vec<(LabelName, String)>,
}

impl LabelSet {
    /// Checks the names and makes a set. Empty values are dropped.
    ///
    /// # Errors
    /// `InvalidLabelName` for an invalid name, or for one that is given twice.
    pub fn new<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        Self::by(Names::Legacy, labels)
    }

    /// Checks the names by a rule and makes a set. Empty values are dropped.
    ///
    /// # Errors
    /// `InvalidLabelName` for an invalid name, for one that is given twice, and for two that a scheme of `Escaping` makes one.
    pub fn by<'a>(names: Names, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut checked = Vec::new();
        for (name, value) in labels {
            checked.push((LabelName::by(names, name)?, value.to_owned()));
        }
        Self::of(checked)
    }

    fn of(mut checked: Vec<(LabelName, String)>) -> Result<Self> {
        sort_by(&mut checked, Ord::cmp);
        if let Some(twice) = checked.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                format!("Expected each label once but received \"{}\" twice", twice[0].0),
            ));
        }
        check_different(checked.iter().map(|(name, _)| name.as_str()))?;
        checked.retain(|(_, value)| !value.is_empty());
        Ok(Self { labels: checked })
    }

    /// The value of a label; empty if the label is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.labels.iter().find(|(own, _)| own.as_str() == name).map_or("", |(_, value)| value)
    }

    /// The labels in ascending order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&LabelName, &str)> {
        self.labels.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// How many labels have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True if no label has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The set as an exposition shows it between the braces.
    pub(crate) fn rendered(&self) -> Vec<u8> {
        let mut out = Vec::new();
        render(self.iter().map(|(name, value)| (name.as_str(), value)), &mut out);
        out
    }
}

/// Appends `name="value",name="value"` in the given order, values escaped.
pub(crate) fn render<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>, out: &mut Vec<u8>) {
    let mut first = true;
    for (name, value) in labels {
        if !first {
            out.push(b',');
        }
        first = false;
        if is_name(name, false) {
            out.extend_from_slice(name.as_bytes());
        } else {
            push_quoted(name.as_bytes(), out);
        }
        out.extend_from_slice(b"=\"");
        escape::label_value(value, out);
        out.push(b'"');
    }
}

/// Appends a name in quotes.
fn push_quoted(name: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name);
    out.push(b'"');
}

/// One rendered label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a [u8],
    /// As rendered: escaped, without the quotes.
    pub(crate) value: &'a [u8],
    /// The name is rendered in quotes.
    pub(crate) is_quoted: bool,
}

impl Pair<'_> {
    /// True for a label that is this one for some server.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name == name.as_bytes()
            || ((self.is_quoted || !is_name(name, false)) && {
                let own = forms(std::str::from_utf8(self.name).unwrap_or_default(), false);
                forms(name, false).iter().any(|form| own.contains(form))
            })
    }

    /// Appends the label, after a comma if it is not the first.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        self.push_with(|value, out| out.extend_from_slice(value), out);
    }

    /// The same with the value that `write` makes of it.
    pub(crate) fn push_with(&self, write: impl FnOnce(&[u8], &mut Vec<u8>), out: &mut Vec<u8>) {
        if !out.is_empty() {
            out.push(b',');
        }
        if self.is_quoted {
            push_quoted(self.name, out);
        } else {
            out.extend_from_slice(self.name);
        }
        out.extend_from_slice(b"=\"");
        write(self.value, out);
        out.push(b'"');
    }
}

/// Splits rendered labels into pairs.
pub(crate) fn pairs(rendered: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = rendered;
    std::iter::from_fn(move || {
        let (name, is_quoted, after) = split_name(rest)?;
        let quoted = &after[2..];
        let end = closing_quote(quoted);
        let value = &quoted[..end];
        rest = quoted.get(end + 2..).unwrap_or_default();
        Some(Pair { name, value, is_quoted })
    })
}

/// Splits rendered labels into the first name, whether it has quotes, and the rest from `=` on.
fn split_name(rendered: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    if let Some(quoted) = rendered.strip_prefix(b"\"") {
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        return Some((&quoted[..end], true, &quoted[end + 1..]));
    }
    let equals = rendered.iter().position(|byte| *byte == b'=')?;
    Some((&rendered[..equals], false, &rendered[equals..]))
}

/// Rendered labels, and one more at the end unless they have a label of that name.
pub(crate) fn labels_with<'a>(rendered: &'a [u8], label: &[u8]) -> Cow<'a, [u8]> {
    let Some(added) = pairs(label).next() else { return Cow::Borrowed(rendered) };
    if pairs(rendered).any(|pair| pair.name == added.name) {
        return Cow::Borrowed(rendered);
    }
    let separator = if rendered.is_empty() { &b""[..] } else { b"," };
    Cow::Owned([rendered, separator, label].concat())
}

/// True for bytes that `render` can have written.
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) fn is_rendered(rendered: &[u8]) -> bool {
    let mut rest = rendered;
    while !rest.is_empty() {
        let Some((name, is_quoted, after)) = split_name(rest) else { return false };
        let name = std::str::from_utf8(name)
            .is_ok_and(|name| LabelName::by(Names::Utf8, name).is_ok() && is_name(name, false) != is_quoted);
        let Some(quoted) = after.strip_prefix(b"=\"") else { return false };
        let end = closing_quote(quoted);
        let value = &quoted[..end];
        if !name || end == quoted.len() || value.contains(&b'\n') || std::str::from_utf8(value).is_err() {
            return false;
        }
        rest = match &quoted[end + 1..] {
            [] => &[],
            [b',', rest @ ..] if !rest.is_empty() => rest,
            _ => return false,
        };
    }
    true
}

/// The index of the first `"` that no backslash escapes.
fn closing_quote(quoted: &[u8]) -> usize {
    let mut at = 0;
    while at < quoted.len() && quoted[at] != b'"' {
        at += if quoted[at] == b'\\' { 2 } else { 1 };
    }
    at.min(quoted.len())
}

/// Appends the bytes by which two rendered label sets are compared: labels in ascending order of their names, without
/// empty values.
pub(crate) fn canonical_key(rendered: &[u8], out: &mut Vec<u8>) {
    let mut labels: Vec<Pair<'_>> = pairs(rendered).filter(|pair| !pair.value.is_empty()).collect();
    sort_by(&mut labels, Ord::cmp);
    for pair in labels {
        out.extend_from_slice(pair.name);
        out.extend_from_slice(b"=\"");
        out.extend_from_slice(pair.value);
        out.extend_from_slice(b"\",");
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rendered_labels_come_apart_as_they_were(
            values in prop::collection::vec(".{0,12}|[\"\\\\\n,=]{0,6}", 0..6),
            odd in "[é.,={} ]{0,2}",
        ) {
            let names: Vec<String> = (0..values.len()).map(|i| format!("l{i}{odd}")).collect();
            let mut rendered = Vec::new();
            render(names.iter().map(String::as_str).zip(values.iter().map(String::as_str)), &mut rendered);
            let apart: Vec<Pair<'_>> = pairs(&rendered).collect();
            prop_assert_eq!(apart.len(), values.len());
            for (pair, (name, value)) in apart.iter().zip(names.iter().zip(&values)) {
                let mut escaped = Vec::new();
                escape::label_value(value, &mut escaped);
                prop_assert_eq!(pair.name, name.as_bytes());
                prop_assert_eq!(pair.value, &escaped[..]);
            }
        }

        #[test]
        fn the_canonical_key_ignores_order_and_empty_labels(mut labels in prop::collection::btree_map("[a-c]", ".{0,3}", 0..3)) {
            let forward: Vec<(String, String)> = labels.clone().into_iter().collect();
            labels.retain(|_, value| !value.is_empty());
            let backward: Vec<(String, String)> = labels.into_iter().rev().collect();
            let key = |pairs: &[(String, String)]| {
                let (mut rendered, mut key) = (Vec::new(), Vec::new());
                render(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut rendered);
                canonical_key(&rendered, &mut key);
                key
            };
            prop_assert_eq!(key(&forward), key(&backward));
        }
    }
}
