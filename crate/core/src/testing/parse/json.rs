//! Writes parsed families as JSON, for callers in JavaScript. Numbers are returned beside the text: JSON has neither
//! NaN nor infinities, and copying a million numbers is faster than parsing them.

use super::parsed::{ParsedExemplar, ParsedFamily, ParsedNativeHistogram, ParsedSample};
use crate::serialization::write_json_string as string;

/// The families as a JSON array, and all numbers in the order in which the text refers to them.
///
/// A family is `[name, type, help, unit, samples]`. A sample is `[name, labels, timestamps, exemplar, histogram, starts]`, with
/// alternating names and values in `labels`. The parts after the labels are omitted if all of them are empty.
///
/// The numbers of a sample, in this order:
/// - its value;
/// - its timestamp, if `timestamps` is 1;
/// - its start, if `starts` is 1;
/// - if `exemplar` is `[labels, timestamps]` and not 0: the exemplar's value, and its timestamp if `timestamps` is 1;
/// - if `histogram` is a list of four lengths and not 0: count, sum, schema, zero threshold, zero count, the spans (two
///   numbers each) and the deltas.
#[must_use]
pub fn json(families: &[ParsedFamily]) -> (String, Vec<f64>) {
    let mut writer = Writer::default();
    writer.list(families, Writer::family);
    // The writer writes only UTF-8.
    (String::from_utf8(writer.text).unwrap_or_default(), writer.numbers)
}

#[derive(Default)]
struct Writer {
    text: Vec<u8>,
    numbers: Vec<f64>,
}

impl Writer {
    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.text.push(b'[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(b',');
            }
            write(self, item);
        }
        self.text.push(b']');
    }

    fn family(&mut self, family: &ParsedFamily) {
        self.text.push(b'[');
        for text in [&*family.name, family.kind.word(), &*family.help, &*family.unit] {
            string(text, &mut self.text);
            self.text.push(b',');
        }
        self.list(&family.samples, Self::sample);
        self.text.push(b']');
    }

    fn sample(&mut self, sample: &ParsedSample) {
        self.text.push(b'[');
        string(&sample.name, &mut self.text);
        self.text.push(b',');
        self.labels(&sample.labels);
        self.numbers.push(sample.value);
        if sample.timestamp.is_some()
            || sample.start.is_some()
            || sample.exemplar.is_some()
            || sample.native_histogram.is_some()
        {
            self.timestamp(sample.timestamp);
            self.numbers.extend(sample.start);
            self.text.push(b',');
            match &sample.exemplar {
                Some(exemplar) => self.exemplar(exemplar),
                None => self.text.push(b'0'),
            }
            self.text.push(b',');
            match &sample.native_histogram {
                Some(histogram) => self.histogram(histogram),
                None => self.text.push(b'0'),
            }
            self.text.extend_from_slice(if sample.start.is_some() { b",1" } else { b",0" });
        }
        self.text.push(b']');
    }

    fn labels(&mut self, labels: &[(String, String)]) {
        self.list(labels, |writer, (name, value)| {
            string(name, &mut writer.text);
            writer.text.push(b',');
            string(value, &mut writer.text);
        });
    }

    fn timestamp(&mut self, timestamp: Option<f64>) {
        self.text.extend_from_slice(if timestamp.is_some() { b",1" } else { b",0" });
        self.numbers.extend(timestamp);
    }

    fn exemplar(&mut self, exemplar: &ParsedExemplar) {
        self.text.push(b'[');
        self.labels(&exemplar.labels);
        self.numbers.push(exemplar.value);
        self.timestamp(exemplar.timestamp);
        self.text.push(b']');
    }

    fn histogram(&mut self, histogram: &ParsedNativeHistogram) {
        let ParsedNativeHistogram { count, sum, schema, zero_threshold, zero_count, .. } = histogram;
        self.numbers.extend([count, sum, schema, zero_threshold, zero_count]);
        let (spans, deltas) = (
            [&histogram.positive_spans, &histogram.negative_spans],
            [&histogram.positive_deltas, &histogram.negative_deltas],
        );
        self.numbers.extend(spans.iter().flat_map(|spans| spans.iter()).flat_map(|&(one, two)| [one, two]));
        self.numbers.extend(deltas.iter().flat_map(|deltas| deltas.iter()));
        let lengths = [spans[0].len(), spans[1].len(), deltas[0].len(), deltas[1].len()];
        self.list(&lengths, |writer, length| writer.text.extend_from_slice(length.to_string().as_bytes()));
    }
}
