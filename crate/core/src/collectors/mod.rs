//! Collectors that come with the library. Figures of the process and of the runtime are read when a scrape asks; requests
//! to models and executions of agents are recorded as they happen, in metrics that a catalogue describes. None knows
//! formats or endpoints.

mod agent;
pub mod catalogue;
mod children;
mod error_type;
mod families;
pub mod gen_ai;
mod llm;
mod process;
mod runtime;
mod snapshot;
mod words;

pub use agent::{AgentExecution, AgentMetricsCollector, AgentOptions, ExecutionReport};
pub use families::{DEFAULT_NAMESPACE, MAX_NAME_LENGTH};
pub use llm::{
    LlmCall, LlmEnd, LlmMetricsCollector, LlmOptions, LlmRequest, LlmTarget, LlmUsage, NormalizeModel, Price,
    PriceTable, Spent, normalize_model,
};
pub use process::{ProcessCollector, ProcessFigure};
pub use runtime::RuntimeCollector;
pub use words::{
    AgentErrorType, CacheResult, ExecutionStatus, FinishReason, GuardrailResult, GuardrailStage,
    Interruption, LlmErrorType, LlmOperation, LlmStatus, MediaUnit, MemoryOperation, Outcome,
    RateLimitResource, StepType, ToolStatus, WORD_LISTS, WordList,
};

use crate::error::Result;
use crate::labels::{LabelSet, MetricName};
use crate::registry::{Kind, Sample, SampleFamily};
use std::time::Duration;

/// What a collector puts before its names and on all its samples; checked when it is set.
#[derive(Debug, Clone, Default)]
struct Naming {
    prefix: String,
    labels: Vec<(String, String)>,
}

impl Naming {
    /// # Errors
    /// `InvalidMetricName` if names that begin so are none.
    fn set_prefix(&mut self, prefix: &str) -> Result<()> {
        MetricName::new(&format!("{prefix}name"))?;
        prefix.clone_into(&mut self.prefix);
        Ok(())
    }

    /// # Errors
    /// `InvalidLabelName` for a bad or repeated label.
    fn set_labels(&mut self, labels: &[(&str, &str)]) -> Result<()> {
        LabelSet::new(labels.iter().copied())?;
        self.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(())
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A family of one sample, which has the labels of its own first.
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

/// Seconds, rounded once: what 1234 ms are is what `1.234` is.
fn seconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e9
}

/// The page's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/metrics.md")]
struct Page;
