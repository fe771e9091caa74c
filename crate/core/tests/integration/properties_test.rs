//! Rules that hold for every input, tried on random ones.

use crate::exposition::{ParsedFamily, ParsedSample, parse};
use crate::{Cell, contributor_of, family_of, scrape};
use prometheus_metrics::registry::{Contributor, Descriptor, Family, Kind, Process};
use prometheus_metrics::serialization::Streaming;
use prometheus_metrics::testing::{self, Dialect};
use prometheus_metrics::{ErrorKind, Format, Histogram, MetricsError, Registry, encode};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const FORMATS: [Format; 2] = [Format::PrometheusText, Format::OpenMetrics];

fn read(text: &str, format: Format) -> Result<Vec<ParsedFamily>, TestCaseError> {
    parse(text, format).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))
}

/// A help text as Python's parsers keep it: without the spaces before it, and in text without those after it.
fn read_help(help: &str) -> &str {
    help.trim_matches(|character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character))
}

type Labels = Vec<(String, String)>;
type Record = dyn Fn(&[&str], f64) -> Result<(), MetricsError>;

/// Any text, and text made of what the formats treat specially.
fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![".{0,16}", "[\"\\\\\n\r\tn,={} #é🦀]{0,12}", any::<String>()]
}

proptest! {
    #[test]
    fn what_is_escaped_is_read_back(value in awkward(), other in awkward(), help in awkward()) {
        let registry = Registry::new();
        registry.gauge_vec("g", &help, &["a", "b"])?.with(&[&value, &other])?.set(1.0);
        let mut labels = vec![("a".to_owned(), value), ("b".to_owned(), other)];
        labels.retain(|(_, value)| !value.is_empty());
        for (format, dialect) in FORMATS.into_iter().zip([Dialect::Text, Dialect::OpenMetrics]) {
            // The reader that tests are given reads the same.
            let read_strictly = testing::parse_strict(&registry.encode(format), dialect);
            let family = read_strictly.map_err(|error| TestCaseError::fail(error.to_string()))?.remove(0);
            prop_assert_eq!(read_help(&family.help), read_help(&help));
            prop_assert_eq!(&family.samples[0].labels, &labels);

            let sample = ParsedSample { name: "g".to_owned(), labels: labels.clone(), value: 1.0 };
            let family = ParsedFamily { name: "g".to_owned(), help: help.clone(), kind: "gauge".to_owned(), samples: vec![sample] };
            prop_assert_eq!(read(&registry.encode(format), format)?, vec![family]);
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
        // Read back it is the same number; NaN has no payload and 0 no sign in text.
        let back = parse(&registry.encode(Format::OpenMetrics), Format::OpenMetrics).map_err(TestCaseError::fail)?;
        let back = back[0].samples[0].value;
        prop_assert!(back.to_bits() == value.to_bits() || (back == 0.0 && value == 0.0) || (back.is_nan() && value.is_nan()));
    }

    #[test]
    fn a_threshold_is_printed_as_go_prints_it(value in any_number()) {
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
            prop_assert_eq!(read(&registry.encode(format), format)?, expected_in(&expected, format));
        }
    }

    #[test]
    fn a_streamed_exposition_is_the_same(plan in plans(), piece in prop_oneof![Just(0), 1..2000_usize]) {
        let (registry, _) = build(&plan)?;
        let gathered = registry.gather();
        for format in FORMATS {
            let mut whole = Vec::new();
            let Ok(()) = encode(&gathered, format, &mut whole);
            let mut streaming = Streaming::new(Pieces::default(), piece);
            encode(&gathered, format, &mut streaming)?;
            let pieces = streaming.finish()?;
            prop_assert!(pieces.0.concat() == whole);
            // A piece is handed on as soon as it is full, and not before; a family can be no more than 16 KiB here.
            let lengths: Vec<usize> = pieces.0.iter().map(Vec::len).collect();
            prop_assert!(lengths.iter().rev().skip(1).all(|length| *length >= piece));
            prop_assert!(lengths.iter().all(|length| *length < piece + 16_384));
            prop_assert!(piece > 0 || lengths.len() >= plan.len());
        }
    }

    #[test]
    fn an_observation_is_in_the_buckets_whose_bounds_it_does_not_exceed(
        bounds in prop::collection::btree_set(-200..200_i32, 1..20),
        observed in prop::collection::vec(-900..900_i32, 0..60),
    ) {
        let bounds: Vec<f64> = bounds.into_iter().map(|bound| f64::from(bound) / 8.0).collect();
        let observed: Vec<f64> = observed.into_iter().map(|value| f64::from(value) / 32.0).collect();
        let registry = Registry::new();
        let histogram = Histogram::with_buckets("h", "H", &bounds)?;
        registry.register(&histogram)?;
        observed.iter().try_for_each(|value| histogram.observe(*value))?;
        // Eighths and thirty-seconds add up exactly, in any order.
        let sum: f64 = observed.iter().sum();
        let mut expected = String::from("# HELP h H\n# TYPE h histogram\n");
        for bound in &bounds {
            let count = observed.iter().filter(|value| *value <= bound).count();
            expected += &format!("h_bucket{{le=\"{bound}\"}} {count}\n");
        }
        let count = observed.len();
        // The sum of no numbers is -0 in Rust, and 0 where cells begin.
        expected += &format!("h_bucket{{le=\"+Inf\"}} {count}\nh_sum {}\nh_count {count}\n", sum + 0.0);
        prop_assert_eq!(registry.encode(Format::PrometheusText), expected);
        prop_assert_eq!((histogram.count(), histogram.sum()), (count as f64, sum));
    }

    #[test]
    fn asking_for_a_metric_finds_it_or_makes_it_or_says_why_not(requests in prop::collection::vec(requests(), 1..40)) {
        let registry = Registry::new();
        let mut model: Vec<Request> = Vec::new();
        for request in requests {
            let answer = request.ask(&registry);
            let known = model.iter().find(|known| known.name == request.name);
            let clash = model.iter().any(|known| known.name != request.name && clashes(known, &request));
            match (answer, known) {
                (Ok(()), Some(known)) => prop_assert_eq!(known, &request),
                (Err(error), Some(known)) => {
                    prop_assert_ne!(known, &request);
                    prop_assert_eq!(error.kind(), ErrorKind::TypeMismatch);
                }
                (Err(error), None) => {
                    prop_assert!(clash, "{}", error);
                    prop_assert_eq!(error.kind(), ErrorKind::DuplicateMetric);
                }
                (Ok(()), None) => {
                    prop_assert!(!clash);
                    model.push(request);
                }
            }
        }
        let made: Vec<String> = registry.families().iter().map(|family| family.descriptor().name().to_owned()).collect();
        let expected: Vec<String> = model.into_iter().map(|request| request.name).collect();
        prop_assert_eq!(made, expected);
    }

    #[test]
    fn a_merge_is_the_sum_of_its_contributors(
        recorded in prop::collection::vec((0..5_usize, 0..4_usize, 0..4_usize, 0..1000_u32), 0..60),
        leaving in prop::sample::subsequence(vec![1_usize, 2, 3, 4], 0..=4),
    ) {
        let mut group = Group::new(5)?;
        let mut counts: BTreeMap<Labels, f64> = BTreeMap::new();
        let mut sums: BTreeMap<Labels, (f64, f64)> = BTreeMap::new();
        for (who, a, b, value) in recorded {
            let labels = group.record(who, [a, b], f64::from(value));
            *counts.entry(labels.clone()).or_default() += f64::from(value);
            let sum = sums.entry(labels).or_default();
            *sum = (sum.0 + 1.0, sum.1 + f64::from(value));
        }
        for who in leaving {
            group.leave(who);
        }
        for format in FORMATS {
            let families = read(&group.scrape(format), format)?;
            let shown = |name: &str| -> BTreeMap<Labels, f64> {
                let samples = families.iter().flat_map(|family| &family.samples).filter(|sample| sample.name == name);
                samples.map(|sample| {
                    let mut labels = sample.labels.clone();
                    labels.sort();
                    (labels, sample.value)
                }).collect()
            };
            prop_assert_eq!(shown("c_total"), counts.clone());
            prop_assert_eq!(shown("h_count"), sums.iter().map(|(labels, sum)| (labels.clone(), sum.0)).collect());
            prop_assert_eq!(shown("h_sum"), sums.iter().map(|(labels, sum)| (labels.clone(), sum.1)).collect());
        }
    }

    #[test]
    fn no_total_ever_decreases(steps in prop::collection::vec(steps(), 1..60)) {
        let mut group = Group::new(1)?;
        let mut before: HashMap<String, f64> = HashMap::new();
        for step in steps {
            match step {
                Step::Join => group.join()?,
                Step::Leave(who) => group.leave(who),
                Step::Record(who, series, value) => drop(group.record(who, [series, 0], value)),
            }
            let mut now = HashMap::new();
            for family in read(&group.scrape(Format::PrometheusText), Format::PrometheusText)? {
                for sample in family.samples {
                    let mut labels = sample.labels;
                    labels.sort();
                    now.insert(format!("{} {labels:?}", sample.name), sample.value);
                }
            }
            for (series, value) in &before {
                prop_assert!(now.get(series).is_some_and(|new| new >= value), "{}: {} to {:?}", series, value, now.get(series));
            }
            before = now;
        }
    }
}

/// Every kind of `f64`, and more often than by chance the integers and the powers of ten where spellings change.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::ANY,
        any::<i64>().prop_map(|value| value as f64),
        (-1_000_000..1_000_000_i64).prop_map(|value| value as f64),
        (-400..400_i32, -12..24_i32).prop_map(|(digits, exponent)| f64::from(digits) * 10_f64.powi(exponent)),
        (1..1u64 << 53, -30..30_i32).prop_map(|(digits, exponent)| digits as f64 * 2_f64.powi(exponent)),
    ]
}

/// The shortest digits that are the number again, and the power of ten of the first.
fn shortest(value: f64) -> (String, i32) {
    let scientific = format!("{:e}", value.abs());
    digits_and_exponent(&scientific)
}

fn digits_and_exponent(scientific: &str) -> (String, i32) {
    let (digits, exponent) = scientific.split_once('e').expect("Rust's LowerExp has an exponent");
    (digits.replace('.', ""), exponent.parse().expect("an integer"))
}

/// The same, and of two that are equally short and close the even one (ECMA-262, note 2): Rust takes the upper.
fn shortest_even(value: f64) -> (String, i32) {
    let (digits, exponent) = shortest(value);
    // No `f64` has more than 767 digits, so this is the number itself.
    let (exact, _) = digits_and_exponent(&format!("{:.767e}", value.abs()));
    let last = digits.len() - 1;
    let lower = digits[last..].parse::<u8>().expect("a digit").wrapping_sub(1);
    let even = format!("{}{lower}", &digits[..last]);
    let halfway = exact.strip_prefix(&even).is_some_and(|rest| rest.trim_end_matches('0') == "5");
    let scientific = format!("{}.{}e{exponent}", &even[..1], &even[1..]);
    if halfway && lower % 2 == 0 && scientific.parse() == Ok(value.abs()) {
        return (even, exponent);
    }
    (digits, exponent)
}

/// ECMA-262, Number::toString, radix 10, step by step; `n` there is `exponent + 1` here.
fn ecmascript_number_to_string(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let (digits, exponent) = shortest_even(value);
    let (k, n) = (i32::try_from(digits.len()).expect("17 digits at most"), exponent + 1);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let split = |at: i32| digits.split_at(usize::try_from(at).unwrap_or(0));
    let unsigned = if k <= n && n <= 21 {
        format!("{digits}{}", zeros(n - k))
    } else if 0 < n && n <= 21 {
        let (whole, fraction) = split(n);
        format!("{whole}.{fraction}")
    } else if -6 < n && n <= 0 {
        format!("0.{}{digits}", zeros(-n))
    } else {
        let sign = if n > 0 { '+' } else { '-' };
        let (first, rest) = split(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{sign}{}", (n - 1).abs())
    };
    if value < 0.0 { format!("-{unsigned}") } else { unsigned }
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)`, and `.0` after what would otherwise be an integer, as
/// prometheus/common writes thresholds in OpenMetrics.
fn go_general_float(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let (digits, exponent) = shortest_even(value);
    if !(-4..6).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let e = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{e}{:02}", exponent.abs());
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", zeros(-exponent - 1));
    }
    let whole = usize::try_from(exponent + 1).expect("not negative");
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// A random registry: families, and what is recorded in them.
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

/// A family as the model has it: series in order, each with what was recorded there.
struct ModelFamily {
    name: String,
    plan: FamilyPlan,
    series: Vec<(Labels, Vec<f64>)>,
}

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

/// The model as the grammar would read it.
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

/// A writer that remembers in which pieces it was given what it was given.
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

/// A metric that somebody asks a registry for.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    name: String,
    kind: Kind,
    labels: Vec<&'static str>,
    bounds: Vec<f64>,
}

fn requests() -> impl Strategy<Value = Request> {
    let name = "[mn](_sum|_count|_bucket)?";
    let kind = prop_oneof![Just(Kind::Counter), Just(Kind::Gauge), Just(Kind::Histogram)];
    let labels = prop::sample::select(vec![vec![], vec!["a"], vec!["b", "a"], vec!["a", "b"]]);
    let bounds = prop::sample::select(vec![vec![1.0], vec![1.0, 2.0]]);
    (name, kind, labels, bounds).prop_map(|(name, kind, labels, bounds)| Request {
        name,
        kind,
        labels,
        bounds: if kind == Kind::Histogram { bounds } else { Vec::new() },
    })
}

impl Request {
    fn ask(&self, registry: &Registry) -> Result<(), MetricsError> {
        match self.kind {
            Kind::Counter => registry.counter_vec(&self.name, "", &self.labels).map(drop),
            Kind::Gauge => registry.gauge_vec(&self.name, "", &self.labels).map(drop),
            _ => registry.histogram_vec(&self.name, "", &self.labels, &self.bounds).map(drop),
        }
    }

    fn sample_names(&self) -> Vec<String> {
        let suffixes: &[&str] =
            if self.kind == Kind::Histogram { &["", "_bucket", "_sum", "_count"] } else { &[""] };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }
}

fn clashes(known: &Request, wanted: &Request) -> bool {
    known.sample_names().iter().any(|name| wanted.sample_names().contains(name))
}

/// One thing that happens to a process.
#[derive(Debug, Clone)]
enum Step {
    Join,
    /// The contributor of this number, modulo how many there are beside the first.
    Leave(usize),
    Record(usize, usize, f64),
}

fn steps() -> impl Strategy<Value = Step> {
    // Numbers of very different size are where floating-point sums depend on their order.
    let value = prop_oneof![0.0..1.0_f64, 0.0..1e16_f64, Just(0.1), Just(1.0), 1e-20..1e-10_f64];
    prop_oneof![
        2 => Just(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        4 => (any::<usize>(), 0..2_usize, value).prop_map(|(who, series, value)| Step::Record(who, series, value)),
    ]
}

/// A process whose first contributor is scraped and never leaves.
struct Group {
    process: Process,
    members: Vec<Member>,
}

struct Member {
    contributor: Arc<Contributor>,
    counters: Arc<Family>,
    histograms: Arc<Family>,
    /// Slots of the counter and the histogram by label values.
    series: HashMap<[usize; 2], (u32, u32)>,
}

impl Group {
    fn new(members: usize) -> Result<Self, MetricsError> {
        let mut group = Self { process: Process::new(), members: Vec::new() };
        (0..members).try_for_each(|_| group.join())?;
        Ok(group)
    }

    fn join(&mut self) -> Result<(), MetricsError> {
        let contributor = contributor_of(&self.process);
        // Contributors need not declare labels in the same order: the label set is what counts.
        let labels = if self.members.len().is_multiple_of(2) { ["a", "b"] } else { ["b", "a"] };
        let counters = family_of(&contributor, Descriptor::new(Kind::Counter, "c_total", "C", &labels)?)?;
        let histograms = family_of(&contributor, Descriptor::histogram("h", "H", &labels, &[10.0, 500.0])?)?;
        self.members.push(Member { contributor, counters, histograms, series: HashMap::new() });
        Ok(())
    }

    /// The first stays; who has left is not asked to leave again, and whoever is asked is somebody.
    fn leave(&mut self, who: usize) {
        if self.members.len() > 1 {
            let at = 1 + who % (self.members.len() - 1);
            let member = self.members.remove(at);
            self.process.leave(&member.contributor);
        }
    }

    /// Counts and observes the value; returns the labels that a scrape shows.
    fn record(&mut self, who: usize, values: [usize; 2], value: f64) -> Labels {
        let at = who % self.members.len();
        let member = &mut self.members[at];
        // Value 0 is the empty one, an absent label.
        let texts = values.map(|value| if value == 0 { String::new() } else { value.to_string() });
        let names = member.counters.descriptor().label_names();
        let (counters, histograms) = (&member.counters, &member.histograms);
        let place = |name: &str| usize::from(names[0].as_str() != name);
        let mut given = vec![(place("a"), texts[0].as_str()), (place("b"), texts[1].as_str())];
        given.retain(|(_, text)| !text.is_empty());
        given.sort_unstable();
        let slots = *member.series.entry(values).or_insert_with(|| {
            (
                counters.add_series(&given).expect("within the limits").slot,
                histograms.add_series(&given).expect("within the limits").slot,
            )
        });
        let cell = |slot, offset| Cell { contributor: &member.contributor, slot, offset };
        cell(slots.0, 0).add(value);
        let bucket = if value <= 10.0 { 0 } else { 1 + usize::from(value > 500.0) };
        cell(slots.1, bucket).add(1.0);
        cell(slots.1, 3).add(value);
        let labels = [("a", &texts[0]), ("b", &texts[1])];
        let shown = labels.into_iter().filter(|(_, text)| !text.is_empty());
        shown.map(|(name, text)| (name.to_owned(), text.clone())).collect()
    }

    fn scrape(&self, format: Format) -> String {
        scrape(self.members[0].contributor.registry(), Some(&self.process), format)
    }
}
