//! A registry: names, and the families found under them, in the order of their registration.

use super::cardinality::{CardinalityConfig, CardinalityGuard, CardinalityLimits};
use super::claims::{Claims, ItemId, written_names};
use super::family::Family;
use super::mount::MountLabels;
use super::traits::{Collector, Metric};
use crate::clock::Clock;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelName, LabelSet, Sanitizer, Strictness};
use crate::model::Descriptor;
use crate::model::SampleFamily;
use crate::slab::Cells;
use crate::sync::{Arc, Mutex};
use std::time::Duration;

/// Settings of a registry. All have defaults: no default labels, no strictness, 10,000 series a family and a million in
/// total, the system's clock.
#[derive(Debug, Clone, Default)]
pub struct RegistryConfig {
    /// Labels that every series shows, unless it has a label of that name itself.
    pub default_labels: Vec<(String, String)>,
    /// Label rules beyond the data model.
    pub strictness: Strictness,
    /// Limits on series.
    pub cardinality: CardinalityConfig,
    /// Cleans the label values of new series.
    pub sanitizer: Option<Sanitizer>,
    /// How long a value may stay unchanged before its series expires, in families that say nothing themselves.
    pub ttl: Option<Duration>,
    /// The time that the registry and the families made by it go by.
    pub clock: Arc<Clock>,
}

/// A set of families with unique names.
pub struct Registry {
    contents: Mutex<Contents>,
    strictness: Strictness,
    guard: Arc<CardinalityGuard>,
    clock: Arc<Clock>,
}

#[derive(Default)]
struct Contents {
    items: Vec<(ItemId, Item)>,
    next_id: ItemId,
    /// Every sample name that a family writes, and whose it is.
    claims: Claims,
    default_labels: Vec<(String, String)>,
    ttl: Option<Duration>,
    mounts: Vec<Mount>,
}

/// Something registered.
#[derive(Clone)]
pub(crate) enum Item {
    Family(Arc<Family>),
    Collector(Arc<dyn Collector>),
    /// A metric that somebody else keeps: its samples as they were last brought.
    Foreign(Option<Arc<SampleFamily>>),
}

/// A registry that is shown within another.
#[derive(Clone)]
pub(crate) struct Mount {
    pub(crate) registry: Arc<Registry>,
    pub(crate) labels: Arc<MountLabels>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::default())
    }

    /// An empty registry that goes by this clock.
    #[must_use]
    pub fn with_clock(clock: Arc<Clock>) -> Self {
        Self::of(RegistryConfig { clock, ..RegistryConfig::default() })
    }

    /// An empty registry with settings.
    ///
    /// # Errors
    /// `InvalidLabelName` for a default label that is none or that the strictness refuses; `InvalidLabelValue`.
    pub fn with_config(config: RegistryConfig) -> Result<Self> {
        check_default_labels(&config.default_labels, &config.strictness)?;
        Ok(Self::of(config))
    }

    fn of(config: RegistryConfig) -> Self {
        let RegistryConfig { default_labels, strictness, cardinality, sanitizer, ttl, clock } = config;
        let contents = Contents { default_labels, ttl, ..Contents::default() };
        let guard = Arc::new(CardinalityGuard::new(cardinality));
        guard.set_sanitizer(sanitizer);
        Self { contents: Mutex::new(contents), strictness, guard, clock }
    }

    /// The time that the registry and the families made by it go by.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// How many series there are, and how many there may be.
    #[must_use]
    pub fn cardinality_guard(&self) -> &Arc<CardinalityGuard> {
        &self.guard
    }

    /// The family of this description, made with limits and a time to live of its own if it does not exist.
    ///
    /// # Errors
    /// As `counter_vec`.
    pub(crate) fn get_or_create(
        &self,
        wanted: Descriptor,
        cells: Arc<Cells>,
        limits: CardinalityLimits,
        ttl: Option<Duration>,
    ) -> Result<Arc<Family>> {
        self.check_labels(&wanted)?;
        let mut contents = self.contents.lock();
        if let Some((_, family)) = contents.family(wanted.name()) {
            let found = family.descriptor();
            if found.merges_with(&wanted) && found.label_names() == wanted.label_names() {
                return Ok(Arc::clone(family));
            }
            return Err(MetricsError::new(
                ErrorKind::TypeMismatch,
                format!(
                    "Expected {} to be the {} it was registered as, with the same labels and buckets, but received a {}",
                    wanted.name(),
                    found.kind().as_str(),
                    wanted.kind().as_str()
                ),
            ));
        }
        contents.refuse_clash(&wanted)?;
        let family = Family::with_limits(wanted, cells, limits)
            .with_strictness(self.strictness)
            .with_clock(Arc::clone(&self.clock));
        let family = Arc::new(match ttl {
            Some(ttl) => family.with_ttl(ttl),
            None => family,
        });
        contents.push_family(Arc::clone(&family));
        family.enter(&self.guard);
        Ok(family)
    }

    /// Holds the label names of a family against the strictness and the sanitizer.
    fn check_labels(&self, descriptor: &Descriptor) -> Result<()> {
        descriptor.check(&self.strictness)?;
        match self.guard.sanitizer() {
            Some(sanitizer) => {
                descriptor.label_names().iter().try_for_each(|name| sanitizer.check_name(name))
            }
            None => Ok(()),
        }
    }

    /// Adds a metric that was made on its own. A metric may be in several registries.
    ///
    /// # Errors
    /// `DuplicateMetric` if the name, or a sample name that the metric writes, is taken; `InvalidLabelName` for a
    /// label that the strictness refuses.
    pub fn register(&self, metric: &impl Metric) -> Result<()> {
        self.register_family(Arc::clone(metric.family())).map(drop)
    }

    /// Adds a family; returns its place.
    ///
    /// # Errors
    /// As `register`.
    pub fn register_family(&self, family: Arc<Family>) -> Result<ItemId> {
        self.check_labels(family.descriptor())?;
        let mut contents = self.contents.lock();
        contents.refuse_clash(family.descriptor())?;
        family.enter(&self.guard);
        Ok(contents.push_family(family))
    }

    /// Adds a collector, asked at each scrape.
    pub fn register_collector(&self, collector: Arc<dyn Collector>) -> ItemId {
        self.contents.lock().push(Item::Collector(collector))
    }

    /// Adds a collector and keeps the names it knows beforehand for it.
    ///
    /// # Errors
    /// `DuplicateMetric` if a name is taken, be it as a sample name of another metric.
    pub fn register_named_collector(&self, collector: Arc<dyn Collector>) -> Result<ItemId> {
        let names = collector.names();
        let mut contents = self.contents.lock();
        names.iter().try_for_each(|name| contents.claims.check(name, [name.clone()]))?;
        let id = contents.push(Item::Collector(collector));
        contents.claims.add(names, id);
        Ok(id)
    }

    /// Keeps a place for a metric whose samples the caller brings, with `set_foreign`, whenever it has new ones.
    ///
    /// # Errors
    /// `DuplicateMetric` if the name is taken, be it as a sample name of another metric.
    pub fn register_foreign(&self, name: &str) -> Result<ItemId> {
        let mut contents = self.contents.lock();
        contents.claims.check(name, [name.to_owned()])?;
        let id = contents.push(Item::Foreign(None));
        contents.claims.add([name.to_owned()], id);
        Ok(id)
    }

    /// Replaces the samples of what `register_foreign` placed. Scrapes show them until the next ones are brought.
    pub fn set_foreign(&self, id: ItemId, family: SampleFamily) {
        let mut contents = self.contents.lock();
        let Ok(at) = contents.items.binary_search_by_key(&id, |(own, _)| *own) else { return };
        if let (_, Item::Foreign(samples)) = &mut contents.items[at] {
            *samples = Some(Arc::new(family));
        }
    }

    /// Removes the family of this name. The family lives on in other registries and in handles.
    pub fn unregister(&self, name: &str) -> bool {
        let mut contents = self.contents.lock();
        let Some(id) = contents.family(name).map(|(id, _)| id) else { return false };
        self.forget(contents.remove(id));
        true
    }

    /// Removes one item.
    pub fn remove(&self, id: ItemId) {
        let item = self.contents.lock().remove(id);
        self.forget(item);
    }

    /// Removes all items and default labels.
    pub fn clear(&self) {
        let items = {
            let mut contents = self.contents.lock();
            contents.claims.clear();
            contents.default_labels.clear();
            contents.mounts.clear();
            std::mem::take(&mut contents.items)
        };
        items.into_iter().for_each(|(_, item)| self.forget(Some(item)));
    }

    /// A family that is here no longer may live on elsewhere, but its series are not counted here any more.
    fn forget(&self, item: Option<Item>) {
        if let Some(Item::Family(family)) = item {
            family.leave(&self.guard);
        }
    }

    /// Sets every family's values back: labelled series go, unlabelled counters and gauges are 0 again.
    pub fn reset(&self) {
        for family in self.families() {
            family.reset();
        }
    }

    /// Replaces the default labels.
    ///
    /// # Errors
    /// `InvalidLabelName`, `InvalidLabelValue`.
    pub fn set_default_labels(&self, labels: Vec<(String, String)>) -> Result<()> {
        check_default_labels(&labels, &self.strictness)?;
        self.contents.lock().default_labels = labels;
        Ok(())
    }

    /// Sets how long a value may stay unchanged before its series expires, in families that say nothing themselves.
    pub fn set_ttl(&self, ttl: Option<Duration>) {
        self.contents.lock().ttl = ttl;
    }

    pub(crate) fn default_labels(&self) -> Vec<(String, String)> {
        self.contents.lock().default_labels.clone()
    }

    /// The families, without collectors and foreign metrics.
    #[must_use]
    pub fn families(&self) -> Vec<Arc<Family>> {
        let contents = self.contents.lock();
        contents.families().cloned().collect()
    }

    /// Whether an exposition has at most `lines` samples, as far as is known before: a collector that does not name its
    /// families may answer with anything.
    #[must_use]
    pub fn is_at_most(&self, lines: usize) -> bool {
        self.lines(lines).is_some()
    }

    /// The samples of an exposition; nothing if they are more than `max`, or nobody knows.
    fn lines(&self, max: usize) -> Option<usize> {
        let mut total = 0;
        let few = self.contents.lock().items.iter().all(|(_, item)| {
            total += match item {
                Item::Family(family) => 1 + family.series_count() * family.descriptor().width(),
                Item::Foreign(samples) => samples.as_ref().map_or(1, |family| 1 + family.samples().len()),
                Item::Collector(collector) => match collector.names().len() {
                    0 => return false,
                    families => families,
                },
            };
            total <= max
        });
        let mounts = self.mounts();
        let all = mounts.iter().try_fold(total, |sum, mount| Some(sum + mount.registry.lines(max)?));
        all.filter(|all| few && *all <= max)
    }

    /// Shows another registry's families with this one's, under these labels: one registry a tenant, say. Each keeps its
    /// own limits. A label that a series has itself gives way, under the name `exported_…`.
    ///
    /// # Errors
    /// `InvalidLabelName`; `InvalidConfig` for a registry that would contain itself or that is mounted here already, and
    /// for labels under which another is: two series of the same labels are none to a scraper.
    pub fn mount(&self, registry: &Arc<Self>, labels: Vec<(String, String)>) -> Result<()> {
        if contains(registry, self) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected another registry to mount but received one that would contain itself",
            ));
        }
        let labels = Arc::new(MountLabels::new(labels)?);
        let mut contents = self.contents.lock();
        if contents.mounts.iter().any(|known| Arc::ptr_eq(&known.registry, registry)) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected a registry that is not mounted here but received one that is",
            ));
        }
        if contents.mounts.iter().any(|known| known.labels.is_same_as(&labels)) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected labels to mount under that no other registry is mounted under here but received such labels",
            ));
        }
        contents.mounts.push(Mount { registry: Arc::clone(registry), labels });
        Ok(())
    }

    /// Shows another registry's families no more; returns whether it did.
    pub fn unmount(&self, registry: &Arc<Self>) -> bool {
        let mut contents = self.contents.lock();
        let before = contents.mounts.len();
        contents.mounts.retain(|mount| !Arc::ptr_eq(&mount.registry, registry));
        contents.mounts.len() < before
    }

    /// The registry's time to live.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        self.contents.lock().ttl
    }

    /// The items, and the time to live that holds for them.
    pub(crate) fn items(&self) -> (Vec<Item>, Option<Duration>) {
        let contents = self.contents.lock();
        (contents.items.iter().map(|(_, item)| item.clone()).collect(), contents.ttl)
    }

    pub(crate) fn mounts(&self) -> Vec<Mount> {
        self.contents.lock().mounts.clone()
    }
}

impl Drop for Registry {
    /// Families that live on elsewhere meet its limits no more.
    fn drop(&mut self) {
        self.clear();
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Contents {
    fn push(&mut self, item: Item) -> ItemId {
        let id = self.next_id;
        self.next_id += 1;
        self.items.push((id, item));
        id
    }

    fn families(&self) -> impl Iterator<Item = &Arc<Family>> {
        self.items.iter().filter_map(|(_, item)| match item {
            Item::Family(family) => Some(family),
            _ => None,
        })
    }

    fn push_family(&mut self, family: Arc<Family>) -> ItemId {
        let names = written_names(family.descriptor());
        let id = self.push(Item::Family(family));
        self.claims.add(names, id);
        id
    }

    fn remove(&mut self, id: ItemId) -> Option<Item> {
        let at = self.items.binary_search_by_key(&id, |(own, _)| *own).ok()?;
        let (_, item) = self.items.remove(at);
        self.claims.remove(id);
        Some(item)
    }

    fn family(&self, name: &str) -> Option<(ItemId, &Arc<Family>)> {
        let id = self.claims.item(name)?;
        let at = self.items.binary_search_by_key(&id, |(own, _)| *own).ok()?;
        match &self.items[at].1 {
            Item::Family(family) if family.descriptor().name() == name => Some((id, family)),
            _ => None,
        }
    }

    /// Families never share a sample name: a scraper refuses an exposition that has a series twice.
    fn refuse_clash(&self, wanted: &Descriptor) -> Result<()> {
        if self.family(wanted.name()).is_some() {
            return Err(MetricsError::new(
                ErrorKind::DuplicateMetric,
                format!("A metric with the name {} has already been registered.", wanted.name()),
            ));
        }
        self.claims.check(wanted.name(), written_names(wanted))
    }
}

/// Names that are valid, each once, and what the strictness wants.
fn check_default_labels(labels: &[(String, String)], strictness: &Strictness) -> Result<()> {
    LabelSet::new(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    labels.iter().try_for_each(|(name, value)| {
        let name = LabelName::new(name)?;
        strictness.check_name(&name)?;
        strictness.check_value(&name, value)
    })
}

/// True if `registry` is `other` or has it mounted, at any depth.
fn contains(registry: &Arc<Registry>, other: &Registry) -> bool {
    std::ptr::eq(&**registry, other) || registry.mounts().iter().any(|mount| contains(&mount.registry, other))
}
