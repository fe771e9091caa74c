//! Keeps handles to series that a collector writes often. A series is looked up at its first write, which makes it appear
//! in scrapes, and again after it was removed. Recording never fails: if a limit refuses the series, the family counts the
//! call and the value is dropped.

use super::words::Word;
use crate::metrics::{Counter, Gauge, Histogram, MetricVec, OfSeries};
use crate::sync::SliceArc;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// The label values that all series of one model or agent share.
pub(super) type Shared = SliceArc<[SliceArc<str>]>;

/// One series.
pub(super) struct Kept<M> {
    metrics: MetricVec<M>,
    labels: Shared,
    series: OnceLock<M>,
}

/// Series that differ only in their last label, which has one of a few words.
pub(super) struct ByWord<M, W> {
    metrics: MetricVec<M>,
    labels: Shared,
    series: Box<[OnceLock<M>]>,
    word: PhantomData<fn(W)>,
}

impl<M: OfSeries + Clone> Kept<M> {
    pub(super) fn new(metrics: MetricVec<M>, labels: &Shared) -> Self {
        Self { metrics, labels: SliceArc::clone(labels), series: OnceLock::new() }
    }

    fn write(&self, write: impl FnOnce(&M)) {
        write_to(&self.series, || self.find(), write);
    }

    #[cold]
    fn find(&self) -> Option<M> {
        find(&self.metrics, &self.labels, None)
    }

    /// Makes the series appear with 0.
    pub(super) fn init(&self) {
        self.write(|_| ());
    }

    /// Whether the series was removed after its last write.
    pub(super) fn is_removed(&self) -> bool {
        self.series.get().is_some_and(M::is_removed)
    }

    /// The series itself, for a caller that adds now and subtracts later: both must reach the same cell, even if the series
    /// is removed in between.
    pub(super) fn get(&self) -> Option<M> {
        let mut got = None;
        self.write(|series| got = Some(series.clone()));
        got
    }
}

impl<M: OfSeries, W: Word> ByWord<M, W> {
    pub(super) fn new(metrics: MetricVec<M>, labels: &Shared) -> Self {
        let series = std::iter::repeat_with(OnceLock::new).take(W::COUNT).collect();
        Self { metrics, labels: SliceArc::clone(labels), series, word: PhantomData }
    }

    fn write(&self, word: W, write: impl FnOnce(&M)) {
        write_to(&self.series[word.index()], || self.find(word), write);
    }

    #[cold]
    fn find(&self, word: W) -> Option<M> {
        find(&self.metrics, &self.labels, Some(word.word()))
    }

    /// Makes all series appear with 0. A rate counts the first event only if there was a value before it.
    pub(super) fn init(&self) {
        W::all().for_each(|word| self.write(word, |_| ()));
    }
}

fn write_to<M: OfSeries>(kept: &OnceLock<M>, find: impl FnOnce() -> Option<M>, write: impl FnOnce(&M)) {
    if let Some(series) = kept.get()
        && !series.is_removed()
    {
        return write(series);
    }
    if let Some(series) = find() {
        write(&series);
        // Fails if a removed series is still in the cell. The owner of this value replaces it as a whole soon after.
        let _ = kept.set(series);
    }
}

fn find<M: OfSeries>(metrics: &MetricVec<M>, labels: &Shared, word: Option<&str>) -> Option<M> {
    let values: Vec<&str> = labels.iter().map(|value| &**value).chain(word).collect();
    metrics.with(&values).ok()
}

/// Whether the value is an amount: a number that can be added up.
pub(super) fn is_amount(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

impl Kept<Counter> {
    pub(super) fn inc(&self) {
        self.write(Counter::inc);
    }

    /// Ignores a value that is not an amount.
    pub(super) fn add(&self, value: f64) {
        if is_amount(value) {
            self.write(|counter| drop(counter.add(value)));
        }
    }
}

impl<W: Word> ByWord<Counter, W> {
    pub(super) fn inc(&self, word: W) {
        self.write(word, Counter::inc);
    }

    /// Ignores a value that is not an amount.
    pub(super) fn add(&self, word: W, value: f64) {
        if is_amount(value) {
            self.write(word, |counter| drop(counter.add(value)));
        }
    }
}

impl Kept<Gauge> {
    pub(super) fn inc(&self) {
        self.write(Gauge::inc);
    }

    pub(super) fn dec(&self) {
        self.write(Gauge::dec);
    }

    pub(super) fn set(&self, value: f64) {
        self.write(|gauge| gauge.set(value));
    }
}

impl Kept<Histogram> {
    /// The value must be finite.
    pub(super) fn observe(&self, value: f64) {
        self.write(|histogram| drop(histogram.observe(value)));
    }
}

impl<W: Word> ByWord<Histogram, W> {
    /// The value must be finite.
    pub(super) fn observe(&self, word: W, value: f64) {
        self.write(word, |histogram| drop(histogram.observe(value)));
    }
}
