//! The catalogue of LLM and agent metrics, for JavaScript's collectors to make theirs from.

use napi_derive::napi;
use prometheus_metrics::collectors::catalogue::{AGENT_METRICS, LLM_METRICS, LabelValues, MetricSpec};
use prometheus_metrics::collectors::gen_ai::{GEN_AI_AGENT_METRICS, GEN_AI_LLM_METRICS, GEN_AI_VERSION};

/// One metric of the catalogue.
#[napi(object, object_from_js = false)]
pub struct CatalogueEntry {
    /// Without the namespace.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    #[napi(ts_type = "'counter' | 'gauge' | 'histogram'")]
    pub kind: &'static str,
    /// In the order in which they print.
    pub labels: Vec<CatalogueLabel>,
    /// Upper bounds of a histogram.
    pub buckets: Vec<f64>,
    /// The unit, or nothing for what is merely counted.
    pub unit: &'static str,
    /// Whether it is made only when it is asked for.
    pub opt_in: bool,
    /// One line.
    pub help: &'static str,
}

/// A label of the catalogue.
#[napi(object, object_from_js = false)]
pub struct CatalogueLabel {
    /// Its name.
    pub name: &'static str,
    /// The words it may be; none for any.
    pub words: Vec<&'static str>,
    /// How many different values there may be, where it may be any.
    pub max: Option<u32>,
}

/// The metrics of LLM requests, or of agents.
#[napi(catch_unwind)]
pub fn catalogue(agents: bool) -> Vec<CatalogueEntry> {
    let specs = if agents { AGENT_METRICS } else { LLM_METRICS };
    specs.iter().map(entry).collect()
}

/// OpenTelemetry's names for those of LLM requests, or of agents; they take no namespace.
#[napi(catch_unwind)]
pub fn gen_ai_catalogue(agents: bool) -> Vec<CatalogueEntry> {
    let specs = if agents { GEN_AI_AGENT_METRICS } else { GEN_AI_LLM_METRICS };
    specs.iter().map(entry).collect()
}

/// The version of those names.
#[napi(catch_unwind)]
pub fn gen_ai_version() -> &'static str {
    GEN_AI_VERSION
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
        help: spec.help,
    }
}
