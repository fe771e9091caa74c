//! The service as an axum router: takes the steps that the service names, and turns its answers into axum's. The
//! exporter serves it; a Rust program may mount it in a router of its own.

use super::body::Body;
use super::handler::{ScrapeService, Step};
use super::health::{Check, CheckOutcome};
use super::host::{Asker, Host, Question, Reply, Visitor};
use super::request::Request;
use super::response::Response;
use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a request waits for the embedding program to say whether it may come in.
const AUTHORIZE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a router needs beside the service.
#[derive(Clone)]
pub(crate) struct Door {
    service: Arc<ScrapeService>,
    asker: Option<Arc<Asker>>,
    ready_timeout: Duration,
}

/// The address of a connection's other end, as an extension of its requests; none for a Unix socket. Without the
/// extension the other end is not known, and an allowlist keeps it out.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub Option<IpAddr>);

/// A router that answers every path as the service does. A request's peer is taken from its `Peer` extension. Without
/// a host, collectors in Rust are all there are, and there are no readiness checks.
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
        Self { service, asker, ready_timeout }
    }

    pub(crate) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(self)
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
                    if self.service.is_small() {
                        let (response, mismatched) = self.service.scrape_now(&plan);
                        self.warn_of(&mismatched);
                        return response;
                    }
                    let (sender, receiver) = oneshot::channel();
                    self.service.scrape(plan, move |response, mismatched| {
                        // The client may have gone.
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

    /// What the checks say; that nobody ran them, where nobody did.
    async fn checks(&self) -> Vec<Check> {
        let budget = self.ready_timeout;
        if let Some(asker) = &self.asker
            && let Some(Reply::Ready(checks)) = asker.ask(Question::Ready { budget }, budget).await
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
    let (parts, _body) = request.into_parts();
    converted(door.answer(&parts, peer).await)
}

fn target_of(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |target| target.as_str())
}

/// The values of `Request::HEADERS`.
type Headers = [Option<String>; Request::HEADERS.len()];

/// The headers that decide something. A list may come in several of one name, and a proxy that adds its client's
/// address to `X-Forwarded-For` may do so in one more; credentials are no list, and the first ones count.
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

/// The text of a header, whose bytes are Latin-1 where they are no ASCII.
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
        // An exporter says of each connection where it comes from; through a Unix socket, from nowhere.
        is_local: matches!(parts.extensions.get(), Some(Peer(None))),
        has_body: parts.headers.contains_key(header::TRANSFER_ENCODING)
            || length.is_some_and(|length| length != "0"),
        ..Request::default()
    }
    .with_headers(|_| values.next()?.as_deref())
}

/// A body that several responses share.
struct SharedBody(Arc<Body>);

impl AsRef<[u8]> for SharedBody {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

fn converted(response: Response) -> axum::response::Response {
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
