//! Converts families and their values for JavaScript.

use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
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
        let (text, numbers) = json(gathered);
        Self { text, numbers: Float64Array::new(numbers) }
    }
}
