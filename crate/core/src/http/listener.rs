//! Binds the socket that the exporter listens on: a TCP port or a Unix socket. It must not know HTTP.

use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The address of an exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A bound socket.
pub(super) enum Listener {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, PathBuf),
}

impl Listener {
    pub(super) fn bind(config: &MetricsConfig) -> Result<(Self, Address)> {
        let failed = |error: io::Error| bind_failed(&address_text(config), &error);
        if let Some(path) = &config.socket {
            return Self::bind_unix(Path::new(path)).map_err(failed);
        }
        // Accept the notation of URLs, `[::1]`, as well.
        let host = config.host.trim_start_matches('[').trim_end_matches(']');
        let listener = std::net::TcpListener::bind((host, config.port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        deepen_queue(&listener);
        let address = listener.local_addr().map_err(failed)?;
        Ok((Self::Tcp(listener), Address::Tcp(address)))
    }

    #[cfg(unix)]
    fn bind_unix(path: &Path) -> io::Result<(Self, Address)> {
        use std::os::unix::fs::FileTypeExt;
        use std::os::unix::net::{UnixDatagram, UnixListener};
        // A killed process leaves its socket file behind. Only a socket that refuses connections is removed: another
        // process may be listening. A socket of the other type never waits: it is refused too if no process listens, and
        // otherwise told that the types differ. A stream would wait as long as the queue of a stuck process is full.
        let connect = || UnixDatagram::unbound()?.connect(path);
        let is_stale = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
            && connect().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if is_stale {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        deepen_queue(&listener);
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

/// Lets as many connections wait to be accepted as the system allows, usually 4096. The standard library asks for 128,
/// and a connection that finds the queue full is tried again only after a second.
#[cfg(target_os = "linux")]
fn deepen_queue(listener: &impl std::os::fd::AsFd) {
    // Without it there are 128 places.
    let _ = nix::sys::socket::listen(listener, nix::sys::socket::Backlog::MAXALLOWABLE);
}

#[cfg(not(target_os = "linux"))]
fn deepen_queue<L>(_: &L) {}

/// True if another socket listens on the address of these settings. For an exporter that waits for its port: a whole attempt to
/// start costs far more. False where this cannot be asked at once, for a host name for example.
#[must_use]
#[cfg(target_os = "linux")]
pub fn is_port_taken(config: &MetricsConfig) -> bool {
    use nix::errno::Errno;
    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt::ReuseAddr,
    };
    use std::os::fd::AsRawFd;
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    let Ok(ip) = host.parse::<std::net::IpAddr>() else { return false };
    let family = if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    // It is bound as by the standard library, but does not listen, so that no client reaches it.
    let try_to_bind = || -> nix::Result<()> {
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, ReuseAddr, &true)?;
        bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(ip, config.port)))
    };
    try_to_bind() == Err(Errno::EADDRINUSE)
}

/// Only on Linux do exporters wait for their port.
#[must_use]
#[cfg(not(target_os = "linux"))]
pub fn is_port_taken(_: &MetricsConfig) -> bool {
    false
}

/// The error of an exporter that cannot listen for this reason.
#[must_use]
pub fn listen_failed(config: &MetricsConfig, error: &io::Error) -> MetricsError {
    bind_failed(&address_text(config), error)
}

fn bind_failed(address: &str, error: &io::Error) -> MetricsError {
    MetricsError::new(ErrorKind::BindFailed, format!("Cannot listen on {address}: {error}"))
}
