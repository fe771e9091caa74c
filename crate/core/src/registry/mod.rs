//! Families of series and the registries that hold them: series tables, limits, expiry, and the contributors of a process.
//! Must not know formats or transports.

mod admission;
mod cardinality;
mod claims;
mod cleaning;
mod contributor;
mod double_double;
mod exemplar_spread;
mod expiry;
mod family;
mod histogram_read;
mod index;
#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "only on Linux do processes share their metrics")
)]
mod journal;
mod label_values;
mod lookup;
mod mount;
#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "only on Linux do processes share their metrics")
)]
mod native_description;
mod native_series;
mod observations;
mod overflow;
mod overflow_count;
mod process;
mod reading;
#[expect(clippy::module_inception, reason = "the room is named after its main inhabitant")]
mod registry;
#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "only on Linux do processes share their metrics")
)]
mod remote;
mod remover;
mod report;
mod retired;
mod seen;
mod shown;
mod table;
mod traits;
mod windows;

pub use crate::model::{
    Aggregator, DEFAULT_BUCKETS, DEFAULT_QUANTILES, Descriptor, Exemplar, Kind, NATIVE_BOUNDS,
    NativeHistogramOptions, SUMMARY_BUFFER, Sample, SampleFamily, SummaryOptions,
};
pub use cardinality::{
    CardinalityConfig, CardinalityGuard, CardinalityLimits, DEFAULT_MAX_SERIES, DEFAULT_MAX_TOTAL, Fallback,
    Limit, LimitsInForce, OVERFLOW_VALUE, OverflowPolicy,
};
pub use claims::ItemId;
pub(crate) use claims::written_names;
pub(crate) use double_double::DoubleDouble;
pub(crate) use expiry::LiveFamily;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use histogram_read::{PASSES_MAX, read_histogram};
pub(crate) use index::SeriesCells;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use journal::{Journal, NewSeries};
pub(crate) use mount::MountLabels;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use native_description::{COPIES, read_described};
pub(crate) use native_series::SharedNative;
pub(crate) use registry::{Item, Mount};
pub use registry::{Registry, RegistryConfig};
pub(crate) use remote::RemoteFamily;
#[cfg(any(feature = "push", all(target_os = "linux", not(loom))))]
pub(crate) use remote::Turn;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use remote::{Others, RemoteSeries, Run};
pub use report::{CardinalityReport, LabelCardinality, MetricCardinality};
pub(crate) use retired::RetiredFamily;
#[cfg(feature = "http")]
pub(crate) use retired::add_overflow;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use retired::{Labelled, Retired};
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use seen::{SeenSeries, fingerprint};
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use shown::Shown;
pub use traits::{Collector, Metric};
pub(crate) use windows::SharedWindow;

// The threads of a process and the families that they write, as the addon handles them. They can change in any version.
#[doc(hidden)]
pub use cleaning::CleanedValues;
#[doc(hidden)]
pub use contributor::Contributor;
#[doc(hidden)]
pub use family::{Family, SeriesId};
#[doc(hidden)]
pub use process::Process;
#[doc(hidden)]
pub use remover::Remover;
