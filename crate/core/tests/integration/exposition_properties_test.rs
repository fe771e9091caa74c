//! Tests expositions with random registries: the grammar and the reader of the testing kit read back what was recorded,
//! numbers have the right form, and a streamed exposition equals a whole one.

use crate::exposition::{FORMATS, ParsedFamily, ParsedSample, parse, parse_or_fail};
use crate::number_forms::{any_number, ecmascript_number_to_string, go_general_float};
use prometheus_metrics::registry::Kind;
use prometheus_metrics::serialization::Streaming;
use prometheus_metrics::testing::{self, Dialect};
use prometheus_metrics::{Format, MetricsError, Registry, encode};
use proptest::prelude::*;

type Labels = Vec<(String, String)>;
type Record = dyn Fn(&[&str], f64) -> Result<(), MetricsError>;

proptest! {
    #[test]
    fn escaped_texts_are_read_back(value in awkward(), other in awkward(), help in awkward()) {
        let registry = Registry::new();
        registry.gauge_vec("g", &help, &["a", "b"])?.with(&[&value, &other])?.set(1.0);
        let mut labels = vec![("a".to_owned(), value), ("b".to_owned(), other)];
        labels.retain(|(_, value)| !value.is_empty());
        for (format, dialect) in FORMATS.into_iter().zip([Dialect::Text, Dialect::OpenMetrics]) {
            // The reader of the testing kit.
            let read_strictly = testing::parse_strict(&registry.encode(format), dialect);
            let family = read_strictly.map_err(|error| TestCaseError::fail(error.to_string()))?.remove(0);
            prop_assert_eq!(read_help(&family.help), read_help(&help));
            prop_assert_eq!(&family.samples[0].labels, &labels);

            let sample = ParsedSample { name: "g".to_owned(), labels: labels.clone(), value: 1.0 };
            let family = ParsedFamily { name: "g".to_owned(), help: help.clone(), kind: "gauge".to_owned(), samples: vec![sample] };
            prop_assert_eq!(parse_or_fail(&registry.encode(format), format)?, vec![family]);
        }
    }

    #[test]
    fn a_number_is_printed_as_javascript_prints_it(value in any_number()) {
        let registry = Registry::new();
        registry.gauge("g", "G")?.set(value);
        let shown = registry.encode(Format::PrometheusText);
        let shown = shown.lines().last().and_then(|line| line.strip_prefix("g ")).unwrap_or_default();
        let expected = match value {
            _ if value.is_nan() => "NaN".to_owned(),
            f64::INFINITY => "+Inf".to_owned(),
            f64::NEG_INFINITY => "-Inf".to_owned(),
            _ => ecmascript_number_to_string(value),
        };
        prop_assert_eq!(shown, expected);
        // Reading gives the same number, except that the text of NaN has no payload and the text of -0 no sign.
        let back = parse(&registry.encode(Format::OpenMetrics), Format::OpenMetrics).map_err(TestCaseError::fail)?;
        let back = back[0].samples[0].value;
        prop_assert!(back.to_bits() == value.to_bits() || (back == 0.0 && value == 0.0) || (back.is_nan() && value.is_nan()));
    }

    #[test]
    fn a_bound_is_printed_as_go_prints_it(value in any_number()) {
        let value = if value.is_finite() { value } else { 1.0 };
        let registry = Registry::new();
        registry.histogram_vec("h", "H", &[], &[value])?.with(&[])?;
        let out = registry.encode(Format::OpenMetrics);
        let shown = out.split('"').nth(1).unwrap_or_default();
        prop_assert_eq!(shown, go_general_float(value));
        prop_assert_eq!(shown.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
    }

    #[test]
    fn random_registries_are_read_back_whole(plan in plans()) {
        let (registry, expected) = build(&plan)?;
        for format in FORMATS {
            let expected = expected_in(&expected, format);
            let shown = registry.encode(format);
            prop_assert_eq!(&shown, &written(&expected, format));
            prop_assert_eq!(parse_or_fail(&shown, format)?, expected);
        }
    }

    #[test]
    fn every_format_shows_the_same_families(plan in plans()) {
        let (registry, _) = build(&plan)?;
        let refused = |error: testing::ParseError| TestCaseError::fail(error.to_string());
        let text = testing::parse_strict(&registry.encode(Format::PrometheusText), Dialect::Text).map_err(refused)?;
        let openmetrics2 = registry.encode(Format::OpenMetrics2);
        let openmetrics2 = testing::parse(&openmetrics2, Dialect::OpenMetrics2).map_err(refused)?;
        let mut bytes = Vec::new();
        let Ok(()) = encode(&registry.gather(), Format::Protobuf, &mut bytes);
        let protobuf = testing::parse_protobuf(&bytes).map_err(refused)?;
        // Protobuf shows no family without series.
        let with_series = text.iter().filter(|family| !family.samples.is_empty()).cloned().collect();
        for (read, expected) in [(openmetrics2, text.clone()), (protobuf, with_series)] {
            prop_assert_eq!(comparable(read), comparable(expected));
        }
    }

    #[test]
    fn a_streamed_exposition_equals_a_whole_one(plan in plans(), piece in prop_oneof![Just(0), 1..2000_usize]) {
        let (registry, _) = build(&plan)?;
        let gathered = registry.gather();
        for format in FORMATS {
            let mut whole = Vec::new();
            let Ok(()) = encode(&gathered, format, &mut whole);
            let mut streaming = Streaming::new(Pieces::default(), piece);
            encode(&gathered, format, &mut streaming)?;
            let pieces = streaming.finish()?;
            prop_assert!(pieces.0.concat() == whole);
            // A piece is written as soon as it is full, and not earlier. A family here is smaller than 16 KiB.
            let lengths: Vec<usize> = pieces.0.iter().map(Vec::len).collect();
            prop_assert!(lengths.iter().rev().skip(1).all(|length| *length >= piece));
            prop_assert!(lengths.iter().all(|length| *length < piece + 16_384));
            prop_assert!(piece > 0 || lengths.len() >= plan.len());
        }
    }
}

/// Families without what only some formats show: starts, white space around help texts, and the place of `le`.
fn comparable(mut families: Vec<testing::ParsedFamily>) -> Vec<testing::ParsedFamily> {
    for family in &mut families {
        family.help = read_help(&family.help).to_owned();
        for sample in &mut family.samples {
            sample.start = None;
            sample.labels.sort();
        }
    }
    families
}

/// The help text without white space at both ends: Python's parsers remove it before the text, and in text 0.0.4 also
/// after it.
fn read_help(help: &str) -> &str {
    help.trim_matches(|character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character))
}

/// Any text, and text made of characters that the formats treat specially.
fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![".{0,16}", "[\"\\\\\n\r\tn,={} #é🦀]{0,12}", any::<String>()]
}

/// A family of a random registry, and the values to record in it.
#[derive(Debug, Clone)]
struct FamilyPlan {
    kind: Kind,
    help: String,
    labels: usize,
    bounds: Vec<f64>,
    recorded: Vec<([String; 2], u32)>,
}

fn plans() -> impl Strategy<Value = Vec<FamilyPlan>> {
    let kind = prop_oneof![Just(Kind::Counter), Just(Kind::Gauge), Just(Kind::Histogram)];
    let bounds = prop::collection::btree_set(-5..60_i32, 1..6)
        .prop_map(|bounds| bounds.into_iter().map(|bound| f64::from(bound) / 4.0).collect());
    let value = || prop_oneof!["[ab]?", awkward()];
    let recorded = prop::collection::vec(((value(), value()).prop_map(|(a, b)| [a, b]), 0..100_u32), 0..10);
    let family = (kind, awkward(), 0..=2_usize, bounds, recorded).prop_map(
        |(kind, help, labels, bounds, recorded)| FamilyPlan { kind, help, labels, bounds, recorded },
    );
    prop::collection::vec(family, 0..6)
}

/// The expected state of a family: its series in order, each with its recorded values.
struct ModelFamily {
    name: String,
    plan: FamilyPlan,
    series: Vec<(Labels, Vec<f64>)>,
}

/// Makes a registry and its model from the plan.
fn build(plan: &[FamilyPlan]) -> Result<(Registry, Vec<ModelFamily>), MetricsError> {
    let registry = Registry::new();
    let mut model = Vec::new();
    for (number, family) in plan.iter().enumerate() {
        let name = format!("f{number}{}", if family.kind == Kind::Counter { "_total" } else { "" });
        let names = &["a", "b"][..family.labels];
        let mut series: Vec<(Labels, Vec<f64>)> = Vec::new();
        let values_of = |values: &[String; 2]| values[..family.labels].to_vec();
        let mut note = |values: &[String], value: Option<f64>| {
            let mut labels: Labels =
                names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            labels.retain(|(_, value)| !value.is_empty());
            match series.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, recorded)) => recorded.extend(value),
                None => series.push((labels, value.into_iter().collect())),
            }
        };
        let record: Box<Record> = match family.kind {
            Kind::Counter => {
                let counters = registry.counter_vec(&name, &family.help, names)?;
                Box::new(move |values, value| counters.with(values)?.add(value))
            }
            Kind::Gauge => {
                let gauges = registry.gauge_vec(&name, &family.help, names)?;
                Box::new(move |values, value| gauges.with(values).map(|gauge| gauge.set(value)))
            }
            _ => {
                let histograms = registry.histogram_vec(&name, &family.help, names, &family.bounds)?;
                Box::new(move |values, value| histograms.with(values)?.observe(value))
            }
        };
        for (values, value) in &family.recorded {
            let values = values_of(values);
            let borrowed: Vec<&str> = values.iter().map(String::as_str).collect();
            let value = f64::from(*value) / 4.0;
            record(&borrowed, value)?;
            note(&values, Some(value));
        }
        model.push(ModelFamily { name, plan: family.clone(), series });
    }
    Ok((registry, model))
}

/// The families that the grammar should read.
fn expected_in(model: &[ModelFamily], format: Format) -> Vec<ParsedFamily> {
    let openmetrics = format == Format::OpenMetrics;
    let family = |family: &ModelFamily| {
        let name = match openmetrics {
            true => family.name.strip_suffix("_total").unwrap_or(&family.name),
            false => &family.name,
        };
        let mut samples = Vec::new();
        for (labels, recorded) in &family.series {
            let mut sample = |suffix: &str, first: Option<(String, String)>, value: f64| {
                let labels = first.into_iter().chain(labels.iter().cloned()).collect();
                samples.push(ParsedSample { name: format!("{}{suffix}", family.name), labels, value });
            };
            let sum = recorded.iter().sum::<f64>();
            match family.plan.kind {
                Kind::Counter => sample("", None, sum),
                Kind::Gauge => sample("", None, recorded.last().copied().unwrap_or_default()),
                _ => {
                    for bound in family.plan.bounds.iter().chain([&f64::INFINITY]) {
                        let count = recorded.iter().filter(|value| *value <= bound).count();
                        let le = match bound {
                            _ if bound.is_infinite() => "+Inf".to_owned(),
                            _ if openmetrics => go_general_float(*bound),
                            _ => ecmascript_number_to_string(*bound),
                        };
                        sample("_bucket", Some(("le".to_owned(), le)), count as f64);
                    }
                    if !openmetrics || family.plan.bounds[0] >= 0.0 {
                        sample("_sum", None, sum);
                        sample("_count", None, recorded.len() as f64);
                    }
                }
            }
        }
        let kind = family.plan.kind.as_str().to_owned();
        ParsedFamily { name: name.to_owned(), help: family.plan.help.clone(), kind, samples }
    };
    model.iter().map(family).collect()
}

/// An exposition of these families, written piece by piece.
fn written(families: &[ParsedFamily], format: Format) -> String {
    let openmetrics = format == Format::OpenMetrics;
    let escaped = |text: &str, quotes: bool| {
        let text = text.replace('\\', "\\\\").replace('\n', "\\n");
        if quotes { text.replace('"', "\\\"") } else { text }
    };
    let family = |ParsedFamily { name, help, kind, samples }: &ParsedFamily| {
        let mut text = format!("# HELP {name} {}\n# TYPE {name} {kind}\n", escaped(help, openmetrics));
        for ParsedSample { name, labels, value } in samples {
            let pairs = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true)));
            let labels = pairs.collect::<Vec<_>>().join(",");
            let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            text += &format!("{name}{braces} {}\n", ecmascript_number_to_string(*value));
        }
        text
    };
    let families: Vec<String> = families.iter().map(family).collect();
    match (openmetrics, families.is_empty()) {
        (true, _) => families.concat() + "# EOF\n",
        (false, true) => "\n".to_owned(),
        (false, false) => families.join("\n"),
    }
}

/// A writer that keeps each piece that is written to it.
#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl std::io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.push(piece.to_vec());
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
