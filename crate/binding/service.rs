//! The scrape service for a JavaScript door: it takes a request and returns steps, which the door carries out.

use crate::answer::{Answer, Later};
use crate::config::NativeConfig;
use crate::error::{Code, Result, engine, refused};
use crate::registry::NativeRegistry;
use napi::Env;
use napi::bindgen_prelude::{Error, Object};
use napi_derive::napi;
use prometheus_metrics::http::{
    Check, CheckOutcome, Embedding, Plan, Rejection, Request, ScrapeService, Step, Verification, Visit,
};
use std::net::IpAddr;
use std::sync::Arc;

/// A scrape service.
#[napi]
pub struct NativeService {
    service: Arc<ScrapeService>,
}

/// A request as JavaScript passes it.
#[napi(object, object_to_js = false)]
pub struct DoorRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The socket's remote address.
    pub peer: Option<String>,
    /// True if the request breaks the rule for `Host`: HTTP/1.1 has exactly one, HTTP/1.0 at most one.
    pub is_misaddressed: Option<bool>,
    /// True if the request has a body.
    pub has_body: bool,
    /// The values of `requestHeaders()`, in that order; empty for missing headers.
    pub headers: Vec<String>,
}

/// The step that a door takes next.
#[napi(object, object_from_js = false)]
pub struct DoorStep {
    /// `notOurs`, `answer`, `verify`, `authorize`, `check` or `scrape`.
    #[napi(ts_type = "'notOurs' | 'answer' | 'verify' | 'authorize' | 'check' | 'scrape'")]
    pub kind: String,
    /// The answer to send.
    pub answer: Option<Answer>,
    /// The visit to continue with.
    pub visit: Option<NativeVisit>,
    /// The families whose collectors are to run.
    pub names: Option<Vec<String>>,
    /// How long they may take, in milliseconds.
    pub budget_ms: Option<f64>,
}

/// A request that waits for its next step.
#[napi]
pub struct NativeVisit {
    next: Option<NextStep>,
}

enum NextStep {
    Verify(Visit, Verification),
    At(Visit),
    Scrape(Plan),
}

/// How a service is embedded in a program.
#[napi(object, object_to_js = false)]
pub struct EmbeddingOptions {
    /// The door asks a callback whether a request is authorized.
    pub has_callback: bool,
    /// The door has readiness checks.
    pub has_checks: bool,
    /// Shows only the registry's own values.
    pub own_values: bool,
    /// `/` is the page. Without effect for an exporter.
    pub has_page: Option<bool>,
}

/// The result of a readiness check.
#[napi(object, object_to_js = false)]
pub struct CheckResult {
    /// The check's name.
    pub name: String,
    /// `ok`, `timeout` or `failed`.
    #[napi(ts_type = "'ok' | 'timeout' | 'failed'")]
    pub outcome: String,
    /// The reason if it failed.
    pub reason: String,
}

impl CheckResult {
    pub(crate) fn into_check(self) -> Check {
        let outcome = match self.outcome.as_str() {
            "ok" => CheckOutcome::Ok,
            "timeout" => CheckOutcome::TimedOut,
            _ => CheckOutcome::Failed(self.reason),
        };
        Check { name: self.name, outcome }
    }
}

/// The headers that `DoorRequest::headers` holds.
#[napi(catch_unwind)]
pub fn request_headers() -> Vec<&'static str> {
    Request::HEADERS.to_vec()
}

#[napi]
impl NativeService {
    /// A service for a registry.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        registry: &NativeRegistry,
        config: &NativeConfig,
        embedding: EmbeddingOptions,
    ) -> Result<Self> {
        let embedding = Embedding::default()
            .owns_all_paths(false)
            .has_callback(embedding.has_callback)
            .has_checks(embedding.has_checks)
            .own_values(embedding.own_values)
            .has_page(embedding.has_page == Some(true));
        let service = ScrapeService::new(Arc::clone(&registry.target), &config.config, embedding);
        Ok(Self { service: Arc::new(service.map_err(refused)?) })
    }

    /// The first step of a request.
    #[napi(catch_unwind)]
    pub fn receive(&self, request: DoorRequest) -> DoorStep {
        let mut values = request.headers.iter();
        let read = Request {
            method: &request.method,
            target: &request.target,
            peer: request.peer.as_deref().and_then(address),
            is_misaddressed: request.is_misaddressed.unwrap_or_default(),
            has_body: request.has_body,
            ..Request::default()
        }
        .with_headers(|_| values.next().map(String::as_str).filter(|value| !value.is_empty()));
        step_of(self.service.receive(&read))
    }

    /// The first step of a scrape without access control.
    #[napi(catch_unwind)]
    pub fn request(
        &self,
        accept: Option<String>,
        accept_encoding: Option<String>,
        names: Vec<String>,
    ) -> DoorStep {
        let request = Request {
            accept: accept.as_deref(),
            accept_encoding: accept_encoding.as_deref(),
            ..Request::default()
        };
        step_of(self.service.request(&request, names))
    }

    /// Hashes a password on a thread of the library; resolves to the next step.
    #[napi(catch_unwind, ts_return_type = "Promise<DoorStep>")]
    pub fn verify<'env>(&self, env: &'env Env, visit: &mut NativeVisit) -> Result<Object<'env>> {
        let Some(NextStep::Verify(visit, verification)) = visit.next.take() else { return Err(taken()) };
        let (deferred, promise) = env.create_deferred::<DoorStep, Later<DoorStep>>().map_err(engine)?;
        self.service.verify(visit, verification, move |step| {
            deferred.resolve(Box::new(move |_| Ok(step_of(step))));
        });
        Ok(promise)
    }

    /// The next step after a callback has allowed or refused a request.
    #[napi(catch_unwind)]
    pub fn authorize(&self, visit: &mut NativeVisit, allowed: bool) -> Result<DoorStep> {
        let Some(NextStep::At(visit)) = visit.next.take() else { return Err(taken()) };
        Ok(step_of(self.service.authorize(visit, allowed)))
    }

    /// The answer to a request whose callback failed or took too long.
    #[napi(catch_unwind)]
    pub fn undecided(&self) -> Answer {
        Answer::new(self.service.undecided(), Vec::new())
    }

    /// The answer of `/ready` with the results of its checks.
    #[napi(catch_unwind)]
    pub fn ready(&self, visit: &mut NativeVisit, checks: Vec<CheckResult>) -> Result<Answer> {
        let Some(NextStep::At(visit)) = visit.next.take() else { return Err(taken()) };
        let checks: Vec<Check> = checks.into_iter().map(CheckResult::into_check).collect();
        Ok(Answer::new(self.service.ready(&visit, &checks), Vec::new()))
    }

    /// True if `scrape_now` costs less than handing the scrape to a thread.
    #[napi(catch_unwind)]
    pub fn is_small(&self, visit: &NativeVisit) -> bool {
        matches!(&visit.next, Some(NextStep::Scrape(plan)) if self.service.is_small(plan))
    }

    /// The answer to a scrape, made at once on this thread. After an overload the visit may scrape again.
    #[napi(catch_unwind)]
    pub fn scrape_now(&self, visit: &mut NativeVisit) -> Result<Answer> {
        let Some(NextStep::Scrape(plan)) = &visit.next else { return Err(taken()) };
        let (response, mismatched) = self.service.scrape_now(plan);
        Ok(Answer::new(response, mismatched))
    }

    /// The answer to a scrape, made on a thread of the library. After an overload the visit may scrape again.
    #[napi(catch_unwind, ts_return_type = "Promise<Answer>")]
    pub fn scrape<'env>(&self, env: &'env Env, visit: &mut NativeVisit) -> Result<Object<'env>> {
        let Some(NextStep::Scrape(plan)) = &visit.next else { return Err(taken()) };
        let (deferred, promise) = env.create_deferred::<Answer, Later<Answer>>().map_err(engine)?;
        self.service.scrape(plan.clone(), move |response, mismatched| {
            deferred.resolve(Box::new(move |_| Ok(Answer::new(response, mismatched))));
        });
        Ok(promise)
    }

    /// True if another exposition fits into the memory limit.
    #[napi(catch_unwind)]
    pub fn has_room(&self) -> bool {
        self.service.has_memory()
    }

    /// Counts an answer that the door has given up: because its client read too slowly, or to make room for another.
    #[napi(catch_unwind)]
    pub fn gave_up(&self, late: bool) {
        self.service.reject(if late { Rejection::WriteTimeout } else { Rejection::Overload });
    }

    /// Sets the answer of `/ready`.
    #[napi(catch_unwind)]
    pub fn set_ready(&self, ready: bool) {
        self.service.health().set_ready(ready);
    }
}

/// The error for a visit that is used a second time.
fn taken() -> Error<Code> {
    engine(napi::Error::from_reason("the request has taken this step already"))
}

/// Parses an address as sockets print it; IPv6 addresses may have a zone.
fn address(text: &str) -> Option<IpAddr> {
    text.split('%').next()?.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn step_of(step: Step) -> DoorStep {
    let (kind, answer, next) = match step {
        Step::NotOurs => ("notOurs", None, None),
        Step::Answer(response) => ("answer", Some(Answer::new(response, Vec::new())), None),
        Step::Verify(visit, verification) => ("verify", None, Some(NextStep::Verify(visit, verification))),
        Step::Authorize(visit) => ("authorize", None, Some(NextStep::At(visit))),
        Step::Check(visit) => ("check", None, Some(NextStep::At(visit))),
        Step::Scrape(plan) => ("scrape", None, Some(NextStep::Scrape(plan))),
    };
    let (names, budget_ms) = match &next {
        Some(NextStep::Scrape(plan)) => {
            (Some(plan.names().to_vec()), Some(plan.budget().as_secs_f64() * 1000.0))
        }
        _ => (None, None),
    };
    let visit = next.map(|next| NativeVisit { next: Some(next) });
    DoorStep { kind: kind.to_owned(), answer, visit, names, budget_ms }
}
