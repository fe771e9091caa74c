//! Registries that are shown within another, each under labels of its own: one a tenant, say. Families of one name are
//! shown as one; a label that a series has itself gives way to the mount's, under the name `exported_…`, as Prometheus
//! has it with the labels of a target, so that no tenant can speak for another.

use super::merge::GatheredFamily;
use super::registry::{Registry, written_names};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelSet, Pair, canonical_key, pairs, render};
use crate::model::Descriptor;
use crate::model::{Series, Source};
use crate::sync::{Arc, SliceArc};
use hashbrown::HashMap;

/// What comes before a label's name that a mount has too.
const EXPORTED: &[u8] = b"exported_";

/// Labels that the formats add themselves, and a prefix that Prometheus keeps: no mount may have them.
const RESERVED: [&str; 2] = ["le", "quantile"];
const RESERVED_PREFIX: &str = "__";

/// A registry within another.
#[derive(Clone)]
pub(crate) struct Mount {
    pub(crate) registry: Arc<Registry>,
    pub(crate) labels: Arc<MountLabels>,
}

/// The labels under which a registry is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MountLabels {
    pairs: Vec<(String, String)>,
    rendered: Vec<u8>,
}

impl Mount {
    /// # Errors
    /// `InvalidLabelName`; `InvalidConfig` for a registry that would contain itself.
    pub(crate) fn new(
        parent: &Registry,
        registry: Arc<Registry>,
        labels: Vec<(String, String)>,
    ) -> Result<Self> {
        if contains(&registry, parent) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected another registry to mount but received one that would contain itself",
            ));
        }
        Ok(Self { registry, labels: Arc::new(MountLabels::new(labels)?) })
    }

    /// What the registry shows, its own mounts and default labels included, under the mount's labels.
    fn gather(&self) -> Vec<GatheredFamily> {
        let mut families = self.registry.gather_items();
        // Families that do not agree are left out here as in the parent, which counts those that it sees.
        add_mounts(&self.registry, &mut families, &mut Vec::new());
        families
    }
}

impl MountLabels {
    fn new(pairs: Vec<(String, String)>) -> Result<Self> {
        LabelSet::new(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        if let Some((name, _)) = pairs
            .iter()
            .find(|(name, _)| RESERVED.contains(&name.as_str()) || name.starts_with(RESERVED_PREFIX))
        {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                format!("{name} is a reserved label keyword"),
            ));
        }
        let mut rendered = Vec::new();
        render(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut rendered);
        Ok(Self { pairs, rendered })
    }

    /// Whether series under these labels and under others may be the same.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let key = |labels: &Self| {
            let mut key = Vec::new();
            canonical_key(&labels.rendered, &mut key);
            key
        };
        key(self) == key(other)
    }

    fn has(&self, pair: &Pair<'_>) -> bool {
        self.pairs.iter().any(|(name, _)| name.as_bytes() == pair.name)
    }

    /// Appends rendered labels, these, and those of `defaults` that neither has.
    pub(crate) fn write(&self, own: &[u8], defaults: &[(String, String)], out: &mut Vec<u8>) {
        if pairs(own).any(|pair| self.has(&pair)) {
            self.write_renamed(own, out);
        } else {
            out.extend_from_slice(own);
        }
        for (name, value) in defaults {
            let taken = |pair: Pair<'_>| pair.name == name.as_bytes();
            // What is written already may have the name by being renamed.
            if !pairs(out).any(taken) && !pairs(&self.rendered).any(taken) {
                separate(out);
                render([(name.as_str(), value.as_str())], out);
            }
        }
        if !self.rendered.is_empty() {
            separate(out);
            out.extend_from_slice(&self.rendered);
        }
    }

    /// Appends labels of which some have the name of one of these.
    fn write_renamed(&self, own: &[u8], out: &mut Vec<u8>) {
        for pair in pairs(own) {
            let mut name = pair.name.to_vec();
            if self.has(&pair) {
                // A series that has both names keeps both values; so do two that are renamed.
                let is_taken = |name: &[u8]| {
                    let has_name = |other: Pair<'_>| other.name == name;
                    self.pairs.iter().any(|(own, _)| own.as_bytes() == name)
                        || pairs(own).any(has_name)
                        || pairs(out).any(has_name)
                };
                while is_taken(&name) {
                    name.splice(0..0, EXPORTED.iter().copied());
                }
            }
            separate(out);
            out.extend_from_slice(&name);
            out.extend_from_slice(b"=\"");
            out.extend_from_slice(pair.value);
            out.push(b'"');
        }
    }
}

fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
}

/// Whether a registry is another, or has it mounted, however deep.
fn contains(registry: &Arc<Registry>, other: &Registry) -> bool {
    std::ptr::eq(&**registry, other) || registry.mounts().iter().any(|mount| contains(&mount.registry, other))
}

/// Families of one name and several registries.
pub(crate) struct MountedFamily {
    descriptor: Descriptor,
    parts: Vec<MountedPart>,
}

struct MountedPart {
    family: GatheredFamily,
    /// None for the registry that the others are mounted in.
    under: Option<Under>,
}

/// What a mounted registry adds to its series.
#[derive(Clone)]
struct Under {
    labels: Arc<MountLabels>,
    /// The registry's own default labels.
    defaults: SliceArc<[(String, String)]>,
}

impl Under {
    fn write(&self, own: &[u8], out: &mut Vec<u8>) {
        self.labels.write(own, &self.defaults, out);
    }
}

impl MountedFamily {
    pub(crate) fn series_count(&self) -> usize {
        self.parts.iter().map(|part| part.family.series_count()).sum()
    }

    pub(crate) fn remove_expired(&self, sees_all: bool) {
        // Mounted registries are gathered without other contributors.
        self.parts.iter().for_each(|part| part.family.remove_expired(sees_all && part.under.is_none()));
    }
}

impl Source for MountedFamily {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut labels = Vec::new();
        for part in &self.parts {
            part.family.for_each_series(&mut |series: Series<'_>| match &part.under {
                None => visit(Series { id: None, ..series }),
                Some(under) => {
                    labels.clear();
                    under.write(series.labels, &mut labels);
                    visit(Series { id: None, labels: &labels, ..series })
                }
            })?;
        }
        Ok(())
    }
}

/// Adds what is mounted in a registry to its families; names those that another registry has with another type or other
/// buckets, and that are left out for it.
pub(crate) fn add_mounts(
    registry: &Registry,
    families: &mut Vec<GatheredFamily>,
    mismatched: &mut Vec<String>,
) {
    let mounts = registry.mounts();
    if mounts.is_empty() {
        return;
    }
    let mut places: HashMap<String, usize, foldhash::fast::FixedState> =
        families.iter().enumerate().map(|(at, family)| (family.name().to_owned(), at)).collect();
    // Whose samples have a name: a family that would write another's is left out, as it would be refused in one registry.
    let mut claims: HashMap<String, String, foldhash::fast::FixedState> = HashMap::default();
    families.iter().for_each(|family| claim(family, &mut claims));
    for mount in mounts {
        let under =
            Under { labels: Arc::clone(&mount.labels), defaults: mount.registry.default_labels().into() };
        for family in mount.gather() {
            let name = family.name().to_owned();
            let clashes =
                family.sample_names().any(|sample| claims.get(&sample).is_some_and(|owner| *owner != name));
            if clashes {
                family.remove_expired(false);
                mismatched.push(name);
                continue;
            }
            claim(&family, &mut claims);
            let at = *places.entry(name.clone()).or_insert(families.len());
            if at == families.len() {
                families.push(GatheredFamily::nothing_like(&family));
            }
            if !families[at].mount(family, &under) {
                mismatched.push(name);
            }
        }
    }
}

fn claim(family: &GatheredFamily, claims: &mut HashMap<String, String, foldhash::fast::FixedState>) {
    for sample in family.sample_names() {
        claims.entry(sample).or_insert_with(|| family.name().to_owned());
    }
}

impl GatheredFamily {
    /// The names that its samples may have.
    fn sample_names(&self) -> impl Iterator<Item = String> {
        match self.descriptor() {
            Some(descriptor) => written_names(descriptor).into_iter(),
            None => vec![self.name().to_owned()].into_iter(),
        }
    }

    /// A family without series of the same name, type and buckets.
    fn nothing_like(other: &Self) -> Self {
        match other.descriptor() {
            Some(descriptor) => {
                Self::Mounted(MountedFamily { descriptor: descriptor.clone(), parts: Vec::new() })
            }
            None => match other {
                Self::Samples(family) => Self::Samples(Arc::new(family.with_samples(Vec::new()))),
                _ => unreachable!("what has no descriptor comes as samples"),
            },
        }
    }

    /// Adds a family of a mounted registry; returns whether it agrees with this one.
    fn mount(&mut self, other: Self, under: &Under) -> bool {
        if let (Self::Samples(own), Self::Samples(other)) = (&mut *self, &other) {
            if own.kind() != other.kind() {
                return false;
            }
            let mut samples = own.samples().to_vec();
            samples.extend(other.samples().iter().map(|sample| {
                let mut rendered = Vec::new();
                under.write(sample.labels(), &mut rendered);
                sample.with_labels(rendered)
            }));
            *own = Arc::new(own.with_samples(samples));
            return true;
        }
        let agrees = match (self.descriptor(), other.descriptor()) {
            (Some(own), Some(others)) => own.merges_with(others),
            _ => false,
        };
        if !agrees {
            // Nobody sees its series, but they expire all the same.
            other.remove_expired(false);
            return false;
        }
        if !matches!(self, Self::Mounted(_)) {
            let empty = Self::nothing_like(self);
            let family = std::mem::replace(self, empty);
            if let Self::Mounted(mounted) = self {
                mounted.parts.push(MountedPart { family, under: None });
            }
        }
        if let Self::Mounted(mounted) = self {
            mounted.parts.push(MountedPart { family: other, under: Some(under.clone()) });
        }
        true
    }

    pub(super) fn for_each_series<E>(
        &self,
        visit: &mut dyn FnMut(Series<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Own(family) => family.for_each(visit),
            Self::Merged(family) => family.for_each(visit),
            Self::Mounted(family) => family.for_each(visit),
            Self::Samples(_) => Ok(()),
        }
    }
}
