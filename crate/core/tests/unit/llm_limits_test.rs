//! Tests limits on the names and series of LLM metrics.

use super::llm_collector_test::{MINI, collector};
use super::{Outcome, recorded};
use prometheus_metrics::collectors::{LlmMetricsCollector, LlmOptions, LlmRequest, LlmTarget, LlmUsage};
use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, OverflowPolicy};
use prometheus_metrics::testing::MockClock;
use prometheus_metrics::{Registry, RegistryConfig};

#[test]
fn models_over_fifty_share_one_series_and_so_do_providers_over_twenty() {
    let (registry, llm) = collector();
    for number in 0..60 {
        llm.record_request(&LlmRequest::new(&format!("model-{number}"), "p"));
    }
    for number in 1..30 {
        llm.record_request(&LlmRequest::new("model-1", &format!("p{number}")));
    }
    let lines = recorded(&registry);
    let requests: Vec<_> = lines.iter().filter(|line| line.starts_with("llm_requests_total")).collect();
    // 50 models and `other` at one provider, model-1 at 19 more and at `other`.
    assert_eq!(requests.len(), 51 + 20);
    assert_eq!(
        requests[50],
        "llm_requests_total{model=\"other\",provider=\"p\",operation=\"chat\",status=\"success\"} 10"
    );
    assert_eq!(
        requests[70],
        "llm_requests_total{model=\"model-1\",provider=\"other\",operation=\"chat\",status=\"success\"} 10"
    );
}

#[test]
fn recording_does_not_fail_at_a_limit() -> Outcome {
    let refusing = CardinalityLimits::default().max_series(Some(1)).policy(Some(OverflowPolicy::Throw));
    let cardinality = CardinalityConfig::default().family(refusing).max_total(None);
    let clock = MockClock::new();
    let config = RegistryConfig::default().cardinality(cardinality).clock(clock.clock());
    let registry = Registry::with_config(config)?;
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default())?;
    let end = LlmUsage::new(1, 2).into();
    llm.record_request(&LlmRequest::of(MINI).end(end));
    llm.start_request(LlmTarget::new("second", "p")).end(LlmUsage::new(1, 2));
    llm.set_budget("one", Some(1.0), None, None);
    llm.set_budget("two", Some(1.0), None, None);
    // Each family may have only one series.
    assert_eq!(
        recorded(&registry),
        [
            "llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"success\"} 1",
            "llm_request_duration_seconds_count{model=\"second\",provider=\"p\",operation=\"chat\"} 1",
            "llm_tokens_total{model=\"gpt-4o-mini\",provider=\"openai\",type=\"input\"} 1",
            "llm_unpriced_requests_total{model=\"gpt-4o-mini\",provider=\"openai\"} 1",
            "llm_budget_limit_usd{budget=\"one\"} 1",
        ]
    );
    Ok(())
}
