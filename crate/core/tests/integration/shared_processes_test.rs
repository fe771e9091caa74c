//! Tests processes that share their metrics with random histories: processes and threads that begin, record, remove series,
//! end and read. Each reader sees the same totals, and they are those of a ledger.

#![cfg(target_os = "linux")]

use crate::exposition::parse_or_fail;
use crate::{Cell, contributor_of, family_of, scrape};
use nix::fcntl::{Flock, FlockArg};
use prometheus_metrics::processes::{
    JoinOptions, join, join_run_of, live_processes, look_after, take_warnings,
};
use prometheus_metrics::registry::{Contributor, Descriptor, Family, Kind, Process, Registry};
use prometheus_metrics::slab::{CELLS_PER_SLAB, Cells};
use prometheus_metrics::{Format, MetricsError};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("shared-{:x}", RandomState::new().hash_one(0)));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    fn run(&self) -> PathBuf {
        let runs = std::fs::read_dir(&self.0).expect("the folder of runs");
        runs.flatten().next().expect("a run").path()
    }

    fn files(&self) -> usize {
        let files = std::fs::read_dir(self.run()).expect("the run").flatten();
        files.filter(|file| file.file_name().to_string_lossy().starts_with("process-")).count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One process. In this test all of them are objects of one program, each with its own locks.
struct Member {
    process: Process,
    threads: Vec<Thread>,
}

/// One thread of a process.
struct Thread {
    contributor: Arc<Contributor>,
    /// The ids and slots of its series, by family and label.
    slots: HashMap<(bool, usize), (u32, u32)>,
    /// What it has counted in the series that it has.
    counted: Ledger,
}

/// By label, the sum of the counts and their number.
type Ledger = BTreeMap<usize, (f64, f64)>;

fn add_to(ledger: &mut Ledger, label: usize, (sum, count): (f64, f64)) {
    let entry = ledger.entry(label).or_default();
    *entry = (entry.0 + sum, entry.1 + count);
}

impl Thread {
    fn of(process: &Process) -> Self {
        Self { contributor: contributor_of(process), slots: HashMap::new(), counted: Ledger::new() }
    }

    fn family(&self, is_histogram: bool) -> Result<Arc<Family>, MetricsError> {
        let descriptor = match is_histogram {
            true => Descriptor::histogram("h", "", &["l"], &[1.0])?,
            false => Descriptor::new(Kind::Counter, "c_total", "", &["l"])?,
        };
        family_of(&self.contributor, descriptor)
    }

    fn cell(&mut self, is_histogram: bool, label: usize, offset: usize) -> Result<Cell<'_>, MetricsError> {
        let slot = match self.slots.get(&(is_histogram, label)) {
            Some((_, slot)) => *slot,
            None => {
                let family = self.family(is_histogram)?;
                let series = family.add_series(&[(0, &label.to_string())]).expect("within the limits");
                self.slots.insert((is_histogram, label), (series.id, series.slot));
                series.slot
            }
        };
        Ok(Cell { contributor: &self.contributor, slot, offset })
    }

    fn record(&mut self, label: usize, value: f64) -> Result<(), MetricsError> {
        self.cell(false, label, 0)?.add(value);
        self.cell(true, label, 1)?.add(1.0);
        self.cell(true, label, 2)?.add(value);
        add_to(&mut self.counted, label, (value, 1.0));
        Ok(())
    }

    fn remove(&mut self, label: usize) -> Result<(), MetricsError> {
        for is_histogram in [false, true] {
            if let Some((id, _)) = self.slots.remove(&(is_histogram, label)) {
                assert!(self.family(is_histogram)?.remove_series(id), "it exists");
            }
        }
        self.counted.remove(&label);
        Ok(())
    }
}

impl Member {
    /// A process with counts of before it joins; one of its threads has ended.
    fn start(folder: &Folder, early: u32) -> Result<Self, MetricsError> {
        let process = Process::new();
        let (mut ended, mut first) = (Thread::of(&process), Thread::of(&process));
        ended.record(0, f64::from(early))?;
        process.leave(&ended.contributor);
        first.record(1, f64::from(early))?;
        let options = JoinOptions::default().dir(Some(folder.0.clone())).name("test".to_owned());
        join(&process, &first.contributor, &options)?;
        Ok(Self { process, threads: vec![first] })
    }

    fn begin_thread(&mut self) -> Result<(), MetricsError> {
        let thread = Thread::of(&self.process);
        join_run_of(&self.process, &thread.contributor)?;
        self.threads.push(thread);
        Ok(())
    }

    fn text(&self) -> String {
        scrape(self.threads[0].contributor.registry(), Some(&self.process), Format::PrometheusText)
    }

    fn totals(&self) -> Result<BTreeMap<String, f64>, TestCaseError> {
        let text = self.text();
        let mut totals = BTreeMap::new();
        for sample in
            parse_or_fail(&text, Format::PrometheusText)?.into_iter().flat_map(|family| family.samples)
        {
            let label = sample.labels.iter().find(|(name, _)| name == "l").map(|(_, value)| value.clone());
            totals.insert(
                format!("{} {} {}", sample.name, label.unwrap_or_default(), sample.labels.len()),
                sample.value,
            );
        }
        Ok(totals)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Start(u32),
    Thread(usize),
    EndThread(usize),
    End(usize),
    Record(usize, usize, usize, u32),
    Remove(usize, usize, usize),
    /// Longer than the test takes, or none.
    Ttl(usize, usize, bool),
    Read(usize),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..9_u32).prop_map(Step::Start),
        2 => (0..9_usize).prop_map(Step::Thread),
        1 => (0..9_usize).prop_map(Step::EndThread),
        2 => (0..9_usize).prop_map(Step::End),
        8 => (0..9_usize, 0..3_usize, 0..4_usize, 0..1000_u32).prop_map(|(a, b, c, d)| Step::Record(a, b, c, d)),
        3 => (0..9_usize, 0..3_usize, 0..4_usize).prop_map(|(a, b, c)| Step::Remove(a, b, c)),
        2 => (0..9_usize, 0..3_usize, any::<bool>()).prop_map(|(a, b, c)| Step::Ttl(a, b, c)),
        4 => (0..9_usize).prop_map(Step::Read),
    ]
}

/// The processes, and what those that have ended have counted.
struct Service {
    folder: Folder,
    members: Vec<Member>,
    ended: Ledger,
}

impl Service {
    fn start(&mut self, early: u32) -> Result<(), MetricsError> {
        self.members.push(Member::start(&self.folder, early)?);
        add_to(&mut self.ended, 0, (f64::from(early), 1.0));
        Ok(())
    }

    /// As the system does: nothing of it is left but its file.
    fn end(&mut self, process: &Process, thread: &Thread) {
        process.leave(&thread.contributor);
        for (label, counted) in &thread.counted {
            add_to(&mut self.ended, *label, *counted);
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let count = self.members.len();
        match step {
            Step::Start(early) => self.start(early)?,
            Step::Thread(at) => self.members[at % count].begin_thread()?,
            Step::EndThread(at) => {
                let mut member = self.members.swap_remove(at % count);
                if member.threads.len() > 1
                    && let Some(thread) = member.threads.pop()
                {
                    self.end(&member.process, &thread);
                }
                self.members.push(member);
            }
            Step::End(at) if count > 1 => {
                let member = self.members.swap_remove(at % count);
                member.threads.iter().for_each(|thread| self.end(&member.process, thread));
            }
            Step::End(_) => {}
            Step::Record(at, thread, label, value) => {
                let threads = &mut self.members[at % count].threads;
                let thread = thread % threads.len();
                threads[thread].record(label, f64::from(value))?;
            }
            Step::Remove(at, thread, label) => {
                let threads = &mut self.members[at % count].threads;
                let thread = thread % threads.len();
                threads[thread].remove(label)?;
            }
            Step::Ttl(at, thread, has) => {
                let threads = &self.members[at % count].threads;
                let ttl = has.then_some(Duration::from_secs(3600));
                threads[thread % threads.len()].contributor.registry().set_ttl(ttl);
            }
            Step::Read(at) => self.check(&self.members[at % count])?,
        }
        Ok(())
    }

    fn check(&self, member: &Member) -> Result<(), TestCaseError> {
        let mut ledger = self.ended.clone();
        for thread in self.members.iter().flat_map(|member| &member.threads) {
            thread.counted.iter().for_each(|(label, counted)| add_to(&mut ledger, *label, *counted));
        }
        let totals = member.totals()?;
        for (label, (sum, count)) in &ledger {
            prop_assert_eq!(totals.get(&format!("c_total {label} 1")), Some(sum), "{:?}", totals);
            prop_assert_eq!(totals.get(&format!("h_sum {label} 1")), Some(sum));
            prop_assert_eq!(totals.get(&format!("h_count {label} 1")), Some(count));
        }
        let shown = totals.keys().filter(|name| name.starts_with("c_total ")).count();
        prop_assert_eq!(shown, ledger.len(), "removed series are gone: {:?}", totals);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_process_sees_what_all_have_counted(steps in prop::collection::vec(steps(), 1..60)) {
        let mut service = Service { folder: Folder::new(), members: Vec::new(), ended: Ledger::new() };
        service.start(1)?;
        for step in steps {
            service.take(step)?;
        }
        let threads: usize = service.members.iter().map(|member| member.threads.len()).sum();
        let begun = Instant::now();
        // A thread adds those that have ended to the totals.
        loop {
            for member in &service.members {
                service.check(member)?;
            }
            if service.folder.files() == threads {
                break;
            }
            prop_assert!(begun.elapsed() < Duration::from_secs(20), "{} files", service.folder.files());
            std::thread::sleep(Duration::from_millis(2));
        }
        prop_assert_eq!(live_processes(&service.members[0].process).len(), 1, "all are in this program");
    }
}

const TTL: Duration = Duration::from_millis(500);

/// Reads until a thread has added the processes that have ended to the totals.
fn settle(folder: &Folder, reader: &Member, files: usize) {
    let begun = Instant::now();
    while folder.files() > files {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} files", folder.files());
        let _ = reader.text();
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_total_stays_while_a_live_process_shows_its_series() -> Result<(), MetricsError> {
    let folder = Folder::new();
    let (mut live, mut one, mut two) =
        (Member::start(&folder, 1)?, Member::start(&folder, 1)?, Member::start(&folder, 1)?);
    for member in [&live, &one, &two] {
        member.threads[0].contributor.registry().set_ttl(Some(TTL));
    }
    live.threads[0].record(7, 1.0)?;
    one.threads[0].record(7, 1000.0)?;
    one.threads[0].record(8, 1000.0)?;
    two.threads[0].record(9, 1.0)?;
    one.process.leave(&one.threads[0].contributor);
    settle(&folder, &live, 2);
    assert!(live.text().contains("c_total{l=\"8\"} 1000\n"), "{}", live.text());
    std::thread::sleep(2 * TTL);
    two.process.leave(&two.threads[0].contributor);
    // Recorded before each read, so that the series is not hidden on a slow machine.
    let mut expected = 1001.0;
    let begun = Instant::now();
    loop {
        live.threads[0].record(7, 1.0)?;
        expected += 1.0;
        let (is_last, text) = (folder.files() == 1, live.text());
        assert!(text.contains(&format!("c_total{{l=\"7\"}} {expected}\n")), "{expected}: {text}");
        if is_last {
            // No process shows it, so it is forgotten.
            assert!(!text.contains("c_total{l=\"8\"}"), "{text}");
            return Ok(());
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the second process is not added to the totals");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn totals_that_are_gone_or_damaged_are_written_again() -> Outcome {
    let folder = Folder::new();
    let (live, mut one, two) =
        (Member::start(&folder, 1)?, Member::start(&folder, 1)?, Member::start(&folder, 1)?);
    one.threads[0].record(7, 5.0)?;
    one.process.leave(&one.threads[0].contributor);
    settle(&folder, &live, 2);
    let totals = folder.run().join("totals");
    std::fs::remove_file(&totals)?;
    assert!(live.text().contains("c_total{l=\"7\"} 5\n"), "{}", live.text());
    let begun = Instant::now();
    while !totals.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the totals are gone");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::fs::write(&totals, "damaged")?;
    two.process.leave(&two.threads[0].contributor);
    settle(&folder, &live, 1);
    let late = Member::start(&folder, 1)?;
    assert!(late.text().contains("c_total{l=\"7\"} 5\n"), "{}", late.text());
    assert!(folder.run().join("totals.damaged").exists());
    Ok(())
}

#[test]
fn files_of_many_ended_processes_do_not_wait_for_a_scrape() -> Outcome {
    let folder = Folder::new();
    let first = Member::start(&folder, 1)?;
    for _ in 0..20 {
        let mut short = Member::start(&folder, 0)?;
        short.threads[0].record(7, 1.0)?;
        short.process.leave(&short.threads[0].contributor);
    }
    let _last = Member::start(&folder, 0)?;
    let begun = Instant::now();
    while folder.files() > 12 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} files", folder.files());
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(first.text().contains("c_total{l=\"7\"} 20\n"), "{}", first.text());
    Ok(())
}

#[test]
fn a_family_of_another_contributor_stays_when_this_registry_removes_it() -> Result<(), MetricsError> {
    let folder = Folder::new();
    let (mut one, two, reader) =
        (Member::start(&folder, 1)?, Member::start(&folder, 1)?, Member::start(&folder, 1)?);
    one.threads[0].record(7, 5.0)?;
    let other = two.threads[0].contributor.registry();
    assert!(other.unregister("c_total"));
    other.register_family(one.threads[0].family(false)?)?;
    other.set_ttl(Some(TTL));
    assert!(other.unregister("c_total"));
    assert!(reader.text().contains("c_total{l=\"7\"} 5\n"), "{}", reader.text());
    Ok(())
}

#[test]
fn a_process_finds_its_run_in_a_relative_folder() -> Outcome {
    let folder = Folder::new();
    let up: PathBuf = std::env::current_dir()?.components().skip(1).map(|_| "..").collect();
    let relative = up.join(folder.0.strip_prefix("/")?);
    let process = Process::new();
    let contributor = contributor_of(&process);
    let options = JoinOptions::default().dir(Some(relative)).name("test".to_owned());
    let run = join(&process, &contributor, &options)?;
    assert!(run.is_absolute(), "the working directory may change: {}", run.display());
    assert_eq!(run.canonicalize()?, folder.run().canonicalize()?);
    Ok(())
}

#[test]
fn a_process_that_must_not_wait_fails_while_another_holds_the_lock() -> Outcome {
    let folder = Folder::new();
    let first = Member::start(&folder, 1)?;
    let lock = std::fs::File::open(folder.run().join("lock"))?;
    let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
    let process = Process::new();
    let contributor = contributor_of(&process);
    let options = JoinOptions::default().dir(Some(folder.0.clone())).name("test".to_owned()).at_once(true);
    let error = join(&process, &contributor, &options).expect_err("the lock is held");
    assert!(error.to_string().contains("another process holds its lock"), "{error}");
    // Nor does a process that has to join again.
    let path = std::fs::read_dir(folder.run())?
        .flatten()
        .map(|file| file.path())
        .find(|path| path.to_string_lossy().contains("process-"));
    std::fs::remove_file(path.expect("the file of the first process"))?;
    let own = &first.threads[0].contributor;
    assert!(!look_after(&first.process, own)?);
    assert!(first.text().contains("c_total{l=\"1\"} 1\n"), "{}", first.text());
    drop(lock);
    assert!(look_after(&first.process, own)?);
    assert_eq!(folder.files(), 1);
    join(&process, &contributor, &options)?;
    Ok(())
}

#[test]
fn a_warning_waits_for_the_program() -> Outcome {
    let folder = Folder::new();
    let member = Member::start(&folder, 1)?;
    assert_eq!(take_warnings(&member.process), [""; 0]);
    std::fs::write(folder.run().join("process-0000000000000001"), "damaged")?;
    let _ = (member.text(), member.text());
    let warnings = take_warnings(&member.process);
    assert!(
        matches!(&warnings[..], [one] if one.contains("process-0000000000000001 is left out")),
        "{warnings:?}"
    );
    assert_eq!(take_warnings(&member.process), [""; 0]);
    Ok(())
}

#[test]
fn a_family_stays_in_the_run_until_the_shared_registry_removes_it() -> Result<(), MetricsError> {
    let folder = Folder::new();
    let (mut one, two) = (Member::start(&folder, 1)?, Member::start(&folder, 1)?);
    one.threads[0].record(5, 7.0)?;
    let family = one.threads[0].family(false)?;
    let private = Registry::new();
    private.register_family(Arc::clone(&family))?;
    private.clear();
    one.threads[0].record(6, 8.0)?;
    let text = two.text();
    assert!(text.contains("c_total{l=\"5\"} 7\n") && text.contains("c_total{l=\"6\"} 8\n"), "{text}");
    assert!(one.threads[0].contributor.registry().unregister("c_total"));
    assert!(!two.text().contains("c_total{l=\"5\"}"));
    Ok(())
}

/// A family with cells of its own, which no file has.
#[test]
fn series_without_a_file_stay_in_their_process_when_their_thread_ends() -> Result<(), MetricsError> {
    let folder = Folder::new();
    let (mut one, two) = (Member::start(&folder, 1)?, Member::start(&folder, 1)?);
    one.begin_thread()?;
    let cells = Arc::new(Cells::on_heap());
    let family =
        Arc::new(Family::new(Descriptor::new(Kind::Counter, "f_total", "", &[])?, Arc::clone(&cells)));
    let thread = one.threads.pop().expect("the thread that has begun");
    thread.contributor.registry().register_family(Arc::clone(&family))?;
    let slot = family.add_series(&[]).expect("within the limits").slot as usize;
    cells.slab(slot / CELLS_PER_SLAB).expect("its slab").store(slot % CELLS_PER_SLAB, 5.0);
    for has_ended in [false, true] {
        if has_ended {
            one.process.leave(&thread.contributor);
        }
        assert!(one.text().contains("\nf_total 5\n"), "{}", one.text());
        assert!(!two.text().contains("f_total"), "its cells are another's: {}", two.text());
    }
    Ok(())
}
