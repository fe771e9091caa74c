//! Writes the warning of a family whose label sets are over its limits: at most once a minute.

use super::cardinality::OverflowPolicy;
use super::family::Family;
use super::overflow_count::SAMPLES;
use crate::labels::redact_for_log;
use crate::model::Kind;
use std::time::Duration;

/// Characters of a value that a warning shows.
const SHOWN_CHARS: usize = 40;

impl Family {
    /// The warning of label sets over the limits. `samples` are values in the order of the label names; values that
    /// look like a secret are redacted.
    #[must_use]
    pub fn overflow_warning<S: AsRef<str>>(&self, samples: &[Vec<S>]) -> String {
        let descriptor = self.descriptor();
        let limits = self.limits();
        let becomes = match (limits.policy, descriptor.kind()) {
            (OverflowPolicy::Throw, _) => "are refused",
            (OverflowPolicy::Fold, Kind::Counter | Kind::Histogram | Kind::Summary) => {
                "are counted as \"other\""
            }
            _ => "are dropped",
        };
        let most = self.largest_label().map_or_else(String::new, |(label, values)| {
            format!(" The label with the most values is \"{label}\" ({values}).")
        });
        let shown = |sample: &Vec<S>| {
            let labels =
                descriptor.label_names().iter().zip(sample).filter(|(_, value)| !value.as_ref().is_empty());
            let labels = labels
                .map(|(name, value)| format!("{name}={:?}", redact_for_log(value.as_ref(), SHOWN_CHARS)));
            format!("{{{}}}", labels.collect::<Vec<_>>().join(","))
        };
        let samples: Vec<String> = samples.iter().take(SAMPLES).map(shown).collect();
        // The limit holds for one of those whose series a scrape shows.
        let process =
            if self.is_followed() { format!(" in process {}", std::process::id()) } else { String::new() };
        format!(
            "CARDINALITY_LIMIT: \"{}\" has {} series of at most {}{process}; label sets beyond its limits {becomes}.{most} Some: {}",
            descriptor.name(),
            self.series_count(),
            limits.max_series,
            samples.join(" ")
        )
    }

    /// Warns of label sets over the limits, at most once a minute.
    pub(crate) fn warn_of_overflow(&self, now: Duration) {
        if let Some(samples) = self.overflow_count().due(now) {
            tracing::warn!(target: "prometheus_metrics", "{}", self.overflow_warning(&samples));
        }
    }
}
