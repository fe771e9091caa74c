//! What a family tells of label sets beyond its limits: how many calls had one, some of them, and once a minute a
//! warning. The count is a cell of the family's owner, so that counting costs what recording costs.

use super::cardinality::OverflowPolicy;
use super::family::Family;
use crate::labels::redact_for_log;
use crate::model::Kind;
use crate::slab::{Cells, Slab};
use crate::sync::{Arc, Mutex};
use std::time::Duration;

/// Label sets that a warning shows.
const SAMPLES: usize = 3;
/// Characters of a value that a warning shows.
const SHOWN_CHARS: usize = 40;
/// A family is not warned of again within this time.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Label sets beyond the limits of one family.
pub(crate) struct Overflow {
    cells: Arc<Cells>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where calls are counted; a cell that most families never need.
    slot: Option<u32>,
    /// Since the last warning.
    samples: Vec<Vec<String>>,
    warned: Option<Duration>,
    /// Calls that the last warning knew of.
    warned_of: f64,
}

impl Overflow {
    pub(crate) fn new(cells: &Arc<Cells>) -> Self {
        Self { cells: Arc::clone(cells), state: Mutex::new(State::default()) }
    }

    /// The cell that the owner counts calls in.
    pub(crate) fn slot(&self) -> u32 {
        let mut state = self.state.lock();
        *state.slot.get_or_insert_with(|| self.cells.allocate(1))
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> f64 {
        let slot = self.state.lock().slot;
        slot.map_or(0.0, |slot| {
            let (slab, cell) = self.cells.locate(slot);
            slab.load(cell)
        })
    }

    /// Counts a call of Rust code, and keeps its values if few have been kept.
    pub(crate) fn count(&self, values: &[&str]) {
        let (slab, cell) = self.cells.locate(self.slot());
        Slab::add(slab, cell, 1.0);
        let mut state = self.state.lock();
        if state.samples.len() < SAMPLES {
            state.samples.push(values.iter().map(|value| (*value).to_owned()).collect());
        }
    }

    /// The samples for a warning that is due: calls came since the last one, which was more than a minute ago.
    pub(crate) fn due(&self, now: Duration) -> Option<Vec<Vec<String>>> {
        let calls = self.calls();
        let mut state = self.state.lock();
        let silent = state.warned.is_some_and(|warned| now.saturating_sub(warned) < WARNING_INTERVAL);
        if silent || calls <= state.warned_of || state.samples.is_empty() {
            return None;
        }
        state.warned = Some(now);
        state.warned_of = calls;
        Some(std::mem::take(&mut state.samples))
    }
}

impl Family {
    /// What a warning of label sets beyond the limits says. `samples` are values in the order of the label names; what
    /// looks like a secret is not shown.
    #[must_use]
    pub fn overflow_warning<S: AsRef<str>>(&self, samples: &[Vec<S>]) -> String {
        let descriptor = self.descriptor();
        let limits = self.limits();
        let becomes = match (limits.policy, descriptor.kind()) {
            (OverflowPolicy::Throw, _) => "are refused",
            (OverflowPolicy::Fold, Kind::Counter | Kind::Histogram) => "are counted as \"other\"",
            _ => "are dropped",
        };
        let most = self.largest_label().map_or_else(String::new, |(label, values)| {
            format!(" The label with the most values is \"{label}\" ({values}).")
        });
        let shown = |sample: &Vec<S>| {
            let labels =
                descriptor.label_names().iter().zip(sample).filter(|(_, value)| !value.as_ref().is_empty());
            let labels = labels
                .map(|(name, value)| format!("{name}={:?}", redact_for_log(value.as_ref(), SHOWN_CHARS)));
            format!("{{{}}}", labels.collect::<Vec<_>>().join(","))
        };
        let samples: Vec<String> = samples.iter().take(SAMPLES).map(shown).collect();
        format!(
            "CARDINALITY_LIMIT: \"{}\" has {} series of at most {}; label sets beyond its limits {becomes}.{most} Some: {}",
            descriptor.name(),
            self.series_count(),
            limits.max_series,
            samples.join(" ")
        )
    }

    /// Warns of label sets beyond the limits, at most once a minute.
    pub(crate) fn warn_of_overflow(&self, now: Duration) {
        if let Some(samples) = self.overflow().due(now) {
            tracing::warn!(target: "prometheus_metrics", "{}", self.overflow_warning(&samples));
        }
    }
}

impl Drop for Overflow {
    fn drop(&mut self) {
        if let Some(slot) = self.state.lock().slot {
            self.cells.free([slot], 1);
        }
    }
}
