//! The native door: a listener on a thread of its own, which answers whatever the embedding program is doing. One
//! thread with one tokio runtime is enough: expositions are written elsewhere, and what is left is copying.

use super::connection::Timeouts;
use super::handler::{Embedding, ScrapeService};
use super::host::Host;
use super::listener::{Address, Listener, address_text, bind_failed};
use super::pem::Pem;
use super::router::Door;
use super::server::Server;
use super::target::Target;
use super::tls::{ClientAuth, Tls, TlsConfig};
use super::web_config::WebConfig;
use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use parking_lot::{Condvar, Mutex};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

/// TLS as the settings ask for it; a web configuration file may ask for more.
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
        // Whoever names authorities wants their certificates.
        None if tls.client_ca.is_some() => ClientAuth::RequireAndVerifyClientCert,
        None => ClientAuth::NoClientCert,
    };
    Ok(Some(tls))
}

/// What an exporter belongs to.
#[derive(Clone, Default)]
pub struct ExporterOptions {
    /// The program that is asked for collectors' work, readiness and permission; none where Rust is all there is.
    pub host: Option<Arc<dyn Host>>,
    /// The host lets in whom it likes.
    pub has_callback: bool,
    /// The host has readiness checks.
    pub has_checks: bool,
    /// Only the registry's own values, not those of the other contributors of its process.
    pub own_values: bool,
}

/// A running exporter. It ends when it is closed or dropped.
pub struct Exporter {
    service: Arc<ScrapeService>,
    address: Address,
    secure: bool,
    /// How long open connections may go on; nothing while the exporter runs.
    closing: watch::Sender<Option<Duration>>,
    ended: Arc<Ended>,
}

/// Whether the thread has ended.
#[derive(Default)]
struct Ended {
    is: Mutex<bool>,
    changed: Condvar,
}

impl Exporter {
    /// Binds and begins to answer. Binding may take as long as resolving the host's name does.
    ///
    /// # Errors
    /// `InvalidConfig` for settings, files and certificates that cannot be used; `BindFailed`.
    pub fn start(target: Arc<Target>, config: &MetricsConfig, options: ExporterOptions) -> Result<Self> {
        let mut web = WebConfig::of(config)?;
        let tls = tls_config(config)?.or(web.tls.take());
        let tls = tls.map(Tls::new).transpose()?.map(Arc::new);
        let embedding = Embedding {
            owns_all_paths: true,
            has_callback: options.has_callback,
            has_checks: options.has_checks,
            own_values: options.own_values,
        };
        let service = Arc::new(ScrapeService::with_web(target, config, web, embedding)?);
        let (listener, address) = Listener::bind(config)?;
        let secure = tls.is_some();
        let door = Door::new(Arc::clone(&service), options.host.clone(), config.ready_timeout);
        let (closing, is_closing) = watch::channel(None);
        let ended = Arc::new(Ended::default());
        let server = Server {
            router: door.router(),
            service: Arc::clone(&service),
            tls,
            host: options.host,
            timeouts: Timeouts::new(config),
            max_header_bytes: config.max_header_bytes,
            max_headers: config.max_headers,
            connections: Arc::new(Semaphore::new(config.max_connections)),
            closing: is_closing,
        };
        let end = EndGuard(Arc::clone(&ended));
        std::thread::Builder::new()
            .name("prometheus-exporter".to_owned())
            .spawn(move || {
                let _end = end;
                server.run(listener);
            })
            .map_err(|error| bind_failed(&address_text(config), &error))?;
        Ok(Self { service, address, secure, closing, ended })
    }

    /// Where it listens; with the port that was taken.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The address as a URL, without a path. A Unix socket has none that is agreed on; `unix:` and its name it is.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        match &self.address {
            Address::Unix(path) => format!("unix:{}", path.display()),
            Address::Tcp(address) => {
                // What listens everywhere is reached here.
                let reached = match address.ip() {
                    ip if !ip.is_unspecified() => ip,
                    IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
                    IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
                };
                format!("{scheme}://{}", SocketAddr::new(reached, address.port()))
            }
        }
    }

    /// The service that answers.
    #[must_use]
    pub fn service(&self) -> &Arc<ScrapeService> {
        &self.service
    }

    /// Takes no new connections, lets open requests end within `grace`, and cuts off what is left. Blocks for as long.
    pub fn close(&self, grace: Duration) {
        self.stop(grace);
        let deadline = Instant::now() + grace + Duration::from_secs(1);
        let mut ended = self.ended.is.lock();
        while !*ended && !self.ended.changed.wait_until(&mut ended, deadline).timed_out() {}
    }

    /// As `close`, without waiting for it.
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

/// Says that the thread has ended, however it did.
struct EndGuard(Arc<Ended>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        *self.0.is.lock() = true;
        self.0.changed.notify_all();
    }
}
