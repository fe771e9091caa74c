//! Tests the complete responses of the endpoint over real sockets: status, headers and body.

use crate::Outcome;
use crate::exposition::{ParsedFamily, parse};
use crate::program::{silent, with_checks};
use crate::wire::{Answer, ask, get, quiet, start, start_with};
use prometheus_metrics::http::{BEAT_INTERVAL, CheckOutcome, Exporter};
use prometheus_metrics::{Format, Registry, encode};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const OPENMETRICS_0: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";
const OPENMETRICS_2: &str = "application/openmetrics-text; version=2.0.0; charset=utf-8";
const TEXT_1: &str = "text/plain; version=1.0.0; charset=utf-8; escaping=dots";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
const JSON: &str = "application/json; charset=utf-8";

/// A counter and a histogram: 12 lines of text, too small to be compressed.
pub(crate) fn small() -> Result<Arc<Registry>, Box<dyn std::error::Error>> {
    let registry = Registry::new();
    registry.counter_vec("jobs_total", "Jobs done", &["queue"])?.with(&["mail"])?.add(3.0)?;
    let seconds = registry.histogram_vec("job_seconds", "Run time", &[], &[0.5, 1.0])?.with(&[])?;
    seconds.observe(0.25)?;
    seconds.observe(2.0)?;
    Ok(Arc::new(registry))
}

/// Like `small`, but large enough to be compressed.
fn large() -> Result<Arc<Registry>, Box<dyn std::error::Error>> {
    let registry = small()?;
    let gauges = registry.gauge_vec("depth", "Jobs that wait", &["queue"])?;
    for queue in 0..200 {
        gauges.with(&[&format!("queue-{queue}")])?.set(f64::from(queue));
    }
    Ok(registry)
}

/// The head of a response with status 200.
pub(crate) fn ok_head(content_type: &str, length: usize, more: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\ncontent-type: {content_type}\ncontent-length: {length}\nx-content-type-options: nosniff\ncache-control: no-store\n{more}"
    )
}

const VARY: &str = "vary: accept, accept-encoding\n";

/// The value of a sample without labels, in a text exposition.
pub(crate) fn value(answer: &Answer, name: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let families = parse(&answer.text()?, Format::PrometheusText)?;
    let mut samples = families.iter().flat_map(|family: &ParsedFamily| &family.samples);
    let sample = samples.find(|sample| sample.name == name).ok_or_else(|| format!("there is no {name}"))?;
    Ok(sample.value)
}

#[test]
fn test_metrics_endpoint_success() -> Outcome {
    let registry = small()?;
    let exporter = start(&registry, &quiet())?;
    let answer = get(&exporter, "/metrics", &[])?;
    let text = concat!(
        "# HELP jobs_total Jobs done\n",
        "# TYPE jobs_total counter\n",
        "jobs_total{queue=\"mail\"} 3\n",
        "\n",
        "# HELP job_seconds Run time\n",
        "# TYPE job_seconds histogram\n",
        "job_seconds_bucket{le=\"0.5\"} 1\n",
        "job_seconds_bucket{le=\"1\"} 1\n",
        "job_seconds_bucket{le=\"+Inf\"} 2\n",
        "job_seconds_sum 2.25\n",
        "job_seconds_count 2\n",
    );
    let expected =
        Answer { status: 200, head: ok_head(TEXT, text.len(), VARY), body: text.as_bytes().to_vec() };
    assert_eq!(answer, expected);

    let head = ask(&exporter, "HEAD", "/metrics", &[])?;
    assert_eq!(head, Answer { body: Vec::new(), ..expected.clone() });
    // A query without names asks for all families.
    assert_eq!(get(&exporter, "/metrics?", &[])?, expected);
    assert_eq!(get(&exporter, "/metrics?other=1", &[])?, expected);
    Ok(())
}

#[test]
fn test_metrics_endpoint_content_type() -> Outcome {
    let registry = large()?;
    let exporter = start(&registry, &quiet())?;
    let cases = [
        (None, TEXT),
        (Some("text/plain;version=0.0.4;q=1,*/*;q=0.1"), TEXT),
        (
            Some("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            OPENMETRICS,
        ),
        (Some("application/openmetrics-text"), OPENMETRICS_0),
        (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), TEXT),
        (Some("application/vnd.google.protobuf;proto=other;encoding=delimited"), TEXT),
        (Some("text/plain;version=1.0.0;escaping=dots"), TEXT_1),
        (Some("application/openmetrics-text;version=2.0.0"), OPENMETRICS_2),
        (Some(PROTOBUF), PROTOBUF),
        (Some(";;;,,,q=,=;"), TEXT),
    ];
    for (accept, content_type) in cases {
        let header = accept.map(|accept| format!("accept: {accept}"));
        let headers: Vec<&str> = header.as_deref().into_iter().collect();
        let answer = get(&exporter, "/metrics", &headers)?;
        let format = match content_type {
            TEXT | TEXT_1 => Format::PrometheusText,
            OPENMETRICS_2 => Format::OpenMetrics2,
            PROTOBUF => Format::Protobuf,
            _ => Format::OpenMetrics,
        };
        let mut body = Vec::new();
        let Ok(()) = encode(&registry.gather(), format, &mut body);
        assert_eq!(answer.head, ok_head(content_type, body.len(), VARY), "{accept:?}");
        assert!(answer.bytes()? == body, "{accept:?}");
    }
    Ok(())
}

#[test]
fn test_metrics_endpoint_gzip_compression() -> Outcome {
    let registry = large()?;
    let exporter = start(&registry, &quiet())?;
    let text = registry.encode(Format::PrometheusText);
    for accept_encoding in
        ["gzip", "gzip, deflate, br, zstd", "deflate, gzip;q=0.5", "*", "identity;q=0, gzip"]
    {
        let answer = get(&exporter, "/metrics", &[&format!("accept-encoding: {accept_encoding}")])?;
        let length = answer.body.len();
        assert!(length < text.len() / 3, "{length} bytes of {}", text.len());
        let more = format!("{VARY}content-encoding: gzip\n");
        assert_eq!(answer.head, ok_head(TEXT, length, &more), "{accept_encoding}");
        assert_eq!(answer.text()?, text, "{accept_encoding}");
        // HEAD describes the body that GET gets.
        let head = ask(&exporter, "HEAD", "/metrics", &[&format!("accept-encoding: {accept_encoding}")])?;
        assert_eq!(head.head, answer.head);
    }
    Ok(())
}

#[test]
fn test_metrics_endpoint_no_compression() -> Outcome {
    let registry = large()?;
    let plain = |exporter: &Exporter, registry: &Registry, headers: &[&str]| -> Outcome {
        let text = registry.encode(Format::PrometheusText);
        let answer = get(exporter, "/metrics", headers)?;
        assert_eq!(answer.head, ok_head(TEXT, text.len(), VARY), "{headers:?}");
        assert_eq!(answer.text()?, text);
        Ok(())
    };
    let exporter = start(&registry, &quiet())?;
    for headers in
        [&[][..], &["accept-encoding: identity"], &["accept-encoding: gzip;q=0"], &["accept-encoding: br"]]
    {
        plain(&exporter, &registry, headers)?;
    }
    let refused = get(&exporter, "/metrics", &["accept-encoding: identity;q=0, br"])?;
    assert_eq!(
        (refused.status, refused.text()?.as_str()),
        (406, "Expected gzip or identity in Accept-Encoding.\n")
    );

    let off = start(&registry, &quiet().compression_enabled(false))?;
    plain(&off, &registry, &["accept-encoding: gzip"])?;
    assert_eq!(get(&off, "/metrics", &["accept-encoding: gzip, identity;q=0"])?.status, 406);

    // Under the minimum size, unless the scraper accepts only gzip.
    let small = small()?;
    let exporter = start(&small, &quiet())?;
    plain(&exporter, &small, &["accept-encoding: gzip"])?;
    let forced = get(&exporter, "/metrics", &["accept-encoding: gzip, identity;q=0"])?;
    assert_eq!(forced.header("content-encoding"), Some("gzip"));
    assert_eq!(forced.text()?, small.encode(Format::PrometheusText));
    Ok(())
}

#[test]
fn test_metrics_endpoint_cache_hit() -> Outcome {
    let registry = Arc::new(Registry::new());
    let jobs = registry.counter("jobs_total", "Jobs done")?;
    let config = quiet().cache_ttl(Some(Duration::from_secs(3600))).self_metrics(true);
    let exporter = start(&registry, &config)?;
    let first = get(&exporter, "/metrics", &[])?;
    assert_eq!(value(&first, "jobs_total")?, 0.0);
    jobs.inc();
    for _ in 0..3 {
        assert_eq!(get(&exporter, "/metrics", &[])?, first);
    }
    // A request for another exposition is not served from the cache; it shows the four scrapes before it.
    let filter = "/metrics?name[]=jobs_total&name[]=llmdevops_metrics_cache_hits_total\
                  &name[]=llmdevops_metrics_cache_misses_total";
    let other = get(&exporter, filter, &[])?;
    assert_eq!(value(&other, "jobs_total")?, 1.0);
    assert_eq!(value(&other, "llmdevops_metrics_cache_hits_total")?, 3.0);
    assert_eq!(value(&other, "llmdevops_metrics_cache_misses_total")?, 2.0);
    assert_eq!(get(&exporter, filter, &[])?, other);
    Ok(())
}

#[test]
fn test_metrics_endpoint_cache_miss() -> Outcome {
    let registry = Arc::new(Registry::new());
    let jobs = registry.counter("jobs_total", "Jobs done")?;
    let scraped = |exporter: &Exporter| value(&get(exporter, "/metrics", &[])?, "jobs_total");

    // An expired exposition is made again.
    let ttl = Duration::from_millis(150);
    let exporter = start(&registry, &quiet().cache_ttl(Some(ttl)))?;
    assert_eq!(scraped(&exporter)?, 0.0);
    jobs.inc();
    std::thread::sleep(ttl + Duration::from_millis(20));
    assert_eq!(scraped(&exporter)?, 1.0);

    // Without a cache, and with a cache that is switched off, every scrape makes a new exposition.
    let off = quiet().cache_enabled(Some(false)).cache_ttl(Some(ttl));
    for config in [quiet(), off] {
        let exporter = start(&registry, &config)?;
        for _ in 0..3 {
            jobs.inc();
            assert_eq!(scraped(&exporter)?, jobs.value());
        }
    }
    Ok(())
}

#[test]
fn test_health_endpoint_healthy() -> Outcome {
    let exporter = start(&small()?, &quiet())?;
    exporter.service().health().beat();
    let answer = get(&exporter, "/health", &[])?;
    let text = answer.text()?;
    assert_eq!(answer.head, ok_head(JSON, text.len(), ""));
    assert_eq!(with_numbers_as_n(&text), healthy());
    assert_eq!(ask(&exporter, "HEAD", "/health", &[])?.body, b"");
    Ok(())
}

#[test]
fn test_health_endpoint_unhealthy() -> Outcome {
    let registry = small()?;
    let exporter = start(&registry, &quiet().stall_after(Duration::from_millis(100)))?;
    let health = exporter.service().health();
    health.beat();
    assert_eq!(get(&exporter, "/health", &[])?.status, 200);
    // The event loop does not respond.
    std::thread::sleep(BEAT_INTERVAL + Duration::from_millis(150));
    let answer = get(&exporter, "/health", &[])?;
    let text = answer.text()?;
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\ncontent-type: {JSON}\ncontent-length: {}\nx-content-type-options: nosniff\ncache-control: no-store\n",
        text.len()
    );
    assert_eq!(answer.head, head);
    let stalled = "{\"status\":\"unhealthy\",\"reason\":\"event loop stalled for N s\",\"process\":\
                   {\"pid\":N,\"uptime_seconds\":N},\"event_loop\":{\"stalled_seconds\":N}}\n";
    assert_eq!(with_numbers_as_n(&text), stalled);
    // Values are still shown.
    assert_eq!(get(&exporter, "/metrics", &[])?.text()?, registry.encode(Format::PrometheusText));
    // The event loop responds again.
    health.beat();
    assert_eq!(with_numbers_as_n(&get(&exporter, "/health", &[])?.text()?), healthy());
    Ok(())
}

fn healthy() -> &'static str {
    "{\"status\":\"ok\",\"process\":{\"pid\":N,\"uptime_seconds\":N},\"event_loop\":{\"stalled_seconds\":N}}\n"
}

/// Replaces every number by N, because numbers change from one moment to the next.
fn with_numbers_as_n(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if !c.is_ascii_digit() && c != '.' {
            out.push(c);
        } else if !out.ends_with('N') {
            out.push('N');
        }
    }
    out
}

#[test]
fn test_ready_endpoint_ready() -> Outcome {
    let ready = |exporter: &Exporter, expected: &str| -> Outcome {
        let answer = get(exporter, "/ready", &[])?;
        assert_eq!(answer.head, ok_head(JSON, expected.len(), ""));
        assert_eq!(answer.text()?, expected);
        Ok(())
    };
    ready(&start(&small()?, &quiet())?, "{\"status\":\"ready\"}\n")?;
    let program = with_checks(&[("database", CheckOutcome::Ok), ("queue", CheckOutcome::Ok)]);
    let options = program.options().has_checks(true);
    let exporter = start_with(&small()?, &quiet(), options)?;
    ready(&exporter, "{\"status\":\"ready\",\"checks\":{\"database\":\"ok\",\"queue\":\"ok\"}}\n")
}

#[test]
fn test_ready_endpoint_not_ready() -> Outcome {
    let not_ready = |exporter: &Exporter, expected: &str| -> Outcome {
        let answer = get(exporter, "/ready", &[])?;
        assert_eq!((answer.status, answer.text()?.as_str()), (503, expected));
        // A pod that is not ready is still alive, and is scraped.
        assert_eq!(get(exporter, "/health", &[])?.status, 200);
        assert_eq!(get(exporter, "/metrics", &[])?.status, 200);
        Ok(())
    };
    let exporter = start(&small()?, &quiet())?;
    exporter.service().health().set_ready(false);
    not_ready(&exporter, "{\"status\":\"not ready\"}\n")?;
    exporter.service().health().set_ready(true);
    assert_eq!(get(&exporter, "/ready", &[])?.status, 200);

    let program = with_checks(&[
        ("database", CheckOutcome::Failed("no \"route\"".to_owned())),
        ("queue", CheckOutcome::TimedOut),
    ]);
    let options = program.options().has_checks(true);
    let checks = "{\"status\":\"not ready\",\"checks\":{\"database\":\"failed\",\"queue\":\"timed out\"}}\n";
    not_ready(&start_with(&small()?, &quiet(), options)?, checks)?;
    // Only a client with credentials sees the application's own words.
    let options = program.options().has_checks(true);
    let exporter = start_with(&small()?, &quiet().bearer_tokens(vec!["a-token".to_owned()]), options)?;
    for (header, reason) in
        [("authorization: Bearer a-token", "no \\\"route\\\""), ("authorization: Bearer b", "failed")]
    {
        let answer = get(&exporter, "/ready", &[header])?;
        assert_eq!(answer.text()?, checks.replace("failed", reason), "{header}");
        assert_eq!(answer.status, 503);
    }

    // Checks that the program does not run in time have timed out.
    let program = silent();
    let options = program.options().has_checks(true);
    let config = quiet().ready_timeout(Duration::from_millis(50));
    let exporter = start_with(&small()?, &config, options)?;
    let answer = get(&exporter, "/ready", &[])?;
    assert_eq!(answer.text()?, "{\"status\":\"not ready\",\"checks\":{\"checks\":\"timed out\"}}\n");
    assert_eq!(answer.status, 503);
    Ok(())
}
