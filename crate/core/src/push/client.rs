//! The transport of Rust programs: HTTP/1.1 over TCP or TLS.
//!
//! It is written by hand, and blocks its thread: an answer has a status, headers and the beginning of a text, and hyper's client
//! would need a runtime.

use super::timed::{Timed, left};
use super::tls::{Session, Tls};
use super::tls_files::TlsTexts;
use super::transport::{Failure, HttpAnswer, HttpRequest, Transport};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

/// Limits of what is read of an answer.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;
/// How much of a body is read: an error message is at its beginning. A connection with more is not used again.
const MAX_TEXT_BYTES: usize = 2048;
const PIECE_BYTES: usize = 4096;

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Unix has the one, Windows the other.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Timeout,
            _ => Self::Exchange(error.to_string()),
        }
    }
}

/// Sends requests over one connection, as long as that lasts.
#[derive(Default)]
pub(super) struct HttpClient {
    connection: Option<Connection>,
    tls: Option<Tls>,
}

impl Transport for HttpClient {
    fn send(&mut self, request: &HttpRequest<'_>, deadline: Instant) -> Result<HttpAnswer, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open(request, deadline)?,
        };
        let (answer, is_reusable) = connection.exchange(&head(request), request.body, deadline)?;
        self.connection = is_reusable.then_some(connection);
        Ok(answer)
    }

    fn rest(&mut self) {
        self.connection = None;
    }
}

impl HttpClient {
    fn open(&mut self, request: &HttpRequest<'_>, deadline: Instant) -> Result<Connection, Failure> {
        let session = request.tls.map(|texts| self.tls(texts)?.session(request.host)).transpose();
        let session = session.map_err(|why| Failure::Connect(why.to_string()))?;
        let tcp = connect(request.host, request.port, deadline)
            .map_err(|error| Failure::Connect(error.to_string()))?;
        Ok(Connection { tcp, session })
    }

    fn tls(&mut self, texts: &Arc<TlsTexts>) -> io::Result<&Tls> {
        let known = self.tls.take().filter(|tls| tls.is_of(texts));
        let tls = known.map_or_else(|| Tls::new(texts).map_err(io::Error::other), Ok)?;
        Ok(&*self.tls.insert(tls))
    }
}

fn connect(host: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    for (at, address) in addresses.iter().enumerate() {
        // One that does not answer leaves time for the others.
        let others = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match left(deadline).and_then(|left| TcpStream::connect_timeout(address, left / others)) {
            Ok(tcp) => {
                // Requests are written in large pieces, so Nagle's algorithm would only delay their last packet.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn head(request: &HttpRequest<'_>) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in &request.headers {
        [name.as_bytes(), b": ", *value, b"\r\n"].iter().for_each(|part| head.extend_from_slice(part));
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A connection that may be used for several requests, one after the other.
struct Connection {
    tcp: TcpStream,
    session: Option<Session>,
}

impl Connection {
    /// Sends a request; returns the answer, and whether the connection can be used again.
    fn exchange(
        &mut self,
        head: &[u8],
        body: &[u8],
        deadline: Instant,
    ) -> Result<(HttpAnswer, bool), Failure> {
        let written = self.write(head, deadline).and_then(|()| self.write(body, deadline));
        // A server that does not want the whole request may have answered before it closed the connection.
        match (written, self.answer(deadline)) {
            (Ok(()), answer) => Ok(answer?),
            (Err(_), Ok((answer, _))) => Ok((answer, false)),
            (Err(error), Err(_)) => Err(error.into()),
        }
    }

    fn write(&mut self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        let mut tcp = Timed::new(&self.tcp, deadline);
        while !bytes.is_empty() {
            let written = match &mut self.session {
                None => tcp.write(bytes)?,
                Some(session) => session.write(&mut tcp, bytes)?,
            };
            bytes = &bytes[written..];
        }
        if let Some(session) = &mut self.session {
            session.flush(&mut tcp)?;
        }
        Ok(())
    }

    /// Reads more; returns false at the end of the connection.
    fn read(&mut self, bytes: &mut Vec<u8>, deadline: Instant) -> io::Result<bool> {
        let mut tcp = Timed::new(&self.tcp, deadline);
        let mut piece = [0; PIECE_BYTES];
        let read = match &mut self.session {
            None => tcp.read(&mut piece)?,
            Some(session) => session.read(&mut tcp, &mut piece)?,
        };
        bytes.extend_from_slice(&piece[..read]);
        Ok(read > 0)
    }

    /// Reads an answer; returns it, and whether the connection is at its end exactly.
    fn answer(&mut self, deadline: Instant) -> io::Result<(HttpAnswer, bool)> {
        let mut bytes = Vec::new();
        loop {
            let (mut answer, head) = loop {
                if let Some(parsed) = parse(&bytes)? {
                    break parsed;
                }
                if bytes.len() > MAX_HEAD_BYTES || !self.read(&mut bytes, deadline)? {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            };
            bytes.drain(..head.length);
            // Interim answers, such as 100.
            if answer.status < 200 {
                continue;
            }
            let length = if answer.status == 204 { Length::Known(0) } else { head.body };
            // The status is known: what is missing of the text does not matter.
            while bytes.len() < MAX_TEXT_BYTES
                && length.missing(&bytes)
                && self.read(&mut bytes, deadline).unwrap_or(false)
            {}
            let is_whole = head.keeps_alive && length.is_exactly(&bytes);
            bytes.truncate(MAX_TEXT_BYTES);
            answer.body = length.contents(bytes);
            return Ok((answer, is_whole));
        }
    }
}

/// What the head says about the rest.
struct Head {
    length: usize,
    body: Length,
    keeps_alive: bool,
}

/// How the length of a body is told.
#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
    /// By the end of the connection.
    Open,
}

impl Length {
    /// Whether these bytes are not all.
    fn missing(self, bytes: &[u8]) -> bool {
        match self {
            Self::Known(length) => bytes.len() < length,
            Self::Chunked => !chunks(bytes).1,
            Self::Open => true,
        }
    }

    /// Whether these bytes are the body and no more. Trailers are not expected.
    fn is_exactly(self, bytes: &[u8]) -> bool {
        match self {
            Self::Known(length) => bytes.len() == length,
            Self::Chunked => bytes.ends_with(b"0\r\n\r\n") && chunks(bytes).1,
            Self::Open => false,
        }
    }

    /// The contents of the beginning of a body.
    fn contents(self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Chunked => chunks(&bytes).0,
            Self::Known(_) | Self::Open => bytes,
        }
    }
}

/// The contents of the chunks that have arrived, and whether the last one is among them.
fn chunks(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut contents = Vec::new();
    while let Ok(httparse::Status::Complete((at, size))) = httparse::parse_chunk_size(bytes) {
        if size == 0 {
            return (contents, true);
        }
        let rest = &bytes[at..];
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        contents.extend_from_slice(&rest[..rest.len().min(size)]);
        // A line end is behind each chunk.
        bytes = rest.get(size.saturating_add(2)..).unwrap_or_default();
    }
    (contents, false)
}

/// The head of an answer, once it is complete.
fn parse(bytes: &[u8]) -> io::Result<Option<(HttpAnswer, Head)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(io::Error::new(ErrorKind::InvalidData, error.to_string())),
    };
    let mut answer = HttpAnswer { status: response.code.unwrap_or_default(), ..HttpAnswer::default() };
    let mut head = Head { length, body: Length::Open, keeps_alive: response.version == Some(1) };
    for header in response.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            if let Ok(length) = value.trim().parse() {
                head.body = Length::Known(length);
            }
        } else if is("transfer-encoding") {
            head.body = Length::Chunked;
        } else if is("connection") {
            head.keeps_alive &= !value.to_ascii_lowercase().contains("close");
        }
        answer.headers.push((header.name.to_owned(), value.into_owned()));
    }
    Ok(Some((answer, head)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(chunks(b"5\r\nhello\r\n3;x=y\r\n wo\r\n0\r\n\r\n"), (b"hello wo".to_vec(), true));
        assert_eq!(chunks(b"5\r\nhel"), (b"hel".to_vec(), false));
        assert_eq!(chunks(b"x"), (Vec::new(), false));
        assert!(!Length::Chunked.is_exactly(b"1\r\n0\r\n"));
        assert!(Length::Chunked.is_exactly(b"0\r\n\r\n"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, head in "HTTP/1.1 [0-9]{3} [ -~]{0,9}\r\n([a-zA-Z-]{1,20}: [ -~]{0,20}\r\n){0,4}\r\n") {
            let _ = chunks(&bytes);
            let _ = parse(&bytes);
            let _ = parse(&[head.as_bytes(), &bytes].concat());
        }
    }
}
