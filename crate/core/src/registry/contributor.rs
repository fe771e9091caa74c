//! A contributor: a JavaScript environment, or other code that owns its cells, with its registry.

use super::registry::Registry;
use crate::clock::Clock;
use crate::slab::Cells;
use crate::sync::Arc;

/// A registry and the memory of its families. Only the contributor's owner writes there.
pub struct Contributor {
    registry: Arc<Registry>,
    cells: Arc<Cells>,
}

impl Contributor {
    /// A contributor with an empty registry.
    #[must_use]
    pub fn new(cells: Cells) -> Self {
        Self::with_clock(cells, Arc::default())
    }

    /// A contributor with an empty registry and this clock.
    #[must_use]
    pub fn with_clock(cells: Cells, clock: Arc<Clock>) -> Self {
        Self { registry: Arc::new(Registry::with_clock(clock)), cells: Arc::new(cells) }
    }

    /// The registry that is merged with those of the other contributors.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The clock of its registry.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        self.registry.clock()
    }

    /// The memory of its families.
    #[must_use]
    pub fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }
}
