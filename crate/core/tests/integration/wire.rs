//! An HTTP/1.1 client for tests. It sends exactly the given bytes and reads complete responses, so that tests see the
//! same as a scraper. It follows RFC 9112 and shares no code with the server.

use flate2::read::MultiGzDecoder;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Address, Exporter, ExporterOptions, Target};
use prometheus_metrics::{MetricsError, Registry};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The longest wait for the server. Instead of waiting forever, a test fails.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Settings for tests: a free port on the loopback address, and expositions of only the registry.
pub(crate) fn quiet() -> MetricsConfig {
    MetricsConfig::default().host("127.0.0.1".to_owned()).port(0).self_metrics(false)
}

/// An exporter of this registry.
pub(crate) fn start(registry: &Arc<Registry>, config: &MetricsConfig) -> Result<Exporter, MetricsError> {
    start_with(registry, config, ExporterOptions::default())
}

pub(crate) fn start_with(
    registry: &Arc<Registry>,
    config: &MetricsConfig,
    options: ExporterOptions,
) -> Result<Exporter, MetricsError> {
    let target = Arc::new(Target::new(Arc::clone(registry), None)?);
    Exporter::start(target, config, options)
}

/// The address on which a test's exporter listens.
pub(crate) fn address(exporter: &Exporter) -> SocketAddr {
    match exporter.address() {
        Address::Tcp(address) => *address,
        Address::Unix(path) => panic!("expected a port but received {path:?}"),
    }
}

/// A response as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers without `date`. A missing date is an error.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The body as text, decompressed if it is compressed.
    pub(crate) fn text(&self) -> io::Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| unexpected("a body in UTF-8"))
    }

    /// The body, decompressed if it is compressed.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.header("content-encoding") {
            None => bytes.extend_from_slice(&self.body),
            Some("gzip") => drop(MultiGzDecoder::new(&self.body[..]).read_to_end(&mut bytes)?),
            Some(other) => return Err(unexpected(&format!("the coding {other}"))),
        }
        Ok(bytes)
    }
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// Received bytes that belong to the next response.
    read: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(exporter: &Exporter) -> io::Result<Self> {
        Self::connect_to(address(exporter))
    }

    pub(crate) fn connect_to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends these bytes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Closes the sending side.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Sends a request and reads the response. `headers` are lines without line ends.
    pub(crate) fn ask(&mut self, method: &str, target: &str, headers: &[&str]) -> io::Result<Answer> {
        self.send(request(method, target, headers))?;
        self.answer(method)
    }

    /// Reads one response to a request with this method.
    pub(crate) fn answer(&mut self, method: &str) -> io::Result<Answer> {
        let end = self.read_until_head_ends()?;
        let rest = self.read.split_off(end);
        let head = String::from_utf8(std::mem::replace(&mut self.read, rest))
            .map_err(|_| unexpected("a head that is not UTF-8"))?;
        let status = head
            .strip_prefix("HTTP/1.")
            .and_then(|line| line.get(2..5))
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| unexpected(&format!("the status line of {head:?}")))?;
        let mut answer = Answer { status, head: without_date(&head)?, body: Vec::new() };
        if answer.header("transfer-encoding").is_some() {
            return Err(unexpected("a body whose length is not said"));
        }
        let length = match answer.header("content-length") {
            Some(length) => length.parse().map_err(|_| unexpected(&format!("the length {length}")))?,
            None => 0,
        };
        if method != "HEAD" {
            self.read_until(length)?;
            let rest = self.read.split_off(length);
            answer.body = std::mem::replace(&mut self.read, rest);
        }
        Ok(answer)
    }

    /// Reads at least this many bytes of a response and leaves the rest unread.
    pub(crate) fn read_some(&mut self, length: usize) -> io::Result<()> {
        self.read_until(length)
    }

    /// Reads until the server closes the connection.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = std::mem::take(&mut self.read);
        match self.stream.read_to_end(&mut rest) {
            // If the server closes a connection with unread bytes, the connection is reset.
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(rest),
        }
    }

    fn read_until_head_ends(&mut self) -> io::Result<usize> {
        loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(at + 4);
            }
            if self.read.len() > MAX_HEAD_BYTES {
                return Err(unexpected("a head without an end"));
            }
            self.read_until(self.read.len() + 1)?;
        }
    }

    fn read_until(&mut self, length: usize) -> io::Result<()> {
        let mut chunk = [0; 64 * 1024];
        while self.read.len() < length {
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed")),
                count => self.read.extend_from_slice(&chunk[..count]),
            }
        }
        Ok(())
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(exporter: &Exporter, method: &str, target: &str, headers: &[&str]) -> io::Result<Answer> {
    Client::connect(exporter)?.ask(method, target, headers)
}

/// GET on a connection of its own.
pub(crate) fn get(exporter: &Exporter, target: &str, headers: &[&str]) -> io::Result<Answer> {
    ask(exporter, "GET", target, headers)
}

/// The bytes of a request.
pub(crate) fn request(method: &str, target: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nhost: test\r\n{headers}\r\n")
}

fn without_date(head: &str) -> io::Result<String> {
    let (dates, others): (Vec<&str>, Vec<&str>) =
        head.trim_end().split("\r\n").partition(|line| line.starts_with("date: "));
    match dates[..] {
        [_] => Ok(others.join("\n") + "\n"),
        _ => Err(unexpected(&format!("{} dates in {head:?}", dates.len()))),
    }
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("expected an answer but received {what}"))
}
