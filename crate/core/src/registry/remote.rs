//! The families of other processes as one scrape sees them, and the run of processes that they come from.

use super::contributor::Contributor;
use super::retired::Retired;
use super::seen::Ids;
use crate::model::{Descriptor, NativeHistogram, Series, Source};
use crate::sync::{Arc, SliceArc};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The processes of one service, whose counts are added up.
pub(crate) trait Run: Send + Sync {
    /// Reads the other processes. `own` are this process's live contributors; they are asked for their numbers only after the
    /// list of processes was read.
    fn read(&self, own: &[Arc<Contributor>]) -> Arc<Others>;
    /// True if another process has read the run since the last call.
    fn was_read(&self) -> bool;
    /// The result of the last `read`.
    fn last(&self) -> Arc<Others>;
    /// The numbers of the live processes, this one included.
    fn processes(&self) -> Vec<u32>;
    /// How many they are, as of half a second ago at most.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only the endpoint asks"))]
    fn process_count(&self) -> usize;
    /// Whether another live process listens on this port: `Some(false)` while it is trying to. `own` is the number of the
    /// asking contributor.
    fn port_use(&self, own: Option<u64>, port: u32) -> Option<bool>;
    /// Waits until no thread of its own is at work.
    fn settle(&self);
    /// Writes the counts of ended processes again, as this process has read them, if they are gone, or older. The caller holds
    /// the run's lock.
    fn restore(&self);
    /// Looks, at most once a minute, for processes that have ended, and has them added to the totals if they are many. Otherwise
    /// only scrapes do, and the files fill the file system while no scraper comes.
    fn tidy(&self);
    /// Keeps a warning until the program takes it.
    fn warn(&self, message: String);
    /// The warnings since the last call.
    fn take_warnings(&self) -> Vec<String>;
    /// Takes part in what the processes of the run do in turn, such as pushing to one receiver. Equal keys take turns.
    #[cfg_attr(not(feature = "push"), allow(dead_code, reason = "only pushers ask"))]
    fn turn(&self, key: &str) -> Box<dyn Turn>;
    /// Where its files are.
    fn folder(&self) -> &Path;
    /// The rendered label that series of this process show; empty without one.
    fn label(&self) -> &[u8];
    /// The value of that label.
    fn worker(&self) -> &str;
}

/// A place among those that take turns. It is given up with this value, and with the process, however it ends.
#[cfg_attr(not(feature = "push"), allow(dead_code, reason = "only pushers ask"))]
pub(crate) trait Turn: Send {
    /// Whether it is this one's turn: until it is given up, if no other one had it. An error is the system's, which cannot tell.
    fn is_own(&mut self) -> io::Result<bool>;
    /// A text for all of them, which the first one has chosen.
    fn agreed(&self, proposal: &str) -> String;
    /// What was last kept here, in milliseconds since 1970.
    fn kept(&self) -> Option<i64>;
    /// Keeps a time for the one whose turn is next.
    fn keep(&self, time_ms: i64);
    /// Announces that this one takes no further turn. Returns whether it was the last one.
    fn leave(&mut self) -> bool;
}

/// The other processes of a run at one moment.
#[derive(Default)]
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only the endpoint asks"))]
pub(crate) struct Others {
    pub(crate) families: Vec<Arc<RemoteFamily>>,
    /// The counts of processes that have ended.
    pub(crate) retired: Arc<Retired>,
    /// Live processes, this one not counted.
    pub(crate) processes: usize,
    /// Series of other processes that no file has, because it had no room.
    pub(crate) unshared: u64,
    /// Files that were refused, because they are damaged or of another owner.
    pub(crate) refused: usize,
}

/// One family of another process.
pub(crate) struct RemoteFamily {
    pub(crate) descriptor: Arc<Descriptor>,
    pub(crate) series: Arc<Vec<RemoteSeries>>,
    /// The values of each series, one after the other.
    pub(crate) values: Vec<f64>,
    /// The buckets of each series of a native histogram.
    pub(crate) natives: Vec<Arc<NativeHistogram>>,
    pub(crate) ttl: Option<Duration>,
    /// The ids of series that have not changed for that time.
    pub(crate) expired: Ids,
    /// The time of day at which its contributor began, in nanoseconds.
    pub(crate) began: u64,
    /// Calls over a limit.
    pub(crate) overflow: f64,
}

/// One label set.
#[derive(Clone)]
pub(crate) struct RemoteSeries {
    pub(crate) id: u32,
    pub(crate) slot: u32,
    pub(crate) labels: SliceArc<[u8]>,
    /// When it began, in milliseconds since 1970.
    pub(crate) start_ms: Option<u64>,
}

impl RemoteFamily {
    /// The buckets of a series of a native histogram, and its values.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn native_of(&self, id: u32, values: &mut [f64]) -> Option<Arc<NativeHistogram>> {
        let at = self.series.binary_search_by_key(&id, |series| series.id).ok()?;
        values.copy_from_slice(self.values.chunks_exact(values.len()).nth(at)?);
        self.natives.get(at).map(Arc::clone)
    }

    /// The rendered labels of its series, each with the metric's name.
    pub(crate) fn label_sets(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.series.iter().map(|series| (self.descriptor.name(), &*series.labels))
    }
}

impl Source for RemoteFamily {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let values = self.values.chunks_exact(self.descriptor.value_width());
        self.series.iter().zip(values).enumerate().try_for_each(|(at, (series, values))| {
            visit(Series {
                id: Some(series.id),
                labels: &series.labels,
                values,
                exemplars: &[],
                digest: None,
                native: self.natives.get(at).map(|native| &**native),
                start_ms: series.start_ms,
            })
        })
    }
}
