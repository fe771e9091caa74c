//! The builder of a registry's metrics: types, options, and the errors of options that do not fit.

use crate::{Outcome, refusal, text};
use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, OverflowPolicy};
use prometheus_metrics::{Clock, ErrorKind, Registry, RegistryConfig};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn at_most(max_series: usize) -> CardinalityLimits {
    CardinalityLimits::default().max_series(Some(max_series))
}

#[test]
fn the_builder_and_the_short_constructors_make_the_same_metrics() -> Outcome {
    let (built, short) = (Registry::new(), Registry::new());
    built.metric("c_total", "C").counter()?.inc();
    built.metric("cs_total", "CS").labels(&["x"]).counter_vec()?.with(&["1"])?.inc();
    built.metric("g", "G").gauge()?.set(2.0);
    built.metric("gs", "GS").labels(&["x"]).gauge_vec()?.with(&["1"])?.set(2.0);
    built.metric("h", "H").histogram()?.observe(0.3)?;
    built.metric("hs", "HS").labels(&["x"]).buckets(&[1.0]).histogram_vec()?.with(&["1"])?.observe(0.3)?;
    short.counter("c_total", "C")?.inc();
    short.counter_vec("cs_total", "CS", &["x"])?.with(&["1"])?.inc();
    short.gauge("g", "G")?.set(2.0);
    short.gauge_vec("gs", "GS", &["x"])?.with(&["1"])?.set(2.0);
    short.histogram("h", "H")?.observe(0.3)?;
    short.histogram_vec("hs", "HS", &["x"], &[1.0])?.with(&["1"])?.observe(0.3)?;
    assert_eq!(text(&built), text(&short));
    // Each returns what the other has registered.
    built.counter("c_total", "C")?.inc();
    assert_eq!(built.metric("c_total", "C").counter()?.value(), 2.0);
    Ok(())
}

#[test]
fn limits_hold_for_each_type() -> Outcome {
    let registry = Registry::with_config(
        RegistryConfig::default().cardinality(CardinalityConfig::default().family(at_most(5))),
    )?;
    let counters = registry.metric("c_total", "C").labels(&["x"]).limits(at_most(1)).counter_vec()?;
    let gauges = registry.metric("g", "G").labels(&["x"]).limits(at_most(2)).gauge_vec()?;
    let histograms =
        registry.metric("h", "H").labels(&["x"]).buckets(&[]).limits(at_most(3)).histogram_vec()?;
    let unlimited = registry.metric("u", "U").labels(&["x"]).gauge_vec()?;
    for x in ["1", "2", "3", "4", "5", "6"] {
        counters.with(&[x])?.inc();
        gauges.with(&[x])?.set(1.0);
        histograms.with(&[x])?.observe(0.0)?;
        unlimited.with(&[x])?.set(1.0);
    }
    // Counters and histograms have one series more, labelled `other`; gauges drop.
    let series = [&counters.series_count(), &gauges.series_count(), &histograms.series_count()];
    assert_eq!(series, [&2, &2, &4]);
    assert_eq!(unlimited.series_count(), 5, "the registry's limit");
    assert_eq!(counters.with(&["other"])?.value(), 5.0);
    Ok(())
}

#[test]
fn a_policy_can_be_set_without_a_limit() -> Outcome {
    let registry = Registry::with_config(
        RegistryConfig::default().cardinality(CardinalityConfig::default().family(at_most(1))),
    )?;
    let limits = CardinalityLimits::default().policy(Some(OverflowPolicy::Throw));
    let counters = registry.metric("c_total", "C").labels(&["x"]).limits(limits).counter_vec()?;
    counters.with(&["1"])?.inc();
    assert_eq!(refusal(counters.with(&["2"])).0, ErrorKind::CardinalityLimit);
    Ok(())
}

#[test]
fn a_time_to_live_holds_for_one_family() -> Outcome {
    let clock = Arc::new(Clock::new());
    clock.freeze(Duration::from_secs(1_700_000_000));
    let registry =
        Registry::with_config(RegistryConfig::default().clock(Arc::clone(&clock)).ttl(Some(3 * MINUTE)))?;
    let short = registry.metric("short", "S").labels(&["x"]).ttl(MINUTE).gauge_vec()?;
    let never = registry.metric("never_total", "N").labels(&["x"]).ttl(Duration::ZERO).counter_vec()?;
    let default = registry.metric("default", "D").labels(&["x"]).buckets(&[]).histogram_vec()?;
    registry.metric("alone", "A").ttl(MINUTE).gauge()?.set(1.0);
    short.with(&["1"])?.set(1.0);
    never.with(&["1"])?.inc();
    default.with(&["1"])?.observe(0.0)?;
    let shown = |name: &str| text(&registry).lines().any(|line| line.starts_with(name));
    let all = || [shown("short{"), shown("never_total{"), shown("default_count{"), shown("alone ")];
    assert_eq!(all(), [true, true, true, true]);
    clock.advance(MINUTE);
    assert_eq!(all(), [false, true, true, true]);
    clock.advance(2 * MINUTE);
    assert_eq!(all(), [false, true, false, true]);
    assert_eq!((short.series_count(), never.series_count(), default.series_count()), (0, 1, 0));
    Ok(())
}

#[test]
fn a_registered_metric_keeps_its_options() -> Outcome {
    let registry = Registry::new();
    let first = registry.metric("c_total", "C").labels(&["x"]).limits(at_most(1)).counter_vec()?;
    let second = registry.metric("c_total", "C").labels(&["x"]).limits(at_most(9)).counter_vec()?;
    first.with(&["1"])?.inc();
    second.with(&["2"])?.inc();
    assert_eq!(second.with(&["other"])?.value(), 1.0);
    Ok(())
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let registry = Registry::new();
    let metric = registry.metric("m", "M").labels(&["x", "y"]);
    let expected =
        "Expected no labels for the single gauge m but received \"x, y\": make it with gauge_vec()";
    assert_eq!(refusal(metric.clone().gauge()), (ErrorKind::LabelCount, expected.to_owned()));
    assert_eq!(refusal(metric.clone().counter()).0, ErrorKind::LabelCount);
    assert_eq!(refusal(metric.histogram()).0, ErrorKind::LabelCount);
    let expected = "Expected no buckets for the counter m: only histograms have them";
    let metric = registry.metric("m", "M").buckets(&[1.0]);
    assert_eq!(refusal(metric.clone().counter()), (ErrorKind::InvalidBuckets, expected.to_owned()));
    assert_eq!(refusal(metric.gauge_vec()).0, ErrorKind::InvalidBuckets);
    let descending = registry.metric("m", "M").buckets(&[2.0, 1.0]);
    assert_eq!(refusal(descending.histogram()).0, ErrorKind::InvalidBuckets);
    assert_eq!(refusal(registry.metric("1m", "M").counter()).0, ErrorKind::InvalidMetricName);
    assert_eq!(text(&registry), "\n");
}
