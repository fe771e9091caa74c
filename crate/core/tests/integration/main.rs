//! What the parts do together: many threads, several contributors, and expositions read by a grammar and beside
//! those of another implementation. One binary for all of them, because linking is most of what a test binary costs.

mod agent_collector_test;
mod collector_events_test;
mod concurrent_access_test;
mod exposition;
mod http_endpoint_test;
mod http_guard_test;
mod http_limits_test;
mod http_protocol_test;
mod llm_collector_test;
mod network_input_test;
mod program;
mod prometheus_client_oracle_test;
mod properties_test;
mod scrape_simulation_test;
mod wire;

use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::registry::{Contributor, Descriptor, Family, Process};
use prometheus_metrics::slab::{CELLS_PER_SLAB, Cells};
use prometheus_metrics::{Format, MetricsError, Registry, encode};
use std::sync::Arc;

/// How a test ends: a call that must succeed and does not is a failure.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A contributor that has joined a process.
fn contributor_of(process: &Process) -> Arc<Contributor> {
    let contributor = Arc::new(Contributor::new(Cells::on_heap()));
    process.join(Arc::clone(&contributor));
    contributor
}

/// The contributor's family of this description, made if it does not exist.
fn family_of(contributor: &Contributor, descriptor: Descriptor) -> Result<Arc<Family>, MetricsError> {
    let name = descriptor.name().to_owned();
    let known =
        contributor.registry().families().into_iter().find(|family| family.descriptor().name() == name);
    if let Some(family) = known {
        return Ok(family);
    }
    let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
    contributor.registry().register_family(Arc::clone(&family))?;
    Ok(family)
}

/// A cell as its one writer sees it.
#[derive(Clone, Copy)]
struct Cell<'a> {
    contributor: &'a Contributor,
    slot: u32,
    offset: usize,
}

impl Cell<'_> {
    /// Loads, adds and stores, as JavaScript does: right, because a cell has one writer.
    fn add(self, value: f64) {
        let slab = self.slot as usize / CELLS_PER_SLAB;
        let index = self.slot as usize % CELLS_PER_SLAB + self.offset;
        let slab = self.contributor.cells().slab(slab).expect("a slot names a slab that exists");
        slab.store(index, slab.load(index) + value);
    }
}

/// What a scrape shows of a registry and, where one is given, of the other contributors of its process.
fn scrape(registry: &Registry, process: Option<&Process>, format: Format) -> String {
    let mut out = Vec::new();
    let Ok(()) = encode(&gather(registry, &Selection { process, ..Selection::default() }), format, &mut out);
    String::from_utf8(out).expect("an exposition is UTF-8")
}

/// Samples of these families, by their OpenMetrics names behind the prefix and in the order of the exposition, that are not
/// 0. Both formats are read by the strict grammar and show the same.
fn samples_of(registry: &Registry, prefix: &str, names: &[&str]) -> Vec<String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for format in [Format::PrometheusText, Format::OpenMetrics] {
        let text = registry.encode(format);
        let families = exposition::parse(&text, format).expect("an exposition is whole");
        let is_wanted = |family: &&exposition::ParsedFamily| {
            let own = family.name.strip_prefix(prefix);
            own.is_some_and(|own| names.contains(&own.strip_suffix("_total").unwrap_or(own)))
        };
        let wanted: Vec<_> = families.iter().filter(is_wanted).flat_map(|family| &family.samples).collect();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.ends_with(" 0"));
        let lines = lines.filter(|line| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            wanted.iter().any(|sample| sample.name == name)
        });
        let lines = lines.filter_map(|line| line.strip_prefix(prefix));
        all.push(lines.map(str::to_owned).collect());
    }
    let openmetrics = all.pop().unwrap_or_default();
    let text = all.pop().unwrap_or_default();
    let canonical = |line: &String| !line.contains("le=");
    assert!(text.iter().filter(|line| canonical(line)).eq(openmetrics.iter().filter(|line| canonical(line))));
    text
}
