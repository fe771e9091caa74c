//! Registries: what is registered in them, their settings, and their expositions and values.

use crate::cardinality::{Cardinality, SeriesLimits, duration};
use crate::clock::NativeClock;
use crate::encode::{EncodeTask, Encoded, Request};
use crate::error::{Result, refused};
use crate::family::NativeFamily;
use crate::sanitizer::SanitizerSettings;
use crate::values::{ReadTask, Values};
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Object};
use napi_derive::napi;
use prometheus_metrics::http::Target;
use prometheus_metrics::registry::{Contributor, Kind, Process, Registry};
use prometheus_metrics::{Escaping, Format, Names, Sample, SampleFamily};
use std::sync::Arc;

/// A registry.
#[napi]
pub struct NativeRegistry {
    /// The registry, and the process with whose contributors it can be merged: no process if it is private to its
    /// realm.
    pub(crate) target: Arc<Target>,
}

/// The current samples of another library's metric.
#[napi(object)]
pub struct ForeignFamily {
    /// The family's name.
    pub name: String,
    /// The help text.
    pub help: String,
    /// The type's word in `# TYPE`.
    pub kind: String,
    /// The unit, if it has one.
    pub unit: Option<String>,
    /// The sample name of each sample.
    pub sample_names: Vec<String>,
    /// The labels of each sample: names and values, alternating.
    pub labels: Vec<Vec<String>>,
    /// The value of each sample.
    pub values: Vec<f64>,
}

/// Validates names and converts the samples.
fn samples(names: Names, foreign: ForeignFamily) -> Result<SampleFamily> {
    let mut samples = Vec::with_capacity(foreign.values.len());
    for ((name, labels), value) in foreign.sample_names.iter().zip(&foreign.labels).zip(&foreign.values) {
        let pairs: Vec<(&str, &str)> =
            labels.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect();
        samples.push(Sample::by(names, name, &pairs, *value).map_err(refused)?);
    }
    let kind = Kind::from_word(&foreign.kind);
    let family = SampleFamily::by(names, &foreign.name, &foreign.help, kind, samples).map_err(refused)?;
    Ok(family.with_unit(foreign.unit))
}

/// Selects the part of a registry to show, and the format.
#[napi(object)]
pub struct Wanted {
    /// A content type. Unknown types give text 0.0.4.
    pub content_type: String,
    /// Whether to merge with the other contributors of the process.
    pub process: bool,
    /// Whether to leave out the registry's own values, and show only those of the others.
    pub without_own: Option<bool>,
    /// Whether to leave out the other processes of a run.
    pub without_run: Option<bool>,
    /// Shows only these families; all families if it is empty.
    pub names: Vec<String>,
}

#[napi]
impl NativeRegistry {
    /// A registry that is private to its realm and uses its clock.
    #[napi(constructor, catch_unwind)]
    pub fn new(clock: &NativeClock) -> Result<Self> {
        Self::of(Target::new(Arc::new(Registry::with_clock(Arc::clone(&clock.clock))), None))
    }

    pub(crate) fn of_contributor(contributor: &Contributor, process: &Arc<Process>) -> Result<Self> {
        Self::of(Target::new(Arc::clone(contributor.registry()), Some(Arc::clone(process))))
    }

    fn of(target: prometheus_metrics::Result<Target>) -> Result<Self> {
        Ok(Self { target: Arc::new(target.map_err(refused)?) })
    }

    /// Adds a family and returns its id in this registry.
    #[napi(catch_unwind)]
    pub fn add(&self, family: &NativeFamily) -> Result<u32> {
        self.target.registry().register_family(Arc::clone(&family.family)).map_err(refused)
    }

    /// Registers a metric of another library and returns its id in this registry.
    #[napi(catch_unwind)]
    pub fn add_foreign(&self, name: String) -> Result<u32> {
        self.target.registry().register_foreign(&name).map_err(refused)
    }

    /// Replaces the samples of a metric that `add_foreign` has registered.
    #[napi(catch_unwind)]
    pub fn set_foreign(&self, item: u32, foreign: ForeignFamily) -> Result<()> {
        let registry = self.target.registry();
        registry.set_foreign(item, samples(registry.names(), foreign)?);
        Ok(())
    }

    /// Counts a call of a collector that failed or took too long.
    #[napi(catch_unwind)]
    pub fn collector_failed(&self, name: String) {
        self.target.collector_failed(&name);
    }

    /// Removes an item by the id that `add` or `add_foreign` returned.
    #[napi(catch_unwind)]
    pub fn remove(&self, item: u32) {
        self.target.registry().remove(item);
    }

    /// Removes all items, default labels and mounts.
    #[napi(catch_unwind)]
    pub fn clear(&self) {
        self.target.registry().clear();
    }

    /// Replaces the default labels: names and values, alternating.
    #[napi(catch_unwind)]
    pub fn set_default_labels(&self, labels: Vec<String>) -> Result<()> {
        let pairs =
            labels.as_chunks::<2>().0.iter().map(|[name, value]| (name.clone(), value.clone())).collect();
        self.target.registry().set_default_labels(pairs).map_err(refused)
    }

    /// Replaces the limits on series: of each family, and of all together.
    #[napi(catch_unwind)]
    pub fn set_limits(&self, limits: SeriesLimits, max_total: Option<u32>) {
        self.target.registry().cardinality_guard().set_config(limits.into_config(max_total));
    }

    /// Sets how long a value may stay unchanged before its series expires, in seconds; 0 means never.
    #[napi(catch_unwind)]
    pub fn set_ttl(&self, seconds: f64) {
        self.target.registry().set_ttl(Some(duration(seconds)));
    }

    /// Sets whether names may be any UTF-8.
    #[napi(catch_unwind)]
    pub fn set_utf8(&self, allowed: bool) {
        self.target.registry().set_names(if allowed { Names::Utf8 } else { Names::Legacy });
    }

    /// Sets whether OpenMetrics 1.0 shows when each series began.
    #[napi(catch_unwind)]
    pub fn set_created(&self, shown: bool) {
        self.target.registry().set_created(shown);
    }

    /// Sets the sanitizer for label values of new series. Without settings they are recorded unchanged.
    #[napi(catch_unwind)]
    pub fn set_sanitizer(&self, settings: Option<SanitizerSettings>) -> Result<()> {
        let sanitizer = settings.map(SanitizerSettings::into_sanitizer).transpose()?;
        self.target.registry().cardinality_guard().set_sanitizer(sanitizer);
        Ok(())
    }

    /// Reports the size of the registry.
    #[napi(catch_unwind)]
    pub fn cardinality(&self) -> Cardinality {
        Cardinality::of(self.target.registry().cardinality())
    }

    /// Shows another registry's families with this one's, with these labels added: names and values, alternating.
    #[napi(catch_unwind)]
    pub fn mount(&self, other: &NativeRegistry, labels: Vec<String>) -> Result<()> {
        let pairs =
            labels.as_chunks::<2>().0.iter().map(|[name, value]| (name.clone(), value.clone())).collect();
        self.target.registry().mount(other.target.registry(), pairs).map_err(refused)
    }

    /// Stops showing another registry's families; returns whether it was mounted.
    #[napi(catch_unwind)]
    pub fn unmount(&self, other: &NativeRegistry) -> bool {
        self.target.registry().unmount(other.target.registry())
    }

    /// True if passing an exposition of this registry to a thread costs more than writing it here.
    #[napi(catch_unwind)]
    pub fn is_small(&self, process: bool) -> bool {
        self.target.is_small(false, !process)
    }

    /// The exposition, written by a thread of the pool.
    #[napi(catch_unwind, ts_return_type = "Promise<{text: string, mismatched: string[]}>")]
    pub fn encode(&self, wanted: Wanted) -> AsyncTask<EncodeTask> {
        AsyncTask::new(EncodeTask { request: self.request(wanted) })
    }

    /// The exposition, written at once on this thread.
    #[napi(catch_unwind, ts_return_type = "{text: string, mismatched: string[]}")]
    pub fn encode_now<'env>(&self, env: &'env Env, wanted: Wanted) -> napi::Result<Object<'env>> {
        Encoded::of(&self.request(wanted))?.into_object(env)
    }

    /// The families as JSON, and their values, read by a thread of the pool.
    #[napi(catch_unwind, ts_return_type = "Promise<Values>")]
    pub fn read(&self, wanted: Wanted) -> AsyncTask<ReadTask> {
        AsyncTask::new(ReadTask { request: self.request(wanted) })
    }

    /// The same, read at once on this thread.
    #[napi(catch_unwind)]
    pub fn read_now(&self, wanted: Wanted) -> Values {
        Values::of(&self.request(wanted).gather(Escaping::AllowUtf8))
    }

    fn request(&self, wanted: Wanted) -> Request {
        Request {
            target: Arc::clone(&self.target),
            process: wanted.process,
            without_own: wanted.without_own.unwrap_or_default(),
            without_run: wanted.without_run.unwrap_or_default(),
            format: Format::from_content_type(&wanted.content_type).unwrap_or_default(),
            names: wanted.names,
        }
    }
}
