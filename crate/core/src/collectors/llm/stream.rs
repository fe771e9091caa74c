//! Times the gaps between the chunks of a stream, and records a stream that has ended.

use super::model_series::ModelSeries;
use super::request::LlmRequest;
use crate::collectors::seconds;
use std::time::Duration;

/// The gaps between the chunks of one stream.
#[derive(Default)]
pub(super) struct ChunkGaps {
    last: Option<Duration>,
    pub(super) longest: Option<Duration>,
    pub(super) stalls: u64,
}

impl ChunkGaps {
    /// Notes a chunk at this moment; returns the time since the chunk before.
    pub(super) fn chunk(&mut self, now: Duration, stall: Option<Duration>) -> Option<Duration> {
        let gap = self.wait(now, stall);
        self.last = Some(now);
        gap
    }

    /// Notes that the stream broke off at this moment: the reader had waited since the last chunk.
    pub(super) fn wait(&mut self, now: Duration, stall: Option<Duration>) -> Option<Duration> {
        let gap = now.saturating_sub(self.last?);
        self.longest = self.longest.max(Some(gap));
        if stall.is_some_and(|stall| gap > stall) {
            self.stalls += 1;
        }
        Some(gap)
    }
}

/// The average time between two tokens that the reader of a stream saw. Reasoning that the provider hides took its time before
/// the first token.
pub(super) fn seconds_per_token(request: &LlmRequest<'_>) -> Option<f64> {
    let (first, duration) = (request.time_to_first_token?, request.duration?);
    let usage = &request.end.usage;
    let hidden = usage.reasoning_tokens.unwrap_or_default();
    let seen = usage.output_tokens.unwrap_or_default().saturating_sub(hidden);
    let tokens = request.end.visible_tokens.unwrap_or(seen);
    (tokens > 1).then(|| seconds(duration.saturating_sub(first)) / (tokens - 1) as f64)
}

pub(super) fn record_stream(series: &ModelSeries, request: &LlmRequest<'_>) {
    let LlmRequest { chunks, time_to_first_token, .. } = *request;
    if chunks.unwrap_or_default() == 0 && time_to_first_token.is_none() {
        return;
    }
    series.streamed();
    series.streams.inc();
    if let Some(chunks) = chunks {
        series.chunks.add(chunks as f64);
    }
    if let Some(first) = time_to_first_token {
        series.first_token.observe(seconds(first));
    }
    // Observed once a stream, as an average: one observation for each token would cost too much.
    if let Some(per_token) = seconds_per_token(request) {
        series.per_token.observe(per_token);
    }
    if let (Some(gaps), Some(longest)) = (&series.longest_gap, request.longest_gap) {
        gaps.observe(seconds(longest));
    }
    if let (Some(counter), Some(stalls)) = (&series.stalls, request.stalls) {
        counter.add(stalls as f64);
    }
    if let Some(who) = request.interrupted {
        series.interrupted.inc(who);
    }
}
