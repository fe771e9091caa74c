//! Serves the exporter's connections: accepts them, runs TLS handshakes, speaks HTTP/1.1, and closes them. It must not
//! know how requests are decided.

use super::connection::{Progress, Socket, Timeouts, Watched};
use super::handler::ScrapeService;
use super::host::Host;
use super::listener::Listener;
use super::places::{Place, Places};
use super::response::Response;
use super::router::{Door, Peer, converted};
use super::self_metrics::{ListenerMetrics, Rejection};
use super::tls::Tls;
use crate::metrics::Gauge;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::fs::File;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Everything that the exporter's thread needs.
pub(super) struct Server {
    pub(super) door: Door,
    pub(super) service: Arc<ScrapeService>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) host: Option<Arc<dyn Host>>,
    pub(super) timeouts: Timeouts,
    pub(super) max_header_bytes: usize,
    pub(super) max_headers: usize,
    pub(super) places: Arc<Places>,
    pub(super) closing: watch::Receiver<Option<Duration>>,
}

/// The bytes that the system may keep for one client; Linux doubles the number. At 50 ms from the client, 10 MB a second
/// still get through.
#[cfg(target_os = "linux")]
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// The pause after a failed accept, for example when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// If connections come so fast that they displace each other before they are read: the pause after this number of them,
/// or after fewer if responses were made for them.
/// The others wait in the system's queue.
const RUSH_PAUSE: Duration = Duration::from_millis(1);
const RUSH_CONNECTIONS: u32 = 16;
/// How often a scrape on a place for health checks looks for another place, and the pause between two looks: 750 ms.
const PLACE_ATTEMPTS: u32 = 30;
const PLACE_PAUSE: Duration = Duration::from_millis(25);
/// The pause after a failed accept while descriptors are missing, and after how many of them a connection is given up.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(10);
const GIVE_UP_AFTER: u32 = 5;
/// The pause between two warnings that connections cannot be accepted.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

impl Server {
    /// Serves until the exporter closes. Reports through `started` once that it listens, or why it cannot.
    pub(super) fn run(self, listener: Listener, started: &dyn Fn(io::Result<()>)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let served = runtime.and_then(|runtime| runtime.block_on(self.listen(listener, started)));
        if let Err(error) = served {
            started(Err(error));
        }
    }

    /// Fails only before it listens.
    async fn listen(self, listener: Listener, started: &dyn Fn(io::Result<()>)) -> io::Result<()> {
        let server = Arc::new(self);
        if let Some(tls) = &server.tls {
            server.look_at_certificate(tls);
        }
        match listener {
            Listener::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                started(Ok(()));
                let accept = async || {
                    let (socket, peer) = listener.accept().await?;
                    // Responses are written in one piece, so Nagle's algorithm would only delay their last packet.
                    let _ = socket.set_nodelay(true);
                    bound_send_buffer(&socket);
                    Ok((Box::new(socket) as Socket, Some(peer.ip())))
                };
                server.accept(accept, || has_connection(&listener)).await;
            }
            #[cfg(unix)]
            Listener::Unix(listener, path) => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                started(Ok(()));
                let accept = async || Ok((Box::new(listener.accept().await?.0) as Socket, None));
                server.accept(accept, || has_connection(&listener)).await;
                let _ = std::fs::remove_file(path);
            }
        }
        server.wait_for_connections().await;
        Ok(())
    }

    /// Accepts connections until the exporter closes.
    async fn accept(
        self: &Arc<Self>,
        accept: impl AsyncFn() -> io::Result<(Socket, Option<IpAddr>)>,
        is_awaited: impl Fn() -> bool,
    ) {
        let mut closing = self.closing.clone();
        let mut shortage = Shortage::default();
        let mut rushed = 0;
        loop {
            let accepted = {
                let mut closed = pin!(closing.wait_for(Option::is_some));
                let mut accepted = pin!(accept());
                // Poll `closed` first. Otherwise, under constant load, `accepted` is always ready and closing waits.
                std::future::poll_fn(|context| {
                    if closed.as_mut().poll(context).is_ready() {
                        return Poll::Ready(None);
                    }
                    match accepted.as_mut().poll(context) {
                        Poll::Pending if shortage.is_trying => {
                            Poll::Ready(Some(Err(ErrorKind::WouldBlock.into())))
                        }
                        accepted => accepted.map(Some),
                    }
                })
                .await
            };
            match accepted {
                None => return,
                Some(Ok((socket, peer))) => {
                    shortage.is_over();
                    let progress = Progress::new(self.timeouts);
                    match self.places.enter(peer, &progress) {
                        Ok(place) => {
                            drop(tokio::spawn(Arc::clone(self).connection(socket, peer, progress, place)));
                        }
                        Err(reason) => self.service.reject(reason),
                    }
                    let rush = self.places.rush();
                    rushed = if rush > 0 { rushed + rush } else { 0 };
                    if rushed >= RUSH_CONNECTIONS {
                        rushed = 0;
                        tokio::time::sleep(RUSH_PAUSE).await;
                    } else if self.places.are_taken() {
                        // Let the newcomer's request be read before the next newcomer may displace it.
                        tokio::task::yield_now().await;
                    }
                }
                // The client closed the connection already.
                Some(Err(error)) if error.kind() == ErrorKind::ConnectionAborted => {}
                Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => shortage.is_over(),
                Some(Err(error)) => {
                    let pause = shortage.relieve(&error, &self.places, &is_awaited);
                    if shortage.is_news() {
                        warn(
                            self.host.as_deref(),
                            &format!("The exporter cannot accept a connection: {error}"),
                        );
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Waits until all connections are closed or the grace period is over.
    async fn wait_for_connections(&self) {
        let mut closing = self.closing.clone();
        loop {
            let grace = (*closing.borrow_and_update()).unwrap_or_default();
            let all = async {
                while self.places.taken() > 0 {
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

    pub(super) async fn connection(
        self: Arc<Self>,
        socket: Socket,
        peer: Option<IpAddr>,
        progress: Arc<Progress>,
        place: Place,
    ) {
        let _open = self.service.listener_metrics().map(|metrics| OpenConnection::new(&metrics.connections));
        let served = async {
            let socket = match &self.tls {
                None => Some(socket),
                Some(tls) => self.handshake(tls, socket).await,
            };
            match socket {
                Some(socket) => self.serve(socket, peer, &progress, &place).await,
                None => Some(Rejection::Tls),
            }
        };
        let reason = tokio::select! {
            reason = served => reason,
            reason = progress.watch() => reason,
        };
        if let Some(reason) = reason {
            self.service.reject(reason);
        }
    }

    async fn handshake(&self, tls: &Tls, socket: Socket) -> Option<Socket> {
        let accepted = tls.accept(socket).await;
        self.look_at_certificate(tls);
        if let Some(error) = tls.take_reload_error() {
            if let Some(ListenerMetrics { tls_reload_failures, .. }) = self.service.listener_metrics() {
                tls_reload_failures.inc();
            }
            warn(self.host.as_deref(), &format!("The changed certificate is not used: {error}"));
        }
        accepted
    }

    /// Shows when the certificate expires, and warns if that is soon.
    pub(super) fn look_at_certificate(&self, tls: &Tls) {
        if let Some(seconds) = tls.expires() {
            self.service.certificate_expires(seconds);
        }
        if let Some(warning) = tls.take_expiry_warning() {
            warn(self.host.as_deref(), &warning);
        }
    }

    /// The response to a request for which this connection has no place. A scrape waits for one: answers that are being
    /// made are soon read, or can be given up. Meanwhile the connection may be displaced by a health check.
    async fn refusal(&self, path: &str, place: &Place) -> Option<Response> {
        if matches!(path, "/health" | "/ready") {
            return None;
        }
        for _ in 0..PLACE_ATTEMPTS {
            if place.is_ordinary() {
                return None;
            }
            tokio::time::sleep(PLACE_PAUSE).await;
        }
        self.service.reject(Rejection::Connections);
        Some(full())
    }

    /// Answers the requests of a connection. Returns why it was rejected, if it was.
    async fn serve(
        &self,
        socket: Socket,
        peer: Option<IpAddr>,
        progress: &Arc<Progress>,
        place: &Place,
    ) -> Option<Rejection> {
        let watched = Watched { socket, progress: Arc::clone(progress) };
        let peer = peer.map(|peer| peer.to_canonical());
        let service = hyper::service::service_fn(
            move |mut request: hyper::Request<hyper::body::Incoming>| async move {
                let refusal = self.refusal(request.uri().path(), place).await;
                progress.serving();
                request.extensions_mut().insert(Peer(peer));
                let response = match refusal {
                    None => self.door.serve(request, peer).await,
                    Some(refusal) => converted(refusal),
                };
                progress.answered();
                Ok::<_, Infallible>(response)
            },
        );
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            // `Progress` has the timeouts, because it can tell an idle connection from half a request.
            .header_read_timeout(None)
            // A client may end its side of the connection after its request and still wait for the response.
            .half_close(true)
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

/// The response to a request, other than a health check, for which there is no place.
fn full() -> Response {
    let response = Response::plain(503, "Too many connections.\n").retry_after(Duration::from_secs(1));
    response.with("connection", "close")
}

/// What the exporter does when the process has no file descriptors left: it frees one that it keeps for this case. If that
/// one is in use already, it waits a moment for it, then gives up connections. So health checks and scrapes are answered.
struct Shortage {
    spare: Option<File>,
    /// Whether the spare descriptor was just freed, to try one accept. The system reports missing descriptors even if no
    /// connection waits.
    is_trying: bool,
    failures: u32,
    warned: Option<Instant>,
}

impl Default for Shortage {
    fn default() -> Self {
        Self { spare: spare(), is_trying: false, failures: 0, warned: None }
    }
}

impl Shortage {
    /// Frees a descriptor if they are what is missing. Returns how long to wait until the next attempt.
    fn relieve(&mut self, error: &io::Error, places: &Places, is_awaited: impl Fn() -> bool) -> Duration {
        if !is_out_of_descriptors(error) {
            return ACCEPT_PAUSE;
        }
        if self.spare.is_none() {
            self.spare = spare();
        }
        self.is_trying = self.spare.take().is_some();
        if self.is_trying {
            return Duration::ZERO;
        }
        if is_awaited() {
            self.failures += 1;
            if self.failures.is_multiple_of(GIVE_UP_AFTER) {
                places.give_one_up();
            }
        }
        SHORTAGE_PAUSE
    }

    /// Keeps a descriptor again as soon as there is one.
    fn is_over(&mut self) {
        self.is_trying = false;
        self.failures = 0;
        if self.spare.is_none() {
            self.spare = spare();
        }
    }

    /// Whether to warn: once a minute.
    fn is_news(&mut self) -> bool {
        let is_news = self.warned.is_none_or(|warned| warned.elapsed() >= WARNING_INTERVAL);
        if is_news {
            self.warned = Some(Instant::now());
        }
        is_news
    }
}

/// Bounds the bytes that the system keeps for a client that does not read. By itself Linux keeps up to 4 MB for each, so
/// that some hundred such clients take the memory of all sockets of the machine.
#[cfg(target_os = "linux")]
fn bound_send_buffer(socket: &impl std::os::fd::AsFd) {
    use nix::sys::socket::{setsockopt, sockopt::SndBuf};
    let _ = setsockopt(socket, SndBuf, &SEND_BUFFER_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn bound_send_buffer<S>(_: &S) {}

/// Whether a connection waits to be accepted.
#[cfg(unix)]
fn has_connection(listener: &impl std::os::fd::AsFd) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO) == Ok(1)
}

#[cfg(not(unix))]
fn has_connection<L>(_: &L) -> bool {
    true
}

#[cfg(unix)]
fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

#[cfg(not(unix))]
fn spare() -> Option<File> {
    None
}

#[cfg(unix)]
fn is_out_of_descriptors(error: &io::Error) -> bool {
    use nix::errno::Errno;
    error
        .raw_os_error()
        .is_some_and(|code| [Errno::EMFILE, Errno::ENFILE].map(|errno| errno as i32).contains(&code))
}

#[cfg(not(unix))]
fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
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
