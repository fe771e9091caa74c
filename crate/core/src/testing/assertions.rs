//! Assertions about metrics. A failed assertion panics at its line in the test and shows the series that come close.
//!
//! ```
//! use prometheus_metrics::Registry;
//! use prometheus_metrics::testing::{assert_counted, assert_metric, assert_observed, assert_valid_exposition};
//!
//! let registry = Registry::new();
//! registry.counter_vec("requests_total", "Requests", &["status"])?.with(&["200"])?.add(2.0)?;
//! registry.histogram("request_seconds", "Duration")?.observe(0.25)?;
//! registry.gauge("in_flight", "Requests being served")?.set(3.0);
//!
//! assert_counted(&registry, "requests_total", &[("status", "200")], 2.0);
//! assert_observed(&registry, "request_seconds", &[], 1, 0.25);
//! assert_metric(&registry, "in_flight", &[], 3.0);
//! assert_valid_exposition(&registry.encode(prometheus_metrics::Format::PrometheusText));
//! # Ok::<(), prometheus_metrics::MetricsError>(())
//! ```

use super::parse::FamilyKind;
use super::reading::{Labels, Reading, Subject, show_series};

/// The relative error that adding fractions may cause: 0.1 + 0.2 equals 0.3 here.
const TOLERANCE: f64 = 1e-9;

/// Asserts that a series with at least these labels has this value. The name can be that of a sample, such as
/// `request_seconds_count`.
///
/// # Panics
/// If there is no such series.
#[track_caller]
pub fn assert_metric(subject: &(impl Subject + ?Sized), name: &str, labels: Labels<'_>, value: f64) {
    let reading = subject.values();
    let found = reading.samples(name, labels).any(|sample| same(sample.value, value));
    assert!(
        found,
        "Expected {} with value {value}, but there is none.{}",
        show_series(name, labels),
        reading.near_misses(name, labels)
    );
}

/// Asserts that the series of a counter with at least these labels were increased by this much together: since the mark
/// of a `MockRegistry`, otherwise since the start.
///
/// # Panics
/// If the increase differs, or if the metric is not a counter.
#[track_caller]
pub fn assert_counted(subject: &(impl Subject + ?Sized), name: &str, labels: Labels<'_>, by: f64) {
    let reading = subject.events();
    refuse_other(&reading, name, "counter", &[FamilyKind::Counter]);
    let total = reading.total(name, labels);
    assert!(
        same(total, by),
        "Expected {} to have been counted by {by}, but it was counted by {total}.{}",
        show_series(name, labels),
        reading.near_misses(name, labels)
    );
}

/// Asserts that the series of a histogram with at least these labels have observed this many values with this sum
/// together.
///
/// # Panics
/// If the count or the sum differs, or if the metric is not a histogram or summary.
#[track_caller]
pub fn assert_observed(
    subject: &(impl Subject + ?Sized),
    name: &str,
    labels: Labels<'_>,
    count: u64,
    sum: f64,
) {
    let reading = subject.events();
    refuse_other(&reading, name, "histogram or summary", &[FamilyKind::Histogram, FamilyKind::Summary]);
    let counted = reading.total(&format!("{name}_count"), labels);
    let summed = reading.total(&format!("{name}_sum"), labels);
    assert!(
        same(counted, count as f64) && same(summed, sum),
        "Expected {} to have observed count {count} and sum {sum}, but it has observed count {counted} and sum {summed}.{}",
        show_series(name, labels),
        reading.near_misses(name, labels)
    );
}

/// Asserts that a text is a valid exposition: in OpenMetrics if its last line is `# EOF`, otherwise in text 0.0.4.
///
/// # Panics
/// If it is not valid, with line and column.
#[track_caller]
pub fn assert_valid_exposition(text: &str) {
    if let Err(error) = Reading::of_text(text) {
        panic!("Expected a valid exposition, but it has a fault: {error}");
    }
}

#[track_caller]
fn refuse_other(reading: &Reading, name: &str, wanted: &str, kinds: &[FamilyKind]) {
    if let Some(kind) = reading.other_kind(name, kinds) {
        panic!("Expected {name} to be a {wanted}, but it is a {kind}");
    }
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}
