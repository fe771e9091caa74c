//! Writes labels and samples under the names that a scheme makes of theirs. Encoders see only these names, so none of them
//! knows the schemes.

use crate::labels::{Escaping, Pair, is_name, pairs};
use crate::model::{Sample, SampleFamily};

/// Appends rendered labels under the names of a scheme.
pub(super) fn escape_labels(rendered: &[u8], escaping: Escaping, out: &mut Vec<u8>) {
    for pair in pairs(rendered) {
        if pair.is_quoted {
            let name = std::str::from_utf8(pair.name).unwrap_or_default();
            Pair { name: escaping.label_name(name).as_bytes(), is_quoted: false, ..pair }.push(out);
        } else {
            pair.push(out);
        }
    }
}

/// Finished samples under the names of a scheme; `None` if they are the same there.
pub(super) fn escape_samples(family: &SampleFamily, escaping: Escaping) -> Option<SampleFamily> {
    let is_plain =
        |sample: &Sample| is_name(sample.name(), true) && pairs(sample.labels()).all(|pair| !pair.is_quoted);
    if is_name(family.name(), true) && family.samples().iter().all(is_plain) {
        return None;
    }
    let name = escaping.metric_name(family.name());
    let sample = |sample: &Sample| {
        let mut labels = Vec::new();
        escape_labels(sample.labels(), escaping, &mut labels);
        let own = match sample.name().strip_prefix(family.name()) {
            Some(suffix) if is_name(suffix, true) || suffix.is_empty() => format!("{name}{suffix}"),
            _ => escaping.metric_name(sample.name()).into_owned(),
        };
        sample.with_labels(labels).with_name(&own).ok()
    };
    let samples: Option<Vec<Sample>> = family.samples().iter().map(sample).collect();
    family.with_samples(samples?).with_name(&name).ok()
}
