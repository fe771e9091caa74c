//! Label names and label sets: validation, rendering, comparison; and the sanitizer of label values. Must not know
//! registries.

pub(crate) mod escape;
mod escaping;
mod label_set;
mod sanitization;
mod validation;

pub use escaping::Escaping;
pub(crate) use escaping::{forms, is_name};
pub use label_set::LabelSet;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use label_set::is_rendered;
pub(crate) use label_set::{Pair, canonical_key, labels_with, pairs, render};
pub use sanitization::{
    Action, Compose, ControlPolicy, Detections, Finding, FindingKind, Findings, Sanitized, Sanitizer,
    SanitizerConfig, UnicodePolicy, redact_for_log,
};
pub(crate) use validation::check_different;
pub use validation::{LabelName, MetricName, Names, Strictness};
