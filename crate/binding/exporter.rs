//! The exporter for JavaScript: start, stop, and the event loop's heartbeat.

use crate::answer::Later;
use crate::config::NativeConfig;
use crate::error::{Result, engine};
use crate::host::{HostMessage, JavaScriptHost};
use crate::registry::NativeRegistry;
use crate::service::EmbeddingOptions;
use napi::bindgen_prelude::{Error, Function, Object, ToNapiValue};
use napi::{Env, JsDeferred};
use napi_derive::napi;
use prometheus_metrics::http::{Address, BEAT_INTERVAL, Exporter, ExporterOptions, Host};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
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
    settle_on_thread("prometheus-start", deferred, move || {
        // A panic here would leave the promise pending for ever.
        let started = catch_unwind(AssertUnwindSafe(|| Exporter::start(target, &config, options)));
        if !matches!(started, Ok(Ok(_))) {
            host.release();
        }
        Box::new(move |env| {
            let started = started.map_err(|_| Error::from_reason("starting panicked: please report it"))?;
            let exporter = Arc::new(started.map_err(|error| coded(&error))?);
            end_with(env, &exporter)?;
            Ok(NativeExporter { exporter, host })
        })
    });
    Ok(promise)
}

/// Works on a new thread and settles the promise there. If the system starts no thread, the promise is rejected here: one
/// that stays pending keeps the process alive.
fn settle_on_thread<T: ToNapiValue + 'static>(
    name: &str,
    deferred: JsDeferred<T, Later<T>>,
    work: impl FnOnce() -> Later<T> + Send + 'static,
) {
    let (give, take) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let later = work();
        let deferred: Option<JsDeferred<T, Later<T>>> = take.recv().ok();
        if let Some(deferred) = deferred {
            deferred.resolve(later);
        }
    });
    match thread {
        Ok(_) => drop(give.send(deferred)),
        Err(error) => {
            deferred.reject(Error::from_reason(format!("ENGINE: the system started no thread: {error}")));
        }
    }
}

/// A rejected promise carries a code of Node-API; our code goes in front of the message.
fn coded(error: &prometheus_metrics::MetricsError) -> Error {
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
        // No new connections are accepted from this line on, also if the thread below fails to start.
        exporter.stop(grace);
        settle_on_thread("prometheus-close", deferred, move || {
            exporter.close(grace);
            host.release();
            Box::new(|_| Ok(()))
        });
        Ok(promise)
    }
}
