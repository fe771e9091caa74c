//! Tests each part of the public API alone, one module for each subject. All of them are one binary, because linking
//! is most of the cost of a test binary.

mod address_test;
mod agent_collector_test;
mod auth_test;
mod cache_test;
mod cardinality;
mod cardinality_properties_test;
mod cardinality_test;
mod clock_test;
mod collectors_test;
mod compression_test;
mod counter_test;
mod detached_test;
mod error_test;
mod expiry_test;
mod fallback_test;
mod gauge_test;
mod histogram_test;
mod host_test;
mod label_cardinality_test;
mod label_detection_test;
mod label_sanitization_properties_test;
mod label_sanitization_test;
mod label_validation_test;
mod limits_test;
mod llm_collector_test;
mod llm_limits_test;
mod log;
mod metric_builder_test;
mod mock_test;
mod mount_test;
mod openmetrics2_test;
mod parse_numbers_test;
mod parse_test;
mod registry_test;
mod removal_test;
mod serialization_test;
mod service;
mod shared_cardinality_test;
mod starts_test;
mod summary_test;
mod tls_test;
mod utf8_names_test;
mod web_config_test;

use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::registry::{Contributor, Process};
use prometheus_metrics::slab::Cells;
use prometheus_metrics::{Clock, ErrorKind, Format, Registry, Result, encode};
use std::sync::Arc;
use std::time::Duration;

/// The result of a test. An error fails it, so a test uses `?` where a call must succeed.
type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

fn text(registry: &Registry) -> String {
    registry.encode(Format::PrometheusText)
}

/// One scrape of the registry, together with the other contributors of `process` if there is one. If there are
/// `names`, only the families with these names.
fn scrape(registry: &Registry, process: Option<&Process>, names: &[String], format: Format) -> String {
    let mut out = Vec::new();
    let selection = Selection::default().process(process).names(names);
    let Ok(()) = encode(&gather(registry, &selection), format, &mut out);
    String::from_utf8(out).expect("an exposition is UTF-8")
}

/// The exposition of these families of LLM or agent metrics only.
fn only(registry: &Registry, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("llmdevops_{name}")).collect();
    scrape(registry, None, &names, Format::PrometheusText)
}

/// The samples of LLM and agent metrics except zeros and buckets, without the prefix of their names.
fn recorded(registry: &Registry) -> Vec<String> {
    let shown = text(registry);
    let samples = shown.lines().filter_map(|line| line.strip_prefix("llmdevops_"));
    let samples = samples.filter(|line| !line.ends_with(" 0") && !line.contains("_bucket{"));
    samples.map(str::to_owned).collect()
}

/// A clock that stands still until a test advances it.
fn stopped_clock() -> Arc<Clock> {
    let clock = Arc::new(Clock::new());
    clock.freeze(Duration::from_secs(1_700_000_000));
    clock
}

/// A contributor that has joined the process.
fn contributor_of(process: &Process) -> Arc<Contributor> {
    let contributor = Arc::new(Contributor::new(Cells::on_heap()));
    process.join(Arc::clone(&contributor));
    contributor
}

fn openmetrics(registry: &Registry) -> String {
    registry.encode(Format::OpenMetrics)
}

/// The kind and the message of the error that a call must return.
fn refusal<T>(result: Result<T>) -> (ErrorKind, String) {
    let error = result.err().expect("the call must fail");
    (error.kind(), error.to_string())
}

/// Runs `work` on this many threads at the same time. Each thread gets its number.
fn on_threads(threads: usize, work: impl Fn(usize) + Sync) {
    let barrier = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        for number in 0..threads {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(number);
            });
        }
    });
}
