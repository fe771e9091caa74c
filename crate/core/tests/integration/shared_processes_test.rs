//! Tests processes that share their metrics with random histories: processes and threads that begin, record, remove series,
//! end and read. Each reader sees the same totals, and they are those of a ledger.

#![cfg(target_os = "linux")]

use crate::exposition::parse_or_fail;
use crate::{Cell, contributor_of, family_of, scrape};
use prometheus_metrics::processes::{JoinOptions, join, join_run_of, live_processes};
use prometheus_metrics::registry::{Contributor, Descriptor, Kind, Process};
use prometheus_metrics::{Format, MetricsError};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("shared-{:x}", RandomState::new().hash_one(0)));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    fn files(&self) -> usize {
        let runs = std::fs::read_dir(&self.0).expect("the folder of runs");
        let run = runs.flatten().next().expect("a run").path();
        let files = std::fs::read_dir(run).expect("the run").flatten();
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
    threads: Vec<Arc<Contributor>>,
    /// The slots of its threads' series, by thread, family and label.
    slots: HashMap<(usize, bool, usize), (u32, u32)>,
}

impl Member {
    /// A process with counts of before it joins.
    fn start(folder: &Folder, early: u32) -> Result<Self, MetricsError> {
        let process = Process::new();
        let ended = contributor_of(&process);
        let first = contributor_of(&process);
        let mut member = Self { process, threads: vec![ended, first], slots: HashMap::new() };
        member.record(0, 0, f64::from(early))?;
        member.process.leave(&member.threads.remove(0));
        member.slots.clear();
        member.record(0, 1, f64::from(early))?;
        let options = JoinOptions::default().dir(Some(folder.0.clone())).name("test".to_owned());
        join(&member.process, &member.threads[0], &options)?;
        Ok(member)
    }

    fn begin_thread(&mut self) -> Result<(), MetricsError> {
        let thread = contributor_of(&self.process);
        join_run_of(&self.process, &thread)?;
        self.threads.push(thread);
        Ok(())
    }

    fn slot(&mut self, thread: usize, is_histogram: bool, label: usize) -> Result<u32, MetricsError> {
        if let Some((_, slot)) = self.slots.get(&(thread, is_histogram, label)) {
            return Ok(*slot);
        }
        let descriptor = match is_histogram {
            true => Descriptor::histogram("h", "", &["l"], &[1.0])?,
            false => Descriptor::new(Kind::Counter, "c_total", "", &["l"])?,
        };
        let family = family_of(&self.threads[thread], descriptor)?;
        let series = family.add_series(&[(0, &label.to_string())]).expect("within the limits");
        self.slots.insert((thread, is_histogram, label), (series.id, series.slot));
        Ok(series.slot)
    }

    fn record(&mut self, thread: usize, label: usize, value: f64) -> Result<(), MetricsError> {
        let slot = self.slot(thread, false, label)?;
        Cell { contributor: &self.threads[thread], slot, offset: 0 }.add(value);
        let slot = self.slot(thread, true, label)?;
        Cell { contributor: &self.threads[thread], slot, offset: 1 }.add(1.0);
        Cell { contributor: &self.threads[thread], slot, offset: 2 }.add(value);
        Ok(())
    }

    fn totals(&self) -> Result<BTreeMap<String, f64>, TestCaseError> {
        let text = scrape(self.threads[0].registry(), Some(&self.process), Format::PrometheusText);
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
    Read(usize),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..9_u32).prop_map(Step::Start),
        2 => (0..9_usize).prop_map(Step::Thread),
        1 => (0..9_usize).prop_map(Step::EndThread),
        2 => (0..9_usize).prop_map(Step::End),
        8 => (0..9_usize, 0..3_usize, 0..4_usize, 0..1000_u32).prop_map(|(a, b, c, d)| Step::Record(a, b, c, d)),
        4 => (0..9_usize).prop_map(Step::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_process_sees_what_all_have_counted(steps in prop::collection::vec(steps(), 1..60)) {
        let folder = Folder::new();
        let mut members = vec![Member::start(&folder, 1)?];
        // By label, the sum of the counts and their number.
        let mut ledger: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        let mut book = |label: usize, value: u32| {
            let entry = ledger.entry(label).or_default();
            *entry = (entry.0 + f64::from(value), entry.1 + 1.0);
            ledger.clone()
        };
        book(0, 1);
        let mut booked = book(1, 1);
        for step in steps {
            match step {
                Step::Start(early) => {
                    members.push(Member::start(&folder, early)?);
                    book(0, early);
                    booked = book(1, early);
                }
                Step::Thread(at) => {
                    let at = at % members.len();
                    members[at].begin_thread()?;
                }
                Step::EndThread(at) => {
                    let at = at % members.len();
                    let member = &mut members[at];
                    if member.threads.len() > 1 {
                        let last = member.threads.len() - 1;
                        member.process.leave(&member.threads.remove(last));
                        member.slots.retain(|(thread, ..), _| *thread != last);
                    }
                }
                Step::End(at) if members.len() > 1 => {
                    let member = members.remove(at % members.len());
                    // As the system does: nothing of it is left but its files.
                    for thread in &member.threads {
                        member.process.leave(thread);
                    }
                }
                Step::End(_) => {}
                Step::Record(at, thread, label, value) => {
                    let at = at % members.len();
                    let thread = thread % members[at].threads.len();
                    members[at].record(thread, label, f64::from(value))?;
                    booked = book(label, value);
                }
                Step::Read(at) => {
                    let at = at % members.len();
                    check(&members[at], &booked)?;
                }
            }
        }
        for member in &members {
            check(member, &booked)?;
        }
        let threads: usize = members.iter().map(|member| member.threads.len()).sum();
        prop_assert_eq!(folder.files(), threads, "ended ones are in the totals");
        prop_assert_eq!(live_processes(&members[0].process).len(), 1, "all are in this program");
    }
}

fn check(member: &Member, booked: &BTreeMap<usize, (f64, f64)>) -> Result<(), TestCaseError> {
    let totals = member.totals()?;
    for (label, (sum, count)) in booked {
        prop_assert_eq!(totals.get(&format!("c_total {label} 1")), Some(sum), "{:?}", totals);
        prop_assert_eq!(totals.get(&format!("h_sum {label} 1")), Some(sum));
        prop_assert_eq!(totals.get(&format!("h_count {label} 1")), Some(count));
    }
    Ok(())
}
