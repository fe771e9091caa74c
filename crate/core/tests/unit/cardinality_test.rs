//! Tests limits on series in Rust code: which label sets get a series, what happens to the others, and how both are
//! counted and reported.

use crate::cardinality::{at_most, inc, limited_registry, overflow};
use crate::log::Log;
use crate::service::{ask, body, get, service};
use crate::{Outcome, refusal, stopped_clock, text};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, Kind, OverflowPolicy};
use prometheus_metrics::{Clock, Counter, ErrorKind, MetricsError, Registry, RegistryConfig};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn test_cardinality_tracking() -> Outcome {
    let registry = limited_registry(CardinalityLimits::default(), None)?;
    let limits = CardinalityLimits::default()
        .max_series(Some(50))
        .max_label_values(vec![("route".to_owned(), 2), ("not a label of it".to_owned(), 1)])
        .policy(Some(OverflowPolicy::Drop));
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
    let report = registry.cardinality();
    let totals = (report.series, report.max_series, report.bytes);
    assert_eq!(totals, (5, 1_000_000, of_requests + of_histogram));
    let metrics: Vec<_> = report
        .metrics
        .iter()
        .map(|m| (m.name.as_str(), m.kind, m.series, m.max_series, m.policy, m.overflow, m.bytes))
        .collect();
    let expected = [
        ("r_total", Kind::Counter, 4, 50, OverflowPolicy::Drop, 1.0, of_requests),
        ("h", Kind::Histogram, 1, 10_000, OverflowPolicy::Fold, 0.0, of_histogram),
    ];
    assert_eq!(metrics, expected);
    let labels: Vec<_> = report
        .metrics
        .iter()
        .flat_map(|m| &m.labels)
        .map(|l| (l.name.as_str(), l.values, l.max_values))
        .collect();
    assert_eq!(labels, [("route", 2, Some(2)), ("status", 2, None)]);
    Ok(())
}

#[test]
fn removed_series_are_no_longer_counted() -> Outcome {
    let registry = Registry::new();
    let requests = registry.counter_vec("r_total", "R", &["route"])?;
    registry.histogram("h", "H")?.observe(1.0)?;
    for route in ["/a", "/b", "/c", "/d"] {
        inc(&requests, &[route])?;
    }
    assert_eq!(registry.cardinality_guard().series(), 5);
    assert!(requests.remove(&["/a"])?);
    assert_eq!(registry.cardinality_guard().series(), 4);
    registry.reset();
    assert_eq!(registry.cardinality_guard().series(), 1);
    assert_eq!(registry.cardinality().metrics[0].bytes, 0);
    inc(&requests, &["/z"])?;
    registry.unregister("r_total");
    assert_eq!(registry.cardinality_guard().series(), 1);
    registry.register(&requests)?;
    assert_eq!(registry.cardinality_guard().series(), 2);
    registry.clear();
    assert_eq!(registry.cardinality_guard().series(), 0);
    Ok(())
}

#[test]
fn test_cardinality_limit_enforcement() -> Outcome {
    enforce_limits(true)
}

#[test]
fn recording_without_a_handle_follows_the_limits() -> Outcome {
    enforce_limits(false)?;
    let registry = limited_registry(at_most(1, OverflowPolicy::Throw), None)?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    counters.add_for(&["a"], 2.0)?;
    assert_eq!(refusal(counters.inc_for(&["b"])).0, ErrorKind::CardinalityLimit);
    assert_eq!(refusal(counters.inc_for(&["a", "b"])).0, ErrorKind::LabelCount);
    assert_eq!(refusal(counters.add_for(&["a"], -1.0)).0, ErrorKind::NegativeIncrement);
    assert_eq!(refusal(counters.add_for(&["a"], f64::NAN)).0, ErrorKind::InvalidValue);
    let histograms = registry.histogram_vec("h", "H", &["x"], &[1.0])?;
    assert_eq!(refusal(histograms.observe_for(&["a"], f64::INFINITY)).0, ErrorKind::InvalidValue);
    assert_eq!((counters.value(&["a"]), histograms.series_count()), (Some(2.0), 0));
    Ok(())
}

fn enforce_limits(through_handles: bool) -> Outcome {
    let registry = limited_registry(at_most(2, OverflowPolicy::Fold), None)?;
    let counters = registry.counter_vec("c_total", "C", &["x", "y"])?;
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    let histograms = registry.histogram_vec("h", "H", &["x"], &[1.0])?;
    let kept = counters.with(&["a", ""])?;
    for value in ["a", "b", "c", "d"] {
        if through_handles {
            inc(&counters, &[value, ""])?;
            gauges.with(&[value])?.set(7.0);
            histograms.with(&[value])?.observe(0.5)?;
            histograms.with(&[value])?.observe(2.0)?;
        } else {
            counters.inc_for(&[value, ""])?;
            gauges.set_for(&[value], 4.5)?;
            gauges.add_for(&[value], 2.5)?;
            histograms.observe_for(&[value], 0.5)?;
            histograms.observe_for(&[value], 2.0)?;
        }
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
    // The calls for each metric: a gauge without a handle is called twice.
    assert_eq!(overflow(&registry), [2.0, if through_handles { 2.0 } else { 4.0 }, 4.0]);
    Ok(())
}

#[test]
fn a_new_label_set_gets_its_own_series_once_there_is_room() -> Outcome {
    let registry = limited_registry(at_most(2, OverflowPolicy::Fold), None)?;
    let counters = registry.counter_vec("c_total", "C", &["x", "y"])?;
    let kept = counters.with(&["a", ""])?;
    for value in ["a", "b", "c", "d"] {
        inc(&counters, &[value, ""])?;
    }
    // Counts that were folded stay in `other`.
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
    assert_eq!(text(&registry), counted);
    // The handle of a removed series still works, but no scrape shows what it writes.
    kept.inc();
    assert_eq!(text(&registry), counted);
    // The series of `other` can be removed too.
    assert!(counters.remove(&["other", "other"])?);
    inc(&counters, &["f", "g"])?;
    assert!(text(&registry).ends_with("\nc_total{x=\"other\",y=\"other\"} 1\n"));
    Ok(())
}

#[test]
fn dropped_and_rejected_label_sets_are_not_recorded() -> Outcome {
    let registry = limited_registry(at_most(1, OverflowPolicy::Drop), None)?;
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
        .set_config(CardinalityConfig::default().family(at_most(1, OverflowPolicy::Throw)).max_total(None));
    let told = "Expected at most 1 series of the metric but c_total received a label set beyond";
    assert_eq!(refusal(inc(&counters, &["b"])), (ErrorKind::CardinalityLimit, told.to_owned()));
    assert_eq!(text(&registry), expected);
    assert_eq!(overflow(&registry), [3.0, 2.0]);
    Ok(())
}

/// The beginning of the warning about `c_total` in a registry of `folding_registry()`.
const FOLDED: &str = "WARN: CARDINALITY_LIMIT: \"c_total\" has 3 series of at most 2; label sets beyond its limits are counted as \"other\". The label with the most values is \"user\" (3). Some: ";

/// A registry on this clock whose families have at most 2 series beside `other`.
fn folding_registry(clock: &Arc<Clock>) -> Result<Registry, MetricsError> {
    Registry::with_config(
        RegistryConfig::default().clock(Arc::clone(clock)).cardinality(
            CardinalityConfig::default().family(at_most(2, OverflowPolicy::Fold)).max_total(None),
        ),
    )
}

#[test]
fn test_cardinality_overflow_logging() -> Outcome {
    let clock = stopped_clock();
    let registry = folding_registry(&clock)?;
    let counters = registry.counter_vec("c_total", "C", &["plan", "user"])?;
    let log = Log::default();
    let secret = format!("Bearer {}", "s3cr3t.".repeat(8));
    let inc_user = |user: &str| inc(&counters, &["free", user]);
    tracing::subscriber::with_default(log.clone(), || -> Outcome {
        inc_user("u1")?;
        inc_user("u2")?;
        text(&registry);
        assert_eq!(log.take(), [""; 0]);
        for user in [secret.as_str(), "a \"quote\"\nand a line", &"long ".repeat(50), "a fourth"] {
            inc_user(user)?;
        }
        text(&registry);
        text(&registry);
        let told = log.take();
        assert_eq!(told.len(), 1, "{told:?}");
        let samples = told[0].strip_prefix(FOLDED).unwrap_or_else(|| panic!("{told:?}"));
        assert!(samples.starts_with("{plan=\"free\",user=\""), "{samples}");
        assert_eq!(samples.matches("{plan=").count(), 3, "{samples}");
        assert!(!samples.contains("s3cr3t") && !samples.contains('\n'), "{samples}");
        assert!(samples.len() < 3 * 80, "{samples}");

        // At most one warning a minute.
        clock.advance(Duration::from_millis(59_999));
        inc_user("u5")?;
        text(&registry);
        assert_eq!(log.take(), [""; 0]);
        clock.advance(Duration::from_millis(1));
        text(&registry);
        assert_eq!(log.take(), [format!("{FOLDED}{{plan=\"free\",user=\"u5\"}}")]);
        // No warning if no call was over the limit since the last one.
        clock.advance(Duration::from_secs(3600));
        text(&registry);
        assert_eq!(log.take(), [""; 0]);
        inc_user("u6")?;
        text(&registry);
        assert_eq!(log.take(), [format!("{FOLDED}{{plan=\"free\",user=\"u6\"}}")]);
        Ok(())
    })
}

#[test]
fn each_family_over_a_limit_is_warned_of_separately() -> Outcome {
    let registry = folding_registry(&stopped_clock())?;
    let counters = registry.counter_vec("c_total", "C", &["plan", "user"])?;
    let gauges =
        registry.metric("g", "G").labels(&["x"]).limits(at_most(2, OverflowPolicy::Drop)).gauge_vec()?;
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || -> Outcome {
        for x in ["1", "2", "3"] {
            gauges.with(&[x])?.set(1.0);
            inc(&counters, &["free", x])?;
        }
        text(&registry);
        assert_eq!(
            log.take(),
            [
                format!("{FOLDED}{{plan=\"free\",user=\"3\"}}"),
                "WARN: CARDINALITY_LIMIT: \"g\" has 2 series of at most 2; label sets beyond its limits are dropped. The label with the most values is \"x\" (2). Some: {x=\"3\"}".to_owned(),
            ]
        );
        Ok(())
    })
}

#[test]
fn test_cardinality_per_metric_limit() -> Outcome {
    let registry = limited_registry(at_most(3, OverflowPolicy::Throw), None)?;
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
    // Each metric is counted separately: a full one does not affect the others.
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
    Ok(())
}

#[test]
fn the_default_limit_is_10_000_series_and_can_be_changed_later() -> Outcome {
    let registry = Registry::new();
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    for value in 0..10_003 {
        inc(&counters, &[&value.to_string()])?;
    }
    let report = registry.cardinality();
    let metric = &report.metrics[0];
    assert_eq!((metric.series, metric.max_series, metric.overflow), (10_001, 10_000, 3.0));
    assert_eq!(counters.with(&["other"])?.value(), 3.0);
    // A lower limit keeps the existing series; a higher one admits new series.
    let limit =
        |series| CardinalityConfig::default().family(at_most(series, OverflowPolicy::Fold)).max_total(None);
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
    let registry = limited_registry(CardinalityLimits::default(), Some(4))?;
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
    // The one series of a metric without labels is always admitted.
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
    // Removing series of one metric makes room for the other, after the series that are always admitted have
    // their room too.
    for value in ["1", "2", "3"] {
        assert!(first.remove(&[value])?);
    }
    inc(&second, &["2"])?;
    assert_eq!(refusal(inc(&second, &["3"])).0, ErrorKind::CardinalityLimit);
    // A metric made elsewhere adds its series to the total while it is registered.
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
    let registry = Arc::new(limited_registry(at_most(1, OverflowPolicy::Fold), None)?);
    let tenant = Arc::new(limited_registry(at_most(1, OverflowPolicy::Drop), None)?);
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
