//! The metrics of a scrape service about itself. They are in a registry of their own, which each scrape appends.

use super::body::Meter;
use super::health::Health;
use crate::error::Result;
use crate::metrics::{Counter, Gauge, Histogram};
use crate::registry::Registry;
use std::sync::OnceLock;
use std::time::Duration;

/// From 0.5 ms, the scrape of a small registry, to Prometheus' default timeout.
const DURATION_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// 1 KiB to 256 MiB in steps of four.
const SIZE_BUCKETS: [f64; 10] = [
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
];

/// Why a request or connection was not served. Each is a value of the label `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The address is not on the allowlist.
    Address,
    /// Over the rate limit.
    RateLimit,
    /// Missing or wrong credentials.
    Unauthorized,
    /// Too many wrong credentials.
    CredentialLimit,
    /// The request has a body.
    Body,
    /// Too many connections, all of them busy.
    Connections,
    /// Too many connections of one client, all of them busy.
    ClientConnections,
    /// An invalid request, or too many or too large headers.
    Malformed,
    /// The request did not arrive in time.
    RequestTimeout,
    /// The client did not read the response in time.
    WriteTimeout,
    /// Too many bytes, or too many different expositions, in flight.
    Overload,
    /// The TLS handshake failed.
    Tls,
}

impl Rejection {
    /// All reasons, in the order of their numbers.
    const ALL: [Self; 12] = [
        Self::Address,
        Self::RateLimit,
        Self::Unauthorized,
        Self::CredentialLimit,
        Self::Body,
        Self::Connections,
        Self::ClientConnections,
        Self::Malformed,
        Self::RequestTimeout,
        Self::WriteTimeout,
        Self::Overload,
        Self::Tls,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::RateLimit => "rate_limit",
            Self::Unauthorized => "unauthorized",
            Self::CredentialLimit => "credential_limit",
            Self::Body => "body",
            Self::Connections => "connections",
            Self::ClientConnections => "client_connections",
            Self::Malformed => "malformed",
            Self::RequestTimeout => "request_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::Overload => "overload",
            Self::Tls => "tls",
        }
    }
}

/// What a connection is doing, in the order in which connections lose their place to a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Its last response is sent, and no new request has begun.
    Idle,
    /// It has not sent a complete request.
    Silent,
    /// Its client has not read the whole response.
    Unread,
    /// Its request is being answered.
    Answering,
}

impl Standing {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Idle, Self::Silent, Self::Unread, Self::Answering];

    /// The value of the label `state`.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Silent => "silent",
            Self::Unread => "unread",
            Self::Answering => "answering",
        }
    }
}

/// The metrics of every service.
pub(crate) struct SelfMetrics {
    pub(crate) registry: Registry,
    scrape_duration: Histogram,
    scrape_size: Histogram,
    series: Gauge,
    cache_hits: Counter,
    cache_misses: Counter,
    body_bytes: Gauge,
    rejections: [Counter; Rejection::ALL.len()],
}

impl SelfMetrics {
    pub(crate) fn new() -> Result<Self> {
        let registry = Registry::new();
        let scrape_duration = registry
            .histogram_vec(
                "llmdevops_metrics_scrape_duration_seconds",
                "From a scrape's arrival until its exposition was ready to be sent",
                &[],
                &DURATION_BUCKETS,
            )?
            .with(&[])?;
        let scrape_size = registry
            .histogram_vec(
                "llmdevops_metrics_scrape_size_bytes",
                "Expositions that scrapes were answered with, before compression",
                &[],
                &SIZE_BUCKETS,
            )?
            .with(&[])?;
        let series = registry.gauge(
            "llmdevops_metrics_series_count",
            "Series in the newest exposition, these metrics not counted",
        )?;
        let cache_hits =
            registry.counter("llmdevops_metrics_cache_hits_total", "Scrapes answered from the cache")?;
        let cache_misses = registry.counter(
            "llmdevops_metrics_cache_misses_total",
            "Scrapes that the cache could not answer; none while it is off",
        )?;
        let body_bytes = registry.gauge(
            "llmdevops_metrics_body_bytes",
            "Bytes of expositions in memory: being sent, waited for, or cached",
        )?;
        let rejected = registry.counter_vec(
            "llmdevops_metrics_rejected_total",
            "Requests and connections that were not served, by reason",
            &["reason"],
        )?;
        let mut rejections = Vec::with_capacity(Rejection::ALL.len());
        for rejection in Rejection::ALL {
            rejections.push(rejected.with(&[rejection.label()])?);
        }
        let rejections = rejections.try_into().map_err(|_| {
            crate::MetricsError::new(crate::ErrorKind::LabelCount, "a counter is made for each rejection")
        })?;
        Ok(Self {
            registry,
            scrape_duration,
            scrape_size,
            series,
            cache_hits,
            cache_misses,
            body_bytes,
            rejections,
        })
    }

    pub(crate) fn reject(&self, reason: Rejection) {
        self.rejections[reason as usize].inc();
    }

    /// Records an answered scrape, whether its exposition was shared, cached or made for it alone.
    pub(crate) fn answered(&self, took: Duration, plain_bytes: usize) {
        let seconds = self.scrape_duration.observe(took.as_secs_f64());
        let bytes = self.scrape_size.observe(plain_bytes as f64);
        debug_assert!(seconds.is_ok() && bytes.is_ok(), "durations and sizes are numbers");
    }

    pub(crate) fn cache_hit(&self) {
        self.cache_hits.inc();
    }

    pub(crate) fn cache_miss(&self) {
        self.cache_misses.inc();
    }

    /// Updates the gauges before they are read.
    pub(crate) fn refresh(&self, series: usize, meter: &Meter) {
        self.series.set(series as f64);
        self.body_bytes.set(meter.bytes() as f64);
    }
}

/// The metrics of a service that an exporter serves: its listener, and the event loop it watches.
pub(crate) struct ListenerMetrics {
    stalled: Gauge,
    pub(crate) connections: Gauge,
    displaced: [Counter; Standing::ALL.len()],
    pub(crate) tls_reload_failures: Counter,
    /// Made when the exporter has a certificate.
    certificate_expiry: OnceLock<Gauge>,
    pub(crate) stale_scrapes: Counter,
}

impl ListenerMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        let displaced = registry.counter_vec(
            "llmdevops_metrics_displaced_total",
            "Connections that were closed for a new one, by what they were doing",
            &["state"],
        )?;
        let [idle, silent, unread, answering] =
            Standing::ALL.map(|standing| displaced.with(&[standing.label()]));
        Ok(Self {
            displaced: [idle?, silent?, unread?, answering?],
            certificate_expiry: OnceLock::new(),
            stalled: registry.gauge(
                "llmdevops_eventloop_stalled_seconds",
                "How late the event loop is; 0 while it turns",
            )?,
            connections: registry
                .gauge("llmdevops_metrics_connections", "Open connections of the exporter")?,
            tls_reload_failures: registry.counter(
                "llmdevops_metrics_tls_reload_failures_total",
                "Changed certificates that could not be used; the old ones stay in use",
            )?,
            stale_scrapes: registry.counter(
                "llmdevops_metrics_stale_scrapes_total",
                "Scrapes that showed the values there were, because the event loop was too late to collect new ones",
            )?,
        })
    }

    /// Counts a connection that has lost its place.
    pub(crate) fn displaced(&self, standing: Standing) {
        self.displaced[standing as usize].inc();
    }

    /// Shows when the certificate in use expires, in seconds since 1970.
    pub(crate) fn certificate_expires(&self, registry: &Registry, seconds: u64) {
        let name = "llmdevops_metrics_tls_certificate_expiry_timestamp_seconds";
        let help = "When the first certificate of the exporter's chain expires, in seconds since 1970";
        if self.certificate_expiry.get().is_none()
            && let Ok(gauge) = registry.gauge(name, help)
        {
            let _ = self.certificate_expiry.set(gauge);
        }
        if let Some(gauge) = self.certificate_expiry.get() {
            gauge.set(seconds as f64);
        }
    }

    pub(crate) fn refresh(&self, health: &Health) {
        self.stalled.set(health.stalled().as_secs_f64());
    }
}
