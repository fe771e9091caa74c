//! Tests the cache of expositions: what is cached, for how long, for which requests, and what is not cached.

use crate::Outcome;
use crate::service::{ask, body, get, quiet, service};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::Request;
use prometheus_metrics::{Collector, Format, Registry, SampleFamily};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn caching(ttl: Duration) -> MetricsConfig {
    quiet().cache_ttl(Some(ttl))
}

#[test]
fn test_cache_hit() -> Outcome {
    let registry = Arc::new(Registry::new());
    let counter = registry.counter("c_total", "C")?;
    let service = service(&registry, &caching(HOUR))?;
    let (first, from_cache) = ask(&service, &get("/metrics"));
    assert!(!from_cache);
    assert_eq!(body(&first), registry.encode(Format::PrometheusText).as_bytes());
    counter.inc();
    let (second, from_cache) = ask(&service, &get("/metrics"));
    assert!(from_cache);
    assert_eq!((second.status, &second.headers, body(&second)), (200, &first.headers, body(&first)));
    assert!(Arc::ptr_eq(&first.body, &second.body), "held once, however many are answered with it");
    Ok(())
}

#[test]
fn test_cache_miss() -> Outcome {
    let registry = Arc::new(Registry::new());
    let counter = registry.counter("c_total", "C")?;
    // No cache configured; switched off; with a time to live of zero.
    let off = caching(HOUR).cache_enabled(Some(false));
    for config in [quiet(), off, caching(Duration::ZERO)] {
        let service = service(&registry, &config)?;
        for _ in 0..3 {
            counter.inc();
            let (response, from_cache) = ask(&service, &get("/metrics"));
            assert!(!from_cache);
            assert_eq!(body(&response), registry.encode(Format::PrometheusText).as_bytes());
        }
    }
    Ok(())
}

#[test]
fn test_cache_expiry() -> Outcome {
    const TTL: Duration = Duration::from_millis(120);
    let registry = Arc::new(Registry::new());
    registry.clock().freeze(Duration::ZERO);
    let counter = registry.counter("c_total", "C")?;
    let service = service(&registry, &caching(TTL))?;
    for _ in 0..2 {
        counter.inc();
        let (fresh, from_cache) = ask(&service, &get("/metrics"));
        assert!(!from_cache);
        assert_eq!(body(&fresh), registry.encode(Format::PrometheusText).as_bytes());
        registry.clock().advance(TTL - Duration::from_nanos(1));
        assert!(ask(&service, &get("/metrics")).1);
        registry.clock().advance(Duration::from_nanos(1));
    }
    Ok(())
}

#[test]
fn test_cache_separates_different_expositions() -> Outcome {
    let registry = Arc::new(Registry::new());
    let gauges = registry.gauge_vec("g", "G", &["n"])?;
    for number in 0..200 {
        gauges.with(&[&number.to_string()])?.set(1.0);
    }
    registry.gauge("h", "H")?;
    let service = service(&registry, &caching(HOUR))?;
    let gzip = Request { accept_encoding: Some("gzip"), ..get("/metrics") };
    let openmetrics =
        Request { accept: Some("application/openmetrics-text;version=1.0.0"), ..get("/metrics") };
    let old_openmetrics = Request { accept: Some("application/openmetrics-text"), ..get("/metrics") };
    let different = [get("/metrics"), gzip, openmetrics, old_openmetrics, get("/metrics?name[]=g")];
    let first: Vec<_> = different.iter().map(|request| ask(&service, request)).collect();
    for (at, (response, from_cache)) in first.iter().enumerate() {
        assert!(!from_cache, "{:?} is new", different[at]);
        let (again, from_cache) = ask(&service, &different[at]);
        assert!(from_cache, "{:?} is known", different[at]);
        assert_eq!((&again.headers, body(&again)), (&response.headers, body(response)));
    }
    // Different requests for the same exposition.
    let head = Request { method: "HEAD", ..get("/metrics") };
    let encoded =
        Request { accept: Some("text/plain"), accept_encoding: Some("identity"), ..get("/metrics?x=1") };
    for (same, as_first) in [(head, 0), (encoded, 0), (get("/metrics?name[]=g&name[]=g"), 4)] {
        let (response, from_cache) = ask(&service, &same);
        assert!(from_cache, "{same:?}");
        assert_eq!(body(&response), body(&first[as_first].0));
        assert_eq!(response.head_only, same.method == "HEAD");
    }
    assert!(!ask(&service, &get("/metrics?name[]=g&name[]=h")).1);
    assert!(ask(&service, &get("/metrics?name[]=h&name[]=g")).1, "the order of names does not matter");
    Ok(())
}

/// Panics at the first scrape.
#[derive(Default)]
struct Fragile(AtomicUsize);

impl Collector for Fragile {
    fn collect(&self) -> Vec<SampleFamily> {
        assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 0, "as it must");
        Vec::new()
    }
}

#[test]
fn test_failures_are_not_cached() -> Outcome {
    let registry = Arc::new(Registry::new());
    registry.gauge("g", "G")?;
    registry.register_collector(Arc::new(Fragile::default()));
    let service = service(&registry, &caching(HOUR))?;
    let (failed, _) = ask(&service, &get("/metrics"));
    assert_eq!((failed.status, body(&failed)), (500, &b"The scrape failed.\n"[..]));
    let (response, from_cache) = ask(&service, &get("/metrics"));
    assert_eq!((response.status, from_cache), (200, false));
    assert!(ask(&service, &get("/metrics")).1);
    Ok(())
}

#[test]
fn test_cache_counts() -> Outcome {
    let registry = Arc::new(Registry::new());
    let counts = |config: MetricsConfig, scrapes: usize| -> Result<Vec<String>, Box<dyn std::error::Error>> {
        let service = service(&registry, &config.self_metrics(true))?;
        for _ in 0..scrapes {
            ask(&service, &get("/metrics"));
        }
        let (shown, _) = ask(
            &service,
            &get(
                "/metrics?name[]=llmdevops_metrics_cache_hits_total&name[]=llmdevops_metrics_cache_misses_total",
            ),
        );
        let text = String::from_utf8(body(&shown).to_vec())?;
        Ok(text.lines().filter(|line| line.starts_with("llm")).map(str::to_owned).collect())
    };
    let lines = |hits: usize, misses: usize| {
        [
            format!("llmdevops_metrics_cache_hits_total {hits}"),
            format!("llmdevops_metrics_cache_misses_total {misses}"),
        ]
    };
    // The scrape that shows the number is a miss as well.
    assert_eq!(counts(caching(HOUR), 5)?, lines(4, 2));
    assert_eq!(counts(quiet(), 5)?, lines(0, 0));
    Ok(())
}
