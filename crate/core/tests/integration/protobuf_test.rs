//! Tests the protobuf format with `prost`, which decodes what the encoder writes and writes what the testing kit reads.

use crate::Outcome;
use crate::protobuf_messages::{
    Bucket, BucketSpan, Counter, Exemplar, Histogram, LabelPair, Metric, MetricFamily, Number, Quantile,
    Summary, Timestamp, decode, encode,
};
use prometheus_metrics::registry::{Exemplar as OwnExemplar, Kind, SummaryOptions};
use prometheus_metrics::testing::{FamilyKind, parse_protobuf};
use prometheus_metrics::{Clock, Format, LabelSet, Registry, RegistryConfig, Sample, SampleFamily};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

fn written(registry: &Registry) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(()) = prometheus_metrics::encode(&registry.gather(), Format::Protobuf, &mut bytes);
    bytes
}

fn label(name: &str, value: &str) -> LabelPair {
    LabelPair { name: Some(name.into()), value: Some(value.into()) }
}

/// A family of type `kind`, by its number.
fn family(name: &str, kind: i32, metric: Vec<Metric>) -> MetricFamily {
    let (name, help) = (Some(name.to_owned()), Some(name.to_uppercase()));
    MetricFamily { name, help, kind: Some(kind), metric, unit: None }
}

#[test]
fn every_type_is_a_message() -> Outcome {
    let clock = Arc::new(Clock::new());
    clock.freeze(Duration::from_millis(1_700_000_000_025));
    let labels = vec![("zone".to_owned(), "z".to_owned())];
    let registry = Registry::with_config(RegistryConfig::default().clock(clock).default_labels(labels))?;
    registry.counter_vec("c_total", "C_TOTAL", &["x"])?.with(&["a\\\"\n"])?.add(2.5)?;
    let trace = LabelSet::new([("trace_id", "t\n")])?;
    registry.families()[0].set_exemplar(0, 0, OwnExemplar::new(&trace, 1.0, 1_700_000_000.123)?);
    registry.gauge("g", "G")?.set(f64::NEG_INFINITY);
    let h = registry.histogram_vec("h", "H", &[], &[0.5, 1.0])?.with(&[])?;
    [0.25, 0.75, 7.0].into_iter().try_for_each(|value| h.observe(value))?;
    registry.families()[2].set_exemplar(0, 1, OwnExemplar::new(&trace, 0.75, 1.0)?);
    let options = SummaryOptions::default().quantiles(vec![0.5]);
    registry
        .metric("s_bytes", "S_BYTES")
        .quantiles(&options.quantiles)
        .unit("bytes")
        .summary()?
        .observe(3.0)?;
    // Families without series are not shown.
    registry.counter_vec("none", "N", &["x"])?;

    let zone = || label("zone", "z");
    let created = Some(Timestamp { seconds: 1_700_000_000, nanos: 25_000_000 });
    let exemplar = |value, seconds, nanos| Exemplar {
        label: vec![label("trace_id", "t\n")],
        value: Some(value),
        timestamp: Some(Timestamp { seconds, nanos }),
    };
    let counter = Counter {
        value: Some(2.5),
        exemplar: Some(exemplar(1.0, 1_700_000_000, 123_000_000)),
        created: created.clone(),
    };
    let bucket = |count, bound, exemplar| Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(bound),
        exemplar,
        cumulative_count_float: None,
    };
    let histogram = Histogram {
        count: Some(3),
        sum: Some(8.0),
        bucket: vec![bucket(1, 0.5, None), bucket(2, 1.0, Some(exemplar(0.75, 1, 0)))],
        created: created.clone(),
        ..Histogram::default()
    };
    let summary = Summary {
        count: Some(1),
        sum: Some(3.0),
        quantile: vec![Quantile { quantile: Some(0.5), value: Some(3.0) }],
        created,
    };
    let metric = |label| Metric { label, ..Metric::default() };
    let mut expected = vec![
        family(
            "c_total",
            0,
            vec![Metric { counter: Some(counter), ..metric(vec![label("x", "a\\\"\n"), zone()]) }],
        ),
        family(
            "g",
            1,
            vec![Metric { gauge: Some(Number { value: Some(f64::NEG_INFINITY) }), ..metric(vec![zone()]) }],
        ),
        family("h", 4, vec![Metric { histogram: Some(histogram), ..metric(vec![zone()]) }]),
        family("s_bytes", 2, vec![Metric { summary: Some(summary), ..metric(vec![zone()]) }]),
    ];
    expected[3].unit = Some("bytes".to_owned());
    let bytes = written(&registry);
    assert_eq!(decode(&bytes)?, expected);
    assert!(bytes == encode(&expected), "the same bytes as another encoder");
    Ok(())
}

#[test]
fn finished_samples_are_messages() -> Outcome {
    let registry = Registry::new();
    let sample = |name, labels: &[(&str, &str)], value| Sample::new(name, labels, value);
    let families = [
        SampleFamily::new(
            "h",
            "H",
            Kind::Histogram,
            vec![
                sample("h_bucket", &[("le", "1")], 0.5)?,
                sample("h_bucket", &[("le", "+Inf")], 1.5)?,
                sample("h_sum", &[], 2.0)?,
            ],
        )?,
        SampleFamily::new("i", "I_INFO", Kind::Info, vec![sample("i_info", &[("v", "1")], 1.0)?])?,
        SampleFamily::new("m", "M", Kind::StateSet, vec![sample("m", &[("m", "on")], 1.0)?])?,
        SampleFamily::new("u", "U", Kind::Unknown, vec![sample("u", &[], -0.0)?])?,
    ];
    for samples in families {
        let id = registry.register_foreign(samples.name())?;
        registry.set_foreign(id, samples);
    }
    let bucket =
        |count| Bucket { upper_bound: Some(1.0), cumulative_count_float: Some(count), ..Bucket::default() };
    let histogram = Histogram {
        sum: Some(2.0),
        bucket: vec![bucket(0.5)],
        count_float: Some(1.5),
        ..Histogram::default()
    };
    let number = |value| Some(Number { value: Some(value) });
    let expected = vec![
        family("h", 4, vec![Metric { histogram: Some(histogram), ..Metric::default() }]),
        family(
            "i_info",
            1,
            vec![Metric { label: vec![label("v", "1")], gauge: number(1.0), ..Metric::default() }],
        ),
        family(
            "m",
            1,
            vec![Metric { label: vec![label("m", "on")], gauge: number(1.0), ..Metric::default() }],
        ),
        family("u", 3, vec![Metric { untyped: number(-0.0), ..Metric::default() }]),
    ];
    let bytes = written(&registry);
    assert_eq!(decode(&bytes)?, expected);
    assert!(bytes == encode(&expected));
    assert!(written(&Registry::new()).is_empty());
    Ok(())
}

#[test]
fn lengths_of_any_size_are_minimal() -> Outcome {
    // Lengths at the borders of one, two, three and four bytes.
    for size in [100, 110, 118, 127, 128, 16_300, 16_383, 16_384, 2_097_150, 2_200_000] {
        let registry = Registry::new();
        registry.gauge_vec("g", "G", &["x"])?.with(&[&"v".repeat(size)])?.set(1.0);
        let bytes = written(&registry);
        let families = decode(&bytes)?;
        assert_eq!(families[0].metric[0].label[0].value.as_ref().map(String::len), Some(size));
        assert!(bytes == encode(&families));
    }
    Ok(())
}

#[test]
fn the_reader_reads_native_histograms() -> Outcome {
    let span = |offset, length| BucketSpan { offset: Some(offset), length: Some(length) };
    let exemplar = Exemplar { value: Some(1.5), ..Exemplar::default() };
    let histogram = Histogram {
        count: Some(5),
        sum: Some(12.0),
        schema: Some(-2),
        zero_threshold: Some(0.001),
        zero_count: Some(1),
        positive_span: vec![span(-3, 2), span(1, 1)],
        positive_delta: vec![1, 1, -1],
        negative_span: vec![span(0, 1)],
        negative_delta: vec![1],
        exemplars: vec![exemplar],
        created: Some(Timestamp { seconds: 5, nanos: 500_000_000 }),
        ..Histogram::default()
    };
    let metric = Metric { histogram: Some(histogram), timestamp_ms: Some(1500), ..Metric::default() };
    let families = parse_protobuf(&encode(&[family("n", 4, vec![metric])]))?;
    let [sample] = &*families[0].samples else { return Err("one sample".into()) };
    let native = sample.native_histogram.as_ref().ok_or("a native histogram")?;
    assert_eq!((native.count, native.sum, native.schema), (5.0, 12.0, -2.0));
    assert_eq!((native.zero_threshold, native.zero_count), (0.001, 1.0));
    assert_eq!(native.positive_spans, [(-3.0, 2.0), (1.0, 1.0)]);
    assert_eq!(native.positive_deltas, [1.0, 1.0, -1.0]);
    assert_eq!((&*native.negative_spans, &*native.negative_deltas), (&[(0.0, 1.0)][..], &[1.0][..]));
    assert_eq!((sample.timestamp, sample.start), (Some(1.5), Some(5.5)));
    assert_eq!(sample.exemplar.as_ref().map(|exemplar| exemplar.value), Some(1.5));
    assert_eq!(families[0].kind, FamilyKind::Histogram);
    Ok(())
}

#[test]
fn the_reader_refuses_what_a_server_would() {
    let gauge = |value| Metric { gauge: Some(Number { value: Some(value) }), ..Metric::default() };
    let counter = |value| Counter { value: Some(value), ..Counter::default() };
    let counted = |value| Metric { counter: Some(counter(value)), ..Metric::default() };
    let bucket = |count, bound| Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(bound),
        ..Bucket::default()
    };
    let with_buckets = |bucket: Vec<Bucket>| Metric {
        histogram: Some(Histogram { count: Some(2), sum: Some(1.0), bucket, ..Histogram::default() }),
        ..Metric::default()
    };
    let many = Metric {
        label: (0..2000).map(|at| label(&format!("l{at}"), "x")).collect(),
        ..with_buckets((0..2000).map(|at| bucket(0, f64::from(at))).collect())
    };
    let refused = [
        vec![family("g", 1, vec![gauge(1.0)]), family("g", 1, vec![])],
        vec![family("g", 1, vec![gauge(1.0), gauge(2.0)])],
        vec![family("c", 0, vec![counted(-1.0)])],
        vec![family("c", 0, vec![counted(f64::NAN)])],
        vec![family("h", 4, vec![gauge(1.0)])],
        vec![family("g", 1, vec![with_buckets(Vec::new())])],
        vec![family("h", 4, vec![with_buckets(vec![bucket(1, 2.0), bucket(1, 1.0)])])],
        vec![family("h", 4, vec![with_buckets(vec![bucket(3, 2.0)])])],
        vec![family("h", 4, vec![many])],
    ];
    for families in refused {
        let error = parse_protobuf(&encode(&families)).err();
        assert!(error.is_some_and(|error| error.message.starts_with("Expected ")), "{families:?}");
    }
}

proptest! {
    /// Invalid bytes are an error and never a panic, whole and cut.
    #[test]
    fn the_reader_answers_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..100_usize) {
        let _ = parse_protobuf(&bytes);
        let metric = Metric { label: vec![label("a", "b")], gauge: Some(Number { value: Some(1.0) }), ..Metric::default() };
        let whole = encode(&[family("name", 1, vec![metric.clone(), metric])]);
        let cut = cut.min(whole.len() - 1);
        prop_assert!(cut == 0 || parse_protobuf(&whole[..cut]).is_err());
        let mut spoilt = whole;
        for (at, byte) in bytes.iter().enumerate() {
            let place = (at * 7 + usize::from(*byte)) % spoilt.len();
            spoilt[place] = *byte;
        }
        let _ = parse_protobuf(&spoilt);
    }
}
