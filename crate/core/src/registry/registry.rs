//! A registry: its families, collectors and foreign metrics, in the order of their registration, each under unique
//! names.

use super::cardinality::{CardinalityConfig, CardinalityGuard, CardinalityLimits};
use super::claims::{Claims, ItemId, name_forms, written_names};
use super::family::Family;
use super::journal::Journal;
use super::mount::{self, MountLabels, Mounts, address_of};
use super::traits::{Collector, Metric};
use crate::clock::Clock;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelName, LabelSet, Names, Sanitizer, Strictness};
use crate::model::Descriptor;
use crate::model::SampleFamily;
use crate::slab::Cells;
use crate::sync::{Arc, Mutex};
use hashbrown::HashSet;
use std::time::Duration;

/// Settings of a registry. The defaults are: names by the old rule, no default labels, no strictness, 10,000 series in each family and a
/// million in total, no sanitizer, no time to live, no `_created` samples, the system's clock.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistryConfig {
    /// The rule for the names of metrics and labels. With `Names::Utf8`, a scraper that does not ask for UTF-8 gets them
    /// escaped, so two names that are equal when escaped cannot both be registered.
    pub names: Names,
    /// Labels that every series shows, unless the series has a label of that name.
    pub default_labels: Vec<(String, String)>,
    /// Label rules beyond the data model.
    pub strictness: Strictness,
    /// Limits on series.
    pub cardinality: CardinalityConfig,
    /// Cleans the label values of new series.
    pub sanitizer: Option<Sanitizer>,
    /// How long a value may stay unchanged before its series expires; families may have a time of their own. `None` and
    /// zero: never.
    pub ttl: Option<Duration>,
    /// OpenMetrics 1.0 shows when each series of a counter, histogram or summary began, in a sample `_created`. Servers that
    /// do not know these samples store them as series of their own. OpenMetrics 2.0 and protobuf always show it.
    pub created: bool,
    /// The clock of the registry and of the families that it makes.
    pub clock: Arc<Clock>,
}

setters!(RegistryConfig {
    names: Names,
    default_labels: Vec<(String, String)>,
    strictness: Strictness,
    cardinality: CardinalityConfig,
    sanitizer: Option<Sanitizer>,
    ttl: Option<Duration>,
    created: bool,
    clock: Arc<Clock>,
});

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
    /// Every sample name that an item writes, and which item it is.
    claims: Claims,
    names: Names,
    default_labels: Vec<(String, String)>,
    ttl: Option<Duration>,
    created: bool,
    mounts: Mounts<Registry>,
    /// Tells other processes of the families.
    journal: Option<(Arc<dyn Journal>, Arc<Cells>)>,
}

/// A registry that is shown within another.
pub(crate) type Mount = mount::Mount<Registry>;

/// Something registered.
#[derive(Clone)]
pub(crate) enum Item {
    Family(Arc<Family>),
    Collector(Arc<dyn Collector>),
    /// A metric that is kept elsewhere: the samples that were set last.
    Foreign(Option<Arc<SampleFamily>>),
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::default())
    }

    /// An empty registry with this clock.
    #[must_use]
    pub fn with_clock(clock: Arc<Clock>) -> Self {
        Self::of(RegistryConfig { clock, ..RegistryConfig::default() })
    }

    /// An empty registry with settings.
    ///
    /// # Errors
    /// `InvalidLabelName` for a default label with an invalid name, or one that the strictness refuses;
    /// `InvalidLabelValue`.
    pub fn with_config(config: RegistryConfig) -> Result<Self> {
        check_default_labels(&config.default_labels, config.names, &config.strictness)?;
        Ok(Self::of(config))
    }

    fn of(config: RegistryConfig) -> Self {
        let RegistryConfig { names, default_labels, strictness, cardinality, sanitizer, ttl, created, clock } =
            config;
        let contents = Contents { names, default_labels, ttl, created, ..Contents::default() };
        let guard = Arc::new(CardinalityGuard::new(cardinality));
        guard.set_sanitizer(sanitizer);
        Self { contents: Mutex::new(contents), strictness, guard, clock }
    }

    /// The clock of the registry and of the families that it makes.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// The guard that counts the series of the registry and holds its limits.
    #[must_use]
    pub fn cardinality_guard(&self) -> &Arc<CardinalityGuard> {
        &self.guard
    }

    /// The family of this description. If it does not exist it is made, with these limits and this time to live.
    ///
    /// # Errors
    /// As `MetricBuilder::counter_vec` and `MetricBuilder::histogram_vec`.
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
            let is_alike = found.merges_with(&wanted) && found.native_options() == wanted.native_options();
            if is_alike && found.label_names() == wanted.label_names() {
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

    /// Checks the label names of a family against the strictness and the sanitizer.
    fn check_labels(&self, descriptor: &Descriptor) -> Result<()> {
        descriptor.check(self.names(), &self.strictness)?;
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

    /// Adds a family; returns its id in this registry.
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

    /// Adds a collector. It is asked at each scrape.
    pub fn register_collector(&self, collector: Arc<dyn Collector>) -> ItemId {
        self.contents.lock().push(Item::Collector(collector))
    }

    /// Adds a collector and reserves the names that it knows in advance.
    ///
    /// # Errors
    /// `DuplicateMetric` if a name is taken, also as a sample name of another metric.
    pub fn register_named_collector(&self, collector: Arc<dyn Collector>) -> Result<ItemId> {
        let names = collector.names();
        let mut contents = self.contents.lock();
        names.iter().try_for_each(|name| contents.claims.check(name, name_forms(name)))?;
        let id = contents.push(Item::Collector(collector));
        names.iter().for_each(|name| contents.claims.add(name_forms(name), id));
        Ok(id)
    }

    /// Registers a metric whose samples the caller provides: it calls `set_foreign` whenever it has new ones.
    ///
    /// # Errors
    /// `DuplicateMetric` if the name is taken, also as a sample name of another metric.
    pub fn register_foreign(&self, name: &str) -> Result<ItemId> {
        let mut contents = self.contents.lock();
        contents.claims.check(name, name_forms(name))?;
        let id = contents.push(Item::Foreign(None));
        contents.claims.add(name_forms(name), id);
        Ok(id)
    }

    /// Replaces the samples of a metric that `register_foreign` has registered. Scrapes show them until they are
    /// replaced.
    pub fn set_foreign(&self, id: ItemId, family: SampleFamily) {
        let mut contents = self.contents.lock();
        let Ok(at) = contents.items.binary_search_by_key(&id, |(own, _)| *own) else { return };
        if let (_, Item::Foreign(samples)) = &mut contents.items[at] {
            *samples = Some(Arc::new(family));
        }
    }

    /// Removes the family of this name; returns whether it existed. Handles, and other registries that have it, keep it
    /// alive.
    pub fn unregister(&self, name: &str) -> bool {
        let item = {
            let mut contents = self.contents.lock();
            let Some(id) = contents.family(name).map(|(id, _)| id) else { return false };
            contents.remove(id)
        };
        self.forget(item);
        true
    }

    /// Removes one item.
    pub fn remove(&self, id: ItemId) {
        let item = self.contents.lock().remove(id);
        self.forget(item);
    }

    /// Removes all items, default labels and mounts.
    pub fn clear(&self) {
        let (items, mounts) = {
            let mut contents = self.contents.lock();
            contents.claims.clear();
            contents.default_labels.clear();
            (std::mem::take(&mut contents.items), std::mem::take(&mut contents.mounts))
        };
        // A mounted registry may end here, with its families: not under the lock.
        drop(mounts);
        items.into_iter().for_each(|(_, item)| self.forget(Some(item)));
    }

    /// Tells other processes of the families of now and of every change.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(super) fn set_journal(&self, journal: Arc<dyn Journal>, cells: &Arc<Cells>) {
        let mut contents = self.contents.lock();
        contents.journal = Some((journal, Arc::clone(cells)));
        contents.families().for_each(|family| contents.enter_journal(family));
    }

    /// Tells families again, until `series_max` series were told; returns false once all were. The next call goes on.
    #[cfg(not(loom))]
    pub(super) fn tell_again(&self, series_max: usize) -> bool {
        let (families, ttl) = {
            let contents = self.contents.lock();
            (contents.told_families().cloned().collect::<Vec<_>>(), contents.ttl)
        };
        let mut told = 0;
        families.iter().any(|family| {
            let (count, is_last) = family.tell_again(ttl, series_max - told);
            told += count;
            !is_last
        })
    }

    /// Ends what `set_journal` has begun.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(super) fn unset_journal(&self) {
        let mut contents = self.contents.lock();
        contents.told_families().for_each(|family| family.leave_journal());
        contents.journal = None;
    }

    /// Stops counting the series of a removed family. The family itself may live on elsewhere.
    fn forget(&self, item: Option<Item>) {
        if let Some(Item::Family(family)) = item {
            // Only the registry of the contributor that has its cells has entered it.
            let has_entered = self.contents.lock().journal_of(&family).is_some();
            if has_entered {
                family.leave_journal();
            }
            family.leave(&self.guard);
        }
    }

    /// Resets every family: labelled series are removed, counters and gauges without labels are set to 0.
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
        check_default_labels(&labels, self.names(), &self.strictness)?;
        self.contents.lock().default_labels = labels;
        Ok(())
    }

    /// Sets how long a value may stay unchanged before its series expires; families may have a time of their own.
    pub fn set_ttl(&self, ttl: Option<Duration>) {
        let mut contents = self.contents.lock();
        contents.ttl = ttl;
        contents.told_families().for_each(|family| family.tell_ttl(ttl));
    }

    /// Sets the rule for names of metrics and labels that are registered from now on: see `RegistryConfig::names`. By the old
    /// rule, scrapes show others escaped.
    pub fn set_names(&self, names: Names) {
        self.contents.lock().names = names;
    }

    /// The rule for names of metrics and labels.
    #[must_use]
    pub fn names(&self) -> Names {
        self.contents.lock().names
    }

    /// Sets whether OpenMetrics 1.0 shows when each series began: see `RegistryConfig::created`.
    pub fn set_created(&self, shown: bool) {
        self.contents.lock().created = shown;
    }

    pub(crate) fn shows_starts(&self) -> bool {
        self.contents.lock().created
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

    /// True if an exposition has at most `lines` samples, as far as is known in advance. False if a collector does not
    /// name its families, because it may return any number of samples.
    #[must_use]
    pub fn is_at_most(&self, lines: usize) -> bool {
        self.lines(lines).is_some()
    }

    /// The number of samples in an exposition; `None` if it is over `max` or unknown.
    fn lines(&self, max: usize) -> Option<usize> {
        let mut total = 0;
        let few = self.contents.lock().items.iter().all(|(_, item)| {
            total += match item {
                Item::Family(family) => 1 + family.series_count() * family.descriptor().sample_count(),
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

    /// Shows another registry's families together with this one's, with these labels added: for example one registry
    /// for each tenant. Each keeps its own limits. A series' own label of the same name is renamed to `exported_…`.
    ///
    /// # Errors
    /// `InvalidLabelName`; `InvalidConfig` if the registry would contain itself, if it is mounted here already, or if
    /// another registry is mounted with equal labels: a scraper rejects two series with the same labels.
    pub fn mount(&self, registry: &Arc<Self>, labels: Vec<(String, String)>) -> Result<()> {
        if contains(registry, self) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected another registry to mount but received one that would contain itself",
            ));
        }
        let labels = Arc::new(MountLabels::new(self.names(), labels)?);
        self.contents.lock().mounts.add(Mount { registry: Arc::clone(registry), labels })
    }

    /// Stops showing another registry's families; returns whether it was mounted.
    pub fn unmount(&self, registry: &Arc<Self>) -> bool {
        // The mount is dropped after the lock: it may be the last owner of the registry.
        let removed = self.contents.lock().mounts.remove(registry);
        removed.is_some()
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
        self.contents.lock().mounts.all().cloned().collect()
    }

    fn has_mounts(&self) -> bool {
        !self.contents.lock().mounts.is_empty()
    }
}

impl Drop for Registry {
    /// Ends the registry's limits for families that live on elsewhere.
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

    /// The journal that a family of this registry is told to. It names cells by their slots, so it cannot have families whose
    /// cells are another contributor's: they may be in the journal of that one.
    fn journal_of(&self, family: &Family) -> Option<&Arc<dyn Journal>> {
        let (journal, cells) = self.journal.as_ref()?;
        Arc::ptr_eq(cells, family.cells()).then_some(journal)
    }

    /// The families that the journal has.
    fn told_families(&self) -> impl Iterator<Item = &Arc<Family>> {
        self.families().filter(|family| self.journal_of(family).is_some())
    }

    fn enter_journal(&self, family: &Family) {
        if let Some(journal) = self.journal_of(family) {
            family.enter_journal(journal, self.ttl);
        }
    }

    fn push_family(&mut self, family: Arc<Family>) -> ItemId {
        let names = written_names(family.descriptor());
        self.enter_journal(&family);
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

    /// Checks that the names are free. A scraper rejects an exposition that has a series twice.
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

/// Checks that the names are valid and unique, and that the strictness allows them.
fn check_default_labels(labels: &[(String, String)], names: Names, strictness: &Strictness) -> Result<()> {
    LabelSet::by(names, labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    labels.iter().try_for_each(|(name, value)| {
        let name = LabelName::by(names, name)?;
        strictness.check_name(&name)?;
        strictness.check_value(&name, value)
    })
}

/// True if `registry` is `other` or has it mounted, at any depth. Each registry is looked at once, although several may have
/// mounted it.
fn contains(registry: &Arc<Registry>, other: &Registry) -> bool {
    let mut seen: HashSet<usize, foldhash::fast::FixedState> = HashSet::default();
    let mut left = vec![Arc::clone(registry)];
    while let Some(at) = left.pop() {
        if std::ptr::eq(&*at, other) {
            return true;
        }
        if seen.insert(address_of(&at)) && at.has_mounts() {
            left.extend(at.mounts().into_iter().map(|mount| mount.registry));
        }
    }
    false
}
