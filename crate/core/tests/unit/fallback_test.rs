//! The core's decision about a label set over a limit, as the owner of a family's series gets it.

use crate::Outcome;
use prometheus_metrics::registry::{
    CardinalityLimits, Descriptor, Fallback, Family, Kind, Limit, OverflowPolicy,
};
use prometheus_metrics::slab::Cells;
use std::sync::Arc;

fn family(
    kind: Kind,
    policy: OverflowPolicy,
    max_series: usize,
) -> Result<Family, Box<dyn std::error::Error>> {
    let descriptor = Descriptor::new(kind, "m", "M", &["user", "route", "plan"])?;
    let limits = CardinalityLimits::default()
        .max_series(Some(max_series))
        .max_label_values(vec![("user".to_owned(), 1), ("plan".to_owned(), 1)])
        .policy(Some(policy));
    Ok(Family::with_limits(descriptor, Arc::new(Cells::on_heap()), limits))
}

#[test]
fn all_labels_over_their_limits_are_folded_at_once() -> Outcome {
    let family = family(Kind::Counter, OverflowPolicy::Fold, 3)?;
    family.add_series(&[(0, "a"), (1, "/"), (2, "free")]).expect("within the limits");
    let both = [(0, "b"), (1, "/"), (2, "pro")];
    assert_eq!(family.add_series(&both), Err(Limit::LabelValues { label: 0, max: 1 }));
    assert_eq!(family.fallback(&both), Fallback::Folded(vec![0, 2]));
    assert_eq!(family.fallback(&[(0, "a"), (2, "pro")]), Fallback::Folded(vec![2]));
    // A missing value and `other` are not counted as values.
    assert_eq!(family.fallback(&[(0, "other"), (1, "/new")]), Fallback::Folded(Vec::new()));
    for folded in ["/", "/2"] {
        family.add_series(&[(0, "other"), (1, folded), (2, "other")]).expect("within the limits");
    }
    // The limit of the family: no label is to blame.
    let full = [(0, "a"), (1, "/3"), (2, "free")];
    assert_eq!(family.add_series(&full), Err(Limit::Series(3)));
    assert_eq!(family.fallback(&full), Fallback::Folded(Vec::new()));
    Ok(())
}

#[test]
fn the_policy_and_the_type_decide() -> Outcome {
    let labels = [(0, "b")];
    for (kind, policy, expected) in [
        (Kind::Counter, OverflowPolicy::Throw, Fallback::Refused),
        (Kind::Gauge, OverflowPolicy::Throw, Fallback::Refused),
        (Kind::Counter, OverflowPolicy::Drop, Fallback::Dropped),
        (Kind::Gauge, OverflowPolicy::Fold, Fallback::Dropped),
        (Kind::Counter, OverflowPolicy::Fold, Fallback::Folded(vec![0])),
    ] {
        let family = family(kind, policy, 9)?;
        family.add_series(&[(0, "a")]).expect("within the limits");
        assert!(family.add_series(&labels).is_err());
        assert_eq!(family.fallback(&labels), expected);
    }
    Ok(())
}
