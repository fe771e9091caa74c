//! Converts limits on series from JavaScript, and reports about series to JavaScript.

use napi::bindgen_prelude::Task;
use napi::{Env, Result};
use napi_derive::napi;
use prometheus_metrics::registry::{
    CardinalityConfig, CardinalityLimits, CardinalityReport, Fallback, Family, Limit, MetricCardinality,
    OverflowPolicy,
};
use std::sync::Arc;
use std::time::Duration;

/// Limits of a family, or of each family of a registry. Limits that are not set are the registry's, or the defaults.
#[napi(object)]
pub struct SeriesLimits {
    /// The largest number of series.
    pub max_series: Option<u32>,
    /// Labels with a limit on distinct values.
    pub label_names: Vec<String>,
    /// The limit of each of these labels.
    pub label_limits: Vec<u32>,
    /// `fold`, `drop` or `throw`: what becomes of label sets over a limit.
    pub policy: Option<String>,
}

impl SeriesLimits {
    pub(crate) fn into_limits(self) -> CardinalityLimits {
        let limits = self.label_limits.into_iter().map(|max| max as usize);
        CardinalityLimits::default()
            .max_series(self.max_series.map(|max| max as usize))
            .max_label_values(self.label_names.into_iter().zip(limits).collect())
            .policy(self.policy.as_deref().and_then(OverflowPolicy::from_name))
    }

    pub(crate) fn into_config(self, max_total: Option<u32>) -> CardinalityConfig {
        CardinalityConfig::default().family(self.into_limits()).max_total(max_total.map(|max| max as usize))
    }
}

/// The limits that are in force for a family.
#[napi(object, object_from_js = false)]
pub struct LimitsInForce {
    /// The largest number of series.
    pub max_series: f64,
    /// `fold`, `drop` or `throw`: what becomes of label sets over a limit.
    #[napi(ts_type = "'fold' | 'drop' | 'throw'")]
    pub policy: &'static str,
    /// Indices of the labels with a limit on distinct values.
    pub labels: Vec<u32>,
    /// The limit of each of these labels.
    pub label_limits: Vec<u32>,
}

impl LimitsInForce {
    pub(crate) fn of(family: &Family) -> Self {
        let limits = family.limits();
        let (labels, label_limits) =
            limits.max_label_values.iter().map(|(label, max)| (number(*label), number(*max))).unzip();
        Self { max_series: limits.max_series as f64, policy: limits.policy.as_str(), labels, label_limits }
    }
}

/// Converts seconds. JavaScript has validated the number; anything too large becomes `Duration::MAX`.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The answer for a label set over a limit, as numbers: which limit, how much it allows, the label, the fallback, and
/// then the labels that the fallback folds.
pub(crate) fn refusal(limit: Limit, fallback: Fallback) -> Vec<u32> {
    let [which, max, label] = match limit {
        Limit::Series(max) => [0, number(max), 0],
        Limit::Total(max) => [1, number(max), 0],
        Limit::LabelValues { label, max } => [2, number(max), number(label)],
    };
    let (fallback, folded) = match fallback {
        Fallback::Refused => (0, Vec::new()),
        Fallback::Dropped => (1, Vec::new()),
        Fallback::Folded(labels) => (2, labels),
    };
    [which, max, label, fallback].into_iter().chain(folded.into_iter().map(number)).collect()
}

/// Writes the warning of label sets over a family's limits.
pub struct OverflowWarning {
    pub(crate) family: Arc<Family>,
    pub(crate) samples: Vec<Vec<String>>,
}

impl Task for OverflowWarning {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        Ok(self.family.overflow_warning(&self.samples))
    }

    fn resolve(&mut self, _env: Env, text: String) -> Result<String> {
        Ok(text)
    }
}

/// The size of a registry: see `CardinalityReport`.
#[napi(object, object_from_js = false)]
pub struct Cardinality {
    /// Series of all families together.
    pub series: f64,
    /// The largest number of series.
    pub max_series: f64,
    /// Bytes that the core holds for them.
    pub bytes: f64,
    /// The families, in the order of their registration.
    pub metrics: Vec<FamilyCardinality>,
}

/// The series of one family.
#[napi(object, object_from_js = false)]
pub struct FamilyCardinality {
    /// The family's name.
    pub name: String,
    /// The family's type.
    #[napi(ts_type = "'counter' | 'gauge' | 'histogram'")]
    pub kind: &'static str,
    /// The number of its series.
    pub series: f64,
    /// The largest number of series.
    pub max_series: f64,
    /// What becomes of label sets over a limit.
    #[napi(ts_type = "'fold' | 'drop' | 'throw'")]
    pub policy: &'static str,
    /// Calls that had a label set over a limit.
    pub overflow: f64,
    /// Bytes that the core holds for them.
    pub bytes: f64,
    /// The label names.
    pub label_names: Vec<String>,
    /// The number of distinct values of each label.
    pub label_values: Vec<f64>,
    /// The limit of each label; 0 if it has none.
    pub label_limits: Vec<f64>,
}

impl Cardinality {
    pub(crate) fn of(report: CardinalityReport) -> Self {
        Self {
            series: report.series as f64,
            max_series: report.max_series as f64,
            bytes: report.bytes as f64,
            metrics: report.metrics.into_iter().map(FamilyCardinality::of).collect(),
        }
    }
}

impl FamilyCardinality {
    fn of(metric: MetricCardinality) -> Self {
        let MetricCardinality { name, kind, series, max_series, policy, overflow, bytes, labels, .. } =
            metric;
        Self {
            name,
            kind: kind.as_str(),
            series: series as f64,
            max_series: max_series as f64,
            policy: policy.as_str(),
            overflow,
            bytes: bytes as f64,
            label_values: labels.iter().map(|label| label.values as f64).collect(),
            label_limits: labels.iter().map(|label| label.max_values.unwrap_or(0) as f64).collect(),
            label_names: labels.into_iter().map(|label| label.name).collect(),
        }
    }
}
