//! Formats numbers: sample values as JavaScript prints them, `le` and `quantile` as OpenMetrics requires.

const TWO_TO_52: f64 = 4_503_599_627_370_496.0;

/// Above 2^53 an `f64` can no longer hold every integer.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The room that `write` needs: the longest text has 25 bytes, and short integers are written as eight digits.
pub(super) const ROOM: usize = 32;

/// Writes a sample value at the beginning of `to` and returns the length of its text. `to` has at least `ROOM` bytes;
/// those behind the text are undefined. The text is what `String(value)` in JavaScript prints (ECMA-262,
/// Number::toString), because programs have these texts in their snapshots. NaN and infinities are written as the
/// exposition formats require: `NaN`, `+Inf`, `-Inf`.
#[inline(always)]
pub(super) fn write(value: f64, to: &mut [u8]) -> usize {
    // From 2^52 to 2^53, the last bits of an `f64` count in ones: the sum has the bits of 2^52 plus the integer. For a
    // negative number the difference wraps around, for NaN it is too large.
    let sum = value + TWO_TO_52;
    let integer = sum.to_bits().wrapping_sub(TWO_TO_52.to_bits());
    if integer < 100_000_000 && sum - TWO_TO_52 == value {
        return short_integer(integer, to);
    }
    other(value, to)
}

/// Appends a sample value: see `write`.
pub(crate) fn sample(value: f64, out: &mut Vec<u8>) {
    let mut text = [0; ROOM];
    let len = write(value, &mut text);
    out.extend_from_slice(&text[..len]);
}

/// Writes an integer below 10^8, without a branch that depends on the exact number of its digits.
#[inline(always)]
fn short_integer(value: u64, to: &mut [u8]) -> usize {
    let digits = if value < 10_000 { four_digits(value) << 32 } else { eight_digits(value) };
    // The first digit is the lowest byte. A zero has one digit.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    put(digits >> (zeros * 8), to);
    8 - zeros as usize
}

/// The digits of an integer below 10^8, one in each byte, the first one in the lowest byte.
#[inline(always)]
fn eight_digits(value: u64) -> u64 {
    four_digits(value / 10_000) | four_digits(value % 10_000) << 32
}

/// The digits of an integer below 10,000, one in each byte, the first one in the lowest byte. Both halves are divided at
/// once. `x * 10486 >> 20` is `x / 100` for four digits, and `x * 103 >> 10` is `x / 10` for two.
#[inline(always)]
fn four_digits(value: u64) -> u64 {
    let hundreds = (value * 10_486) >> 20;
    let pairs = hundreds | (value - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f;
    tens | (pairs - tens * 10) << 8
}

/// Writes eight digits as text.
#[inline(always)]
fn put(digits: u64, to: &mut [u8]) {
    to[..8].copy_from_slice(&(digits | 0x3030_3030_3030_3030).to_le_bytes());
}

/// Writes a number that is not a short integer.
#[inline(never)]
fn other(value: f64, to: &mut [u8]) -> usize {
    if value < 0.0 && value.is_finite() {
        to[0] = b'-';
        return 1 + write(-value, &mut to[1..]);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast that loses something is detected by the comparison"
    )]
    let integer = value as u64;
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which is checked")]
    if integer as f64 == value && value < MAX_EXACT_INTEGER {
        let len = short_integer(integer / 100_000_000, to);
        put(eight_digits(integer % 100_000_000), &mut to[len..]);
        return len + 8;
    }
    if !value.is_finite() {
        return copy(special(value), to);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if (1e-5..MAX_EXACT_INTEGER).contains(&value) {
        return copy(text.as_bytes(), to);
    }
    copy(&as_javascript(text, value), to)
}

/// The text of a very small or very large number. Only JavaScript prints numbers from 1e-6 to 1e-5, and from 1e16 to 1e21,
/// without an exponent.
#[cold]
fn as_javascript(text: &str, value: f64) -> Vec<u8> {
    if !(1e-6..1e21).contains(&value) {
        return text.as_bytes().to_vec();
    }
    let (mut digits, exponent) = scientific(text);
    if exponent < 0 {
        return format!("0.00000{digits}").into_bytes();
    }
    while digits.len() <= exponent.unsigned_abs() as usize {
        digits.push('0');
    }
    digits.into_bytes()
}

fn copy(text: &[u8], to: &mut [u8]) -> usize {
    to[..text.len()].copy_from_slice(text);
    text.len()
}

fn special(value: f64) -> &'static [u8] {
    if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"+Inf"
    } else {
        b"-Inf"
    }
}

/// Appends an OpenMetrics `le` or `quantile` in its canonical form: Go's `%g` (shortest digits; an exponent below 1e-4
/// and from 1e6 on), with `.0` after an integer: `1` is `1.0`, a million is `1e+06`.
#[cfg(feature = "openmetrics")]
pub(crate) fn canonical(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(special(value));
        return;
    }
    if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0.0" } else { b"0.0" });
        return;
    }
    // JavaScript's digits are used: if two shortest decimals are equally near, it takes the even one, as Go and Python
    // do. Rust's own formatting takes the other.
    let mut buffer = Vec::with_capacity(ROOM);
    sample(value, &mut buffer);
    let text = std::str::from_utf8(&buffer).unwrap_or_default();
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |unsigned| ("-", unsigned));
    let (digits, exponent) = scientific(unsigned);
    if !(-4..6).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        let written = format!("{sign}{first}{point}{rest}e{direction}{:02}", exponent.abs());
        out.extend_from_slice(written.as_bytes());
        return;
    }
    out.extend_from_slice(text.as_bytes());
    if !text.contains('.') {
        out.extend_from_slice(b".0");
    }
}

/// The significant digits of the text of a positive number, and the power of ten of the first digit.
fn scientific(text: &str) -> (String, i32) {
    let (decimal, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let zeros = all.len() - significant.len();
    let places = i32::try_from(whole.len()).unwrap_or(0) - i32::try_from(zeros).unwrap_or(0) - 1;
    let digits = significant.trim_end_matches('0');
    (digits.to_owned(), places + exponent.trim_start_matches('+').parse().unwrap_or(0))
}

#[cfg(all(test, not(loom), feature = "openmetrics"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(value: f64) -> String {
        let mut out = Vec::new();
        canonical(value, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Bit patterns, short decimals, and integers, of all sizes.
    fn any_number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (any::<i64>(), -30..30_i32).prop_map(|(digits, power)| digits as f64 * 10_f64.powi(power)),
            (-99_999..99_999_i64, -12..12_i32).prop_map(|(digits, power)| digits as f64 * 10_f64.powi(power)),
            (any::<i64>(), 0..64_u32).prop_map(|(integer, shift)| (integer >> shift) as f64),
            1e-7..2e-5_f64,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn numbers_are_those_of_javascript(value in any_number()) {
            let mut out = Vec::new();
            sample(value, &mut out);
            let mut buffer = ryu_js::Buffer::new();
            let expected = match value {
                _ if value.is_nan() => "NaN",
                f64::INFINITY => "+Inf",
                f64::NEG_INFINITY => "-Inf",
                _ => buffer.format_finite(value),
            };
            prop_assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn integers_of_each_length_are_those_of_javascript() {
        let powers = (0..22).map(|power| 10_f64.powi(power));
        for value in powers.flat_map(|power| [power - 1.0, power, power + 1.0, 7.0 * power, -power]) {
            let mut out = Vec::new();
            sample(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), ryu_js::Buffer::new().format_finite(value));
        }
    }

    #[test]
    fn canonical_numbers_are_those_of_go_and_python() {
        let cases = [
            (1.0, "1.0"),
            (0.005, "0.005"),
            (1e6, "1e+06"),
            (123_456.75, "123456.75"),
            (1_234_567.0, "1.234567e+06"),
            (-2.5e7, "-2.5e+07"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (2.5e-7, "2.5e-07"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (100_000.0, "100000.0"),
            // Two shortest decimals are equally near; the even one is right.
            (100_794_540_727_810.12, "1.0079454072781012e+14"),
        ];
        for (value, expected) in cases {
            assert_eq!(of(value), expected);
        }
    }
}
