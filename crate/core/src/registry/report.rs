//! Reports the size of a registry: series and bytes by family, distinct values by label. Computed on each call from all
//! series, about a tenth of a microsecond for each.

use super::cardinality::OverflowPolicy;
use super::family::Family;
use super::label_values::LabelValues;
use super::registry::Registry;
use super::table::{ENTRY_BYTES, START_BYTES};
use crate::model::Kind;

/// The series of a registry.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CardinalityReport {
    /// Series of all families together.
    pub series: usize,
    /// The largest number of series.
    pub max_series: usize,
    /// Bytes that the core holds for the series: cells, rendered labels, table entries. Memory of a front end is not
    /// included.
    pub bytes: usize,
    /// The families in the order of their registration. Collectors and foreign metrics have no series here.
    pub metrics: Vec<MetricCardinality>,
}

/// The series of one family.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MetricCardinality {
    /// The family's name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// The number of its series.
    pub series: usize,
    /// The largest number of series; the one whose values are all `other` is not counted.
    pub max_series: usize,
    /// What becomes of label sets over a limit.
    pub policy: OverflowPolicy,
    /// Calls that had a label set over a limit.
    pub overflow: f64,
    /// Bytes that the core holds for the series.
    pub bytes: usize,
    /// The labels, in the order in which they were declared.
    pub labels: Vec<LabelCardinality>,
}

/// The values of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelCardinality {
    /// The label's name.
    pub name: String,
    /// Distinct values now; empty values are not counted.
    pub values: usize,
    /// The largest number of values, if there is a limit.
    pub max_values: Option<usize>,
}

impl Registry {
    /// Reports the size of the registry.
    #[must_use]
    pub fn cardinality(&self) -> CardinalityReport {
        let metrics: Vec<MetricCardinality> =
            self.families().iter().map(|family| family.cardinality()).collect();
        CardinalityReport {
            series: self.cardinality_guard().series(),
            max_series: self.cardinality_guard().max_total(),
            bytes: metrics.iter().map(|metric| metric.bytes).sum(),
            metrics,
        }
    }
}

impl Family {
    /// Reports the size of the family.
    #[must_use]
    pub fn cardinality(&self) -> MetricCardinality {
        let descriptor = self.descriptor();
        let limits = self.limits();
        let mut label_bytes = 0;
        let mut series = 0;
        let distinct = self.distinct_values(|labels| {
            label_bytes += labels.len();
            series += 1;
        });
        let labels =
            descriptor.label_names().iter().zip(distinct).enumerate().map(|(index, (name, values))| {
                let limit = limits.max_label_values.iter().find(|(label, _)| *label == index);
                LabelCardinality { name: name.to_string(), values, max_values: limit.map(|(_, max)| *max) }
            });
        let start = if descriptor.kind().has_start() { START_BYTES } else { 0 };
        MetricCardinality {
            name: descriptor.name().to_owned(),
            kind: descriptor.kind(),
            labels: labels.collect(),
            series,
            max_series: limits.max_series,
            policy: limits.policy,
            overflow: self.overflow_calls(),
            bytes: label_bytes + series * (ENTRY_BYTES + start + descriptor.width() * size_of::<f64>()),
        }
    }

    /// The label with the most distinct values, and their number.
    #[must_use]
    pub fn largest_label(&self) -> Option<(&str, usize)> {
        let names = self.descriptor().label_names().iter().map(|name| name.as_str());
        // `max_by_key` returns the last maximum; reversed, it is the label that was declared first.
        names.zip(self.distinct_values(|_| {})).rev().max_by_key(|(_, values)| *values)
    }

    /// Counts distinct values by label. Calls `series` with the rendered labels of each series.
    fn distinct_values(&self, mut series: impl FnMut(&[u8])) -> Vec<usize> {
        let mut values = LabelValues::default();
        self.for_each_labels(|labels| {
            series(labels);
            values.add(labels);
        });
        self.descriptor().label_names().iter().map(|name| values.count(name.as_str())).collect()
    }
}
