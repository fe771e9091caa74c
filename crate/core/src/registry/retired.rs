//! The counts of contributors that have ended. Never changed in place: folding makes a new list that shares all
//! families that the leaving contributor did not have. In a run of processes, a file has the counts of those that have ended.

use super::cardinality::OVERFLOW_VALUE;
use super::double_double::DoubleDouble;
use super::family::Family;
use super::registry::Registry;
use super::shown::{Keys, Shown};
use crate::clock::Clock;
use crate::labels::{canonical_key, labels_with, render};
use crate::model::{Descriptor, Digest, NativeHistogram, Series, Source};
use crate::sort::sort_by;
use crate::sync::{Arc, SliceArc};
use hashbrown::HashMap;
use std::convert::Infallible;
use std::time::Duration;

/// One family of ended contributors.
#[derive(Clone)]
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

/// What the series of one leaving contributor have in common while they are added.
struct Absorbed<'a> {
    descriptor: &'a Descriptor,
    now: Duration,
    max: usize,
    /// The labels of the series that takes label sets over the limit.
    other: Vec<u8>,
    key: Vec<u8>,
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

    /// Adds the buckets of a native histogram.
    fn keep_native(&mut self, native: &NativeHistogram, max_buckets: u32) {
        let merged = match &self.native {
            Some(own) => {
                let mut merged = NativeHistogram::clone(own);
                merged.merge(native, max_buckets);
                merged
            }
            None => native.clone(),
        };
        self.native = Some(Arc::new(merged));
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

    pub(crate) fn new(descriptor: Descriptor, clock: Arc<Clock>, expires: Option<Duration>) -> Self {
        let index = HashMap::with_hasher(foldhash::fast::FixedState::default());
        Self { descriptor, series: Vec::new(), expires, clock, index }
    }

    #[cfg(all(target_os = "linux", not(loom)))]
    /// How long it is still shown, unless a live contributor shows it; `None` for ever.
    pub(crate) fn left(&self) -> Option<Duration> {
        Some(self.expires?.saturating_sub(self.clock.now()))
    }

    /// Adds the last values of `leaving`, whose time to live is `ttl`. Beyond `max` series, new label sets are added to the
    /// series of `other`.
    pub(crate) fn absorb(&mut self, leaving: &impl Source, ttl: Option<Duration>, max: usize) {
        let mut absorbed = self.begin_absorbing(leaving.descriptor(), ttl, max);
        let Ok(()) = leaving.for_each(|series| {
            self.absorb_series(&series, &mut absorbed);
            Ok::<(), Infallible>(())
        });
    }

    fn begin_absorbing<'a>(
        &mut self,
        descriptor: &'a Descriptor,
        ttl: Option<Duration>,
        max: usize,
    ) -> Absorbed<'a> {
        let now = self.clock.now();
        self.expires = ttl.map(|ttl| now.saturating_add(ttl));
        let mut other = Vec::new();
        let names = descriptor.label_names();
        render(names.iter().map(|name| (name.as_str(), OVERFLOW_VALUE)), &mut other);
        Absorbed { descriptor, now, max, other, key: Vec::new() }
    }

    // Not in the closure above, which is compiled once for each kind of source.
    fn absorb_series(&mut self, series: &Series<'_>, absorbed: &mut Absorbed<'_>) {
        let Absorbed { descriptor, now, max, other, key } = absorbed;
        key.clear();
        canonical_key(series.labels, key);
        // Each worker has its own limit; the retired series of all workers share one.
        let beyond = !self.index.contains_key(&key[..]) && self.series.len() >= *max;
        let labels = if beyond { &other[..] } else { series.labels };
        if beyond {
            key.clear();
            canonical_key(&other[..], key);
        }
        let at = match self.index.get(&key[..]).copied() {
            Some(at) => {
                let cells = &mut self.series[at].cells;
                *cells = cells.iter().zip(series.values).map(|(sum, value)| sum.add(*value)).collect();
                let start = &mut self.series[at].start_ms;
                *start = (*start).into_iter().chain(series.start_ms).min();
                at
            }
            None => {
                let cells = series.values.iter().map(|value| DoubleDouble::default().add(*value));
                self.insert(key, labels, cells.collect(), series.start_ms)
            }
        };
        if let Some(digest) = series.digest {
            self.series[at].keep(digest, descriptor, *now);
        }
        if let Some(native) = series.native {
            self.series[at].keep_native(native, self.descriptor.max_native_buckets());
        }
    }

    /// Only the series with these keys; `None` if it has none of them.
    fn with_only(&self, keys: &Keys) -> Option<Self> {
        let mut kept: Vec<(usize, &[u8])> =
            self.index.iter().filter(|(key, _)| keys.contains(*key)).map(|(key, at)| (*at, &**key)).collect();
        sort_by(&mut kept, |(one, _), (next, _)| one.cmp(next));
        let mut family = Self::new(self.descriptor.clone(), Arc::clone(&self.clock), self.expires);
        for (at, key) in &kept {
            family.index.insert((*key).into(), family.series.len());
            family.series.push(self.series[*at].clone());
        }
        (!kept.is_empty()).then_some(family)
    }

    #[cfg(all(target_os = "linux", not(loom)))]
    /// Adds a series that is new.
    pub(crate) fn restore(
        &mut self,
        labels: &[u8],
        cells: SliceArc<[DoubleDouble]>,
        start_ms: Option<u64>,
        native: Option<Arc<NativeHistogram>>,
    ) {
        let mut key = Vec::new();
        canonical_key(labels, &mut key);
        let at = self.insert(&key, labels, cells, start_ms);
        self.series[at].native = native;
    }

    fn insert(
        &mut self,
        key: &[u8],
        labels: &[u8],
        cells: SliceArc<[DoubleDouble]>,
        start_ms: Option<u64>,
    ) -> usize {
        let at = self.series.len();
        self.index.insert(key.into(), at);
        self.series.push(RetiredSeries {
            labels: labels.into(),
            cells,
            digests: Vec::new(),
            native: None,
            start_ms,
        });
        at
    }
}

impl Source for RetiredFamily {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        self.series.iter().try_for_each(|series| {
            let values: Vec<f64> = series.cells.iter().map(|cell| cell.value()).collect();
            visit(Series {
                id: None,
                labels: &series.labels,
                values: &values,
                exemplars: &[],
                digest: None,
                native: series.native.as_deref(),
                start_ms: series.start_ms,
            })
        })
    }
}

/// All families of ended contributors, in the order in which they first came.
#[derive(Default, Clone)]
pub(crate) struct Retired {
    pub(crate) families: Vec<Arc<RetiredFamily>>,
    /// Calls over a limit, by metric.
    pub(crate) overflow: HashMap<String, f64, foldhash::fast::FixedState>,
}

impl Retired {
    /// Makes a new list: this one and the last values of a leaving contributor's counters, histograms and summaries. Its gauges
    /// are dropped, and so are families that have expired, without the series that are `shown`. `label` is that of the process.
    pub(crate) fn fold(&self, leaving: &Registry, label: &[u8], shown: &Shown) -> Self {
        let mut folded = self.clone();
        folded.drop_expired(shown);
        for family in &leaving.families() {
            add_overflow(&mut folded.overflow, family);
            let (ttl, max) = (family.time_to_live(leaving.ttl()), family.limits().max_series);
            if family.series_count() > 0 {
                let whole = Leaving { family, is_whole: true };
                folded.absorb(&Labelled(&whole, label), family.clock(), ttl, max);
            }
        }
        folded
    }

    /// Makes a new list: this one and the last values of the series that other processes do not see.
    pub(crate) fn fold_unshared(&self, leaving: &Registry, label: &[u8]) -> Self {
        let mut folded = self.clone();
        for family in &leaving.families() {
            let unshared = Leaving { family, is_whole: false };
            // Ends with the first one.
            if unshared.for_each(|_| Err(())).is_err() {
                let ttl = family.time_to_live(leaving.ttl());
                let unshared = Labelled(&unshared, label);
                folded.absorb(&unshared, family.clock(), ttl, family.limits().max_series);
            }
        }
        folded
    }

    /// Adds calls over limits, by metric.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn count_overflow(&mut self, calls: &HashMap<String, f64, foldhash::fast::FixedState>) {
        for (metric, calls) in calls {
            *self.overflow.entry(metric.clone()).or_insert(0.0) += calls;
        }
    }

    /// The names of the metrics that have expired.
    pub(crate) fn expired(&self) -> impl Iterator<Item = &str> {
        self.families.iter().filter(|family| family.is_expired()).map(|family| family.descriptor.name())
    }

    /// Drops what has expired, without the series that are `shown`: others have them too, and their totals must not go down.
    pub(crate) fn drop_expired(&mut self, shown: &Shown) {
        self.families = std::mem::take(&mut self.families)
            .into_iter()
            .filter_map(|family| match shown.of_expired(family.descriptor.name()) {
                Some(keys) if family.is_expired() => family.with_only(keys).map(Arc::new),
                _ => Some(family),
            })
            .collect();
    }

    /// Adds the last values of one family, unless it is a gauge.
    pub(crate) fn absorb(
        &mut self,
        leaving: &impl Source,
        clock: &Arc<Clock>,
        ttl: Option<Duration>,
        max: usize,
    ) {
        if let Some(family) = self.family_for(leaving.descriptor(), clock) {
            family.absorb(leaving, ttl, max);
        }
    }

    /// The family to which values of this description are added; `None` for a gauge.
    fn family_for(&mut self, descriptor: &Descriptor, clock: &Arc<Clock>) -> Option<&mut RetiredFamily> {
        if descriptor.kind().is_state() {
            return None;
        }
        let known = self.families.iter().position(|retired| retired.descriptor.merges_with(descriptor));
        let at = known.unwrap_or_else(|| {
            self.families.push(Arc::new(RetiredFamily::new(descriptor.clone(), Arc::clone(clock), None)));
            self.families.len() - 1
        });
        let family = &mut self.families[at];
        // A scrape may hold the family. It is copied then, once for all that are added.
        if Arc::get_mut(family).is_none() {
            *family = Arc::new(RetiredFamily::clone(family));
        }
        Arc::get_mut(family)
    }
}

/// The series of a family with the label of their process, which may be empty.
pub(crate) struct Labelled<'a, S>(pub(crate) &'a S, pub(crate) &'a [u8]);

impl<S: Source> Source for Labelled<'_, S> {
    fn descriptor(&self) -> &Descriptor {
        self.0.descriptor()
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        self.0.for_each(|series| visit(Series { labels: &labels_with(series.labels, self.1), ..series }))
    }
}

/// A family of a leaving contributor: the whole of it, or the series that other processes do not see.
struct Leaving<'a> {
    family: &'a Family,
    is_whole: bool,
}

impl Source for Leaving<'_> {
    fn descriptor(&self) -> &Descriptor {
        self.family.descriptor()
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut failed = Ok(());
        // The loop over a family is compiled once for all that use this.
        let visit: &mut dyn FnMut(Series<'_>) -> Result<(), ()> = &mut |series| {
            if !self.is_whole && series.id.is_some_and(|id| self.family.is_shared(id)) {
                return Ok(());
            }
            visit(series).map_err(|error| failed = Err(error))
        };
        let _ = self.family.for_each(visit);
        failed
    }
}

/// Adds the calls over a family's limits to the count of its name.
pub(crate) fn add_overflow(overflow: &mut HashMap<String, f64, foldhash::fast::FixedState>, family: &Family) {
    let calls = family.overflow_calls();
    if calls > 0.0 {
        *overflow.entry(family.descriptor().name().to_owned()).or_insert(0.0) += calls;
    }
}
