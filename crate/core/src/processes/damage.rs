//! Tests readers with the file of a process, whole and damaged.

use super::join::{JoinOptions, join};
use super::layout::{Header, LOG_START, block_bytes};
use super::member::{Member, file_name};
use super::place::user;
use super::reader::Reader;
use super::record::{FRAME, checksum};
use crate::model::Descriptor;
use crate::registry::{Contributor, Family, Journal, Kind, Process};
use crate::slab::Cells;
use crate::sync::Arc;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A folder that is removed in the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let path = std::env::temp_dir().join(format!("reader-{:x}", RandomState::new().hash_one(0)));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn family(contributor: &Contributor, descriptor: Descriptor) -> Arc<Family> {
    let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
    contributor.registry().register_family(Arc::clone(&family)).expect("a free name");
    family
}

/// The file of a contributor with some families, of which one was removed, and its identity.
fn file_of(folder: &Path) -> (PathBuf, u64) {
    let contributor = Arc::new(Contributor::new(Cells::on_heap()));
    let process = Process::new();
    process.join(Arc::clone(&contributor));
    let counter = family(&contributor, Descriptor::new(Kind::Counter, "c", "help", &["x"]).expect("valid"));
    counter.add_series(&[(0, "before")]).expect("within the limits");
    let run = join(&process, &contributor, &JoinOptions::default().dir(Some(folder.to_owned())))
        .expect("a folder that can be used");
    let times = family(&contributor, Descriptor::histogram("h", "", &["x"], &[1.0, 2.0]).expect("valid"));
    for number in 0..600_u32 {
        let label = format!("{number}{}", "x".repeat(100));
        let series = counter.add_series(&[(0, &label)]).expect("within the limits");
        times.add_series(&[(0, &label)]).expect("within the limits");
        let (slab, first) = contributor.cells().locate(series.slot);
        slab.store(first, f64::from(number));
        if number % 7 == 0 {
            assert!(counter.remove_series(series.id));
        }
    }
    let gone = family(&contributor, Descriptor::new(Kind::Gauge, "g", "", &[]).expect("valid"));
    gone.add_series(&[]).expect("within the limits");
    assert!(contributor.registry().unregister("g"));
    let identity = contributor.number().expect("it has joined");
    process.leave(&contributor);
    (run.join(file_name(identity)), identity)
}

pub(super) fn owner() -> u32 {
    user()
}

fn values(reader: &Reader) -> Vec<(String, Vec<f64>)> {
    reader.now.iter().map(|family| (family.descriptor.name().to_owned(), family.values.clone())).collect()
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let folder = Folder::new();
    let (path, identity) = file_of(&folder.0);
    let mut reader = Reader::open(&path, identity, owner(), &Arc::default()).expect("a whole file");
    reader.read().expect("a whole file");
    let counts = (0..600_u32).filter(|number| number % 7 != 0).map(f64::from);
    let expected =
        [("c".to_owned(), std::iter::once(0.0).chain(counts).collect()), ("h".to_owned(), vec![0.0; 2400])];
    assert_eq!(values(&reader), expected);
    assert!(reader.has_ended(), "its contributor is gone");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Reading a file with any contents neither panics nor goes outside of the file.
    #[test]
    fn a_damaged_file_is_refused_or_read(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let folder = Folder::new();
        let (path, identity) = file_of(&folder.0);
        let mut bytes = std::fs::read(&path).expect("a file");
        for (at, byte) in changes {
            // Mostly where the log is.
            let range = if byte % 2 == 0 { bytes.len() } else { 3000 };
            bytes[at.index(range)] ^= byte;
        }
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }
        std::fs::write(&path, &bytes).expect("the file can be written");
        if let Ok(mut reader) = Reader::open(&path, identity, owner(), &Arc::default()) {
            let _ = reader.read();
        }
    }
}

/// Where the records of the log's first block are, without their frames.
fn records(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = usize::try_from(LOG_START).expect("it is small");
    loop {
        let number =
            |at: usize| bytes.get(at..at + 4).map_or(0, |it| u32::from_le_bytes(it.try_into().expect("4")));
        let record = at + FRAME..at + FRAME + number(at) as usize;
        if record.is_empty() || record.end > bytes.len() {
            return found;
        }
        found.push(record.clone());
        // A record of this kind names the next block.
        if number(record.start) == 1 {
            return found;
        }
        at = record.end;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The same for records that are invalid although their checksums are right, as a newer version might write them.
    #[test]
    fn invalid_records_with_valid_checksums_are_refused_or_read(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()),
            1..4,
        ),
        is_early in any::<bool>(),
    ) {
        let folder = Folder::new();
        let (path, identity) = file_of(&folder.0);
        let mut bytes = std::fs::read(&path).expect("a file");
        let all = records(&bytes);
        prop_assert!(all.len() > 100, "the log was found: {}", all.len());
        // The first ones are of slabs and families.
        let candidates = if is_early { &all[..8] } else { &all[..] };
        for (record, at, byte) in changes {
            let record = candidates[record.index(candidates.len())].clone();
            bytes[record.start + at.index(record.len())] ^= byte;
            let sum = checksum(&bytes[record.clone()]);
            bytes[record.start - 4..record.start].copy_from_slice(&sum.to_le_bytes());
        }
        std::fs::write(&path, &bytes).expect("the file can be written");
        let mut reader = Reader::open(&path, identity, owner(), &Arc::default()).expect("the header is whole");
        if reader.read().is_ok() {
            for family in &reader.now {
                let width = family.descriptor.value_width();
                prop_assert_eq!(family.values.len(), width * family.series.len());
            }
        }
    }
}

/// A program's event loop must not stop for long where one family has most of the series.
#[test]
fn a_new_log_is_told_a_few_series_at_once() {
    let folder = Folder::new();
    let contributor = Contributor::new(Cells::on_heap());
    let member = shared(&folder.0, &contributor);
    let counter = family(&contributor, Descriptor::new(Kind::Counter, "c", "", &["x"]).expect("valid"));
    let add = |number: u32| counter.add_series(&[(0, &number.to_string())]).expect("within the limits").id;
    let ids: Vec<u32> = (0..100).map(add).collect();
    ids.iter().filter(|id| **id % 4 > 0).for_each(|id| assert!(counter.remove_series(*id)));
    let mut told = Vec::new();
    for _ in 0..100 {
        contributor.compact_journal();
        told.extend(member.next_records());
    }
    assert!(told.len() > 5, "it takes several calls: {told:?}");
    // The first call tells of the slab and the family too.
    let steps = told.iter().zip(std::iter::once(&0).chain(&told)).map(|(now, before)| now - before);
    assert!(steps.enumerate().all(|(at, step)| step <= if at == 0 { 6 } else { 3 }), "{told:?}");
    let identity = contributor.number().expect("it has joined");
    member.publish().expect("a folder that can be used");
    let path = folder.0.join(file_name(identity));
    let mut reader = Reader::open(&path, identity, owner(), &Arc::default()).expect("a whole file");
    reader.read().expect("a whole file");
    assert_eq!(values(&reader), [("c".to_owned(), vec![0.0; 25])]);
}

/// A family that is registered with its series while another log is being written.
#[test]
fn a_family_with_series_comes_into_both_logs() {
    let folder = Folder::new();
    let contributor = Contributor::new(Cells::on_heap());
    let member = shared(&folder.0, &contributor);
    let counter = family(&contributor, Descriptor::new(Kind::Counter, "c", "", &["x"]).expect("valid"));
    let add = |family: &Family, number: u32| {
        family.add_series(&[(0, &number.to_string())]).expect("within the limits").id
    };
    let ids: Vec<u32> = (0..100).map(|number| add(&counter, number)).collect();
    ids.iter().filter(|id| **id % 4 > 0).for_each(|id| assert!(counter.remove_series(*id)));
    contributor.compact_journal();
    assert!(member.next_records().is_some());
    let descriptor = Descriptor::new(Kind::Counter, "late", "", &["x"]).expect("valid");
    let late = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
    (0..10).for_each(|number| assert_eq!(add(&late, number), number));
    contributor.registry().register_family(Arc::clone(&late)).expect("a free name");
    while member.next_records().is_some() {
        contributor.compact_journal();
    }
    member.publish().expect("a folder that can be used");
    let identity = contributor.number().expect("it has joined");
    let path = folder.0.join(file_name(identity));
    let mut reader = Reader::open(&path, identity, owner(), &Arc::default()).expect("a whole file");
    reader.read().expect("a whole file");
    assert_eq!(values(&reader), [("c".to_owned(), vec![0.0; 25]), ("late".to_owned(), vec![0.0; 10])]);
}

/// A contributor that joins with many series.
#[test]
fn all_series_of_before_are_told() {
    let folder = Folder::new();
    let contributor = Contributor::new(Cells::on_heap());
    let counter = family(&contributor, Descriptor::new(Kind::Counter, "c", "", &["x"]).expect("valid"));
    for number in 0..5000 {
        let label = format!("{number} {}", "x".repeat(number % 300));
        counter.add_series(&[(0, &label)]).expect("within the limits");
    }
    let member = shared(&folder.0, &contributor);
    member.publish().expect("a folder that can be used");
    let identity = contributor.number().expect("it has joined");
    let path = folder.0.join(file_name(identity));
    let mut reader = Reader::open(&path, identity, owner(), &Arc::default()).expect("a whole file");
    reader.read().expect("a whole file");
    assert_eq!(values(&reader), [("c".to_owned(), vec![0.0; 5000])]);
    assert_eq!(reader.unshared, 0);
}

/// Gives a contributor a file that is not published.
pub(super) fn shared(folder: &Path, contributor: &Contributor) -> Arc<Member> {
    let header =
        Header { identity: 7, pid: 1, started: 1, began: 1, block: block_bytes(), worker: String::new() };
    let member = Arc::new(Member::create(folder, header).expect("a folder that can be used"));
    let adopter = Arc::clone(&member);
    contributor.cells().adopt_slabs(Box::new(move |number, slab| adopter.adopt(number, slab)));
    contributor.share(7, Arc::clone(&member) as Arc<dyn Journal>);
    member
}

/// A family, and the ids and values of its series.
type Written = (Arc<Family>, Vec<(u32, f64)>);

/// A contributor that shares two families, and what it has written there.
struct Writer {
    contributor: Arc<Contributor>,
    process: Process,
    path: PathBuf,
    families: Vec<Written>,
    written: f64,
}

const NAMES: [&str; 2] = ["one", "two"];

impl Writer {
    fn new(folder: &Path) -> Self {
        let contributor = Arc::new(Contributor::new(Cells::on_heap()));
        let process = Process::new();
        process.join(Arc::clone(&contributor));
        let options = JoinOptions::default().dir(Some(folder.to_owned()));
        let run = join(&process, &contributor, &options).expect("a folder that can be used");
        let path = run.join(file_name(contributor.number().expect("it has joined")));
        let mut writer = Self { contributor, process, path, families: Vec::new(), written: 0.0 };
        NAMES.iter().for_each(|name| writer.register(name));
        writer
    }

    fn register(&mut self, name: &str) {
        let descriptor = Descriptor::new(Kind::Counter, name, "", &["x"]).expect("valid");
        self.families.push((family(&self.contributor, descriptor), Vec::new()));
    }

    fn add(&mut self, which: usize) {
        self.written += 1.0;
        let (family, series) = &mut self.families[which];
        let added = family.add_series(&[(0, &self.written.to_string())]).expect("within the limits");
        let (slab, first) = self.contributor.cells().locate(added.slot);
        slab.store(first, self.written);
        series.push((added.id, self.written));
    }

    fn remove(&mut self, which: usize, at: prop::sample::Index) {
        let (family, series) = &mut self.families[which];
        if !series.is_empty() {
            let (id, _) = series.remove(at.index(series.len()));
            assert!(family.remove_series(id), "it exists");
        }
    }

    fn take(&mut self, change: &Change) {
        match *change {
            Change::Add(which, count) => (0..count).for_each(|_| self.add(which)),
            Change::Remove(which, at) => self.remove(which, at),
            Change::Clear(which) => {
                let (family, series) = &mut self.families[which];
                family.clear();
                series.clear();
            }
            Change::Replace => {
                self.families.pop();
                assert!(self.contributor.registry().unregister(NAMES[1]));
                self.register(NAMES[1]);
            }
            Change::Compact => self.contributor.compact_journal(),
        }
    }

    fn reader(&self) -> Reader {
        let identity = self.contributor.number().expect("it has joined");
        Reader::open(&self.path, identity, owner(), &Arc::default()).expect("a whole file")
    }

    fn check(&self, reader: &mut Reader) -> Result<(), TestCaseError> {
        reader.read().map_err(|refusal| TestCaseError::fail(format!("{refusal:?}")))?;
        let read: BTreeMap<String, Vec<f64>> = values(reader).into_iter().collect();
        for (name, (_, series)) in NAMES.iter().zip(&self.families) {
            let written: Vec<f64> = series.iter().map(|(_, value)| *value).collect();
            prop_assert_eq!(read.get(*name), Some(&written));
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
enum Change {
    Add(usize, usize),
    Remove(usize, prop::sample::Index),
    Clear(usize),
    Replace,
    Compact,
}

fn change() -> impl Strategy<Value = Change> {
    let which = || 0..NAMES.len();
    prop_oneof![
        6 => (which(), 1..6_usize).prop_map(|(which, count)| Change::Add(which, count)),
        12 => (which(), any::<prop::sample::Index>()).prop_map(|(which, at)| Change::Remove(which, at)),
        1 => which().prop_map(Change::Clear),
        1 => Just(Change::Replace),
        6 => Just(Change::Compact),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Other logs take the place of the first one, in several steps, while series come and go.
    #[test]
    fn a_reader_follows_from_log_to_log(changes in prop::collection::vec((change(), any::<bool>()), 1..150)) {
        let folder = Folder::new();
        let mut writer = Writer::new(&folder.0);
        let mut reader = writer.reader();
        for (change, is_read) in &changes {
            writer.take(change);
            if *is_read {
                writer.check(&mut reader)?;
            }
        }
        writer.check(&mut reader)?;
        writer.check(&mut writer.reader())?;
        writer.process.leave(&writer.contributor);
        writer.check(&mut writer.reader())?;
    }
}

#[test]
fn a_file_does_not_grow_with_series_that_are_gone() {
    let folder = Folder::new();
    let mut writer = Writer::new(&folder.0);
    let size = |writer: &Writer| std::fs::metadata(&writer.path).expect("a file").len();
    let mut sizes = Vec::new();
    for _ in 0..60 {
        for _ in 0..500 {
            writer.add(0);
        }
        writer.take(&Change::Clear(0));
        writer.take(&Change::Compact);
        sizes.push(size(&writer));
    }
    assert_eq!(sizes[3], sizes[59], "{sizes:?}");
    writer.check(&mut writer.reader()).expect("nothing is lost");
}
