//! Measures recording an LLM request: with all fields, with token counts only, one streamed chunk, and a whole call.
//! The floor is adding to one counter.

use criterion::{Criterion, criterion_group, criterion_main};
use prometheus_metrics::collectors::{
    FinishReason, LlmEnd, LlmMetricsCollector, LlmOptions, LlmRequest, LlmTarget, LlmUsage, Price, PriceTable,
};
use prometheus_metrics::{MetricsError, Registry};
use std::hint::black_box;
use std::time::Duration;

const MINI: LlmTarget<'static> = LlmTarget::new("gpt-4o-mini-2024-07-18", "openai");

fn collector(registry: &Registry, is_all: bool) -> Result<LlmMetricsCollector, MetricsError> {
    let price = Price::new(0.15, 0.6).cache_read(Some(0.075));
    let options = LlmOptions::default()
        .prices(PriceTable::new().with("gpt-4o-mini", price)?)
        .tokens_per_request(is_all)
        .queue_duration(is_all)
        .inter_chunk(is_all);
    LlmMetricsCollector::new(registry, options)
}

/// A successful request with every field set.
fn full() -> LlmRequest<'static> {
    let ms = |milliseconds| Some(Duration::from_millis(milliseconds));
    let usage = LlmUsage::new(1000, 101)
        .cache_read_tokens(Some(400))
        .cache_write_tokens(Some(100))
        .reasoning_tokens(Some(50))
        .audio_input_tokens(Some(1))
        .audio_output_tokens(Some(1))
        .image_input_tokens(Some(1));
    LlmRequest::of(MINI)
        .end(LlmEnd::default().usage(usage).finish_reason(Some(FinishReason::Stop)).cost_usd(None))
        .duration(ms(1500))
        .time_to_first_token(ms(500))
        .chunks(Some(42))
        .queue(ms(5))
}

fn bench_llm_record_request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_llm_record_request");
    let registry = Registry::new();
    let llm = collector(&registry, true).expect("the names are free");
    let request = full();
    group.bench_function("all fields", |bencher| bencher.iter(|| llm.record_request(black_box(&request))));
    let tokens = LlmRequest::of(MINI).end(LlmUsage::new(1000, 101).into());
    group.bench_function("tokens", |bencher| bencher.iter(|| llm.record_request(black_box(&tokens))));
    group.bench_function("a call of one chunk", |bencher| {
        bencher.iter(|| {
            let mut call = llm.start_request(black_box(MINI));
            call.chunk(true);
            call.end(LlmUsage::new(1000, 101))
        });
    });
    let counter = registry.counter("floor_total", "The floor").expect("the name is free");
    group.bench_function("floor: one counter", |bencher| bencher.iter(|| black_box(&counter).inc()));
    group.finish();
}

fn bench_llm_chunk(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bench_llm_chunk");
    for (name, is_all) in [("chunk", false), ("chunk, gaps observed", true)] {
        let llm = collector(&Registry::new(), is_all).expect("the names are free");
        let mut call = llm.start_request(MINI);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&mut call).chunk(true)));
        assert!(call.chunks() > 0);
        call.end(LlmEnd::default());
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = bench_llm_record_request, bench_llm_chunk
}
criterion_main!(benches);
