//! Says which series of ended contributors must stay although they have expired: those that a live contributor has too. They
//! are shown as one, and Prometheus reads a falling total as a reset.

use super::contributor::Contributor;
use crate::labels::{canonical_key, labels_with};
use crate::sort::sort_by;
use crate::sync::Arc;
use hashbrown::HashSet;

/// Label sets in canonical form.
pub(super) type Keys = HashSet<Box<[u8]>, foldhash::fast::FixedState>;

/// By metric that has expired among ended contributors, in their order, the label sets of live series. Other metrics are missing.
#[derive(Default)]
pub(crate) struct Shown(Vec<(String, Keys)>);

impl Shown {
    /// The live series of these metrics: those of `live` contributors, with the label of their process, and `others`, each with
    /// its metric.
    pub(crate) fn of<'a>(
        expired: &mut dyn Iterator<Item = &'a str>,
        live: &[Arc<Contributor>],
        label: &[u8],
        others: &mut dyn Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let mut shown = Self(expired.map(|metric| (metric.to_owned(), Keys::default())).collect());
        if shown.0.is_empty() {
            return shown;
        }
        sort_by(&mut shown.0, |(one, _), (next, _)| one.cmp(next));
        for family in live.iter().flat_map(|contributor| contributor.registry().families()) {
            if let Some(keys) = shown.keys(family.descriptor().name()) {
                family.for_each_labels(|labels| add(keys, &labels_with(labels, label)));
            }
        }
        for (metric, labels) in others {
            if let Some(keys) = shown.keys(metric) {
                add(keys, labels);
            }
        }
        shown
    }

    fn keys(&mut self, metric: &str) -> Option<&mut Keys> {
        let at = self.place(metric)?;
        Some(&mut self.0[at].1)
    }

    /// The live series of a metric; `None` if it had not expired.
    pub(super) fn of_expired(&self, metric: &str) -> Option<&Keys> {
        Some(&self.0[self.place(metric)?].1)
    }

    fn place(&self, metric: &str) -> Option<usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(metric)).ok()
    }
}

fn add(keys: &mut Keys, labels: &[u8]) {
    let mut key = Vec::new();
    canonical_key(labels, &mut key);
    keys.insert(key.into());
}
