//! The scrape endpoint. `ScrapeService` decides everything about a request: route, access, format, compression,
//! sharing, caching, health. A door (an HTTP handler of the host program, or this crate's `Exporter`) passes requests
//! to it and sends its responses.

mod address;
mod auth;
mod body;
#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod client_names;
#[cfg(feature = "gzip")]
mod compression;
mod connection;
#[cfg(all(feature = "testing", not(loom)))]
mod conversation;
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
#[cfg(feature = "auth")]
mod passwords;
#[cfg(not(feature = "auth"))]
#[path = "no_passwords.rs"]
mod passwords;
mod pem;
mod places;
mod rate_limit;
mod remembered_credentials;
mod request;
mod response;
mod router;
mod self_metrics;
mod server;
mod target;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod tls_config;
#[cfg(feature = "tls")]
mod validity;
mod web_config;
mod workers;
mod yaml;

pub use crate::config::DEFAULT_MIN_SIZE;
pub use auth::AuthConfig;
pub use exporter::{Exporter, ExporterOptions, check_config};
pub use handler::{Embedding, ScrapeService};
pub use listener::Address;
pub use pem::Pem;
pub use router::{Peer, router};
pub use target::Target;
#[cfg(feature = "tls")]
#[doc(hidden)]
pub use tls::Tls;
pub use tls_config::{ClientAuth, TlsConfig, TlsVersion};
pub use web_config::{RateLimit, WebConfig};

// The parts that a pusher needs too.
#[cfg(all(feature = "push", feature = "tls"))]
pub(crate) use certificates::{certificates, private_key};
#[cfg(feature = "push")]
pub(crate) use {host::Asker, pem::read_bounded};

// The parts of which the addon builds its doors. They can change in any version.
#[doc(hidden)]
pub use address::{Allowlist, client_address};
#[doc(hidden)]
pub use auth::{Authenticator, Verdict, Verification};
#[doc(hidden)]
pub use body::Body;
#[cfg(feature = "gzip")]
#[doc(hidden)]
pub use compression::{gzip, gzip_parts};
#[cfg(all(feature = "testing", not(loom)))]
#[doc(hidden)]
pub use conversation::Conversations;
#[doc(hidden)]
pub use handler::{Plan, Step, Visit};
#[doc(hidden)]
pub use health::{BEAT_INTERVAL, Check, CheckOutcome, Health};
#[doc(hidden)]
pub use host::{Host, Question, Reply, Ticket, Visitor};
#[doc(hidden)]
pub use listener::{is_port_taken, listen_failed};
#[doc(hidden)]
pub use negotiation::{Coding, ContentType, coding, content_type};
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub use places::play;
#[doc(hidden)]
pub use rate_limit::{MAX_PEERS, RateLimiter};
#[doc(hidden)]
pub use request::Request;
#[doc(hidden)]
pub use response::{Header, Response};
#[doc(hidden)]
pub use self_metrics::Rejection;
