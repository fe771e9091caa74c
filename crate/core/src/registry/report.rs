//! What a registry's series are made of: by family, by label, in bytes. Computed when somebody asks; goes through every
//! series, about a tenth of a microsecond each.

use super::cardinality::OverflowPolicy;
use super::family::Family;
#[cfg(feature = "http")]
use super::merge::GatheredFamily;
use super::registry::Registry;
use super::table::ENTRY_BYTES;
use crate::labels::pairs;
use crate::model::Kind;
use hashbrown::{HashMap, HashSet};
#[cfg(feature = "http")]
use std::convert::Infallible;

/// The series of a registry.
#[derive(Debug, Clone, PartialEq)]
pub struct CardinalityReport {
    /// Series of all families together.
    pub series: usize,
    /// How many there may be.
    pub max_series: usize,
    /// What the core holds for them: cells, rendered labels, table entries. Not what a front end adds.
    pub bytes: usize,
    /// The families, in the order of their registration; collectors and foreign metrics have no series here.
    pub metrics: Vec<MetricCardinality>,
}

/// The series of one family.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricCardinality {
    /// The family's name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Its series.
    pub series: usize,
    /// How many there may be, one whose values are `other` not counted.
    pub max_series: usize,
    /// What becomes of label sets beyond.
    pub policy: OverflowPolicy,
    /// Calls that had a label set beyond a limit.
    pub overflow: f64,
    /// As in the whole report.
    pub bytes: usize,
    /// The labels, in the order they were declared.
    pub labels: Vec<LabelCardinality>,
}

/// The values of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCardinality {
    /// The label's name.
    pub name: String,
    /// Distinct values now, none not counted.
    pub values: usize,
    /// How many there may be, where there is a limit.
    pub max_values: Option<usize>,
}

impl Registry {
    /// What the series are made of.
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
    /// What the series are made of.
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
        MetricCardinality {
            name: descriptor.name().to_owned(),
            kind: descriptor.kind(),
            labels: labels.collect(),
            series,
            max_series: limits.max_series,
            policy: limits.policy,
            overflow: self.overflow_calls(),
            bytes: label_bytes + series * (ENTRY_BYTES + descriptor.width() * size_of::<f64>()),
        }
    }

    /// The label with the most distinct values, and how many.
    #[must_use]
    pub fn largest_label(&self) -> Option<(&str, usize)> {
        let names = self.descriptor().label_names().iter().map(|name| name.as_str());
        // Of several, the first that was declared.
        names.zip(self.distinct_values(|_| {})).rev().max_by_key(|(_, values)| *values)
    }

    /// Distinct values by label; calls back with each series' labels as they are rendered.
    fn distinct_values(&self, mut series: impl FnMut(&[u8])) -> Vec<usize> {
        let mut values = LabelValues::default();
        self.for_each_labels(|labels| {
            series(labels);
            values.add(labels);
        });
        self.descriptor().label_names().iter().map(|name| values.count(name.as_str())).collect()
    }
}

type Distinct = HashSet<Box<[u8]>, foldhash::fast::RandomState>;

/// Distinct values by label name, as they are rendered.
#[derive(Default)]
struct LabelValues {
    by_name: HashMap<Box<[u8]>, Distinct, foldhash::fast::RandomState>,
}

impl LabelValues {
    fn add(&mut self, labels: &[u8]) {
        for pair in pairs(labels).filter(|pair| !pair.value.is_empty()) {
            if let Some(values) = self.by_name.get_mut(pair.name) {
                if !values.contains(pair.value) {
                    values.insert(pair.value.into());
                }
            } else {
                let values = [Box::from(pair.value)].into_iter().collect();
                self.by_name.insert(pair.name.into(), values);
            }
        }
    }

    fn count(&self, name: &str) -> usize {
        self.by_name.get(name.as_bytes()).map_or(0, HashSet::len)
    }
}

#[cfg(feature = "http")]
impl GatheredFamily {
    /// How many series there may be, where there is one number.
    pub(crate) fn max_series(&self) -> Option<usize> {
        match self {
            Self::Own(live) => Some(live.family.limits().max_series),
            _ => None,
        }
    }

    /// Distinct values by label, the most first.
    pub(crate) fn label_values(&self) -> Vec<(String, usize)> {
        let mut values = LabelValues::default();
        let Ok(()) = self.for_each_series(&mut |series| {
            values.add(series.labels);
            Ok::<(), Infallible>(())
        });
        let mut counts: Vec<(String, usize)> = values
            .by_name
            .iter()
            .map(|(name, values)| (String::from_utf8_lossy(name).into_owned(), values.len()))
            .collect();
        counts.sort_unstable_by(|(one, most), (next, fewer)| fewer.cmp(most).then_with(|| one.cmp(next)));
        counts
    }
}
