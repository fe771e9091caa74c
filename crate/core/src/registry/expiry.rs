//! Series whose value has not changed for a time to live. A scrape notices: it compares what it reads with what the
//! scrapes before it read, shows such series no more, and asks their owner to remove them. Recording knows nothing of
//! this; a series that is written again before its owner has removed it is shown again, with its old count in it.

use super::family::Family;
use super::registry::Registry;
use crate::model::{Series, Source};
use crate::sync::{Arc, Mutex};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

type Ids = HashSet<u32, foldhash::fast::FixedState>;

/// What scrapes have noticed about the series of one family.
pub(crate) struct Expiry {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: HashMap<u32, Seen, foldhash::fast::FixedState>,
    /// Goes up with each look, so that series that have gone are forgotten.
    round: u32,
    /// What the owner is to remove; taken from the front.
    pending: BTreeSet<u32>,
}

/// A series as it was when it was last looked at.
struct Seen {
    /// A hash of its cells: two values that differ have different ones, but for one in 2^64.
    fingerprint: u64,
    changed: Duration,
    round: u32,
}

/// Who owns a family, as those see it who find expired series in it.
pub trait Owner: Send + Sync {
    /// Whether other contributors' series of the same labels may add up with the family's: then only a scrape that sees all
    /// of them may have series removed, or a total would go down.
    fn shares(&self, family: &Family) -> bool;
    /// Wakes the owning thread, which then calls `take_expired()`.
    /// Called from any thread, once for each lot of expired series; returns at once.
    fn wake(&self);
}

impl Expiry {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()) }
    }
}

impl Family {
    /// How long a value may stay unchanged before the series expires, with the registry's time where the family says
    /// nothing itself. A family without labels has its one series for ever.
    pub(crate) fn time_to_live(&self, of_registry: Option<Duration>) -> Option<Duration> {
        let labelled = !self.descriptor().label_names().is_empty();
        self.ttl().or(of_registry).filter(|ttl| labelled && !ttl.is_zero())
    }

    /// Looks at all series; returns those that have not changed for `ttl`.
    fn look(&self, ttl: Duration) -> Ids {
        let now = self.clock().now();
        let table = self.series_table();
        let mut expired = Ids::default();
        let mut state = self.expiry().state.lock();
        let state = &mut *state;
        state.round = state.round.wrapping_add(1);
        let mut values = vec![0.0; self.descriptor().width()];
        for series in table.live() {
            self.read_into(series.slot, &mut values);
            let fingerprint = fingerprint(&values);
            let seen = state.seen.entry(series.id).or_insert(Seen { fingerprint, changed: now, round: 0 });
            if seen.fingerprint != fingerprint {
                seen.fingerprint = fingerprint;
                seen.changed = now;
                state.pending.remove(&series.id);
            }
            seen.round = state.round;
            if now.saturating_sub(seen.changed) >= ttl {
                expired.insert(series.id);
            }
        }
        let round = state.round;
        state.seen.retain(|_, seen| seen.round == round);
        expired
    }

    /// Whether a scrape that does not see all contributors may have series removed.
    pub(crate) fn is_alone(&self) -> bool {
        self.owner().is_none_or(|owner| !owner.shares(self))
    }

    /// Whether the family is in the registry that this guard is of.
    #[must_use]
    pub fn is_in(&self, registry: &Registry) -> bool {
        self.is_guarded_by(registry.cardinality_guard())
    }

    /// Asks the owner to remove expired series. Rust code's own, which any thread may remove, go at once, those of
    /// which a handle is held excepted: what is written through it must be seen.
    pub(crate) fn remove_expired(&self, ids: impl IntoIterator<Item = u32>) {
        let Some(owner) = self.owner() else {
            let ids: Ids = ids.into_iter().collect();
            self.remove_unused(|series| ids.contains(&series) && self.is_unchanged(series));
            return;
        };
        {
            let mut state = self.expiry().state.lock();
            let before = state.pending.len();
            state.pending.extend(ids);
            if state.pending.len() == before {
                return;
            }
        }
        owner.wake();
    }

    /// For the owner: expired series that have not been written since, `max` at the most. It removes them before it
    /// writes any of them again.
    pub fn take_expired(&self, max: usize) -> Vec<u32> {
        let mut taken = Vec::new();
        while taken.len() < max {
            let next = self.expiry().state.lock().pending.pop_first();
            let Some(id) = next else { break };
            if self.is_unchanged(id) {
                taken.push(id);
            }
        }
        taken
    }

    /// Whether a series is as the last look found it.
    fn is_unchanged(&self, id: u32) -> bool {
        let Some(slot) = self.slot_of(id) else { return false };
        let mut values = vec![0.0; self.descriptor().width()];
        self.read_into(slot, &mut values);
        self.expiry().state.lock().seen.get(&id).is_some_and(|seen| seen.fingerprint == fingerprint(&values))
    }
}

fn fingerprint(values: &[f64]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    values.iter().for_each(|value| hasher.write_u64(value.to_bits()));
    hasher.finish()
}

/// A family as one scrape shows it: without its expired series.
#[derive(Clone)]
pub(crate) struct LiveFamily {
    pub(crate) family: Arc<Family>,
    /// Few, or none.
    pub(crate) expired: Ids,
}

impl LiveFamily {
    /// With the time to live of a registry for families that say nothing themselves.
    pub(crate) fn of(family: Arc<Family>, of_registry: Option<Duration>) -> Self {
        let expired = family.time_to_live(of_registry).map(|ttl| family.look(ttl)).unwrap_or_default();
        Self { family, expired }
    }

    /// With all series that there are.
    pub(crate) fn whole(family: Arc<Family>) -> Self {
        Self { family, expired: Ids::default() }
    }

    pub(crate) fn series_count(&self) -> usize {
        self.family.series_count().saturating_sub(self.expired.len())
    }
}

impl Source for LiveFamily {
    fn descriptor(&self) -> &crate::model::Descriptor {
        self.family.descriptor()
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        if self.expired.is_empty() {
            return self.family.for_each(visit);
        }
        self.family.for_each(|series| match series.id {
            Some(id) if self.expired.contains(&id) => Ok(()),
            _ => visit(series),
        })
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::clock::Clock;
    use crate::model::{Descriptor, Kind};
    use crate::slab::{Cells, Scrape};
    use loom::thread;
    use std::convert::Infallible;

    const TTL: Duration = Duration::from_secs(1);

    fn family() -> Arc<Family> {
        let clock = Arc::new(Clock::new());
        clock.freeze(Duration::ZERO);
        let descriptor = Descriptor::new(Kind::Counter, "c", "", &["x"]).expect("the names are valid");
        Arc::new(Family::new(descriptor, Arc::new(Cells::on_heap())).with_clock(clock))
    }

    fn count(family: &Family) {
        family.get_or_create(&["a"]).expect("one value for one label").add(0, 1.0);
    }

    fn scraped(family: &Family) -> Vec<f64> {
        let _scrape = Scrape::begin();
        let mut seen = Vec::new();
        let Ok(()) = family.for_each(|series| {
            seen.push(series.values[0]);
            Ok::<(), Infallible>(())
        });
        seen
    }

    /// A series is counted in while a scrape finds it expired: what is counted is shown, with what was counted before or
    /// without it.
    #[test]
    fn what_is_counted_while_its_series_expires_is_not_lost() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let family = family();
            count(&family);
            family.look(TTL);
            family.clock().advance(TTL);
            let counting = {
                let family = Arc::clone(&family);
                thread::spawn(move || count(&family))
            };
            let expired = family.look(TTL);
            family.remove_expired(expired);
            counting.join().expect("nobody panics");
            let seen = scraped(&family);
            assert!(seen == [2.0] || seen == [1.0], "{seen:?}");
        });
    }
}
