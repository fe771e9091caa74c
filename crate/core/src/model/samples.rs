//! The input of the encoders: families of cells (`Source`) and families of finished samples.

use super::descriptor::{Descriptor, Kind};
use super::digest::Digest;
use super::exemplar::Exemplar;
use super::native_histogram::NativeHistogram;
use crate::error::Result;
use crate::labels::{LabelSet, MetricName, Names, render};

/// One series of a family of cells, at the moment it is visited.
#[derive(Clone, Copy)]
pub(crate) struct Series<'a> {
    /// The series' id in its family; `None` if several contributors were merged.
    pub(crate) id: Option<u32>,
    /// Rendered labels, without braces.
    pub(crate) labels: &'a [u8],
    /// One value; for a histogram the count of each bucket (not cumulative, `+Inf` last), then the sum; for a summary
    /// the count, then the sum.
    pub(crate) values: &'a [f64],
    /// By cell; empty without exemplars.
    pub(crate) exemplars: &'a [Option<&'a Exemplar>],
    /// The observations that a summary's quantiles are of.
    pub(crate) digest: Option<&'a Digest>,
    /// The buckets of a native histogram.
    pub(crate) native: Option<&'a NativeHistogram>,
    /// When it began to count, in milliseconds since 1970; `None` for types without a start. Several contributors' series
    /// began with the first of them.
    pub(crate) start_ms: Option<u64>,
}

impl Series<'_> {
    /// The values at a summary's quantiles. Without any observation they are 0, as its count and sum; NaN if all
    /// observations are forgotten, or those of other processes.
    pub(crate) fn quantiles(&self, quantiles: &[f64], out: &mut Vec<f64>) {
        out.clear();
        match self.digest {
            Some(digest) if self.values[0] != 0.0 || !digest.is_empty() => digest.quantiles(quantiles, out),
            None if self.values[0] != 0.0 => out.resize(quantiles.len(), f64::NAN),
            _ => out.resize(quantiles.len(), 0.0),
        }
    }
}

/// One series of a family of one cell: see `Series`. It has no start, because few formats show one.
#[derive(Clone, Copy)]
pub(crate) struct CellSeries<'a> {
    pub(crate) id: Option<u32>,
    pub(crate) labels: &'a [u8],
    pub(crate) value: f64,
    pub(crate) exemplar: Option<&'a Exemplar>,
}

/// A family of cells.
pub(crate) trait Source {
    fn descriptor(&self) -> &Descriptor;

    /// Visits the series in the order in which they print. Stops at the first error.
    fn for_each<E>(&self, visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E>;

    /// Does the same for a family of one cell. Most families have one, so this loop is kept small.
    fn for_each_cell<E>(&self, mut visit: impl FnMut(CellSeries<'_>) -> Result<(), E>) -> Result<(), E> {
        self.for_each(|Series { id, labels, values, exemplars, .. }| {
            let exemplar = exemplars.first().copied().flatten();
            visit(CellSeries { id, labels, value: values[0], exemplar })
        })
    }
}

/// One finished sample of a `SampleFamily`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    name: MetricName,
    labels: Vec<u8>,
    value: f64,
}

impl Sample {
    /// Checks and makes a sample. `name` is the whole sample name (`_sum` and the like included); labels print in
    /// the given order.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`.
    pub fn new(name: &str, labels: &[(&str, &str)], value: f64) -> Result<Self> {
        Self::by(Names::Legacy, name, labels, value)
    }

    /// Does what `new` does, with names by another rule.
    ///
    /// # Errors
    /// As `new`.
    pub fn by(names: Names, name: &str, labels: &[(&str, &str)], value: f64) -> Result<Self> {
        let name = MetricName::by(names, name)?;
        LabelSet::by(names, labels.iter().copied())?;
        let mut rendered = Vec::new();
        render(labels.iter().copied(), &mut rendered);
        Ok(Self { name, labels: rendered, value })
    }

    /// A copy with other rendered labels.
    pub(crate) fn with_labels(&self, labels: Vec<u8>) -> Self {
        Self { labels, ..self.clone() }
    }

    /// The sample with another name.
    pub(crate) fn with_name(self, name: &str) -> Result<Self> {
        Ok(Self { name: MetricName::by(Names::Utf8, name)?, ..self })
    }

    /// The whole sample name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }
}

/// A family whose samples are made elsewhere: by a collector or another library's metric.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleFamily {
    name: MetricName,
    help: String,
    kind: Kind,
    unit: Option<String>,
    samples: Vec<Sample>,
}

impl SampleFamily {
    /// Checks the name and makes a family of samples. They print in the given order.
    ///
    /// # Errors
    /// `InvalidMetricName`.
    pub fn new(name: &str, help: &str, kind: Kind, samples: Vec<Sample>) -> Result<Self> {
        Self::by(Names::Legacy, name, help, kind, samples)
    }

    /// Does what `new` does, with a name by another rule.
    ///
    /// # Errors
    /// As `new`.
    pub fn by(names: Names, name: &str, help: &str, kind: Kind, samples: Vec<Sample>) -> Result<Self> {
        Ok(Self { name: MetricName::by(names, name)?, help: help.to_owned(), kind, unit: None, samples })
    }

    /// Sets the unit. OpenMetrics shows it if the name ends with it.
    #[must_use]
    pub fn with_unit(mut self, unit: Option<String>) -> Self {
        self.unit = unit;
        self
    }

    /// A copy with other samples.
    pub(crate) fn with_samples(&self, samples: Vec<Sample>) -> Self {
        let (name, help, unit) = (self.name.clone(), self.help.clone(), self.unit.clone());
        Self { name, help, kind: self.kind, unit, samples }
    }

    /// The family with another name.
    pub(crate) fn with_name(self, name: &str) -> Result<Self> {
        Ok(Self { name: MetricName::by(Names::Utf8, name)?, ..self })
    }

    /// The family's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The help text, unescaped.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The unit, if one was set.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }
}
