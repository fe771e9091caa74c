//! The pusher for JavaScript: start, flush, end. The waiting is done on other threads, but for the end of a process.

use crate::answer::Later;
use crate::config::NativeConfig;
use crate::error::{Result, engine};
use crate::exporter::{coded, on_thread};
use crate::host::{HostMessage, JavaScriptHost};
use crate::registry::NativeRegistry;
use crate::transport::WorkerTransport;
use napi::Env;
use napi::bindgen_prelude::{Error, Function, Object};
use napi_derive::napi;
use prometheus_metrics::http::Host;
use prometheus_metrics::push::{Pusher, PusherOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// A running pusher. A realm that ends without closing it stops it: Node.js has ended the worker that sends for it before.
#[napi]
pub struct NativePusher {
    pusher: Arc<Pusher>,
    host: Arc<JavaScriptHost>,
}

/// What a pusher has done so far.
#[napi(object, object_from_js = false)]
pub struct PushStats {
    /// Pushes that the receiver has accepted.
    pub pushes: f64,
    /// Samples that it has accepted.
    pub samples: f64,
    /// Bytes of accepted requests, compressed.
    pub bytes: f64,
    /// Attempts that failed. Most are repeated.
    pub failures: f64,
    /// Pushes that were given up.
    pub dropped: f64,
    /// Pushes that wait to be sent.
    pub queued: f64,
    /// When the receiver last accepted a push, in milliseconds since 1970.
    pub last_success_ms: Option<f64>,
    /// Why the last failed attempt failed.
    pub last_error: Option<String>,
    /// Another process of the run pushes.
    pub stands_by: bool,
}

/// Starts a pusher, which sends over the transport with this number. A thread of its own reads the files.
#[napi(catch_unwind, ts_return_type = "Promise<NativePusher>")]
pub fn start_pusher<'env>(
    env: &'env Env,
    registry: &NativeRegistry,
    config: &NativeConfig,
    own_values: bool,
    receive: Function<'_, HostMessage, ()>,
    transport: u32,
) -> Result<Object<'env>> {
    let transport = Box::new(WorkerTransport::take(transport)?);
    let host = Arc::new(JavaScriptHost::new(&receive)?);
    let asked: Arc<dyn Host> = Arc::clone(&host) as Arc<dyn Host>;
    let options = PusherOptions::default().host(Some(asked)).own_values(own_values);
    let (target, config) = (Arc::clone(&registry.target), config.config.clone());
    let (deferred, promise) = env.create_deferred::<NativePusher, Later<NativePusher>>().map_err(engine)?;
    on_thread("prometheus-start", move |thread| {
        // A panic here would leave the promise pending for ever.
        let started = catch_unwind(AssertUnwindSafe(|| {
            thread.map_err(|error| {
                Error::from_reason(format!("PUSH_FAILED: No thread can be started: {error}"))
            })?;
            Pusher::start_over(transport, target, &config, options).map_err(|error| coded(&error))
        }));
        if !matches!(started, Ok(Ok(_))) {
            host.end();
        }
        deferred.resolve(Box::new(move |_| {
            let started = started.map_err(|_| Error::from_reason("starting panicked: please report it"))?;
            Ok(NativePusher { pusher: Arc::new(started?), host })
        }));
    });
    Ok(promise)
}

fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}

#[napi]
impl NativePusher {
    /// The milliseconds between two pushes.
    #[napi(getter, catch_unwind)]
    pub fn interval_ms(&self) -> f64 {
        self.pusher.interval().as_secs_f64() * 1000.0
    }

    /// Sets whether a push has to ask JavaScript for values.
    #[napi(catch_unwind)]
    pub fn set_collects(&self, collects: bool) {
        self.host.set_collects(collects);
    }

    /// Pushes now. Rejects if the receiver has not accepted the push in this time.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn flush<'env>(&self, env: &'env Env, timeout_ms: f64) -> Result<Object<'env>> {
        let pusher = Arc::clone(&self.pusher);
        later(env, move || pusher.flush(duration(timeout_ms)).map_err(|error| coded(&error)))
    }

    /// Pushes once more and ends.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close<'env>(&self, env: &'env Env, timeout_ms: f64) -> Result<Object<'env>> {
        let (pusher, host) = (Arc::clone(&self.pusher), Arc::clone(&self.host));
        later(env, move || {
            pusher.close(duration(timeout_ms));
            host.release();
            Ok(())
        })
    }

    /// Begins what `closeNow` waits for.
    #[napi(catch_unwind)]
    pub fn begin_close(&self, timeout_ms: f64) {
        self.pusher.begin_close(duration(timeout_ms));
    }

    /// Pushes once more and ends, while JavaScript waits.
    #[napi(catch_unwind)]
    pub fn close_now(&self, timeout_ms: f64) {
        self.pusher.close_now(duration(timeout_ms));
    }

    /// What it has done so far.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> PushStats {
        let stats = self.pusher.stats();
        let since_1970 = |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).ok();
        PushStats {
            pushes: stats.pushes as f64,
            samples: stats.samples as f64,
            bytes: stats.bytes as f64,
            failures: stats.failures as f64,
            dropped: stats.dropped as f64,
            queued: stats.queued as f64,
            last_success_ms: stats.last_success.and_then(since_1970).map(|time| time.as_millis() as f64),
            last_error: stats.last_error,
            stands_by: stats.stands_by,
        }
    }
}

/// Runs a job on a new thread; the promise has its result.
fn later<'env>(
    env: &'env Env,
    job: impl FnOnce() -> napi::Result<()> + Send + 'static,
) -> Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred::<(), Later<()>>().map_err(engine)?;
    on_thread("prometheus-wait", move |thread| {
        let done =
            thread.map_err(|error| Error::from_reason(format!("PUSH_FAILED: {error}"))).and_then(|()| job());
        deferred.resolve(Box::new(|_| done));
    });
    Ok(promise)
}
