//! Describes a family without its series: name, help, type, labels, buckets. All of them are checked here, once.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelName, MetricName, Strictness};

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
    /// Quantiles. Only in families that a collector or a foreign metric provides.
    Summary,
    /// An unknown type: `untyped` in text 0.0.4, `unknown` in OpenMetrics.
    Unknown,
}

impl Kind {
    /// The word in `# TYPE` of text 0.0.4.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
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
            _ => Self::Unknown,
        }
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
            Self::Omit => "omit",
        }
    }
}

/// Upper bounds, in seconds, of a histogram without bounds of its own: the default of most Prometheus clients.
pub const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A checked description of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    name: MetricName,
    help: String,
    kind: Kind,
    label_names: Box<[LabelName]>,
    /// Finite and ascending, without `+Inf`. Empty unless the family is a histogram.
    buckets: Box<[f64]>,
    aggregator: Aggregator,
}

impl Descriptor {
    /// Describes a counter or a gauge.
    ///
    /// # Errors
    /// `InvalidMetricName`; `InvalidLabelName` for a bad or repeated label; `TypeMismatch` for another kind.
    pub fn new(kind: Kind, name: &str, help: &str, label_names: &[&str]) -> Result<Self> {
        if !matches!(kind, Kind::Counter | Kind::Gauge) {
            return Err(MetricsError::new(
                ErrorKind::TypeMismatch,
                format!("Expected a counter or a gauge for {name} but received a {}", kind.as_str()),
            ));
        }
        Self::checked(kind, name, help, label_names, &[])
    }

    /// Describes a histogram by the upper bounds of its buckets. `+Inf` at the end is implied and may be given.
    ///
    /// # Errors
    /// As `new`; `InvalidBuckets` for bounds that are not finite and strictly ascending; `InvalidLabelName` for a label
    /// `le`. An empty list is valid: the only bucket is `+Inf` then.
    pub fn histogram(name: &str, help: &str, label_names: &[&str], buckets: &[f64]) -> Result<Self> {
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
        Self::checked(Kind::Histogram, name, help, label_names, finite)
    }

    fn checked(kind: Kind, name: &str, help: &str, label_names: &[&str], buckets: &[f64]) -> Result<Self> {
        let name = MetricName::new(name)?;
        let labels = label_names.iter().map(|label| LabelName::new(label)).collect::<Result<Box<[_]>>>()?;
        if let Some((_, twice)) = labels.iter().enumerate().find(|(at, label)| labels[..*at].contains(label))
        {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                format!("Invalid label name: {twice} (given twice to {name})"),
            ));
        }
        Ok(Self {
            name,
            help: help.to_owned(),
            kind,
            label_names: labels,
            buckets: buckets.into(),
            aggregator: Aggregator::default(),
        })
    }

    /// Sets how contributors' gauges are merged.
    #[must_use]
    pub fn with_aggregator(mut self, aggregator: Aggregator) -> Self {
        self.aggregator = aggregator;
        self
    }

    /// Checks the label names against a registry's strictness.
    pub(crate) fn check(&self, strictness: &Strictness) -> Result<()> {
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

    /// How contributors' gauges are merged.
    #[must_use]
    pub const fn aggregator(&self) -> Aggregator {
        self.aggregator
    }

    /// The number of cells of a series: 1; for a histogram one for each bucket, `+Inf` included, and one for the sum.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.kind == Kind::Histogram { self.buckets.len() + 2 } else { 1 }
    }

    /// True if values of the two may be added up: same name, type and buckets.
    #[must_use]
    pub fn merges_with(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind && self.buckets == other.buckets
    }
}
