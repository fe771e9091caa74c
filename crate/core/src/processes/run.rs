//! The run that this process takes part in: reads the other processes, and has those that have ended added to the totals.

use super::fold::{Ended, FOLDED_MAX, FoldThread, fold, many_ended};
use super::folder::{READ, identities, of_live};
use super::layout::{self, Header};
use super::member::{file_name, identity_of};
use super::reader::Reader;
use super::refusal::Refusal;
use super::totals::{self, Identities, Totals};
use super::turn::FileTurn;
use crate::clock::Clock;
use crate::registry::{Contributor, Labelled, Others, Retired, Run, Shown, Turn};
use crate::sort::sort_by;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, RwLock};
use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the files are listed again because a process was folded meanwhile.
const READS_MAX: usize = 20;

/// How long the number of processes is taken as it was: counting them opens all files.
const COUNT_AGE: Duration = Duration::from_millis(500);

/// How long a refused file is left alone: it may have been unreadable for a moment only.
const REFUSED_AGE: Duration = Duration::from_secs(60);

/// How often a process looks whether files of ended processes wait for a scrape.
const TIDY_AGE: Duration = Duration::from_secs(60);

/// Warnings that wait for the program. More say little more.
const WARNINGS_MAX: usize = 16;

/// Finds processes that have ended.
type Find = Box<dyn FnOnce(&Path, &Arc<Clock>) -> Result<Vec<Ended>, Refusal> + Send>;

/// A run as one process follows it.
pub(super) struct SharedRun {
    pub(super) folder: PathBuf,
    owner: u32,
    /// This process's number and start.
    own: (u32, u64),
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
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only the endpoint asks"))]
    counted: Mutex<Option<(Instant, usize)>>,
    /// When this process has last looked for files of ended processes.
    tidied: Mutex<Option<Instant>>,
    /// What the program has not been told yet.
    warnings: Mutex<Vec<String>>,
}

#[derive(Default)]
struct State {
    /// By ascending identity. A hash map is more code. Boxed, because there may be thousands, which are added in any order.
    #[expect(clippy::vec_box, reason = "pointers are moved faster when another one comes between them")]
    readers: Vec<Box<Reader>>,
    totals: Totals,
    /// True if the file of totals is older than these, or gone.
    is_ahead: bool,
    /// The files that are left out, by name, and when they were last tried.
    refused: Vec<(String, Instant)>,
    /// True once a warning has said that the last values are shown again.
    is_old: bool,
}

impl State {
    /// A file is not left out any more.
    fn accept(&mut self, name: &str) {
        if let Ok(at) = self.refusal(name) {
            self.refused.remove(at);
        }
    }

    /// Where a file is among those that are left out, or belongs.
    fn refusal(&self, name: &str) -> Result<usize, usize> {
        self.refused.binary_search_by(|(refused, _)| (**refused).cmp(name))
    }
}

impl SharedRun {
    pub(super) fn new(folder: PathBuf, owner: u32, own: &Header) -> Self {
        Self {
            folder,
            owner,
            own: (own.pid, own.started),
            label: own.label(),
            worker: own.worker.clone(),
            clock: Arc::default(),
            state: Arc::default(),
            folding: FoldThread::default(),
            own_read: AtomicU64::new(0),
            seen_read: AtomicU64::new(0),
            last: RwLock::default(),
            counted: Mutex::new(None),
            tidied: Mutex::new(None),
            warnings: Mutex::default(),
        }
    }

    /// Adds the counts of contributors of this process that have ended. The caller holds the run's lock.
    pub(super) fn keep(&self, retired: &Retired) -> io::Result<()> {
        if retired.families.is_empty() && retired.overflow.is_empty() {
            return Ok(());
        }
        let unreadable = |_| io::Error::new(io::ErrorKind::InvalidData, "its file of totals cannot be read");
        let known = Totals::default();
        let (mut totals, _) = Totals::read_or_known(&self.folder, &self.clock, &known).map_err(unreadable)?;
        let mut sum = (*totals.retired).clone();
        for family in &retired.families {
            sum.absorb(&Labelled(&**family, &self.label), &self.clock, family.left(), usize::MAX);
        }
        sum.count_overflow(&retired.overflow);
        totals.retired = Arc::new(sum);
        totals.generation += 1;
        totals.write(&self.folder, &self.clock)
    }

    /// Has the processes that have ended added to the totals. What is shown does not change.
    fn fold_later(&self, state: &State, own: &[Arc<Contributor>]) {
        let ended = state.readers.iter().filter(|reader| reader.has_ended());
        let ended: Vec<Ended> = ended
            .map(|reader| Ended { identity: reader.header.identity, families: reader.now.clone() })
            .take(FOLDED_MAX)
            .collect();
        if ended.is_empty() && !state.is_ahead {
            return;
        }
        // With the series of those that have ended: they and the totals were shown as one.
        let others = state.readers.iter().flat_map(|reader| &reader.now);
        let mut others = others.flat_map(|family| family.label_sets());
        let shown = Shown::of(&mut state.totals.retired.expired(), own, &self.label, &mut others);
        self.begin_fold(Box::new(move |_, _| Ok(ended)), shown);
    }

    /// Begins a thread that adds the processes that `find` returns to the totals. After a failure the next one tries again.
    fn begin_fold(&self, find: Find, shown: Shown) {
        let (folder, clock) = (self.folder.clone(), Arc::clone(&self.clock));
        let state = Arc::clone(&self.state);
        self.folding.begin(move || {
            let Ok(ended) = find(&folder, &clock) else { return };
            let (known, is_ahead) = {
                let state = state.lock();
                (state.totals.clone(), state.is_ahead)
            };
            if ended.is_empty() && !is_ahead {
                return;
            }
            if let Ok(Some(totals)) = fold(&folder, &clock, &ended, &known, &shown) {
                let mut state = state.lock();
                if totals.generation > state.totals.generation {
                    state.totals = totals;
                }
            }
        });
    }

    /// What the files of live processes say.
    fn live<T>(&self, ask: impl Fn(u64, &File) -> Option<T>) -> Vec<T> {
        let mut said = Vec::new();
        for identity in identities(&self.folder).unwrap_or_default() {
            if let Ok(Some(file)) = of_live(&self.folder, identity) {
                said.extend(ask(identity, &file));
            }
        }
        said
    }

    /// Leaves a file out; says so the first time.
    fn refuse(&self, state: &mut State, name: String, reason: &str) {
        let path = self.folder.join(&name);
        match state.refusal(&name) {
            Ok(at) => state.refused[at].1 = Instant::now(),
            Err(at) => {
                state.refused.insert(at, (name, Instant::now()));
                self.warn(format!("{} is left out of the shared metrics: {reason}", path.display()));
            }
        }
    }

    /// Tells the others that the run was read.
    fn tell_read(&self) {
        let tell = || -> io::Result<u64> {
            let path = self.folder.join(READ);
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).write(true).mode(0o600);
            let file = options.custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)?;
            file.set_modified(SystemTime::now())?;
            Ok(nanos(file.metadata()?.modified()?))
        };
        // Without it the others collect later.
        if let Ok(time) = tell() {
            self.own_read.store(time, Ordering::Relaxed);
        }
    }

    /// Reads all files once; returns false if a process was folded meanwhile.
    fn read_files(&self, state: &mut State, own: &[Arc<Contributor>]) -> Result<bool, Refusal> {
        let is_own = |number| own.iter().any(|own| own.number() == Some(number));
        // Without the folder there are no totals either, and those that were read are kept.
        std::fs::metadata(&self.folder)?;
        // Damaged totals must not hide the live processes.
        let has_totals = match self.read_totals(state) {
            Ok(()) => {
                state.accept(totals::NAME);
                true
            }
            Err(Refusal::Damaged(reason)) => {
                self.refuse(state, totals::NAME.to_owned(), &reason);
                false
            }
            Err(error) => return Err(error),
        };
        let listed = identities(&self.folder)?;
        // A file is removed after the totals have its counts.
        let present: Identities = listed.iter().copied().collect();
        let totals = &state.totals.identities;
        state.readers.retain(|reader| {
            let identity = &reader.header.identity;
            present.contains(identity) && !is_own(*identity) && !totals.contains(identity)
        });
        state
            .refused
            .retain(|(name, _)| identity_of(name).is_none_or(|identity| present.contains(&identity)));
        for identity in listed {
            if is_own(identity) || state.totals.identities.contains(&identity) {
                continue;
            }
            let name = file_name(identity);
            if state.refusal(&name).is_ok_and(|at| state.refused[at].1.elapsed() < REFUSED_AGE) {
                continue;
            }
            let place = state.readers.binary_search_by_key(&identity, |reader| reader.header.identity);
            let read = match place {
                Ok(at) => state.readers[at].read_patiently(),
                Err(at) => Reader::open(&self.folder.join(&name), identity, self.owner, &self.clock)
                    .and_then(|mut reader| {
                        reader.read_patiently()?;
                        state.readers.insert(at, Box::new(reader));
                        Ok(())
                    }),
            };
            match read {
                Ok(()) | Err(Refusal::Gone) => {
                    state.accept(&name);
                }
                Err(Refusal::Damaged(reason)) => {
                    if let Ok(at) = place {
                        state.readers.remove(at);
                    }
                    self.refuse(state, name, &reason);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(!has_totals || totals::generation(&self.folder)? <= state.totals.generation)
    }

    /// Reads the totals, if another process has replaced them. Those that are gone, or older, are kept as they were read.
    fn read_totals(&self, state: &mut State) -> Result<(), Refusal> {
        let generation = totals::generation(&self.folder)?;
        if generation > state.totals.generation {
            state.totals = Totals::read(&self.folder, &self.clock)?;
        }
        state.is_ahead = generation < state.totals.generation;
        Ok(())
    }
}

impl Run for SharedRun {
    fn read(&self, own: &[Arc<Contributor>]) -> Arc<Others> {
        let mut state = self.state.lock();
        let mut reads = 0;
        loop {
            match self.read_files(&mut state, own) {
                Ok(true) => {
                    state.accept("");
                    break;
                }
                // Some process may be missing, which another one has folded meanwhile.
                Ok(false) if reads == READS_MAX => return self.last(),
                Ok(false) => reads += 1,
                Err(Refusal::Gone) => {
                    // Values that do not change any more would look like those of now.
                    state.readers.clear();
                    self.refuse(&mut state, String::new(), "the folder is gone");
                    break;
                }
                Err(Refusal::Damaged(reason)) => {
                    self.refuse(&mut state, String::new(), &reason);
                    break;
                }
                // Shows the others as they were: without some of them the totals would go down.
                Err(Refusal::Unreadable(error)) => {
                    if !std::mem::replace(&mut state.is_old, true) {
                        self.warn(format!(
                            "The shared metrics in {} are shown as they were: {error}",
                            self.folder.display()
                        ));
                    }
                    return self.last();
                }
            }
        }
        state.is_old = false;
        let live = state.readers.iter().filter(|reader| !reader.has_ended());
        let live = processes_of(live.map(|reader| &reader.header));
        let mut order: Vec<&Reader> = state.readers.iter().map(|reader| &**reader).collect();
        let place = |Reader { header, .. }: &Reader| (header.started, header.pid, header.identity);
        sort_by(&mut order, |one, next| place(one).cmp(&place(next)));
        let others = Arc::new(Others {
            processes: live.iter().filter(|process| **process != self.own).count(),
            unshared: order.iter().map(|reader| reader.unshared).sum(),
            refused: state.refused.len(),
            families: order.into_iter().flat_map(|reader| &reader.now).cloned().collect(),
            retired: Arc::clone(&state.totals.retired),
        });
        self.tell_read();
        *self.last.write() = Arc::clone(&others);
        self.fold_later(&state, own);
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
        let live = self.live(|_, file| Header::read(file).ok()?);
        processes_of(live.iter()).into_iter().map(|(pid, _)| pid).collect()
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

    fn port_use(&self, own: Option<u64>, port: u32) -> Option<bool> {
        let use_of = |identity, file: &File| {
            if Some(identity) == own { None } else { layout::port_use(file, port).ok()? }
        };
        self.live(use_of).into_iter().max()
    }

    fn tidy(&self) {
        let mut tidied = self.tidied.lock();
        if tidied.is_none_or(|at| at.elapsed() >= TIDY_AGE) {
            *tidied = Some(Instant::now());
            let owner = self.owner;
            let find: Find = Box::new(move |folder, clock| many_ended(folder, owner, clock));
            self.begin_fold(find, Shown::default());
        }
    }

    fn warn(&self, message: String) {
        tracing::warn!(target: "prometheus_metrics", "{message}");
        let mut warnings = self.warnings.lock();
        if warnings.len() < WARNINGS_MAX {
            warnings.push(message);
        }
    }

    fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    fn settle(&self) {
        self.folding.settle();
    }

    fn restore(&self) {
        let state = self.state.lock();
        let found = totals::generation(&self.folder);
        if found.is_ok_and(|found| found < state.totals.generation) {
            // Without them the counts of ended processes are lost.
            let _ = state.totals.write(&self.folder, &self.clock);
        }
    }

    fn turn(&self, key: &str) -> Box<dyn Turn> {
        Box::new(FileTurn::new(&self.folder, key))
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

/// The numbers and starts of the processes that have these files: each thread of a process has one. Processes of two containers
/// may have one number.
fn processes_of<'a>(files: impl Iterator<Item = &'a Header>) -> Vec<(u32, u64)> {
    let mut processes: Vec<(u32, u64)> = files.map(|header| (header.pid, header.started)).collect();
    sort_by(&mut processes, Ord::cmp);
    processes.dedup();
    processes
}

/// Nanoseconds since 1970.
fn nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}
