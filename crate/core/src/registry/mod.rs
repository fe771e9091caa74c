//! Families and where they are found: descriptors, series tables, registries, and the merge of the
//! registries of one process. Knows no format and no transport.

mod cardinality;
mod cleaning;
mod contributor;
mod expiry;
mod family;
mod index;
mod lookup;
mod merge;
mod mount;
mod overflow;
mod process;
#[expect(clippy::module_inception, reason = "the room is named after its main inhabitant")]
mod registry;
mod report;
mod retired;
mod table;
mod traits;

pub use crate::model::{Aggregator, DEFAULT_BUCKETS, Descriptor, Exemplar, Kind, Sample, SampleFamily};
pub use cardinality::{
    CardinalityConfig, CardinalityGuard, CardinalityLimits, DEFAULT_MAX_SERIES, DEFAULT_MAX_TOTAL, Limit,
    LimitsInForce, OVERFLOW_VALUE, OverflowPolicy,
};
pub use cleaning::CleanedValues;
pub use contributor::Contributor;
pub use expiry::Owner;
pub use family::{Family, SeriesId};
pub(crate) use index::SeriesCells;
pub(crate) use merge::GatheredFamily;
pub use merge::{Gathered, Selection, gather};
#[cfg(feature = "http")]
pub(crate) use merge::{OverflowCalls, overflow};
pub use process::Process;
pub use registry::{ItemId, Registry, RegistryConfig};
pub use report::{CardinalityReport, LabelCardinality, MetricCardinality};
pub use traits::{Collector, Metric};
