//! Writes families as JSON, for callers that want values and not an exposition. Numbers are beside the text, because
//! JSON has neither NaN nor infinities.

use super::family::{FamilyWriter, Shown};
use super::number;
use super::streaming::Sink;
use crate::labels::pairs;
use crate::model::{Exemplar, Kind, SampleFamily, Series, Source};
use std::convert::Infallible;

/// The families as a JSON array, and all values in the order in which the text refers to them: see `gather::json`.
pub(crate) fn json(families: &[impl Shown]) -> (String, Vec<f64>) {
    let mut writer = Writer { out: vec![b'['], values: Vec::new() };
    for (at, family) in families.iter().enumerate() {
        separate(at, &mut writer.out);
        let Ok(()) = family.show(&mut writer);
    }
    writer.out.push(b']');
    (into_text(writer.out), writer.values)
}

/// Writes one family after the other.
struct Writer {
    out: Vec<u8>,
    values: Vec<f64>,
}

impl FamilyWriter for Writer {
    type Error = Infallible;

    fn cells<F: Source>(&mut self, family: &F) -> Result<(), Infallible> {
        write_family(family, &mut self.out, &mut self.values);
        Ok(())
    }

    fn samples(&mut self, family: &SampleFamily) -> Result<(), Infallible> {
        write_samples(family, &mut self.out, &mut self.values);
        Ok(())
    }
}

/// Rendered labels as a JSON object.
pub(crate) fn labels_json(rendered: &[u8]) -> String {
    let mut out = Vec::new();
    labels(rendered, &mut out);
    into_text(out)
}

/// A text as a JSON string.
#[cfg(feature = "http")]
pub(crate) fn json_string(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    string(text, &mut out);
    into_text(out)
}

/// Labels and names are UTF-8, so nothing is replaced.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn write_head(name: &str, help: &str, kind: &str, unit: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    string(name, out);
    out.extend_from_slice(b",\"help\":");
    string(help, out);
    out.extend_from_slice(b",\"type\":");
    string(kind, out);
    if let Some(unit) = unit {
        out.extend_from_slice(b",\"unit\":");
        string(unit, out);
    }
}

fn write_family<F: Source>(family: &F, out: &mut Vec<u8>, values: &mut Vec<f64>) {
    let descriptor = family.descriptor();
    write_head(descriptor.name(), descriptor.help(), descriptor.kind().as_str(), descriptor.unit(), out);
    out.extend_from_slice(b",\"aggregator\":");
    string(descriptor.aggregator().as_str(), out);
    out.extend_from_slice(b",\"bounds\":[");
    // A family has buckets or quantiles, or neither.
    for (at, bound) in descriptor.buckets().iter().chain(descriptor.quantiles()).enumerate() {
        separate(at, out);
        number::sample(*bound, out);
    }
    out.extend_from_slice(b"],\"series\":[");
    let (mut at, mut quantiles) = (0, Vec::new());
    let Ok(()) = family.for_each(|series| {
        separate(at, out.buffer());
        at += 1;
        write_series(series, out);
        if descriptor.kind() == Kind::Summary {
            series.quantiles(descriptor.quantiles(), &mut quantiles);
            values.extend_from_slice(&quantiles);
        }
        values.extend_from_slice(series.values);
        Ok::<(), Infallible>(())
    });
    out.extend_from_slice(b"]}");
}

fn write_series(series: Series<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    match series.id {
        Some(id) => number::sample(id.into(), out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"labels\":");
    labels(series.labels, out);
    if series.exemplars.iter().any(Option::is_some) {
        out.extend_from_slice(b",\"exemplars\":[");
        for (at, exemplar) in series.exemplars.iter().enumerate() {
            separate(at, out);
            write_exemplar(*exemplar, out);
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn write_exemplar(exemplar: Option<&Exemplar>, out: &mut Vec<u8>) {
    let Some(exemplar) = exemplar else {
        out.extend_from_slice(b"null");
        return;
    };
    out.extend_from_slice(b"{\"labelSet\":");
    labels(exemplar.labels(), out);
    // Both are finite: counters and histograms refuse other values, and clocks give finite times.
    let (value, timestamp) = (exemplar.value(), exemplar.timestamp());
    out.extend_from_slice(format!(",\"value\":{value},\"timestamp\":{timestamp}}}").as_bytes());
}

fn write_samples(family: &SampleFamily, out: &mut Vec<u8>, values: &mut Vec<f64>) {
    write_head(family.name(), family.help(), family.kind().as_str(), family.unit(), out);
    out.extend_from_slice(b",\"samples\":[");
    for (at, sample) in family.samples().iter().enumerate() {
        separate(at, out);
        out.extend_from_slice(b"{\"name\":");
        string(sample.name(), out);
        out.extend_from_slice(b",\"labels\":");
        labels(sample.labels(), out);
        out.push(b'}');
        values.push(sample.value());
    }
    out.extend_from_slice(b"]}");
}

/// Rendered labels as an object. The escapes of an exposition (`\\`, `\"`, `\n`) are valid in JSON. JSON also requires
/// escapes for control characters.
fn labels(rendered: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, pair) in pairs(rendered).enumerate() {
        separate(at, out);
        out.push(b'"');
        out.extend_from_slice(pair.name);
        out.extend_from_slice(b"\":\"");
        pair.value.iter().for_each(|byte| plain(*byte, out));
        out.push(b'"');
    }
    out.push(b'}');
}

/// Appends a text as a JSON string.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        plain(byte, out);
    }
    out.push(b'"');
}

fn plain(byte: u8, out: &mut Vec<u8>) {
    if byte < 0x20 {
        out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
    } else {
        out.push(byte);
    }
}

fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}
