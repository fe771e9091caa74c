//! What contributors that have ended counted. Never changed in place: folding makes a new list that shares
//! whatever the leaving contributor did not touch.

use super::cardinality::OVERFLOW_VALUE;
use super::double_double::DoubleDouble;
use super::family::Family;
use super::registry::Registry;
use crate::clock::Clock;
use crate::labels::{canonical_key, render};
use crate::model::Source;
use crate::model::{Descriptor, Kind};
use crate::sync::{Arc, SliceArc};
use hashbrown::HashMap;
use std::convert::Infallible;
use std::time::Duration;

/// One family of the retired contributor.
pub(crate) struct RetiredFamily {
    pub(crate) descriptor: Descriptor,
    pub(crate) series: Vec<RetiredSeries>,
    /// When nothing of it is shown any more, unless a live contributor shows it: nothing changes here but by folding.
    expires: Option<(Arc<Clock>, Duration)>,
    index: HashMap<Box<[u8]>, usize, foldhash::fast::FixedState>,
}

#[derive(Clone)]
pub(crate) struct RetiredSeries {
    pub(crate) labels: SliceArc<[u8]>,
    pub(crate) cells: SliceArc<[DoubleDouble]>,
}

impl RetiredFamily {
    /// Whether nothing has changed for the time that its values live.
    pub(crate) fn is_expired(&self) -> bool {
        self.expires.as_ref().is_some_and(|(clock, at)| clock.now() >= *at)
    }

    /// This family and what `leaving`, whose values live for `ttl`, holds at last, as a new family.
    fn fold(base: Option<&Self>, leaving: &Family, ttl: Option<Duration>) -> Self {
        let expires = ttl.map(|ttl| (Arc::clone(leaving.clock()), leaving.clock().now().saturating_add(ttl)));
        let mut folded = match base {
            Some(base) => Self {
                descriptor: base.descriptor.clone(),
                expires,
                series: base.series.clone(),
                index: base.index.clone(),
            },
            None => Self {
                descriptor: leaving.descriptor().clone(),
                expires,
                series: Vec::new(),
                index: HashMap::with_hasher(foldhash::fast::FixedState::default()),
            },
        };
        let max = leaving.limits().max_series;
        let mut other = Vec::new();
        let names = leaving.descriptor().label_names();
        render(names.iter().map(|name| (name.as_str(), OVERFLOW_VALUE)), &mut other);
        let mut key = Vec::new();
        let Ok(()) = leaving.for_each(|series| {
            key.clear();
            canonical_key(series.labels, &mut key);
            // Each worker has its own limit, but what they leave behind has one for all of them.
            let beyond = !folded.index.contains_key(&key[..]) && folded.series.len() >= max;
            let labels = if beyond { &other[..] } else { series.labels };
            if beyond {
                key.clear();
                canonical_key(&other, &mut key);
            }
            match folded.index.get(&key[..]) {
                Some(at) => {
                    let cells = &mut folded.series[*at].cells;
                    *cells = cells.iter().zip(series.values).map(|(sum, value)| sum.add(*value)).collect();
                }
                None => {
                    folded.index.insert(key.as_slice().into(), folded.series.len());
                    let cells =
                        series.values.iter().map(|value| DoubleDouble::default().add(*value)).collect();
                    folded.series.push(RetiredSeries { labels: labels.into(), cells });
                }
            }
            Ok::<(), Infallible>(())
        });
        folded
    }
}

/// All families of the retired contributor, in the order in which they first came.
#[derive(Default)]
pub(crate) struct Retired {
    pub(crate) families: Vec<Arc<RetiredFamily>>,
    /// Calls beyond a limit by metric.
    pub(crate) overflow: HashMap<String, f64, foldhash::fast::FixedState>,
}

impl Retired {
    /// This list and what a leaving contributor's counters and histograms hold at last. Its gauges go with it.
    pub(crate) fn fold(&self, leaving: &Registry) -> Self {
        let mut families = self.families.clone();
        // What nobody is shown any more is not kept for ever.
        families.retain(|family| !family.is_expired());
        let mut overflow = self.overflow.clone();
        for family in &leaving.families() {
            add_overflow(&mut overflow, family);
            if !matches!(family.descriptor().kind(), Kind::Counter | Kind::Histogram)
                || family.series_count() == 0
            {
                continue;
            }
            let ttl = family.time_to_live(leaving.ttl());
            let known =
                families.iter_mut().find(|retired| retired.descriptor.merges_with(family.descriptor()));
            match known {
                Some(retired) => *retired = Arc::new(RetiredFamily::fold(Some(retired), family, ttl)),
                None => families.push(Arc::new(RetiredFamily::fold(None, family, ttl))),
            }
        }
        Self { families, overflow }
    }
}

/// Adds the calls that were beyond a family's limits to those of its name.
pub(crate) fn add_overflow(overflow: &mut HashMap<String, f64, foldhash::fast::FixedState>, family: &Family) {
    let calls = family.overflow_calls();
    if calls > 0.0 {
        *overflow.entry(family.descriptor().name().to_owned()).or_insert(0.0) += calls;
    }
}
