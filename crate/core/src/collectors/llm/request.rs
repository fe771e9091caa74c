//! A request to a model, as it is reported.

use crate::collectors::words::{FinishReason, Interruption, LlmErrorType, LlmOperation, LlmStatus};
use std::time::Duration;

/// Whom a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmTarget<'a> {
    /// As it was asked for; dates and accounts' names are taken off.
    pub model: &'a str,
    /// `openai`, `anthropic`, `azure` and so on.
    pub provider: &'a str,
    /// What the model is asked for.
    pub operation: LlmOperation,
}

impl<'a> LlmTarget<'a> {
    /// A model that is asked to chat.
    #[must_use]
    pub const fn new(model: &'a str, provider: &'a str) -> Self {
        Self { model, provider, operation: LlmOperation::Chat }
    }

    /// The model, asked for something else.
    #[must_use]
    pub const fn for_operation(self, operation: LlmOperation) -> Self {
        Self { operation, ..self }
    }
}

/// Tokens as the provider reports them; what it does not report is nothing, and not 0. Details are parts of the input and
/// output tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LlmUsage {
    /// Cached ones included.
    pub input_tokens: Option<u64>,
    /// Reasoning ones included.
    pub output_tokens: Option<u64>,
    /// Read from the provider's cache.
    pub cache_read_tokens: Option<u64>,
    /// Written to the provider's cache.
    pub cache_write_tokens: Option<u64>,
    /// Thought with.
    pub reasoning_tokens: Option<u64>,
    /// Heard.
    pub audio_input_tokens: Option<u64>,
    /// Spoken.
    pub audio_output_tokens: Option<u64>,
    /// Seen.
    pub image_input_tokens: Option<u64>,
}

impl LlmUsage {
    /// Input and output tokens, without details.
    #[must_use]
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self { input_tokens: Some(input_tokens), output_tokens: Some(output_tokens), ..Self::default() }
    }
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LlmEnd {
    /// What it took.
    pub usage: LlmUsage,
    /// Why the model stopped.
    pub finish_reason: Option<FinishReason>,
    /// In US dollars, where it is known better than by the price table.
    pub cost_usd: Option<f64>,
}

impl From<LlmUsage> for LlmEnd {
    fn from(usage: LlmUsage) -> Self {
        Self { usage, ..Self::default() }
    }
}

/// A request that has ended.
///
/// ```
/// use prometheus_metrics::collectors::{LlmRequest, LlmUsage};
/// use std::time::Duration;
///
/// let request = LlmRequest {
///     duration: Some(Duration::from_millis(1200)),
///     end: LlmUsage::new(120, 40).into(),
///     ..LlmRequest::new("gpt-4o-mini", "openai")
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LlmRequest<'a> {
    /// Whom it was for.
    pub target: LlmTarget<'a>,
    /// How its answer ended.
    pub end: LlmEnd,
    /// Success, or what `error_type` says, where it is not given.
    pub status: Option<LlmStatus>,
    /// What went wrong.
    pub error_type: Option<LlmErrorType>,
    /// From the request to the end of its answer.
    pub duration: Option<Duration>,
    /// From the request to the first chunk with content.
    pub time_to_first_token: Option<Duration>,
    /// Streamed chunks.
    pub chunks: Option<u64>,
    /// Who or what ended a stream before its end.
    pub interrupted: Option<Interruption>,
    /// What the request waited in the application before it was sent.
    pub queue: Option<Duration>,
}

impl<'a> LlmRequest<'a> {
    /// A chat of which nothing else is known.
    #[must_use]
    pub fn new(model: &'a str, provider: &'a str) -> Self {
        Self::of(LlmTarget::new(model, provider))
    }

    /// A request of which nothing else is known.
    #[must_use]
    pub fn of(target: LlmTarget<'a>) -> Self {
        Self {
            target,
            end: LlmEnd::default(),
            status: None,
            error_type: None,
            duration: None,
            time_to_first_token: None,
            chunks: None,
            interrupted: None,
            queue: None,
        }
    }

    pub(super) fn status(&self) -> LlmStatus {
        self.status.or(self.error_type.map(LlmErrorType::status)).unwrap_or(LlmStatus::Success)
    }

    /// What went wrong, with one that ended so.
    pub(super) fn error(&self, status: LlmStatus) -> LlmErrorType {
        self.error_type.unwrap_or(match status {
            LlmStatus::Timeout => LlmErrorType::Timeout,
            LlmStatus::Cancelled => LlmErrorType::Cancelled,
            _ => LlmErrorType::Other,
        })
    }
}

/// What a request has used: for the agent that it was made for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Cached ones included.
    pub input_tokens: u64,
    /// Reasoning ones included.
    pub output_tokens: u64,
    /// In US dollars; 0 where it is not known.
    pub cost_usd: f64,
}
