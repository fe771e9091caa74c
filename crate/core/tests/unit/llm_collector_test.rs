//! Calls each method of `LlmMetricsCollector` and compares the exposition.

use super::{Outcome, only, recorded, refusal, text};
use prometheus_metrics::collectors::catalogue::{LLM_METRICS, LabelValues};
use prometheus_metrics::collectors::{
    self, CacheResult, FinishReason, GuardrailResult, GuardrailStage, Interruption, LlmEnd, LlmErrorType,
    LlmMedia, LlmMetricsCollector, LlmObjectives, LlmOperation, LlmOptions, LlmRequest, LlmStatus, LlmTarget,
    LlmUsage, MediaUnit, Price, PriceTable, RateLimitResource, Spent, TierPrice, TokenPrices,
    normalize_model,
};
use prometheus_metrics::testing::MockRegistry;
use prometheus_metrics::{ErrorKind, Format, Registry};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const MINI: LlmTarget<'static> = LlmTarget::new("gpt-4o-mini-2024-07-18", "openai");

pub(crate) fn collector() -> (Registry, LlmMetricsCollector) {
    let registry = Registry::new();
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default()).expect("the names are free");
    (registry, llm)
}

fn ms(milliseconds: u64) -> Option<Duration> {
    Some(Duration::from_millis(milliseconds))
}

#[test]
fn test_llm_request_metrics_by_report() {
    let (registry, llm) = collector();
    let answered = LlmRequest::of(MINI).end(LlmUsage::new(10, 20).into());
    llm.record_request(&answered);
    llm.record_request(&answered.end(answered.end.finish_reason(Some(FinishReason::Length))));
    llm.record_request(&LlmRequest::of(MINI).error_type(Some(LlmErrorType::Timeout)));
    // A failed request to an unknown model makes no series of its own.
    let typo = LlmTarget::new("gpt-typo", "openai").for_operation(LlmOperation::Embeddings);
    llm.record_request(&LlmRequest::of(typo).error_type(Some(LlmErrorType::NotFound)));
    assert_eq!(
        only(&registry, &["llm_requests_total", "llm_active_requests", "llm_finish_reasons_total"]),
        "\
# HELP llmdevops_llm_requests_total Requests to models by outcome
# TYPE llmdevops_llm_requests_total counter
llmdevops_llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"success\"} 2
llmdevops_llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"error\"} 0
llmdevops_llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"timeout\"} 1
llmdevops_llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"cancelled\"} 0
llmdevops_llm_requests_total{model=\"other\",provider=\"openai\",operation=\"embeddings\",status=\"error\"} 1

# HELP llmdevops_llm_active_requests Requests in flight
# TYPE llmdevops_llm_active_requests gauge
llmdevops_llm_active_requests{model=\"gpt-4o-mini\",provider=\"openai\"} 0

# HELP llmdevops_llm_finish_reasons_total Answers by why they ended
# TYPE llmdevops_llm_finish_reasons_total counter
llmdevops_llm_finish_reasons_total{model=\"gpt-4o-mini\",provider=\"openai\",reason=\"length\"} 1
"
    );
}

#[test]
fn test_llm_token_metrics_by_report() -> Outcome {
    let registry = Registry::new();
    let prices = PriceTable::new().with("gpt-4o-mini", Price::new(0.15, 0.6).cache_read(Some(0.075)))?;
    let options = LlmOptions::default().prices(prices);
    let llm = LlmMetricsCollector::new(&registry, options)?;
    let usage = LlmUsage::new(1000, 101).cache_read_tokens(Some(400)).reasoning_tokens(Some(1));
    // 600 at 0.15, 400 at 0.075, 101 at 0.6 dollars a million.
    let spent = llm.record_request(&LlmRequest::of(MINI).end(usage.into()));
    assert_eq!(spent, Spent::default().input_tokens(1000).output_tokens(101).cost_usd(0.000_180_6));
    // Tokens that were not reported are not 0, and a model without a price does not cost 0.
    assert_eq!(llm.record_request(&LlmRequest::of(MINI)), Spent::default());
    let unpriced = LlmTarget::new("gpt-4o", "azure");
    llm.record_request(&LlmRequest::of(unpriced).end(LlmUsage::new(5, 0).into()));
    let paid = LlmEnd::from(LlmUsage::new(5, 0)).cost_usd(Some(0.5));
    assert_eq!(llm.record_request(&LlmRequest::of(unpriced).end(paid)).cost_usd, 0.5);
    let names = [
        "llm_tokens_total",
        "llm_token_details_total",
        "llm_cost_usd_total",
        "llm_unpriced_requests_total",
        "llm_usage_missing_total",
    ];
    assert_eq!(
        only(&registry, &names),
        "\
# HELP llmdevops_llm_tokens_total Tokens as the provider reports them, cached and reasoning ones included
# TYPE llmdevops_llm_tokens_total counter
llmdevops_llm_tokens_total{model=\"gpt-4o-mini\",provider=\"openai\",type=\"input\"} 1000
llmdevops_llm_tokens_total{model=\"gpt-4o-mini\",provider=\"openai\",type=\"output\"} 101
llmdevops_llm_tokens_total{model=\"gpt-4o\",provider=\"azure\",type=\"input\"} 10
llmdevops_llm_tokens_total{model=\"gpt-4o\",provider=\"azure\",type=\"output\"} 0

# HELP llmdevops_llm_token_details_total Parts of the tokens that were cached, thought, heard or seen
# TYPE llmdevops_llm_token_details_total counter
llmdevops_llm_token_details_total{model=\"gpt-4o-mini\",provider=\"openai\",detail=\"cache_read\"} 400
llmdevops_llm_token_details_total{model=\"gpt-4o-mini\",provider=\"openai\",detail=\"reasoning\"} 1

# HELP llmdevops_llm_cost_usd_total Cost of requests whose price is known
# TYPE llmdevops_llm_cost_usd_total counter
llmdevops_llm_cost_usd_total{model=\"gpt-4o-mini\",provider=\"openai\"} 0.0001806
llmdevops_llm_cost_usd_total{model=\"gpt-4o\",provider=\"azure\"} 0.5

# HELP llmdevops_llm_unpriced_requests_total Requests with tokens and without a price
# TYPE llmdevops_llm_unpriced_requests_total counter
llmdevops_llm_unpriced_requests_total{model=\"gpt-4o-mini\",provider=\"openai\"} 0
llmdevops_llm_unpriced_requests_total{model=\"gpt-4o\",provider=\"azure\"} 1

# HELP llmdevops_llm_usage_missing_total Successful requests for which the provider reported no tokens
# TYPE llmdevops_llm_usage_missing_total counter
llmdevops_llm_usage_missing_total{model=\"gpt-4o-mini\",provider=\"openai\"} 1
llmdevops_llm_usage_missing_total{model=\"gpt-4o\",provider=\"azure\"} 0
"
    );
    Ok(())
}

#[test]
fn test_llm_latency_histogram_by_report() {
    let (registry, llm) = collector();
    for milliseconds in [50, 100, 1500, 700_000] {
        llm.record_request(&LlmRequest::of(MINI).duration(ms(milliseconds)));
    }
    let labels = "model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\"";
    let mut expected = "\
# HELP llmdevops_llm_request_duration_seconds From a request to the end of its answer, whatever the outcome
# TYPE llmdevops_llm_request_duration_seconds histogram
"
    .to_owned();
    for (le, count) in [
        ("0.1", 2),
        ("0.25", 2),
        ("0.5", 2),
        ("1", 2),
        ("2.5", 3),
        ("5", 3),
        ("10", 3),
        ("20", 3),
        ("30", 3),
        ("60", 3),
        ("120", 3),
        ("300", 3),
        ("600", 3),
        ("+Inf", 4),
    ] {
        expected +=
            &format!("llmdevops_llm_request_duration_seconds_bucket{{le=\"{le}\",{labels}}} {count}\n");
    }
    expected += &format!("llmdevops_llm_request_duration_seconds_sum{{{labels}}} 701.65\n");
    expected += &format!("llmdevops_llm_request_duration_seconds_count{{{labels}}} 4\n");
    assert_eq!(only(&registry, &["llm_request_duration_seconds"]), expected);
}

#[test]
fn test_llm_error_metrics_by_report() {
    let (registry, llm) = collector();
    llm.record_streaming_chunk(MINI, 0);
    for status in [LlmStatus::Error, LlmStatus::Timeout, LlmStatus::Cancelled, LlmStatus::Success] {
        llm.record_request(&LlmRequest::of(MINI).status(Some(status)));
    }
    llm.record_error(MINI, LlmErrorType::of(Some(429), &[]));
    llm.record_retry(MINI, LlmErrorType::of(Some(503), &["nothing that is known"]));
    let mut expected = "\
# HELP llmdevops_llm_errors_total Requests that did not succeed, by what went wrong
# TYPE llmdevops_llm_errors_total counter
"
    .to_owned();
    for error in LlmErrorType::ALL {
        let is_counted = ["other", "timeout", "cancelled", "rate_limit"].contains(&error.as_str());
        expected += &format!(
            "llmdevops_llm_errors_total{{model=\"gpt-4o-mini\",provider=\"openai\",error_type=\"{error}\"}} {}\n",
            u8::from(is_counted)
        );
    }
    expected += "
# HELP llmdevops_llm_retries_total Attempts after the first, by what had gone wrong
# TYPE llmdevops_llm_retries_total counter
llmdevops_llm_retries_total{model=\"gpt-4o-mini\",provider=\"openai\",error_type=\"overloaded\"} 1
";
    assert_eq!(only(&registry, &["llm_errors_total", "llm_retries_total"]), expected);
}

#[test]
fn test_llm_streaming_metrics_by_report() {
    let (registry, llm) = collector();
    llm.record_request(
        &LlmRequest::of(MINI)
            .duration(ms(1500))
            .time_to_first_token(ms(500))
            .chunks(Some(12))
            .end(LlmUsage::new(10, 101).into()),
    );
    llm.record_request(
        &LlmRequest::of(MINI)
            .error_type(Some(LlmErrorType::StreamInterrupted))
            .chunks(Some(3))
            .interrupted(Some(Interruption::Provider)),
    );
    llm.record_streaming_chunk(MINI, 7);
    let labels = "model=\"gpt-4o-mini\",provider=\"openai\"";
    let mut expected = format!(
        "\
# HELP llmdevops_llm_streaming_chunks_total Streamed chunks, added at the end of each stream
# TYPE llmdevops_llm_streaming_chunks_total counter
llmdevops_llm_streaming_chunks_total{{{labels}}} 22
"
    );
    let histograms: [(_, _, &[_], _); 2] = [
        (
            "time_to_first_token",
            "From a request to the first chunk with content",
            &[
                ("0.05", 0),
                ("0.1", 0),
                ("0.25", 0),
                ("0.5", 1),
                ("0.75", 1),
                ("1", 1),
                ("1.5", 1),
                ("2", 1),
                ("3", 1),
                ("5", 1),
                ("10", 1),
                ("20", 1),
                ("40", 1),
                ("80", 1),
                ("+Inf", 1),
            ],
            "0.5",
        ),
        (
            "time_per_output_token",
            "Time between two tokens of a stream, on average after its first",
            &[
                ("0.005", 0),
                ("0.01", 1),
                ("0.025", 1),
                ("0.05", 1),
                ("0.075", 1),
                ("0.1", 1),
                ("0.15", 1),
                ("0.2", 1),
                ("0.3", 1),
                ("0.5", 1),
                ("1", 1),
                ("2.5", 1),
                ("+Inf", 1),
            ],
            "0.01",
        ),
    ];
    for (name, help, buckets, sum) in histograms {
        let name = format!("llmdevops_llm_streaming_{name}_seconds");
        expected += &format!("\n# HELP {name} {help}\n# TYPE {name} histogram\n");
        for (le, count) in buckets {
            expected += &format!("{name}_bucket{{le=\"{le}\",{labels}}} {count}\n");
        }
        expected += &format!("{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} 1\n");
    }
    expected += &format!(
        "
# HELP llmdevops_llm_streaming_interrupted_total Streams that ended before their end, by who or what ended them
# TYPE llmdevops_llm_streaming_interrupted_total counter
llmdevops_llm_streaming_interrupted_total{{{labels},reason=\"client\"}} 0
llmdevops_llm_streaming_interrupted_total{{{labels},reason=\"provider\"}} 1
llmdevops_llm_streaming_interrupted_total{{{labels},reason=\"timeout\"}} 0
"
    );
    let names =
        ["chunks_total", "time_to_first_token_seconds", "time_per_output_token_seconds", "interrupted_total"];
    let names = names.map(|name| format!("llm_streaming_{name}"));
    assert_eq!(only(&registry, &names.each_ref().map(String::as_str)), expected);
}

#[test]
fn caches_guardrails_budgets_rate_limits_fallbacks_media_versions() {
    let (registry, llm) = collector();
    llm.record_cache_lookup("answers", CacheResult::Hit);
    llm.record_guardrail("pii", GuardrailStage::Input, GuardrailResult::Block, ms(20));
    llm.set_budget("team-a", Some(100.0), Some(40.0), None);
    llm.register_model(MINI);
    llm.set_rate_limit(MINI, RateLimitResource::Tokens, Some(1000.0), Some(900.0), None);
    llm.record_fallback("gpt-4o-mini", "claude-3-5-haiku", collectors::Outcome::Success);
    llm.record_media(MINI, MediaUnit::Images, 2.0);
    for no_amount in [-1.0, f64::NAN, f64::INFINITY] {
        llm.record_media(MINI, MediaUnit::Characters, no_amount);
    }
    llm.set_model_info(MINI, "2024-07-18");
    let shown = "model=\"gpt-4o-mini\",provider=\"openai\"";
    assert_eq!(
        recorded(&registry),
        [
            // The model has no price, so neither have its images.
            format!("llm_unpriced_requests_total{{{shown}}} 1"),
            "llm_fallbacks_total{from_model=\"gpt-4o-mini\",to_model=\"claude-3-5-haiku\",status=\"success\"} 1"
                .to_owned(),
            format!("llm_ratelimit_remaining{{{shown},resource=\"tokens\"}} 900"),
            format!("llm_ratelimit_limit{{{shown},resource=\"tokens\"}} 1000"),
            "llm_cache_requests_total{cache=\"answers\",result=\"hit\"} 1".to_owned(),
            "llm_guardrail_checks_total{guardrail=\"pii\",stage=\"input\",result=\"block\"} 1".to_owned(),
            "llm_guardrail_duration_seconds_sum{guardrail=\"pii\",stage=\"input\"} 0.02".to_owned(),
            "llm_guardrail_duration_seconds_count{guardrail=\"pii\",stage=\"input\"} 1".to_owned(),
            "llm_budget_limit_usd{budget=\"team-a\"} 100".to_owned(),
            "llm_budget_remaining_usd{budget=\"team-a\"} 40".to_owned(),
            format!("llm_media_units_total{{{shown},unit=\"images\"}} 2"),
            format!("llm_model_info{{{shown},version=\"2024-07-18\"}} 1"),
        ]
    );
}

#[test]
fn a_rate_limit_expires_without_an_update() -> Outcome {
    let registry = MockRegistry::new();
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default())?;
    llm.register_model(MINI);
    llm.set_rate_limit(MINI, RateLimitResource::Tokens, None, Some(900.0), None);
    let line = "llm_ratelimit_remaining{model=\"gpt-4o-mini\",provider=\"openai\",resource=\"tokens\"} 900";
    assert_eq!(recorded(&registry), [line]);
    registry.clock().advance(Duration::from_secs(299));
    assert_eq!(recorded(&registry), [line]);
    registry.clock().advance(Duration::from_secs(1));
    assert_eq!(recorded(&registry), [""; 0]);
    llm.set_rate_limit(MINI, RateLimitResource::Tokens, None, Some(900.0), None);
    assert_eq!(recorded(&registry), [line]);
    Ok(())
}

#[test]
fn names_of_models_lose_dates_and_accounts() {
    for (model, shown) in [
        ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-5-sonnet-v1:0"),
        ("claude-3-opus@20240229", "claude-3-opus"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc123", "ft:gpt-4o-mini"),
        ("ft::acme", "ft::acme"),
        ("gpt-4o", "gpt-4o"),
        ("gpt-4-2024-13-01", "gpt-4-2024-13-01"),
        ("m-2024-01-01-2024-01-02", "m-2024-01-01"),
        ("é-2024-01-01", "é"),
        ("", ""),
    ] {
        assert_eq!(normalize_model(model), shown, "{model}");
    }
}

#[test]
fn options_are_a_namespace_names_and_optional_metrics() -> Outcome {
    let registry = Registry::new();
    let options = LlmOptions::default()
        .namespace("acme".to_owned())
        .normalize_model(Some(Box::new(str::to_uppercase)))
        .tokens_per_request(true)
        .queue_duration(true);
    let llm = LlmMetricsCollector::new(&registry, options)?;
    let end = LlmUsage::new(5, 7).into();
    llm.record_request(&LlmRequest::new("m", "p").end(end).queue(ms(500)));
    let shown = text(&registry);
    assert!(shown.contains("\nacme_llm_tokens_per_request_sum{model=\"M\",type=\"output\"} 7\n"), "{shown}");
    assert!(
        shown.contains("\nacme_llm_queue_duration_seconds_sum{model=\"M\",provider=\"p\"} 0.5\n"),
        "{shown}"
    );
    assert!(!shown.contains("inter_chunk"), "{shown}");
    Ok(())
}

#[test]
fn invalid_options_are_refused() {
    let registry = Registry::new();
    let options = LlmOptions::default().namespace("a b".to_owned());
    assert_eq!(refusal(LlmMetricsCollector::new(&registry, options)).0, ErrorKind::InvalidMetricName);
    let expected = "Expected dollars a million tokens for prices[\"m\"].output but received -1";
    let refused = refusal(PriceTable::new().with("m", Price::new(1.0, -1.0)));
    assert_eq!(refused, (ErrorKind::InvalidConfig, expected.to_owned()));
    let cheap = || Price::new(1.0, 1.0);
    let long = TokenPrices::default().input(Some(f64::NAN));
    for (price, place) in [
        (cheap().cache_write_long(Some(-1.0)), "cache_write_long but received -1"),
        (cheap().image(Some(f64::INFINITY)), "image but received inf"),
        (cheap().characters(Some(-2.0)), "characters but received -2"),
        (cheap().tier("flex", TierPrice::Factor(-0.5)), "tiers.flex but received -0.5"),
        (cheap().tier("fast", TierPrice::Prices(long)), "tiers.fast.input but received NaN"),
        (cheap().long_context(Some((1000, long))), "long_context.input but received NaN"),
        (cheap().server_tool("web_search", -1.0), "server_tools.web_search but received -1"),
    ] {
        let (kind, message) = refusal(PriceTable::new().with("m", price));
        assert_eq!(kind, ErrorKind::InvalidConfig);
        assert!(message.ends_with(&format!(" for prices[\"m\"].{place}")), "{message}");
    }
    let twice = PriceTable::new().with_from("m", "2026-01-01", cheap()).expect("the first from this day");
    let expected = "Expected one price from each day for prices[\"m\"] but received two from the same day";
    let refused = refusal(twice.with_from("m", "2026-01-01", cheap()));
    assert_eq!(refused, (ErrorKind::InvalidConfig, expected.to_owned()));
    for day in [
        "now",
        "2026-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-1-01",
        "2026-01-01T",
        "éé26-01-1",
    ] {
        let expected =
            format!("Expected a day such as 2026-01-31 for prices[\"m\"].from but received \"{day}\"");
        let refused = refusal(PriceTable::new().with_from("m", day, Price::new(1.0, 1.0)));
        assert_eq!(refused, (ErrorKind::InvalidConfig, expected));
    }
    registry.gauge("llmdevops_llm_requests_total", "Taken").expect("the name is free");
    let taken = LlmMetricsCollector::new(&registry, LlmOptions::default());
    assert_eq!(refusal(taken).0, ErrorKind::TypeMismatch);
}

#[test]
fn a_price_is_that_of_the_day() -> Outcome {
    let registry = MockRegistry::new();
    // The last second before the leap day of 2028, in UTC.
    registry.clock().set(Duration::from_secs(1_835_308_800 + 86_399));
    let prices = PriceTable::new()
        .with_from("m", "2028-02-29", Price::new(2.0, 0.0))?
        .with("m", Price::new(1.0, 0.0))?
        .with_from("m", "2028-03-01", Price::new(3.0, 0.0))?
        .with("p/m", Price::new(7.0, 0.0))?;
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default().prices(prices))?;
    let cost = |provider| {
        let end = LlmUsage::new(1_000_000, 0).into();
        llm.record_request(&LlmRequest::new("m-2024-01-01", provider).end(end)).cost_usd
    };
    let mut costs = vec![cost("q")];
    registry.clock().advance(Duration::from_secs(1));
    costs.push(cost("q"));
    registry.clock().advance(Duration::from_secs(86_400));
    costs.extend([cost("q"), cost("p")]);
    assert_eq!(costs, [1.0, 2.0, 3.0, 7.0]);
    Ok(())
}

#[test]
fn two_collectors_of_one_registry_count_together() -> Outcome {
    let (registry, llm) = collector();
    let second = LlmMetricsCollector::new(&registry, LlmOptions::default())?;
    for collector in [&llm, &second, &second.clone()] {
        collector.record_request(&LlmRequest::of(MINI).end(LlmUsage::new(1, 0).into()));
    }
    assert_eq!(
        recorded(&registry),
        [
            "llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"success\"} 3",
            "llm_tokens_total{model=\"gpt-4o-mini\",provider=\"openai\",type=\"input\"} 3",
            "llm_unpriced_requests_total{model=\"gpt-4o-mini\",provider=\"openai\"} 3",
        ]
    );
    Ok(())
}

#[test]
fn models_start_at_0_after_a_reset_and_no_gauge_goes_below_0() -> Outcome {
    let registry = MockRegistry::new();
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default())?;
    let request = LlmRequest::of(MINI).end(LlmUsage::new(3, 0).into());
    let call = llm.start_request(MINI);
    llm.record_request(&request);
    registry.reset();
    assert_eq!(text(&registry).lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count(), 0);
    call.end(LlmUsage::new(4, 0));
    llm.record_request(&request);
    assert_eq!(
        recorded(&registry),
        [
            "llm_requests_total{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\",status=\"success\"} 2",
            "llm_request_duration_seconds_count{model=\"gpt-4o-mini\",provider=\"openai\",operation=\"chat\"} 1",
            "llm_tokens_total{model=\"gpt-4o-mini\",provider=\"openai\",type=\"input\"} 7",
            "llm_unpriced_requests_total{model=\"gpt-4o-mini\",provider=\"openai\"} 2",
        ]
    );
    Ok(())
}

#[test]
fn labels_of_requests_have_the_words_of_their_types() {
    let words = |metric: &str, label: &str| {
        let spec = LLM_METRICS.iter().find(|spec| spec.name == metric).expect("the catalogue has the metric");
        match spec.label(label).expect("the metric has the label").values {
            LabelValues::Enum(words) => words.to_vec(),
            LabelValues::Capped(_) => panic!("{label} is one of a few words"),
        }
    };
    macro_rules! assert_words {
        ($($of:ty: $metric:literal, $label:literal;)+) => {$(
            let all: Vec<&str> = <$of>::ALL.iter().map(|word| word.as_str()).collect();
            assert_eq!(all, words($metric, $label));
            for word in <$of>::ALL {
                assert_eq!(<$of>::from_name(word.as_str()), Some(*word));
                assert_eq!(word.to_string(), word.as_str());
            }
            assert_eq!(<$of>::from_name("none"), None);
        )+};
    }
    assert_words! {
        LlmOperation: "llm_requests_total", "operation";
        LlmStatus: "llm_requests_total", "status";
        LlmErrorType: "llm_errors_total", "error_type";
        FinishReason: "llm_finish_reasons_total", "reason";
        RateLimitResource: "llm_ratelimit_limit", "resource";
        Interruption: "llm_streaming_interrupted_total", "reason";
        MediaUnit: "llm_media_units_total", "unit";
        CacheResult: "llm_cache_requests_total", "result";
        GuardrailStage: "llm_guardrail_checks_total", "stage";
        GuardrailResult: "llm_guardrail_checks_total", "result";
        collectors::Outcome: "llm_fallbacks_total", "status";
    }
}

#[test]
fn collectors_can_be_sent_between_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<LlmMetricsCollector>();
    is_shared::<collectors::LlmCall>();
    is_shared::<collectors::AgentMetricsCollector>();
    is_shared::<Arc<collectors::AgentExecution>>();
}

#[test]
fn media_cost_what_their_units_cost() -> Outcome {
    let registry = Registry::new();
    let painter = Price::default().image(Some(0.04)).characters(Some(15.0));
    let prices = PriceTable::new().with("painter", painter)?.with("gpt-4o-mini", Price::new(0.15, 0.6))?;
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default().prices(prices))?;
    let painter = LlmTarget::new("painter", "p").for_operation(LlmOperation::Image);
    llm.record_media(painter, MediaUnit::Images, 2.0);
    let media = Some(LlmMedia { unit: MediaUnit::Characters, amount: 1000.0 });
    let spent = llm.record_request(&LlmRequest::of(painter).end(LlmEnd::default().media(media)));
    assert_eq!(spent, Spent::default().cost_usd(0.015));
    // Without a price for seconds, and no tokens are priced either.
    llm.record_media(painter, MediaUnit::AudioSeconds, 1.0);
    // Media of a model whose tokens are priced are billed by the tokens.
    llm.record_media(MINI, MediaUnit::Images, 1.0);
    let shown = "model=\"painter\",provider=\"p\"";
    let lines = recorded(&registry);
    assert!(lines.contains(&format!("llm_cost_usd_total{{{shown}}} 0.095")), "{lines:?}");
    assert!(lines.contains(&format!("llm_unpriced_requests_total{{{shown}}} 1")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("unpriced") && line.contains("gpt-4o-mini")), "{lines:?}");
    Ok(())
}

#[test]
fn gaps_objectives_and_attempts_are_recorded_on_request() -> Outcome {
    let quiet = Registry::new();
    let llm = LlmMetricsCollector::new(&quiet, LlmOptions::default())?;
    llm.record_attempt(MINI, Duration::from_secs(1));
    let mut call = llm.start_request(MINI);
    call.chunk(true);
    call.chunk(true);
    call.end(LlmUsage::new(1, 1));
    for name in ["stalls", "longest_gap", "objectives", "attempt"] {
        assert!(!quiet.encode(Format::PrometheusText).contains(name), "{name}");
    }
    let registry = MockRegistry::new();
    let objectives = LlmObjectives::default().duration(Some(Duration::from_secs(4)));
    let options = LlmOptions::default()
        .stall(Some(Duration::from_secs(1)))
        .objectives(objectives)
        .attempt_duration(true);
    let llm = LlmMetricsCollector::new(&registry, options)?;
    llm.record_attempt(MINI, Duration::from_secs(2));
    let mut call = llm.start_request(MINI);
    for seconds in [3, 0, 1, 2] {
        registry.clock().advance(Duration::from_secs(seconds));
        call.chunk(true);
    }
    call.end(LlmUsage::new(1, 1));
    llm.start_request(MINI).fail(LlmErrorType::RateLimit);
    let shown = "model=\"gpt-4o-mini\",provider=\"openai\"";
    let lines = recorded(&registry);
    for line in [
        "llm_attempt_duration_seconds_sum{model=\"other\",provider=\"openai\"} 2".to_owned(),
        format!("llm_objectives_total{{{shown},result=\"missed\"}} 1"),
        format!("llm_objectives_total{{{shown},result=\"failed\"}} 1"),
        format!("llm_streaming_longest_gap_seconds_sum{{{shown}}} 2"),
        format!("llm_streaming_stalls_total{{{shown}}} 1"),
    ] {
        assert!(lines.contains(&line), "{line} of {lines:?}");
    }
    Ok(())
}
