//! Tests that readers see native histograms as their processes have them.

use super::damage::{Folder, family, owner, shared};
use super::member::{Member, file_name};
use super::reader::Reader;
use crate::model::{Descriptor, NativeHistogram, NativeHistogramOptions};
use crate::registry::{Contributor, Family};
use crate::slab::{CELLS_PER_SLAB, Cells};
use crate::sync::Arc;
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;

const FAMILY: &str = "n_seconds";

fn native(contributor: &Contributor, options: NativeHistogramOptions, buckets: &[f64]) -> Arc<Family> {
    let descriptor = Descriptor::histogram(FAMILY, "", &["x"], buckets).expect("valid");
    family(contributor, descriptor.with_native(options).expect("valid"))
}

fn observe(family: &Family, id: u32, value: f64) {
    let natives = family.natives().expect("it is native");
    let series = natives.of(id).expect("it exists");
    let slot = family.slot_of(id).expect("it exists");
    family.count_native(id, &series, value, &|| {
        let (slab, first) = family.cells().locate(slot);
        let bounds = family.descriptor().buckets();
        slab.add(first + bounds.partition_point(|bound| value > *bound), 1.0);
        slab.add(first + bounds.len() + 1, value);
    });
}

/// The values and buckets of a series as its process has them.
fn own(family: &Family, id: u32) -> (Vec<f64>, NativeHistogram) {
    let snapshot = family.natives().expect("it is native").of(id).expect("it exists").lock().snapshot();
    (family.read_series(id, family.slot_of(id).expect("it exists")), snapshot)
}

fn seen(reader: &mut Reader) -> Vec<(Vec<f64>, NativeHistogram)> {
    reader.read().expect("a whole file");
    assert_eq!(reader.unshared, 0);
    let family = reader.now.iter().find(|family| family.descriptor.name() == FAMILY).expect("it was told");
    let values = family.values.chunks_exact(family.descriptor.value_width()).map(<[f64]>::to_vec);
    values.zip(&family.natives).map(|(values, native)| (values, NativeHistogram::clone(native))).collect()
}

fn reader_of(folder: &Path, member: &Member, contributor: &Contributor) -> Reader {
    member.publish().expect("a folder that can be used");
    fresh_reader(folder, contributor)
}

fn fresh_reader(folder: &Path, contributor: &Contributor) -> Reader {
    let identity = contributor.number().expect("it has joined");
    Reader::open(&folder.join(file_name(identity)), identity, owner(), &Arc::default()).expect("a whole file")
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.5..8.0, 2 => -3.0..3.0, 1 => Just(0.0), 1 => -1e300..1e300, 1 => 1e-300..1e-200]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_native_histogram_is_read_as_its_process_has_it(
        before in prop::collection::vec((0_u32..3, value()), 0..40),
        after in prop::collection::vec((0_u32..3, value()), 1..80),
        factor in prop::sample::select(vec![1.003, 1.1, 2.0, 100.0]),
        max_buckets in prop::sample::select(vec![0, 3, 20]),
        max_zero_threshold in prop::sample::select(vec![0.0, 0.6]),
        buckets in prop::sample::select(vec![&[][..], &[0.7, 2.0]]),
    ) {
        let folder = Folder::new();
        let contributor = Contributor::new(Cells::on_heap());
        let options = NativeHistogramOptions::default().bucket_factor(factor).max_buckets(max_buckets);
        // It never begins anew, because its values are added to those of other processes.
        let options = options.max_zero_threshold(max_zero_threshold).min_reset(Duration::from_nanos(1));
        let family = native(&contributor, options, buckets);
        let add = |number: u32| family.add_series(&[(0, &number.to_string())]).expect("within the limits").id;
        let ids: Vec<u32> = (0..2).map(add).collect();
        let observe = |ids: &[u32], (series, value): (u32, f64)| {
            ids.get(series as usize).iter().for_each(|id| observe(&family, **id, value));
        };
        before.into_iter().for_each(|one| observe(&ids, one));
        let member = shared(&folder.0, &contributor);
        let mut reader = reader_of(&folder.0, &member, &contributor);
        let ids = [ids, vec![add(2)]].concat();
        let mut count = 0.0;
        for one in after {
            observe(&ids, one);
            let expected: Vec<_> = ids.iter().map(|id| own(&family, *id)).collect();
            let seen = seen(&mut reader);
            prop_assert_eq!(&seen, &expected);
            let now: f64 = seen.iter().map(|(_, native)| native.count()).sum();
            prop_assert!(now >= count, "{now} after {count}");
            count = now;
        }
    }
}

#[test]
fn a_reader_sees_whole_buckets_while_they_move() {
    let folder = Folder::new();
    let contributor = Contributor::new(Cells::on_heap());
    let family = native(&contributor, NativeHistogramOptions::default().max_buckets(40), &[]);
    let id = family.add_series(&[(0, "")]).expect("within the limits").id;
    let member = shared(&folder.0, &contributor);
    let mut reader = reader_of(&folder.0, &member, &contributor);
    const OBSERVATIONS: i32 = 30_000;
    std::thread::scope(|scope| {
        let recorder = scope.spawn(|| {
            for at in 0..OBSERVATIONS {
                // Windows and far buckets change all the time.
                observe(&family, id, 2_f64.powi(at.wrapping_mul(7919) % 900 - 450));
            }
        });
        let mut count = 0.0;
        while !recorder.is_finished() {
            let now = seen(&mut reader)[0].1.count();
            assert!(now >= count && now <= f64::from(OBSERVATIONS), "{now} after {count}");
            count = now;
        }
    });
    assert_eq!(seen(&mut reader), [own(&family, id)]);
    assert_eq!(seen(&mut reader)[0].1.count(), f64::from(OBSERVATIONS));
}

#[test]
fn buckets_stay_where_others_find_them_while_the_file_has_no_room() {
    let folder = Folder::new();
    let contributor = Contributor::new(Cells::on_heap());
    let family = native(&contributor, NativeHistogramOptions::default(), &[]);
    let id = family.add_series(&[(0, "")]).expect("within the limits").id;
    let member = shared(&folder.0, &contributor);
    let _ = reader_of(&folder.0, &member, &contributor);
    (0..1000).for_each(|_| observe(&family, id, 1.0));
    // No slab that is made from now on moves into the file, and the last one that did is full.
    contributor.cells().adopt_slabs(Box::new(|_, _| {}));
    for width in [CELLS_PER_SLAB, 16, 16, 16] {
        let _ = contributor.cells().allocate(width);
    }
    for exponent in [100, -100, 200, 3] {
        observe(&family, id, 2_f64.powi(exponent));
        let (_, native) = &seen(&mut fresh_reader(&folder.0, &contributor))[0];
        assert_eq!(native.count(), 1000.0);
    }
    assert_eq!(own(&family, id).1.count(), 1004.0);
}
