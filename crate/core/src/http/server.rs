//! Serves the exporter's connections: accepts them, runs TLS handshakes, speaks HTTP/1.1, and closes them. It must not
//! know how requests are decided.

use super::connection::{Progress, Timeouts, Watched};
use super::handler::ScrapeService;
use super::host::Host;
use super::listener::Listener;
use super::router::Peer;
use super::self_metrics::{ListenerMetrics, Rejection};
use super::tls::{Tls, TlsStream};
use crate::metrics::Gauge;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Everything that the exporter's thread needs.
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) service: Arc<ScrapeService>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) host: Option<Arc<dyn Host>>,
    pub(super) timeouts: Timeouts,
    pub(super) max_header_bytes: usize,
    pub(super) max_headers: usize,
    pub(super) connections: Arc<Semaphore>,
    pub(super) closing: watch::Receiver<Option<Duration>>,
}

/// The pause after a failed accept, for example when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Server {
    pub(super) fn run(self, listener: Listener) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let host = self.host.clone();
        let served = runtime.and_then(|runtime| runtime.block_on(self.listen(listener)));
        if let Err(error) = served {
            warn(host.as_deref(), &format!("The exporter has stopped: {error}"));
        }
    }

    async fn listen(self, listener: Listener) -> io::Result<()> {
        let server = Arc::new(self);
        match listener {
            Listener::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let accept = async || {
                    let (socket, peer) = listener.accept().await?;
                    // Responses are written in one piece, so Nagle's algorithm would only delay their last packet.
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

    /// Accepts connections until the exporter closes.
    async fn accept<S>(self: &Arc<Self>, accept: impl AsyncFn() -> io::Result<(S, Option<IpAddr>)>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut closing = self.closing.clone();
        loop {
            let accepted = {
                let mut closed = pin!(closing.wait_for(Option::is_some));
                let mut accepted = pin!(accept());
                // Poll `closed` first. Otherwise, under constant load, `accepted` is always ready and closing waits.
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
                // The client closed the connection already.
                Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // The process is out of file descriptors, for example.
                Some(Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    /// Waits until all connections are closed or the grace period is over.
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
                // A second call of `stop` with a shorter grace period.
                changed = closing.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn connection<S>(self: Arc<Self>, socket: S, peer: Option<IpAddr>, permit: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let _open = self.service.listener_metrics().map(|metrics| OpenConnection::new(&metrics.connections));
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

    async fn handshake<S>(&self, tls: &Tls, socket: S) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let accepted = tls.accept(socket).await;
        if let Some(error) = tls.take_reload_error() {
            if let Some(ListenerMetrics { tls_reload_failures, .. }) = self.service.listener_metrics() {
                tls_reload_failures.inc();
            }
            warn(self.host.as_deref(), &format!("The changed certificate is not used: {error}"));
        }
        accepted
    }

    /// Answers the requests of a connection. Returns why it was rejected, if it was.
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
            // `Progress` has the timeouts, because it can tell an idle connection from half a request.
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

/// Counts an open connection while it lives.
struct OpenConnection<'a>(&'a Gauge);

impl<'a> OpenConnection<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for OpenConnection<'_> {
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
