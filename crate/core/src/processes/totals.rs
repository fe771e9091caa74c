//! The file of totals: the counts of the processes that have ended, and the identities of those whose own files may still
//! be there. It is replaced as a whole, so a reader sees the old one or the new one.

use super::crash::crash_point;
use super::record::{Decoder, Encoder, FamilyRecord, Record, checksum};
use super::refusal::Refusal;
use crate::clock::Clock;
use crate::registry::{Retired, RetiredFamily};
use crate::sync::Arc;
use hashbrown::HashSet;
use nix::fcntl::OFlag;
use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// The format's name and version.
const MAGIC: u64 = u64::from_le_bytes(*b"llmmtrt1");
pub(super) const NAME: &str = "totals";
const UNFINISHED: &str = "totals.new";
/// Damaged totals, which others have taken the place of.
const PUT_ASIDE: &str = "totals.damaged";
const DAMAGED: &str = "it is damaged, or another version has written it";

pub(super) type Identities = HashSet<u64, foldhash::fast::FixedState>;

/// The file's contents.
#[derive(Clone, Default)]
pub(super) struct Totals {
    pub(super) retired: Arc<Retired>,
    pub(super) identities: Identities,
    /// Increased with each replacement.
    pub(super) generation: u64,
}

/// The generation of the file; 0 without one.
pub(super) fn generation(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::FileExt;
    let file = match std::fs::File::open(folder.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        opened => opened?,
    };
    let mut bytes = [0; 16];
    file.read_exact_at(&mut bytes, 0)?;
    let mut decoder = Decoder(&bytes);
    let generation = decoder.u64().filter(|magic| *magic == MAGIC).and_then(|_| decoder.u64());
    generation.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, DAMAGED))
}

impl Totals {
    pub(super) fn read(folder: &Path, clock: &Arc<Clock>) -> Result<Self, Refusal> {
        match std::fs::read(folder.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
            Ok(bytes) => Self::parse(&bytes, clock).ok_or_else(|| Refusal::Damaged(DAMAGED.to_owned())),
        }
    }

    /// Reads the totals to change them; true if they are `known` instead, those that this process has read before, because
    /// the file is gone, damaged, or older. A damaged one is put aside. Only the process that holds the run's lock may call this.
    pub(super) fn read_or_known(
        folder: &Path,
        clock: &Arc<Clock>,
        known: &Self,
    ) -> Result<(Self, bool), Refusal> {
        match Self::read(folder, clock) {
            Ok(read) if read.generation >= known.generation => Ok((read, false)),
            Ok(_) => Ok((known.clone(), true)),
            Err(Refusal::Damaged(_)) => {
                // Otherwise no ended process could be added any more.
                std::fs::rename(folder.join(NAME), folder.join(PUT_ASIDE))?;
                Ok((known.clone(), true))
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn parse(bytes: &[u8], clock: &Arc<Clock>) -> Option<Self> {
        let mut decoder = Decoder(bytes);
        let (magic, generation, sum) = (decoder.u64()?, decoder.u64()?, decoder.u32()?);
        if magic != MAGIC || checksum(decoder.0) != sum {
            return None;
        }
        let mut retired = Retired::default();
        let mut identities = Identities::default();
        let mut family: Option<RetiredFamily> = None;
        while !decoder.0.is_empty() {
            match decoder.record()? {
                Record::Identity(identity) => {
                    identities.insert(identity);
                }
                Record::Overflow { metric, calls } => {
                    retired.overflow.insert(metric.to_owned(), calls);
                }
                Record::Family(record) => {
                    retired.families.extend(family.take().map(Arc::new));
                    // The time is that of the day here: the clocks of two processes begin at different moments.
                    let left = record.ttl.map(|until| until.saturating_sub(clock.unix_now()));
                    let expires = left.map(|left| clock.now().saturating_add(left));
                    family = Some(RetiredFamily::new(record.descriptor, Arc::clone(clock), expires));
                }
                Record::Total { labels, cells, start_ms, native } => {
                    let family = family.as_mut()?;
                    if cells.len() != family.descriptor.value_width() {
                        return None;
                    }
                    let native = native.map(|native| Arc::new(native.into_owned()));
                    let start_ms = Some(start_ms).filter(|start| *start > 0);
                    family.restore(labels, cells.into(), start_ms, native);
                }
                _ => return None,
            }
        }
        retired.families.extend(family.take().map(Arc::new));
        Some(Self { retired: Arc::new(retired), identities, generation })
    }

    fn encoded(&self, clock: &Clock) -> Vec<u8> {
        let mut body = Encoder::default();
        self.identities.iter().for_each(|identity| body.record(&Record::Identity(*identity)));
        for (metric, calls) in &self.retired.overflow {
            body.record(&Record::Overflow { metric, calls: *calls });
        }
        for family in &self.retired.families {
            let ttl: Option<Duration> = family.left().map(|left| clock.unix_now().saturating_add(left));
            let descriptor = family.descriptor.clone();
            let record = FamilyRecord { number: 0, descriptor, ttl, overflow_slot: 0 };
            body.record(&Record::Family(Box::new(record)));
            for series in &family.series {
                let (labels, cells) = (&*series.labels, series.cells.to_vec());
                let native = series.native.as_deref().map(Cow::Borrowed);
                let start_ms = series.start_ms.unwrap_or_default();
                body.record(&Record::Total { labels, cells, start_ms, native });
            }
        }
        let mut file = Encoder::default();
        file.u64(MAGIC);
        file.u64(self.generation);
        file.u32(checksum(&body.0));
        file.0.append(&mut body.0);
        file.0
    }

    /// Replaces the file. Only the process that holds the run's lock may call this.
    pub(super) fn write(&self, folder: &Path, clock: &Clock) -> io::Result<()> {
        let unfinished = folder.join(UNFINISHED);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
        let mut file = options.open(&unfinished)?;
        file.write_all(&self.encoded(clock))?;
        crash_point("totals written");
        std::fs::rename(unfinished, folder.join(NAME))?;
        crash_point("totals replaced");
        Ok(())
    }
}
