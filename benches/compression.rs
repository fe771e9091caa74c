//! Measures gzip on exposition text, at the level that the endpoint uses. `prometheus-client` has no compression to
//! compare with.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prometheus_metrics::http::{gzip, gzip_parts};
use prometheus_metrics::registry::DEFAULT_BUCKETS;
use prometheus_metrics::{Format, MetricsError, Registry};
use std::hint::black_box;
use std::time::Duration;

/// The first bytes of an exposition of labelled histograms.
fn exposition(bytes: usize) -> Result<String, MetricsError> {
    let registry = Registry::new();
    let histograms =
        registry.histogram_vec("latency_seconds", "Latency", &["method", "route"], &DEFAULT_BUCKETS)?;
    for number in 0..bytes / 1000 + 1 {
        let route = format!("/v1/models/{number}/completions");
        let histogram = histograms.with(&[["GET", "POST"][number % 2], &route])?;
        for value in [0.003, 0.07, 0.3, 1.7, 20.0].iter().cycle().take(number * 13 % 101) {
            histogram.observe(*value)?;
        }
    }
    let mut text = registry.encode(Format::PrometheusText);
    text.truncate(bytes);
    Ok(text)
}

fn bench(criterion: &mut Criterion, name: &str, bytes: usize) {
    let text = exposition(bytes).expect("the names are valid and free");
    assert_eq!(text.len(), bytes);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    let mut out = Vec::new();
    group.bench_function("prometheus-metrics", |bencher| {
        bencher.iter(|| {
            gzip(black_box(text.as_bytes()), &mut out);
            black_box(out.len())
        });
    });
    group.finish();
}

/// Target: below 100 us.
fn bench_gzip_compress_1kb(criterion: &mut Criterion) {
    bench(criterion, "bench_gzip_compress_1kb", 1000);
}

/// Target: below 5 ms.
fn bench_gzip_compress_100kb(criterion: &mut Criterion) {
    bench(criterion, "bench_gzip_compress_100kb", 100_000);
}

/// A large exposition as one part, and as two parts compressed in parallel. On two free cores the second
/// should take half as long.
fn bench_gzip_parts_9mb(criterion: &mut Criterion) {
    const BYTES: usize = 9_000_000;
    let text = exposition(BYTES).expect("the names are valid and free");
    assert_eq!(text.len(), BYTES);
    let mut group = criterion.benchmark_group("bench_gzip_parts_9mb");
    group.throughput(Throughput::Bytes(BYTES as u64));
    let mut out = Vec::new();
    for parts in [1, 2] {
        group.bench_function(BenchmarkId::new("prometheus-metrics", parts), |bencher| {
            bencher.iter(|| {
                gzip_parts(black_box(text.as_bytes()), &mut out, parts);
                black_box(out.len())
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30);
    targets = bench_gzip_compress_1kb, bench_gzip_compress_100kb, bench_gzip_parts_9mb
}
criterion_main!(benches);
