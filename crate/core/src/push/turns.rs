//! Decides which pusher of a run pushes. Each of them would push the same totals, so one does, and the others stand by.

use super::encode::Gatherer;
use crate::registry::{Process, Turn};
use std::io;
use std::sync::Arc;

/// One pusher's place among those of its run. A pusher whose process shares nothing always has the turn.
pub(super) struct Turns {
    /// None for a pusher that does not push the values of the run.
    process: Option<Arc<Process>>,
    key: String,
    turn: Option<Box<dyn Turn>>,
    is_own: bool,
}

impl Turns {
    pub(super) fn new(process: Option<Arc<Process>>, key: String) -> Self {
        Self { process, key, turn: None, is_own: false }
    }

    /// Whether this pusher pushes now. If it begins to, it goes on where the one before stopped.
    ///
    /// # Errors
    /// The system cannot tell.
    pub(super) fn is_own(&mut self, gatherer: &mut Gatherer) -> io::Result<bool> {
        if self.turn.is_none() {
            // The process may join a run at any time.
            let state = self.process.as_ref().map(|process| process.state());
            self.turn = state.and_then(|state| Some(state.run.as_ref()?.turn(&self.key)));
        }
        let Some(turn) = &mut self.turn else { return Ok(true) };
        let was_own = std::mem::take(&mut self.is_own);
        self.is_own = turn.is_own()?;
        if self.is_own && !was_own {
            gatherer.follow(&**turn);
        }
        Ok(self.is_own)
    }

    /// Keeps the newest timestamp for the next one.
    pub(super) fn keep(&self, gatherer: &Gatherer) {
        self.turn.iter().for_each(|turn| turn.keep(gatherer.last_ms()));
    }

    /// Announces that this pusher ends. Returns whether it was the last one.
    pub(super) fn leave(&mut self) -> bool {
        self.turn.as_mut().is_none_or(|turn| turn.leave())
    }
}
