//! Limits on the number of series: of a family, of one label's values, of a registry in total. A guard counts what a
//! registry holds; an admission says of each new label set of a family whether it may become a series. Knows no cells.

use crate::labels::Sanitizer;
use crate::sync::{Arc, AtomicUsize, Ordering, RwLock};
use std::fmt;

/// Series a family may have where nobody says: more than an honest one has.
pub const DEFAULT_MAX_SERIES: usize = 10_000;
/// Series a registry may have where nobody says.
pub const DEFAULT_MAX_TOTAL: usize = 1_000_000;
/// The value of labels beyond a limit.
pub const OVERFLOW_VALUE: &str = "other";

/// What becomes of a label set beyond a limit. Each is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverflowPolicy {
    /// Counters and histograms add it to a series whose values are `other`, so that their totals stay right. Beyond the
    /// limit of one label only that label's value is `other`. Gauges drop it: values of several are no value.
    #[default]
    Fold,
    /// It is recorded nowhere.
    Drop,
    /// The recording call is refused with `CardinalityLimit`.
    Throw,
}

impl OverflowPolicy {
    /// The policy of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "fold" => Self::Fold,
            "drop" => Self::Drop,
            "throw" => Self::Throw,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Drop => "drop",
            Self::Throw => "throw",
        }
    }
}

/// The limit that a label set was beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Series of the family.
    Series(usize),
    /// Series of the registry.
    Total(usize),
    /// Distinct values of the label with this index.
    LabelValues {
        /// Into the label names.
        label: usize,
        /// How many there may be.
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

/// Limits of one family; what is not given is the registry's. A family without labels has its one series whatever
/// they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardinalityLimits {
    /// Series, one whose values are `other` not counted.
    pub max_series: Option<usize>,
    /// Distinct values by label name, `other` and none not counted. Names that the family does not have say nothing.
    pub max_label_values: Vec<(String, usize)>,
    /// What becomes of label sets beyond.
    pub policy: Option<OverflowPolicy>,
}

/// The limits that a family meets: its own, and its registries' where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsInForce {
    /// Series, one whose values are `other` not counted.
    pub max_series: usize,
    /// Distinct values by the index of the label, where there is a limit.
    pub max_label_values: Vec<(usize, usize)>,
    /// What becomes of label sets beyond.
    pub policy: OverflowPolicy,
}

/// Limits of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardinalityConfig {
    /// Of each family that says nothing itself.
    pub family: CardinalityLimits,
    /// Series of all families together; `DEFAULT_MAX_TOTAL` where it is not given.
    pub max_total: Option<usize>,
}

/// What a registry demands of new series: it counts them, and holds its limits and its sanitizer.
pub struct CardinalityGuard {
    config: RwLock<CardinalityConfig>,
    sanitizer: RwLock<Option<Arc<Sanitizer>>>,
    /// Goes up with each change of the limits.
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

    /// What cleans the label values of new series; nothing if they are taken as they are.
    #[must_use]
    pub fn sanitizer(&self) -> Option<Arc<Sanitizer>> {
        self.sanitizer.read().clone()
    }

    /// Cleans the label values of new series from now on; those there are stay as they are.
    pub fn set_sanitizer(&self, sanitizer: Option<Sanitizer>) {
        *self.sanitizer.write() = sanitizer.map(Arc::new);
    }

    /// The limits.
    #[must_use]
    pub fn config(&self) -> CardinalityConfig {
        self.config.read().clone()
    }

    /// Replaces the limits. Series beyond them stay; new ones meet them.
    pub fn set_config(&self, config: CardinalityConfig) {
        *self.config.write() = config;
        // Relaxed: read by owners of families before they add a series; one that is a moment late is within its rights.
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the limits that nobody has set: those of an endpoint's settings, which a registry's own go before.
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

    /// Series now, those without labels and those beyond a limit counted too.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// Series of all families together that there may be.
    #[must_use]
    pub fn max_total(&self) -> usize {
        self.config.read().max_total.unwrap_or(DEFAULT_MAX_TOTAL)
    }

    pub(super) fn try_charge(&self) -> Result<(), Limit> {
        let max = self.max_total();
        let charge = |series| (series < max).then_some(series + 1);
        // Relaxed: a count; it orders nothing.
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
