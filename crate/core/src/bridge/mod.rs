//! Connects this library with the crate `prometheus-client` in both directions, so that a program can use both and is
//! scraped once. It must not know transports.
//!
//! [`FromPrometheusClient`] shows a registry of `prometheus-client` in the scrapes of a [`Registry`](crate::Registry).
//! [`IntoPrometheusClient`] shows a [`Registry`](crate::Registry) in the expositions of `prometheus-client`. Use one
//! direction for one pair of registries: with both, each registry would ask the other without end.
//!
//! Exemplars are lost both ways: a [`Sample`](crate::Sample) has none, and `prometheus-client` has no function that
//! makes one.

mod from_client;
mod into_client;

pub use from_client::FromPrometheusClient;
pub use into_client::IntoPrometheusClient;
