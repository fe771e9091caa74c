//! Tests the totals of a process with random contributors that join, record and leave: the totals are the sums of all
//! contributors, and no total ever decreases.

use crate::exposition::{FORMATS, parse_or_fail};
use crate::{Cell, contributor_of, family_of, scrape};
use prometheus_metrics::registry::{Contributor, Descriptor, Family, Kind, Process};
use prometheus_metrics::{Format, MetricsError};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type Labels = Vec<(String, String)>;

proptest! {
    #[test]
    fn a_total_is_the_sum_of_its_contributors(
        recorded in prop::collection::vec((0..5_usize, 0..4_usize, 0..4_usize, 0..1000_u32), 0..60),
        leaving in prop::sample::subsequence(vec![1_usize, 2, 3, 4], 0..=4),
    ) {
        let mut group = Group::new(5)?;
        let mut counts: BTreeMap<Labels, f64> = BTreeMap::new();
        let mut sums: BTreeMap<Labels, (f64, f64)> = BTreeMap::new();
        for (who, a, b, value) in recorded {
            let labels = group.record(who, [a, b], f64::from(value));
            *counts.entry(labels.clone()).or_default() += f64::from(value);
            let sum = sums.entry(labels).or_default();
            *sum = (sum.0 + 1.0, sum.1 + f64::from(value));
        }
        for who in leaving {
            group.leave(who);
        }
        for format in FORMATS {
            let families = parse_or_fail(&group.scrape(format), format)?;
            let shown = |name: &str| -> BTreeMap<Labels, f64> {
                let samples = families.iter().flat_map(|family| &family.samples).filter(|sample| sample.name == name);
                samples.map(|sample| {
                    let mut labels = sample.labels.clone();
                    labels.sort();
                    (labels, sample.value)
                }).collect()
            };
            prop_assert_eq!(shown("c_total"), counts.clone());
            prop_assert_eq!(shown("h_count"), sums.iter().map(|(labels, sum)| (labels.clone(), sum.0)).collect());
            prop_assert_eq!(shown("h_sum"), sums.iter().map(|(labels, sum)| (labels.clone(), sum.1)).collect());
        }
    }

    #[test]
    fn no_total_ever_decreases(steps in prop::collection::vec(steps(), 1..60)) {
        let mut group = Group::new(1)?;
        let mut before: HashMap<String, f64> = HashMap::new();
        for step in steps {
            match step {
                Step::Join => group.join()?,
                Step::Leave(who) => group.leave(who),
                Step::Record(who, series, value) => drop(group.record(who, [series, 0], value)),
            }
            let mut now = HashMap::new();
            for family in parse_or_fail(&group.scrape(Format::PrometheusText), Format::PrometheusText)? {
                for sample in family.samples {
                    let mut labels = sample.labels;
                    labels.sort();
                    now.insert(format!("{} {labels:?}", sample.name), sample.value);
                }
            }
            for (series, value) in &before {
                prop_assert!(now.get(series).is_some_and(|new| new >= value), "{}: {} to {:?}", series, value, now.get(series));
            }
            before = now;
        }
    }
}

/// One step of a program over a process.
#[derive(Debug, Clone)]
enum Step {
    Join,
    /// The contributor with this number leaves, modulo how many there are except the first.
    Leave(usize),
    Record(usize, usize, f64),
}

fn steps() -> impl Strategy<Value = Step> {
    // With numbers of very different size, a floating-point sum depends on the order of the additions.
    let value = prop_oneof![0.0..1.0_f64, 0.0..1e16_f64, Just(0.1), Just(1.0), 1e-20..1e-10_f64];
    prop_oneof![
        2 => Just(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        4 => (any::<usize>(), 0..2_usize, value).prop_map(|(who, series, value)| Step::Record(who, series, value)),
    ]
}

/// A process whose first contributor is scraped and never leaves.
struct Group {
    process: Process,
    members: Vec<Member>,
}

struct Member {
    contributor: Arc<Contributor>,
    counters: Arc<Family>,
    histograms: Arc<Family>,
    /// The slots of the counter and the histogram, by label values.
    series: HashMap<[usize; 2], (u32, u32)>,
}

impl Group {
    fn new(members: usize) -> Result<Self, MetricsError> {
        let mut group = Self { process: Process::new(), members: Vec::new() };
        (0..members).try_for_each(|_| group.join())?;
        Ok(group)
    }

    fn join(&mut self) -> Result<(), MetricsError> {
        let contributor = contributor_of(&self.process);
        // Contributors may declare the labels in different orders: the label sets are still the same.
        let labels = if self.members.len().is_multiple_of(2) { ["a", "b"] } else { ["b", "a"] };
        let counters = family_of(&contributor, Descriptor::new(Kind::Counter, "c_total", "C", &labels)?)?;
        let histograms = family_of(&contributor, Descriptor::histogram("h", "H", &labels, &[10.0, 500.0])?)?;
        self.members.push(Member { contributor, counters, histograms, series: HashMap::new() });
        Ok(())
    }

    /// Removes one contributor except the first, which is scraped. Does nothing if only the first is left.
    fn leave(&mut self, who: usize) {
        if self.members.len() > 1 {
            let at = 1 + who % (self.members.len() - 1);
            let member = self.members.remove(at);
            self.process.leave(&member.contributor);
        }
    }

    /// Counts and observes the value. Returns the labels that a scrape shows for it.
    fn record(&mut self, who: usize, values: [usize; 2], value: f64) -> Labels {
        let at = who % self.members.len();
        let member = &mut self.members[at];
        // Value 0 is the empty string, that is, no label.
        let texts = values.map(|value| if value == 0 { String::new() } else { value.to_string() });
        let names = member.counters.descriptor().label_names();
        let (counters, histograms) = (&member.counters, &member.histograms);
        let position = |name: &str| usize::from(names[0].as_str() != name);
        let mut given = vec![(position("a"), texts[0].as_str()), (position("b"), texts[1].as_str())];
        given.retain(|(_, text)| !text.is_empty());
        given.sort_unstable();
        let slots = *member.series.entry(values).or_insert_with(|| {
            (
                counters.add_series(&given).expect("within the limits").slot,
                histograms.add_series(&given).expect("within the limits").slot,
            )
        });
        let cell = |slot, offset| Cell { contributor: &member.contributor, slot, offset };
        cell(slots.0, 0).add(value);
        let bucket = if value <= 10.0 { 0 } else { 1 + usize::from(value > 500.0) };
        cell(slots.1, bucket).add(1.0);
        cell(slots.1, 3).add(value);
        let labels = [("a", &texts[0]), ("b", &texts[1])];
        let shown = labels.into_iter().filter(|(_, text)| !text.is_empty());
        shown.map(|(name, text)| (name.to_owned(), text.clone())).collect()
    }

    fn scrape(&self, format: Format) -> String {
        scrape(self.members[0].contributor.registry(), Some(&self.process), format)
    }
}
