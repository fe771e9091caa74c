//! Tests label names and values: which ones are valid, how they are escaped, and the optional stricter rules.

use crate::{Outcome, refusal, text};
use prometheus_metrics::labels::{LabelName, MetricName};
use prometheus_metrics::{CounterVec, ErrorKind, LabelSet, Registry, RegistryConfig, Strictness};

/// The exposition of a counter whose label `x` has this value.
fn with_value(value: &str) -> prometheus_metrics::Result<String> {
    let registry = Registry::new();
    registry.counter_vec("c", "C", &["x"])?.with(&[value])?.inc();
    Ok(text(&registry))
}

/// The error for an invalid label name.
fn invalid_label_name(name: &str) -> (ErrorKind, String) {
    let message = format!("At least one label name is invalid: {name}");
    (ErrorKind::InvalidLabelName, message)
}

#[test]
fn test_valid_label_name() -> Outcome {
    for name in ["a", "Z", "_", "__", "method", "status_code", "a1", "_1", "__a", "camelCase"] {
        assert_eq!(LabelName::new(name)?.as_str(), name);
        assert_eq!(LabelName::new(name)?.to_string(), name);
    }
    // A colon is for the names of recording rules, so it is valid in metric names only.
    assert_eq!(MetricName::new("job:requests:rate5m")?.as_str(), "job:requests:rate5m");
    assert_eq!(refusal(LabelName::new("a:b")), invalid_label_name("a:b"));
    let names = ["a", "Z", "_", "a1"];
    let registry = Registry::new();
    registry.counter_vec("c", "C", &names)?.with(&["1", "2", "3", "4"])?.inc();
    assert_eq!(text(&registry), "# HELP c C\n# TYPE c counter\nc{a=\"1\",Z=\"2\",_=\"3\",a1=\"4\"} 1\n");
    Ok(())
}

#[test]
fn test_label_name_of_the_metric_name_is_reserved() {
    let reserved = (ErrorKind::InvalidLabelName, "__name__ is a reserved label keyword".to_owned());
    assert_eq!(refusal(LabelName::new("__name__")), reserved);
    assert_eq!(refusal(CounterVec::new("c", "C", &["ok", "__name__"])), reserved);
    assert_eq!(refusal(LabelSet::new([("__name__", "x")])), reserved);
}

#[test]
fn test_invalid_label_name_starts_with_digit() {
    for name in ["1", "1a", "0_", "9method"] {
        assert_eq!(refusal(LabelName::new(name)), invalid_label_name(name));
        assert_eq!(refusal(CounterVec::new("c", "C", &["ok", name])), invalid_label_name(name));
        assert_eq!(refusal(LabelSet::new([("ok", ""), (name, "")])), invalid_label_name(name));
        assert_eq!(refusal(MetricName::new(name)).0, ErrorKind::InvalidMetricName);
    }
}

#[test]
fn test_invalid_label_name_reserved_prefix() -> Outcome {
    let name = LabelName::new("__name")?;
    let reserved = (
        ErrorKind::InvalidLabelName,
        "Expected a label name without the reserved prefix __ but received \"__name\"".to_owned(),
    );
    assert_eq!(Strictness::default().check_name(&name), Ok(()), "the rule is off by default");
    let mut strictness = Strictness::default();
    strictness.reserved_prefix = true;
    assert_eq!(refusal(strictness.check_name(&name)), reserved);
    assert_eq!(strictness.check_name(&LabelName::new("_name__")?), Ok(()));
    let registry = Registry::with_config(RegistryConfig::default().strictness(strictness))?;
    assert_eq!(refusal(registry.counter_vec("c", "C", &["ok", "__name"])), reserved);
    assert_eq!(text(&registry), "\n");
    Registry::new().counter_vec("c", "C", &["__name"])?;
    Ok(())
}

#[test]
fn test_invalid_label_name_special_chars() {
    let names =
        ["", " ", "a b", "a-b", "a.b", "a:b", "a\n", "a\0", "a\"", "é", "aé", "a\u{200b}", "a{", "a=", "名"];
    for name in names {
        assert_eq!(refusal(LabelName::new(name)), invalid_label_name(name));
        assert_eq!(refusal(CounterVec::new("c", "C", &[name])), invalid_label_name(name));
    }
}

#[test]
fn test_label_value_escaping_quotes() -> Outcome {
    let expected = "# HELP c C\n# TYPE c counter\nc{x=\"\\\"say \\\"hi\\\"\\\"\"} 1\n";
    assert_eq!(with_value("\"say \"hi\"\"")?, expected);
    Ok(())
}

#[test]
fn test_label_value_escaping_backslash() -> Outcome {
    let expected = "# HELP c C\n# TYPE c counter\nc{x=\"C:\\\\new\\\\\"} 1\n";
    assert_eq!(with_value("C:\\new\\")?, expected);
    Ok(())
}

#[test]
fn test_label_value_escaping_newline() -> Outcome {
    let expected = "# HELP c C\n# TYPE c counter\nc{x=\"\\nline\\n\\nline\"} 1\n";
    assert_eq!(with_value("\nline\n\nline")?, expected);
    // Only LF ends a line of an exposition, so no other control character is escaped.
    let expected = "# HELP c C\n# TYPE c counter\nc{x=\"a\tb\r\0c\"} 1\n";
    assert_eq!(with_value("a\tb\r\0c")?, expected);
    Ok(())
}

#[test]
fn test_label_value_unicode() -> Outcome {
    for value in ["ünïcode", "日本語", "🦀", "e\u{301}", "\u{2028}", "\u{feff}", "\u{10ffff}"] {
        assert_eq!(with_value(value)?, format!("# HELP c C\n# TYPE c counter\nc{{x=\"{value}\"}} 1\n"));
    }
    // The composed and the decomposed form look the same but are two label values.
    let registry = Registry::new();
    let counters = registry.counter_vec("c", "C", &["x"])?;
    counters.with(&["é"])?.inc();
    counters.with(&["e\u{301}"])?.inc();
    assert_eq!(text(&registry), "# HELP c C\n# TYPE c counter\nc{x=\"é\"} 1\nc{x=\"e\u{301}\"} 1\n");
    Ok(())
}

#[test]
fn test_label_value_empty() -> Outcome {
    assert_eq!(
        with_value("")?,
        "# HELP c C\n# TYPE c counter\nc 1\n",
        "an empty label is the same as a missing one"
    );
    let registry = Registry::new();
    let counters = registry.counter_vec("c", "C", &["a", "b", "d"])?;
    counters.with(&["", "1", ""])?.inc();
    counters.with(&["", "1", ""])?.inc();
    assert_eq!(text(&registry), "# HELP c C\n# TYPE c counter\nc{b=\"1\"} 2\n");

    let set = LabelSet::new([("b", "1"), ("a", ""), ("d", "")])?;
    assert_eq!(set, LabelSet::new([("b", "1")])?);
    assert_eq!((set.len(), set.is_empty(), set.get("b"), set.get("a")), (1, false, "1", ""));
    let listed: Vec<(&str, &str)> = set.iter().map(|(name, value)| (name.as_str(), value)).collect();
    assert_eq!(listed, [("b", "1")]);
    assert!(LabelSet::new([("a", "")])?.is_empty());
    // The order of labels does not matter. A label that is given twice is an error.
    assert_eq!(LabelSet::new([("a", "1"), ("b", "2")])?, LabelSet::new([("b", "2"), ("a", "1")])?);
    assert_ne!(LabelSet::new([("a", "1"), ("b", "2")])?, LabelSet::new([("a", "2"), ("b", "1")])?);
    assert_eq!(
        refusal(LabelSet::new([("a", "1"), ("b", "2"), ("a", "")])),
        (ErrorKind::InvalidLabelName, "Expected each label once but received \"a\" twice".to_owned())
    );
    Ok(())
}

#[test]
fn test_label_value_max_length() -> Outcome {
    let mut strictness = Strictness::default();
    strictness.max_value_bytes = Some(8);
    let registry = Registry::with_config(RegistryConfig::default().strictness(strictness))?;
    let counters = registry.counter_vec("c", "C", &["a", "b"])?;
    counters.with(&["12345678", "éééé"])?.inc();
    let expected = "# HELP c C\n# TYPE c counter\nc{a=\"12345678\",b=\"éééé\"} 1\n";
    assert_eq!(text(&registry), expected);
    for (value, bytes) in [("123456789", 9), ("ééééé", 10)] {
        let message = format!("Expected at most 8 bytes for the value of label \"b\" but received {bytes}");
        assert_eq!(refusal(counters.with(&["", value])), (ErrorKind::InvalidLabelValue, message));
    }
    assert_eq!(text(&registry), expected, "a rejected value makes no series");

    let long = "x".repeat(1 << 20);
    let expected = format!("# HELP c C\n# TYPE c counter\nc{{x=\"{long}\"}} 1\n");
    assert_eq!(with_value(&long)?, expected, "the length is not limited by default");
    Ok(())
}
