//! Memory that one thread writes while others read: slabs of cells, append-only tables, and the scrape clock that says
//! when a freed cell may be reused. Also asks the system for huge pages. All `unsafe` code of this crate is here. Must not know metrics, labels or formats.
//!
//! # Why the `unsafe` code is sound
//!
//! A cell is an aligned `f64`, read here through `AtomicU64` with relaxed ordering. Rust writers store it atomically
//! too. A JavaScript writer stores it by assigning to an element of a `Float64Array` on its own thread, which is
//! outside Rust's memory model: every engine that we ship for compiles the assignment to one aligned 8-byte store,
//! which no 64-bit platform tears, and does not keep the value in a register across turns of a loop. Engines behave
//! like this, but no specification requires it, so a test checks it on every supported runtime
//! (`__test__/native/memory-model.test.mjs`).

#![allow(unsafe_code, reason = "the only folder of this crate with unsafe code: see the reasons above")]

mod append;
mod arena;
mod cells;
mod epochs;
#[cfg(feature = "http")]
mod huge_pages;
#[cfg(all(target_os = "linux", not(loom)))]
mod pages;

pub(crate) use append::{AppendIter, AppendReader, AppendWriter, append_only};
pub(crate) use arena::{ArenaCursor, ArenaReader, ArenaWriter, Span, byte_arena};
pub(crate) use cells::CellsCursor;
pub use cells::{CELLS_PER_SLAB, Cells, Slab, SlabSource};
pub(crate) use epochs::Scrape;
#[cfg(feature = "http")]
pub(crate) use huge_pages::ask_for_huge_pages;
#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use pages::FileWords;
