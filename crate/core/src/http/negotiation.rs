//! Content negotiation (RFC 9110, section 12): picks the format, the escaping of names and the encoding that a scraper
//! prefers.

use crate::labels::Escaping;
use crate::serialization::Format;
use std::borrow::Cow;

/// A media type of expositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentType {
    /// The format of the body.
    pub format: Format,
    media_type: &'static str,
    escaping: Option<Escaping>,
}

impl ContentType {
    const fn of(format: Format) -> Self {
        Self { format, media_type: format.content_type(), escaping: None }
    }

    /// How names beyond the old rule are shown. Versions before 1.0.0 know no escaping, so they have underscores.
    #[must_use]
    pub fn escaping(&self) -> Escaping {
        self.escaping.unwrap_or_default()
    }

    /// The value of `Content-Type`. It repeats the `escaping` of names that the scraper asked for.
    #[must_use]
    pub fn header(&self) -> Cow<'static, str> {
        match self.escaping {
            Some(escaping) => Cow::Owned(format!("{}; escaping={}", self.media_type, escaping.as_str())),
            None => Cow::Borrowed(self.media_type),
        }
    }
}

const TEXT: ContentType = ContentType::of(Format::PrometheusText);
/// Text 1.0.0 differs from 0.0.4 only in names beyond the old rule. It always names its escaping.
const TEXT_1: ContentType = ContentType {
    media_type: "text/plain; version=1.0.0; charset=utf-8",
    escaping: Some(Escaping::Underscores),
    ..TEXT
};
#[cfg(feature = "openmetrics")]
const OPENMETRICS_1: ContentType = ContentType::of(Format::OpenMetrics);
#[cfg(feature = "openmetrics")]
const OPENMETRICS_2: ContentType = ContentType::of(Format::OpenMetrics2);
#[cfg(feature = "protobuf")]
const PROTOBUF: ContentType = ContentType::of(Format::Protobuf);
#[cfg(feature = "openmetrics")]
const OPENMETRICS_0: ContentType =
    ContentType { media_type: "application/openmetrics-text; version=0.0.1; charset=utf-8", ..OPENMETRICS_1 };

/// Picks the format by `Accept`. Formats that this crate does not write are skipped. If no clause is left, for browsers,
/// and without the header, the format is text 0.0.4, as in every Prometheus client.
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
    let named = match (media_type.as_str(), version) {
        #[cfg(feature = "openmetrics")]
        ("application/openmetrics-text", Some("2.0.0")) => OPENMETRICS_2,
        #[cfg(feature = "openmetrics")]
        ("application/openmetrics-text", Some("1.0.0")) => OPENMETRICS_1,
        #[cfg(feature = "openmetrics")]
        ("application/openmetrics-text", Some("0.0.1") | None) => return Some((OPENMETRICS_0, 3)),
        #[cfg(feature = "protobuf")]
        ("application/vnd.google.protobuf", _)
            if has(clause, "proto", "io.prometheus.client.MetricFamily")
                && has(clause, "encoding", "delimited") =>
        {
            PROTOBUF
        }
        ("text/plain", Some("1.0.0")) => TEXT_1,
        ("text/plain", Some("0.0.4") | None) => return Some((TEXT, 3)),
        ("text/*", _) => return Some((TEXT, 2)),
        ("*/*", _) => return Some((TEXT, 1)),
        _ => return None,
    };
    // Versions before 1.0.0 know no escaping.
    let asked = Escaping::ALL.into_iter().find(|known| has(clause, "escaping", known.as_str()));
    Some((ContentType { escaping: asked.or(named.escaping), ..named }, 3))
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

/// Whether a parameter has this value, in any case.
fn has(clause: &str, name: &str, value: &str) -> bool {
    parameter(clause, name).is_some_and(|given| given.eq_ignore_ascii_case(value))
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

    /// What scrapers send, with the value of `Content-Type` in the answer.
    #[cfg(all(feature = "openmetrics", feature = "protobuf"))]
    #[test]
    fn every_known_scraper_gets_what_it_asks_for() {
        const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
        const TEXT_1: &str = "text/plain; version=1.0.0; charset=utf-8; escaping=";
        const OM_0: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";
        const OM_1: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        const OM_2: &str = "application/openmetrics-text; version=2.0.0; charset=utf-8";
        const PROTO: &str =
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
        const ASKS_PROTO: &str =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        const V2_42: &str =
            "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        const V3_16: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3";
        let utf8 = |base: &str| format!("{base}; escaping=allow-utf-8");
        let cases: Vec<(String, String)> = vec![
            // Prometheus 2.42, and with native histograms.
            (format!("application/openmetrics-text;version=1.0.0,{V2_42}"), OM_1.into()),
            (format!("{ASKS_PROTO},application/openmetrics-text;version=1.0.0;q=0.8,{V2_42}"), PROTO.into()),
            // 2.49
            ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2".into(), OM_1.into()),
            // 3.0: all types with the parameter, one of them twice.
            ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.2,*/*;q=0.1".into(), utf8(OM_1)),
            // 3.4, and with native histograms.
            ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2".into(), utf8(OM_1)),
            (format!("{ASKS_PROTO};escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1"), utf8(PROTO)),
            // The servers from 3.4 on name no scheme for protobuf.
            (format!("{ASKS_PROTO};q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"), PROTO.into()),
            // 3.16: as it is, with native histograms, with names of the old rule, with OpenMetrics 2.0.
            (V3_16.into(), utf8(OM_1)),
            (format!("{ASKS_PROTO};escaping=allow-utf-8;q=0.7,{}", V3_16.replacen("q=0.7", "q=0.65", 1)), utf8(PROTO)),
            (V3_16.replace("allow-utf-8", "underscores"), format!("{OM_1}; escaping=underscores")),
            (format!("application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.7,{}", V3_16.replacen("q=0.7", "q=0.65", 1)), utf8(OM_2)),
            // vmagent
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1".into(), TEXT.into()),
            ("text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.9,text/plain;version=0.0.4;q=0.3".into(), format!("{TEXT_1}allow-utf-8")),
            ("text/plain;version=1.0.0;escaping=dots".into(), format!("{TEXT_1}dots")),
            ("text/plain;version=1.0.0;escaping=values".into(), format!("{TEXT_1}values")),
            ("text/plain;version=1.0.0".into(), format!("{TEXT_1}underscores")),
            ("text/plain;version=1.0.0;escaping=unknown".into(), format!("{TEXT_1}underscores")),
            ("text/plain;version=0.0.4;escaping=dots".into(), TEXT.into()),
            ("application/openmetrics-text".into(), OM_0.into()),
            ("application/openmetrics-text; version=0.0.1; escaping=dots".into(), OM_0.into()),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"".into(), OM_1.into()),
            ("application/openmetrics-text;version=2.0.0".into(), OM_2.into()),
            ("application/openmetrics-text;version=1.0.0;q=0.3,text/plain;q=0.5".into(), TEXT.into()),
            ("application/openmetrics-text;version=1.0.0;q=0,*/*;q=0.1".into(), TEXT.into()),
            ("application/openmetrics-text;version=9.9.9".into(), TEXT.into()),
            // Protobuf of another message, or not delimited.
            ("application/vnd.google.protobuf".into(), TEXT.into()),
            (ASKS_PROTO.replace("delimited", "text"), TEXT.into()),
            (ASKS_PROTO.replace("MetricFamily", "Other"), TEXT.into()),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".into(), TEXT.into()),
            ("application/openmetrics-text;version=1.0.0;q=nonsense".into(), TEXT.into()),
            (";;;,,,q=,=;".into(), TEXT.into()),
        ];
        for (accept, expected) in cases {
            assert_eq!(content_type(Some(&accept)).header(), expected, "{accept}");
        }
        assert_eq!(content_type(None).header(), TEXT);
    }

    #[cfg(not(any(feature = "openmetrics", feature = "protobuf")))]
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
