//! Families and where they are found: descriptors, series tables, registries, and the merge of the
//! registries of one process. Knows no format and no transport.

mod contributor;
mod descriptor;
mod exemplar;
mod family;
mod merge;
mod process;
#[expect(clippy::module_inception, reason = "the room is named after its main inhabitant")]
mod registry;
mod retired;
mod source;
mod table;

pub use contributor::Contributor;
pub use descriptor::{Aggregator, DEFAULT_BUCKETS, Descriptor, Kind};
pub use exemplar::Exemplar;
pub use family::{Family, SeriesId};
pub(crate) use merge::GatheredFamily;
pub use merge::{Gathered, Selection, gather};
pub use process::Process;
pub use registry::{ItemId, Registry, RegistryConfig};
pub use source::{Sample, SampleFamily};
pub(crate) use source::{Series, Source};
