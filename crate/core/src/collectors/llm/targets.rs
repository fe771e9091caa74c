//! Whose series a request is recorded in: models and providers as labels show them, and the series of each pair.

use super::model_name::normalize_model;
use super::model_series::ModelSeries;
use super::prices::PriceTable;
use super::request::LlmTarget;
use crate::collectors::families::{CappedNames, Families};
use crate::sync::{Arc, RwLock, SliceArc};
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

/// The name of a model as labels show it, by the one that is asked for.
pub type NormalizeModel = Box<dyn Fn(&str) -> String + Send + Sync>;

/// Pairs of a model and a provider, as they are asked for, that are remembered.
const KNOWN_MAX: usize = 1000;

/// Models and providers as labels show them.
type Pair = (SliceArc<str>, SliceArc<str>);

pub(super) struct Targets {
    prices: PriceTable,
    normalize: NormalizeModel,
    models: CappedNames,
    providers: CappedNames,
    /// By how they are asked for: no more is looked at in most requests.
    known: RwLock<HashTable<Known>>,
    series: RwLock<HashMap<Pair, Arc<ModelSeries>, foldhash::fast::RandomState>>,
    hasher: foldhash::fast::RandomState,
}

struct Known {
    model: Box<str>,
    provider: Box<str>,
    series: Arc<ModelSeries>,
}

impl Targets {
    pub(super) fn new(families: &Families, prices: PriceTable, normalize: Option<NormalizeModel>) -> Self {
        Self {
            prices,
            normalize: normalize.unwrap_or_else(|| Box::new(normalize_model)),
            models: families.capped("llm_requests_total", "model"),
            providers: families.capped("llm_requests_total", "provider"),
            known: RwLock::new(HashTable::new()),
            series: RwLock::new(HashMap::default()),
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// The series of a model; one that nobody knows makes none before a request has succeeded, since the name may be a typo.
    /// One that has a price is known.
    pub(super) fn series_of(
        &self,
        families: &Families,
        target: &LlmTarget<'_>,
        admits: bool,
    ) -> Arc<ModelSeries> {
        let hash = self.hasher.hash_one((target.model, target.provider));
        let same = |known: &Known| *known.model == *target.model && *known.provider == *target.provider;
        if let Some(known) = self.known.read().find(hash, same)
            && !known.series.is_removed()
        {
            return Arc::clone(&known.series);
        }
        let name = self.name(target.model);
        let provider = self.providers.admit(target.provider);
        let is_known = admits || self.prices.of(&provider, &name).is_some();
        let model = if is_known { self.models.admit(&name) } else { self.models.known(&name) };
        let is_lasting = *model == *name || self.models.is_full();
        let series = self.series_shown(families, (model, provider));
        if is_lasting {
            self.remember(hash, target, &series);
        }
        series
    }

    /// The two models of a fallback.
    pub(super) fn fallback(&self, from_model: &str, to_model: &str) -> Pair {
        (self.models.known(&self.name(from_model)), self.models.admit(&self.name(to_model)))
    }

    /// May call what the user gave, so no lock is held.
    fn name(&self, model: &str) -> String {
        (self.normalize)(model)
    }

    fn series_shown(&self, families: &Families, shown: Pair) -> Arc<ModelSeries> {
        if let Some(series) = self.series.read().get(&shown)
            && !series.is_removed()
        {
            return Arc::clone(series);
        }
        // Made without the lock, since making series may warn, and who listens may record. Two that are made at once write
        // the same series; the first stays.
        let prices = self.prices.of(&shown.1, &shown.0);
        let (model, provider) = (SliceArc::clone(&shown.0), SliceArc::clone(&shown.1));
        let made = Arc::new(ModelSeries::new(families, model, provider, prices));
        let mut all = self.series.write();
        let kept = all.entry(shown).or_insert_with(|| Arc::clone(&made));
        if kept.is_removed() {
            *kept = made;
        }
        Arc::clone(kept)
    }

    fn remember(&self, hash: u64, target: &LlmTarget<'_>, series: &Arc<ModelSeries>) {
        let new = Known {
            model: target.model.into(),
            provider: target.provider.into(),
            series: Arc::clone(series),
        };
        let mut known = self.known.write();
        if let Ok(entry) =
            known.find_entry(hash, |known| known.model == new.model && known.provider == new.provider)
        {
            *entry.into_mut() = new;
            return;
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert_unique(hash, new, |known| self.hasher.hash_one((&*known.model, &*known.provider)));
    }
}
