//! Shows each series as one metric with all of its values, for the formats that have one message or one line for a metric.
//! Puts finished samples together to metrics again. It must not know the formats.

use super::defaults::Defaults;
use super::family::{FamilyWriter, Shown};
use super::prometheus_text::with_info;
use super::streaming::Sink;
use crate::labels::{canonical_key, pairs};
use crate::model::{Descriptor, Exemplar, Kind, NativeHistogram, Sample, SampleFamily, Series, Source};
use hashbrown::HashMap;

/// What is written once for a family.
pub(crate) struct Head<'a> {
    /// The name of its samples: `_total` and `_info` included.
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    pub(super) kind: Kind,
    /// A unit that the name ends with.
    pub(super) unit: Option<&'a str>,
}

/// One metric: a label set of a family with all of its values.
pub(crate) struct Metric<'a> {
    /// Rendered, default labels included.
    pub(super) labels: &'a [u8],
    pub(super) value: Value<'a>,
    /// Milliseconds since 1970.
    pub(super) start_ms: Option<u64>,
    /// By cell: of a counter, or of each bucket. Empty without exemplars.
    pub(super) exemplars: &'a [Option<&'a Exemplar>],
}

/// The values of a metric.
pub(crate) enum Value<'a> {
    Number(f64),
    /// Upper bounds with cumulative counts, ascending, `+Inf` last; and the sum.
    Histogram {
        buckets: &'a [(f64, f64)],
        sum: f64,
        native: Option<&'a NativeHistogram>,
    },
    /// Quantiles with their values, ascending.
    Summary {
        quantiles: &'a [(f64, f64)],
        count: f64,
        sum: f64,
    },
}

/// A format that has one message or one line for a metric.
pub(crate) trait Encoder {
    /// Whether a family has to stay in the buffer until it is complete.
    fn keeps_families(&self) -> bool;
    /// Begins a family.
    fn begin(&mut self, head: &Head<'_>, out: &mut Vec<u8>);
    /// Writes a metric of the family.
    fn metric(&mut self, metric: &Metric<'_>, out: &mut Vec<u8>);
    /// Completes the family.
    fn end(&mut self, out: &mut Vec<u8>);
    /// Completes the exposition.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// Writes families.
pub(crate) fn write<S: Sink>(
    families: &[impl Shown],
    default_labels: &[(String, String)],
    encoder: &mut dyn Encoder,
    sink: &mut S,
) -> Result<(), S::Error> {
    let scratch = Scratch { defaults: Defaults::new(default_labels), ..Scratch::default() };
    let mut writer = Writer { encoder, scratch, sink };
    families.iter().try_for_each(|family| family.show(&mut writer))?;
    writer.encoder.finish(writer.sink.buffer());
    writer.sink.checkpoint()
}

/// Passes families of both kinds to an encoder. Only this much is compiled for each sink and each source of series.
struct Writer<'a, 'd, S> {
    encoder: &'a mut dyn Encoder,
    scratch: Scratch<'d>,
    sink: &'a mut S,
}

impl<S: Sink> FamilyWriter for Writer<'_, '_, S> {
    type Error = S::Error;

    fn cells<F: Source>(&mut self, family: &F) -> Result<(), S::Error> {
        let Self { encoder, scratch, sink } = self;
        let descriptor = family.descriptor();
        let (name, help) = (descriptor.name(), descriptor.help());
        begin(name, help, descriptor.kind(), descriptor.unit(), &mut **encoder, sink.buffer());
        let keeps = encoder.keeps_families();
        family.for_each(|series| {
            scratch.series(descriptor, series, &mut **encoder, sink.buffer());
            if keeps { sink.make_room() } else { sink.checkpoint() }
        })?;
        encoder.end(sink.buffer());
        sink.checkpoint()
    }

    /// Samples that do not have the family's names become families of their own.
    fn samples(&mut self, family: &SampleFamily) -> Result<(), S::Error> {
        let Grouped { name, kind, groups, others } = Grouped::of(family);
        self.groups(&name, family.help(), kind, family.unit(), &groups)?;
        for (name, samples) in others {
            let group = |sample: &Sample| Group {
                labels: sample.labels().to_vec(),
                value: sample.value(),
                ..Group::default()
            };
            let groups: Vec<Group> = samples.into_iter().map(group).collect();
            self.groups(name, "", Kind::Unknown, None, &groups)?;
        }
        Ok(())
    }
}

impl<S: Sink> Writer<'_, '_, S> {
    /// Writes a family of finished samples.
    fn groups(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        unit: Option<&str>,
        groups: &[Group],
    ) -> Result<(), S::Error> {
        let Self { encoder, scratch, sink } = self;
        begin(name, help, kind, unit, &mut **encoder, sink.buffer());
        let keeps = encoder.keeps_families();
        for group in groups {
            scratch.group(kind, group, &mut **encoder, sink.buffer());
            if keeps { sink.make_room() } else { sink.checkpoint() }?;
        }
        encoder.end(sink.buffer());
        sink.checkpoint()
    }
}

fn begin(
    name: &str,
    help: &str,
    kind: Kind,
    unit: Option<&str>,
    encoder: &mut dyn Encoder,
    out: &mut Vec<u8>,
) {
    let name = &*with_info(name, kind);
    let base = name.strip_suffix("_total").filter(|_| kind == Kind::Counter).unwrap_or(name);
    // Finished samples may have any unit. A server rejects one that the name does not end with, or of a type that has none.
    let has_unit = !matches!(kind, Kind::Info | Kind::StateSet);
    let unit = unit.filter(|unit| {
        has_unit && base.strip_suffix(unit).is_some_and(|rest| !unit.is_empty() && rest.ends_with('_'))
    });
    encoder.begin(&Head { name, help, kind, unit }, out);
}

/// The label of a type's thresholds, which no default label may have.
fn threshold_label(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Histogram => Some("le"),
        Kind::Summary => Some("quantile"),
        _ => None,
    }
}

/// Memory that is used for one metric after the other.
#[derive(Default)]
struct Scratch<'a> {
    defaults: Defaults<'a>,
    labels: Vec<u8>,
    beside: Vec<u8>,
    quantiles: Vec<f64>,
    pairs: Vec<(f64, f64)>,
}

impl Scratch<'_> {
    /// Puts a series' own labels and the default ones together.
    fn join_labels(&mut self, own: &[u8], kind: Kind) {
        self.labels.clear();
        self.labels.extend_from_slice(own);
        if self.defaults.is_empty() {
            return;
        }
        self.defaults.beside(own, threshold_label(kind), &mut self.beside);
        if !self.labels.is_empty() && !self.beside.is_empty() {
            self.labels.push(b',');
        }
        self.labels.extend_from_slice(&self.beside);
    }

    fn series(
        &mut self,
        descriptor: &Descriptor,
        series: Series<'_>,
        encoder: &mut dyn Encoder,
        out: &mut Vec<u8>,
    ) {
        let kind = descriptor.kind();
        self.join_labels(series.labels, kind);
        self.pairs.clear();
        let value = match (kind, series.values) {
            (Kind::Histogram, [counts @ .., sum]) => {
                let bounds = descriptor.buckets().iter().copied().chain([f64::INFINITY]);
                let mut count = 0.0;
                self.pairs.extend(bounds.zip(counts).map(|(bound, own)| {
                    count += own;
                    (bound, count)
                }));
                let native = series.native;
                if let Some(native) = native {
                    // The thread that records may have written one of both and not yet the other.
                    let count = native.count();
                    self.pairs.iter_mut().for_each(|(_, own)| *own = own.min(count));
                    self.pairs.iter_mut().last().into_iter().for_each(|(_, last)| *last = count);
                }
                Value::Histogram { buckets: &self.pairs, sum: *sum, native }
            }
            (Kind::Summary, [count, sum]) => {
                series.quantiles(descriptor.quantiles(), &mut self.quantiles);
                self.pairs.extend(descriptor.quantiles().iter().copied().zip(self.quantiles.iter().copied()));
                Value::Summary { quantiles: &self.pairs, count: *count, sum: *sum }
            }
            (_, values) => Value::Number(values.first().copied().unwrap_or_default()),
        };
        let Series { start_ms, exemplars, .. } = series;
        encoder.metric(&Metric { labels: &self.labels, value, start_ms, exemplars }, out);
    }

    fn group(&mut self, kind: Kind, group: &Group, encoder: &mut dyn Encoder, out: &mut Vec<u8>) {
        self.join_labels(&group.labels, kind);
        let value = match kind {
            Kind::Histogram => Value::Histogram { buckets: &group.pairs, sum: group.sum, native: None },
            Kind::Summary => Value::Summary { quantiles: &group.pairs, count: group.count, sum: group.sum },
            _ => Value::Number(group.value),
        };
        let start_ms = group.start_ms.filter(|_| kind.has_start());
        let metric = Metric { labels: &self.labels, value, start_ms, exemplars: &[] };
        encoder.metric(&metric, out);
    }
}

/// The samples of one metric.
#[derive(Default)]
struct Group {
    labels: Vec<u8>,
    pairs: Vec<(f64, f64)>,
    value: f64,
    count: f64,
    sum: f64,
    start_ms: Option<u64>,
}

/// Finished samples, put together to metrics.
struct Grouped<'a> {
    name: String,
    kind: Kind,
    groups: Vec<Group>,
    /// Samples that have none of the family's names, by name.
    others: Vec<(&'a str, Vec<&'a Sample>)>,
}

impl<'a> Grouped<'a> {
    fn of(family: &'a SampleFamily) -> Self {
        let kind = family.kind();
        let tail_of = |sample: &'a Sample| sample.name().strip_prefix(family.name());
        // Other libraries name a counter's family with `_total` or without it.
        let has_total =
            kind == Kind::Counter && family.samples().iter().any(|it| tail_of(it) == Some("_total"));
        let (name, value) = if has_total {
            (format!("{}_total", family.name()), "_total")
        } else {
            (with_info(family.name(), kind).into_owned(), "")
        };
        let mut grouped = Self { name, kind, groups: Vec::new(), others: Vec::new() };
        let mut index: HashMap<Vec<u8>, usize, foldhash::fast::FixedState> = HashMap::default();
        for sample in family.samples() {
            let label = threshold_label(kind);
            let threshold = label.and_then(|label| threshold(sample.labels(), label));
            let (counted, number) = (kind.has_start(), sample.value());
            let known = match (kind, tail_of(sample), threshold) {
                (Kind::Histogram, Some("_bucket"), Some(_)) | (Kind::Summary, Some(""), Some(_)) => true,
                (Kind::Histogram | Kind::Summary, Some("_sum" | "_count"), _) => true,
                (Kind::Histogram | Kind::Summary, _, _) => false,
                (Kind::Info, Some("_info"), _) => true,
                (_, tail, _) => tail == Some(value),
            } || (counted && tail_of(sample) == Some("_created"));
            if !known {
                grouped.put_aside(sample);
                continue;
            }
            let at = if counted {
                let labels = without(sample.labels(), label);
                let mut key = Vec::new();
                canonical_key(&labels, &mut key);
                let next = grouped.groups.len();
                let at = *index.entry(key).or_insert(next);
                if at == next {
                    grouped.groups.push(Group { labels, sum: f64::NAN, ..Group::default() });
                }
                at
            } else {
                grouped.groups.push(Group { labels: sample.labels().to_vec(), ..Group::default() });
                grouped.groups.len() - 1
            };
            let group = &mut grouped.groups[at];
            match (tail_of(sample), threshold) {
                (Some("_sum"), _) if kind != Kind::Counter => group.sum = number,
                (Some("_count"), _) if kind != Kind::Counter => group.count = number,
                (Some("_created"), _) if counted => group.start_ms = milliseconds(number),
                (_, Some(threshold)) => {
                    let after = group.pairs.iter().rposition(|(known, _)| *known <= threshold);
                    group.pairs.insert(after.map_or(0, |at| at + 1), (threshold, number));
                }
                _ => group.value = number,
            }
        }
        grouped.complete(family.name());
        grouped
    }

    /// Completes histograms, and gives a family that breaks the rules of its type another one: a server rejects the whole
    /// exposition otherwise.
    fn complete(&mut self, family: &str) {
        for group in &mut self.groups {
            if self.kind == Kind::Histogram
                && group.pairs.last().is_none_or(|(bound, _)| *bound != f64::INFINITY)
            {
                group.pairs.push((f64::INFINITY, group.count));
            }
        }
        let all = |is_valid: &dyn Fn(&Group) -> bool| self.groups.iter().all(is_valid);
        self.kind = match self.kind {
            Kind::Counter if !all(&|group| group.value >= 0.0) => Kind::Unknown,
            Kind::Info if !all(&|group| group.value == 1.0) => Kind::Gauge,
            Kind::StateSet
                if !all(&|group| {
                    let has_state = pairs(&group.labels).any(|pair| pair.name == family.as_bytes());
                    has_state && (group.value == 0.0 || group.value == 1.0)
                }) =>
            {
                Kind::Gauge
            }
            kind => kind,
        };
    }

    fn put_aside(&mut self, sample: &'a Sample) {
        match self.others.iter_mut().rev().find(|(name, _)| *name == sample.name()) {
            Some((_, samples)) => samples.push(sample),
            None => self.others.push((sample.name(), vec![sample])),
        }
    }
}

/// The number in a label.
fn threshold(labels: &[u8], name: &str) -> Option<f64> {
    let pair = pairs(labels).find(|pair| pair.name == name.as_bytes())?;
    let number: f64 = std::str::from_utf8(pair.value).ok()?.trim_start_matches('+').parse().ok()?;
    (!number.is_nan()).then_some(number)
}

/// Rendered labels without one of them.
fn without(labels: &[u8], name: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(labels.len());
    for pair in pairs(labels).filter(|pair| name.is_none_or(|name| pair.name != name.as_bytes())) {
        pair.push(&mut out);
    }
    out
}

/// Seconds since 1970 as milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn milliseconds(seconds: f64) -> Option<u64> {
    let ms = (seconds * 1000.0).round();
    (0.0..1e18).contains(&ms).then_some(ms as u64)
}
