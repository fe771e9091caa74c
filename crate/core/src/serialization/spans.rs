//! Buckets of native histograms as runs, which OpenMetrics 2.0, protobuf and remote write have.

use crate::model::NativeBuckets;

/// A run of buckets: how many keys it begins after the end of the run before, or after 0; and the counts.
pub(super) type Span = (i32, Vec<f64>);

/// Buckets as runs. Gaps of up to two keys are bridged by empty buckets.
pub(super) fn spans(buckets: &NativeBuckets) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut next = 0;
    for (key, count) in buckets {
        let gap = key - next;
        match spans.last_mut() {
            Some((_, counts)) if gap <= 2 => {
                (0..gap).for_each(|_| counts.push(0.0));
                counts.push(*count);
            }
            _ => spans.push((gap, vec![*count])),
        }
        next = key + 1;
    }
    spans
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn spans_bridge_small_gaps() {
        let buckets = vec![(-3, 1.0), (-2, 2.0), (1, 3.0), (5, 4.0)];
        assert_eq!(spans(&buckets), [(-3, vec![1.0, 2.0, 0.0, 0.0, 3.0]), (3, vec![4.0])]);
    }
}
