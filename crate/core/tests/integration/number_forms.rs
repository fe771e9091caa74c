//! Writes numbers as JavaScript and Go do, from their specifications, for comparison with the encoders.

use proptest::prelude::*;

/// Every kind of `f64`, with many integers and powers of ten, where the form changes.
pub(crate) fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::ANY,
        any::<i64>().prop_map(|value| value as f64),
        (-1_000_000..1_000_000_i64).prop_map(|value| value as f64),
        (-400..400_i32, -12..24_i32).prop_map(|(digits, exponent)| f64::from(digits) * 10_f64.powi(exponent)),
        (1..1u64 << 53, -30..30_i32).prop_map(|(digits, exponent)| digits as f64 * 2_f64.powi(exponent)),
    ]
}

/// The shortest digits that are read back as the number, and the power of ten of the first digit.
fn shortest(value: f64) -> (String, i32) {
    let scientific = format!("{:e}", value.abs());
    digits_and_exponent(&scientific)
}

fn digits_and_exponent(scientific: &str) -> (String, i32) {
    let (digits, exponent) = scientific.split_once('e').expect("Rust's LowerExp has an exponent");
    (digits.replace('.', ""), exponent.parse().expect("an integer"))
}

/// As `shortest`, but of two results that are equally short and close, the even one (ECMA-262, note 2). Rust takes the
/// larger one.
fn shortest_even(value: f64) -> (String, i32) {
    let (digits, exponent) = shortest(value);
    // No `f64` has more than 767 digits, so this is the exact number.
    let (exact, _) = digits_and_exponent(&format!("{:.767e}", value.abs()));
    let last = digits.len() - 1;
    let lower = digits[last..].parse::<u8>().expect("a digit").wrapping_sub(1);
    let even = format!("{}{lower}", &digits[..last]);
    let halfway = exact.strip_prefix(&even).is_some_and(|rest| rest.trim_end_matches('0') == "5");
    let scientific = format!("{}.{}e{exponent}", &even[..1], &even[1..]);
    if halfway && lower % 2 == 0 && scientific.parse() == Ok(value.abs()) {
        return (even, exponent);
    }
    (digits, exponent)
}

/// `Number::toString` of ECMA-262 with radix 10, step by step. Its `n` is `exponent + 1` here.
pub(crate) fn ecmascript_number_to_string(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let (digits, exponent) = shortest_even(value);
    let (k, n) = (i32::try_from(digits.len()).expect("17 digits at most"), exponent + 1);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let split = |at: i32| digits.split_at(usize::try_from(at).unwrap_or(0));
    let unsigned = if k <= n && n <= 21 {
        format!("{digits}{}", zeros(n - k))
    } else if 0 < n && n <= 21 {
        let (whole, fraction) = split(n);
        format!("{whole}.{fraction}")
    } else if -6 < n && n <= 0 {
        format!("0.{}{digits}", zeros(-n))
    } else {
        let sign = if n > 0 { '+' } else { '-' };
        let (first, rest) = split(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{sign}{}", (n - 1).abs())
    };
    if value < 0.0 { format!("-{unsigned}") } else { unsigned }
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)` with `.0` added to integers, which is how prometheus/common writes
/// bounds in OpenMetrics.
pub(crate) fn go_general_float(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let (digits, exponent) = shortest_even(value);
    if !(-4..6).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let e = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{e}{:02}", exponent.abs());
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", zeros(-exponent - 1));
    }
    let whole = usize::try_from(exponent + 1).expect("not negative");
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}
