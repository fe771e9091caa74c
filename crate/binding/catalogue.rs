//! Passes the catalogue of LLM and agent metrics to JavaScript's collectors, and the words of their labels to the build,
//! which makes TypeScript's unions from them.

use napi_derive::napi;
use prometheus_metrics::collectors::catalogue::{AGENT_METRICS, LLM_METRICS, LabelValues, MetricSpec};
use prometheus_metrics::collectors::{
    DEFAULT_NAMESPACE as NAMESPACE, LlmOperation, MAX_NAME_LENGTH as NAME_LENGTH, WORD_LISTS, WordList,
};
use prometheus_metrics::registry::OVERFLOW_VALUE as OVERFLOW;

/// The label value of a label set over a limit, and of an unknown word.
#[napi]
pub const OVERFLOW_VALUE: &str = OVERFLOW;

/// UTF-16 units that a name may have; a longer one is shown as `OVERFLOW_VALUE`.
#[napi]
pub const MAX_NAME_LENGTH: u32 = NAME_LENGTH as u32;

/// Stands before the names of metrics, unless the caller sets another namespace.
#[napi]
pub const DEFAULT_NAMESPACE: &str = NAMESPACE;

/// The operations for which providers report no tokens.
#[napi(catch_unwind)]
pub fn operations_without_tokens() -> Vec<&'static str> {
    let without = LlmOperation::ALL.iter().filter(|operation| !operation.has_tokens());
    without.map(|operation| operation.as_str()).collect()
}

/// The words of one label, with the type that they have in both languages.
#[napi(object, object_from_js = false)]
pub struct LabelWords {
    /// The name of the type.
    pub name: &'static str,
    /// What the words say.
    pub sentence: &'static str,
    /// The type whose words come first in this list.
    pub base: Option<&'static str>,
    /// All words.
    pub words: Vec<&'static str>,
}

/// The words of all labels.
#[napi(catch_unwind)]
pub fn label_words() -> Vec<LabelWords> {
    let list = |list: &WordList| LabelWords {
        name: list.name,
        sentence: list.sentence.trim_start(),
        base: list.base,
        words: list.words.to_vec(),
    };
    WORD_LISTS.iter().map(list).collect()
}

/// One metric of the catalogue.
#[napi(object, object_from_js = false)]
pub struct CatalogueEntry {
    /// Without the namespace.
    pub name: &'static str,
    /// The type.
    #[napi(ts_type = "'counter' | 'gauge' | 'histogram'")]
    pub kind: &'static str,
    /// In the order in which they are printed.
    pub labels: Vec<CatalogueLabel>,
    /// Upper bounds of a histogram.
    pub buckets: Vec<f64>,
    /// The unit; empty for a plain count.
    pub unit: &'static str,
    /// Whether the metric is made only on request.
    pub opt_in: bool,
    /// How long a series stays after its last change, in seconds; undefined for the registry's setting.
    pub ttl_seconds: Option<f64>,
    /// One line.
    pub help: &'static str,
}

/// A label of the catalogue.
#[napi(object, object_from_js = false)]
pub struct CatalogueLabel {
    /// Its name.
    pub name: &'static str,
    /// The values it may have; empty if it may have any.
    pub words: Vec<&'static str>,
    /// How many different values it may have, if it may have any.
    pub max: Option<u32>,
}

/// The metrics of LLM requests, or of agents.
#[napi(catch_unwind)]
pub fn catalogue(agents: bool) -> Vec<CatalogueEntry> {
    let specs = if agents { AGENT_METRICS } else { LLM_METRICS };
    specs.iter().map(entry).collect()
}

fn entry(spec: &MetricSpec) -> CatalogueEntry {
    let labels = spec.labels.iter().map(|label| match label.values {
        LabelValues::Enum(words) => CatalogueLabel { name: label.name, words: words.to_vec(), max: None },
        LabelValues::Capped(max) => {
            CatalogueLabel { name: label.name, words: Vec::new(), max: u32::try_from(max).ok() }
        }
    });
    CatalogueEntry {
        name: spec.name,
        kind: spec.kind.as_str(),
        labels: labels.collect(),
        buckets: spec.buckets.to_vec(),
        unit: spec.unit,
        opt_in: spec.opt_in,
        ttl_seconds: spec.ttl.map(|ttl| ttl.as_secs_f64()),
        help: spec.help,
    }
}
