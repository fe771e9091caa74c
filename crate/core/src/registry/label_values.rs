//! Counts the distinct values of labels in rendered label sets.

use crate::labels::pairs;
use hashbrown::{HashMap, HashSet};

type Distinct = HashSet<Box<[u8]>, foldhash::fast::RandomState>;

/// The distinct values of each label, as rendered.
#[derive(Default)]
pub(super) struct LabelValues {
    by_name: HashMap<Box<[u8]>, Distinct, foldhash::fast::RandomState>,
}

impl LabelValues {
    pub(super) fn add(&mut self, labels: &[u8]) {
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

    pub(super) fn count(&self, name: &str) -> usize {
        self.by_name.get(name.as_bytes()).map_or(0, HashSet::len)
    }
}
