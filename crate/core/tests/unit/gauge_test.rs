//! Tests gauges: they show the value that was set last, and increase and decrease from it.

use crate::{Outcome, on_threads, openmetrics, refusal, text};
use prometheus_metrics::{ErrorKind, Gauge, Registry};
use std::time::{SystemTime, UNIX_EPOCH};

/// A registry with one gauge `g`.
fn with_gauge() -> prometheus_metrics::Result<(Registry, Gauge)> {
    let registry = Registry::new();
    let gauge = registry.gauge("g", "G")?;
    Ok((registry, gauge))
}

/// The exposition of `g` with this value.
fn shown(value: &str) -> String {
    format!("# HELP g G\n# TYPE g gauge\ng {value}\n")
}

#[test]
fn test_gauge_set() -> Outcome {
    let (registry, gauge) = with_gauge()?;
    assert_eq!(text(&registry), shown("0"));
    gauge.set(3.25);
    gauge.clone().set(7.5);
    assert_eq!(text(&registry), shown("7.5"));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE] {
        gauge.set(value);
        assert_eq!(gauge.value().to_bits(), value.to_bits());
    }
    Ok(())
}

#[test]
fn test_gauge_inc() -> Outcome {
    let (registry, gauge) = with_gauge()?;
    gauge.set(0.5);
    gauge.inc();
    gauge.inc();
    assert_eq!(text(&registry), shown("2.5"));
    Ok(())
}

#[test]
fn test_gauge_dec() -> Outcome {
    let (registry, gauge) = with_gauge()?;
    gauge.set(0.5);
    gauge.dec();
    gauge.dec();
    assert_eq!(text(&registry), shown("-1.5"));
    Ok(())
}

#[test]
fn test_gauge_add() -> Outcome {
    let (registry, gauge) = with_gauge()?;
    gauge.add(2.0);
    gauge.add(-0.5);
    assert_eq!(text(&registry), shown("1.5"));
    Ok(())
}

#[test]
fn test_gauge_sub() -> Outcome {
    let (registry, gauge) = with_gauge()?;
    gauge.sub(2.0);
    gauge.sub(-0.5);
    assert_eq!(text(&registry), shown("-1.5"));
    Ok(())
}

#[test]
fn test_gauge_set_to_current_time() -> Outcome {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs_f64());
    let registry = Registry::new();
    let gauge = registry.gauge("g_timestamp_seconds", "G")?;
    let before = now()?;
    gauge.set_to_current_time();
    let after = now()?;
    let value = gauge.value();
    assert!((before..=after).contains(&value), "{before} <= {value} <= {after}");
    let expected = format!(
        "# HELP g_timestamp_seconds G\n# TYPE g_timestamp_seconds gauge\ng_timestamp_seconds {value}\n"
    );
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_gauge_vec_with_labels() -> Outcome {
    let registry = Registry::new();
    let gauges = registry.gauge_vec("g", "G", &["host", "disk"])?;
    let gone = gauges.with(&["b", "sda"])?;
    gauges.with(&["a", "sda"])?.set(1.0);
    gauges.with(&["a", ""])?.set(2.0);
    gone.set(3.0);
    gauges.with(&["a", "sda"])?.inc();
    assert!(gauges.remove(&["b", "sda"])?);
    gone.set(4.0);
    assert!(!gauges.remove(&["b", "sda"])?);
    let expected = "\
# HELP g G
# TYPE g gauge
g{host=\"a\",disk=\"sda\"} 2
g{host=\"a\"} 2
";
    assert_eq!(text(&registry), expected);
    assert_eq!(
        refusal(gauges.with(&["a"])),
        (
            ErrorKind::LabelCount,
            "Invalid number of arguments (1): \"a\" for label names (2): \"host, disk\".".to_owned()
        )
    );
    Ok(())
}

#[test]
fn test_gauge_negative_values() -> Outcome {
    let (registry, gauge) = with_gauge()?;
    gauge.set(-273.15);
    assert_eq!(text(&registry), shown("-273.15"));
    gauge.set(-0.0);
    assert_eq!(text(&registry), shown("0"), "-0 is printed as in JavaScript");
    gauge.set(-9e15);
    assert_eq!(text(&registry), shown("-9000000000000000"));
    Ok(())
}

#[test]
fn test_gauge_serialization() -> Outcome {
    let registry = Registry::new();
    registry.gauge("up", "Up")?.set(1.0);
    registry.gauge_vec("temperature", "Degrees", &["room"])?.with(&["attic"])?.set(21.5);
    let expected = "\
# HELP up Up
# TYPE up gauge
up 1

# HELP temperature Degrees
# TYPE temperature gauge
temperature{room=\"attic\"} 21.5
";
    assert_eq!(text(&registry), expected);
    let expected = "\
# HELP up Up
# TYPE up gauge
up 1
# HELP temperature Degrees
# TYPE temperature gauge
temperature{room=\"attic\"} 21.5
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    Ok(())
}

#[test]
fn test_gauge_concurrent_updates() -> Outcome {
    const THREADS: usize = 8;
    let gauge = Gauge::new("g", "G")?;
    let registry = Registry::new();
    registry.register(&gauge)?;
    gauge.set(10.0);
    on_threads(THREADS, |number| {
        for _ in 0..100_000 {
            if number % 2 == 0 {
                gauge.inc();
                gauge.add(2.0);
            } else {
                gauge.dec();
                gauge.sub(1.5);
            }
        }
    });
    assert_eq!(text(&registry), shown("200010"));
    Ok(())
}
