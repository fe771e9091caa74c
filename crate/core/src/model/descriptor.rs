//! Describes a family without its series: name, help, type, labels, buckets. All of them are checked here, once.

use super::native_histogram::NativeHistogramOptions;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{Escaping, LabelName, MetricName, Names, Strictness, check_different, is_name};
use std::time::Duration;

/// The type of a family, in the words of `# TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A value that only goes up.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations counted in buckets.
    Histogram,
    /// Observations digested to quantiles.
    Summary,
    /// Facts in labels, with the value 1. Text 0.0.4 shows a gauge with the suffix `_info`.
    Info,
    /// States that are on or off, each in a series of its own. Text 0.0.4 shows a gauge.
    StateSet,
    /// An unknown type: `untyped` in text 0.0.4, `unknown` in OpenMetrics.
    Unknown,
}

impl Kind {
    /// The word for the type: that of `# TYPE`, where the format has the type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "untyped",
        }
    }

    /// The type that a word of `# TYPE` names, in either format. Unknown words give `Unknown`.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            _ => Self::Unknown,
        }
    }

    /// True for types that count from a start, which some formats show.
    #[must_use]
    pub(crate) const fn has_start(self) -> bool {
        matches!(self, Self::Counter | Self::Histogram | Self::Summary)
    }

    /// True for types whose values are set, not counted: an aggregator combines those of several contributors, and they
    /// end with their contributor.
    #[must_use]
    pub(crate) const fn is_state(self) -> bool {
        matches!(self, Self::Gauge | Self::Info | Self::StateSet)
    }
}

/// How gauges of several contributors are merged. The value of a single contributor is shown unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Aggregator {
    /// Their sum.
    #[default]
    Sum,
    /// The first contributor's value; the scraping thread comes first.
    First,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Their mean.
    Average,
    /// The value of the contributor that began last.
    Latest,
    /// The family is not shown if several contributors have it.
    Omit,
}

impl Aggregator {
    /// The aggregator with this name, in lower case: `sum`, `first` and so on.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "sum" => Self::Sum,
            "first" => Self::First,
            "min" => Self::Min,
            "max" => Self::Max,
            "average" => Self::Average,
            "latest" => Self::Latest,
            "omit" => Self::Omit,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::First => "first",
            Self::Min => "min",
            Self::Max => "max",
            Self::Average => "average",
            Self::Latest => "latest",
            Self::Omit => "omit",
        }
    }
}

/// Upper bounds, in seconds, of a histogram without bounds of its own: the default of most Prometheus clients.
pub const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Quantiles of a summary without quantiles of its own: the default of most Node.js clients.
pub const DEFAULT_QUANTILES: [f64; 7] = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999];

/// Values that JavaScript writes between two flushes of a summary's series.
pub const SUMMARY_BUFFER: usize = if cfg!(loom) { 2 } else { 128 };
/// Cells of a summary's series before its buffer: the count and the sum.
pub(crate) const SUMMARY_CELLS: usize = 2;

/// Cells of a native histogram's series behind its sum: see `registry/native_series.rs`.
pub(crate) const NATIVE_CELLS: usize = 10;

/// The settings of a summary. By default it has `DEFAULT_QUANTILES`, of all observations.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SummaryOptions {
    /// The quantiles that are shown, from 0 to 1, ascending.
    pub quantiles: Vec<f64>,
    /// How old an observation becomes before the quantiles forget it, and the number of steps in which that happens:
    /// with 10 minutes and 5 steps, the quantiles are of the last 8 to 10 minutes. `None`: they forget nothing.
    pub window: Option<(Duration, u32)>,
    /// Whether a series is removed when the quantiles have forgotten all of its observations.
    pub prune: bool,
    /// Whether each series has cells for a buffer: only for series that JavaScript writes.
    pub buffered: bool,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self { quantiles: DEFAULT_QUANTILES.to_vec(), window: None, prune: false, buffered: false }
    }
}

setters!(SummaryOptions { quantiles: Vec<f64>, window: Option<(Duration, u32)>, prune: bool, buffered: bool });

/// A checked description of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    name: MetricName,
    /// All names are valid by the old rule.
    is_plain: bool,
    help: String,
    kind: Kind,
    label_names: Box<[LabelName]>,
    /// Finite and ascending, without `+Inf`. Empty unless the family is a histogram.
    buckets: Box<[f64]>,
    /// Set if the family is a summary.
    summary: Option<Box<SummaryOptions>>,
    /// Set if the family is a native histogram.
    native: Option<Box<NativeHistogramOptions>>,
    unit: Option<Box<str>>,
    aggregator: Aggregator,
}

impl Descriptor {
    /// Describes a counter, a gauge, an info or a state set. A state set has one more label: its own name, which it
    /// shows its states in.
    ///
    /// # Errors
    /// `InvalidMetricName`; `InvalidLabelName` for a bad or repeated label; `TypeMismatch` for another kind.
    pub fn new(kind: Kind, name: &str, help: &str, label_names: &[&str]) -> Result<Self> {
        Self::by(Names::Legacy, kind, name, help, label_names)
    }

    /// Does what `new` does, with names by another rule.
    ///
    /// # Errors
    /// As `new`.
    pub fn by(names: Names, kind: Kind, name: &str, help: &str, label_names: &[&str]) -> Result<Self> {
        if kind == Kind::StateSet && !label_names.contains(&name) {
            return Self::by(names, kind, name, help, &[label_names, &[name]].concat());
        }
        if kind == Kind::StateSet && name.contains(':') {
            // As a label's name it would be escaped, and the metric's name not.
            LabelName::new(name)?;
        }
        if kind != Kind::Counter && !kind.is_state() {
            return Err(MetricsError::new(
                ErrorKind::TypeMismatch,
                format!(
                    "Expected a counter, gauge, info or stateset for {name} but received a {}",
                    kind.as_str()
                ),
            ));
        }
        let aggregator = if kind == Kind::Gauge { Aggregator::Sum } else { Aggregator::Max };
        Self::checked(names, kind, name, help, label_names, &[]).map(|it| it.with_aggregator(aggregator))
    }

    /// Describes a summary.
    ///
    /// # Errors
    /// As `new`; `InvalidLabelName` for a label `quantile`; `InvalidConfig` for quantiles that do not ascend from 0 to 1
    /// at most, and for a window of no time or no steps.
    pub fn summary(name: &str, help: &str, label_names: &[&str], options: SummaryOptions) -> Result<Self> {
        Self::summary_by(Names::Legacy, name, help, label_names, options)
    }

    /// Does what `summary` does, with names by another rule.
    ///
    /// # Errors
    /// As `summary`.
    pub fn summary_by(
        names: Names,
        name: &str,
        help: &str,
        label_names: &[&str],
        options: SummaryOptions,
    ) -> Result<Self> {
        if label_names.contains(&"quantile") {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                "quantile is a reserved label keyword",
            ));
        }
        let quantiles = &options.quantiles;
        let ascending = quantiles.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || quantiles.iter().any(|quantile| !(0.0..=1.0).contains(quantile)) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!(
                    "Expected different numbers from 0 to 1 for the quantiles of {name} but received {quantiles:?}"
                ),
            ));
        }
        if options.window.is_some_and(|(age, steps)| steps == 0 || age.as_nanos() < u128::from(steps)) {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected a window of some time in at least 1 step for {name}"),
            ));
        }
        let mut descriptor = Self::checked(names, Kind::Summary, name, help, label_names, &[])?;
        descriptor.summary = Some(Box::new(options));
        Ok(descriptor)
    }

    /// Describes a histogram by the upper bounds of its buckets. `+Inf` at the end is implied and may be given.
    ///
    /// # Errors
    /// As `new`; `InvalidBuckets` for bounds that are not finite and strictly ascending; `InvalidLabelName` for a label
    /// `le`. An empty list is valid: the only bucket is `+Inf` then.
    pub fn histogram(name: &str, help: &str, label_names: &[&str], buckets: &[f64]) -> Result<Self> {
        Self::histogram_by(Names::Legacy, name, help, label_names, buckets)
    }

    /// Does what `histogram` does, with names by another rule.
    ///
    /// # Errors
    /// As `histogram`.
    pub fn histogram_by(
        names: Names,
        name: &str,
        help: &str,
        label_names: &[&str],
        buckets: &[f64],
    ) -> Result<Self> {
        if label_names.contains(&"le") {
            return Err(MetricsError::new(ErrorKind::InvalidLabelName, "le is a reserved label keyword"));
        }
        let finite = match buckets {
            [finite @ .., last] if *last == f64::INFINITY => finite,
            all => all,
        };
        let ascending = finite.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || finite.iter().any(|bound| !bound.is_finite()) {
            return Err(MetricsError::new(
                ErrorKind::InvalidBuckets,
                format!(
                    "Expected finite numbers in ascending order for the buckets of {name} but received {buckets:?}"
                ),
            ));
        }
        Self::checked(names, Kind::Histogram, name, help, label_names, finite)
    }

    fn checked(
        names: Names,
        kind: Kind,
        name: &str,
        help: &str,
        label_names: &[&str],
        buckets: &[f64],
    ) -> Result<Self> {
        let name = MetricName::by(names, name)?;
        let labels = LabelName::all(names, label_names)?;
        if let Some((_, twice)) = labels.iter().enumerate().find(|(at, label)| labels[..*at].contains(label))
        {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                format!("Invalid label name: {twice} (given twice to {name})"),
            ));
        }
        check_different(labels.iter().map(LabelName::as_str))?;
        let is_plain =
            is_name(name.as_str(), true) && labels.iter().all(|label| is_name(label.as_str(), false));
        Ok(Self {
            name,
            is_plain,
            help: help.to_owned(),
            kind,
            label_names: labels,
            buckets: buckets.into(),
            summary: None,
            native: None,
            unit: None,
            aggregator: Aggregator::default(),
        })
    }

    /// Makes a histogram a native one, which has dynamic buckets beside those that it was described with.
    ///
    /// # Errors
    /// `InvalidConfig` for options that are out of range.
    pub fn with_native(mut self, options: NativeHistogramOptions) -> Result<Self> {
        let options = options.checked(self.name())?;
        self.native = Some(Box::new(options)).filter(|_| self.kind == Kind::Histogram);
        Ok(self)
    }

    /// Sets the unit, which OpenMetrics shows. The name must end with it: `_seconds`, or `_seconds_total` for a counter.
    ///
    /// # Errors
    /// `InvalidMetricName` for a name that does not end with the unit; `InvalidConfig` for an empty unit, and for the unit
    /// of an info or a state set.
    pub fn with_unit(mut self, unit: &str) -> Result<Self> {
        let (name, kind) = (self.name(), self.kind.as_str());
        if unit.is_empty() || matches!(self.kind, Kind::Info | Kind::StateSet) {
            let expected = if unit.is_empty() { "a unit such as \"seconds\"" } else { "no unit" };
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected {expected} for the {kind} {name} but received \"{unit}\""),
            ));
        }
        let (base, total) = match name.strip_suffix("_total").filter(|_| self.kind == Kind::Counter) {
            Some(base) => (base, "_total"),
            None => (name, ""),
        };
        if !base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')) {
            return Err(MetricsError::new(
                ErrorKind::InvalidMetricName,
                format!(
                    "Expected a name that ends with \"_{unit}{total}\" for the unit \"{unit}\" but received \"{name}\": rename the {kind} or leave out its unit"
                ),
            ));
        }
        self.unit = Some(unit.into());
        Ok(self)
    }

    /// Sets how contributors' gauges are merged.
    #[must_use]
    pub fn with_aggregator(mut self, aggregator: Aggregator) -> Self {
        self.aggregator = aggregator;
        self
    }

    /// The description with its names in a scheme; `None` if they are the same there.
    pub(crate) fn escaped(&self, escaping: Escaping) -> Option<Self> {
        if self.is_plain || escaping == Escaping::AllowUtf8 {
            return None;
        }
        let name = MetricName::by(Names::Utf8, &escaping.metric_name(self.name())).ok()?;
        Some(Self { name, ..self.clone() })
    }

    /// Checks the names against a registry's rule, and the label names against its strictness.
    pub(crate) fn check(&self, names: Names, strictness: &Strictness) -> Result<()> {
        if !self.is_plain {
            MetricName::by(names, self.name())?;
            let labels: Vec<&str> = self.label_names.iter().map(LabelName::as_str).collect();
            LabelName::all(names, &labels)?;
        }
        self.label_names.iter().try_for_each(|label| strictness.check_name(label))
    }

    /// The name.
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

    /// The label names in the order they were declared.
    #[must_use]
    pub fn label_names(&self) -> &[LabelName] {
        &self.label_names
    }

    /// A histogram's finite upper bounds, ascending.
    #[must_use]
    pub fn buckets(&self) -> &[f64] {
        &self.buckets
    }

    /// A summary's settings.
    #[must_use]
    pub fn summary_options(&self) -> Option<&SummaryOptions> {
        self.summary.as_deref()
    }

    /// A native histogram's settings.
    #[must_use]
    pub fn native_options(&self) -> Option<&NativeHistogramOptions> {
        self.native.as_deref()
    }

    /// The largest number of buckets of a native histogram; 0 for any number.
    pub(crate) fn max_native_buckets(&self) -> u32 {
        self.native.as_ref().map_or(0, |native| native.max_buckets)
    }

    /// A summary's quantiles, ascending.
    pub(crate) fn quantiles(&self) -> &[f64] {
        self.summary.as_ref().map_or(&[], |summary| &summary.quantiles)
    }

    /// The unit, if it was set.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// How contributors' gauges are merged.
    #[must_use]
    pub const fn aggregator(&self) -> Aggregator {
        self.aggregator
    }

    /// The number of cells of a series: 1; for a histogram one for each bucket, `+Inf` included, and one for the sum; for
    /// a summary one for the count, one for the sum, and its buffer. Those of a native histogram follow the sum.
    #[must_use]
    pub fn width(&self) -> usize {
        let buffered = self.summary.as_ref().is_some_and(|summary| summary.buffered);
        let buffer = if buffered { SUMMARY_BUFFER } else { 0 };
        self.value_width() + buffer + if self.native.is_some() { NATIVE_CELLS } else { 0 }
    }

    /// The number of cells that hold a series' value: all cells but a buffer's and those of a native histogram.
    pub(crate) fn value_width(&self) -> usize {
        match self.kind {
            Kind::Histogram => self.buckets.len() + 2,
            Kind::Summary => SUMMARY_CELLS,
            _ => 1,
        }
    }

    /// The number of samples of a series, to within one.
    pub(crate) fn sample_count(&self) -> usize {
        self.quantiles().len() + self.value_width()
    }

    /// True if values of the two may be added up: same name, type, buckets and quantiles, and no label of one is another of
    /// the other in some scheme of escaping.
    #[must_use]
    pub fn merges_with(&self, other: &Self) -> bool {
        self.name == other.name
            && self.has_labels_beside(other)
            && self.kind == other.kind
            && self.buckets == other.buckets
            && self.quantiles() == other.quantiles()
            && self.native.is_some() == other.native.is_some()
    }

    /// True if a series may have labels of both.
    fn has_labels_beside(&self, other: &Self) -> bool {
        let others = other.label_names.iter().filter(|label| !self.label_names.contains(label));
        let all = self.label_names.iter().chain(others).map(LabelName::as_str);
        (self.is_plain && other.is_plain) || check_different(all).is_ok()
    }
}
