//! OpenMetrics 2.0: one line for each metric. The family has the name of its samples, histograms and summaries are written
//! in braces, and the start of a series stands behind its value.

use super::lines::{quoted, seconds};
use super::metrics::{Encoder, Head, Metric, Value};
use super::number;
use super::spans::spans;
use crate::labels::escape;
use crate::model::{Kind, NEGATIVE, NativeHistogram, POSITIVE};

/// Writes one family after the other.
#[derive(Default)]
pub(super) struct OpenMetrics2 {
    /// The family's name, in quotes if it needs them.
    name: Vec<u8>,
}

impl Encoder for OpenMetrics2 {
    fn keeps_families(&self) -> bool {
        false
    }

    fn begin(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        let kind = if head.kind == Kind::Unknown { "unknown" } else { head.kind.as_str() };
        self.name.clear();
        self.name.extend_from_slice(quoted(head.name).as_bytes());
        self.comment(b"TYPE", out);
        out.extend_from_slice(kind.as_bytes());
        out.push(b'\n');
        if let Some(unit) = head.unit {
            self.comment(b"UNIT", out);
            out.extend_from_slice(unit.as_bytes());
            out.push(b'\n');
        }
        if !head.help.is_empty() {
            self.comment(b"HELP", out);
            // Prometheus' parser refuses a carriage return before the end of the line.
            escape::help(head.help.trim_end_matches('\r'), true, out);
            out.push(b'\n');
        }
    }

    fn metric(&mut self, metric: &Metric<'_>, out: &mut Vec<u8>) {
        if self.name.starts_with(b"\"") {
            let separator = if metric.labels.is_empty() { &b""[..] } else { b"," };
            braces(&[&self.name, separator, metric.labels].concat(), out);
        } else {
            out.extend_from_slice(&self.name);
            if !metric.labels.is_empty() {
                braces(metric.labels, out);
            }
        }
        out.push(b' ');
        match &metric.value {
            Value::Number(value) => number::sample(*value, out),
            Value::Histogram { buckets, sum, native } => {
                let count = buckets.last().map_or(0.0, |(_, count)| *count);
                begin_composite(count, *sum, out);
                native.iter().for_each(|native| native_fields(native, out));
                // The bucket of +Inf alone says nothing beside the count.
                if native.is_none() || buckets.len() > 1 {
                    list(b"bucket", buckets, out);
                }
                out.push(b'}');
            }
            Value::Summary { quantiles, count, sum } => {
                begin_composite(*count, *sum, out);
                list(b"quantile", quantiles, out);
                out.push(b'}');
            }
        }
        if let Some(start_ms) = metric.start_ms {
            out.extend_from_slice(b" st@");
            number::sample(seconds(start_ms), out);
        }
        let native = match &metric.value {
            Value::Histogram { native: Some(native), .. } => Some(native),
            _ => None,
        };
        let of_buckets = metric.exemplars.iter().copied().flatten().filter(|_| native.is_none());
        for exemplar in native.into_iter().flat_map(|native| &native.exemplars).chain(of_buckets) {
            out.extend_from_slice(b" # ");
            braces(exemplar.labels(), out);
            for number in [exemplar.value(), exemplar.timestamp()] {
                out.push(b' ');
                number::sample(number, out);
            }
        }
        out.push(b'\n');
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"# EOF\n");
    }
}

impl OpenMetrics2 {
    fn comment(&self, word: &[u8], out: &mut Vec<u8>) {
        [b"# ", word, b" ", &self.name, b" "].into_iter().for_each(|part| out.extend_from_slice(part));
    }
}

fn braces(labels: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    out.extend_from_slice(labels);
    out.push(b'}');
}

/// `{count:1,sum:2`
fn begin_composite(count: f64, sum: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{count:");
    number::sample(count, out);
    out.extend_from_slice(b",sum:");
    number::sample(sum, out);
}

/// `,name:[0.5:1,+Inf:1]`
fn list(name: &[u8], pairs: &[(f64, f64)], out: &mut Vec<u8>) {
    begin_list(name, out);
    for (at, (threshold, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        number::sample(*threshold, out);
        out.push(b':');
        number::sample(*value, out);
    }
    out.push(b']');
}

fn begin_list(name: &[u8], out: &mut Vec<u8>) {
    out.push(b',');
    out.extend_from_slice(name);
    out.extend_from_slice(b":[");
}

/// `,schema:3,zero_threshold:0,zero_count:0,positive_spans:[0:2],positive_buckets:[1,1]`
fn native_fields(native: &NativeHistogram, out: &mut Vec<u8>) {
    let numbers: [(&[u8], f64); 3] = [
        (b",schema:", native.schema.into()),
        (b",zero_threshold:", native.zero_threshold),
        (b",zero_count:", native.zero_count),
    ];
    for (name, value) in numbers {
        out.extend_from_slice(name);
        number::sample(value, out);
    }
    let names: [(&[u8], &[u8], usize); 2] = [
        (b"negative_spans", b"negative_buckets", NEGATIVE),
        (b"positive_spans", b"positive_buckets", POSITIVE),
    ];
    for (of_spans, of_buckets, side) in names {
        let spans = spans(&native.sides[side]);
        if spans.is_empty() {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "there are few buckets")]
        let lengths: Vec<_> =
            spans.iter().map(|(gap, counts)| (f64::from(*gap), counts.len() as f64)).collect();
        list(of_spans, &lengths, out);
        begin_list(of_buckets, out);
        for (at, count) in spans.iter().flat_map(|(_, counts)| counts).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            number::sample(*count, out);
        }
        out.push(b']');
    }
}
