//! Checks the groups of a family's samples in OpenMetrics: the lines of a group stand together, ordered by time.

use std::collections::HashSet;

use super::fault::{Fault, Parsed};
use super::line::{Line, key};
use super::number::Stamp;

/// The groups of a family. A group is the samples of one histogram, summary or state set.
#[derive(Default)]
pub(super) struct Groups {
    /// The group of the line before.
    group: Option<Vec<u8>>,
    stamp: Option<Stamp>,
    /// The series of the current group.
    series: HashSet<Vec<u8>>,
    seen: HashSet<Vec<u8>>,
}

impl Groups {
    /// Adds a line. Returns false if it repeats a series at the same time; such a line is dropped.
    pub(super) fn enter<'a>(
        &mut self,
        line: &Line,
        name: &str,
        kind: &str,
        text: &'a str,
    ) -> Parsed<'a, bool> {
        let sample = &line.sample;
        let group = match kind {
            "info" => Vec::new(),
            "summary" if sample.name == name => key("", sample, Some("quantile")),
            "stateset" => key("", sample, Some(name)),
            "histogram" | "gaugehistogram" if sample.name.strip_prefix(name) == Some("_bucket") => {
                key("", sample, Some("le"))
            }
            _ => key("", sample, None),
        };
        let is_same = self.group.as_ref() == Some(&group);
        if is_same {
            self.check_order(line.stamp.as_ref(), kind, text)?;
        } else {
            if self.group.is_some() && self.seen.contains(&group) {
                return Err(Fault::expected("the samples of one label set together", text));
            }
            self.series.clear();
            self.seen.insert(group.clone());
            self.group = Some(group);
        }
        let is_new_series = self.series.insert(key(&sample.name, sample, None));
        let is_new = is_new_series || line.stamp != self.stamp;
        self.stamp.clone_from(&line.stamp);
        Ok(is_new)
    }

    fn check_order<'a>(&self, stamp: Option<&Stamp>, kind: &str, text: &'a str) -> Parsed<'a, ()> {
        match (self.stamp.as_ref(), stamp) {
            (None, None) => Ok(()),
            (Some(before), Some(stamp)) => match before.is_after(stamp) {
                Some(true) if kind != "info" => Err(Fault::expected("timestamps in their order", text)),
                Some(_) => Ok(()),
                None => Err(Fault::expected("a timestamp written as the one before", text)),
            },
            _ => Err(Fault::expected("timestamps in all lines of a group or in none", text)),
        }
    }
}
