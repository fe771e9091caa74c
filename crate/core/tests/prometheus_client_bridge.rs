//! Tests the bridge to the crate `prometheus-client` in both directions. Whole expositions are compared, and the strict
//! parser reads them.

use prometheus_client::collector::Collector as ClientCollector;
use prometheus_client::encoding::text::{encode, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry as ClientRegistry, Unit};
use prometheus_metrics::bridge::{FromPrometheusClient, IntoPrometheusClient};
use prometheus_metrics::registry::Kind;
use prometheus_metrics::testing::{Dialect, parse_strict};
use prometheus_metrics::{Collector, ErrorKind, Format, Registry, Sample, SampleFamily};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Labels = Vec<(String, String)>;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// This crate's exposition of a registry of `prometheus-client`, in both formats; the strict parser reads both.
fn shown_here(theirs: ClientRegistry) -> Result<[String; 2], Box<dyn std::error::Error>> {
    let registry = Registry::new();
    registry.register_named_collector(Arc::new(FromPrometheusClient::new(Arc::new(theirs))))?;
    let texts = [registry.encode(Format::PrometheusText), registry.encode(Format::OpenMetrics)];
    parse_strict(&texts[0], Dialect::Text)?;
    parse_strict(&texts[1], Dialect::OpenMetrics)?;
    Ok(texts)
}

/// The exposition of this registry by `prometheus-client`; the strict parser reads it.
fn shown_there(registry: Registry) -> Result<String, Box<dyn std::error::Error>> {
    let mut theirs = ClientRegistry::default();
    theirs.register_collector(Box::new(IntoPrometheusClient::new(Arc::new(registry))));
    let mut text = String::new();
    encode(&mut text, &theirs)?;
    parse_strict(&text, Dialect::OpenMetrics)?;
    Ok(text)
}

#[test]
fn every_type_of_their_metrics_is_in_our_scrape() -> Outcome {
    let mut theirs = ClientRegistry::with_prefix("app");
    let jobs = Family::<Labels, Counter>::default();
    theirs.register("jobs", "Jobs \\ done", jobs.clone());
    jobs.get_or_create(&labels(&[("queue", "a\"b\\c\nd"), ("kind", "x")])).inc_by(7);
    let heat: Gauge<f64, AtomicU64> = Gauge::default();
    theirs.register_with_unit("heat", "Heat", Unit::Celsius, heat.clone());
    heat.set(-1.5);
    let waits = Histogram::new([0.5, 10.0]);
    theirs.register("wait_seconds", "Waits", waits.clone());
    waits.observe(0.25);
    waits.observe(99.0);
    theirs.register("build", "Build", Info::new(labels(&[("version", "1.2")])));

    let [text, openmetrics] = shown_here(theirs)?;
    assert_eq!(
        text,
        r#"# HELP app_jobs_total Jobs \\ done.
# TYPE app_jobs_total counter
app_jobs_total{queue="a\"b\\c\nd",kind="x"} 7

# HELP app_heat_celsius Heat.
# TYPE app_heat_celsius gauge
app_heat_celsius -1.5

# HELP app_wait_seconds Waits.
# TYPE app_wait_seconds histogram
app_wait_seconds_sum 99.25
app_wait_seconds_count 2
app_wait_seconds_bucket{le="0.5"} 1
app_wait_seconds_bucket{le="10"} 1
app_wait_seconds_bucket{le="+Inf"} 2

# HELP app_build_info Build.
# TYPE app_build_info gauge
app_build_info{version="1.2"} 1
"#
    );
    assert!(
        openmetrics.starts_with("# HELP app_jobs Jobs \\\\ done.\n# TYPE app_jobs counter\napp_jobs_total{")
    );
    assert!(openmetrics.contains("app_wait_seconds_bucket{le=\"10.0\"} 1\n"));
    Ok(())
}

#[test]
fn units_are_shown_in_openmetrics() -> Outcome {
    let mut theirs = ClientRegistry::default();
    theirs.register_with_unit("heat", "Heat", Unit::Celsius, Gauge::<i64>::default());
    theirs.register_with_unit("busy", "Busy", Unit::Seconds, Counter::<u64>::default());
    theirs.register_with_unit("sent", "Sent", Unit::Other("packets".to_owned()), Histogram::new([1.0]));
    theirs.register("plain", "Plain", Gauge::<i64>::default());
    let [_, openmetrics] = shown_here(theirs)?;
    let units: Vec<&str> = openmetrics.lines().filter(|line| line.starts_with("# UNIT")).collect();
    assert_eq!(
        units,
        ["# UNIT heat_celsius celsius", "# UNIT busy_seconds seconds", "# UNIT sent_packets packets"]
    );
    Ok(())
}

#[test]
fn families_of_one_name_are_shown_as_one() -> Outcome {
    let mut theirs = ClientRegistry::default();
    for tenant in ["a", "b"] {
        let calls: Counter = Counter::default();
        calls.inc();
        let below = theirs.sub_registry_with_label(("tenant".into(), tenant.into()));
        below.register("calls", "Calls", calls);
    }
    assert_eq!(
        shown_here(theirs)?[0],
        "# HELP calls_total Calls.\n# TYPE calls_total counter\n\
         calls_total{tenant=\"a\"} 1\ncalls_total{tenant=\"b\"} 1\n"
    );
    Ok(())
}

#[test]
fn an_invalid_family_does_not_hide_the_others() -> Outcome {
    let mut theirs = ClientRegistry::default();
    for name in ["first", "not a name", "last"] {
        theirs.register(name, "A counter", ConstCounter::new(1_u64));
    }
    // This type has the name of a counter already.
    theirs.register("last_total", "A gauge", Gauge::<i64>::default());
    let [text, _] = shown_here(theirs)?;
    assert_eq!(
        text,
        "# HELP first_total A counter.\n# TYPE first_total counter\nfirst_total 1\n\n\
         # HELP last_total A counter.\n# TYPE last_total counter\nlast_total 1\n"
    );
    Ok(())
}

/// Writes one counter and then fails, as the encoder does for a histogram that only native buckets could show.
#[derive(Debug)]
struct Failing;

impl ClientCollector for Failing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        for name in ["whole", "cut"] {
            let counter = ConstCounter::new(1_u64);
            counter.encode(encoder.encode_descriptor(name, "Help", None, counter.metric_type())?)?;
        }
        Err(std::fmt::Error)
    }
}

#[test]
fn a_family_that_their_encoder_could_not_finish_is_left_out() -> Outcome {
    let mut theirs = ClientRegistry::default();
    theirs.register_collector(Box::new(Failing));
    assert_eq!(
        shown_here(theirs)?[0],
        "# HELP whole_total Help\n# TYPE whole_total counter\nwhole_total 1\n"
    );
    Ok(())
}

#[test]
fn a_registry_behind_a_lock_is_read_at_each_scrape() -> Outcome {
    let theirs = Arc::new(Mutex::new(ClientRegistry::default()));
    let registry = Registry::new();
    let read = Arc::clone(&theirs);
    let read = move |text: &mut String| encode_registry(text, &*read.lock().map_err(|_| std::fmt::Error)?);
    registry.register_named_collector(Arc::new(FromPrometheusClient::from_text(read)))?;
    assert_eq!(registry.encode(Format::PrometheusText), "\n");

    let late: Gauge = Gauge::default();
    theirs.lock().map_err(|_| "poisoned")?.register("late", "Late", late.clone());
    late.set(4);
    assert_eq!(registry.encode(Format::PrometheusText), "# HELP late Late.\n# TYPE late gauge\nlate 4\n");
    Ok(())
}

#[test]
fn a_name_that_both_have_is_refused_at_registration() -> Outcome {
    let mut theirs = ClientRegistry::default();
    theirs.register("jobs", "Jobs", Counter::<u64>::default());
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs")?;
    let collector = Arc::new(FromPrometheusClient::new(Arc::new(theirs)));
    let refused = registry.register_named_collector(collector).expect_err("the name is taken");
    assert_eq!(refused.kind(), ErrorKind::DuplicateMetric);
    Ok(())
}

#[test]
fn every_type_of_our_metrics_is_in_their_exposition() -> Outcome {
    let registry = Registry::new();
    registry.set_default_labels(labels(&[("app", "shop"), ("kind", "default")]))?;
    let jobs = registry.counter_vec("jobs_total", "Jobs \\ done\nin all", &["queue", "kind"])?;
    jobs.with(&["a\"b\\c\nd", "own"])?.add(7.0)?;
    registry.gauge("heat", "Heat")?.set(-1.5);
    let waits = registry.metric("wait_seconds", "Waits").buckets(&[0.5, 10.0]).histogram()?;
    for seconds in [0.25, 5.0, 99.0] {
        waits.observe(seconds)?;
    }
    assert_eq!(
        shown_there(registry)?,
        r#"# HELP jobs Jobs \\ done\nin all
# TYPE jobs counter
jobs_total{queue="a\"b\\c\nd",kind="own",app="shop"} 7.0
# HELP heat Heat
# TYPE heat gauge
heat{app="shop",kind="default"} -1.5
# HELP wait_seconds Waits
# TYPE wait_seconds histogram
wait_seconds_sum{app="shop",kind="default"} 104.25
wait_seconds_count{app="shop",kind="default"} 3
wait_seconds_bucket{le="0.5",app="shop",kind="default"} 1
wait_seconds_bucket{le="10.0",app="shop",kind="default"} 2
wait_seconds_bucket{le="+Inf",app="shop",kind="default"} 3
# EOF
"#
    );
    Ok(())
}

#[test]
fn a_summary_keeps_its_samples_and_has_no_type() -> Outcome {
    let registry = Registry::new();
    registry.set_default_labels(labels(&[("app", "shop"), ("quantile", "default")]))?;
    let took = registry.metric("took_seconds", "Took \\ in all").labels(&["queue"]).quantiles(&[0.5, 1.0]);
    let took = took.summary_vec()?;
    for (queue, seconds) in [("a", 2.0), ("a", 4.0), ("a", 6.0), ("b", 1.5)] {
        took.with(&[queue])?.observe(seconds)?;
    }
    assert_eq!(
        shown_there(registry)?,
        r#"# HELP took_seconds Took \\ in all
# TYPE took_seconds unknown
took_seconds{queue="a",app="shop",quantile="0.5"} 4.0
took_seconds{queue="a",app="shop",quantile="1"} 6.0
took_seconds{queue="b",app="shop",quantile="0.5"} 1.5
took_seconds{queue="b",app="shop",quantile="1"} 1.5
# HELP took_seconds_sum Took \\ in all
# TYPE took_seconds_sum unknown
took_seconds_sum{queue="a",app="shop",quantile="default"} 12.0
took_seconds_sum{queue="b",app="shop",quantile="default"} 1.5
# HELP took_seconds_count Took \\ in all
# TYPE took_seconds_count unknown
took_seconds_count{queue="a",app="shop",quantile="default"} 3.0
took_seconds_count{queue="b",app="shop",quantile="default"} 1.0
# EOF
"#
    );
    Ok(())
}

struct Made;

impl Collector for Made {
    fn collect(&self) -> Vec<SampleFamily> {
        let sample = |name, labels: &[(&str, &str)], value| Sample::new(name, labels, value).expect("valid");
        let summary = vec![
            sample("took", &[("quantile", "0.5")], 2.0),
            sample("took_sum", &[], 6.0),
            sample("took_count", &[], 3.0),
        ];
        vec![
            SampleFamily::new("took", "Took", Kind::Summary, summary).expect("valid"),
            SampleFamily::new("seen_total", "Seen", Kind::Counter, vec![sample("seen_total", &[], 9.0)])
                .expect("valid"),
        ]
    }
}

#[test]
fn samples_of_a_collector_keep_their_names() -> Outcome {
    let registry = Registry::new();
    registry.register_collector(Arc::new(Made));
    assert_eq!(
        shown_there(registry)?,
        "# HELP took Took\n# TYPE took unknown\ntook{quantile=\"0.5\"} 2.0\n\
         # HELP took_sum Took\n# TYPE took_sum unknown\ntook_sum 6.0\n\
         # HELP took_count Took\n# TYPE took_count unknown\ntook_count 3.0\n\
         # HELP seen Seen\n# TYPE seen counter\nseen_total 9.0\n# EOF\n"
    );
    Ok(())
}

#[test]
fn a_counter_whose_openmetrics_name_is_taken_keeps_its_sample_name() -> Outcome {
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs")?.inc();
    registry.gauge("jobs", "Jobs now")?.set(2.0);
    assert_eq!(
        shown_there(registry)?,
        "# HELP jobs_total Jobs\n# TYPE jobs_total unknown\njobs_total 1.0\n\
         # HELP jobs Jobs now\n# TYPE jobs gauge\njobs 2.0\n# EOF\n"
    );
    Ok(())
}
