//! Tests the sanitizer with random values and configurations: a second pass changes nothing, lengths are kept, and no
//! secret that it looks for stays in the value.

use crate::label_sanitization_test::sanitizer;
use prometheus_metrics::labels::{
    Action, ControlPolicy, Detections, FindingKind, Sanitizer, SanitizerConfig, UnicodePolicy, redact_for_log,
};
use proptest::prelude::*;
use std::borrow::Cow;

/// Any text, mixed with pieces that the sanitizer treats specially.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => ".{0,6}",
        4 => "[ -~]{0,8}",
        2 => "[0-9]{1,8}[ -]?",
        1 => prop::sample::select(vec![
            "Bearer ", "eyJ", "sk-", "sk-ant-", "ghp_", "AKIA", "@", "%40", ".com", "://", ":", "T10:15:30Z", "2024-10-22", "[",
            "]", "4111", "6f9619ff-8b86-d011-b42d-", "00c04fc964ff", "-----BEGIN PRIVATE KEY-----", "\u{301}", "\u{200d}",
            "\u{202e}", "…", "a1b2c3d4e5f6g7h8", "authorization=", "1729591234", "é", "e\u{301}",
        ]).prop_map(str::to_owned),
        1 => secret().prop_map(|(text, _)| text),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A text with a secret in it, and the secret.
fn secret() -> impl Strategy<Value = (String, String)> {
    let whole = |secret: String| (secret.clone(), secret);
    let hex = "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    let prefixed = "(sk-ant-api03-|sk-proj-|glpat-|AIza)[A-Za-z0-9_-]{34}[0-9]|sk-[A-Za-z0-9]{48}|gh[pousr]_[A-Za-z0-9]{36}\
        |github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}|xox[baprs]-[0-9]{11}-[A-Za-z0-9]{24}|(AKIA|ASIA)[A-Z0-9]{16}\
        |npm_[A-Za-z0-9]{36}|hf_[A-Za-z]{34}|sk_live_[A-Za-z0-9]{24}";
    prop_oneof![
        hex.prop_map(whole),
        hex.prop_map(move |uuid| whole(uuid.to_uppercase())),
        "[a-z][a-z0-9._+-]{0,20}@[a-z][a-z0-9]{0,10}(\\.[a-z]{2,6}){1,3}"
            .prop_filter("git@ is not an address of a person", |address| !address.starts_with("git@"))
            .prop_map(whole),
        "20[0-4][0-9]-(0[1-9]|1[0-2])-(0[1-9]|2[0-8])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{3}|\\.[0-9]{6})?Z?"
            .prop_map(whole),
        "eyJ[A-Za-z0-9_-]{12,60}\\.eyJ[A-Za-z0-9_-]{12,90}\\.[A-Za-z0-9_-]{20,43}".prop_map(whole),
        "[A-Za-z0-9._~+/-]{15,80}[0-9]".prop_map(|token| (format!("Authorization: Bearer {token}"), token)),
        prefixed.prop_map(whole),
        card().prop_map(whole),
    ]
}

/// A valid card number of one of the networks, grouped as on the card.
fn card() -> impl Strategy<Value = String> {
    let network = prop::sample::select(vec![
        ("4", 16, vec![4, 4, 4]),
        ("4", 13, vec![4, 3, 3]),
        ("51", 16, vec![4, 4, 4]),
        ("2300", 16, vec![4, 4, 4]),
        ("37", 15, vec![4, 6]),
        ("6011", 16, vec![4, 4, 4]),
        ("36", 14, vec![4, 6]),
        ("3550", 16, vec![4, 4, 4]),
        ("621", 19, vec![6]),
    ]);
    (network, "[0-9]{18}", prop::sample::select(vec!["", " ", "-"])).prop_map(
        |((first, length, groups), rest, separator)| {
            let mut digits = format!("{first}{rest}");
            digits.truncate(length - 1);
            let check = (0..10).map(|digit| format!("{digits}{digit}")).find(|number| {
                let sum: u32 = number
                    .bytes()
                    .rev()
                    .enumerate()
                    .map(|(place, byte)| {
                        let digit = u32::from(byte - b'0') << (place % 2);
                        if digit > 9 { digit - 9 } else { digit }
                    })
                    .sum();
                sum.is_multiple_of(10)
            });
            let mut rest = &*check.expect("one of ten check digits is right");
            let mut number = String::new();
            for group in groups {
                number += &rest[..group];
                number += separator;
                rest = &rest[group..];
            }
            number + rest
        },
    )
}

fn config() -> impl Strategy<Value = SanitizerConfig> {
    let actions = prop::array::uniform6(prop::sample::select(Action::ALL.to_vec()));
    let lengths = prop::option::of(prop_oneof![1_usize..24, 24_usize..300]);
    (lengths, 0..3_usize, 0..3_usize, actions).prop_map(|(max_length, control, unicode, actions)| {
        let mut detect = Detections::default();
        FindingKind::ALL.into_iter().zip(actions).for_each(|(kind, action)| detect.set(kind, action));
        SanitizerConfig::default()
            .max_length(max_length)
            .control_characters(ControlPolicy::ALL[control])
            .unicode(UnicodePolicy::ALL[unicode])
            .reserved_prefixes(Vec::new())
            .detect(detect)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CI_FULL").is_some() { 20_000 } else { 1_000 }))]

    #[test]
    fn sanitizing_twice_is_the_same_as_once(config in config(), value in text()) {
        let sanitizer = Sanitizer::new(config.clone()).expect("the configuration is valid");
        let once = sanitizer.sanitize(&value);
        let twice = sanitizer.sanitize(&once.value);
        prop_assert_eq!(&twice.value, &once.value);
        prop_assert!(matches!(twice.value, Cow::Borrowed(_)));
        prop_assert!(twice.findings.iter().all(|finding| finding.action == Action::Warn));
        prop_assert!(config.max_length.is_none_or(|max| once.value.chars().count() <= max));
        prop_assert!(config.unicode != UnicodePolicy::Ascii || once.value.is_ascii());
        prop_assert!(config.control_characters == ControlPolicy::Keep || !once.value.chars().any(char::is_control));
        let dropped = once.findings.iter().any(|finding| finding.action == Action::Drop);
        prop_assert!(!dropped || once.value.is_empty());
    }

    #[test]
    fn no_secret_stays_in_the_value(
        before in text(), after in text(), (with_secret, secret) in secret(),
        left in "[ /=(,;\"]", right in "[ /)&,;\"]", max in prop::option::of(8_usize..400),
    ) {
        // After a scheme, `name@host` is the user of a URL and no secret.
        let scheme = format!("{before}{left}");
        prop_assume!(!scheme.strip_suffix("://").is_some_and(|text| text.ends_with(|last: char| last.is_ascii_alphanumeric())));
        let value = format!("{scheme}{with_secret}{right}{after}");
        let sanitizer = sanitizer(|config| {
            config.max_length = max;
            config.detect = Detections::all(Action::Redact);
        });
        let sanitized = sanitizer.sanitize(&value);
        prop_assert!(!sanitized.value.contains(&secret), "{} keeps {}", sanitized.value, secret);
        prop_assert!(!sanitized.findings.is_empty());
        prop_assert!(!redact_for_log(&value, 1_000).contains(&secret));
    }

    #[test]
    fn a_cut_does_not_leave_half_of_a_secret((with_secret, secret) in secret(), before in "[a-z /]{0,40}", max in 1_usize..80) {
        let sanitizer = sanitizer(|config| {
            config.max_length = Some(max);
            config.detect = Detections::all(Action::Redact);
        });
        let clean = sanitizer.sanitize(&format!("{before} {with_secret} {}", "x".repeat(100))).value.into_owned();
        let half = &secret[..secret.len() / 2];
        prop_assert!(half.len() < 6 || !clean.contains(half), "{} keeps {}", clean, half);
    }

    #[test]
    fn a_log_line_is_one_line_within_its_length(value in text(), max in 0_usize..200) {
        let line = redact_for_log(&value, max);
        prop_assert!(line.chars().count() <= max);
        prop_assert!(!line.chars().any(char::is_control));
        prop_assert_eq!(redact_for_log(&line, max), line);
    }
}
