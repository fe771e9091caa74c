//! What each part of the public API does on its own, one module a subject. One binary for all of them, because
//! linking is most of what a test binary costs.

mod address_test;
mod agent_collector_test;
mod auth_test;
mod cache_test;
mod cardinality_test;
mod clock_test;
mod collectors_test;
mod compression_test;
mod counter_test;
mod expiry_test;
mod fallback_test;
mod gauge_test;
mod histogram_test;
mod label_sanitization_properties_test;
mod label_sanitization_test;
mod label_validation_test;
mod limits_test;
mod llm_collector_test;
mod metric_builder_test;
mod mock_test;
mod mount_test;
mod parse_test;
mod registry_test;
mod serialization_test;
mod service;
mod tls_test;
mod web_config_test;

use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::{ErrorKind, Format, Registry, Result, encode};

/// How a test ends: a call that must succeed and does not is a failure.
type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

fn text(registry: &Registry) -> String {
    registry.encode(Format::PrometheusText)
}

/// The exposition of these families of LLM or agent metrics alone.
fn only(registry: &Registry, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("llmdevops_{name}")).collect();
    let mut out = Vec::new();
    let gathered = gather(registry, &Selection { names: &names, ..Selection::default() });
    let Ok(()) = encode(&gathered, Format::PrometheusText, &mut out);
    String::from_utf8(out).expect("an exposition is UTF-8")
}

/// Samples of LLM and agent metrics that are not 0, without buckets and without the namespace.
fn recorded(registry: &Registry) -> Vec<String> {
    let shown = text(registry);
    let samples = shown.lines().filter_map(|line| line.strip_prefix("llmdevops_"));
    let samples = samples.filter(|line| !line.ends_with(" 0") && !line.contains("_bucket{"));
    samples.map(str::to_owned).collect()
}

fn openmetrics(registry: &Registry) -> String {
    registry.encode(Format::OpenMetrics)
}

/// Kind and message of a call that must be refused.
fn refusal<T>(result: Result<T>) -> (ErrorKind, String) {
    let error = result.err().expect("the call is refused");
    (error.kind(), error.to_string())
}

/// Runs `work` on as many threads at once, each with its number.
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
