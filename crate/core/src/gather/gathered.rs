//! Gathers what one scrape shows: a registry's families, merged with those of the other contributors of its process, and
//! those of mounted registries. With one contributor nothing is copied.

use super::family::GatheredFamily;
use super::items::items;
use super::mounts::add_mounts;
use super::process::Others;
use crate::labels::{Escaping, Names, is_name};
#[cfg(feature = "http")]
use crate::model::SampleFamily;
use crate::registry::{Family, LiveFamily, Process, Registry};
use crate::serialization::Shown;
use crate::slab::Scrape;
use crate::sync::Arc;
use hashbrown::{HashMap, HashSet};
use std::borrow::Cow;

/// The result of gathering. While it lives, the cells that it reads are not given to other series.
pub struct Gathered {
    pub(crate) families: Vec<GatheredFamily>,
    pub(crate) default_labels: Vec<(String, String)>,
    /// OpenMetrics 1.0 shows when each series began.
    pub(super) shows_starts: bool,
    mismatched: Vec<String>,
    series: usize,
    _scrape: Scrape,
}

impl Gathered {
    /// One family alone, with its names as they are.
    #[must_use]
    pub fn of_family(family: Arc<Family>) -> Self {
        let scrape = Scrape::begin();
        let families = vec![GatheredFamily::Own(LiveFamily::whole(family))];
        let series = families.iter().map(GatheredFamily::series_count).sum();
        Self {
            families,
            default_labels: Vec::new(),
            shows_starts: false,
            mismatched: Vec::new(),
            series,
            _scrape: scrape,
        }
    }

    /// Adds a family of samples at the end, if `names` is empty or contains its name.
    #[cfg(feature = "http")]
    pub(crate) fn append(&mut self, family: SampleFamily, names: &[String]) {
        if names.is_empty() || names.iter().any(|name| name == family.name()) {
            let family = GatheredFamily::Samples(Arc::new(family));
            append_free(vec![family], &mut self.families, &mut self.mismatched);
        }
    }

    /// Series of all families of the registry, including families that `Selection::names` leaves out. Families of
    /// appended registries are not counted.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.series
    }

    /// Families that were left out because another contributor or registry has one of that name with another type or
    /// other buckets, or one that writes samples of that name.
    #[must_use]
    pub fn mismatched(&self) -> &[String] {
        &self.mismatched
    }
}

/// Selects the families of a scrape, and the contributors and registries that it includes.
#[derive(Default)]
#[non_exhaustive]
pub struct Selection<'a> {
    /// Includes the other contributors of this process.
    pub process: Option<&'a Process>,
    /// Shows only families of these names (`name[]`); all families if it is empty.
    pub names: &'a [String],
    /// Registries whose families are shown at the end, with the same default labels.
    pub appended: &'a [&'a Registry],
    /// Leaves out the registry's own families, so that only the other contributors are shown.
    pub without_own: bool,
    /// Leaves out the other processes of a run.
    pub without_run: bool,
    /// How names beyond the old rule are shown. A registry of the old rule always shows them with underscores; it can have
    /// them from registries that are mounted in it.
    pub escaping: Escaping,
}

setters!(Selection<'a> {
    process: Option<&'a Process>,
    names: &'a [String],
    appended: &'a [&'a Registry],
    without_own: bool,
    without_run: bool,
    escaping: Escaping,
});

/// Gathers a scrape.
#[must_use]
pub fn gather(registry: &Registry, selection: &Selection<'_>) -> Gathered {
    // This is the first step: series that are removed after this line keep their cells until the scrape has ended.
    let scrape = Scrape::begin();
    let mut families = if selection.without_own { Vec::new() } else { items(registry) };
    let mut mismatched = Vec::new();
    if let Some(process) = selection.process {
        let others = Others::of(process, registry, selection.without_run);
        if !others.is_empty() {
            families = others.merge_into(families, &mut mismatched);
        }
    }
    if !selection.without_own {
        add_mounts(registry, &mut families, &mut mismatched);
    }
    let sees_all = selection.process.is_some() && !selection.without_run;
    families.iter().for_each(|family| family.remove_expired(sees_all));
    warn_of_overflow(registry);
    let series = families.iter().map(GatheredFamily::series_count).sum();
    let appended = selection.appended.iter().flat_map(|appended| items(appended)).collect();
    append_free(appended, &mut families, &mut mismatched);
    if !selection.names.is_empty() {
        families.retain(|family| {
            let name = family.name();
            let shown = Escaping::Underscores.metric_name(name);
            selection.names.iter().any(|wanted| wanted == name || *wanted == shown)
        });
    }
    let (mut default_labels, shows_starts) = (registry.default_labels(), registry.shows_starts());
    let escaping = match registry.names() {
        Names::Utf8 => selection.escaping,
        Names::Legacy => Escaping::Underscores,
    };
    let families = families.into_iter().map(|family| family.escaped(escaping)).collect();
    for (name, _) in &mut default_labels {
        if let Cow::Owned(escaped) = escaping.label_name(name) {
            *name = escaped;
        }
    }
    Gathered { families, default_labels, shows_starts, mismatched, series, _scrape: scrape }
}

/// Adds families at the end. One that would write samples of a known name is left out, and added to `mismatched`: a scraper
/// rejects an exposition that has a series twice, and the families of the registry are the program's own.
fn append_free(
    appended: Vec<GatheredFamily>,
    families: &mut Vec<GatheredFamily>,
    mismatched: &mut Vec<String>,
) {
    let mut owners: HashMap<String, usize, foldhash::fast::FixedState> = HashMap::default();
    for (at, family) in appended.iter().enumerate() {
        owners.extend(family.sample_names().map(|name| (name, at)));
    }
    let prefix = common_prefix(owners.keys());
    // Most families have other names, which need not be written out.
    let may_clash = |family: &&GatheredFamily| {
        matches!(family, GatheredFamily::Samples(_))
            || family.name().starts_with(prefix)
            || prefix.starts_with(family.name())
            || !is_name(family.name(), true)
    };
    let mut clashing: HashSet<usize, foldhash::fast::FixedState> = HashSet::default();
    for family in families.iter().filter(may_clash) {
        clashing.extend(family.sample_names().filter_map(|name| owners.get(&name).copied()));
    }
    for (at, family) in appended.into_iter().enumerate() {
        if clashing.contains(&at) {
            mismatched.push(family.name().to_owned());
        } else {
            families.push(family);
        }
    }
}

fn common_prefix<'a>(mut names: impl Iterator<Item = &'a String>) -> &'a str {
    let Some(first) = names.next() else { return "" };
    let common = |prefix: &'a str, name: &'a String| {
        let same = prefix.chars().zip(name.chars()).take_while(|(a, b)| a == b);
        &prefix[..same.map(|(character, _)| character.len_utf8()).sum()]
    };
    names.fold(first.as_str(), common)
}

/// Warns of families whose label sets went over their limits since the last warning.
fn warn_of_overflow(registry: &Registry) {
    let now = registry.clock().now();
    registry.families().iter().for_each(|family| family.warn_of_overflow(now));
}
