//! The trait through which a family asks the owner of its series to remove expired ones. Must not know families.

use super::cardinality::CardinalityGuard;
use crate::sync::Arc;

/// Removes the expired series of a family: the one thread that may, if not every thread may.
pub trait Remover: Send + Sync {
    /// True if series of other contributors may be added to the family's when they have the same labels. Only a scrape that
    /// sees all contributors may then have a series removed, and none begins anew; otherwise a total would go down.
    ///
    /// `guards` are those of the registries that hold the family.
    fn shares(&self, guards: &[Arc<CardinalityGuard>]) -> bool;

    /// Wakes the owning thread, which then calls `Family::take_expired()`.
    /// Called from any thread, once for each batch of expired series. It must return at once.
    fn wake(&self);
}
