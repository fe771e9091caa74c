//! Pushes metrics to a receiver of Prometheus remote write or OTLP, or to a Pushgateway, from a thread of its own: a
//! program that is busy, or about to end, pushes too. Formats are written by `serialization`.

mod answer;
mod client;
mod credentials;
mod encode;
mod pusher;
mod queue;
mod self_metrics;
mod sender;
mod settings;
mod shared;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod worker;

pub use pusher::{Pusher, PusherOptions};
pub use shared::PushStats;
