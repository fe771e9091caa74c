//! The text 0.0.4 dialect. Its layout (a blank line between families, a newline at the end) is the one that Node.js
//! programs have in their snapshots.

use super::lines::{Dialect, Names};
use super::number;
use crate::labels::escape;
use crate::model::Kind;
use std::borrow::Cow;

/// The name that the samples of an info have in every format: it ends with `_info`. Other types keep theirs.
pub(super) fn with_info(name: &str, kind: Kind) -> Cow<'_, str> {
    if kind == Kind::Info && !name.ends_with("_info") { format!("{name}_info").into() } else { name.into() }
}

pub(super) struct PrometheusText;

impl Dialect for PrometheusText {
    const BLANK_LINES: bool = true;
    const EXEMPLARS: bool = false;
    const UNITS: bool = false;
    const STARTS: bool = false;
    const END: &'static [u8] = b"";

    fn names(name: &str, kind: Kind, _taken: impl Fn(&str) -> bool) -> Names {
        let name = with_info(name, kind).into_owned();
        let kind = if matches!(kind, Kind::Info | Kind::StateSet) { Kind::Gauge } else { kind };
        Names { family: name.clone(), sample: name, kind: kind.as_str() }
    }

    fn help(text: &str, out: &mut Vec<u8>) {
        escape::help(text, false, out);
    }

    fn threshold(value: f64, out: &mut Vec<u8>) {
        number::sample(value, out);
    }

    fn writes_sum(_buckets: &[f64]) -> bool {
        true
    }
}
