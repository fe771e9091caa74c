//! Serves the endpoint from a program's own axum server, beside its other routes.
//!
//! `cargo run --example axum_router`, then open the URL that it prints. `/work` counts, `/metrics` shows it.

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use prometheus_metrics::Registry;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Embedding, Peer, ScrapeService, Target, router};
use std::net::SocketAddr;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = Arc::new(Registry::new());
    let calls = registry.counter("work_calls_total", "Calls of /work")?;

    let target = Arc::new(Target::new(registry, None)?);
    let service = ScrapeService::new(target, &MetricsConfig::default(), Embedding::default())?;
    let work = move || async move {
        calls.inc();
        "Done.\n"
    };
    // The endpoint handles all paths that the program has no route for. It answers 404 for paths that are not its own.
    let app = Router::new()
        .route("/work", get(work))
        .fallback_service(router(Arc::new(service)))
        .layer(from_fn(tell_peer));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/metrics", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// Allowlists and limits are applied by client address, so the endpoint has to know it.
async fn tell_peer(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> axum::response::Response {
    request.extensions_mut().insert(Peer(Some(address.ip())));
    next.run(request).await
}
