//! JavaScript as the owner of its families: whoever finds expired series wakes it, and it removes them.

use crate::error::{Result, engine};
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use prometheus_metrics::registry::{CardinalityGuard, Contributor, Process, Remover};
use std::sync::{Arc, OnceLock, Weak};

/// One call that waits is enough: it finds all there is.
const MAX_CALLS: usize = 1;

type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true, MAX_CALLS>;

/// The JavaScript environment that owns a contributor's families.
pub(crate) struct RealmRemover {
    wake: OnceLock<Wake>,
    /// Weak: a contributor's registry holds families, and families their owner.
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

    /// Sets what is called, on the environment's thread, when series have expired. It does not keep the process alive.
    /// The first one stays.
    pub(crate) fn on_expired(&self, callback: &Function<'_, (), ()>) -> Result<()> {
        let wake = callback
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .max_queue_size::<MAX_CALLS>()
            .build_callback(|_| Ok(()))
            .map_err(engine)?;
        // Series do not expire before there is a callback, because nothing has a time to live.
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
            // Full: a call waits already. Closing: nobody needs the memory back.
            let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}
