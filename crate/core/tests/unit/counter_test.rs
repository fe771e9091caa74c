//! Tests counters: they only increase, and concurrent increments are not lost.

use crate::{Outcome, on_threads, openmetrics, refusal, text};
use prometheus_metrics::slab::CELLS_PER_SLAB;
use prometheus_metrics::{Counter, CounterVec, ErrorKind, Metric, Registry};

#[test]
fn test_counter_increment() -> Outcome {
    let registry = Registry::new();
    let counter = registry.counter("c_total", "C")?;
    assert_eq!(text(&registry), "# HELP c_total C\n# TYPE c_total counter\nc_total 0\n");
    counter.inc();
    counter.inc();
    counter.clone().inc();
    assert_eq!(text(&registry), "# HELP c_total C\n# TYPE c_total counter\nc_total 3\n");
    Ok(())
}

#[test]
fn test_counter_increment_by() -> Outcome {
    let registry = Registry::new();
    let counter = registry.counter("c_total", "C")?;
    for value in [0.5, 0.0, -0.0, 41.0, f64::MIN_POSITIVE] {
        counter.add(value)?;
    }
    assert_eq!(text(&registry), "# HELP c_total C\n# TYPE c_total counter\nc_total 41.5\n");
    Ok(())
}

#[test]
fn test_counter_get_value() -> Outcome {
    let counter = Counter::new("c_total", "C")?;
    assert_eq!(counter.value(), 0.0);
    counter.add(2.5)?;
    assert_eq!((counter.value(), counter.clone().value()), (2.5, 2.5));
    let counters = CounterVec::new("d_total", "D", &["x"])?;
    assert_eq!(counters.value(&["a"]), None, "reading does not make a series");
    counters.with(&["a"])?.inc();
    assert_eq!((counters.value(&["a"]), counters.value(&["b"])), (Some(1.0), None));
    Ok(())
}

#[test]
fn test_counter_negative_increment_error() -> Outcome {
    let counter = Counter::new("c_total", "C")?;
    counter.inc();
    let negative = (ErrorKind::NegativeIncrement, "It is not possible to decrease a counter".to_owned());
    for value in [-1.0, -f64::MIN_POSITIVE, f64::NEG_INFINITY] {
        assert_eq!(refusal(counter.add(value)), negative, "{value}");
    }
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let expected = (ErrorKind::InvalidValue, format!("Value is not a valid number: {shown}"));
        assert_eq!(refusal(counter.add(value)), expected);
    }
    assert_eq!(counter.value(), 1.0, "a rejected value changes nothing");
    Ok(())
}

#[test]
fn test_counter_vec_with_labels() -> Outcome {
    let registry = Registry::new();
    let counters = registry.counter_vec("c_total", "C", &["method", "status"])?;
    counters.with(&["GET", "200"])?.inc();
    counters.with(&["GET", "200"])?.add(2.0)?;
    assert_eq!(
        text(&registry),
        "# HELP c_total C\n# TYPE c_total counter\nc_total{method=\"GET\",status=\"200\"} 3\n"
    );
    let expected = (
        ErrorKind::LabelCount,
        "Invalid number of arguments (1): \"GET\" for label names (2): \"method, status\".".to_owned(),
    );
    assert_eq!(refusal(counters.with(&["GET"])), expected);
    assert_eq!(refusal(counters.remove(&["GET"])), expected);
    assert_eq!(refusal(counters.with(&["GET", "200", "x"])).0, ErrorKind::LabelCount);
    assert_eq!(
        refusal(registry.counter_vec("d_total", "D", &["x", "x"])),
        (ErrorKind::InvalidLabelName, "Invalid label name: x (given twice to d_total)".to_owned())
    );
    Ok(())
}

#[test]
fn test_counter_vec_different_labels() -> Outcome {
    let registry = Registry::new();
    let counters = registry.counter_vec("c_total", "C", &["a", "b"])?;
    // Some of these pairs are equal if the values are simply concatenated.
    for (at, values) in
        [["x", "yz"], ["xy", "z"], ["xyz", ""], ["", "xyz"], ["x\u{ff}", "y"], ["x", "\u{ff}y"]]
            .iter()
            .enumerate()
    {
        counters.with(values)?.add(f64::from(u32::try_from(at)?) + 1.0)?;
    }
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{a=\"x\",b=\"yz\"} 1
c_total{a=\"xy\",b=\"z\"} 2
c_total{a=\"xyz\"} 3
c_total{b=\"xyz\"} 4
c_total{a=\"x\u{ff}\",b=\"y\"} 5
c_total{a=\"x\",b=\"\u{ff}y\"} 6
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_counter_vec_cardinality() -> Outcome {
    let registry = Registry::new();
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    assert_eq!(counters.series_count(), 0);
    for value in 0..300 {
        counters.with(&[&value.to_string()])?.inc();
        counters.with(&[&value.to_string()])?.inc();
    }
    assert_eq!(counters.series_count(), 300);
    // Removing more than half of the series makes the table shrink. The others keep their order and their values.
    for value in 0..297 {
        assert!(counters.remove(&[&value.to_string()])?);
        assert!(!counters.remove(&[&value.to_string()])?, "it is already removed");
    }
    let held = counters.with(&["299"])?;
    assert!(counters.remove(&["299"])?);
    counters.with(&["0"])?.inc();
    held.add(100.0)?;
    assert_eq!(counters.series_count(), 3);
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"297\"} 2
c_total{x=\"298\"} 2
c_total{x=\"0\"} 1
";
    assert_eq!(text(&registry), expected);

    // The cells of removed series are used again, so memory does not grow when label sets come and go.
    let cells = counters.family().cells();
    let before = cells.slab_count();
    for _ in 0..16 * CELLS_PER_SLAB {
        counters.with(&["short-lived"])?.inc();
        assert!(counters.remove(&["short-lived"])?);
    }
    assert!(cells.slab_count() < before + 8, "{} slabs from {before}", cells.slab_count());
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn test_counter_serialization() -> Outcome {
    let registry = Registry::new();
    registry.counter("plain_total", "Plain")?.add(1e21)?;
    registry.counter_vec("labelled_total", "Labelled", &["path"])?.with(&["/\"a\\b\"\n"])?.add(0.1)?;
    let expected = "\
# HELP plain_total Plain
# TYPE plain_total counter
plain_total 1e+21

# HELP labelled_total Labelled
# TYPE labelled_total counter
labelled_total{path=\"/\\\"a\\\\b\\\"\\n\"} 0.1
";
    assert_eq!(text(&registry), expected);
    let expected = "\
# HELP plain Plain
# TYPE plain counter
plain_total 1e+21
# HELP labelled Labelled
# TYPE labelled counter
labelled_total{path=\"/\\\"a\\\\b\\\"\\n\"} 0.1
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    Ok(())
}

#[test]
fn test_counter_concurrent_increment() -> Outcome {
    const THREADS: usize = 8;
    let registry = Registry::new();
    let counter = registry.counter("c_total", "C")?;
    let counters = registry.counter_vec("d_total", "D", &["x"])?;
    on_threads(THREADS, |_| {
        for turn in 0..100_000 {
            counter.inc();
            counter.add(0.5).expect("a positive number");
            // All threads ask for each new label set at about the same time.
            if turn % 25 == 0 {
                counters.with(&[&turn.to_string()]).expect("one value for one label").inc();
            }
        }
    });
    assert_eq!(counter.value(), 1_200_000.0);
    let out = text(&registry);
    let mut lines: Vec<&str> = out.lines().filter(|line| line.starts_with("d_total{")).collect();
    lines.sort_unstable();
    let mut expected: Vec<String> =
        (0..100_000).step_by(25).map(|turn| format!("d_total{{x=\"{turn}\"}} {THREADS}")).collect();
    expected.sort();
    assert_eq!(lines, expected);
    Ok(())
}
