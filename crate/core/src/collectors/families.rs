//! The families of a catalogue, made in a registry: names, labels, buckets, help and caps are the catalogue's.

use super::catalogue::{LabelValues, MetricSpec};
use crate::error::Result;
use crate::metrics::{CounterVec, GaugeVec, HistogramVec};
use crate::registry::{CardinalityLimits, Family, Kind, OVERFLOW_VALUE, Registry};
use crate::sync::{Arc, RwLock, SliceArc};
use hashbrown::HashSet;
use std::time::Duration;

/// What names of metrics begin with, before an underscore, where nobody says.
pub const DEFAULT_NAMESPACE: &str = "llmdevops";

/// How the families of a catalogue are made.
pub(super) struct FamilyOptions<'a> {
    pub(super) namespace: &'a str,
    /// Metrics that are made because they are asked for.
    pub(super) optional: &'a [&'a str],
    /// How long a gauge's value is believed that nobody renews, by name.
    pub(super) ttl: &'a [(&'a str, Duration)],
}

/// The families of a catalogue, made in its order, which is the order in which they are shown.
pub(super) struct Families {
    specs: &'static [MetricSpec],
    made: Vec<Option<Arc<Family>>>,
}

impl Families {
    /// # Errors
    /// `InvalidMetricName` for a namespace that is none; `TypeMismatch` and `DuplicateMetric` for names that are taken by
    /// other metrics.
    pub(super) fn new(
        registry: &Registry,
        specs: &'static [MetricSpec],
        options: &FamilyOptions<'_>,
    ) -> Result<Self> {
        let made = specs
            .iter()
            .map(|spec| match spec.opt_in && !options.optional.contains(&spec.name) {
                true => Ok(None),
                false => make(registry, spec, options).map(Some),
            })
            .collect::<Result<_>>()?;
        Ok(Self { specs, made })
    }

    pub(super) fn counter(&self, name: &str) -> CounterVec {
        CounterVec::of(self.family(name))
    }

    pub(super) fn gauge(&self, name: &str) -> GaugeVec {
        GaugeVec::of(self.family(name))
    }

    pub(super) fn histogram(&self, name: &str) -> HistogramVec {
        HistogramVec::of(self.family(name))
    }

    /// A histogram that is made only when it is asked for.
    pub(super) fn optional(&self, name: &str) -> Option<HistogramVec> {
        self.made[self.place(name)].clone().map(HistogramVec::of)
    }

    /// Names of which this label takes as many as the catalogue says.
    pub(super) fn capped(&self, name: &str, label: &str) -> CappedNames {
        let values = self.specs[self.place(name)].label(label).map(|label| label.values);
        CappedNames::new(match values {
            Some(LabelValues::Capped(max)) => max,
            _ => usize::MAX,
        })
    }

    fn family(&self, name: &str) -> Arc<Family> {
        self.made[self.place(name)].clone().expect("the metric is not optional")
    }

    fn place(&self, name: &str) -> usize {
        self.specs.iter().position(|spec| spec.name == name).expect("the catalogue has the metric")
    }
}

fn make(registry: &Registry, spec: &MetricSpec, options: &FamilyOptions<'_>) -> Result<Arc<Family>> {
    let name = format!("{}_{}", options.namespace, spec.name);
    let labels: Vec<&str> = spec.labels.iter().map(|label| label.name).collect();
    let max_label_values = spec
        .labels
        .iter()
        .filter_map(|label| match label.values {
            LabelValues::Capped(max) => Some((label.name.to_owned(), max)),
            LabelValues::Enum(_) => None,
        })
        .collect();
    let limits = CardinalityLimits { max_label_values, ..CardinalityLimits::default() };
    let ttl = options.ttl.iter().find(|(name, _)| *name == spec.name).map(|(_, ttl)| *ttl);
    let metric = registry.metric(&name, spec.help).labels(&labels).limits(limits);
    let metric = if spec.kind == Kind::Histogram { metric.buckets(spec.buckets) } else { metric };
    match ttl {
        Some(ttl) => metric.ttl(ttl).family(spec.kind),
        None => metric.family(spec.kind),
    }
}

/// Names of which so many are taken as they are; further ones are `other`, and so is one that is empty or too long.
pub(super) struct CappedNames {
    names: RwLock<HashSet<SliceArc<str>, foldhash::fast::RandomState>>,
    max: usize,
    other: SliceArc<str>,
}

impl CappedNames {
    fn new(max: usize) -> Self {
        Self {
            names: RwLock::new(HashSet::with_hasher(foldhash::fast::RandomState::default())),
            max,
            other: SliceArc::from(OVERFLOW_VALUE),
        }
    }

    /// The name as a label shows it; new ones are taken while there is room.
    pub(super) fn admit(&self, name: &str) -> SliceArc<str> {
        let name = named(name);
        if let Some(known) = self.names.read().get(name) {
            return SliceArc::clone(known);
        }
        let mut names = self.names.write();
        if let Some(known) = names.get(name) {
            return SliceArc::clone(known);
        }
        if names.len() >= self.max {
            return SliceArc::clone(&self.other);
        }
        let new: SliceArc<str> = SliceArc::from(name);
        names.insert(SliceArc::clone(&new));
        new
    }

    /// The name if it was taken before, so that a typo in a failed request makes no series.
    pub(super) fn known(&self, name: &str) -> SliceArc<str> {
        SliceArc::clone(self.names.read().get(named(name)).unwrap_or(&self.other))
    }

    /// Whether what is not taken by now never will be.
    pub(super) fn is_full(&self) -> bool {
        self.names.read().len() >= self.max
    }
}

/// UTF-16 units of the longest name: what is longer is no name, and would be in every scrape, a hundred times.
const NAME_MAX: usize = 200;

/// A name as a label shows it: one that is empty or too long is none.
pub(super) fn named(name: &str) -> &str {
    let is_too_long = name.len() > NAME_MAX && name.encode_utf16().count() > NAME_MAX;
    if name.is_empty() || is_too_long { OVERFLOW_VALUE } else { name }
}
