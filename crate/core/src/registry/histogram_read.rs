//! Reads the cells of a histogram as they were at one moment, although their owner writes without a lock.

use crate::sync::{Ordering, fence};

/// How often the buckets are read before they are taken as they are. Only an observation during a pass makes another pass
/// necessary, so a scrape repeats no more passes than there are observations. With 100, a writer that disturbs nine
/// passes of ten is still read at one moment; a writer that disturbs them all writes more often than the cells can be read.
pub(crate) const PASSES_MAX: usize = 100;

/// Reads buckets and sum, which is the last value. Buckets only rise: if two passes over them find the same values, these
/// are the values of the moment between the passes, and the sum is read then. The owner writes a bucket before the sum, so
/// the sum may lack the last observation. False if no two passes of `passes` agree.
pub(crate) fn read_histogram(values: &mut [f64], passes: usize, load: impl Fn(usize) -> f64) -> bool {
    let Some((sum, buckets)) = values.split_last_mut() else { return true };
    for (cell, value) in buckets.iter_mut().enumerate() {
        *value = load(cell);
    }
    for _ in 1..passes {
        // Loads are relaxed. Without fences, processors such as ARM's may mix the loads of two passes.
        fence(Ordering::Acquire);
        *sum = load(buckets.len());
        fence(Ordering::Acquire);
        let mut same = true;
        for (cell, value) in buckets.iter_mut().enumerate() {
            let now = load(cell);
            same &= now.to_bits() == value.to_bits();
            *value = now;
        }
        if same {
            return true;
        }
    }
    false
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    const BUCKETS: usize = 40;

    /// Reads while an owner observes 0, 1, 2 and so on: once every `loads` loads, and no more after `until` observations.
    /// Returns what was read, the number of loads, and whether two passes agreed.
    fn read_beside_owner(loads: usize, until: usize) -> (Vec<f64>, usize, bool) {
        let cells = RefCell::new(vec![0.0; BUCKETS + 1]);
        let (count, observed) = (Cell::new(0), Cell::new(0));
        let mut values = vec![0.0; BUCKETS + 1];
        let agree = read_histogram(&mut values, PASSES_MAX, |cell| {
            count.set(count.get() + 1);
            if count.get() % loads == 0 && observed.get() < until {
                let at = observed.replace(observed.get() + 1) % BUCKETS;
                let mut cells = cells.borrow_mut();
                cells[at] += 1.0;
                cells[BUCKETS] += f64::from(u32::try_from(at).expect("a small number"));
            }
            cells.borrow()[cell]
        });
        (values, count.get(), agree)
    }

    /// What the cells hold after `count` observations.
    fn cells_after(count: usize) -> Vec<f64> {
        let mut cells = vec![0.0; BUCKETS + 1];
        for at in (0..count).map(|turn| turn % BUCKETS) {
            cells[at] += 1.0;
            cells[BUCKETS] += f64::from(u32::try_from(at).expect("a small number"));
        }
        cells
    }

    fn count_of(values: &[f64]) -> usize {
        let total: f64 = values[..BUCKETS].iter().sum();
        (0..100_000).find(|&count| f64::from(count) == total).expect("a whole number") as usize
    }

    #[test]
    fn an_undisturbed_histogram_is_read_twice() {
        let read = read_beside_owner(usize::MAX, 0);
        assert_eq!(read, (vec![0.0; BUCKETS + 1], 2 * BUCKETS + 1, true));
    }

    #[test]
    fn passes_are_repeated_until_two_agree() {
        for until in [1, 7, 8, 9, 20, 60, 90] {
            // One observation in each pass, at a place that moves.
            for loads in [BUCKETS - 3, BUCKETS + 1] {
                let (values, _, agree) = read_beside_owner(loads, until);
                assert!(agree);
                assert_eq!(
                    values,
                    cells_after(count_of(&values)),
                    "{until} observations, one every {loads} loads"
                );
            }
        }
    }

    #[test]
    fn an_owner_who_never_pauses_does_not_hold_up_a_scrape() {
        let (values, loads, agree) = read_beside_owner(1, usize::MAX);
        assert!(!agree);
        assert_eq!(loads, PASSES_MAX * BUCKETS + PASSES_MAX - 1);
        assert!(values.iter().all(|value| value.is_finite()));
    }
}
