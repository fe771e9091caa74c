//! Says which series of ended contributors must stay although they have expired: those that a live contributor has too. They
//! are shown as one, and Prometheus reads a falling total as a reset.

use super::contributor::Contributor;
use super::remote::{RemoteFamily, Run};
use super::retired::Retired;
use crate::labels::{canonical_key, labels_with};
use crate::sync::Arc;
use hashbrown::{HashMap, HashSet};

/// Label sets in canonical form.
pub(super) type Keys = HashSet<Box<[u8]>, foldhash::fast::FixedState>;

/// By metric that has expired among ended contributors, the label sets of live series. Other metrics are missing.
#[derive(Default)]
pub(crate) struct Shown(HashMap<String, Keys, foldhash::fast::FixedState>);

impl Shown {
    /// The live series of those metrics of `retired` that have expired. They are those of `live` contributors, in a run with
    /// its label, and of other processes.
    pub(crate) fn of<'a>(
        retired: &Retired,
        live: &[Arc<Contributor>],
        label: &[u8],
        others: impl Iterator<Item = &'a Arc<RemoteFamily>>,
    ) -> Self {
        let expired = retired.families.iter().filter(|family| family.is_expired());
        let mut shown =
            Self(expired.map(|family| (family.descriptor.name().to_owned(), Keys::default())).collect());
        if shown.0.is_empty() {
            return shown;
        }
        for family in live.iter().flat_map(|contributor| contributor.registry().families()) {
            if let Some(keys) = shown.0.get_mut(family.descriptor().name()) {
                family.for_each_labels(|labels| add(keys, &labels_with(labels, label)));
            }
        }
        for family in others {
            if let Some(keys) = shown.0.get_mut(family.descriptor.name()) {
                family.series.iter().for_each(|series| add(keys, &series.labels));
            }
        }
        shown
    }

    /// The same for contributors of one process, and what its last scrape has seen of the others.
    pub(super) fn of_process(
        retired: &Retired,
        live: &[Arc<Contributor>],
        run: Option<&Arc<dyn Run>>,
    ) -> Self {
        let others = run.map(|run| run.last());
        let families = others.iter().flat_map(|others| &others.families);
        Self::of(retired, live, run.map(|run| run.label()).unwrap_or_default(), families)
    }

    /// The live series of a metric; `None` if it had not expired.
    pub(super) fn of_expired(&self, metric: &str) -> Option<&Keys> {
        self.0.get(metric)
    }
}

fn add(keys: &mut Keys, labels: &[u8]) {
    let mut key = Vec::new();
    canonical_key(labels, &mut key);
    keys.insert(key.into());
}
