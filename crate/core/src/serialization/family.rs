//! The traits between gathering and encoding. Gathered families implement `Shown`, each format implements
//! `FamilyWriter`, so that neither knows the other.

use crate::model::{SampleFamily, Source};

/// A family that can be encoded.
pub(crate) trait Shown {
    /// The family's name.
    fn name(&self) -> &str;
    /// Calls the method of `writer` that fits the family.
    fn show<W: FamilyWriter>(&self, writer: &mut W) -> Result<(), W::Error>;
}

/// Writes families of both kinds.
pub(crate) trait FamilyWriter {
    /// The reason why it could not write more.
    type Error;
    /// Writes a family of cells.
    fn cells<F: Source>(&mut self, family: &F) -> Result<(), Self::Error>;
    /// Writes a family of finished samples.
    fn samples(&mut self, family: &SampleFamily) -> Result<(), Self::Error>;
}
