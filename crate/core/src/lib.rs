//! Prometheus metrics: a registry; counters, gauges and histograms that any thread may write; encoders for the text and
//! OpenMetrics formats. The core of `@llm-devops/prometheus-metrics`, and useful without Node.js.
//!
//! ```
//! use prometheus_metrics::{Format, Registry};
//!
//! let registry = Registry::new();
//! let requests = registry.counter_vec("http_requests_total", "Requests served", &["method", "status"])?;
//! requests.with(&["GET", "200"])?.inc();
//! assert_eq!(
//!     registry.encode(Format::PrometheusText),
//!     concat!(
//!         "# HELP http_requests_total Requests served\n",
//!         "# TYPE http_requests_total counter\n",
//!         "http_requests_total{method=\"GET\",status=\"200\"} 1\n"
//!     )
//! );
//! # Ok::<(), prometheus_metrics::MetricsError>(())
//! ```
//!
//! A [`Registry`] makes metrics: `counter`, `gauge` and `histogram` for single ones, `counter_vec` and the like for metrics
//! with labels. [`Registry::metric`] has more options: limits on the number of series, and a time to live. A call with a
//! name that is registered already returns the registered metric. Metrics are handles: they can be cloned and used from any
//! thread. Recording is an atomic addition; looking up a label set costs a hash and a lock, so keep the result of `with()`
//! where you record often. Where you cannot, record by label values: [`CounterVec::inc_for`] and the like make no handle.
//!
//! [`Registry::encode`] returns the exposition. [`gather`](gather::gather()) and [`encode()`] give more control: which
//! families are shown, and where the text goes. A [`Collector`] adds values that are kept elsewhere. By default a metric has
//! at most 10,000 series and a registry a million; label sets over a limit are counted in a series labelled `other`.
//!
//! Every error is a [`MetricsError`]. Its [`kind`](MetricsError::kind) is for programs, its text for people.
//!
//! # Cargo features
//!
//! **`http`** (default): the scrape endpoint. It adds the modules `http` and `config`: the scrape service with
//! bearer tokens, rate limits, caching and health, an exporter that listens on a port or a Unix socket, and
//! a router for axum. Without it the crate records and encodes, and brings about a third of the dependencies.
//!
//! **`auth`**: users with passwords, which are kept as bcrypt hashes. It turns `http` on. Without it an endpoint with users
//! does not start.
//!
//! **`tls`**: TLS of the exporter, with certificates of clients and reloading of files. It turns `http` on. Without it an
//! exporter with settings of TLS does not start.
//!
//! **`gzip`** (default): compressed expositions. It has an effect only together with `http`. Without it a scrape is
//! never compressed, `Accept-Encoding` is ignored, and the settings `METRICS_COMPRESSION_ENABLED` and
//! `METRICS_COMPRESSION_MIN_SIZE` are checked but change nothing.
//!
//! **`openmetrics`**: `Format::OpenMetrics`, which also shows exemplars, and `Format::OpenMetrics2`. Together with `http`, a scraper that asks for
//! OpenMetrics in `Accept` gets it. Without it every exposition is Prometheus text 0.0.4, which all scrapers read.
//!
//! **`protobuf`**: `Format::Protobuf`, the format of `io.prometheus.client.MetricFamily` messages. Together with `http`, a
//! scraper that asks for it in `Accept` gets it. It brings no dependency.
//!
//! **`push`**: the module `push`, which sends a registry by Prometheus remote write or OTLP, or to a Pushgateway, from threads of
//! its own. It turns `http`, `openmetrics` and `protobuf` on. Requests go over a `push::Transport` of the program. Without `gzip`,
//! only remote write is compressed; without `tls`, files of certificates are read but not checked.
//!
//! **`push-http`**: a transport of this crate for `push`, which speaks HTTP/1.1 and TLS, and `Pusher::start`, which uses it. It
//! turns `push` and `tls` on. It is not part of `full`.
//!
//! **`full`**: `http`, `auth`, `tls`, `gzip`, `openmetrics`, `protobuf` and `push`. The Node.js addon uses it, with a transport of
//! Node.js.
//!
//! **`prometheus-client`**: the module `bridge`. It shows registries of the crate `prometheus-client` in scrapes of this
//! one, and the other way round. It turns `testing` on, whose parser it uses, and is not part of `full`.
//!
//! **`testing`**: the module `testing` with assertions, a mock registry, a mock clock, and a parser of expositions in
//! both formats. For `[dev-dependencies]`; it needs no other feature and is not part of `full`.
//!
//! # What a version promises
//!
//! In 0.x, a new minor version may break programs and a patch version does not. Structs of settings and most enums are
//! `non_exhaustive`: `LlmOptions::default().prices(prices)`. Items that are hidden from this documentation serve the
//! Node.js addon; they can change in any version.

#![deny(unsafe_code)]

#[macro_use]
mod setters;

#[cfg(feature = "prometheus-client")]
pub mod bridge;
mod clock;
pub mod collectors;
#[cfg(feature = "http")]
pub mod config;
mod error;
pub mod gather;
#[cfg(feature = "http")]
pub mod http;
pub mod labels;
pub mod metrics;
mod model;
#[cfg(not(loom))]
#[doc(hidden)]
pub mod processes;
#[cfg(feature = "push")]
pub mod push;
pub mod registry;
pub mod serialization;
#[doc(hidden)]
pub mod slab;
mod sort;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;

pub use clock::Clock;
pub use collectors::{AgentMetricsCollector, LlmMetricsCollector, ProcessCollector, RuntimeCollector};
pub use error::{ErrorKind, MetricsError, Result};
pub use gather::encode;
pub use labels::{Escaping, LabelSet, Names, Strictness};
pub use metrics::{
    Collector, Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramVec, Metric, MetricBuilder, Summary,
    SummaryVec, Timer,
};
pub use registry::{Registry, RegistryConfig, Sample, SampleFamily};
pub use serialization::Format;

/// Runs the examples of the README as tests.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
