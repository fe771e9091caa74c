//! Cleans invisible characters and characters outside ASCII from label values, and cuts long values.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How control characters are changed: C0, DEL, C1, line and paragraph separators, marks that change the direction of
/// text, and characters without width that no script needs (U+200B, U+2060 and on, U+FEFF, tags). The joiners U+200C
/// and U+200D are not changed: Persian, Indic scripts and emoji need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ControlPolicy {
    /// They stay.
    Keep,
    /// They are removed.
    Remove,
    /// Each is replaced by U+FFFD, so that a reader sees that something was there.
    #[default]
    Replace,
}

/// How characters outside ASCII are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum UnicodePolicy {
    /// They stay.
    #[default]
    Keep,
    /// They are composed (Normalization Form C), so that one text makes one series, however it was typed.
    Nfc,
    /// They are composed, then each is replaced by `?`.
    Ascii,
}

impl ControlPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Remove, Self::Replace];

    /// The policy's name in options.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }

    /// The policy with this name in options.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == name)
    }
}

impl UnicodePolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Nfc, Self::Ascii];

    /// The policy's name in options.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Nfc => "nfc",
            Self::Ascii => "ascii",
        }
    }

    /// The policy with this name in options.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == name)
    }
}

/// Composes a text (Unicode's form NFC); borrowed if that changes nothing.
pub type Compose = fn(&str) -> Cow<'_, str>;

/// Composes by the tables of `unicode-normalization`.
pub(super) fn compose(text: &str) -> Cow<'_, str> {
    if unicode_normalization::is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The text after both policies; borrowed if they change nothing.
pub(super) fn clean(
    text: &str,
    control: ControlPolicy,
    unicode: UnicodePolicy,
    compose: Compose,
) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let visible = match control {
        ControlPolicy::Remove if text.contains(is_control) => Cow::Owned(text.replace(is_control, "")),
        ControlPolicy::Replace if text.contains(is_control) => {
            Cow::Owned(text.replace(is_control, "\u{fffd}"))
        }
        _ => Cow::Borrowed(text),
    };
    if unicode == UnicodePolicy::Keep || visible.is_ascii() {
        return visible;
    }
    let composed = match visible {
        Cow::Borrowed(visible) => compose(visible),
        Cow::Owned(visible) => Cow::Owned(compose(&visible).into_owned()),
    };
    if unicode == UnicodePolicy::Nfc {
        return composed;
    }
    Cow::Owned(composed.chars().map(|char| if char.is_ascii() { char } else { '?' }).collect())
}

/// The mark at the end of a cut value. In ASCII three dots, or fewer if there is no room.
pub(super) fn mark(unicode: UnicodePolicy, chars_max: usize) -> &'static str {
    match unicode {
        UnicodePolicy::Ascii => &"..."[..chars_max.min(3)],
        UnicodePolicy::Keep | UnicodePolicy::Nfc => "…",
    }
}

/// Cuts a text and appends the mark, so that it has at most `chars_max` characters. A character is not separated from
/// its accents, nor an emoji from the characters that belong to it: the whole group is removed.
pub(super) fn cut(text: &mut String, chars_max: usize, mark: &str) {
    let kept = chars_max.saturating_sub(mark.chars().count());
    let mut end = text.char_indices().nth(kept).map_or(text.len(), |(byte, _)| byte);
    while let Some(before) = text[..end].chars().next_back()
        && text[end..].chars().next().is_some_and(|after| belong_together(before, after))
    {
        end -= before.len_utf8();
    }
    text.truncate(end);
    text.push_str(mark);
}

fn is_control(char: char) -> bool {
    matches!(char,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Recognises marks, variation selectors, joiners and skin tones, not all graphemes of Unicode: flags of two letters
/// and Hangul in single letters may be separated.
fn belong_together(before: char, after: char) -> bool {
    const JOINER: char = '\u{200d}';
    before == JOINER
        || after == JOINER
        || is_combining_mark(after)
        || matches!(after, '\u{1f3fb}'..='\u{1f3ff}')
}
