//! Loom models of scrapes while contributors join and leave.

use super::family::GatheredFamily;
use super::gathered::{Selection, gather};
use crate::model::{Descriptor, Kind, Source};
use crate::registry::{Contributor, Family, Process, Registry};
use crate::slab::Cells;
use crate::sync::Arc;
use loom::thread;
use std::convert::Infallible;

/// A contributor with one counter, and a function that adds to it. The function is the counter's only writer.
fn counting(value: f64) -> (Arc<Contributor>, impl Fn(f64)) {
    let contributor = Arc::new(Contributor::new(Cells::on_heap()));
    let descriptor = Descriptor::new(Kind::Counter, "c", "", &[]).expect("the name is valid");
    let family = Arc::new(Family::new(descriptor, Arc::clone(contributor.cells())));
    let slot = family.add_series(&[]).expect("within the limits").slot;
    contributor.registry().register_family(family).expect("the name is free");
    let cells = Arc::clone(contributor.cells());
    let add = move |value: f64| {
        let (slab, first) = cells.locate(slot);
        slab.store(first, slab.load(first) + value);
    };
    add(value);
    (contributor, add)
}

/// The counter's total as a scrape shows it; 0 if no contributor has the family.
fn total(process: &Process, registry: &Registry) -> f64 {
    let selection = Selection { process: Some(process), ..Selection::default() };
    let gathered = gather(registry, &selection);
    let mut sum = 0.0;
    for family in &gathered.families {
        match family {
            GatheredFamily::Own(family) => read(family, &mut sum),
            GatheredFamily::Merged(family) => read(family, &mut sum),
            GatheredFamily::Mounted(family) => read(family, &mut sum),
            GatheredFamily::Samples(_) | GatheredFamily::Escaped(_) => {}
        }
    }
    sum
}

fn read(family: &impl Source, sum: &mut f64) {
    let Ok(()) = family.for_each(|series| {
        *sum += series.values[0];
        Ok::<(), Infallible>(())
    });
}

/// A contributor counts and leaves during scrapes: each scrape sees it live or retired, never both or neither.
#[test]
fn leaving_neither_hides_nor_doubles_a_count() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(4);
    model.check(|| {
        let (process, registry) = (Arc::new(Process::new()), Registry::new());
        let (contributor, add) = counting(8.0);
        process.join(Arc::clone(&contributor));
        let leaver = {
            let process = Arc::clone(&process);
            thread::spawn(move || {
                add(1.0);
                process.leave(&contributor);
            })
        };
        let first = total(&process, &registry);
        let second = total(&process, &registry);
        leaver.join().expect("the leaver ends");
        assert!([8.0, 9.0].contains(&first) && [8.0, 9.0].contains(&second) && first <= second);
        assert_eq!(total(&process, &registry), 9.0);
    });
}

/// One contributor joins while another leaves: both changes take effect, and no scrape sees a lower total than an
/// earlier one.
#[test]
fn changes_at_once_are_both_made() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (process, registry) = (Arc::new(Process::new()), Registry::new());
        let (leaving, _) = counting(8.0);
        process.join(Arc::clone(&leaving));
        let leaver = {
            let process = Arc::clone(&process);
            thread::spawn(move || {
                process.leave(&leaving);
                process.leave(&leaving);
            })
        };
        let joiner = {
            let process = Arc::clone(&process);
            let (joining, _) = counting(1.0);
            thread::spawn(move || process.join(joining))
        };
        let first = total(&process, &registry);
        let second = total(&process, &registry);
        leaver.join().expect("the leaver ends");
        joiner.join().expect("the joiner ends");
        assert!([8.0, 9.0].contains(&first) && [8.0, 9.0].contains(&second) && first <= second);
        assert_eq!(total(&process, &registry), 9.0);
    });
}
