//! Follows requests to models from start to end with a mock clock, and compares scrapes in both formats during and after
//! them: calls that end, fail, panic or are dropped, and calls from several threads.

use crate::exposition::parse;
use crate::{Outcome, samples_of};
use prometheus_metrics::collectors::{
    FinishReason, Interruption, LlmCall, LlmEnd, LlmErrorType, LlmMetricsCollector, LlmOperation, LlmOptions,
    LlmRequest, LlmTarget, LlmUsage, Price, PriceTable,
};
use prometheus_metrics::testing::MockRegistry;
use prometheus_metrics::{Format, Registry};
use proptest::prelude::*;
use std::thread;
use std::time::Duration;

const MINI: LlmTarget<'static> = LlmTarget::new("gpt-4o-mini-2024-07-18", "openai");

fn collector() -> Result<(MockRegistry, LlmMetricsCollector), prometheus_metrics::MetricsError> {
    let registry = MockRegistry::new();
    let prices = PriceTable::new().with("gpt-4o-mini", Price::new(0.15, 0.6))?;
    let options = LlmOptions::default().prices(prices).inter_chunk(true);
    let llm = LlmMetricsCollector::new(&registry, options)?;
    Ok((registry, llm))
}

/// The samples of these families that are not 0, equal in both formats.
fn shown(registry: &Registry, names: &[&str]) -> Vec<String> {
    samples_of(registry, "llmdevops_llm_", names)
}

#[test]
fn a_request_is_active_until_it_ends() -> Outcome {
    let (registry, llm) = collector()?;
    let first = llm.start_request(MINI);
    let second = llm.start_request(MINI.for_operation(LlmOperation::Embeddings));
    let names = ["requests", "active_requests", "finish_reasons"];
    assert_eq!(shown(&registry, &names), [r#"active_requests{model="gpt-4o-mini",provider="openai"} 2"#]);
    first.end(LlmEnd::default().finish_reason(Some(FinishReason::ToolCalls)));
    drop(second);
    assert_eq!(
        shown(&registry, &names),
        [
            r#"requests_total{model="gpt-4o-mini",provider="openai",operation="chat",status="success"} 1"#,
            r#"requests_total{model="gpt-4o-mini",provider="openai",operation="embeddings",status="cancelled"} 1"#,
            r#"finish_reasons_total{model="gpt-4o-mini",provider="openai",reason="tool_calls"} 1"#,
        ]
    );
    Ok(())
}

#[test]
fn the_tokens_of_a_call_are_counted_and_priced_at_its_end() -> Outcome {
    let (registry, llm) = collector()?;
    let spent = llm.start_request(MINI).end(LlmUsage::new(100, 20).reasoning_tokens(Some(7)));
    assert_eq!((spent.input_tokens, spent.output_tokens, spent.cost_usd), (100, 20, 0.000_027));
    // The tokens before the failure cost money too.
    llm.start_request(MINI).fail_with(LlmErrorType::ServerError, LlmUsage::new(100, 1), None);
    llm.start_request(MINI).fail(LlmErrorType::ServerError);
    llm.start_request(MINI).end(LlmEnd::default());
    assert_eq!(
        shown(&registry, &["tokens", "token_details", "cost_usd", "unpriced_requests", "usage_missing"]),
        [
            r#"tokens_total{model="gpt-4o-mini",provider="openai",type="input"} 200"#,
            r#"tokens_total{model="gpt-4o-mini",provider="openai",type="output"} 21"#,
            r#"token_details_total{model="gpt-4o-mini",provider="openai",detail="reasoning"} 7"#,
            r#"cost_usd_total{model="gpt-4o-mini",provider="openai"} 0.0000426"#,
            r#"usage_missing_total{model="gpt-4o-mini",provider="openai"} 1"#,
        ]
    );
    Ok(())
}

#[test]
fn the_duration_of_a_call_is_measured_by_the_registrys_clock() -> Outcome {
    let (registry, llm) = collector()?;
    let call = llm.start_request(MINI);
    registry.clock().advance(Duration::from_millis(1234));
    call.end(LlmUsage::new(1, 1));
    let call = llm.start_request(MINI);
    registry.clock().advance(Duration::from_secs(601));
    call.fail(LlmErrorType::Timeout);
    let labels = r#"model="gpt-4o-mini",provider="openai",operation="chat""#;
    let bounds = ["2.5", "5", "10", "20", "30", "60", "120", "300", "600", "+Inf"];
    let mut expected: Vec<String> = bounds
        .iter()
        .map(|le| {
            let count = if *le == "+Inf" { 2 } else { 1 };
            format!("request_duration_seconds_bucket{{le=\"{le}\",{labels}}} {count}")
        })
        .collect();
    expected.push(format!("request_duration_seconds_sum{{{labels}}} 602.234"));
    expected.push(format!("request_duration_seconds_count{{{labels}}} 2"));
    assert_eq!(shown(&registry, &["request_duration_seconds"]), expected);
    Ok(())
}

#[test]
fn every_error_of_a_call_is_counted_with_its_status() -> Outcome {
    let (registry, llm) = collector()?;
    for error in LlmErrorType::ALL {
        llm.start_request(MINI).fail(*error);
    }
    llm.start_request(MINI).cancel();
    let statuses = [("error", 15), ("timeout", 1), ("cancelled", 2)].map(|(status, count)| {
        let labels = format!(r#"model="gpt-4o-mini",provider="openai",operation="chat",status="{status}""#);
        format!("requests_total{{{labels}}} {count}")
    });
    let errors = LlmErrorType::ALL.iter().map(|error| {
        let count = if *error == LlmErrorType::Cancelled { 2 } else { 1 };
        format!(r#"errors_total{{model="gpt-4o-mini",provider="openai",error_type="{error}"}} {count}"#)
    });
    let expected: Vec<String> = statuses.into_iter().chain(errors).collect();
    assert_eq!(shown(&registry, &["requests", "errors"]), expected);
    Ok(())
}

#[test]
fn the_chunks_of_a_call_are_timed() -> Outcome {
    let (registry, llm) = collector()?;
    let wait = |milliseconds| registry.clock().advance(Duration::from_millis(milliseconds));
    let mut call = llm.start_request(MINI);
    wait(250);
    call.chunk(false);
    wait(250);
    call.chunk(true);
    wait(1000);
    call.chunk(true);
    assert_eq!(call.chunks(), 3);
    call.end(LlmUsage::new(1000, 101));
    for (error, interrupted) in [
        (LlmErrorType::Cancelled, None),
        (LlmErrorType::Timeout, None),
        (LlmErrorType::Connection, None),
        (LlmErrorType::Connection, Some(Interruption::Client)),
    ] {
        let mut call = llm.start_request(MINI);
        call.chunk(false);
        call.fail_with(error, LlmEnd::default(), interrupted);
    }
    // No chunk had arrived, so this failure interrupts no stream.
    llm.start_request(MINI).fail(LlmErrorType::Timeout);
    let mut unreported = llm.start_request(MINI);
    wait(500);
    unreported.first_token();
    wait(500);
    unreported.first_token();
    unreported.end(LlmUsage::new(1, 1));
    let names = [
        "streaming_chunks",
        "streaming_time_to_first_token_seconds",
        "streaming_time_per_output_token_seconds",
        "streaming_inter_chunk_seconds",
        "streaming_interrupted",
    ];
    let mut lines = shown(&registry, &names);
    lines.retain(|line| !line.contains("_bucket{"));
    assert_eq!(
        lines,
        [
            r#"streaming_chunks_total{model="gpt-4o-mini",provider="openai"} 7"#,
            r#"streaming_time_to_first_token_seconds_sum{model="gpt-4o-mini",provider="openai"} 1"#,
            r#"streaming_time_to_first_token_seconds_count{model="gpt-4o-mini",provider="openai"} 2"#,
            r#"streaming_time_per_output_token_seconds_sum{model="gpt-4o-mini",provider="openai"} 0.01"#,
            r#"streaming_time_per_output_token_seconds_count{model="gpt-4o-mini",provider="openai"} 1"#,
            r#"streaming_inter_chunk_seconds_sum{model="gpt-4o-mini",provider="openai"} 1.25"#,
            r#"streaming_inter_chunk_seconds_count{model="gpt-4o-mini",provider="openai"} 2"#,
            r#"streaming_interrupted_total{model="gpt-4o-mini",provider="openai",reason="client"} 2"#,
            r#"streaming_interrupted_total{model="gpt-4o-mini",provider="openai",reason="provider"} 1"#,
            r#"streaming_interrupted_total{model="gpt-4o-mini",provider="openai",reason="timeout"} 1"#,
        ]
    );
    Ok(())
}

/// The possible ends of a call.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Ended,
    Failed(LlmErrorType),
    Cancelled,
    Dropped,
    Panicked,
    Reset,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Ended),
        proptest::sample::select(LlmErrorType::ALL).prop_map(Fate::Failed),
        Just(Fate::Cancelled),
        Just(Fate::Dropped),
        Just(Fate::Panicked),
        Just(Fate::Reset),
    ]
}

fn meet(registry: &Registry, mut call: LlmCall, fate: Fate) {
    match fate {
        Fate::Ended => {
            call.chunk(true);
            call.end(LlmUsage::new(1, 2));
        }
        Fate::Failed(error) => {
            call.fail(error);
        }
        Fate::Cancelled => call.cancel(),
        Fate::Dropped => drop(call),
        Fate::Panicked => {
            let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _call = call;
                // The message of this panic must not appear in the output of the tests.
                std::panic::resume_unwind(Box::new(()));
            }));
            assert!(unwound.is_err());
        }
        Fate::Reset => {
            registry.reset();
            call.end(LlmEnd::default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CI_FULL").is_some() { 256 } else { 32 }))]

    #[test]
    fn requests_in_flight_come_back_to_zero(
        calls in proptest::collection::vec((any::<String>(), ".{0,3}", fate()), 1..60),
        waiting in 1..20_usize,
    ) {
        let registry = Registry::new();
        let llm = LlmMetricsCollector::new(&registry, LlmOptions::default())?;
        let mut going = std::collections::VecDeque::new();
        for (model, provider, fate) in &calls {
            going.push_back((llm.start_request(LlmTarget::new(model, provider)), *fate));
            if going.len() > waiting && let Some((call, fate)) = going.pop_front() {
                meet(&registry, call, fate);
            }
        }
        going.into_iter().for_each(|(call, fate)| meet(&registry, call, fate));
        let families = parse(&registry.encode(Format::PrometheusText), Format::PrometheusText)
            .map_err(TestCaseError::fail)?;
        let active = families.iter().filter(|family| family.name == "llmdevops_llm_active_requests");
        for sample in active.flat_map(|family| &family.samples) {
            prop_assert_eq!(sample.value, 0.0, "{:?}", sample);
        }
    }
}

#[test]
fn threads_that_record_at_once_lose_nothing() -> Outcome {
    const THREADS: u64 = 6;
    const TURNS: u64 = 2000;
    let registry = Registry::new();
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default())?;
    thread::scope(|scope| {
        for number in 0..THREADS {
            let llm = llm.clone();
            scope.spawn(move || {
                for turn in 0..TURNS {
                    // Some models are over the cap. Several threads see each of them for the first time at once.
                    let model = format!("model-{}", turn % 70);
                    let mut call = llm.start_request(LlmTarget::new(&model, "p"));
                    call.chunk(true);
                    call.end(LlmUsage::new(1, 2));
                    let failed = LlmRequest::new(&model, "p").error_type(Some(LlmErrorType::Overloaded));
                    llm.record_request(&failed);
                    if number == 0 && turn % 500 == 0 {
                        llm.record_streaming_chunk(LlmTarget::new(&model, "p"), 10);
                    }
                }
            });
        }
        for _ in 0..20 {
            parse(&registry.encode(Format::OpenMetrics), Format::OpenMetrics)
                .expect("every exposition is whole");
        }
    });
    let families = parse(&registry.encode(Format::PrometheusText), Format::PrometheusText)?;
    let sum = |name: &str, label: &str| -> f64 {
        let samples = families.iter().flat_map(|family| &family.samples);
        let samples = samples.filter(|sample| sample.name == format!("llmdevops_llm_{name}"));
        let has =
            |labels: &[(String, String)]| label.is_empty() || labels.iter().any(|(_, value)| value == label);
        samples.filter(|sample| has(&sample.labels)).map(|sample| sample.value).sum()
    };
    let all = (THREADS * TURNS) as f64;
    assert_eq!((sum("requests_total", "success"), sum("requests_total", "error")), (all, all));
    assert_eq!((sum("tokens_total", "input"), sum("tokens_total", "output")), (all, 2.0 * all));
    assert_eq!((sum("errors_total", "overloaded"), sum("active_requests", "")), (all, 0.0));
    assert_eq!(sum("streaming_chunks_total", ""), all + 40.0);
    let models = families.iter().find(|family| family.name == "llmdevops_llm_active_requests");
    assert_eq!(models.map(|family| family.samples.len()), Some(51));
    Ok(())
}
