//! Lists the recording calls over a limit, by metric, of everything that one scrape shows.

use crate::labels::render;
use crate::registry::{Contributor, Process, Registry, add_overflow};
use crate::sort::sort_by;
use crate::sync::Arc;

/// Calls over a limit: the metric's name, its rendered `metric` label, and the number of calls.
pub(crate) struct OverflowCalls {
    pub(crate) metric: String,
    pub(crate) labels: Vec<u8>,
    pub(crate) calls: f64,
}

/// Lists the calls over a limit of the registry, of the other contributors of `process`, and of mounted registries with
/// the mounts' labels. Metrics without such calls are left out.
pub(crate) fn overflow(registry: &Registry, process: Option<&Process>) -> Vec<OverflowCalls> {
    let state = process.map(Process::state);
    let mut overflow = state.as_ref().map(|state| state.retired.overflow.clone()).unwrap_or_default();
    registry.families().iter().for_each(|family| add_overflow(&mut overflow, family));
    let is_other = |contributor: &&Arc<Contributor>| !std::ptr::eq(&**contributor.registry(), registry);
    for other in state.iter().flat_map(|state| state.live.iter().filter(is_other)) {
        other.registry().families().iter().for_each(|family| add_overflow(&mut overflow, family));
    }
    for other in state.iter().filter_map(|state| Some(state.run.as_ref()?.last())) {
        for family in other.families.iter().filter(|family| family.overflow > 0.0) {
            *overflow.entry(family.descriptor.name().to_owned()).or_insert(0.0) += family.overflow;
        }
        for (metric, calls) in &other.retired.overflow {
            *overflow.entry(metric.clone()).or_insert(0.0) += calls;
        }
    }
    let labelled = |(metric, calls): (String, f64)| {
        let mut labels = Vec::new();
        render([("metric", metric.as_str())], &mut labels);
        OverflowCalls { metric, labels, calls }
    };
    let mut all: Vec<OverflowCalls> = overflow.into_iter().map(labelled).collect();
    sort_by(&mut all, |one, next| one.metric.cmp(&next.metric));
    for mount in registry.mounts() {
        for inner in self::overflow(&mount.registry, None) {
            let mut labels = Vec::new();
            mount.labels.write(&inner.labels, &[], &mut labels);
            all.push(OverflowCalls { labels, ..inner });
        }
    }
    all
}
