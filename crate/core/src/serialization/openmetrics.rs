//! The OpenMetrics 1.0 dialect: no blank lines, `# EOF` at the end, counters with `_total` in their samples and without
//! it in their metadata, canonical thresholds, exemplars.

use super::lines::{Dialect, Names};
use super::number;
use crate::labels::escape;
use crate::model::Kind;

const TOTAL: &str = "_total";
const INFO: &str = "_info";

pub(super) struct OpenMetrics;

impl Dialect for OpenMetrics {
    const BLANK_LINES: bool = false;
    const EXEMPLARS: bool = true;
    const UNITS: bool = true;
    const STARTS: bool = true;
    const END: &'static [u8] = b"# EOF\n";

    /// If a family `x` exists too, a counter `x_total` or an info `x_info` cannot be called `x`: it keeps its sample
    /// names and gets the type `unknown`.
    fn names(name: &str, kind: Kind, taken: impl Fn(&str) -> bool) -> Names {
        let suffix = match kind {
            Kind::Counter => TOTAL,
            Kind::Info => INFO,
            _ => "",
        };
        if !suffix.is_empty() {
            let family = name.strip_suffix(suffix).unwrap_or(name);
            let sample = format!("{family}{suffix}");
            let other = if family == name { sample.as_str() } else { family };
            if !family.is_empty() && !taken(other) {
                return Names { family: family.to_owned(), sample, kind: kind.as_str() };
            }
            return Names { family: name.to_owned(), sample: name.to_owned(), kind: "unknown" };
        }
        let kind = if kind == Kind::Unknown { "unknown" } else { kind.as_str() };
        Names { family: name.to_owned(), sample: name.to_owned(), kind }
    }

    fn help(text: &str, out: &mut Vec<u8>) {
        escape::help(text, true, out);
    }

    fn threshold(value: f64, out: &mut Vec<u8>) {
        number::canonical(value, out);
    }

    /// Observations below 0 make a sum go down, so OpenMetrics forbids the sum if a threshold is negative, and the
    /// count with it.
    fn writes_sum(buckets: &[f64]) -> bool {
        buckets.first().is_none_or(|lowest| *lowest >= 0.0)
    }
}
