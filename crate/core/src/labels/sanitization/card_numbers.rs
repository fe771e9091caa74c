//! Finds numbers of payment cards by the first digits of a network, a length that the network uses, and the check digit
//! (Luhn). One in ten numbers passes the check alone, so the other two matter as much.

use std::ops::Range;

pub(super) const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// The first number that begins at or after `from`: digits in one group, or in groups of three and more, separated by
/// the same space or dash.
pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes[at..].iter().position(u8::is_ascii_digit)?;
        if let Some(end) = number_at(bytes, at) {
            return Some(at..end);
        }
        at += group(&bytes[at..]);
    }
}

/// The end of the longest number that begins at `start`.
fn number_at(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut digits, mut count) = ([0; DIGITS_MAX], 0);
    let (mut at, mut separator, mut end) = (start, None, None);
    if !stands_alone(bytes[..start].iter().rev()) {
        return None;
    }
    loop {
        let length = group(&bytes[at..]);
        let wrong = count + length > DIGITS_MAX || count > 0 && length < 3;
        at += length;
        if wrong || !stands_alone(bytes[at..].iter()) {
            return end;
        }
        digits[count..count + length].copy_from_slice(&bytes[at - length..at]);
        count += length;
        if count >= DIGITS_MIN && is_card(&digits[..count]) {
            end = Some(at);
        }
        match bytes[at..] {
            [byte @ (b' ' | b'-'), b'0'..=b'9', ..] if separator.is_none_or(|first| first == byte) => {
                separator = Some(byte);
            }
            _ => return end,
        }
        if count == length && !matches!(length, 4 | 6) {
            return end;
        }
        at += 1;
    }
}

/// The number of digits at the beginning.
fn group(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// True if the bytes beside a number, the nearest first, do not belong to it: no letter or digit, and no point with a
/// digit behind it.
fn stands_alone<'a>(mut beside: impl Iterator<Item = &'a u8>) -> bool {
    match beside.next() {
        Some(b'.') => !beside.next().is_some_and(u8::is_ascii_digit),
        Some(byte) => !byte.is_ascii_alphanumeric(),
        None => true,
    }
}

fn is_card(digits: &[u8]) -> bool {
    let first =
        |count: usize| digits[..count].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let of_network = match digits.len() {
        13 => first(1) == 4,
        14 => matches!(first(3), 300..=305 | 309 | 360..=369 | 380..=399),
        15 => matches!(first(2), 34 | 37),
        // Visa, Mastercard, Discover, JCB, UnionPay, Maestro.
        16..=19 => {
            matches!((first(1), digits.len()), (4, 16 | 19))
                || matches!((first(4), digits.len()), (2221..=2720 | 5100..=5599, 16))
                || matches!(first(4), 3528..=3589 | 6011 | 6200..=6299 | 6440..=6599)
                || matches!(first(4), 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
        }
        _ => false,
    };
    of_network && check_digit_fits(digits)
}

/// Luhn: every second digit from the right is doubled, the digits of the doubles are added, and the sum must be a
/// multiple of ten.
fn check_digit_fits(digits: &[u8]) -> bool {
    let sum = digits.iter().rev().enumerate().fold(0_u32, |sum, (place, digit)| {
        let digit = u32::from(digit - b'0');
        sum + if place % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
    });
    sum % 10 == 0
}
