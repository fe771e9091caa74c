//! Tests how the sanitizer changes the form of a label value (length, control characters, Unicode), which label names
//! it rejects, and its configuration.

use crate::{Outcome, refusal};
use prometheus_metrics::ErrorKind;
use prometheus_metrics::labels::{
    Action, ControlPolicy, Detections, Finding, FindingKind, LabelName, Sanitizer, SanitizerConfig,
    UnicodePolicy,
};

/// A sanitizer with the default configuration after this change.
pub(crate) fn sanitizer(change: impl FnOnce(&mut SanitizerConfig)) -> Sanitizer {
    let mut config = SanitizerConfig::default();
    change(&mut config);
    Sanitizer::new(config).expect("the configuration is valid")
}

/// A sanitizer that redacts every kind of finding and does not limit the length.
pub(crate) fn redacting() -> Sanitizer {
    sanitizer(|config| {
        config.max_length = None;
        config.detect = Detections::all(Action::Redact);
    })
}

/// The sanitized value, and the kind and the action of each finding.
pub(crate) fn cleaned(sanitizer: &Sanitizer, value: &str) -> (String, Vec<(&'static str, &'static str)>) {
    let sanitized = sanitizer.sanitize(value);
    let findings =
        sanitized.findings.iter().map(|Finding { kind, action, .. }| (kind.as_str(), action.as_str()));
    let findings = findings.collect();
    (sanitized.value.into_owned(), findings)
}

pub(crate) const UUID: &str = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
pub(crate) const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

#[test]
fn test_sanitizer_defaults() {
    let default = sanitizer(|_| ());
    let cases: [(&str, &str, &[_]); 7] = [
        ("/users/ada@example.com/x", "/users/[email]/x", &[("email", "redact")]),
        ("Authorization: Bearer abc.DEF-123_456", "Authorization: Bearer [token]", &[("token", "redact")]),
        ("key=sk-ant-api03-abcDEF123_-xyz", "key=[api-key]", &[("apiKey", "redact")]),
        ("4111 1111 1111 1111", "[card]", &[("cardNumber", "redact")]),
        (UUID, UUID, &[("uuid", "warn")]),
        ("2024-10-22T10:15:30Z", "2024-10-22T10:15:30Z", &[("timestamp", "warn")]),
        ("1729591234567", "1729591234567", &[("timestamp", "warn")]),
    ];
    for (value, expected, findings) in cases {
        assert_eq!(cleaned(&default, value), ((*expected).to_owned(), findings.to_vec()));
    }
    assert_eq!(
        SanitizerConfig::default(),
        SanitizerConfig::default()
            .max_length(Some(128))
            .control_characters(ControlPolicy::Replace)
            .unicode(UnicodePolicy::Keep)
            .reserved_prefixes(vec!["__".to_owned()])
            .detect(
                Detections::default()
                    .api_key(Action::Redact)
                    .token(Action::Redact)
                    .card_number(Action::Redact)
                    .email(Action::Redact)
                    .uuid(Action::Warn)
                    .timestamp(Action::Warn)
            )
    );
}

#[test]
fn test_sanitizer_max_length() {
    let of = |max| sanitizer(|config| config.max_length = max);
    let cut = |max, value: &str| cleaned(&of(Some(max)), value).0;
    assert_eq!(cut(5, "hello"), "hello");
    assert_eq!(cut(5, "hello!"), "hell…");
    assert_eq!(cut(1, "hello"), "…");
    assert_eq!(cut(5, "ééééé"), "ééééé");
    assert_eq!(cut(5, "éééééé"), "éééé…");
    assert_eq!(cut(3, "🙂🙂🙂🙂"), "🙂🙂…");
    // A letter and its accent stay together, and so do the parts of a joined emoji.
    assert_eq!(cut(3, "ae\u{301}x"), "a…");
    assert_eq!(cut(3, "a👩\u{200d}💻x"), "a…");
    assert_eq!(cut(3, "a👍🏽x"), "a…");
    assert_eq!(cut(2, "e\u{301}\u{301}\u{301}"), "…");
    // Secrets are redacted before the value is cut, so a cut never leaves half of one.
    assert_eq!(cut(20, &format!("key sk-{}", "a1".repeat(40))), "key [api-key]");
    assert_eq!(cut(8, &format!("key sk-{}", "a1".repeat(40))), "key [ap…");
    assert_eq!(
        cut(30, &format!("k sk-{} after it comes more", "a1".repeat(40))),
        "k [api-key] after it comes mo…"
    );
    // 17 digits are not a card number. If a cut leaves 16 of them, these are one and are redacted.
    assert_eq!(cut(17, "41111111111111119"), "41111111111111119");
    assert_eq!(cut(17, "4111111111111111 99"), "[card] 99");
    assert_eq!(cut(17, "411111111111111199"), "[card]…");
    assert_eq!(cleaned(&of(None), &"x".repeat(100_000)).0.len(), 100_000);
    let ascii = |max, value: &str| {
        let sanitizer = sanitizer(|config| {
            config.max_length = Some(max);
            config.unicode = UnicodePolicy::Ascii;
        });
        cleaned(&sanitizer, value).0
    };
    assert_eq!(ascii(8, "hello, world"), "hello...");
    assert_eq!(ascii(2, "hello"), "..");
}

#[test]
fn test_sanitizer_control_characters() {
    let hostile = "a\0b\tc\nd\u{7f}e\u{85}f\u{202e}g\u{2066}h\u{200b}i\u{feff}j\u{e0041}k";
    let of = |policy| cleaned(&sanitizer(|config| config.control_characters = policy), hostile).0;
    assert_eq!(of(ControlPolicy::Keep), hostile);
    assert_eq!(of(ControlPolicy::Remove), "abcdefghijk");
    assert_eq!(
        of(ControlPolicy::Replace),
        "abcdefghijk".split("").collect::<Vec<_>>()[1..12].join("\u{fffd}")
    );
    // Joiners are kept: they are part of words and of emoji.
    let joined = "می\u{200c}خواهم 👩\u{200d}💻";
    assert_eq!(cleaned(&sanitizer(|_| ()), joined).0, joined);
    // An invisible character does not hide an address: it is removed before the search.
    let removing = sanitizer(|config| config.control_characters = ControlPolicy::Remove);
    assert_eq!(cleaned(&removing, "ada@exa\u{200b}mple.com").0, "[email]");
}

#[test]
fn test_sanitizer_unicode() {
    let decomposed = "cafe\u{301} 名 \u{212a}";
    let of = |policy| cleaned(&sanitizer(|config| config.unicode = policy), decomposed).0;
    assert_eq!(of(UnicodePolicy::Keep), decomposed);
    assert_eq!(of(UnicodePolicy::Nfc), "café 名 K");
    assert_eq!(of(UnicodePolicy::Ascii), "caf? ? K");
    let ascii = sanitizer(|config| config.unicode = UnicodePolicy::Ascii);
    assert_eq!(cleaned(&ascii, "a\nb").0, "a?b");
}

#[test]
fn test_sanitizer_reserved_prefixes() -> Outcome {
    let reserved = |name: &str, prefix: &str| {
        let message =
            format!("Expected a label name without the reserved prefix {prefix} but received \"{name}\"");
        (ErrorKind::InvalidLabelName, message)
    };
    let default = sanitizer(|_| ());
    assert_eq!(refusal(default.check_name(&LabelName::new("__a")?)), reserved("__a", "__"));
    assert_eq!(default.check_name(&LabelName::new("_name")?), Ok(()));
    let own = sanitizer(|config| config.reserved_prefixes = vec!["acme_".into(), "le".into()]);
    assert_eq!(refusal(own.check_name(&LabelName::new("acme_team")?)), reserved("acme_team", "acme_"));
    assert_eq!(refusal(own.check_name(&LabelName::new("level")?)), reserved("level", "le"));
    assert_eq!(own.check_name(&LabelName::new("__a")?), Ok(()));
    Ok(())
}

#[test]
fn test_sanitizer_rejects_an_invalid_configuration() {
    let refused = |change: fn(&mut SanitizerConfig)| {
        let mut config = SanitizerConfig::default();
        change(&mut config);
        refusal(Sanitizer::new(config))
    };
    assert_eq!(
        refused(|config| config.max_length = Some(0)),
        (
            ErrorKind::InvalidConfig,
            "Expected at least 1 for the maximum length of label values but received 0".to_owned()
        )
    );
    assert_eq!(
        refused(|config| config.reserved_prefixes = vec!["__".into(), String::new()]),
        (
            ErrorKind::InvalidConfig,
            "Expected [a-zA-Z_][a-zA-Z0-9_]* for a reserved prefix of label names but received \"\""
                .to_owned()
        )
    );
    assert_eq!(refused(|config| config.reserved_prefixes = vec!["a-".into()]).0, ErrorKind::InvalidConfig);
}

#[test]
fn test_sanitizer_option_names() {
    for kind in FindingKind::ALL {
        assert_eq!(FindingKind::from_name(kind.as_str()), Some(kind));
        let mut one = Detections::all(Action::Keep);
        one.set(kind, Action::Drop);
        assert_eq!(
            FindingKind::ALL.map(|other| one.of(other) == Action::Drop),
            FindingKind::ALL.map(|k| k == kind)
        );
    }
    let kinds = ["apiKey", "token", "cardNumber", "email", "uuid", "timestamp"];
    assert_eq!(FindingKind::ALL.map(FindingKind::as_str), kinds);
    assert_eq!(Action::ALL.map(Action::as_str), ["keep", "warn", "redact", "drop"]);
    assert_eq!(ControlPolicy::ALL.map(ControlPolicy::as_str), ["keep", "remove", "replace"]);
    assert_eq!(UnicodePolicy::ALL.map(UnicodePolicy::as_str), ["keep", "nfc", "ascii"]);
    assert!(Action::ALL.iter().all(|action| Action::from_name(action.as_str()) == Some(*action)));
    assert!(
        ControlPolicy::ALL.iter().all(|policy| ControlPolicy::from_name(policy.as_str()) == Some(*policy))
    );
    assert!(
        UnicodePolicy::ALL.iter().all(|policy| UnicodePolicy::from_name(policy.as_str()) == Some(*policy))
    );
    assert_eq!(FindingKind::from_name("api_key"), None);
    assert_eq!(Action::from_name("Redact"), None);
    assert_eq!(ControlPolicy::from_name(""), None);
    assert_eq!(UnicodePolicy::from_name("nfkc"), None);
}
