//! Converts families and their values for JavaScript.

use crate::encode::{Request, guarded};
use napi::bindgen_prelude::Float64Array;
use napi::{Env, Result, Task};
use napi_derive::napi;
use prometheus_metrics::Escaping;
use prometheus_metrics::gather::{Gathered, json};

/// Families as JSON. Values are beside the text, because JSON has neither NaN nor infinities.
#[napi(object)]
pub struct Values {
    /// An array of families.
    pub text: String,
    /// One value for each cell or sample, in the order of the text.
    pub numbers: Float64Array,
}

impl Values {
    pub(crate) fn of(gathered: &Gathered) -> Self {
        Self::new(json(gathered))
    }

    fn new((text, numbers): (String, Vec<f64>)) -> Self {
        Self { text, numbers: Float64Array::new(numbers) }
    }
}

/// Reads families on a thread of the pool.
pub struct ReadTask {
    pub(crate) request: Request,
}

impl Task for ReadTask {
    type Output = (String, Vec<f64>);
    type JsValue = Values;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| json(&self.request.gather(Escaping::AllowUtf8)))
    }

    fn resolve(&mut self, _: Env, read: Self::Output) -> Result<Values> {
        Ok(Values::new(read))
    }
}
