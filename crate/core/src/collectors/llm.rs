//! Records metrics of requests to models. It must not know clients; they call it.

mod call;
mod cost;
mod model_name;
mod model_series;
mod objectives;
mod prices;
mod request;
mod stream;
mod targets;

pub use call::LlmCall;
pub use model_name::normalize_model;
pub use objectives::LlmObjectives;
pub use prices::{Price, PriceTable, TierPrice, TokenPrices};
pub use request::{LlmEnd, LlmMedia, LlmRequest, LlmTarget, LlmUsage, Spent};
pub use targets::NormalizeModel;

use super::catalogue::LLM_METRICS;
use super::children::is_amount;
use super::families::{DEFAULT_NAMESPACE, Families, FamilyOptions, named};
use super::seconds;
use super::words::{
    CacheResult, GuardrailResult, GuardrailStage, LlmErrorType, LlmStatus, MediaUnit, Outcome,
    RateLimitResource, TokenDetail, TokenType,
};
use crate::clock::Clock;
use crate::error::Result;
use crate::metrics::{Counter, Gauge};
use crate::registry::Registry;
use crate::sync::Arc;
use cost::{cost_of, cost_of_media};
use model_series::ModelSeries;
use std::time::{Duration, SystemTime};
use stream::record_stream;
use targets::Targets;

/// Settings of a collector of LLM metrics.
#[non_exhaustive]
pub struct LlmOptions {
    /// Stands before the names of metrics; `llmdevops` by default.
    pub namespace: String,
    /// The prices of tokens. A request to a model without a price counts in `llm_unpriced_requests_total`.
    pub prices: PriceTable,
    /// Turns a model's name into a label value; `normalize_model` by default.
    pub normalize_model: Option<NormalizeModel>,
    /// Whether there is `llm_tokens_per_request`.
    pub tokens_per_request: bool,
    /// Whether there is `llm_queue_duration_seconds`.
    pub queue_duration: bool,
    /// Whether there is `llm_streaming_inter_chunk_seconds`.
    pub inter_chunk: bool,
    /// Whether there is `llm_attempt_duration_seconds`.
    pub attempt_duration: bool,
    /// A longer time between two chunks is a stall. If set, there are `llm_streaming_longest_gap_seconds` and
    /// `llm_streaming_stalls_total`.
    pub stall: Option<Duration>,
    /// Objectives for requests. If one is set, there is `llm_objectives_total`.
    pub objectives: LlmObjectives,
}

setters!(LlmOptions {
    namespace: String,
    prices: PriceTable,
    normalize_model: Option<NormalizeModel>,
    tokens_per_request: bool,
    queue_duration: bool,
    inter_chunk: bool,
    attempt_duration: bool,
    stall: Option<Duration>,
    objectives: LlmObjectives,
});

impl Default for LlmOptions {
    fn default() -> Self {
        Self {
            namespace: DEFAULT_NAMESPACE.to_owned(),
            prices: PriceTable::new(),
            normalize_model: None,
            tokens_per_request: false,
            queue_duration: false,
            inter_chunk: false,
            attempt_duration: false,
            stall: None,
            objectives: LlmObjectives::default(),
        }
    }
}

/// Records requests to models: tokens, cost, time to first token. Clones share their series, and any thread may record.
/// Recording never fails: a family counts the calls that its limit refuses.
///
/// ```
/// use prometheus_metrics::collectors::{LlmMetricsCollector, LlmOptions, LlmTarget, LlmUsage, Price, PriceTable};
/// use prometheus_metrics::{Format, Registry};
///
/// let registry = Registry::new();
/// let prices = PriceTable::new().with("gpt-4o-mini", Price::new(0.15, 0.6))?;
/// let llm = LlmMetricsCollector::new(&registry, LlmOptions::default().prices(prices))?;
///
/// let mut call = llm.start_request(LlmTarget::new("gpt-4o-mini-2024-07-18", "openai"));
/// call.chunk(true);
/// let spent = call.end(LlmUsage::new(120, 40));
/// assert_eq!(spent.cost_usd, 0.000042);
///
/// let text = registry.encode(Format::PrometheusText);
/// assert!(text.contains("llmdevops_llm_tokens_total{model=\"gpt-4o-mini\",provider=\"openai\",type=\"input\"} 120\n"));
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Clone)]
pub struct LlmMetricsCollector {
    shared: Arc<Inner>,
}

struct Inner {
    families: Families,
    targets: Targets,
    stall: Option<Duration>,
    objectives: LlmObjectives,
    clock: Arc<Clock>,
}

impl LlmMetricsCollector {
    /// Makes the metrics in a registry. Two collectors of one registry count together.
    ///
    /// # Errors
    /// `InvalidMetricName` for an invalid namespace; `TypeMismatch` or `DuplicateMetric` if another metric has one of the
    /// names.
    pub fn new(registry: &Registry, options: LlmOptions) -> Result<Self> {
        let optional: Vec<&str> = [
            (options.tokens_per_request, "llm_tokens_per_request"),
            (options.queue_duration, "llm_queue_duration_seconds"),
            (options.inter_chunk, "llm_streaming_inter_chunk_seconds"),
            (options.attempt_duration, "llm_attempt_duration_seconds"),
            (options.stall.is_some(), "llm_streaming_longest_gap_seconds"),
            (options.stall.is_some(), "llm_streaming_stalls_total"),
            (options.objectives.are_set(), "llm_objectives_total"),
        ]
        .into_iter()
        .filter_map(|(wanted, name)| wanted.then_some(name))
        .collect();
        let how = FamilyOptions { namespace: &options.namespace, optional: &optional };
        let families = Families::new(registry, LLM_METRICS, &how)?;
        let targets = Targets::new(&families, options.prices, options.normalize_model);
        let clock = Arc::clone(registry.clock());
        let LlmOptions { stall, objectives, .. } = options;
        Ok(Self { shared: Arc::new(Inner { families, targets, stall, objectives, clock }) })
    }

    /// Starts a request. It is active until the returned call is ended or dropped. An unknown model counts as `other` until a
    /// request to it has succeeded, because its name may be a typo. A model with a price is known.
    pub fn start_request(&self, target: LlmTarget<'_>) -> LlmCall {
        LlmCall::new(self.clone(), self.series_of(&target, false), &target)
    }

    /// Registers a model: its series appear with 0 before its first request, and its requests count under its name even before
    /// one has succeeded.
    pub fn register_model(&self, target: LlmTarget<'_>) {
        self.series_of(&target, true).operation(&self.shared.families, target.operation);
    }

    /// Records a request that has ended. Returns its tokens and cost, for the agent that made it.
    pub fn record_request(&self, request: &LlmRequest<'_>) -> Spent {
        let series = self.series_of(&request.target, request.outcome() == LlmStatus::Success);
        self.record(&series, request)
    }

    /// Adds chunks of a stream that is recorded without an `LlmCall`.
    pub fn record_streaming_chunk(&self, target: LlmTarget<'_>, chunks: u64) {
        let series = self.series_of(&target, true);
        series.streamed();
        series.chunks.add(chunks as f64);
    }

    /// Counts an error that did not end a request, or that ended a request recorded elsewhere.
    pub fn record_error(&self, target: LlmTarget<'_>, error: LlmErrorType) {
        self.series_of(&target, false).errors.inc(error);
    }

    /// Counts a retry by the error of the attempt before it.
    pub fn record_retry(&self, target: LlmTarget<'_>, error: LlmErrorType) {
        self.series_of(&target, false).retries.inc(error);
    }

    /// Records the duration of one attempt, if the option `attempt_duration` is set.
    pub fn record_attempt(&self, target: LlmTarget<'_>, duration: Duration) {
        if let Some(attempts) = &self.series_of(&target, false).attempt {
            attempts.observe(seconds(duration));
        }
    }

    /// Counts a request that was sent to another model because the first one failed.
    pub fn record_fallback(&self, from_model: &str, to_model: &str, status: Outcome) {
        let (from, to) = self.shared.targets.fallback(from_model, to_model, status == Outcome::Success);
        self.count("llm_fallbacks_total", &[&from, &to, status.as_str()]);
    }

    /// Sets a provider's rate limit, and when it is full again. The series expire after five minutes without an update.
    pub fn set_rate_limit(
        &self,
        target: LlmTarget<'_>,
        resource: RateLimitResource,
        limit: Option<f64>,
        remaining: Option<f64>,
        reset: Option<SystemTime>,
    ) {
        // Failed answers have these headers too, so they do not make a model known.
        let series = self.series_of(&target, false);
        let labels = [&series.model, &series.provider, resource.as_str()];
        self.set("llm_ratelimit_remaining", &labels, remaining);
        self.set("llm_ratelimit_limit", &labels, limit);
        self.set("llm_ratelimit_reset_timestamp_seconds", &labels, unix_seconds(reset));
    }

    /// Counts a look-up in the application's own cache of answers.
    pub fn record_cache_lookup(&self, cache: &str, result: CacheResult) {
        self.count("llm_cache_requests_total", &[named(cache), result.as_str()]);
    }

    /// Counts a check of a guardrail.
    pub fn record_guardrail(
        &self,
        guardrail: &str,
        stage: GuardrailStage,
        result: GuardrailResult,
        duration: Option<Duration>,
    ) {
        let (guardrail, stage) = (named(guardrail), stage.as_str());
        self.count("llm_guardrail_checks_total", &[guardrail, stage, result.as_str()]);
        if let Some(duration) = duration
            && let Ok(durations) =
                self.shared.families.histogram("llm_guardrail_duration_seconds").with(&[guardrail, stage])
        {
            let _ = durations.observe(seconds(duration));
        }
    }

    /// Sets a budget's limit and its remaining amount, in US dollars, and when it begins anew.
    pub fn set_budget(
        &self,
        budget: &str,
        limit_usd: Option<f64>,
        remaining_usd: Option<f64>,
        reset: Option<SystemTime>,
    ) {
        self.set("llm_budget_limit_usd", &[named(budget)], limit_usd);
        self.set("llm_budget_remaining_usd", &[named(budget)], remaining_usd);
        self.set("llm_budget_reset_timestamp_seconds", &[named(budget)], unix_seconds(reset));
    }

    /// Counts images, seconds of audio or characters of speech. Without a price for them they are unpriced, unless the model's
    /// tokens are priced. A value that is not an amount is ignored.
    pub fn record_media(&self, target: LlmTarget<'_>, unit: MediaUnit, amount: f64) {
        let series = self.series_of(&target, true);
        if !is_amount(amount) {
            return;
        }
        series.media.add(unit, amount);
        let price = series.prices.as_ref().and_then(|prices| prices.at(self.shared.clock.unix_now()));
        match price.and_then(|price| cost_of_media(price, LlmMedia { unit, amount })) {
            Some(cost) => series.cost.add(cost),
            None if price.is_some_and(Price::has_tokens) => {}
            None => series.unpriced.inc(),
        }
    }

    /// Sets the version of a model that is in use.
    pub fn set_model_info(&self, target: LlmTarget<'_>, version: &str) {
        let series = self.series_of(&target, true);
        self.set("llm_model_info", &[&series.model, &series.provider, named(version)], Some(1.0));
    }

    fn count(&self, name: &str, labels: &[&str]) {
        self.shared.families.counter(name).with(labels).iter().for_each(Counter::inc);
    }

    fn set(&self, name: &str, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.shared.families.gauge(name).with(labels).iter().for_each(|gauge: &Gauge| gauge.set(value));
        }
    }

    fn series_of(&self, target: &LlmTarget<'_>, admits: bool) -> Arc<ModelSeries> {
        self.shared.targets.series_of(&self.shared.families, target, admits)
    }

    fn now(&self) -> Duration {
        self.shared.clock.now()
    }

    /// Records every request, with or without an `LlmCall`.
    fn record(&self, series: &ModelSeries, request: &LlmRequest<'_>) -> Spent {
        let status = request.outcome();
        let operation = series.operation(&self.shared.families, request.target.operation);
        operation.statuses.inc(status);
        if let Some(duration) = request.duration {
            operation.duration.observe(seconds(duration));
        }
        if status != LlmStatus::Success {
            series.errors.inc(request.error(status));
        }
        if let Some(reason) = request.end.finish_reason {
            series.finish_reasons.inc(reason);
        }
        if let (Some(queues), Some(queue)) = (&series.queue, request.queue) {
            queues.observe(seconds(queue));
        }
        // The provider bills also a stream that was cut or cancelled.
        let missed = match status {
            LlmStatus::Success => request.target.operation.has_tokens(),
            _ => request.chunks.unwrap_or_default() > 0,
        };
        let spent = self.record_usage(series, &request.end, missed);
        record_stream(series, request);
        if let Some(objectives) = &series.objectives
            && let Some(result) = self.shared.objectives.result(request, status)
        {
            objectives.inc(result);
        }
        spent
    }

    /// `missed`: the request should have tokens, so it counts as missing usage if it has none.
    fn record_usage(&self, series: &ModelSeries, end: &LlmEnd<'_>, missed: bool) -> Spent {
        let LlmUsage { input_tokens, output_tokens, .. } = end.usage;
        let (input, output) = (input_tokens.unwrap_or_default(), output_tokens.unwrap_or_default());
        if end.usage.has_tokens() {
            series.tokens.add(TokenType::Input, input as f64);
            series.tokens.add(TokenType::Output, output as f64);
            record_details(series, &end.usage);
            if let Some(per_request) = &series.per_request {
                per_request.observe(TokenType::Input, input as f64);
                per_request.observe(TokenType::Output, output as f64);
            }
        } else if missed {
            series.usage_missing.inc();
        }
        if let Some(LlmMedia { unit, amount }) = end.media {
            series.media.add(unit, amount);
        }
        for (tool, calls) in end.server_tools.iter().filter(|(_, calls)| *calls > 0) {
            self.count_server_tool(series, tool, *calls);
        }
        let is_billed = end.usage.has_tokens() || end.media.is_some() || !end.server_tools.is_empty();
        let told = end.cost_usd.filter(|cost| is_amount(*cost));
        let cost = told.or_else(|| {
            let price = series.prices.as_ref()?.at(self.shared.clock.unix_now())?;
            if is_billed { cost_of(price, end) } else { None }
        });
        match cost {
            Some(cost) => series.cost.add(cost),
            None if is_billed => series.unpriced.inc(),
            None => {}
        }
        Spent { input_tokens: input, output_tokens: output, cost_usd: cost.unwrap_or_default() }
    }

    fn count_server_tool(&self, series: &ModelSeries, tool: &str, calls: u64) {
        let labels = [&series.model, &series.provider, named(tool)];
        let counter = self.shared.families.counter("llm_server_tool_calls_total").with(&labels);
        counter.iter().for_each(|counter| drop(counter.add(calls as f64)));
    }
}

/// Seconds since 1970; nothing for a time before that.
fn unix_seconds(time: Option<SystemTime>) -> Option<f64> {
    time?.duration_since(SystemTime::UNIX_EPOCH).ok().map(seconds)
}

/// A part is never recorded larger than its whole.
fn record_details(series: &ModelSeries, usage: &LlmUsage) {
    let (input, output) = (usage.input_tokens, usage.output_tokens);
    let details = [
        (TokenDetail::CacheRead, usage.cache_read_tokens, input),
        (TokenDetail::CacheWrite, usage.cache_write_tokens, input),
        (TokenDetail::Reasoning, usage.reasoning_tokens, output),
        (TokenDetail::AudioInput, usage.audio_input_tokens, input),
        (TokenDetail::AudioOutput, usage.audio_output_tokens, output),
        (TokenDetail::ImageInput, usage.image_input_tokens, input),
        (TokenDetail::ImageOutput, usage.image_output_tokens, output),
    ];
    for (detail, tokens, whole) in details {
        if let Some(tokens) = tokens {
            series.details.add(detail, tokens.min(whole.unwrap_or_default()) as f64);
        }
    }
}
