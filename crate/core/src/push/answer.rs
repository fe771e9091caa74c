//! Judges a receiver's answer: whether a request was stored, is sent again, dropped, or written in an older version. It
//! must not know connections or queues.

use super::settings::Protocol;
use super::transport::HttpAnswer;
use crate::serialization::Version;
use std::time::{Duration, SystemTime};

/// A receiver that asks for more patience than this is asked again all the same.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// What Prometheus answers to version 2.0 if it takes no native histograms: it refuses the whole request, with status 500.
const NO_NATIVE_HISTOGRAMS: &str = "native histograms are disabled";

/// An answer, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The samples that a receiver of remote write 2.0 has stored.
    pub(super) written: Option<u64>,
    /// The data points that a receiver of OTLP has refused.
    pub(super) rejected: u64,
    /// The beginning of the body, or the message in it.
    pub(super) text: String,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The receiver has it. Of its samples it refused so many.
    Accepted { refused: u64 },
    /// It is sent again, after this time at the earliest.
    Again(Duration),
    /// It is not sent again.
    Refused,
    /// The receiver does not know version 2.0, or not all of what this library writes in it.
    OlderVersion,
}

/// What was sent.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) protocol: Protocol,
    pub(super) version: Version,
    pub(super) samples: u64,
    /// An earlier answer of this receiver showed that it knows version 2.0.
    pub(super) is_version_known: bool,
}

impl Answer {
    /// Reads what matters of an answer.
    pub(super) fn of(answer: HttpAnswer) -> Self {
        let HttpAnswer { status, headers, body } = answer;
        let header = |wanted: &str| {
            headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let written = |what: &str| {
            let value = header(&format!("x-prometheus-remote-write-{what}-written"))?;
            value.parse::<u64>().ok()
        };
        let is_protobuf = header("content-type").is_some_and(|kind| kind.contains("protobuf"));
        let partial = if is_protobuf { partial_success(&body) } else { None };
        let (rejected, text) = partial.unwrap_or((0, &body));
        Self {
            status,
            rejected,
            retry_after: header("retry-after").and_then(Self::retry_after),
            written: written("samples")
                .map(|samples| samples.saturating_add(written("histograms").unwrap_or_default())),
            text: String::from_utf8_lossy(text).trim().to_owned(),
        }
    }

    /// Reads `Retry-After`: seconds, or a date.
    fn retry_after(value: &str) -> Option<Duration> {
        let value = value.trim();
        let wait = match value.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default()
            }
        };
        Some(wait.min(MAX_RETRY_AFTER))
    }

    pub(super) fn verdict(&self, sent: Sent) -> Verdict {
        let has_older = sent.protocol == Protocol::RemoteWrite && sent.version == Version::V2;
        let may_be_older = has_older && !sent.is_version_known;
        match self.status {
            // A receiver that does not know version 2.0 may accept it and store nothing, also in the place of one that knew it.
            200..=299 if has_older && self.written.is_none() => Verdict::OlderVersion,
            200..=299 if sent.protocol == Protocol::Otlp => {
                Verdict::Accepted { refused: self.rejected.min(sent.samples) }
            }
            200..=299 => Verdict::Accepted {
                refused: sent.samples.saturating_sub(self.written.unwrap_or(sent.samples)),
            },
            415 if has_older => Verdict::OlderVersion,
            400 if may_be_older && self.written.is_none() => Verdict::OlderVersion,
            // Version 1.0 is written without them.
            400.. if has_older && self.text.contains(NO_NATIVE_HISTOGRAMS) => Verdict::OlderVersion,
            429 => self.again(),
            502..=504 => self.again(),
            500..=599 if sent.protocol != Protocol::Otlp => self.again(),
            _ => Verdict::Refused,
        }
    }

    fn again(&self) -> Verdict {
        Verdict::Again(self.retry_after.unwrap_or_default())
    }
}

/// The number of refused data points, and the reason, in the beginning of an `ExportMetricsServiceResponse`.
fn partial_success(mut body: &[u8]) -> Option<(u64, &[u8])> {
    const PARTIAL_SUCCESS: u64 = 1 << 3 | 2;
    const REJECTED: u64 = 1 << 3;
    const MESSAGE: u64 = 2 << 3 | 2;
    if varint(&mut body)? != PARTIAL_SUCCESS {
        return None;
    }
    let mut rest = sized(&mut body)?;
    let (mut rejected, mut text) = (0, &[][..]);
    while let Some(tag) = varint(&mut rest) {
        match tag {
            // It is signed.
            REJECTED => rejected = varint(&mut rest)?.cast_signed().max(0).cast_unsigned(),
            MESSAGE => text = sized(&mut rest)?,
            _ => break,
        }
    }
    Some((rejected, text))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// What a length stands before. Its end may be missing.
fn sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(bytes)?).ok()?;
    let (content, rest) = bytes.split_at(length.min(bytes.len()));
    *bytes = rest;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Sent =
        Sent { protocol: Protocol::RemoteWrite, version: Version::V2, samples: 10, is_version_known: false };

    fn verdict(status: u16, written: Option<u64>, sent: Sent) -> Verdict {
        Answer { status, written, ..Answer::default() }.verdict(sent)
    }

    #[test]
    fn a_receiver_that_does_not_know_version_2_is_recognised() {
        for (status, written) in [(204, None), (200, None), (415, None), (400, None)] {
            assert_eq!(verdict(status, written, SENT), Verdict::OlderVersion, "{status}");
        }
        let known = Sent { is_version_known: true, ..SENT };
        assert_eq!(verdict(204, Some(10), SENT), Verdict::Accepted { refused: 0 });
        assert_eq!(verdict(400, Some(7), SENT), Verdict::Refused);
        assert_eq!(verdict(400, None, known), Verdict::Refused);
        assert_eq!(verdict(204, None, known), Verdict::OlderVersion, "another receiver has taken its place");
        assert_eq!(verdict(415, None, known), Verdict::OlderVersion);
        assert_eq!(verdict(204, Some(4), known), Verdict::Accepted { refused: 6 });
        let older = Sent { version: Version::V1, ..SENT };
        assert_eq!(verdict(204, None, older), Verdict::Accepted { refused: 0 });
        for status in [400, 415] {
            assert_eq!(verdict(status, None, older), Verdict::Refused);
        }
    }

    #[test]
    fn a_receiver_without_native_histograms_gets_version_1() {
        let text = format!("{NO_NATIVE_HISTOGRAMS}\n");
        let answer = Answer { status: 500, text, ..Answer::default() };
        let known = Sent { is_version_known: true, ..SENT };
        assert_eq!(answer.verdict(known), Verdict::OlderVersion);
        let older = Sent { version: Version::V1, ..SENT };
        assert_eq!(answer.verdict(older), Verdict::Again(Duration::ZERO));
    }

    #[test]
    fn points_that_otlp_refuses_are_counted() {
        let otlp = Sent { protocol: Protocol::Otlp, version: Version::V1, samples: 500, ..SENT };
        let answer = |body: &[u8]| {
            let headers = vec![("content-type".to_owned(), "application/x-protobuf".to_owned())];
            Answer::of(HttpAnswer { status: 200, headers, body: body.to_vec() })
        };
        let some = answer(b"\x0a\x0a\x08\xac\x02\x12\x05stale");
        assert_eq!(some.text, "stale");
        assert_eq!(some.verdict(otlp), Verdict::Accepted { refused: 300 });
        let cut = answer(b"\x0a\xff\x7f\x08\x07\x12\xf0\x7ftoo");
        assert_eq!((cut.text.as_str(), cut.rejected), ("too", 7));
        for (body, refused) in [
            (&b""[..], 0),
            (b"{}", 0),
            (b"\x0a\x00", 0),
            (b"\x0a\x06\x08\xff\xff\xff\xff\x7f", 500),
            (b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
        ] {
            assert_eq!(answer(body).verdict(otlp), Verdict::Accepted { refused }, "{body:?}");
        }
    }

    #[test]
    fn written_histograms_are_samples_too() {
        let header =
            |what: &str, value: &str| (format!("X-Prometheus-Remote-Write-{what}-Written"), value.to_owned());
        let written = |headers| Answer::of(HttpAnswer { headers, ..HttpAnswer::default() }).written;
        assert_eq!(written(vec![header("Samples", "3"), header("Histograms", "2")]), Some(5));
        assert_eq!(written(vec![header("Samples", "3")]), Some(3));
        assert_eq!(
            written(vec![header("Samples", "18446744073709551615"), header("Histograms", "2")]),
            Some(u64::MAX)
        );
        assert_eq!(written(vec![header("Exemplars", "3")]), None);
    }

    #[test]
    fn what_is_sent_again_depends_on_the_protocol() {
        for protocol in [Protocol::RemoteWrite1, Protocol::Otlp, Protocol::Pushgateway] {
            let sent = Sent { protocol, version: Version::V1, ..SENT };
            for status in [429, 502, 503, 504] {
                assert_eq!(verdict(status, None, sent), Verdict::Again(Duration::ZERO), "{status}");
            }
            for status in [301, 302, 307, 400, 401, 403, 404, 413, 422] {
                assert_eq!(verdict(status, None, sent), Verdict::Refused, "{status}");
            }
            let is_again = protocol != Protocol::Otlp;
            assert_eq!(verdict(500, None, sent) == Verdict::Again(Duration::ZERO), is_again);
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("Date", "now"),
            header("RETRY-after", "7"),
            header("X-Prometheus-Remote-Write-Samples-Written", " 12 "),
        ];
        let answer = Answer::of(HttpAnswer { status: 503, headers, body: b" busy\n".to_vec() });
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(
            answer,
            Answer { status: 503, retry_after, written: Some(12), rejected: 0, text: "busy".to_owned() }
        );
        let answer =
            Answer::of(HttpAnswer { headers: vec![header("Retry-After", "soon")], ..HttpAnswer::default() });
        assert_eq!(answer, Answer::default());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |text: &str| Answer::retry_after(text).map(|wait| wait.as_secs());
        assert_eq!(seconds(" 7 "), Some(7));
        assert_eq!(seconds("100000"), Some(300));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!((95..=100).contains(&seconds(&later).expect("a date")));
    }
}
