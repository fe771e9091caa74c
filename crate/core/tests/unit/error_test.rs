//! Tests the error type: each kind has the code that TypeScript shows, and messages are shown as they are.

use super::{Outcome, refusal};
use prometheus_metrics::{ErrorKind, MetricsError, Registry};
use std::collections::HashSet;

const KINDS: [ErrorKind; 13] = [
    ErrorKind::DuplicateMetric,
    ErrorKind::InvalidMetricName,
    ErrorKind::InvalidLabelName,
    ErrorKind::InvalidLabelValue,
    ErrorKind::TypeMismatch,
    ErrorKind::InvalidBuckets,
    ErrorKind::InvalidValue,
    ErrorKind::NegativeIncrement,
    ErrorKind::UnknownLabel,
    ErrorKind::LabelCount,
    ErrorKind::CardinalityLimit,
    ErrorKind::InvalidConfig,
    ErrorKind::BindFailed,
];

/// `DuplicateMetric` as `DUPLICATE_METRIC`.
fn constant_case(name: &str) -> String {
    let mut constant = String::new();
    for (at, character) in name.char_indices() {
        if at > 0 && character.is_uppercase() {
            constant.push('_');
        }
        constant.push(character.to_ascii_uppercase());
    }
    constant
}

#[test]
fn the_code_of_a_kind_is_its_name() {
    for kind in KINDS {
        assert_eq!(kind.code(), constant_case(&format!("{kind:?}")));
    }
    assert_eq!(KINDS.iter().map(|kind| kind.code()).collect::<HashSet<_>>().len(), KINDS.len());
}

#[test]
fn typescript_knows_every_code() -> Outcome {
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/errors.ts"))?;
    for kind in KINDS {
        let entry = format!("\n  {}: '", kind.code());
        assert!(table.contains(&entry), "src/errors.ts has no entry {}", kind.code());
    }
    Ok(())
}

#[test]
fn an_error_shows_its_message_and_equals_the_same_error_only() -> Outcome {
    let registry = Registry::new();
    registry.counter("a_total", "A")?;
    let error: MetricsError = registry.gauge("a_total", "A").err().ok_or("it is a counter")?;
    assert_eq!(error.kind(), ErrorKind::TypeMismatch);
    assert_eq!(error, registry.gauge("a_total", "A").err().ok_or("it is a counter")?);
    assert_ne!(error, registry.gauge("0", "A").err().ok_or("the name is invalid")?);
    let shown = format!("{error}");
    assert!(shown.contains("a_total"), "{shown}");
    // Programs hand it on as the error of any library.
    let general: Box<dyn std::error::Error + Send + Sync> = Box::new(error.clone());
    assert_eq!(general.to_string(), shown);
    assert!(general.source().is_none());
    Ok(())
}

#[test]
fn a_refused_call_changes_nothing() -> Outcome {
    let registry = Registry::new();
    registry.gauge("taken", "T")?;
    let before = super::text(&registry);
    assert_eq!(refusal(registry.histogram_vec("h", "H", &[], &[2.0, 1.0])).0, ErrorKind::InvalidBuckets);
    assert_eq!(refusal(registry.counter("taken", "T")).0, ErrorKind::TypeMismatch);
    assert_eq!(refusal(registry.counter_vec("c", "C", &["a", "a"])).0, ErrorKind::InvalidLabelName);
    assert_eq!(refusal(registry.register_foreign("taken")).0, ErrorKind::DuplicateMetric);
    assert_eq!(super::text(&registry), before);
    Ok(())
}
