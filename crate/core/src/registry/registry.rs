//! A registry: names, and the families found under them, in the order of their registration.

use super::cardinality::{CardinalityConfig, CardinalityGuard, CardinalityLimits};
use super::expiry::LiveFamily;
use super::family::Family;
use super::merge::{Gathered, GatheredFamily, Selection, gather};
use super::mount::Mount;
use super::traits::{Collector, Metric};
use crate::clock::Clock;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelName, LabelSet, Sanitizer, Strictness};
use crate::model::SampleFamily;
use crate::model::{Descriptor, Kind};
use crate::serialization::{Format, encode};
use crate::slab::Cells;
use crate::sync::{Arc, Mutex};
use hashbrown::HashMap;
use std::time::Duration;

/// Names an item of a registry; never reused within it.
pub type ItemId = u32;

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
    state: Mutex<State>,
    strictness: Strictness,
    guard: Arc<CardinalityGuard>,
    clock: Arc<Clock>,
}

#[derive(Default)]
struct State {
    items: Vec<(ItemId, Item)>,
    next_id: ItemId,
    /// Every sample name that a family writes, and whose it is.
    claims: HashMap<String, ItemId, foldhash::fast::FixedState>,
    default_labels: Vec<(String, String)>,
    ttl: Option<Duration>,
    mounts: Vec<Mount>,
}

enum Item {
    Family(Arc<Family>),
    Collector(Arc<dyn Collector>),
    /// A metric that somebody else keeps: its samples as they were last brought.
    Foreign(Option<Arc<SampleFamily>>),
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
        let state = State { default_labels, ttl, ..State::default() };
        let guard = Arc::new(CardinalityGuard::new(cardinality));
        guard.set_sanitizer(sanitizer);
        Self { state: Mutex::new(state), strictness, guard, clock }
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
        let mut state = self.state.lock();
        if let Some((_, family)) = state.family(wanted.name()) {
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
        state.refuse_clash(&wanted)?;
        let family = Family::with_limits(wanted, cells, limits)
            .with_strictness(self.strictness)
            .with_clock(Arc::clone(&self.clock));
        let family = Arc::new(match ttl {
            Some(ttl) => family.with_ttl(ttl),
            None => family,
        });
        state.push_family(Arc::clone(&family));
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
        let mut state = self.state.lock();
        state.refuse_clash(family.descriptor())?;
        family.enter(&self.guard);
        Ok(state.push_family(family))
    }

    /// Adds a collector, asked at each scrape.
    pub fn register_collector(&self, collector: Arc<dyn Collector>) -> ItemId {
        self.state.lock().push(Item::Collector(collector))
    }

    /// Adds a collector and keeps the names it knows beforehand for it.
    ///
    /// # Errors
    /// `DuplicateMetric` if a name is taken, be it as a sample name of another metric.
    pub fn register_named_collector(&self, collector: Arc<dyn Collector>) -> Result<ItemId> {
        let names = collector.names();
        let mut state = self.state.lock();
        names.iter().try_for_each(|name| state.refuse_names(name, [name.clone()]))?;
        let id = state.push(Item::Collector(collector));
        state.claims.extend(names.into_iter().map(|name| (name, id)));
        Ok(id)
    }

    /// Keeps a place for a metric whose samples the caller brings, with `set_foreign`, whenever it has new ones.
    ///
    /// # Errors
    /// `DuplicateMetric` if the name is taken, be it as a sample name of another metric.
    pub fn register_foreign(&self, name: &str) -> Result<ItemId> {
        let mut state = self.state.lock();
        state.refuse_names(name, [name.to_owned()])?;
        let id = state.push(Item::Foreign(None));
        state.claims.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Replaces the samples of what `register_foreign` placed. Scrapes show them until the next ones are brought.
    pub fn set_foreign(&self, id: ItemId, family: SampleFamily) {
        let mut state = self.state.lock();
        let Ok(at) = state.items.binary_search_by_key(&id, |(own, _)| *own) else { return };
        if let (_, Item::Foreign(samples)) = &mut state.items[at] {
            *samples = Some(Arc::new(family));
        }
    }

    /// Removes the family of this name. The family lives on in other registries and in handles.
    pub fn unregister(&self, name: &str) -> bool {
        let mut state = self.state.lock();
        let Some(id) = state.family(name).map(|(id, _)| id) else { return false };
        self.forget(state.remove(id));
        true
    }

    /// Removes one item.
    pub fn remove(&self, id: ItemId) {
        let item = self.state.lock().remove(id);
        self.forget(item);
    }

    /// Removes all items and default labels.
    pub fn clear(&self) {
        let items = {
            let mut state = self.state.lock();
            state.claims.clear();
            state.default_labels.clear();
            state.mounts.clear();
            std::mem::take(&mut state.items)
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
        self.state.lock().default_labels = labels;
        Ok(())
    }

    /// Sets how long a value may stay unchanged before its series expires, in families that say nothing themselves.
    pub fn set_ttl(&self, ttl: Option<Duration>) {
        self.state.lock().ttl = ttl;
    }

    pub(crate) fn default_labels(&self) -> Vec<(String, String)> {
        self.state.lock().default_labels.clone()
    }

    /// The families, without collectors and foreign metrics.
    #[must_use]
    pub fn families(&self) -> Vec<Arc<Family>> {
        let state = self.state.lock();
        state.families().cloned().collect()
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
        let few = self.state.lock().items.iter().all(|(_, item)| {
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

    /// What a scrape of this registry alone shows.
    #[must_use]
    pub fn gather(&self) -> Gathered {
        gather(self, &Selection::default())
    }

    /// The exposition of this registry alone.
    #[must_use]
    pub fn encode(&self, format: Format) -> String {
        let mut out = Vec::new();
        let Ok(()) = encode(&self.gather(), format, &mut out);
        String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The families as a scrape shows them, with the time to live that the registry gives.
    pub(crate) fn live_families(&self) -> Vec<LiveFamily> {
        let (families, ttl) = {
            let state = self.state.lock();
            (state.families().cloned().collect::<Vec<_>>(), state.ttl)
        };
        families.into_iter().map(|family| LiveFamily::of(family, ttl)).collect()
    }

    /// How long the values of a family may stay unchanged.
    pub(crate) fn time_to_live(&self, family: &Family) -> Option<Duration> {
        family.time_to_live(self.state.lock().ttl)
    }

    /// Shows another registry's families with this one's, under these labels: one registry a tenant, say. Each keeps its
    /// own limits. A label that a series has itself gives way, under the name `exported_…`.
    ///
    /// # Errors
    /// `InvalidLabelName`; `InvalidConfig` for a registry that would contain itself or that is mounted here already, and
    /// for labels under which another is: two series of the same labels are none to a scraper.
    pub fn mount(&self, registry: &Arc<Self>, labels: Vec<(String, String)>) -> Result<()> {
        let mount = Mount::new(self, Arc::clone(registry), labels)?;
        let mut state = self.state.lock();
        if state.mounts.iter().any(|known| Arc::ptr_eq(&known.registry, registry)) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected a registry that is not mounted here but received one that is",
            ));
        }
        if state.mounts.iter().any(|known| known.labels.is_same_as(&mount.labels)) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected labels to mount under that no other registry is mounted under here but received such labels",
            ));
        }
        state.mounts.push(mount);
        Ok(())
    }

    /// Shows another registry's families no more; returns whether it did.
    pub fn unmount(&self, registry: &Arc<Self>) -> bool {
        let mut state = self.state.lock();
        let before = state.mounts.len();
        state.mounts.retain(|mount| !Arc::ptr_eq(&mount.registry, registry));
        state.mounts.len() < before
    }

    pub(crate) fn mounts(&self) -> Vec<Mount> {
        self.state.lock().mounts.clone()
    }

    /// Warns of families that got label sets beyond their limits since the last warning.
    pub(crate) fn warn_of_overflow(&self) {
        let now = self.clock.now();
        self.families().iter().for_each(|family| family.warn_of_overflow(now));
    }

    pub(crate) fn gather_items(&self) -> Vec<GatheredFamily> {
        enum Step {
            Own(Arc<Family>),
            Samples(Arc<SampleFamily>),
            Ask(Arc<dyn Collector>),
        }
        // Collectors are user code and may use this registry, so they are asked after the lock is given back; and looking
        // at series takes time.
        let (steps, ttl): (Vec<Step>, _) = {
            let state = self.state.lock();
            let step = |(_, item): &(ItemId, Item)| match item {
                Item::Family(family) => Some(Step::Own(Arc::clone(family))),
                Item::Collector(collector) => Some(Step::Ask(Arc::clone(collector))),
                Item::Foreign(samples) => Some(Step::Samples(Arc::clone(samples.as_ref()?))),
            };
            (state.items.iter().filter_map(step).collect(), state.ttl)
        };
        let mut families = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                Step::Own(family) => families.push(GatheredFamily::Own(LiveFamily::of(family, ttl))),
                Step::Samples(samples) => families.push(GatheredFamily::Samples(samples)),
                Step::Ask(collector) => families.extend(
                    collector.collect().into_iter().map(|family| GatheredFamily::Samples(Arc::new(family))),
                ),
            }
        }
        families
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

impl State {
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
        self.claims.extend(names.into_iter().map(|name| (name, id)));
        id
    }

    fn remove(&mut self, id: ItemId) -> Option<Item> {
        let at = self.items.binary_search_by_key(&id, |(own, _)| *own).ok()?;
        let (_, item) = self.items.remove(at);
        self.claims.retain(|_, owner| *owner != id);
        Some(item)
    }

    fn family(&self, name: &str) -> Option<(ItemId, &Arc<Family>)> {
        let id = *self.claims.get(name)?;
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
        self.refuse_names(wanted.name(), written_names(wanted))
    }

    fn refuse_names(&self, wanted: &str, names: impl IntoIterator<Item = String>) -> Result<()> {
        match names.into_iter().find(|name| self.claims.contains_key(name)) {
            None => Ok(()),
            Some(name) => Err(MetricsError::new(
                ErrorKind::DuplicateMetric,
                format!(
                    "A metric that writes samples named {name} has already been registered, and {} would write them too.",
                    wanted
                ),
            )),
        }
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

/// The family's own name and the sample names that text 0.0.4 shows for it.
pub(super) fn written_names(descriptor: &Descriptor) -> Vec<String> {
    let name = descriptor.name();
    let suffixes: &[&str] =
        if descriptor.kind() == Kind::Histogram { &["", "_bucket", "_sum", "_count"] } else { &[""] };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}
