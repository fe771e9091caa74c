//! The exporter for JavaScript: start, stop, and the event loop's heartbeat.

use crate::answer::Later;
use crate::config::NativeConfig;
use crate::error::{Result, engine};
use crate::host::{HostMessage, JavaScriptHost};
use crate::registry::NativeRegistry;
use crate::service::EmbeddingOptions;
use napi::Env;
use napi::bindgen_prelude::{Error, Function, Object};
use napi_derive::napi;
use prometheus_metrics::http::{
    Address, BEAT_INTERVAL, Exporter, ExporterOptions, Host, is_port_taken as is_taken, listen_failed,
};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// A running exporter.
#[napi]
pub struct NativeExporter {
    exporter: Arc<Exporter>,
    host: Arc<JavaScriptHost>,
}

/// The interval at which `beat()` must be called, in milliseconds.
#[napi(catch_unwind)]
pub fn beat_interval_ms() -> u32 {
    u32::try_from(BEAT_INTERVAL.as_millis()).unwrap_or(u32::MAX)
}

/// True if another socket listens on the port of these settings.
#[napi(catch_unwind)]
pub fn is_port_taken(config: &NativeConfig) -> bool {
    is_taken(&config.config)
}

/// Starts an exporter. A thread of its own resolves names, reads files and binds addresses.
#[napi(catch_unwind, ts_return_type = "Promise<NativeExporter>")]
pub fn start_exporter<'env>(
    env: &'env Env,
    registry: &NativeRegistry,
    config: &NativeConfig,
    embedding: EmbeddingOptions,
    receive: Function<'_, HostMessage, ()>,
) -> Result<Object<'env>> {
    let host = Arc::new(JavaScriptHost::new(&receive)?);
    let asked: Arc<dyn Host> = Arc::clone(&host) as Arc<dyn Host>;
    let options = ExporterOptions::default()
        .host(Some(asked))
        .has_callback(embedding.has_callback)
        .has_checks(embedding.has_checks)
        .own_values(embedding.own_values);
    let (target, config) = (Arc::clone(&registry.target), config.config.clone());
    let (deferred, promise) =
        env.create_deferred::<NativeExporter, Later<NativeExporter>>().map_err(engine)?;
    on_thread("prometheus-start", move |thread| {
        // A panic here would leave the promise pending for ever.
        let started = catch_unwind(AssertUnwindSafe(|| {
            thread.map_err(|error| listen_failed(&config, &error))?;
            let started = Exporter::start(target, &config, options);
            if started.is_err() {
                host.release();
            }
            started
        }));
        if !matches!(started, Ok(Ok(_))) {
            host.end();
        }
        deferred.resolve(Box::new(move |env| {
            let started = started.map_err(|_| Error::from_reason("starting panicked: please report it"))?;
            let exporter = Arc::new(started.map_err(|error| coded(&error))?);
            end_with(env, &exporter)?;
            Ok(NativeExporter { exporter, host })
        }));
    });
    Ok(promise)
}

/// Runs a job on a new thread. If none can be started, the job gets the reason, on this thread.
pub(crate) fn on_thread(name: &str, job: impl FnOnce(io::Result<()>) + Send + 'static) {
    start_thread(name, Box::new(job));
}

/// Compiled once: code that starts threads would be compiled for each type of job.
fn start_thread(name: &str, job: Box<dyn FnOnce(io::Result<()>) + Send>) {
    let job = Arc::new(Mutex::new(Some(job)));
    let take = |job: &Mutex<Option<_>>| job.lock().unwrap_or_else(PoisonError::into_inner).take();
    let taken = Arc::clone(&job);
    let job_of_thread: Box<dyn FnOnce() + Send> = Box::new(move || {
        if let Some(job) = take(&taken) {
            job(Ok(()));
        }
    });
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(job_of_thread);
    if let Err(error) = spawned
        && let Some(job) = take(&job)
    {
        job(Err(error));
    }
}

/// A rejected promise carries a code of Node-API; our code goes in front of the message.
pub(crate) fn coded(error: &prometheus_metrics::MetricsError) -> Error {
    Error::from_reason(format!("{}: {error}", error.kind().code()))
}

/// Ends an exporter with the realm that started it, also if the realm ends without closing it.
fn end_with(env: Env, exporter: &Arc<Exporter>) -> napi::Result<()> {
    let hook: Weak<Exporter> = Arc::downgrade(exporter);
    env.add_env_cleanup_hook(hook, |exporter| {
        if let Some(exporter) = exporter.upgrade() {
            exporter.close(Duration::ZERO);
        }
    })
    .map(drop)
}

#[napi]
impl NativeExporter {
    /// The base URL.
    #[napi(getter, catch_unwind)]
    pub fn url(&self) -> String {
        self.exporter.url()
    }

    /// The port that is listened on; 0 for a Unix socket.
    #[napi(getter, catch_unwind)]
    pub fn port(&self) -> u32 {
        match self.exporter.address() {
            Address::Tcp(address) => u32::from(address.port()),
            Address::Unix(_) => 0,
        }
    }

    /// Tells the exporter that the event loop turns.
    #[napi(catch_unwind)]
    pub fn beat(&self) {
        self.exporter.service().health().beat();
    }

    /// Sets the answer of `/ready`.
    #[napi(catch_unwind)]
    pub fn set_ready(&self, ready: bool) {
        self.exporter.service().health().set_ready(ready);
    }

    /// Sets whether scrapes have to ask JavaScript for values.
    #[napi(catch_unwind)]
    pub fn set_collects(&self, collects: bool) {
        self.host.set_collects(collects);
    }

    /// Gives open requests time to end. Resolves when all connections are closed, and the exporter holds nothing of the
    /// environment any more: test runners look for what is left open.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close<'env>(&self, env: &'env Env, grace_ms: f64) -> Result<Object<'env>> {
        let grace = Duration::try_from_secs_f64(grace_ms / 1000.0).unwrap_or_default();
        let (deferred, promise) = env.create_deferred::<(), Later<()>>().map_err(engine)?;
        let (exporter, host) = (Arc::clone(&self.exporter), Arc::clone(&self.host));
        // No new connections are accepted from this line on.
        exporter.stop(grace);
        on_thread("prometheus-close", move |thread| match thread {
            Ok(()) => {
                exporter.close(grace);
                host.release();
                deferred.resolve(Box::new(|_| Ok(())));
            }
            // The exporter's own thread ends by itself.
            Err(_) => exporter.when_ended(move || {
                host.end();
                deferred.resolve(Box::new(|_| Ok(())));
            }),
        });
        Ok(promise)
    }
}
