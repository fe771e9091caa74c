//! The same counters, gauges and histograms in OpenMetrics by this crate and by `prometheus-client`, compared after
//! the grammar has read both. Reading undoes what may legitimately differ in spelling:
//!
//! - the value 1 is `1` here and `1.0` there, a bound of a million `1e+06` here and `1000000.0` there;
//! - `_sum` and `_count` come after the buckets here and before them there;
//!
//! and this file undoes the rest:
//!
//! - `prometheus-client` ends every HELP with a full stop of its own;
//! - it lists the series of a family in the order of a hash map (`normalised`);
//! - it says nothing of a family without series, which here has HELP and TYPE (`normalised`);
//! - it escapes nothing in HELP, so the helps here need no escape;
//! - it writes an empty label, which here is an absent one, so the label values here are not empty;
//! - it writes `_sum` and `_count` also beside negative bounds, which OpenMetrics forbids, so the bounds here are
//!   not negative.

use crate::exposition::{ParsedFamily, parse};
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

/// What both registries are told: label values by series, and what is recorded there.
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

/// Values by family and series; a series is its sample name and its labels by name, `le` as a number.
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
    fn our_openmetrics_says_what_prometheus_client_says(program in programs()) {
        let ours = ours(&program)?;
        let theirs = theirs(&program)?;
        let read = |text: &str| parse(text, Format::OpenMetrics).map_err(|error| {
            TestCaseError::fail(format!("{error}\n{text}"))
        });
        let mut their_families = read(&theirs)?;
        for family in &mut their_families {
            let help = family.help.strip_suffix('.').map(str::to_owned);
            family.help = help.ok_or_else(|| TestCaseError::fail("no full stop was added"))?;
        }
        prop_assert_eq!(normalised(read(&ours)?), normalised(their_families), "{}\n{}", ours, theirs);
    }
}

/// The differences listed above are there; once one is not, its exemption goes.
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
