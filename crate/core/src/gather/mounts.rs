//! Adds the families of mounted registries to those of the registry that they are mounted in.

use super::family::{GatheredFamily, Under};
use super::items::items;
use super::sample_names::SampleNames;
use crate::registry::{Mount, Registry};
use crate::serialization::Shown;
use crate::sync::Arc;
use hashbrown::HashMap;

/// Adds the families of mounted registries to `families`. Families whose type or buckets differ from one of the same
/// name, or that would write another's sample names, are left out and added to `mismatched`.
pub(crate) fn add_mounts(
    registry: &Registry,
    families: &mut Vec<GatheredFamily>,
    mismatched: &mut Vec<String>,
) {
    let mounts = registry.mounts();
    if mounts.is_empty() {
        return;
    }
    let mut places: HashMap<String, usize, foldhash::fast::FixedState> =
        families.iter().enumerate().map(|(at, family)| (family.name().to_owned(), at)).collect();
    let mut names = SampleNames::of(families);
    for mount in mounts {
        let under =
            Under { labels: Arc::clone(&mount.labels), defaults: mount.registry.default_labels().into() };
        for family in gather_mount(&mount) {
            let name = family.name().to_owned();
            if !names.admit(&family, mismatched) {
                continue;
            }
            let at = *places.entry(name.clone()).or_insert(families.len());
            if at == families.len() {
                families.push(GatheredFamily::nothing_like(&family));
            }
            if !families[at].mount(family, &under) {
                mismatched.push(name);
            }
        }
    }
}

/// The families of a mounted registry, its own mounts and default labels included, without the mount's labels.
fn gather_mount(mount: &Mount) -> Vec<GatheredFamily> {
    let mut families = items(&mount.registry);
    // The result is not used: the parent counts the mismatches that it sees itself.
    add_mounts(&mount.registry, &mut families, &mut Vec::new());
    families
}
