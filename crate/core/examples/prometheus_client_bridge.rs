//! A program with metrics of both crates, and a scrape that shows all of them. First this crate's registry shows the
//! metrics of `prometheus-client`, then the other way round.
//!
//! `cargo run --example prometheus_client_bridge --features prometheus-client`

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry as ClientRegistry;
use prometheus_metrics::bridge::{FromPrometheusClient, IntoPrometheusClient};
use prometheus_metrics::{Format, Registry};
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A library that records with `prometheus-client`.
    let queries = Family::<Vec<(String, String)>, Counter>::default();
    let mut library = ClientRegistry::default();
    library.register("queries", "Queries of the database", queries.clone());
    queries.get_or_create(&vec![("table".to_owned(), "users".to_owned())]).inc();

    // The program's own metrics. One scrape shows both.
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs that have ended")?.inc();
    registry.register_named_collector(Arc::new(FromPrometheusClient::new(Arc::new(library))))?;
    println!("Scrape of this crate:\n\n{}", registry.encode(Format::PrometheusText));

    // A program whose endpoint belongs to `prometheus-client`.
    let own = Arc::new(Registry::new());
    own.gauge("jobs_waiting", "Jobs that wait for a worker")?.set(3.0);
    let mut program = ClientRegistry::default();
    program.register_collector(Box::new(IntoPrometheusClient::new(own)));
    let mut text = String::new();
    encode(&mut text, &program)?;
    print!("Scrape of prometheus-client:\n\n{text}");
    Ok(())
}
