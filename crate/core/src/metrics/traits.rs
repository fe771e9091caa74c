//! What a registry accepts.

use crate::model::SampleFamily;
use crate::registry::Family;
use crate::sync::Arc;

/// A metric that has a family of cells.
pub trait Metric {
    /// Its family.
    fn family(&self) -> &Arc<Family>;
}

/// Makes samples when it is asked, at each scrape and on the scraping thread: for figures that somebody else keeps.
/// It must not block for long; the whole scrape waits for it.
pub trait Collector: Send + Sync {
    /// The names of the families it may answer with, where they are known before: a registry that takes it with
    /// `register_named_collector` lets nobody else write under them.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The families as they are now.
    fn collect(&self) -> Vec<SampleFamily>;
}
