//! Series that a collector writes again and again. Each is looked up when it is first written, which is when it begins
//! to be shown, and is looked up anew if it was removed since. What a limit refuses is recorded nowhere: the family
//! counts it, and recording fails nobody.

use super::words::Word;
use crate::metrics::{Counter, Gauge, Histogram, MetricVec, OfSeries};
use crate::sync::SliceArc;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// The values of the labels that the series of one model or agent have in common.
pub(super) type Shared = SliceArc<[SliceArc<str>]>;

/// One series.
pub(super) struct Kept<M> {
    metrics: MetricVec<M>,
    labels: Shared,
    series: OnceLock<M>,
}

/// Series that differ in their last label, which is one of a few words.
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

    /// Makes it exist at 0.
    pub(super) fn init(&self) {
        self.write(|_| ());
    }

    /// Whether it was removed since it was last written.
    pub(super) fn is_removed(&self) -> bool {
        self.series.get().is_some_and(M::is_removed)
    }

    /// The series itself, for whoever has to give back to it what was taken, even if it is removed meanwhile.
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

    /// Makes all of them exist at 0: a rate is right from its first event on only if there was a value before.
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
        // One that was removed keeps the place: whoever owns this makes a new one before long.
        let _ = kept.set(series);
    }
}

fn find<M: OfSeries>(metrics: &MetricVec<M>, labels: &Shared, word: Option<&str>) -> Option<M> {
    let values: Vec<&str> = labels.iter().map(|value| &**value).chain(word).collect();
    metrics.with(&values).ok()
}

/// Whether it is an amount at all: a number that can be added up.
pub(super) fn is_amount(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

impl Kept<Counter> {
    pub(super) fn inc(&self) {
        self.write(Counter::inc);
    }

    /// What is no amount is not counted.
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

    /// What is no amount is not counted.
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
    /// A number that is finite.
    pub(super) fn observe(&self, value: f64) {
        self.write(|histogram| drop(histogram.observe(value)));
    }
}

impl<W: Word> ByWord<Histogram, W> {
    /// A number that is finite.
    pub(super) fn observe(&self, word: W, value: f64) {
        self.write(word, |histogram| drop(histogram.observe(value)));
    }
}
