//! OpenMetrics 2.0: one line for each metric. The family has the name of its samples, histograms and summaries are written
//! in braces, and the start of a series stands behind its value.

use super::lines::seconds;
use super::metrics::{Encoder, Head, Metric, Value};
use super::number;
use crate::labels::escape;
use crate::model::Kind;

/// Writes one family after the other.
#[derive(Default)]
pub(super) struct OpenMetrics2 {
    /// The family's name.
    name: Vec<u8>,
}

impl Encoder for OpenMetrics2 {
    fn keeps_families(&self) -> bool {
        false
    }

    fn begin(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        let kind = if head.kind == Kind::Unknown { "unknown" } else { head.kind.as_str() };
        self.name.clear();
        self.name.extend_from_slice(head.name.as_bytes());
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
        out.extend_from_slice(&self.name);
        if !metric.labels.is_empty() {
            braces(metric.labels, out);
        }
        out.push(b' ');
        match &metric.value {
            Value::Number(value) => number::sample(*value, out),
            Value::Histogram { buckets, sum } => {
                let count = buckets.last().map_or(0.0, |(_, count)| *count);
                composite(count, *sum, b"bucket", buckets, out);
            }
            Value::Summary { quantiles, count, sum } => composite(*count, *sum, b"quantile", quantiles, out),
        }
        if let Some(start_ms) = metric.start_ms {
            out.extend_from_slice(b" st@");
            number::sample(seconds(start_ms), out);
        }
        for exemplar in metric.exemplars.iter().flatten() {
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

/// `{count:1,sum:2,name:[0.5:1,+Inf:1]}`
fn composite(count: f64, sum: f64, name: &[u8], pairs: &[(f64, f64)], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{count:");
    number::sample(count, out);
    out.extend_from_slice(b",sum:");
    number::sample(sum, out);
    out.push(b',');
    out.extend_from_slice(name);
    out.extend_from_slice(b":[");
    for (at, (threshold, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        number::sample(*threshold, out);
        out.push(b':');
        number::sample(*value, out);
    }
    out.extend_from_slice(b"]}");
}
