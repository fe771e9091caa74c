//! A family as its owner uses it: adds and removes series. Values never pass through here.

use crate::cardinality::{LimitsInForce, OverflowWarning, refusal};
use crate::direct::Number;
use crate::error::{Result, refused};
use crate::sanitizer::CleanedValues;
use crate::scratch::Scratch;
use crate::values::Values;
use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use prometheus_metrics::LabelSet;
use prometheus_metrics::gather::Gathered;
use prometheus_metrics::labels::MetricName;
use prometheus_metrics::registry::{Exemplar, Family};
use std::sync::Arc;

/// A family of this realm's contributor.
#[napi]
pub struct NativeFamily {
    pub(crate) family: Arc<Family>,
    number: Number,
}

impl NativeFamily {
    pub(crate) fn new(family: Family, scratch: Scratch) -> Self {
        let family = Arc::new(family);
        let number = Number::of(&family, scratch);
        Self { family, number }
    }
}

#[napi]
impl NativeFamily {
    /// Adds a series and returns two numbers: its id and its slot. `names` are indices into the label names, in the order in
    /// which the labels are to be printed.
    ///
    /// Over a limit it adds nothing and returns four numbers or more: which limit (0 of the metric, 1 of the registry, 2 of
    /// a label), how much it allows, the label, and what is to be done (0 the call fails, 1 the call is dropped, 2 it is
    /// counted in the series where the labels with the indices that follow are `other`; if none follow, or if that series
    /// is over a limit too, in the one that `addSeriesBeyond` adds).
    #[napi(catch_unwind)]
    pub fn add_series(&self, names: Vec<u32>, values: Vec<String>) -> Vec<u32> {
        let labels: Vec<(usize, &str)> =
            names.iter().zip(&values).map(|(name, value)| (*name as usize, value.as_str())).collect();
        match self.family.add_series(&labels) {
            Ok(series) => vec![series.id, series.slot],
            Err(limit) => refusal(limit, self.family.fallback(&labels)),
        }
    }

    /// The number by which functions of the addon name this family.
    #[napi(catch_unwind)]
    pub fn number(&self) -> u32 {
        self.number.get()
    }

    /// Adds the series that takes label sets over a limit; returns its id and its slot.
    #[napi(catch_unwind)]
    pub fn add_series_beyond(&self) -> Vec<u32> {
        let series = self.family.add_series_beyond();
        vec![series.id, series.slot]
    }

    /// Cleans the values of a new series, given in the order of the label names; `null` if they stay unchanged and
    /// there is nothing to warn of.
    #[napi(catch_unwind)]
    pub fn clean(&self, env: Env, values: Vec<String>) -> Option<CleanedValues> {
        CleanedValues::of(env, &self.family, &values)
    }

    /// The ids of at most `max` expired series that have not been written since. The caller removes them before it
    /// writes anything.
    #[napi(catch_unwind)]
    pub fn take_expired(&self, max: u32) -> Vec<u32> {
        self.family.take_expired(max as usize)
    }

    /// The slot of the cell in which calls over the limits are counted.
    #[napi(catch_unwind)]
    pub fn overflow_slot(&self) -> u32 {
        self.family.overflow_slot()
    }

    /// Forgets what a summary's window has left behind in this step.
    #[napi(catch_unwind)]
    pub fn advance(&self, step: f64) {
        self.family.advance(step as u64);
    }

    /// The values at the quantiles of a summary's series.
    #[napi(catch_unwind)]
    pub fn quantiles(&self, id: u32) -> Vec<f64> {
        self.family.series_quantiles(id)
    }

    /// A native histogram's series: schema, threshold and count of the zero bucket, then lower bound, upper bound and count of
    /// each other bucket that has observations, ascending. Empty if it does not exist.
    #[napi(catch_unwind)]
    pub fn native_buckets(&self, id: u32) -> Vec<f64> {
        self.family.native_buckets(id)
    }

    /// The ids of the series of a summary that are to be removed, because their observations are all forgotten.
    #[napi(catch_unwind)]
    pub fn forgotten(&self) -> Vec<u32> {
        self.family.forgotten()
    }

    /// Keeps a copy of the observations of a summary's series, for `giveObservations`. Only tests need it.
    #[napi(catch_unwind)]
    pub fn keep_observations(&self, id: u32) {
        self.family.keep_observations(id);
    }

    /// Gives the observations that were kept of one series to another.
    #[napi(catch_unwind)]
    pub fn give_observations(&self, from: u32, to: u32) {
        self.family.give_observations(from, to);
    }

    /// The limits in force, and what becomes of label sets over them.
    #[napi(catch_unwind)]
    pub fn limits(&self) -> LimitsInForce {
        LimitsInForce::of(&self.family)
    }

    /// The text of the warning of label sets over the limits. A thread of the pool makes it, because it reads every
    /// series. `samples` are values in the order of the label names.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn overflow_warning(&self, samples: Vec<Vec<String>>) -> AsyncTask<OverflowWarning> {
        AsyncTask::new(OverflowWarning { family: Arc::clone(&self.family), samples })
    }

    /// Removes a series; returns whether it existed.
    #[napi(catch_unwind)]
    pub fn remove_series(&self, id: u32) -> bool {
        self.family.remove_series(id)
    }

    /// Sets a series' cells to 0. Its id and its cells stay.
    #[napi(catch_unwind)]
    pub fn zero_series(&self, id: u32) {
        self.family.zero_series(id);
    }

    /// The labels of a series as JSON, in the order in which they print.
    #[napi(catch_unwind)]
    pub fn series_labels(&self, id: u32) -> Option<String> {
        self.family.series_labels(id)
    }

    /// Removes all series.
    #[napi(catch_unwind)]
    pub fn clear(&self) {
        self.family.clear();
    }

    /// The series as JSON, and their values.
    #[napi(catch_unwind)]
    pub fn read(&self) -> Values {
        Values::of(&Gathered::of_family(Arc::clone(&self.family)))
    }

    /// Attaches an exemplar to a cell of a series. `labels` are names and values, alternating.
    #[napi(catch_unwind)]
    pub fn set_exemplar(
        &self,
        id: u32,
        cell: u32,
        labels: Vec<String>,
        value: f64,
        timestamp: f64,
    ) -> Result<()> {
        let exemplar = exemplar(&labels, value, timestamp)?;
        self.family.set_exemplar(id, cell as usize, exemplar);
        Ok(())
    }
}

fn exemplar(labels: &[String], value: f64, timestamp: f64) -> Result<Exemplar> {
    let pairs = labels.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str()));
    let labels = LabelSet::new(pairs).map_err(refused)?;
    Exemplar::new(&labels, value, timestamp).map_err(refused)
}

/// Throws for labels that an exemplar cannot have, before anything is recorded with them.
#[napi(catch_unwind)]
pub fn check_exemplar(labels: Vec<String>) -> Result<()> {
    exemplar(&labels, 0.0, 0.0).map(drop)
}

/// True for a valid metric name.
#[napi(catch_unwind)]
pub fn is_metric_name(name: String) -> bool {
    MetricName::new(&name).is_ok()
}
