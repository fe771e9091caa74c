//! The two sides of encoding a family: who shows one, and who writes it. The layer that gathers families implements the
//! one, each format the other, so that neither knows the other.

use crate::model::{SampleFamily, Source};

/// A family to be encoded.
pub(crate) trait Shown {
    /// The family's name.
    fn name(&self) -> &str;
    /// Calls the one method of `writer` that fits the family.
    fn show<W: FamilyWriter>(&self, writer: &mut W) -> Result<(), W::Error>;
}

/// Writes families of both sorts.
pub(crate) trait FamilyWriter {
    /// Why it could not write more.
    type Error;
    /// Writes a family of cells.
    fn cells<F: Source>(&mut self, family: &F) -> Result<(), Self::Error>;
    /// Writes a family of finished samples.
    fn samples(&mut self, family: &SampleFamily) -> Result<(), Self::Error>;
}
