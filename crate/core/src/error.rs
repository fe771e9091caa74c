//! The one error type: a kind for programs, and a message for people.

use thiserror::Error;

/// What went wrong. The names are stable; the `code`s of errors in TypeScript are made from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A metric of that name, or one that writes the same sample names, is registered already.
    DuplicateMetric,
    /// An invalid metric name. The rule is `[a-zA-Z_:][a-zA-Z0-9_:]*` (Prometheus data model).
    InvalidMetricName,
    /// An invalid, reserved or repeated label name. The rule is `[a-zA-Z_][a-zA-Z0-9_]*` (Prometheus data model).
    InvalidLabelName,
    /// A label value that the registry's strictness refuses.
    InvalidLabelValue,
    /// A metric of that name exists with another type, other labels or other buckets.
    TypeMismatch,
    /// Bucket bounds that are not finite numbers in ascending order; or buckets for a metric that is not a histogram.
    InvalidBuckets,
    /// A value that the metric type cannot hold.
    InvalidValue,
    /// A counter was given a negative number.
    NegativeIncrement,
    /// A label that the family does not have.
    UnknownLabel,
    /// More or fewer label values than the metric has labels; or labels for a metric made without them.
    LabelCount,
    /// A label set over a limit whose policy is to throw.
    CardinalityLimit,
    /// A setting with an invalid type or value.
    InvalidConfig,
    /// Listening on the address or socket failed.
    BindFailed,
    /// A receiver did not accept a push, or did not answer in time.
    PushFailed,
}

impl ErrorKind {
    /// The kind in the spelling of TypeScript's `code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DuplicateMetric => "DUPLICATE_METRIC",
            Self::InvalidMetricName => "INVALID_METRIC_NAME",
            Self::InvalidLabelName => "INVALID_LABEL_NAME",
            Self::InvalidLabelValue => "INVALID_LABEL_VALUE",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::InvalidBuckets => "INVALID_BUCKETS",
            Self::InvalidValue => "INVALID_VALUE",
            Self::NegativeIncrement => "NEGATIVE_INCREMENT",
            Self::UnknownLabel => "UNKNOWN_LABEL",
            Self::LabelCount => "LABEL_COUNT",
            Self::CardinalityLimit => "CARDINALITY_LIMIT",
            Self::InvalidConfig => "INVALID_CONFIG",
            Self::BindFailed => "BIND_FAILED",
            Self::PushFailed => "PUSH_FAILED",
        }
    }
}

/// The error of a call that was refused. The call has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct MetricsError {
    kind: ErrorKind,
    message: String,
}

impl MetricsError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    #[cfg(feature = "http")]
    pub(crate) fn invalid_config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidConfig, message)
    }

    /// What went wrong, for programs.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// A result whose error is `MetricsError`.
pub type Result<T, E = MetricsError> = std::result::Result<T, E>;
