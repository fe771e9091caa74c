//! Sends the waiting pushes, the oldest first, until the receiver has answered for good. It must not know how pushes are made.

use super::answer::{Answer, Sent, Verdict};
use super::encode::COMPRESSION;
use super::queue::Request;
use super::settings::Protocol;
use super::shared::Shared;
use super::tls_files::TlsFiles;
use super::transport::{Failure, HttpRequest, Transport};
use crate::serialization::Version;
use axum::http::header::{AUTHORIZATION, HeaderName, USER_AGENT};
use parking_lot::MutexGuard;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause after the first failed attempt. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends until the pusher ends.
pub(super) fn run(shared: &Shared, transport: &mut dyn Transport, mut files: Option<&mut TlsFiles>) {
    let mut failures = 0;
    let mut is_version_known = false;
    // The newest push of which a request was refused.
    let mut refused = 0;
    while let Some((id, request)) = shared.next_request(transport) {
        let mut written = 0;
        let (verdict, reason) = match attempt(shared, &request, transport, files.as_deref_mut()) {
            Ok(answer) => {
                is_version_known |= answer.written.is_some();
                written = answer.written.unwrap_or_default();
                let sent = Sent {
                    protocol: shared.receiver.protocol,
                    version: if request.is_second { Version::V2 } else { Version::V1 },
                    samples: request.samples,
                    is_version_known,
                };
                (answer.verdict(sent), Reason::of_answer(&answer))
            }
            Err(reason) => (Verdict::Again(Duration::ZERO), reason),
        };
        match verdict {
            Verdict::Accepted { refused: samples } => {
                failures = 0;
                shared.accepted(&request, samples, &reason.text);
                shared.finish(id, refused != id);
            }
            Verdict::OlderVersion => shared.use_older_version(&reason.text),
            Verdict::Refused => {
                failures = 0;
                refused = id;
                // The receiver may have stored a part.
                shared.stored(written.min(request.samples), 0);
                shared.failed(&reason, false);
                shared.finish(id, false);
            }
            Verdict::Again(asked) => {
                failures += 1;
                shared.failed(&reason, true);
                shared.rest(asked.max(pause(failures)), asked.is_zero());
            }
        }
    }
}

/// Why an attempt failed.
pub(super) struct Reason {
    /// The value of a label.
    pub(super) label: String,
    pub(super) text: String,
}

impl Reason {
    fn of_answer(answer: &Answer) -> Self {
        let Answer { status, text, .. } = answer;
        let text = if text.is_empty() {
            format!("it answered {status}")
        } else {
            format!("it answered {status}: {text}")
        };
        Self { label: status.to_string(), text }
    }

    fn of_failure(failure: &Failure) -> Self {
        Self { label: failure.reason().to_owned(), text: failure.to_string() }
    }
}

/// Sends a request once.
fn attempt(
    shared: &Shared,
    request: &Request,
    transport: &mut dyn Transport,
    files: Option<&mut TlsFiles>,
) -> Result<Answer, Reason> {
    let deadline = Instant::now() + shared.timeout;
    let authorization =
        shared.credentials.header().map_err(|text| Reason { label: "credentials".to_owned(), text })?;
    let tls = files.map(TlsFiles::current);
    let length = request.body.len().to_string();
    let receiver = &shared.receiver;
    let (method, content_type, encoding, version) = kind(receiver.protocol, request.is_second);
    let mut headers = vec![
        ("Host", receiver.name.as_str()),
        ("Content-Type", content_type),
        ("Content-Length", length.as_str()),
    ];
    let is_given = |name: &HeaderName| receiver.headers.iter().any(|(given, _)| given == name);
    let agent = concat!("prometheus-metrics/", env!("CARGO_PKG_VERSION"));
    let more = [
        ("Content-Encoding", encoding),
        ("X-Prometheus-Remote-Write-Version", version),
        ("User-Agent", Some(agent).filter(|_| !is_given(&USER_AGENT))),
        ("Authorization", authorization.as_deref().filter(|_| !is_given(&AUTHORIZATION))),
    ];
    headers.extend(more.iter().filter_map(|(name, value)| value.map(|value| (*name, value))));
    let own = headers.into_iter().map(|(name, value)| (name, value.as_bytes()));
    let given = receiver.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let request = HttpRequest {
        method,
        host: &receiver.host,
        port: receiver.port,
        target: request.path.as_deref().unwrap_or(&receiver.target),
        headers: own.chain(given).collect(),
        body: &request.body,
        tls: tls.as_ref(),
    };
    // A transport may be code of the program.
    let sent = catch_unwind(AssertUnwindSafe(|| transport.send(&request, deadline)));
    let sent = sent.unwrap_or_else(|_| Err(Failure::Exchange("the transport panicked".to_owned())));
    sent.map(Answer::of).map_err(|failure| Reason::of_failure(&failure))
}

/// What the head of a request says: method, content type, encoding, version of remote write.
fn kind(
    protocol: Protocol,
    is_second: bool,
) -> (&'static str, &'static str, Option<&'static str>, Option<&'static str>) {
    match protocol {
        Protocol::RemoteWrite | Protocol::RemoteWrite1 if is_second => (
            "POST",
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            Some("snappy"),
            Some("2.0.0"),
        ),
        Protocol::RemoteWrite | Protocol::RemoteWrite1 => {
            ("POST", "application/x-protobuf", Some("snappy"), Some("0.1.0"))
        }
        Protocol::Otlp => ("POST", "application/x-protobuf", COMPRESSION, None),
        Protocol::Pushgateway => ("PUT", "text/plain; version=0.0.4; charset=utf-8", COMPRESSION, None),
    }
}

/// The pause after so many failed attempts in a row: between the half and the whole, so that many processes do not all come
/// back at the same moment.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE);
    let share = getrandom::u32().unwrap_or(u32::MAX);
    longest.mul_f64(0.5 + 0.5 * f64::from(share) / f64::from(u32::MAX))
}

impl Shared {
    /// Waits for a request to send; `None` when the pusher has ended.
    fn next_request(&self, transport: &mut dyn Transport) -> Option<(u64, Arc<Request>)> {
        let mut state = self.state.lock();
        let mut is_resting = false;
        loop {
            if state.has_ended {
                return None;
            }
            if let Some(next) = state.queue.next() {
                return Some(next);
            }
            if is_resting {
                self.changed.wait(&mut state);
            } else {
                is_resting = true;
                MutexGuard::unlocked(&mut state, || transport.rest());
            }
        }
    }

    /// A request needs no further attempt.
    fn finish(&self, id: u64, is_accepted: bool) {
        let is_last = self.state.lock().queue.finish(id);
        if is_last {
            self.settle(id, is_accepted);
        }
    }

    /// Waits before the next attempt, unless a caller waits for it.
    fn rest(&self, pause: Duration, may_hurry: bool) {
        let until = Instant::now() + pause;
        let mut state = self.state.lock();
        state.queue.pause();
        self.changed.notify_all();
        let hurries = state.hurries;
        loop {
            let is_over = state.has_ended || (may_hurry && state.hurries != hurries);
            if is_over || self.changed.wait_until(&mut state, until).timed_out() {
                return;
            }
        }
    }

    /// The receiver has a request, but for some of its samples.
    fn accepted(&self, request: &Request, refused: u64, text: &str) {
        self.stored(request.samples - refused, request.body.len());
        if refused > 0 {
            self.metrics.refused(refused);
            let text = self.credentials.redacted(text);
            let name = &self.receiver.name;
            self.warn("refused", &format!("{name} refused {refused} samples of a push: {text}"));
        }
    }

    /// The receiver has these samples, in so many bytes.
    fn stored(&self, samples: u64, bytes: usize) {
        self.metrics.sent(samples, bytes);
        let mut state = self.state.lock();
        state.stats.samples += samples;
        state.stats.bytes += bytes as u64;
    }

    fn failed(&self, reason: &Reason, is_repeated: bool) {
        let text = self.credentials.redacted(&reason.text);
        self.metrics.failed(&reason.label);
        let mut state = self.state.lock();
        state.stats.failures += 1;
        state.stats.last_error = Some(text.clone());
        let waiting = state.queue.len();
        drop(state);
        let name = &self.receiver.name;
        if is_repeated {
            self.warn(
                "failed",
                &format!("Pushing to {name} failed, and is tried again: {text}. {waiting} pushes wait"),
            );
        } else {
            self.dropped("refused", 1);
            self.warn("dropped", &format!("{name} refused a push, which is dropped: {text}"));
        }
    }

    /// Writes version 1.0 from now on. What waits in version 2.0 is written anew.
    fn use_older_version(&self, text: &str) {
        let text = self.credentials.redacted(text);
        self.warn("version", &format!(
            "{} does not take remote write 2.0 ({text}): this pusher uses 1.0 from now on. The protocol \"remote-write-1\" \
             spares the first request", self.receiver.name));
        let mut state = self.state.lock();
        state.is_second = false;
        state.queue.clear(false);
        state.is_again = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_seconds() {
        for failures in 1..100 {
            let longest = (30_u64 << (failures - 1).min(10)).min(5000);
            let pause = pause(failures).as_secs_f64() * 1000.0;
            let longest = longest as f64;
            assert!(pause >= longest * 0.5 - 0.001 && pause <= longest + 0.001, "{failures}: {pause} ms");
        }
    }
}
