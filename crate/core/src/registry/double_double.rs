//! Adds numbers so that the result does not depend on their order.

/// An unevaluated sum of two `f64`. A sum in plain `f64` depends on the order of the contributors, and folding changes
/// the order: totals would sometimes go down by a last digit, which Prometheus reads as a reset.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct DoubleDouble {
    high: f64,
    low: f64,
}

impl DoubleDouble {
    /// The sum that `parts` returned.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn of(high: f64, low: f64) -> Self {
        Self { high, low }
    }

    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn parts(self) -> [f64; 2] {
        [self.high, self.low]
    }

    pub(crate) fn add(self, value: f64) -> Self {
        let sum = self.high + value;
        if !sum.is_finite() {
            return Self { high: sum, low: 0.0 };
        }
        // Knuth's two-sum: `sum + error` is exactly `self.high + value`.
        let part = sum - self.high;
        let error = (self.high - (sum - part)) + (value - part);
        let low = self.low + error;
        let high = sum + low;
        Self { high, low: low - (high - sum) }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        self.add(other.high).add(other.low)
    }

    pub(crate) fn value(self) -> f64 {
        self.high + self.low
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The total is the same `f64` for every order in which contributors are folded.
        #[test]
        fn the_sum_does_not_depend_on_the_order(values in prop::collection::vec(0.0..1e9_f64, 1..40), split in 0_usize..40) {
            let all = values.iter().fold(DoubleDouble::default(), |sum, value| sum.add(*value));
            let (front, back) = values.split_at(split.min(values.len()));
            let front = front.iter().rev().fold(DoubleDouble::default(), |sum, value| sum.add(*value));
            let back = back.iter().fold(DoubleDouble::default(), |sum, value| sum.add(*value));
            prop_assert_eq!(all.value().to_bits(), back.plus(front).value().to_bits());
        }
    }

    #[test]
    fn infinities_are_kept() {
        let sum = DoubleDouble::default().add(f64::MAX).add(f64::MAX);
        assert!(sum.value() == f64::INFINITY);
        assert!(sum.add(1.0).value() == f64::INFINITY);
    }
}
