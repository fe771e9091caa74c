//! Gathers what one scrape shows: a registry's own families, merged by name and label set with those of the other
//! contributors of its process. With one contributor nothing is copied.

use super::contributor::Contributor;
use super::expiry::LiveFamily;
use super::family::Family;
use super::mount::{MountedFamily, add_mounts};
use super::process::Process;
use super::registry::Registry;
#[cfg(feature = "http")]
use super::retired::add_overflow;
use super::retired::{DoubleDouble, RetiredFamily};
use crate::labels::canonical_key;
#[cfg(feature = "http")]
use crate::labels::render;
use crate::model::Exemplar;
use crate::model::{Aggregator, Descriptor, Kind};
use crate::model::{SampleFamily, Series, Source};
use crate::slab::Scrape;
use crate::sync::Arc;
use hashbrown::{HashMap, HashSet};
use std::convert::Infallible;

/// What one scrape shows. While it lives, the cells it reads belong to the series it lists.
pub struct Gathered {
    pub(crate) families: Vec<GatheredFamily>,
    pub(crate) default_labels: Vec<(String, String)>,
    mismatched: Vec<String>,
    series: usize,
    _scrape: Scrape,
}

pub(crate) enum GatheredFamily {
    Own(LiveFamily),
    Merged(MergedFamily),
    Mounted(MountedFamily),
    Samples(Arc<SampleFamily>),
}

impl Gathered {
    /// One family alone.
    #[must_use]
    pub fn of_family(family: Arc<Family>) -> Self {
        let scrape = Scrape::begin();
        let families = vec![GatheredFamily::Own(LiveFamily::whole(family))];
        let series = families.iter().map(GatheredFamily::series_count).sum();
        Self { families, default_labels: Vec::new(), mismatched: Vec::new(), series, _scrape: scrape }
    }

    /// Shows a family of samples behind the others, if the names that were asked for want it.
    #[cfg(feature = "http")]
    pub(crate) fn append(&mut self, family: SampleFamily, names: &[String]) {
        if names.is_empty() || names.iter().any(|name| name == family.name()) {
            self.families.push(GatheredFamily::Samples(Arc::new(family)));
        }
    }

    /// Series of all families of the registry, those that `Selection::names` leaves out and appended ones not counted.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.series
    }

    /// Families that another contributor has with another type or other buckets, and that were left out for it.
    #[must_use]
    pub fn mismatched(&self) -> &[String] {
        &self.mismatched
    }
}

/// Which families a scrape shows, and with whom they are merged.
#[derive(Default)]
pub struct Selection<'a> {
    /// Merge with the other contributors of this process.
    pub process: Option<&'a Process>,
    /// Only families of these names (`name[]`); all where it is empty.
    pub names: &'a [String],
    /// Registries whose families are shown after the others, under the same default labels.
    pub appended: &'a [&'a Registry],
}

/// Gathers a scrape.
#[must_use]
pub fn gather(registry: &Registry, selection: &Selection<'_>) -> Gathered {
    // First of all: whatever is unpublished after this line keeps its cells until the scrape has ended.
    let scrape = Scrape::begin();
    let mut families = registry.gather_items();
    let mut mismatched = Vec::new();
    if let Some(process) = selection.process {
        let others = Others::of(process, registry);
        if !others.parts.is_empty() {
            families = others.merge_into(families, &mut mismatched);
        }
    }
    add_mounts(registry, &mut families, &mut mismatched);
    let sees_all = selection.process.is_some();
    families.iter().for_each(|family| family.remove_expired(sees_all));
    registry.warn_of_overflow();
    let series = families.iter().map(GatheredFamily::series_count).sum();
    for appended in selection.appended {
        families.extend(appended.gather_items());
    }
    if !selection.names.is_empty() {
        families.retain(|family| selection.names.iter().any(|name| name == family.name()));
    }
    Gathered { families, default_labels: registry.default_labels(), mismatched, series, _scrape: scrape }
}

/// Calls beyond a limit: the metric's name, the labels that show it, rendered, and how many.
#[cfg(feature = "http")]
pub(crate) struct OverflowCalls {
    pub(crate) metric: String,
    pub(crate) labels: Vec<u8>,
    pub(crate) calls: f64,
}

/// Calls beyond a limit, of the registry, of whom it is merged with and of what is mounted in it, under the mounts' labels;
/// metrics of none are left out.
#[cfg(feature = "http")]
pub(crate) fn overflow(registry: &Registry, process: Option<&Process>) -> Vec<OverflowCalls> {
    let state = process.map(Process::state);
    let mut overflow = state.as_ref().map(|state| state.retired.overflow.clone()).unwrap_or_default();
    registry.families().iter().for_each(|family| add_overflow(&mut overflow, family));
    let is_other = |contributor: &&Arc<Contributor>| !std::ptr::eq(&**contributor.registry(), registry);
    for other in state.iter().flat_map(|state| state.live.iter().filter(is_other)) {
        other.registry().families().iter().for_each(|family| add_overflow(&mut overflow, family));
    }
    let labelled = |(metric, calls): (String, f64)| {
        let mut labels = Vec::new();
        render([("metric", metric.as_str())], &mut labels);
        OverflowCalls { metric, labels, calls }
    };
    let mut all: Vec<OverflowCalls> = overflow.into_iter().map(labelled).collect();
    all.sort_unstable_by(|one, next| one.metric.cmp(&next.metric));
    for mount in registry.mounts() {
        for inner in self::overflow(&mount.registry, None) {
            let mut labels = Vec::new();
            mount.labels.write(&inner.labels, &[], &mut labels);
            all.push(OverflowCalls { labels, ..inner });
        }
    }
    all
}

impl GatheredFamily {
    /// Of what comes as samples there is none.
    pub(super) fn descriptor(&self) -> Option<&Descriptor> {
        match self {
            Self::Own(family) => Some(family.descriptor()),
            Self::Merged(family) => Some(&family.descriptor),
            Self::Mounted(family) => Some(family.descriptor()),
            Self::Samples(_) => None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Own(family) => family.descriptor().name(),
            Self::Merged(family) => family.descriptor.name(),
            Self::Mounted(family) => family.descriptor().name(),
            Self::Samples(family) => family.name(),
        }
    }

    #[cfg(feature = "http")]
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Samples(family) => family.kind(),
            family => family.descriptor().map_or(Kind::Unknown, Descriptor::kind),
        }
    }

    /// Has the series removed that nobody has changed for too long.
    pub(super) fn remove_expired(&self, sees_all: bool) {
        match self {
            Self::Mounted(family) => family.remove_expired(sees_all),
            Self::Own(live) if !sees_all && !live.family.is_alone() => {}
            Self::Own(live) if !live.expired.is_empty() => {
                live.family.remove_expired(live.expired.iter().copied())
            }
            Self::Merged(merged) => {
                for (family, ids) in merged.expired.iter().filter(|(_, ids)| !ids.is_empty()) {
                    family.remove_expired(ids.iter().copied());
                }
            }
            _ => {}
        }
    }

    /// Label sets; of finished samples, which nobody has grouped, the samples.
    pub(crate) fn series_count(&self) -> usize {
        match self {
            Self::Own(family) => family.series_count(),
            Self::Merged(family) => family.series.len(),
            Self::Mounted(family) => family.series_count(),
            Self::Samples(family) => family.samples().len(),
        }
    }
}

/// A family of another contributor.
enum Part {
    Live(LiveFamily),
    Retired(Arc<RetiredFamily>),
}

impl Part {
    fn descriptor(&self) -> &Descriptor {
        match self {
            Self::Live(family) => family.descriptor(),
            Self::Retired(family) => &family.descriptor,
        }
    }
}

/// The families of the other contributors, live before retired.
struct Others {
    parts: Vec<Part>,
}

impl Others {
    fn of(process: &Process, registry: &Registry) -> Self {
        let state = process.state();
        let is_other = |contributor: &&Arc<Contributor>| !std::ptr::eq(&**contributor.registry(), registry);
        let live = state.live.iter().filter(is_other).flat_map(|other| other.registry().live_families());
        let retired = state.retired.families.iter().map(|family| Part::Retired(Arc::clone(family)));
        Self { parts: live.map(Part::Live).chain(retired).collect() }
    }

    fn merge_into(&self, own: Vec<GatheredFamily>, mismatched: &mut Vec<String>) -> Vec<GatheredFamily> {
        let mut by_name: HashMap<&str, Vec<&Part>, foldhash::fast::FixedState> = HashMap::default();
        for part in &self.parts {
            by_name.entry(part.descriptor().name()).or_default().push(part);
        }
        let mut merged = Vec::with_capacity(own.len());
        let mut seen: HashSet<String, foldhash::fast::FixedState> = HashSet::default();
        for family in own {
            seen.insert(family.name().to_owned());
            let parts = by_name.get(family.name());
            merged.push(match (family, parts) {
                (GatheredFamily::Own(family), Some(parts)) => {
                    let own = Part::Live(family);
                    let all: Vec<&Part> = std::iter::once(&own).chain(parts.iter().copied()).collect();
                    match merge_parts(&all, mismatched) {
                        Some(family) => family,
                        None => continue,
                    }
                }
                (family, _) => family,
            });
        }
        for part in &self.parts {
            let name = part.descriptor().name();
            if seen.insert(name.to_owned()) {
                merged.extend(merge_parts(&by_name[name], mismatched));
            }
        }
        merged
    }
}

/// One family of several contributors' parts, the first deciding type, buckets, help and order.
fn merge_parts(parts: &[&Part], mismatched: &mut Vec<String>) -> Option<GatheredFamily> {
    let (first, rest) = parts.split_first()?;
    let descriptor = first.descriptor();
    let agreeing: Vec<&Part> =
        rest.iter().copied().filter(|part| part.descriptor().merges_with(descriptor)).collect();
    if agreeing.len() < rest.len() {
        mismatched.push(descriptor.name().to_owned());
    }
    match first {
        Part::Live(family) if agreeing.is_empty() => Some(GatheredFamily::Own(family.clone())),
        _ if descriptor.kind() == Kind::Gauge && descriptor.aggregator() == Aggregator::Omit => None,
        _ => {
            let mut merged = MergedFamily::new(descriptor.clone());
            merged.add(first);
            agreeing.into_iter().for_each(|part| merged.add(part));
            merged.drop_expired();
            Some(GatheredFamily::Merged(merged))
        }
    }
}

/// Series of several contributors, added up.
pub(crate) struct MergedFamily {
    descriptor: Descriptor,
    series: Vec<MergedSeries>,
    index: HashMap<Vec<u8>, usize, foldhash::fast::FixedState>,
    /// By part, the series that are expired there and shown nowhere.
    expired: Vec<(Arc<Family>, Vec<u32>)>,
}

struct MergedSeries {
    labels: Vec<u8>,
    cells: Vec<DoubleDouble>,
    contributors: u32,
    /// By cell, the newest; empty where there are none.
    exemplars: Vec<Option<Exemplar>>,
    /// Whether it is not expired with one contributor at least. While it is not, all are in its total: a total that goes
    /// down reads as a reset.
    alive: bool,
    /// Where it is expired, by part and id.
    expired: Vec<(usize, u32)>,
}

impl MergedFamily {
    fn new(descriptor: Descriptor) -> Self {
        Self { descriptor, series: Vec::new(), index: HashMap::default(), expired: Vec::new() }
    }

    fn add(&mut self, part: &Part) {
        match part {
            Part::Live(live) if self.descriptor.kind() == Kind::Gauge => {
                self.expired.push((Arc::clone(&live.family), live.expired.iter().copied().collect()));
                let Ok(()) = live.for_each(|series| {
                    self.add_live(series);
                    Ok::<(), Infallible>(())
                });
            }
            Part::Live(live) => {
                let part = self.expired.len();
                self.expired.push((Arc::clone(&live.family), Vec::new()));
                let Ok(()) = live.family.for_each(|series| {
                    match series.id.filter(|id| live.expired.contains(id)) {
                        None => self.add_live(series).alive = true,
                        Some(id) => self.add_live(series).expired.push((part, id)),
                    }
                    Ok::<(), Infallible>(())
                });
            }
            Part::Retired(family) => {
                let alive = !family.is_expired();
                for series in &family.series {
                    self.add_series(&series.labels, series.cells.iter().copied(), &[]).alive |= alive;
                }
            }
        }
    }

    fn add_live(&mut self, series: Series<'_>) -> &mut MergedSeries {
        let cells = series.values.iter().map(|value| DoubleDouble::default().add(*value));
        self.add_series(series.labels, cells, series.exemplars)
    }

    fn add_series(
        &mut self,
        labels: &[u8],
        cells: impl Iterator<Item = DoubleDouble>,
        exemplars: &[Option<&Exemplar>],
    ) -> &mut MergedSeries {
        let mut key = Vec::with_capacity(labels.len() + 2);
        canonical_key(labels, &mut key);
        if let Some(at) = self.index.get(&key) {
            let aggregator = match self.descriptor.kind() {
                Kind::Gauge => self.descriptor.aggregator(),
                _ => Aggregator::Sum,
            };
            let known = &mut self.series[*at];
            known.contributors += 1;
            keep_newest(&mut known.exemplars, exemplars);
            for (sum, value) in known.cells.iter_mut().zip(cells) {
                *sum = combine(aggregator, *sum, value);
            }
            return known;
        }
        let at = self.series.len();
        self.index.insert(key, at);
        let exemplars = exemplars.iter().map(|exemplar| exemplar.cloned()).collect();
        let alive = self.descriptor.kind() == Kind::Gauge;
        let (labels, cells) = (labels.to_vec(), cells.collect());
        self.series.push(MergedSeries {
            labels,
            cells,
            contributors: 1,
            exemplars,
            alive,
            expired: Vec::new(),
        });
        &mut self.series[at]
    }

    /// Shows the series no more that are expired with every contributor.
    fn drop_expired(&mut self) {
        // The places of what stays change.
        self.index.clear();
        let expired = &mut self.expired;
        self.series.retain(|series| {
            if !series.alive {
                series.expired.iter().for_each(|(part, id)| expired[*part].1.push(*id));
            }
            series.alive
        });
    }
}

/// One exemplar a cell can be shown, so the newest is.
fn keep_newest(known: &mut Vec<Option<Exemplar>>, others: &[Option<&Exemplar>]) {
    known.resize(known.len().max(others.len()), None);
    for (known, other) in known.iter_mut().zip(others) {
        let older = known.as_ref().map_or(f64::NEG_INFINITY, Exemplar::timestamp);
        if let Some(other) = other.filter(|other| other.timestamp() > older) {
            *known = Some(other.clone());
        }
    }
}

fn combine(aggregator: Aggregator, sum: DoubleDouble, value: DoubleDouble) -> DoubleDouble {
    let pick = |take: bool| if take { value } else { sum };
    match aggregator {
        Aggregator::Sum | Aggregator::Average => sum.plus(value),
        Aggregator::First | Aggregator::Omit => sum,
        Aggregator::Min => pick(value.value() < sum.value()),
        Aggregator::Max => pick(value.value() > sum.value()),
    }
}

impl Source for MergedFamily {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let mean =
            self.descriptor.kind() == Kind::Gauge && self.descriptor.aggregator() == Aggregator::Average;
        let mut values = Vec::new();
        for series in &self.series {
            let divisor = if mean { f64::from(series.contributors) } else { 1.0 };
            values.clear();
            values.extend(series.cells.iter().map(|cell| cell.value() / divisor));
            let exemplars: Vec<Option<&Exemplar>> = series.exemplars.iter().map(Option::as_ref).collect();
            visit(Series { id: None, labels: &series.labels, values: &values, exemplars: &exemplars })?;
        }
        Ok(())
    }
}
