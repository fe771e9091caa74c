//! A request to a model that is going on: takes the times, and is recorded once. It is active as long as it exists.

use super::model_series::ModelSeries;
use super::request::{LlmEnd, LlmRequest, LlmTarget, Spent};
use super::{LlmMetricsCollector, seconds};
use crate::collectors::words::{Interruption, LlmErrorType, LlmOperation, LlmStatus};
use crate::metrics::Gauge;
use crate::registry::OVERFLOW_VALUE;
use crate::sync::Arc;
use std::time::Duration;

/// A request to a model that is going on. One that is dropped without an end was cancelled.
#[must_use = "a call that is dropped was cancelled"]
pub struct LlmCall {
    collector: LlmMetricsCollector,
    series: Arc<ModelSeries>,
    operation: LlmOperation,
    /// Model and provider as they were asked for, where the model is not known yet.
    unknown: Option<(Box<str>, Box<str>)>,
    /// What was raised is what is lowered, whatever a registry removes meanwhile.
    active: Option<Gauge>,
    start: Duration,
    time_to_first_token: Option<Duration>,
    chunks: u64,
    last_chunk: Option<Duration>,
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
            last_chunk: None,
            ended: false,
        }
    }

    /// Chunks so far.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// The first content has come, where chunks are not reported one by one. Later calls say nothing.
    pub fn first_token(&mut self) {
        if self.time_to_first_token.is_none() {
            self.time_to_first_token = Some(self.elapsed());
        }
    }

    /// A streamed chunk has come; one without content only names a role, or the usage, and stops no clock.
    pub fn chunk(&mut self, has_content: bool) {
        self.chunks += 1;
        if has_content {
            self.first_token();
        }
        if let Some(gaps) = &self.series.inter_chunk {
            let now = self.collector.now();
            if let Some(last) = self.last_chunk.replace(now) {
                gaps.observe(seconds(now.saturating_sub(last)));
            }
        }
    }

    /// The answer is complete. Returns what it took, for the agent that it was made for.
    pub fn end(mut self, end: impl Into<LlmEnd>) -> Spent {
        self.finish(&LlmRequest { status: Some(LlmStatus::Success), end: end.into(), ..self.so_far() })
    }

    /// The request failed, or was given up. After the first chunk a broken connection is a broken stream.
    pub fn fail(self, error: LlmErrorType) -> Spent {
        self.fail_with(error, LlmEnd::default(), None)
    }

    /// The request failed after a part of the answer had come. Who or what ended a stream whose first chunk had come is
    /// found from the error where it is not given.
    pub fn fail_with(
        mut self,
        error: LlmErrorType,
        end: impl Into<LlmEnd>,
        interrupted: Option<Interruption>,
    ) -> Spent {
        self.finish_failed(error, end.into(), interrupted)
    }

    /// Who asked is gone.
    pub fn cancel(self) {
        drop(self);
    }

    fn finish_failed(
        &mut self,
        error: LlmErrorType,
        end: LlmEnd,
        interrupted: Option<Interruption>,
    ) -> Spent {
        let streamed = self.chunks > 0;
        let error = if streamed { error.within_stream() } else { error };
        let who = streamed.then(|| interrupted.unwrap_or(error.interruption()));
        self.finish(&LlmRequest { error_type: Some(error), end, interrupted: who, ..self.so_far() })
    }

    /// What is known without its end.
    fn so_far(&self) -> LlmRequest<'static> {
        LlmRequest {
            duration: Some(self.elapsed()),
            time_to_first_token: self.time_to_first_token,
            chunks: Some(self.chunks),
            // The series know the names.
            ..LlmRequest::of(LlmTarget::new("", "").for_operation(self.operation))
        }
    }

    fn finish(&mut self, request: &LlmRequest<'_>) -> Spent {
        self.ended = true;
        self.active.take().iter().for_each(Gauge::dec);
        match &self.unknown {
            Some((model, provider)) if request.status() == LlmStatus::Success => {
                let series = self.collector.series_of(&LlmTarget::new(model, provider), true);
                self.collector.record(&series, request)
            }
            _ => self.collector.record(&self.series, request),
        }
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
