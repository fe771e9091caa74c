//! The sample names that a registry's items write, and which item writes each. No two items share a name, because a
//! scraper rejects an exposition that has the same series twice.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::forms;
use crate::model::{Descriptor, Kind};
use hashbrown::HashMap;
use std::borrow::Cow;

/// Names an item of a registry; never reused within it.
pub type ItemId = u32;

/// Sample names with the item that writes each.
#[derive(Default)]
pub(super) struct Claims {
    items: HashMap<String, ItemId, foldhash::fast::FixedState>,
}

impl Claims {
    /// The item that writes this name.
    pub(super) fn item(&self, name: &str) -> Option<ItemId> {
        self.items.get(name).copied()
    }

    pub(super) fn add(&mut self, names: impl IntoIterator<Item = String>, id: ItemId) {
        self.items.extend(names.into_iter().map(|name| (name, id)));
    }

    pub(super) fn remove(&mut self, id: ItemId) {
        self.items.retain(|_, item| *item != id);
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    /// Checks that the names of `wanted` are free.
    ///
    /// # Errors
    /// `DuplicateMetric`.
    pub(super) fn check(&self, wanted: &str, names: impl IntoIterator<Item = String>) -> Result<()> {
        match names.into_iter().find(|name| self.items.contains_key(name)) {
            None => Ok(()),
            Some(name) => Err(MetricsError::new(
                ErrorKind::DuplicateMetric,
                format!(
                    "A metric that writes samples named {name} has already been registered, and {wanted} would write them too."
                ),
            )),
        }
    }
}

/// A name in each scheme of escaping.
pub(super) fn name_forms(name: &str) -> Vec<String> {
    forms(name, true).into_iter().map(Cow::into_owned).collect()
}

/// The family's own name and the sample names that text 0.0.4 shows for it, in each scheme of escaping.
pub(crate) fn written_names(descriptor: &Descriptor) -> Vec<String> {
    let name = descriptor.name();
    let suffixes: &[&str] = match descriptor.kind() {
        Kind::Histogram => &["", "_bucket", "_sum", "_count"],
        Kind::Summary => &["", "_sum", "_count"],
        Kind::Info if !name.ends_with("_info") => &["", "_info"],
        _ => &[""],
    };
    forms(name, true)
        .iter()
        .flat_map(|form| suffixes.iter().map(move |suffix| format!("{form}{suffix}")))
        .collect()
}
