//! Records: the entries of the log in a process's file, and of the file of totals. Each has its length and a checksum in
//! front. A reader checks both, and each field, because a file is input.

use crate::labels::{Names, is_rendered};
use crate::model::{Aggregator, Descriptor, Kind, NativeHistogram, NativeHistogramOptions, SummaryOptions};
use crate::registry::DoubleDouble;
use std::borrow::Cow;
use std::time::Duration;

/// Bytes in front of a record: its length and its checksum.
pub(super) const FRAME: usize = 8;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record<'a> {
    /// The log goes on in another block of the file.
    Next {
        offset: u64,
        bytes: u64,
    },
    /// A slab has its cells in the file.
    Slab {
        number: u32,
        offset: u64,
        cells: u32,
    },
    Family(Box<FamilyRecord>),
    Series {
        family: u32,
        id: u32,
        slot: u32,
        /// In milliseconds since 1970; 0 for none.
        start_ms: u64,
        labels: &'a [u8],
    },
    /// A series begins anew.
    Began {
        family: u32,
        id: u32,
        start_ms: u64,
    },
    /// Another time to live of a family.
    Ttl {
        family: u32,
        ttl: Option<Duration>,
    },
    Removed {
        family: u32,
        id: u32,
    },
    Cleared {
        family: u32,
    },
    Gone {
        family: u32,
    },
    /// A series of the family before it, in the file of totals.
    Total {
        labels: &'a [u8],
        cells: Vec<DoubleDouble>,
        /// In milliseconds since 1970; 0 for none.
        start_ms: u64,
        /// The buckets of a native histogram.
        native: Option<Cow<'a, NativeHistogram>>,
    },
    /// Calls over the limits of a metric, in the file of totals.
    Overflow {
        metric: &'a str,
        calls: f64,
    },
    /// A process whose counts are in the file of totals.
    Identity(u64),
}

/// A family as a record has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FamilyRecord {
    pub(super) number: u32,
    pub(super) descriptor: Descriptor,
    pub(super) ttl: Option<Duration>,
    pub(super) overflow_slot: u32,
}

/// Appends values to bytes.
#[derive(Default)]
pub(super) struct Encoder(pub(super) Vec<u8>);

impl Encoder {
    pub(super) fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        // No JavaScript string is longer; a longer one would be refused as damaged.
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend(bytes);
    }

    fn numbers(&mut self, numbers: &[f64]) {
        self.u32(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        numbers.iter().for_each(|number| self.f64(*number));
    }

    fn duration(&mut self, duration: Option<Duration>) {
        self.u64(duration.map_or(u64::MAX, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX - 1)));
    }

    fn family(&mut self, family: &FamilyRecord) {
        let FamilyRecord { number, descriptor, ttl, overflow_slot } = family;
        self.u32(*number);
        self.bytes(descriptor.kind().as_str().as_bytes());
        self.bytes(descriptor.name().as_bytes());
        self.bytes(descriptor.help().as_bytes());
        self.bytes(descriptor.aggregator().as_str().as_bytes());
        self.bytes(descriptor.unit().unwrap_or_default().as_bytes());
        self.u32(u32::try_from(descriptor.label_names().len()).unwrap_or(u32::MAX));
        descriptor.label_names().iter().for_each(|name| self.bytes(name.as_str().as_bytes()));
        self.numbers(descriptor.buckets());
        let (window, quantiles, prune) = match descriptor.summary_options() {
            Some(summary) => (summary.window, summary.quantiles.as_slice(), summary.prune),
            None => (None, &[][..], false),
        };
        self.numbers(quantiles);
        self.duration(window.map(|(age, _)| age));
        self.u32(window.map_or(0, |(_, steps)| steps));
        self.u32(u32::from(prune));
        let native = descriptor.native_options();
        self.duration(native.map(|native| native.min_reset));
        self.numbers(&native.map_or(Vec::new(), |native| {
            let factor = native.bucket_factor;
            vec![factor, native.max_buckets.into(), native.zero_threshold, native.max_zero_threshold]
        }));
        self.duration(*ttl);
        self.u32(*overflow_slot);
    }

    fn native(&mut self, native: &NativeHistogram) {
        self.u32(native.schema.cast_unsigned());
        self.f64(native.zero_threshold);
        self.f64(native.zero_count);
        for buckets in &native.sides {
            self.u32(u32::try_from(buckets.len()).unwrap_or(u32::MAX));
            buckets.iter().for_each(|(key, count)| {
                self.u32(key.cast_unsigned());
                self.f64(*count);
            });
        }
    }

    /// Appends a record with its frame.
    pub(super) fn record(&mut self, record: &Record<'_>) {
        let start = self.0.len();
        self.0.extend([0; FRAME]);
        match record {
            Record::Next { offset, bytes } => {
                self.u32(1);
                self.u64(*offset);
                self.u64(*bytes);
            }
            Record::Slab { number, offset, cells } => {
                self.u32(2);
                self.u32(*number);
                self.u64(*offset);
                self.u32(*cells);
            }
            Record::Family(family) => {
                self.u32(3);
                self.family(family);
            }
            Record::Series { family, id, slot, start_ms, labels } => {
                self.u32(4);
                self.u32(*family);
                self.u32(*id);
                self.u32(*slot);
                self.u64(*start_ms);
                self.bytes(labels);
            }
            Record::Removed { family, id } => {
                self.u32(5);
                self.u32(*family);
                self.u32(*id);
            }
            Record::Cleared { family } => {
                self.u32(6);
                self.u32(*family);
            }
            Record::Gone { family } => {
                self.u32(7);
                self.u32(*family);
            }
            Record::Total { labels, cells, start_ms, native } => {
                self.u32(8);
                self.u64(*start_ms);
                self.bytes(labels);
                self.numbers(&cells.iter().flat_map(|cell| cell.parts()).collect::<Vec<f64>>());
                native.iter().for_each(|native| self.native(native));
            }
            Record::Overflow { metric, calls } => {
                self.u32(9);
                self.bytes(metric.as_bytes());
                self.f64(*calls);
            }
            Record::Identity(identity) => {
                self.u32(10);
                self.u64(*identity);
            }
            Record::Ttl { family, ttl } => {
                self.u32(12);
                self.u32(*family);
                self.duration(*ttl);
            }
            Record::Began { family, id, start_ms } => {
                self.u32(11);
                self.u32(*family);
                self.u32(*id);
                self.u64(*start_ms);
            }
        }
        let length = u32::try_from(self.0.len() - start - FRAME).unwrap_or(u32::MAX);
        let sum = checksum(&self.0[start + FRAME..]);
        self.0[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.0[start + 4..start + FRAME].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Reads values from bytes; `None` where they end too early or are invalid.
pub(super) struct Decoder<'a>(pub(super) &'a [u8]);

impl<'a> Decoder<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn f64(&mut self) -> Option<f64> {
        self.u64().map(f64::from_bits)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn labels(&mut self) -> Option<&'a [u8]> {
        self.bytes().filter(|labels| is_rendered(labels))
    }

    fn numbers(&mut self) -> Option<Vec<f64>> {
        let count = self.u32()? as usize;
        // Checked before memory is taken for them.
        if count > self.0.len() / size_of::<f64>() {
            return None;
        }
        (0..count).map(|_| self.f64()).collect()
    }

    fn duration(&mut self) -> Option<Option<Duration>> {
        let nanos = self.u64()?;
        Some((nanos != u64::MAX).then_some(Duration::from_nanos(nanos)))
    }

    fn family(&mut self) -> Option<FamilyRecord> {
        let number = self.u32()?;
        let kind = self.text()?;
        let (name, help) = (self.text()?, self.text()?);
        let aggregator = Aggregator::from_name(self.text()?)?;
        let unit = self.text()?;
        let count = self.u32()? as usize;
        if count > self.0.len() {
            return None;
        }
        let labels = (0..count).map(|_| self.text()).collect::<Option<Vec<&str>>>()?;
        let (buckets, quantiles) = (self.numbers()?, self.numbers()?);
        let (age, steps, prune) = (self.duration()?, self.u32()?, self.u32()? != 0);
        let (min_reset, native) = (self.duration()?, self.numbers()?);
        let (ttl, overflow_slot) = (self.duration()?, self.u32()?);
        let descriptor = match Kind::from_word(kind) {
            Kind::Histogram => {
                let classic = Descriptor::histogram_by(Names::Utf8, name, help, &labels, &buckets);
                match (min_reset, &*native) {
                    (Some(min_reset), [factor, max_buckets, threshold, max_threshold]) => {
                        let options = NativeHistogramOptions::default().min_reset(min_reset);
                        let options = options.bucket_factor(*factor).max_buckets(*max_buckets as u32);
                        let options = options.zero_threshold(*threshold).max_zero_threshold(*max_threshold);
                        classic.and_then(|it| it.with_native(options))
                    }
                    _ => classic,
                }
            }
            Kind::Summary => {
                let window = age.map(|age| (age, steps));
                let options = SummaryOptions::default().quantiles(quantiles).window(window).prune(prune);
                Descriptor::summary_by(Names::Utf8, name, help, &labels, options)
            }
            kind => Descriptor::by(Names::Utf8, kind, name, help, &labels),
        };
        let descriptor = descriptor.ok()?.with_aggregator(aggregator);
        let descriptor = if unit.is_empty() { descriptor } else { descriptor.with_unit(unit).ok()? };
        Some(FamilyRecord { number, descriptor, ttl, overflow_slot })
    }

    fn totals(&mut self) -> Option<Vec<DoubleDouble>> {
        let numbers = self.numbers()?;
        let (pairs, []) = numbers.as_chunks::<2>() else { return None };
        Some(pairs.iter().map(|[high, low]| DoubleDouble::of(*high, *low)).collect())
    }

    fn native(&mut self) -> Option<NativeHistogram> {
        let schema = self.u32()?.cast_signed();
        let (zero_threshold, zero_count) = (self.f64()?, self.f64()?);
        let mut native = NativeHistogram { schema, zero_threshold, zero_count, ..NativeHistogram::default() };
        for buckets in &mut native.sides {
            for _ in 0..self.u32()? {
                buckets.push((self.u32()?.cast_signed(), self.f64()?));
            }
        }
        native.checked()
    }

    /// The next record; `None` if it is incomplete or damaged.
    pub(super) fn record(&mut self) -> Option<Record<'a>> {
        let (length, sum) = (self.u32()? as usize, self.u32()?);
        let mut payload = Decoder(self.take(length)?);
        if checksum(payload.0) != sum {
            return None;
        }
        let record = match payload.u32()? {
            1 => Record::Next { offset: payload.u64()?, bytes: payload.u64()? },
            2 => Record::Slab { number: payload.u32()?, offset: payload.u64()?, cells: payload.u32()? },
            3 => Record::Family(Box::new(payload.family()?)),
            4 => Record::Series {
                family: payload.u32()?,
                id: payload.u32()?,
                slot: payload.u32()?,
                start_ms: payload.u64()?,
                labels: payload.labels()?,
            },
            5 => Record::Removed { family: payload.u32()?, id: payload.u32()? },
            6 => Record::Cleared { family: payload.u32()? },
            7 => Record::Gone { family: payload.u32()? },
            8 => Record::Total {
                start_ms: payload.u64()?,
                labels: payload.labels()?,
                cells: payload.totals()?,
                native: if payload.0.is_empty() { None } else { Some(Cow::Owned(payload.native()?)) },
            },
            9 => Record::Overflow { metric: payload.text()?, calls: payload.f64()? },
            10 => Record::Identity(payload.u64()?),
            12 => Record::Ttl { family: payload.u32()?, ttl: payload.duration()? },
            11 => Record::Began { family: payload.u32()?, id: payload.u32()?, start_ms: payload.u64()? },
            _ => return None,
        };
        payload.0.is_empty().then_some(record)
    }
}

/// FNV-1a: finds bytes that were not written, or written by another program. It is no defence against an attacker, who
/// cannot write the folder.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let hash = hash(bytes);
    (hash ^ (hash >> 32)) as u32
}

/// The same in 64 bits.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn family() -> impl Strategy<Value = Record<'static>> {
        let window = prop::option::of((1_000_u64..1 << 40, 1_u32..9));
        let labels = prop::collection::btree_set("[a-d]{1,3}", 0..4);
        ((0_u32..9, ".{0,20}", labels), (window, prop::option::of(0_u64..1 << 50), any::<u32>())).prop_map(
            |((kind, help, labels), (window, ttl, overflow_slot))| {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                let window = window.map(|(age, steps)| (Duration::from_nanos(age), steps));
                let descriptor = match kind {
                    0 => Descriptor::histogram("h_seconds", &help, &labels, &[0.1, 1.0, 7.5]),
                    1 => {
                        let options = NativeHistogramOptions::default().max_buckets(overflow_slot / 2);
                        Descriptor::histogram("h_seconds", &help, &labels, &[])
                            .and_then(|it| it.with_native(options.min_reset(Duration::from_nanos(7))))
                    }
                    2 => {
                        let options = SummaryOptions::default().window(window).prune(overflow_slot % 2 == 0);
                        Descriptor::summary("s_seconds", &help, &labels, options)
                    }
                    3 => {
                        let odd: Vec<String> = labels.iter().map(|label| format!("{label}.é")).collect();
                        let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
                        Descriptor::by(Names::Utf8, Kind::Gauge, "g é_seconds", &help, &odd)
                            .map(|it| it.with_aggregator(Aggregator::Max))
                    }
                    4 => Descriptor::new(Kind::Info, "i", &help, &labels),
                    5 => Descriptor::new(Kind::StateSet, "state", &help, &labels),
                    _ => Descriptor::new(Kind::Counter, "c_seconds", &help, &labels),
                };
                let mut descriptor = descriptor.expect("a valid description");
                if descriptor.name().ends_with("seconds") && overflow_slot % 3 == 0 {
                    descriptor = descriptor.with_unit("seconds").expect("the unit of the name");
                }
                let ttl = ttl.map(Duration::from_nanos);
                Record::Family(Box::new(FamilyRecord { number: kind, descriptor, ttl, overflow_slot }))
            },
        )
    }

    fn record() -> impl Strategy<Value = Record<'static>> {
        let labels =
            prop::sample::select(vec![&b""[..], b"a=\"b\"", b"a=\"\\\"\",b=\"x\\\\\"", b"\"a.=,\"=\"b\""]);
        let numbers = prop::collection::vec((any::<f64>(), any::<f64>()), 0..5);
        prop_oneof![
            (any::<u64>(), any::<u64>()).prop_map(|(offset, bytes)| Record::Next { offset, bytes }),
            (any::<u32>(), any::<u64>(), any::<u32>()).prop_map(|(number, offset, cells)| Record::Slab {
                number,
                offset,
                cells
            }),
            family(),
            (any::<u32>(), any::<u32>(), any::<u32>(), any::<u64>(), labels.clone()).prop_map(
                |(family, id, slot, start_ms, labels)| Record::Series { family, id, slot, start_ms, labels }
            ),
            (any::<u32>(), any::<u32>(), any::<u64>()).prop_map(|(family, id, start_ms)| Record::Began {
                family,
                id,
                start_ms
            }),
            (any::<u32>(), any::<u32>()).prop_map(|(family, id)| Record::Removed { family, id }),
            (any::<u32>(), prop::option::of(0_u64..1 << 50))
                .prop_map(|(family, ttl)| { Record::Ttl { family, ttl: ttl.map(Duration::from_nanos) } }),
            any::<u32>().prop_map(|family| Record::Cleared { family }),
            any::<u32>().prop_map(|family| Record::Gone { family }),
            (labels, numbers, any::<u64>())
                .prop_filter("NaN is unequal to itself", |(_, cells, _)| {
                    cells.iter().all(|(high, low)| !high.is_nan() && !low.is_nan())
                })
                .prop_map(|(labels, cells, start_ms)| Record::Total {
                    start_ms,
                    labels,
                    native: (start_ms % 2 == 0).then(|| Cow::Owned(NativeHistogram {
                        schema: 3,
                        zero_threshold: 1e-9,
                        zero_count: 2.0,
                        sides: [vec![(-7, 1.0), (9, 4.0)], vec![(0, 5.0)]],
                        exemplars: Vec::new(),
                    })),
                    cells: cells.into_iter().map(|(high, low)| DoubleDouble::of(high, low)).collect(),
                }),
            (0.0..1e9_f64).prop_map(|calls| Record::Overflow { metric: "m", calls }),
            any::<u64>().prop_map(Record::Identity),
        ]
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(records in prop::collection::vec(record(), 0..8)) {
            let mut encoder = Encoder::default();
            records.iter().for_each(|record| encoder.record(record));
            let mut decoder = Decoder(&encoder.0);
            for record in &records {
                let read = decoder.record();
                prop_assert_eq!(read.as_ref(), Some(record));
            }
            prop_assert!(decoder.0.is_empty());
        }

        #[test]
        fn a_damaged_record_is_refused(record in record(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut encoder = Encoder::default();
            encoder.record(&record);
            let at = at.index(encoder.0.len());
            encoder.0[at] ^= 1 << bit;
            prop_assert_eq!(Decoder(&encoder.0).record(), None);
        }

        #[test]
        fn bytes_that_are_no_record_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = Encoder::default();
            framed.u32(u32::try_from(bytes.len()).expect("short"));
            framed.u32(checksum(&bytes));
            framed.0.extend(&bytes);
            // Reading any bytes does not panic.
            let _ = Decoder(&framed.0).record();
            let _ = Decoder(&bytes).record();
        }
    }
}
