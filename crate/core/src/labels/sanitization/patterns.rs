//! Finds content by regular expressions: private keys, tokens, addresses. The engine does not backtrack. It is also a
//! hundred times slower than a comparison, so a pattern runs only if a word of it was seen.

use super::words::longest_run;
use regex_lite::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A private key in PEM, from `-----BEGIN`.
pub(super) fn private_key(text: &str, from: usize) -> Option<Range<usize>> {
    first(&PRIVATE_KEY, text, from, |_, _| true)
}

/// A JSON web token.
pub(super) fn json_web_token(text: &str, from: usize) -> Option<Range<usize>> {
    first(&JSON_WEB_TOKEN, text, from, |_, _| true)
}

/// The credentials after `Bearer`, or after another scheme in an `Authorization` header.
pub(super) fn credentials(text: &str, from: usize) -> Option<Range<usize>> {
    first(&CREDENTIALS, text, from, is_opaque)
}

/// The password in `://user:password@`.
pub(super) fn url_password(text: &str, from: usize) -> Option<Range<usize>> {
    first(&URL_PASSWORD, text, from, |_, _| true)
}

/// An e-mail address.
pub(super) fn email(text: &str, from: usize) -> Option<Range<usize>> {
    first(&EMAIL, text, from, is_address)
}

/// The text before a word, by the rule of `begins_word`. The match is group 1, so that a character between two matches
/// may belong to both.
const BEFORE: &str = "(?:^|[^A-Za-z0-9]|%[0-9A-Fa-f]{2})";

/// Through the END line, or to the end of the text if it is missing: the text after the BEGIN line is the key.
static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    let line = |word: &str| format!("-----{word} [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----");
    compiled(&format!("(?s)({}.*?(?:{}|$))", line("BEGIN"), line("END")))
});

/// Signed (three parts) or encrypted (five). The signature may be missing, because it may lie beyond the text that is
/// looked at.
static JSON_WEB_TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(r"{BEFORE}(eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}(?:\.[A-Za-z0-9_-]*){{0,3}})"))
});

static CREDENTIALS: LazyLock<Regex> = LazyLock::new(|| {
    let gap = "(?:[\\s:=\"'\u{fffd}]|%20)";
    let scheme = format!("authorization{gap}+(?:basic|digest|negotiate|token|apikey)");
    compiled(&format!(r"{BEFORE}(?i:bearer|{scheme}){gap}+([A-Za-z0-9._~+/=-]{{8,}})"))
});

static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| compiled(r"://[^\s/:\[\]]*:([^\s/@\[\]]+)@"));

/// Letters of any script, and `%40` for the `@` in URLs. U+00C0 to U+1FFF and U+2C00 to U+FFEF are mostly letters;
/// between and after them are punctuation and symbols, including the mark of a cut.
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    let letter = r"A-Za-z\u{c0}-\u{1fff}\u{2c00}-\u{ffef}";
    compiled(&format!(
        r"([{letter}0-9._%+'-]+(?:@|%40)(?:[{letter}0-9-]+\.)+(?:[{letter}]{{2,}}|xn--[a-z0-9-]+))"
    ))
});

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// The first match at or after `from` that `accept` takes; it is given the text before the match and the match. A
/// refused match is skipped as a whole; otherwise long ones would be read again and again.
fn first(
    pattern: &Regex,
    text: &str,
    mut from: usize,
    accept: fn(&str, &str) -> bool,
) -> Option<Range<usize>> {
    loop {
        let part = pattern.captures_at(text, from)?.get(1)?.range();
        if accept(&text[..part.start], &text[part.clone()]) {
            return Some(part);
        }
        from = part.end;
    }
}

/// Distinguishes credentials from words that follow `bearer` in a sentence.
fn is_opaque(_: &str, credentials: &str) -> bool {
    let bytes = credentials.as_bytes();
    let camel = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    bytes.iter().any(u8::is_ascii_digit)
        || bytes.windows(2).any(camel)
        || bytes.ends_with(b"=")
        || longest_run(bytes) >= 20
}

/// True for the start of a URL, `https://`. Without a scheme, `://` is not one.
fn ends_with_scheme(text: &str) -> bool {
    text.strip_suffix("://").is_some_and(|scheme| scheme.ends_with(|last: char| last.is_ascii_alphanumeric()))
}

/// Distinguishes addresses from other texts with an `@` and a dot: `next@15.0.0-canary.beta`, `logo@2x.png`, the user
/// of a URL (`postgres://app@db.internal`), and the user `git`, who is not a person.
fn is_address(before: &str, found: &str) -> bool {
    let (local, domain, in_url) = match found.rsplit_once('@') {
        Some((local, domain)) => (local, domain, ends_with_scheme(before)),
        None => found.rsplit_once("%40").map_or(("", found, false), |(local, domain)| (local, domain, false)),
    };
    let digits = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let mut labels = domain.split('.');
    let (first, second) = (labels.next().unwrap_or(""), labels.next().unwrap_or(""));
    let version = digits(first.trim_start_matches('v')) && digits(second);
    let scale = first.strip_suffix('x').is_some_and(|number| !number.is_empty() && digits(number));
    !version && !scale && !in_url && local != "git"
}
