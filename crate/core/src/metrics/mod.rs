//! What Rust code records with: counters, gauges and histograms whose cells any thread may write.

mod counter;
mod gauge;
mod histogram;
mod series;
mod traits;
mod vec;

pub use counter::Counter;
pub use gauge::Gauge;
pub use histogram::{Histogram, Timer};
pub(crate) use series::{SeriesIndex, shared_cells};
pub use traits::{Collector, Metric};
pub use vec::{CounterVec, GaugeVec, HistogramVec, MetricVec, OfSeries};
