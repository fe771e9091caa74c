//! Adds the processes that have ended to the totals, on a thread of its own: a scrape may run on an event loop.

use super::crash::crash_point;
use super::folder::{identities, lock};
use super::member::file_name;
use super::refusal::Refusal;
use super::totals::{Identities, Totals};
use crate::clock::Clock;
use crate::registry::RemoteFamily;
use crate::sync::{Arc, Mutex};
use std::path::Path;
use std::thread::{Builder, JoinHandle};

/// A process that has ended, and its last values.
pub(super) struct Ended {
    pub(super) identity: u64,
    pub(super) families: Vec<Arc<RemoteFamily>>,
}

/// The thread that folds, if there is one.
#[derive(Default)]
pub(super) struct FoldThread(Mutex<Option<JoinHandle<()>>>);

impl FoldThread {
    /// Begins, unless the last fold is still under way.
    pub(super) fn begin(&self, fold: impl FnOnce() + Send + 'static) {
        let mut thread = self.0.lock();
        if thread.as_ref().is_none_or(JoinHandle::is_finished) {
            // Without a thread, the next scrape tries again.
            *thread = Builder::new().name("metrics-fold".to_owned()).spawn(fold).ok();
        }
    }

    /// Waits until nothing is under way.
    pub(super) fn settle(&self) {
        let thread = self.0.lock().take();
        if let Some(thread) = thread {
            // A panic ends only that thread.
            let _ = thread.join();
        }
    }
}

/// Adds these processes to the totals; returns the new totals, or `None` if another process is folding.
pub(super) fn fold(folder: &Path, clock: &Arc<Clock>, ended: &[Ended]) -> Result<Option<Totals>, Refusal> {
    let Some(_lock) = lock(folder)? else { return Ok(None) };
    // Another process may have folded since the last read.
    let mut totals = Totals::read(folder, clock)?;
    let present: Identities = identities(folder)?.into_iter().collect();
    totals.identities.retain(|identity| present.contains(identity));
    let mut folded = (*totals.retired).clone();
    folded.drop_expired();
    let mut has_new = false;
    for Ended { identity, families } in ended {
        if !present.contains(identity) || !totals.identities.insert(*identity) {
            continue;
        }
        has_new = true;
        for family in families {
            // The limits are those of one process. Series that were shown must not go to `other` when it ends.
            folded.absorb(&**family, clock, family.ttl, usize::MAX);
            if family.overflow > 0.0 {
                let name = family.descriptor.name().to_owned();
                *folded.overflow.entry(name).or_insert(0.0) += family.overflow;
            }
        }
    }
    if has_new {
        totals.retired = Arc::new(folded);
        totals.generation += 1;
        totals.write(folder, clock)?;
    }
    // The totals have all of these. Readers know by the identities, until the files are gone.
    for identity in &totals.identities {
        let _ = std::fs::remove_file(folder.join(file_name(*identity)));
        crash_point("file removed");
    }
    Ok(Some(totals))
}
