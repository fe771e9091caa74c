//! The memory of all metrics that Rust code makes.

use crate::slab::Cells;
use crate::sync::Arc;

/// One set of cells for the whole process.
#[cfg(not(loom))]
pub(crate) fn shared_cells() -> Arc<Cells> {
    static CELLS: std::sync::LazyLock<Arc<Cells>> = std::sync::LazyLock::new(|| Arc::new(Cells::on_heap()));
    Arc::clone(&CELLS)
}

#[cfg(loom)]
pub(crate) fn shared_cells() -> Arc<Cells> {
    Arc::new(Cells::on_heap())
}
