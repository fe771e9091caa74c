//! Tests what a host program has without implementing it, and what it may learn of the settings.

use super::log::Log;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Host, Question, Ticket};

/// A program with the default warnings.
struct Quiet;

impl Host for Quiet {
    fn collects(&self) -> bool {
        false
    }

    fn ask(&self, _: Question, ticket: Ticket) {
        drop(ticket);
    }
}

#[test]
fn a_host_logs_its_warnings_unless_it_does_something_else_with_them() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        Quiet.warn("The disk is full");
        Quiet.mismatched("jobs_total");
    });
    assert_eq!(
        log.take(),
        [
            "WARN: The disk is full",
            "WARN: \"jobs_total\" has another type or other buckets in another thread or registry, or writes samples that another metric or the endpoint itself writes, and is left out there",
        ]
    );
}

#[test]
fn settings_are_shown_without_their_secrets() {
    let config = MetricsConfig::default()
        .host("127.0.0.1".to_owned())
        .port(9464)
        .path("/m".to_owned())
        .bearer_tokens(vec!["a-long-and-random-token".to_owned()])
        .basic_users(vec!["scraper:hash".to_owned()]);
    let shown = format!("{config:?}");
    assert!(shown.contains("127.0.0.1") && shown.contains("9464") && shown.contains("\"/m\""), "{shown}");
    assert!(!shown.contains("token") && !shown.contains("scraper"), "{shown}");
}
