//! Tests the rest of the endpoint's protocol: other paths and methods, filters, persistent connections, closing.

use crate::Outcome;
use crate::http_endpoint_test::small;
use crate::program::{collecting_after, silent};
use crate::wire::{Client, ask, get, quiet, request, start, start_with};
use prometheus_metrics::Format;
use std::time::{Duration, Instant};

#[test]
fn unknown_paths_and_methods_are_refused() -> Outcome {
    let exporter = start(&small()?, &quiet())?;
    let plain = |status: &str, length: usize, more: &str| {
        format!(
            "HTTP/1.1 {status}\ncontent-type: text/plain; charset=utf-8\ncontent-length: {length}\nx-content-type-options: nosniff\n{more}"
        )
    };
    for target in ["/metric", "/metrics/", "//metrics", "/METRICS", "/health/", "/%6detrics", "/favicon.ico"]
    {
        let answer = get(&exporter, target, &[])?;
        assert_eq!(answer.head, plain("404 Not Found", 11, ""), "{target}");
        assert_eq!(answer.text()?, "Not found.\n");
    }
    for target in ["/metrics", "/health", "/ready", "/"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "X"] {
            let answer = ask(&exporter, method, target, &[])?;
            let head = plain("405 Method Not Allowed", 37, "allow: GET, HEAD\n");
            assert_eq!(answer.head, head, "{method} {target}");
            assert_eq!(answer.text()?, "Method not allowed: use GET or HEAD.\n");
        }
        for body in ["content-length: 3\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"] {
            let mut client = Client::connect(&exporter)?;
            client.send(format!("GET {target} HTTP/1.1\r\nhost: test\r\n{body}\r\n"))?;
            let answer = client.answer("GET")?;
            assert_eq!(answer.head, plain("413 Payload Too Large", 18, "connection: close\n"), "{target}");
            assert_eq!(answer.text()?, "Expected no body.\n");
            assert_eq!(client.rest()?, b"");
        }
    }
    Ok(())
}

#[test]
fn a_filter_shows_the_families_it_names() -> Outcome {
    let registry = small()?;
    let exporter = start(&registry, &quiet())?;
    let jobs = "# HELP jobs_total Jobs done\n# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 3\n";
    for query in
        ["name[]=jobs_total", "name%5B%5D=jobs_total&name[]=nothing", "name[]=jobs_total&name[]=jobs_total"]
    {
        assert_eq!(get(&exporter, &format!("/metrics?{query}"), &[])?.text()?, jobs, "{query}");
    }
    assert_eq!(get(&exporter, "/metrics?name[]=nothing", &[])?.text()?, "\n");
    // 1000 names are allowed, and fit into a head if they are short; 1001 are too many.
    let names = |count: usize| (0..count).map(|_| "name[]=a&").collect::<String>();
    assert_eq!(get(&exporter, &format!("/metrics?{}", names(1000)), &[])?.status, 200);
    let answer = get(&exporter, &format!("/metrics?{}", names(1001)), &[])?;
    assert_eq!((answer.status, answer.text()?.as_str()), (400, "Expected at most 1000 names in name[].\n"));
    Ok(())
}

#[test]
fn the_page_has_the_facts_that_no_exposition_has() -> Outcome {
    let exporter = start(&small()?, &quiet().path("/a&b".to_owned()))?;
    let answer = get(&exporter, "/", &[])?;
    assert_eq!(answer.status, 200);
    let text = answer.text()?;
    let facts = text.split_once("id=\"facts\">").and_then(|(_, rest)| rest.split_once("</script>"));
    let facts: serde_json::Value = serde_json::from_str(facts.unwrap_or_default().0)?;
    assert_eq!(facts["path"], "/a&b");
    assert_eq!(facts["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(facts["limits"]["jobs_total"], 10_000);
    assert_eq!(get(&exporter, "/a&b", &[])?.status, 200);
    assert_eq!(get(&exporter, "/metrics", &[])?.status, 404);
    Ok(())
}

#[test]
fn the_page_can_be_switched_off() -> Outcome {
    let exporter = start(&small()?, &quiet().page(Some(false)))?;
    let answer = get(&exporter, "/", &[])?;
    assert_eq!((answer.status, answer.text()?.as_str()), (404, "Not found.\n"));
    Ok(())
}

#[test]
fn a_connection_serves_one_request_after_the_other() -> Outcome {
    let registry = small()?;
    let exporter = start(&registry, &quiet())?;
    let text = registry.encode(Format::PrometheusText);
    let mut client = Client::connect(&exporter)?;
    for _ in 0..3 {
        assert_eq!(client.ask("GET", "/metrics", &[])?.text()?, text);
        assert_eq!(client.ask("HEAD", "/metrics", &[])?.body, b"");
        assert_eq!(client.ask("POST", "/metrics", &[])?.status, 405);
    }
    // Pipelined requests are answered in order.
    let pipelined = ["/metrics", "/nowhere", "/ready", "/metrics"];
    client.send(pipelined.map(|target| request("GET", target, &[])).concat())?;
    let statuses: Vec<u16> = pipelined
        .iter()
        .map(|_| client.answer("GET").map(|answer| answer.status))
        .collect::<Result<_, _>>()?;
    assert_eq!(statuses, [200, 404, 200, 200]);
    let last = client.ask("GET", "/metrics", &["connection: close"])?;
    assert_eq!(last.text()?, text);
    assert_eq!(client.rest()?, b"");

    // HTTP/1.0 has neither Host nor persistent connections.
    let mut old = Client::connect(&exporter)?;
    old.send("GET /metrics HTTP/1.0\r\n\r\n")?;
    let answer = old.answer("GET")?;
    assert_eq!(answer.head.lines().next(), Some("HTTP/1.0 200 OK"));
    assert_eq!(answer.text()?, text);
    assert_eq!(old.rest()?, b"");
    Ok(())
}

#[test]
fn closing_lets_a_scrape_end_and_refuses_new_ones() -> Outcome {
    let registry = small()?;
    let program = collecting_after(Duration::from_millis(300), || {});
    let exporter = start_with(&registry, &quiet(), program.options())?;
    let mut scrape = Client::connect(&exporter)?;
    let mut idle = Client::connect(&exporter)?;
    assert_eq!(idle.ask("GET", "/health", &[])?.status, 200);
    scrape.send(request("GET", "/metrics", &[]))?;
    while program.asked.lock().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let began = Instant::now();
    exporter.close(Duration::from_secs(10));
    assert!(began.elapsed() < Duration::from_secs(2), "it waits for the scrape and for nothing else");
    assert_eq!(scrape.answer("GET")?.text()?, registry.encode(Format::PrometheusText));
    assert_eq!(idle.rest()?, b"");
    assert!(Client::connect(&exporter).is_err());
    Ok(())
}

#[test]
fn closing_ends_requests_that_take_too_long() -> Outcome {
    let program = silent();
    let exporter = start_with(&small()?, &quiet(), program.options())?;
    let mut scrape = Client::connect(&exporter)?;
    scrape.send(request("GET", "/metrics", &[]))?;
    while program.asked.lock().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let began = Instant::now();
    exporter.close(Duration::from_millis(100));
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!(scrape.rest()?, b"");
    Ok(())
}
