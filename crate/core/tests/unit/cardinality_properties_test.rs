//! Tests limits on series with random programs: after every step, each recorded count is shown exactly once and no
//! limit is exceeded.

use crate::cardinality::overflow;
use crate::{openmetrics, text};
use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, OverflowPolicy};
use prometheus_metrics::{Counter, CounterVec, ErrorKind, MetricsError, Registry, RegistryConfig};
use proptest::prelude::*;
use std::collections::BTreeMap;

const POLICIES: [OverflowPolicy; 3] = [OverflowPolicy::Fold, OverflowPolicy::Drop, OverflowPolicy::Throw];

/// The first metric has limits of its own, the second one has the registry's.
const NAMES: [&str; 2] = ["own_total", "registrys_total"];

/// One step of a program over the two metrics.
#[derive(Debug, Clone)]
enum Step {
    Inc {
        metric: usize,
        set: [u8; 2],
    },
    /// Adds through the kept handle of this number, modulo how many are kept.
    Kept(usize),
    /// As `Inc`, and keeps the handle.
    Keep {
        metric: usize,
        set: [u8; 2],
    },
    Remove {
        metric: usize,
        set: [u8; 2],
    },
    Reset,
    Scrape,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let set = || [0..4_u8, 0..5_u8];
    let step = prop_oneof![
        12 => (0..2_usize, set()).prop_map(|(metric, set)| Step::Inc { metric, set }),
        3 => (0..8_usize).prop_map(Step::Kept),
        2 => (0..2_usize, set()).prop_map(|(metric, set)| Step::Keep { metric, set }),
        2 => (0..2_usize, set()).prop_map(|(metric, set)| Step::Remove { metric, set }),
        1 => Just(Step::Reset),
        1 => Just(Step::Scrape),
    ];
    prop::collection::vec(step, 1..120)
}

fn limits() -> impl Strategy<Value = CardinalityLimits> {
    let max = || prop::option::of(1..6_usize);
    (max(), max(), max(), prop::option::of(prop::sample::select(POLICIES.to_vec()))).prop_map(
        |(max_series, a, b, policy)| {
            CardinalityLimits::default()
                .max_series(max_series)
                .max_label_values(
                    [("a", a), ("b", b)]
                        .into_iter()
                        .filter_map(|(name, max)| Some((name.to_owned(), max?)))
                        .collect(),
                )
                .policy(policy)
        },
    )
}

/// The text of a label value. Value 0 is an absent label; value 2 is `other`, the name of folded values.
fn value_of(value: u8) -> &'static str {
    ["", "x", "other", "y \"quoted\"\\\n", "z"][usize::from(value)]
}

/// The series of a metric in an exposition, with their values.
fn shown(registry: &Registry, name: &str) -> BTreeMap<String, f64> {
    text(registry)
        .lines()
        .filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let labels = series.strip_prefix(name)?;
            Some((labels.to_owned(), value.parse().ok()?))
        })
        .collect()
}

/// How many values of the label these series have, without `other`.
fn count_values(series: &BTreeMap<String, f64>, label: &str) -> usize {
    let value_in = |labels: &str| -> Option<String> {
        let rest = labels.split(&format!("{label}=\"")).nth(1)?;
        let value = rest.split("\"}").next()?.split("\",b=").next()?;
        (value != "other").then(|| value.to_owned())
    };
    let mut values: Vec<String> = series.keys().filter_map(|labels| value_in(labels)).collect();
    values.sort_unstable();
    values.dedup();
    values.len()
}

/// The registry under test, and what it should show.
struct Model {
    registry: Registry,
    metrics: [CounterVec; 2],
    /// The limits of each metric, with the registry's where the metric sets none.
    limits: [CardinalityLimits; 2],
    max_total: Option<usize>,
    /// The sum of all series of each metric.
    recorded: [f64; 2],
    /// How many calls of each metric had a label set over a limit.
    over_limit: [f64; 2],
    /// Handles of series within the limits, with their metric and label set.
    kept: Vec<(usize, [u8; 2], Counter)>,
}

impl Model {
    fn new(
        of_registry: CardinalityLimits,
        own: CardinalityLimits,
        max_total: Option<usize>,
    ) -> Result<Self, MetricsError> {
        let cardinality = CardinalityConfig::default().family(of_registry.clone()).max_total(max_total);
        let registry = Registry::with_config(RegistryConfig::default().cardinality(cardinality))?;
        let metrics = [
            registry.metric(NAMES[0], "O").labels(&["a", "b"]).limits(own.clone()).counter_vec()?,
            registry.counter_vec(NAMES[1], "R", &["a", "b"])?,
        ];
        let mut merged = own;
        merged.max_series = merged.max_series.or(of_registry.max_series);
        merged.policy = merged.policy.or(of_registry.policy);
        for (name, max) in &of_registry.max_label_values {
            if merged.max_label_values.iter().all(|(own, _)| own != name) {
                merged.max_label_values.push((name.clone(), *max));
            }
        }
        let limits = [merged, of_registry];
        Ok(Self {
            registry,
            metrics,
            limits,
            max_total,
            recorded: [0.0; 2],
            over_limit: [0.0; 2],
            kept: Vec::new(),
        })
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Inc { metric, set } => self.record(metric, set, false)?,
            Step::Keep { metric, set } => self.record(metric, set, true)?,
            // A handle made within the limits works as long as its series exists.
            Step::Kept(at) if !self.kept.is_empty() => {
                let (metric, _, counter) = &self.kept[at % self.kept.len()];
                counter.inc();
                self.recorded[*metric] += 1.0;
            }
            Step::Kept(_) => {}
            Step::Remove { metric, set } => self.remove(metric, set)?,
            Step::Reset => {
                self.registry.reset();
                self.recorded = [0.0, 0.0];
                self.kept.clear();
            }
            Step::Scrape => drop(openmetrics(&self.registry)),
        }
        Ok(())
    }

    fn record(&mut self, metric: usize, set: [u8; 2], keep: bool) -> Result<(), TestCaseError> {
        let before = overflow(&self.registry)[metric];
        let counter = self.metrics[metric].with(&set.map(value_of));
        let is_over_limit = overflow(&self.registry)[metric] > before;
        self.over_limit[metric] += f64::from(u8::from(is_over_limit));
        let policy = self.limits[metric].policy.unwrap_or_default();
        match counter {
            Ok(counter) => {
                prop_assert!(!is_over_limit || policy != OverflowPolicy::Throw);
                counter.inc();
                if !is_over_limit || policy == OverflowPolicy::Fold {
                    self.recorded[metric] += 1.0;
                }
                if keep && !is_over_limit {
                    self.kept.push((metric, set, counter));
                }
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::CardinalityLimit);
                prop_assert!(is_over_limit && policy == OverflowPolicy::Throw);
            }
        }
        Ok(())
    }

    fn remove(&mut self, metric: usize, set: [u8; 2]) -> Result<(), TestCaseError> {
        let before = shown(&self.registry, NAMES[metric]);
        let removed = self.metrics[metric].remove(&set.map(value_of))?;
        let after = shown(&self.registry, NAMES[metric]);
        prop_assert_eq!(before.len() - after.len(), usize::from(removed));
        self.recorded[metric] -= before.values().sum::<f64>() - after.values().sum::<f64>();
        self.kept.retain(|(of, own, _)| *of != metric || *own != set);
        Ok(())
    }

    /// Compares the exposition and the registry's own counts with the model.
    fn check(&self) -> Result<(), TestCaseError> {
        let mut total = 0;
        for ((name, limits), recorded) in NAMES.into_iter().zip(&self.limits).zip(self.recorded) {
            let series = shown(&self.registry, name);
            prop_assert_eq!(series.values().sum::<f64>(), recorded, "{} {:?}", name, series);
            // One more than the limit: the series of `other`.
            prop_assert!(series.len() <= limits.max_series.unwrap_or(10_000) + 1, "{:?}", series);
            total += series.len();
            for label in ["a", "b"] {
                let max = limits.max_label_values.iter().find(|(name, _)| name == label);
                let values = count_values(&series, label);
                prop_assert!(max.is_none_or(|(_, max)| values <= *max), "{:?}", series);
            }
        }
        // Two more than the limit: each metric may have a series of `other`.
        prop_assert!(self.max_total.is_none_or(|max| total <= max + 2), "{}", total);
        prop_assert_eq!(self.registry.cardinality_guard().series(), total);
        prop_assert_eq!(overflow(&self.registry), self.over_limit.to_vec());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CI_FULL").is_some() { 2_000 } else { 128 }))]

    /// With `fold`, the sum of all series is everything that was recorded. With `drop` and `throw`, it is what was
    /// recorded within the limits.
    #[test]
    fn each_count_is_shown_once_and_within_the_limits(
        of_registry in limits(),
        own in limits(),
        max_total in prop::option::of(2..10_usize),
        steps in steps(),
    ) {
        let mut model = Model::new(of_registry, own, max_total)?;
        for step in &steps {
            model.apply(step)?;
            model.check()?;
        }
    }
}
