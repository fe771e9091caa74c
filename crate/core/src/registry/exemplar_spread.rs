//! Chooses the exemplars of a native histogram: few, but of values far apart, as Prometheus' Go library does.

use crate::model::{EXEMPLARS_MAX, Exemplar};

/// An exemplar that is older than this, in seconds, goes first.
const AGE_MAX: f64 = 300.0;

/// Adds an exemplar to those that stand behind the cells `0..width` of a series. If there are too many it removes the oldest
/// one, if that is old; else the older one of the two whose values are nearest to each other.
pub(super) fn spread(own: &mut Vec<(usize, Exemplar)>, width: usize, exemplar: &Exemplar) {
    let mut shown: Vec<Exemplar> = own.extract_if(.., |(cell, _)| *cell >= width).map(|(_, it)| it).collect();
    let at = shown.partition_point(|known| known.value() <= exemplar.value());
    shown.insert(at, exemplar.clone());
    if shown.len() > EXEMPLARS_MAX {
        shown.remove(superfluous(&shown, exemplar.timestamp()));
    }
    own.extend(shown.into_iter().enumerate().map(|(at, exemplar)| (width + at, exemplar)));
}

fn superfluous(shown: &[Exemplar], now: f64) -> usize {
    let older = |one: usize, other: usize| {
        if shown[one].timestamp() <= shown[other].timestamp() { one } else { other }
    };
    let oldest = (1..shown.len()).fold(0, older);
    if now - shown[oldest].timestamp() > AGE_MAX {
        return oldest;
    }
    // On a scale of logarithms. Values on both sides of 0 are far apart.
    let distance = |at: usize| {
        let (one, other) = (shown[at - 1].value(), shown[at].value());
        if (one < 0.0) == (other < 0.0) { (one.abs().ln() - other.abs().ln()).abs() } else { f64::INFINITY }
    };
    let nearest = (1..shown.len()).min_by(|one, other| distance(*one).total_cmp(&distance(*other)));
    nearest.map_or(oldest, |at| older(at - 1, at))
}
