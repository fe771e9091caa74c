//! The words of agents' metrics.

use super::define::{Word, WordList, extended_words, joined, public_words, readable, words};
use super::llm::LlmErrorType;

extended_words! {
    /// Why an agent or one of its tools failed.
    AgentErrorType {
        /// A request to a model failed.
        Llm(LlmErrorType),
        /// A tool failed.
        ToolError = "tool_error",
        /// The agent reached its limit of steps.
        MaxSteps = "max_steps",
        /// A guardrail stopped the agent.
        Guardrail = "guardrail",
        /// The model asked for a tool that does not exist.
        UnknownTool = "unknown_tool",
    }
}

public_words! {
    /// How an execution of an agent ends.
    ExecutionStatus {
        /// The agent did its work.
        Success = "success",
        /// The agent failed.
        Failed = "failed",
        /// The execution took too long.
        Timeout = "timeout",
        /// The caller cancelled the execution.
        Cancelled = "cancelled",
        /// The agent reached its limit of steps.
        MaxSteps = "max_steps",
        /// A guardrail stopped the agent.
        Guardrail = "guardrail",
    }
}

public_words! {
    /// The kind of an agent's step.
    StepType {
        /// A request to a model.
        Llm = "llm",
        /// A call of a tool.
        Tool = "tool",
        /// Planning.
        Plan = "plan",
        /// A search for documents.
        Retrieval = "retrieval",
        /// Work given to another agent.
        Handoff = "handoff",
        /// An operation on the agent's memory.
        Memory = "memory",
        /// A check of a guardrail.
        Guardrail = "guardrail",
        /// Another kind of step.
        Other = "other",
    }
}

public_words! {
    /// How a call of a tool ends.
    ToolStatus {
        /// The tool returned a result.
        Success = "success",
        /// The tool failed.
        Error = "error",
        /// The call took too long.
        Timeout = "timeout",
        /// The caller cancelled the call.
        Cancelled = "cancelled",
        /// The agent may not call this tool.
        Denied = "denied",
    }
}

public_words! {
    /// An operation on an agent's memory.
    MemoryOperation {
        /// An entry is read.
        Read = "read",
        /// An entry is written.
        Write = "write",
        /// Entries are searched.
        Search = "search",
        /// An entry is deleted.
        Delete = "delete",
    }
}
