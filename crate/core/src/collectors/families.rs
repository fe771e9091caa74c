//! Makes the families of a catalogue in a registry, and caps the names that labels show. It must not know what the metrics
//! mean.

use super::catalogue::{LabelValues, MetricSpec};
use crate::error::Result;
use crate::metrics::{CounterVec, GaugeVec, HistogramVec};
use crate::registry::{CardinalityLimits, Family, Kind, OVERFLOW_VALUE, Registry};
use crate::sync::{Arc, RwLock, SliceArc};
use hashbrown::HashSet;

/// Stands before the names of metrics and an underscore, unless the caller sets another namespace.
pub const DEFAULT_NAMESPACE: &str = "llmdevops";

/// What a catalogue leaves open.
pub(super) struct FamilyOptions<'a> {
    pub(super) namespace: &'a str,
    /// The metrics to make that are off by default.
    pub(super) optional: &'a [&'a str],
}

/// The families of a catalogue, made in its order, which is the order of the exposition.
pub(super) struct Families {
    specs: &'static [MetricSpec],
    made: Vec<Option<Arc<Family>>>,
}

impl Families {
    /// # Errors
    /// `InvalidMetricName` for an invalid namespace; `TypeMismatch` or `DuplicateMetric` if another metric has one of the
    /// names.
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

    /// A counter that is off by default; nothing if it was not asked for.
    pub(super) fn optional_counter(&self, name: &str) -> Option<CounterVec> {
        self.made[self.position(name)].clone().map(CounterVec::of)
    }

    /// A histogram that is off by default; nothing if it was not asked for.
    pub(super) fn optional(&self, name: &str) -> Option<HistogramVec> {
        self.made[self.position(name)].clone().map(HistogramVec::of)
    }

    /// The names of this label, capped as the catalogue says.
    pub(super) fn capped(&self, name: &str, label: &str) -> CappedNames {
        let values = self.specs[self.position(name)].label(label).map(|label| label.values);
        CappedNames::new(match values {
            Some(LabelValues::Capped(max)) => max,
            _ => usize::MAX,
        })
    }

    fn family(&self, name: &str) -> Arc<Family> {
        self.made[self.position(name)].clone().expect("the metric is not optional")
    }

    fn position(&self, name: &str) -> usize {
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
    let metric = registry.metric(&name, spec.help).labels(&labels).limits(limits);
    let metric = if spec.kind == Kind::Histogram { metric.buckets(spec.buckets) } else { metric };
    match spec.ttl {
        Some(ttl) => metric.ttl(ttl).family(spec.kind),
        None => metric.family(spec.kind),
    }
}

/// Accepts the first `max` different names. Further names, empty ones and too long ones become `other`.
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

    /// The name as a label shows it. A new name is accepted if there is room.
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

    /// The name if it was accepted before, otherwise `other`: a typo in a failed request must not make a series.
    pub(super) fn known(&self, name: &str) -> SliceArc<str> {
        SliceArc::clone(self.names.read().get(named(name)).unwrap_or(&self.other))
    }

    /// Whether no further name will be accepted.
    pub(super) fn is_full(&self) -> bool {
        self.names.read().len() >= self.max
    }
}

/// How many UTF-16 units a name may have. A model's name is repeated about 100 times in each scrape, so a longer one is
/// treated as invalid.
pub const MAX_NAME_LENGTH: usize = 200;

/// The name as labels show it: `other` if it is empty or too long.
pub(super) fn named(name: &str) -> &str {
    let is_too_long = name.len() > MAX_NAME_LENGTH && name.encode_utf16().count() > MAX_NAME_LENGTH;
    if name.is_empty() || is_too_long { OVERFLOW_VALUE } else { name }
}
