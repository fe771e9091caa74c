//! Label values of new series on their way through the sanitizers of a family's registries. What was found is told once
//! for each label and kind, and never shown.

use super::family::Family;
use crate::labels::{Action, FindingKind};
use std::borrow::Cow;

/// Label values as they are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanedValues {
    /// In the order of the label names.
    pub values: Vec<String>,
    /// What was found in the family's labels for the first time.
    pub warnings: Vec<String>,
}

impl Family {
    /// Cleans the values of a new series, given in the order of the label names. Nothing where they stay as they are and
    /// there is nothing to tell.
    #[must_use]
    pub fn clean(&self, values: &[&str]) -> Option<CleanedValues> {
        let sanitizers = self.sanitizers();
        if sanitizers.is_empty() {
            return None;
        }
        let mut warnings = Vec::new();
        let mut changed = false;
        let mut cleaned = Vec::with_capacity(values.len());
        for (label, given) in values.iter().enumerate() {
            let mut value = Cow::Borrowed(*given);
            for sanitizer in &sanitizers {
                let sanitized = sanitizer.sanitize(&value);
                for finding in sanitized.findings.iter() {
                    if self.is_news(label, finding.kind) {
                        warnings.push(self.told(label, finding.kind, finding.action));
                    }
                }
                if sanitized.value != value {
                    value = Cow::Owned(sanitized.value.into_owned());
                }
            }
            changed |= value != *given;
            cleaned.push(value.into_owned());
        }
        (changed || !warnings.is_empty()).then_some(CleanedValues { values: cleaned, warnings })
    }

    fn told(&self, label: usize, kind: FindingKind, action: Action) -> String {
        let descriptor = self.descriptor();
        let what = match kind {
            FindingKind::ApiKey => "an API key",
            FindingKind::Token => "a token",
            FindingKind::CardNumber => "a card number",
            FindingKind::Email => "an e-mail address",
            FindingKind::Uuid => "a UUID",
            FindingKind::Timestamp => "a timestamp",
        };
        let becomes = match action {
            Action::Redact => "it is redacted",
            Action::Drop => "the label is left out",
            Action::Warn | Action::Keep => "it is recorded as it is",
        };
        format!(
            "LABEL_CONTENT: \"{}\" was given what looks like {what} in its label \"{}\"; {becomes}",
            descriptor.name(),
            descriptor.label_names()[label]
        )
    }
}
