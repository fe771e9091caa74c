//! Wakes JavaScript when series of its families have expired. JavaScript removes them.

use crate::error::{Result, engine};
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use prometheus_metrics::registry::{CardinalityGuard, Contributor, Process, Remover};
use std::sync::{Arc, OnceLock, Weak};

/// One waiting call is enough: it finds all expired series.
const MAX_CALLS: usize = 1;

type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true, MAX_CALLS>;

/// The JavaScript environment that removes the expired series of a contributor's families.
pub(crate) struct RealmRemover {
    wake: OnceLock<Wake>,
    /// Weak, because a contributor's registry holds families and families hold their remover.
    contributor: Weak<Contributor>,
    process: Weak<Process>,
}

impl RealmRemover {
    pub(crate) fn new(contributor: &Arc<Contributor>, process: &Arc<Process>) -> Self {
        Self {
            wake: OnceLock::new(),
            contributor: Arc::downgrade(contributor),
            process: Arc::downgrade(process),
        }
    }

    /// Sets the callback for expired series, which runs on the environment's thread. It does not keep the process
    /// alive. Later callbacks are ignored.
    pub(crate) fn on_expired(&self, callback: &Function<'_, (), ()>) -> Result<()> {
        let wake = callback
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .max_queue_size::<MAX_CALLS>()
            .build_callback(|_| Ok(()))
            .map_err(engine)?;
        // No series expires before there is a callback, because nothing has a time to live until then.
        let _ = self.wake.set(wake);
        Ok(())
    }
}

impl Remover for RealmRemover {
    fn shares(&self, guards: &[Arc<CardinalityGuard>]) -> bool {
        let (Some(contributor), Some(process)) = (self.contributor.upgrade(), self.process.upgrade()) else {
            return false;
        };
        let merged = contributor.registry().cardinality_guard();
        !process.is_alone() && guards.iter().any(|guard| Arc::ptr_eq(guard, merged))
    }

    fn wake(&self) {
        if let Some(wake) = self.wake.get() {
            // Full: a call is waiting already. Closing: the memory is not needed back.
            let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}
