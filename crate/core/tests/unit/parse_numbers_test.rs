//! Tests numbers of expositions that a double cannot hold exactly, and timestamps: they are compared as written.

use prometheus_metrics::testing::{Dialect, parse};

/// The message of the parser, or nothing if it accepts the lines.
fn refusal(lines: &str) -> Option<String> {
    parse(&format!("{lines}\n# EOF\n"), Dialect::OpenMetrics).err().map(|error| error.message)
}

/// A histogram with two buckets, whose count is that of the last one.
fn buckets(first: &str, last: &str) -> Option<String> {
    let head = "# TYPE a histogram\n";
    refusal(&format!(
        "{head}a_bucket{{le=\"1.0\"}} {first}\na_bucket{{le=\"+Inf\"}} {last}\na_count {last}\na_sum 1"
    ))
}

/// Two samples of one series, one after the other.
fn stamps(first: &str, second: &str) -> Option<String> {
    refusal(&format!("# TYPE a gauge\na 1 {first}\na 2 {second}"))
}

const NOT_CUMULATIVE: &str = "Expected cumulative buckets in the histogram \"a\"";

#[test]
fn counts_that_are_the_same_double_are_compared_exactly() {
    // 2^53 and 2^53 + 1 are one double; so are integers of twenty digits that differ in the last.
    for (less, more) in [
        ("9007199254740992", "9007199254740993"),
        ("9223372036854775807", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551616"),
        ("99999999999999999998", "99999999999999999999"),
        ("99999999999999999999", "100000000000000000000"),
        ("9007199254740992", "9007199254740992.0"),
        ("9007199254740992.0", "9007199254740993"),
    ] {
        assert_eq!(buckets(less, more), None, "{less} then {more}");
    }
    for (more, less) in [
        ("9007199254740993", "9007199254740992"),
        ("9223372036854775808", "9223372036854775807"),
        ("99999999999999999999", "99999999999999999998"),
        ("100000000000000000000", "99999999999999999999"),
        ("9007199254740993", "9007199254740992.0"),
    ] {
        assert_eq!(buckets(more, less).as_deref(), Some(NOT_CUMULATIVE), "{more} then {less}");
    }
}

#[test]
fn timestamps_are_compared_to_the_nanosecond() {
    for (first, second) in [
        ("1", "2"),
        ("1.5", "1.500000001"),
        ("1520879607.789", "1520879607.79"),
        ("-2", "-1"),
        ("-1.5", "-1.25"),
        ("99999999999999999998", "99999999999999999999"),
        ("1e3", "2e3"),
    ] {
        assert_eq!(stamps(first, second), None, "{first} then {second}");
    }
    let head = "# TYPE a gauge\n";
    for (first, second) in [("2", "1"), ("1.500000001", "1.5"), ("-1", "-2"), ("2e3", "1e3"), ("1", "1e3")] {
        assert!(stamps(first, second).is_some(), "{first} then {second}");
    }
    for text in ["NaN", "+Inf", "1_0", "soon", "1.5.5"] {
        let message = refusal(&format!("{head}a 1 {text}"));
        assert_eq!(message, Some(format!("Expected a timestamp in seconds but received \"{text}\"")));
    }
}

#[test]
fn underscores_in_a_bound_must_be_between_digits() {
    let bound = |text: &str| {
        refusal(&format!(
            "# TYPE a histogram\na_bucket{{le=\"{text}\"}} 1\na_bucket{{le=\"+Inf\"}} 1\na_count 1\na_sum 1"
        ))
    };
    assert_eq!(bound("1_000.0"), None);
    for text in ["_1.0", "1_.0", "1__0.0", "1.0_"] {
        assert!(bound(text).is_some(), "{text}");
    }
}
