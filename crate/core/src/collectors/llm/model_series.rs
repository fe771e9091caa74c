//! Keeps the series of one model at one provider. Each is looked up once, so recording a request costs about ten atomic adds.

use super::prices::ModelPrices;
use crate::collectors::children::{ByWord, Kept, Shared};
use crate::collectors::families::Families;
use crate::collectors::words::{
    FinishReason, Interruption, LlmErrorType, LlmOperation, LlmStatus, MediaUnit, ObjectiveResult,
    TokenDetail, TokenType, Word,
};
use crate::metrics::{Counter, Gauge, Histogram};
use crate::registry::OVERFLOW_VALUE;
use crate::sync::SliceArc;
use std::sync::OnceLock;

/// The series of one operation of a model.
pub(super) struct OperationSeries {
    pub(super) statuses: ByWord<Counter, LlmStatus>,
    pub(super) duration: Kept<Histogram>,
}

pub(super) struct ModelSeries {
    pub(super) model: SliceArc<str>,
    pub(super) provider: SliceArc<str>,
    pub(super) prices: Option<ModelPrices>,
    pub(super) active: Kept<Gauge>,
    pub(super) tokens: ByWord<Counter, TokenType>,
    pub(super) details: ByWord<Counter, TokenDetail>,
    pub(super) per_request: Option<ByWord<Histogram, TokenType>>,
    pub(super) errors: ByWord<Counter, LlmErrorType>,
    pub(super) retries: ByWord<Counter, LlmErrorType>,
    pub(super) finish_reasons: ByWord<Counter, FinishReason>,
    pub(super) cost: Kept<Counter>,
    pub(super) unpriced: Kept<Counter>,
    pub(super) usage_missing: Kept<Counter>,
    pub(super) media: ByWord<Counter, MediaUnit>,
    pub(super) objectives: Option<ByWord<Counter, ObjectiveResult>>,
    pub(super) attempt: Option<Kept<Histogram>>,
    pub(super) streams: Kept<Counter>,
    pub(super) chunks: Kept<Counter>,
    pub(super) first_token: Kept<Histogram>,
    pub(super) per_token: Kept<Histogram>,
    pub(super) interrupted: ByWord<Counter, Interruption>,
    pub(super) queue: Option<Kept<Histogram>>,
    pub(super) inter_chunk: Option<Kept<Histogram>>,
    pub(super) longest_gap: Option<Kept<Histogram>>,
    pub(super) stalls: Option<Kept<Counter>>,
    operations: Box<[OnceLock<OperationSeries>]>,
    has_streamed: OnceLock<()>,
}

impl ModelSeries {
    pub(super) fn new(
        families: &Families,
        model: SliceArc<str>,
        provider: SliceArc<str>,
        prices: Option<ModelPrices>,
    ) -> Self {
        let own: &Shared = &SliceArc::from([SliceArc::clone(&model), SliceArc::clone(&provider)]);
        let by_model: &Shared = &SliceArc::from([SliceArc::clone(&model)]);
        let counter = |name| Kept::new(families.counter(name), own);
        let histogram = |name| Kept::new(families.histogram(name), own);
        let optional = |name| families.optional(name).map(|vec| Kept::new(vec, own));
        let series = Self {
            prices,
            active: Kept::new(families.gauge("llm_active_requests"), own),
            tokens: ByWord::new(families.counter("llm_tokens_total"), own),
            details: ByWord::new(families.counter("llm_token_details_total"), own),
            per_request: families
                .optional("llm_tokens_per_request")
                .map(|histograms| ByWord::new(histograms, by_model)),
            errors: ByWord::new(families.counter("llm_errors_total"), own),
            retries: ByWord::new(families.counter("llm_retries_total"), own),
            finish_reasons: ByWord::new(families.counter("llm_finish_reasons_total"), own),
            cost: counter("llm_cost_usd_total"),
            unpriced: counter("llm_unpriced_requests_total"),
            usage_missing: counter("llm_usage_missing_total"),
            media: ByWord::new(families.counter("llm_media_units_total"), own),
            objectives: families
                .optional_counter("llm_objectives_total")
                .map(|counters| ByWord::new(counters, own)),
            attempt: optional("llm_attempt_duration_seconds"),
            streams: counter("llm_streaming_requests_total"),
            chunks: counter("llm_streaming_chunks_total"),
            first_token: histogram("llm_streaming_time_to_first_token_seconds"),
            per_token: histogram("llm_streaming_time_per_output_token_seconds"),
            interrupted: ByWord::new(families.counter("llm_streaming_interrupted_total"), own),
            queue: optional("llm_queue_duration_seconds"),
            inter_chunk: optional("llm_streaming_inter_chunk_seconds"),
            longest_gap: optional("llm_streaming_longest_gap_seconds"),
            stalls: families
                .optional_counter("llm_streaming_stalls_total")
                .map(|counters| Kept::new(counters, own)),
            operations: std::iter::repeat_with(OnceLock::new).take(LlmOperation::COUNT).collect(),
            has_streamed: OnceLock::new(),
            model,
            provider,
        };
        series.init();
        series
    }

    /// Rates need a 0 before the first event. Series of `other` appear only when something is recorded in them.
    fn init(&self) {
        if self.is_other() {
            return;
        }
        self.active.init();
        self.tokens.init();
        self.errors.init();
        self.unpriced.init();
        self.usage_missing.init();
        self.streams.init();
        self.objectives.iter().for_each(ByWord::init);
        if self.prices.is_some() {
            self.cost.init();
        }
    }

    fn is_other(&self) -> bool {
        *self.model == *OVERFLOW_VALUE
    }

    /// A request to an unknown model is active as `other`. If it succeeds, the model gets series of its own, and an unused
    /// `other` must not stay behind.
    pub(super) fn remove_unused(&self, families: &Families, active: &Gauge) {
        let is_used = self.operations.iter().any(|operation| operation.get().is_some());
        if self.is_other() && !is_used && active.value() == 0.0 {
            let _ = families.gauge("llm_active_requests").remove(&[&self.model, &self.provider]);
        }
    }

    /// Whether the registry has removed the series; new ones start at 0.
    pub(super) fn is_removed(&self) -> bool {
        self.active.is_removed()
    }

    /// The series of an operation.
    pub(super) fn operation(&self, families: &Families, operation: LlmOperation) -> &OperationSeries {
        self.operations[operation.index()].get_or_init(|| {
            let labels: Shared = SliceArc::from([
                SliceArc::clone(&self.model),
                SliceArc::clone(&self.provider),
                SliceArc::from(operation.as_str()),
            ]);
            let series = OperationSeries {
                statuses: ByWord::new(families.counter("llm_requests_total"), &labels),
                duration: Kept::new(families.histogram("llm_request_duration_seconds"), &labels),
            };
            if !self.is_other() {
                series.statuses.init();
            }
            series
        })
    }

    /// Notes that the model streams. The first call makes the counters of interruptions and stalls appear with 0.
    pub(super) fn streamed(&self) {
        if !self.is_other() {
            self.has_streamed.get_or_init(|| {
                self.interrupted.init();
                self.stalls.iter().for_each(Kept::init);
            });
        }
    }
}
