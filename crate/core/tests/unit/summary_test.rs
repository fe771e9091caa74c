//! Tests summaries, infos, state sets and units: what is shown in both formats, windows, threads, the merge of contributors.

use crate::{Outcome, on_threads, openmetrics, refusal, scrape, stopped_clock, text};
use prometheus_metrics::registry::{
    Contributor, DEFAULT_QUANTILES, Descriptor, Family, Kind, Process, SUMMARY_BUFFER, SummaryOptions,
};
use prometheus_metrics::slab::Cells;
use prometheus_metrics::{ErrorKind, Format, Registry, RegistryConfig, Summary, SummaryVec};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn samples(out: &str) -> Vec<&str> {
    out.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn a_summary_shows_quantiles_sum_and_count() -> Outcome {
    let registry = Registry::new();
    let summary = registry.metric("s_bytes", "S").quantiles(&[0.5, 1.0]).unit("bytes").summary()?;
    assert_eq!(
        samples(&text(&registry)),
        ["s_bytes{quantile=\"0.5\"} 0", "s_bytes{quantile=\"1\"} 0", "s_bytes_sum 0", "s_bytes_count 0"]
    );
    [1.0, 2.0, 4.0].into_iter().try_for_each(|value| summary.observe(value))?;
    let expected = "\
# HELP s_bytes S
# TYPE s_bytes summary
# UNIT s_bytes bytes
s_bytes{quantile=\"0.5\"} 2
s_bytes{quantile=\"1.0\"} 4
s_bytes_sum 7
s_bytes_count 3
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    assert_eq!(openmetrics(&registry), expected, "a scrape changes nothing");
    assert!((summary.count(), summary.sum()) == (3.0, 7.0));
    assert_eq!(summary.quantiles(), [2.0, 4.0]);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(refusal(summary.observe(value)).0, ErrorKind::InvalidValue);
    }
    summary.observe_duration(SECOND);
    assert!(summary.count() == 4.0);
    registry.reset();
    assert_eq!(summary.quantiles(), [0.0, 0.0]);
    Ok(())
}

#[test]
fn a_summary_that_was_made_alone_is_shown_once_it_is_registered() -> Outcome {
    let registry = Registry::new();
    let options = SummaryOptions::default().quantiles(vec![0.5]);
    let summary = Summary::new("s", "S", options.clone())?;
    summary.observe(3.0)?;
    assert_eq!(text(&registry), "\n");
    registry.register(&summary)?;
    summary.observe(5.0)?;
    assert_eq!(samples(&text(&registry)), ["s{quantile=\"0.5\"} 4", "s_sum 8", "s_count 2"]);
    let other = Summary::new("s", "S", options)?;
    assert_eq!(refusal(registry.register(&other)).0, ErrorKind::DuplicateMetric);
    Ok(())
}

#[test]
fn threads_lose_no_observation() -> Outcome {
    let registry = Registry::new();
    let options = SummaryOptions::default().quantiles(vec![0.5]);
    let summaries = SummaryVec::new("s", "S", &["x"], options)?;
    registry.register(&summaries)?;
    on_threads(4, |_| {
        let summary = summaries.with(&["a"]).expect("one value for one label");
        for value in 0..5000 {
            summary.observe(f64::from(value % 10)).expect("finite");
        }
    });
    let shown = text(&registry);
    assert_eq!(
        samples(&shown),
        ["s{quantile=\"0.5\",x=\"a\"} 4.5", "s_sum{x=\"a\"} 90000", "s_count{x=\"a\"} 20000"]
    );
    assert!(summaries.remove(&["a"])?);
    assert!(samples(&text(&registry)).is_empty());
    Ok(())
}

#[test]
fn a_window_forgets_step_by_step() -> Outcome {
    let clock = stopped_clock();
    let registry = Registry::with_config(RegistryConfig::default().clock(Arc::clone(&clock)))?;
    let summary = registry.metric("s", "S").quantiles(&[0.0, 1.0]).window(SECOND * 3, 3).summary()?;
    let mut seen = Vec::new();
    for second in 0..5 {
        summary.observe(f64::from(second))?;
        seen.push(summary.quantiles());
        clock.advance(SECOND + Duration::from_nanos(1));
    }
    assert_eq!(seen, [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [1.0, 3.0], [2.0, 4.0]]);
    clock.advance(SECOND * 4);
    assert!(summary.quantiles().iter().all(|value| value.is_nan()));
    assert_eq!(samples(&text(&registry))[2..], ["s_sum 10", "s_count 5"]);
    Ok(())
}

#[test]
fn invalid_descriptions_are_refused() {
    let summary = |options| refusal(Summary::new("s", "S", options)).0;
    for quantiles in [vec![0.5, 0.5], vec![0.9, 0.5], vec![1.1], vec![-0.1], vec![f64::NAN]] {
        assert_eq!(summary(SummaryOptions::default().quantiles(quantiles)), ErrorKind::InvalidConfig);
    }
    for window in [(SECOND, 0), (Duration::ZERO, 1), (Duration::from_nanos(1), 2)] {
        assert_eq!(summary(SummaryOptions::default().window(Some(window))), ErrorKind::InvalidConfig);
    }
    let reserved = SummaryVec::new("s", "S", &["quantile"], SummaryOptions::default());
    assert_eq!(refusal(reserved).0, ErrorKind::InvalidLabelName);
    let unit =
        |kind, name, unit| refusal(Descriptor::new(kind, name, "", &[]).and_then(|it| it.with_unit(unit))).0;
    assert_eq!(unit(Kind::Gauge, "a_seconds_total", "seconds"), ErrorKind::InvalidMetricName);
    assert_eq!(unit(Kind::Counter, "a_total", "seconds"), ErrorKind::InvalidMetricName);
    assert_eq!(unit(Kind::Gauge, "seconds", "seconds"), ErrorKind::InvalidMetricName);
    assert_eq!(unit(Kind::Gauge, "a", ""), ErrorKind::InvalidConfig);
    assert_eq!(unit(Kind::Info, "a_seconds", "seconds"), ErrorKind::InvalidConfig);
    assert_eq!(unit(Kind::StateSet, "a_seconds", "seconds"), ErrorKind::InvalidConfig);
    assert_eq!(refusal(Descriptor::new(Kind::StateSet, "a:b", "", &[])).0, ErrorKind::InvalidLabelName);
}

#[test]
fn infos_and_state_sets_are_gauges_in_text() -> Outcome {
    let registry = Registry::new();
    let cells = Arc::new(Cells::on_heap());
    for (kind, name) in [(Kind::Info, "build"), (Kind::StateSet, "state")] {
        let family = Arc::new(Family::new(Descriptor::new(kind, name, "H", &["v"])?, Arc::clone(&cells)));
        let series = family.add_series(&[(0, "1"), (1, "on")]).expect("within the limits");
        cells.slab(0).expect("one slab").store(series.slot as usize, 1.0);
        registry.register_family(family)?;
    }
    let expected = "\
# HELP build H
# TYPE build info
build_info{v=\"1\"} 1
# HELP state H
# TYPE state stateset
state{v=\"1\",state=\"on\"} 1
# EOF
";
    assert_eq!(openmetrics(&registry), expected);
    assert_eq!(
        text(&registry),
        "\
# HELP build_info H
# TYPE build_info gauge
build_info{v=\"1\"} 1

# HELP state H
# TYPE state gauge
state{v=\"1\",state=\"on\"} 1
"
    );
    Ok(())
}

/// A contributor with a summary of one series that its owner writes through the buffer.
fn contributor(values: impl Iterator<Item = f64>) -> Result<Arc<Contributor>, Box<dyn std::error::Error>> {
    let contributor = Arc::new(Contributor::new(Cells::on_heap()));
    let options = SummaryOptions::default().quantiles(vec![0.0, 0.5, 1.0]).buffered(true);
    let cells = contributor.cells();
    let family = Family::new(Descriptor::summary("s", "S", &["x"], options)?, Arc::clone(cells));
    let series = family.add_series(&[(0, "a")]).expect("within the limits");
    let slab = cells.slab(0).expect("one slab");
    let first = series.slot as usize;
    for (at, value) in values.enumerate() {
        slab.store(first + 2 + at % SUMMARY_BUFFER, value);
        slab.add(first, 1.0);
        slab.add(first + 1, value);
        if at % SUMMARY_BUFFER == SUMMARY_BUFFER - 1 {
            family.flush_series(series.id, 0);
        }
    }
    contributor.registry().register_family(Arc::new(family))?;
    Ok(contributor)
}

#[test]
fn contributors_are_merged_while_they_live_and_afterwards() -> Outcome {
    let process = Process::new();
    let main = contributor((0..200).map(f64::from))?;
    let others = [contributor((200..400).map(f64::from))?, contributor((400..600).map(f64::from))?];
    process.join(Arc::clone(&main));
    others.iter().for_each(|other| process.join(Arc::clone(other)));
    let shown = || scrape(main.registry(), Some(&process), &[], Format::PrometheusText);
    let expected = [
        "s{quantile=\"0\",x=\"a\"} 0",
        "s{quantile=\"0.5\",x=\"a\"} 299.5",
        "s{quantile=\"1\",x=\"a\"} 599",
        "s_sum{x=\"a\"} 179700",
        "s_count{x=\"a\"} 600",
    ];
    assert_eq!(samples(&shown()), expected);
    for other in &others {
        process.leave(other);
        assert_eq!(samples(&shown()), expected);
    }
    Ok(())
}

#[test]
fn default_quantiles_are_those_of_other_clients() -> Outcome {
    let summary = Registry::new().metric("s", "S").summary()?;
    assert_eq!(summary.quantiles().len(), DEFAULT_QUANTILES.len());
    assert_eq!(DEFAULT_QUANTILES, [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999]);
    Ok(())
}
