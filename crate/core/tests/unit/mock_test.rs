//! Tests the testing kit: assertions that hold and fail, with complete messages; the mock registry and its clock.

use crate::Outcome;
use prometheus_metrics::testing::{
    MockClock, MockRegistry, Reading, Subject, assert_counted, assert_metric, assert_observed,
    assert_valid_exposition,
};
use prometheus_metrics::{Clock, Format, Registry};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The message of a failing assertion.
fn message(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion fails");
    panic.downcast::<String>().map_or_else(|_| "no text".to_owned(), |text| *text)
}

fn populated() -> Result<Registry, Box<dyn std::error::Error>> {
    let registry = Registry::new();
    let requests = registry.counter_vec("http_requests_total", "R", &["method", "status"])?;
    requests.with(&["GET", "200"])?.add(3.0)?;
    requests.with(&["GET", "404"])?.inc();
    requests.with(&["POST", ""])?.add(0.1)?;
    requests.with(&["POST", "500"])?.add(0.2)?;
    registry.gauge("queue_length", "Q")?.set(f64::NAN);
    let seconds = registry.histogram_vec("http_seconds", "S", &["method"], &[1.0])?;
    seconds.with(&["GET"])?.observe(0.5)?;
    seconds.with(&["POST"])?.observe(2.0)?;
    registry.counter_vec("unused_total", "U", &["a"])?;
    Ok(registry)
}

#[test]
fn assertions_hold() -> Outcome {
    let registry = populated()?;
    let texts = [registry.encode(Format::PrometheusText), registry.encode(Format::OpenMetrics)];
    let subjects: [&dyn Subject; 4] = [&registry, &texts[0], &texts[1], &Reading::of(&registry)];
    for subject in subjects {
        assert_metric(subject, "http_requests_total", &[("status", "200")], 3.0);
        assert_metric(subject, "http_requests_total", &[("status", "")], 0.1);
        assert_metric(subject, "queue_length", &[], f64::NAN);
        assert_metric(subject, "http_seconds_count", &[("method", "GET")], 1.0);
        assert_counted(subject, "http_requests_total", &[("method", "POST")], 0.3);
        assert_counted(subject, "http_requests_total", &[("method", "PUT")], 0.0);
        assert_observed(subject, "http_seconds", &[], 2, 2.5);
    }
    texts.iter().for_each(|text| assert_valid_exposition(text));
    let reading = Reading::of(&registry);
    assert_eq!(reading.value("http_requests_total", &[("method", "GET")]), Some(3.0));
    assert_eq!(reading.value("http_requests_total", &[("path", "/")]), None);
    assert_eq!(reading.total("http_requests_total", &[("method", "GET")]), 4.0);
    Ok(())
}

#[test]
fn messages_show_similar_series() -> Outcome {
    let registry = populated()?;
    let labels = [("method", "POST"), ("status", "404")];
    assert_eq!(
        message(|| assert_counted(&registry, "http_requests_total", &labels, 2.0)),
        "Expected http_requests_total{method=\"POST\",status=\"404\"} to have been counted by 2, but it was counted by 0.

http_requests_total has:
  http_requests_total{method=\"GET\",status=\"404\"} 1
  http_requests_total{method=\"POST\"} 0.1
  http_requests_total{method=\"POST\",status=\"500\"} 0.2
  http_requests_total{method=\"GET\",status=\"200\"} 3"
    );
    assert_eq!(
        message(|| assert_metric(&registry, "http_request_total", &[("status", "500")], 1.0)),
        "Expected http_request_total{status=\"500\"} with value 1, but there is none.

Similar names:
  http_requests_total{method=\"POST\",status=\"500\"} 0.2
  http_requests_total{method=\"GET\",status=\"200\"} 3"
    );
    assert_eq!(
        message(|| assert_observed(&registry, "http_seconds", &[("method", "GET")], 2, 0.5)),
        "Expected http_seconds{method=\"GET\"} to have observed count 2 and sum 0.5, but it has observed count 1 and sum 0.5.

http_seconds has:
  http_seconds_sum{method=\"GET\"} 0.5
  http_seconds_count{method=\"GET\"} 1
  http_seconds_sum{method=\"POST\"} 2
  http_seconds_count{method=\"POST\"} 1"
    );
    assert_eq!(
        message(|| assert_metric(&registry, "used_total", &[], 1.0)),
        "Expected used_total with value 1, but there is none.\n\nSimilar names:\n  unused_total (no series)"
    );
    assert_eq!(
        message(|| assert_metric(&registry, "temperature", &[], 1.0)),
        "Expected temperature with value 1, but there is none.\n\nThere are:\n  http_requests_total\n  queue_length\n  http_seconds\n  unused_total"
    );
    assert_eq!(
        message(|| assert_metric(&Registry::new(), "a", &[], 1.0)),
        "Expected a with value 1, but there is none.\n\nThere are no metrics."
    );
    Ok(())
}

#[test]
fn long_messages_are_cut() -> Outcome {
    let registry = Registry::new();
    let many = registry.gauge_vec("many", "M", &["a"])?;
    for number in 0..50 {
        many.with(&[&"ä".repeat(1000 + number)])?.set(1.0);
    }
    let text = message(|| assert_metric(&registry, "many", &[("a", "none")], 1.0));
    assert!(text.ends_with("\n  … and 44 more"), "{text}");
    assert!(text.contains(&format!("  many{{a=\"{}…\"}} 1\n", "ä".repeat(100))), "{text}");
    assert!(text.chars().count() < 1000, "{text}");
    Ok(())
}

#[test]
fn messages_name_mistakes_of_a_test() -> Outcome {
    let registry = populated()?;
    assert_eq!(
        message(|| assert_counted(&registry, "queue_length", &[], 1.0)),
        "Expected queue_length to be a counter, but it is a gauge"
    );
    assert_eq!(
        message(|| assert_observed(&registry, "queue_length", &[], 1, 1.0)),
        "Expected queue_length to be a histogram or summary, but it is a gauge"
    );
    let invalid = message(|| assert_valid_exposition("a 1\nb{ 2\n"));
    assert!(invalid.starts_with("Expected a valid exposition, but it has a fault: "), "{invalid}");
    assert!(invalid.contains('2'), "{invalid}");
    let unread = message(|| assert_metric("a{", "a", &[], 1.0));
    assert!(unread.starts_with("Expected an exposition, but it has a fault: "), "{unread}");
    Ok(())
}

#[test]
fn a_mock_registry_tells_what_was_recorded_since_its_mark() -> Outcome {
    let registry = MockRegistry::new();
    let counters = registry.counter_vec("c_total", "C", &["a"])?;
    let histogram = registry.histogram("h", "H")?;
    let gauge = registry.gauge("g", "G")?;
    counters.with(&["x"])?.add(5.0)?;
    histogram.observe(1.0)?;
    gauge.set(2.0);
    registry.assert_counted("c_total", &[], 5.0);
    registry.assert_observed("h", &[], 1, 1.0);
    registry.mark();
    registry.assert_not_counted("c_total", &[]);
    registry.assert_observed("h", &[], 0, 0.0);
    registry.assert_gauge("g", &[], 2.0);
    counters.with(&["x"])?.inc();
    counters.with(&["y"])?.inc();
    histogram.observe(4.0)?;
    registry.assert_counted("c_total", &[("a", "x")], 1.0);
    registry.assert_counted("c_total", &[], 2.0);
    registry.assert_observed("h", &[], 1, 4.0);
    // The mark does not change values.
    assert_metric(&registry, "c_total", &[("a", "x")], 6.0);
    assert_metric(&**registry.registry(), "h_count", &[], 2.0);
    assert_eq!(
        message(|| registry.assert_not_counted("c_total", &[("a", "y")])),
        "Expected c_total{a=\"y\"} to have been counted by 0, but it was counted by 1.

c_total has:
  c_total{a=\"y\"} 1
  c_total{a=\"x\"} 1"
    );
    Ok(())
}

#[test]
fn a_mock_registry_can_watch_an_existing_registry() -> Outcome {
    let registry = Arc::new(populated()?);
    let watched = MockRegistry::of(Arc::clone(&registry));
    watched.assert_not_counted("http_requests_total", &[]);
    registry.counter_vec("http_requests_total", "R", &["method", "status"])?.with(&["GET", "200"])?.inc();
    watched.assert_counted("http_requests_total", &[], 1.0);
    let gauge = registry.gauge("started", "S")?;
    watched.clock().set(Duration::from_secs(60));
    gauge.set_to_current_time();
    watched.assert_gauge("started", &[], 60.0);
    drop(watched);
    gauge.set_to_current_time();
    assert!(gauge.value() > 1.7e9, "the registry's time runs again");
    Ok(())
}

#[test]
fn a_mock_clock_stands_until_it_is_advanced_or_dropped() {
    let mock = MockClock::at(Duration::from_secs(100));
    let clock = mock.clock();
    let stopped = clock.now();
    mock.advance(Duration::from_millis(1));
    assert_eq!(
        (mock.unix_now(), clock.now() - stopped),
        (Duration::from_millis(100_001), Duration::from_millis(1))
    );
    mock.set(Duration::ZERO);
    assert_eq!((mock.unix_now(), clock.now() - stopped), (Duration::ZERO, Duration::from_millis(1)));
    drop(mock);
    let running = clock.now();
    while clock.now() == running {}
    assert!(clock.unix_now() > Duration::from_secs(1_700_000_000));
    let now = Clock::new().unix_now();
    assert!(MockClock::new().unix_now().abs_diff(now) < Duration::from_secs(60));
}
