//! The response to a request: status, headers, body. It is the same for every door.

use super::body::Body;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A header's name, in lower case, and its value.
pub type Header = (Cow<'static, str>, Cow<'static, str>);

/// A response. Responses can share a body, so 200 scrapers of one exposition keep it in memory once.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, including `content-length`.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Arc<Body>,
    /// True for HEAD: the headers describe the body, but it is not sent.
    pub head_only: bool,
}

const NO_STORE: (&str, &str) = ("cache-control", "no-store");

impl Response {
    pub(crate) fn new(status: u16, content_type: Cow<'static, str>, body: Arc<Body>) -> Self {
        let length = body.as_slice().len().to_string();
        let headers = vec![
            (Cow::Borrowed("content-type"), content_type),
            (Cow::Borrowed("content-length"), Cow::Owned(length)),
            // Label values are chosen by others: no browser may read them as HTML.
            (Cow::Borrowed("x-content-type-options"), Cow::Borrowed("nosniff")),
        ];
        Self { status, headers, body, head_only: false }
    }

    pub(crate) fn plain(status: u16, text: &str) -> Self {
        Self::new(status, Cow::Borrowed("text/plain; charset=utf-8"), Arc::new(Body::from(text)))
    }

    pub(crate) fn json(status: u16, text: &str) -> Self {
        let content_type = Cow::Borrowed("application/json; charset=utf-8");
        Self::new(status, content_type, Arc::new(Body::from(text))).not_stored()
    }

    /// Forbids HTTP caches to store the response, because its values change all the time.
    pub(crate) fn not_stored(self) -> Self {
        self.with(NO_STORE.0, NO_STORE.1)
    }

    pub(crate) fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Closes the connection after the response: what follows on it may be a body.
    pub(crate) fn closing(self) -> Self {
        self.with("connection", "close")
    }

    /// Adds `Retry-After`, in whole seconds and at least one.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        self.with("retry-after", wait.as_secs_f64().ceil().max(1.0).to_string())
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_slice()).unwrap_or_default()
    }
}
