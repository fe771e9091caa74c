//! Finds in a text what should not be in a label. Shapes are regular expressions of an engine that never tracks back;
//! prefixes of keys and sums of card numbers have modules of their own. One look at the bytes says which kinds can be
//! there at all: most values have none, and pay for that look alone.

use super::findings::FindingKind;
use super::{api_keys, card_numbers};
use regex_lite::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// What to look for after a part that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The next part of the same sort.
    Part,
    /// The next sort.
    Kind,
}

/// One sort of thing, of which a kind may have several.
struct Sort {
    kind: FindingKind,
    /// Whether a text with these signs can have it.
    possible: fn(&Signs, &str) -> bool,
    /// The first part that begins at or after a byte and is one.
    find: fn(&str, usize) -> Option<Range<usize>>,
}

/// Characters of which the kinds can be told apart cheaply.
#[derive(Default)]
struct Signs {
    bytes: usize,
    digits: usize,
    dashes: usize,
    at: bool,
    percent: bool,
    dot: bool,
    /// A space, a colon or an equals sign, or something beyond ASCII that may stand for one.
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
        find: |text, from| shape(&PRIVATE_KEY, text, from, |_| true),
    },
    Sort {
        kind: FindingKind::Token,
        possible: |signs, text| signs.dot && signs.bytes > 24 && text.contains("eyJ"),
        find: |text, from| shape(&JSON_WEB_TOKEN, text, from, |_| true),
    },
    Sort {
        kind: FindingKind::Token,
        possible: |signs, text| {
            signs.separator && (has_word(text, b"bearer") || has_word(text, b"authorization"))
        },
        find: |text, from| shape(&CREDENTIALS, text, from, is_opaque),
    },
    Sort {
        kind: FindingKind::Token,
        possible: |signs, text| signs.at && signs.separator && text.contains("://"),
        find: |text, from| shape(&URL_PASSWORD, text, from, |_| true),
    },
    Sort { kind: FindingKind::CardNumber, possible: |signs, _| signs.digits >= 13, find: card_numbers::find },
    Sort {
        kind: FindingKind::Email,
        possible: |signs, text| signs.dot && (signs.at || signs.percent && text.contains("%40")),
        find: |text, from| shape(&EMAIL, text, from, is_address),
    },
    Sort {
        kind: FindingKind::Uuid,
        possible: |signs, _| signs.bytes >= 36 && signs.dashes >= 4,
        find: |text, from| shape(&UUID, text, from, |_| true),
    },
    Sort { kind: FindingKind::Timestamp, possible: |signs, _| signs.digits >= 10, find: timestamp },
];

/// Calls `found` with each part, sort by sort, in each sort ascending and not overlapping.
pub(super) fn find(text: &str, mut found: impl FnMut(FindingKind, Range<usize>) -> Next) {
    let signs = Signs::of(text);
    for sort in SORTS.iter().filter(|sort| (sort.possible)(&signs, text)) {
        let mut from = 0;
        while let Some(part) = (sort.find)(text, from) {
            from = part.end;
            if found(sort.kind, part) == Next::Kind {
                break;
            }
        }
    }
}

/// Whether a word may begin at a byte: after anything but a letter or digit, or after a percent-encoded character.
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let encoded = |three: &[u8]| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit);
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || at >= 3 && encoded(&bytes[at - 3..at])
}

/// The longest run of letters and digits. Words of people and of services are shorter than 20.
pub(super) fn longest_run(bytes: &[u8]) -> usize {
    bytes.split(|byte| !byte.is_ascii_alphanumeric()).map(<[u8]>::len).max().unwrap_or(0)
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

/// What stands before a word, as `begins_word` says it. The parts are group 1, so that what stands between two of them
/// may belong to both.
const BEFORE: &str = "(?:^|[^A-Za-z0-9]|%[0-9A-Fa-f]{2})";
const AFTER: &str = "(?:[^A-Za-z0-9]|$)";

/// Through the END line, or to the end where it is missing: what follows the BEGIN line is the key.
static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    let line = |word: &str| format!("-----{word} [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----");
    compiled(&format!("(?s)({}.*?(?:{}|$))", line("BEGIN"), line("END")))
});

/// Signed (three parts) and encrypted (five). The signature may be missing: it may be out of sight.
static JSON_WEB_TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(r"{BEFORE}(eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}(?:\.[A-Za-z0-9_-]*){{0,3}})"))
});

/// What follows `Bearer`, or a scheme in an `Authorization` header.
static CREDENTIALS: LazyLock<Regex> = LazyLock::new(|| {
    let gap = "(?:[\\s:=\"'\u{fffd}]|%20)";
    let scheme = format!("authorization{gap}+(?:basic|digest|negotiate|token|apikey)");
    compiled(&format!(r"{BEFORE}(?i:bearer|{scheme}){gap}+([A-Za-z0-9._~+/=-]{{8,}})"))
});

/// `://user:password@`.
static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| compiled(r"://[^\s/:@\[\]]*:([^\s/@\[\]]+)@"));

/// Letters of any script, and `%40` where a URL has the `@`. U+00C0 to U+1FFF and U+2C00 to U+FFEF are letters for
/// the most part; between and after them lie punctuation and symbols, the mark of a cut among them.
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    let letter = r"A-Za-z\u{c0}-\u{1fff}\u{2c00}-\u{ffef}";
    compiled(&format!(
        r"([{letter}0-9._%+'-]+(?:@|%40)(?:[{letter}0-9-]+\.)+(?:[{letter}]{{2,}}|xn--[a-z0-9-]+))"
    ))
});

static UUID: LazyLock<Regex> = LazyLock::new(|| {
    let hex = "[0-9A-Fa-f]";
    compiled(&format!("{BEFORE}({hex}{{8}}-{hex}{{4}}-{hex}{{4}}-{hex}{{4}}-{hex}{{12}}){AFTER}"))
});

/// ISO 8601, extended or basic, with `-` in place of `:` as file names have it. A date alone is none: models and
/// versions are named by dates.
static DATE_TIME: LazyLock<Regex> = LazyLock::new(|| {
    let (month, day) = ("(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])");
    let (hour, sixty) = ("(?:[01][0-9]|2[0-3])", "[0-5][0-9]");
    let date = format!("[0-9]{{4}}-{month}-{day}[Tt _]|[0-9]{{4}}{month}{day}[Tt]");
    let time = format!("{hour}[:-]?{sixty}(?:[:-]?{sixty}(?:[.,][0-9]{{1,9}})?)?");
    compiled(&format!("{BEFORE}((?:{date}){time}(?:[Zz]|[+-]{hour}:?{sixty})?){AFTER}"))
});

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// The next part of a shape. One that is refused is passed over whole, or long ones would be read again and again.
fn shape(pattern: &Regex, text: &str, mut from: usize, accept: fn(&str) -> bool) -> Option<Range<usize>> {
    loop {
        let part = pattern.captures_at(text, from)?.get(1)?.range();
        if accept(&text[part.clone()]) {
            return Some(part);
        }
        from = part.end;
    }
}

fn timestamp(text: &str, from: usize) -> Option<Range<usize>> {
    if from == 0 && is_epoch(text) {
        return Some(0..text.len());
    }
    // Year to minute.
    (text.len() - from >= 13).then(|| shape(&DATE_TIME, text, from, |_| true)).flatten()
}

/// Seconds, with or without a fraction, or milliseconds, from September 2001 to May 2033.
fn is_epoch(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    whole.starts_with('1') && matches!(whole.len(), 10 | 13) && digits(whole) && digits(fraction)
}

/// Whether a text has a word, which is given in small letters, in letters of any case.
fn has_word(text: &str, word: &[u8]) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// Tells credentials from the words that may follow `bearer` in a sentence.
fn is_opaque(text: &str) -> bool {
    let bytes = text.as_bytes();
    let camel = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    bytes.iter().any(u8::is_ascii_digit)
        || bytes.windows(2).any(camel)
        || bytes.ends_with(b"=")
        || longest_run(bytes) >= 20
}

/// Tells addresses from what else has an `@` and a dot: `next@15.0.0-canary.beta`, `logo@2x.png`, and the user `git`,
/// who is nobody.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@').or_else(|| text.rsplit_once("%40")) else {
        return false;
    };
    let digits = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let mut labels = domain.split('.');
    let (first, second) = (labels.next().unwrap_or(""), labels.next().unwrap_or(""));
    let version = digits(first.trim_start_matches('v')) && digits(second);
    let scale = first.strip_suffix('x').is_some_and(|number| !number.is_empty() && digits(number));
    !version && !scale && local != "git"
}
