//! Measures encoding: 100 and 10,000 counters in ten families with three labels each; 10,000 gauges with fractional
//! values; 1,000 histograms. Both libraries write into a buffer that was used before.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry as Theirs;
use prometheus_metrics::registry::DEFAULT_BUCKETS;
use prometheus_metrics::{Format, MetricsError, Registry, encode};
use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

const FAMILIES: usize = 10;
const NAMES: [&str; 3] = ["method", "route", "status"];

type Labels = Vec<(String, String)>;

/// The label values of one series.
fn values(number: usize) -> [String; 3] {
    let method = ["GET", "POST", "PUT", "DELETE"][number % 4].to_owned();
    [method, format!("/v1/models/{}/completions", number / 4), (200 + number % 5).to_string()]
}

fn labels(number: usize) -> Labels {
    NAMES.iter().zip(values(number)).map(|(name, value)| ((*name).to_owned(), value)).collect()
}

/// Calls `add` with each family's number and each of its series' numbers.
fn populate(
    series: usize,
    mut add: impl FnMut(usize, usize) -> Result<(), MetricsError>,
) -> Result<(), MetricsError> {
    (0..FAMILIES)
        .flat_map(|family| (0..series / FAMILIES).map(move |number| (family, number)))
        .try_for_each(|(family, number)| add(family, number))
}

fn with_values<T>(number: usize, look_up: impl Fn(&[&str]) -> T) -> T {
    let values = values(number);
    look_up(&[values[0].as_str(), values[1].as_str(), values[2].as_str()])
}

fn counters(series: usize) -> Result<(Registry, Theirs), MetricsError> {
    let (ours, mut theirs) = (Registry::new(), Theirs::default());
    let families: Vec<Family<Labels, Counter>> = (0..FAMILIES).map(|_| Family::default()).collect();
    for (family, counters) in families.iter().enumerate() {
        theirs.register(format!("requests_{family}"), "Requests served", counters.clone());
    }
    populate(series, |family, number| {
        let value = u32::try_from(number * 37 + family).unwrap_or(u32::MAX);
        let counters = ours.counter_vec(&format!("requests_{family}_total"), "Requests served", &NAMES)?;
        with_values(number, |values| counters.with(values))?.add(f64::from(value))?;
        families[family].get_or_create(&labels(number)).inc_by(u64::from(value));
        Ok(())
    })?;
    Ok((ours, theirs))
}

fn gauges(series: usize) -> Result<(Registry, Theirs), MetricsError> {
    let (ours, mut theirs) = (Registry::new(), Theirs::default());
    let families: Vec<Family<Labels, Gauge<f64, AtomicU64>>> =
        (0..FAMILIES).map(|_| Family::default()).collect();
    for (family, gauges) in families.iter().enumerate() {
        theirs.register(format!("ratio_{family}"), "A ratio", gauges.clone());
    }
    populate(series, |family, number| {
        let value = f64::from(u32::try_from(number).unwrap_or(u32::MAX)).sqrt() + 0.1;
        let gauges = ours.gauge_vec(&format!("ratio_{family}"), "A ratio", &NAMES)?;
        with_values(number, |values| gauges.with(values))?.set(value);
        families[family].get_or_create(&labels(number)).set(value);
        Ok(())
    })?;
    Ok((ours, theirs))
}

fn histograms(series: usize) -> Result<(Registry, Theirs), MetricsError> {
    let (ours, mut theirs) = (Registry::new(), Theirs::default());
    let families: Vec<Family<Labels, Histogram>> = (0..FAMILIES)
        .map(|_| Family::new_with_constructor((|| Histogram::new(DEFAULT_BUCKETS)) as fn() -> Histogram))
        .collect();
    for (family, histograms) in families.iter().enumerate() {
        theirs.register(format!("latency_{family}"), "Latency", histograms.clone());
    }
    populate(series, |family, number| {
        let name = format!("latency_{family}");
        let histograms = ours.histogram_vec(&name, "Latency", &NAMES, &DEFAULT_BUCKETS)?;
        let histogram = with_values(number, |values| histograms.with(values))?;
        let other = families[family].get_or_create_owned(&labels(number));
        for value in [0.003, 0.07, 0.3, 1.7, 20.0] {
            histogram.observe(value)?;
            other.observe(value);
        }
        Ok(())
    })?;
    Ok((ours, theirs))
}

/// Our library in every format, `prometheus-client` in OpenMetrics 1.0.
fn compare(group: &mut BenchmarkGroup<'_, WallTime>, ours: &Registry, theirs: &Theirs) {
    let mut out = Vec::new();
    for (name, format) in [
        ("prometheus-metrics", Format::OpenMetrics),
        ("prometheus-metrics text", Format::PrometheusText),
        ("prometheus-metrics OpenMetrics 2.0", Format::OpenMetrics2),
        ("prometheus-metrics protobuf", Format::Protobuf),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                let Ok(()) = encode(&ours.gather(), format, &mut out);
                black_box(out.len())
            });
        });
    }
    let mut out = String::new();
    group.bench_function("prometheus-client", |bencher| {
        bencher.iter(|| {
            out.clear();
            text::encode(&mut out, theirs).expect("a string takes everything");
            black_box(out.len())
        });
    });
}

fn bench(criterion: &mut Criterion, name: &str, population: Result<(Registry, Theirs), MetricsError>) {
    let (ours, theirs) = population.expect("the names are valid and free");
    let mut group = criterion.benchmark_group(name);
    compare(&mut group, &ours, &theirs);
    group.finish();
}

/// Target: below 1 ms.
fn bench_serialize_100_metrics(criterion: &mut Criterion) {
    bench(criterion, "bench_serialize_100_metrics", counters(100));
}

/// Target: below 50 ms; the design's own: 0.1 ms, 10 ns a line.
fn bench_serialize_10000_metrics(criterion: &mut Criterion) {
    bench(criterion, "bench_serialize_10000_metrics", counters(10_000));
}

/// No target: formatting fractional numbers is most of the work.
fn bench_serialize_10000_float_gauges(criterion: &mut Criterion) {
    bench(criterion, "bench_serialize_10000_float_gauges", gauges(10_000));
}

/// No target: 14,000 lines.
fn bench_serialize_1000_histograms(criterion: &mut Criterion) {
    bench(criterion, "bench_serialize_1000_histograms", histograms(1000));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30);
    targets = bench_serialize_100_metrics, bench_serialize_10000_metrics, bench_serialize_10000_float_gauges,
        bench_serialize_1000_histograms
}
criterion_main!(benches);
