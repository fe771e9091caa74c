//! Writes expositions as strings, on a thread of the pool or at once, and passes them to JavaScript.

use crate::buffers::ascii_string;
use napi::bindgen_prelude::Object;
use napi::{Env, Error, JsString, Result, ScopedTask};
use prometheus_metrics::gather::{Gathered, Selection, gather};
use prometheus_metrics::http::{Body, Target};
use prometheus_metrics::{Escaping, Format};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The registry, the families and the format of a scrape.
pub(crate) struct Request {
    pub(crate) target: Arc<Target>,
    pub(crate) process: bool,
    pub(crate) without_own: bool,
    pub(crate) without_run: bool,
    pub(crate) format: Format,
    pub(crate) names: Vec<String>,
}

impl Request {
    pub(crate) fn gather(&self, escaping: Escaping) -> Gathered {
        let selection = Selection::default()
            .process(self.target.process().map(|process| &**process).filter(|_| self.process))
            .names(&self.names)
            .without_own(self.without_own)
            .without_run(self.without_run)
            .appended(&[])
            .escaping(escaping);
        gather(self.target.registry(), &selection)
    }
}

/// Turns a panic into a rejected promise. On a thread of the pool it would end the process.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| Error::from_reason("the scrape panicked: please report it"))
}

/// The engine's own error has no message.
fn too_long(bytes: usize) -> Error {
    Error::from_reason(format!(
        "Expected an exposition that fits into a JavaScript string, which holds 536870888 characters at most, but \
         received {bytes} bytes: scrape an endpoint, which sends bytes, or reduce the number of series"
    ))
}

/// An exposition as a string.
pub struct EncodeTask {
    pub(crate) request: Request,
}

/// A finished exposition.
pub struct Encoded {
    body: Body,
    /// JavaScript stores ASCII at one byte a character and copies it without checking it.
    ascii: bool,
    mismatched: Vec<String>,
}

impl Encoded {
    pub(crate) fn of(request: &Request) -> Result<Self> {
        let gathered = request.gather(Escaping::default());
        let body = request.target.encode(&gathered, request.format, &request.names);
        let body = body
            .map_err(|_| Error::from_reason("Expected memory for the exposition but the system has none"))?;
        let ascii = body.as_slice().is_ascii();
        Ok(Self { body, ascii, mismatched: gathered.mismatched().to_vec() })
    }

    pub(crate) fn into_object<'env>(self, env: &'env Env) -> Result<Object<'env>> {
        let bytes = self.body.as_slice().len();
        let text: Result<JsString<'_>> = if self.ascii {
            ascii_string(env, self.body)
        } else {
            env.create_string(String::from_utf8_lossy(self.body.as_slice()))
        };
        let text = text.map_err(|_| too_long(bytes))?;
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
        guarded(|| Encoded::of(&self.request))?
    }

    fn resolve(&mut self, env: &'task Env, encoded: Encoded) -> Result<Object<'task>> {
        encoded.into_object(env)
    }
}
