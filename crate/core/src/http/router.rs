//! Serves a `ScrapeService` over HTTP: carries out the steps that the service returns, and converts its responses to
//! axum's. The exporter asks a `Door`; a Rust program can mount the axum router in its own.

use super::body::Body;
use super::handler::{ScrapeService, Step};
use super::health::{Check, CheckOutcome};
use super::host::{Asker, Host, Question, Reply, Visitor};
use super::places::Places;
use super::request::Request;
use super::response::Response;
use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use bytes::Bytes;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a request waits for the host program's decision whether it is allowed.
const AUTHORIZE_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a scrape looks for memory before it is refused, and the pause between two looks: 750 ms in all.
const MEMORY_ATTEMPTS: u32 = 30;
const MEMORY_PAUSE: Duration = Duration::from_millis(25);

/// Answers the requests of an exporter or of a router.
#[derive(Clone)]
pub(crate) struct Door {
    service: Arc<ScrapeService>,
    asker: Option<Arc<Asker>>,
    ready_timeout: Duration,
    /// The connections of an exporter, which can be closed if memory is short.
    places: Option<Arc<Places>>,
}

/// The client's address, as an extension of its requests; `None` for a Unix socket. Without the extension the address
/// is unknown, and an allowlist rejects the request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub Option<IpAddr>);

/// A router in which the service answers every path. The client's address is taken from the `Peer` extension of the
/// request. There is no host program: only collectors in Rust run, and there are no readiness checks.
pub fn router(service: Arc<ScrapeService>) -> Router {
    Door::new(service, None, Duration::from_secs(1)).router()
}

impl Door {
    pub(crate) fn new(
        service: Arc<ScrapeService>,
        host: Option<Arc<dyn Host>>,
        ready_timeout: Duration,
    ) -> Self {
        let asker = host.map(|host| Arc::new(Asker::new(host, Arc::clone(service.health()))));
        Self { service, asker, ready_timeout, places: None }
    }

    pub(crate) fn with_places(self, places: Arc<Places>) -> Self {
        Self { places: Some(places), ..self }
    }

    pub(crate) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    /// Answers a request of this client. The service reads no body.
    pub(crate) async fn serve<B>(
        &self,
        request: axum::http::Request<B>,
        peer: Option<IpAddr>,
    ) -> axum::response::Response {
        let (parts, _body) = request.into_parts();
        converted(self.answer(&parts, peer).await)
    }

    async fn answer(&self, parts: &Parts, peer: Option<IpAddr>) -> Response {
        let headers = headers_of(&parts.headers);
        let mut step = self.service.receive(&request_of(parts, &headers, peer));
        loop {
            step = match step {
                Step::Answer(response) => return response,
                Step::NotOurs => return Response::plain(404, "Not found.\n"),
                Step::Verify(visit, verification) => {
                    let (sender, receiver) = oneshot::channel();
                    self.service.verify(visit, verification, move |step| drop(sender.send(step)));
                    match receiver.await {
                        Ok(step) => step,
                        Err(_) => return Response::plain(500, "Authentication failed.\n"),
                    }
                }
                Step::Authorize(visit) => match self.authorized(parts, peer).await {
                    Some(allowed) => self.service.authorize(visit, allowed),
                    None => return self.service.undecided(),
                },
                Step::Check(visit) => return self.service.ready(&visit, &self.checks().await),
                Step::Scrape(plan) => {
                    if let Some(asker) = &self.asker
                        && plan.shows_values()
                        && !asker.collect(plan.names(), plan.budget()).await
                        && let Some(metrics) = self.service.listener_metrics()
                    {
                        metrics.stale_scrapes.inc();
                    }
                    self.await_memory().await;
                    if self.service.is_small(&plan) {
                        let (response, mismatched) = self.service.scrape_now(&plan);
                        self.warn_of(&mismatched);
                        return response;
                    }
                    let (sender, receiver) = oneshot::channel();
                    self.service.scrape(plan, move |response, mismatched| {
                        // The send fails if the client has closed the connection.
                        let _ = sender.send((response, mismatched));
                    });
                    let Ok((response, mismatched)) = receiver.await else {
                        return Response::plain(500, "The scrape failed.\n");
                    };
                    self.warn_of(&mismatched);
                    return response;
                }
            }
        }
    }

    /// If responses that clients do not read use up the memory, gives up the oldest ones until there is room.
    async fn await_memory(&self) {
        let Some(places) = &self.places else { return };
        for _ in 0..MEMORY_ATTEMPTS {
            if self.service.has_memory() {
                return;
            }
            // A connection that was given up frees its response when its task runs.
            let pause = if places.give_up_an_unread_response() { Duration::ZERO } else { MEMORY_PAUSE };
            tokio::time::sleep(pause).await;
        }
    }

    async fn authorized(&self, parts: &Parts, peer: Option<IpAddr>) -> Option<bool> {
        let asker = self.asker.as_ref()?;
        let visitor = Visitor {
            method: parts.method.to_string(),
            target: target_of(parts).to_owned(),
            peer,
            headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text_of(value))).collect(),
        };
        match asker.ask(Question::Authorize(visitor), AUTHORIZE_TIMEOUT).await {
            Some(Reply::Authorized(allowed)) => Some(allowed),
            _ => None,
        }
    }

    /// Runs the readiness checks. A host that does not answer counts as a check that timed out.
    async fn checks(&self) -> Vec<Check> {
        let budget = self.ready_timeout;
        if let Some(asker) = &self.asker
            && let Some(checks) = asker.ready(budget).await
        {
            return checks;
        }
        vec![Check { name: "checks".to_owned(), outcome: CheckOutcome::TimedOut }]
    }

    fn warn_of(&self, mismatched: &[String]) {
        let Some(asker) = &self.asker else { return };
        for name in mismatched {
            asker.host().mismatched(name);
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(None)))
    }
}

async fn serve(
    State(door): State<Door>,
    Peer(peer): Peer,
    request: axum::extract::Request,
) -> axum::response::Response {
    door.serve(request, peer).await
}

/// Path and query. A target without a path is a host, as `CONNECT` has it.
fn target_of(parts: &Parts) -> &str {
    let host = || parts.uri.authority().filter(|_| parts.uri.scheme().is_none());
    match parts.uri.path_and_query() {
        Some(target) => target.as_str(),
        None => host().map_or("/", |host| host.as_str()),
    }
}

/// The values of `Request::HEADERS`.
type Headers = [Option<String>; Request::HEADERS.len()];

/// The headers that the service reads. A list can be spread over several header lines, and a proxy may add its client's
/// address in another `X-Forwarded-For` line: lines of one name are joined. `Authorization` is not a list: the first
/// line counts.
fn headers_of(headers: &HeaderMap) -> Headers {
    Request::HEADERS.map(|name| {
        let mut values = headers.get_all(name).iter().map(text_of);
        let first = values.next()?;
        if name == header::AUTHORIZATION.as_str() {
            return Some(first);
        }
        Some(values.fold(first, |list, value| list + ", " + &value))
    })
}

/// A header's value as text. Bytes beyond ASCII are read as Latin-1.
fn text_of(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

fn request_of<'a>(parts: &'a Parts, headers: &'a Headers, peer: Option<IpAddr>) -> Request<'a> {
    let mut values = headers.iter();
    let length = parts.headers.get(header::CONTENT_LENGTH);
    Request {
        method: parts.method.as_str(),
        target: target_of(parts),
        peer,
        // The exporter sets `Peer` on every request; `None` in it means a Unix socket.
        is_local: matches!(parts.extensions.get(), Some(Peer(None))),
        is_misaddressed: is_misaddressed(parts),
        has_body: parts.headers.contains_key(header::TRANSFER_ENCODING)
            || length.is_some_and(|length| length != "0"),
        ..Request::default()
    }
    .with_headers(|_| values.next()?.as_deref())
}

/// RFC 9112, section 3.2: an HTTP/1.1 request has one `Host` header. Older ones may have none.
fn is_misaddressed(parts: &Parts) -> bool {
    let hosts = parts.headers.get_all(header::HOST).iter().count();
    hosts > 1 || (hosts == 0 && parts.version == Version::HTTP_11)
}

/// A body that several responses share, as axum needs it.
struct SharedBody(Arc<Body>);

impl AsRef<[u8]> for SharedBody {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

pub(super) fn converted(response: Response) -> axum::response::Response {
    let body = if response.head_only { Bytes::new() } else { Bytes::from_owner(SharedBody(response.body)) };
    let mut converted = axum::response::Response::new(axum::body::Body::from(body));
    *converted.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: &mut HeaderMap = converted.headers_mut();
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(&**name), HeaderValue::try_from(&**value)) {
            headers.append(name, value);
        }
    }
    converted
}
