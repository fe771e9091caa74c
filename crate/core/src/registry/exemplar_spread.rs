//! Chooses the exemplars of a native histogram: few, but of values far apart, as Prometheus' Go library does.

use crate::model::{EXEMPLARS_MAX, Exemplar};

/// An exemplar that is older than this, in seconds, goes first.
const AGE_MAX: f64 = 300.0;

/// Adds an exemplar to those that stand behind the cells `0..width` of a series. If there are too many it replaces the oldest
/// one, if that is old; else the older one of the two whose values are nearest to each other.
pub(super) fn spread(own: &mut Vec<(usize, Exemplar)>, width: usize, exemplar: &Exemplar) {
    let mut shown: Vec<Exemplar> = own.extract_if(.., |(cell, _)| *cell >= width).map(|(_, it)| it).collect();
    let is_full = shown.len() == EXEMPLARS_MAX;
    if is_full {
        shown.remove(superfluous(&shown, exemplar));
    }
    // Among equal values, the place is that of Go's library.
    let is_before = |known: f64| if is_full { known < exemplar.value() } else { known <= exemplar.value() };
    let at = shown.partition_point(|known| is_before(known.value()));
    shown.insert(at, exemplar.clone());
    own.extend(shown.into_iter().enumerate().map(|(at, exemplar)| (width + at, exemplar)));
}

fn superfluous(shown: &[Exemplar], new: &Exemplar) -> usize {
    let is_older = |one: usize, other: usize| shown[one].timestamp() < shown[other].timestamp();
    let oldest = (1..shown.len()).fold(0, |oldest, at| if is_older(at, oldest) { at } else { oldest });
    if new.timestamp() - shown[oldest].timestamp() > AGE_MAX {
        return oldest;
    }
    let pairs = shown.windows(2).enumerate().map(|(at, pair)| {
        let older = if is_older(at + 1, at) { at + 1 } else { at };
        (distance(&pair[0], &pair[1]), older)
    });
    let above = shown.partition_point(|known| known.value() < new.value());
    let beside = [above.checked_sub(1), Some(above)].into_iter().flatten();
    let beside = beside.filter_map(|at| Some((distance(shown.get(at)?, new), at)));
    let nearest = pairs.chain(beside).reduce(|nearest, next| if next.0 < nearest.0 { next } else { nearest });
    nearest.map_or(oldest, |(_, at)| at)
}

/// On a scale of logarithms. Values on both sides of 0 are far apart.
fn distance(one: &Exemplar, other: &Exemplar) -> f64 {
    let (one, other) = (one.value(), other.value());
    if (one < 0.0) == (other < 0.0) { (one.abs().ln() - other.abs().ln()).abs() } else { f64::INFINITY }
}
