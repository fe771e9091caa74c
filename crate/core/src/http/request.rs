//! The parts of a request that the service reads, borrowed from the door that received it.

use std::net::IpAddr;

/// The parts of a request that decide its response.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The address of the other end of the connection, if it is known.
    pub peer: Option<IpAddr>,
    /// Whether it came through a Unix socket, for which file permissions decide about access.
    pub is_local: bool,
    /// Whether it breaks the rule for `Host`: an HTTP/1.1 request has exactly one, an older one at most one.
    pub is_misaddressed: bool,
    /// Whether it has a body.
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

    /// Sets the headers. `find` is called for each name in `HEADERS`.
    #[must_use]
    pub fn with_headers(mut self, mut find: impl FnMut(&'static str) -> Option<&'a str>) -> Self {
        [self.accept, self.accept_encoding, self.authorization, self.forwarded_for, self.scrape_timeout] =
            Self::HEADERS.map(&mut find);
        self
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &'a str {
        match self.target_here().split(['?', '#']).next() {
            None | Some("") => "/",
            Some(path) => path,
        }
    }

    /// The target without scheme and authority, which clients of a proxy send.
    fn target_here(&self) -> &'a str {
        match self.target.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                rest.find(['/', '?', '#']).map_or("/", |at| &rest[at..])
            }
            _ => self.target,
        }
    }

    /// The decoded pairs of the query.
    pub(crate) fn query(&self) -> form_urlencoded::Parse<'a> {
        let query = self.target_here().split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.split('#').next().unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_have_a_scheme_and_an_authority() {
        let cases = [
            ("/metrics?name[]=a#b", "/metrics", Some("a")),
            ("http://example.com:9090/metrics?name[]=a", "/metrics", Some("a")),
            ("HTTPS://[::1]/metrics?u=http://x/y", "/metrics", Some("http://x/y")),
            ("http://example.com", "/", None),
            ("http://example.com?name[]=a", "/", Some("a")),
            ("/metrics?u=http://x/health", "/metrics", Some("http://x/health")),
            ("//metrics", "//metrics", None),
            ("*", "*", None),
            ("", "/", None),
        ];
        for (target, path, value) in cases {
            let request = Request { target, ..Request::default() };
            assert_eq!(request.path(), path, "{target}");
            assert_eq!(request.query().next().map(|(_, value)| value).as_deref(), value, "{target}");
        }
    }
}
