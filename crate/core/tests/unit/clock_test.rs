//! Tests the clock of a registry: it shows the system's time until a test stops it, and then the time that the test
//! sets.

use crate::{Outcome, on_threads};
use prometheus_metrics::registry::Contributor;
use prometheus_metrics::slab::Cells;
use prometheus_metrics::{Clock, Gauge, Registry};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NOON: Duration = Duration::from_secs(1_700_000_000);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_new_clock_shows_the_systems_time() -> Outcome {
    let clock = Clock::new();
    let (before, unix_before) = (Clock::new().now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
    let (now, unix) = (clock.now(), clock.unix_now());
    let (after, unix_after) = (Clock::new().now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
    assert!((before..=after).contains(&now));
    assert!((unix_before..=unix_after).contains(&unix));
    Ok(())
}

#[test]
fn a_stopped_clock_moves_only_when_advanced() {
    let clock = Clock::new();
    clock.freeze(NOON);
    let stopped = clock.now();
    assert_eq!(clock.unix_now(), NOON);
    clock.advance(HOUR);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(clock.now() - stopped, HOUR + Duration::from_nanos(1));
    assert_eq!(clock.unix_now() - NOON, HOUR + Duration::from_nanos(1));
}

#[test]
fn setting_the_time_of_day_does_not_change_elapsed_time() {
    let clock = Clock::new();
    clock.freeze(NOON);
    let stopped = clock.now();
    clock.freeze(NOON - HOUR);
    assert_eq!((clock.now(), clock.unix_now()), (stopped, NOON - HOUR));
    clock.freeze(Duration::MAX);
    clock.advance(Duration::MAX);
    assert_eq!((clock.now(), clock.unix_now()), (Duration::MAX, Duration::MAX));
}

#[test]
fn advancing_stops_a_running_clock() {
    let clock = Clock::new();
    clock.advance(HOUR);
    assert_eq!((clock.now(), clock.unix_now()), (clock.now(), clock.unix_now()));
    assert!(clock.now() >= HOUR);
}

#[test]
fn a_resumed_clock_runs_and_never_goes_back() {
    let clock = Clock::new();
    clock.advance(HOUR);
    let stopped = clock.now();
    clock.resume();
    assert!(clock.now() >= stopped);
    assert!(clock.now() < stopped + HOUR);
    let earlier = clock.now();
    while clock.now() == earlier {}
    // The time of day is the system's time again.
    assert!(
        SystemTime::now().duration_since(UNIX_EPOCH).is_ok_and(|unix| clock.unix_now() <= unix + HOUR / 2)
    );
    clock.resume();
    assert!(clock.now() > stopped);
}

#[test]
fn a_clock_resumed_without_an_advance_shows_the_systems_time() {
    let clock = Clock::new();
    clock.freeze(NOON);
    clock.resume();
    let (before, now, after) = (Clock::new().now(), clock.now(), Clock::new().now());
    assert!((before..=after).contains(&now));
}

#[test]
fn concurrent_advances_all_count() {
    let clock = Clock::new();
    clock.freeze(NOON);
    let stopped = clock.now();
    on_threads(4, |_| (0..1000).for_each(|_| clock.advance(Duration::from_millis(1))));
    assert_eq!(clock.now() - stopped, Duration::from_secs(4));
    assert_eq!(clock.unix_now() - NOON, Duration::from_secs(4));
}

#[test]
fn metrics_use_the_clock_of_their_registry() -> Outcome {
    let clock = Arc::new(Clock::new());
    let registry = Registry::with_clock(Arc::clone(&clock));
    assert!(Arc::ptr_eq(registry.clock(), &clock));
    clock.freeze(NOON);
    let gauge = registry.gauge_vec("g", "G", &["x"])?.with(&["1"])?;
    gauge.set_to_current_time();
    assert_eq!(gauge.value(), 1_700_000_000.0);
    let histogram = registry.histogram("h", "H")?;
    let (stopped, dropped) = (histogram.start_timer(), histogram.start_timer());
    clock.advance(Duration::from_millis(1500));
    assert_eq!(stopped.stop(), 1.5);
    clock.advance(Duration::from_millis(500));
    drop(dropped);
    assert_eq!((histogram.count(), histogram.sum()), (2.0, 3.5));
    Ok(())
}

#[test]
fn a_contributor_and_its_registry_share_one_clock() -> Outcome {
    let contributor = Contributor::with_clock(Cells::on_heap(), Arc::default());
    assert!(Arc::ptr_eq(contributor.clock(), contributor.registry().clock()));
    contributor.clock().freeze(Duration::ZERO);
    let alone = Gauge::new("g", "G")?;
    alone.set_to_current_time();
    assert!(alone.value() > 1.7e9, "a metric without a registry uses the system's time");
    Ok(())
}
