//! The program's objectives for requests, and whether a request met them. It must not know series.

use super::request::LlmRequest;
use super::stream::seconds_per_token;
use crate::collectors::seconds;
use crate::collectors::words::{LlmStatus, ObjectiveResult};
use std::time::Duration;

/// Objectives for requests. A request meets an objective for a figure that it does not have: one that was not streamed has no
/// time to its first token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LlmObjectives {
    /// From the request to the first chunk with content, at most.
    pub time_to_first_token: Option<Duration>,
    /// Between two tokens of a stream on average, at most.
    pub time_per_output_token: Option<Duration>,
    /// From the request to the end of its answer, at most.
    pub duration: Option<Duration>,
}

setters!(LlmObjectives {
    time_to_first_token: Option<Duration>,
    time_per_output_token: Option<Duration>,
    duration: Option<Duration>,
});

impl LlmObjectives {
    pub(super) fn are_set(&self) -> bool {
        *self != Self::default()
    }

    /// Nothing for a cancelled request: its caller may have had enough.
    pub(super) fn result(&self, request: &LlmRequest<'_>, status: LlmStatus) -> Option<ObjectiveResult> {
        match status {
            LlmStatus::Success => {}
            LlmStatus::Cancelled => return None,
            _ => return Some(ObjectiveResult::Failed),
        }
        let within = |figure: Option<f64>, most: Option<Duration>| match (figure, most) {
            (Some(figure), Some(most)) => figure <= seconds(most),
            _ => true,
        };
        let is_met = within(request.time_to_first_token.map(seconds), self.time_to_first_token)
            && within(request.duration.map(seconds), self.duration)
            && within(seconds_per_token(request), self.time_per_output_token);
        Some(if is_met { ObjectiveResult::Met } else { ObjectiveResult::Missed })
    }
}
