//! Follows one request to a model: takes the times and records it once. It is active as long as the value exists.

use super::model_series::ModelSeries;
use super::request::{LlmEnd, LlmRequest, LlmTarget, Spent};
use super::stream::ChunkGaps;
use super::{LlmMetricsCollector, seconds};
use crate::collectors::words::{Interruption, LlmErrorType, LlmOperation, LlmStatus};
use crate::metrics::Gauge;
use crate::registry::OVERFLOW_VALUE;
use crate::sync::Arc;
use std::time::Duration;

/// A request to a model in progress. Dropping it without an end records it as cancelled.
#[must_use = "a call that is dropped was cancelled"]
pub struct LlmCall {
    collector: LlmMetricsCollector,
    series: Arc<ModelSeries>,
    operation: LlmOperation,
    /// Model and provider as the caller named them, if the model was unknown at the start.
    unknown: Option<(Box<str>, Box<str>)>,
    /// The handle that was incremented. It is decremented too, even if the registry removes the series in between.
    active: Option<Gauge>,
    start: Duration,
    time_to_first_token: Option<Duration>,
    chunks: u64,
    gaps: ChunkGaps,
    ended: bool,
}

impl LlmCall {
    pub(super) fn new(
        collector: LlmMetricsCollector,
        series: Arc<ModelSeries>,
        target: &LlmTarget<'_>,
    ) -> Self {
        let active = series.active.get();
        active.iter().for_each(Gauge::inc);
        let unknown =
            (*series.model == *OVERFLOW_VALUE).then(|| (target.model.into(), target.provider.into()));
        Self {
            start: collector.now(),
            collector,
            series,
            operation: target.operation,
            unknown,
            active,
            time_to_first_token: None,
            chunks: 0,
            gaps: ChunkGaps::default(),
            ended: false,
        }
    }

    /// The chunks so far.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Reports the first content, for a caller that does not report each chunk. Later calls have no effect.
    pub fn first_token(&mut self) {
        if self.time_to_first_token.is_none() {
            self.time_to_first_token = Some(self.elapsed());
        }
    }

    /// Reports a streamed chunk. A chunk without content has only a role or the usage, so it does not end the time to the first
    /// token.
    pub fn chunk(&mut self, has_content: bool) {
        self.chunks += 1;
        if has_content {
            self.first_token();
        }
        if self.watches_gaps() {
            let gap = self.gaps.chunk(self.collector.now(), self.collector.shared.stall);
            if let (Some(gaps), Some(gap)) = (&self.series.inter_chunk, gap) {
                gaps.observe(seconds(gap));
            }
        }
    }

    /// Ends the request with an answer. Returns its tokens and cost, for the agent that made it.
    pub fn end<'a>(mut self, end: impl Into<LlmEnd<'a>>) -> Spent {
        self.finish(&LlmRequest { status: Some(LlmStatus::Success), end: end.into(), ..self.so_far() })
    }

    /// Ends the request with an error. After the first chunk, a lost connection counts as an interrupted stream.
    pub fn fail(self, error: LlmErrorType) -> Spent {
        self.fail_with(error, LlmEnd::default(), None)
    }

    /// Ends the request with an error, after a part of the answer had arrived. If the first chunk had arrived, the cause of the
    /// interruption is `interrupted`, or follows from the error.
    pub fn fail_with<'a>(
        mut self,
        error: LlmErrorType,
        end: impl Into<LlmEnd<'a>>,
        interrupted: Option<Interruption>,
    ) -> Spent {
        self.finish_failed(error, end.into(), interrupted)
    }

    /// Ends the request because the caller cancelled it.
    pub fn cancel(self) {
        drop(self);
    }

    fn finish_failed(
        &mut self,
        error: LlmErrorType,
        end: LlmEnd<'_>,
        interrupted: Option<Interruption>,
    ) -> Spent {
        let streamed = self.chunks > 0;
        let error = if streamed { error.within_stream() } else { error };
        let who = streamed.then(|| interrupted.unwrap_or(error.interruption()));
        // A caller that leaves may have been slow to read.
        if error != LlmErrorType::Cancelled && self.watches_gaps() {
            let _ = self.gaps.wait(self.collector.now(), self.collector.shared.stall);
        }
        self.finish(&LlmRequest { error_type: Some(error), end, interrupted: who, ..self.so_far() })
    }

    /// A report of everything except the end.
    fn so_far<'a>(&self) -> LlmRequest<'a> {
        LlmRequest {
            duration: Some(self.elapsed()),
            time_to_first_token: self.time_to_first_token,
            chunks: Some(self.chunks),
            longest_gap: self.gaps.longest,
            stalls: Some(self.gaps.stalls),
            // The names are unused here: the series already have them.
            ..LlmRequest::of(LlmTarget::new("", "").for_operation(self.operation))
        }
    }

    fn finish(&mut self, request: &LlmRequest<'_>) -> Spent {
        self.ended = true;
        let active = self.active.take();
        active.iter().for_each(Gauge::dec);
        let spent = match &self.unknown {
            Some((model, provider)) if request.outcome() == LlmStatus::Success => {
                let series = self.collector.series_of(&LlmTarget::new(model, provider), true);
                self.collector.record(&series, request)
            }
            _ => self.collector.record(&self.series, request),
        };
        if let Some(active) = active {
            self.series.remove_unused(&self.collector.shared.families, &active);
        }
        spent
    }

    /// Whether the times between chunks are measured.
    fn watches_gaps(&self) -> bool {
        self.series.inter_chunk.is_some() || self.series.longest_gap.is_some()
    }

    fn elapsed(&self) -> Duration {
        self.collector.now().saturating_sub(self.start)
    }
}

impl Drop for LlmCall {
    fn drop(&mut self) {
        if !self.ended {
            self.finish_failed(LlmErrorType::Cancelled, LlmEnd::default(), None);
        }
    }
}
