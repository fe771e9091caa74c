//! The way to the receiver: the trait between pushers and HTTP. It must not know what a request contains, or what an answer means.

use super::tls_files::TlsTexts;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Sends the requests of one pusher, one after the other, on a thread of the pusher.
pub trait Transport: Send {
    /// Sends a request and waits for the answer, until the deadline at the latest. A redirect is an answer like any other: to follow
    /// it would give the credentials to another server.
    ///
    /// # Errors
    /// Why there is no answer.
    fn send(&mut self, request: &HttpRequest<'_>, deadline: Instant) -> Result<HttpAnswer, Failure>;

    /// Called when nothing waits to be sent. The next request may come after an interval, and receivers close connections that
    /// are idle for long.
    fn rest(&mut self) {}
}

/// A request, complete but for what HTTP itself adds.
#[non_exhaustive]
pub struct HttpRequest<'a> {
    /// `POST` or `PUT`.
    pub method: &'static str,
    /// A name or an address, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub target: &'a str,
    /// Names and values, `Host` and `Content-Length` among them.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// The body.
    pub body: &'a [u8],
    /// For `https`: the certificates. It is another `Arc` when a file has changed.
    pub tls: Option<&'a Arc<TlsTexts>>,
}

/// The final answer to a request: interim ones are skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// Names, in any case, and values.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body: two kilobytes are enough.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The name could not be resolved, or the connection could not be made.
    Connect(String),
    /// The connection broke, or the answer is not HTTP.
    Exchange(String),
    /// Not in time.
    Timeout,
}

impl Failure {
    /// The value of the label `reason`.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Exchange(_) => "connection",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "no connection: {why}"),
            Self::Exchange(why) => write!(f, "the connection broke: {why}"),
            Self::Timeout => f.write_str("no answer in time"),
        }
    }
}
