//! Limits on the number of series: of a family, of one label's values, of a registry in total. A guard counts what a
//! registry holds; an admission says of each new label set of a family whether it may become a series. Knows no cells.

use super::table::SeriesTable;
use crate::labels::{Sanitizer, pairs};
use crate::model::Descriptor;
use crate::sync::{Arc, AtomicUsize, Ordering, RwLock};
use hashbrown::HashMap;
use std::fmt;

/// Series a family may have where nobody says: more than an honest one has.
pub const DEFAULT_MAX_SERIES: usize = 10_000;
/// Series a registry may have where nobody says.
pub const DEFAULT_MAX_TOTAL: usize = 1_000_000;
/// The value of labels beyond a limit.
pub const OVERFLOW_VALUE: &str = "other";

/// What becomes of a label set beyond a limit. Each is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverflowPolicy {
    /// Counters and histograms add it to a series whose values are `other`, so that their totals stay right. Beyond the
    /// limit of one label only that label's value is `other`. Gauges drop it: values of several are no value.
    #[default]
    Fold,
    /// It is recorded nowhere.
    Drop,
    /// The recording call is refused with `CardinalityLimit`.
    Throw,
}

impl OverflowPolicy {
    /// The policy of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "fold" => Self::Fold,
            "drop" => Self::Drop,
            "throw" => Self::Throw,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Drop => "drop",
            Self::Throw => "throw",
        }
    }
}

/// The limit that a label set was beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Series of the family.
    Series(usize),
    /// Series of the registry.
    Total(usize),
    /// Distinct values of the label with this index.
    LabelValues {
        /// Into the label names.
        label: usize,
        /// How many there may be.
        max: usize,
    },
}

/// Limits of one family; what is not given is the registry's. A family without labels has its one series whatever
/// they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardinalityLimits {
    /// Series, one whose values are `other` not counted.
    pub max_series: Option<usize>,
    /// Distinct values by label name, `other` and none not counted. Names that the family does not have say nothing.
    pub max_label_values: Vec<(String, usize)>,
    /// What becomes of label sets beyond.
    pub policy: Option<OverflowPolicy>,
}

/// The limits that a family meets: its own, and its registries' where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsInForce {
    /// Series, one whose values are `other` not counted.
    pub max_series: usize,
    /// Distinct values by the index of the label, where there is a limit.
    pub max_label_values: Vec<(usize, usize)>,
    /// What becomes of label sets beyond.
    pub policy: OverflowPolicy,
}

/// Limits of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardinalityConfig {
    /// Of each family that says nothing itself.
    pub family: CardinalityLimits,
    /// Series of all families together; `DEFAULT_MAX_TOTAL` where it is not given.
    pub max_total: Option<usize>,
}

/// What a registry demands of new series: it counts them, and holds its limits and its sanitizer.
pub struct CardinalityGuard {
    config: RwLock<CardinalityConfig>,
    sanitizer: RwLock<Option<Arc<Sanitizer>>>,
    /// Goes up with each change of the limits.
    version: AtomicUsize,
    series: AtomicUsize,
}

impl CardinalityGuard {
    pub(crate) fn new(config: CardinalityConfig) -> Self {
        Self {
            config: RwLock::new(config),
            sanitizer: RwLock::new(None),
            version: AtomicUsize::new(0),
            series: AtomicUsize::new(0),
        }
    }

    /// What cleans the label values of new series; nothing if they are taken as they are.
    #[must_use]
    pub fn sanitizer(&self) -> Option<Arc<Sanitizer>> {
        self.sanitizer.read().clone()
    }

    /// Cleans the label values of new series from now on; those there are stay as they are.
    pub fn set_sanitizer(&self, sanitizer: Option<Sanitizer>) {
        *self.sanitizer.write() = sanitizer.map(Arc::new);
    }

    /// The limits.
    #[must_use]
    pub fn config(&self) -> CardinalityConfig {
        self.config.read().clone()
    }

    /// Replaces the limits. Series beyond them stay; new ones meet them.
    pub fn set_config(&self, config: CardinalityConfig) {
        *self.config.write() = config;
        // Relaxed: read by owners of families before they add a series; one that is a moment late is within its rights.
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the limits that nobody has set: those of an endpoint's settings, which a registry's own go before.
    pub(crate) fn set_missing(&self, missing: &CardinalityConfig) {
        let old = self.config();
        let mut config = old.clone();
        config.family.max_series = config.family.max_series.or(missing.family.max_series);
        config.max_total = config.max_total.or(missing.max_total);
        if config != old {
            self.set_config(config);
        }
    }

    /// Series now, those without labels and those beyond a limit counted too.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// Series of all families together that there may be.
    #[must_use]
    pub fn max_total(&self) -> usize {
        self.config.read().max_total.unwrap_or(DEFAULT_MAX_TOTAL)
    }

    fn try_charge(&self) -> Result<(), Limit> {
        let max = self.max_total();
        let charge = |series| (series < max).then_some(series + 1);
        // Relaxed: a count; it orders nothing.
        match self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charge) {
            Ok(_) => Ok(()),
            Err(_) => Err(Limit::Total(max)),
        }
    }

    fn charge(&self, series: usize) {
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    fn release(&self, series: usize) {
        self.series.fetch_sub(series, Ordering::Relaxed);
    }
}

/// The limits of one family as they are in force, and what they are held against. Its owner's lock guards it.
pub(crate) struct Admission {
    own: CardinalityLimits,
    /// One a registry that holds the family, with the version of its limits that `force` was made from.
    guards: Vec<(Arc<CardinalityGuard>, usize)>,
    max_series: usize,
    policy: OverflowPolicy,
    labels: Vec<LimitedLabel>,
    /// The series whose values are `other`, which no limit refuses.
    beyond: Option<u32>,
}

/// Values of a label that has a limit, as they are rendered, and the number of series that have each.
struct LimitedLabel {
    index: usize,
    max: usize,
    values: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
}

impl Admission {
    pub(crate) fn new(own: CardinalityLimits, descriptor: &Descriptor) -> Self {
        let mut admission = Self {
            own,
            guards: Vec::new(),
            max_series: 0,
            policy: OverflowPolicy::default(),
            labels: Vec::new(),
            beyond: None,
        };
        admission.put_in_force(descriptor, None);
        admission
    }

    /// What the family's registries clean label values with.
    pub(crate) fn sanitizers(&self) -> Vec<Arc<Sanitizer>> {
        self.guards.iter().filter_map(|(guard, _)| guard.sanitizer()).collect()
    }

    pub(crate) fn in_force(&self) -> LimitsInForce {
        LimitsInForce {
            max_series: self.max_series,
            max_label_values: self.labels.iter().map(|label| (label.index, label.max)).collect(),
            policy: self.policy,
        }
    }

    /// Counts the family's series with a registry's from now on.
    pub(crate) fn enter(
        &mut self,
        guard: &Arc<CardinalityGuard>,
        descriptor: &Descriptor,
        table: &SeriesTable,
        live: usize,
    ) {
        guard.charge(live);
        self.guards.push((Arc::clone(guard), usize::MAX));
        self.refresh(descriptor, table);
    }

    /// Counts them there no more.
    pub(crate) fn leave(
        &mut self,
        guard: &Arc<CardinalityGuard>,
        descriptor: &Descriptor,
        table: &SeriesTable,
        live: usize,
    ) {
        let Some(at) = self.guards.iter().position(|(own, _)| Arc::ptr_eq(own, guard)) else { return };
        self.guards.remove(at);
        guard.release(live);
        self.put_in_force(descriptor, Some(table));
    }

    pub(crate) fn is_guarded_by(&self, guard: &Arc<CardinalityGuard>) -> bool {
        self.guards.iter().any(|(own, _)| Arc::ptr_eq(own, guard))
    }

    /// Puts changed limits of registries in force.
    pub(crate) fn refresh(&mut self, descriptor: &Descriptor, table: &SeriesTable) {
        let mut stale = false;
        for (guard, seen) in &mut self.guards {
            let version = guard.version.load(Ordering::Relaxed);
            stale |= std::mem::replace(seen, version) != version;
        }
        if stale {
            self.put_in_force(descriptor, Some(table));
        }
    }

    /// What the family says itself holds; otherwise the smallest limit of its registries, and the first one's policy.
    fn put_in_force(&mut self, descriptor: &Descriptor, table: Option<&SeriesTable>) {
        let registries: Vec<CardinalityLimits> =
            self.guards.iter().map(|(guard, _)| guard.config.read().family.clone()).collect();
        let smallest = registries.iter().filter_map(|limits| limits.max_series).min();
        self.max_series = self.own.max_series.or(smallest).unwrap_or(DEFAULT_MAX_SERIES);
        let policy = registries.iter().find_map(|limits| limits.policy);
        self.policy = self.own.policy.or(policy).unwrap_or_default();
        let names = descriptor.label_names().iter().enumerate();
        self.labels = names
            .filter_map(|(index, name)| {
                let own = limit_of(&self.own, name.as_str());
                let max = own.or_else(|| {
                    registries.iter().filter_map(|limits| limit_of(limits, name.as_str())).min()
                })?;
                Some(LimitedLabel { index, max, values: HashMap::default() })
            })
            .collect();
        if let (Some(table), false) = (table, self.labels.is_empty()) {
            table.live().for_each(|series| self.count_values(series.labels, descriptor));
        }
    }

    /// Lets a new label set in, given as it is rendered, or says which limit it is beyond.
    pub(crate) fn admit(
        &mut self,
        rendered: &[u8],
        live: usize,
        descriptor: &Descriptor,
    ) -> Result<(), Limit> {
        if descriptor.label_names().is_empty() {
            self.guards.iter().for_each(|(guard, _)| guard.charge(1));
            return Ok(());
        }
        // First, because a value that becomes `other` makes another label set, which may be within all limits.
        for label in &self.labels {
            let value = value_of(rendered, descriptor, label.index);
            if label.values.len() >= label.max && is_counted(value) && !label.values.contains_key(value) {
                return Err(Limit::LabelValues { label: label.index, max: label.max });
            }
        }
        if live - usize::from(self.beyond.is_some()) >= self.max_series {
            return Err(Limit::Series(self.max_series));
        }
        for at in 0..self.guards.len() {
            if let Err(limit) = self.guards[at].0.try_charge() {
                self.guards[..at].iter().for_each(|(guard, _)| guard.release(1));
                return Err(limit);
            }
        }
        self.count_values(rendered, descriptor);
        Ok(())
    }

    /// Lets the series in that label sets beyond the limits are added to.
    pub(crate) fn admit_beyond(&mut self, id: u32) {
        self.beyond = Some(id);
        self.guards.iter().for_each(|(guard, _)| guard.charge(1));
    }

    /// A series has gone.
    pub(crate) fn forget(&mut self, id: u32, rendered: &[u8], descriptor: &Descriptor) {
        self.guards.iter().for_each(|(guard, _)| guard.release(1));
        if self.beyond == Some(id) {
            self.beyond = None;
        }
        for label in &mut self.labels {
            let value = value_of(rendered, descriptor, label.index);
            if let Some(series) = label.values.get_mut(value) {
                *series -= 1;
                if *series == 0 {
                    label.values.remove(value);
                }
            }
        }
    }

    /// All series have gone.
    pub(crate) fn forget_all(&mut self, live: usize) {
        self.guards.iter().for_each(|(guard, _)| guard.release(live));
        self.beyond = None;
        self.labels.iter_mut().for_each(|label| label.values.clear());
    }

    fn count_values(&mut self, rendered: &[u8], descriptor: &Descriptor) {
        for label in &mut self.labels {
            let value = value_of(rendered, descriptor, label.index);
            if is_counted(value) {
                *label.values.entry(value.into()).or_insert(0) += 1;
            }
        }
    }
}

fn limit_of(limits: &CardinalityLimits, name: &str) -> Option<usize> {
    limits.max_label_values.iter().find(|(label, _)| label == name).map(|(_, max)| *max)
}

/// The value of a label among rendered ones; empty where it is absent.
fn value_of<'a>(rendered: &'a [u8], descriptor: &Descriptor, label: usize) -> &'a [u8] {
    let name = descriptor.label_names()[label].as_str().as_bytes();
    pairs(rendered).find(|pair| pair.name == name).map_or(&[], |pair| pair.value)
}

fn is_counted(value: &[u8]) -> bool {
    !value.is_empty() && value != OVERFLOW_VALUE.as_bytes()
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(max) => write!(f, "{max} series of the metric"),
            Self::Total(max) => write!(f, "{max} series of the registry"),
            Self::LabelValues { max, .. } => write!(f, "{max} values of the label"),
        }
    }
}
