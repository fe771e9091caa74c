//! Functions for the frequent calls, which name their family by a number. A method of a class takes 400 ns more, because
//! Node-API has to find the native object of `this`.

use crate::scratch::{Scratch, unpack};
use napi_derive::napi;
use prometheus_metrics::registry::{Family, NATIVE_BOUNDS};
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The families of all realms of this thread, by number.
    static FAMILIES: RefCell<Vec<Option<Direct>>> = const { RefCell::new(Vec::new()) };
    /// Numbers that may be used again.
    static FREE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

struct Direct {
    family: Arc<Family>,
    scratch: Scratch,
}

/// The number of a family, for as long as its object lives.
pub(crate) struct Number(u32);

impl Number {
    pub(crate) fn of(family: &Arc<Family>, scratch: Scratch) -> Self {
        let direct = Some(Direct { family: Arc::clone(family), scratch });
        FAMILIES.with_borrow_mut(|families| {
            if let Some(number) = FREE.with_borrow_mut(Vec::pop) {
                families[number as usize] = direct;
                return Self(number);
            }
            families.push(direct);
            Self(families.len() as u32 - 1)
        })
    }

    pub(crate) fn get(&self) -> u32 {
        self.0
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // At the end of a thread its variables may be gone already. A family is dropped after the borrow: it frees cells.
        let left = FAMILIES.try_with(|families| families.borrow_mut().get_mut(self.0 as usize)?.take());
        if left.is_ok() {
            let _gone = FREE.try_with(|free| free.borrow_mut().push(self.0));
        }
    }
}

fn with<R>(family: u32, call: impl FnOnce(&Direct) -> R) -> Option<R> {
    FAMILIES.with_borrow(|families| families.get(family as usize)?.as_ref().map(call))
}

/// Adds the series whose labels are packed in the first bytes of the scratch memory, in the order in which they are to be
/// printed. The first two numbers there are then its id and its slot. Returns false if it has added nothing: the family's
/// `addSeries` tells why.
#[napi(catch_unwind)]
pub fn add_packed_series(family: u32, bytes: u32) -> bool {
    let added = with(family, |Direct { family, scratch }| {
        let packed = scratch.copy(bytes as usize);
        let series = family.add_series(&unpack(&packed)?).ok()?;
        scratch.answer(series);
        Some(())
    });
    added.flatten().is_some()
}

/// Counts a finite value in a bucket of a native histogram's series. The caller writes the other cells.
#[napi(catch_unwind)]
pub fn observe_native(family: u32, id: u32, value: f64) {
    with(family, |Direct { family, .. }| family.observe_native(id, value));
}

/// The bounds of the buckets from 0.5 to below 1 in the finest resolution of native histograms.
#[napi(catch_unwind)]
pub fn native_bounds() -> Vec<f64> {
    NATIVE_BOUNDS.to_vec()
}

/// Takes the values that were written to the buffer of a summary's series. The caller begins at the buffer's first cell
/// again. What it writes from now on belongs to this step of the window.
#[napi(catch_unwind)]
pub fn flush_series(family: u32, id: u32, step: f64) {
    with(family, |Direct { family, .. }| family.flush_series(id, step as u64));
}
