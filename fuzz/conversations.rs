//! Sends bytes to the exporter's connections, in pieces and with bodies, and plays crowds of clients. Like the functions of
//! `inputs.rs`, each panics if a rule is broken that holds for every input.

use super::{REGISTRY, STATUSES};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Conversations, Target};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

static EXPORTER: LazyLock<Mutex<Conversations>> = LazyLock::new(|| {
    let target = Arc::new(Target::new(Arc::clone(&REGISTRY), None).expect("a target"));
    let config = MetricsConfig::default().self_metrics(false).max_header_bytes(8192);
    Mutex::new(Conversations::new(target, &config).expect("valid settings"))
});

const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn answer(pieces: &[&[u8]]) -> String {
    let exporter = EXPORTER.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8(exporter.answer(pieces)).expect("answers are text, without Accept-Encoding")
}

/// The status and head of each answer.
fn heads(answers: &str) -> Vec<(u16, &str)> {
    let mut rest = answers;
    let mut heads = Vec::new();
    while !rest.is_empty() {
        let (head, body) = rest.split_once("\r\n\r\n").expect("a complete head");
        let status = head.strip_prefix("HTTP/1.").and_then(|line| line.get(2..5)).expect("a status line");
        let status = status.parse().expect("a status");
        // hyper sends the last two itself.
        assert!(STATUSES.contains(&status) || [414, 431].contains(&status), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
        // An answer to HEAD has a length and no body.
        rest = if body.is_empty() || body.starts_with("HTTP/1.") {
            body
        } else {
            &body[length.min(body.len())..]
        };
        heads.push((status, head));
    }
    heads
}

/// Answers without the parts that depend on the time.
fn timeless(answers: &str) -> String {
    let lines = answers.split("\r\n").filter(|line| !line.starts_with("date: "));
    let lines = lines.map(|line| {
        if line.contains("uptime_seconds") || line.starts_with("content-length") { "" } else { line }
    });
    // A probe's body is followed by the next status line without a line end.
    lines.map(|line| line.split("{\"status\"").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A first byte that says how the rest is cut, then requests. However they are cut, the answers are the same.
pub fn pieces(bytes: &[u8]) {
    let Some((&cut, requests)) = bytes.split_first() else { return };
    // A compressed answer is not text.
    if requests.to_ascii_lowercase().windows(15).any(|window| window == b"accept-encoding")
        || requests.is_empty()
    {
        return;
    }
    // hyper closes a connection whose first packet has the whole preface of HTTP/2, and answers 400 if it comes in pieces.
    if requests.windows(H2_PREFACE.len()).any(|window| window == H2_PREFACE) {
        return;
    }
    // The server reads a head only once it is complete, and may find nothing wrong in an incomplete one.
    let requests = &[requests, b"\r\n\r\n"].concat()[..];
    let whole = answer(&[requests]);
    heads(&whole);
    let length = usize::from(cut % 64) + 1;
    let parts: Vec<&[u8]> = requests.chunks(length).collect();
    assert_eq!(timeless(&answer(&parts)), timeless(&whole), "in pieces of {length} bytes");
}

/// A first byte that chooses the request, then its chunked body. Every body gets one answer, and what
/// follows the head is not read as a request.
pub fn chunked(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    let requests = ["GET /metrics", "POST /metrics", "GET /health", "PUT /nowhere", "HEAD /ready", "GET /"];
    let lengths = ["", "content-length: 4\r\n", "content-length: 0\r\n", "expect: 100-continue\r\n"];
    let request = requests[usize::from(choice) % requests.len()];
    let length = lengths[usize::from(choice / 8) % lengths.len()];
    let mut sent =
        format!("{request} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n{length}\r\n").into_bytes();
    sent.extend_from_slice(body);
    sent.extend_from_slice(b"\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: a\r\n\r\n");
    let answers = answer(&[&sent]);
    let heads = heads(&answers);
    let [(status, head)] = heads[..] else { panic!("{} answers: {answers}", heads.len()) };
    assert!([400, 404, 405, 413].contains(&status), "{head}");
    assert!(status == 400 || head.contains("\r\nconnection: close"), "{head}");
}

/// Clients who connect, send, read and go, three bytes for each step.
pub fn connections(bytes: &[u8]) {
    prometheus_metrics::http::play(bytes);
}
