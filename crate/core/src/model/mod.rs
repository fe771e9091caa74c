//! The data that all later layers share: descriptors, exemplars, and what an encoder reads (a family's series, or
//! finished samples). Must not know registries, formats or threads.

mod descriptor;
mod exemplar;
mod samples;

pub use descriptor::{Aggregator, DEFAULT_BUCKETS, Descriptor, Kind};
pub use exemplar::Exemplar;
pub use samples::{Sample, SampleFamily};
pub(crate) use samples::{Series, Source};
