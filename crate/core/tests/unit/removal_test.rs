//! Removal of many series, between which others are added: tables are rebuilt some entries at a time.

use prometheus_metrics::gather::{Gathered, json};
use prometheus_metrics::registry::{Descriptor, Family, Kind, SeriesId};
use prometheus_metrics::slab::Cells;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;

/// A series that is added, or one of the live ones that is removed.
#[derive(Debug, Clone)]
enum Step {
    Add,
    Remove(Index),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Phases of growth and of shrinking, so that tables are rebuilt several times.
    let phase = |removals: u32| {
        let step = prop_oneof![
            20 => Just(Step::Add),
            removals => any::<Index>().prop_map(Step::Remove),
        ];
        proptest::collection::vec(step, 100..500)
    };
    let clear = prop_oneof![4 => Just(vec![]), 1 => Just(vec![Step::Clear])];
    (phase(1), phase(200), clear, phase(4), phase(400)).prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat())
}

/// The ids of the series in the order in which a reader sees them.
fn shown(family: &Arc<Family>) -> Vec<u32> {
    let (text, _) = json(&Gathered::of_family(Arc::clone(family)));
    let ids = text.split("\"id\":").skip(1);
    ids.map(|rest| rest.split(',').next().and_then(|id| id.parse().ok()).expect("a number")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn readers_see_the_live_series_in_their_order(steps in steps()) {
        let descriptor = Descriptor::new(Kind::Gauge, "g", "", &["x"]).expect("the names are valid");
        let family = Arc::new(Family::new(descriptor, Arc::new(Cells::on_heap())));
        let mut live: Vec<(SeriesId, String)> = Vec::new();
        let mut added = 0;
        for (count, step) in steps.into_iter().enumerate() {
            match step {
                Step::Add => {
                    let value = format!("value {added}");
                    added += 1;
                    live.push((family.add_series(&[(0, &value)]).expect("within the limits"), value));
                }
                Step::Remove(index) if !live.is_empty() => {
                    let (series, _) = live.remove(index.index(live.len()));
                    prop_assert!(family.remove_series(series.id));
                    prop_assert!(!family.remove_series(series.id));
                    prop_assert_eq!(family.series_labels(series.id), None);
                }
                Step::Remove(_) => {}
                Step::Clear => {
                    family.clear();
                    live.clear();
                }
            }
            prop_assert_eq!(family.series_count(), live.len());
            if count % 50 == 0 {
                prop_assert_eq!(shown(&family), live.iter().map(|(series, _)| series.id).collect::<Vec<_>>());
                for (series, value) in &live {
                    prop_assert_eq!(family.series_labels(series.id), Some(format!("{{\"x\":\"{value}\"}}")));
                }
            }
        }
    }
}
