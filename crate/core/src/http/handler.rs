//! The scrape service: what a request is answered with. Doors (a handler in JavaScript, a listener) carry bytes, take
//! the steps that the service names, and decide nothing.

use super::auth::Verification;
use super::body::Meter;
use super::expositions::{Cache, Expositions, Failure, Outcome};
use super::gate::{Gate, Passage};
use super::health::{Check, Health};
use super::maker::{Key, Maker};
use super::negotiation::{self, Coding};
use super::request::Request;
use super::response::Response;
use super::self_metrics::{ListenerMetrics, Rejection, SelfMetrics};
use super::target::{INLINE_LINES, Target};
use super::web_config::WebConfig;
use super::workers::HASHES;
use crate::config::MetricsConfig;
use crate::error::Result;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Name filters of one request.
const MAX_NAMES: usize = 1000;
/// What is left of a scraper's timeout for collectors: the answer has to be written and sent in the rest.
const COLLECTOR_SHARE: f64 = 0.9;
/// However long a scraper says that it waits.
const LONGEST_BUDGET: Duration = Duration::from_secs(600);
/// When to come again after an overload: expositions in flight are gone soon.
const OVERLOAD_WAIT: Duration = Duration::from_secs(1);

/// How a service is embedded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Embedding {
    /// Every path is the service's, and `/` a page for people: for a listener of its own.
    pub owns_all_paths: bool,
    /// The embedding program lets in whom it likes (`Step::Authorize`).
    pub has_callback: bool,
    /// `/ready` has checks that the embedding program runs (`Step::Check`).
    pub has_checks: bool,
    /// Only the registry's own values, not those of the other contributors of its process.
    pub own_values: bool,
}

/// What is to be done with a request.
pub enum Step {
    /// Nothing: the path is not the service's.
    NotOurs,
    /// Send this.
    Answer(Response),
    /// Call `verify`, which answers with the next step.
    Verify(Visit, Verification),
    /// Find out whether the embedding program lets the request in, and call `authorize`.
    Authorize(Visit),
    /// Run the readiness checks, and call `ready`.
    Check(Visit),
    /// Have collectors do their work within `Plan::budget`, then call `scrape` or `scrape_now`.
    Scrape(Plan),
}

/// A request on its way through the gate, and what it wants behind it.
pub struct Visit {
    errand: Errand,
}

enum Errand {
    Answer(Response),
    Scrape(Plan),
    Ready { head_only: bool },
    Health { head_only: bool },
}

/// A scrape that is allowed.
pub struct Plan {
    key: Key,
    head_only: bool,
    arrived: Instant,
    budget: Duration,
}

impl Plan {
    /// The families that are wanted; all where it is empty.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match &self.key {
            Key::Exposition { names, .. } => names,
            Key::Page => &[],
        }
    }

    /// How long collectors may take.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.budget
    }

    /// Whether values are shown, for which collectors have to be asked.
    #[must_use]
    pub fn shows_values(&self) -> bool {
        matches!(self.key, Key::Exposition { .. })
    }
}

/// Decides what requests are answered with.
pub struct ScrapeService {
    maker: Arc<Maker>,
    expositions: Arc<Expositions>,
    gate: Gate,
    embedding: Embedding,
    scrape_timeout: Duration,
    compression: bool,
    protect_health: bool,
    extra_headers: Vec<(String, String)>,
}

impl ScrapeService {
    /// A service for a target.
    ///
    /// # Errors
    /// `InvalidConfig` for addresses, hashes, token files and web configuration files that are none.
    pub fn new(target: Arc<Target>, config: &MetricsConfig, embedding: Embedding) -> Result<Self> {
        Self::with_web(target, config, WebConfig::of(config)?, embedding)
    }

    /// As `new`, for whoever has read the web configuration file already.
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
            extra_headers: web.headers,
        })
    }

    /// The first step of a request.
    #[must_use]
    pub fn receive(&self, request: &Request<'_>) -> Step {
        let path = request.path();
        let guarded = match path {
            "/health" | "/ready" => self.protect_health,
            path if path == self.maker.metrics_path => true,
            _ if self.embedding.owns_all_paths => true,
            _ => return Step::NotOurs,
        };
        let visit = Visit { errand: self.errand(request, path) };
        if !guarded {
            return self.enter(visit);
        }
        self.pass(self.gate.check(request, self.gate.client(request)), visit)
    }

    /// Has a password hashed on a thread of the library, which takes a tenth of a second, and says what comes next.
    pub fn verify(
        self: &Arc<Self>,
        visit: Visit,
        verification: Verification,
        done: impl FnOnce(Step) + Send + 'static,
    ) {
        // Whoever is refused for want of room has `done` called by this very call.
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

    /// What comes next once the embedding program has let a request in, or not.
    #[must_use]
    pub fn authorize(&self, visit: Visit, allowed: bool) -> Step {
        if allowed {
            return self.enter(visit);
        }
        self.reject(Rejection::Unauthorized);
        Step::Answer(self.finish(self.gate.unauthorized()))
    }

    /// The answer of a request whose fate the embedding program did not decide in time.
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
                Step::Answer(self.finish(response))
            }
        }
    }

    /// What a request wants, whoever it is.
    fn errand(&self, request: &Request<'_>, path: &str) -> Errand {
        let head_only = request.method == "HEAD";
        let known = matches!(path, "/" | "/health" | "/ready") || path == self.maker.metrics_path;
        if !known {
            return Errand::Answer(Response::plain(404, "Not found.\n"));
        }
        if !head_only && request.method != "GET" {
            let response = Response::plain(405, "Method not allowed: use GET or HEAD.\n");
            return Errand::Answer(response.with("allow", "GET, HEAD"));
        }
        if request.has_body {
            self.reject(Rejection::Body);
            let response = Response::plain(413, "Expected no body.\n");
            return Errand::Answer(response.with("connection", "close"));
        }
        match path {
            "/health" => Errand::Health { head_only },
            "/ready" => Errand::Ready { head_only },
            "/" => Errand::Scrape(self.plan(Key::Page, head_only, request)),
            _ => self.exposition(request, names_of(request), head_only),
        }
    }

    /// The first step of a scrape that no gate guards, of these families; of all where there are none.
    #[must_use]
    pub fn request(&self, request: &Request<'_>, names: Vec<String>) -> Step {
        self.enter(Visit { errand: self.exposition(request, names, false) })
    }

    fn exposition(&self, request: &Request<'_>, mut names: Vec<String>, head_only: bool) -> Errand {
        let coding = self.coding(request);
        if coding == Coding::NotAcceptable {
            let response = Response::plain(406, "Expected gzip or identity in Accept-Encoding.\n");
            return Errand::Answer(response);
        }
        if names.len() > MAX_NAMES {
            let text = format!("Expected at most {MAX_NAMES} names in name[].\n");
            return Errand::Answer(Response::plain(400, &text));
        }
        names.sort_unstable();
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
            .map(|budget| budget.min(LONGEST_BUDGET));
        let budget = theirs.unwrap_or(self.scrape_timeout);
        Plan { key, head_only, arrived: Instant::now(), budget }
    }

    /// What comes next behind the gate.
    fn enter(&self, visit: Visit) -> Step {
        match visit.errand {
            Errand::Answer(response) => Step::Answer(self.finish(response)),
            Errand::Health { head_only } => {
                Step::Answer(self.finish(Response { head_only, ..self.maker.health.liveness() }))
            }
            Errand::Ready { .. } if self.embedding.has_checks => Step::Check(visit),
            Errand::Ready { head_only } => Step::Answer(self.readiness(&[], head_only)),
            Errand::Scrape(plan) => match self.cached_answer(&plan) {
                Some(response) => Step::Answer(response),
                None => Step::Scrape(plan),
            },
        }
    }

    /// The answer of `/ready`, with what its checks said.
    #[must_use]
    pub fn ready(&self, visit: &Visit, checks: &[Check]) -> Response {
        let head_only = matches!(visit.errand, Errand::Ready { head_only: true });
        self.readiness(checks, head_only)
    }

    fn readiness(&self, checks: &[Check], head_only: bool) -> Response {
        self.finish(Response { head_only, ..self.maker.health.readiness(checks) })
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

    /// Answers a scrape from a thread of the library. Scrapes that want the same at the same time share the work.
    /// `done` is called once, with the names of families that were left out of a merge.
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

    /// Answers a scrape here and now: for small registries, where handing over costs more than the work.
    #[must_use]
    pub fn scrape_now(&self, plan: &Plan) -> (Response, Vec<String>) {
        let outcome = self.expositions.make_now(&plan.key);
        self.respond(plan, outcome)
    }

    /// Whether `scrape_now` is the better choice.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.maker.target.is_small(INLINE_LINES, self.embedding.own_values)
    }

    fn respond(&self, plan: &Plan, outcome: Outcome) -> (Response, Vec<String>) {
        let response = match outcome {
            Ok(exposition) => {
                if plan.shows_values() {
                    self.maker.metrics.answered(plan.arrived.elapsed(), exposition.plain_bytes);
                }
                let mut response =
                    Response::new(200, exposition.content_type, Arc::clone(&exposition.body)).not_stored();
                if plan.shows_values() {
                    response = response.with("vary", "accept, accept-encoding");
                }
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
            response.headers.push((Cow::Owned(name.clone()), Cow::Owned(value.clone())));
        }
        response
    }

    /// Counts what was not served.
    pub fn reject(&self, reason: Rejection) {
        self.maker.metrics.reject(reason);
    }

    /// Where the program says that it lives.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.maker.health
    }

    /// What is scraped.
    #[must_use]
    pub fn target(&self) -> &Arc<Target> {
        &self.maker.target
    }

    pub(crate) fn listener_metrics(&self) -> Option<&ListenerMetrics> {
        self.maker.listener.as_ref()
    }
}

/// The families that a query names, and one more than there may be at the most.
fn names_of(request: &Request<'_>) -> Vec<String> {
    let named = request.query().filter(|(name, _)| name == "name[]").map(|(_, value)| value.into_owned());
    named.take(MAX_NAMES + 1).collect()
}
