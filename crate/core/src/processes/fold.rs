//! Adds the processes that have ended to the totals, on a thread of its own: a scrape may run on an event loop.

use super::crash::crash_point;
use super::folder::{identities, lock, of_live};
use super::member::file_name;
use super::reader::Reader;
use super::refusal::Refusal;
use super::totals::{Identities, Totals};
use crate::clock::Clock;
use crate::registry::{RemoteFamily, Shown};
use crate::sync::{Arc, Mutex};
use std::path::Path;
use std::thread::{Builder, JoinHandle};

/// The most processes that are added at once. Those that join wait for the lock meanwhile.
pub(super) const FOLDED_MAX: usize = 256;
/// So many files of ended processes wait for a scrape. Each takes 64 KiB at least.
const WAITING_MAX: usize = 8;

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

/// The processes that have ended, if there are many: without scrapes no process has read them. Files that are refused are left
/// to scrapes.
pub(super) fn many_ended(folder: &Path, owner: u32, clock: &Arc<Clock>) -> Result<Vec<Ended>, Refusal> {
    let mut ended = identities(folder)?;
    ended.retain(|identity| matches!(of_live(folder, *identity), Ok(None)));
    if ended.len() <= WAITING_MAX {
        return Ok(Vec::new());
    }
    ended.truncate(FOLDED_MAX);
    let mut found = Vec::new();
    for identity in ended {
        let opened = Reader::open(&folder.join(file_name(identity)), identity, owner, clock);
        if let Ok(mut reader) = opened
            && reader.read_patiently().is_ok()
        {
            found.push(Ended { identity, families: reader.now });
        }
    }
    Ok(found)
}

/// Adds these processes to the totals; returns the new totals, or `None` if another process is folding. `known` are the totals
/// that this process has read last. Totals that have expired are dropped, without the series that are `shown`.
pub(super) fn fold(
    folder: &Path,
    clock: &Arc<Clock>,
    ended: &[Ended],
    known: &Totals,
    shown: &Shown,
) -> Result<Option<Totals>, Refusal> {
    let Some(_lock) = lock(folder)? else { return Ok(None) };
    // Another process may have folded since the last read.
    let (mut totals, is_behind) = Totals::read_or_known(folder, clock, known)?;
    let present: Identities = identities(folder)?.into_iter().collect();
    totals.identities.retain(|identity| present.contains(identity));
    let mut new = Vec::new();
    for one in ended {
        if present.contains(&one.identity) && totals.identities.insert(one.identity) {
            new.push(one);
        }
    }
    if is_behind || !new.is_empty() {
        let mut folded = Arc::unwrap_or_clone(std::mem::take(&mut totals.retired));
        folded.drop_expired(shown);
        for family in new.iter().flat_map(|ended| &ended.families) {
            // The limits are those of one process. Series that were shown must not go to `other` when it ends.
            folded.absorb(&**family, clock, family.ttl, usize::MAX);
            if family.overflow > 0.0 {
                let name = family.descriptor.name().to_owned();
                *folded.overflow.entry(name).or_insert(0.0) += family.overflow;
            }
        }
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
