//! Tests when series began: by creation, reset, removal, expiry, merging and retirement; and `_created` in OpenMetrics 1.0.

use crate::{Outcome, openmetrics, scrape, stopped_clock, text};
use prometheus_metrics::registry::{
    Contributor, Descriptor, Exemplar, Family, Kind, Process, SummaryOptions,
};
use prometheus_metrics::slab::Cells;
use prometheus_metrics::{Clock, Format, LabelSet, Registry, RegistryConfig};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A registry with a clock that stands still, at 1,700,000,000 s.
fn registry() -> Result<(Arc<Clock>, Registry), prometheus_metrics::MetricsError> {
    let clock = stopped_clock();
    let config = RegistryConfig::default().clock(Arc::clone(&clock)).created(true);
    Ok((clock, Registry::with_config(config)?))
}

/// The seconds after 1,700,000,000 in the `_created` samples, and the starts of OpenMetrics 2.0, which are the same.
fn starts(registry: &Registry, process: Option<&Process>) -> Vec<f64> {
    let after = |number: &str| number.parse::<f64>().expect("a number") - 1_700_000_000.0;
    let of = |format, mark: &str| -> Vec<f64> {
        let shown = scrape(registry, process, &[], format);
        let marked = shown.lines().filter(|line| !line.starts_with('#') && line.contains(mark));
        marked.filter_map(|line| line.rsplit([' ', '@']).next().map(after)).collect()
    };
    let starts = of(Format::OpenMetrics, "_created");
    assert_eq!(of(Format::OpenMetrics2, "st@"), starts);
    starts
}

#[test]
fn openmetrics_shows_a_start_in_the_block_of_its_series() -> Outcome {
    let (clock, registry) = registry()?;
    registry.set_default_labels(vec![("zone".to_owned(), "z".to_owned())])?;
    let jobs = registry.counter_vec("jobs_total", "Jobs", &["queue"])?;
    jobs.with(&["mail"])?.add(2.0)?;
    let family = &registry.families()[0];
    let trace = LabelSet::new([("trace_id", "t")])?;
    family.set_exemplar(0, 0, Exemplar::new(&trace, 1.0, 1_700_000_000.25)?);
    clock.advance(Duration::from_millis(1500));
    jobs.with(&["chat"])?.inc();
    registry.histogram_vec("wait", "W", &["queue"], &[1.0])?.with(&["mail"])?.observe(0.5)?;
    registry.histogram_vec("below", "B", &[], &[-1.0])?.with(&[])?;
    registry.metric("size", "S").quantiles(&[0.5]).summary()?.observe(3.0)?;
    registry.gauge("open", "O")?.set(1.0);
    let expected = "\
# HELP jobs Jobs
# TYPE jobs counter
jobs_total{queue=\"mail\",zone=\"z\"} 2 # {trace_id=\"t\"} 1 1700000000.25
jobs_created{queue=\"mail\",zone=\"z\"} 1700000000
jobs_total{queue=\"chat\",zone=\"z\"} 1
jobs_created{queue=\"chat\",zone=\"z\"} 1700000001.5
# HELP wait W
# TYPE wait histogram
wait_bucket{le=\"1.0\",zone=\"z\",queue=\"mail\"} 1
wait_bucket{le=\"+Inf\",zone=\"z\",queue=\"mail\"} 1
wait_sum{zone=\"z\",queue=\"mail\"} 0.5
wait_count{zone=\"z\",queue=\"mail\"} 1
wait_created{zone=\"z\",queue=\"mail\"} 1700000001.5
# HELP below B
# TYPE below histogram
below_bucket{le=\"-1.0\",zone=\"z\"} 0
below_bucket{le=\"+Inf\",zone=\"z\"} 0
below_created{zone=\"z\"} 1700000001.5
# HELP size S
# TYPE size summary
size{quantile=\"0.5\",zone=\"z\"} 3
size_sum{zone=\"z\"} 3
size_count{zone=\"z\"} 1
size_created{zone=\"z\"} 1700000001.5
# HELP open O
# TYPE open gauge
open{zone=\"z\"} 1
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    assert!(!text(&registry).contains("_created"));
    registry.set_created(false);
    let without: Vec<&str> = expected.lines().filter(|line| !line.contains("_created")).collect();
    assert_eq!(openmetrics(&registry).lines().collect::<Vec<_>>(), without);
    Ok(())
}

#[test]
fn a_start_whose_name_is_taken_is_not_shown() -> Outcome {
    let (_, registry) = registry()?;
    registry.counter("jobs_total", "J")?;
    registry.gauge("jobs_created", "C")?.set(7.0);
    // The counter keeps its name, because `runs` exists, and its type is unknown.
    registry.counter("runs_total", "R")?;
    registry.gauge("runs", "R")?;
    let shown = openmetrics(&registry);
    assert_eq!(shown.lines().filter(|line| line.contains("_created")).count(), 3, "{shown}");
    assert!(shown.contains("\njobs_created 7\n"), "{shown}");
    Ok(())
}

#[test]
fn a_series_begins_when_it_is_made() -> Outcome {
    let (clock, registry) = registry()?;
    let jobs = registry.counter_vec("jobs_total", "J", &["queue"])?;
    for queue in ["a", "b", "c"] {
        jobs.with(&[queue])?.inc();
        clock.advance(SECOND);
    }
    assert_eq!(starts(&registry, None), [0.0, 1.0, 2.0]);
    // Recording does not move it; removal and a new beginning do.
    jobs.with(&["a"])?.inc();
    jobs.remove(&["b"])?;
    jobs.with(&["b"])?.inc();
    assert_eq!(starts(&registry, None), [0.0, 2.0, 3.0]);
    registry.reset();
    clock.advance(SECOND);
    jobs.with(&["a"])?.inc();
    assert_eq!(starts(&registry, None), [4.0]);
    Ok(())
}

#[test]
fn a_reset_begins_anew() -> Outcome {
    let (clock, registry) = registry()?;
    registry.counter("jobs_total", "J")?.inc();
    registry.histogram("wait", "W")?.observe(1.0)?;
    registry.metric("size", "S").quantiles(&[0.5]).summary()?.observe(1.0)?;
    assert_eq!(starts(&registry, None), [0.0, 0.0, 0.0]);
    clock.advance(SECOND);
    registry.reset();
    assert_eq!(starts(&registry, None), [1.0, 1.0, 1.0]);
    clock.advance(SECOND);
    // As JavaScript resets a series.
    registry.families()[0].zero_series(0);
    assert_eq!(starts(&registry, None), [2.0, 1.0, 1.0]);
    Ok(())
}

#[test]
fn compaction_keeps_starts() -> Outcome {
    let (clock, registry) = registry()?;
    let jobs = registry.counter_vec("jobs_total", "J", &["queue"])?;
    let names: Vec<String> = (0..400).map(|number| number.to_string()).collect();
    for name in &names {
        jobs.with(&[name])?.inc();
        clock.advance(SECOND);
    }
    let family = &registry.families()[0];
    // A table is rebuilt some entries at a time; a reset in between counts too.
    for (number, name) in names.iter().enumerate().filter(|(number, _)| number % 8 != 0) {
        jobs.remove(&[name])?;
        if number == 383 {
            family.zero_series(384);
        }
    }
    let mut expected: Vec<f64> = (0..400).filter(|number| number % 8 == 0).map(f64::from).collect();
    expected[48] = 400.0;
    assert_eq!(starts(&registry, None), expected);
    Ok(())
}

/// A contributor of the process with a counter, a histogram and a summary, made at these seconds.
fn contributor(
    process: &Process,
    clock: &Arc<Clock>,
) -> Result<Arc<Contributor>, Box<dyn std::error::Error>> {
    let contributor = Arc::new(Contributor::with_clock(Cells::on_heap(), Arc::clone(clock)));
    process.join(Arc::clone(&contributor));
    for descriptor in [
        Descriptor::new(Kind::Counter, "jobs_total", "J", &["queue"])?,
        Descriptor::histogram("wait", "W", &["queue"], &[1.0])?,
        Descriptor::summary("size", "S", &["queue"], SummaryOptions::default())?,
    ] {
        let family = Family::new(descriptor, Arc::clone(contributor.cells())).with_clock(Arc::clone(clock));
        family.add_series(&[(0, "mail")]).expect("within the limits");
        contributor.registry().register_family(Arc::new(family))?;
    }
    contributor.registry().set_created(true);
    Ok(contributor)
}

#[test]
fn merged_series_began_with_the_first_of_them() -> Outcome {
    let (process, clock) = (Process::new(), stopped_clock());
    let first = contributor(&process, &clock)?;
    clock.advance(SECOND);
    let second = contributor(&process, &clock)?;
    for scraped in [&first, &second] {
        assert_eq!(starts(scraped.registry(), Some(&process)), [0.0; 3]);
    }
    assert_eq!(starts(second.registry(), None), [1.0; 3]);
    // Their counts stay when a thread ends, and so does their start.
    process.leave(&first);
    assert_eq!(starts(second.registry(), Some(&process)), [0.0; 3]);
    clock.advance(SECOND);
    let third = contributor(&process, &clock)?;
    process.leave(&second);
    assert_eq!(starts(third.registry(), Some(&process)), [0.0; 3]);
    Ok(())
}

#[test]
fn a_start_takes_eight_bytes_of_types_that_have_one() -> Outcome {
    let registry = Registry::new();
    registry.gauge("g", "G")?;
    registry.counter("c", "C")?;
    let report = registry.cardinality();
    assert_eq!(report.metrics[1].bytes - report.metrics[0].bytes, 8);
    Ok(())
}
