//! The words of agents' metrics.

use super::{LlmErrorType, Word};
use std::fmt;

/// Why an agent or one of its tools failed: what a request to a model may fail of, and what only agents can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentErrorType {
    /// As a request to a model.
    Llm(LlmErrorType),
    /// A tool failed.
    ToolError,
    /// It took as many steps as it may.
    MaxSteps,
    /// A guardrail stopped it.
    Guardrail,
    /// The model asked for a tool that there is not.
    UnknownTool,
}

impl AgentErrorType {
    /// What only agents can fail of, in the order of the catalogue.
    pub const OWN: [Self; 4] = [Self::ToolError, Self::MaxSteps, Self::Guardrail, Self::UnknownTool];

    /// The word that labels show.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm(error) => error.as_str(),
            Self::ToolError => "tool_error",
            Self::MaxSteps => "max_steps",
            Self::Guardrail => "guardrail",
            Self::UnknownTool => "unknown_tool",
        }
    }

    /// The one that labels show as this word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        <Self as Word>::all().find(|word| word.as_str() == name)
    }
}

impl Word for AgentErrorType {
    const COUNT: usize = LlmErrorType::COUNT + Self::OWN.len();

    fn all() -> impl Iterator<Item = Self> {
        LlmErrorType::all().map(Self::Llm).chain(Self::OWN)
    }

    fn index(self) -> usize {
        let own = match self {
            Self::Llm(error) => return error.index(),
            Self::ToolError => 0,
            Self::MaxSteps => 1,
            Self::Guardrail => 2,
            Self::UnknownTool => 3,
        };
        LlmErrorType::COUNT + own
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl From<LlmErrorType> for AgentErrorType {
    fn from(error: LlmErrorType) -> Self {
        Self::Llm(error)
    }
}

impl fmt::Display for AgentErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

public_words! {
    /// How an execution of an agent ends.
    ExecutionStatus {
        /// It has done what it was asked to.
        Success = "success",
        /// It failed.
        Failed = "failed",
        /// It took too long.
        Timeout = "timeout",
        /// Who asked is gone.
        Cancelled = "cancelled",
        /// It took as many steps as it may.
        MaxSteps = "max_steps",
        /// A guardrail stopped it.
        Guardrail = "guardrail",
    }
}

public_words! {
    /// What a step of an agent is.
    StepType {
        /// A request to a model.
        Llm = "llm",
        /// A call of a tool.
        Tool = "tool",
        /// Planning.
        Plan = "plan",
        /// Looking something up.
        Retrieval = "retrieval",
        /// Giving work to another agent.
        Handoff = "handoff",
        /// Remembering.
        Memory = "memory",
        /// A check.
        Guardrail = "guardrail",
        /// Anything else.
        Other = "other",
    }
}

public_words! {
    /// How a call of a tool ends.
    ToolStatus {
        /// With a result.
        Success = "success",
        /// With an error.
        Error = "error",
        /// Too late.
        Timeout = "timeout",
        /// Who asked is gone.
        Cancelled = "cancelled",
        /// It may not be called.
        Denied = "denied",
    }
}

public_words! {
    /// What is done with an agent's memory.
    MemoryOperation {
        /// Something is read.
        Read = "read",
        /// Something is written.
        Write = "write",
        /// Something is looked for.
        Search = "search",
        /// Something is forgotten.
        Delete = "delete",
    }
}
