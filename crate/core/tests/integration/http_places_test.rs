//! Tests who keeps and who loses a connection when an exporter is full, over real sockets.

use crate::Outcome;
use crate::http_endpoint_test::small;
use crate::program::silent;
use crate::wire::{Answer, Client, get, quiet, request, start, start_with};
use prometheus_metrics::Registry;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::Exporter;
use std::sync::Arc;
use std::time::Duration;

const HUGE: usize = 16 * 1024 * 1024;
const NAMES: &str =
    "/metrics?name[]=llmdevops_metrics_displaced_total&name[]=llmdevops_metrics_rejected_total";

fn counting(places: usize) -> MetricsConfig {
    quiet().self_metrics(true).max_connections(places).max_connections_per_client(Some(places))
}

/// What was displaced and rejected, without zeros.
fn counted(answer: &Answer) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let text = answer.text()?;
    let lines = text.lines().filter_map(|line| line.split_once('{')).map(|(_, rest)| rest);
    Ok(lines.filter(|rest| !rest.ends_with(" 0")).map(|rest| rest.replace(['"', '}'], "")).collect())
}

fn idle(exporter: &Exporter) -> Result<Client, Box<dyn std::error::Error>> {
    let mut client = Client::connect(exporter)?;
    assert_eq!(client.ask("GET", "/health", &[])?.status, 200);
    Ok(client)
}

#[test]
fn a_newcomer_takes_the_place_of_the_connection_that_was_idle_for_longest() -> Outcome {
    let exporter = start(&small()?, &counting(3))?;
    let mut silent = Client::connect(&exporter)?;
    let (mut first, mut second) = (idle(&exporter)?, idle(&exporter)?);
    let mut third = idle(&exporter)?;
    assert_eq!(first.rest()?, b"");
    assert_eq!(second.ask("GET", "/health", &[])?.status, 200);
    let mut fourth = idle(&exporter)?;
    assert_eq!(third.rest()?, b"", "the second was used after the third");
    // Then those lose their place that have not sent a request.
    second.send("GET /metr")?;
    fourth.send("GET /metr")?;
    // The exporter reads on a thread of its own.
    std::thread::sleep(Duration::from_millis(200));
    let mut newest = idle(&exporter)?;
    assert_eq!(silent.rest()?, b"");
    assert_eq!(counted(&newest.ask("GET", NAMES, &[])?)?, ["state=idle 2", "state=silent 1"]);
    Ok(())
}

#[test]
fn a_client_over_its_share_displaces_its_own_connection() -> Outcome {
    let exporter = start(&small()?, &counting(100).max_connections_per_client(Some(2)))?;
    let mut first = idle(&exporter)?;
    let mut second = idle(&exporter)?;
    let mut third = idle(&exporter)?;
    assert_eq!(first.rest()?, b"");
    assert_eq!(second.ask("GET", "/health", &[])?.status, 200);
    assert_eq!(counted(&third.ask("GET", NAMES, &[])?)?, ["state=idle 1"]);
    // A trusted proxy has many clients.
    let config =
        counting(100).max_connections_per_client(Some(2)).trusted_proxies(vec!["127.0.0.1".to_owned()]);
    let exporter = start(&small()?, &config)?;
    let mut clients = (0..20).map(|_| idle(&exporter)).collect::<Result<Vec<_>, _>>()?;
    for client in &mut clients {
        assert_eq!(client.ask("GET", "/ready", &[])?.status, 200);
    }
    Ok(())
}

#[test]
fn health_checks_have_places_of_their_own() -> Outcome {
    let program = silent();
    let exporter = start_with(&small()?, &counting(2).health_connections(1), program.options())?;
    let mut scrapes = Vec::new();
    for _ in 0..2 {
        let mut scrape = Client::connect(&exporter)?;
        // The exporter reads what arrives together before it turns to other connections: the first answer says that it has
        // read the second request, so that it does not displace the connection as one that has asked for nothing.
        let both = [
            request("GET", "/health", &[]),
            request("GET", "/metrics", &["x-prometheus-scrape-timeout-seconds: 60"]),
        ];
        scrape.send(both.concat())?;
        assert_eq!(scrape.answer("GET")?.status, 200);
        scrapes.push(scrape);
    }
    while program.asked.lock().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Both are being answered, so neither can be displaced.
    let mut probe = Client::connect(&exporter)?;
    for target in ["/health", "/ready"] {
        assert_eq!(probe.ask("GET", target, &[])?.status, 200, "{target}");
    }
    let refused = get(&exporter, "/metrics", &[])?;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(
        (refused.text()?.as_str(), refused.header("connection")),
        ("Too many connections.\n", Some("close"))
    );
    assert_eq!(probe.rest()?, b"", "a newcomer displaces a probe that is idle");
    // The next one may scrape as soon as a scrape ends.
    drop(scrapes.pop());
    let mut next = Client::connect(&exporter)?;
    next.send(request("GET", "/health", &[]))?;
    assert_eq!(next.answer("GET")?.status, 200);
    Ok(())
}

#[test]
fn a_client_whose_requests_are_all_being_answered_is_refused() -> Outcome {
    let program = silent();
    let config = counting(4).max_connections_per_client(Some(1)).health_connections(0);
    let exporter = start_with(&small()?, &config, program.options())?;
    let mut scrape = Client::connect(&exporter)?;
    scrape.send(request("GET", "/metrics", &[]))?;
    while program.asked.lock().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(Client::connect(&exporter)?.rest()?, b"");
    Ok(())
}

/// An exposition of 16 MiB, which is larger than the buffers of a socket.
fn huge() -> Result<Arc<Registry>, Box<dyn std::error::Error>> {
    let registry = Registry::new();
    registry.gauge("huge", &"x".repeat(HUGE))?.set(1.0);
    Ok(Arc::new(registry))
}

#[test]
fn a_response_that_nobody_reads_makes_room_for_the_next() -> Outcome {
    let exporter = start(&huge()?, &counting(100).max_body_bytes(HUGE / 2))?;
    let mut holding = Client::connect(&exporter)?;
    holding.send(request("GET", "/metrics", &[]))?;
    holding.read_some(1)?;
    let answer = get(&exporter, "/metrics", &[])?;
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() > HUGE);
    assert_eq!(get(&exporter, "/health", &[])?.status, 200);
    assert!(holding.rest()?.len() < HUGE, "its connection was closed");
    assert_eq!(counted(&get(&exporter, NAMES, &[])?)?, ["state=unread 1"]);
    Ok(())
}

#[test]
fn clients_that_do_not_read_do_not_keep_others_out() -> Outcome {
    let exporter = start(&huge()?, &counting(3))?;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = Client::connect(&exporter)?;
        client.send(request("GET", "/metrics", &[]))?;
        client.read_some(1)?;
        clients.push(client);
    }
    assert_eq!(counted(&get(&exporter, NAMES, &[])?)?, ["state=unread 8"]);
    Ok(())
}

#[test]
fn a_request_has_one_host() -> Outcome {
    let exporter = start(&small()?, &counting(10))?;
    let cases = [
        ("HTTP/1.1", "", 400),
        ("HTTP/1.1", "host: a\r\nHost: a\r\n", 400),
        ("HTTP/1.1", "host: a\r\nHost: b\r\n", 400),
        ("HTTP/1.0", "host: a\r\nhost: a\r\n", 400),
        ("HTTP/1.1", "HOST:\r\n", 200),
        ("HTTP/1.0", "", 200),
    ];
    for target in ["/metrics", "/health", "/", "/nowhere", "http://a/metrics"] {
        for (version, host, status) in cases {
            let mut client = Client::connect(&exporter)?;
            client.send(format!("GET {target} {version}\r\n{host}\r\n"))?;
            let answer = client.answer("GET")?;
            let expected = if status == 200 && target == "/nowhere" { 404 } else { status };
            assert_eq!(answer.status, expected, "{version} {target} {host:?}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            if status == 400 {
                assert_eq!(
                    (answer.text()?.as_str(), answer.header("connection")),
                    ("Expected one Host header.\n", Some("close"))
                );
                assert_eq!(client.rest()?, b"");
            }
        }
    }
    assert_eq!(counted(&get(&exporter, NAMES, &[])?)?, ["reason=malformed 20"]);
    Ok(())
}

#[test]
fn a_body_closes_the_connection_whatever_the_answer_is() -> Outcome {
    let exporter = start(&small()?, &counting(10).bearer_tokens(vec!["token".to_owned()]))?;
    let cases = [
        ("POST", "/health", 405),
        ("PUT", "/metrics", 401),
        ("GET", "/nowhere", 401),
        ("GET", "/ready", 413),
    ];
    for (method, target, status) in cases {
        for body in
            ["content-length: 3\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
        {
            let mut client = Client::connect(&exporter)?;
            client.send(format!("{method} {target} HTTP/1.1\r\nhost: a\r\n{body}"))?;
            let answer = client.answer(method)?;
            assert_eq!(
                (answer.status, answer.header("connection")),
                (status, Some("close")),
                "{method} {target}"
            );
            assert_eq!(client.rest()?, b"");
        }
    }
    Ok(())
}

#[test]
fn a_client_may_end_its_side_and_still_gets_its_answer() -> Outcome {
    let program = crate::program::collecting_after(Duration::from_millis(100), || {});
    let exporter = start_with(&small()?, &quiet(), program.options())?;
    let mut client = Client::connect(&exporter)?;
    client.send(request("GET", "/metrics", &[]))?;
    client.finish()?;
    assert_eq!(client.answer("GET")?.status, 200);
    assert_eq!(client.rest()?, b"");
    Ok(())
}
