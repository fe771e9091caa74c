//! Shows a metric of a format that has one line or one message for it as the samples that the text formats have. So the
//! same registry is the same families in every format. It must not know the formats.

use super::parsed::{FamilyKind, ParsedExemplar, ParsedNativeHistogram, ParsedSample};
use crate::serialization::write_number;

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
            let at = pairs.iter().position(|(bound, _)| exemplar.value <= *bound);
            if let Some(bucket) = at.and_then(|at| samples.get_mut(first + at)) {
                bucket.exemplar = Some(Box::new(exemplar));
            }
        }
        samples.push(sample("_sum", None, sum));
        samples.push(sample("_count", None, count));
    }
}

/// The difference of each number to the one before it.
pub(super) fn deltas(counts: &[f64]) -> Vec<f64> {
    let before = std::iter::once(&0.0).chain(counts);
    counts.iter().zip(before).map(|(count, before)| count - before).collect()
}
