//! One family as a scrape shows it: a registry's own, merged over contributors, merged over mounted registries, or
//! finished samples.

use super::escaped::{escape_labels, escape_samples};
use super::merged::MergedFamily;
use crate::labels::Escaping;
use crate::model::{Descriptor, SampleFamily, Series, Source};
use crate::registry::{LiveFamily, MountLabels, written_names};
use crate::serialization::{FamilyWriter, Shown};
use crate::sort::sort_by;
use crate::sync::{Arc, SliceArc};

pub(crate) enum GatheredFamily {
    Own(LiveFamily),
    Merged(MergedFamily),
    Mounted(MountedFamily),
    Samples(Arc<SampleFamily>),
    Escaped(EscapedFamily),
}

impl GatheredFamily {
    /// The family under the names that a scheme makes of its own.
    pub(super) fn escaped(self, escaping: Escaping) -> Self {
        if escaping == Escaping::AllowUtf8 {
            return self;
        }
        if let Self::Samples(family) = &self {
            return match escape_samples(family, escaping) {
                Some(escaped) => Self::Samples(Arc::new(escaped)),
                None => self,
            };
        }
        match self.descriptor().and_then(|descriptor| descriptor.escaped(escaping)) {
            Some(descriptor) => Self::Escaped(EscapedFamily { descriptor, family: Box::new(self), escaping }),
            None => self,
        }
    }

    /// The descriptor; `None` for finished samples.
    fn descriptor(&self) -> Option<&Descriptor> {
        match self {
            Self::Own(family) => Some(family.descriptor()),
            Self::Merged(family) => Some(family.descriptor()),
            Self::Mounted(family) => Some(family.descriptor()),
            Self::Escaped(family) => Some(&family.descriptor),
            Self::Samples(_) => None,
        }
    }

    /// Has series removed that have not changed for their time to live.
    pub(super) fn remove_expired(&self, sees_all: bool) {
        match self {
            Self::Mounted(family) => family.remove_expired(sees_all),
            Self::Own(live) if !sees_all && !live.family.is_alone() => {}
            Self::Own(live) if !live.expired.is_empty() => {
                live.family.remove_expired(live.expired.iter().copied())
            }
            Self::Merged(family) => family.remove_expired(),
            _ => {}
        }
    }

    /// The number of label sets. For finished samples it is the number of samples, because they are not grouped.
    pub(crate) fn series_count(&self) -> usize {
        match self {
            Self::Own(family) => family.series_count(),
            Self::Merged(family) => family.series_count(),
            Self::Mounted(family) => family.series_count(),
            Self::Samples(family) => family.samples().len(),
            Self::Escaped(family) => family.family.series_count(),
        }
    }

    #[cfg(feature = "http")]
    /// The largest number of series, if there is one limit for the whole family.
    pub(crate) fn max_series(&self) -> Option<usize> {
        match self {
            Self::Own(live) => Some(live.family.limits().max_series),
            Self::Escaped(family) => family.family.max_series(),
            _ => None,
        }
    }

    /// The names that its samples may have.
    pub(super) fn sample_names(&self) -> impl Iterator<Item = String> {
        match self.descriptor() {
            Some(descriptor) => written_names(descriptor).into_iter(),
            None => self.finished_names().into_iter(),
        }
    }

    /// The family's name, and the names of its finished samples.
    fn finished_names(&self) -> Vec<String> {
        let mut names = vec![self.name().to_owned()];
        let Self::Samples(family) = self else { return names };
        // Samples of one name are neighbours, so few comparisons suffice.
        for sample in family.samples() {
            if names.last().is_none_or(|last| last != sample.name()) {
                names.push(sample.name().to_owned());
            }
        }
        sort_by(&mut names, Ord::cmp);
        names.dedup();
        names
    }

    /// A family without series of the same name, type and buckets.
    pub(super) fn nothing_like(other: &Self) -> Self {
        match other.descriptor() {
            Some(descriptor) => {
                Self::Mounted(MountedFamily { descriptor: descriptor.clone(), parts: Vec::new() })
            }
            None => match other {
                Self::Samples(family) => Self::Samples(Arc::new(family.with_samples(Vec::new()))),
                _ => unreachable!("only finished samples have no descriptor"),
            },
        }
    }

    /// Adds a family of a mounted registry; returns false if its type or buckets differ.
    pub(super) fn mount(&mut self, other: Self, under: &Under) -> bool {
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
            // Its series are not shown, but they expire nevertheless.
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
            Self::Escaped(family) => family.for_each_series(visit),
            Self::Samples(_) => Ok(()),
        }
    }
}

impl Shown for GatheredFamily {
    fn name(&self) -> &str {
        match self {
            Self::Own(family) => family.descriptor().name(),
            Self::Merged(family) => family.descriptor().name(),
            Self::Mounted(family) => family.descriptor().name(),
            Self::Escaped(family) => family.descriptor.name(),
            Self::Samples(family) => family.name(),
        }
    }

    fn show<W: FamilyWriter>(&self, writer: &mut W) -> Result<(), W::Error> {
        match self {
            Self::Own(family) => writer.cells(family),
            Self::Merged(MergedFamily { descriptor, .. })
            | Self::Mounted(MountedFamily { descriptor, .. })
            | Self::Escaped(EscapedFamily { descriptor, .. }) => {
                writer.cells(&Combined { descriptor, family: self })
            }
            Self::Samples(family) => writer.samples(family),
        }
    }
}

/// A family that was put together from several. Encoders are compiled once for both kinds.
struct Combined<'a> {
    descriptor: &'a Descriptor,
    family: &'a GatheredFamily,
}

impl Source for Combined<'_> {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        self.family.for_each_series(&mut visit)
    }
}

/// A family of cells under the names of a scheme.
pub(crate) struct EscapedFamily {
    descriptor: Descriptor,
    family: Box<GatheredFamily>,
    escaping: Escaping,
}

impl EscapedFamily {
    fn for_each_series<E>(&self, visit: &mut dyn FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut labels = Vec::new();
        self.family.for_each_series(&mut |series: Series<'_>| {
            labels.clear();
            escape_labels(series.labels, self.escaping, &mut labels);
            visit(Series { labels: &labels, ..series })
        })
    }
}

/// Families of one name from several registries.
pub(crate) struct MountedFamily {
    descriptor: Descriptor,
    parts: Vec<MountedPart>,
}

struct MountedPart {
    family: GatheredFamily,
    /// `None` for the registry that the others are mounted in.
    under: Option<Under>,
}

/// The labels that a mounted registry adds to its series.
#[derive(Clone)]
pub(super) struct Under {
    pub(super) labels: Arc<MountLabels>,
    /// The registry's own default labels.
    pub(super) defaults: SliceArc<[(String, String)]>,
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
