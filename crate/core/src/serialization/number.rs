//! Formats numbers: sample values as JavaScript prints them, `le` and `quantile` as OpenMetrics requires.

/// Above 2^53 an `f64` can no longer hold every integer. JavaScript switches to exponents at 1e21.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Appends a sample value as `String(value)` in JavaScript prints it (ECMA-262, Number::toString), because programs
/// have these texts in their snapshots. NaN and infinities are written as the exposition formats require: `NaN`,
/// `+Inf`, `-Inf`.
#[inline]
pub(crate) fn sample(value: f64, out: &mut Vec<u8>) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast that loses something is detected by the comparison"
    )]
    let integer = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which is checked")]
    if integer as f64 == value && value.abs() < MAX_EXACT_INTEGER {
        out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
    } else {
        not_an_integer(value, out);
    }
}

#[cold]
fn not_an_integer(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(special(value));
    }
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
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format_finite(value);
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

/// The significant digits of a positive number that JavaScript printed, and the power of ten of the first digit.
#[cfg(feature = "openmetrics")]
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

    fn of(value: f64) -> String {
        let mut out = Vec::new();
        canonical(value, &mut out);
        String::from_utf8_lossy(&out).into_owned()
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
