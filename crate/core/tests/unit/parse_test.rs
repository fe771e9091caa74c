//! Tests the parser of expositions: complete results, and errors with line and column. The agreement with Python's
//! parser is tested in `__test__/judges`.

use crate::{Outcome, openmetrics, text};
use prometheus_metrics::testing::{
    Dialect, FamilyKind, ParseError, ParsedExemplar, ParsedFamily, ParsedNativeHistogram, ParsedSample,
    parse, parse_strict,
};
use prometheus_metrics::{Format, Registry};

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> ParsedSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (timestamp, start, exemplar, native_histogram) = (None, None, None, None);
    ParsedSample { name: name.to_owned(), labels, value, timestamp, start, exemplar, native_histogram }
}

fn family(name: &str, kind: FamilyKind, help: &str, samples: Vec<ParsedSample>) -> ParsedFamily {
    ParsedFamily { name: name.to_owned(), kind, help: help.to_owned(), unit: String::new(), samples }
}

/// Line, column and message of a parse error.
fn refused(read: Result<Vec<ParsedFamily>, ParseError>) -> (usize, usize, String) {
    let error = read.expect_err("the exposition is refused");
    assert_eq!(error.to_string(), format!("line {}, column {}: {}", error.line, error.column, error.message));
    (error.line, error.column, error.message)
}

#[test]
fn a_text_exposition_is_parsed_completely() -> Outcome {
    let exposition = concat!(
        "# A comment, and a blank line\n\n",
        "# HELP jobs_total Jobs \\\\ done\\nso far\n",
        "# TYPE jobs_total counter\n",
        "jobs_total{queue=\"mail, \\\"urgent\\\"\",path=\"C:\\\\x\\ny\",} 3 1520879607789\n",
        "  jobs_total { empty = \"\" }\t+Inf\n",
        "# TYPE wait_seconds summary\n",
        "wait_seconds{quantile=\"0.5\"} 1.5e-3\n",
        "wait_seconds_sum -0\n",
        "bare 12.5",
    );
    let mut timed = sample("jobs_total", &[("queue", "mail, \"urgent\""), ("path", "C:\\x\ny")], 3.0);
    timed.timestamp = Some(1_520_879_607.789);
    let families = parse(exposition, Dialect::Text)?;
    let expected = [
        family(
            "jobs_total",
            FamilyKind::Counter,
            "Jobs \\ done\nso far",
            vec![timed, sample("jobs_total", &[("empty", "")], f64::INFINITY)],
        ),
        family(
            "wait_seconds",
            FamilyKind::Summary,
            "",
            vec![
                sample("wait_seconds", &[("quantile", "0.5")], 0.0015),
                sample("wait_seconds_sum", &[], -0.0),
            ],
        ),
        family("bare", FamilyKind::Unknown, "", vec![sample("bare", &[], 12.5)]),
    ];
    assert_eq!(families, expected);
    assert!(families[1].samples[1].value.is_sign_negative(), "minus zero keeps its sign");
    assert_eq!(families[0].samples[1].label("empty"), Some(""));
    assert_eq!(families[0].samples[1].label("queue"), None);
    Ok(())
}

#[test]
fn an_openmetrics_exposition_is_parsed_completely() -> Outcome {
    let exposition = concat!(
        "# TYPE wait_seconds histogram\n",
        "# UNIT wait_seconds seconds\n",
        "# HELP wait_seconds Says \\\"when\\\"\n",
        "wait_seconds_bucket{le=\"0.5\"} 1 # {trace=\"a}b\"} 0.25 1.5\n",
        "wait_seconds_bucket{le=\"+Inf\"} 2\n",
        "wait_seconds_count 2\n",
        "wait_seconds_sum 3.5\n",
        "# TYPE \"a.b\" gauge\n",
        "{\"a.b\",\"c d\"=\"e\"} 4 -1.25\n",
        "# EOF\n",
    );
    let exemplar =
        ParsedExemplar { labels: vec![("trace".into(), "a}b".into())], value: 0.25, timestamp: Some(1.5) };
    let mut buckets = vec![
        sample("wait_seconds_bucket", &[("le", "0.5")], 1.0),
        sample("wait_seconds_bucket", &[("le", "+Inf")], 2.0),
        sample("wait_seconds_count", &[], 2.0),
        sample("wait_seconds_sum", &[], 3.5),
    ];
    buckets[0].exemplar = Some(Box::new(exemplar));
    let mut histogram = family("wait_seconds", FamilyKind::Histogram, "Says \"when\"", buckets);
    histogram.unit = "seconds".into();
    let mut quoted = sample("a.b", &[("c d", "e")], 4.0);
    // In Python the sign applies to seconds and fraction.
    quoted.timestamp = Some(-1.25);
    let expected = [histogram, family("a.b", FamilyKind::Gauge, "", vec![quoted])];
    assert_eq!(parse(exposition, Dialect::OpenMetrics)?, expected);
    Ok(())
}

#[test]
fn a_native_histogram_is_parsed_in_place_of_a_value() -> Outcome {
    let exposition = "# TYPE nh histogram\nnh{a=\"b\"} {count:24, sum:1e2,schema:0,zero_threshold:0.001,zero_count:4,\
        positive_spans:[0:2,1:2],positive_deltas:[2,-3]}\n# EOF\n";
    let families = parse(exposition, Dialect::OpenMetrics)?;
    let read = &families[0].samples[0];
    assert!(read.value.is_nan());
    let expected = ParsedNativeHistogram {
        count: 24.0,
        sum: 100.0,
        schema: 0.0,
        zero_threshold: 0.001,
        zero_count: 4.0,
        positive_spans: vec![(0.0, 2.0), (1.0, 2.0)],
        negative_spans: Vec::new(),
        positive_deltas: vec![2.0, -3.0],
        negative_deltas: Vec::new(),
    };
    assert_eq!(read.native_histogram.as_deref(), Some(&expected));
    Ok(())
}

#[test]
fn a_parse_error_has_place_and_reason() {
    let in_text = |exposition| refused(parse(exposition, Dialect::Text));
    let cases = [
        ("a 1\né{b=c} 2\n", 2, 5, "Expected a label value in quotes but received \"c\""),
        (
            "a{é=\"\\\"\",b=\"c\"} 1",
            1,
            3,
            "Expected a label name ([a-zA-Z_:][a-zA-Z0-9_:]*, or any in quotes) but received \"é\"",
        ),
        ("a{b=\"c} 1\n", 1, 2, "Expected a closing brace after the labels"),
        ("a{b=\"c\",b=\"d\"} 1\n", 1, 9, "Expected each label once but received \"b\" again"),
        ("a one\n", 1, 3, "Expected a value but received \"one\""),
        ("a 1_0\n", 1, 3, "Expected a value but received \"1_0\""),
        ("a 1 soon\n", 1, 5, "Expected a timestamp in milliseconds but received \"soon\""),
        ("\n\n# TYPE a thing\n", 3, 10, "Expected a type of metric but received \"thing\""),
        ("# TYPE a\n", 1, 9, "Expected a name and a type after TYPE"),
        ("1a 1\n", 1, 1, "Expected a metric name but received \"1a 1\""),
    ];
    for (exposition, line, column, message) in cases {
        assert_eq!(in_text(exposition), (line, column, message.to_owned()), "{exposition:?}");
    }
}

#[test]
fn invalid_openmetrics_is_refused() {
    let refusal = |exposition| refused(parse(exposition, Dialect::OpenMetrics));
    let cases = [
        ("a 1\n", 2, 1, "Expected # EOF as the last line"),
        ("a 1\n\n# EOF\n", 2, 1, "Expected a sample or a comment but received an empty line"),
        ("# EOF\na 1\n", 2, 1, "Expected the end of the text after # EOF but received \"a 1\""),
        ("# TYPE a untyped\n# EOF\n", 1, 10, "Expected a type of OpenMetrics but received \"untyped\""),
        (
            "# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 1\n# EOF\n",
            4,
            1,
            "Expected the samples of one label set together but received \"a{b=\\\"1\\\"} 1\"",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"1.0\"} 1\n# EOF\n",
            2,
            1,
            "Expected a bucket with le=\"+Inf\" in the histogram \"a\"",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"+Inf\"} 9007199254740993\na_count 9007199254740992\na_sum 1\n# EOF\n",
            4,
            1,
            "Expected a count equal to the last bucket in the histogram \"a\"",
        ),
        (
            "# TYPE a counter\na_total -1\n# EOF\n",
            2,
            1,
            "Expected no negative number in \"a_total\" but received -1",
        ),
        ("# UNIT a_b c\n# EOF\n", 1, 12, "Expected the unit at the end of \"a_b\" but received \"c\""),
        (
            "# TYPE a gauge\na 1 # {b=\"c\"} 1\n# EOF\n",
            2,
            1,
            "Expected an exemplar only of a counter or a bucket",
        ),
        (
            "# TYPE a gauge\n# TYPE b gauge\n# TYPE a gauge\n# EOF\n",
            3,
            8,
            "Expected \"a\" in one place but received it again",
        ),
    ];
    for (exposition, line, column, message) in cases {
        assert_eq!(refusal(exposition), (line, column, message.to_owned()), "{exposition:?}");
    }
}

#[test]
fn the_strict_parser_refuses_what_prometheus_refuses() {
    let cases = [
        ("a 1", 1, 4, "Expected a line feed after the last line"),
        ("a 1\r\n", 1, 4, "Expected a line that ends with a line feed only but received \"\\r\""),
        ("a 1\na 2\n", 2, 1, "Expected each series once but received \"a 2\""),
        ("a 1 2 3\n", 1, 7, "Expected the end of the line after a timestamp but received \"3\""),
        ("a 1 2.5\n", 1, 5, "Expected a timestamp in whole milliseconds but received \"2.5\""),
        ("a{b=\"\\x\"} 1\n", 1, 6, "Expected a known escape but received \"\\\\x\\\"} 1\""),
        ("{\"a.b\"} 1\n", 1, 1, "Expected a plain metric name but received \"a.b\""),
        ("a{b:c=\"d\"} 1\n", 1, 1, "Expected a plain label name but received \"b:c\""),
        ("a 1\n# TYPE a gauge\n", 2, 1, "Expected a type before the samples but received \"# TYPE a gauge\""),
        ("# HELP a b\n# HELP a c\n", 2, 1, "Expected one HELP for each metric but received \"# HELP a c\""),
        (
            "# TYPE a stateset\n",
            1,
            10,
            "Expected a type of the text format (counter, gauge, histogram, summary, untyped) but received \"stateset\"",
        ),
        (
            "a{b=\"1\"} 1\nc 1\na{b=\"2\"} 1\n",
            3,
            1,
            "Expected all lines of a metric in one place but received \"a{b=\\\"2\\\"} 1\"",
        ),
        ("# TYPE c counter\nc -1\n", 2, 1, "Expected a counter of at least 0 but received -1"),
        (
            "# TYPE h histogram\nh 1\n",
            2,
            1,
            "Expected a histogram's sample with _bucket, _sum or _count but received \"h 1\"",
        ),
        (
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 2\nh_sum 1\n",
            4,
            1,
            "Expected a count equal to the last bucket in the histogram \"h\"",
        ),
    ];
    for (exposition, line, column, message) in cases {
        assert!(parse(exposition, Dialect::Text).is_ok(), "{exposition:?}");
        assert_eq!(
            refused(parse_strict(exposition, Dialect::Text)),
            (line, column, message.to_owned()),
            "{exposition:?}"
        );
    }
    let twice = "# TYPE a gauge\na 1\na 1\n# EOF\n";
    assert!(parse(twice, Dialect::OpenMetrics).is_ok());
    assert_eq!(refused(parse_strict(twice, Dialect::OpenMetrics)).0, 3);
}

#[test]
fn the_strict_parser_accepts_the_encoders_output() -> Outcome {
    let registry = Registry::new();
    registry.counter_vec("jobs_total", "Jobs", &["queue"])?.with(&["a \"b\"\n\\"])?.add(0.1)?;
    registry.gauge("up", "Up")?.set(f64::NEG_INFINITY);
    registry.histogram_vec("wait_seconds", "Wait", &[], &[-1.0, 0.5])?.with(&[])?.observe(0.25)?;
    for (format, dialect, shown) in [
        (Format::PrometheusText, Dialect::Text, text(&registry)),
        (Format::OpenMetrics, Dialect::OpenMetrics, openmetrics(&registry)),
    ] {
        assert_eq!(Dialect::of(&shown), dialect, "{format:?}");
        let families = parse_strict(&shown, dialect)?;
        assert_eq!(families.len(), 3);
        assert_eq!(families[0].samples, [sample("jobs_total", &[("queue", "a \"b\"\n\\")], 0.1)]);
        assert_eq!(families[1].samples, [sample("up", &[], f64::NEG_INFINITY)]);
        assert_eq!(families[2].samples[2], sample("wait_seconds_bucket", &[("le", "+Inf")], 1.0));
    }
    Ok(())
}

#[test]
fn parsing_time_is_proportional_to_the_length_of_a_line() -> Outcome {
    let long = 100_000;
    let labels: String = (0..long).map(|number| format!("l{number}=\"\\\\\",")).collect();
    assert_eq!(parse(&format!("a{{{labels}}} 1\n"), Dialect::Text)?[0].samples[0].labels.len(), long);
    for piece in ["positive_spans:[1:2,", "{", "\"\\\"", "\\", " # {", "count:"] {
        let line = piece.repeat(long);
        for exposition in [
            format!("# TYPE a histogram\na {{{line}}}\n# EOF\n"),
            format!("{line}\n"),
            format!("# HELP a {line}\n"),
        ] {
            // The result does not matter: a parser with quadratic time would not finish.
            let _ = parse(&exposition, Dialect::OpenMetrics);
            let _ = parse_strict(&exposition, Dialect::Text);
        }
    }
    Ok(())
}
