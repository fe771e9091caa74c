//! What Rust code records with: counters, gauges and histograms whose cells any thread may write.

mod counter;
mod gauge;
mod histogram;
mod series;
mod traits;

pub use counter::{Counter, CounterVec};
pub use gauge::{Gauge, GaugeVec};
pub use histogram::{Histogram, HistogramVec, Timer};
pub(crate) use series::{SeriesIndex, shared_cells};
pub use traits::{Collector, Metric};
