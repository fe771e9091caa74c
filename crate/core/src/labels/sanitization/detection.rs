//! Finds content that should not be in a label. One pass over the bytes rules out most patterns; usual values need only
//! that pass.

use super::findings::{Action, Detections, FindingKind};
use super::words::has_word;
use super::{api_keys, card_numbers, patterns, timestamps, uuids};
use std::ops::Range;

/// Bytes of the shortest content that is looked for, `a@b.cc`.
const BYTES_MIN: usize = 6;

/// One pattern to look for. A kind may have several.
struct Sort {
    kind: FindingKind,
    /// True if a text with these signs may contain the pattern.
    possible: fn(&Signs, &str) -> bool,
    /// The first match that begins at or after a byte.
    find: fn(&str, usize) -> Option<Range<usize>>,
}

/// Characters of a text, by which patterns are ruled out.
#[derive(Default)]
struct Signs {
    bytes: usize,
    digits: usize,
    dashes: usize,
    at: bool,
    percent: bool,
    dot: bool,
    /// White space, a colon, an equals sign, or a replacement of one: `%20`, U+FFFD.
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

/// Calls `found` with each match, pattern by pattern; those of one pattern ascend and do not overlap. For content that
/// is redacted it reports every match; otherwise one match of each pattern is enough.
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
