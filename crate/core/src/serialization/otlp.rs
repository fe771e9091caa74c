//! OTLP: `ExportMetricsServiceRequest`. Metrics keep their Prometheus names, from which Prometheus' receiver makes the same
//! names again. It must not know who sends requests.

use super::metrics::{Encoder, Head, Metric, Value};
use super::protobuf::{bytes, close, double, integer, open, varint, zigzag};
use crate::labels::{escape, pairs};
use crate::model::{Exemplar, Kind, NEGATIVE, NativeBuckets, NativeHistogram, POSITIVE};
use std::borrow::Cow;

/// A collector takes up to 20 MiB.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;

/// The most buckets on a side of an exponential histogram, which has the empty ones too: the resolution of one with more is
/// lowered.
const MAX_BUCKETS: i32 = 2048;

/// Writes requests. Each is passed on when it has `REQUEST_BYTES`.
pub(crate) struct Otlp<'a> {
    timestamp_ms: i64,
    /// The attributes of the process.
    resource: &'a [(String, String)],
    /// Takes the requests, each with its number of data points.
    take: &'a mut dyn FnMut(&[u8], usize),
    name: String,
    help: String,
    unit: String,
    kind: Kind,
    /// The family's histograms are exponential.
    is_native: bool,
    points: usize,
    /// What is open in the buffer, the outermost first.
    opened: Vec<usize>,
    value: Vec<u8>,
}

impl<'a> Otlp<'a> {
    /// All data points have this timestamp.
    pub(crate) fn new(
        timestamp_ms: i64,
        resource: &'a [(String, String)],
        take: &'a mut dyn FnMut(&[u8], usize),
    ) -> Self {
        Self {
            timestamp_ms,
            resource,
            take,
            name: String::new(),
            help: String::new(),
            unit: String::new(),
            kind: Kind::Unknown,
            is_native: false,
            points: 0,
            opened: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Opens the request, as far as it is not open, and the family in it.
    fn open_family(&mut self, out: &mut Vec<u8>) {
        if self.opened.is_empty() {
            self.opened.push(open(1, out));
            let resource = open(1, out);
            self.resource
                .iter()
                .for_each(|(name, value)| attribute(1, name.as_bytes(), value.as_bytes(), out));
            close(resource, out);
            self.opened.push(open(2, out));
            let scope = open(1, out);
            bytes(1, b"prometheus-metrics", out);
            bytes(2, env!("CARGO_PKG_VERSION").as_bytes(), out);
            close(scope, out);
        }
        if self.opened.len() == 2 {
            self.opened.push(open(2, out));
            for (field, text) in [(1, &self.name), (2, &self.help), (3, &self.unit)] {
                bytes(field, text.as_bytes(), out);
            }
            let field = match self.kind {
                Kind::Counter => 7,
                Kind::Histogram if self.is_native => 10,
                Kind::Histogram => 9,
                Kind::Summary => 11,
                Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Unknown => 5,
            };
            self.opened.push(open(field, out));
            if matches!(self.kind, Kind::Counter | Kind::Histogram) {
                integer(2, CUMULATIVE, out);
            }
            if self.kind == Kind::Counter {
                integer(3, 1, out);
            }
        }
    }

    fn close_down_to(&mut self, depth: usize, out: &mut Vec<u8>) {
        while self.opened.len() > depth
            && let Some(at) = self.opened.pop()
        {
            close(at, out);
        }
    }

    fn pass_on(&mut self, out: &mut Vec<u8>) {
        self.close_down_to(0, out);
        if self.points > 0 {
            (self.take)(out, std::mem::take(&mut self.points));
        }
        out.clear();
    }

    fn attributes(&mut self, field: u8, rendered: &[u8], out: &mut Vec<u8>) {
        for pair in pairs(rendered) {
            self.value.clear();
            escape::unescape(pair.value, &mut self.value);
            if !self.value.is_empty() {
                attribute(field, pair.name, &self.value, out);
            }
        }
    }

    fn exemplar(&mut self, field: u8, exemplar: &Exemplar, out: &mut Vec<u8>) {
        let message = open(field, out);
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        fixed(2, nanoseconds((exemplar.timestamp() * 1000.0).round() as i64), out);
        double(3, exemplar.value(), out);
        for pair in pairs(exemplar.labels()) {
            let (id, length) = match pair.name {
                b"span_id" => (4, 8),
                b"trace_id" => (5, 16),
                _ => (0, 0),
            };
            match hex(pair.value).filter(|id| id.len() == length) {
                Some(number) => bytes(id, &number, out),
                None => {
                    self.value.clear();
                    escape::unescape(pair.value, &mut self.value);
                    attribute(7, pair.name, &self.value, out);
                }
            }
        }
        close(message, out);
    }
}

impl Encoder for Otlp<'_> {
    /// The encoder empties the buffer itself.
    fn keeps_families(&self) -> bool {
        true
    }

    fn begin(&mut self, head: &Head<'_>, _out: &mut Vec<u8>) {
        let unit = head.unit.map(unit).unwrap_or_default();
        let texts = [head.name, head.help, &unit];
        for (own, text) in [&mut self.name, &mut self.help, &mut self.unit].into_iter().zip(texts) {
            own.clear();
            own.push_str(text);
        }
        self.kind = head.kind;
    }

    fn metric(&mut self, metric: &Metric<'_>, out: &mut Vec<u8>) {
        let is_native = matches!(metric.value, Value::Histogram { native: Some(_), .. });
        if is_native != self.is_native {
            // A metric of this protocol has one type.
            self.close_down_to(2, out);
            self.is_native = is_native;
        }
        self.open_family(out);
        let point = open(1, out);
        if let Some(start_ms) = metric.start_ms {
            fixed(2, nanoseconds(start_ms.cast_signed()), out);
        }
        fixed(3, nanoseconds(self.timestamp_ms), out);
        let exemplars = || metric.exemplars.iter().copied().flatten();
        match &metric.value {
            Value::Number(value) => {
                double(4, *value, out);
                let of_counter = self.kind == Kind::Counter;
                exemplars().filter(|_| of_counter).for_each(|exemplar| self.exemplar(5, exemplar, out));
                self.attributes(7, metric.labels, out);
            }
            Value::Histogram { sum, native: Some(native), .. } => {
                fixed(4, whole(native.count()), out);
                double(5, *sum, out);
                exponential(native, out);
                native.exemplars.iter().for_each(|exemplar| self.exemplar(11, exemplar, out));
                self.attributes(1, metric.labels, out);
            }
            Value::Histogram { buckets, sum, native: None } => {
                let count = buckets.last().map_or(0.0, |(_, count)| *count);
                fixed(4, whole(count), out);
                double(5, *sum, out);
                let counts = open(6, out);
                let mut below = 0.0;
                for (_, count) in *buckets {
                    out.extend_from_slice(&whole(count - below).to_le_bytes());
                    below = *count;
                }
                close(counts, out);
                let bounds = open(7, out);
                let finite = buckets.iter().filter(|(bound, _)| bound.is_finite());
                finite.for_each(|(bound, _)| out.extend_from_slice(&bound.to_le_bytes()));
                close(bounds, out);
                exemplars().for_each(|exemplar| self.exemplar(8, exemplar, out));
                self.attributes(9, metric.labels, out);
            }
            Value::Summary { quantiles, count, sum } => {
                fixed(4, whole(*count), out);
                double(5, *sum, out);
                for (quantile, value) in *quantiles {
                    let message = open(6, out);
                    double(1, *quantile, out);
                    double(2, *value, out);
                    close(message, out);
                }
                self.attributes(7, metric.labels, out);
            }
        }
        close(point, out);
        self.points += 1;
        if out.len() >= REQUEST_BYTES {
            self.pass_on(out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.close_down_to(2, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.pass_on(out);
    }
}

/// The scale and the buckets. Their numbers are one lower than the keys of Prometheus.
fn exponential(native: &NativeHistogram, out: &mut Vec<u8>) {
    let is_wide = |buckets: &NativeBuckets| match (buckets.first(), buckets.last()) {
        (Some((first, _)), Some((last, _))) => last - first >= MAX_BUCKETS,
        _ => false,
    };
    let mut native = Cow::Borrowed(native);
    while native.sides.iter().any(is_wide) {
        let schema = native.schema - 1;
        native.to_mut().lower(schema);
    }
    integer(6, zigzag(native.schema.into()), out);
    fixed(7, whole(native.zero_count), out);
    for (field, side) in [(8, POSITIVE), (9, NEGATIVE)] {
        let buckets = &native.sides[side];
        let Some((first, _)) = buckets.first() else { continue };
        let message = open(field, out);
        integer(1, zigzag(i64::from(*first) - 1), out);
        let counts = open(2, out);
        let mut next = *first;
        for (key, count) in buckets {
            (next..*key).for_each(|_| out.push(0));
            varint(whole(*count), out);
            next = key + 1;
        }
        close(counts, out);
        close(message, out);
    }
    double(14, native.zero_threshold, out);
}

/// The unit in UCUM, written so that it does not change the name. Prometheus' receiver adds units to names that do not have
/// them between two underscores. It turns the first three back to the word that the name ends with. It would add the word for
/// its other abbreviations, which have up to four characters, and a unit with underscores. It adds no annotation, which is a
/// text in braces.
fn unit(unit: &str) -> Cow<'_, str> {
    match unit {
        "seconds" => "s".into(),
        "bytes" => "By".into(),
        "ratio" => "1".into(),
        word if word.len() > 4 && !word.contains('_') => word.into(),
        other => format!("{{{other}}}").into(),
    }
}

fn attribute(field: u8, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let message = open(field, out);
    bytes(1, name, out);
    let any = open(2, out);
    bytes(1, value, out);
    close(any, out);
    close(message, out);
}

fn nanoseconds(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default().saturating_mul(1_000_000)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

fn fixed(field: u8, value: u64, out: &mut Vec<u8>) {
    varint(u64::from((field << 3) | 1), out);
    out.extend_from_slice(&value.to_le_bytes());
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()).collect()
}
