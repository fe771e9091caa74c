//! Native histograms: buckets whose bounds are powers of `2^(2^-schema)`, on both sides of a zero bucket. Has the settings,
//! finds the bucket of a value, and merges. Keys, bounds and spans are those of Prometheus' Go library. Must not know
//! cells.

use super::exemplar::Exemplar;
use crate::error::{ErrorKind, MetricsError, Result};
use std::time::Duration;

/// The finest resolution: 256 buckets for each doubling.
pub(crate) const SCHEMA_MAX: i32 = 8;
/// The coarsest resolution: a bucket for each factor of 65,536.
pub(crate) const SCHEMA_MIN: i32 = -4;
/// Above the keys of all numbers in the finest resolution, on both sides of key 0.
const KEY_MAX: i32 = 1 << 19;
/// Exemplars that a native histogram shows.
pub(crate) const EXEMPLARS_MAX: usize = 10;

/// The growth from bucket to bucket in schemas 1 to 8. Go's library has computed all bounds from these, the first of which is
/// one digit below the root of 2.
const GROWTH: [f64; 8] = [
    f64::from_bits(0x3ff6_a09e_667f_3bcc),
    1.189_207_115_002_721,
    1.090_507_732_665_257_7,
    1.044_273_782_427_413_8,
    1.021_897_148_654_116_6,
    1.010_889_286_051_700_5,
    1.005_429_901_112_802_7,
    1.002_711_275_050_202_5,
];

/// The bounds of the buckets from 0.5 to below 1 in schema 8. Each 2nd of them is one of schema 7, and so on.
pub static NATIVE_BOUNDS: [f64; 256] = {
    let mut bounds = [0.5; 256];
    let (mut schema, mut step) = (0, 128);
    while step > 0 {
        let mut at = step;
        while at < 256 {
            bounds[at] = bounds[at - step] * GROWTH[schema];
            at += 2 * step;
        }
        schema += 1;
        step /= 2;
    }
    bounds
};

/// The settings of a native histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct NativeHistogramOptions {
    /// Each bucket is at most by this factor wider than the one before: above 1. The resolutions go in steps, from 1.0027 to
    /// 65,536.
    pub bucket_factor: f64,
    /// With more populated buckets than this, the histogram begins anew if `min_reset` allows it, or widens its zero bucket if
    /// `max_zero_threshold` allows it, or halves its resolution. 0: no limit.
    pub max_buckets: u32,
    /// How long after its last beginning a histogram may begin anew. Zero: never.
    pub min_reset: Duration,
    /// Values up to this distance from 0 are counted in the zero bucket.
    pub zero_threshold: f64,
    /// How wide the zero bucket may become.
    pub max_zero_threshold: f64,
}

impl Default for NativeHistogramOptions {
    /// A factor of 1.1, 160 buckets, a zero threshold of 2^-128, no resets, and a zero bucket that stays as it is.
    fn default() -> Self {
        Self {
            bucket_factor: 1.1,
            max_buckets: 160,
            min_reset: Duration::ZERO,
            // 2^-128: the exponent is 895.
            zero_threshold: f64::from_bits((1023 - 128) << 52),
            max_zero_threshold: 0.0,
        }
    }
}

setters!(NativeHistogramOptions {
    bucket_factor: f64,
    max_buckets: u32,
    min_reset: Duration,
    zero_threshold: f64,
    max_zero_threshold: f64,
});

impl NativeHistogramOptions {
    /// Checks the numbers. A zero threshold of -0 becomes 0, so that equal ones have equal bits and formats show no -0.
    pub(super) fn checked(self, name: &str) -> Result<Self> {
        let Self { bucket_factor, zero_threshold, max_zero_threshold, .. } = self;
        let is_width = |width: f64| width.is_finite() && width >= 0.0;
        let (expected, received) = if !(bucket_factor.is_finite() && bucket_factor > 1.0) {
            ("a number above 1 for the bucket factor", bucket_factor)
        } else if !is_width(zero_threshold) {
            ("a zero threshold of 0 or more", zero_threshold)
        } else if !is_width(max_zero_threshold) {
            ("a largest zero threshold of 0 or more", max_zero_threshold)
        } else {
            return Ok(self.zero_threshold(zero_threshold.abs()));
        };
        Err(MetricsError::new(
            ErrorKind::InvalidConfig,
            format!("Expected {expected} of the native histogram {name} but received {received}"),
        ))
    }

    /// The coarsest schema whose buckets are not wider than the factor; the finest one if all are.
    pub(crate) fn schema(&self) -> i32 {
        let growth = |schema: i32| match usize::try_from(schema) {
            Ok(0) => 2.0,
            Ok(schema) => GROWTH[schema - 1],
            Err(_) => power_of_two(1 << -schema),
        };
        (SCHEMA_MIN..SCHEMA_MAX).find(|schema| growth(*schema) <= self.bucket_factor).unwrap_or(SCHEMA_MAX)
    }
}

/// 2 to this power, for exponents up to 1023; 0 for exponents below those of numbers.
fn power_of_two(exponent: i32) -> f64 {
    if exponent < -1074 {
        return 0.0;
    }
    let normal = |exponent: i32| f64::from_bits(u64::from((exponent + 1023).cast_unsigned()) << 52);
    if exponent < -1022 { normal(exponent + 64) * normal(-64) } else { normal(exponent) }
}

/// A value above 0 as a fraction from 0.5 to below 1, and the exponent of 2 that it is multiplied by.
fn split(value: f64) -> (f64, i32) {
    const MANTISSA: u64 = (1 << 52) - 1;
    if value < f64::MIN_POSITIVE {
        let (fraction, exponent) = split(value * power_of_two(64));
        return (fraction, exponent - 64);
    }
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or_default() - 1022;
    (f64::from_bits(bits & MANTISSA | 1022 << 52), exponent)
}

/// The key of the bucket of a finite value above 0.
pub(crate) fn key_of(value: f64, schema: i32) -> i32 {
    let (fraction, exponent) = split(value);
    let Ok(fine) = usize::try_from(schema) else {
        let key = exponent - i32::from(fraction == 0.5);
        return (key + (1 << -schema) - 1) >> -schema;
    };
    let (mut low, mut high) = (0, 1_usize << fine);
    while low < high {
        let middle = low.midpoint(high);
        if bound(middle, fine) < fraction { low = middle + 1 } else { high = middle }
    }
    i32::try_from(low).unwrap_or_default() + ((exponent - 1) << fine)
}

fn bound(at: usize, schema: usize) -> f64 {
    NATIVE_BOUNDS[at << (8 - schema)]
}

/// The largest value of a bucket.
pub(crate) fn upper_bound(key: i32, schema: i32) -> f64 {
    let Ok(fine) = usize::try_from(schema) else {
        let exponent = key << -schema;
        return if exponent >= 1024 { f64::MAX } else { power_of_two(exponent) };
    };
    let fraction = bound((key & ((1 << fine) - 1)).cast_unsigned() as usize, fine);
    let exponent = (key >> fine) + 1;
    if exponent > 1024 {
        return f64::MAX;
    }
    // Twice the fraction, because there is no 2^1024.
    fraction * 2.0 * power_of_two(exponent - 1)
}

/// Buckets by key, ascending.
pub(crate) type NativeBuckets = Vec<(i32, f64)>;

/// The values of a native histogram.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct NativeHistogram {
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: f64,
    /// Populated buckets: of values above the zero bucket, and of the distances of values below it.
    pub(crate) sides: [NativeBuckets; 2],
    /// By value, ascending.
    pub(crate) exemplars: Vec<Exemplar>,
}

/// The side of values above 0, in `NativeHistogram::sides` and in the order of cells.
pub(crate) const POSITIVE: usize = 0;
/// The side of values below 0.
pub(crate) const NEGATIVE: usize = 1;

impl NativeHistogram {
    /// The number of observations.
    pub(crate) fn count(&self) -> f64 {
        self.zero_count + self.sides.iter().flatten().map(|(_, count)| count).sum::<f64>()
    }

    /// Itself, if it can be one: what was read from a file may be anything.
    pub(crate) fn checked(self) -> Option<Self> {
        let is_count = |count: f64| count.is_finite() && count >= 0.0;
        let are_buckets = |buckets: &NativeBuckets| {
            let keys = buckets.iter().all(|(key, count)| key.abs() <= KEY_MAX && is_count(*count));
            keys && buckets.is_sorted_by(|one, next| one.0 < next.0)
        };
        let is_valid = (SCHEMA_MIN..=SCHEMA_MAX).contains(&self.schema)
            && is_count(self.zero_threshold)
            && is_count(self.zero_count)
            && self.sides.iter().all(are_buckets);
        is_valid.then_some(self)
    }

    /// Adds the observations of another one. The result has the lower resolution and the wider zero bucket, or a still lower
    /// resolution if it has more than `max_buckets`; 0 for any number.
    pub(crate) fn merge(&mut self, other: &Self, max_buckets: u32) {
        let mut other = other.clone();
        let schema = self.schema.min(other.schema);
        self.lower(schema);
        other.lower(schema);
        // A bucket across the other's threshold widens it further.
        while self.zero_threshold < other.zero_threshold || other.zero_threshold < self.zero_threshold {
            let threshold = self.zero_threshold.max(other.zero_threshold);
            self.widen(threshold);
            other.widen(threshold);
        }
        self.zero_count += other.zero_count;
        for (own, others) in self.sides.iter_mut().zip(other.sides) {
            add(own, others);
        }
        // The order in which several are merged makes no difference: the total has at least the buckets of a part of it.
        let max = usize::try_from(max_buckets).unwrap_or(usize::MAX);
        while max > 0 && self.sides.iter().map(Vec::len).sum::<usize>() > max && self.schema > SCHEMA_MIN {
            self.lower(self.schema - 1);
        }
        for exemplar in other.exemplars {
            let at = self.exemplars.partition_point(|known| known.value() <= exemplar.value());
            self.exemplars.insert(at, exemplar);
        }
        while self.exemplars.len() > EXEMPLARS_MAX {
            let times = self.exemplars.iter().map(Exemplar::timestamp).enumerate();
            let oldest = times.reduce(|oldest, next| if next.1 < oldest.1 { next } else { oldest });
            oldest.iter().for_each(|(at, _)| drop(self.exemplars.remove(*at)));
        }
    }

    /// Lowers the resolution.
    pub(crate) fn lower(&mut self, schema: i32) {
        let steps = self.schema - schema;
        if steps <= 0 {
            return;
        }
        self.schema = schema;
        for buckets in &mut self.sides {
            buckets.iter_mut().for_each(|(key, _)| *key = (*key + (1 << steps) - 1) >> steps);
            join(buckets);
        }
    }

    /// Widens the zero bucket. A bucket that it would cut in two is taken whole.
    fn widen(&mut self, threshold: f64) {
        let mut wanted = threshold;
        // Taking a bucket of one side whole may cut one of the other side in two.
        while self.zero_threshold < wanted {
            self.zero_threshold = wanted;
            for buckets in &mut self.sides {
                // A bucket has the values above the bound of the one before.
                let taken = buckets.partition_point(|(key, _)| upper_bound(key - 1, self.schema) < wanted);
                for (key, count) in buckets.drain(..taken) {
                    self.zero_count += count;
                    wanted = wanted.max(upper_bound(key, self.schema));
                }
            }
        }
    }
}

/// Adds other buckets. Both are ascending; a sort would be more code.
fn add(own: &mut NativeBuckets, others: NativeBuckets) {
    let mut others = others.into_iter().peekable();
    let mut all = NativeBuckets::with_capacity(own.len() + others.len());
    for bucket in own.drain(..) {
        while let Some(other) = others.next_if(|(key, _)| *key < bucket.0) {
            all.push(other);
        }
        all.push(bucket);
    }
    all.extend(others);
    join(&mut all);
    *own = all;
}

/// Adds up neighbours of the same key.
fn join(buckets: &mut NativeBuckets) {
    buckets.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        kept.1 += if is_same { next.1 } else { 0.0 };
        is_same
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn positive() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>()
                .prop_map(|bits| f64::from_bits(bits >> 1))
                .prop_filter("finite", |v| v.is_finite() && *v > 0.0),
            1e-6..1e6,
            (-40_i32..40).prop_map(power_of_two),
        ]
    }

    /// A histogram of these values, without limits: the definition that merging must keep.
    fn of(values: &[f64], schema: i32, zero_threshold: f64) -> NativeHistogram {
        let mut histogram = NativeHistogram { schema, zero_threshold, ..NativeHistogram::default() };
        for value in values {
            if value.abs() <= zero_threshold {
                histogram.zero_count += 1.0;
            } else {
                let side = if *value > 0.0 { POSITIVE } else { NEGATIVE };
                histogram.sides[side].push((key_of(value.abs(), schema), 1.0));
            }
        }
        for side in &mut histogram.sides {
            side.sort_unstable_by_key(|(key, _)| *key);
            join(side);
        }
        histogram
    }

    #[test]
    fn schemas_of_factors() {
        let schema = |factor| NativeHistogramOptions::default().bucket_factor(factor).schema();
        let factors = [1.000_1, 1.003, 1.1, 1.2, 1.5, 2.0, 3.9, 4.0, 16.0, 256.0, 65_536.0, 1e300];
        assert_eq!(factors.map(schema), [8, 8, 3, 2, 1, 0, 0, -1, -2, -3, -4, -4]);
    }

    #[test]
    fn zero_thresholds_of_either_sign_are_equal() {
        for thresholds in [(0.0, -0.0), (-0.0, 0.0)] {
            let mut merged = of(&[1.0], 3, thresholds.0);
            merged.merge(&of(&[-1.0], 3, thresholds.1), 0);
            assert_eq!(merged.count(), 2.0);
        }
        let options = NativeHistogramOptions::default().zero_threshold(-0.0);
        let checked = options.checked("h").expect("0 is a width");
        assert!(checked.zero_threshold.is_sign_positive());
    }

    #[test]
    fn merging_keeps_the_newest_exemplars_by_value() {
        use crate::labels::LabelSet;

        let labels = LabelSet::default();
        let exemplar = |value: f64, time: f64| Exemplar::new(&labels, value, time).expect("it is valid");
        let with = |exemplars: Vec<Exemplar>| NativeHistogram { exemplars, ..NativeHistogram::default() };
        // Even values are older.
        let all: Vec<Exemplar> =
            (0..14_u8).map(f64::from).map(|at| exemplar(at, 20.0 * (at % 2.0) + at)).collect();
        let (low, high) = all.split_at(5);
        let mut merged = with(high.to_vec());
        merged.merge(&with(low.to_vec()), 0);
        let shown: Vec<f64> = merged.exemplars.iter().map(Exemplar::value).collect();
        assert_eq!(shown, [1.0, 3.0, 5.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]);
    }

    proptest! {
        #[test]
        fn a_value_is_within_its_bucket(value in positive(), schema in SCHEMA_MIN..=SCHEMA_MAX) {
            let key = key_of(value, schema);
            prop_assert!(value <= upper_bound(key, schema), "{value} in {key}");
            // Below the smallest number there is no bound between buckets.
            let below = upper_bound(key - 1, schema);
            prop_assert!(below < value || value < f64::MIN_POSITIVE, "{value} in {key}, above {below}");
        }

        #[test]
        fn merging_lowers_the_resolution_exactly(
            one in prop::collection::vec(positive(), 0..40),
            other in prop::collection::vec(positive().prop_map(|value| -value), 0..40),
            fine in SCHEMA_MIN..=SCHEMA_MAX,
            coarse in SCHEMA_MIN..=SCHEMA_MAX,
        ) {
            let mut merged = of(&one, fine, 0.0);
            merged.merge(&of(&other, coarse, 0.0), 0);
            let all = [one, other].concat();
            prop_assert_eq!(merged, of(&all, fine.min(coarse), 0.0));
        }

        #[test]
        fn merging_keeps_the_limit_of_buckets_in_any_order(
            parts in prop::collection::vec(prop::collection::vec(1e-3..1e3, 0..20), 1..6),
            schema in SCHEMA_MIN..=SCHEMA_MAX,
            max in 1..30_u32,
        ) {
            let merged = |parts: &[Vec<f64>]| {
                let mut merged = of(&[], schema, 0.0);
                parts.iter().for_each(|part| merged.merge(&of(part, schema, 0.0), max));
                merged
            };
            let forwards = merged(&parts);
            let backwards: Vec<Vec<f64>> = parts.iter().rev().cloned().collect();
            prop_assert_eq!(&forwards, &merged(&backwards));
            prop_assert_eq!(&forwards, &of(&parts.concat(), forwards.schema, 0.0));
            let buckets = forwards.sides[POSITIVE].len();
            prop_assert!(buckets <= max as usize || forwards.schema == SCHEMA_MIN, "{buckets}");
            if forwards.schema < schema {
                let finer = of(&parts.concat(), forwards.schema + 1, 0.0);
                prop_assert!(finer.sides[POSITIVE].len() > max as usize, "no lower than necessary");
            }
        }

        #[test]
        fn merging_takes_the_wider_zero_bucket(
            one in prop::collection::vec(-1e3..1e3, 0..40),
            other in prop::collection::vec(-1e3..1e3, 0..40),
            schemas in (-4..=8, -4..=8),
            thresholds in (0.0..10.0, 0.0..10.0),
        ) {
            let mut merged = of(&one, schemas.0, thresholds.0);
            merged.merge(&of(&other, schemas.1, thresholds.1), 0);
            let all = [one, other].concat();
            prop_assert!(merged.zero_threshold >= f64::max(thresholds.0, thresholds.1));
            prop_assert_eq!(merged.count(), all.len() as f64);
            // Values at the threshold itself may be in either bucket of the definition.
            let expected = of(&all, merged.schema, merged.zero_threshold);
            prop_assert_eq!(merged, expected);
        }
    }
}
