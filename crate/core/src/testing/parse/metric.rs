//! Shows a metric of a format that has one line or one message for it as the samples that the text formats have. So the
//! same registry is the same families in every format. It must not know the formats.

use super::line::key;
use super::parsed::{FamilyKind, ParsedExemplar, ParsedNativeHistogram, ParsedSample};
use crate::serialization::write_number;

/// How many labels the samples of one metric may have together. A metric with many labels and many buckets has each label in
/// each sample, so that a small text could take all memory.
const LABELS_MAX: usize = 1_000_000;

/// One metric: a label set of a family with all of its values.
#[derive(Default)]
pub(super) struct Metric {
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: Value,
    pub(super) timestamp: Option<f64>,
    pub(super) start: Option<f64>,
    pub(super) exemplars: Vec<ParsedExemplar>,
}

/// The values of a metric.
pub(super) enum Value {
    Number(f64),
    /// A histogram or a summary.
    Composite(Composite),
}

impl Default for Value {
    fn default() -> Self {
        Self::Number(0.0)
    }
}

/// The values of a histogram or a summary.
#[derive(Default)]
pub(super) struct Composite {
    pub(super) count: f64,
    pub(super) sum: f64,
    /// Bounds with cumulative counts, or quantiles with values; ascending. `None` if there are only native buckets.
    pub(super) pairs: Option<Vec<(f64, f64)>>,
    pub(super) native: Option<ParsedNativeHistogram>,
}

impl Metric {
    /// Checks the metric against the rules of its type.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub(super) fn check(&self, kind: FamilyKind, name: &str) -> Result<(), String> {
        let refuse = |what: &str| Err(format!("{what} in the {} {name}", kind.word()));
        match &self.value {
            Value::Number(value) => match kind {
                FamilyKind::Counter if value.is_nan() || *value < 0.0 => {
                    refuse("no negative number and no NaN")
                }
                FamilyKind::Info if *value != 1.0 => refuse("1"),
                FamilyKind::StateSet if *value != 0.0 && *value != 1.0 => refuse("0 or 1"),
                FamilyKind::StateSet if self.labels.iter().all(|(label, _)| label != name) => {
                    refuse("a label of the same name")
                }
                FamilyKind::Histogram | FamilyKind::GaugeHistogram | FamilyKind::Summary => {
                    refuse("count and sum")
                }
                _ => Ok(()),
            },
            Value::Composite(Composite { count, pairs, .. }) => {
                if !matches!(kind, FamilyKind::Histogram | FamilyKind::GaugeHistogram | FamilyKind::Summary) {
                    return refuse("one number");
                }
                let Some(pairs) = pairs else { return Ok(()) };
                if self.labels.len().saturating_mul(pairs.len()) > LABELS_MAX {
                    return refuse("fewer labels and thresholds");
                }
                if !pairs.is_sorted_by(|(one, _), (next, _)| one < next) {
                    return refuse("ascending thresholds");
                }
                match kind {
                    FamilyKind::Summary if pairs.iter().any(|(share, _)| !(0.0..=1.0).contains(share)) => {
                        refuse("quantiles from 0 to 1")
                    }
                    FamilyKind::Summary => Ok(()),
                    _ if pairs.last() != Some(&(f64::INFINITY, *count)) => {
                        refuse("a last bucket of +Inf that equals the count")
                    }
                    _ if !pairs.is_sorted_by(|(_, one), (_, next)| one <= next) => {
                        refuse("cumulative buckets")
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// Appends the metric's samples.
    pub(super) fn into_samples(self, name: &str, kind: FamilyKind, samples: &mut Vec<ParsedSample>) {
        let Self { labels, value, timestamp, start, exemplars } = self;
        let sample = |suffix: &str, threshold: Option<(&str, f64)>, value: f64| {
            let mut labels = labels.clone();
            if let Some((label, threshold)) = threshold {
                let mut text = Vec::new();
                write_number(threshold, &mut text);
                labels.push((label.to_owned(), String::from_utf8(text).unwrap_or_default()));
            }
            let name = format!("{name}{suffix}");
            let (exemplar, native_histogram) = (None, None);
            ParsedSample { name, labels, value, timestamp, start, exemplar, native_histogram }
        };
        let Composite { count, sum, pairs, native } = match value {
            Value::Number(value) => {
                let exemplar = exemplars.into_iter().next_back().map(Box::new);
                samples.push(ParsedSample { exemplar, ..sample("", None, value) });
                return;
            }
            Value::Composite(composite) => composite,
        };
        let native_histogram = native.map(Box::new);
        let is_native = native_histogram.is_some();
        if is_native {
            let exemplar = if pairs.is_none() { exemplars.last().cloned().map(Box::new) } else { None };
            samples.push(ParsedSample { native_histogram, exemplar, ..sample("", None, f64::NAN) });
        }
        let Some(pairs) = pairs else { return };
        let (suffix, label) = if kind == FamilyKind::Summary { ("", "quantile") } else { ("_bucket", "le") };
        let first = samples.len();
        samples
            .extend(pairs.iter().map(|&(threshold, value)| sample(suffix, Some((label, threshold)), value)));
        for exemplar in exemplars {
            // A later one replaces an earlier one of the same bucket.
            let at = pairs.partition_point(|(bound, _)| *bound < exemplar.value);
            if let Some(bucket) = pairs.get(at).and_then(|_| samples.get_mut(first + at)) {
                bucket.exemplar = Some(Box::new(exemplar));
            }
        }
        samples.push(sample("_sum", None, sum));
        samples.push(sample("_count", None, count));
    }
}

/// What tells a metric from the others of its family: the labels and the timestamp of its last sample, which has no label of a
/// threshold.
pub(super) fn identity(last: &ParsedSample) -> Vec<u8> {
    let mut identity = key("", last, None);
    identity.extend(last.timestamp.into_iter().flat_map(f64::to_le_bytes));
    identity
}

/// The difference of each number to the one before it.
pub(super) fn deltas(counts: &[f64]) -> Vec<f64> {
    let before = std::iter::once(&0.0).chain(counts);
    counts.iter().zip(before).map(|(count, before)| count - before).collect()
}
