//! A program with a counter, and an endpoint on a thread of its own that Prometheus can scrape.
//!
//! `cargo run --example http_server`, then open the URL that it prints. The port is METRICS_ENDPOINT_PORT, or a free one.

use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Exporter, ExporterOptions, Target};
use prometheus_metrics::{MetricsError, Registry};
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<(), MetricsError> {
    let registry = Arc::new(Registry::new());
    let ticks = registry.counter("ticks_total", "Seconds that this program has counted")?;

    // Skip variables that are not valid Unicode; our variables always are.
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let config = MetricsConfig::from_env([("METRICS_ENDPOINT_PORT", "0")].into_iter().chain(variables))?;

    let target = Arc::new(Target::new(registry, None)?);
    let exporter = Exporter::start(target, &config, ExporterOptions::default())?;
    println!("{}{}", exporter.url(), config.path);

    loop {
        std::thread::sleep(Duration::from_secs(1));
        ticks.inc();
    }
}
