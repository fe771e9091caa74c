//! Limits on the number of series: of a family, of one label's values, of a registry in total; and the guard that
//! counts a registry's series. Knows neither series nor cells.

use crate::labels::Sanitizer;
use crate::sync::{Arc, AtomicUsize, Ordering, RwLock};
use std::fmt;

/// Series that a family may have by default: more than a family with a sensible choice of labels needs.
pub const DEFAULT_MAX_SERIES: usize = 10_000;
/// Series that a registry may have by default.
pub const DEFAULT_MAX_TOTAL: usize = 1_000_000;
/// The value of labels over a limit.
pub const OVERFLOW_VALUE: &str = "other";

/// What becomes of a label set over a limit. Each call with such a label set is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// Counters and histograms add it to a series whose values are `other`, so their totals stay right. Over the limit
    /// of one label, only that label's value becomes `other`. Gauges drop it: the last value of several label sets has
    /// no meaning.
    #[default]
    Fold,
    /// It is not recorded.
    Drop,
    /// The recording call fails with `CardinalityLimit`.
    Throw,
}

impl OverflowPolicy {
    /// The policy with this name: `fold`, `drop` or `throw`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "fold" => Self::Fold,
            "drop" => Self::Drop,
            "throw" => Self::Throw,
            _ => return None,
        })
    }

    /// The policy's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Drop => "drop",
            Self::Throw => "throw",
        }
    }
}

/// The limit that a label set is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Series of the family.
    Series(usize),
    /// Series of the registry.
    Total(usize),
    /// Distinct values of the label with this index.
    LabelValues {
        /// The label's index in the label names.
        label: usize,
        /// The largest number of values.
        max: usize,
    },
}

/// What a label set over a limit is recorded in, by the family's policy and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: the recording call fails.
    Refused,
    /// Nothing: the recording call succeeds.
    Dropped,
    /// The series in which the labels with these indices are `other`. If no index is given, or that series is over a limit
    /// too: the series in which all labels are `other` (`Family::add_series_beyond`).
    Folded(Vec<usize>),
}

/// Limits of one family. Limits that are not set are the registry's. No limit applies to the one series of a family
/// without labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CardinalityLimits {
    /// Series; the one whose values are all `other` is not counted.
    pub max_series: Option<usize>,
    /// Distinct values by label name; `other` and empty values are not counted. Names that the family does not have are
    /// ignored.
    pub max_label_values: Vec<(String, usize)>,
    /// What becomes of label sets over a limit.
    pub policy: Option<OverflowPolicy>,
}

setters!(CardinalityLimits {
    max_series: Option<usize>,
    max_label_values: Vec<(String, usize)>,
    policy: Option<OverflowPolicy>,
});

/// The limits that are in force for a family: its own, or its registries' where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitsInForce {
    /// Series; the one whose values are all `other` is not counted.
    pub max_series: usize,
    /// Distinct values, by the index of each label that has a limit.
    pub max_label_values: Vec<(usize, usize)>,
    /// What becomes of label sets over a limit.
    pub policy: OverflowPolicy,
}

/// Limits of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CardinalityConfig {
    /// For each family without limits of its own.
    pub family: CardinalityLimits,
    /// Series of all families together. The default is `DEFAULT_MAX_TOTAL`.
    pub max_total: Option<usize>,
}

setters!(CardinalityConfig { family: CardinalityLimits, max_total: Option<usize> });

/// Counts a registry's series, and holds its limits and its sanitizer.
pub struct CardinalityGuard {
    config: RwLock<CardinalityConfig>,
    sanitizer: RwLock<Option<Arc<Sanitizer>>>,
    /// Increased with each change of the limits.
    version: AtomicUsize,
    series: AtomicUsize,
}

impl CardinalityGuard {
    pub(crate) fn new(config: CardinalityConfig) -> Self {
        Self {
            config: RwLock::new(config),
            sanitizer: RwLock::new(None),
            version: AtomicUsize::new(0),
            series: AtomicUsize::new(0),
        }
    }

    /// The sanitizer for the label values of new series; `None` if values are recorded unchanged.
    #[must_use]
    pub fn sanitizer(&self) -> Option<Arc<Sanitizer>> {
        self.sanitizer.read().clone()
    }

    /// Sets the sanitizer for the label values of new series. Existing series stay as they are.
    pub fn set_sanitizer(&self, sanitizer: Option<Sanitizer>) {
        *self.sanitizer.write() = sanitizer.map(Arc::new);
    }

    /// The limits.
    #[must_use]
    pub fn config(&self) -> CardinalityConfig {
        self.config.read().clone()
    }

    /// Replaces the limits. They apply to new series; existing series over a limit stay.
    pub fn set_config(&self, config: CardinalityConfig) {
        *self.config.write() = config;
        // Relaxed: owners of families read it before they add a series, and one that reads it a moment late did nothing
        // wrong.
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the limits that are not set yet. They come from an endpoint's settings; the registry's own limits win.
    pub(crate) fn set_missing(&self, missing: &CardinalityConfig) {
        let old = self.config();
        let mut config = old.clone();
        config.family.max_series = config.family.max_series.or(missing.family.max_series);
        config.max_total = config.max_total.or(missing.max_total);
        if config != old {
            self.set_config(config);
        }
    }

    /// Increased with each change of the limits.
    pub(super) fn version(&self) -> usize {
        self.version.load(Ordering::Relaxed)
    }

    /// The limits of each family that has none of its own.
    pub(super) fn family_limits(&self) -> CardinalityLimits {
        self.config.read().family.clone()
    }

    /// The number of series now, including those without labels and those with all values `other`.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// The largest number of series of all families together.
    #[must_use]
    pub fn max_total(&self) -> usize {
        self.config.read().max_total.unwrap_or(DEFAULT_MAX_TOTAL)
    }

    pub(super) fn try_charge(&self) -> Result<(), Limit> {
        let max = self.max_total();
        let charge = |series| (series < max).then_some(series + 1);
        // Relaxed: it is only a count; no other memory depends on it.
        match self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charge) {
            Ok(_) => Ok(()),
            Err(_) => Err(Limit::Total(max)),
        }
    }

    pub(super) fn charge(&self, series: usize) {
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    pub(super) fn release(&self, series: usize) {
        self.series.fetch_sub(series, Ordering::Relaxed);
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(max) => write!(f, "{max} series of the metric"),
            Self::Total(max) => write!(f, "{max} series of the registry"),
            Self::LabelValues { max, .. } => write!(f, "{max} values of the label"),
        }
    }
}
