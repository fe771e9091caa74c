//! Writes what was gathered: as an exposition or as JSON.

use super::gathered::{Gathered, Selection, gather};
use crate::registry::{Family, Registry};
use crate::serialization::{self, Format, Sink, labels_json};

/// Writes an exposition.
///
/// # Errors
/// The sink's, when it cannot take more; a `Vec<u8>` always can.
pub fn encode<S: Sink>(gathered: &Gathered, format: Format, sink: &mut S) -> Result<(), S::Error> {
    let Gathered { families, default_labels, shows_starts, .. } = gathered;
    serialization::write(families, default_labels, format, *shows_starts, sink)
}

/// Passes families to the encoder of a push, with more default labels.
#[cfg(feature = "push")]
pub(crate) fn encode_for_push<S: Sink>(
    gathered: &Gathered,
    labels: &[(String, String)],
    encoder: &mut dyn serialization::Encoder,
    sink: &mut S,
) -> Result<(), S::Error> {
    // The registry's own ones come first, and count if both have a label.
    let mut all = gathered.default_labels.clone();
    all.extend(
        labels
            .iter()
            .filter(|(name, _)| !gathered.default_labels.iter().any(|(own, _)| own == name))
            .cloned(),
    );
    serialization::write_metrics(&gathered.families, &all, encoder, sink)
}

/// The families as a JSON array, and all values in the order in which the text refers to them.
///
/// A family of cells is `{"name","help","type","aggregator","bounds","series":[{"id","labels","exemplars"}]}` and has
/// one value for each cell of each series; a family of samples has `"samples":[{"name","labels"}]` and one value for each
/// sample.
#[must_use]
pub fn json(gathered: &Gathered) -> (String, Vec<f64>) {
    serialization::json(&gathered.families)
}

impl Registry {
    /// What a scrape of this registry alone shows.
    #[must_use]
    pub fn gather(&self) -> Gathered {
        gather(self, &Selection::default())
    }

    /// The exposition of this registry alone.
    #[must_use]
    pub fn encode(&self, format: Format) -> String {
        let mut out = Vec::new();
        let Ok(()) = encode(&self.gather(), format, &mut out);
        String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

impl Family {
    /// The labels of a series as a JSON object, in the order in which they print.
    #[must_use]
    pub fn series_labels(&self, id: u32) -> Option<String> {
        self.rendered_labels(id).map(|labels| labels_json(&labels))
    }
}
