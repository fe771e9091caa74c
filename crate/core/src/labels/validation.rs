//! Validates names of metrics and labels; a checked name has a type of its own. The rules are those of the Prometheus
//! data model: the old one, and the one of Prometheus 3 (`Names`). Stricter rules are opt-in (`Strictness`).

use super::escaping::{forms, is_name, same_labels};
use crate::error::{ErrorKind, MetricsError, Result};
use std::fmt;

/// The rule for the names of metrics and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Names {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, without colons for labels.
    #[default]
    Legacy,
    /// Any text but an empty one, without control characters, `"`, `\` and U+FFFD, which stands for broken text. A label's
    /// name beyond the old rule may not begin with `__`.
    Utf8,
}

impl Names {
    pub(super) fn allow(self, name: &str, colons: bool) -> bool {
        is_name(name, colons)
            || (self == Self::Utf8 && is_utf8_name(name) && (colons || !name.starts_with("__")))
    }

    /// What a message says of an invalid name.
    const fn rule(self) -> &'static str {
        match self {
            Self::Legacy => "",
            Self::Utf8 => {
                " (expected a text without control characters, quotes, backslashes and lone surrogates; labels may not begin with __)"
            }
        }
    }
}

/// No format has to escape such a name within quotes.
fn is_utf8_name(name: &str) -> bool {
    !name.is_empty()
        && !name.chars().any(|it| it.is_control() || matches!(it, '"' | '\\' | char::REPLACEMENT_CHARACTER))
}

/// A metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*` (Prometheus data model).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricName(Box<str>);

/// A label name: `[a-zA-Z_][a-zA-Z0-9_]*` (Prometheus data model), except `__name__`: a server keeps the metric's name
/// there, and drops all samples of a target that sends a label of this name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelName(Box<str>);

impl MetricName {
    /// Checks a name.
    ///
    /// # Errors
    /// `InvalidMetricName` for an empty name, a leading digit, or a character that the rule does not allow.
    pub fn new(name: &str) -> Result<Self> {
        Self::by(Names::Legacy, name)
    }

    /// Checks a name by a rule.
    ///
    /// # Errors
    /// `InvalidMetricName` for a name that the rule does not allow.
    pub fn by(names: Names, name: &str) -> Result<Self> {
        if names.allow(name, true) {
            return Ok(Self(name.into()));
        }
        let message = format!("Invalid metric name: {name}{}", names.rule());
        Err(MetricsError::new(ErrorKind::InvalidMetricName, message))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LabelName {
    /// Checks a name.
    ///
    /// # Errors
    /// `InvalidLabelName` for an empty name, a leading digit, a character that the rule does not allow, or `__name__`.
    pub fn new(name: &str) -> Result<Self> {
        Self::by(Names::Legacy, name)
    }

    /// Checks a name by a rule.
    ///
    /// # Errors
    /// `InvalidLabelName` for a name that the rule does not allow, or one that some scheme of `Escaping` makes `__name__`.
    pub fn by(names: Names, name: &str) -> Result<Self> {
        if !names.allow(name, false) {
            return Err(invalid(names, name));
        }
        // A plain name has no other forms.
        if name == "__name__"
            || (!is_name(name, false) && forms(name, false).iter().any(|it| it == "__name__"))
        {
            let message = format!("{name} is a reserved label keyword");
            return Err(MetricsError::new(ErrorKind::InvalidLabelName, message));
        }
        Ok(Self(name.into()))
    }

    /// Checks several names.
    ///
    /// # Errors
    /// As for one name; the message has all names that the rule does not allow.
    pub(crate) fn all(rule: Names, names: &[&str]) -> Result<Box<[Self]>> {
        let bad: Vec<&str> = names.iter().copied().filter(|name| !rule.allow(name, false)).collect();
        if bad.is_empty() {
            names.iter().map(|name| Self::by(rule, name)).collect()
        } else {
            Err(invalid(rule, &bad.join(",")))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn invalid(rule: Names, names: &str) -> MetricsError {
    let message = format!("At least one label name is invalid: {names}{}", rule.rule());
    MetricsError::new(ErrorKind::InvalidLabelName, message)
}

/// Checks that no two labels are one label in some scheme of `Escaping`: a server would refuse the whole exposition.
pub(crate) fn check_different<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
    let Some((one, other)) = same_labels(names) else { return Ok(()) };
    Err(MetricsError::new(
        ErrorKind::InvalidLabelName,
        format!(
            "Expected labels that differ for every server but received \"{one}\" and \"{other}\": servers without UTF-8 names take them for one label"
        ),
    ))
}

/// Rejects a label name with a reserved prefix.
pub(super) fn check_prefix(name: &LabelName, reserved: &str) -> Result<()> {
    if name.as_str().starts_with(reserved) {
        return Err(MetricsError::new(
            ErrorKind::InvalidLabelName,
            format!("Expected a label name without the reserved prefix {reserved} but received \"{name}\""),
        ));
    }
    Ok(())
}

/// Rules beyond the data model. All of them are off by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Strictness {
    /// Reject label names that begin with `__`, which Prometheus reserves.
    pub reserved_prefix: bool,
    /// Reject label values of more than this many bytes of UTF-8.
    pub max_value_bytes: Option<usize>,
}

impl Strictness {
    /// Both rules: no `__` prefix, values of at most `max_value_bytes`.
    #[must_use]
    pub const fn strict(max_value_bytes: usize) -> Self {
        Self { reserved_prefix: true, max_value_bytes: Some(max_value_bytes) }
    }

    /// Checks a label name against the rules.
    ///
    /// # Errors
    /// `InvalidLabelName` for the reserved prefix.
    pub fn check_name(&self, name: &LabelName) -> Result<()> {
        if self.reserved_prefix { check_prefix(name, "__") } else { Ok(()) }
    }

    /// Checks a label value against the rules.
    ///
    /// # Errors
    /// `InvalidLabelValue` for a value that is too long.
    pub fn check_value(&self, name: &LabelName, value: &str) -> Result<()> {
        match self.max_value_bytes {
            Some(limit) if value.len() > limit => Err(MetricsError::new(
                ErrorKind::InvalidLabelValue,
                format!(
                    "Expected at most {limit} bytes for the value of label \"{name}\" but received {}",
                    value.len()
                ),
            )),
            _ => Ok(()),
        }
    }
}
