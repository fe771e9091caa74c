//! Tests the text formats and the JSON form, comparing whole expositions.

use crate::{Outcome, contributor_of, openmetrics, scrape, text};
use prometheus_metrics::gather::json;
use prometheus_metrics::registry::{Aggregator, Descriptor, Exemplar, Family, Kind, Process};
use prometheus_metrics::serialization::Streaming;
use prometheus_metrics::slab::Cells;
use prometheus_metrics::{Format, LabelSet, Registry, encode};
use std::sync::Arc;

#[test]
fn test_counter_format() -> Outcome {
    let registry = Registry::new();
    registry.counter("requests_total", "Requests")?.add(3.0)?;
    assert_eq!(
        text(&registry),
        "# HELP requests_total Requests\n# TYPE requests_total counter\nrequests_total 3\n"
    );
    assert_eq!(
        openmetrics(&registry),
        "# HELP requests Requests\n# TYPE requests counter\nrequests_total 3\n# EOF\n"
    );
    Ok(())
}

#[test]
fn test_gauge_format() -> Outcome {
    let registry = Registry::new();
    registry.gauge("open_files", "Open files")?.set(12.0);
    let expected = "# HELP open_files Open files\n# TYPE open_files gauge\nopen_files 12\n";
    assert_eq!(text(&registry), expected);
    assert_eq!(openmetrics(&registry), format!("{expected}# EOF\n"));
    Ok(())
}

#[test]
fn test_histogram_format() -> Outcome {
    let registry = Registry::new();
    let histograms = registry.histogram_vec("wait_seconds", "Waits", &["queue"], &[0.5, 10.0])?;
    let histogram = histograms.with(&["mail"])?;
    for value in [0.25, 0.5, 3.0, 99.0] {
        histogram.observe(value)?;
    }
    let expected = |half: &str, ten: &str| {
        format!(
            "\
# HELP wait_seconds Waits
# TYPE wait_seconds histogram
wait_seconds_bucket{{le=\"{half}\",queue=\"mail\"}} 2
wait_seconds_bucket{{le=\"{ten}\",queue=\"mail\"}} 3
wait_seconds_bucket{{le=\"+Inf\",queue=\"mail\"}} 4
wait_seconds_sum{{queue=\"mail\"}} 102.75
wait_seconds_count{{queue=\"mail\"}} 4
"
        )
    };
    assert_eq!(text(&registry), expected("0.5", "10"));
    assert_eq!(openmetrics(&registry), format!("{}# EOF\n", expected("0.5", "10.0")));
    Ok(())
}

#[test]
fn test_help_line() -> Outcome {
    let registry = Registry::new();
    registry.gauge("a", "a \\ backslash,\na line, a \"quote\" and ünïcode")?;
    registry.gauge("b", "")?;
    let expected = "\
# HELP a a \\\\ backslash,\\na line, a \"quote\" and ünïcode
# TYPE a gauge
a 0

# HELP b \n# TYPE b gauge
b 0
";
    assert_eq!(text(&registry), expected);
    let expected = "\
# HELP a a \\\\ backslash,\\na line, a \\\"quote\\\" and ünïcode
# TYPE a gauge
a 0
# HELP b \n# TYPE b gauge
b 0
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    Ok(())
}

#[test]
fn test_type_line() -> Outcome {
    let registry = Registry::new();
    registry.counter_vec("a_total", "A", &["x"])?;
    registry.gauge_vec("b", "B", &["x"])?;
    registry.histogram_vec("c", "C", &["x"], &[1.0])?;
    // A family without series is shown with its HELP and TYPE lines.
    let expected = "\
# HELP a_total A
# TYPE a_total counter

# HELP b B
# TYPE b gauge

# HELP c C
# TYPE c histogram
";
    assert_eq!(text(&registry), expected);
    let expected = "\
# HELP a A
# TYPE a counter
# HELP b B
# TYPE b gauge
# HELP c C
# TYPE c histogram
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    for (kind, word) in [
        (Kind::Counter, "counter"),
        (Kind::Gauge, "gauge"),
        (Kind::Histogram, "histogram"),
        (Kind::Summary, "summary"),
        (Kind::Unknown, "untyped"),
    ] {
        assert_eq!((kind.as_str(), Kind::from_word(word)), (word, kind));
    }
    assert_eq!(Kind::from_word("unknown"), Kind::Unknown);
    Ok(())
}

#[test]
fn test_labels_format() -> Outcome {
    let registry = Registry::new();
    let gauges = registry.gauge_vec("g", "G", &["zeta", "alpha", "mid"])?;
    // Labels are in the order of their declaration, series in the order of their creation.
    gauges.with(&["1", "2", "3"])?.set(1.0);
    gauges.with(&["", "2", "3"])?.set(2.0);
    gauges.with(&["", "", ""])?.set(3.0);
    gauges.with(&["a,b", "x=\"y\"", "{}"])?.set(4.0);
    let expected = "\
# HELP g G
# TYPE g gauge
g{zeta=\"1\",alpha=\"2\",mid=\"3\"} 1
g{alpha=\"2\",mid=\"3\"} 2
g 3
g{zeta=\"a,b\",alpha=\"x=\\\"y\\\"\",mid=\"{}\"} 4
";
    assert_eq!(text(&registry), expected);
    // Default labels come last. One that the series has itself is left out.
    registry.set_default_labels(vec![
        ("alpha".to_owned(), "d".to_owned()),
        ("host".to_owned(), "\"h\"".to_owned()),
    ])?;
    let expected = "\
# HELP g G
# TYPE g gauge
g{zeta=\"1\",alpha=\"2\",mid=\"3\",host=\"\\\"h\\\"\"} 1
g{alpha=\"2\",mid=\"3\",host=\"\\\"h\\\"\"} 2
g{alpha=\"d\",host=\"\\\"h\\\"\"} 3
g{zeta=\"a,b\",alpha=\"x=\\\"y\\\"\",mid=\"{}\",host=\"\\\"h\\\"\"} 4
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

/// The exposition of a gauge with this value.
fn with_value(value: f64) -> prometheus_metrics::Result<String> {
    let registry = Registry::new();
    registry.gauge("g", "G")?.set(value);
    Ok(text(&registry))
}

#[test]
fn test_special_values_nan() -> Outcome {
    for nan in [f64::NAN, -f64::NAN] {
        assert_eq!(with_value(nan)?, "# HELP g G\n# TYPE g gauge\ng NaN\n");
    }
    Ok(())
}

#[test]
fn test_special_values_inf() -> Outcome {
    assert_eq!(with_value(f64::INFINITY)?, "# HELP g G\n# TYPE g gauge\ng +Inf\n");
    assert_eq!(with_value(f64::NEG_INFINITY)?, "# HELP g G\n# TYPE g gauge\ng -Inf\n");
    Ok(())
}

#[test]
fn test_scientific_notation() -> Outcome {
    // The same text as `String(value)` in JavaScript, because programs compare expositions with stored ones.
    for (value, shown) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (100.0, "100"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (-1.5e-10, "-1.5e-10"),
        (5e-324, "5e-324"),
        (9_007_199_254_740_991.0, "9007199254740991"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (-9_007_199_254_740_994.0, "-9007199254740994"),
        (1e20, "100000000000000000000"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e21, "1.5e+21"),
        (1e308, "1e+308"),
        (f64::MAX, "1.7976931348623157e+308"),
    ] {
        assert_eq!(with_value(value)?, format!("# HELP g G\n# TYPE g gauge\ng {shown}\n"));
    }
    // OpenMetrics has a different form for the bounds of buckets.
    for (bound, shown) in [
        (0.0, "0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (100_000.0, "100000.0"),
        (123_456.5, "123456.5"),
        (1e6, "1e+06"),
        (1_234_567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.5e-10, "1.5e-10"),
        (1e100, "1e+100"),
    ] {
        let registry = Registry::new();
        registry.histogram_vec("h", "H", &[], &[bound])?.with(&[])?;
        let expected = format!(
            "# HELP h H\n# TYPE h histogram\nh_bucket{{le=\"{shown}\"}} 0\nh_bucket{{le=\"+Inf\"}} 0\nh_sum 0\nh_count 0\n# EOF\n"
        );
        assert_eq!(openmetrics(&registry), expected);
    }
    Ok(())
}

#[test]
fn test_empty_registry() -> Outcome {
    let registry = Registry::new();
    assert_eq!(text(&registry), "\n");
    assert_eq!(openmetrics(&registry), "# EOF\n");
    let gathered = registry.gather();
    assert_eq!(json(&gathered), ("[]".to_owned(), Vec::new()));
    // Encoding does not change the gathered families.
    let mut out = Vec::new();
    let Ok(()) = encode(&gathered, Format::PrometheusText, &mut out);
    let Ok(()) = encode(&gathered, Format::PrometheusText, &mut out);
    assert_eq!(out, b"\n\n");
    Ok(())
}

#[test]
fn test_multiple_families() -> Outcome {
    let registry = Registry::new();
    // Families are in the order of registration, not sorted by name or type, and each is in one piece.
    let zebras = registry.gauge_vec("zebras", "Zebras", &["herd"])?;
    let ants = registry.counter_vec("ants_total", "Ants", &["hill"])?;
    zebras.with(&["a"])?.set(1.0);
    ants.with(&["a"])?.inc();
    zebras.with(&["b"])?.set(2.0);
    registry.gauge("middle", "Middle")?;
    let expected = "\
# HELP zebras Zebras
# TYPE zebras gauge
zebras{herd=\"a\"} 1
zebras{herd=\"b\"} 2

# HELP ants_total Ants
# TYPE ants_total counter
ants_total{hill=\"a\"} 1

# HELP middle Middle
# TYPE middle gauge
middle 0
";
    assert_eq!(text(&registry), expected);
    assert_eq!(text(&registry), expected, "two scrapes of an idle registry are the same");
    let expected = "\
# HELP zebras Zebras
# TYPE zebras gauge
zebras{herd=\"a\"} 1
zebras{herd=\"b\"} 2
# HELP ants Ants
# TYPE ants counter
ants_total{hill=\"a\"} 1
# HELP middle Middle
# TYPE middle gauge
middle 0
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    let mut streaming = Streaming::new(Vec::new(), 16);
    encode(&registry.gather(), Format::OpenMetrics, &mut streaming)?;
    assert_eq!(String::from_utf8(streaming.finish()?)?, expected);
    Ok(())
}

/// Longer than a screen, because it compares the whole expositions of one registry in both formats.
#[test]
fn test_openmetrics_format() -> Outcome {
    let registry = Registry::new();
    registry.counter("bare", "A counter whose name lacks the suffix")?.inc();
    registry.counter("suffixed_total", "One that has it")?.inc();
    // If another family has the name without the suffix, the counter is shown with the same samples but type unknown.
    registry.gauge("taken", "A gauge")?;
    registry.counter("taken_total", "A counter beside it")?.inc();
    registry.counter("_total", "No name is left without the suffix")?.inc();

    let cells = Arc::new(Cells::on_heap());
    let trace = LabelSet::new([("trace_id", "a\"b"), ("span", "1")])?;
    let family = |descriptor| {
        let family = Arc::new(Family::new(descriptor, Arc::clone(&cells)));
        let id = family.add_series(&[]).expect("within the limits").id;
        (family, id)
    };
    let (counter, id) = family(Descriptor::new(Kind::Counter, "shown_total", "With exemplars", &[])?);
    counter.set_exemplar(id, 0, Exemplar::new(&trace, 0.5, 1.5)?);
    let (histogram, id) = family(Descriptor::histogram("sized", "With exemplars", &[], &[1.0])?);
    histogram.set_exemplar(id, 1, Exemplar::new(&LabelSet::default(), 9.0, 1700000000.25)?);
    registry.register_family(counter)?;
    registry.register_family(histogram)?;

    let expected = "\
# HELP bare A counter whose name lacks the suffix
# TYPE bare counter
bare_total 1
# HELP suffixed One that has it
# TYPE suffixed counter
suffixed_total 1
# HELP taken A gauge
# TYPE taken gauge
taken 0
# HELP taken_total A counter beside it
# TYPE taken_total unknown
taken_total 1
# HELP _total No name is left without the suffix
# TYPE _total unknown
_total 1
# HELP shown With exemplars
# TYPE shown counter
shown_total 0 # {span=\"1\",trace_id=\"a\\\"b\"} 0.5 1.5
# HELP sized With exemplars
# TYPE sized histogram
sized_bucket{le=\"1.0\"} 0
sized_bucket{le=\"+Inf\"} 0 # {} 9 1700000000.25
sized_sum 0
sized_count 0
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    // Text 0.0.4 has no exemplars, and does not rename counters.
    let expected = "\
# HELP bare A counter whose name lacks the suffix
# TYPE bare counter
bare 1

# HELP suffixed_total One that has it
# TYPE suffixed_total counter
suffixed_total 1

# HELP taken A gauge
# TYPE taken gauge
taken 0

# HELP taken_total A counter beside it
# TYPE taken_total counter
taken_total 1

# HELP _total No name is left without the suffix
# TYPE _total counter
_total 1

# HELP shown_total With exemplars
# TYPE shown_total counter
shown_total 0

# HELP sized With exemplars
# TYPE sized histogram
sized_bucket{le=\"1\"} 0
sized_bucket{le=\"+Inf\"} 0
sized_sum 0
sized_count 0
";
    assert_eq!(text(&registry), expected);
    Ok(())
}

#[test]
fn exemplar_labels_have_at_most_128_characters() -> Outcome {
    let error = Exemplar::new(&LabelSet::new([("a", &*"é".repeat(128))])?, 1.0, 1.0).err();
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some("Label set size must be smaller than 128 UTF-8 chars")
    );
    Exemplar::new(&LabelSet::new([("a", &*"é".repeat(127))])?, 1.0, 1.0)?;
    Ok(())
}

#[test]
fn test_content_types() {
    let types = [
        (Format::PrometheusText, "text/plain; version=0.0.4; charset=utf-8"),
        (Format::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (Format::OpenMetrics2, "application/openmetrics-text; version=2.0.0; charset=utf-8"),
        (
            Format::Protobuf,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
        ),
    ];
    for (format, content_type) in types {
        assert_eq!(format.content_type(), content_type);
        assert_eq!(Format::from_content_type(content_type), Some(format));
    }
    assert_eq!(Format::from_content_type("text/html"), None);
}

#[test]
fn test_json_format() -> Outcome {
    let registry = Registry::new();
    registry.gauge_vec("g", "say \"hi\"\n", &["x"])?.with(&["a\\b\"\n\u{1}"])?.set(f64::NAN);
    registry.histogram_vec("h", "H", &[], &[1.0])?.with(&[])?.observe(0.5)?;
    let (text, values) = json(&registry.gather());
    let expected = concat!(
        "[{\"name\":\"g\",\"help\":\"say \\\"hi\\\"\\u000a\",\"type\":\"gauge\",",
        "\"aggregator\":\"sum\",\"bounds\":[],\"series\":[",
        "{\"id\":0,\"labels\":{\"x\":\"a\\\\b\\\"\\n\\u0001\"}}]},",
        "{\"name\":\"h\",\"help\":\"H\",\"type\":\"histogram\",",
        "\"aggregator\":\"sum\",\"bounds\":[1],\"series\":[{\"id\":0,\"labels\":{}}]}]"
    );
    assert_eq!(text, expected);
    assert!(values[0].is_nan());
    assert_eq!(values[1..], [1.0, 0.0, 0.5]);
    Ok(())
}

/// The exposition of a process of two contributors, each with a gauge `g` of one of these values.
fn merged_gauge(aggregator: Aggregator, values: [f64; 2]) -> Result<String, Box<dyn std::error::Error>> {
    let process = Process::new();
    let mut scraped = None;
    for value in values {
        let contributor = contributor_of(&process);
        let descriptor = Descriptor::new(Kind::Gauge, "g", "G", &[])?.with_aggregator(aggregator);
        let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
        family.add_series(&[]).expect("within the limits");
        contributor.cells().slab(0).ok_or("no slab")?.store(0, value);
        contributor.registry().register_family(family)?;
        scraped.get_or_insert(contributor);
    }
    let scraped = scraped.ok_or("no contributor")?;
    Ok(scrape(scraped.registry(), Some(&process), &[], Format::PrometheusText))
}

#[test]
fn test_gauges_of_several_contributors() -> Outcome {
    for (aggregator, shown) in [
        (Aggregator::Sum, "g 5\n"),
        (Aggregator::First, "g 4\n"),
        (Aggregator::Min, "g 1\n"),
        (Aggregator::Max, "g 4\n"),
        (Aggregator::Average, "g 2.5\n"),
    ] {
        assert_eq!(merged_gauge(aggregator, [4.0, 1.0])?, format!("# HELP g G\n# TYPE g gauge\n{shown}"));
        assert_eq!(Aggregator::from_name(aggregator.as_str()), Some(aggregator));
    }
    assert_eq!(merged_gauge(Aggregator::Omit, [4.0, 1.0])?, "\n");
    Ok(())
}
