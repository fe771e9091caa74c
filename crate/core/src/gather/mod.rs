//! Gathers what one scrape shows and writes its exposition: a registry's families, merged with those of the process's
//! other threads and of mounted registries. Must not know transports.

mod escaped;
mod exposition;
mod family;
mod gathered;
mod items;
mod merged;
#[cfg(all(test, loom))]
mod model;
mod mounts;
#[cfg(feature = "http")]
mod overflow;
mod process;
mod sample_names;

pub use exposition::encode;
#[cfg(feature = "push")]
pub(crate) use exposition::encode_for_push;
// The values of `getMetricsAsJSON()`, in a form that can change in any version.
#[doc(hidden)]
pub use exposition::json;
pub use gathered::{Gathered, Selection, gather};
#[cfg(feature = "http")]
pub(crate) use overflow::{OverflowCalls, overflow};
