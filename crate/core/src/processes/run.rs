//! The run that this process takes part in: reads the other processes, and has those that have ended added to the totals.

use super::fold::{Ended, FoldThread, fold};
use super::folder::{READ, identities};
use super::layout::{self, Header};
use super::member::{file_name, identity_of};
use super::reader::{Reader, has_ended};
use super::refusal::Refusal;
use super::totals::{self, Identities, Totals};
use crate::clock::Clock;
use crate::registry::{Others, Retired, Run};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, RwLock};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the files are listed again because a process was folded meanwhile.
const READS_MAX: usize = 20;

/// How long the number of processes is taken as it was: counting them opens all files.
const COUNT_AGE: Duration = Duration::from_millis(500);

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
    /// What the last scrape has read.
    last: RwLock<Arc<Others>>,
    /// The number of processes, and when they were counted.
    counted: Mutex<Option<(Instant, usize)>>,
}

#[derive(Default)]
struct State {
    readers: HashMap<u64, Reader, foldhash::fast::FixedState>,
    totals: Totals,
    refused: HashSet<String, foldhash::fast::FixedState>,
    /// True once a warning has said that the last values are shown again.
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
            last: RwLock::default(),
            counted: Mutex::new(None),
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
                    return self.last();
                }
            }
        }
        state.is_old = false;
        let live = state.readers.values().filter(|reader| !reader.has_ended());
        // Each thread of a process has a file.
        let pids: BTreeSet<u32> = live.map(|reader| reader.header.pid).collect();
        let mut order: Vec<&Reader> = state.readers.values().collect();
        order.sort_unstable_by_key(|Reader { header, .. }| (header.started, header.pid, header.identity));
        let others = Arc::new(Others {
            processes: pids.iter().filter(|pid| **pid != std::process::id()).count(),
            unshared: order.iter().map(|reader| reader.unshared).sum(),
            refused: state.refused.len(),
            families: order.into_iter().flat_map(|reader| &reader.now).cloned().collect(),
            retired: Arc::clone(&state.totals.retired),
        });
        self.tell_read();
        *self.last.write() = Arc::clone(&others);
        self.fold_later(&state);
        others
    }

    fn was_read(&self) -> bool {
        let read = std::fs::metadata(self.folder.join(READ)).and_then(|it| it.modified()).map_or(0, nanos);
        let seen = self.seen_read.swap(read, Ordering::Relaxed);
        read != seen && read != self.own_read.load(Ordering::Relaxed)
    }

    fn last(&self) -> Arc<Others> {
        Arc::clone(&self.last.read())
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

    fn process_count(&self) -> usize {
        let mut counted = self.counted.lock();
        match *counted {
            Some((at, count)) if at.elapsed() < COUNT_AGE => count,
            _ => {
                let count = self.processes().len();
                *counted = Some((Instant::now(), count));
                count
            }
        }
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
