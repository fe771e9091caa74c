//! What a scrape endpoint decides: route, format, compression, status, headers. It opens no socket.

mod body;
mod compression;
mod handler;
mod negotiation;

pub use body::Body;
pub use compression::{DEFAULT_MIN_SIZE, gzip};
pub use handler::{Response, Route, ScrapeRequest, ScrapeService};
pub use negotiation::{ContentType, content_type, gzip as accepts_gzip};
