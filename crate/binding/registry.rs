//! Registries, and what is asked of them: an exposition, a response, values.

use crate::error::{Result, refused};
use crate::family::NativeFamily;
use crate::scrape::{EncodeTask, Encoded, Request, ScrapeTask, SendTask, response_object};
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Float64Array, Object};
use napi_derive::napi;
use prometheus_metrics::http::{Route, ScrapeService};
use prometheus_metrics::registry::{Contributor, Gathered, Kind, Process, Registry};
use prometheus_metrics::serialization::json;
use prometheus_metrics::{Format, Sample, SampleFamily};
use std::sync::Arc;

/// A registry.
#[napi]
pub struct NativeRegistry {
    pub(crate) registry: Arc<Registry>,
    /// The process whose contributors it can be merged with; none for a registry that is private to its realm.
    process: Option<Arc<Process>>,
}

/// The samples of a metric that is not of this library, checked.
#[napi]
pub struct NativeSamples {
    item: u32,
    family: SampleFamily,
}

/// What a metric of another library is at the moment.
#[napi(object)]
pub struct ForeignFamily {
    /// The place `add_foreign` answered with.
    pub item: u32,
    /// The family's name.
    pub name: String,
    /// The help text.
    pub help: String,
    /// The word for `# TYPE`.
    pub kind: String,
    /// One sample name a sample.
    pub sample_names: Vec<String>,
    /// Label names and values in turn, one list a sample.
    pub labels: Vec<Vec<String>>,
    /// One value a sample.
    pub values: Vec<f64>,
}

#[napi]
impl NativeSamples {
    /// Checks names.
    #[napi(constructor, catch_unwind)]
    pub fn new(foreign: ForeignFamily) -> Result<Self> {
        let mut samples = Vec::with_capacity(foreign.values.len());
        for ((name, labels), value) in foreign.sample_names.iter().zip(&foreign.labels).zip(&foreign.values) {
            let pairs: Vec<(&str, &str)> = labels
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[name, value]| (name.as_str(), value.as_str()))
                .collect();
            samples.push(Sample::new(name, &pairs, *value).map_err(refused)?);
        }
        let kind = Kind::from_word(&foreign.kind);
        let family = SampleFamily::new(&foreign.name, &foreign.help, kind, samples).map_err(refused)?;
        Ok(Self { item: foreign.item, family })
    }
}

/// Which part of a registry is wanted, and how.
#[napi(object)]
pub struct Wanted<'env> {
    /// A content type; text 0.0.4 where it is none of ours.
    pub content_type: String,
    /// Merge with the other contributors of the process.
    pub process: bool,
    /// Only these families; all where empty.
    pub names: Vec<String>,
    /// The foreign metrics of the registry.
    pub foreign: Vec<ClassInstance<'env, NativeSamples>>,
    /// A registry whose families follow.
    pub appended: Option<ClassInstance<'env, NativeRegistry>>,
}

#[napi]
impl NativeRegistry {
    /// A registry that is private to its realm.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self { registry: Arc::new(Registry::new()), process: None }
    }

    pub(crate) fn of_contributor(contributor: &Contributor, process: &Arc<Process>) -> Self {
        Self { registry: Arc::clone(contributor.registry()), process: Some(Arc::clone(process)) }
    }

    /// Adds a family and returns its place.
    #[napi(catch_unwind)]
    pub fn add(&self, family: &NativeFamily) -> Result<u32> {
        self.registry.register_family(Arc::clone(&family.family)).map_err(refused)
    }

    /// Keeps a place for a metric that is not of this library.
    #[napi(catch_unwind)]
    pub fn add_foreign(&self, name: String) -> Result<u32> {
        self.registry.register_foreign(&name).map_err(refused)
    }

    /// Removes what `add` or `add_foreign` placed.
    #[napi(catch_unwind)]
    pub fn remove(&self, item: u32) {
        self.registry.remove(item);
    }

    /// Removes everything, default labels too.
    #[napi(catch_unwind)]
    pub fn clear(&self) {
        self.registry.clear();
    }

    /// Replaces the default labels: names and values in turn.
    #[napi(catch_unwind)]
    pub fn set_default_labels(&self, labels: Vec<String>) -> Result<()> {
        let pairs =
            labels.as_chunks::<2>().0.iter().map(|[name, value]| (name.clone(), value.clone())).collect();
        self.registry.set_default_labels(pairs).map_err(refused)
    }

    /// Whether a scrape of this registry is at most `lines` lines, so that handing it to a thread costs more than
    /// writing it here.
    #[napi(catch_unwind)]
    pub fn is_small(&self, lines: u32, process: bool) -> bool {
        let alone = !process || self.process.as_ref().is_none_or(|process| process.is_alone());
        alone && self.registry.is_at_most(lines as usize)
    }

    /// The exposition, written on a thread of the pool.
    #[napi(catch_unwind, ts_return_type = "Promise<{text: string, mismatched: string[]}>")]
    pub fn encode(&self, wanted: Wanted<'_>) -> AsyncTask<EncodeTask> {
        AsyncTask::new(EncodeTask { request: self.request(wanted) })
    }

    /// The exposition, written here and now.
    #[napi(catch_unwind, ts_return_type = "{text: string, mismatched: string[]}")]
    pub fn encode_now<'env>(&self, env: &'env Env, wanted: Wanted<'_>) -> napi::Result<Object<'env>> {
        Encoded::of(&self.request(wanted)).into_object(env)
    }

    /// The answer to a scrape, made on a thread of the pool.
    #[napi(
        catch_unwind,
        ts_return_type = "Promise<{status: number, headers: string[], body: Buffer, mismatched: string[]}>"
    )]
    pub fn scrape(
        &self,
        wanted: Wanted<'_>,
        accept: Option<String>,
        accept_encoding: Option<String>,
    ) -> AsyncTask<ScrapeTask> {
        AsyncTask::new(ScrapeTask { request: self.request(wanted), accept, accept_encoding })
    }

    /// The answer to a scrape, made on a thread of the pool, for a door that sends the body in pieces.
    #[napi(
        catch_unwind,
        ts_return_type = "Promise<{status: number, headers: string[], body: NativeBody, mismatched: string[]}>"
    )]
    pub fn scrape_for_door(
        &self,
        wanted: Wanted<'_>,
        accept: Option<String>,
        accept_encoding: Option<String>,
    ) -> AsyncTask<SendTask> {
        AsyncTask::new(SendTask(ScrapeTask { request: self.request(wanted), accept, accept_encoding }))
    }

    /// The answer to a scrape, made here and now.
    #[napi(
        catch_unwind,
        ts_return_type = "{status: number, headers: string[], body: Buffer, mismatched: string[]}"
    )]
    pub fn scrape_now<'env>(
        &self,
        env: &'env Env,
        wanted: Wanted<'_>,
        accept: Option<String>,
        accept_encoding: Option<String>,
    ) -> napi::Result<Object<'env>> {
        let task = ScrapeTask { request: self.request(wanted), accept, accept_encoding };
        let (response, mismatched) = task.respond();
        response_object(env, response, mismatched)
    }

    /// The families as JSON, and their values beside it.
    #[napi(catch_unwind)]
    pub fn read(&self, wanted: Wanted<'_>) -> Values {
        Values::of(&self.request(wanted).gather())
    }

    fn request(&self, wanted: Wanted<'_>) -> Request {
        Request {
            registry: Arc::clone(&self.registry),
            process: self.process.clone().filter(|_| wanted.process),
            format: Format::from_content_type(&wanted.content_type).unwrap_or_default(),
            names: wanted.names,
            appended: wanted.appended.map(|registry| Arc::clone(&registry.registry)),
            foreign: wanted.foreign.iter().map(|samples| (samples.item, samples.family.clone())).collect(),
        }
    }
}

impl Values {
    pub(crate) fn of(gathered: &Gathered) -> Self {
        let (text, numbers) = json(gathered);
        Self { text, numbers: Float64Array::new(numbers) }
    }
}

/// Families as JSON. Values are beside the text, because JSON has no NaN and no infinities.
#[napi(object)]
pub struct Values {
    /// An array of families.
    pub text: String,
    /// One value a cell or sample, in the order of the text.
    pub numbers: Float64Array,
}

/// Answers every path but the exposition's; nothing for the exposition's.
#[napi(
    catch_unwind,
    ts_return_type = "{status: number, headers: string[], body: Buffer, mismatched: string[]} | null"
)]
pub fn answer<'env>(
    env: &'env Env,
    method: String,
    target: String,
    metrics_path: String,
    ready: bool,
) -> napi::Result<Option<Object<'env>>> {
    let service = ScrapeService::new().with_metrics_path(&metrics_path);
    match service.route(&method, &target) {
        Route::Metrics => Ok(None),
        route => response_object(env, service.answer(route, ready), Vec::new()).map(Some),
    }
}
