//! Reads the samples of a registry or a text once, for assertions. Labels work as in a PromQL selector: a series needs
//! the given labels and may have others. It also finds the series that come close, for the messages of assertions.

use super::parse::{Dialect, FamilyKind, ParseError, ParsedFamily, ParsedSample, parse};
use crate::registry::Registry;
use crate::serialization::Format;

/// Labels that a series must have; it may have others. An empty value means that the label must be missing.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// The samples of one moment.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    pub(super) families: Vec<ParsedFamily>,
}

/// Something that metrics can be read from: a registry, a text, or an earlier reading.
pub trait Subject {
    /// The current values.
    fn values(&self) -> Reading;

    /// What was counted and observed since a mark. Without a mark these are the values.
    fn events(&self) -> Reading {
        self.values()
    }
}

impl Subject for Registry {
    fn values(&self) -> Reading {
        Reading::of(self)
    }
}

impl Subject for Reading {
    fn values(&self) -> Reading {
        self.clone()
    }
}

/// # Panics
/// If the text is not a valid exposition.
impl Subject for str {
    fn values(&self) -> Reading {
        Reading::of_text(self)
            .unwrap_or_else(|error| panic!("Expected an exposition, but it has a fault: {error}"))
    }
}

impl Reading {
    /// The current values of a registry. Its collectors run.
    ///
    /// # Panics
    /// If a collector makes samples that an exposition cannot contain.
    #[must_use]
    pub fn of(registry: &Registry) -> Self {
        registry.encode(Format::PrometheusText).values()
    }

    /// The values of an exposition in either format.
    ///
    /// # Errors
    /// If the text is not a valid exposition.
    pub fn of_text(text: &str) -> Result<Self, ParseError> {
        parse(text, Dialect::of(text)).map(|families| Self { families })
    }

    /// The value of the first sample of this name that has these labels.
    #[must_use]
    pub fn value(&self, name: &str, labels: Labels<'_>) -> Option<f64> {
        self.samples(name, labels).next().map(|sample| sample.value)
    }

    /// The sum of all samples of this name that have these labels.
    #[must_use]
    pub fn total(&self, name: &str, labels: Labels<'_>) -> f64 {
        // Not `sum()`: the sum of an empty iterator is -0.
        self.samples(name, labels).fold(0.0, |total, sample| total + sample.value)
    }

    /// The samples of this name that have these labels.
    pub fn samples(&self, name: &str, labels: Labels<'_>) -> impl Iterator<Item = &ParsedSample> {
        self.all()
            .map(|(_, sample)| sample)
            .filter(move |sample| sample.name == name && misses(sample, labels) == 0)
    }

    fn all(&self) -> impl Iterator<Item = (&ParsedFamily, &ParsedSample)> {
        self.families.iter().flat_map(|family| family.samples.iter().map(move |sample| (family, sample)))
    }

    /// The increase of counters and histograms since `before`. It is negative for one that was removed and made again.
    #[must_use]
    pub fn since(mut self, before: &Self) -> Self {
        for family in &mut self.families {
            if matches!(family.kind, FamilyKind::Counter | FamilyKind::Histogram) {
                for sample in &mut family.samples {
                    let same = |(_, other): &(&ParsedFamily, &ParsedSample)| {
                        other.name == sample.name && other.labels == sample.labels
                    };
                    sample.value -= before.all().find(same).map_or(0.0, |(_, other)| other.value);
                }
            }
        }
        self
    }

    /// The type of the family of this name, if it is not one of `kinds`.
    pub(super) fn other_kind(&self, name: &str, kinds: &[FamilyKind]) -> Option<&'static str> {
        let family = self.families.iter().find(|family| family.name == name)?;
        (!kinds.contains(&family.kind) && family.kind != FamilyKind::Unknown).then(|| family.kind.word())
    }

    /// Text for the message of an assertion: the series of this name with other labels, or series with similar names.
    pub(super) fn near_misses(&self, name: &str, labels: Labels<'_>) -> String {
        let own: Vec<&ParsedSample> = self
            .all()
            .filter(|(family, sample)| sample.name == name || (family.name == name && !is_bucket(sample)))
            .map(|(_, sample)| sample)
            .collect();
        if !own.is_empty() {
            return paragraph(&format!("{name} has"), closest(own, labels).into_iter().map(show).collect());
        }
        if self.families.is_empty() {
            return "\n\nThere are no metrics.".to_owned();
        }
        let mut alike: Vec<(usize, &ParsedFamily)> = self
            .families
            .iter()
            .map(|family| (distance(&family.name, name), family))
            .filter(|(distance, family)| {
                *distance <= (name.chars().count() / 5).max(1) || contains(&family.name, name)
            })
            .collect();
        alike.sort_by_key(|(distance, _)| *distance);
        if alike.is_empty() {
            return paragraph("There are", self.families.iter().map(|family| family.name.clone()).collect());
        }
        let lines = alike.iter().take(NAMES_SHOWN).flat_map(|(_, family)| {
            let samples: Vec<_> = family.samples.iter().filter(|sample| !is_bucket(sample)).collect();
            if samples.is_empty() {
                return vec![format!("{} (no series)", family.name)];
            }
            closest(samples, labels).into_iter().take(2).map(show).collect()
        });
        paragraph("Similar names", lines.collect())
    }
}

impl Subject for String {
    fn values(&self) -> Reading {
        self.as_str().values()
    }
}

/// The most lines in a paragraph.
const LINES_SHOWN: usize = 6;
/// The most similar names for which series are shown.
const NAMES_SHOWN: usize = 3;
/// Longer label values are cut, in characters.
const SHOWN_CHARACTERS: usize = 100;

/// How many of the labels a sample does not have.
fn misses(sample: &ParsedSample, labels: Labels<'_>) -> usize {
    labels.iter().filter(|(name, value)| sample.label(name).unwrap_or_default() != *value).count()
}

fn is_bucket(sample: &ParsedSample) -> bool {
    sample.label("le").is_some()
}

fn closest<'a>(mut samples: Vec<&'a ParsedSample>, labels: Labels<'_>) -> Vec<&'a ParsedSample> {
    samples.sort_by_key(|sample| misses(sample, labels));
    samples
}

fn show(sample: &ParsedSample) -> String {
    let labels: Vec<(&str, &str)> =
        sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    format!("{} {}", show_series(&sample.name, &labels), sample.value)
}

/// A series as an exposition prints it, with long values cut.
pub(super) fn show_series(name: &str, labels: Labels<'_>) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    let pair = |(label, value): &(&str, &str)| {
        let cut: String = value.chars().take(SHOWN_CHARACTERS).collect();
        let dots = if cut.len() < value.len() { "…" } else { "" };
        format!("{label}={:?}", cut + dots)
    };
    format!("{name}{{{}}}", labels.iter().map(pair).collect::<Vec<_>>().join(","))
}

fn paragraph(title: &str, lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(LINES_SHOWN);
    let mut text = format!("\n\n{title}:");
    for line in lines.iter().take(LINES_SHOWN) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if more > 0 {
        text.push_str(&format!("\n  … and {more} more"));
    }
    text
}

/// Whether one name contains the other and is at most twice as long.
fn contains(a: &str, b: &str) -> bool {
    a.len().min(b.len()) * 2 >= a.len().max(b.len()) && (a.contains(b) || b.contains(a))
}

/// The Levenshtein distance: how many characters to insert, remove or replace to turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(from != *to);
            next.push(replaced.min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row[b.len()]
}
