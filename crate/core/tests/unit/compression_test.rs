//! Tests compression: a compressed body decompresses to the original, and which responses are compressed.

use crate::Outcome;
use crate::service::{ask, body, get, quiet, service};
use flate2::read::GzDecoder;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{DEFAULT_MIN_SIZE, Request, Response, gzip, gzip_parts};
use prometheus_metrics::{Format, Registry};
use proptest::prelude::*;
use std::io::Read;
use std::sync::Arc;

fn inflated(compressed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    GzDecoder::new(compressed).read_to_end(&mut out)?;
    Ok(out)
}

proptest! {
    #[test]
    fn test_gzip_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..5000), parts in 0usize..6) {
        let mut compressed = b"what was there before".to_vec();
        gzip_parts(&bytes, &mut compressed, parts);
        prop_assert_eq!(inflated(&compressed)?, bytes);
    }
}

#[test]
fn test_gzip_of_a_large_body() -> Outcome {
    // Over a megabyte, a machine with enough cores compresses several parts. A decoder of one member must read all.
    let text: String = (0..60_000).map(|number| format!("g{{n=\"{number}\"}} {number}\n")).collect();
    assert!(text.len() > 1024 * 1024);
    let mut compressed = Vec::new();
    gzip(text.as_bytes(), &mut compressed);
    assert!(compressed.len() < text.len() / 2, "{} of {}", compressed.len(), text.len());
    assert!(inflated(&compressed)? == text.as_bytes());
    Ok(())
}

#[test]
fn test_gzip_of_an_empty_body() -> Outcome {
    let mut compressed = Vec::new();
    gzip(b"", &mut compressed);
    assert_eq!(compressed[..2], [0x1f, 0x8b], "an empty body is a member too");
    assert_eq!(inflated(&compressed)?, b"");
    Ok(())
}

/// The response to a scraper with this `Accept-Encoding`, for an exposition of this size in bytes.
fn answer(
    registry: &Arc<Registry>,
    config: &MetricsConfig,
    accept_encoding: &str,
) -> Result<Response, Box<dyn std::error::Error>> {
    let request = Request { accept_encoding: Some(accept_encoding), ..get("/metrics") };
    Ok(ask(&service(registry, config)?, &request).0)
}

#[test]
fn test_compression_from_the_minimum_size_on() -> Outcome {
    let registry = Arc::new(Registry::new());
    registry.gauge("g", &"long ".repeat(400))?;
    let text = registry.encode(Format::PrometheusText);
    assert_eq!(MetricsConfig::default().compression_min_size, DEFAULT_MIN_SIZE);
    assert!(text.len() > DEFAULT_MIN_SIZE);
    for (min_size, compressed) in [(0, true), (text.len(), true), (text.len() + 1, false)] {
        let config = quiet().compression_min_size(min_size);
        let response = answer(&registry, &config, "gzip")?;
        let expected = compressed.then_some("gzip");
        assert_eq!(response.header("content-encoding"), expected, "{min_size}");
        assert_eq!(response.header("content-length"), Some(body(&response).len().to_string().as_str()));
        assert_eq!(response.header("vary"), Some("accept, accept-encoding"));
        let plain = if compressed { inflated(body(&response))? } else { body(&response).to_vec() };
        assert_eq!(plain, text.as_bytes());
        // A scraper that accepts only gzip gets gzip at every size.
        let forced = answer(&registry, &config, "gzip, identity;q=0")?;
        assert_eq!(forced.header("content-encoding"), Some("gzip"));
        assert_eq!(inflated(body(&forced))?, text.as_bytes());
    }
    Ok(())
}

#[test]
fn test_compression_disabled() -> Outcome {
    let registry = Arc::new(Registry::new());
    registry.gauge("g", &"long ".repeat(400))?;
    let config = quiet().compression_enabled(false);
    let response = answer(&registry, &config, "gzip")?;
    assert_eq!((response.status, response.header("content-encoding")), (200, None));
    assert_eq!(body(&response), registry.encode(Format::PrometheusText).as_bytes());
    let refused = answer(&registry, &config, "gzip, identity;q=0")?;
    assert_eq!(
        (refused.status, body(&refused)),
        (406, &b"Expected gzip or identity in Accept-Encoding.\n"[..])
    );
    Ok(())
}

#[test]
fn test_other_responses_are_not_compressed() -> Outcome {
    let service = service(&Arc::new(Registry::new()), &quiet().compression_min_size(0))?;
    for target in ["/health", "/ready"] {
        let request = Request { accept_encoding: Some("gzip"), ..get(target) };
        let (response, _) = ask(&service, &request);
        assert_eq!((response.status, response.header("content-encoding")), (200, None), "{target}");
        assert!(body(&response).starts_with(b"{\"status\":"), "{target}");
    }
    Ok(())
}
