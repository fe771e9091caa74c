//! Remembers when each series of a family last changed, as scrapes have seen it, and which expired series wait for their
//! removal. Must not know families.

use crate::sync::Mutex;
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// Ids of series.
pub(crate) type Ids = HashSet<u32, foldhash::fast::FixedState>;

/// What scrapes have seen of the series of one family.
pub(crate) struct SeenSeries {
    observations: Mutex<Observations>,
}

#[derive(Default)]
struct Observations {
    seen: HashMap<u32, Seen, foldhash::fast::FixedState>,
    /// Increased with each look; series that are not seen in the newest round are gone and are forgotten.
    round: u32,
    /// Series that the owner is to remove; taken from the front.
    pending: BTreeSet<u32>,
}

/// One series as the last look saw it.
struct Seen {
    /// A hash of its values. Two different lists of values have the same hash with a chance of 1 in 2^64.
    fingerprint: u64,
    changed: Duration,
    round: u32,
}

impl SeenSeries {
    pub(crate) fn new() -> Self {
        Self { observations: Mutex::new(Observations::default()) }
    }

    /// Looks at all series, given as ids and fingerprints; returns those that have not changed for `ttl`.
    pub(crate) fn look(&self, now: Duration, ttl: Duration, series: impl Iterator<Item = (u32, u64)>) -> Ids {
        let mut expired = Ids::default();
        let mut observations = self.observations.lock();
        let observations = &mut *observations;
        observations.round = observations.round.wrapping_add(1);
        for (id, fingerprint) in series {
            let seen = observations.seen.entry(id).or_insert(Seen { fingerprint, changed: now, round: 0 });
            if seen.fingerprint != fingerprint {
                seen.fingerprint = fingerprint;
                seen.changed = now;
                observations.pending.remove(&id);
            }
            seen.round = observations.round;
            if now.saturating_sub(seen.changed) >= ttl {
                expired.insert(id);
            }
        }
        let round = observations.round;
        observations.seen.retain(|_, seen| seen.round == round);
        expired
    }

    /// Adds series for the owner to remove; returns true if one of them is new.
    pub(super) fn add_pending(&self, ids: impl IntoIterator<Item = u32>) -> bool {
        let mut observations = self.observations.lock();
        let before = observations.pending.len();
        observations.pending.extend(ids);
        observations.pending.len() > before
    }

    /// Takes the first series that is to be removed.
    pub(super) fn take_pending(&self) -> Option<u32> {
        self.observations.lock().pending.pop_first()
    }

    /// True if the series still has the values that the last look saw.
    pub(super) fn is_unchanged(&self, id: u32, fingerprint: u64) -> bool {
        self.observations.lock().seen.get(&id).is_some_and(|seen| seen.fingerprint == fingerprint)
    }
}

/// A hash of a series' values.
pub(crate) fn fingerprint(values: &[f64]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    values.iter().for_each(|value| hasher.write_u64(value.to_bits()));
    hasher.finish()
}
