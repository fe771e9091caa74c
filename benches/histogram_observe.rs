//! Measures an observation with the eleven default buckets: through a histogram handle, and in a histogram that is
//! first found by its label values. The comparison is `prometheus-client` with `&'static str` labels.

use criterion::{Criterion, criterion_group, criterion_main};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_metrics::Registry;
use prometheus_metrics::registry::DEFAULT_BUCKETS;
use std::hint::black_box;
use std::time::Duration;

const OURS: &str = "prometheus-metrics";
const THEIRS: &str = "prometheus-client";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: &'static str,
}

/// Seconds that fall into every bucket, `+Inf` included, in an order that a branch predictor cannot learn.
fn latencies() -> impl Iterator<Item = f64> + Clone {
    let mut state = 0x9e37_79b9_u32;
    let values: Vec<f64> = (0..4096)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            // Evenly spread over the powers of ten from 1 ms to 20 s.
            0.001 * 20_000_f64.powf(f64::from(state) / f64::from(u32::MAX))
        })
        .collect();
    values.into_iter().cycle()
}

/// Target: below 30 ns.
fn bench_histogram_observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_histogram_observe");
    let ours = Registry::new().histogram("latency_seconds", "Latency").expect("the name is free");
    let mut values = latencies();
    group.bench_function(OURS, |bencher| {
        bencher.iter(|| black_box(&ours).observe(values.next().unwrap_or_default()));
    });
    let theirs = Histogram::new(DEFAULT_BUCKETS);
    let mut values = latencies();
    group.bench_function(THEIRS, |bencher| {
        bencher.iter(|| black_box(&theirs).observe(values.next().unwrap_or_default()));
    });
    group.finish();
    assert!(ours.count() > 0.0);
}

/// Target: below 100 ns.
fn bench_histogram_observe_with_labels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_histogram_observe_with_labels");
    let registry = Registry::new();
    let names = ["method", "route", "status"];
    let ours = registry
        .histogram_vec("latency_seconds", "Latency", &names, &DEFAULT_BUCKETS)
        .expect("the name is free");
    let mut values = latencies();
    group.bench_function(OURS, |bencher| {
        bencher.iter(|| {
            let histogram = ours.with(black_box(&["GET", "/v1/chat/completions", "200"]));
            histogram.expect("three values for three labels").observe(values.next().unwrap_or_default())
        });
    });
    let theirs = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(DEFAULT_BUCKETS));
    let mut values = latencies();
    group.bench_function(THEIRS, |bencher| {
        bencher.iter(|| {
            let labels = Labels { method: "GET", route: "/v1/chat/completions", status: "200" };
            theirs.get_or_create(black_box(&labels)).observe(values.next().unwrap_or_default());
        });
    });
    group.finish();
    let held = ours.with(&["GET", "/v1/chat/completions", "200"]).expect("three values for three labels");
    assert!(held.count() > 0.0);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = bench_histogram_observe, bench_histogram_observe_with_labels
}
criterion_main!(benches);
