//! Tests OpenMetrics 2.0: whole expositions of every type, of finished samples, and the reader of the testing kit.

use crate::{Outcome, stopped_clock};
use prometheus_metrics::registry::{Exemplar, Kind, SummaryOptions};
use prometheus_metrics::testing::{Dialect, parse};
use prometheus_metrics::{Format, LabelSet, Registry, RegistryConfig, Sample, SampleFamily, Summary};
use std::sync::Arc;

fn registry() -> Result<Registry, prometheus_metrics::MetricsError> {
    let labels = vec![("zone".to_owned(), "z".to_owned()), ("le".to_owned(), "default".to_owned())];
    Registry::with_config(RegistryConfig::default().clock(stopped_clock()).default_labels(labels))
}

#[test]
fn every_type_is_one_line_for_each_series() -> Outcome {
    let registry = registry()?;
    let jobs = registry.metric("jobs_seconds_total", "Say \"hi\"\n").unit("seconds").counter()?;
    jobs.add(2.0)?;
    let trace = LabelSet::new([("trace_id", "a\"b")])?;
    registry.families()[0].set_exemplar(0, 0, Exemplar::new(&trace, 1.5, 1_700_000_000.125)?);
    let wait = registry.histogram_vec("wait", "", &["queue"], &[-1.0, 0.5])?.with(&["ma\\il"])?;
    for value in [-2.0, 0.25, 0.5, 7.0] {
        wait.observe(value)?;
    }
    registry.families()[1].set_exemplar(0, 1, Exemplar::new(&trace, 0.25, 1_700_000_001.0)?);
    registry.families()[1].set_exemplar(0, 2, Exemplar::new(&trace, 7.0, 1_700_000_002.0)?);
    registry.metric("size", "S").quantiles(&[0.5, 1.0]).summary()?.observe(3.0)?;
    let bare = Summary::new("bare", "B", SummaryOptions::default().quantiles(Vec::new()))?;
    registry.register(&bare)?;
    registry.gauge("open", "O")?.set(f64::NAN);
    let expected = "\
# TYPE jobs_seconds_total counter
# UNIT jobs_seconds_total seconds
# HELP jobs_seconds_total Say \\\"hi\\\"\\n
jobs_seconds_total{zone=\"z\",le=\"default\"} 2 st@1700000000 # {trace_id=\"a\\\"b\"} 1.5 1700000000.125
# TYPE wait histogram
wait{queue=\"ma\\\\il\",zone=\"z\"} {count:4,sum:5.75,bucket:[-1:1,0.5:3,+Inf:4]} st@1700000000 # {trace_id=\"a\\\"b\"} 0.25 1700000001 # {trace_id=\"a\\\"b\"} 7 1700000002
# TYPE size summary
# HELP size S
size{zone=\"z\",le=\"default\"} {count:1,sum:3,quantile:[0.5:3,1:3]} st@1700000000
# TYPE bare summary
# HELP bare B
";
    let shown = registry.encode(Format::OpenMetrics2);
    let (bare, rest) =
        shown.strip_prefix(expected).and_then(|rest| rest.split_once('\n')).ok_or(shown.clone())?;
    // The summary that was made alone has the system's clock.
    assert!(bare.starts_with("bare{zone=\"z\",le=\"default\"} {count:0,sum:0,quantile:[]} st@1"), "{bare}");
    assert_eq!(rest, "# TYPE open gauge\n# HELP open O\nopen{zone=\"z\",le=\"default\"} NaN\n# EOF\n");

    let families = parse(&shown, Dialect::OpenMetrics2)?;
    let wait = &families[1];
    let values: Vec<(&str, Option<&str>, f64)> =
        wait.samples.iter().map(|sample| (&*sample.name, sample.label("le"), sample.value)).collect();
    let buckets = [
        ("wait_bucket", Some("-1"), 1.0),
        ("wait_bucket", Some("0.5"), 3.0),
        ("wait_bucket", Some("+Inf"), 4.0),
    ];
    assert_eq!(values[..3], buckets);
    assert_eq!(values[3..], [("wait_sum", None, 5.75), ("wait_count", None, 4.0)]);
    assert_eq!(wait.samples[0].label("queue"), Some("ma\\il"));
    assert!(wait.samples[0].exemplar.is_none());
    let exemplar = wait.samples[1].exemplar.as_ref().ok_or("no exemplar")?;
    assert_eq!(exemplar.labels, [("trace_id".to_owned(), "a\"b".to_owned())]);
    assert_eq!((exemplar.value, exemplar.timestamp), (0.25, Some(1_700_000_001.0)));
    assert_eq!(wait.samples[4].start, Some(1_700_000_000.0));
    assert_eq!((&*families[0].unit, &*families[0].help), ("seconds", "Say \"hi\"\n"));
    Ok(())
}

/// The name, the labels and the value of a finished sample.
type Finished<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// A registry with one foreign family.
fn foreign(
    name: &str,
    kind: Kind,
    samples: &[Finished<'_>],
) -> Result<Registry, prometheus_metrics::MetricsError> {
    let registry = Registry::new();
    let samples = samples
        .iter()
        .map(|(name, labels, value)| Sample::new(name, labels, *value))
        .collect::<Result<_, _>>()?;
    let id = registry.register_foreign(name)?;
    registry.set_foreign(id, SampleFamily::new(name, "F", kind, samples)?);
    Ok(registry)
}

#[test]
fn finished_samples_become_metrics_again() -> Outcome {
    let a: &[(&str, &str)] = &[("x", "a")];
    let cases: Vec<(Registry, &str)> = vec![
        (
            foreign(
                "h",
                Kind::Histogram,
                &[
                    ("h_bucket", &[("le", "+Inf"), ("x", "a")], 3.0),
                    ("h_bucket", &[("x", "a"), ("le", "0.5")], 1.0),
                    ("h_sum", a, 4.0),
                    ("h_count", a, 3.0),
                    ("h_created", a, 12.5),
                    ("h_count", &[], 0.0),
                ],
            )?,
            "# TYPE h histogram\n# HELP h F\nh{x=\"a\"} {count:3,sum:4,bucket:[0.5:1,+Inf:3]} st@12.5\nh {count:0,sum:NaN,bucket:[+Inf:0]}\n",
        ),
        (
            foreign(
                "s",
                Kind::Summary,
                &[("s", &[("quantile", "0.5")], 2.0), ("s_sum", &[], 4.0), ("s_count", &[], 2.0)],
            )?,
            "# TYPE s summary\n# HELP s F\ns {count:2,sum:4,quantile:[0.5:2]}\n",
        ),
        // A counter's family with `_total` or without.
        (
            foreign("c_total", Kind::Counter, &[("c_total", a, 1.0)])?,
            "# TYPE c_total counter\n# HELP c_total F\nc_total{x=\"a\"} 1\n",
        ),
        (
            foreign("c", Kind::Counter, &[("c_total", a, 1.0), ("c_created", a, 7.0)])?,
            "# TYPE c_total counter\n# HELP c_total F\nc_total{x=\"a\"} 1 st@7\n",
        ),
        // Values that the types do not allow, which a server answers with a failed scrape.
        (foreign("c", Kind::Counter, &[("c", &[], f64::NAN)])?, "# TYPE c unknown\n# HELP c F\nc NaN\n"),
        (
            foreign("i", Kind::Info, &[("i_info", a, 1.0)])?,
            "# TYPE i_info info\n# HELP i_info F\ni_info{x=\"a\"} 1\n",
        ),
        (
            foreign("i", Kind::Info, &[("i_info", a, 2.0)])?,
            "# TYPE i_info gauge\n# HELP i_info F\ni_info{x=\"a\"} 2\n",
        ),
        (
            foreign("m", Kind::StateSet, &[("m", &[("m", "on")], 1.0)])?,
            "# TYPE m stateset\n# HELP m F\nm{m=\"on\"} 1\n",
        ),
        (foreign("m", Kind::StateSet, &[("m", a, 1.0)])?, "# TYPE m gauge\n# HELP m F\nm{x=\"a\"} 1\n"),
        // Samples of other names.
        (
            foreign(
                "g",
                Kind::Gauge,
                &[("g", &[], 1.0), ("g_max", &[], 2.0), ("g_min", a, 0.0), ("g_max", a, 3.0)],
            )?,
            "# TYPE g gauge\n# HELP g F\ng 1\n# TYPE g_max unknown\ng_max 2\ng_max{x=\"a\"} 3\n# TYPE g_min unknown\ng_min{x=\"a\"} 0\n",
        ),
    ];
    for (registry, expected) in cases {
        let shown = registry.encode(Format::OpenMetrics2);
        assert_eq!(shown, format!("{expected}# EOF\n"));
        parse(&shown, Dialect::OpenMetrics2)?;
    }
    assert_eq!(Registry::new().encode(Format::OpenMetrics2), "# EOF\n");
    Ok(())
}

#[test]
fn the_reader_reads_what_the_format_allows() -> Outcome {
    let text = "\
# TYPE a.b gauge
";
    assert!(parse(&format!("{text}# EOF\n"), Dialect::OpenMetrics2).is_err());
    let text = "\
# TYPE \"a.b\" gauge
{\"a.b\",\"c.d\"=\"v\"} 1 12.5
{\"a.b\",\"c.d\"=\"v\"} 2 13.5
x 1
# TYPE n histogram
n {count:5,sum:12.1,schema:0,zero_threshold:0.001,zero_count:2,positive_spans:[0:2,1:1],positive_buckets:[1,1,2]} st@5 # {} 2 6
# EOF
";
    let families = parse(text, Dialect::OpenMetrics2)?;
    assert_eq!((&*families[0].name, families[0].samples.len()), ("a.b", 2));
    assert_eq!(families[0].samples[1].label("c.d"), Some("v"));
    assert_eq!(families[0].samples[0].timestamp, Some(12.5));
    assert_eq!(families[1].kind.word(), "unknown");
    let native = families[2].samples[0].native_histogram.as_ref().ok_or("no native histogram")?;
    assert_eq!(
        (&native.positive_spans[..], &native.positive_deltas[..]),
        (&[(0.0, 2.0), (1.0, 1.0)][..], &[1.0, 0.0, 1.0][..])
    );
    assert_eq!(families[2].samples[0].start, Some(5.0));
    Ok(())
}

#[test]
fn the_reader_refuses_what_the_format_forbids() {
    let refused = |text: &str| {
        let error = parse(&format!("{text}# EOF\n"), Dialect::OpenMetrics2).err();
        assert!(error.is_some(), "{text}");
    };
    assert!(parse("x 1\n", Dialect::OpenMetrics2).is_err(), "no # EOF");
    for text in [
        "\n",
        "x\n",
        "x  1\n",
        "x 1 \n",
        "x 1 2 3\n",
        "x 1 st@1 2\n",
        "x 1 st@1 st@2\n",
        "x 1 st@x\n",
        "x 1 # {a=\"b\"} 1\n",
        "x 1 # {a=\"b\"} 1 2 st@3\n",
        "x{a=\"1\",a=\"2\"} 1\n",
        "x{a=\"1\"} 1\nx{a=\"1\"} 2\n",
        "x 1\ny 1\nx{a=\"1\"} 1\n",
        "# TYPE x counter\n# TYPE x counter\n",
        "# TYPE x untyped\n",
        "# TYPE x info\nx 1\n",
        "x 1\n# TYPE x gauge\n",
        "# TYPE x_total counter\nx_total NaN\n",
        "# TYPE x_total counter\nx_total -1\n",
        "# TYPE x_info info\nx_info 2\n",
        "# TYPE m stateset\nm{a=\"b\"} 1\n",
        "# TYPE m stateset\n# UNIT m m\nm{m=\"b\"} 1\n",
        "# TYPE x gauge\n# HELP x X\r\nx 1\n",
        "# TYPE h histogram\nh 1\n",
        "# TYPE h histogram\nh {count:1,sum:1}\n",
        "# TYPE h histogram\nh {count:1,bucket:[+Inf:1]}\n",
        "# TYPE h histogram\nh {count:1,sum:1,bucket:[+Inf:2]}\n",
        "# TYPE h histogram\nh {count:1,sum:1,bucket:[1:1]}\n",
        "# TYPE h histogram\nh {count:1,sum:1,bucket:[2:1,1:1,+Inf:1]}\n",
        "# TYPE h histogram\nh {count:2,sum:1,bucket:[1:3,+Inf:2]}\n",
        "# TYPE h histogram\nh {count:1,sum:1,bucket:[+Inf:1]\n",
        "# TYPE h histogram\nh {count:1,sum:1,other:1,bucket:[+Inf:1]}\n",
        "# TYPE h histogram\nh {count:1,count:1,sum:1,bucket:[+Inf:1]}\n",
        "# TYPE h histogram\nh {count:1,sum:1,bucket:[+Inf]}\n",
        "# TYPE s summary\ns {count:1,sum:1,quantile:[2:1]}\n",
        "# TYPE g gauge\ng {count:1,sum:1,bucket:[+Inf:1]}\n",
        "# EOF\n",
    ] {
        refused(text);
    }
}

/// A server refuses the whole exposition for these.
#[test]
fn units_of_state_sets_and_carriage_returns_behind_help_are_left_out() -> Outcome {
    let samples = vec![Sample::new("mode_seconds", &[("mode_seconds", "on")], 1.0)?];
    let unit = Some("seconds".to_owned());
    let family = SampleFamily::new("mode_seconds", "Mode\r\r", Kind::StateSet, samples)?.with_unit(unit);
    let registry = Registry::new();
    let id = registry.register_foreign("mode_seconds")?;
    registry.set_foreign(id, family);
    let shown = registry.encode(Format::OpenMetrics2);
    let expected = "# TYPE mode_seconds stateset\n# HELP mode_seconds Mode\nmode_seconds{mode_seconds=\"on\"} 1\n# EOF\n";
    assert_eq!(shown, expected);
    parse(&shown, Dialect::OpenMetrics2)?;
    Ok(())
}

#[test]
fn starts_are_those_of_the_registrys_clock() -> Outcome {
    let clock = stopped_clock();
    let registry = Registry::with_config(RegistryConfig::default().clock(Arc::clone(&clock)))?;
    clock.freeze(std::time::Duration::ZERO);
    registry.counter("c", "")?.inc();
    assert_eq!(registry.encode(Format::OpenMetrics2), "# TYPE c counter\nc 1 st@0\n# EOF\n");
    Ok(())
}
