//! Tests limits on series that several owners share: registries that show the same metric, threads of one process,
//! and concurrent calls.

use crate::cardinality::{at_most, inc, limited_registry};
use crate::service::{ask, body, get};
use crate::{Outcome, contributor_of, on_threads, refusal, text};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Embedding, ScrapeService, Target};
use prometheus_metrics::registry::{Descriptor, Family, Kind, OverflowPolicy, Process};
use prometheus_metrics::slab::CELLS_PER_SLAB;
use prometheus_metrics::{ErrorKind, Registry};
use std::sync::Arc;

#[test]
fn a_series_is_counted_in_each_registry_that_shows_it() -> Outcome {
    let (wide, narrow) = (Registry::new(), limited_registry(at_most(2, OverflowPolicy::Throw), None)?);
    let counters = wide.counter_vec("c_total", "C", &["x"])?;
    for x in ["a", "b", "c"] {
        inc(&counters, &[x])?;
    }
    narrow.register(&counters)?;
    assert_eq!((wide.cardinality_guard().series(), narrow.cardinality_guard().series()), (3, 3));
    let (kind, message) = refusal(inc(&counters, &["d"]));
    assert_eq!(kind, ErrorKind::CardinalityLimit);
    assert_eq!(message, "Expected at most 2 series of the metric but c_total received a label set beyond");
    // The registry with the lower limit is gone, and its limit with it.
    drop(narrow);
    inc(&counters, &["d"])?;
    assert_eq!(wide.cardinality_guard().series(), 4);
    Ok(())
}

#[test]
fn overflow_counts_of_contributors_add_up_and_stay_after_they_leave() -> Outcome {
    let process = Arc::new(Process::new());
    let main = contributor_of(&process);
    let workers = [contributor_of(&process), contributor_of(&process)];
    let target = Target::new(Arc::clone(main.registry()), Some(Arc::clone(&process)))?;
    // The endpoint's settings hold for contributors that joined before it was made and for later ones.
    let config = MetricsConfig::default().cardinality_max_per_metric(Some(2));
    let service = ScrapeService::new(Arc::new(target), &config, Embedding::default())?;
    let late = contributor_of(&process);
    for contributor in workers.iter().chain([&main, &late]) {
        let descriptor = Descriptor::new(Kind::Counter, "c_total", "C", &["x"])?;
        let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
        contributor.registry().register_family(Arc::clone(&family))?;
        let slot = family.overflow_slot() as usize;
        let (slab, cell) = (slot / CELLS_PER_SLAB, slot % CELLS_PER_SLAB);
        for value in ["1", "2"] {
            assert!(family.add_series(&[(0, value)]).is_ok());
        }
        assert!(family.add_series(&[(0, "3")]).is_err());
        contributor.cells().slab(slab).ok_or("no slab")?.store(cell, 5.0);
    }
    let shown = || {
        let request = get("/metrics?name[]=llmdevops_metrics_cardinality_overflow_total");
        let (response, _) = ask(&service, &request);
        let body = String::from_utf8_lossy(body(&response)).into_owned();
        body.lines().last().unwrap_or_default().to_owned()
    };
    let expected = "llmdevops_metrics_cardinality_overflow_total{metric=\"c_total\"} 20";
    assert_eq!(shown(), expected);
    process.leave(&workers[0]);
    assert_eq!(shown(), expected);
    process.leave(&workers[1]);
    process.leave(&late);
    assert_eq!(shown(), expected);
    Ok(())
}

#[test]
fn concurrent_calls_over_a_limit_lose_no_counts() -> Outcome {
    const CALLS: usize = 2000;
    let registry = limited_registry(at_most(50, OverflowPolicy::Fold), Some(75))?;
    let families =
        [registry.counter_vec("a_total", "A", &["x"])?, registry.counter_vec("b_total", "B", &["x"])?];
    on_threads(4, |thread| {
        for call in 0..CALLS {
            let value = format!("{}", (call * 7 + thread) % 300);
            families.iter().for_each(|family| inc(family, &[&value]).expect("it is folded"));
        }
    });
    let out = text(&registry);
    for name in ["a_total{", "b_total{"] {
        let counted: Vec<f64> = out
            .lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        assert_eq!(counted.iter().sum::<f64>(), (4 * CALLS) as f64);
        assert!(counted.len() <= 51);
    }
    assert!(registry.cardinality_guard().series() <= 77);
    Ok(())
}
