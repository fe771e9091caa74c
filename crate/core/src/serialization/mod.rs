//! Encoders: pure functions that write families into a sink as a stream. They keep no state. Must not know registries,
//! threads or transports.

mod defaults;
mod family;
mod json;
mod lines;
#[cfg(any(feature = "openmetrics", feature = "protobuf"))]
mod metrics;
mod number;
#[cfg(feature = "openmetrics")]
mod openmetrics;
#[cfg(feature = "openmetrics")]
mod openmetrics2;
#[cfg(feature = "push")]
mod otlp;
mod page;
mod prometheus_text;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(feature = "push")]
mod remote_write;
#[cfg(any(feature = "openmetrics", feature = "protobuf"))]
mod spans;
mod streaming;

pub(crate) use family::{FamilyWriter, Shown};
#[cfg(feature = "http")]
pub(crate) use json::json_string;
#[cfg(feature = "testing")]
pub(crate) use json::string as write_json_string;
pub(crate) use json::{json, labels_json};
#[cfg(feature = "push")]
pub(crate) use metrics::{Encoder, write as write_metrics};
#[cfg(feature = "testing")]
pub(crate) use number::sample as write_number;
#[cfg(feature = "push")]
pub(crate) use otlp::Otlp;
#[cfg(feature = "push")]
pub(crate) use remote_write::{Message, RemoteWrite, Version, with_stale_markers};
pub use streaming::{Sink, Streaming};

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus text 0.0.4.
    #[default]
    PrometheusText,
    /// OpenMetrics 1.0.0. A scraper that asks for 0.0.1 gets it too.
    #[cfg(feature = "openmetrics")]
    OpenMetrics,
    /// OpenMetrics 2.0.0, as its release candidate describes it.
    #[cfg(feature = "openmetrics")]
    OpenMetrics2,
    /// Protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length. It is not a text: write it to bytes
    /// with [`encode`](crate::encode()).
    #[cfg(feature = "protobuf")]
    Protobuf,
}

impl Format {
    /// The media type, with version and character set.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::PrometheusText => "text/plain; version=0.0.4; charset=utf-8",
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics2 => "application/openmetrics-text; version=2.0.0; charset=utf-8",
            #[cfg(feature = "protobuf")]
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// The format with this content type.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let formats = [
            Self::PrometheusText,
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics,
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics2,
            #[cfg(feature = "protobuf")]
            Self::Protobuf,
        ];
        formats.into_iter().find(|format| format.content_type() == content_type)
    }
}

/// Writes an exposition of these families. `shows_starts`: OpenMetrics 1.0 shows when each series began.
///
/// # Errors
/// The sink's, when it cannot take more; a `Vec<u8>` always can.
pub(crate) fn write<S: Sink>(
    families: &[impl Shown],
    default_labels: &[(String, String)],
    format: Format,
    shows_starts: bool,
    sink: &mut S,
) -> Result<(), S::Error> {
    match format {
        Format::PrometheusText => {
            lines::write::<prometheus_text::PrometheusText, S>(families, default_labels, shows_starts, sink)
        }
        #[cfg(feature = "openmetrics")]
        Format::OpenMetrics => {
            lines::write::<openmetrics::OpenMetrics, S>(families, default_labels, shows_starts, sink)
        }
        #[cfg(feature = "openmetrics")]
        Format::OpenMetrics2 => {
            metrics::write(families, default_labels, &mut openmetrics2::OpenMetrics2::default(), sink)
        }
        #[cfg(feature = "protobuf")]
        Format::Protobuf => {
            metrics::write(families, default_labels, &mut protobuf::Protobuf::default(), sink)
        }
    }
}
