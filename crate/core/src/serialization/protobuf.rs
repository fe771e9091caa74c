//! Protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length. Fields are written in the order of
//! their numbers, as Google's encoders do.

use super::metrics::{Encoder, Head, Metric, Value};
use super::spans::spans;
use crate::labels::{escape, pairs};
use crate::model::{Exemplar, Kind, NEGATIVE, NativeHistogram, POSITIVE};

/// Writes one family after the other.
#[derive(Default)]
pub(super) struct Protobuf {
    /// Where the family's message begins.
    start: usize,
    kind: Type,
    unit: String,
    is_empty: bool,
}

/// `MetricType`, by its numbers. The model has neither infos nor state sets; both are gauges there.
#[derive(Clone, Copy, PartialEq, Default)]
enum Type {
    Counter = 0,
    Gauge = 1,
    Summary = 2,
    #[default]
    Untyped = 3,
    Histogram = 4,
}

impl Type {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge | Kind::Info | Kind::StateSet => Self::Gauge,
            Kind::Summary => Self::Summary,
            Kind::Histogram => Self::Histogram,
            Kind::Unknown => Self::Untyped,
        }
    }

    /// The number of the field of `Metric` that has the values.
    fn field(self) -> u8 {
        match self {
            Self::Gauge => 2,
            Self::Counter => 3,
            Self::Summary => 4,
            Self::Untyped => 5,
            Self::Histogram => 7,
        }
    }
}

impl Encoder for Protobuf {
    /// The length of a family stands before it.
    fn keeps_families(&self) -> bool {
        true
    }

    fn begin(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        self.kind = Type::of(head.kind);
        self.unit.clear();
        self.unit.push_str(head.unit.unwrap_or_default());
        self.is_empty = true;
        self.start = out.len();
        out.push(0);
        bytes(1, head.name.as_bytes(), out);
        bytes(2, head.help.as_bytes(), out);
        integer(3, self.kind as u64, out);
    }

    fn metric(&mut self, metric: &Metric<'_>, out: &mut Vec<u8>) {
        self.is_empty = false;
        let message = open(4, out);
        labels(metric.labels, out);
        let values = open(self.kind.field(), out);
        match &metric.value {
            Value::Number(value) => {
                double(1, *value, out);
                if self.kind == Type::Counter {
                    exemplar(2, metric.exemplars.first().copied().flatten(), out);
                    start(3, metric.start_ms, out);
                }
            }
            Value::Summary { quantiles, count, sum } => {
                integer(1, whole(*count).unwrap_or_default(), out);
                double(2, *sum, out);
                for (quantile, value) in *quantiles {
                    let message = open(3, out);
                    double(1, *quantile, out);
                    double(2, *value, out);
                    close(message, out);
                }
                start(4, metric.start_ms, out);
            }
            Value::Histogram { buckets, sum, native } => {
                let count = buckets.last().map_or(0.0, |(_, count)| *count);
                whole_count(count, out);
                double(2, *sum, out);
                for (at, (bound, count)) in buckets.iter().enumerate() {
                    let example = metric.exemplars.get(at).copied().flatten();
                    // The count is that of the last bucket, which is written only for its exemplar.
                    if *bound != f64::INFINITY || example.is_some() {
                        bucket(*bound, *count, example, out);
                    }
                }
                broken_count(count, out);
                native.iter().for_each(|native| native_fields(native, 5, out));
                start(15, metric.start_ms, out);
                for example in native.iter().flat_map(|native| &native.exemplars) {
                    exemplar(16, Some(example), out);
                }
            }
        }
        close(values, out);
        close(message, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        // Go's library shows no family without metrics.
        if self.is_empty {
            out.truncate(self.start);
            return;
        }
        if !self.unit.is_empty() {
            bytes(5, self.unit.as_bytes(), out);
        }
        close(self.start, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

/// The fields from the schema to the buckets, which remote write has under other numbers in the same order. `first` is that of
/// the schema.
pub(super) fn native_fields(native: &NativeHistogram, first: u8, out: &mut Vec<u8>) {
    integer(first, zigzag(native.schema.into()), out);
    double(first + 1, native.zero_threshold, out);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let zero_count = native.zero_count as u64;
    integer(first + 2, zero_count, out);
    for (of_spans, side) in [(first + 4, NEGATIVE), (first + 7, POSITIVE)] {
        let spans = spans(&native.sides[side]);
        for (gap, counts) in &spans {
            span((*gap).into(), counts.len() as u64, of_spans, out);
        }
        let mut before = 0;
        for count in spans.iter().flat_map(|(_, counts)| counts) {
            #[expect(clippy::cast_possible_truncation, reason = "counts are integers below 2^53")]
            let count = *count as i64;
            integer(of_spans + 1, zigzag(count - before), out);
            before = count;
        }
    }
    // Without it, servers take a native histogram without observations for one of classic buckets.
    if native.zero_threshold == 0.0 && native.count() == 0.0 {
        span(0, 0, first + 7, out);
    }
}

fn span(offset: i64, length: u64, field: u8, out: &mut Vec<u8>) {
    let message = open(field, out);
    integer(1, zigzag(offset), out);
    integer(2, length, out);
    close(message, out);
}

/// A signed integer whose sign is its last bit.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn bucket(bound: f64, count: f64, example: Option<&Exemplar>, out: &mut Vec<u8>) {
    let message = open(3, out);
    whole_count(count, out);
    double(2, bound, out);
    exemplar(3, example, out);
    broken_count(count, out);
    close(message, out);
}

fn labels(rendered: &[u8], out: &mut Vec<u8>) {
    for pair in pairs(rendered) {
        let message = open(1, out);
        bytes(1, pair.name, out);
        if pair.value.contains(&b'\\') {
            let value = open(2, out);
            escape::unescape(pair.value, out);
            close(value, out);
        } else {
            bytes(2, pair.value, out);
        }
        close(message, out);
    }
}

fn exemplar(field: u8, exemplar: Option<&Exemplar>, out: &mut Vec<u8>) {
    let Some(exemplar) = exemplar else { return };
    let message = open(field, out);
    labels(exemplar.labels(), out);
    double(2, exemplar.value(), out);
    // Clocks give milliseconds. A double of seconds holds microseconds, and its last digits are noise.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let microseconds = (exemplar.timestamp() * 1e6).round() as i64;
    timestamp(3, microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000) * 1000, out);
    close(message, out);
}

fn start(field: u8, start_ms: Option<u64>, out: &mut Vec<u8>) {
    if let Some(ms) = start_ms {
        timestamp(field, (ms / 1000).cast_signed(), (ms % 1000 * 1_000_000).cast_signed(), out);
    }
}

/// `google.protobuf.Timestamp`, which has no fields of 0.
fn timestamp(field: u8, seconds: i64, nanoseconds: i64, out: &mut Vec<u8>) {
    let message = open(field, out);
    for (field, value) in [(1, seconds), (2, nanoseconds)] {
        if value != 0 {
            integer(field, value.cast_unsigned(), out);
        }
    }
    close(message, out);
}

/// A count as an integer; `None` for one that is not an integer. Only finished samples have such counts.
fn whole(count: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let integer = count as u64;
    (count.fract() == 0.0 && (0.0..1.8e19).contains(&count)).then_some(integer)
}

/// The count of a histogram or a bucket in field 1, if it is an integer.
fn whole_count(count: f64, out: &mut Vec<u8>) {
    if let Some(count) = whole(count) {
        integer(1, count, out);
    }
}

/// The count in field 4, if it is not an integer.
fn broken_count(count: f64, out: &mut Vec<u8>) {
    if whole(count).is_none() {
        double(4, count, out);
    }
}

pub(super) fn integer(field: u8, value: u64, out: &mut Vec<u8>) {
    out.push(field << 3);
    varint(value, out);
}

pub(super) fn double(field: u8, value: f64, out: &mut Vec<u8>) {
    out.push((field << 3) | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn bytes(field: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push((field << 3) | 2);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

/// Begins a message or a text of unknown length; returns what `close` needs.
pub(super) fn open(field: u8, out: &mut Vec<u8>) -> usize {
    // The tag of a field from 16 on has two bytes. Other functions here have no such fields.
    varint(u64::from(field) << 3 | 2, out);
    out.push(0);
    out.len() - 1
}

/// Writes the length to the byte that was left for it. What follows is moved if the length needs more bytes.
pub(super) fn close(length_at: usize, out: &mut Vec<u8>) {
    let end = out.len();
    let length = end - length_at - 1;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out[length_at] = short;
        return;
    }
    let room = (usize::BITS - length.leading_zeros()).div_ceil(7) as usize;
    out.resize(end + room - 1, 0);
    out.copy_within(length_at + 1..end, length_at + room);
    let mut rest = length;
    for (at, byte) in out[length_at..][..room].iter_mut().enumerate() {
        let more = if at + 1 < room { 0x80 } else { 0 };
        *byte = (rest.to_le_bytes()[0] & 0x7f) | more;
        rest >>= 7;
    }
}

pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
