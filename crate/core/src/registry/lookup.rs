//! Finds the series of a label set for Rust handles, makes it if it is missing, and removes it again. Decides what a
//! label set over a limit is recorded in. JavaScript has an index of its own and does not come here.

use super::cardinality::{Fallback, Limit, OVERFLOW_VALUE};
use super::family::{Family, SeriesId};
use super::index::{Entries, SeriesCells};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::sync::Arc;

impl Family {
    /// The series of these values, made if it does not exist. For a label set over a limit: the series that the policy
    /// says.
    ///
    /// # Errors
    /// `LabelCount` for too few or too many values; `InvalidLabelValue` for a value that the strictness refuses;
    /// `CardinalityLimit` over a limit whose policy is to throw.
    pub(crate) fn get_or_create(&self, values: &[&str]) -> Result<Arc<SeriesCells>> {
        self.check_count(values)?;
        if let Some(series) = self.index.key(values).find(&self.index.entries.read()) {
            return Ok(Arc::clone(series));
        }
        if let Some(cleaned) = self.clean(values) {
            cleaned
                .warnings
                .iter()
                .for_each(|warning| tracing::warn!(target: "prometheus_metrics", "{warning}"));
            let cleaned: Vec<&str> = cleaned.values.iter().map(String::as_str).collect();
            return self.get_or_create_clean(&cleaned);
        }
        self.get_or_create_clean(values)
    }

    /// Has `record` write the series of these values, which is made if it does not exist. No handle is made, so no
    /// reference count changes. Errors are those of `get_or_create`.
    #[inline]
    pub(crate) fn record(&self, values: &[&str], record: impl FnOnce(&SeriesCells)) -> Result<()> {
        if values.len() == self.descriptor().label_names().len()
            && let Some(series) = self.index.key(values).find(&self.index.entries.read())
        {
            record(series);
            return Ok(());
        }
        self.get_or_create(values).map(|series| record(&series))
    }

    fn get_or_create_clean(&self, values: &[&str]) -> Result<Arc<SeriesCells>> {
        self.descriptor()
            .label_names()
            .iter()
            .zip(values)
            .try_for_each(|(name, value)| self.strictness().check_value(name, value))?;
        let mut entries = self.index.entries.write();
        // Another thread may have made it between the two locks.
        match self.find_or_add(values, &mut entries) {
            Ok(series) => Ok(series),
            Err(limit) => self.beyond(values, limit, &mut entries),
        }
    }

    /// # Errors
    /// The limit that the label set is over.
    fn find_or_add(&self, values: &[&str], entries: &mut Entries) -> Result<Arc<SeriesCells>, Limit> {
        let key = self.index.key(values);
        if let Some(series) = key.find(entries) {
            return Ok(Arc::clone(series));
        }
        let series = self.cells_of(self.add_series(&labelled(values))?, values);
        Ok(self.index.insert(entries, &key, series))
    }

    fn cells_of(&self, series: SeriesId, values: &[&str]) -> SeriesCells {
        SeriesCells::new(self.cells(), self.descriptor().width(), series.id, series.slot, values)
    }

    /// The series that takes a label set over a limit.
    fn beyond(&self, values: &[&str], limit: Limit, entries: &mut Entries) -> Result<Arc<SeriesCells>> {
        self.overflow_count().count(values);
        let mut folded = values.to_vec();
        match self.fallback(&labelled(values)) {
            Fallback::Refused => return Err(self.over_limit(limit)),
            Fallback::Dropped => return Ok(self.nowhere()),
            Fallback::Folded(labels) if !labels.is_empty() => {
                labels.into_iter().for_each(|label| folded[label] = OVERFLOW_VALUE);
                if let Ok(series) = self.find_or_add(&folded, entries) {
                    return Ok(series);
                }
            }
            Fallback::Folded(_) => {}
        }
        folded.fill(OVERFLOW_VALUE);
        let key = self.index.key(&folded);
        match key.find(entries) {
            Some(series) => Ok(Arc::clone(series)),
            None => {
                let series = self.cells_of(self.add_series_beyond(), &folded);
                Ok(self.index.insert(entries, &key, series))
            }
        }
    }

    /// Cells that no scrape shows, for recordings that a limit drops.
    fn nowhere(&self) -> Arc<SeriesCells> {
        let mut nowhere = self.index.nowhere.lock();
        let make = || Arc::new(SeriesCells::nowhere(self.cells(), self.descriptor().width()));
        Arc::clone(nowhere.get_or_insert_with(make))
    }

    /// The series of these values, if it exists.
    pub(crate) fn get(&self, values: &[&str]) -> Option<Arc<SeriesCells>> {
        self.index.key(values).find(&self.index.entries.read()).cloned()
    }

    /// Removes the series of these values; returns whether it existed.
    ///
    /// # Errors
    /// `LabelCount`.
    pub(crate) fn remove(&self, values: &[&str]) -> Result<bool> {
        self.check_count(values)?;
        let mut entries = self.index.entries.write();
        let Some(series) = self.index.key(values).take(&mut entries) else { return Ok(false) };
        self.unpublish_series(series.id());
        series.mark_removed();
        Ok(true)
    }

    /// Removes the series without handles that `expired` is true of; it is given their ids.
    pub(super) fn remove_unused(&self, expired: impl Fn(u32) -> bool) {
        // While this lock is held, no handle can be made from the index; a handle can only be cloned from another one.
        let mut entries = self.index.entries.write();
        entries.retain(|series| {
            // Not `strong_count()`, which does not wait for the writes of the handle that was dropped last.
            let is_held = Arc::get_mut(series).is_none();
            if is_held || !expired(series.id()) {
                return true;
            }
            self.unpublish_series(series.id());
            series.mark_removed();
            false
        });
    }

    /// Removes all labelled series. A series without labels is set to 0 and its handles stay valid.
    pub(super) fn reset(&self) {
        let mut entries = self.index.entries.write();
        if self.descriptor().label_names().is_empty() {
            for series in entries.iter() {
                series.zero();
                self.restart(series.id());
                self.clear_observations(series.id());
            }
            return;
        }
        self.unpublish_all();
        entries.drain().for_each(|series| series.mark_removed());
    }

    /// The error for a label set over a limit.
    fn over_limit(&self, limit: Limit) -> MetricsError {
        let descriptor = self.descriptor();
        let label = match limit {
            Limit::LabelValues { label, .. } => format!(" \"{}\"", descriptor.label_names()[label]),
            _ => String::new(),
        };
        MetricsError::new(
            ErrorKind::CardinalityLimit,
            format!("Expected at most {limit}{label} but {} received a label set beyond", descriptor.name()),
        )
    }

    fn check_count(&self, values: &[&str]) -> Result<()> {
        let names = self.descriptor().label_names();
        if values.len() == names.len() {
            return Ok(());
        }
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        Err(MetricsError::new(
            ErrorKind::LabelCount,
            format!(
                "Invalid number of arguments ({}): \"{}\" for label names ({}): \"{}\".",
                values.len(),
                values.join(", "),
                names.len(),
                names.join(", ")
            ),
        ))
    }
}

/// The values that are not empty, each with the index of its label.
fn labelled<'a>(values: &[&'a str]) -> Vec<(usize, &'a str)> {
    values.iter().copied().enumerate().filter(|(_, value)| !value.is_empty()).collect()
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::model::{Descriptor, Kind, Source};
    use crate::slab::{Cells, Scrape};
    use loom::thread;
    use std::convert::Infallible;

    fn family(cells: &Arc<Cells>) -> Arc<Family> {
        let descriptor = Descriptor::new(Kind::Gauge, "g", "", &["x"]).expect("the names are valid");
        Arc::new(Family::new(descriptor, Arc::clone(cells)))
    }

    /// What a scrape shows: each series' label and value.
    fn scraped(family: &Family) -> Vec<(String, f64)> {
        let _scrape = Scrape::begin();
        let mut seen = Vec::new();
        let Ok(()) = family.for_each(|series| {
            seen.push((String::from_utf8_lossy(series.labels).into_owned(), series.values[0]));
            Ok::<(), Infallible>(())
        });
        seen
    }

    /// Two threads ask for the same label set: they get the same cells, and nothing is counted twice or lost.
    #[test]
    fn a_label_set_has_one_series() {
        loom::model(|| {
            let family = family(&Arc::new(Cells::on_heap()));
            let count = |family: &Family| {
                let series = family.get_or_create(&["a"]).expect("one value for one label");
                series.add(0, 1.0);
            };
            let other = {
                let family = Arc::clone(&family);
                thread::spawn(move || count(&family))
            };
            count(&family);
            other.join().expect("the other ends");
            assert_eq!(scraped(&family), [("x=\"a\"".to_owned(), 2.0)]);
        });
    }

    /// A handle that is kept while its series is removed never writes into a series that came later.
    #[test]
    fn a_kept_handle_never_writes_to_another_series() {
        loom::model(|| {
            let family = family(&Arc::new(Cells::on_heap()));
            let kept = family.get_or_create(&["a"]).expect("one value for one label");
            let writer = thread::spawn(move || kept.add(0, 7.0));
            family.remove(&["a"]).expect("one value for one label");
            let next = family.get_or_create(&["b"]).expect("one value for one label");
            next.add(0, 1.0);
            writer.join().expect("the writer ends");
            assert_eq!(scraped(&family), [("x=\"b\"".to_owned(), 1.0)]);
        });
    }
}
