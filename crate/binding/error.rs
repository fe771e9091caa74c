//! Converts errors for JavaScript: the core's kinds become the `code` from which TypeScript makes its classes.

use napi::Error;
use prometheus_metrics::{ErrorKind, MetricsError};

/// The `code` of an error that the binding throws.
pub struct Code(&'static str);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0
    }
}

pub type Result<T> = std::result::Result<T, Error<Code>>;

/// Maps an error of the core.
pub(crate) fn refused(error: MetricsError) -> Error<Code> {
    Error::new(Code(error.kind().code()), error.to_string())
}

/// An error for an option with an invalid value.
pub(crate) fn invalid_config(message: String) -> Error<Code> {
    Error::new(Code(ErrorKind::InvalidConfig.code()), message)
}

/// Maps an error of Node-API itself.
pub(crate) fn engine(error: Error) -> Error<Code> {
    Error::new(Code("ENGINE"), error.reason.clone())
}
