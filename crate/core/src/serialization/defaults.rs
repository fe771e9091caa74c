//! A registry's default labels, as every format adds them to those of a series.

use crate::labels::{pairs, render};

/// Default labels. They are rendered once for series that have none of these labels themselves.
#[derive(Default)]
pub(super) struct Defaults<'a> {
    labels: &'a [(String, String)],
    rendered: Vec<u8>,
}

impl<'a> Defaults<'a> {
    pub(super) fn new(labels: &'a [(String, String)]) -> Self {
        let mut rendered = Vec::new();
        render(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut rendered);
        Self { labels, rendered }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rendered.is_empty()
    }

    /// The default labels that a series shows beside its own; its own win. `reserved` is a label that the line has
    /// already: `le` in a bucket.
    pub(super) fn beside(&self, own: &[u8], reserved: Option<&str>, out: &mut Vec<u8>) {
        out.clear();
        let is_taken =
            |name: &str| reserved == Some(name) || pairs(own).any(|pair| pair.name == name.as_bytes());
        let shown = self.labels.iter().filter(|(name, _)| !is_taken(name));
        render(shown.map(|(name, value)| (name.as_str(), value.as_str())), out);
    }
}
