//! The scrape service: what a request is answered with. The doors (a JavaScript handler, a listener) carry the
//! bytes and decide nothing.

use super::body::Body;
use super::{compression, negotiation};
use crate::registry::Gathered;
use crate::serialization::encode;

/// Where a request leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The exposition.
    Metrics,
    /// Liveness.
    Health,
    /// Readiness.
    Ready,
    /// The path is ours, the method is not; only GET and HEAD are.
    MethodNotAllowed,
    /// Not ours.
    NotFound,
}

/// What of a request decides the exposition.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScrapeRequest<'a> {
    /// The `Accept` header.
    pub accept: Option<&'a str>,
    /// The `Accept-Encoding` header.
    pub accept_encoding: Option<&'a str>,
}

/// A response, header names in lower case.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header names and values; the length is the body's.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: Body,
}

/// Decides what scrapes are answered with.
#[derive(Debug, Clone)]
pub struct ScrapeService {
    metrics_path: String,
    compression_min_size: usize,
}

const JSON: &str = "application/json; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const NO_STORE: (&str, &str) = ("cache-control", "no-store");

impl ScrapeService {
    /// A service that answers expositions on `/metrics`.
    #[must_use]
    pub fn new() -> Self {
        Self { metrics_path: "/metrics".to_owned(), compression_min_size: compression::DEFAULT_MIN_SIZE }
    }

    /// Sets the path of the exposition.
    #[must_use]
    pub fn with_metrics_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.metrics_path);
        self
    }

    /// Sets from how many bytes on a body is compressed.
    #[must_use]
    pub fn with_compression_min_size(mut self, bytes: usize) -> Self {
        self.compression_min_size = bytes;
        self
    }

    /// Where a request target leads. The query is not part of the path; a trailing slash is.
    #[must_use]
    pub fn route(&self, method: &str, target: &str) -> Route {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let route = match path {
            path if path == self.metrics_path => Route::Metrics,
            "/health" => Route::Health,
            "/ready" => Route::Ready,
            _ => return Route::NotFound,
        };
        if matches!(method, "GET" | "HEAD") { route } else { Route::MethodNotAllowed }
    }

    /// Encodes what was gathered as the scraper wants it.
    #[must_use]
    pub fn scrape(&self, gathered: &Gathered, request: &ScrapeRequest<'_>) -> Response {
        let content_type = negotiation::content_type(request.accept);
        let mut body = Body::pooled();
        let Ok(()) = encode(gathered, content_type.format, body.buffer());
        let mut headers =
            vec![("content-type", content_type.header), ("vary", "accept, accept-encoding"), NO_STORE];
        if body.as_slice().len() >= self.compression_min_size && negotiation::gzip(request.accept_encoding) {
            let mut compressed = Body::pooled();
            if compression::gzip(body.as_slice(), compressed.buffer()) {
                headers.push(("content-encoding", "gzip"));
                body = compressed;
            }
        }
        Response { status: 200, headers, body }
    }

    /// Answers every route but the exposition.
    #[must_use]
    pub fn answer(&self, route: Route, ready: bool) -> Response {
        let json = |status, body: &str| Response {
            status,
            headers: vec![("content-type", JSON), NO_STORE],
            body: Body::from(body),
        };
        match route {
            Route::Ready if !ready => json(503, "{\"status\":\"not ready\"}\n"),
            Route::Ready => json(200, "{\"status\":\"ready\"}\n"),
            Route::Health => json(200, "{\"status\":\"ok\"}\n"),
            Route::MethodNotAllowed => Response {
                status: 405,
                headers: vec![("content-type", PLAIN), ("allow", "GET, HEAD")],
                body: Body::from("Method not allowed: use GET or HEAD.\n"),
            },
            Route::Metrics | Route::NotFound => Response {
                status: 404,
                headers: vec![("content-type", PLAIN)],
                body: Body::from("Not found.\n"),
            },
        }
    }
}

impl Default for ScrapeService {
    fn default() -> Self {
        Self::new()
    }
}
