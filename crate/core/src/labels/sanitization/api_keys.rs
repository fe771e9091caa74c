//! Finds API keys by the prefixes that their vendors publish. Not by entropy: that would also find hashes, pod names
//! and request ids.

use super::words::{begins_word, longest_run};
use std::ops::Range;

/// Bytes of the shortest key in the table.
pub(super) const BYTES_MIN: usize = {
    let (mut least, mut number) = (usize::MAX, 0);
    while number < KEYS.len() {
        let bytes = KEYS[number].prefix.len() + KEYS[number].least;
        least = if bytes < least { bytes } else { least };
        number += 1;
    }
    least
};

/// Bytes after a prefix that are judged: enough for every key, and a bound on the work when prefixes follow each other.
const JUDGED_BYTES: usize = 64;

struct Key {
    prefix: &'static str,
    tail: Tail,
    /// The smallest number of characters of the tail.
    least: usize,
}

/// The characters that follow a prefix.
enum Tail {
    /// Capital letters and digits.
    Capitals,
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `-` and `_`; at least one digit.
    WithDigit,
    /// The same characters, but not ordinary words: words begin with this prefix too.
    NotWords,
}

const fn key(prefix: &'static str, tail: Tail, least: usize) -> Key {
    Key { prefix, tail, least }
}

/// Of two prefixes with the same beginning, the longer one comes first.
const KEYS: [Key; 37] = [
    // Anthropic, OpenAI, OpenRouter; DeepSeek and others with `sk-` alone.
    key("sk-ant-", Tail::WithDigit, 12),
    key("sk-proj-", Tail::WithDigit, 16),
    key("sk-svcacct-", Tail::WithDigit, 16),
    key("sk-admin-", Tail::WithDigit, 16),
    key("sk-or-v1-", Tail::WithDigit, 16),
    key("sk-", Tail::NotWords, 16),
    // Google, Hugging Face, Groq, xAI, Perplexity, Replicate.
    key("AIza", Tail::WithDigit, 30),
    key("ya29.", Tail::WithDigit, 20),
    key("hf_", Tail::Alphanumeric, 30),
    key("gsk_", Tail::Alphanumeric, 40),
    key("xai-", Tail::Alphanumeric, 40),
    key("pplx-", Tail::Alphanumeric, 40),
    key("r8_", Tail::Alphanumeric, 30),
    // Stripe.
    key("sk_live_", Tail::Alphanumeric, 16),
    key("sk_test_", Tail::Alphanumeric, 16),
    key("rk_live_", Tail::Alphanumeric, 16),
    key("rk_test_", Tail::Alphanumeric, 16),
    key("whsec_", Tail::Alphanumeric, 20),
    // GitHub, GitLab.
    key("ghp_", Tail::Alphanumeric, 30),
    key("gho_", Tail::Alphanumeric, 30),
    key("ghu_", Tail::Alphanumeric, 30),
    key("ghs_", Tail::Alphanumeric, 30),
    key("ghr_", Tail::Alphanumeric, 30),
    key("github_pat_", Tail::NotWords, 22),
    key("glpat-", Tail::WithDigit, 20),
    // npm, PyPI.
    key("npm_", Tail::Alphanumeric, 30),
    key("pypi-AgE", Tail::WithDigit, 50),
    // Amazon: long-term and temporary.
    key("AKIA", Tail::Capitals, 16),
    key("ASIA", Tail::Capitals, 16),
    // Slack.
    key("xoxb-", Tail::WithDigit, 10),
    key("xoxp-", Tail::WithDigit, 10),
    key("xoxa-", Tail::WithDigit, 10),
    key("xoxr-", Tail::WithDigit, 10),
    key("xoxs-", Tail::WithDigit, 10),
    // SendGrid, DigitalOcean, Shopify.
    key("SG.", Tail::NotWords, 20),
    key("dop_v1_", Tail::Alphanumeric, 40),
    key("shpat_", Tail::Alphanumeric, 30),
];

/// True for each byte that a key can begin with.
const BEGINS_KEY: [bool; 256] = {
    let mut table = [false; 256];
    let mut number = 0;
    while number < KEYS.len() {
        table[KEYS[number].prefix.as_bytes()[0] as usize] = true;
        number += 1;
    }
    table
};

/// The first key that begins at or after `from`, with all characters that may belong to it.
pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start =
        (from..bytes.len()).find(|at| BEGINS_KEY[usize::from(bytes[*at])] && is_key_at(bytes, *at))?;
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let length = bytes[start..].iter().take_while(|byte| belongs(byte)).count();
    Some(start..start + length)
}

fn is_key_at(bytes: &[u8], at: usize) -> bool {
    begins_word(bytes, at)
        && KEYS.iter().any(|key| {
            bytes[at..].strip_prefix(key.prefix.as_bytes()).is_some_and(|rest| key.is_followed_by(rest))
        })
}

impl Key {
    fn is_followed_by(&self, rest: &[u8]) -> bool {
        let length = rest.iter().take(JUDGED_BYTES).take_while(|byte| self.tail.has(**byte)).count();
        let tail = &rest[..length];
        let digit = tail.iter().any(u8::is_ascii_digit);
        length >= self.least
            && match self.tail {
                Tail::Capitals | Tail::Alphanumeric => true,
                Tail::WithDigit => digit,
                Tail::NotWords => {
                    digit && longest_run(tail) >= 16 || longest_run(tail) >= 20 || is_mixed(tail)
                }
            }
    }
}

impl Tail {
    const fn has(&self, byte: u8) -> bool {
        match self {
            Self::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::WithDigit | Self::NotWords => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
        }
    }
}

/// True for 20 characters or more with capital letters, small letters and digits.
fn is_mixed(tail: &[u8]) -> bool {
    let any = |is: fn(&u8) -> bool| tail.iter().any(is);
    tail.len() >= 20 && any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_digit)
}
