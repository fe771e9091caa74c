//! Makes a worker thread of Node.js the transport of a pusher: requests go through a threadsafe function of the worker, answers
//! come back through deliveries.

use crate::error::{Result, engine, invalid_config};
use napi::Status;
use napi::bindgen_prelude::{Buffer, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use prometheus_metrics::push::{Failure, HttpAnswer, HttpRequest, Transport};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Requests that wait while the worker does not take them. There is one at a time, and others that were given up.
const MAX_REQUESTS: usize = 8;

/// A request for the worker.
#[napi(object, object_from_js = false)]
pub struct PushRequest {
    /// Takes the answer.
    pub delivery: NativeDelivery,
    /// Whether it is https.
    pub is_secure: bool,
    /// The port.
    pub port: u32,
    /// Method; host, a name or an address without brackets; path and query; the authorities, the pusher's certificate chain and
    /// its key in PEM, each empty if there is none. In the path and in headers a character is a byte.
    pub texts: Vec<String>,
    /// Names and values, alternating.
    pub headers: Vec<String>,
    /// The body.
    pub body: Buffer,
    /// How long it may take.
    pub timeout_ms: f64,
}

type Outcome = std::result::Result<HttpAnswer, Failure>;

/// Where a pusher waits for the outcome of one request.
#[derive(Default)]
struct Waiting {
    outcome: Mutex<Option<Outcome>>,
    changed: Condvar,
}

/// Takes the answer to one request. One that is collected without an answer counts as a broken connection.
#[napi]
pub struct NativeDelivery {
    waiting: Arc<Waiting>,
}

impl Drop for NativeDelivery {
    fn drop(&mut self) {
        self.finish(Err(Failure::Exchange("the worker thread that sends pushes has ended".to_owned())));
    }
}

#[napi]
impl NativeDelivery {
    /// Delivers an answer: its status, names and values of its headers, alternating, and the beginning of its body, in
    /// which a character is a byte. Without an answer the status is 0 if there was no connection, 1 if it broke, and 2
    /// if the time was over, and the text says why.
    #[napi(catch_unwind)]
    pub fn settle(&self, status: u32, headers: Vec<String>, text: String) {
        self.finish(match status {
            0 => Err(Failure::Connect(text)),
            1 => Err(Failure::Exchange(text)),
            2 => Err(Failure::Timeout),
            _ => {
                let mut headers = headers.into_iter();
                let headers = std::iter::from_fn(|| Some((headers.next()?, headers.next()?))).collect();
                // The other characters of UTF-16 do not occur.
                let body = text.chars().map(|byte| u8::try_from(byte).unwrap_or(b'?')).collect();
                Ok(HttpAnswer { status: u16::try_from(status).unwrap_or_default(), headers, body })
            }
        });
    }

    /// Keeps the first outcome.
    fn finish(&self, outcome: Outcome) {
        let Waiting { outcome: first, changed } = &*self.waiting;
        first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(outcome);
        changed.notify_all();
    }
}

type Send = ThreadsafeFunction<PushRequest, (), PushRequest, Status, false, false, MAX_REQUESTS>;

/// Functions of workers that no pusher has taken yet, each with its number.
static OPEN: Mutex<Vec<(u32, Send)>> = Mutex::new(Vec::new());
static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// Called by a worker: gives a pusher of another thread the function that takes its requests. Returns the number by which
/// `startPusher` knows it. The function keeps the worker alive until the pusher has ended.
#[napi(catch_unwind)]
pub fn open_transport(send: Function<'_, PushRequest, ()>) -> Result<u32> {
    let send = send
        .build_threadsafe_function::<PushRequest>()
        .max_queue_size::<MAX_REQUESTS>()
        .build_callback(|context| Ok(context.value))
        .map_err(engine)?;
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).push((number, send));
    Ok(number)
}

/// A worker thread.
pub(crate) struct WorkerTransport(Send);

impl WorkerTransport {
    /// Takes the function with this number.
    pub(crate) fn take(number: u32) -> Result<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|(known, _)| *known == number);
        let at = at.ok_or_else(|| {
            invalid_config(format!("Expected the number of an open transport but received {number}"))
        })?;
        Ok(Self(open.swap_remove(at).1))
    }
}

impl Transport for WorkerTransport {
    fn send(&mut self, request: &HttpRequest<'_>, deadline: Instant) -> Outcome {
        let waiting = Arc::new(Waiting::default());
        let left = deadline.saturating_duration_since(Instant::now());
        let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let headers = request.headers.iter().flat_map(|(name, value)| [(*name).to_owned(), text(value)]);
        let (cert, key) = request.tls.and_then(|texts| texts.own.clone()).unwrap_or_default();
        let authorities = request.tls.and_then(|texts| texts.authorities.clone()).unwrap_or_default();
        let path = text(request.target.as_bytes());
        // If the worker has ended, the message is dropped, and its delivery reports that.
        let status = self.0.call(
            PushRequest {
                delivery: NativeDelivery { waiting: Arc::clone(&waiting) },
                is_secure: request.tls.is_some(),
                texts: vec![request.method.to_owned(), request.host.to_owned(), path, authorities, cert, key],
                port: u32::from(request.port),
                headers: headers.collect(),
                body: request.body.to_vec().into(),
                timeout_ms: left.as_secs_f64() * 1000.0,
            },
            ThreadsafeFunctionCallMode::NonBlocking,
        );
        if status == Status::QueueFull {
            return Err(Failure::Exchange(
                "the worker thread that sends pushes does not take requests".to_owned(),
            ));
        }
        let outcome = waiting.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = waiting.changed.wait_timeout_while(outcome, left, |outcome| outcome.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take().unwrap_or(Err(Failure::Timeout))
    }
}
