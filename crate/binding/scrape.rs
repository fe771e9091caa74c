//! Scrapes as tasks: gathered, written and compressed on a thread of the pool, handed to JavaScript whole.

use crate::buffers::{ascii_string, body_buffer};
use napi::bindgen_prelude::{BufferSlice, JavaScriptClassExt, Object};
use napi::{Env, Error, JsString, Result, ScopedTask};
use napi_derive::napi;
use prometheus_metrics::http::{Body, Response, ScrapeRequest, ScrapeService};
use prometheus_metrics::registry::{Gathered, ItemId, Process, Registry, Selection, gather};
use prometheus_metrics::{Format, SampleFamily, encode};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What is to be scraped.
pub(crate) struct Request {
    pub(crate) registry: Arc<Registry>,
    pub(crate) process: Option<Arc<Process>>,
    pub(crate) format: Format,
    pub(crate) names: Vec<String>,
    pub(crate) appended: Option<Arc<Registry>>,
    pub(crate) foreign: Vec<(ItemId, SampleFamily)>,
}

impl Request {
    pub(crate) fn gather(&self) -> Gathered {
        let selection = Selection {
            process: self.process.as_deref(),
            names: &self.names,
            appended: self.appended.as_deref(),
        };
        gather(&self.registry, &selection, self.foreign.clone())
    }
}

/// A panic on a thread of the pool would end the process; here it rejects the promise.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| Error::from_reason("the scrape panicked: please report it"))
}

/// An exposition as a string.
pub struct EncodeTask {
    pub(crate) request: Request,
}

/// A finished exposition.
pub struct Encoded {
    body: Body,
    /// JavaScript keeps such text at one byte a character and copies it without looking at it.
    ascii: bool,
    mismatched: Vec<String>,
}

impl Encoded {
    pub(crate) fn of(request: &Request) -> Self {
        let gathered = request.gather();
        let mut body = Body::pooled();
        let Ok(()) = encode(&gathered, request.format, body.buffer());
        let ascii = body.as_slice().is_ascii();
        Self { body, ascii, mismatched: gathered.mismatched().to_vec() }
    }

    pub(crate) fn into_object<'env>(self, env: &'env Env) -> Result<Object<'env>> {
        let text: JsString<'_> = if self.ascii {
            ascii_string(env, self.body)?
        } else {
            env.create_string(String::from_utf8_lossy(self.body.as_slice()))?
        };
        let mut object = Object::new(env)?;
        object.set("text", text)?;
        object.set("mismatched", self.mismatched)?;
        Ok(object)
    }
}

impl<'task> ScopedTask<'task> for EncodeTask {
    type Output = Encoded;
    type JsValue = Object<'task>;

    fn compute(&mut self) -> Result<Encoded> {
        guarded(|| Encoded::of(&self.request))
    }

    fn resolve(&mut self, env: &'task Env, encoded: Encoded) -> Result<Object<'task>> {
        encoded.into_object(env)
    }
}

/// The answer to a scrape.
pub struct ScrapeTask {
    pub(crate) request: Request,
    pub(crate) accept: Option<String>,
    pub(crate) accept_encoding: Option<String>,
}

impl ScrapeTask {
    pub(crate) fn respond(&self) -> (Response, Vec<String>) {
        let request = ScrapeRequest {
            accept: self.accept.as_deref(),
            accept_encoding: self.accept_encoding.as_deref(),
        };
        let gathered = self.request.gather();
        (ScrapeService::new().scrape(&gathered, &request), gathered.mismatched().to_vec())
    }
}

impl<'task> ScopedTask<'task> for ScrapeTask {
    type Output = (Response, Vec<String>);
    type JsValue = Object<'task>;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| self.respond())
    }

    fn resolve(&mut self, env: &'task Env, (response, mismatched): Self::Output) -> Result<Object<'task>> {
        response_object(env, response, mismatched)
    }
}

/// A body that JavaScript reads piece by piece. As one `Buffer` it would be the engine's to account for: 70 MB of
/// external memory make it collect its whole heap at once, for tens of milliseconds.
#[napi]
pub struct NativeBody {
    body: Body,
}

#[napi]
impl NativeBody {
    /// Bytes in all.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        u32::try_from(self.body.as_slice().len()).unwrap_or(u32::MAX)
    }

    /// Copies what lies from `start` on into `piece` and returns how many bytes that were.
    #[napi(catch_unwind)]
    pub fn read(&self, start: u32, mut piece: BufferSlice<'_>) -> u32 {
        let rest = self.body.as_slice().get(start as usize..).unwrap_or_default();
        let count = rest.len().min(piece.len());
        piece[..count].copy_from_slice(&rest[..count]);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Gives the memory back without waiting for the garbage collector.
    #[napi(catch_unwind)]
    pub fn release(&mut self) {
        self.body = Body::default();
    }
}

/// A response whose body stays here, made for a door that sends it in pieces.
pub struct SendTask(pub(crate) ScrapeTask);

impl<'task> ScopedTask<'task> for SendTask {
    type Output = (Response, Vec<String>);
    type JsValue = Object<'task>;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| self.0.respond())
    }

    fn resolve(&mut self, env: &'task Env, (response, mismatched): Self::Output) -> Result<Object<'task>> {
        let Response { status, headers, body } = response;
        let mut object = response_head(env, status, &headers, mismatched)?;
        object.set("body", NativeBody { body }.into_instance(env)?)?;
        Ok(object)
    }
}

/// A response as an object; headers are names and values in turn.
pub(crate) fn response_object<'env>(
    env: &'env Env,
    response: Response,
    mismatched: Vec<String>,
) -> Result<Object<'env>> {
    let mut object = response_head(env, response.status, &response.headers, mismatched)?;
    object.set("body", body_buffer(env, response.body)?)?;
    Ok(object)
}

fn response_head<'env>(
    env: &'env Env,
    status: u16,
    headers: &[(&str, &str)],
    mismatched: Vec<String>,
) -> Result<Object<'env>> {
    let headers: Vec<&str> = headers.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let mut object = Object::new(env)?;
    object.set("status", u32::from(status))?;
    object.set("headers", headers)?;
    object.set("mismatched", mismatched)?;
    Ok(object)
}
