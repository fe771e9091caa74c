//! The words that labels of LLM and agent metrics may have, each defined once. The catalogue's lists and TypeScript's
//! unions are made from these definitions. It must not know metrics.

mod agent;
mod define;
mod llm;

pub use agent::{AgentErrorType, ExecutionStatus, MemoryOperation, StepType, ToolStatus};
pub(super) use define::Word;
pub use define::WordList;
pub use llm::{
    CacheResult, FinishReason, GuardrailResult, GuardrailStage, Interruption, LlmErrorType, LlmOperation,
    LlmStatus, MediaUnit, Outcome, RateLimitResource,
};
pub(super) use llm::{ObjectiveResult, TokenDetail, TokenType};

/// Every list of words that callers use, an extended list after the one that it extends.
pub static WORD_LISTS: &[WordList] = &[
    LlmOperation::LIST,
    LlmStatus::LIST,
    LlmErrorType::LIST,
    AgentErrorType::LIST,
    FinishReason::LIST,
    RateLimitResource::LIST,
    Interruption::LIST,
    MediaUnit::LIST,
    CacheResult::LIST,
    GuardrailStage::LIST,
    GuardrailResult::LIST,
    ExecutionStatus::LIST,
    StepType::LIST,
    ToolStatus::LIST,
    Outcome::LIST,
    MemoryOperation::LIST,
];
