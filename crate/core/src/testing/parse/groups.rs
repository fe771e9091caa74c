//! The groups of a family's samples in OpenMetrics: each stands together and in the order of time.

use std::collections::HashSet;

use super::fault::{Fault, Parsed};
use super::line::{Line, key};
use super::number::Stamp;

/// The label sets of a family's groups: what one histogram, summary or state set consists of stands together.
#[derive(Default)]
pub(super) struct Groups {
    /// Of the line before.
    group: Option<Vec<u8>>,
    stamp: Option<Stamp>,
    /// The series of the group that is being read.
    series: HashSet<Vec<u8>>,
    seen: HashSet<Vec<u8>>,
}

impl Groups {
    /// Enters a line; false for one that repeats a series at the same time, which is not kept.
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
