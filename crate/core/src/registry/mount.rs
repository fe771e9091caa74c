//! The labels under which a registry is shown within another: one registry for each tenant, for example. A label that a
//! series has itself is renamed to `exported_…`, as Prometheus does with the labels of a target, so that no tenant can
//! write series of another.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelSet, Names, Pair, canonical_key, pairs, render};
use crate::sync::Arc;
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// The prefix of a series' label that has the name of a mount's label.
const EXPORTED: &[u8] = b"exported_";

/// Labels that the formats add themselves, and a prefix that Prometheus reserves. A mount may not have them.
const RESERVED: [&str; 2] = ["le", "quantile"];
const RESERVED_PREFIX: &str = "__";

/// The labels that a mounted registry's series get.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MountLabels {
    pairs: Vec<(String, String)>,
    rendered: Vec<u8>,
}

impl MountLabels {
    pub(super) fn new(names: Names, pairs: Vec<(String, String)>) -> Result<Self> {
        LabelSet::by(names, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        if let Some((name, _)) = pairs
            .iter()
            .find(|(name, _)| RESERVED.contains(&name.as_str()) || name.starts_with(RESERVED_PREFIX))
        {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                format!("{name} is a reserved label keyword"),
            ));
        }
        let mut rendered = Vec::new();
        render(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut rendered);
        Ok(Self { pairs, rendered })
    }

    /// Equal for labels under which series could be the same.
    fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        canonical_key(&self.rendered, &mut key);
        key
    }

    fn has(&self, pair: &Pair<'_>) -> bool {
        self.pairs.iter().any(|(name, _)| pair.is_named(name))
    }

    /// Appends a series' rendered labels, then the `defaults` that are not taken, then these labels.
    pub(crate) fn write(&self, own: &[u8], defaults: &[(String, String)], out: &mut Vec<u8>) {
        if pairs(own).any(|pair| self.has(&pair)) {
            self.write_renamed(own, out);
        } else {
            out.extend_from_slice(own);
        }
        for (name, value) in defaults {
            let taken = |pair: Pair<'_>| pair.is_named(name);
            // A renamed label in `out` may have the default label's name.
            if !pairs(out).any(taken) && !pairs(&self.rendered).any(taken) {
                separate(out);
                render([(name.as_str(), value.as_str())], out);
            }
        }
        if !self.rendered.is_empty() {
            separate(out);
            out.extend_from_slice(&self.rendered);
        }
    }

    /// Appends the labels of a series, renaming those that have the name of one of these.
    fn write_renamed(&self, own: &[u8], out: &mut Vec<u8>) {
        for pair in pairs(own) {
            let mut name = pair.name.to_vec();
            if self.has(&pair) {
                // The new name must be free too, so that a series that has both names keeps both values.
                let is_taken = |name: &[u8]| {
                    let text = std::str::from_utf8(name).unwrap_or_default();
                    let has_name = |other: Pair<'_>| other.is_named(text);
                    self.pairs.iter().any(|(own, _)| Pair { name, ..pair }.is_named(own))
                        || pairs(own).any(has_name)
                        || pairs(out).any(has_name)
                };
                while is_taken(&name) {
                    name.splice(0..0, EXPORTED.iter().copied());
                }
            }
            Pair { name: &name, ..pair }.push(out);
        }
    }
}

/// A registry that is shown within another.
pub(crate) struct Mount<R> {
    pub(crate) registry: Arc<R>,
    pub(crate) labels: Arc<MountLabels>,
}

impl<R> Clone for Mount<R> {
    fn clone(&self) -> Self {
        Self { registry: Arc::clone(&self.registry), labels: Arc::clone(&self.labels) }
    }
}

/// The registries that are mounted in one registry, in the order of mounting. The indices make mounting the last of many
/// tenants as fast as mounting the first.
pub(super) struct Mounts<R> {
    by_number: BTreeMap<u64, Mount<R>>,
    next: u64,
    /// Numbers by the address of the registry, which the mount keeps alive.
    by_registry: HashMap<usize, u64, foldhash::fast::FixedState>,
    by_labels: HashMap<Vec<u8>, u64, foldhash::fast::FixedState>,
}

impl<R> Default for Mounts<R> {
    fn default() -> Self {
        Self {
            by_number: BTreeMap::new(),
            next: 0,
            by_registry: HashMap::default(),
            by_labels: HashMap::default(),
        }
    }
}

impl<R> Mounts<R> {
    /// # Errors
    /// `InvalidConfig` if the registry is mounted already, or if another one is mounted with equal labels.
    pub(super) fn add(&mut self, mount: Mount<R>) -> Result<()> {
        let refused = |message| Err(MetricsError::new(ErrorKind::InvalidConfig, message));
        let (address, key) = (address_of(&mount.registry), mount.labels.key());
        if self.by_registry.contains_key(&address) {
            return refused("Expected a registry that is not mounted here but received one that is");
        }
        if self.by_labels.contains_key(&key) {
            return refused(
                "Expected labels that no other mounted registry has but received labels that one has",
            );
        }
        self.by_registry.insert(address, self.next);
        self.by_labels.insert(key, self.next);
        self.by_number.insert(self.next, mount);
        self.next += 1;
        Ok(())
    }

    /// Returns the mount of the registry, if it was mounted.
    pub(super) fn remove(&mut self, registry: &Arc<R>) -> Option<Mount<R>> {
        let number = self.by_registry.remove(&address_of(registry))?;
        let mount = self.by_number.remove(&number)?;
        self.by_labels.remove(&mount.labels.key());
        Some(mount)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Mount<R>> {
        self.by_number.values()
    }
}

pub(super) fn address_of<R>(registry: &Arc<R>) -> usize {
    Arc::as_ptr(registry) as usize
}

fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
}
