//! Finds the error type of a failed request from the HTTP status and the codes in the provider's error body, and the status
//! and interruption that follow from it. It does not depend on
//! clients. `src/collectors/error-type.ts` has the same tables for JavaScript; change both together.

use super::words::{ExecutionStatus, LlmErrorType, LlmStatus};
use super::{AgentErrorType, Interruption};

impl LlmErrorType {
    /// The error type of an answer with this status and these codes and types in its body. A code is more precise than a
    /// status, except `invalid_request_error`: providers use it for many errors.
    ///
    /// ```
    /// use prometheus_metrics::collectors::LlmErrorType;
    ///
    /// assert_eq!(LlmErrorType::of(Some(429), &[]), LlmErrorType::RateLimit);
    /// assert_eq!(LlmErrorType::of(Some(429), &["insufficient_quota"]), LlmErrorType::QuotaExceeded);
    /// assert_eq!(LlmErrorType::of(None, &["ECONNREFUSED"]), LlmErrorType::Connection);
    /// ```
    #[must_use]
    pub fn of(status: Option<u16>, codes: &[&str]) -> Self {
        let mut said = codes.iter().filter_map(|code| Self::from_code(code));
        let clear = said.clone().find(|error| *error != Self::InvalidRequest);
        clear.or_else(|| Self::from_status(status?)).or_else(|| said.next()).unwrap_or(Self::Other)
    }

    /// The error type for a code or type in a provider's error body.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "insufficient_quota" | "billing_error" | "billing_hard_limit_reached" => Self::QuotaExceeded,
            "rate_limit_exceeded" | "rate_limit_error" => Self::RateLimit,
            "overloaded_error" => Self::Overloaded,
            "context_length_exceeded" => Self::ContextLength,
            "content_filter" | "content_policy_violation" | "moderation_blocked" => Self::ContentFilter,
            "authentication_error" | "invalid_api_key" => Self::Authentication,
            "permission_error" => Self::Permission,
            "not_found_error" | "model_not_found" => Self::NotFound,
            "request_too_large" => Self::RequestTooLarge,
            "invalid_request_error" => Self::InvalidRequest,
            "api_error" | "server_error" => Self::ServerError,
            "ECONNREFUSED" | "ECONNRESET" | "ENOTFOUND" | "EPIPE" | "EAI_AGAIN" | "UND_ERR_SOCKET"
            | "-32000" => Self::Connection,
            "ETIMEDOUT"
            | "UND_ERR_CONNECT_TIMEOUT"
            | "UND_ERR_HEADERS_TIMEOUT"
            | "UND_ERR_BODY_TIMEOUT"
            | "-32001" => Self::Timeout,
            "ABORT_ERR" => Self::Cancelled,
            // A program's own errors may use our words as codes.
            own => return Self::from_name(own),
        })
    }

    /// The error type for an HTTP status.
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        Some(match status {
            400 | 409 | 412 | 422 => Self::InvalidRequest,
            401 => Self::Authentication,
            402 => Self::QuotaExceeded,
            403 => Self::Permission,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 | 431 => Self::RequestTooLarge,
            429 => Self::RateLimit,
            499 => Self::Cancelled,
            503 | 529 => Self::Overloaded,
            500..=599 => Self::ServerError,
            _ => return None,
        })
    }

    /// The status of a request that failed with this error type.
    pub(super) const fn status(self) -> LlmStatus {
        match self {
            Self::Timeout => LlmStatus::Timeout,
            Self::Cancelled => LlmStatus::Cancelled,
            _ => LlmStatus::Error,
        }
    }

    /// The error type after the first chunk: a lost connection or an unknown error means that the stream was interrupted.
    /// `BROKEN` in `src/collectors/llm/call.ts` is the same rule.
    pub(super) const fn within_stream(self) -> Self {
        match self {
            Self::Connection | Self::Other => Self::StreamInterrupted,
            said => said,
        }
    }

    /// The cause of the interruption of a stream that failed with this error type.
    pub(super) const fn interruption(self) -> Interruption {
        match self {
            Self::Timeout => Interruption::Timeout,
            Self::Cancelled => Interruption::Client,
            _ => Interruption::Provider,
        }
    }
}

impl AgentErrorType {
    /// The status of an execution that failed with this error type.
    pub(super) const fn status(self) -> ExecutionStatus {
        match self {
            Self::Llm(LlmErrorType::Timeout) => ExecutionStatus::Timeout,
            Self::Llm(LlmErrorType::Cancelled) => ExecutionStatus::Cancelled,
            Self::MaxSteps => ExecutionStatus::MaxSteps,
            Self::Guardrail => ExecutionStatus::Guardrail,
            _ => ExecutionStatus::Failed,
        }
    }
}

impl ExecutionStatus {
    /// The error type of an execution with this status; nothing for a success.
    pub(super) const fn error(self) -> Option<AgentErrorType> {
        Some(match self {
            Self::Success => return None,
            Self::Failed => AgentErrorType::Llm(LlmErrorType::Other),
            Self::Timeout => AgentErrorType::Llm(LlmErrorType::Timeout),
            Self::Cancelled => AgentErrorType::Llm(LlmErrorType::Cancelled),
            Self::MaxSteps => AgentErrorType::MaxSteps,
            Self::Guardrail => AgentErrorType::Guardrail,
        })
    }
}
