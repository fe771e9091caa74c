//! Finds in a text what should not be in a label. One look at the bytes says which sorts of things can be there at
//! all: most values have none, and pay for that look alone.

use super::findings::{Action, Detections, FindingKind};
use super::words::has_word;
use super::{api_keys, card_numbers, patterns, timestamps, uuids};
use std::ops::Range;

/// The shortest thing that is looked for, `a@b.cc`.
const BYTES_MIN: usize = 6;

/// One sort of thing, of which a kind may have several.
struct Sort {
    kind: FindingKind,
    /// Whether a text with these signs can have it.
    possible: fn(&Signs, &str) -> bool,
    /// The first part that begins at or after a byte and is one.
    find: fn(&str, usize) -> Option<Range<usize>>,
}

/// Characters by which sorts are ruled out.
#[derive(Default)]
struct Signs {
    bytes: usize,
    digits: usize,
    dashes: usize,
    at: bool,
    percent: bool,
    dot: bool,
    /// White space, a colon, an equals sign, or what may stand for one: `%20`, U+FFFD.
    separator: bool,
}

static SORTS: [Sort; 9] = [
    Sort {
        kind: FindingKind::ApiKey,
        possible: |signs, _| signs.bytes >= api_keys::BYTES_MIN,
        find: api_keys::find,
    },
    Sort {
        kind: FindingKind::ApiKey,
        possible: |signs, text| signs.dashes >= 10 && text.contains("PRIVATE KEY"),
        find: patterns::private_key,
    },
    Sort {
        kind: FindingKind::Token,
        possible: |signs, text| signs.dot && signs.bytes >= 24 && text.contains("eyJ"),
        find: patterns::json_web_token,
    },
    Sort {
        kind: FindingKind::Token,
        possible: |signs, text| {
            signs.separator && (has_word(text, b"bearer") || has_word(text, b"authorization"))
        },
        find: patterns::credentials,
    },
    Sort {
        kind: FindingKind::Token,
        possible: |signs, text| signs.at && signs.separator && text.contains("://"),
        find: patterns::url_password,
    },
    Sort {
        kind: FindingKind::CardNumber,
        possible: |signs, _| signs.digits >= card_numbers::DIGITS_MIN,
        find: card_numbers::find,
    },
    Sort {
        kind: FindingKind::Email,
        possible: |signs, text| signs.dot && (signs.at || signs.percent && text.contains("%40")),
        find: patterns::email,
    },
    Sort {
        kind: FindingKind::Uuid,
        possible: |signs, _| signs.bytes >= uuids::BYTES && signs.dashes >= 4,
        find: uuids::find,
    },
    Sort {
        kind: FindingKind::Timestamp,
        possible: |signs, _| signs.digits >= timestamps::DIGITS_MIN,
        find: timestamps::find,
    },
];

/// Calls `found` with what is looked for, sort by sort; in each ascending and not overlapping. Of what is redacted
/// each part, as each needs its place; of the rest one is enough.
pub(super) fn find(
    text: &str,
    detect: &Detections,
    mut found: impl FnMut(FindingKind, Action, Range<usize>),
) {
    if text.len() < BYTES_MIN {
        return;
    }
    let signs = Signs::of(text);
    for Sort { kind, possible, find } in &SORTS {
        let action = detect.of(*kind);
        if action == Action::Keep || !possible(&signs, text) {
            continue;
        }
        let mut from = 0;
        while let Some(part) = find(text, from) {
            from = part.end;
            found(*kind, action, part);
            if action != Action::Redact {
                break;
            }
        }
    }
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self { bytes: text.len(), ..Self::default() };
        for byte in text.bytes() {
            signs.digits += usize::from(byte.is_ascii_digit());
            signs.dashes += usize::from(byte == b'-');
            signs.at |= byte == b'@';
            signs.percent |= byte == b'%';
            signs.dot |= byte == b'.';
            signs.separator |= matches!(byte, b' ' | b':' | b'=' | b'%' | b'\t'..=b'\r' | 0x80..);
        }
        signs
    }
}
