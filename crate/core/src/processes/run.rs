//! The run that this process takes part in: reads the other processes, has those that have ended added to the totals, and
//! removes what ended processes leave behind.

use super::fold::{Ended, FoldThread, fold};
use super::layout::{self, Header};
use super::member::{file_name, identity_of, is_unfinished};
use super::reader::{Reader, Refusal, has_ended};
use super::totals::{self, Identities, Totals};
use crate::clock::Clock;
use crate::registry::{Others, Retired, Run};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};
use hashbrown::{HashMap, HashSet};
use nix::fcntl::{Flock, FlockArg};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Locked by the process that joins, folds or removes.
const LOCK: &str = "lock";
/// Its presence says that the totals outlive the last process.
pub(super) const KEPT: &str = "keep";
/// Its time is that of the last read of the run.
const READ: &str = "read";
/// How long a process that joins waits for the lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the files are listed again because a process was folded meanwhile.
const READS_MAX: usize = 20;

/// A run as one process follows it.
pub(super) struct SharedRun {
    pub(super) folder: PathBuf,
    owner: u32,
    /// The label of this process's series, rendered, and its value; empty without one.
    label: Vec<u8>,
    worker: String,
    clock: Arc<Clock>,
    state: Arc<Mutex<State>>,
    folding: FoldThread,
    /// When this process has read the run, and when it has last seen that a process had, in nanoseconds. Not in `state`,
    /// which a scrape locks while it reads files.
    own_read: AtomicU64,
    seen_read: AtomicU64,
}

#[derive(Default)]
struct State {
    readers: HashMap<u64, Reader, foldhash::fast::FixedState>,
    totals: Totals,
    refused: HashSet<String, foldhash::fast::FixedState>,
    last: Arc<Others>,
    /// True once a warning has said that `last` is shown again.
    is_old: bool,
}

impl SharedRun {
    pub(super) fn new(folder: PathBuf, owner: u32, own: &Header) -> Self {
        Self {
            folder,
            owner,
            label: own.label(),
            worker: own.worker.clone(),
            clock: Arc::default(),
            state: Arc::default(),
            folding: FoldThread::default(),
            own_read: AtomicU64::new(0),
            seen_read: AtomicU64::new(0),
        }
    }

    /// Adds the counts of contributors of this process that have ended. The caller holds the run's lock.
    pub(super) fn keep(&self, retired: &Retired) -> io::Result<()> {
        if retired.families.is_empty() {
            return Ok(());
        }
        let unreadable = |_| io::Error::new(io::ErrorKind::InvalidData, "its file of totals cannot be read");
        let mut totals = Totals::read(&self.folder, &self.clock).map_err(unreadable)?;
        let mut sum = (*totals.retired).clone();
        for family in &retired.families {
            sum.absorb(&**family, &self.clock, family.left(), usize::MAX);
        }
        sum.count_overflow(&retired.overflow);
        totals.retired = Arc::new(sum);
        totals.generation += 1;
        totals.write(&self.folder, &self.clock)
    }

    /// Has the processes that have ended added to the totals. What is shown does not change.
    fn fold_later(&self, state: &State) {
        let ended = state.readers.iter().filter(|(_, reader)| reader.has_ended());
        let ended: Vec<Ended> = ended
            .map(|(identity, reader)| Ended { identity: *identity, families: reader.now.clone() })
            .collect();
        if ended.is_empty() {
            return;
        }
        let (folder, clock) = (self.folder.clone(), Arc::clone(&self.clock));
        let state = Arc::clone(&self.state);
        self.folding.begin(move || {
            // After a failure the next scrape tries again.
            if let Ok(Some(totals)) = fold(&folder, &clock, &ended) {
                let mut state = state.lock();
                if totals.generation > state.totals.generation {
                    state.totals = totals;
                }
            }
        });
    }

    /// Tells the others that the run was read.
    fn tell_read(&self) {
        let tell = || -> io::Result<u64> {
            let path = self.folder.join(READ);
            let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
            file.set_modified(SystemTime::now())?;
            Ok(nanos(file.metadata()?.modified()?))
        };
        // Without it the others collect later.
        if let Ok(time) = tell() {
            self.own_read.store(time, Ordering::Relaxed);
        }
    }

    /// Reads all files once; returns false if a process was folded meanwhile.
    fn read_files(&self, state: &mut State, is_own: &dyn Fn(u64) -> bool) -> Result<bool, Refusal> {
        // Without the folder there are no totals either, and those that were read are kept.
        std::fs::metadata(&self.folder)?;
        // Damaged totals must not hide the live processes.
        let has_totals = match self.read_totals(state) {
            Ok(()) => {
                state.refused.remove(totals::NAME);
                true
            }
            Err(Refusal::Damaged(reason)) => {
                state.refuse(&self.folder, totals::NAME.to_owned(), &reason);
                false
            }
            Err(error) => return Err(error),
        };
        let listed = identities(&self.folder)?;
        // A file is removed after the totals have its counts.
        let present: Identities = listed.iter().copied().collect();
        state.readers.retain(|identity, _| present.contains(identity) && !is_own(*identity));
        state.refused.retain(|name| identity_of(name).is_none_or(|identity| present.contains(&identity)));
        for identity in listed {
            if is_own(identity) || state.totals.identities.contains(&identity) {
                state.readers.remove(&identity);
                continue;
            }
            let name = file_name(identity);
            if state.refused.contains(&name) {
                continue;
            }
            let read = match state.readers.get_mut(&identity) {
                Some(reader) => reader.read_patiently(),
                None => Reader::open(&self.folder.join(&name), identity, self.owner, &self.clock).and_then(
                    |mut reader| {
                        reader.read_patiently()?;
                        state.readers.insert(identity, reader);
                        Ok(())
                    },
                ),
            };
            match read {
                Ok(()) | Err(Refusal::Gone) => {}
                Err(Refusal::Damaged(reason)) => {
                    state.readers.remove(&identity);
                    state.refuse(&self.folder, name, &reason);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(!has_totals || totals::generation(&self.folder)? == state.totals.generation)
    }

    /// Reads the totals, if another process has replaced them.
    fn read_totals(&self, state: &mut State) -> Result<(), Refusal> {
        if totals::generation(&self.folder)? != state.totals.generation {
            state.totals = Totals::read(&self.folder, &self.clock)?;
        }
        Ok(())
    }
}

impl State {
    fn refuse(&mut self, folder: &Path, name: String, reason: &str) {
        let path = folder.join(&name);
        if self.refused.insert(name) {
            tracing::warn!(
                target: "prometheus_metrics",
                "{} is left out of the shared metrics: {reason}",
                path.display()
            );
        }
    }
}

impl Run for SharedRun {
    fn read(&self, is_own: &dyn Fn(u64) -> bool) -> Arc<Others> {
        let mut state = self.state.lock();
        for _ in 0..READS_MAX {
            match self.read_files(&mut state, is_own) {
                Ok(true) => {
                    state.refused.remove("");
                    break;
                }
                Ok(false) => {}
                Err(Refusal::Gone) => {
                    // Values that do not change any more would look like those of now.
                    state.readers.clear();
                    state.refuse(&self.folder, String::new(), "the folder is gone");
                    break;
                }
                Err(Refusal::Damaged(reason)) => {
                    state.refuse(&self.folder, String::new(), &reason);
                    break;
                }
                // Shows the others as they were: without some of them the totals would go down.
                Err(Refusal::Unreadable(error)) => {
                    if !std::mem::replace(&mut state.is_old, true) {
                        tracing::warn!(
                            target: "prometheus_metrics",
                            "The shared metrics in {} are shown as they were: {error}",
                            self.folder.display()
                        );
                    }
                    return Arc::clone(&state.last);
                }
            }
        }
        state.is_old = false;
        let live = state.readers.values().filter(|reader| !reader.has_ended());
        // Each thread of a process has a file.
        let pids: BTreeSet<u32> = live.map(|reader| reader.header.pid).collect();
        let mut order: Vec<&Reader> = state.readers.values().collect();
        order.sort_unstable_by_key(|Reader { header, .. }| (header.started, header.pid, header.identity));
        let others = Others {
            processes: pids.iter().filter(|pid| **pid != std::process::id()).count(),
            unshared: order.iter().map(|reader| reader.unshared).sum(),
            refused: state.refused.len(),
            families: order.into_iter().flat_map(|reader| &reader.now).cloned().collect(),
            retired: Arc::clone(&state.totals.retired),
        };
        self.tell_read();
        state.last = Arc::new(others);
        self.fold_later(&state);
        Arc::clone(&state.last)
    }

    fn was_read(&self) -> bool {
        let read = std::fs::metadata(self.folder.join(READ)).and_then(|it| it.modified()).map_or(0, nanos);
        let seen = self.seen_read.swap(read, Ordering::Relaxed);
        read != seen && read != self.own_read.load(Ordering::Relaxed)
    }

    fn last(&self) -> Arc<Others> {
        Arc::clone(&self.state.lock().last)
    }

    fn processes(&self) -> Vec<u32> {
        let pid = |identity: u64| -> io::Result<Option<u32>> {
            let file = File::open(self.folder.join(file_name(identity)))?;
            let header = Header::read(&file)?.filter(|_| matches!(has_ended(&file), Ok(false)));
            Ok(header.map(|header| header.pid))
        };
        let all = identities(&self.folder).unwrap_or_default();
        let mut live: Vec<u32> = all.into_iter().filter_map(|identity| pid(identity).ok()?).collect();
        live.sort_unstable();
        // Each thread of a process has a file.
        live.dedup();
        live
    }

    fn port_use(&self, own: Option<u64>, port: u16) -> Option<bool> {
        let use_of = |identity: u64| -> io::Result<Option<bool>> {
            let file = File::open(self.folder.join(file_name(identity)))?;
            let found = layout::port_use(&file, port)?;
            Ok(found.filter(|_| matches!(has_ended(&file), Ok(false))))
        };
        let others = identities(&self.folder).unwrap_or_default().into_iter();
        others.filter(|identity| Some(*identity) != own).filter_map(|it| use_of(it).ok()?).max()
    }

    fn settle(&self) {
        self.folding.settle();
    }

    fn restore(&self) {
        let state = self.state.lock();
        if state.totals.generation > 0 && matches!(totals::generation(&self.folder), Ok(0)) {
            // Without them the counts of ended processes are lost.
            let _ = state.totals.write(&self.folder, &self.clock);
        }
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn label(&self) -> &[u8] {
        &self.label
    }

    fn worker(&self) -> &str {
        &self.worker
    }
}

/// Nanoseconds since 1970.
fn nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}

/// The identities of the files of a run.
pub(super) fn identities(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        found.extend(entry?.file_name().to_str().and_then(identity_of));
    }
    Ok(found)
}

/// Locks a run, if no other process has; `None` otherwise, and if the folder was removed meanwhile.
pub(super) fn lock(folder: &Path) -> io::Result<Option<Flock<File>>> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
    let Ok(file) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { return Ok(None) };
    let is_there = std::fs::metadata(&path).and_then(|there| Ok(there.ino() == file.metadata()?.ino()));
    Ok(is_there.unwrap_or(false).then_some(file))
}

/// The same, with some patience. Makes the folder again if another process removes it.
pub(super) fn lock_patiently(folder: &Path, prepare: impl Fn() -> io::Result<()>) -> io::Result<Flock<File>> {
    let begun = Instant::now();
    loop {
        match lock(folder) {
            Ok(Some(lock)) => return Ok(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => prepare()?,
            Err(error) => return Err(error),
            Ok(None) => {}
        }
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds its lock"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// True if a process of the run lives. The caller holds the run's lock.
pub(super) fn is_live(folder: &Path) -> io::Result<bool> {
    for identity in identities(folder)? {
        if let Ok(file) = File::open(folder.join(file_name(identity)))
            && !has_ended(&file)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what processes left that were killed while they joined. The caller holds the run's lock, as they did.
pub(super) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_unfinished) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes the files of a run without live processes. The caller holds its lock.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| {
            identity_of(name).is_some()
                || is_unfinished(name)
                || name.starts_with(totals::NAME)
                || name == READ
        });
        if is_ours {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes runs of the same user in which no process lives.
pub(super) fn remove_old_runs(base: &Path, own: &Path, owner: u32) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for folder in entries.flatten().map(|entry| entry.path()) {
        let is_run = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
            name.strip_prefix(super::place::PREFIX).is_some_and(|rest| u64::from_str_radix(rest, 16).is_ok())
        });
        let is_own = std::fs::symlink_metadata(&folder).is_ok_and(|it| it.is_dir() && it.uid() == owner);
        if !is_run || !is_own || folder == own || folder.join(KEPT).exists() {
            continue;
        }
        if let Ok(Some(_lock)) = lock(&folder)
            && is_live(&folder).is_ok_and(|live| !live)
            && empty(&folder).is_ok()
        {
            let _ = std::fs::remove_file(folder.join(LOCK));
            let _ = std::fs::remove_dir(&folder);
        }
    }
}
