//! Merges a registry's families with those of the other contributors of its process, and of the other processes of its run,
//! by name.

use super::family::GatheredFamily;
use super::items::live_families;
use super::merged::{MergedFamily, Part};
use super::sample_names::SampleNames;
use crate::model::Aggregator;
use crate::registry::{Contributor, Process, Registry};
use crate::serialization::Shown;
use crate::sync::Arc;
use hashbrown::{HashMap, HashSet};

/// The families of the other contributors: live ones before retired ones.
pub(super) struct Others {
    parts: Vec<Part>,
    /// A rendered label for the series of this process's live contributors; empty without one.
    label: Vec<u8>,
    /// When the registry's own contributor began.
    own_began: u64,
}

impl Others {
    pub(super) fn of(process: &Process, registry: &Registry, without_run: bool) -> Self {
        let (state, run) = match without_run {
            true => (process.state(), None),
            false => process.state_with_others(),
        };
        let is_other = |contributor: &&Arc<Contributor>| !std::ptr::eq(&**contributor.registry(), registry);
        let live = state.live.iter().filter(is_other).flat_map(|other| {
            live_families(other.registry()).into_iter().map(|family| Part::Live(family, other.began()))
        });
        let retired = state.retired.families.iter().map(|family| Part::Retired(Arc::clone(family)));
        let mut parts: Vec<Part> = live.chain(retired).collect();
        if let Some(run) = &run {
            parts.extend(run.families.iter().map(|family| Part::Remote(Arc::clone(family))));
            parts.extend(run.retired.families.iter().map(|family| Part::Retired(Arc::clone(family))));
        }
        let label = state.run.as_ref().map(|run| run.label().to_vec()).unwrap_or_default();
        let own = state.live.iter().find(|contributor| !is_other(contributor));
        Self { parts, label, own_began: own.map_or(0, |own| own.began()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.label.is_empty()
    }

    pub(super) fn merge_into(
        &self,
        own: Vec<GatheredFamily>,
        mismatched: &mut Vec<String>,
    ) -> Vec<GatheredFamily> {
        let mut by_name: HashMap<&str, Vec<&Part>, foldhash::fast::FixedState> = HashMap::default();
        for part in &self.parts {
            by_name.entry(part.descriptor().name()).or_default().push(part);
        }
        let mut merged = Vec::with_capacity(own.len());
        let mut seen: HashSet<String, foldhash::fast::FixedState> = HashSet::default();
        for family in own {
            seen.insert(family.name().to_owned());
            let none = Vec::new();
            let parts = by_name.get(family.name()).or((!self.label.is_empty()).then_some(&none));
            merged.push(match (family, parts) {
                (GatheredFamily::Own(family), Some(parts)) => {
                    let own = Part::Live(family, self.own_began);
                    let all: Vec<&Part> = std::iter::once(&own).chain(parts.iter().copied()).collect();
                    match merge_parts(&all, &self.label, mismatched) {
                        Some(family) => family,
                        None => continue,
                    }
                }
                (family, None) => family,
                (family, Some(parts)) if parts.is_empty() => family,
                // Finished samples cannot be added up.
                (family, Some(_)) => {
                    mismatched.push(family.name().to_owned());
                    family
                }
            });
        }
        let mut names = None;
        for part in &self.parts {
            let name = part.descriptor().name();
            if seen.insert(name.to_owned())
                && let Some(family) = merge_parts(&by_name[name], &self.label, mismatched)
                && names.get_or_insert_with(|| SampleNames::of(&merged)).admit(&family, mismatched)
            {
                merged.push(family);
            }
        }
        merged
    }
}

/// Merges the parts of one family. The first part decides type, buckets, help and order. `None` if the aggregator omits
/// it.
fn merge_parts(parts: &[&Part], label: &[u8], mismatched: &mut Vec<String>) -> Option<GatheredFamily> {
    let (first, rest) = parts.split_first()?;
    let descriptor = first.descriptor();
    let agreeing: Vec<&Part> =
        rest.iter().copied().filter(|part| part.descriptor().merges_with(descriptor)).collect();
    if agreeing.len() < rest.len() {
        mismatched.push(descriptor.name().to_owned());
    }
    let is_omitted = descriptor.kind().is_state() && descriptor.aggregator() == Aggregator::Omit;
    match first {
        Part::Live(family, _) if agreeing.is_empty() && label.is_empty() => {
            Some(GatheredFamily::Own(family.clone()))
        }
        _ if is_omitted && !agreeing.is_empty() => None,
        _ => {
            let mut merged = MergedFamily::new(descriptor.clone(), label);
            merged.add(first);
            agreeing.into_iter().for_each(|part| merged.add(part));
            merged.drop_expired();
            Some(GatheredFamily::Merged(merged))
        }
    }
}
