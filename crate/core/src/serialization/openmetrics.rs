//! OpenMetrics 1.0: what differs from text 0.0.4. No blank lines, `# EOF` at the end, counters named without
//! `_total` in their metadata and with it in their samples, canonical thresholds, exemplars.

use super::lines::{Dialect, Names};
use super::number;
use crate::labels::escape;
use crate::model::Kind;

const TOTAL: &str = "_total";

pub(super) struct OpenMetrics;

impl Dialect for OpenMetrics {
    const BLANK_LINES: bool = false;
    const EXEMPLARS: bool = true;
    const END: &'static [u8] = b"# EOF\n";

    /// A counter `x_total` beside a family `x` cannot be called `x` as well: it keeps its samples and loses its type.
    fn names(name: &str, kind: Kind, taken: impl Fn(&str) -> bool) -> Names {
        if kind == Kind::Counter {
            let family = name.strip_suffix(TOTAL).unwrap_or(name);
            let sample = format!("{family}{TOTAL}");
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

    /// Observations below 0 make a sum go down, so OpenMetrics has none where a threshold is negative, and then
    /// no count either.
    fn writes_sum(buckets: &[f64]) -> bool {
        buckets.first().is_none_or(|lowest| *lowest >= 0.0)
    }
}
