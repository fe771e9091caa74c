//! Content negotiation (RFC 9110, section 12): picks the format and the encoding that a scraper prefers.

use crate::serialization::Format;

/// A media type of expositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentType {
    /// The format of the body.
    pub format: Format,
    /// The value of `Content-Type`.
    pub header: &'static str,
}

const TEXT: ContentType =
    ContentType { format: Format::PrometheusText, header: Format::PrometheusText.content_type() };
#[cfg(feature = "openmetrics")]
const OPENMETRICS_1: ContentType =
    ContentType { format: Format::OpenMetrics, header: Format::OpenMetrics.content_type() };
#[cfg(feature = "openmetrics")]
const OPENMETRICS_0: ContentType = ContentType {
    format: Format::OpenMetrics,
    header: "application/openmetrics-text; version=0.0.1; charset=utf-8",
};

/// Picks the format by `Accept`. Formats that this crate does not write (protobuf, text 1.0.0) are skipped. If no clause
/// is left, for browsers, and without the header, the format is text 0.0.4, as in every Prometheus client.
#[must_use]
pub fn content_type(accept: Option<&str>) -> ContentType {
    let mut best = (0.0, 0, TEXT);
    for clause in accept.iter().flat_map(|accept| accept.split(',')) {
        let Some((offer, specificity)) = offer(clause) else { continue };
        let Some(quality) = quality(clause) else { continue };
        if quality > best.0 || (quality > 0.0 && quality == best.0 && specificity > best.1) {
            best = (quality, specificity, offer);
        }
    }
    best.2
}

/// The format that a clause of `Accept` names, and how specific the clause is.
fn offer(clause: &str) -> Option<(ContentType, u8)> {
    let media_type = clause.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let version = parameter(clause, "version");
    match (media_type.as_str(), version) {
        #[cfg(feature = "openmetrics")]
        ("application/openmetrics-text", Some("1.0.0")) => Some((OPENMETRICS_1, 3)),
        #[cfg(feature = "openmetrics")]
        ("application/openmetrics-text", Some("0.0.1") | None) => Some((OPENMETRICS_0, 3)),
        ("text/plain", Some("0.0.4") | None) => Some((TEXT, 3)),
        ("text/*", _) => Some((TEXT, 2)),
        ("*/*", _) => Some((TEXT, 1)),
        _ => None,
    }
}

/// How a body may be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not compressed.
    Identity,
    /// Compressed with gzip if the body is large enough.
    Gzip,
    /// Compressed with gzip at every size, because the scraper accepts nothing else.
    GzipOnly,
    /// The scraper accepts neither gzip nor the plain body.
    NotAcceptable,
}

/// Picks the encoding by `Accept-Encoding`: gzip if the header names it (or `*`) with at least the weight of the plain
/// body.
#[must_use]
pub fn coding(accept_encoding: Option<&str>) -> Coding {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for clause in accept_encoding.iter().flat_map(|header| header.split(',')) {
        let coding = clause.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let wanted = match coding.as_str() {
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        // Keep what an earlier clause said.
        *wanted = quality(clause).or(*wanted);
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    // The plain body is acceptable unless the header excludes it by name or by `*;q=0`.
    let identity_refused = identity.or(any) == Some(0.0);
    match (gzip > 0.0, identity_refused) {
        (true, true) => Coding::GzipOnly,
        (true, false) if gzip >= identity.unwrap_or(0.0) => Coding::Gzip,
        (_, false) => Coding::Identity,
        (false, true) => Coding::NotAcceptable,
    }
}

/// The weight of a clause: 1 without `q`. `None` if `q` is malformed; such a clause is ignored, so that it neither
/// selects nor excludes anything. More than the three digits of RFC 9110 are accepted.
fn quality(clause: &str) -> Option<f32> {
    let Some(text) = parameter(clause, "q") else { return Some(1.0) };
    let is_decimal =
        text.starts_with(['0', '1']) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|q: &f32| is_decimal && (0.0..=1.0).contains(q))
}

/// The first parameter of this name. Repeated parameters (Prometheus 3.0 sends some) are ignored.
fn parameter<'a>(clause: &'a str, name: &str) -> Option<&'a str> {
    clause.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[cfg(feature = "openmetrics")]
    #[test]
    fn every_known_scraper_gets_what_it_asks_for() {
        let cases = [
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OPENMETRICS_1,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OPENMETRICS_1,
            ),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPENMETRICS_1,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPENMETRICS_1,
            ),
            (
                "text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.9,text/plain;version=0.0.4;q=0.3",
                TEXT,
            ),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
            ("application/openmetrics-text", OPENMETRICS_0),
            ("application/openmetrics-text; version=0.0.1", OPENMETRICS_0),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"", OPENMETRICS_1),
            ("application/openmetrics-text;version=1.0.0;q=0.3,text/plain;q=0.5", TEXT),
            ("application/openmetrics-text;version=1.0.0;q=0,*/*;q=0.1", TEXT),
            ("application/openmetrics-text;version=9.9.9", TEXT),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
            ("application/openmetrics-text;version=1.0.0;q=nonsense", TEXT),
            (";;;,,,q=,=;", TEXT),
        ];
        for (accept, expected) in cases {
            assert_eq!(content_type(Some(accept)), expected, "{accept}");
        }
        assert_eq!(content_type(None), TEXT);
    }

    #[cfg(not(feature = "openmetrics"))]
    #[test]
    fn without_openmetrics_every_scraper_gets_text() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for accept in [None, Some(prometheus), Some("application/openmetrics-text;version=1.0.0")] {
            assert_eq!(content_type(accept), TEXT, "{accept:?}");
        }
    }

    #[test]
    fn gzip_is_used_only_where_it_is_wanted() {
        let cases = [
            (
                Coding::Gzip,
                &["gzip", "deflate, gzip;q=0.5", "*", "gzip;q=0.5, identity;q=0.5", "GZIP", "x-gzip"][..],
            ),
            (Coding::Gzip, &["gzip, gzip;q=x", "identity;q=nan, gzip;q=0.2", "gzip;q=0.33333"]),
            (Coding::GzipOnly, &["identity;q=0, gzip", "gzip, *;q=0", "*, identity;q=0"]),
            (
                Coding::Identity,
                &[
                    "",
                    "identity",
                    "gzip;q=0",
                    "br, zstd",
                    "gzip;q=0.1, identity",
                    "gzip;q=0, *",
                    "identity, *;q=0",
                    ";;,=q",
                    "gzip;q=x",
                    "gzip;q=",
                    "identity;q=x",
                    "*;q=2",
                    "*;q=-0, identity;q=1e-9",
                    "identity;q=+0",
                ],
            ),
            (Coding::NotAcceptable, &["*;q=0", "identity;q=0", "br, identity;q=0", "gzip;q=0, identity;q=0"]),
        ];
        for (expected, headers) in cases {
            for header in headers {
                assert_eq!(coding(Some(header)), expected, "{header}");
            }
        }
        assert_eq!(coding(None), Coding::Identity);
    }
}
