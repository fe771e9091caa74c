//! Recognises the beginnings and ends of words, and runs of characters that are too long for a word.

/// True if a word may begin at a byte: after any character but a letter or digit, or after a percent-encoded character.
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let encoded = |three: &[u8]| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit);
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || at >= 3 && encoded(&bytes[at - 3..at])
}

/// True if a word may end before a byte.
pub(super) fn ends_word(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// The length of the longest run of letters and digits. Words of languages and names of services are shorter than 20.
pub(super) fn longest_run(bytes: &[u8]) -> usize {
    bytes.split(|byte| !byte.is_ascii_alphanumeric()).map(<[u8]>::len).max().unwrap_or(0)
}

/// True if a text contains a word in any case. `word` is in small letters.
pub(super) fn has_word(text: &str, word: &[u8]) -> bool {
    let (first, bytes) = (word[0], text.as_bytes());
    // `| 0x20` turns a capital letter into a small one.
    bytes.windows(word.len()).any(|window| window[0] | 0x20 == first && window.eq_ignore_ascii_case(word))
}
