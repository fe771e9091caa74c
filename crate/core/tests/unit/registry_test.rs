//! Tests registries: which metrics they accept and reject, and how a scrape shows them.

use crate::{Outcome, on_threads, openmetrics, refusal, scrape, text};
use prometheus_metrics::registry::Kind;
use prometheus_metrics::{
    Collector, Counter, ErrorKind, Format, Gauge, Histogram, Registry, RegistryConfig, Sample, SampleFamily,
    Strictness,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn test_registry_creation_default() -> Outcome {
    for registry in [Registry::new(), Registry::default()] {
        assert_eq!(text(&registry), "\n");
        assert_eq!(openmetrics(&registry), "# EOF\n");
        assert!(registry.families().is_empty());
        // There are no default labels, and no stricter rules than those of the data model.
        let long = "x".repeat(100_000);
        registry.counter_vec("c", "help", &["__reserved"])?.with(&[&long])?.inc();
        let expected = format!("# HELP c help\n# TYPE c counter\nc{{__reserved=\"{long}\"}} 1\n");
        assert_eq!(text(&registry), expected);
    }
    Ok(())
}

#[test]
fn test_registry_creation_with_config() -> Outcome {
    let config = |name: &str, value: &str| {
        RegistryConfig::default()
            .default_labels(vec![("zone".to_owned(), "a".to_owned()), (name.to_owned(), value.to_owned())])
            .strictness(Strictness::strict(8))
    };
    let registry = Registry::with_config(config("service", "gateway"))?;
    registry.gauge("up", "Up")?.set(1.0);
    registry.gauge_vec("load", "Load", &["zone"])?.with(&["b"])?.set(0.5);
    registry.histogram_vec("wait", "Wait", &["route"], &[1.0])?.with(&["/"])?.observe(0.25)?;
    let expected = "\
# HELP up Up
# TYPE up gauge
up{zone=\"a\",service=\"gateway\"} 1

# HELP load Load
# TYPE load gauge
load{zone=\"b\",service=\"gateway\"} 0.5

# HELP wait Wait
# TYPE wait histogram
wait_bucket{le=\"1\",zone=\"a\",service=\"gateway\",route=\"/\"} 1
wait_bucket{le=\"+Inf\",zone=\"a\",service=\"gateway\",route=\"/\"} 1
wait_sum{zone=\"a\",service=\"gateway\",route=\"/\"} 0.25
wait_count{zone=\"a\",service=\"gateway\",route=\"/\"} 1
";
    assert_eq!(text(&registry), expected);

    // The strictness applies to metrics registered later, whether the registry or other code made them.
    let reserved = (
        ErrorKind::InvalidLabelName,
        "Expected a label name without the reserved prefix __ but received \"__x\"".to_owned(),
    );
    assert_eq!(refusal(registry.counter_vec("c", "", &["__x"])), reserved);
    let elsewhere = prometheus_metrics::CounterVec::new("c", "", &["__x"])?;
    assert_eq!(refusal(registry.register(&elsewhere)), reserved);
    let too_long = (
        ErrorKind::InvalidLabelValue,
        "Expected at most 8 bytes for the value of label \"x\" but received 9".to_owned(),
    );
    assert_eq!(refusal(registry.counter_vec("c", "", &["x"])?.with(&["123456789"])), too_long);

    // Default labels are checked against the data model and the strictness, at first and when they are replaced.
    let invalid_name = (ErrorKind::InvalidLabelName, "At least one label name is invalid: 1".to_owned());
    for (name, value, error) in
        [("1", "", &invalid_name), ("__x", "", &reserved), ("x", "123456789", &too_long)]
    {
        assert_eq!(&refusal(Registry::with_config(config(name, value))), error);
        assert_eq!(&refusal(registry.set_default_labels(config(name, value).default_labels)), error);
    }
    registry.unregister("load");
    registry.unregister("wait");
    registry.unregister("c");
    registry.set_default_labels(vec![("zone".to_owned(), "c".to_owned())])?;
    assert_eq!(text(&registry), "# HELP up Up\n# TYPE up gauge\nup{zone=\"c\"} 1\n");
    Ok(())
}

#[test]
fn test_counter_registration() -> Outcome {
    let registry = Registry::new();
    let counter = Counter::new("requests_total", "Requests")?;
    counter.inc();
    registry.register(&counter)?;
    assert_eq!(
        text(&registry),
        "# HELP requests_total Requests\n# TYPE requests_total counter\nrequests_total 1\n"
    );
    // Asking the registry for the metric returns the registered one.
    registry.counter("requests_total", "Requests")?.inc();
    assert_eq!(counter.value(), 2.0);
    assert_eq!(
        refusal(registry.counter("no-name", "")),
        (ErrorKind::InvalidMetricName, "Invalid metric name: no-name".to_owned())
    );
    assert_eq!(registry.families().len(), 1, "a rejected metric leaves nothing behind");
    Ok(())
}

#[test]
fn test_gauge_registration() -> Outcome {
    let registry = Registry::new();
    let gauge = Gauge::new("temperature", "Degrees")?;
    gauge.set(-3.5);
    registry.register(&gauge)?;
    assert_eq!(text(&registry), "# HELP temperature Degrees\n# TYPE temperature gauge\ntemperature -3.5\n");
    registry.gauge("temperature", "Degrees")?.set(4.0);
    assert_eq!(gauge.value(), 4.0);
    assert_eq!(refusal(registry.gauge("9lives", "")).0, ErrorKind::InvalidMetricName);
    assert_eq!(registry.families().len(), 1);
    Ok(())
}

#[test]
fn test_histogram_registration() -> Outcome {
    let registry = Registry::new();
    let histogram = Histogram::with_buckets("wait_seconds", "Waits", &[0.5])?;
    histogram.observe(0.25)?;
    registry.register(&histogram)?;
    let expected = "\
# HELP wait_seconds Waits
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"0.5\"} 1
wait_seconds_bucket{le=\"+Inf\"} 1
wait_seconds_sum 0.25
wait_seconds_count 1
";
    assert_eq!(text(&registry), expected);
    registry.histogram_vec("wait_seconds", "Waits", &[], &[0.5])?.with(&[])?.observe(1.0)?;
    assert_eq!((histogram.count(), histogram.sum()), (2.0, 1.25));
    assert_eq!(refusal(registry.histogram("a b", "")).0, ErrorKind::InvalidMetricName);
    assert_eq!(registry.families().len(), 1);
    Ok(())
}

#[test]
fn test_duplicate_registration_same_type() -> Outcome {
    let registry = Registry::new();
    // Two pieces of code can share a metric without sharing a variable: both ask the registry for it.
    let first = registry.counter_vec("jobs_total", "Jobs", &["queue"])?;
    let second = registry.counter_vec("jobs_total", "another help does not matter", &["queue"])?;
    first.with(&["mail"])?.inc();
    second.with(&["mail"])?.inc();
    let expected = "# HELP jobs_total Jobs\n# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 2\n";
    assert_eq!(text(&registry), expected);
    // Registering another object with that name is an error: its counts would not be shown.
    let second_object = Counter::new("jobs_total", "Jobs")?;
    assert_eq!(
        refusal(registry.register(&second_object)),
        (
            ErrorKind::DuplicateMetric,
            "A metric with the name jobs_total has already been registered.".to_owned()
        )
    );
    assert_eq!(refusal(registry.register(&first)).0, ErrorKind::DuplicateMetric);
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_duplicate_registration_different_type_error() -> Outcome {
    let registry = Registry::new();
    registry.histogram_vec("jobs", "Jobs", &["queue"], &[1.0, 2.0])?;
    let before = text(&registry);
    let mismatch = |received: &str| {
        let message = format!(
            "Expected jobs to be the histogram it was registered as, with the same labels and buckets, but received a {received}"
        );
        (ErrorKind::TypeMismatch, message)
    };
    assert_eq!(refusal(registry.counter_vec("jobs", "Jobs", &["queue"])), mismatch("counter"));
    assert_eq!(refusal(registry.gauge("jobs", "Jobs")), mismatch("gauge"));
    let histogram =
        |labels: &[&str], buckets: &[f64]| registry.histogram_vec("jobs", "Jobs", labels, buckets);
    assert_eq!(refusal(histogram(&["queue"], &[1.0, 3.0])), mismatch("histogram"));
    assert_eq!(refusal(histogram(&["queue", "host"], &[1.0, 2.0])), mismatch("histogram"));
    assert_eq!(refusal(histogram(&["host"], &[1.0, 2.0])), mismatch("histogram"));
    histogram(&["queue"], &[1.0, 2.0])?;

    // Two families that write samples with the same name would show a series twice.
    assert_eq!(
        refusal(registry.gauge("jobs_sum", "")),
        (
            ErrorKind::DuplicateMetric,
            "A metric that writes samples named jobs_sum has already been registered, and jobs_sum would write them too."
                .to_owned()
        )
    );
    for name in ["jobs_bucket", "jobs_count"] {
        assert_eq!(refusal(registry.counter(name, "")).0, ErrorKind::DuplicateMetric, "{name}");
    }
    assert_eq!(text(&registry), before);
    registry.gauge("waits_count", "")?;
    assert_eq!(refusal(registry.histogram("waits", "")).0, ErrorKind::DuplicateMetric);
    Ok(())
}

/// A collector that counts how often scrapes ask it.
struct Asked(AtomicU32);

impl Collector for Asked {
    fn collect(&self) -> Vec<SampleFamily> {
        let times = f64::from(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        let sample = |name: &str, labels: &[(&str, &str)], value| {
            Sample::new(name, labels, value).expect("the names are valid")
        };
        let asked = vec![sample("asked_total", &[], times)];
        let sizes = vec![
            sample("size", &[("quantile", "1")], 7.0),
            sample("size_sum", &[], 10.0),
            sample("size_count", &[], 3.0),
        ];
        [("asked_total", "Asked", Kind::Counter, asked), ("size", "Sizes", Kind::Summary, sizes)]
            .into_iter()
            .map(|(name, help, kind, samples)| {
                SampleFamily::new(name, help, kind, samples).expect("the names are valid")
            })
            .collect()
    }
}

/// Longer than a screen, because it compares four whole expositions of one registry.
#[test]
fn test_metric_collection() -> Outcome {
    let registry = Registry::new();
    registry.gauge("first", "First")?.set(1.0);
    let collector = registry.register_collector(Arc::new(Asked(AtomicU32::new(0))));
    let foreign = registry.register_foreign("foreign")?;
    let absent = registry.register_foreign("absent")?;
    registry.gauge("last", "Last")?.set(2.0);

    let samples = vec![Sample::new("brought", &[("by", "caller")], 5.0)?];
    registry.set_foreign(foreign, SampleFamily::new("brought", "Brought", Kind::Unknown, samples)?);
    // Everything is in the order of registration, and each scrape asks a collector once.
    let expected = "\
# HELP first First
# TYPE first gauge
first 1

# HELP asked_total Asked
# TYPE asked_total counter
asked_total 1

# HELP size Sizes
# TYPE size summary
size{quantile=\"1\"} 7
size_sum 10
size_count 3

# HELP brought Brought
# TYPE brought untyped
brought{by=\"caller\"} 5

# HELP last Last
# TYPE last gauge
last 2
";
    assert_eq!(text(&registry), expected);
    let expected = "\
# HELP first First
# TYPE first gauge
first 1
# HELP asked Asked
# TYPE asked counter
asked_total 2
# HELP size Sizes
# TYPE size summary
size{quantile=\"1.0\"} 7
size_sum 10
size_count 3
# HELP brought Brought
# TYPE brought unknown
brought{by=\"caller\"} 5
# HELP last Last
# TYPE last gauge
last 2
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    let expected = "\
# HELP asked_total Asked
# TYPE asked_total counter
asked_total 3

# HELP last Last
# TYPE last gauge
last 2
";
    let names = ["last", "asked_total", "unknown"].map(str::to_owned);
    assert_eq!(scrape(&registry, None, &names, Format::PrometheusText), expected);

    for id in [collector, absent, foreign] {
        registry.remove(id);
    }
    let expected = "\
# HELP first First
# TYPE first gauge
first 1

# HELP last Last
# TYPE last gauge
last 2
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_metric_unregistration() -> Outcome {
    let (registry, other) = (Registry::new(), Registry::new());
    let histogram = registry.histogram_vec("wait", "Wait", &[], &[1.0])?.with(&[])?;
    other.register(&histogram)?;
    registry.counter("kept", "Kept")?;
    assert!(registry.unregister("wait"));
    assert!(!registry.unregister("wait"), "it is already removed");
    assert!(!registry.unregister("kept_sum"));
    assert_eq!(text(&registry), "# HELP kept Kept\n# TYPE kept counter\nkept 0\n");

    // The handle and the other registry still have the metric. In this registry its names are free again.
    histogram.observe(0.5)?;
    let expected = "\
# HELP wait Wait
# TYPE wait histogram
wait_bucket{le=\"1\"} 1
wait_bucket{le=\"+Inf\"} 1
wait_sum 0.5
wait_count 1
";
    assert_eq!(text(&other), expected);
    registry.gauge("wait", "Now a gauge")?;
    registry.gauge("wait_sum", "Free too")?;
    registry.clear();
    assert_eq!(text(&registry), "\n");
    registry.counter("wait", "Free again")?;
    Ok(())
}

#[test]
fn test_registry_reset() -> Outcome {
    let registry = Registry::new();
    let counter = registry.counter("a_total", "A")?;
    let gauges = registry.gauge_vec("b", "B", &["x"])?;
    let gauge = gauges.with(&["1"])?;
    let histogram = registry.histogram_vec("c", "C", &[], &[1.0])?.with(&[])?;
    counter.inc();
    gauge.set(2.0);
    histogram.observe(3.0)?;
    registry.reset();
    let expected = |a: u32, b: &str| {
        format!(
            "\
# HELP a_total A
# TYPE a_total counter
a_total {a}

# HELP b B
# TYPE b gauge
{b}
# HELP c C
# TYPE c histogram
c_bucket{{le=\"1\"}} 0
c_bucket{{le=\"+Inf\"}} 0
c_sum 0
c_count 0
"
        )
    };
    assert_eq!(text(&registry), expected(0, ""));
    // Handles of metrics without labels still work. A labelled series is removed until it is asked for again.
    counter.inc();
    gauge.set(9.0);
    assert_eq!(text(&registry), expected(1, ""));
    gauges.with(&["1"])?.set(4.0);
    gauge.set(9.0);
    assert_eq!(text(&registry), expected(1, "b{x=\"1\"} 4\n"));
    Ok(())
}

#[test]
fn test_concurrent_registration_of_one_name() {
    const THREADS: usize = 8;
    for _ in 0..50 {
        let registry = Registry::new();
        on_threads(THREADS, |number| {
            registry.counter("shared_total", "Shared").expect("the same metric").inc();
            // The first type that is registered wins; threads that ask for the other type get an error.
            let _ = if number % 2 == 0 {
                registry.counter("contested", "Contested").map(drop)
            } else {
                registry.gauge("contested", "Contested").map(drop)
            };
            assert!(registry.gauge(&format!("own_{number}"), "Own").is_ok());
        });
        let out = text(&registry);
        let shared = "# HELP shared_total Shared\n# TYPE shared_total counter\nshared_total 8\n";
        let contested =
            |kind: &str| format!("# HELP contested Contested\n# TYPE contested {kind}\ncontested 0\n");
        let own = |number| format!("# HELP own_{number} Own\n# TYPE own_{number} gauge\nown_{number} 0\n");
        let mut families: Vec<String> =
            out.split("\n\n").map(|family| format!("{}\n", family.trim_end())).collect();
        families.sort();
        let expected = |kind: &str| {
            let mut expected = vec![contested(kind), shared.to_owned()];
            expected.extend((0..THREADS).map(own));
            expected.sort();
            expected
        };
        assert!(families == expected("counter") || families == expected("gauge"), "{out}");
    }
}
