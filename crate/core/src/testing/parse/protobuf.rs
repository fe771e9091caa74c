//! Parses protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length. Unknown fields are skipped, as
//! protobuf demands.

use std::collections::HashSet;

use super::fault::ParseError;
use super::metric::{Composite, Metric, Value, identity};
use super::parsed::{FamilyKind, ParsedExemplar, ParsedFamily, ParsedNativeHistogram};

/// Parses an exposition in protobuf.
///
/// # Errors
///
/// For the first message that is not valid. `line` is the number of the family, from 1, and `column` is 1.
pub fn parse_protobuf(bytes: &[u8]) -> Result<Vec<ParsedFamily>, ParseError> {
    let mut rest = bytes;
    let mut families = Vec::new();
    let mut names = HashSet::new();
    while !rest.is_empty() {
        let line = families.len() + 1;
        let family = delimited(&mut rest).and_then(family).and_then(|family| {
            let is_new = names.insert(family.name.clone());
            if is_new { Ok(family) } else { Err(format!("Expected {:?} once", family.name)) }
        });
        families.push(family.map_err(|message| ParseError { line, column: 1, message })?);
    }
    Ok(families)
}

type Read<T> = Result<T, String>;

/// One field of a message: its number and its value.
struct Field<'a> {
    number: u64,
    value: Wire<'a>,
}

enum Wire<'a> {
    Integer(u64),
    Double(f64),
    Bytes(&'a [u8]),
    /// Of four bytes, which no known field has.
    Other,
}

fn varint(bytes: &mut &[u8]) -> Read<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or("Expected a number but received the end")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("Expected a number of at most ten bytes".into())
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Read<&'a [u8]> {
    let (taken, rest) = bytes
        .split_at_checked(length)
        .ok_or_else(|| format!("Expected {length} bytes but received {}", bytes.len()))?;
    *bytes = rest;
    Ok(taken)
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> Read<&'a [u8]> {
    let length = usize::try_from(varint(bytes)?).map_err(|_| "Expected a length that fits into memory")?;
    take(bytes, length)
}

/// The fields of a message in their order.
fn fields(mut message: &[u8]) -> Read<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let value = match tag & 7 {
            0 => Wire::Integer(varint(&mut message)?),
            1 => {
                let bytes = take(&mut message, 8)?;
                Wire::Double(f64::from_le_bytes(bytes.try_into().unwrap_or_default()))
            }
            2 => Wire::Bytes(delimited(&mut message)?),
            5 => take(&mut message, 4).map(|_| Wire::Other)?,
            other => return Err(format!("Expected a type of field but received {other}")),
        };
        fields.push(Field { number: tag >> 3, value });
    }
    Ok(fields)
}

impl<'a> Field<'a> {
    fn bytes(&self) -> Read<&'a [u8]> {
        match self.value {
            Wire::Bytes(bytes) => Ok(bytes),
            _ => Err(format!("Expected a message or a text in field {}", self.number)),
        }
    }

    fn text(&self) -> Read<String> {
        String::from_utf8(self.bytes()?.to_vec())
            .map_err(|_| format!("Expected UTF-8 in field {}", self.number))
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is wanted")]
    fn number(&self) -> Read<f64> {
        match self.value {
            Wire::Integer(integer) => Ok(integer as f64),
            Wire::Double(double) => Ok(double),
            _ => Err(format!("Expected a number in field {}", self.number)),
        }
    }

    /// `sint32` and `sint64`: the sign is the lowest bit.
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is wanted")]
    fn signed(integer: u64) -> f64 {
        ((integer >> 1).cast_signed() ^ -(integer & 1).cast_signed()) as f64
    }

    /// The signed integers of a repeated field: one, or several that are packed.
    fn signed_integers(&self, into: &mut Vec<f64>) -> Read<()> {
        match self.value {
            Wire::Integer(integer) => into.push(Self::signed(integer)),
            Wire::Bytes(mut packed) => {
                while !packed.is_empty() {
                    into.push(Self::signed(varint(&mut packed)?));
                }
            }
            _ => return Err(format!("Expected integers in field {}", self.number)),
        }
        Ok(())
    }
}

fn family(message: &[u8]) -> Read<ParsedFamily> {
    let (mut name, mut help, mut unit) = (String::new(), String::new(), String::new());
    let mut kind = FamilyKind::Counter;
    let mut metrics = Vec::new();
    for field in fields(message)? {
        match field.number {
            1 => name = field.text()?,
            2 => help = field.text()?,
            3 => kind = kind_of(&field)?,
            4 => metrics.push(field.bytes()?),
            5 => unit = field.text()?,
            _ => {}
        }
    }
    if name.is_empty() {
        return Err("Expected the name of a family but received none".into());
    }
    let mut samples = Vec::new();
    let mut seen = HashSet::new();
    for bytes in metrics {
        let metric = metric(bytes)?;
        metric.check(kind, &name).map_err(|what| format!("Expected {what}"))?;
        metric.into_samples(&name, kind, &mut samples);
        if samples.last().is_some_and(|last| !seen.insert(identity(last))) {
            return Err(format!("Expected each label set of {name} once"));
        }
    }
    Ok(ParsedFamily { name, kind, help, unit, samples })
}

fn kind_of(field: &Field<'_>) -> Read<FamilyKind> {
    Ok(match field.value {
        Wire::Integer(0) => FamilyKind::Counter,
        Wire::Integer(1) => FamilyKind::Gauge,
        Wire::Integer(2) => FamilyKind::Summary,
        Wire::Integer(3) => FamilyKind::Unknown,
        Wire::Integer(4) => FamilyKind::Histogram,
        Wire::Integer(5) => FamilyKind::GaugeHistogram,
        _ => return Err("Expected a type of metric from 0 to 5".into()),
    })
}

fn metric(message: &[u8]) -> Read<Metric> {
    let mut metric = Metric::default();
    for field in fields(message)? {
        match field.number {
            1 => metric.labels.push(label(field.bytes()?)?),
            2 | 3 | 5 => number(field.bytes()?, &mut metric)?,
            4 => summary(field.bytes()?, &mut metric)?,
            6 => metric.timestamp = Some(field.number()? / 1000.0),
            7 => histogram(field.bytes()?, &mut metric)?,
            _ => {}
        }
    }
    Ok(metric)
}

fn label(message: &[u8]) -> Read<(String, String)> {
    let mut label = (String::new(), String::new());
    for field in fields(message)? {
        match field.number {
            1 => label.0 = field.text()?,
            2 => label.1 = field.text()?,
            _ => {}
        }
    }
    Ok(label)
}

/// A counter, a gauge or a metric of unknown type.
fn number(message: &[u8], metric: &mut Metric) -> Read<()> {
    for field in fields(message)? {
        match field.number {
            1 => metric.value = Value::Number(field.number()?),
            2 => metric.exemplars.push(exemplar(field.bytes()?)?),
            3 => metric.start = Some(timestamp(field.bytes()?)?),
            _ => {}
        }
    }
    Ok(())
}

/// Two numbers: in the fields 1 and 2.
fn pair(message: &[u8]) -> Read<(f64, f64)> {
    let mut pair = (0.0, 0.0);
    for field in fields(message)? {
        match field.number {
            1 => pair.0 = field.number()?,
            2 => pair.1 = field.number()?,
            _ => {}
        }
    }
    Ok(pair)
}

fn summary(message: &[u8], metric: &mut Metric) -> Read<()> {
    let mut summary = Composite { pairs: Some(Vec::new()), ..Composite::default() };
    for field in fields(message)? {
        match field.number {
            1 => summary.count = field.number()?,
            2 => summary.sum = field.number()?,
            3 => summary.pairs.get_or_insert_default().push(pair(field.bytes()?)?),
            4 => metric.start = Some(timestamp(field.bytes()?)?),
            _ => {}
        }
    }
    metric.value = Value::Composite(summary);
    Ok(())
}

fn histogram(message: &[u8], metric: &mut Metric) -> Read<()> {
    let (mut count, mut sum) = (0.0, 0.0);
    let mut pairs = Vec::new();
    let mut native = None;
    for field in fields(message)? {
        if let 5..=14 = field.number {
            native_field(&field, native.get_or_insert_with(no_native))?;
            continue;
        }
        match field.number {
            1 | 4 => count = field.number()?,
            2 => sum = field.number()?,
            3 => pairs.push(bucket(field.bytes()?, metric)?),
            15 => metric.start = Some(timestamp(field.bytes()?)?),
            16 => metric.exemplars.push(exemplar(field.bytes()?)?),
            _ => {}
        }
    }
    if (native.is_none() || !pairs.is_empty())
        && pairs.last().is_none_or(|(bound, _)| *bound != f64::INFINITY)
    {
        pairs.push((f64::INFINITY, count));
    }
    let native = native.map(|native| ParsedNativeHistogram { count, sum, ..native });
    let pairs = (!pairs.is_empty()).then_some(pairs);
    metric.value = Value::Composite(Composite { count, sum, pairs, native });
    Ok(())
}

fn no_native() -> ParsedNativeHistogram {
    ParsedNativeHistogram {
        count: 0.0,
        sum: 0.0,
        schema: 0.0,
        zero_threshold: 0.0,
        zero_count: 0.0,
        positive_spans: Vec::new(),
        negative_spans: Vec::new(),
        positive_deltas: Vec::new(),
        negative_deltas: Vec::new(),
    }
}

/// A field of the native buckets. Histograms of floating-point counts, which no client has, are not read.
fn native_field(field: &Field<'_>, native: &mut ParsedNativeHistogram) -> Read<()> {
    match field.number {
        5 => {
            let mut schema = Vec::new();
            field.signed_integers(&mut schema)?;
            native.schema = schema.last().copied().unwrap_or_default();
        }
        6 => native.zero_threshold = field.number()?,
        7 | 8 => native.zero_count = field.number()?,
        9 => native.negative_spans.push(span(field.bytes()?)?),
        10 => field.signed_integers(&mut native.negative_deltas)?,
        12 => native.positive_spans.push(span(field.bytes()?)?),
        13 => field.signed_integers(&mut native.positive_deltas)?,
        _ => return Err("Expected a native histogram of integers".into()),
    }
    Ok(())
}

fn span(message: &[u8]) -> Read<(f64, f64)> {
    let mut span = (0.0, 0.0);
    for field in fields(message)? {
        match (field.number, &field.value) {
            (1, Wire::Integer(offset)) => span.0 = Field::signed(*offset),
            (2, _) => span.1 = field.number()?,
            _ => {}
        }
    }
    Ok(span)
}

fn bucket(message: &[u8], metric: &mut Metric) -> Read<(f64, f64)> {
    let (mut bound, mut count) = (0.0, 0.0);
    for field in fields(message)? {
        match field.number {
            1 | 4 => count = field.number()?,
            2 => bound = field.number()?,
            3 => metric.exemplars.push(exemplar(field.bytes()?)?),
            _ => {}
        }
    }
    Ok((bound, count))
}

fn exemplar(message: &[u8]) -> Read<ParsedExemplar> {
    let mut exemplar = ParsedExemplar { labels: Vec::new(), value: 0.0, timestamp: None };
    for field in fields(message)? {
        match field.number {
            1 => exemplar.labels.push(label(field.bytes()?)?),
            2 => exemplar.value = field.number()?,
            3 => exemplar.timestamp = Some(timestamp(field.bytes()?)?),
            _ => {}
        }
    }
    Ok(exemplar)
}

/// Seconds since 1970 of a `google.protobuf.Timestamp`.
fn timestamp(message: &[u8]) -> Read<f64> {
    let (mut seconds, mut nanoseconds) = (0.0, 0.0);
    for field in fields(message)? {
        match (field.number, &field.value) {
            #[expect(clippy::cast_precision_loss, reason = "the nearest double is wanted")]
            (1, Wire::Integer(integer)) => seconds = integer.cast_signed() as f64,
            (2, _) => nanoseconds = field.number()?,
            _ => {}
        }
    }
    // One division, so that milliseconds are the double nearest to them.
    Ok((seconds * 1e6 + (nanoseconds / 1000.0).round()) / 1e6)
}
