//! Counts the recording calls over a family's limits and keeps some of their label values for the warning. The count is a
//! cell of the family's owner, so counting costs what recording costs. Must not know families.

use crate::slab::{Cells, Slab};
use crate::sync::{Arc, Mutex};
use std::time::Duration;

/// Label sets that a warning shows.
pub(super) const SAMPLES: usize = 3;
/// Time between two warnings of the same family.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Calls of one family whose label set was over a limit.
pub(crate) struct OverflowCount {
    cells: Arc<Cells>,
    warning: Mutex<WarningState>,
}

#[derive(Default)]
struct WarningState {
    /// The cell that calls are counted in. Allocated with the first of them: most families never need it.
    slot: Option<u32>,
    /// Label values of calls since the last warning; at most `SAMPLES`.
    samples: Vec<Vec<String>>,
    warned: Option<Duration>,
    /// The count at the last warning.
    warned_of: f64,
}

impl OverflowCount {
    pub(crate) fn new(cells: &Arc<Cells>) -> Self {
        Self { cells: Arc::clone(cells), warning: Mutex::new(WarningState::default()) }
    }

    /// The slot of the cell in which the owner counts calls.
    pub(crate) fn slot(&self) -> u32 {
        let mut warning = self.warning.lock();
        *warning.slot.get_or_insert_with(|| self.cells.allocate(1))
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> f64 {
        let slot = self.warning.lock().slot;
        slot.map_or(0.0, |slot| {
            let (slab, cell) = self.cells.locate(slot);
            slab.load(cell)
        })
    }

    /// Counts a call of Rust code, and keeps its values if there are fewer than `SAMPLES`.
    pub(crate) fn count(&self, values: &[&str]) {
        let (slab, cell) = self.cells.locate(self.slot());
        Slab::add(slab, cell, 1.0);
        let mut warning = self.warning.lock();
        if warning.samples.len() < SAMPLES {
            warning.samples.push(values.iter().map(|value| (*value).to_owned()).collect());
        }
    }

    /// The samples for a warning, if one is due: there were calls since the last one, and that was at least a minute
    /// ago.
    pub(crate) fn due(&self, now: Duration) -> Option<Vec<Vec<String>>> {
        let calls = self.calls();
        let mut warning = self.warning.lock();
        let silent = warning.warned.is_some_and(|warned| now.saturating_sub(warned) < WARNING_INTERVAL);
        if silent || calls <= warning.warned_of || warning.samples.is_empty() {
            return None;
        }
        warning.warned = Some(now);
        warning.warned_of = calls;
        Some(std::mem::take(&mut warning.samples))
    }
}

impl Drop for OverflowCount {
    fn drop(&mut self) {
        if let Some(slot) = self.warning.lock().slot {
            self.cells.free([slot], 1);
        }
    }
}
