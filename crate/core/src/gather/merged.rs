//! Adds up the series of one family over several contributors.

use crate::labels::{canonical_key, labels_with};
use crate::model::{Aggregator, Descriptor, Digest, Exemplar, NativeHistogram, Series, Source};
use crate::registry::{DoubleDouble, Family, LiveFamily, RemoteFamily, RetiredFamily};
use crate::sync::Arc;
use hashbrown::HashMap;
use std::convert::Infallible;

/// One contributor's family.
pub(super) enum Part {
    /// Of a live contributor, which began at this time of day, in nanoseconds.
    Live(LiveFamily, u64),
    Retired(Arc<RetiredFamily>),
    /// Of another process.
    Remote(Arc<RemoteFamily>),
}

impl Part {
    pub(super) fn descriptor(&self) -> &Descriptor {
        match self {
            Self::Live(family, _) => family.descriptor(),
            Self::Retired(family) => &family.descriptor,
            Self::Remote(family) => &family.descriptor,
        }
    }
}

/// One family whose series are added up over several contributors.
pub(crate) struct MergedFamily {
    pub(super) descriptor: Descriptor,
    series: Vec<MergedSeries>,
    index: HashMap<Vec<u8>, usize, foldhash::fast::FixedState>,
    /// By part, the ids of series that are expired in that part and are not shown.
    expired: Vec<(Arc<Family>, Vec<u32>)>,
    /// A rendered label that series of live parts get; empty without one.
    label: Vec<u8>,
}

struct MergedSeries {
    labels: Vec<u8>,
    cells: Vec<DoubleDouble>,
    contributors: u32,
    /// When the newest of them began.
    newest: u64,
    /// By cell, the newest exemplar; empty without exemplars.
    exemplars: Vec<Option<Exemplar>>,
    /// The observations of a summary.
    digest: Option<Digest>,
    /// The buckets of a native histogram.
    native: Option<NativeHistogram>,
    /// The earliest start.
    start_ms: Option<u64>,
    /// True while the series is live in at least one contributor. Until it has expired in all of them, all are summed,
    /// because Prometheus reads a falling total as a reset.
    alive: bool,
    /// Where it has expired: part and id.
    expired: Vec<(usize, u32)>,
}

impl MergedSeries {
    fn merge_digest(&mut self, other: &Digest) {
        self.digest.get_or_insert_default().merge(other);
    }

    fn merge_native(&mut self, other: &NativeHistogram, max_buckets: u32) {
        match &mut self.native {
            Some(own) => own.merge(other, max_buckets),
            None => self.native = Some(other.clone()),
        }
    }
}

impl MergedFamily {
    pub(super) fn new(descriptor: Descriptor, label: &[u8]) -> Self {
        let (series, index, expired) = (Vec::new(), HashMap::default(), Vec::new());
        Self { descriptor, series, index, expired, label: label.to_vec() }
    }

    pub(super) fn add(&mut self, part: &Part) {
        match part {
            Part::Live(live, began) if self.descriptor.kind().is_state() => {
                self.expired.push((Arc::clone(&live.family), live.expired.iter().copied().collect()));
                let Ok(()) = live.for_each(|series| {
                    self.add_live(series, *began);
                    Ok::<(), Infallible>(())
                });
            }
            Part::Live(live, began) => {
                let part = self.expired.len();
                self.expired.push((Arc::clone(&live.family), Vec::new()));
                let Ok(()) = live.family.for_each(|series| {
                    match series.id.filter(|id| live.expired.contains(id)) {
                        None => self.add_live(series, *began).alive = true,
                        Some(id) => self.add_live(series, *began).expired.push((part, id)),
                    }
                    Ok::<(), Infallible>(())
                });
            }
            // Its series have the label of their own process.
            Part::Remote(family) => {
                let is_state = self.descriptor.kind().is_state();
                let max_buckets = self.descriptor.max_native_buckets();
                let Ok(()) = family.for_each(|series| {
                    let is_expired = series.id.is_some_and(|id| family.expired.contains(&id));
                    if is_expired && is_state {
                        return Ok(());
                    }
                    let cells = series.values.iter().map(|value| DoubleDouble::default().add(*value));
                    let start = (series.start_ms, family.began);
                    let merged = self.add_series(series.labels, cells, &[], start);
                    merged.alive |= !is_expired;
                    series.native.iter().for_each(|native| merged.merge_native(native, max_buckets));
                    Ok::<(), Infallible>(())
                });
            }
            Part::Retired(family) => {
                let alive = !family.is_expired();
                let max_buckets = self.descriptor.max_native_buckets();
                for series in &family.series {
                    let cells = series.cells.iter().copied();
                    let merged = self.add_series(&series.labels, cells, &[], (series.start_ms, 0));
                    merged.alive |= alive;
                    family.digests(series).for_each(|digest| merged.merge_digest(digest));
                    series.native.iter().for_each(|native| merged.merge_native(native, max_buckets));
                }
            }
        }
    }

    fn add_live(&mut self, series: Series<'_>, began: u64) -> &mut MergedSeries {
        let max_buckets = self.descriptor.max_native_buckets();
        let cells = series.values.iter().map(|value| DoubleDouble::default().add(*value));
        let labels = labels_with(series.labels, &self.label);
        let merged = self.add_series(&labels, cells, series.exemplars, (series.start_ms, began));
        series.digest.into_iter().for_each(|digest| merged.merge_digest(digest));
        series.native.into_iter().for_each(|native| merged.merge_native(native, max_buckets));
        merged
    }

    /// `began` is when the contributor began, in nanoseconds.
    fn add_series(
        &mut self,
        labels: &[u8],
        cells: impl Iterator<Item = DoubleDouble>,
        exemplars: &[Option<&Exemplar>],
        (start_ms, began): (Option<u64>, u64),
    ) -> &mut MergedSeries {
        let mut key = Vec::with_capacity(labels.len() + 2);
        canonical_key(labels, &mut key);
        if let Some(at) = self.index.get(&key) {
            let is_state = self.descriptor.kind().is_state();
            let aggregator = if is_state { self.descriptor.aggregator() } else { Aggregator::Sum };
            let known = &mut self.series[*at];
            known.contributors += 1;
            known.start_ms = known.start_ms.into_iter().chain(start_ms).min();
            let is_newer = began > known.newest;
            known.newest = began.max(known.newest);
            keep_newest(&mut known.exemplars, exemplars);
            for (sum, value) in known.cells.iter_mut().zip(cells) {
                *sum = combine(aggregator, *sum, value, is_newer);
            }
            return known;
        }
        let at = self.series.len();
        self.index.insert(key, at);
        let exemplars = exemplars.iter().map(|exemplar| exemplar.cloned()).collect();
        let alive = self.descriptor.kind().is_state();
        let (labels, cells) = (labels.to_vec(), cells.collect());
        self.series.push(MergedSeries {
            labels,
            cells,
            contributors: 1,
            newest: began,
            exemplars,
            digest: None,
            native: None,
            start_ms,
            alive,
            expired: Vec::new(),
        });
        &mut self.series[at]
    }

    pub(super) fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Has the series removed that have expired in all contributors.
    pub(super) fn remove_expired(&self) {
        for (family, ids) in self.expired.iter().filter(|(_, ids)| !ids.is_empty()) {
            family.remove_expired(ids.iter().copied());
        }
    }

    /// Drops the series that have expired in all contributors.
    pub(super) fn drop_expired(&mut self) {
        // The indices of the remaining series change.
        self.index.clear();
        let expired = &mut self.expired;
        self.series.retain(|series| {
            if !series.alive {
                series.expired.iter().for_each(|(part, id)| expired[*part].1.push(*id));
            }
            series.alive
        });
    }
}

/// Keeps the newest exemplar of each cell, because a cell can show only one.
fn keep_newest(known: &mut Vec<Option<Exemplar>>, others: &[Option<&Exemplar>]) {
    known.resize(known.len().max(others.len()), None);
    for (known, other) in known.iter_mut().zip(others) {
        let older = known.as_ref().map_or(f64::NEG_INFINITY, Exemplar::timestamp);
        if let Some(other) = other.filter(|other| other.timestamp() > older) {
            *known = Some(other.clone());
        }
    }
}

fn combine(aggregator: Aggregator, sum: DoubleDouble, value: DoubleDouble, is_newer: bool) -> DoubleDouble {
    let pick = |take: bool| if take { value } else { sum };
    match aggregator {
        Aggregator::Sum | Aggregator::Average => sum.plus(value),
        Aggregator::First | Aggregator::Omit => sum,
        Aggregator::Min => pick(value.value() < sum.value()),
        Aggregator::Latest => pick(is_newer),
        Aggregator::Max => pick(value.value() > sum.value()),
    }
}

impl Source for MergedFamily {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let mean = self.descriptor.kind().is_state() && self.descriptor.aggregator() == Aggregator::Average;
        let mut values = Vec::new();
        for series in &self.series {
            let divisor = if mean { f64::from(series.contributors) } else { 1.0 };
            values.clear();
            values.extend(series.cells.iter().map(|cell| cell.value() / divisor));
            let exemplars: Vec<Option<&Exemplar>> = series.exemplars.iter().map(Option::as_ref).collect();
            visit(Series {
                id: None,
                labels: &series.labels,
                values: &values,
                exemplars: &exemplars,
                digest: series.digest.as_ref(),
                native: series.native.as_ref(),
                start_ms: series.start_ms,
            })?;
        }
        Ok(())
    }
}
