//! The data that all later layers share: descriptors, exemplars, digests, and what an encoder reads (a family's series, or
//! finished samples). Must not know registries, formats or threads.

mod descriptor;
mod digest;
mod exemplar;
mod samples;

pub(crate) use descriptor::SUMMARY_CELLS;
pub use descriptor::{
    Aggregator, DEFAULT_BUCKETS, DEFAULT_QUANTILES, Descriptor, Kind, SUMMARY_BUFFER, SummaryOptions,
};
pub(crate) use digest::Digest;
pub use exemplar::Exemplar;
pub(crate) use samples::{CellSeries, Series, Source};
pub use samples::{Sample, SampleFamily};
