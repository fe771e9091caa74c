//! Reads files of other processes. Each input is the log of one: its records, of which each has its length in front, in two
//! bytes. They get right checksums, because random bytes would never pass those.

use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::processes::{JoinOptions, join};
use prometheus_metrics::registry::{Contributor, Process};
use prometheus_metrics::slab::Cells;
use prometheus_metrics::testing::{Dialect, parse};
use prometheus_metrics::{Format, encode};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// Where the first log of a file begins, and where its end is written.
const LOG_START: usize = 1024;
const LOG_END: usize = 528;

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = base.join(format!("process-files-{:x}", RandomState::new().hash_one(0)));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that takes part in the run of a folder.
struct Member(Process, Arc<Contributor>);

impl Member {
    fn of(folder: &Folder) -> Self {
        let (process, contributor) = (Process::new(), Arc::new(Contributor::new(Cells::on_heap())));
        process.join(Arc::clone(&contributor));
        let options = JoinOptions::default().run(Some(folder.0.join("run"))).keep(true);
        join(&process, &contributor, &options).expect("a folder that can be used");
        Self(process, contributor)
    }

    fn scrape(&self) -> String {
        let gathered = gather(self.1.registry(), &Selection::default().process(Some(&self.0)));
        let mut text = Vec::new();
        let Ok(()) = encode(&gathered, Format::PrometheusText, &mut text);
        String::from_utf8(text).expect("an exposition is text")
    }

    /// Waits for the thread that adds ended processes to the totals.
    fn leave(&self) {
        self.0.leave(&self.1);
    }
}

/// The name of a file, and what stands in front of its log.
static BEGINNING: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    let folder = Folder::new();
    let member = Member::of(&folder);
    let files = std::fs::read_dir(folder.0.join("run")).expect("the run").flatten();
    let names = files.map(|file| file.file_name().into_string().expect("text"));
    let name = names.into_iter().find(|name| name.starts_with("process-")).expect("a file");
    let bytes = std::fs::read(folder.0.join("run").join(&name)).expect("a file");
    member.leave();
    (name, bytes[..LOG_START].to_vec())
});

fn checksum(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

/// A file with these records, and room for a few slabs.
fn file_of(mut records: &[u8]) -> Vec<u8> {
    let mut file = BEGINNING.1.clone();
    while let Some((length, rest)) = records.split_first_chunk::<2>() {
        let (record, rest) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(*length))));
        file.extend(u32::try_from(record.len()).expect("short").to_le_bytes());
        file.extend(checksum(record).to_le_bytes());
        file.extend(record);
        records = rest;
    }
    let end = u64::try_from(file.len()).expect("short");
    file[LOG_END..LOG_END + 8].copy_from_slice(&end.to_le_bytes());
    let cells = (0..3 * 4096_u32).flat_map(|cell| f64::from(cell).to_ne_bytes());
    file.resize(file.len().next_multiple_of(32 * 1024), 0);
    file.extend(cells);
    file
}

/// The file of an ended process. It is read, added to the totals, and these are read by the next process. Each scrape must be
/// valid.
pub fn process_file(bytes: &[u8]) {
    let folder = Folder::new();
    let one = Member::of(&folder);
    let path = folder.0.join("run").join(&BEGINNING.0);
    std::fs::write(path, file_of(bytes)).expect("the file can be written");
    let check = |text: String| {
        if let Err(error) = parse(&text, Dialect::Text) {
            panic!("{error} in {text}");
        }
    };
    check(one.scrape());
    check(one.scrape());
    one.leave();
    let two = Member::of(&folder);
    check(two.scrape());
    two.leave();
}
