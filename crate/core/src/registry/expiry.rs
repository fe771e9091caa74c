//! Expires series whose value has not changed for their time to live. Each scrape compares
//! the values with those of earlier scrapes, hides series that have expired, and asks the family's owner to remove them.
//! Recording does no work for this. If a hidden series is written before it is removed, scrapes show it again, and it keeps
//! its earlier value.

use super::family::{Family, SeriesId};
use super::seen::{Ids, fingerprint};
use crate::model::{CellSeries, Descriptor, NativeHistogram, Series, Source};
use crate::sync::Arc;
use std::time::Duration;

impl Family {
    /// How long a value may stay unchanged before the series expires: the family's own time, or the registry's if the
    /// family has none. The one series of a family without labels never expires.
    pub(crate) fn time_to_live(&self, of_registry: Option<Duration>) -> Option<Duration> {
        let labelled = !self.descriptor().label_names().is_empty();
        self.ttl().or(of_registry).filter(|ttl| labelled && !ttl.is_zero())
    }

    /// Looks at all series; returns those that have not changed for `ttl`.
    fn look(&self, ttl: Duration) -> Ids {
        let table = self.series_table();
        let mut values = vec![0.0; self.descriptor().value_width()];
        let mut cells = self.cells().cursor();
        let mut native = NativeHistogram::default();
        let series = table.live().map(|series| {
            let place = SeriesId { id: series.id, slot: series.slot };
            self.read_values(&mut cells, place, &mut values, &mut native);
            (series.id, fingerprint(&values))
        });
        self.seen().look(self.clock().now(), ttl, series)
    }

    /// True if no scrape adds values of other contributors to those of this family. Else a total would fall if a series were
    /// removed or began anew here.
    pub(crate) fn is_alone(&self) -> bool {
        !self.is_followed() && self.remover().is_none_or(|remover| !remover.shares(&self.guards()))
    }

    /// Asks the owner to remove expired series. Series of Rust code, which any thread may remove, are removed here and now,
    /// unless a handle of the series exists: values that are written through a handle must be shown.
    pub(crate) fn remove_expired(&self, ids: impl IntoIterator<Item = u32>) {
        match self.remover() {
            None => {
                let ids: Ids = ids.into_iter().collect();
                self.remove_unused(|series| {
                    ids.contains(&series) && (self.is_unchanged(series) || self.is_forgotten(series))
                });
            }
            Some(remover) => {
                if self.seen().add_pending(ids) {
                    remover.wake();
                }
            }
        }
    }

    /// For the owner: at most `max` expired series that have not been written since. The owner removes them before it
    /// writes any of them again.
    pub fn take_expired(&self, max: usize) -> Vec<u32> {
        let mut taken = Vec::new();
        while taken.len() < max {
            let Some(id) = self.seen().take_pending() else { break };
            if self.is_unchanged(id) || self.is_forgotten(id) {
                taken.push(id);
            }
        }
        taken
    }

    /// True if a series is as the last look saw it.
    fn is_unchanged(&self, id: u32) -> bool {
        self.slot_of(id)
            .is_some_and(|slot| self.seen().is_unchanged(id, fingerprint(&self.read_series(id, slot))))
    }
}

/// A family as one scrape shows it: without its expired series.
#[derive(Clone)]
pub(crate) struct LiveFamily {
    pub(crate) family: Arc<Family>,
    /// Empty for most scrapes.
    pub(crate) expired: Ids,
}

impl LiveFamily {
    /// Looks for expired series. `of_registry` is the time to live of families that have none of their own.
    pub(crate) fn of(family: Arc<Family>, of_registry: Option<Duration>) -> Self {
        let mut expired = family.time_to_live(of_registry).map(|ttl| family.look(ttl)).unwrap_or_default();
        expired.extend(family.forgotten());
        Self { family, expired }
    }

    /// Shows expired series too.
    pub(crate) fn whole(family: Arc<Family>) -> Self {
        let expired = family.forgotten().into_iter().collect();
        Self { family, expired }
    }

    pub(crate) fn series_count(&self) -> usize {
        self.family.series_count().saturating_sub(self.expired.len())
    }
}

impl Source for LiveFamily {
    fn descriptor(&self) -> &Descriptor {
        self.family.descriptor()
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let all = self.expired.is_empty();
        self.family.for_each(|series| match series.id {
            Some(id) if !all && self.expired.contains(&id) => Ok(()),
            _ => visit(series),
        })
    }

    #[inline]
    fn for_each_cell<E>(&self, mut visit: impl FnMut(CellSeries<'_>) -> Result<(), E>) -> Result<(), E> {
        let all = self.expired.is_empty();
        self.family.for_each_cell(|series| match series.id {
            Some(id) if !all && self.expired.contains(&id) => Ok(()),
            _ => visit(series),
        })
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::clock::Clock;
    use crate::model::Kind;
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

    /// A thread counts in a series while a scrape finds it expired: the new count is shown, with or without the old one.
    #[test]
    fn a_count_is_not_lost_while_its_series_expires() {
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
            counting.join().expect("no thread panics");
            let seen = scraped(&family);
            assert!(seen == [2.0] || seen == [1.0], "{seen:?}");
        });
    }
}
