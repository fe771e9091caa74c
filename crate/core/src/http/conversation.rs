//! Runs connections of an exporter in memory, for tests and fuzz targets: they send any bytes in any pieces and get all
//! bytes that the exporter answers. The listener is the only part that is missing.

use super::connection::{Progress, Timeouts};
use super::handler::{Embedding, ScrapeService};
use super::places::Places;
use super::router::Door;
use super::server::Server;
use super::target::Target;
use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

/// An exporter without a listener.
pub struct Conversations {
    server: Arc<Server>,
    runtime: tokio::runtime::Runtime,
    _open: watch::Sender<Option<Duration>>,
}

impl Conversations {
    /// # Errors
    /// `InvalidConfig` for invalid settings.
    pub fn new(target: Arc<Target>, config: &MetricsConfig) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| MetricsError::new(ErrorKind::BindFailed, error.to_string()))?;
        let service =
            Arc::new(ScrapeService::new(target, config, Embedding::default().owns_all_paths(true))?);
        let places = Places::new(config, |_| {})?;
        let door = Door::new(Arc::clone(&service), None, config.ready_timeout);
        let (open, closing) = watch::channel(None);
        let server = Arc::new(Server {
            door: door.with_places(Arc::clone(&places)),
            service,
            tls: None,
            host: None,
            timeouts: Timeouts::new(config),
            max_header_bytes: config.max_header_bytes,
            max_headers: config.max_headers,
            places,
            closing,
        });
        Ok(Self { server, runtime, _open: open })
    }

    /// Sends these pieces, each in a packet of its own, then ends the sending side. Returns everything that is answered.
    #[must_use]
    pub fn answer(&self, pieces: &[&[u8]]) -> Vec<u8> {
        let answered = Arc::new(Mutex::new(Vec::new()));
        let progress = Progress::new(self.server.timeouts);
        let peer = Some(IpAddr::from([127, 0, 0, 1]));
        let Ok(place) = self.server.places.enter(peer, &progress) else { return Vec::new() };
        let socket = Script {
            pieces: pieces.iter().map(|piece| piece.to_vec()).collect(),
            is_next: false,
            answered: Arc::clone(&answered),
        };
        self.runtime.block_on(Arc::clone(&self.server).connection(Box::new(socket), peer, progress, place));
        std::mem::take(&mut *answered.lock())
    }
}

/// A socket whose client sends a prepared script, without reading the answers first.
struct Script {
    pieces: VecDeque<Vec<u8>>,
    /// The next piece has arrived. Between two pieces the server finds nothing to read.
    is_next: bool,
    answered: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_next = !self.is_next;
        if self.is_next {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(mut piece) = self.pieces.pop_front() {
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !rest.is_empty() {
                self.pieces.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.answered.lock().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
