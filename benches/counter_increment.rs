//! Measures an increment of a counter handle, and of a counter that is first found by its label values. The comparison
//! is `prometheus-client` with `&'static str` labels, the cheapest kind that it can look up.

use criterion::{Criterion, criterion_group, criterion_main};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_metrics::Registry;
use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

const OURS: &str = "prometheus-metrics";
const THEIRS: &str = "prometheus-client";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: &'static str,
}

type FloatCounter = Counter<f64, AtomicU64>;

/// Target: below 10 ns.
fn bench_counter_inc(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_counter_inc");
    let ours = Registry::new().counter("requests_total", "Requests").expect("the name is free");
    group.bench_function(OURS, |bencher| bencher.iter(|| black_box(&ours).inc()));
    // Both count in `f64`. The competitor's `u64` counter, which cannot add fractions, is measured too.
    let theirs = FloatCounter::default();
    group.bench_function(THEIRS, |bencher| bencher.iter(|| black_box(&theirs).inc()));
    let integer = Counter::<u64>::default();
    group.bench_function("prometheus-client u64", |bencher| bencher.iter(|| black_box(&integer).inc()));
    group.finish();
    assert!(ours.value() > 0.0 && theirs.get() > 0.0 && integer.get() > 0);
}

/// Targets: below 50 ns; without a handle (`inc_for`) 21 ns where `prometheus-client` takes 27.
fn bench_counter_inc_with_labels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_counter_inc_with_labels");
    let names = ["method", "route", "status"];
    let ours = Registry::new().counter_vec("requests_total", "Requests", &names).expect("the name is free");
    group.bench_function(OURS, |bencher| {
        bencher.iter(|| {
            let counter = ours.with(black_box(&["GET", "/v1/chat/completions", "200"]));
            counter.expect("three values for three labels").inc();
        });
    });
    group.bench_function("prometheus-metrics inc_for", |bencher| {
        bencher.iter(|| {
            let counted = ours.inc_for(black_box(&["GET", "/v1/chat/completions", "200"]));
            counted.expect("three values for three labels");
        });
    });
    let theirs = Family::<Labels, FloatCounter>::default();
    group.bench_function(THEIRS, |bencher| {
        bencher.iter(|| {
            let labels = Labels { method: "GET", route: "/v1/chat/completions", status: "200" };
            theirs.get_or_create(black_box(&labels)).inc();
        });
    });
    group.finish();
    assert!(ours.value(&["GET", "/v1/chat/completions", "200"]) > Some(0.0));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = bench_counter_inc, bench_counter_inc_with_labels
}
criterion_main!(benches);
