//! Limits on series as Rust code meets them: what is let in, what becomes of the rest, and what is told of it.

use crate::service::{ask, body, get, service};
use crate::{Outcome, on_threads, openmetrics, refusal, text};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::labels::{Sanitizer, SanitizerConfig};
use prometheus_metrics::registry::{
    CardinalityConfig, CardinalityLimits, CardinalityReport, Contributor, Descriptor, Family, Kind,
    LabelCardinality, MetricCardinality, OverflowPolicy, Process,
};
use prometheus_metrics::slab::Cells;
use prometheus_metrics::{
    Clock, Counter, CounterVec, ErrorKind, Format, MetricsError, Registry, RegistryConfig, encode,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const POLICIES: [OverflowPolicy; 3] = [OverflowPolicy::Fold, OverflowPolicy::Drop, OverflowPolicy::Throw];

/// Limits of one family.
fn at_most(series: usize, policy: OverflowPolicy) -> CardinalityLimits {
    CardinalityLimits { max_series: Some(series), policy: Some(policy), ..CardinalityLimits::default() }
}

/// A registry with limits of its own.
fn registry_of(family: CardinalityLimits, max_total: Option<usize>) -> Result<Registry, MetricsError> {
    let cardinality = CardinalityConfig { family, max_total };
    Registry::with_config(RegistryConfig { cardinality, ..RegistryConfig::default() })
}

fn inc(counters: &CounterVec, values: &[&str]) -> Result<(), MetricsError> {
    counters.with(values).map(|counter| counter.inc())
}

/// How many label sets beyond their limits the families of a registry have met.
fn overflow(registry: &Registry) -> Vec<f64> {
    registry.cardinality().metrics.iter().map(|metric| metric.overflow).collect()
}

#[test]
fn test_cardinality_tracking() -> Outcome {
    let registry = registry_of(CardinalityLimits::default(), None)?;
    let limits = CardinalityLimits {
        max_series: Some(50),
        max_label_values: vec![("route".to_owned(), 2), ("nobody has it".to_owned(), 1)],
        policy: Some(OverflowPolicy::Drop),
    };
    let requests =
        registry.metric("r_total", "R").labels(&["route", "status"]).limits(limits).counter_vec()?;
    registry.histogram("h", "H")?.observe(1.0)?;
    for (route, status) in [("/a", "200"), ("/a", "500"), ("/b", ""), ("", "200"), ("/c", "200")] {
        inc(&requests, &[route, status])?;
    }
    let bytes = |name: &str| {
        let report = registry.cardinality();
        report.metrics.iter().find(|metric| metric.name == name).map_or(0, |metric| metric.bytes)
    };
    let (of_requests, of_histogram) = (bytes("r_total"), bytes("h"));
    assert!(of_requests > 4 * 8 && of_histogram > 13 * 8);
    let label =
        |name: &str, values, max_values| LabelCardinality { name: name.to_owned(), values, max_values };
    let expected = CardinalityReport {
        series: 5,
        max_series: 1_000_000,
        bytes: of_requests + of_histogram,
        metrics: vec![
            MetricCardinality {
                name: "r_total".to_owned(),
                kind: Kind::Counter,
                series: 4,
                max_series: 50,
                policy: OverflowPolicy::Drop,
                overflow: 1.0,
                bytes: of_requests,
                labels: vec![label("route", 2, Some(2)), label("status", 2, None)],
            },
            MetricCardinality {
                name: "h".to_owned(),
                kind: Kind::Histogram,
                series: 1,
                max_series: 10_000,
                policy: OverflowPolicy::Fold,
                overflow: 0.0,
                bytes: of_histogram,
                labels: Vec::new(),
            },
        ],
    };
    assert_eq!(registry.cardinality(), expected);

    // What goes is counted no more, however it goes.
    assert!(requests.remove(&["/a", "200"])?);
    assert_eq!(registry.cardinality_guard().series(), 4);
    registry.reset();
    assert_eq!(registry.cardinality_guard().series(), 1);
    assert_eq!(bytes("r_total"), 0);
    inc(&requests, &["/z", ""])?;
    registry.unregister("r_total");
    assert_eq!(registry.cardinality_guard().series(), 1);
    registry.register(&requests)?;
    assert_eq!(registry.cardinality_guard().series(), 2);
    registry.clear();
    assert_eq!(registry.cardinality_guard().series(), 0);
    Ok(())
}

#[test]
fn a_series_is_counted_in_each_registry_that_shows_it() -> Outcome {
    let (wide, narrow) = (Registry::new(), registry_of(at_most(2, OverflowPolicy::Throw), None)?);
    let counters = wide.counter_vec("c_total", "C", &["x"])?;
    for x in ["a", "b", "c"] {
        inc(&counters, &[x])?;
    }
    narrow.register(&counters)?;
    assert_eq!((wide.cardinality_guard().series(), narrow.cardinality_guard().series()), (3, 3));
    let (kind, message) = refusal(inc(&counters, &["d"]));
    assert_eq!(kind, ErrorKind::CardinalityLimit);
    assert_eq!(message, "Expected at most 2 series of the metric but c_total received a label set beyond");
    // The one that asked for less has gone, and with it what it asked for.
    drop(narrow);
    inc(&counters, &["d"])?;
    assert_eq!(wide.cardinality_guard().series(), 4);
    Ok(())
}

#[test]
fn test_cardinality_limit_enforcement() -> Outcome {
    let registry = registry_of(at_most(2, OverflowPolicy::Fold), None)?;
    let counters = registry.counter_vec("c_total", "C", &["x", "y"])?;
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    let histograms = registry.histogram_vec("h", "H", &["x"], &[1.0])?;
    let kept = counters.with(&["a", ""])?;
    for value in ["a", "b", "c", "d"] {
        inc(&counters, &[value, ""])?;
        gauges.with(&[value])?.set(7.0);
        histograms.with(&[value])?.observe(0.5)?;
        histograms.with(&[value])?.observe(2.0)?;
    }
    kept.inc();
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"a\"} 2
c_total{x=\"b\"} 1
c_total{x=\"other\",y=\"other\"} 2

# HELP g G
# TYPE g gauge
g{x=\"a\"} 7
g{x=\"b\"} 7

# HELP h H
# TYPE h histogram
h_bucket{le=\"1\",x=\"a\"} 1
h_bucket{le=\"+Inf\",x=\"a\"} 2
h_sum{x=\"a\"} 2.5
h_count{x=\"a\"} 2
h_bucket{le=\"1\",x=\"b\"} 1
h_bucket{le=\"+Inf\",x=\"b\"} 2
h_sum{x=\"b\"} 2.5
h_count{x=\"b\"} 2
h_bucket{le=\"1\",x=\"other\"} 2
h_bucket{le=\"+Inf\",x=\"other\"} 4
h_sum{x=\"other\"} 5
h_count{x=\"other\"} 4
";
    assert_eq!(text(&registry), expected);
    assert_eq!(overflow(&registry), [2.0, 2.0, 4.0]);

    // Room again: the label set has a series of its own, and what was folded stays where it is.
    assert!(counters.remove(&["a", ""])?);
    inc(&counters, &["d", ""])?;
    inc(&counters, &["e", ""])?;
    let counted = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"b\"} 1
c_total{x=\"other\",y=\"other\"} 3
c_total{x=\"d\"} 1
";
    assert!(text(&registry).starts_with(counted), "{}", text(&registry));
    // A handle of what was removed writes where nobody reads.
    kept.inc();
    assert!(text(&registry).starts_with(counted));
    // The series of the others may go too.
    assert!(counters.remove(&["other", "other"])?);
    inc(&counters, &["f", "g"])?;
    assert!(text(&registry).contains("\nc_total{x=\"other\",y=\"other\"} 1\n"));
    Ok(())
}

#[test]
fn what_is_dropped_or_refused_is_recorded_nowhere() -> Outcome {
    let registry = registry_of(at_most(1, OverflowPolicy::Drop), None)?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    let histograms = registry.histogram_vec("h", "H", &["x"], &[1.0])?;
    inc(&counters, &["a"])?;
    histograms.with(&["a"])?.observe(1.0)?;
    for value in ["b", "other", "a"] {
        inc(&counters, &[value])?;
        histograms.with(&[value])?.observe(1.0)?;
    }
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"a\"} 2

# HELP h H
# TYPE h histogram
h_bucket{le=\"1\",x=\"a\"} 2
h_bucket{le=\"+Inf\",x=\"a\"} 2
h_sum{x=\"a\"} 2
h_count{x=\"a\"} 2
";
    assert_eq!(text(&registry), expected);
    registry
        .cardinality_guard()
        .set_config(CardinalityConfig { family: at_most(1, OverflowPolicy::Throw), max_total: None });
    let told = "Expected at most 1 series of the metric but c_total received a label set beyond";
    assert_eq!(refusal(inc(&counters, &["b"])), (ErrorKind::CardinalityLimit, told.to_owned()));
    assert_eq!(text(&registry), expected);
    assert_eq!(overflow(&registry), [3.0, 2.0]);
    Ok(())
}

#[test]
fn beyond_the_limit_of_a_label_only_that_label_is_other() -> Outcome {
    let registry = Registry::new();
    let limits = CardinalityLimits {
        max_label_values: vec![("user".to_owned(), 1), ("plan".to_owned(), 2)],
        ..CardinalityLimits::default()
    };
    let counters = registry.metric("c_total", "C").labels(&["user", "plan"]).limits(limits).counter_vec()?;
    let sets =
        [("u1", "free"), ("u2", "free"), ("u2", "pro"), ("u3", "team"), ("", "team"), ("other", "free")];
    for (user, plan) in sets {
        inc(&counters, &[user, plan])?;
    }
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{user=\"u1\",plan=\"free\"} 1
c_total{user=\"other\",plan=\"free\"} 2
c_total{user=\"other\",plan=\"pro\"} 1
c_total{user=\"other\",plan=\"other\"} 1
c_total{plan=\"other\"} 1
";
    assert_eq!(text(&registry), expected);
    // A value has room again when its last series has gone.
    assert!(counters.remove(&["u1", "free"])?);
    inc(&counters, &["u9", "free"])?;
    assert!(text(&registry).ends_with("c_total{plan=\"other\"} 1\nc_total{user=\"u9\",plan=\"free\"} 1\n"));
    let refused = CardinalityConfig {
        family: CardinalityLimits {
            max_label_values: vec![("x".to_owned(), 1)],
            policy: Some(OverflowPolicy::Throw),
            ..CardinalityLimits::default()
        },
        max_total: None,
    };
    let registry =
        Registry::with_config(RegistryConfig { cardinality: refused, ..RegistryConfig::default() })?;
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    gauges.with(&["1"])?.set(1.0);
    let told = "Expected at most 1 values of the label \"x\" but g received a label set beyond";
    assert_eq!(refusal(gauges.with(&["2"])), (ErrorKind::CardinalityLimit, told.to_owned()));
    Ok(())
}

/// Keeps what the library logs.
#[derive(Default, Clone)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panics while it logs"))
    }
}

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "prometheus_metrics"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = String::new();
        event.record(&mut Message(&mut message));
        let line = format!("{}: {message}", event.metadata().level());
        self.0.lock().expect("no test panics while it logs").push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn test_cardinality_overflow_logging() -> Outcome {
    let clock = Arc::new(Clock::new());
    clock.freeze(Duration::from_secs(1_700_000_000));
    let registry = Registry::with_config(RegistryConfig {
        clock: Arc::clone(&clock),
        cardinality: CardinalityConfig { family: at_most(2, OverflowPolicy::Fold), max_total: None },
        ..RegistryConfig::default()
    })?;
    let counters = registry.counter_vec("c_total", "C", &["plan", "user"])?;
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    let log = Log::default();
    let secret = format!("Bearer {}", "s3cr3t.".repeat(8));
    let beyond = |user: &str| inc(&counters, &["free", user]);
    tracing::subscriber::with_default(log.clone(), || -> Outcome {
        beyond("u1")?;
        beyond("u2")?;
        text(&registry);
        assert_eq!(log.take(), [""; 0]);
        for user in [secret.as_str(), "a \"quote\"\nand a line", &"long ".repeat(50), "a fourth"] {
            beyond(user)?;
        }
        text(&registry);
        text(&registry);
        let told = log.take();
        assert_eq!(told.len(), 1, "{told:?}");
        let shown = "WARN: CARDINALITY_LIMIT: \"c_total\" has 3 series of at most 2; label sets beyond its limits are counted as \"other\". The label with the most values is \"user\" (3). Some: ";
        let samples = told[0].strip_prefix(shown).unwrap_or_else(|| panic!("{told:?}"));
        assert!(samples.starts_with("{plan=\"free\",user=\""), "{samples}");
        assert_eq!(samples.matches("{plan=").count(), 3, "{samples}");
        assert!(!samples.contains("s3cr3t") && !samples.contains('\n'), "{samples}");
        assert!(samples.len() < 3 * 80, "{samples}");

        // Not again within the minute, however many there are.
        clock.advance(Duration::from_millis(59_999));
        beyond("u5")?;
        text(&registry);
        assert_eq!(log.take(), [""; 0]);
        clock.advance(Duration::from_millis(1));
        text(&registry);
        assert_eq!(log.take(), [format!("{shown}{{plan=\"free\",user=\"u5\"}}")]);
        // A minute in which there was none is silent.
        clock.advance(Duration::from_secs(3600));
        text(&registry);
        assert_eq!(log.take(), [""; 0]);

        // Each family is warned of on its own, and says what becomes of them.
        for x in ["1", "2", "3"] {
            gauges.with(&[x])?.set(1.0);
        }
        beyond("u6")?;
        text(&registry);
        assert_eq!(
            log.take(),
            [
                format!("{shown}{{plan=\"free\",user=\"u6\"}}"),
                "WARN: CARDINALITY_LIMIT: \"g\" has 2 series of at most 2; label sets beyond its limits are dropped. The label with the most values is \"x\" (2). Some: {x=\"3\"}".to_owned(),
            ]
        );
        Ok(())
    })
}

#[test]
fn test_cardinality_per_metric_limit() -> Outcome {
    let registry = registry_of(at_most(3, OverflowPolicy::Throw), None)?;
    let own = registry
        .metric("own_total", "O")
        .labels(&["x"])
        .limits(at_most(1, OverflowPolicy::Drop))
        .counter_vec()?;
    let registrys = registry.counter_vec("registrys_total", "R", &["x"])?;
    let alone = registry.counter("alone_total", "A")?;
    for value in ["1", "2", "3"] {
        inc(&own, &[value])?;
        inc(&registrys, &[value])?;
        alone.inc();
    }
    let told = "Expected at most 3 series of the metric but registrys_total received a label set beyond";
    assert_eq!(refusal(inc(&registrys, &["4"])), (ErrorKind::CardinalityLimit, told.to_owned()));
    // The limits of a metric are its own, and full metrics leave others alone.
    let expected = "\
# HELP own_total O
# TYPE own_total counter
own_total{x=\"1\"} 1

# HELP registrys_total R
# TYPE registrys_total counter
registrys_total{x=\"1\"} 1
registrys_total{x=\"2\"} 1
registrys_total{x=\"3\"} 1

# HELP alone_total A
# TYPE alone_total counter
alone_total 3
";
    assert_eq!(text(&registry), expected);

    // The default is 10,000.
    let registry = Registry::new();
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    for value in 0..10_003 {
        inc(&counters, &[&value.to_string()])?;
    }
    let report = registry.cardinality();
    let metric = &report.metrics[0];
    assert_eq!((metric.series, metric.max_series, metric.overflow), (10_001, 10_000, 3.0));
    assert_eq!(counters.with(&["other"])?.value(), 3.0);
    // Lower limits leave what there is, and higher ones let more in.
    let limit = |series| CardinalityConfig { family: at_most(series, OverflowPolicy::Fold), max_total: None };
    registry.cardinality_guard().set_config(limit(5));
    inc(&counters, &["7"])?;
    inc(&counters, &["beyond"])?;
    assert_eq!(registry.cardinality_guard().series(), 10_001);
    registry.cardinality_guard().set_config(limit(10_001));
    inc(&counters, &["within"])?;
    inc(&counters, &["beyond"])?;
    assert_eq!(registry.cardinality_guard().series(), 10_002);
    assert_eq!((counters.with(&["7"])?.value(), counters.with(&["other"])?.value()), (2.0, 5.0));
    Ok(())
}

#[test]
fn test_cardinality_total_limit() -> Outcome {
    let registry = registry_of(CardinalityLimits::default(), Some(4))?;
    let first = registry.counter_vec("first_total", "F", &["x"])?;
    let second = registry
        .metric("second_total", "S")
        .labels(&["x"])
        .limits(at_most(9, OverflowPolicy::Throw))
        .counter_vec()?;
    for value in ["1", "2", "3"] {
        inc(&first, &[value])?;
    }
    inc(&second, &["1"])?;
    let told = "Expected at most 4 series of the registry but second_total received a label set beyond";
    assert_eq!(refusal(inc(&second, &["2"])), (ErrorKind::CardinalityLimit, told.to_owned()));
    inc(&first, &["4"])?;
    // A metric without labels has its one series whatever the limits are.
    registry.counter("alone_total", "A")?.inc();
    let expected = "\
# HELP first_total F
# TYPE first_total counter
first_total{x=\"1\"} 1
first_total{x=\"2\"} 1
first_total{x=\"3\"} 1
first_total{x=\"other\"} 1

# HELP second_total S
# TYPE second_total counter
second_total{x=\"1\"} 1

# HELP alone_total A
# TYPE alone_total counter
alone_total 1
";
    assert_eq!(text(&registry), expected);
    let report = registry.cardinality();
    assert_eq!((report.series, report.max_series), (6, 4));
    // Room in one metric is room in the other, once what no limit refuses has room too.
    for value in ["1", "2", "3"] {
        assert!(first.remove(&[value])?);
    }
    inc(&second, &["2"])?;
    assert_eq!(refusal(inc(&second, &["3"])).0, ErrorKind::CardinalityLimit);
    // A metric that was made elsewhere brings its series, and takes them along.
    let alien = Counter::new("alien_total", "A")?;
    registry.register(&alien)?;
    assert!(registry.unregister("first_total") && registry.unregister("alien_total"));
    assert_eq!(registry.cardinality_guard().series(), 3);
    inc(&second, &["3"])?;
    Ok(())
}

#[test]
fn test_cardinality_overflow_metric() -> Outcome {
    const NAME: &str = "llmdevops_metrics_cardinality_overflow_total";
    let registry = Arc::new(registry_of(at_most(1, OverflowPolicy::Fold), None)?);
    let tenant = Arc::new(registry_of(at_most(1, OverflowPolicy::Drop), None)?);
    registry.mount(&tenant, vec![("tenant".to_owned(), "a\"b".to_owned())])?;
    let counters = registry.counter_vec("z_total", "Z", &["x"])?;
    let gauges = registry.gauge_vec("a", "A", &["x"])?;
    let mounted = tenant.counter_vec("z_total", "Z", &["x"])?;
    let service = service(&registry, &MetricsConfig::default())?;
    let shown = |accept: &str| -> Result<String, Box<dyn std::error::Error>> {
        let target = format!("/metrics?name[]={NAME}&name[]=llmdevops_metrics_series_count");
        let request = prometheus_metrics::http::Request { accept: Some(accept), ..get(&target) };
        Ok(String::from_utf8(body(&ask(&service, &request).0).to_vec())?)
    };
    inc(&counters, &["1"])?;
    let first = shown("text/plain")?;
    assert!(first.ends_with("\nllmdevops_metrics_series_count 1\n"), "{first}");
    assert!(!first.contains(NAME), "{first}");
    for value in ["2", "3"] {
        inc(&counters, &[value])?;
        gauges.with(&[value])?.set(1.0);
        inc(&mounted, &[value])?;
    }
    inc(&counters, &["2"])?;
    let expected = format!(
        "\
# HELP {NAME} Calls whose label set was beyond a limit, by metric
# TYPE {NAME} counter
{NAME}{{metric=\"a\"}} 1
{NAME}{{metric=\"z_total\"}} 3
{NAME}{{metric=\"z_total\",tenant=\"a\\\"b\"}} 1
"
    );
    let second = shown("text/plain")?;
    assert!(second.ends_with(&expected), "{second}");
    assert!(second.contains("\nllmdevops_metrics_series_count 4\n"), "{second}");
    let modern = shown("application/openmetrics-text;version=1.0.0")?;
    let family = NAME.trim_end_matches("_total");
    let expected = expected
        .replace(&format!("# HELP {NAME}"), &format!("# HELP {family}"))
        .replace(&format!("# TYPE {NAME}"), &format!("# TYPE {family}"));
    assert!(modern.ends_with(&format!("{expected}# EOF\n")), "{modern}");
    Ok(())
}

#[test]
fn what_contributors_met_adds_up_and_outlives_them() -> Outcome {
    let process = Arc::new(Process::new());
    let join = || {
        let contributor = Arc::new(Contributor::new(Cells::on_heap()));
        process.join(Arc::clone(&contributor));
        contributor
    };
    let main = join();
    let workers = [join(), join()];
    let target =
        prometheus_metrics::http::Target::new(Arc::clone(main.registry()), Some(Arc::clone(&process)))?;
    // An endpoint's settings hold for those that have come and those that will.
    let config = MetricsConfig { cardinality_max_per_metric: Some(2), ..MetricsConfig::default() };
    let service = prometheus_metrics::http::ScrapeService::new(
        Arc::new(target),
        &config,
        prometheus_metrics::http::Embedding::default(),
    )?;
    let late = join();
    for contributor in workers.iter().chain([&main, &late]) {
        let descriptor = Descriptor::new(Kind::Counter, "c_total", "C", &["x"])?;
        let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
        contributor.registry().register_family(Arc::clone(&family))?;
        let (slab, cell) = (family.overflow_slot() as usize / 4096, family.overflow_slot() as usize % 4096);
        for value in ["1", "2"] {
            assert!(family.add_series(&[(0, value)]).is_ok());
        }
        assert!(family.add_series(&[(0, "3")]).is_err());
        contributor.cells().slab(slab).ok_or("there is the slab")?.store(cell, 5.0);
    }
    let shown = || {
        let request = get("/metrics?name[]=llmdevops_metrics_cardinality_overflow_total");
        let (response, _) = ask(&service, &request);
        let body = String::from_utf8_lossy(body(&response)).into_owned();
        body.lines().last().unwrap_or_default().to_owned()
    };
    let expected = "llmdevops_metrics_cardinality_overflow_total{metric=\"c_total\"} 20";
    assert_eq!(shown(), expected);
    process.leave(&workers[0]);
    assert_eq!(shown(), expected);
    process.leave(&workers[1]);
    process.leave(&late);
    assert_eq!(shown(), expected);
    Ok(())
}

#[test]
fn threads_beyond_a_limit_lose_nothing() -> Outcome {
    const CALLS: usize = 2000;
    let registry = registry_of(at_most(50, OverflowPolicy::Fold), Some(75))?;
    let families =
        [registry.counter_vec("a_total", "A", &["x"])?, registry.counter_vec("b_total", "B", &["x"])?];
    on_threads(4, |thread| {
        for call in 0..CALLS {
            let value = format!("{}", (call * 7 + thread) % 300);
            families.iter().for_each(|family| inc(family, &[&value]).expect("it is folded"));
        }
    });
    let mut out = Vec::new();
    let Ok(()) = encode(&gather(&registry, &Selection::default()), Format::PrometheusText, &mut out);
    let out = String::from_utf8(out)?;
    for name in ["a_total{", "b_total{"] {
        let counted: Vec<f64> = out
            .lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        assert_eq!(counted.iter().sum::<f64>(), (4 * CALLS) as f64);
        assert!(counted.len() <= 51);
    }
    assert!(registry.cardinality_guard().series() <= 77);
    Ok(())
}

#[test]
fn label_values_are_cleaned_before_they_are_counted() -> Outcome {
    let registry = Registry::with_config(RegistryConfig {
        cardinality: CardinalityConfig { family: at_most(2, OverflowPolicy::Fold), max_total: None },
        sanitizer: Some(Sanitizer::new(SanitizerConfig::default())?),
        ..RegistryConfig::default()
    })?;
    let counters = registry.counter_vec("c_total", "C", &["user"])?;
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || -> Outcome {
        for user in ["joe@example.com", "ann@example.com", "a\u{7}b", "x", "eve@example.com"] {
            inc(&counters, &[user])?;
        }
        Ok(())
    })?;
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{user=\"[email]\"} 3
c_total{user=\"a�b\"} 1
c_total{user=\"other\"} 1
";
    assert_eq!(text(&registry), expected);
    assert_eq!(
        log.take(),
        [
            "WARN: LABEL_CONTENT: \"c_total\" was given what looks like an e-mail address in its label \"user\"; it is redacted"
        ]
    );
    let refused = refusal(registry.counter_vec("d_total", "D", &["__user"]));
    let told = "Expected a label name without the reserved prefix __ but received \"__user\"";
    assert_eq!(refused, (ErrorKind::InvalidLabelName, told.to_owned()));
    Ok(())
}

/// One step of a program over two metrics of a registry.
#[derive(Debug, Clone)]
enum Step {
    Inc { metric: usize, set: [u8; 2] },
    Kept(usize),
    Keep { metric: usize, set: [u8; 2] },
    Remove { metric: usize, set: [u8; 2] },
    Reset,
    Scrape,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let set = || [0..4_u8, 0..5_u8];
    let step = prop_oneof![
        12 => (0..2_usize, set()).prop_map(|(metric, set)| Step::Inc { metric, set }),
        3 => (0..8_usize).prop_map(Step::Kept),
        2 => (0..2_usize, set()).prop_map(|(metric, set)| Step::Keep { metric, set }),
        2 => (0..2_usize, set()).prop_map(|(metric, set)| Step::Remove { metric, set }),
        1 => Just(Step::Reset),
        1 => Just(Step::Scrape),
    ];
    prop::collection::vec(step, 1..120)
}

fn limits() -> impl Strategy<Value = CardinalityLimits> {
    let max = || prop::option::of(1..6_usize);
    (max(), max(), max(), prop::option::of(prop::sample::select(POLICIES.to_vec()))).prop_map(
        |(max_series, a, b, policy)| CardinalityLimits {
            max_series,
            max_label_values: [("a", a), ("b", b)]
                .into_iter()
                .filter_map(|(name, max)| Some((name.to_owned(), max?)))
                .collect(),
            policy,
        },
    )
}

/// The text of a label value; 0 is an absent label, and one is what folded values are called.
fn value_of(value: u8) -> &'static str {
    ["", "x", "other", "y \"quoted\"\\\n", "z"][usize::from(value)]
}

/// The series of a metric as they are shown, with their values.
fn shown(registry: &Registry, name: &str) -> BTreeMap<String, f64> {
    text(registry)
        .lines()
        .filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let labels = series.strip_prefix(name)?;
            Some((labels.to_owned(), value.parse().ok()?))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CI_FULL").is_some() { 2_000 } else { 128 }))]

    /// Whatever is recorded is where it belongs: with `fold` the sum of all series is what was recorded, with `drop` and
    /// `throw` it is what was let in; and no limit is exceeded.
    #[test]
    fn what_is_recorded_is_shown_once_and_within_the_limits(
        of_registry in limits(),
        own in limits(),
        max_total in prop::option::of(2..10_usize),
        steps in steps(),
    ) {
        let cardinality = CardinalityConfig { family: of_registry.clone(), max_total };
        let registry = Registry::with_config(RegistryConfig { cardinality, ..RegistryConfig::default() })?;
        let metrics = [
            registry.metric("own_total", "O").labels(&["a", "b"]).limits(own.clone()).counter_vec()?,
            registry.counter_vec("registrys_total", "R", &["a", "b"])?,
        ];
        let names = ["own_total", "registrys_total"];
        let policies = [own.policy.or(of_registry.policy), of_registry.policy].map(Option::unwrap_or_default);
        let max_series = [own.max_series.or(of_registry.max_series), of_registry.max_series].map(|max| max.unwrap_or(10_000));
        let max_of = |metric: usize, label: &str| {
            let of = |limits: &CardinalityLimits| limits.max_label_values.iter().find(|(name, _)| name == label).map(|(_, max)| *max);
            if metric == 0 { of(&own).or_else(|| of(&of_registry)) } else { of(&of_registry) }
        };
        // What each metric should show in all.
        let mut recorded = [0.0, 0.0];
        let mut beyond = [0.0, 0.0];
        let mut kept: Vec<(usize, [u8; 2], Counter)> = Vec::new();
        for step in &steps {
            match step {
                Step::Inc { metric, set } | Step::Keep { metric, set } => {
                    let values = set.map(value_of);
                    let before = overflow(&registry)[*metric];
                    let counter = metrics[*metric].with(&values);
                    let is_beyond = overflow(&registry)[*metric] > before;
                    beyond[*metric] += f64::from(u8::from(is_beyond));
                    match counter {
                        Ok(counter) => {
                            prop_assert!(!is_beyond || policies[*metric] != OverflowPolicy::Throw);
                            counter.inc();
                            if !is_beyond || policies[*metric] == OverflowPolicy::Fold {
                                recorded[*metric] += 1.0;
                            }
                            if matches!(step, Step::Keep { .. }) && !is_beyond {
                                kept.push((*metric, *set, counter));
                            }
                        }
                        Err(error) => {
                            prop_assert_eq!(error.kind(), ErrorKind::CardinalityLimit);
                            prop_assert!(is_beyond && policies[*metric] == OverflowPolicy::Throw);
                        }
                    }
                }
                // A handle that was made within the limits works for as long as its series is there.
                Step::Kept(at) if !kept.is_empty() => {
                    let (metric, _, counter) = &kept[at % kept.len()];
                    counter.inc();
                    recorded[*metric] += 1.0;
                }
                Step::Kept(_) => {}
                Step::Remove { metric, set } => {
                    let values = set.map(value_of);
                    let before = shown(&registry, names[*metric]);
                    let removed = metrics[*metric].remove(&values)?;
                    let after = shown(&registry, names[*metric]);
                    prop_assert_eq!(before.len() - after.len(), usize::from(removed));
                    recorded[*metric] -= before.values().sum::<f64>() - after.values().sum::<f64>();
                    kept.retain(|(of, own, _)| of != metric || own != set);
                }
                Step::Reset => {
                    registry.reset();
                    recorded = [0.0, 0.0];
                    kept.clear();
                }
                Step::Scrape => {
                    openmetrics(&registry);
                }
            }
            let mut total = 0;
            for metric in 0..2 {
                let series = shown(&registry, names[metric]);
                prop_assert_eq!(series.values().sum::<f64>(), recorded[metric], "{} {:?}", names[metric], series);
                prop_assert!(series.len() <= max_series[metric] + 1, "{:?}", series);
                total += series.len();
                for label in ["a", "b"] {
                    let mut values: Vec<&str> = series
                        .keys()
                        .filter_map(|labels| labels.split(&format!("{label}=\"")).nth(1)?.split("\"}").next()?.split("\",b=").next())
                        .filter(|value| *value != "other")
                        .collect();
                    values.sort_unstable();
                    values.dedup();
                    prop_assert!(max_of(metric, label).is_none_or(|max| values.len() <= max), "{:?}", series);
                }
            }
            prop_assert!(max_total.is_none_or(|max| total <= max + 2), "{}", total);
            prop_assert_eq!(registry.cardinality_guard().series(), total);
            prop_assert_eq!(overflow(&registry), beyond.to_vec());
        }
    }
}
