//! What a scrape endpoint decides: who may come in, route, format, compression, status, headers. It opens no socket.

#[cfg(feature = "http")]
mod address;
#[cfg(feature = "http")]
mod auth;
mod body;
#[cfg(feature = "tls")]
mod client_names;
mod compression;
mod handler;
#[cfg(feature = "http")]
mod known;
#[cfg(feature = "http")]
mod limits;
mod negotiation;
#[cfg(feature = "tls")]
mod pem;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod web_config;
#[cfg(feature = "tls")]
mod yaml;

#[cfg(feature = "http")]
pub use address::{Allowlist, client_address};
#[cfg(feature = "http")]
pub use auth::{AuthConfig, Authenticator, Verdict, Verification};
pub use body::Body;
pub use compression::{DEFAULT_MIN_SIZE, gzip};
pub use handler::{Response, Route, ScrapeRequest, ScrapeService};
#[cfg(feature = "http")]
pub use limits::{MAX_PEERS, RateLimiter};
pub use negotiation::{ContentType, content_type, gzip as accepts_gzip};
#[cfg(feature = "tls")]
pub use pem::Pem;
#[cfg(feature = "tls")]
pub use tls::{ClientAuth, Tls, TlsConfig, TlsVersion};
#[cfg(feature = "tls")]
pub use web_config::{RateLimit, WebConfig};
