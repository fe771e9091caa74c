//! Measures finding a series by three label values, among one series and among 10,000, which exceed the processor's
//! caches. Also measures hashing and comparing whole label sets, where the order of labels does not matter.

use criterion::{Criterion, criterion_group, criterion_main};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_metrics::{LabelSet, Registry};
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: &'static str,
}

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const STATUSES: [&str; 5] = ["200", "201", "400", "404", "500"];

/// This many label sets, in an order in which neighbours have little in common.
fn label_sets(count: usize) -> Vec<Labels> {
    let routes: Vec<&'static str> = (0..count.div_ceil(20))
        .map(|number| &*Box::leak(format!("/v1/models/{number}/completions").into_boxed_str()))
        .collect();
    (0..count)
        .map(|number| {
            // 7919 is prime and divides no count used here, so this visits each number once.
            let number = number * 7919 % count;
            let (method, status) = (METHODS[number % 4], STATUSES[number / 4 % 5]);
            Labels { method, route: routes[number / 20], status }
        })
        .collect()
}

fn bench_label_hashing(criterion: &mut Criterion) {
    for count in [1, 10_000] {
        let mut group = criterion.benchmark_group(format!("bench_label_hashing_{count}"));
        let sets = label_sets(count);
        let names = ["method", "route", "status"];
        let ours = Registry::new().counter_vec("c_total", "C", &names).expect("the name is free");
        let mut next = sets.iter().cycle();
        group.bench_function("prometheus-metrics", |bencher| {
            bencher.iter(|| {
                let Labels { method, route, status } = next.next().expect("there is one");
                ours.with(black_box(&[method, route, status])).expect("three values for three labels").inc();
            });
        });
        let theirs = Family::<Labels, Counter<f64, AtomicU64>>::default();
        let mut next = sets.iter().cycle();
        group.bench_function("prometheus-client", |bencher| {
            bencher.iter(|| theirs.get_or_create(black_box(next.next().expect("there is one"))).inc());
        });
        group.finish();
        let found = |set: &&Labels| theirs.get(set).is_some();
        assert!(ours.series_count() == count && sets.iter().filter(found).count() == count);
    }
}

fn bench_label_set(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_label_set");
    let labels = [("method", "GET"), ("route", "/v1/chat/completions"), ("status", "200")];
    let set = LabelSet::new(labels).expect("the names are valid");
    let backwards = LabelSet::new(labels.into_iter().rev()).expect("the names are valid");
    let hasher = std::hash::RandomState::new();
    group.bench_function("hash", |bencher| bencher.iter(|| hasher.hash_one(black_box(&set))));
    group.bench_function("equal", |bencher| bencher.iter(|| black_box(&set) == black_box(&backwards)));
    group.bench_function("new", |bencher| bencher.iter(|| LabelSet::new(black_box(labels))));
    group.finish();
    assert_eq!(hasher.hash_one(&set), hasher.hash_one(&backwards));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = bench_label_hashing, bench_label_set
}
criterion_main!(benches);
