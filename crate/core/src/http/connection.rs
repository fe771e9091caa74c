//! Watches the progress of one connection of the exporter. A client can be slow to send its request, slow to read the
//! response, or idle. Each of these has its own time limit, and a connection that exceeds one is closed. A connection is
//! also closed if its place is given to another client; `places.rs` decides about that.

use super::self_metrics::{Rejection, Standing};
use crate::config::MetricsConfig;
use parking_lot::Mutex;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// The time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    head: Duration,
    idle: Duration,
    write: Duration,
}

impl Timeouts {
    pub(crate) fn new(config: &MetricsConfig) -> Self {
        Self { head: config.header_timeout, idle: config.idle_timeout, write: config.write_timeout }
    }

    /// How often a connection is checked: four times within the shortest limit, and at least once a second.
    fn interval(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.write);
        (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle(Instant),
    /// Waiting for the rest of a request. A new connection starts here: its first request is expected at once.
    Head(Instant),
    /// A request is being answered.
    Serving(Instant),
}

/// The progress of a connection. Its socket, its service and its watcher share it.
#[derive(Debug)]
pub(crate) struct Progress {
    activity: Mutex<Activity>,
    timeouts: Timeouts,
    /// Notified when the connection has lost its place.
    displaced: Notify,
}

#[derive(Debug)]
struct Activity {
    phase: Phase,
    /// Since when a response is not completely sent.
    writing: Option<Instant>,
    /// When the socket last took bytes.
    written: Instant,
}

impl Progress {
    pub(crate) fn new(timeouts: Timeouts) -> Arc<Self> {
        let now = Instant::now();
        let activity = Activity { phase: Phase::Head(now), writing: None, written: now };
        Arc::new(Self { activity: Mutex::new(activity), timeouts, displaced: Notify::new() })
    }

    /// What the connection is doing, and since when. A client that reads slowly counts from its last sign of reading.
    pub(crate) fn standing(&self) -> (Standing, Instant) {
        let activity = self.activity.lock();
        match activity.phase {
            _ if activity.writing.is_some() => (Standing::Unread, activity.written),
            Phase::Idle(since) => (Standing::Idle, since),
            Phase::Head(since) => (Standing::Silent, since),
            Phase::Serving(since) => (Standing::Answering, since),
        }
    }

    /// Since when a response is not completely sent, and when the socket last took bytes of it.
    pub(crate) fn unread(&self) -> Option<(Instant, Instant)> {
        let activity = self.activity.lock();
        activity.writing.map(|since| (since, activity.written))
    }

    /// Makes `watch` return, which closes the connection.
    pub(crate) fn displace(&self) {
        self.displaced.notify_one();
    }

    /// A complete request has arrived.
    pub(crate) fn serving(&self) {
        self.activity.lock().phase = Phase::Serving(Instant::now());
    }

    /// The response is given to the socket.
    pub(crate) fn answered(&self) {
        let mut activity = self.activity.lock();
        let now = Instant::now();
        activity.phase = Phase::Idle(now);
        // A pipelined response does not extend the time limit of the one before it.
        if activity.writing.is_none() {
            activity.writing = Some(now);
            activity.written = now;
        }
    }

    fn wrote(&self, bytes: usize) {
        if bytes > 0 {
            self.activity.lock().written = Instant::now();
        }
    }

    fn read(&self) {
        let mut activity = self.activity.lock();
        if let Phase::Idle(_) = activity.phase {
            activity.phase = Phase::Head(Instant::now());
        }
    }

    pub(crate) fn flushed(&self) {
        let mut activity = self.activity.lock();
        if activity.writing.take().is_some()
            && let Phase::Idle(since) = &mut activity.phase
        {
            *since = Instant::now();
        }
    }

    /// `Some` if the connection must be closed, with the reason for the rejection. Closing an idle connection has no
    /// such reason.
    fn exceeded(&self) -> Option<Option<Rejection>> {
        let activity = self.activity.lock();
        if activity.writing.is_some_and(|since| since.elapsed() > self.timeouts.write) {
            return Some(Some(Rejection::WriteTimeout));
        }
        match activity.phase {
            Phase::Head(since) if since.elapsed() > self.timeouts.head => {
                Some(Some(Rejection::RequestTimeout))
            }
            Phase::Idle(since) if activity.writing.is_none() && since.elapsed() > self.timeouts.idle => {
                Some(None)
            }
            _ => None,
        }
    }

    /// Returns when a limit is exceeded, or when the connection has lost its place.
    pub(crate) async fn watch(&self) -> Option<Rejection> {
        loop {
            tokio::select! {
                () = self.displaced.notified() => return None,
                () = tokio::time::sleep(self.timeouts.interval()) => {}
            }
            if let Some(reason) = self.exceeded() {
                return reason;
            }
        }
    }
}

/// What a connection reads and writes: a socket, or the encryption over one.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Any stream. With one type for all of them, the code for HTTP is compiled once instead of once for each sort of socket.
pub(crate) type Socket = Box<dyn Stream>;

/// A socket that reports its progress.
pub(crate) struct Watched {
    pub(crate) socket: Socket,
    pub(crate) progress: Arc<Progress>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.progress.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write(context, bytes))?;
        self.progress.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write_vectored(context, slices))?;
        self.progress.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// hyper flushes when it has written everything, so a successful flush means that the response is sent.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(context))?;
        self.progress.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Timeouts = Timeouts {
        head: Duration::from_millis(20),
        idle: Duration::from_millis(40),
        write: Duration::from_millis(20),
    };
    const PAST: Duration = Duration::from_millis(50);

    #[test]
    fn each_phase_has_its_limit() {
        let progress = Progress::new(SHORT);
        assert_eq!(progress.exceeded(), None);
        std::thread::sleep(PAST);
        assert_eq!(progress.exceeded(), Some(Some(Rejection::RequestTimeout)), "nothing was ever sent");

        let progress = Progress::new(SHORT);
        progress.serving();
        std::thread::sleep(PAST);
        assert_eq!(progress.exceeded(), None, "these limits do not apply while the response is made");
        progress.answered();
        std::thread::sleep(PAST);
        assert_eq!(progress.exceeded(), Some(Some(Rejection::WriteTimeout)));
        progress.flushed();
        assert_eq!(progress.exceeded(), None);
        std::thread::sleep(PAST);
        assert_eq!(progress.exceeded(), Some(None), "idle for too long");
        progress.read();
        assert_eq!(progress.exceeded(), None);
        std::thread::sleep(PAST);
        assert_eq!(progress.exceeded(), Some(Some(Rejection::RequestTimeout)), "half a head");
    }

    #[test]
    fn pipelined_requests_do_not_extend_the_time_limit() {
        let progress = Progress::new(SHORT);
        for _ in 0..10 {
            progress.serving();
            progress.answered();
            std::thread::sleep(SHORT.write / 4);
        }
        assert_eq!(progress.exceeded(), Some(Some(Rejection::WriteTimeout)));
    }
}
