//! Passes the label values of new series through the sanitizers of a family's registries. A finding is warned of once
//! for each label and kind; its text is never shown.

use super::family::Family;
use crate::labels::{Action, FindingKind};
use std::borrow::Cow;

/// Label values after sanitizing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CleanedValues {
    /// In the order of the label names.
    pub values: Vec<String>,
    /// One warning for each kind of content that was found in a label for the first time.
    pub warnings: Vec<String>,
}

impl Family {
    /// Cleans the values of a new series, given in the order of the label names. `None` if no value changes and there
    /// is nothing to warn of.
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
