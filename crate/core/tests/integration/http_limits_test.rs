//! Tests limits for slow, greedy and vanished clients: each connection is closed at its limit and counted, and does not
//! disturb the others.

use crate::Outcome;
use crate::http_endpoint_test::small;
use crate::wire::{Client, get, quiet, request, start};
use prometheus_metrics::Registry;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::Exporter;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(200);
/// A time limit may be exceeded by a quarter; the rest is for a busy machine.
const AT_MOST: Duration = Duration::from_millis(800);
const HUGE: usize = 16 * 1024 * 1024;
const LONG: Duration = Duration::from_secs(60);

fn counting() -> MetricsConfig {
    quiet().self_metrics(true).header_timeout(LONG).idle_timeout(LONG).write_timeout(LONG)
}

/// The rejections that the endpoint has counted, by reason, without zeros.
fn rejected(exporter: &Exporter) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let text = get(exporter, "/metrics?name[]=llmdevops_metrics_rejected_total", &[])?.text()?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("llmdevops_metrics_rejected_total{reason="));
    Ok(lines.filter(|line| !line.ends_with(" 0")).map(|line| line.replace(['"', '}'], "")).collect())
}

/// An exposition of 16 MiB, which is larger than the buffers of a socket.
fn huge() -> Result<Arc<Registry>, Box<dyn std::error::Error>> {
    let registry = Registry::new();
    registry.gauge("huge", &"x".repeat(HUGE))?.set(1.0);
    Ok(Arc::new(registry))
}

#[test]
fn a_head_that_is_too_large_is_refused() -> Outcome {
    let registry = small()?;
    let exporter = start(&registry, &counting())?;
    let many = "a: b\r\n".repeat(64);
    let heads = [
        format!("GET /metrics HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "x".repeat(1024 * 1024)),
        format!("GET /metrics HTTP/1.1\r\nhost: test\r\n{many}\r\n"),
    ];
    for (at, head) in heads.iter().enumerate() {
        let mut client = Client::connect(&exporter)?;
        // The server may close the connection before it has read everything.
        let _ = client.send(head);
        match client.answer("GET") {
            Ok(answer) => assert_eq!((answer.status, answer.body.len()), (431, 0)),
            Err(error) => assert!(at == 0, "only the long one may end in a reset: {error}"),
        }
        assert_eq!(client.rest()?, b"");
        assert_eq!(rejected(&exporter)?, [format!("malformed {}", at + 1)]);
    }
    // The largest allowed head is served.
    let header = format!("x: {}", "x".repeat(15 * 1024));
    assert_eq!(get(&exporter, "/metrics", &[&header])?.status, 200);
    let mut client = Client::connect(&exporter)?;
    client.send(format!("GET /metrics HTTP/1.1\r\nhost: test\r\n{}\r\n", "a: b\r\n".repeat(63)))?;
    assert_eq!(client.answer("GET")?.status, 200);
    Ok(())
}

#[test]
fn an_incomplete_head_times_out() -> Outcome {
    let exporter = start(&small()?, &counting().header_timeout(SHORT))?;
    let cut_off = |client: &mut Client, began: Instant| -> Outcome {
        assert_eq!(client.rest()?, b"");
        assert!((SHORT..AT_MOST).contains(&began.elapsed()), "{:?}", began.elapsed());
        Ok(())
    };
    let began = Instant::now();
    let mut speechless = Client::connect(&exporter)?;
    let mut half = Client::connect(&exporter)?;
    half.send("GET /metrics HTTP/1.1\r\nhost: te")?;
    cut_off(&mut speechless, began)?;
    cut_off(&mut half, began)?;

    // Single bytes do not extend the time limit.
    let began = Instant::now();
    let mut slow = Client::connect(&exporter)?;
    for byte in request("GET", "/metrics", &[]).bytes() {
        std::thread::sleep(Duration::from_millis(20));
        if slow.send([byte]).is_err() {
            break;
        }
    }
    assert_eq!(slow.rest()?, b"");
    assert!(began.elapsed() < AT_MOST, "{:?}", began.elapsed());

    // An earlier request does not extend it either.
    let mut second = Client::connect(&exporter)?;
    second.ask("GET", "/metrics", &[])?;
    let began = Instant::now();
    second.send("G")?;
    cut_off(&mut second, began)?;
    assert_eq!(rejected(&exporter)?, ["request_timeout 4"]);
    Ok(())
}

#[test]
fn a_connection_without_requests_is_closed_and_not_counted() -> Outcome {
    let exporter = start(&small()?, &counting().idle_timeout(SHORT))?;
    let mut client = Client::connect(&exporter)?;
    for _ in 0..4 {
        std::thread::sleep(SHORT / 2);
        assert_eq!(client.ask("GET", "/metrics", &[])?.status, 200);
    }
    let began = Instant::now();
    assert_eq!(client.rest()?, b"");
    assert!((SHORT / 2..AT_MOST).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!(rejected(&exporter)?, [""; 0]);
    Ok(())
}

#[test]
fn a_client_that_does_not_read_is_disconnected() -> Outcome {
    let registry = huge()?;
    let exporter = start(&registry, &counting().write_timeout(SHORT))?;
    // The time limit starts with the first byte of the response.
    for reads in [1, 1024 * 1024] {
        let mut client = Client::connect(&exporter)?;
        client.send(request("GET", "/metrics", &[]))?;
        client.read_some(reads)?;
        std::thread::sleep(AT_MOST);
        let rest = client.rest()?;
        assert!(rest.len() < HUGE, "{} bytes came", rest.len());
    }
    assert_eq!(rejected(&exporter)?, ["write_timeout 2"]);
    Ok(())
}

#[test]
fn the_server_does_not_wait_for_the_rest_of_a_body() -> Outcome {
    let exporter = start(&small()?, &counting())?;
    for (method, status) in [("GET", 413), ("POST", 405)] {
        let mut client = Client::connect(&exporter)?;
        let began = Instant::now();
        client.send(format!(
            "{method} /metrics HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000\r\n\r\nabc"
        ))?;
        assert_eq!(client.answer(method)?.status, status);
        drop(client);
        assert!(began.elapsed() < AT_MOST);
    }
    Ok(())
}
