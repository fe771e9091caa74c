//! Encoders: pure functions from what was gathered to bytes, streaming into a sink. They change nothing, keep
//! nothing, and know no registry, thread or transport.

pub(crate) mod escape;
mod json;
mod lines;
mod number;
#[cfg(feature = "openmetrics")]
mod openmetrics;
mod prometheus_text;
mod streaming;

pub use json::json;
#[cfg(feature = "http")]
pub(crate) use json::json_string;
pub(crate) use json::labels_json;
#[cfg(feature = "testing")]
pub(crate) use json::string as write_json_string;
pub use streaming::{Sink, Streaming};

use crate::registry::Gathered;

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus text 0.0.4.
    #[default]
    PrometheusText,
    /// OpenMetrics 1.0.0; also what a scraper that asks for 0.0.1 gets.
    #[cfg(feature = "openmetrics")]
    OpenMetrics,
}

impl Format {
    /// The media type, with version and character set.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::PrometheusText => "text/plain; version=0.0.4; charset=utf-8",
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format whose content type this is.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let formats = [
            Self::PrometheusText,
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics,
        ];
        formats.into_iter().find(|format| format.content_type() == content_type)
    }
}

/// Writes an exposition.
///
/// # Errors
/// What the sink answers with when it cannot take more; a `Vec<u8>` always can.
pub fn encode<S: Sink>(gathered: &Gathered, format: Format, sink: &mut S) -> Result<(), S::Error> {
    match format {
        Format::PrometheusText => lines::write::<prometheus_text::PrometheusText, S>(gathered, sink),
        #[cfg(feature = "openmetrics")]
        Format::OpenMetrics => lines::write::<openmetrics::OpenMetrics, S>(gathered, sink),
    }
}
