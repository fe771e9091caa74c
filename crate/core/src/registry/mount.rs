//! The labels under which a registry is shown within another: one registry for each tenant, for example. A label that a
//! series has itself is renamed to `exported_…`, as Prometheus does with the labels of a target, so that no tenant can
//! write series of another.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::labels::{LabelSet, Pair, canonical_key, pairs, render};

/// The prefix of a series' label that has the name of a mount's label.
const EXPORTED: &[u8] = b"exported_";

/// Labels that the formats add themselves, and a prefix that Prometheus reserves. A mount may not have them.
const RESERVED: [&str; 2] = ["le", "quantile"];
const RESERVED_PREFIX: &str = "__";

/// The labels that a mounted registry's series get.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MountLabels {
    pairs: Vec<(String, String)>,
    rendered: Vec<u8>,
}

impl MountLabels {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Result<Self> {
        LabelSet::new(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        if let Some((name, _)) = pairs
            .iter()
            .find(|(name, _)| RESERVED.contains(&name.as_str()) || name.starts_with(RESERVED_PREFIX))
        {
            return Err(MetricsError::new(
                ErrorKind::InvalidLabelName,
                format!("{name} is a reserved label keyword"),
            ));
        }
        let mut rendered = Vec::new();
        render(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut rendered);
        Ok(Self { pairs, rendered })
    }

    /// True if both add the same labels, so that series under them could be the same.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let key = |labels: &Self| {
            let mut key = Vec::new();
            canonical_key(&labels.rendered, &mut key);
            key
        };
        key(self) == key(other)
    }

    fn has(&self, pair: &Pair<'_>) -> bool {
        self.pairs.iter().any(|(name, _)| name.as_bytes() == pair.name)
    }

    /// Appends a series' rendered labels, then the `defaults` that are not taken, then these labels.
    pub(crate) fn write(&self, own: &[u8], defaults: &[(String, String)], out: &mut Vec<u8>) {
        if pairs(own).any(|pair| self.has(&pair)) {
            self.write_renamed(own, out);
        } else {
            out.extend_from_slice(own);
        }
        for (name, value) in defaults {
            let taken = |pair: Pair<'_>| pair.name == name.as_bytes();
            // A renamed label in `out` may have the default label's name.
            if !pairs(out).any(taken) && !pairs(&self.rendered).any(taken) {
                separate(out);
                render([(name.as_str(), value.as_str())], out);
            }
        }
        if !self.rendered.is_empty() {
            separate(out);
            out.extend_from_slice(&self.rendered);
        }
    }

    /// Appends the labels of a series, renaming those that have the name of one of these.
    fn write_renamed(&self, own: &[u8], out: &mut Vec<u8>) {
        for pair in pairs(own) {
            let mut name = pair.name.to_vec();
            if self.has(&pair) {
                // The new name must be free too, so that a series that has both names keeps both values.
                let is_taken = |name: &[u8]| {
                    let has_name = |other: Pair<'_>| other.name == name;
                    self.pairs.iter().any(|(own, _)| own.as_bytes() == name)
                        || pairs(own).any(has_name)
                        || pairs(out).any(has_name)
                };
                while is_taken(&name) {
                    name.splice(0..0, EXPORTED.iter().copied());
                }
            }
            separate(out);
            out.extend_from_slice(&name);
            out.extend_from_slice(b"=\"");
            out.extend_from_slice(pair.value);
            out.push(b'"');
        }
    }
}

fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
}
