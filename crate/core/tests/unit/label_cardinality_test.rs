//! Tests limits on the values of one label, and that values are sanitized before they are counted.

use crate::cardinality::{at_most, inc};
use crate::log::Log;
use crate::{Outcome, refusal, text};
use prometheus_metrics::labels::{Sanitizer, SanitizerConfig};
use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, OverflowPolicy};
use prometheus_metrics::{ErrorKind, Registry, RegistryConfig};

#[test]
fn only_the_label_over_its_limit_becomes_other() -> Outcome {
    let registry = Registry::new();
    let limits =
        CardinalityLimits::default().max_label_values(vec![("user".to_owned(), 1), ("plan".to_owned(), 2)]);
    let counters = registry.metric("c_total", "C").labels(&["user", "plan"]).limits(limits).counter_vec()?;
    let sets =
        [("u1", "free"), ("u2", "free"), ("u2", "pro"), ("u3", "team"), ("", "team"), ("other", "free")];
    for (user, plan) in sets {
        inc(&counters, &[user, plan])?;
    }
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{user=\"u1\",plan=\"free\"} 1
c_total{user=\"other\",plan=\"free\"} 2
c_total{user=\"other\",plan=\"pro\"} 1
c_total{user=\"other\",plan=\"other\"} 1
c_total{plan=\"other\"} 1
";
    assert_eq!(text(&registry), expected);
    // A value stops counting when its last series is removed.
    assert!(counters.remove(&["u1", "free"])?);
    inc(&counters, &["u9", "free"])?;
    assert!(text(&registry).ends_with("c_total{plan=\"other\"} 1\nc_total{user=\"u9\",plan=\"free\"} 1\n"));
    let refused = CardinalityConfig::default()
        .family(
            CardinalityLimits::default()
                .max_label_values(vec![("x".to_owned(), 1)])
                .policy(Some(OverflowPolicy::Throw)),
        )
        .max_total(None);
    let registry = Registry::with_config(RegistryConfig::default().cardinality(refused))?;
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    gauges.with(&["1"])?.set(1.0);
    let told = "Expected at most 1 values of the label \"x\" but g received a label set beyond";
    assert_eq!(refusal(gauges.with(&["2"])), (ErrorKind::CardinalityLimit, told.to_owned()));
    Ok(())
}

#[test]
fn label_values_are_sanitized_before_they_are_counted() -> Outcome {
    let registry = Registry::with_config(
        RegistryConfig::default()
            .cardinality(
                CardinalityConfig::default().family(at_most(2, OverflowPolicy::Fold)).max_total(None),
            )
            .sanitizer(Some(Sanitizer::new(SanitizerConfig::default())?)),
    )?;
    let counters = registry.counter_vec("c_total", "C", &["user"])?;
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || -> Outcome {
        for user in ["joe@example.com", "ann@example.com", "a\u{7}b", "x", "eve@example.com"] {
            inc(&counters, &[user])?;
        }
        Ok(())
    })?;
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{user=\"[email]\"} 3
c_total{user=\"a�b\"} 1
c_total{user=\"other\"} 1
";
    assert_eq!(text(&registry), expected);
    assert_eq!(
        log.take(),
        [
            "WARN: LABEL_CONTENT: \"c_total\" was given what looks like an e-mail address in its label \"user\"; it is redacted"
        ]
    );
    let refused = refusal(registry.counter_vec("d_total", "D", &["__user"]));
    let told = "Expected a label name without the reserved prefix __ but received \"__user\"";
    assert_eq!(refused, (ErrorKind::InvalidLabelName, told.to_owned()));
    Ok(())
}
