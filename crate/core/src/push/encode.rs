//! Gathers a registry and writes what it shows as a push: the requests of the receiver's protocol, all with one timestamp.
//! Marks series as ended that the push before had and this one has not.

use super::queue::{Push, Request};
use super::settings::{Identity, Protocol, Receiver, group_path};
use crate::gather::{Gathered, encode, encode_for_push};
use crate::http::{Body, Target};
use crate::labels::Escaping;
use crate::registry::Turn;
use crate::serialization::{Format, Message, Otlp, RemoteWrite, Version, with_stale_markers};
use hashbrown::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request, and a number for each of its series.
type Remembered = (Arc<Request>, Vec<u64>);

/// Why nothing is pushed.
const NO_MEMORY: &str = "There is no memory to gather a push";
const TOO_LARGE: &str = "A series is too large for a push: nothing is pushed";

/// How far timestamps may be ahead of the clock: ten minutes.
const FAR_MS: i64 = 600_000;

/// Makes the pushes of one pusher.
pub(super) struct Gatherer {
    protocol: Protocol,
    /// The receiver's path.
    path: String,
    identity: Identity,
    target: Arc<Target>,
    own_values: bool,
    /// The newest timestamp. The system's clock may be set back, and receivers refuse what is not newer. A clock that is set back
    /// by far was wrong before: receivers would refuse what is ahead of their own.
    last_ms: i64,
    last_id: u64,
    /// The requests of the newest push, from which the end of their series is told.
    previous: Vec<Remembered>,
}

impl Gatherer {
    pub(super) fn new(
        receiver: &Receiver,
        identity: Identity,
        target: Arc<Target>,
        own_values: bool,
    ) -> Self {
        let (protocol, path) = (receiver.protocol, receiver.target.clone());
        Self { protocol, path, identity, target, own_values, last_ms: 0, last_id: 0, previous: Vec::new() }
    }

    /// Goes on where the pusher stopped that had the turn before: as the same instance, with newer timestamps.
    pub(super) fn follow(&mut self, turn: &dyn Turn) {
        if !self.identity.is_given {
            self.identity.rename(turn.agreed(&self.identity.instance));
        }
        self.last_ms = self.last_ms.max(turn.kept().unwrap_or_default());
    }

    /// The newest timestamp.
    pub(super) fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// The next push, and the families that were left out.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn gather(
        &mut self,
        is_second: bool,
        is_last: bool,
    ) -> Result<(Push, Vec<String>), &'static str> {
        // Receivers of remote write 1.0 and Pushgateways may be older than names of UTF-8.
        let escaping = match self.protocol {
            Protocol::Otlp => Escaping::AllowUtf8,
            Protocol::RemoteWrite if is_second => Escaping::AllowUtf8,
            _ => Escaping::Underscores,
        };
        let gathered = self.target.gather(self.own_values, &[], escaping, Some(self.target.pusher_metrics()));
        let timestamp_ms = self.next_timestamp();
        let requests = match self.protocol {
            Protocol::RemoteWrite | Protocol::RemoteWrite1 => {
                self.remote_write(&gathered, timestamp_ms, is_second, is_last)?
            }
            Protocol::Otlp => self.otlp(&gathered, timestamp_ms)?,
            Protocol::Pushgateway => {
                let mut body = Body::with_room(0);
                encode(&gathered, Format::PrometheusText, &mut body).map_err(|_| NO_MEMORY)?;
                let mut request = request(compressed(body.as_slice()), gathered.series_count(), false);
                request.path = Some(group_path(&self.path, &self.identity.group));
                VecDeque::from([Arc::new(request)])
            }
        };
        self.last_id += 1;
        Ok((Push { id: self.last_id, requests }, gathered.mismatched().to_vec()))
    }

    fn next_timestamp(&mut self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let is_far = self.last_ms.saturating_sub(now) > FAR_MS;
        self.last_ms = if is_far { now } else { now.max(self.last_ms + 1) };
        self.last_ms
    }

    fn remote_write(
        &mut self,
        gathered: &Gathered,
        timestamp_ms: i64,
        is_second: bool,
        is_last: bool,
    ) -> Result<VecDeque<Arc<Request>>, &'static str> {
        let version = if is_second { Version::V2 } else { Version::V1 };
        let mut current: Vec<Remembered> = Vec::new();
        let mut is_complete = true;
        let mut take = |message: Message<'_>| {
            let body = match message.pieces {
                [[], whole] => snappy(whole),
                pieces => snappy(&pieces.concat()),
            };
            is_complete &= body.is_some();
            let request = request(body.unwrap_or_default(), message.series.len(), is_second);
            current.push((Arc::new(request), message.series));
        };
        let mut encoder = RemoteWrite::new(version, timestamp_ms, &mut take);
        encode_for_push(gathered, &self.identity.labels, &mut encoder, &mut Body::with_room(0))
            .map_err(|_| NO_MEMORY)?;
        if !is_complete {
            return Err(TOO_LARGE);
        }
        let mut requests: VecDeque<_> = current.iter().map(|(request, _)| Arc::clone(request)).collect();
        let same = |one: &[Remembered], other: &[Remembered]| {
            one.len() == other.len() && one.iter().zip(other).all(|((_, own), (_, others))| own == others)
        };
        // A receiver that did not know the version has no series of it.
        if !same(&self.previous, &current)
            && self.previous.iter().all(|(request, _)| request.is_second == is_second)
        {
            let shown: HashSet<u64, foldhash::fast::FixedState> =
                current.iter().flat_map(|(_, series)| series.iter().copied()).collect();
            requests.extend(stale(&self.previous, version, timestamp_ms, &|series| !shown.contains(&series)));
        }
        self.previous = current;
        if is_last {
            let timestamp_ms = self.next_timestamp();
            requests.extend(stale(&std::mem::take(&mut self.previous), version, timestamp_ms, &|_| true));
        }
        Ok(requests)
    }

    fn otlp(&self, gathered: &Gathered, timestamp_ms: i64) -> Result<VecDeque<Arc<Request>>, &'static str> {
        let mut requests = VecDeque::new();
        let mut take = |message: &[u8], points: usize| {
            requests.push_back(Arc::new(request(compressed(message), points, false)));
        };
        let mut encoder = Otlp::new(timestamp_ms, &self.identity.resource, &mut take);
        encode_for_push(gathered, &self.identity.labels, &mut encoder, &mut Body::with_room(0))
            .map_err(|_| NO_MEMORY)?;
        Ok(requests)
    }
}

fn request(body: Vec<u8>, samples: usize, is_second: bool) -> Request {
    Request { body, samples: samples as u64, is_second, path: None }
}

/// Requests that mark the series as ended for which `has_ended` is true.
fn stale(
    sent: &[Remembered],
    version: Version,
    timestamp_ms: i64,
    has_ended: &dyn Fn(u64) -> bool,
) -> Vec<Arc<Request>> {
    let mut requests = Vec::new();
    for (of, series) in sent {
        let ended = series.iter().filter(|series| has_ended(**series)).count();
        // What this module has compressed can be decompressed.
        let Some(message) = (ended > 0).then(|| unsnappy(&of.body)).flatten() else { continue };
        let mut is_ended = |number: usize| series.get(number).is_some_and(|series| has_ended(*series));
        let message = with_stale_markers(version, &message, timestamp_ms, &mut is_ended);
        // It is no larger than the message was.
        let Some(body) = snappy(&message) else { continue };
        requests.push(Arc::new(request(body, ended, of.is_second)));
    }
    requests
}

/// `None` for more than the 4 GiB that the format can hold.
fn snappy(plain: &[u8]) -> Option<Vec<u8>> {
    snap::raw::Encoder::new().compress_vec(plain).ok()
}

fn unsnappy(compressed: &[u8]) -> Option<Vec<u8>> {
    snap::raw::Decoder::new().decompress_vec(compressed).ok()
}

/// The content encoding of OTLP and of a Pushgateway's text.
pub(super) const COMPRESSION: Option<&str> = if cfg!(feature = "gzip") { Some("gzip") } else { None };

#[cfg(feature = "gzip")]
fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    crate::http::gzip(plain, &mut out);
    out
}

#[cfg(not(feature = "gzip"))]
fn compressed(plain: &[u8]) -> Vec<u8> {
    plain.to_vec()
}
