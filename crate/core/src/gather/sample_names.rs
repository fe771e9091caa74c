//! Knows which family of an exposition writes each sample name: a scraper rejects the same series twice. Within one registry,
//! registration refuses such families; those of other threads and of mounted registries are only seen here.

use super::family::GatheredFamily;
use crate::serialization::Shown;
use hashbrown::HashMap;

/// The sample names of families, each with the name of the family that writes it.
pub(super) struct SampleNames(HashMap<String, String, foldhash::fast::FixedState>);

impl SampleNames {
    pub(super) fn of(families: &[GatheredFamily]) -> Self {
        let mut names = Self(HashMap::default());
        families.iter().for_each(|family| names.add(family));
        names
    }

    /// Adds a family unless it would write a sample of another one: then it is left out, and added to `mismatched`.
    pub(super) fn admit(&mut self, family: &GatheredFamily, mismatched: &mut Vec<String>) -> bool {
        let own = family.name();
        let clashes = family.sample_names().any(|name| self.0.get(&name).is_some_and(|owner| owner != own));
        if clashes {
            family.remove_expired(false);
            mismatched.push(own.to_owned());
        } else {
            self.add(family);
        }
        !clashes
    }

    fn add(&mut self, family: &GatheredFamily) {
        for name in family.sample_names() {
            self.0.entry(name).or_insert_with(|| family.name().to_owned());
        }
    }
}
