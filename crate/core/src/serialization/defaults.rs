//! A registry's default labels, as every format adds them to those of a series.

use crate::labels::{pairs, render};

/// Default labels, each rendered once.
#[derive(Default)]
pub(super) struct Defaults<'a> {
    labels: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Defaults<'a> {
    pub(super) fn new(labels: &'a [(String, String)]) -> Self {
        let rendered = |(name, value): &'a (String, String)| {
            let mut rendered = Vec::new();
            render([(name.as_str(), value.as_str())], &mut rendered);
            (name.as_str(), rendered)
        };
        Self { labels: labels.iter().map(rendered).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The default labels that a series shows beside its own; its own win. `reserved` is a label that the line has
    /// already: `le` in a bucket.
    pub(super) fn beside(&self, own: &[u8], reserved: Option<&str>, out: &mut Vec<u8>) {
        out.clear();
        let is_taken =
            |name: &str| reserved == Some(name) || pairs(own).any(|pair| pair.name == name.as_bytes());
        for (_, rendered) in self.labels.iter().filter(|(name, _)| !is_taken(name)) {
            if !out.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(rendered);
        }
    }
}
