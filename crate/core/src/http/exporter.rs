//! The native door: a listener on a thread of its own, which answers whatever the embedding program is doing. One
//! thread with one tokio runtime is enough: expositions are written elsewhere, and what is left is copying.

use super::connection::{Progress, Timeouts, Watched};
use super::handler::{Embedding, ScrapeService};
use super::host::Host;
use super::pem::Pem;
use super::router::{Door, Peer};
use super::self_metrics::{ListenerMetrics, Rejection};
use super::target::Target;
use super::tls::{ClientAuth, Tls, TlsConfig};
use super::web_config::WebConfig;
use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::metrics::Gauge;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::{Condvar, Mutex};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

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

/// Where an exporter listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
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

/// A socket that is listened on.
enum Listener {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, PathBuf),
}

impl Listener {
    fn bind(config: &MetricsConfig) -> Result<(Self, Address)> {
        let failed = |error: io::Error| bind_failed(&address_text(config), &error);
        if let Some(path) = &config.socket {
            return Self::bind_unix(Path::new(path)).map_err(failed);
        }
        // `[::1]`, as in a URL, is an address too.
        let host = config.host.trim_start_matches('[').trim_end_matches(']');
        let listener = std::net::TcpListener::bind((host, config.port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok((Self::Tcp(listener), Address::Tcp(address)))
    }

    #[cfg(unix)]
    fn bind_unix(path: &Path) -> io::Result<(Self, Address)> {
        use std::os::unix::fs::FileTypeExt;
        use std::os::unix::net::{UnixListener, UnixStream};
        // A process that was killed leaves its socket; one that answers is somebody's.
        let is_stale = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
            && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if is_stale {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok((Self::Unix(listener, path.to_owned()), Address::Unix(path.to_owned())))
    }

    #[cfg(not(unix))]
    fn bind_unix(_: &Path) -> io::Result<(Self, Address)> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this platform has no Unix sockets here"))
    }
}

fn address_text(config: &MetricsConfig) -> String {
    match &config.socket {
        Some(path) => path.clone(),
        None if config.host.contains(':') && !config.host.starts_with('[') => {
            format!("[{}]:{}", config.host, config.port)
        }
        None => format!("{}:{}", config.host, config.port),
    }
}

fn bind_failed(address: &str, error: &io::Error) -> MetricsError {
    MetricsError::new(ErrorKind::BindFailed, format!("Cannot listen on {address}: {error}"))
}

/// What the exporter's thread works with.
struct Server {
    router: Router,
    service: Arc<ScrapeService>,
    tls: Option<Arc<Tls>>,
    host: Option<Arc<dyn Host>>,
    timeouts: Timeouts,
    max_header_bytes: usize,
    max_headers: usize,
    connections: Arc<Semaphore>,
    closing: watch::Receiver<Option<Duration>>,
}

/// When the system gives no socket, it is asked again after this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Server {
    fn run(self, listener: Listener) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let host = self.host.clone();
        let served = runtime.and_then(|runtime| runtime.block_on(self.listen(listener)));
        if let Err(error) = served {
            warn(host.as_deref(), &format!("The exporter cannot go on: {error}"));
        }
    }

    async fn listen(self, listener: Listener) -> io::Result<()> {
        let server = Arc::new(self);
        match listener {
            Listener::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let accept = async || {
                    let (socket, peer) = listener.accept().await?;
                    // Answers are written whole; waiting for more to send only delays their last packet.
                    let _ = socket.set_nodelay(true);
                    Ok((socket, Some(peer.ip())))
                };
                server.accept(accept).await;
            }
            #[cfg(unix)]
            Listener::Unix(listener, path) => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                server.accept(async || Ok((listener.accept().await?.0, None))).await;
                let _ = std::fs::remove_file(path);
            }
        }
        server.wait_for_connections().await;
        Ok(())
    }

    /// Takes connections until the exporter closes.
    async fn accept<S>(self: &Arc<Self>, accept: impl AsyncFn() -> io::Result<(S, Option<IpAddr>)>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut closing = self.closing.clone();
        loop {
            let accepted = {
                let mut closed = pin!(closing.wait_for(Option::is_some));
                let mut accepted = pin!(accept());
                // Closing is looked at first: an accept that is always ready must not outrun it.
                std::future::poll_fn(|context| {
                    if closed.as_mut().poll(context).is_ready() {
                        return std::task::Poll::Ready(None);
                    }
                    accepted.as_mut().poll(context).map(Some)
                })
                .await
            };
            match accepted {
                None => return,
                Some(Ok((socket, peer))) => match Arc::clone(&self.connections).try_acquire_owned() {
                    Ok(permit) => drop(tokio::spawn(Arc::clone(self).connection(socket, peer, permit))),
                    Err(_) => self.service.reject(Rejection::Connections),
                },
                // The client went away, or the process is out of descriptors.
                Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Some(Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    /// Gives open connections the grace they have.
    async fn wait_for_connections(&self) {
        let mut closing = self.closing.clone();
        loop {
            let grace = (*closing.borrow_and_update()).unwrap_or_default();
            let all = async {
                while Arc::strong_count(&self.connections) > 1 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::select! {
                () = all => return,
                () = tokio::time::sleep(grace) => return,
                // Somebody is in more of a hurry.
                changed = closing.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn connection<S>(self: Arc<Self>, socket: S, peer: Option<IpAddr>, permit: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let _open = self.service.listener_metrics().map(|metrics| Open::new(&metrics.connections));
        let progress = Progress::new(self.timeouts);
        let served = async {
            match &self.tls {
                None => self.serve(socket, peer, &progress).await,
                Some(tls) => match self.handshake(tls, socket).await {
                    Some(socket) => self.serve(socket, peer, &progress).await,
                    None => Some(Rejection::Tls),
                },
            }
        };
        let reason = tokio::select! {
            reason = served => reason,
            reason = progress.watch() => reason,
        };
        if let Some(reason) = reason {
            self.service.reject(reason);
        }
        drop(permit);
    }

    async fn handshake<S>(&self, tls: &Tls, socket: S) -> Option<tokio_rustls::server::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = tls.server_config();
        if let Some(error) = tls.take_reload_error() {
            if let Some(ListenerMetrics { tls_reload_failures, .. }) = self.service.listener_metrics() {
                tls_reload_failures.inc();
            }
            warn(self.host.as_deref(), &format!("The changed certificate is not used: {error}"));
        }
        tokio_rustls::TlsAcceptor::from(config).accept(socket).await.ok()
    }

    /// Answers a connection's requests; what it did wrong, if anything.
    async fn serve<S>(&self, socket: S, peer: Option<IpAddr>, progress: &Arc<Progress>) -> Option<Rejection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let watched = Watched { socket, progress: Arc::clone(progress) };
        let router = TowerToHyperService::new(self.router.clone());
        let service =
            hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                progress.serving();
                request.extensions_mut().insert(Peer(peer.map(|peer| peer.to_canonical())));
                let answer = hyper::service::Service::call(&router, request);
                async move {
                    let response = answer.await;
                    progress.answered();
                    response
                }
            });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            // `Progress` tells an idle connection from half a request.
            .header_read_timeout(None)
            .max_header_size(self.max_header_bytes)
            .max_headers(self.max_headers);
        let mut connection = pin!(http.serve_connection(TokioIo::new(watched), service));
        let mut closing = self.closing.clone();
        let served = {
            let mut closed = pin!(closing.wait_for(Option::is_some));
            let mut is_closing = false;
            std::future::poll_fn(|context| {
                if !is_closing && closed.as_mut().poll(context).is_ready() {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                connection.as_mut().poll(context)
            })
            .await
        };
        match served {
            Err(error) if error.is_parse() || error.is_parse_too_large() => Some(Rejection::Malformed),
            _ => None,
        }
    }
}

/// One more open connection while it lives.
struct Open<'a>(&'a Gauge);

impl<'a> Open<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn warn(host: Option<&dyn Host>, message: &str) {
    match host {
        Some(host) => host.warn(message),
        None => tracing::warn!("{message}"),
    }
}
