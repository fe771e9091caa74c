//! The number formatter: sample values as JavaScript prints them, `le` and `quantile` as OpenMetrics wants them.

/// Beyond 2^53 an `f64` is no longer every integer; JavaScript switches to other digits from 1e21 on.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Appends a sample value as `String(value)` in JavaScript prints it (ECMA-262, Number::toString),
/// which people snapshot; NaN and infinities are spelled as the exposition formats want: `NaN`, `+Inf`, `-Inf`.
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

/// Appends an OpenMetrics `le` or `quantile` in its canonical form: Go's `%g` (exponent below 1e-4 and from 1e6 on
/// shortest digits), with `.0` after an integer, so that `1` is `1.0` and a million `1e+06`.
pub(crate) fn canonical(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(special(value));
        return;
    }
    if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0.0" } else { b"0.0" });
        return;
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("{mantissa}e{sign}{:02}", exponent.abs()).as_bytes());
        return;
    }
    let plain = format!("{value}");
    out.extend_from_slice(plain.as_bytes());
    if !plain.contains('.') {
        out.extend_from_slice(b".0");
    }
}
