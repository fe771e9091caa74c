//! Starts and stops the exporter: an HTTP server on a thread of its own, so that it answers while the host program is
//! busy. One thread with one tokio runtime is enough: other threads write the expositions, this one copies bytes.

use super::connection::Timeouts;
use super::gate::Gate;
use super::handler::{Embedding, ScrapeService};
use super::host::Host;
use super::listener::{Address, Listener, listen_failed};
use super::pem::Pem;
use super::places::Places;
use super::router::Door;
use super::server::Server;
use super::target::Target;
use super::tls::Tls;
use super::tls_config::{ClientAuth, TlsConfig};
use super::web_config::WebConfig;
use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// TLS from the settings. Without any, a web configuration file can still configure TLS.
fn tls_config(config: &MetricsConfig) -> Result<Option<TlsConfig>> {
    let file = |name: &String| Pem::from(PathBuf::from(name));
    let (cert, key) = match (&config.tls_cert_file, &config.tls_key_file) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) if config.tls_client_ca_file.is_none() && config.tls_client_auth.is_none() => {
            return Ok(None);
        }
        _ => {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                "Expected both tlsCertFile and tlsKeyFile for TLS but received one of the TLS settings alone",
            ));
        }
    };
    let mut tls = TlsConfig::new(file(cert), file(key));
    tls.client_ca = config.tls_client_ca_file.as_ref().map(file);
    tls.client_auth = match &config.tls_client_auth {
        Some(policy) => ClientAuth::parse(policy)?,
        // A configured authority means that clients need a certificate.
        None if tls.client_ca.is_some() => ClientAuth::RequireAndVerifyClientCert,
        None => ClientAuth::NoClientCert,
    };
    Ok(Some(tls))
}

const TLS_OPTIONS: [&str; 4] = ["tlsCertFile", "tlsKeyFile", "tlsClientCaFile", "tlsClientAuth"];

fn tls(config: &MetricsConfig, web: &mut WebConfig) -> Result<Option<Tls>> {
    let own = tls_config(config).map_err(|error| config.blame(&error, &TLS_OPTIONS))?;
    let blamed: &[&str] = if own.is_some() { &TLS_OPTIONS } else { &["webConfigFile"] };
    let tls = own.or(web.tls.take()).map(Tls::new).transpose();
    tls.map_err(|error| config.blame(&error, blamed))
}

/// Checks everything that an endpoint with these settings would refuse at its start, files included; binds nothing. The
/// settings of a listener are checked only if there is one.
///
/// # Errors
/// `InvalidConfig` with the variable or option, the expected and the received value.
pub fn check_config(config: &MetricsConfig, has_listener: bool) -> Result<()> {
    let mut web = WebConfig::of(config)?;
    if has_listener {
        tls(config, &mut web)?;
    }
    Gate::new(config, &web, false).map(drop)
}

/// The program that an exporter belongs to.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ExporterOptions {
    #[doc(hidden)]
    /// Asked to run collectors and readiness checks, and to authorize requests. `None` for a program in Rust only.
    pub host: Option<Arc<dyn Host>>,
    #[doc(hidden)]
    /// The host has an `authenticate` callback.
    pub has_callback: bool,
    #[doc(hidden)]
    /// The host has readiness checks.
    pub has_checks: bool,
    /// Show only the registry's own values, without those of the other contributors of its process.
    pub own_values: bool,
}

setters!(ExporterOptions {
    host: Option<Arc<dyn Host>>,
    has_callback: bool,
    has_checks: bool,
    own_values: bool,
});

/// A running exporter. Closing or dropping it stops it.
pub struct Exporter {
    service: Arc<ScrapeService>,
    address: Address,
    secure: bool,
    /// How long open connections may still live; `None` while the exporter runs.
    closing: watch::Sender<Option<Duration>>,
    thread: Arc<ExporterThread>,
}

/// Tells when the exporter's thread has begun to listen, and when it has ended.
#[derive(Default)]
struct ExporterThread {
    state: Mutex<ThreadState>,
    changed: Condvar,
}

#[derive(Default)]
struct ThreadState {
    /// Whether it listens, or why it cannot.
    started: Option<io::Result<()>>,
    has_ended: bool,
    /// Called when the thread ends.
    waiting: Vec<Box<dyn FnOnce() + Send>>,
}

impl ExporterThread {
    fn report_start(&self, outcome: io::Result<()>) {
        self.state.lock().started.get_or_insert(outcome);
        self.changed.notify_all();
    }

    /// Waits until the thread listens.
    fn wait_for_start(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        loop {
            if let Some(outcome) = state.started.take() {
                return outcome;
            }
            if state.has_ended {
                return Err(io::Error::other("its thread has ended"));
            }
            self.changed.wait(&mut state);
        }
    }
}

impl Exporter {
    /// Binds the address and starts to answer. Binding resolves the host name, which can take time.
    ///
    /// # Errors
    /// `InvalidConfig` for invalid settings, files or certificates; `BindFailed` if the address cannot be bound.
    pub fn start(target: Arc<Target>, config: &MetricsConfig, options: ExporterOptions) -> Result<Self> {
        let mut web = WebConfig::of(config)?;
        let tls = tls(config, &mut web)?.map(Arc::new);
        let embedding = Embedding {
            owns_all_paths: true,
            has_callback: options.has_callback,
            has_checks: options.has_checks,
            own_values: options.own_values,
            has_page: false,
        };
        let service = Arc::new(ScrapeService::with_web(target, config, web, embedding)?);
        let counting = Arc::clone(&service);
        let places = Places::new(config, move |standing| {
            if let Some(metrics) = counting.listener_metrics() {
                metrics.displaced(standing);
            }
        })?;
        let (listener, address) =
            Listener::bind(config).map_err(|error| config.blame(&error, &["socket", "host", "port"]))?;
        let secure = tls.is_some();
        let door = Door::new(Arc::clone(&service), options.host.clone(), config.ready_timeout)
            .with_places(Arc::clone(&places));
        let (closing, is_closing) = watch::channel(None);
        let thread = Arc::new(ExporterThread::default());
        let server = Server {
            door,
            service: Arc::clone(&service),
            tls,
            host: options.host,
            timeouts: Timeouts::new(config),
            max_header_bytes: config.max_header_bytes,
            max_headers: config.max_headers,
            places,
            closing: is_closing,
        };
        let failed = |error: io::Error| listen_failed(config, &error);
        let end = EndGuard(Arc::clone(&thread));
        std::thread::Builder::new()
            .name("prometheus-exporter".to_owned())
            .spawn(move || {
                server.run(listener, &|outcome| end.0.report_start(outcome));
            })
            .map_err(failed)?;
        // The thread needs file descriptors and memory, so it can fail to start.
        thread.wait_for_start().map_err(failed)?;
        Ok(Self { service, address, secure, closing, thread })
    }

    /// The address it listens on, with the actual port.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The address as a URL without a path. URLs of Unix sockets have no standard form; this returns `unix:<path>`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        match &self.address {
            Address::Unix(path) => format!("unix:{}", path.display()),
            Address::Tcp(address) => {
                // An exporter that listens on all addresses is reached on the loopback address.
                let reached = match address.ip() {
                    ip if !ip.is_unspecified() => ip,
                    IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
                    IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
                };
                format!("{scheme}://{}", SocketAddr::new(reached, address.port()))
            }
        }
    }

    /// The service that decides the answers.
    #[must_use]
    pub fn service(&self) -> &Arc<ScrapeService> {
        &self.service
    }

    /// Accepts no new connections, gives open requests `grace` to finish, then closes all connections. Blocks until
    /// the exporter has stopped, at most one second longer than `grace`.
    pub fn close(&self, grace: Duration) {
        self.stop(grace);
        let deadline = Instant::now() + grace + Duration::from_secs(1);
        let mut state = self.thread.state.lock();
        while !state.has_ended && !self.thread.changed.wait_until(&mut state, deadline).timed_out() {}
    }

    #[doc(hidden)]
    /// Calls `done` when the exporter has stopped: on its thread, or at once if it has stopped already. For a program
    /// that cannot start a thread for `close`.
    pub fn when_ended(&self, done: impl FnOnce() + Send + 'static) {
        let mut state = self.thread.state.lock();
        if state.has_ended {
            drop(state);
            done();
        } else {
            state.waiting.push(Box::new(done));
        }
    }

    /// Like `close`, but returns at once.
    pub fn stop(&self, grace: Duration) {
        self.closing.send_if_modified(|closing| {
            let shorter = closing.is_none_or(|former| grace < former);
            if shorter {
                *closing = Some(grace);
            }
            shorter
        });
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

/// Reports the end of the thread, even if it panicked.
struct EndGuard(Arc<ExporterThread>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.state.lock();
            state.has_ended = true;
            std::mem::take(&mut state.waiting)
        };
        self.0.changed.notify_all();
        for done in waiting {
            done();
        }
    }
}
