//! Records requests to models: one that streams, one that fails, and one that was measured elsewhere.
//!
//! `cargo run --example llm_monitoring`

use prometheus_metrics::collectors::{
    LlmErrorType, LlmMetricsCollector, LlmOptions, LlmRequest, LlmTarget, LlmUsage, Price, PriceTable,
};
use prometheus_metrics::{Format, MetricsError, Registry};
use std::time::Duration;

fn main() -> Result<(), MetricsError> {
    let registry = Registry::new();
    // Dollars for a million tokens. A model without a price counts in `llm_unpriced_requests_total`.
    let prices = PriceTable::new().with("gpt-4o-mini", Price::new(0.15, 0.6))?;
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default().prices(prices))?;

    // A stream: the first chunk with content stops the time to the first token. Labels show models without dates.
    let mut call = llm.start_request(LlmTarget::new("gpt-4o-mini-2024-07-18", "openai"));
    call.chunk(true);
    call.chunk(true);
    let spent = call.end(LlmUsage::new(1200, 400));
    println!("The request cost {} dollars.", spent.cost_usd);

    // A failure. A call that is dropped counts as cancelled.
    llm.start_request(LlmTarget::new("gpt-4o-mini", "openai")).fail(LlmErrorType::RateLimit);

    // A request that other code has measured.
    let request = LlmRequest::new("gpt-4o-mini", "openai")
        .duration(Some(Duration::from_millis(800)))
        .end(LlmUsage::new(1200, 400).into());
    llm.record_request(&request);

    // The counters of models, without the series at 0.
    let text = registry.encode(Format::PrometheusText);
    let is_shown = |line: &&str| line.contains("_total{") && !line.ends_with(" 0");
    text.lines().filter(is_shown).for_each(|line| println!("{line}"));
    Ok(())
}
