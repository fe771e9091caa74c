//! What a registry accepts.

use crate::registry::{Family, SampleFamily};
use crate::sync::Arc;

/// A metric that has a family of cells.
pub trait Metric {
    /// Its family.
    fn family(&self) -> &Arc<Family>;
}

/// Makes samples when it is asked, at each scrape and on the scraping thread: for figures that somebody else keeps.
/// It must not block for long; the whole scrape waits for it.
pub trait Collector: Send + Sync {
    /// The families as they are now.
    fn collect(&self) -> Vec<SampleFamily>;
}
