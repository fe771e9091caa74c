//! Reads numbers like Python: as `int` if possible, otherwise as `float`, with digits of any script and integers of any
//! size. Integers over 2^53 keep their digits, because Python compares integers exactly.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::scan::strip;

/// Python reads a number with more digits as a float.
const INTEGER_DIGITS_MAX: usize = 4300;
/// From here on, different integers can be the same double.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;
/// The fraction of a timestamp is cut to nanoseconds.
const NANOSECOND_DIGITS: usize = 9;

/// The zero of each script with decimal digits. Its other nine digits follow.
const ZEROS: [u32; 65] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50,
    0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140,
    0x1e2f0, 0x1e950, 0x1fbf0,
];

/// A sample's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// The nearest double.
    pub(super) value: f64,
    /// The exact value, if it was written as an integer.
    integer: Option<Integer>,
}

/// An integer of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Integer {
    Small(i64),
    /// Too large for an `i64`: the digits of an integer or of a double, without leading zeros.
    Wide {
        is_negative: bool,
        digits: Box<str>,
    },
}

impl Number {
    /// Reads a value; `None` if it is invalid. White space around it and underscores are invalid.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.contains('_') || strip(text).len() != text.len() {
            return None;
        }
        let text = ascii(text)?;
        match Integer::read(&text) {
            Some(integer) => Some(Self { value: written(&text)?, integer: Some(integer) }),
            None => Some(Self { value: written(&text)?, integer: None }),
        }
    }

    /// Reads milliseconds and returns seconds, rounded once. `None` if it is invalid or too large for a double.
    pub(super) fn milliseconds(text: &str) -> Option<f64> {
        let number = Self::read(text)?;
        if number.integer.is_none() {
            return Some(number.value / 1000.0);
        }
        written(&format!("{}e-3", ascii(text)?)).filter(|seconds| seconds.is_finite())
    }

    pub(super) fn is_integer(&self) -> bool {
        self.integer.is_some() || (self.value.is_finite() && self.value.fract() == 0.0)
    }

    /// True for an integer that Python cannot convert to a float.
    pub(super) fn is_too_large(&self) -> bool {
        self.integer.is_some() && self.value.is_infinite()
    }

    /// Compares exactly: different integers can be the same double.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match self.value.partial_cmp(&other.value) {
            Some(Ordering::Equal) if self.value.abs() >= MAX_EXACT_INTEGER => {
                match (self.exact(), other.exact()) {
                    (Some(one), Some(two)) => Some(one.compare(&two)),
                    // An infinity is larger than every integer, even one that becomes an infinite double.
                    (None, None) => Some(Ordering::Equal),
                    (None, Some(_)) => self.value.partial_cmp(&0.0),
                    (Some(_), None) => self.value.partial_cmp(&0.0).map(Ordering::reverse),
                }
            }
            ordering => ordering,
        }
    }

    /// A large number as an integer; `None` for an infinity.
    fn exact(&self) -> Option<Integer> {
        match &self.integer {
            Some(integer) => Some(integer.clone()),
            None if self.value.is_infinite() => None,
            None => Integer::read(&format!("{:.0}", self.value)),
        }
    }
}

impl Integer {
    /// `[+-]?[0-9]+`
    fn read(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty()
            || digits.len() > INTEGER_DIGITS_MAX
            || !digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        Some(match digits.parse::<i64>() {
            Ok(small) => Self::Small(if is_negative { -small } else { small }),
            Err(_) => Self::Wide { is_negative, digits: digits.trim_start_matches('0').into() },
        })
    }

    fn is_negative(&self) -> bool {
        match self {
            Self::Small(small) => *small < 0,
            Self::Wide { is_negative, .. } => *is_negative,
        }
    }

    fn as_f64(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest double is wanted")]
            Self::Small(small) => *small as f64,
            Self::Wide { is_negative, digits } => {
                let size = digits.parse().unwrap_or(f64::INFINITY);
                if *is_negative { -size } else { size }
            }
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let outward = |is_negative: bool, size: Ordering| if is_negative { size.reverse() } else { size };
        match (self, other) {
            (Self::Small(one), Self::Small(two)) => one.cmp(two),
            _ if self.is_negative() != other.is_negative() => other.is_negative().cmp(&self.is_negative()),
            // The absolute value of a wide integer is larger than that of every small one.
            (Self::Wide { is_negative, .. }, Self::Small(_)) => outward(*is_negative, Ordering::Greater),
            (Self::Small(_), Self::Wide { is_negative, .. }) => outward(*is_negative, Ordering::Less),
            (Self::Wide { is_negative, digits: one }, Self::Wide { digits: two, .. }) => {
                outward(*is_negative, one.len().cmp(&two.len()).then_with(|| one.cmp(two)))
            }
        }
    }
}

/// A timestamp of OpenMetrics: seconds and nanoseconds if it is written as a decimal, otherwise a double.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stamp {
    Split { seconds: Integer, nanoseconds: i64 },
    Float(f64),
}

impl Stamp {
    /// Reads a timestamp; `None` if it is invalid.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.contains('_') || strip(text).len() != text.len() {
            return None;
        }
        if let Some(seconds) = integer(text) {
            return Some(Self::Split { seconds, nanoseconds: 0 });
        }
        Self::split(text).or_else(|| Some(Self::Float(float(text).filter(|seconds| seconds.is_finite())?)))
    }

    /// Reads seconds and fraction as two integers. As in Python, the fraction can have a sign.
    fn split(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.')?;
        let seconds = integer(whole)?;
        let cut: String = fraction.chars().take(NANOSECOND_DIGITS).collect();
        let missing = NANOSECOND_DIGITS - cut.chars().count();
        let Integer::Small(nanoseconds @ 0..1_000_000_000) = integer(&(cut + &"0".repeat(missing)))? else {
            return None;
        };
        let nanoseconds = if seconds.is_negative() { -nanoseconds } else { nanoseconds };
        Some(Self::Split { seconds, nanoseconds })
    }

    pub(super) fn seconds(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "below 1e9")]
            Self::Split { seconds, nanoseconds } => seconds.as_f64() + *nanoseconds as f64 / 1e9,
            Self::Float(seconds) => *seconds,
        }
    }

    /// Whether this is later; `None` if only one of the two is a float, because Python does not compare these.
    pub(super) fn is_after(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Float(one), Self::Float(two)) => Some(one > two),
            (
                Self::Split { seconds, nanoseconds },
                Self::Split { seconds: other_seconds, nanoseconds: other_nanoseconds },
            ) => {
                let ordering = seconds.compare(other_seconds).then(nanoseconds.cmp(other_nanoseconds));
                Some(ordering == Ordering::Greater)
            }
            _ => None,
        }
    }
}

/// Python's `int()` of a text, as the nearest double.
pub(super) fn whole(text: &str) -> Option<f64> {
    integer(text).map(|integer| integer.as_f64())
}

/// Python's `float()` of a text: white space around it and underscores between digits are allowed.
pub(super) fn float(text: &str) -> Option<f64> {
    written(&without_underscores(&ascii(text.trim())?)?)
}

/// Python's `int()` of a text, which also allows white space and underscores.
fn integer(text: &str) -> Option<Integer> {
    Integer::read(&without_underscores(&ascii(text.trim())?)?)
}

/// Rust accepts the same decimals, infinities and NaN as Python.
fn written(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The text with digits of other scripts converted to ASCII; `None` if it has other characters beyond ASCII.
fn ascii(text: &str) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        return Some(Cow::Borrowed(text));
    }
    text.chars()
        .map(|character| if character.is_ascii() { Some(character) } else { digit(character) })
        .collect()
}

/// Whether a character is a decimal digit, of any script.
pub(super) fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || digit(character).is_some()
}

fn digit(character: char) -> Option<char> {
    let code = character as u32;
    let zero = *ZEROS[..ZEROS.partition_point(|&zero| zero <= code)].last()?;
    char::from_digit(code - zero, 10)
}

/// Removes underscores; `None` if one of them is not between two digits.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let are_between = bytes
        .iter()
        .enumerate()
        .all(|(at, &byte)| byte != b'_' || (at > 0 && is_digit(at - 1) && is_digit(at + 1)));
    are_between.then(|| Cow::Owned(text.replace('_', "")))
}
