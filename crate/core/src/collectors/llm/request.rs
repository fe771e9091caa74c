//! The data of a request to a model, as callers report it.

use crate::collectors::words::{
    FinishReason, Interruption, LlmErrorType, LlmOperation, LlmStatus, MediaUnit,
};
use std::time::Duration;

/// The receiver of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmTarget<'a> {
    /// The name in the request. Labels show it without dates and names of accounts.
    pub model: &'a str,
    /// `openai`, `anthropic`, `azure` and so on.
    pub provider: &'a str,
    /// The kind of request.
    pub operation: LlmOperation,
}

impl<'a> LlmTarget<'a> {
    /// A chat with a model.
    #[must_use]
    pub const fn new(model: &'a str, provider: &'a str) -> Self {
        Self { model, provider, operation: LlmOperation::Chat }
    }

    /// The same model with another kind of request.
    #[must_use]
    pub const fn for_operation(self, operation: LlmOperation) -> Self {
        Self { operation, ..self }
    }
}

/// Tokens as the provider reports them. `None` means not reported, which is not the same as 0. The details are parts of the
/// input and output tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LlmUsage {
    /// All input tokens, cached ones included.
    pub input_tokens: Option<u64>,
    /// All output tokens, reasoning ones included.
    pub output_tokens: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cache_read_tokens: Option<u64>,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: Option<u64>,
    /// The part of `cache_write_tokens` that the provider keeps for an hour or longer, if it bills that apart.
    pub cache_write_long_tokens: Option<u64>,
    /// Output tokens of the model's reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Input tokens of audio.
    pub audio_input_tokens: Option<u64>,
    /// Output tokens of audio.
    pub audio_output_tokens: Option<u64>,
    /// Input tokens of images.
    pub image_input_tokens: Option<u64>,
    /// Output tokens of images.
    pub image_output_tokens: Option<u64>,
}

setters!(LlmUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_write_long_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    audio_input_tokens: Option<u64>,
    audio_output_tokens: Option<u64>,
    image_input_tokens: Option<u64>,
    image_output_tokens: Option<u64>,
});

impl LlmUsage {
    /// Input and output tokens, without details.
    #[must_use]
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self { input_tokens: Some(input_tokens), output_tokens: Some(output_tokens), ..Self::default() }
    }

    /// Whether the provider reported tokens.
    pub(super) const fn has_tokens(&self) -> bool {
        self.input_tokens.is_some() || self.output_tokens.is_some()
    }
}

/// Images, seconds of audio or characters of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LlmMedia {
    /// What is counted.
    pub unit: MediaUnit,
    /// How many.
    pub amount: f64,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct LlmEnd<'a> {
    /// The tokens it used.
    pub usage: LlmUsage,
    /// Why the model stopped.
    pub finish_reason: Option<FinishReason>,
    /// The cost in US dollars, if the caller knows it better than the price table.
    pub cost_usd: Option<f64>,
    /// Output tokens that the reader of a stream saw; those without the reasoning if not set. Time per output token counts
    /// only these.
    pub visible_tokens: Option<u64>,
    /// The service tier that the provider bills, such as `flex`, `priority`, `batch` or `fast`; the usual one if not set.
    pub service_tier: Option<&'a str>,
    /// How often the provider ran its own tools, by name.
    pub server_tools: &'a [(&'a str, u64)],
    /// The media of the answer.
    pub media: Option<LlmMedia>,
}

setters!(LlmEnd<'a> {
    usage: LlmUsage,
    finish_reason: Option<FinishReason>,
    cost_usd: Option<f64>,
    visible_tokens: Option<u64>,
    service_tier: Option<&'a str>,
    server_tools: &'a [(&'a str, u64)],
    media: Option<LlmMedia>,
});

impl From<LlmUsage> for LlmEnd<'_> {
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
/// let request = LlmRequest::new("gpt-4o-mini", "openai")
///     .duration(Some(Duration::from_millis(1200)))
///     .end(LlmUsage::new(120, 40).into());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LlmRequest<'a> {
    /// The receiver.
    pub target: LlmTarget<'a>,
    /// How its answer ended.
    pub end: LlmEnd<'a>,
    /// If not set: the status for `error_type`, or success.
    pub status: Option<LlmStatus>,
    /// What went wrong.
    pub error_type: Option<LlmErrorType>,
    /// The time from the request to the end of its answer.
    pub duration: Option<Duration>,
    /// The time from the request to the first chunk with content.
    pub time_to_first_token: Option<Duration>,
    /// How many chunks were streamed.
    pub chunks: Option<u64>,
    /// The cause of a stream that ended too early.
    pub interrupted: Option<Interruption>,
    /// The longest time between two chunks.
    pub longest_gap: Option<Duration>,
    /// How many times between two chunks were longer than the collector's `stall`.
    pub stalls: Option<u64>,
    /// How long the request waited in the application before it was sent.
    pub queue: Option<Duration>,
}

setters!(LlmRequest<'a> {
    target: LlmTarget<'a>,
    end: LlmEnd<'a>,
    status: Option<LlmStatus>,
    error_type: Option<LlmErrorType>,
    duration: Option<Duration>,
    time_to_first_token: Option<Duration>,
    chunks: Option<u64>,
    interrupted: Option<Interruption>,
    longest_gap: Option<Duration>,
    stalls: Option<u64>,
    queue: Option<Duration>,
});

impl<'a> LlmRequest<'a> {
    /// A chat without further data.
    #[must_use]
    pub fn new(model: &'a str, provider: &'a str) -> Self {
        Self::of(LlmTarget::new(model, provider))
    }

    /// A request without further data.
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
            longest_gap: None,
            stalls: None,
            queue: None,
        }
    }

    pub(super) fn outcome(&self) -> LlmStatus {
        self.status.or(self.error_type.map(LlmErrorType::status)).unwrap_or(LlmStatus::Success)
    }

    /// The error type of a request with this status.
    pub(super) fn error(&self, status: LlmStatus) -> LlmErrorType {
        self.error_type.unwrap_or(match status {
            LlmStatus::Timeout => LlmErrorType::Timeout,
            LlmStatus::Cancelled => LlmErrorType::Cancelled,
            _ => LlmErrorType::Other,
        })
    }
}

/// The tokens and cost of a request, for the agent that made it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Spent {
    /// All input tokens, cached ones included.
    pub input_tokens: u64,
    /// All output tokens, reasoning ones included.
    pub output_tokens: u64,
    /// In US dollars; 0 if unknown.
    pub cost_usd: f64,
}

setters!(Spent { input_tokens: u64, output_tokens: u64, cost_usd: f64 });
