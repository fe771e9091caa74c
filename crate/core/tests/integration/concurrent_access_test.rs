//! Tests threads that record, register, scrape, join and leave at the same time: no count is lost, no thread waits
//! forever, and every exposition made meanwhile is valid.

use crate::exposition::{ParsedFamily, parse};
use crate::{Cell, Outcome, contributor_of, family_of, scrape};
use prometheus_metrics::registry::{Descriptor, Kind, Process};
use prometheus_metrics::{Format, GaugeVec, Registry};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const THREADS: usize = 6;

/// The sum of all samples of this name.
fn total(families: &[ParsedFamily], name: &str) -> f64 {
    let samples = families.iter().flat_map(|family| &family.samples);
    samples.filter(|sample| sample.name == name).map(|sample| sample.value).sum()
}

/// Sets the count to its maximum when the counting thread ends, also by a panic, so that threads that wait for the count
/// go on.
struct Ended<'a>(&'a AtomicU32);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(u32::MAX, Ordering::Release);
    }
}

#[test]
fn test_concurrent_increment() -> Outcome {
    let registry = Registry::new();
    let counters = registry.counter_vec("c_total", "C", &["shared", "own"])?;
    let histograms = registry.histogram_vec("h", "H", &["shared"], &[1.0])?;
    // These series are made first, so that the order of all series is known.
    for own in 0..THREADS {
        counters.with(&["no", &own.to_string()])?;
    }
    thread::scope(|scope| {
        for own in 0..THREADS {
            let (counters, histograms) = (&counters, &histograms);
            scope.spawn(move || {
                let kept = counters.with(&["no", &own.to_string()]).expect("two values for two labels");
                for turn in 0..50_000 {
                    kept.inc();
                    counters.with(&["yes", ""]).expect("two values for two labels").inc();
                    let observed = if turn % 2 == 0 { 0.5 } else { 1.5 };
                    histograms.with(&["yes"]).expect("one value").observe(observed).expect("finite");
                }
            });
        }
    });
    let mut expected = String::from("# HELP c_total C\n# TYPE c_total counter\n");
    (0..THREADS).for_each(|own| expected += &format!("c_total{{shared=\"no\",own=\"{own}\"}} 50000\n"));
    expected += "\
c_total{shared=\"yes\"} 300000

# HELP h H
# TYPE h histogram
h_bucket{le=\"1\",shared=\"yes\"} 150000
h_bucket{le=\"+Inf\",shared=\"yes\"} 300000
h_sum{shared=\"yes\"} 300000
h_count{shared=\"yes\"} 300000
";
    assert_eq!(registry.encode(Format::PrometheusText), expected);
    Ok(())
}

#[test]
fn test_concurrent_registration() -> Outcome {
    const FAMILIES: usize = 40;
    let registry = Registry::new();
    let barrier = Barrier::new(THREADS + 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let scraper = scope.spawn(|| {
            barrier.wait();
            while !done.load(Ordering::Acquire) {
                parse(&registry.encode(Format::OpenMetrics), Format::OpenMetrics)
                    .expect("a valid exposition");
            }
        });
        let registrars: Vec<_> = (0..THREADS)
            .map(|own| {
                let (registry, barrier) = (&registry, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for number in 0..FAMILIES {
                        let name = format!("f{number}_total");
                        let counters =
                            registry.counter_vec(&name, "F", &["a", "b"]).expect("the same family");
                        counters.with(&["same", ""]).expect("two values").inc();
                        counters.with(&["own", &own.to_string()]).expect("two values").inc();
                    }
                })
            })
            .collect();
        let outcomes: Vec<_> = registrars.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Release);
        assert!(outcomes.iter().all(Result::is_ok), "a registrar panicked");
        scraper.join().expect("every exposition is valid");
    });
    let mut shown: Vec<String> = registry.encode(Format::PrometheusText).lines().map(str::to_owned).collect();
    shown.retain(|line| !line.is_empty() && !line.starts_with('#'));
    shown.sort();
    let mut expected: Vec<String> = (0..FAMILIES)
        .flat_map(|number| {
            let own = (0..THREADS).map(move |own| format!("f{number}_total{{a=\"own\",b=\"{own}\"}} 1"));
            own.chain([format!("f{number}_total{{a=\"same\"}} {THREADS}")])
        })
        .collect();
    expected.sort();
    assert_eq!(shown, expected);
    Ok(())
}

/// A registry with 2,000 gauges, and its exposition. The value of each gauge is a quarter of its label.
fn numbered_gauges() -> prometheus_metrics::Result<(Registry, GaugeVec, String)> {
    let registry = Registry::new();
    let mut expected = String::from("# HELP g G\n# TYPE g gauge\n");
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    for value in 0..2000 {
        gauges.with(&[&value.to_string()])?.set(f64::from(value) / 4.0);
        expected += &format!("g{{x=\"{value}\"}} {}\n", f64::from(value) / 4.0);
    }
    Ok((registry, gauges, expected))
}

#[test]
fn test_concurrent_scrape() -> Outcome {
    let (registry, _gauges, expected) = numbered_gauges()?;
    let openmetrics = format!("{expected}# EOF\n");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(registry.encode(Format::PrometheusText) == expected);
                    assert!(registry.encode(Format::OpenMetrics) == openmetrics);
                }
            });
        }
    });
    Ok(())
}

/// A scrape never shows the value of another series, and always shows the series that stay.
#[test]
fn scrapes_are_right_while_series_are_added_and_removed() -> Outcome {
    let (registry, gauges, expected) = numbered_gauges()?;
    let scraped = AtomicBool::new(false);
    thread::scope(|scope| {
        let churners: Vec<_> = (1..3_u32)
            .map(|own| {
                let (gauges, scraped) = (&gauges, &scraped);
                scope.spawn(move || {
                    for turn in (0..300).cycle() {
                        let value = 10_000 * own + turn;
                        let label = value.to_string();
                        gauges.with(&[&label]).expect("one value").set(f64::from(value) / 4.0);
                        assert!(gauges.remove(&[&label]).expect("one value"));
                        if scraped.load(Ordering::Acquire) {
                            return;
                        }
                    }
                })
            })
            .collect();
        let scrapers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..12 {
                        let out = registry.encode(Format::PrometheusText);
                        let families = parse(&out, Format::PrometheusText).expect("a valid exposition");
                        let mut kept = 0;
                        for sample in &families[0].samples {
                            let label: f64 = sample.labels[0].1.parse().expect("a number");
                            kept += u32::from(label < 2000.0);
                            let fresh = label >= 10_000.0 && sample.value == 0.0;
                            assert!(fresh || sample.value == label / 4.0, "{sample:?}");
                        }
                        assert_eq!(kept, 2000);
                    }
                })
            })
            .collect();
        let outcomes: Vec<_> = scrapers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        scraped.store(true, Ordering::Release);
        assert!(outcomes.iter().all(Result::is_ok), "a scraper panicked");
        churners.into_iter().for_each(|churner| churner.join().expect("no churner panics"));
    });
    assert!(registry.encode(Format::PrometheusText) == expected);
    Ok(())
}

/// How often each worker of `test_concurrent_collect_and_update` counts.
const INCREMENTS: u32 = 20_000;

/// Joins the process, counts, and leaves if its number is even.
fn count_and_leave(process: &Process, scrapes: &AtomicU32, own: usize) {
    let worker = contributor_of(process);
    let descriptor = Descriptor::new(Kind::Counter, "c_total", "C", &["who"]).expect("valid");
    let counters = family_of(&worker, descriptor).expect("valid");
    let descriptor = Descriptor::histogram("h", "H", &[], &[1.0]).expect("valid");
    let histograms = family_of(&worker, descriptor).expect("valid");
    let who = own.to_string();
    let cell = |slot, offset| Cell { contributor: &worker, slot, offset };
    let shared = cell(counters.add_series(&[(0, "all")]).expect("within the limits").slot, 0);
    let alone = cell(counters.add_series(&[(0, &who)]).expect("within the limits").slot, 0);
    let observed = histograms.add_series(&[]).expect("within the limits").slot;
    for turn in 0..INCREMENTS {
        shared.add(1.0);
        alone.add(0.1);
        cell(observed, usize::from(turn % 2 == 1)).add(1.0);
        cell(observed, 2).add(0.25);
        // Wait for some scrapes: on an idle machine the workers would finish before the first one.
        while turn == INCREMENTS / 2 && scrapes.load(Ordering::Acquire) < 3 {
            thread::yield_now();
        }
    }
    // Half of the workers leave. Their counts stay, and leaving twice is the same as once.
    if own.is_multiple_of(2) {
        process.leave(&worker);
        process.leave(&worker);
    }
}

/// Scrapes until `done`, and checks that no total decreases.
fn scrape_until_done(main: &Registry, process: &Process, scrapes: &AtomicU32, done: &AtomicBool) {
    let _ended = Ended(scrapes);
    let mut before = [0.0; 3];
    while !done.load(Ordering::Acquire) {
        let out = scrape(main, Some(process), Format::OpenMetrics);
        let families = parse(&out, Format::OpenMetrics).expect("a valid exposition");
        let now = ["c_total", "h_count", "h_sum"].map(|name| total(&families, name));
        assert!(now.iter().zip(before).all(|(now, before)| *now >= before), "{before:?} to {now:?}");
        before = now;
        scrapes.fetch_add(1, Ordering::Release);
    }
}

#[test]
fn test_concurrent_collect_and_update() -> Outcome {
    let process = Process::new();
    let main = contributor_of(&process);
    let (scrapes, done) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|own| {
                scope.spawn({
                    let (process, scrapes) = (&process, &scrapes);
                    move || count_and_leave(process, scrapes, own)
                })
            })
            .collect();
        let scraper = scope.spawn(|| scrape_until_done(main.registry(), &process, &scrapes, &done));
        let outcomes: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Release);
        assert!(outcomes.iter().all(Result::is_ok), "a worker panicked");
        scraper.join().expect("no total ever goes down");
    });

    let out = scrape(main.registry(), Some(&process), Format::PrometheusText);
    let families = parse(&out, Format::PrometheusText)?;
    let mut shown: Vec<String> =
        out.lines().filter(|line| line.starts_with("c_total{")).map(str::to_owned).collect();
    shown.sort();
    // A worker adds 0.1 20,000 times in floating point, so the expected sum is made the same way.
    let tenths = (0..INCREMENTS).fold(0.0, |sum, _| sum + 0.1);
    let mut expected: Vec<String> =
        (0..THREADS).map(|own| format!("c_total{{who=\"{own}\"}} {tenths}")).collect();
    expected.push("c_total{who=\"all\"} 120000".to_owned());
    assert_eq!(shown, expected);
    assert_eq!((families.len(), total(&families, "h_sum")), (2, 30_000.0));
    let histogram = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"1\"} 60000
h_bucket{le=\"+Inf\"} 120000
h_sum 30000
h_count 120000
";
    assert!(out.contains(histogram), "{out}");
    // Without the process, the scraped contributor shows nothing: the workers counted everything.
    assert_eq!(scrape(main.registry(), None, Format::PrometheusText), "\n");
    Ok(())
}
