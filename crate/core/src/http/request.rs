//! A request as the service sees it, whichever door it came through: the parts that decide something, borrowed.

use std::net::IpAddr;

/// What of a request decides its answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The other end of the connection; nothing behind a Unix socket.
    pub peer: Option<IpAddr>,
    /// Whether a body comes with it.
    pub has_body: bool,
    /// `Accept`.
    pub accept: Option<&'a str>,
    /// `Accept-Encoding`.
    pub accept_encoding: Option<&'a str>,
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// `X-Forwarded-For`.
    pub forwarded_for: Option<&'a str>,
    /// `X-Prometheus-Scrape-Timeout-Seconds`.
    pub scrape_timeout: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// The headers that the service reads, in lower case, in the order of `with_headers`.
    pub const HEADERS: [&'static str; 5] = [
        "accept",
        "accept-encoding",
        "authorization",
        "x-forwarded-for",
        "x-prometheus-scrape-timeout-seconds",
    ];

    /// Takes the headers from `find`, which is asked for each name of `HEADERS`.
    #[must_use]
    pub fn with_headers(mut self, mut find: impl FnMut(&'static str) -> Option<&'a str>) -> Self {
        [self.accept, self.accept_encoding, self.authorization, self.forwarded_for, self.scrape_timeout] =
            Self::HEADERS.map(&mut find);
        self
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &'a str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The query, decoded: names and values in turn.
    pub(crate) fn query(&self) -> form_urlencoded::Parse<'a> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.split('#').next().unwrap_or_default().as_bytes())
    }
}
