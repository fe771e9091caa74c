//! Decides how each request is answered. A door (a JavaScript handler or the exporter) passes a request in, carries out
//! the steps that the service returns, and sends the response; it decides nothing. How an exposition is made is in
//! `maker.rs`, how it is shared and cached in `expositions.rs`.

use super::auth::Verification;
use super::body::Meter;
use super::expositions::{Cache, Expositions, Outcome};
use super::gate::{Gate, Passage};
use super::health::{Check, Health};
use super::maker::{Failure, Key, Maker};
use super::negotiation::{self, Coding};
use super::page;
use super::request::Request;
use super::response::Response;
use super::self_metrics::{ListenerMetrics, Rejection, SelfMetrics};
use super::target::Target;
use super::web_config::WebConfig;
use super::workers::HASHES;
use crate::config::MetricsConfig;
use crate::error::Result;
use crate::sort::sort_by;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most name filters in one request.
const MAX_NAMES: usize = 1000;
/// The part of a scraper's timeout that collectors may use. The rest is for writing and sending the response.
const COLLECTOR_SHARE: f64 = 0.9;
/// The shortest budget of collectors, even if the scraper announces a shorter timeout.
const SHORTEST_BUDGET: Duration = Duration::from_millis(100);
/// The longest budget of collectors, even if the scraper announces a longer timeout.
const LONGEST_BUDGET: Duration = Duration::from_secs(600);
/// `Retry-After` for an overload. It is short, because expositions in flight are sent soon.
const OVERLOAD_WAIT: Duration = Duration::from_secs(1);

/// How a service is embedded in its program.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Embedding {
    /// The service answers every path, and `/` with an HTML page unless the setting `page` is false. For an exporter,
    /// which has its own listener.
    pub owns_all_paths: bool,
    #[doc(hidden)]
    /// The host program has a callback that authorizes requests (`Step::Authorize`).
    pub has_callback: bool,
    #[doc(hidden)]
    /// The host program has readiness checks for `/ready` (`Step::Check`).
    pub has_checks: bool,
    /// Show only the registry's own values, without those of the other contributors of its process.
    pub own_values: bool,
    /// `/` is the page, though the service does not own all paths. The setting `page` is for those that do: an operator's
    /// variable must not take `/` away from a program.
    pub has_page: bool,
}

setters!(Embedding {
    owns_all_paths: bool,
    has_callback: bool,
    has_checks: bool,
    own_values: bool,
    has_page: bool,
});

/// What the door has to do next.
pub enum Step {
    /// Pass the request on: the path does not belong to the service.
    NotOurs,
    /// Send this response.
    Answer(Response),
    /// Call `verify`, which returns the next step.
    Verify(Visit, Verification),
    /// Ask the host program whether the request is allowed, then call `authorize`.
    Authorize(Visit),
    /// Run the readiness checks, then call `ready`.
    Check(Visit),
    /// Run the collectors within `Plan::budget`, then call `scrape` or `scrape_now`.
    Scrape(Plan),
}

/// A request whose access is still being checked, with the action that follows.
pub struct Visit {
    errand: Errand,
    /// The request has a body, which is not read.
    has_body: bool,
    /// The client has shown credentials, so it may see the application's error messages.
    is_known: bool,
}

enum Errand {
    Answer(Response),
    Scrape(Plan),
    Ready { head_only: bool },
    Health { head_only: bool },
}

/// An authorized scrape.
#[derive(Clone)]
pub struct Plan {
    key: Key,
    head_only: bool,
    arrived: Instant,
    budget: Duration,
}

impl Plan {
    /// The families to show; all families if empty.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match &self.key {
            Key::Exposition { names, .. } => names,
            Key::Page { .. } => &[],
        }
    }

    /// How long collectors may take.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.budget
    }

    /// Whether the response shows values, so that collectors must run first.
    #[must_use]
    pub fn shows_values(&self) -> bool {
        matches!(self.key, Key::Exposition { .. })
    }
}

/// Decides how requests are answered.
pub struct ScrapeService {
    maker: Arc<Maker>,
    expositions: Arc<Expositions>,
    gate: Gate,
    embedding: Embedding,
    scrape_timeout: Duration,
    compression: bool,
    protect_health: bool,
    has_page: bool,
    extra_headers: Vec<(String, String)>,
}

impl ScrapeService {
    /// A service for a target.
    ///
    /// # Errors
    /// `InvalidConfig` for an invalid address or hash, or an unreadable token or web configuration file.
    pub fn new(target: Arc<Target>, config: &MetricsConfig, embedding: Embedding) -> Result<Self> {
        Self::with_web(target, config, WebConfig::of(config)?, embedding)
    }

    /// Like `new`, with a web configuration file that the caller has already read.
    pub(crate) fn with_web(
        target: Arc<Target>,
        config: &MetricsConfig,
        web: WebConfig,
        embedding: Embedding,
    ) -> Result<Self> {
        target.limit_series(config.cardinality_max_per_metric, config.cardinality_max_total);
        let metrics = SelfMetrics::new()?;
        let listener =
            if embedding.owns_all_paths { Some(ListenerMetrics::new(&metrics.registry)?) } else { None };
        let meter = Arc::new(Meter::default());
        let maker = Arc::new(Maker {
            target,
            metrics,
            listener,
            health: Arc::new(Health::new(config.stall_after)),
            meter: Arc::clone(&meter),
            metrics_path: config.path.clone(),
            compression_min_size: config.compression_min_size,
            own_values: embedding.own_values,
            self_metrics: config.self_metrics,
        });
        let cache = config.cache().map(|ttl| Cache::new(ttl, Arc::clone(maker.target.registry().clock())));
        let making = Arc::clone(&maker);
        let expositions = Expositions::new(meter, config.max_body_bytes, cache, move |key| making.make(key));
        Ok(Self {
            maker,
            expositions,
            gate: Gate::new(config, &web, embedding.has_callback)?,
            embedding,
            scrape_timeout: config.scrape_timeout,
            compression: config.compression_enabled,
            protect_health: config.protect_health,
            has_page: if embedding.owns_all_paths { config.page.unwrap_or(true) } else { embedding.has_page },
            extra_headers: web.headers,
        })
    }

    #[doc(hidden)]
    /// The first step of a request.
    #[must_use]
    pub fn receive(&self, request: &Request<'_>) -> Step {
        let path = request.path();
        let guarded = match path {
            "/health" | "/ready" => self.protect_health,
            path if path == self.maker.metrics_path => true,
            "/" if self.has_page => true,
            _ if self.embedding.owns_all_paths => true,
            _ => return Step::NotOurs,
        };
        if request.is_misaddressed {
            self.reject(Rejection::Malformed);
            return Step::Answer(self.finish(Response::plain(400, "Expected one Host header.\n").closing()));
        }
        let client = self.gate.client(request);
        // Without a guard, credentials only decide how much `/ready` shows.
        let is_known =
            if guarded { self.gate.knows_clients() } else { self.gate.recognizes(request, client) };
        let visit = Visit { errand: self.errand(request, path), has_body: request.has_body, is_known };
        if !guarded {
            return self.enter(visit);
        }
        self.pass(self.gate.check(request, client), visit)
    }

    #[doc(hidden)]
    /// Hashes a password on a thread of the library, which takes about 0.1 s, and calls `done` with the next step.
    pub fn verify(
        self: &Arc<Self>,
        visit: Visit,
        verification: Verification,
        done: impl FnOnce(Step) + Send + 'static,
    ) {
        // If the queue is full, `done` is called below, by this call. So both ways need access to it.
        let visit = Arc::new(Mutex::new(Some((visit, done))));
        let (service, taken) = (Arc::clone(self), Arc::clone(&visit));
        let job = move || {
            let held = taken.lock().take();
            if let Some((visit, done)) = held {
                done(service.pass(service.gate.verify(verification), visit));
            }
        };
        if HASHES.submit(Box::new(job)) {
            return;
        }
        let held = visit.lock().take();
        if let Some((_, done)) = held {
            self.reject(Rejection::CredentialLimit);
            let response = Response::plain(429, "Too many credentials to check.\n");
            done(Step::Answer(self.finish(response.retry_after(OVERLOAD_WAIT))));
        }
    }

    #[doc(hidden)]
    /// The step after the host program has allowed or denied a request.
    #[must_use]
    pub fn authorize(&self, visit: Visit, allowed: bool) -> Step {
        if allowed {
            return self.enter(visit);
        }
        self.reject(Rejection::Unauthorized);
        self.end(self.gate.unauthorized(), visit.has_body)
    }

    #[doc(hidden)]
    /// The response if the host program has not decided in time.
    #[must_use]
    pub fn undecided(&self) -> Response {
        self.reject(Rejection::Unauthorized);
        let response = Response::plain(503, "Authentication is not available.\n");
        self.finish(response.retry_after(OVERLOAD_WAIT))
    }

    fn pass(&self, passage: Passage, visit: Visit) -> Step {
        match passage {
            Passage::Open => self.enter(visit),
            Passage::Verify(verification) => Step::Verify(visit, verification),
            Passage::Ask => Step::Authorize(visit),
            Passage::Shut(reason, response) => {
                self.reject(reason);
                self.end(response, visit.has_body)
            }
        }
    }

    /// What the request asks for, before access is checked.
    fn errand(&self, request: &Request<'_>, path: &str) -> Errand {
        let head_only = request.method == "HEAD";
        let known = match path {
            "/" => self.has_page,
            "/health" | "/ready" => true,
            path => path == self.maker.metrics_path,
        };
        if !known {
            return Errand::Answer(Response::plain(404, "Not found.\n"));
        }
        if !head_only && request.method != "GET" {
            let response = Response::plain(405, "Method not allowed: use GET or HEAD.\n");
            return Errand::Answer(response.with("allow", "GET, HEAD"));
        }
        if request.has_body {
            self.reject(Rejection::Body);
            return Errand::Answer(Response::plain(413, "Expected no body.\n"));
        }
        match path {
            "/health" => Errand::Health { head_only },
            "/ready" => Errand::Ready { head_only },
            "/" => self.page(request, head_only),
            _ => self.exposition(request, names_of(request), head_only),
        }
    }

    #[doc(hidden)]
    /// The first step of a scrape without access checks. An empty `names` means all families.
    #[must_use]
    pub fn request(&self, request: &Request<'_>, names: Vec<String>) -> Step {
        let errand = self.exposition(request, names, false);
        self.enter(Visit { errand, has_body: false, is_known: false })
    }

    fn page(&self, request: &Request<'_>, head_only: bool) -> Errand {
        match self.coding(request) {
            Coding::NotAcceptable => not_acceptable(),
            coding => {
                let gzip = matches!(coding, Coding::Gzip | Coding::GzipOnly);
                Errand::Scrape(self.plan(Key::Page { gzip }, head_only, request))
            }
        }
    }

    fn exposition(&self, request: &Request<'_>, mut names: Vec<String>, head_only: bool) -> Errand {
        let coding = self.coding(request);
        if coding == Coding::NotAcceptable {
            return not_acceptable();
        }
        if names.len() > MAX_NAMES {
            let text = format!("Expected at most {MAX_NAMES} names in name[].\n");
            return Errand::Answer(Response::plain(400, &text));
        }
        sort_by(&mut names, Ord::cmp);
        names.dedup();
        let key = Key::Exposition {
            content_type: negotiation::content_type(request.accept),
            gzip: matches!(coding, Coding::Gzip | Coding::GzipOnly),
            forced: coding == Coding::GzipOnly,
            names,
        };
        Errand::Scrape(self.plan(key, head_only, request))
    }

    /// How the body may be encoded. A build without gzip ignores `Accept-Encoding`.
    fn coding(&self, request: &Request<'_>) -> Coding {
        if !cfg!(feature = "gzip") {
            return Coding::Identity;
        }
        match negotiation::coding(request.accept_encoding) {
            Coding::GzipOnly if !self.compression => Coding::NotAcceptable,
            _ if !self.compression => Coding::Identity,
            coding => coding,
        }
    }

    fn plan(&self, key: Key, head_only: bool, request: &Request<'_>) -> Plan {
        let theirs = request
            .scrape_timeout
            .and_then(|seconds| seconds.trim().parse::<f64>().ok())
            .and_then(|seconds| Duration::try_from_secs_f64(seconds * COLLECTOR_SHARE).ok())
            .filter(|budget| !budget.is_zero())
            .map(|budget| budget.clamp(SHORTEST_BUDGET.min(self.scrape_timeout), LONGEST_BUDGET));
        let budget = theirs.unwrap_or(self.scrape_timeout);
        Plan { key, head_only, arrived: Instant::now(), budget }
    }

    /// The step after access was granted.
    fn enter(&self, visit: Visit) -> Step {
        match visit.errand {
            Errand::Answer(response) => self.end(response, visit.has_body),
            Errand::Health { head_only } => {
                let processes = self.maker.target.process().and_then(|process| process.processes());
                Step::Answer(self.finish(Response { head_only, ..self.maker.health.liveness(processes) }))
            }
            Errand::Ready { .. } if self.embedding.has_checks => Step::Check(visit),
            Errand::Ready { head_only } => Step::Answer(self.readiness(&[], head_only, false)),
            Errand::Scrape(plan) => match self.cached_answer(&plan) {
                Some(response) => Step::Answer(response),
                None => Step::Scrape(plan),
            },
        }
    }

    #[doc(hidden)]
    /// The response of `/ready`, with the outcomes of its checks.
    #[must_use]
    pub fn ready(&self, visit: &Visit, checks: &[Check]) -> Response {
        let head_only = matches!(visit.errand, Errand::Ready { head_only: true });
        self.readiness(checks, head_only, visit.is_known)
    }

    fn readiness(&self, checks: &[Check], head_only: bool, shows_reasons: bool) -> Response {
        self.finish(Response { head_only, ..self.maker.health.readiness(checks, shows_reasons) })
    }

    /// The response to a request that is not served. Its body, if it has one, is not read.
    fn end(&self, response: Response, has_body: bool) -> Step {
        Step::Answer(self.finish(if has_body { response.closing() } else { response }))
    }

    fn cached_answer(&self, plan: &Plan) -> Option<Response> {
        if !self.expositions.has_cache() || !plan.shows_values() {
            return None;
        }
        let Some(exposition) = self.expositions.cached(&plan.key) else {
            self.maker.metrics.cache_miss();
            return None;
        };
        self.maker.metrics.cache_hit();
        Some(self.respond(plan, Ok(exposition)).0)
    }

    #[doc(hidden)]
    /// Answers a scrape on a thread of the library. Equal scrapes at the same time share one exposition. `done` is
    /// called once, with the response and the names of families that were left out of the merge.
    pub fn scrape(self: &Arc<Self>, plan: Plan, done: impl FnOnce(Response, Vec<String>) + Send + 'static) {
        let service = Arc::clone(self);
        self.expositions.ask(
            plan.key.clone(),
            Box::new(move |outcome| {
                let (response, mismatched) = service.respond(&plan, outcome);
                done(response, mismatched);
            }),
        );
    }

    #[doc(hidden)]
    /// Answers a scrape on the calling thread. For small registries, where another thread costs more than the work.
    #[must_use]
    pub fn scrape_now(&self, plan: &Plan) -> (Response, Vec<String>) {
        let outcome = self.expositions.make_now(&plan.key);
        self.respond(plan, outcome)
    }

    #[doc(hidden)]
    /// Whether the exposition is so small that `scrape_now` is faster than `scrape`.
    #[must_use]
    pub fn is_small(&self, plan: &Plan) -> bool {
        let compressed = match plan.key {
            // Its 90 kB take a millisecond in every registry.
            Key::Page { gzip: true } => return false,
            Key::Page { .. } => false,
            Key::Exposition { gzip, .. } => gzip,
        };
        self.maker.target.is_small(compressed, self.embedding.own_values)
    }

    fn respond(&self, plan: &Plan, outcome: Outcome) -> (Response, Vec<String>) {
        let response = match outcome {
            Ok(exposition) => {
                if plan.shows_values() {
                    self.maker.metrics.answered(plan.arrived.elapsed(), exposition.plain_bytes);
                }
                let mut response =
                    Response::new(200, exposition.content_type.clone(), Arc::clone(&exposition.body))
                        .not_stored();
                response = if plan.shows_values() {
                    response.with("vary", "accept, accept-encoding")
                } else {
                    response
                        .with("vary", "accept-encoding")
                        .with("content-security-policy", page::policy())
                        .with("referrer-policy", "no-referrer")
                };
                if exposition.gzip {
                    response = response.with("content-encoding", "gzip");
                }
                response.head_only = plan.head_only;
                return (self.finish(response), exposition.mismatched.clone());
            }
            Err(Failure::Overloaded) => {
                self.reject(Rejection::Overload);
                Response::plain(503, "Too many expositions in flight.\n").retry_after(OVERLOAD_WAIT)
            }
            Err(Failure::Panicked) => Response::plain(500, "The scrape failed.\n"),
        };
        (self.finish(response), Vec::new())
    }

    fn finish(&self, mut response: Response) -> Response {
        for (name, value) in &self.extra_headers {
            // The file may set a header that every response has.
            response.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            response.headers.push((Cow::Owned(name.clone()), Cow::Owned(value.clone())));
        }
        response
    }

    #[doc(hidden)]
    /// Counts a request or connection that was not served.
    pub fn reject(&self, reason: Rejection) {
        self.maker.metrics.reject(reason);
    }

    #[doc(hidden)]
    /// The liveness and readiness of the host program.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.maker.health
    }

    #[doc(hidden)]
    /// Whether another exposition fits into the memory for expositions.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        self.expositions.has_room()
    }

    /// Shows when the certificate of the exporter expires.
    pub(crate) fn certificate_expires(&self, seconds: u64) {
        if let Some(listener) = self.listener_metrics() {
            listener.certificate_expires(&self.maker.metrics.registry, seconds);
        }
    }

    /// The target of scrapes.
    #[must_use]
    pub fn target(&self) -> &Arc<Target> {
        &self.maker.target
    }

    pub(crate) fn listener_metrics(&self) -> Option<&ListenerMetrics> {
        self.maker.listener.as_ref()
    }
}

fn not_acceptable() -> Errand {
    Errand::Answer(Response::plain(406, "Expected gzip or identity in Accept-Encoding.\n"))
}

/// The families that a query names: at most one more than allowed, so that the caller can see that there are too many.
fn names_of(request: &Request<'_>) -> Vec<String> {
    let named = request.query().filter(|(name, _)| name == "name[]").map(|(_, value)| value.into_owned());
    named.take(MAX_NAMES + 1).collect()
}
