//! Decides whether a new label set of a family may become a series, and what a label set over a limit is recorded in.
//! Works on rendered labels and counts; does not depend on cells.

use super::cardinality::{
    CardinalityGuard, CardinalityLimits, DEFAULT_MAX_SERIES, Fallback, Limit, LimitsInForce, OVERFLOW_VALUE,
    OverflowPolicy,
};
use super::table::SeriesTable;
use crate::labels::{Sanitizer, pairs};
use crate::model::Descriptor;
use crate::sync::Arc;
use hashbrown::HashMap;

/// The limits of one family that are in force, and the counts that they are compared with. Used under the family's
/// writer lock.
pub(crate) struct Admission {
    own: CardinalityLimits,
    /// The guard of each registry that holds the family, with the version of its limits that is in force here.
    guards: Vec<(Arc<CardinalityGuard>, usize)>,
    max_series: usize,
    policy: OverflowPolicy,
    labels: Vec<LimitedLabel>,
    /// The series of `other`, if it exists. No limit refuses it.
    beyond: Option<u32>,
}

/// The values of a label that has a limit, as rendered, and how many series have each.
struct LimitedLabel {
    index: usize,
    max: usize,
    values: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
}

impl LimitedLabel {
    /// True if this label set's value is new and the label has as many values as it may have.
    fn refuses(&self, rendered: &[u8], descriptor: &Descriptor) -> bool {
        let value = value_of(rendered, descriptor, self.index);
        self.values.len() >= self.max && is_counted(value) && !self.values.contains_key(value)
    }
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

    /// The sanitizers of the registries that hold the family.
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

    /// Counts the family's series in a registry's total, and applies its limits, from now on.
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

    /// Takes the family's series out of a registry's total, and stops applying its limits.
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

    pub(crate) fn guards(&self) -> Vec<Arc<CardinalityGuard>> {
        self.guards.iter().map(|(guard, _)| Arc::clone(guard)).collect()
    }

    /// Applies limits of registries that have changed.
    pub(crate) fn refresh(&mut self, descriptor: &Descriptor, table: &SeriesTable) {
        let mut stale = false;
        for (guard, seen) in &mut self.guards {
            let version = guard.version();
            stale |= std::mem::replace(seen, version) != version;
        }
        if stale {
            self.put_in_force(descriptor, Some(table));
        }
    }

    /// Computes the limits: the family's own; where it has none, the smallest of its registries' and the first policy
    /// that a registry sets.
    fn put_in_force(&mut self, descriptor: &Descriptor, table: Option<&SeriesTable>) {
        let registries: Vec<CardinalityLimits> =
            self.guards.iter().map(|(guard, _)| guard.family_limits()).collect();
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

    /// Admits a new label set, given as rendered, or returns the limit that it is over. `src/metrics/overflow.ts` predicts
    /// refusals by the same rule for the limits of labels; change both together.
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
        // Labels are checked first: with the value replaced by `other` it is another label set, which may be within all
        // limits.
        for label in &self.labels {
            if label.refuses(rendered, descriptor) {
                return Err(Limit::LabelValues { label: label.index, max: label.max });
            }
        }
        // The series of `other` is live but does not count towards the limit.
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

    /// Decides what a label set that `admit` has refused is recorded in.
    pub(crate) fn fallback(&self, rendered: &[u8], descriptor: &Descriptor) -> Fallback {
        match self.policy {
            OverflowPolicy::Throw => Fallback::Refused,
            OverflowPolicy::Fold if !descriptor.kind().is_state() => {
                let refused = self.labels.iter().filter(|label| label.refuses(rendered, descriptor));
                Fallback::Folded(refused.map(|label| label.index).collect())
            }
            _ => Fallback::Dropped,
        }
    }

    /// Admits the series of `other`, even if a limit is reached.
    pub(crate) fn admit_beyond(&mut self, id: u32) {
        self.beyond = Some(id);
        self.guards.iter().for_each(|(guard, _)| guard.charge(1));
    }

    /// Stops counting a series that was removed.
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

    /// Stops counting all series.
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

/// The rendered value of a label; empty if the label is absent.
fn value_of<'a>(rendered: &'a [u8], descriptor: &Descriptor, label: usize) -> &'a [u8] {
    let name = descriptor.label_names()[label].as_str().as_bytes();
    pairs(rendered).find(|pair| pair.name == name).map_or(&[], |pair| pair.value)
}

fn is_counted(value: &[u8]) -> bool {
    !value.is_empty() && value != OVERFLOW_VALUE.as_bytes()
}
