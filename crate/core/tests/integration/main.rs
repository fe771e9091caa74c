//! Tests the parts of the library together: many threads, several contributors, real sockets, and expositions that are
//! read by a strict grammar and compared with those of another library. All of them are one binary, because linking is
//! most of the cost of a test binary.

mod agent_collector_test;
mod collector_events_test;
mod concurrent_access_test;
mod exposition;
mod exposition_properties_test;
mod http_endpoint_test;
mod http_guard_test;
mod http_limits_test;
mod http_places_test;
mod http_protocol_test;
mod llm_collector_test;
mod native_histogram_test;
mod network_input_test;
mod number_forms;
mod process_properties_test;
mod program;
mod prometheus_client_oracle_test;
mod protobuf_messages;
mod protobuf_test;
mod push_transport_test;
mod registry_properties_test;
mod scrape_simulation_test;
mod shared_processes_test;
mod wire;

use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::registry::{Contributor, Descriptor, Family, Process};
use prometheus_metrics::slab::{CELLS_PER_SLAB, Cells};
use prometheus_metrics::{Format, MetricsError, Registry, encode};
use std::sync::Arc;

/// The result of a test. An error fails it, so a test uses `?` where a call must succeed.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A contributor that has joined the process.
fn contributor_of(process: &Process) -> Arc<Contributor> {
    let contributor = Arc::new(Contributor::new(Cells::on_heap()));
    process.join(Arc::clone(&contributor));
    contributor
}

/// Returns the contributor's family with this descriptor, and makes it if it does not exist.
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

/// A cell, as the one thread that writes it uses it.
#[derive(Clone, Copy)]
struct Cell<'a> {
    contributor: &'a Contributor,
    slot: u32,
    offset: usize,
}

impl Cell<'_> {
    /// Loads, adds and stores, as JavaScript does. No addition is lost, because only one thread writes the cell.
    fn add(self, value: f64) {
        let slab = self.slot as usize / CELLS_PER_SLAB;
        let index = self.slot as usize % CELLS_PER_SLAB + self.offset;
        let slab = self.contributor.cells().slab(slab).expect("a slot names a slab that exists");
        slab.store(index, slab.load(index) + value);
    }
}

/// One scrape of the registry, together with the other contributors of `process` if there is one.
fn scrape(registry: &Registry, process: Option<&Process>, format: Format) -> String {
    let mut out = Vec::new();
    let Ok(()) = encode(&gather(registry, &Selection::default().process(process)), format, &mut out);
    String::from_utf8(out).expect("an exposition is UTF-8")
}

/// The samples of these families except zeros, in the order of the exposition and without the prefix of their names.
/// `names` are OpenMetrics names without the prefix. Reads both formats with the strict grammar and checks that they show
/// the same samples.
fn samples_of(registry: &Registry, prefix: &str, names: &[&str]) -> Vec<String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for format in [Format::PrometheusText, Format::OpenMetrics] {
        let text = registry.encode(format);
        let families = exposition::parse(&text, format).expect("the exposition is valid");
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
