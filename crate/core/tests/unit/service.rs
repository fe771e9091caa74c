//! Calls a scrape service directly, without HTTP, for tests: requests and responses are values.

use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Embedding, Request, Response, ScrapeService, Step, Target};
use prometheus_metrics::{MetricsError, Registry};
use std::sync::Arc;

/// A service of this registry.
pub(crate) fn service(
    registry: &Arc<Registry>,
    config: &MetricsConfig,
) -> Result<ScrapeService, MetricsError> {
    let target = Arc::new(Target::new(Arc::clone(registry), None)?);
    ScrapeService::new(target, config, Embedding::default())
}

/// Settings of a service that shows only the registry.
pub(crate) fn quiet() -> MetricsConfig {
    MetricsConfig::default().self_metrics(false)
}

pub(crate) fn get(target: &str) -> Request<'_> {
    Request { method: "GET", target, ..Request::default() }
}

/// The response, and whether it was given without a scrape.
pub(crate) fn ask(service: &ScrapeService, request: &Request<'_>) -> (Response, bool) {
    match service.receive(request) {
        Step::Answer(response) => (response, true),
        Step::Scrape(plan) => (service.scrape_now(&plan).0, false),
        _ => panic!("expected an answer or a scrape but received another step"),
    }
}

pub(crate) fn body(response: &Response) -> &[u8] {
    response.body.as_slice()
}
