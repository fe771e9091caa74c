//! The Node-API binding: converts arguments, calls the core, converts its errors. It decides nothing itself. Must not
//! know the public API, which is TypeScript's.

#![cfg_attr(test, allow(dead_code, reason = "only JavaScript calls the exports"))]
#![allow(
    unreachable_pub,
    reason = "what JavaScript reaches is public without being exported by a Rust module"
)]

mod answer;
mod buffers;
mod cardinality;
mod catalogue;
mod clock;
mod collectors;
mod config;
mod contributor;
mod direct;
mod encode;
mod error;
mod exporter;
mod family;
mod host;
mod pusher;
mod registry;
mod remover;
mod sanitizer;
mod scratch;
mod service;
mod testing;
mod transport;
mod values;
