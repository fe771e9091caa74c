//! The scrape endpoint. `ScrapeService` decides everything about a request: route, access, format, compression,
//! sharing, caching, health. A door (an HTTP handler of the host program, or this crate's `Exporter`) passes requests
//! to it and sends its responses.

mod address;
mod auth;
mod body;
mod client_names;
#[cfg(feature = "gzip")]
mod compression;
mod connection;
mod exporter;
mod expositions;
mod gate;
mod handler;
mod health;
mod host;
mod listener;
mod maker;
mod negotiation;
mod page;
mod pem;
mod rate_limit;
mod remembered_credentials;
mod request;
mod response;
mod router;
mod self_metrics;
mod server;
mod target;
mod tls;
mod web_config;
mod workers;
mod yaml;

pub use crate::config::DEFAULT_MIN_SIZE;
pub use address::{Allowlist, client_address};
pub use auth::{AuthConfig, Authenticator, Verdict, Verification};
pub use body::Body;
#[cfg(feature = "gzip")]
pub use compression::{gzip, gzip_members};
pub use exporter::{Exporter, ExporterOptions};
pub use handler::{Embedding, Plan, ScrapeService, Step, Visit};
pub use health::{BEAT_INTERVAL, Check, CheckOutcome, Health};
pub use host::{Host, Question, Reply, Ticket, Visitor};
pub use listener::Address;
pub use negotiation::{Coding, ContentType, coding, content_type};
pub use pem::Pem;
pub use rate_limit::{MAX_PEERS, RateLimiter};
pub use request::Request;
pub use response::{Header, Response};
pub use router::{Peer, router};
pub use self_metrics::Rejection;
pub use target::Target;
pub use tls::{ClientAuth, Tls, TlsConfig, TlsVersion};
pub use web_config::{RateLimit, WebConfig};
