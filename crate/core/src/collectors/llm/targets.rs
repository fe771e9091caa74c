//! Finds the series that a request is recorded in: turns its model and provider into label values and keeps the series of
//! each pair.

use super::model_name::normalize_model;
use super::model_series::ModelSeries;
use super::prices::PriceTable;
use super::request::LlmTarget;
use crate::collectors::families::{CappedNames, Families};
use crate::sync::{Arc, RwLock, SliceArc};
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

/// Turns the model's name in a request into a label value.
pub type NormalizeModel = Box<dyn Fn(&str) -> String + Send + Sync>;

/// How many pairs of a model and a provider, as requests name them, are remembered.
const KNOWN_MAX: usize = 1000;

/// The label values of a model and a provider.
type Pair = (SliceArc<str>, SliceArc<str>);

pub(super) struct Targets {
    prices: PriceTable,
    normalize: NormalizeModel,
    models: CappedNames,
    providers: CappedNames,
    /// By the names in the request. Most requests need only this look-up.
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

    /// The series of a model. An unknown model gets none of its own unless `admits` is true, because the name may be a typo. A
    /// model with a price is known.
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

    /// The two models of a fallback. A name that a failed request tried may be a typo.
    pub(super) fn fallback(&self, from_model: &str, to_model: &str, succeeded: bool) -> Pair {
        let to = self.name(to_model);
        let to = if succeeded { self.models.admit(&to) } else { self.models.known(&to) };
        (self.models.known(&self.name(from_model)), to)
    }

    /// May call the caller's function, so no lock may be held.
    fn name(&self, model: &str) -> String {
        (self.normalize)(model)
    }

    fn series_shown(&self, families: &Families, shown: Pair) -> Arc<ModelSeries> {
        if let Some(series) = self.series.read().get(&shown)
            && !series.is_removed()
        {
            return Arc::clone(series);
        }
        // Made without the lock: making a series may log a warning, and a subscriber of the log may record in this collector.
        // If two threads make one at once, both write the same series and the first is kept.
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
