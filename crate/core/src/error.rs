//! The one error type: a kind that programs match on, and a message that people read.

use thiserror::Error;

/// What went wrong. The names are stable; TypeScript's `code`s are made from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A family of that name, or one that writes the same sample names, is registered already.
    DuplicateMetric,
    /// Not a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    InvalidMetricName,
    /// Not a label name: `[a-zA-Z_][a-zA-Z0-9_]*`, or a name reserved for this type, or repeated.
    InvalidLabelName,
    /// A label value that the registry's strictness refuses.
    InvalidLabelValue,
    /// The family exists with another type, other labels or other buckets.
    TypeMismatch,
    /// Bucket bounds that are not finite numbers in ascending order.
    InvalidBuckets,
    /// A value that the metric type cannot hold.
    InvalidValue,
    /// A counter was given a negative number.
    NegativeIncrement,
    /// A label that the family does not have.
    UnknownLabel,
    /// More or fewer label values than the family has labels.
    LabelCount,
    /// A label set beyond a limit whose policy is to refuse it.
    CardinalityLimit,
    /// A setting has a type or value that it cannot have.
    InvalidConfig,
    /// The address or socket cannot be listened on.
    BindFailed,
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
        }
    }
}

/// Why a call was refused. Nothing was changed by the call.
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
