//! Starts and stops pushers.

#[cfg(feature = "push-http")]
use super::client::HttpClient;
use super::credentials::Credentials;
use super::encode::Gatherer;
use super::queue::Queue;
use super::self_metrics::SelfMetrics;
use super::sender;
use super::settings::{Protocol, read};
use super::shared::{Command, PushStats, Shared, State};
use super::tls_files::TlsFiles;
use super::transport::Transport;
use super::turns::Turns;
use super::worker::Worker;
use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::http::{Host, Target};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the end of the thread may take after the deadline of the last push.
const PATIENCE: Duration = Duration::from_millis(200);

const CLOSED: &str = "Expected an open pusher but it is closed";

/// The program that a pusher belongs to.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct PusherOptions {
    #[doc(hidden)]
    /// Asked to run collectors. `None` for a program in Rust only.
    pub host: Option<Arc<dyn Host>>,
    /// Push only the registry's own values, without those of the other contributors of its process and of its run. Without
    /// it, one pusher of a run pushes for all that have the same settings.
    pub own_values: bool,
}

setters!(PusherOptions { host: Option<Arc<dyn Host>>, own_values: bool });

/// A running pusher. Closing it pushes once more; dropping it does not.
pub struct Pusher {
    shared: Arc<Shared>,
}

impl Pusher {
    /// Starts to push, over this crate's own client. The first push is sent within a second.
    ///
    /// # Errors
    /// `InvalidConfig` for invalid settings and files; `PushFailed` if no thread can be started.
    #[cfg(feature = "push-http")]
    pub fn start(target: Arc<Target>, config: &MetricsConfig, options: PusherOptions) -> Result<Self> {
        Self::start_over(Box::new(HttpClient::default()), target, config, options)
    }

    /// Starts to push over another transport. It is dropped when the pusher has ended.
    ///
    /// # Errors
    /// As for `start`.
    pub fn start_over(
        mut transport: Box<dyn Transport>,
        target: Arc<Target>,
        config: &MetricsConfig,
        options: PusherOptions,
    ) -> Result<Self> {
        let (receiver, identity) = read(config)?;
        let protocol = receiver.protocol;
        let mut files = TlsFiles::new(config, receiver.is_secure)?;
        let metrics = SelfMetrics::new(target.pusher_metrics(), &receiver.name)?;
        // A Pushgateway keeps the newest push alone.
        let length = if protocol == Protocol::Pushgateway { 1 } else { config.push_queue_length };
        let shared = Arc::new(Shared {
            credentials: Credentials::new(config, &receiver)?,
            receiver,
            metrics,
            host: options.host,
            interval: config.push_interval,
            timeout: config.push_timeout,
            state: Mutex::new(State::new(
                Queue::new(length, config.push_queue_bytes),
                protocol == Protocol::RemoteWrite,
            )),
            changed: Condvar::new(),
            ending: watch::Sender::new(false),
        });
        let process = target.process().filter(|_| !options.own_values).cloned();
        let turns = Turns::new(process, identity.key.clone());
        let gatherer = Gatherer::new(&shared.receiver, identity, target, options.own_values);
        let failed = |error: io::Error| failure(&format!("The pusher's threads do not start: {error}"));
        let worker = Worker::new(Arc::clone(&shared), gatherer, turns).map_err(failed)?;
        // From here on an early return ends the sender too.
        let end = EndGuard(Arc::clone(&shared));
        let sending = Arc::clone(&shared);
        // Boxed: code that starts threads is compiled for each type of job.
        let start = |name: &str, job: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(job).map(drop).map_err(failed)
        };
        let send = move || sender::run(&sending, transport.as_mut(), files.as_mut());
        start("prometheus-send", Box::new(send))?;
        let run = move || {
            let _end = end;
            worker.run();
        };
        start("prometheus-push", Box::new(run))?;
        Ok(Self { shared })
    }

    /// The time between two pushes.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.shared.interval
    }

    /// Gathers now, and waits until the receiver has accepted the push. A pusher that stands by has its values collected, for
    /// the next push of the one that pushes.
    ///
    /// # Errors
    /// `PushFailed` with the receiver's answer if it does not accept the push, or does not answer within `timeout`.
    pub fn flush(&self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        let reply = Arc::new(OnceLock::new());
        if !self.tell(Command::Push { budget: timeout / 2, reply: Arc::clone(&reply) }) {
            return Err(failure(CLOSED));
        }
        let mut state = self.shared.state.lock();
        while reply.get().is_none()
            && !state.has_ended
            && !self.shared.changed.wait_until(&mut state, deadline).timed_out()
        {}
        let Some(id) = reply.get().copied().flatten() else {
            return Err(failure(if state.has_ended { CLOSED } else { "Nothing was gathered in time" }));
        };
        state.hurries += 1;
        self.shared.changed.notify_all();
        while state.settled < id
            && !state.has_ended
            && !self.shared.changed.wait_until(&mut state, deadline).timed_out()
        {}
        if state.accepted >= id {
            return Ok(());
        }
        let what = if state.settled < id { "has not answered in time" } else { "did not accept the push" };
        let last = state.stats.last_error.as_deref();
        let why = last.map_or_else(String::new, |error| format!("; last failure: {error}"));
        Err(failure(&format!("{} {what}{why}", self.shared.receiver.name)))
    }

    /// Gathers and pushes for the last time, marks all series as ended where the protocol can, and ends the thread. Blocks
    /// for at most `timeout` and a moment; returns whether the receiver has accepted the last push. If another pusher of the
    /// run goes on, that one pushes, and this one only ends.
    pub fn close(&self, timeout: Duration) -> bool {
        self.end(timeout, true)
    }

    #[doc(hidden)]
    /// Like `close`, for a program whose thread waits here, and so cannot run collectors.
    pub fn close_now(&self, timeout: Duration) -> bool {
        self.end(timeout, false)
    }

    #[doc(hidden)]
    /// Begins what `close_now` waits for.
    pub fn begin_close(&self, timeout: Duration) {
        self.tell(Command::End { deadline: Instant::now() + timeout, collects: false });
    }

    fn end(&self, timeout: Duration, collects: bool) -> bool {
        let deadline = Instant::now() + timeout;
        self.tell(Command::End { deadline, collects });
        let mut state = self.shared.state.lock();
        let patience = deadline + PATIENCE;
        while !state.has_ended && !self.shared.changed.wait_until(&mut state, patience).timed_out() {}
        state.is_complete
    }

    /// Returns false if the thread has ended.
    fn tell(&self, command: Command) -> bool {
        let mut state = self.shared.state.lock();
        if state.has_ended {
            return false;
        }
        if !matches!(command, Command::Push { .. }) {
            self.shared.ending.send_replace(true);
        }
        state.commands.push_back(command);
        self.shared.changed.notify_all();
        true
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> PushStats {
        let state = self.shared.state.lock();
        PushStats { queued: state.queue.len() as u64, ..state.stats.clone() }
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        self.tell(Command::Stop);
    }
}

fn failure(text: &str) -> MetricsError {
    MetricsError::new(ErrorKind::PushFailed, text)
}

/// Reports the end of the thread that gathers, even if it panicked.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.state.lock().has_ended = true;
        self.0.changed.notify_all();
    }
}
