//! The data that all later layers share: descriptors, exemplars, digests, and what an encoder reads (a family's series, or
//! finished samples). Must not know registries, formats or threads.

mod descriptor;
mod digest;
mod exemplar;
mod native_histogram;
mod samples;

pub use descriptor::{
    Aggregator, DEFAULT_BUCKETS, DEFAULT_QUANTILES, Descriptor, Kind, SUMMARY_BUFFER, SummaryOptions,
};
pub(crate) use descriptor::{NATIVE_CELLS, SUMMARY_CELLS};
pub(crate) use digest::Digest;
pub use exemplar::Exemplar;
pub(crate) use native_histogram::{
    EXEMPLARS_MAX, NEGATIVE, NativeBuckets, NativeHistogram, POSITIVE, SCHEMA_MIN, key_of, upper_bound,
};
pub use native_histogram::{NATIVE_BOUNDS, NativeHistogramOptions};
pub(crate) use samples::{CellSeries, Series, Source};
pub use samples::{Sample, SampleFamily};
