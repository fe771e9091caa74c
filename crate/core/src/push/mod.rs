//! Pushes metrics to a receiver of Prometheus remote write or OTLP, or to a Pushgateway, from a thread of its own: a
//! program that is busy, or about to end, pushes too. Formats are written by `serialization`. Requests go over a [`Transport`],
//! which the program may bring.

mod answer;
#[cfg(feature = "push-http")]
mod client;
mod credentials;
mod encode;
mod pusher;
mod queue;
mod self_metrics;
mod sender;
mod settings;
mod shared;
#[cfg(feature = "push-http")]
mod timed;
#[cfg(feature = "push-http")]
mod tls;
mod tls_files;
mod transport;
mod turns;
mod worker;

pub use pusher::{Pusher, PusherOptions};
pub use shared::PushStats;
pub use tls_files::TlsTexts;
pub use transport::{Failure, HttpAnswer, HttpRequest, Transport};
