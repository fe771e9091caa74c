//! A collector for values that are kept elsewhere, here the kernel's load averages. It is asked at each scrape.
//!
//! `cargo run --example custom_collector`

use prometheus_metrics::registry::Kind;
use prometheus_metrics::{Collector, Format, MetricsError, Registry, Sample, SampleFamily};
use std::sync::Arc;

/// The three load averages of Linux. It returns no family on systems without that file.
struct LoadAverage;

impl LoadAverage {
    fn family(text: &str) -> Result<SampleFamily, MetricsError> {
        let figures = text.split_whitespace().filter_map(|figure| figure.parse().ok());
        let samples = ["1", "5", "15"]
            .into_iter()
            .zip(figures)
            .map(|(minutes, figure)| Sample::new("node_load", &[("minutes", minutes)], figure))
            .collect::<Result<_, _>>()?;
        SampleFamily::new("node_load", "Load average", Kind::Gauge, samples)
    }
}

impl Collector for LoadAverage {
    fn collect(&self) -> Vec<SampleFamily> {
        let text = std::fs::read_to_string("/proc/loadavg").ok();
        text.and_then(|text| Self::family(&text).ok()).into_iter().collect()
    }
}

fn main() -> Result<(), MetricsError> {
    let registry = Registry::new();
    registry.counter("scrapes_total", "Scrapes")?.inc();
    registry.register_collector(Arc::new(LoadAverage));
    print!("{}", registry.encode(Format::PrometheusText));
    Ok(())
}
