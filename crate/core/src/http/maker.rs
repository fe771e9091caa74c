//! Makes one exposition, or the page at `/`: gathers, encodes, compresses. It must not know requests, or that an
//! exposition is shared and cached.

use super::body::{Body, Meter};
use super::health::Health;
use super::negotiation::ContentType;
use super::page::page;
use super::self_metrics::{ListenerMetrics, SelfMetrics};
use super::target::Target;
use crate::gather::Gathered;
use crate::labels::Escaping;
use std::borrow::Cow;
use std::sync::Arc;

/// Two scrapes with equal keys get the same exposition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Exposition {
        content_type: ContentType,
        /// Compress bodies of at least the minimum size.
        gzip: bool,
        /// Compress bodies of every size, because the scraper accepts only gzip.
        forced: bool,
        /// The families to show, sorted and without duplicates; all families if empty.
        names: Vec<String>,
    },
    /// The HTML page at `/`, compressed if it may be.
    Page { gzip: bool },
}

/// A finished exposition.
#[derive(Debug)]
pub(crate) struct Exposition {
    pub(crate) content_type: Cow<'static, str>,
    pub(crate) gzip: bool,
    pub(crate) body: Arc<Body>,
    /// The size before compression.
    pub(crate) plain_bytes: usize,
    /// Families left out of the merge.
    pub(crate) mismatched: Vec<String>,
}

/// Why there is no exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Too many different expositions at once, too many bytes in flight, or no memory.
    Overloaded,
    /// A collector, or the encoder, panicked.
    Panicked,
}

/// Makes expositions of one target.
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
    /// Fails if there is no memory for the exposition.
    pub(super) fn make(&self, key: &Key) -> Result<Exposition, Failure> {
        match key {
            Key::Exposition { content_type, gzip, forced, names } => {
                self.exposition(*content_type, *gzip, *forced, names)
            }
            Key::Page { gzip } => Ok(self.page(*gzip)),
        }
    }

    fn exposition(
        &self,
        content_type: ContentType,
        gzip: bool,
        forced: bool,
        names: &[String],
    ) -> Result<Exposition, Failure> {
        let gathered = self.gather(names, content_type.escaping());
        self.metrics.refresh(gathered.series_count(), &self.meter);
        if let Some(listener) = &self.listener {
            listener.refresh(&self.health);
        }
        let body = self.target.encode(&gathered, content_type.format, names);
        let mut body = body.map_err(|_| Failure::Overloaded)?;
        let plain_bytes = body.as_slice().len();
        let gzip = gzip && (forced || plain_bytes >= self.compression_min_size);
        if gzip {
            body = compressed(body);
        }
        Ok(Exposition {
            content_type: content_type.header(),
            gzip,
            body: Arc::new(body.metered(&self.meter)),
            plain_bytes,
            mismatched: gathered.mismatched().to_vec(),
        })
    }

    fn page(&self, gzip: bool) -> Exposition {
        let text = page(&self.gather(&[], Escaping::default()), &self.metrics_path);
        let plain_bytes = text.len();
        let mut body = Body::from(text.as_str());
        if gzip {
            body = compressed(body);
        }
        Exposition {
            content_type: Cow::Borrowed("text/html; charset=utf-8"),
            gzip,
            plain_bytes,
            body: Arc::new(body.metered(&self.meter)),
            mismatched: Vec::new(),
        }
    }

    fn gather(&self, names: &[String], escaping: Escaping) -> Gathered {
        let own = self.self_metrics.then_some(&self.metrics.registry);
        self.target.gather(self.own_values, names, escaping, own)
    }
}

#[cfg(feature = "gzip")]
fn compressed(plain: Body) -> Body {
    let mut compressed = Body::with_room(0);
    super::compression::gzip(plain.as_slice(), compressed.buffer());
    compressed
}

/// Without the feature, `ScrapeService` asks for no compressed exposition.
#[cfg(not(feature = "gzip"))]
fn compressed(plain: Body) -> Body {
    plain
}
