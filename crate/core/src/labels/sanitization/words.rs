//! Where words begin and end, and what in them tells a word from something random.

/// Whether a word may begin at a byte: after anything but a letter or digit, or after a percent-encoded character.
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let encoded = |three: &[u8]| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit);
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || at >= 3 && encoded(&bytes[at - 3..at])
}

/// Whether a word may end before a byte.
pub(super) fn ends_word(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// The longest run of letters and digits. Words of people and of services are shorter than 20.
pub(super) fn longest_run(bytes: &[u8]) -> usize {
    bytes.split(|byte| !byte.is_ascii_alphanumeric()).map(<[u8]>::len).max().unwrap_or(0)
}

/// Whether a text has a word, given in small letters, in letters of any case.
pub(super) fn has_word(text: &str, word: &[u8]) -> bool {
    let (first, bytes) = (word[0], text.as_bytes());
    // With the bit that parts capital from small letters set.
    bytes.windows(word.len()).any(|window| window[0] | 0x20 == first && window.eq_ignore_ascii_case(word))
}
