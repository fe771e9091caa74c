//! A t-digest (Dunning): a distribution as weighted means, fine at both ends and coarser in the middle. Equal values are
//! always one centroid, and up to `MAX_CENTROIDS` distinct values are kept as they are, so quantiles of few values are
//! those of the values themselves. It does no locking and knows no time.

/// The share of all observations that one centroid in the middle may hold. At a quantile q it is `4 * q * (1 - q)` of
/// this, which lets the centroids at both ends hold one observation each.
const MAX_SHARE: f64 = 0.02;
/// With more centroids than this, neighbours are merged.
const MAX_CENTROIDS: usize = 600;

/// Observations as centroids, ascending by mean; no two have the same mean.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Digest {
    centroids: Vec<Centroid>,
    /// The number of observations.
    count: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Centroid {
    mean: f64,
    weight: f64,
}

impl Digest {
    pub(crate) fn is_empty(&self) -> bool {
        self.centroids.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.centroids.clear();
        self.count = 0.0;
    }

    /// Becomes a copy of another digest; its memory is reused.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.centroids.clone_from(&other.centroids);
        self.count = other.count;
    }

    /// Adds finite values.
    pub(crate) fn add(&mut self, values: &[f64]) {
        // Integers are sorted in a third of the time. -0 and 0 are one value.
        let mut keys: Vec<u64> = values.iter().map(|value| sort_key(*value + 0.0)).collect();
        keys.sort_unstable();
        self.absorb(keys.len(), |at| Centroid { mean: of_sort_key(keys[at]), weight: 1.0 });
    }

    /// Adds the observations of another digest.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.absorb(other.centroids.len(), |at| other.centroids[at]);
    }

    /// Merges `others` ascending centroids into the own ones, from the largest to the smallest, so that both fit in one
    /// list.
    fn absorb(&mut self, mut others: usize, other: impl Fn(usize) -> Centroid) {
        let own = &mut self.centroids;
        let mut left = own.len();
        let end = left + others;
        own.resize(end, Centroid::default());
        // The list from here on is finished.
        let mut done = end;
        while others > 0 {
            let (theirs, ours) = (other(others - 1), own[left.saturating_sub(1)]);
            // Which of both is larger cannot be predicted, so nothing branches on it.
            let is_ours = (left > 0) & (ours.mean > theirs.mean);
            let taken = if is_ours { ours } else { theirs };
            left -= usize::from(is_ours);
            others -= usize::from(!is_ours);
            self.count += if is_ours { 0.0 } else { theirs.weight };
            if done < end && own[done].mean == taken.mean {
                own[done].weight += taken.weight;
            } else {
                done -= 1;
                own[done] = taken;
            }
        }
        if left > 0 && done < end && own[left - 1].mean == own[done].mean {
            left -= 1;
            own[done].weight += own[left].weight;
        }
        own.drain(left..done);
        if own.len() > MAX_CENTROIDS {
            self.compress();
        }
    }

    /// Merges neighbours that may hold as many observations together.
    fn compress(&mut self) {
        let Some(first) = self.centroids.first() else { return };
        let share = 4.0 * MAX_SHARE / self.count;
        let (mut kept, mut before) = (0, 0.0);
        let mut group = Group::of(*first);
        for at in 1..self.centroids.len() {
            let next = self.centroids[at];
            let weight = group.weight + next.weight;
            let middle = before + weight / 2.0;
            if weight <= share * middle * (self.count - middle) {
                group.add(next);
            } else {
                self.centroids[kept] = group.centroid();
                kept += 1;
                before += group.weight;
                group = Group::of(next);
            }
        }
        self.centroids[kept] = group.centroid();
        self.centroids.truncate(kept + 1);
    }

    /// Appends the values at these quantiles, which ascend. A quantile between the middles of two centroids is
    /// interpolated. NaN without observations.
    pub(crate) fn quantiles(&self, quantiles: &[f64], out: &mut Vec<f64>) {
        let Some(last) = self.centroids.last() else {
            out.extend(quantiles.iter().map(|_| f64::NAN));
            return;
        };
        let (mut at, mut before) = (0, 0.0);
        let mut lower: Option<(Centroid, f64)> = None;
        for quantile in quantiles {
            let rank = self.count * quantile;
            let upper = loop {
                let Some(centroid) = self.centroids.get(at) else { break None };
                let middle = before + centroid.weight / 2.0;
                if rank < middle {
                    break Some((*centroid, middle));
                }
                lower = Some((*centroid, middle));
                before += centroid.weight;
                at += 1;
            };
            out.push(match (lower, upper) {
                (Some((low, from)), Some((high, to))) if from != rank => {
                    interpolate(low.mean, high.mean, rank - from, to - from)
                }
                (Some((low, _)), Some(_)) => low.mean,
                (None, Some((first, _))) => first.mean,
                (_, None) => last.mean,
            });
        }
    }
}

const SIGN: u64 = 1 << 63;

/// An integer for a number, in the same order.
fn sort_key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn of_sort_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

/// Neighbours that become one centroid.
struct Group {
    least: f64,
    most: f64,
    weight: f64,
    sum: f64,
}

impl Group {
    fn of(centroid: Centroid) -> Self {
        let Centroid { mean, weight } = centroid;
        Self { least: mean, most: mean, weight, sum: mean * weight }
    }

    fn add(&mut self, next: Centroid) {
        self.most = next.mean;
        self.weight += next.weight;
        self.sum += next.mean * next.weight;
    }

    fn centroid(&self) -> Centroid {
        let mean = self.sum / self.weight;
        // The sum may overflow.
        let mean = if mean.is_finite() { mean } else { between(self.least, self.most, 0.5) };
        Centroid { mean: mean.clamp(self.least, self.most), weight: self.weight }
    }
}

/// `part` of `whole` of the way from one value to another, in the order of operations that other clients use. The
/// difference of two finite values may be infinite.
fn interpolate(low: f64, high: f64, part: f64, whole: f64) -> f64 {
    let exact = low + part * (high - low) / whole;
    if exact.is_finite() { exact.clamp(low, high) } else { between(low, high, part / whole) }
}

fn between(low: f64, high: f64, share: f64) -> f64 {
    (low * (1.0 - share) + high * share).clamp(low, high)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUANTILES: [f64; 9] = [0.0, 0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0];

    fn of(values: &[f64], batch: usize) -> Digest {
        let mut digest = Digest::default();
        values.chunks(batch).for_each(|batch| digest.add(batch));
        digest
    }

    fn at(digest: &Digest, quantiles: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        digest.quantiles(quantiles, &mut out);
        out
    }

    /// The definition: ranks are interpolated between the middles of equal values.
    fn defined(values: &[f64], quantile: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut groups: Vec<(f64, f64)> = Vec::new();
        for value in sorted {
            match groups.last_mut() {
                Some((known, weight)) if *known == value => *weight += 1.0,
                _ => groups.push((value, 1.0)),
            }
        }
        let rank = values.len() as f64 * quantile;
        let mut before = 0.0;
        let mut lower: Option<(f64, f64)> = None;
        for (value, weight) in groups {
            let middle = before + weight / 2.0;
            if rank < middle {
                return lower
                    .map_or(value, |(low, from)| low + (rank - from) * (value - low) / (middle - from));
            }
            lower = Some((value, middle));
            before += weight;
        }
        lower.map_or(f64::NAN, |(low, _)| low)
    }

    #[test]
    fn an_empty_digest_has_no_quantiles() {
        let digest = Digest::default();
        assert!(digest.is_empty());
        assert!(at(&digest, &QUANTILES).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn values_at_the_ends_of_the_range_stay_finite() {
        let mut digest = of(&[f64::MAX, f64::MIN, 0.0, -0.0], 2);
        assert_eq!(at(&digest, &[0.0, 0.5, 1.0]), [f64::MIN, 0.0, f64::MAX]);
        let many: Vec<f64> =
            (0..2000).map(|at| if at % 2 == 0 { f64::MAX } else { f64::MIN } / f64::from(at + 1)).collect();
        digest.add(&many);
        assert!(at(&digest, &QUANTILES).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn few_distinct_values_stay_exact_however_often_they_come() {
        let values: Vec<f64> = (0..200_000).map(|at| f64::from(at * 7 % 100)).collect();
        let digest = of(&values, 64);
        let expected: Vec<f64> = QUANTILES.iter().map(|quantile| defined(&values, *quantile)).collect();
        assert_eq!(at(&digest, &QUANTILES), expected);
        assert_eq!(digest.centroids.len(), 100);
    }

    #[test]
    fn a_large_digest_is_small_and_near() {
        for step in [1e-9, 1e6] {
            // A permutation of 0..99991, which is prime.
            let values: Vec<f64> = (0..99_991_u64).map(|at| (at * 7919 % 99_991) as f64 * step).collect();
            let digest = of(&values, 1024);
            assert!(digest.centroids.len() <= MAX_CENTROIDS, "{}", digest.centroids.len());
            assert_eq!(digest.count, 99_991.0);
            for (quantile, value) in QUANTILES.iter().zip(at(&digest, &QUANTILES)) {
                let rank = value / step / 99_990.0;
                let allowed = 1e-9 + 0.004 * 4.0 * quantile * (1.0 - quantile);
                assert!((rank - quantile).abs() <= allowed.max(2e-5), "{quantile} is at {rank}");
            }
        }
    }

    proptest! {
        #[test]
        fn up_to_the_limit_quantiles_are_exact(
            values in prop::collection::vec(prop_oneof![-1e6..1e6, (0_i32..20).prop_map(f64::from)], 1..MAX_CENTROIDS),
            batch in 1..100_usize,
        ) {
            let digest = of(&values, batch);
            for (quantile, value) in QUANTILES.iter().zip(at(&digest, &QUANTILES)) {
                prop_assert_eq!(value, defined(&values, *quantile));
            }
        }

        #[test]
        fn merging_is_adding(
            one in prop::collection::vec(-1e3..1e3, 0..250),
            other in prop::collection::vec(-1e3..1e3, 0..250),
        ) {
            let mut merged = of(&one, 50);
            merged.merge(&of(&other, 50));
            let all = [one, other].concat();
            prop_assert_eq!(merged, of(&all, 1000));
        }

        #[test]
        fn quantiles_ascend_and_are_within_the_values(
            values in prop::collection::vec(prop::num::f64::NORMAL, 1..3000),
        ) {
            let digest = of(&values, 128);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let quantiles = at(&digest, &QUANTILES);
            prop_assert!(quantiles.is_sorted(), "{:?}", quantiles);
            prop_assert!(quantiles.iter().all(|value| (least..=most).contains(value)));
        }
    }
}
