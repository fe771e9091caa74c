//! Counters, gauges, histograms and summaries for Rust code. Any thread may write them. Must not know formats.

mod counter;
mod gauge;
mod histogram;
mod make;
mod shared_cells;
mod summary;
mod vec;

pub use crate::registry::{Collector, Metric};
pub use counter::{Counter, CounterVec};
pub use gauge::{Gauge, GaugeVec};
pub use histogram::{Histogram, HistogramVec, Timer};
pub use make::MetricBuilder;
pub use summary::{Summary, SummaryVec};
pub use vec::{MetricVec, OfSeries};
