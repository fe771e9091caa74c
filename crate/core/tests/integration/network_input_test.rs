//! Tests everything that parses network input, and files of other processes, with random input: runs the functions of the fuzz targets on the seeds
//! and on random bytes, and sends raw bytes to real sockets.

use crate::Outcome;
use crate::http_endpoint_test::small;
use crate::wire::{Client, get, quiet, request, start};
use inputs::{STATUSES, WORDS};
use prometheus_metrics::Format;
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;

#[expect(unreachable_pub, reason = "it is a library to the fuzz targets")]
#[path = "../../../../fuzz/inputs.rs"]
mod inputs;

/// Words that the parsers look for, in random order, with random bytes between them.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        1 => ".{0,6}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A seed that was cut, doubled or changed at a random place.
fn changed(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<proptest::sample::Index>(), text(), any::<bool>()), 0..4);
    (proptest::sample::select(seeds), changes).prop_map(|(mut seed, changes)| {
        for (at, inserted, replaces) in changes {
            let from = at.index(seed.len() + 1);
            let to = if replaces { seed.len().min(from + inserted.len()) } else { from };
            seed.splice(from..to, inserted);
        }
        seed
    })
}

fn seeds_of(target: &str) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(files.map(|file| std::fs::read(file?.path())).collect::<Result<_, _>>()?)
}

/// Runs a fuzz target on its seeds, and on this many inputs of each kind.
fn run(target: &str, cases: u32, parse: fn(&[u8])) -> Outcome {
    let seeds = seeds_of(target)?;
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds.iter().for_each(|seed| parse(seed));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(cases));
    let input = prop_oneof![changed(seeds), text(), proptest::collection::vec(any::<u8>(), 0..200)];
    runner.run(&input, |bytes| {
        parse(&bytes);
        Ok(())
    })?;
    Ok(())
}

#[test]
fn any_request_has_an_answer() -> Outcome {
    run("request", 400, inputs::request)
}

#[test]
fn any_accept_is_negotiated() -> Outcome {
    run("negotiation", 2000, inputs::negotiation)
}

#[test]
fn any_authorization_is_decided() -> Outcome {
    run("authorization", 500, inputs::authorization)
}

#[test]
fn any_address_is_read_or_refused() -> Outcome {
    run("addresses", 2000, inputs::addresses)
}

#[test]
fn any_web_configuration_is_read_or_refused() -> Outcome {
    run("web_configuration", 300, inputs::web_configuration)
}

#[test]
fn any_setting_is_read_or_refused() -> Outcome {
    run("settings", 500, inputs::settings)
}

#[test]
fn any_exposition_is_read_or_refused_at_a_place() -> Outcome {
    run("exposition", 2000, inputs::exposition)
}

#[test]
fn answers_do_not_depend_on_how_requests_are_cut() -> Outcome {
    run("pieces", 400, inputs::pieces)
}

#[test]
fn a_chunked_body_hides_no_request() -> Outcome {
    run("chunked", 400, inputs::chunked)
}

#[test]
fn any_crowd_finds_the_limits() -> Outcome {
    run("connections", 500, inputs::connections)
}

#[cfg(target_os = "linux")]
#[test]
fn any_file_of_a_process_is_read_or_refused() -> Outcome {
    run("process_file", 200, inputs::process_file)
}

/// Bytes of an attacker: changed requests, words of HTTP, random bytes.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let requests = vec![
        request("GET", "/metrics", &["accept-encoding: gzip"]).into_bytes(),
        request("GET", "/metrics?name[]=jobs_total", &["connection: close"]).repeat(3).into_bytes(),
        request("POST", "/metrics", &["content-length: 5", "expect: 100-continue"]).into_bytes(),
        request("GET", "/", &["transfer-encoding: chunked", "upgrade: h2c", "connection: upgrade"])
            .into_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\n\r\nGET http://elsewhere/metrics HTTP/1.1\r\n\r\n".to_vec(),
    ];
    let word = proptest::sample::select(vec![
        "GET ",
        " HTTP/1.1\r\n",
        "\r\n",
        "\r\n\r\n",
        ": ",
        "/metrics",
        "host",
        "\0",
    ]);
    let words = proptest::collection::vec(word, 0..30).prop_map(|words| words.concat().into_bytes());
    prop_oneof![changed(requests), words, proptest::collection::vec(any::<u8>(), 0..400)]
}

#[test]
fn after_any_bytes_the_next_request_is_served() -> Outcome {
    let registry = small()?;
    let short = Duration::from_millis(80);
    let config = quiet().header_timeout(short).idle_timeout(short).write_timeout(short);
    let exporter = start(&registry, &config)?;
    let expected = registry.encode(Format::PrometheusText);
    let answers = std::cell::Cell::new(0);
    let cases = if std::env::var_os("CI_FULL").is_some() { 4000 } else { 400 };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    let failed = |error: std::io::Error| TestCaseError::fail(error.to_string());
    runner.run(&(garbage(), any::<bool>()), |(bytes, finishes)| {
        let mut client = Client::connect(&exporter).map_err(failed)?;
        // The server may close the connection before everything is sent.
        let _ = client.send(&bytes);
        if finishes {
            let _ = client.finish();
        }
        let rest = client.rest().map_err(failed)?;
        for status in statuses(&rest)? {
            // hyper sends the last two itself, for a head or a target that is too long.
            prop_assert!(STATUSES.contains(&status) || [431, 414].contains(&status), "{status}");
            answers.set(answers.get() + 1);
        }
        Ok(())
    })?;
    assert!(answers.get() > 20, "{} answers: that was only noise", answers.get());
    assert_eq!(get(&exporter, "/metrics", &[])?.text()?, expected);
    Ok(())
}

/// The statuses of all responses that a connection sent until it was closed.
fn statuses(bytes: &[u8]) -> Result<Vec<u16>, TestCaseError> {
    let text = String::from_utf8_lossy(bytes);
    prop_assert!(bytes.is_empty() || text.starts_with("HTTP/1."), "no answer: {text}");
    // The expositions of this test do not contain such a line.
    let lines = text.split("HTTP/1.").skip(1).filter(|line| line.starts_with("0 ") || line.starts_with("1 "));
    lines
        .map(|line| line.get(2..5).and_then(|status| status.parse().ok()))
        .map(|status| status.ok_or_else(|| TestCaseError::fail(format!("no status: {text}"))))
        .collect()
}
