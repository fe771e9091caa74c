//! The contributor of one realm: its default registry, its cells, and its removal when the realm ends.

use crate::buffers::{EngineSlabs, engine_takes_external_memory, external_array_buffer};
use crate::cardinality::{SeriesLimits, duration};
use crate::clock::NativeClock;
use crate::error::{Result, engine, invalid_config, refused};
use crate::family::NativeFamily;
use crate::registry::NativeRegistry;
use crate::remover::RealmRemover;
use crate::scratch::Scratch;
use napi::Env;
use napi::bindgen_prelude::{Function, Object, sys};
use napi_derive::napi;
use prometheus_metrics::Names;
use prometheus_metrics::processes::{
    JoinOptions, announce_ports, join, join_run_of, live_processes, look_after, port_use, run_folder,
    take_warnings, warn, was_read,
};
use prometheus_metrics::registry::{
    Aggregator, Contributor, Descriptor, Family, Kind, NativeHistogramOptions, Process, Remover,
    SummaryOptions,
};
use prometheus_metrics::slab::Cells;
use std::sync::{Arc, Weak};

/// Takes part in the process's totals for one realm.
#[napi]
pub struct NativeContributor {
    membership: Arc<Membership>,
    engine_slabs: Option<Arc<EngineSlabs>>,
    remover: Arc<RealmRemover>,
    scratch: Scratch,
}

/// How a process joins the run of its service.
#[napi(object, object_to_js = false)]
pub struct ShareOptions {
    /// The folder of runs.
    pub dir: Option<String>,
    /// The name of the service.
    pub name: String,
    /// The folder of the run itself. `dir` and `name` are ignored then.
    pub run: Option<String>,
    /// The value of the label `worker`.
    pub worker: Option<String>,
    /// Whether the counts outlive the last process.
    pub keep: bool,
    /// Whether to fail at once if another process holds the run's lock.
    pub at_once: Option<bool>,
}

impl ShareOptions {
    fn into_options(self) -> JoinOptions {
        let Self { dir, name, run, worker, keep, at_once } = self;
        let (dir, run) = (dir.map(Into::into), run.map(Into::into));
        let options = JoinOptions::default().dir(dir).name(name).run(run).worker(worker).keep(keep);
        options.at_once(at_once.unwrap_or_default())
    }
}

/// A contributor and the process that it joined. It leaves once, at the end of the realm or of the thread, whichever
/// comes first: their order is not defined.
struct Membership {
    contributor: Arc<Contributor>,
    process: Arc<Process>,
}

impl Membership {
    fn end(&self) {
        let cells = self.contributor.cells();
        // After this the values lie in memory that outlives the engine's. Heap slabs are there already.
        (0..cells.slab_count()).filter_map(|number| cells.slab(number)).for_each(|slab| slab.detach());
        self.process.leave(&self.contributor);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.process.leave(&self.contributor);
    }
}

/// The description of a family to make.
#[napi(object)]
pub struct FamilyDescription {
    /// `counter`, `gauge`, `histogram`, `summary`, `info` or `stateset`.
    pub kind: String,
    /// The metric's name.
    pub name: String,
    /// The help text.
    pub help: String,
    /// The label names in the order they were declared.
    pub label_names: Vec<String>,
    /// Upper bounds of a histogram's buckets; empty for other types.
    pub buckets: Vec<f64>,
    /// The settings of a summary.
    pub summary: Option<SummaryDescription>,
    /// The settings of a native histogram.
    pub native: Option<NativeHistogramDescription>,
    /// The unit, which OpenMetrics shows.
    pub unit: Option<String>,
    /// How gauges of several contributors are merged.
    pub aggregator: String,
    /// The family's own limits.
    pub limits: SeriesLimits,
    /// How long a value may stay unchanged before its series expires, in seconds. 0: never. Not set: the registry's
    /// setting.
    pub ttl_seconds: Option<f64>,
    /// Whether names may be any UTF-8.
    pub utf8: Option<bool>,
}

/// The settings of a summary.
#[napi(object)]
pub struct SummaryDescription {
    /// From 0 to 1, ascending.
    pub quantiles: Vec<f64>,
    /// The age at which an observation is forgotten. Not set: nothing is forgotten.
    pub max_age_seconds: Option<f64>,
    /// The number of steps in which observations are forgotten.
    pub age_buckets: u32,
    /// Whether series are removed whose observations are all forgotten.
    pub prune: bool,
}

/// The settings of a native histogram.
#[napi(object)]
pub struct NativeHistogramDescription {
    /// Above 1: each bucket is at most by this factor wider than the one before.
    pub bucket_factor: f64,
    /// The largest number of populated buckets; 0 for any.
    pub max_buckets: u32,
    /// How long after its last beginning a histogram may begin anew. 0: never.
    pub min_reset_seconds: f64,
    /// The zero bucket has the values up to this distance from 0.
    pub zero_threshold: f64,
    /// How wide the zero bucket may become.
    pub max_zero_threshold: f64,
}

impl NativeHistogramDescription {
    fn into_options(self) -> NativeHistogramOptions {
        NativeHistogramOptions::default()
            .bucket_factor(self.bucket_factor)
            .max_buckets(self.max_buckets)
            .min_reset(duration(self.min_reset_seconds))
            .zero_threshold(self.zero_threshold)
            .max_zero_threshold(self.max_zero_threshold)
    }
}

impl SummaryDescription {
    fn into_options(self) -> SummaryOptions {
        let window = self.max_age_seconds.map(|age| (duration(age), self.age_buckets));
        SummaryOptions::default().quantiles(self.quantiles).window(window).prune(self.prune).buffered(true)
    }
}

#[napi]
impl NativeContributor {
    /// Joins the process: as a realm of the main thread, or as a worker. With `engine_memory` the engine allocates the
    /// slabs, which is necessary for engines that accept no memory of ours.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, main_thread: bool, engine_memory: bool) -> Result<Self> {
        let lend = !engine_memory && engine_takes_external_memory(env);
        let engine_slabs = (!lend).then(|| EngineSlabs::new(env));
        let cells = engine_slabs.as_ref().map_or_else(Cells::on_heap, |slabs| slabs.cells());
        let contributor = Arc::new(Contributor::new(cells));
        let scratch = Scratch::new(contributor.cells());
        let process = if main_thread { Process::of_main_thread() } else { Process::of_worker() };
        process.join(Arc::clone(&contributor));
        if lend && let Err(error) = join_run_of(&process, &contributor) {
            // The program runs on without: this process alone shows the values of the thread.
            warn(&process, &error.to_string());
        }
        let remover = Arc::new(RealmRemover::new(&contributor, &process));
        let membership = Arc::new(Membership { contributor, process });
        let hook: Weak<Membership> = Arc::downgrade(&membership);
        env.add_env_cleanup_hook(hook, |membership| {
            if let Some(membership) = membership.upgrade() {
                membership.end();
            }
        })
        .map_err(engine)?;
        Ok(Self { membership, engine_slabs, remover, scratch })
    }

    /// Joins the run of a service, with the values of now; returns the run's folder. A second call changes nothing.
    #[napi(catch_unwind)]
    pub fn share(&self, options: ShareOptions) -> Result<String> {
        if self.engine_slabs.is_some() {
            let message = "Expected an engine that accepts memory of the addon: others cannot share metrics";
            return Err(invalid_config(message.to_owned()));
        }
        let Membership { contributor, process } = &*self.membership;
        let folder = join(process, contributor, &options.into_options()).map_err(refused)?;
        Ok(folder.display().to_string())
    }

    /// The folder of the run that `share` would join; `None` if this realm cannot share its values. Makes nothing.
    #[napi(catch_unwind)]
    pub fn run_folder(&self, options: ShareOptions) -> Option<String> {
        let can_share = self.engine_slabs.is_none();
        let folder = can_share.then(|| run_folder(&options.into_options())).flatten()?;
        Some(folder.display().to_string())
    }

    /// The process numbers of the live processes of the run, this one included; empty without a run.
    #[napi(catch_unwind)]
    pub fn shared_with(&self) -> Vec<u32> {
        live_processes(&self.membership.process)
    }

    /// True if another process has read the run since the last call.
    #[napi(catch_unwind)]
    pub fn was_read(&self) -> bool {
        was_read(&self.membership.process)
    }

    /// Looks after this realm's file; returns whether it is another one now.
    #[napi(catch_unwind)]
    pub fn look_after(&self) -> Result<bool> {
        look_after(&self.membership.process, &self.membership.contributor).map_err(refused)
    }

    /// What the run has to warn of since the last call.
    #[napi(catch_unwind)]
    pub fn take_warnings(&self) -> Vec<String> {
        take_warnings(&self.membership.process)
    }

    /// Says which ports this realm listens on, and which it is trying to.
    #[napi(catch_unwind)]
    pub fn set_ports(&self, listening: Vec<u32>, tried: Vec<u32>) {
        announce_ports(&self.membership.contributor, &listening, &tried);
    }

    /// Whether another contributor of the run listens on this port: `false` while it is trying to, `null` if none does.
    #[napi(catch_unwind)]
    pub fn port_use(&self, port: u32) -> Option<bool> {
        port_use(&self.membership.process, &self.membership.contributor, port)
    }

    /// The registry that is merged with those of the other contributors.
    #[napi(catch_unwind)]
    pub fn registry(&self) -> Result<NativeRegistry> {
        NativeRegistry::of_contributor(&self.membership.contributor, &self.membership.process)
    }

    /// The clock of its registry.
    #[napi(catch_unwind)]
    pub fn clock(&self) -> NativeClock {
        NativeClock { clock: Arc::clone(self.membership.contributor.clock()) }
    }

    /// A family whose cells are this contributor's.
    #[napi(catch_unwind)]
    pub fn family(&self, description: FamilyDescription) -> Result<NativeFamily> {
        let FamilyDescription {
            kind,
            name,
            help,
            label_names,
            buckets,
            summary,
            native,
            unit,
            aggregator,
            limits,
            ttl_seconds,
            utf8,
        } = description;
        let rule = if utf8 == Some(true) { Names::Utf8 } else { Names::Legacy };
        let labels: Vec<&str> = label_names.iter().map(String::as_str).collect();
        let descriptor = match Kind::from_word(&kind) {
            Kind::Histogram => {
                let classic = Descriptor::histogram_by(rule, &name, &help, &labels, &buckets);
                match native {
                    Some(native) => classic.and_then(|it| it.with_native(native.into_options())),
                    None => classic,
                }
            }
            Kind::Summary => {
                let options = summary.map(SummaryDescription::into_options).unwrap_or_default();
                Descriptor::summary_by(rule, &name, &help, &labels, options)
            }
            kind => Descriptor::by(rule, kind, &name, &help, &labels),
        };
        let descriptor = match &unit {
            Some(unit) => descriptor.and_then(|descriptor| descriptor.with_unit(unit)),
            None => descriptor,
        };
        let aggregator = Aggregator::from_name(&aggregator).unwrap_or_default();
        let descriptor = descriptor.map_err(refused)?.with_aggregator(aggregator);
        let contributor = &self.membership.contributor;
        let family = Family::with_limits(descriptor, Arc::clone(contributor.cells()), limits.into_limits())
            .with_clock(Arc::clone(contributor.clock()))
            .with_remover(Arc::clone(&self.remover) as Arc<dyn Remover>);
        let family = match ttl_seconds {
            Some(ttl) => family.with_ttl(duration(ttl)),
            None => family,
        };
        Ok(NativeFamily::new(family, self.scratch.clone()))
    }

    /// Sets the callback for expired series of this contributor's families. `takeExpired()` returns the series then.
    #[napi(catch_unwind)]
    pub fn on_expired(&self, callback: Function<'_, (), ()>) -> Result<()> {
        self.remover.on_expired(&callback)
    }

    /// The slot of the scratch memory of `SCRATCH_BYTES` bytes that all families of this contributor use.
    #[napi(catch_unwind)]
    pub fn scratch(&self) -> u32 {
        self.scratch.slot()
    }

    /// The `ArrayBuffer` of the slab with this number. Each call for a slab makes a new buffer over the same cells.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn slab(&self, env: Env, number: u32) -> Result<Object<'_>> {
        let buffer = match &self.engine_slabs {
            Some(slabs) => slabs.array_buffer(number as usize),
            None => match self.membership.contributor.cells().slab(number as usize) {
                Some(slab) => external_array_buffer(env, slab),
                None => Err(napi::Error::from_reason(format!("there is no slab {number}"))),
            },
        };
        buffer.map(|buffer| object(env, buffer)).map_err(engine)
    }
}

fn object<'env>(env: Env, value: sys::napi_value) -> Object<'env> {
    Object::from_raw(env.raw(), value)
}
