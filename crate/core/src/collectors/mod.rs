//! The collectors of this library. Those of the process and of the runtime read their values during a scrape. Those of LLM
//! requests and agents record as events happen, in the metrics of a catalogue. They must not know formats or endpoints.

mod agent;
#[doc(hidden)]
pub mod catalogue;
mod children;
mod error_type;
mod families;
mod llm;
mod process;
mod runtime;
mod snapshot;
mod words;

pub use agent::{AgentExecution, AgentMetricsCollector, AgentOptions, ExecutionReport};
pub use families::{DEFAULT_NAMESPACE, MAX_NAME_LENGTH};
pub use llm::{
    LlmCall, LlmEnd, LlmMedia, LlmMetricsCollector, LlmObjectives, LlmOptions, LlmRequest, LlmTarget,
    LlmUsage, NormalizeModel, Price, PriceTable, Spent, TierPrice, TokenPrices, normalize_model,
};
pub use process::{ProcessCollector, ProcessFigure};
pub use runtime::RuntimeCollector;
pub use words::{
    AgentErrorType, CacheResult, ExecutionStatus, FinishReason, GuardrailResult, GuardrailStage,
    Interruption, LlmErrorType, LlmOperation, LlmStatus, MediaUnit, MemoryOperation, Outcome,
    RateLimitResource, StepType, ToolStatus,
};
// The addon makes the types of JavaScript from them. They can change in any version.
#[doc(hidden)]
pub use words::{WORD_LISTS, WordList};

use crate::error::Result;
use crate::labels::{LabelSet, MetricName};
use crate::registry::{Kind, Sample, SampleFamily};
use std::time::Duration;

/// The prefix of a collector's names and the labels of all its samples, both checked when they are set.
#[derive(Debug, Clone, Default)]
struct Naming {
    prefix: String,
    labels: Vec<(String, String)>,
}

impl Naming {
    /// # Errors
    /// `InvalidMetricName` if names with this prefix are invalid.
    fn set_prefix(&mut self, prefix: &str) -> Result<()> {
        MetricName::new(&format!("{prefix}name"))?;
        prefix.clone_into(&mut self.prefix);
        Ok(())
    }

    /// # Errors
    /// `InvalidLabelName` for an invalid or repeated label.
    fn set_labels(&mut self, labels: &[(&str, &str)]) -> Result<()> {
        LabelSet::new(labels.iter().copied())?;
        self.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(())
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A family with one sample. Its own labels come first, then the common ones.
    fn family(
        &self,
        name: &str,
        help: &str,
        kind: Kind,
        own: &[(&str, &str)],
        value: f64,
    ) -> Result<SampleFamily> {
        let name = self.name(name);
        let common = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let labels: Vec<(&str, &str)> = own.iter().copied().chain(common).collect();
        SampleFamily::new(&name, help, kind, vec![Sample::new(&name, &labels, value)?])
    }
}

/// Seconds, rounded once, so that 1234 ms are exactly the double `1.234`.
fn seconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e9
}

/// Runs the examples of the page as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/metrics.md")]
struct Page;
