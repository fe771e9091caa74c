//! Prometheus remote write: `prometheus.WriteRequest` of version 1.0 and `io.prometheus.write.v2.Request` of version 2.0,
//! not compressed. Each sample of a scrape becomes a series of the request. It must not know who sends requests.

use super::metrics::{Encoder, Head, Metric, Value};
use super::number;
use super::protobuf::{bytes, close, double, integer, native_fields, open, varint};
use crate::labels::{escape, pairs};
use crate::model::{Exemplar, Kind, NativeHistogram};
use hashbrown::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

/// Receivers limit the size of a request: Prometheus at 32 MB, others at less.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// The NaN by which Prometheus knows that a series has ended, and the one that it stores for other NaNs.
const STALE: u64 = 0x7ff0_0000_0000_0002;
const NOT_A_NUMBER: u64 = 0x7ff8_0000_0000_0001;

const NAME: &[u8] = b"__name__";

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

/// A complete message.
pub(crate) struct Message<'a> {
    /// The message in two pieces.
    pub(crate) pieces: [&'a [u8]; 2],
    /// One number for each series, in their order: the same for the same labels.
    pub(crate) series: Vec<u64>,
}

/// Writes messages. Each is passed on when it has `REQUEST_BYTES`.
pub(crate) struct RemoteWrite<'a> {
    version: Version,
    timestamp_ms: i64,
    /// Takes the messages.
    take: &'a mut dyn FnMut(Message<'_>),
    name: String,
    help: String,
    unit: String,
    kind: Kind,
    /// The message has the family's metadata.
    is_described: bool,
    series: Vec<u64>,
    symbols: Symbols,
    labels: Labels,
    text: Vec<u8>,
}

/// The texts of a message of version 2.0, each once. The first one is empty.
#[derive(Default)]
struct Symbols {
    numbers: HashMap<Box<[u8]>, usize, foldhash::fast::FixedState>,
    message: Vec<u8>,
    /// Where in the message each text is.
    places: Vec<Range<usize>>,
    /// The numbers that the metric before was written with, in their order. Most texts of two metrics of a family are the same,
    /// and to compare them takes less time than to hash one.
    before: Vec<usize>,
    /// How many numbers this metric is written with so far.
    taken: usize,
}

impl Symbols {
    fn begin_metric(&mut self) {
        self.taken = 0;
    }

    fn number(&mut self, text: &[u8]) -> u64 {
        let at = self.taken;
        self.taken += 1;
        if let Some(&number) = self.before.get(at)
            && self.message[self.places[number].clone()] == *text
        {
            return number as u64;
        }
        let number = self.find(text);
        match self.before.get_mut(at) {
            Some(before) => *before = number,
            None => self.before.push(number),
        }
        number as u64
    }

    fn find(&mut self, text: &[u8]) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        if self.numbers.is_empty() {
            self.add(&[]);
        }
        if text.is_empty() { 0 } else { self.add(text) }
    }

    fn add(&mut self, text: &[u8]) -> usize {
        let number = self.numbers.len();
        bytes(4, text, &mut self.message);
        let end = self.message.len();
        self.places.push(end - text.len()..end);
        self.numbers.insert(text.into(), number);
        number
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.message.clear();
        self.places.clear();
        self.before.clear();
        self.taken = 0;
    }
}

/// The labels of one metric as they are written, in ascending order of their names. Two more are written between them:
/// the name, and the threshold of a bucket or quantile.
#[derive(Default)]
struct Labels {
    sorted: Vec<(usize, usize, usize)>,
    plain: Vec<u8>,
    written: Vec<u8>,
    /// Where the name belongs, and the threshold.
    name_at: usize,
    threshold_at: usize,
}

impl<'a> RemoteWrite<'a> {
    /// All samples have this timestamp.
    pub(crate) fn new(version: Version, timestamp_ms: i64, take: &'a mut dyn FnMut(Message<'_>)) -> Self {
        Self {
            version,
            timestamp_ms,
            take,
            name: String::new(),
            help: String::new(),
            unit: String::new(),
            kind: Kind::Unknown,
            is_described: false,
            series: Vec::new(),
            symbols: Symbols::default(),
            labels: Labels::default(),
            text: Vec::new(),
        }
    }

    fn label(version: Version, symbols: &mut Symbols, name: &[u8], value: &[&[u8]], out: &mut Vec<u8>) {
        match version {
            Version::V1 => {
                let label = open(1, out);
                bytes(1, name, out);
                let text = open(2, out);
                value.iter().for_each(|piece| out.extend_from_slice(piece));
                close(text, out);
                close(label, out);
            }
            Version::V2 => {
                varint(symbols.number(name), out);
                let number = match value {
                    [one] => symbols.number(one),
                    pieces => symbols.number(&pieces.concat()),
                };
                varint(number, out);
            }
        }
    }

    /// Sorts and writes the labels of a metric.
    fn prepare(&mut self, rendered: &[u8], threshold: &[u8]) {
        let Self { version, symbols, labels, .. } = self;
        let Labels { sorted, plain, written, name_at, threshold_at } = labels;
        sorted.clear();
        plain.clear();
        written.clear();
        for pair in pairs(rendered) {
            let from = plain.len();
            plain.extend_from_slice(pair.name);
            let middle = plain.len();
            escape::unescape(pair.value, plain);
            // An empty value is the same as no label.
            if plain.len() > middle {
                let name = &plain[from..middle];
                let at = sorted.partition_point(|&(start, end, _)| plain[start..end] < *name);
                sorted.insert(at, (from, middle, plain.len()));
            }
        }
        (*name_at, *threshold_at) = (usize::MAX, usize::MAX);
        for (from, middle, end) in sorted.iter().copied() {
            let name = &plain[from..middle];
            if name > NAME && *name_at == usize::MAX {
                *name_at = written.len();
            }
            if name > threshold && *threshold_at == usize::MAX {
                *threshold_at = written.len();
            }
            Self::label(*version, symbols, name, &[&plain[middle..end]], written);
        }
        *name_at = written.len().min(*name_at);
        *threshold_at = written.len().min(*threshold_at);
    }

    /// Writes the labels that are prepared, with the name, and with the threshold in `self.text` if `threshold` names it.
    fn write_labels(&mut self, suffix: &str, threshold: Option<&str>, out: &mut Vec<u8>) {
        let Self { version, symbols, labels, name, text, .. } = self;
        let Labels { written, name_at, threshold_at, .. } = labels;
        let packed = (*version == Version::V2).then(|| open(1, out));
        out.extend_from_slice(&written[..*name_at]);
        if suffix.is_empty() {
            Self::label(*version, symbols, NAME, &[name.as_bytes()], out);
        } else {
            Self::label(*version, symbols, NAME, &[name.as_bytes(), suffix.as_bytes()], out);
        }
        out.extend_from_slice(&written[*name_at..*threshold_at]);
        if let Some(threshold) = threshold {
            Self::label(*version, symbols, threshold.as_bytes(), &[text], out);
        }
        out.extend_from_slice(&written[*threshold_at..]);
        if let Some(packed) = packed {
            close(packed, out);
        }
    }

    /// Writes one series with its sample.
    fn series(&mut self, sample: Sample<'_>, metric: &Metric<'_>, out: &mut Vec<u8>) {
        let Sample { suffix, threshold, value, exemplar, native } = sample;
        let series = open(if self.version == Version::V1 { 1 } else { 5 }, out);
        self.write_labels(suffix, threshold, out);
        let value = if value.is_nan() { f64::from_bits(NOT_A_NUMBER) } else { value };
        let start_ms = metric.start_ms.filter(|_| self.version == Version::V2);
        match native {
            Some(native) => write_native(native, value, self.timestamp_ms, start_ms, out),
            None => write_sample(value, self.timestamp_ms, start_ms, out),
        }
        for exemplar in exemplar.into_iter().chain(native.into_iter().flat_map(|native| &native.exemplars)) {
            self.exemplar(exemplar, out);
        }
        if self.version == Version::V2 {
            self.metadata(out);
        }
        close(series, out);
        self.series.push(self.key(suffix, threshold, metric.labels));
    }

    /// A number for the labels of a series.
    fn key(&self, suffix: &str, threshold: Option<&str>, labels: &[u8]) -> u64 {
        let mut hasher = foldhash::fast::FixedState::default().build_hasher();
        (&self.name, suffix, labels).hash(&mut hasher);
        threshold.map(|_| &self.text).hash(&mut hasher);
        hasher.finish()
    }

    fn exemplar(&mut self, exemplar: &Exemplar, out: &mut Vec<u8>) {
        let is_first = self.version == Version::V1;
        let message = open(if is_first { 3 } else { 4 }, out);
        let packed = (!is_first).then(|| open(1, out));
        let mut value = Vec::new();
        for pair in pairs(exemplar.labels()) {
            value.clear();
            escape::unescape(pair.value, &mut value);
            Self::label(self.version, &mut self.symbols, pair.name, &[&value], out);
        }
        if let Some(packed) = packed {
            close(packed, out);
        }
        double(2, exemplar.value(), out);
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let timestamp_ms = (exemplar.timestamp() * 1000.0).round() as i64;
        integer(3, timestamp_ms.cast_unsigned(), out);
        close(message, out);
    }

    /// The metadata of a series in version 2.0.
    fn metadata(&mut self, out: &mut Vec<u8>) {
        let message = open(5, out);
        integer(1, metric_type(self.kind), out);
        for (field, text) in [(3, &self.help), (4, &self.unit)] {
            if !text.is_empty() {
                integer(field, self.symbols.number(text.as_bytes()), out);
            }
        }
        close(message, out);
    }

    /// The metadata of a family in version 1.0.
    fn describe(&mut self, out: &mut Vec<u8>) {
        if self.is_described || self.version == Version::V2 {
            return;
        }
        self.is_described = true;
        let message = open(3, out);
        integer(1, metric_type(self.kind), out);
        bytes(2, self.name.as_bytes(), out);
        bytes(4, self.help.as_bytes(), out);
        bytes(5, self.unit.as_bytes(), out);
        close(message, out);
    }

    fn pass_on_if_full(&mut self, out: &mut Vec<u8>) {
        if out.len() + self.symbols.message.len() >= REQUEST_BYTES {
            self.pass_on(out);
            self.is_described = false;
        }
    }

    fn pass_on(&mut self, out: &mut Vec<u8>) {
        if self.series.is_empty() {
            return;
        }
        // Some receivers want the symbols before the series.
        let pieces = [&self.symbols.message[..], &out[..]];
        (self.take)(Message { pieces, series: std::mem::take(&mut self.series) });
        self.symbols.clear();
        out.clear();
    }
}

/// What one series of a metric adds to the metric's labels, and its value.
struct Sample<'a> {
    suffix: &'a str,
    threshold: Option<&'a str>,
    /// The sum, beside a native histogram.
    value: f64,
    exemplar: Option<&'a Exemplar>,
    native: Option<&'a NativeHistogram>,
}

impl<'a> Sample<'a> {
    fn plain(suffix: &'a str, value: f64) -> Self {
        Self { suffix, threshold: None, value, exemplar: None, native: None }
    }
}

impl Encoder for RemoteWrite<'_> {
    /// The encoder empties the buffer itself.
    fn keeps_families(&self) -> bool {
        true
    }

    fn begin(&mut self, head: &Head<'_>, _out: &mut Vec<u8>) {
        let texts = [head.name, head.help, head.unit.unwrap_or_default()];
        for (own, text) in [&mut self.name, &mut self.help, &mut self.unit].into_iter().zip(texts) {
            own.clear();
            own.push_str(text);
        }
        self.kind = head.kind;
        self.is_described = false;
    }

    fn metric(&mut self, metric: &Metric<'_>, out: &mut Vec<u8>) {
        self.symbols.begin_metric();
        self.describe(out);
        let threshold = if self.kind == Kind::Histogram { "le" } else { "quantile" };
        self.prepare(metric.labels, threshold.as_bytes());
        let exemplar = |at: usize| metric.exemplars.get(at).copied().flatten();
        match &metric.value {
            Value::Number(value) => {
                let exemplar = exemplar(0).filter(|_| self.kind == Kind::Counter);
                self.series(Sample { exemplar, ..Sample::plain("", *value) }, metric, out);
            }
            Value::Histogram { buckets, sum, native } => {
                // Many receivers of version 1.0 refuse a request with native histograms.
                let native = native.filter(|_| self.version == Version::V2);
                if native.is_some() {
                    self.series(Sample { native, ..Sample::plain("", *sum) }, metric, out);
                    if buckets.len() == 1 {
                        return self.pass_on_if_full(out);
                    }
                }
                for (at, (bound, count)) in buckets.iter().enumerate() {
                    self.text.clear();
                    number::canonical(*bound, &mut self.text);
                    let sample = Sample {
                        suffix: "_bucket",
                        threshold: Some(threshold),
                        value: *count,
                        exemplar: exemplar(at),
                        native: None,
                    };
                    self.series(sample, metric, out);
                }
                let count = buckets.last().map_or(0.0, |(_, count)| *count);
                self.series(Sample::plain("_sum", *sum), metric, out);
                self.series(Sample::plain("_count", count), metric, out);
            }
            Value::Summary { quantiles, count, sum } => {
                for (quantile, value) in *quantiles {
                    self.text.clear();
                    number::canonical(*quantile, &mut self.text);
                    let sample = Sample { threshold: Some(threshold), ..Sample::plain("", *value) };
                    self.series(sample, metric, out);
                }
                self.series(Sample::plain("_sum", *sum), metric, out);
                self.series(Sample::plain("_count", *count), metric, out);
            }
        }
        self.pass_on_if_full(out);
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.pass_on(out);
    }
}

fn write_sample(value: f64, timestamp_ms: i64, start_ms: Option<u64>, out: &mut Vec<u8>) {
    let sample = open(2, out);
    double(1, value, out);
    integer(2, timestamp_ms.cast_unsigned(), out);
    if let Some(start_ms) = start_ms {
        integer(3, start_ms, out);
    }
    close(sample, out);
}

/// Writes a native histogram, whose counts are integers.
fn write_native(
    native: &NativeHistogram,
    sum: f64,
    timestamp_ms: i64,
    start_ms: Option<u64>,
    out: &mut Vec<u8>,
) {
    let histogram = open(3, out);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    integer(1, native.count() as u64, out);
    double(3, sum, out);
    native_fields(native, 4, out);
    integer(15, timestamp_ms.cast_unsigned(), out);
    if let Some(start_ms) = start_ms {
        // A number from 16 on does not fit into one byte with its type.
        varint(17 << 3, out);
        varint(start_ms, out);
    }
    close(histogram, out);
}

/// `MetricType`, with the same numbers in both versions.
fn metric_type(kind: Kind) -> u64 {
    match kind {
        Kind::Unknown => 0,
        Kind::Counter => 1,
        Kind::Gauge => 2,
        Kind::Histogram => 3,
        Kind::Summary => 5,
        Kind::Info => 6,
        Kind::StateSet => 7,
    }
}

/// A message that marks series of an earlier message as ended: those whose number in it `has_ended` says.
pub(crate) fn with_stale_markers(
    version: Version,
    message: &[u8],
    timestamp_ms: i64,
    has_ended: &mut dyn FnMut(usize) -> bool,
) -> Vec<u8> {
    let of_series = if version == Version::V1 { 1 } else { 5 };
    let (mut out, mut number) = (Vec::new(), 0);
    for (field, content) in fields(message) {
        if field == of_series {
            if has_ended(number) {
                let series = open(field, &mut out);
                fields(content)
                    .filter(|(field, _)| *field == 1)
                    .for_each(|(_, label)| bytes(1, label, &mut out));
                write_sample(f64::from_bits(STALE), timestamp_ms, None, &mut out);
                close(series, &mut out);
            }
            number += 1;
        } else if version == Version::V2 {
            bytes(field, content, &mut out);
        }
    }
    out
}

/// The fields of a message of this module all have a length.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, mut behind) = rest.split_first()?;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let (byte, more) = behind.split_first()?;
            behind = more;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (content, next) = behind.split_at_checked(length)?;
        rest = next;
        Some((tag >> 3, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_text_is_one_symbol(
            metrics in prop::collection::vec(prop::collection::vec("[a-c]{0,2}", 0..6), 0..8),
        ) {
            let mut symbols = Symbols::default();
            let mut texts: Vec<String> = Vec::new();
            for metric in &metrics {
                symbols.begin_metric();
                for text in metric {
                    if texts.is_empty() {
                        texts.push(String::new());
                    }
                    let number = texts.iter().position(|known| known == text).unwrap_or_else(|| {
                        texts.push(text.clone());
                        texts.len() - 1
                    });
                    prop_assert_eq!(symbols.number(text.as_bytes()), number as u64);
                }
            }
            let written: Vec<&[u8]> = fields(&symbols.message).map(|(_, text)| text).collect();
            prop_assert_eq!(written, texts.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}
