//! The traits of what can be registered: a metric with a family of cells, and a collector that makes samples.

use super::family::Family;
use crate::model::SampleFamily;
use crate::sync::Arc;

/// A metric that has a family of cells.
pub trait Metric {
    /// Its family.
    fn family(&self) -> &Arc<Family>;
}

/// Makes samples at each scrape, on the scraping thread: for values that are kept elsewhere.
/// It must not block for long: the whole scrape waits for it.
pub trait Collector: Send + Sync {
    /// The names of the families it may return, if they are known in advance. A registry that takes the collector with
    /// `register_named_collector` refuses other metrics that would write these names.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The families as they are now.
    fn collect(&self) -> Vec<SampleFamily>;
}
