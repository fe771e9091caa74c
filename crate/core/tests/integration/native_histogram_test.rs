//! Tests native histograms of Rust handles: many threads, several contributors, removal, and the builder.

use crate::{Outcome, contributor_of};
use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::registry::{Descriptor, Family, NativeHistogramOptions, Process};
use prometheus_metrics::{ErrorKind, Format, MetricsError, Registry, encode};
use std::sync::Arc;
use std::time::Duration;

const OPTIONS: fn() -> NativeHistogramOptions = NativeHistogramOptions::default;

fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

/// The samples without the times at which their series began.
fn openmetrics2(registry: &Registry) -> Vec<String> {
    let text = registry.encode(Format::OpenMetrics2);
    samples(&text).into_iter().map(|line| line.split(" st@").next().unwrap_or(line).to_owned()).collect()
}

/// The count of a native histogram, and how many of its observations are in buckets.
fn counts(line: &str) -> (f64, f64) {
    let numbers = |name: &str| -> f64 {
        let Some((_, rest)) = line.split_once(name) else { return 0.0 };
        let end = rest.find([']', '}']).expect("the list or the histogram ends");
        let (list, _) = rest.split_at(end);
        list.split(',').map_while(|count| count.parse::<f64>().ok()).sum()
    };
    let in_buckets = ["zero_count:", "negative_buckets:[", "positive_buckets:["].map(numbers).iter().sum();
    (numbers("{count:"), in_buckets)
}

#[test]
fn classic_buckets_stand_beside_native_ones_if_they_are_set() -> Outcome {
    let registry = Registry::new();
    let alone = registry.metric("alone", "A").native(OPTIONS().bucket_factor(2.0)).histogram()?;
    let both =
        registry.metric("both", "B").buckets(&[1.0]).native(OPTIONS().bucket_factor(2.0)).histogram()?;
    for histogram in [&alone, &both] {
        [1.0, -2.5, 0.0, 1e9].into_iter().try_for_each(|value| histogram.observe(value))?;
        assert_eq!((histogram.count(), histogram.sum()), (4.0, 999_999_998.5));
    }
    assert_eq!(
        samples(&registry.encode(Format::PrometheusText)),
        [
            "alone_bucket{le=\"+Inf\"} 4",
            "alone_sum 999999998.5",
            "alone_count 4",
            "",
            "both_bucket{le=\"1\"} 3",
            "both_bucket{le=\"+Inf\"} 4",
            "both_sum 999999998.5",
            "both_count 4",
        ]
    );
    let native = "{count:4,sum:999999998.5,schema:0,zero_threshold:2.938735877055719e-39,zero_count:1,\
        negative_spans:[2:1],negative_buckets:[1],positive_spans:[0:1,29:1],positive_buckets:[1,1]";
    assert_eq!(
        openmetrics2(&registry),
        [format!("alone {native}}}"), format!("both {native},bucket:[1:3,+Inf:4]}}")]
    );
    Ok(())
}

#[test]
fn threads_lose_no_observation_while_the_resolution_changes() -> Outcome {
    const THREADS: u32 = 4;
    const EACH: u32 = 5000;
    let registry = Registry::new();
    let options = OPTIONS().bucket_factor(1.003).max_buckets(20).max_zero_threshold(1e-3);
    let sizes = registry.metric("sizes", "S").labels(&["a"]).native(options).histogram_vec()?;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let sizes = sizes.clone();
            scope.spawn(move || {
                let kept = sizes.with(&["x"]).expect("one value for one label");
                for at in 0..EACH {
                    let value = 1.01_f64.powi((at * 7 % 4000).cast_signed() - 2000);
                    let value = if thread % 2 == 0 { value } else { -value };
                    let done =
                        if at % 2 == 0 { kept.observe(value) } else { sizes.observe_for(&["x"], value) };
                    done.expect("the value is finite");
                }
            });
        }
        let mut last = 0.0;
        for _ in 0..20 {
            if let [line] = &openmetrics2(&registry)[..] {
                let (count, in_buckets) = counts(line);
                assert_eq!(count, in_buckets, "{line}");
                assert!(count >= last, "{count} observations after {last}");
                last = count;
            }
        }
    });
    assert_eq!(sizes.with(&["x"])?.count(), f64::from(THREADS * EACH));
    let [line] = &openmetrics2(&registry)[..] else { panic!("one series") };
    assert!(line.contains(&format!("{{count:{},", THREADS * EACH)), "{line}");
    Ok(())
}

#[test]
fn a_vec_may_go_while_a_scrape_finds_a_reset_due() -> Outcome {
    const ROUNDS: u32 = 500;
    let registry = Registry::new();
    // Too young at the second bucket, and old enough at a later scrape.
    let options = OPTIONS().max_buckets(1).min_reset(Duration::from_micros(100));
    std::thread::scope(|scope| {
        let rounds = scope.spawn(|| -> Result<(), MetricsError> {
            for _ in 0..ROUNDS {
                let sizes = registry.metric("sizes", "S").labels(&["a"]).native(options).histogram_vec()?;
                let size = sizes.with(&["x"])?;
                size.observe(1.0)?;
                assert_eq!((size.count(), size.sum()), (1.0, 1.0), "no other series' cells");
                (0..4).try_for_each(|power| size.observe(16_f64.powi(power)))?;
                std::thread::sleep(Duration::from_micros(150));
                assert!(registry.unregister("sizes"));
            }
            Ok(())
        });
        while !rounds.is_finished() {
            drop(registry.encode(Format::OpenMetrics2));
        }
        rounds.join().expect("the thread does not panic")
    })?;
    assert_eq!(openmetrics2(&registry), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_handle_of_a_removed_series_counts_for_no_other() -> Outcome {
    let registry = Registry::new();
    let sizes = registry.metric("sizes", "S").labels(&["a"]).native(OPTIONS()).histogram_vec()?;
    let old = sizes.with(&["x"])?;
    old.observe(1.0)?;
    assert!(sizes.remove(&["x"])?);
    let new = sizes.with(&["x"])?;
    (0..100).try_for_each(|at| old.observe(f64::from(at) * 1e3))?;
    new.observe(2.0)?;
    assert_eq!((new.count(), new.sum()), (1.0, 2.0));
    assert_eq!((old.count(), old.sum()), (101.0, 4_950_001.0));
    registry.reset();
    assert_eq!(openmetrics2(&registry), Vec::<String>::new());
    Ok(())
}

#[test]
fn contributors_are_merged_at_the_lowest_resolution() -> Outcome {
    let process = Process::new();
    let first = contributor_of(&process);
    for (contributor, factor) in [(Arc::clone(&first), 1.1), (contributor_of(&process), 2.0)] {
        let descriptor =
            Descriptor::histogram("h", "H", &[], &[])?.with_native(OPTIONS().bucket_factor(factor))?;
        let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
        let series = family.add_series(&[]).expect("within the limits");
        // As JavaScript does: the addon counts in the bucket, and the caller adds to the sum.
        let (number, cell) = (series.slot as usize / 4096, series.slot as usize % 4096);
        let slab = Arc::clone(contributor.cells().slab(number).expect("the slab exists"));
        for value in [1.0, 1.5, 3.0] {
            family.observe_native(series.id, value);
            slab.add(cell + 1, value);
        }
        contributor.registry().register_family(family)?;
    }
    let selection = Selection::default().process(Some(&process));
    let mut text = Vec::new();
    let Ok(()) = encode(&gather(first.registry(), &selection), Format::OpenMetrics2, &mut text);
    let text = String::from_utf8(text)?;
    let expected = "h {count:6,sum:11,schema:0,zero_threshold:2.938735877055719e-39,zero_count:0,\
        positive_spans:[0:3],positive_buckets:[2,2,2]} st@";
    assert!(text.lines().any(|line| line.starts_with(expected)), "{text}");
    Ok(())
}

#[test]
fn a_zero_threshold_of_minus_0_is_0() -> Outcome {
    let registry = Registry::new();
    let histogram = registry.metric("h", "H").native(OPTIONS().zero_threshold(-0.0)).histogram()?;
    histogram.observe(0.0)?;
    let [line] = &openmetrics2(&registry)[..] else { panic!("one series") };
    assert!(line.contains("zero_threshold:0,zero_count:1"), "{line}");
    Ok(())
}

#[test]
fn a_registry_gives_a_histogram_only_for_its_own_options() -> Outcome {
    let registry = Registry::new();
    let histogram = |options| registry.metric("h", "H").native(options).histogram();
    histogram(OPTIONS())?.observe(1.0)?;
    assert_eq!(histogram(OPTIONS())?.count(), 1.0);
    for other in [OPTIONS().bucket_factor(2.0), OPTIONS().max_buckets(7), OPTIONS().zero_threshold(0.0)] {
        assert_eq!(histogram(other).err().map(|error| error.kind()), Some(ErrorKind::TypeMismatch));
    }
    Ok(())
}

#[test]
fn options_out_of_range_are_refused() {
    let registry = Registry::new();
    for options in [
        OPTIONS().bucket_factor(1.0),
        OPTIONS().bucket_factor(f64::INFINITY),
        OPTIONS().zero_threshold(-1.0),
        OPTIONS().max_zero_threshold(f64::NAN),
    ] {
        let refused = registry.metric("h", "H").native(options).histogram().err().map(|error| error.kind());
        assert_eq!(refused, Some(ErrorKind::InvalidConfig));
    }
}
