//! Writes one exposition or the page: gathers, encodes, compresses. Decides nothing about requests and shares nothing.

use super::body::{Body, Meter};
use super::compression;
use super::health::Health;
use super::negotiation::ContentType;
use super::page::page;
use super::self_metrics::{ListenerMetrics, SelfMetrics};
use super::target::Target;
use crate::registry::Gathered;
use crate::serialization::encode;
use std::sync::Arc;

/// What makes two scrapes the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Exposition {
        content_type: ContentType,
        /// Compressed, from the minimum size on.
        gzip: bool,
        /// Compressed, however small: the scraper takes nothing else.
        forced: bool,
        /// Sorted, each once.
        names: Vec<String>,
    },
    /// The page for people.
    Page,
}

/// A finished exposition.
#[derive(Debug)]
pub(crate) struct Exposition {
    pub(crate) content_type: &'static str,
    pub(crate) gzip: bool,
    pub(crate) body: Arc<Body>,
    /// Before compression.
    pub(crate) plain_bytes: usize,
    /// Families left out of a merge.
    pub(crate) mismatched: Vec<String>,
}

/// What the writing of an exposition needs.
pub(crate) struct Maker {
    pub(super) target: Arc<Target>,
    pub(super) metrics: SelfMetrics,
    pub(super) listener: Option<ListenerMetrics>,
    pub(super) health: Arc<Health>,
    pub(super) meter: Arc<Meter>,
    pub(super) metrics_path: String,
    pub(super) compression_min_size: usize,
    pub(super) own_values: bool,
    pub(super) self_metrics: bool,
}

impl Maker {
    fn gather(&self, names: &[String]) -> Gathered {
        let own = self.self_metrics.then_some(&self.metrics.registry);
        self.target.gather(self.own_values, names, own)
    }

    pub(super) fn make(&self, key: &Key) -> Exposition {
        match key {
            Key::Exposition { content_type, gzip, forced, names } => {
                let gathered = self.gather(names);
                self.metrics.refresh(gathered.series_count(), &self.meter);
                if let Some(listener) = &self.listener {
                    listener.refresh(&self.health);
                }
                let mut body = Body::pooled();
                let Ok(()) = encode(&gathered, content_type.format, body.buffer());
                let plain_bytes = body.as_slice().len();
                let gzip = *gzip && (*forced || plain_bytes >= self.compression_min_size);
                if gzip {
                    let mut compressed = Body::pooled();
                    compression::gzip(body.as_slice(), compressed.buffer());
                    body = compressed;
                }
                Exposition {
                    content_type: content_type.header,
                    gzip,
                    body: Arc::new(body.metered(&self.meter)),
                    plain_bytes,
                    mismatched: gathered.mismatched().to_vec(),
                }
            }
            Key::Page => {
                let gathered = self.gather(&[]);
                let overflow = self.target.overflow(self.own_values);
                let text = page(&gathered, &overflow, &self.metrics_path);
                Exposition {
                    content_type: "text/html; charset=utf-8",
                    gzip: false,
                    plain_bytes: text.len(),
                    body: Arc::new(Body::from(text.as_str()).metered(&self.meter)),
                    mismatched: Vec::new(),
                }
            }
        }
    }
}
