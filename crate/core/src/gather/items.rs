//! Lists what a registry itself shows: its families without expired series, its collectors' answers and foreign samples.

use super::family::GatheredFamily;
use crate::registry::{Item, LiveFamily, Registry};
use crate::sync::Arc;

/// The families of one registry, without other contributors and mounts.
pub(super) fn items(registry: &Registry) -> Vec<GatheredFamily> {
    // Copied first: collectors are user code and may use this registry, so its lock must not be held while they run.
    let (items, ttl) = registry.items();
    let mut families = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::Family(family) => families.push(GatheredFamily::Own(LiveFamily::of(family, ttl))),
            Item::Foreign(samples) => families.extend(samples.map(GatheredFamily::Samples)),
            Item::Collector(collector) => families.extend(
                collector.collect().into_iter().map(|family| GatheredFamily::Samples(Arc::new(family))),
            ),
        }
    }
    families
}

/// The families of cells of one registry.
pub(super) fn live_families(registry: &Registry) -> Vec<LiveFamily> {
    let ttl = registry.ttl();
    registry.families().into_iter().map(|family| LiveFamily::of(family, ttl)).collect()
}
