//! Tests histograms: an observation is added to one bucket and to the sum, and buckets are shown cumulatively.

use crate::{Outcome, on_threads, openmetrics, refusal, text};
use prometheus_metrics::registry::DEFAULT_BUCKETS;
use prometheus_metrics::{ErrorKind, Histogram, HistogramVec, Registry};
use std::time::Duration;

/// A registry with one histogram `h` with these bounds.
fn with_histogram(buckets: &[f64]) -> prometheus_metrics::Result<(Registry, Histogram)> {
    let registry = Registry::new();
    let histogram = Histogram::with_buckets("h", "H", buckets)?;
    registry.register(&histogram)?;
    Ok((registry, histogram))
}

#[test]
fn test_histogram_observe() -> Outcome {
    let (registry, histogram) = with_histogram(&[1.0, 2.0])?;
    histogram.observe(1.5)?;
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"1\"} 0
h_bucket{le=\"2\"} 1
h_bucket{le=\"+Inf\"} 1
h_sum 1.5
h_count 1
";
    assert_eq!(text(&registry), expected);
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let refused = (ErrorKind::InvalidValue, format!("Value is not a valid number: {shown}"));
        assert_eq!(refusal(histogram.observe(value)), refused);
    }
    assert_eq!(text(&registry), expected, "a rejected value changes nothing");
    Ok(())
}

#[test]
fn test_histogram_observe_multiple() -> Outcome {
    let (registry, histogram) = with_histogram(&[1.0, 2.0, 4.0])?;
    for value in [0.5, 3.0, 1.5, 0.25, 8.0, 3.5, -1.0] {
        histogram.observe(value)?;
    }
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"1\"} 3
h_bucket{le=\"2\"} 4
h_bucket{le=\"4\"} 6
h_bucket{le=\"+Inf\"} 7
h_sum 15.75
h_count 7
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_histogram_custom_buckets() -> Outcome {
    let (registry, histogram) = with_histogram(&[-2.5, 0.0, 1e-7, 1e6, 1e21])?;
    histogram.observe(-3.0)?;
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"-2.5\"} 1
h_bucket{le=\"0\"} 1
h_bucket{le=\"1e-7\"} 1
h_bucket{le=\"1000000\"} 1
h_bucket{le=\"1e+21\"} 1
h_bucket{le=\"+Inf\"} 1
h_sum -3
h_count 1
";
    assert_eq!(text(&registry), expected);
    for (buckets, shown) in [
        (&[2.0, 1.0][..], "[2.0, 1.0]"),
        (&[1.0, 1.0], "[1.0, 1.0]"),
        (&[1.0, f64::NAN], "[1.0, NaN]"),
        (&[f64::NAN], "[NaN]"),
        (&[f64::NEG_INFINITY, 1.0], "[-inf, 1.0]"),
        (&[f64::INFINITY, f64::INFINITY], "[inf, inf]"),
        (&[f64::INFINITY, 1.0], "[inf, 1.0]"),
    ] {
        let message =
            format!("Expected finite numbers in ascending order for the buckets of h but received {shown}");
        assert_eq!(refusal(Histogram::with_buckets("h", "H", buckets)), (ErrorKind::InvalidBuckets, message));
    }
    assert_eq!(
        refusal(HistogramVec::new("h", "H", &["le"], &[1.0])),
        (ErrorKind::InvalidLabelName, "le is a reserved label keyword".to_owned())
    );
    Ok(())
}

#[test]
fn test_histogram_default_buckets() -> Outcome {
    let registry = Registry::new();
    registry.histogram("h", "H")?.observe(0.3)?;
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"0.005\"} 0
h_bucket{le=\"0.01\"} 0
h_bucket{le=\"0.025\"} 0
h_bucket{le=\"0.05\"} 0
h_bucket{le=\"0.1\"} 0
h_bucket{le=\"0.25\"} 0
h_bucket{le=\"0.5\"} 1
h_bucket{le=\"1\"} 1
h_bucket{le=\"2.5\"} 1
h_bucket{le=\"5\"} 1
h_bucket{le=\"10\"} 1
h_bucket{le=\"+Inf\"} 1
h_sum 0.3
h_count 1
";
    assert_eq!(text(&registry), expected);
    let own = Registry::new();
    let histogram = Histogram::new("h", "H")?;
    histogram.observe(0.3)?;
    own.register(&histogram)?;
    assert_eq!(text(&own), expected);
    // The default bounds written out are the same as no bounds.
    registry.histogram_vec("h", "H", &[], &DEFAULT_BUCKETS)?;
    Ok(())
}

#[test]
fn test_histogram_sum_count() -> Outcome {
    let (registry, histogram) = with_histogram(&[1.0])?;
    assert_eq!((histogram.count(), histogram.sum()), (0.0, 0.0));
    histogram.observe(0.1)?;
    histogram.observe(0.2)?;
    histogram.clone().observe_duration(Duration::from_millis(1500));
    assert_eq!((histogram.count(), histogram.sum()), (3.0, 0.1 + 0.2 + 1.5));
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"1\"} 2
h_bucket{le=\"+Inf\"} 3
h_sum 1.8
h_count 3
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_histogram_vec_with_labels() -> Outcome {
    let registry = Registry::new();
    let histograms = registry.histogram_vec("h", "H", &["route"], &[1.0])?;
    histograms.with(&["/b"])?.observe(2.0)?;
    histograms.with(&["/a"])?.observe(0.5)?;
    histograms.with(&["/b"])?.observe(0.5)?;
    histograms.with(&[""])?;
    let b = "\
h_bucket{le=\"1\",route=\"/b\"} 1
h_bucket{le=\"+Inf\",route=\"/b\"} 2
h_sum{route=\"/b\"} 2.5
h_count{route=\"/b\"} 2
";
    let rest = "\
h_bucket{le=\"1\",route=\"/a\"} 1
h_bucket{le=\"+Inf\",route=\"/a\"} 1
h_sum{route=\"/a\"} 0.5
h_count{route=\"/a\"} 1
h_bucket{le=\"1\"} 0
h_bucket{le=\"+Inf\"} 0
h_sum 0
h_count 0
";
    let head = "# HELP h H\n# TYPE h histogram\n";
    assert_eq!(text(&registry), format!("{head}{b}{rest}"));
    assert!(histograms.remove(&["/b"])?);
    assert!(!histograms.remove(&["/b"])?);
    assert_eq!(text(&registry), format!("{head}{rest}"));
    assert_eq!(refusal(histograms.with(&["a", "b"])).0, ErrorKind::LabelCount);
    Ok(())
}

#[test]
fn test_histogram_bucket_boundaries() -> Outcome {
    let (registry, histogram) = with_histogram(&[-1.0, 0.0, 0.1, 1.0])?;
    // A value equal to a bound is in the bucket of that bound; the next larger number is in the next bucket.
    for bound in [-1.0, 0.0, 0.1, 1.0_f64] {
        histogram.observe(bound)?;
        histogram.observe(bound.next_up())?;
    }
    histogram.observe(-0.0)?;
    let expected = format!(
        "\
# HELP h H
# TYPE h histogram
h_bucket{{le=\"-1\"}} 1
h_bucket{{le=\"0\"}} 4
h_bucket{{le=\"0.1\"}} 6
h_bucket{{le=\"1\"}} 8
h_bucket{{le=\"+Inf\"}} 9
h_sum {}
h_count 9
",
        histogram.sum()
    );
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_histogram_inf_bucket() -> Outcome {
    // Every histogram has a bucket +Inf, so naming it changes nothing.
    let (registry, histogram) = with_histogram(&[1.0, f64::INFINITY])?;
    histogram.observe(1.0)?;
    histogram.observe(f64::MAX)?;
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"1\"} 1
h_bucket{le=\"+Inf\"} 2
h_sum 1.7976931348623157e+308
h_count 2
";
    assert_eq!(text(&registry), expected);
    let (registry, histogram) = with_histogram(&[f64::INFINITY])?;
    histogram.observe(5.0)?;
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"+Inf\"} 1
h_sum 5
h_count 1
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_histogram_serialization() -> Outcome {
    let registry = Registry::new();
    let latency =
        registry.histogram_vec("latency_seconds", "Latency", &["method"], &[0.00001, 0.5, 1.0, 2e6])?;
    latency.with(&["GET"])?.observe(0.75)?;
    let drift = Histogram::with_buckets("drift", "Drift", &[-1.0, 1.0])?;
    drift.observe(-2.0)?;
    registry.register(&drift)?;
    let expected = "\
# HELP latency_seconds Latency
# TYPE latency_seconds histogram
latency_seconds_bucket{le=\"0.00001\",method=\"GET\"} 0
latency_seconds_bucket{le=\"0.5\",method=\"GET\"} 0
latency_seconds_bucket{le=\"1\",method=\"GET\"} 1
latency_seconds_bucket{le=\"2000000\",method=\"GET\"} 1
latency_seconds_bucket{le=\"+Inf\",method=\"GET\"} 1
latency_seconds_sum{method=\"GET\"} 0.75
latency_seconds_count{method=\"GET\"} 1

# HELP drift Drift
# TYPE drift histogram
drift_bucket{le=\"-1\"} 1
drift_bucket{le=\"1\"} 1
drift_bucket{le=\"+Inf\"} 1
drift_sum -2
drift_count 1
";
    assert_eq!(text(&registry), expected);
    // OpenMetrics writes bounds in another form, and forbids a sum that could decrease.
    let expected = "\
# HELP latency_seconds Latency
# TYPE latency_seconds histogram
latency_seconds_bucket{le=\"1e-05\",method=\"GET\"} 0
latency_seconds_bucket{le=\"0.5\",method=\"GET\"} 0
latency_seconds_bucket{le=\"1.0\",method=\"GET\"} 1
latency_seconds_bucket{le=\"2e+06\",method=\"GET\"} 1
latency_seconds_bucket{le=\"+Inf\",method=\"GET\"} 1
latency_seconds_sum{method=\"GET\"} 0.75
latency_seconds_count{method=\"GET\"} 1
# HELP drift Drift
# TYPE drift histogram
drift_bucket{le=\"-1.0\"} 1
drift_bucket{le=\"1.0\"} 1
drift_bucket{le=\"+Inf\"} 1
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    Ok(())
}

#[test]
fn test_histogram_concurrent_observe() -> Outcome {
    const THREADS: usize = 8;
    let (registry, histogram) = with_histogram(&[1.0, 2.0])?;
    on_threads(THREADS, |_| {
        for value in [0.5, 1.5, 2.5, 1.0].into_iter().cycle().take(100_000) {
            histogram.observe(value).expect("a finite number");
        }
    });
    let expected = "\
# HELP h H
# TYPE h histogram
h_bucket{le=\"1\"} 400000
h_bucket{le=\"2\"} 600000
h_bucket{le=\"+Inf\"} 800000
h_sum 1100000
h_count 800000
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_histogram_timer() -> Outcome {
    let (_registry, histogram) = with_histogram(&[1.0])?;
    let pause = Duration::from_millis(5);
    let timer = histogram.start_timer();
    std::thread::sleep(pause);
    let stopped = timer.stop();
    assert!(stopped >= pause.as_secs_f64());
    assert_eq!(
        (histogram.count(), histogram.sum()),
        (1.0, stopped),
        "one observation, although the timer was also dropped"
    );
    drop(histogram.start_timer());
    assert_eq!(histogram.count(), 2.0);
    assert!(histogram.sum() > stopped);
    Ok(())
}

#[test]
fn test_histogram_kept_after_removal() -> Outcome {
    // No other family here has series of this width, so the next series would get cells that were freed too early.
    let bounds: Vec<f64> = (0..37).map(f64::from).collect();
    let registry = Registry::new();
    let histograms = registry.histogram_vec("h", "H", &["x"], &bounds)?;
    let kept = histograms.with(&["a"])?;
    assert!(histograms.remove(&["a"])?);
    let next = histograms.with(&["b"])?;
    kept.observe(1.0)?;
    assert_eq!((next.count(), next.sum()), (0.0, 0.0));
    assert_eq!(kept.count(), 1.0);
    // After the last handle is dropped, the cells are used again, and start at 0.
    drop(kept);
    let again = histograms.with(&["a"])?;
    assert_eq!((again.count(), again.sum()), (0.0, 0.0));
    Ok(())
}
