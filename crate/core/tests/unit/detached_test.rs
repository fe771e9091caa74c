//! Tests metrics that are made in no registry, metrics that are registered later, and collectors without names.

use super::{Outcome, refusal, text};
use prometheus_metrics::registry::Kind;
use prometheus_metrics::{
    Collector, CounterVec, ErrorKind, Gauge, GaugeVec, HistogramVec, Registry, Sample, SampleFamily,
};
use std::sync::Arc;

#[test]
fn gauges_with_labels_are_shown_once_they_are_registered() -> Outcome {
    let gauges = GaugeVec::new("sessions", "Open sessions", &["region"])?;
    gauges.with(&["eu"])?.set(3.0);
    let registry = Registry::new();
    assert_eq!(text(&registry), "\n");
    registry.register(&gauges)?;
    gauges.with(&["us"])?.add(2.5);
    gauges.clone().with(&["us"])?.sub(1.0);
    let head = "# HELP sessions Open sessions\n# TYPE sessions gauge\n";
    assert_eq!(
        text(&registry),
        format!("{head}sessions{{region=\"eu\"}} 3\nsessions{{region=\"us\"}} 1.5\n")
    );
    assert!(gauges.remove(&["eu"])?);
    assert_eq!(text(&registry), format!("{head}sessions{{region=\"us\"}} 1.5\n"));
    Ok(())
}

#[test]
fn a_metric_can_be_in_several_registries() -> Outcome {
    let histograms = HistogramVec::new("wait_seconds", "Waits", &["queue"], &[1.0])?;
    let gauge = Gauge::new("depth", "Depth")?;
    let registries = [Registry::new(), Registry::new()];
    for registry in &registries {
        registry.register(&histograms)?;
        registry.register(&gauge)?;
    }
    histograms.with(&["mail"])?.observe(0.5)?;
    gauge.set(4.0);
    assert_eq!(text(&registries[0]), text(&registries[1]));
    assert!(text(&registries[0]).ends_with("# HELP depth Depth\n# TYPE depth gauge\ndepth 4\n"));
    assert!(text(&registries[1]).contains("wait_seconds_bucket{le=\"1\",queue=\"mail\"} 1\n"));
    Ok(())
}

#[test]
fn a_registered_name_is_taken() -> Outcome {
    let registry = Registry::new();
    registry.register(&GaugeVec::new("taken", "T", &["a"])?)?;
    let before = text(&registry);
    assert_eq!(
        refusal(registry.register(&GaugeVec::new("taken", "T", &["a"])?)).0,
        ErrorKind::DuplicateMetric
    );
    assert_eq!(
        refusal(registry.register(&CounterVec::new("taken", "T", &["a"])?)).0,
        ErrorKind::DuplicateMetric
    );
    assert_eq!(text(&registry), before);
    assert_eq!(refusal(GaugeVec::new("0", "", &[])).0, ErrorKind::InvalidMetricName);
    assert_eq!(refusal(GaugeVec::new("g", "", &["a", "a"])).0, ErrorKind::InvalidLabelName);
    Ok(())
}

/// A collector that does not know in advance what it shows.
struct Queue;

impl Collector for Queue {
    fn collect(&self) -> Vec<SampleFamily> {
        let sample = Sample::new("queue_length", &[("queue", "mail")], 7.0).expect("the label is valid");
        let family = SampleFamily::new("queue_length", "Jobs that wait", Kind::Gauge, vec![sample]);
        vec![family.expect("the name is valid")]
    }
}

#[test]
fn a_collector_without_names_is_shown_and_takes_no_name() -> Outcome {
    let registry = Registry::new();
    assert!(Queue.names().is_empty());
    let id = registry.register_named_collector(Arc::new(Queue))?;
    let shown =
        "# HELP queue_length Jobs that wait\n# TYPE queue_length gauge\nqueue_length{queue=\"mail\"} 7\n";
    assert_eq!(text(&registry), shown);
    registry.gauge("other", "O")?;
    assert!(text(&registry).starts_with(shown));
    registry.remove(id);
    assert_eq!(text(&registry), "# HELP other O\n# TYPE other gauge\nother 0\n");
    Ok(())
}
