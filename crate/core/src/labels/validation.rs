//! Validates names of metrics and labels; a checked name has a type of its own. The rules are those of the Prometheus
//! data model. Stricter rules are opt-in (`Strictness`).

use crate::error::{ErrorKind, MetricsError, Result};
use std::fmt;

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
        if is_name(name, true) {
            return Ok(Self(name.into()));
        }
        Err(MetricsError::new(ErrorKind::InvalidMetricName, format!("Invalid metric name: {name}")))
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
        if name == "__name__" {
            let message = format!("{name} is a reserved label keyword");
            return Err(MetricsError::new(ErrorKind::InvalidLabelName, message));
        }
        if is_name(name, false) {
            return Ok(Self(name.into()));
        }
        Err(invalid(name))
    }

    /// Checks several names.
    ///
    /// # Errors
    /// As for one name; the message has all names that the rule does not allow.
    pub(crate) fn all(names: &[&str]) -> Result<Box<[Self]>> {
        let bad: Vec<&str> = names.iter().copied().filter(|name| !is_name(name, false)).collect();
        if bad.is_empty() {
            names.iter().map(|name| Self::new(name)).collect()
        } else {
            Err(invalid(&bad.join(",")))
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

fn invalid(names: &str) -> MetricsError {
    MetricsError::new(ErrorKind::InvalidLabelName, format!("At least one label name is invalid: {names}"))
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

pub(super) fn is_name(name: &str, colons: bool) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (colons && byte == b':');
    let mut bytes = name.bytes();
    bytes.next().is_some_and(letter) && bytes.all(|byte| letter(byte) || byte.is_ascii_digit())
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
