//! Memory that one thread writes while others read: slabs of cells, append-only tables and the clock
//! that says when a freed cell may be used again. Everything `unsafe` in this crate is in this room;
//! it knows nothing of metrics, labels or formats.
//!
//! # The argument the `unsafe` rests on
//!
//! A cell is an aligned `f64`, read here through `AtomicU64` with relaxed ordering. Rust writers store it
//! atomically too. A JavaScript writer stores it by `Float64Array` element assignment on its own thread, which
//! is outside Rust's memory model: every engine we ship for compiles that to one aligned 8-byte store, which no
//! 64-bit platform tears, and does not keep it in a register across turns of a loop. That is behaviour, not
//! specification, so a test holds it on every supported runtime (`__test__/native/memory-model.test.mjs`).

#![allow(unsafe_code, reason = "the one room of this crate that may: see the argument above")]

mod append;
mod arena;
mod cells;
mod epochs;

pub(crate) use append::{AppendReader, AppendWriter, append_only};
pub(crate) use arena::{ArenaReader, ArenaWriter, Span, byte_arena};
pub use cells::{CELLS_PER_SLAB, Cells, Slab, SlabSource};
pub(crate) use epochs::Scrape;
