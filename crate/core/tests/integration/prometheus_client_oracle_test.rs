//! Compares the OpenMetrics of this crate with that of the crate `prometheus-client`, for the same counters, gauges and
//! histograms, after the grammar has read both. Two differences in form disappear by reading:
//!
//! - the value 1 is `1` in this crate and `1.0` in the other; a bound of a million is `1e+06` and `1000000.0`;
//! - `_sum` and `_count` come after the buckets in this crate and before them in the other.
//!
//! This file allows for the other differences. `prometheus-client`
//!
//! - adds a full stop to every HELP;
//! - lists the series of a family in the order of a hash map (see `normalised`);
//! - leaves out a family without series, for which this crate writes HELP and TYPE (see `normalised`);
//! - does not escape HELP, so the help texts of the test contain no characters to escape;
//! - writes a label with an empty value, which this crate leaves out, so the test has no empty values;
//! - writes `_sum` and `_count` also for negative bounds, which OpenMetrics forbids, so the test has no negative bounds.

use crate::exposition::{ParsedFamily, parse_or_fail};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_metrics::{Format, Registry};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

type Labels = Vec<(String, String)>;
type FloatCounter = Counter<f64, AtomicU64>;
type FloatGauge = Gauge<f64, AtomicU64>;

/// The records of both registries: the label value of a series, and the recorded number.
#[derive(Debug, Clone)]
struct Program {
    help: String,
    bounds: Vec<f64>,
    counted: Vec<(String, f64)>,
    set: Vec<(String, f64)>,
    observed: Vec<(String, f64)>,
}

fn programs() -> impl Strategy<Value = Program> {
    let value = prop_oneof![0.0..10.0_f64, (0..2000_u32).prop_map(f64::from), 1e-9..1e12_f64];
    let label = prop_oneof!["[a-c]", "[ -~]{1,8}", "[\"\\\\\n,={}é🦀]{1,6}"];
    let recorded = || prop::collection::vec((label.clone(), value.clone()), 0..12);
    let bounds = prop::collection::btree_set(0..4000_u32, 1..8)
        .prop_map(|bounds| bounds.into_iter().map(|bound| f64::from(bound) / 16.0).collect());
    let set = prop::collection::vec((label.clone(), prop::num::f64::NORMAL | prop::num::f64::ZERO), 0..12);
    ("[ -!#-\\[\\]-~é]{0,20}", bounds, recorded(), set, recorded())
        .prop_map(|(help, bounds, counted, set, observed)| Program { help, bounds, counted, set, observed })
}

fn ours(program: &Program) -> prometheus_metrics::Result<String> {
    let registry = Registry::new();
    let counters = registry.counter_vec("jobs_total", &program.help, &["x", "fixed"])?;
    let gauges = registry.gauge_vec("level", &program.help, &["x"])?;
    let histograms = registry.histogram_vec("wait_seconds", &program.help, &["x"], &program.bounds)?;
    for (label, value) in &program.counted {
        counters.with(&[label, "f"])?.add(*value)?;
    }
    for (label, value) in &program.set {
        gauges.with(&[label])?.set(*value);
    }
    for (label, value) in &program.observed {
        histograms.with(&[label])?.observe(*value)?;
    }
    Ok(registry.encode(Format::OpenMetrics))
}

fn theirs(program: &Program) -> Result<String, std::fmt::Error> {
    let labels = |value: &str| -> Labels { vec![("x".to_owned(), value.to_owned())] };
    let counters = Family::<Labels, FloatCounter>::default();
    let gauges = Family::<Labels, FloatGauge>::default();
    let bounds = program.bounds.clone();
    let histograms =
        Family::<Labels, Histogram, _>::new_with_constructor(move || Histogram::new(bounds.clone()));
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register("jobs", program.help.clone(), counters.clone());
    registry.register("level", program.help.clone(), gauges.clone());
    registry.register("wait_seconds", program.help.clone(), histograms.clone());
    for (label, value) in &program.counted {
        let mut labels = labels(label);
        labels.push(("fixed".to_owned(), "f".to_owned()));
        counters.get_or_create(&labels).inc_by(*value);
    }
    for (label, value) in &program.set {
        gauges.get_or_create(&labels(label)).set(*value);
    }
    for (label, value) in &program.observed {
        histograms.get_or_create(&labels(label)).observe(*value);
    }
    let mut out = String::new();
    prometheus_client::encoding::text::encode(&mut out, &registry)?;
    Ok(out)
}

/// For each family its name, HELP, type and the values of its series. A series is named by its sample name and sorted
/// labels, with `le` as a number.
#[derive(Debug, PartialEq)]
struct Normalised(Vec<(String, String, String, BTreeMap<String, f64>)>);

fn normalised(families: Vec<ParsedFamily>) -> Normalised {
    let family = |family: ParsedFamily| {
        let series = family.samples.into_iter().map(|sample| {
            let mut labels: Vec<(String, String)> = sample.labels;
            labels.sort();
            for (name, value) in &mut labels {
                if name == "le" && value != "+Inf" {
                    *value = value.parse::<f64>().expect("a bound is a number").to_string();
                }
            }
            (format!("{} {labels:?}", sample.name), sample.value)
        });
        (family.name, family.help, family.kind, series.collect())
    };
    Normalised(families.into_iter().filter(|family| !family.samples.is_empty()).map(family).collect())
}

proptest! {
    #[test]
    fn our_openmetrics_shows_the_same_as_prometheus_client(program in programs()) {
        let ours = ours(&program)?;
        let theirs = theirs(&program)?;
        let mut their_families = parse_or_fail(&theirs, Format::OpenMetrics)?;
        for family in &mut their_families {
            let help = family.help.strip_suffix('.').map(str::to_owned);
            family.help = help.ok_or_else(|| TestCaseError::fail("expected a full stop at the end of HELP"))?;
        }
        let our_families = parse_or_fail(&ours, Format::OpenMetrics)?;
        prop_assert_eq!(normalised(our_families), normalised(their_families), "{}\n{}", ours, theirs);
    }
}

/// Checks that the differences listed above still exist. If one is gone, remove its exception from this file.
#[test]
fn prometheus_client_still_differs() -> crate::Outcome {
    let program = Program {
        help: "a \\ b".to_owned(),
        bounds: vec![-1.0, 1e6],
        counted: vec![(String::new(), 1.0)],
        set: Vec::new(),
        observed: vec![("a".to_owned(), 0.5)],
    };
    let expected = "\
# HELP jobs a \\ b.
# TYPE jobs counter
jobs_total{x=\"\",fixed=\"f\"} 1.0
# HELP wait_seconds a \\ b.
# TYPE wait_seconds histogram
wait_seconds_sum{x=\"a\"} 0.5
wait_seconds_count{x=\"a\"} 1
wait_seconds_bucket{le=\"-1.0\",x=\"a\"} 0
wait_seconds_bucket{le=\"1000000.0\",x=\"a\"} 1
wait_seconds_bucket{le=\"+Inf\",x=\"a\"} 1
# EOF
";
    assert_eq!(theirs(&program)?, expected);
    let expected = "\
# HELP jobs a \\\\ b
# TYPE jobs counter
jobs_total{fixed=\"f\"} 1
# HELP level a \\\\ b
# TYPE level gauge
# HELP wait_seconds a \\\\ b
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"-1.0\",x=\"a\"} 0
wait_seconds_bucket{le=\"1e+06\",x=\"a\"} 1
wait_seconds_bucket{le=\"+Inf\",x=\"a\"} 1
# EOF
";
    assert_eq!(ours(&program)?, expected);
    Ok(())
}
