//! The counts of contributors that have ended. Never changed in place: folding makes a new list that shares all
//! families that the leaving contributor did not have.

use super::cardinality::OVERFLOW_VALUE;
use super::double_double::DoubleDouble;
use super::family::Family;
use super::registry::Registry;
use crate::clock::Clock;
use crate::labels::{canonical_key, render};
use crate::model::Source;
use crate::model::{Descriptor, Digest, NativeHistogram};
use crate::sync::{Arc, SliceArc};
use hashbrown::HashMap;
use std::convert::Infallible;
use std::time::Duration;

/// One family of ended contributors.
pub(crate) struct RetiredFamily {
    pub(crate) descriptor: Descriptor,
    pub(crate) series: Vec<RetiredSeries>,
    /// When it is no longer shown, unless a live contributor shows it. Only folding changes its values, so the time is
    /// known.
    expires: Option<Duration>,
    clock: Arc<Clock>,
    index: HashMap<Box<[u8]>, usize, foldhash::fast::FixedState>,
}

#[derive(Clone)]
pub(crate) struct RetiredSeries {
    pub(crate) labels: SliceArc<[u8]>,
    pub(crate) cells: SliceArc<[DoubleDouble]>,
    /// A summary's observations. Those of a window are kept apart by the time until which they are shown.
    digests: Vec<(Option<Duration>, Arc<Digest>)>,
    /// The buckets of a native histogram.
    pub(crate) native: Option<Arc<NativeHistogram>>,
    /// The earliest start of the series that it has.
    pub(crate) start_ms: Option<u64>,
}

impl RetiredSeries {
    /// Adds the observations of a contributor that ends at `now`.
    fn keep(&mut self, digest: &Digest, descriptor: &Descriptor, now: Duration) {
        self.digests.retain(|(until, _)| until.is_none_or(|until| until > now));
        let window = descriptor.summary_options().and_then(|summary| summary.window);
        let until = window.map(|(age, _)| now.saturating_add(age));
        // Ends within one step of a window are shown until the last of them is forgotten.
        let step = window.map_or(Duration::MAX, |(age, steps)| age / steps);
        match self.digests.last_mut() {
            Some((last, known)) if now.saturating_sub(begun(*last, window)) < step => {
                let mut merged = Digest::clone(known);
                merged.merge(digest);
                *known = Arc::new(merged);
            }
            _ => self.digests.push((until, Arc::new(digest.clone()))),
        }
    }
}

/// When the observations that are shown until `until` were added.
fn begun(until: Option<Duration>, window: Option<(Duration, u32)>) -> Duration {
    until.unwrap_or_default().saturating_sub(window.unwrap_or_default().0)
}

impl RetiredFamily {
    /// True if its values have not changed for their time to live.
    pub(crate) fn is_expired(&self) -> bool {
        self.expires.is_some_and(|at| self.clock.now() >= at)
    }

    /// The observations of a summary's series that are not forgotten.
    pub(crate) fn digests<'a>(&self, series: &'a RetiredSeries) -> impl Iterator<Item = &'a Digest> {
        let now = self.clock.now();
        let shown = move |until: Option<Duration>| until.is_none_or(|until| until > now);
        series.digests.iter().filter(move |(until, _)| shown(*until)).map(|(_, digest)| &**digest)
    }

    /// Makes a new family: this one and the last values of `leaving`, whose time to live is `ttl`.
    fn fold(base: Option<&Self>, leaving: &Family, ttl: Option<Duration>) -> Self {
        let clock = Arc::clone(leaving.clock());
        let now = clock.now();
        let expires = ttl.map(|ttl| now.saturating_add(ttl));
        let mut folded = match base {
            Some(base) => Self {
                descriptor: base.descriptor.clone(),
                expires,
                clock,
                series: base.series.clone(),
                index: base.index.clone(),
            },
            None => Self {
                descriptor: leaving.descriptor().clone(),
                expires,
                clock,
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
            // Each worker has its own limit; the retired series of all workers share one.
            let beyond = !folded.index.contains_key(&key[..]) && folded.series.len() >= max;
            let labels = if beyond { &other[..] } else { series.labels };
            if beyond {
                key.clear();
                canonical_key(&other, &mut key);
            }
            let at = match folded.index.get(&key[..]).copied() {
                Some(at) => {
                    let cells = &mut folded.series[at].cells;
                    *cells = cells.iter().zip(series.values).map(|(sum, value)| sum.add(*value)).collect();
                    let native = &mut folded.series[at].native;
                    if let (Some(own), Some(other)) = (native, series.native) {
                        let mut merged = NativeHistogram::clone(own);
                        merged.merge(other, folded.descriptor.max_native_buckets());
                        *own = Arc::new(merged);
                    }
                    let start = &mut folded.series[at].start_ms;
                    *start = (*start).into_iter().chain(series.start_ms).min();
                    at
                }
                None => {
                    let at = folded.series.len();
                    folded.index.insert(key.as_slice().into(), at);
                    let cells =
                        series.values.iter().map(|value| DoubleDouble::default().add(*value)).collect();
                    folded.series.push(RetiredSeries {
                        labels: labels.into(),
                        cells,
                        digests: Vec::new(),
                        native: series.native.map(|native| Arc::new(native.clone())),
                        start_ms: series.start_ms,
                    });
                    at
                }
            };
            if let Some(digest) = series.digest {
                folded.series[at].keep(digest, leaving.descriptor(), now);
            }
            Ok::<(), Infallible>(())
        });
        folded
    }
}

/// All families of ended contributors, in the order in which they first came.
#[derive(Default)]
pub(crate) struct Retired {
    pub(crate) families: Vec<Arc<RetiredFamily>>,
    /// Calls over a limit, by metric.
    pub(crate) overflow: HashMap<String, f64, foldhash::fast::FixedState>,
}

impl Retired {
    /// Makes a new list: this one and the last values of a leaving contributor's counters, histograms and summaries. Its gauges
    /// are dropped.
    pub(crate) fn fold(&self, leaving: &Registry) -> Self {
        let mut families = self.families.clone();
        // Expired families need not be kept.
        families.retain(|family| !family.is_expired());
        let mut overflow = self.overflow.clone();
        for family in &leaving.families() {
            add_overflow(&mut overflow, family);
            if family.descriptor().kind().is_state() || family.series_count() == 0 {
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

/// Adds the calls over a family's limits to the count of its name.
pub(crate) fn add_overflow(overflow: &mut HashMap<String, f64, foldhash::fast::FixedState>, family: &Family) {
    let calls = family.overflow_calls();
    if calls > 0.0 {
        *overflow.entry(family.descriptor().name().to_owned()).or_insert(0.0) += calls;
    }
}
