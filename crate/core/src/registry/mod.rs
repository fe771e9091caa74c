//! Families of series and the registries that hold them: series tables, limits, expiry, and the contributors of a process.
//! Must not know formats or transports.

mod admission;
mod cardinality;
mod claims;
mod cleaning;
mod contributor;
mod double_double;
mod expiry;
mod family;
mod index;
mod label_values;
mod lookup;
mod mount;
mod overflow;
mod overflow_count;
mod process;
#[expect(clippy::module_inception, reason = "the room is named after its main inhabitant")]
mod registry;
mod remover;
mod report;
mod retired;
mod seen;
mod table;
mod traits;

pub use crate::model::{Aggregator, DEFAULT_BUCKETS, Descriptor, Exemplar, Kind, Sample, SampleFamily};
pub use cardinality::{
    CardinalityConfig, CardinalityGuard, CardinalityLimits, DEFAULT_MAX_SERIES, DEFAULT_MAX_TOTAL, Fallback,
    Limit, LimitsInForce, OVERFLOW_VALUE, OverflowPolicy,
};
pub use claims::ItemId;
pub(crate) use claims::written_names;
pub use cleaning::CleanedValues;
pub use contributor::Contributor;
pub(crate) use double_double::DoubleDouble;
pub(crate) use expiry::LiveFamily;
pub use family::{Family, SeriesId};
pub(crate) use index::SeriesCells;
#[cfg(feature = "http")]
pub(crate) use label_values::LabelValues;
pub(crate) use mount::MountLabels;
pub use process::Process;
pub(crate) use registry::{Item, Mount};
pub use registry::{Registry, RegistryConfig};
pub use remover::Remover;
pub use report::{CardinalityReport, LabelCardinality, MetricCardinality};
pub(crate) use retired::RetiredFamily;
#[cfg(feature = "http")]
pub(crate) use retired::add_overflow;
pub use traits::{Collector, Metric};
