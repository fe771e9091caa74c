//! Counters, gauges and histograms of a job queue, and the exposition that Prometheus would scrape.
//!
//! `cargo run --example basic_metrics`

use prometheus_metrics::{Format, MetricsError, Registry};

fn main() -> Result<(), MetricsError> {
    let registry = Registry::new();
    let jobs = registry.counter_vec("jobs_total", "Jobs that have ended", &["queue", "outcome"])?;
    let waiting = registry.gauge("jobs_waiting", "Jobs that wait for a worker")?;
    let duration =
        registry.histogram_vec("job_duration_seconds", "Run time", &["queue"], &[0.1, 1.0, 10.0])?;

    waiting.set(3.0);
    for (queue, seconds, outcome) in
        [("mail", 0.05, "done"), ("mail", 0.4, "done"), ("reports", 42.0, "failed")]
    {
        waiting.dec();
        duration.with(&[queue])?.observe(seconds)?;
        jobs.with(&[queue, outcome])?.inc();
    }

    // A kept handle has looked up its series once; recording with it is an atomic add.
    let mail = jobs.with(&["mail", "done"])?;
    mail.inc();

    // A timer observes when it is stopped, or else when it goes out of scope.
    let timer = duration.with(&["mail"])?.start_timer();
    let seconds = timer.stop();
    assert!(seconds < 10.0);

    print!("{}", registry.encode(Format::PrometheusText));
    Ok(())
}
