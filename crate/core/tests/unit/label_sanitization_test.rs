//! What the sanitizer changes in a label value, what it reports, and above all what it leaves alone.

use crate::{Outcome, refusal};
use prometheus_metrics::ErrorKind;
use prometheus_metrics::labels::{
    Action, ControlPolicy, Detections, Finding, FindingKind, LabelName, Sanitizer, SanitizerConfig,
    UnicodePolicy, redact_for_log,
};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// The default configuration, changed.
pub(crate) fn sanitizer(change: impl FnOnce(&mut SanitizerConfig)) -> Sanitizer {
    let mut config = SanitizerConfig::default();
    change(&mut config);
    Sanitizer::new(config).expect("the configuration is valid")
}

/// Everything that is looked for is redacted; no length.
fn redacting() -> Sanitizer {
    sanitizer(|config| {
        config.max_length = None;
        config.detect = Detections::all(Action::Redact);
    })
}

/// The value, and kind and action of each finding.
fn cleaned(sanitizer: &Sanitizer, value: &str) -> (String, Vec<(&'static str, &'static str)>) {
    let sanitized = sanitizer.sanitize(value);
    let findings = sanitized.findings.iter().map(|Finding { kind, action }| (kind.as_str(), action.as_str()));
    let findings = findings.collect();
    (sanitized.value.into_owned(), findings)
}

const UUID: &str = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

/// Label values of services as they are: models, routes, versions, hashes, names of pods, user agents.
const HONEST: [&str; 84] = [
    "",
    "0",
    "200",
    "true",
    "GET",
    "/",
    "/chat",
    "gpt-4o",
    "gpt-4o-2024-08-06",
    "claude-3-5-sonnet-20241022",
    "claude-sonnet-4-5-20250929",
    "ft:gpt-4o-mini:acme::abc123",
    "ft:gpt-4o-mini-2024-07-18:acme:suffix:9ZxYwVuT",
    "text-embedding-3-large",
    "gemini-2.5-pro-preview-05-06",
    "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2",
    "meta-llama/Llama-3.3-70B-Instruct",
    "mistralai/Mixtral-8x22B-Instruct-v0.1",
    "accounts/fireworks/models/deepseek-v3",
    "o1-mini-2024-09-12",
    "projects/acme-prod/locations/us-central1/publishers/google/models/gemini-1.5-pro-002",
    "/v1/users/:id",
    "/v1/users/{userId}/orders/{orderId}",
    "/v1/chat/completions",
    "/users/42/posts/7",
    "/static/app.3f2a9c1b.js",
    "/img/logo@2x.png",
    "/npm/jquery@3.6.0/dist/jquery.min.js",
    "next@15.0.0-canary.beta",
    "@types/node@20.11.5",
    "git@github.com:acme/shop.git",
    "https://api.openai.com/v1/responses",
    "http://10.0.0.1:8080/metrics",
    "postgres://app@db.internal:5432/shop",
    "redis://cache:6379/0",
    "localhost:9090",
    "v1.2.3",
    "1.0.0-beta.11+build.5114f85",
    "20.20.0",
    "2024-10-22",
    "20241022",
    "2024-08",
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "9fceb02",
    "d41d8cd98f00b204e9800998ecf8427e",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "api-7d4b9c6f5d-x2x9z",
    "sk-worker-7d4b9c6f5d-x2x9z",
    "prometheus-kube-state-metrics-5f9c8d7b6-abcde",
    "ip-10-0-12-34.ec2.internal",
    "eu-west-1a",
    "sk-SK",
    "zh-Hans-CN",
    "registry.example.com/team/app:1.4.2-rc.1",
    "i-0abcd1234efgh5678",
    "sg-0a1b2c3d4e5f67890",
    "vpc-1a2b3c4d",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "curl/8.5.0",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "application/json; charset=utf-8",
    "SELECT * FROM users WHERE id = $1",
    "TypeError: Cannot read properties of undefined (reading 'id')",
    "ECONNREFUSED 127.0.0.1:5432",
    "bearer token missing",
    "Bearer realm=\"api\"",
    "authorization: denied",
    "invalid bearer authentication",
    "npm_config_registry",
    "hf_hub_download",
    "github_pat_rotation_job",
    "task-runner-disk-usage",
    "risk-assessment-pipeline-for-customers",
    "AKIA",
    "eyJ",
    "heyJude.remastered-in-stereo-2009",
    "0.5425233430248799",
    "5 10 25 50 100 250 500 1000",
    "+Inf",
    "1234567890123456",
    "日本語の値",
    "naïve café",
];

#[test]
fn test_sanitizer_leaves_honest_values_alone() {
    let strict = sanitizer(|config| config.detect = Detections::all(Action::Drop));
    for value in HONEST {
        let sanitized = strict.sanitize(value);
        assert_eq!((&*sanitized.value, sanitized.findings.iter().collect::<Vec<_>>()), (value, vec![]));
        assert!(matches!(sanitized.value, Cow::Borrowed(_)), "{value} is copied");
        assert_eq!(redact_for_log(value, 200), value);
    }
}

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
        SanitizerConfig {
            max_length: Some(128),
            control_characters: ControlPolicy::Replace,
            unicode: UnicodePolicy::Keep,
            reserved_prefixes: vec!["__".to_owned()],
            detect: Detections {
                api_key: Action::Redact,
                token: Action::Redact,
                card_number: Action::Redact,
                email: Action::Redact,
                uuid: Action::Warn,
                timestamp: Action::Warn,
            },
        }
    );
}

#[test]
fn test_sanitizer_finds_each_kind() {
    let redacting = redacting();
    let key = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5";
    let cases: Vec<(String, String)> = [
        // UUIDs of any version and case, in paths and beside underscores.
        (format!("/users/{UUID}/x"), "/users/[uuid]/x"),
        (format!("call_{}", UUID.to_uppercase()), "call_[uuid]"),
        (format!("urn:uuid:{UUID},{UUID}"), "urn:uuid:[uuid],[uuid]"),
        ("00000000-0000-0000-0000-000000000000".into(), "[uuid]"),
        (format!("{UUID}0"), "6f9619ff-8b86-d011-b42d-00c04fc964ff0"),
        (format!("a{UUID}"), "a6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        // Addresses, percent-encoded and international ones.
        ("Ada <ada.l+x@mail.example.co.uk>".into(), "Ada <[email]>"),
        ("mailto:a@b.cc?subject=x".into(), "mailto:[email]?subject=x"),
        ("/u/ada%40example.com/".into(), "/u/[email]/"),
        ("用户@例子.公司".into(), "[email]"),
        ("a@b.cc,c@d.ee".into(), "[email],[email]"),
        ("user@163.com".into(), "[email]"),
        ("root@localhost".into(), "root@localhost"),
        // Dates with times.
        ("2024-10-22T10:15:30.123456Z".into(), "[timestamp]"),
        ("at 2024-10-22 10:15".into(), "at [timestamp]"),
        ("backup-20241022T101530Z.tgz".into(), "backup-[timestamp].tgz"),
        ("log_2024-10-22T10-15-30+02:00.txt".into(), "log_[timestamp].txt"),
        ("2024-10-22T10:15:30,5a".into(), "[timestamp],5a"),
        ("2024-10-22T10:15-02:00".into(), "[timestamp]"),
        ("1729591234".into(), "[timestamp]"),
        ("1729591234.567".into(), "[timestamp]"),
        ("9729591234".into(), "9729591234"),
        ("order 1729591234".into(), "order 1729591234"),
        ("2024-13-22T10:15:30Z".into(), "2024-13-22T10:15:30Z"),
        // Tokens.
        (JWT.into(), "[token]"),
        (format!("/callback?code={JWT}&x=1"), "/callback?code=[token]&x=1"),
        (format!("Bearer%20{JWT}"), "Bearer%20[token]"),
        ("bearer: 0123456789abcdef".into(), "bearer: [token]"),
        ("Authorization: Basic dXNlcjpwYXNz".into(), "Authorization: Basic [token]"),
        ("{\"authorization\":\"Bearer abcdefgh1\"}".into(), "{\"authorization\":\"Bearer [token]\"}"),
        ("postgres://app:s3cret@db/shop".into(), "postgres://app:[token]@db/shop"),
        ("smtp://ada%40example.com:pw@mail/".into(), "smtp://[email]:[token]@mail/"),
        ("https://:pw@a@b/".into(), "https://:[token]@a@b/"),
        // Keys.
        (format!("sk-{key}"), "[api-key]"),
        ("sk-1234567890abcdef".into(), "[api-key]"),
        (format!("/keys/sk-proj-{key}/rotate"), "/keys/[api-key]/rotate"),
        (format!("ghp_{key}"), "[api-key]"),
        (format!("x=github_pat_11ABCDEFG0{key}_{key}"), "x=[api-key]"),
        ("AKIAIOSFODNN7EXAMPLE".into(), "[api-key]"),
        ("ASIAIOSFODNN7EXAMPLE,x".into(), "[api-key],x"),
        (format!("AIzaSy{key}"), "[api-key]"),
        ("xoxb-123456789012-abcdef".into(), "[api-key]"),
        (format!("glpat-{key}"), "[api-key]"),
        (format!("npm_{key}"), "[api-key]"),
        (format!("hf_{key}"), "[api-key]"),
        (format!("SG.{}.{key}", &key[..22]), "[api-key]"),
        (format!("key%3Dsk-{key}"), "key%3D[api-key]"),
        (format!("Bearer sk-{key}"), "Bearer [api-key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x".into(), "[api-key] x"),
        ("pem -----BEGIN PRIVATE KEY-----\nMIIE".into(), "pem [api-key]"),
        // Cards, one a network; not without check digit, network, or an end.
        ("4111111111111111".into(), "[card]"),
        ("378282246310005".into(), "[card]"),
        ("3782-822463-10005".into(), "[card]"),
        ("5555-5555-5555-4444".into(), "[card]"),
        ("2223003122003222".into(), "[card]"),
        ("6011 1111 1111 1117 ok".into(), "[card] ok"),
        ("30569309025904".into(), "[card]"),
        ("3530111333300000".into(), "[card]"),
        ("6759649826438453".into(), "[card]"),
        ("4222222222222".into(), "[card]"),
        ("4111 1111 1111 1111 5555 5555 5555 4444".into(), "[card] [card]"),
        ("/pay/4111111111111111/x".into(), "/pay/[card]/x"),
        ("4111111111111112".into(), "4111111111111112"),
        ("41111111111111110".into(), "41111111111111110"),
        ("4111 1111-1111 1111".into(), "4111 1111-1111 1111"),
        ("0.4111111111111111".into(), "0.4111111111111111"),
        ("1111111111111117".into(), "1111111111111117"),
    ]
    .into_iter()
    .map(|(value, expected): (String, &str)| (value, expected.to_owned()))
    .collect();
    for (value, expected) in cases {
        let keeps_lines = sanitizer(|config| {
            *config =
                SanitizerConfig { control_characters: ControlPolicy::Keep, ..redacting.config().clone() };
        });
        assert_eq!(cleaned(&keeps_lines, &value).0, expected, "of {value}");
        assert_eq!(cleaned(&redacting, &value).0, expected, "of {value}");
    }
}

#[test]
fn test_sanitizer_actions() {
    let value = format!("ada@example.com {UUID}");
    let with = |email, uuid| {
        let sanitizer = sanitizer(|config| {
            config.detect.set(FindingKind::Email, email);
            config.detect.set(FindingKind::Uuid, uuid);
        });
        cleaned(&sanitizer, &value)
    };
    assert_eq!(with(Action::Keep, Action::Keep), (value.clone(), vec![]));
    assert_eq!(with(Action::Warn, Action::Keep), (value.clone(), vec![("email", "warn")]));
    assert_eq!(with(Action::Warn, Action::Warn), (value.clone(), vec![("email", "warn"), ("uuid", "warn")]));
    assert_eq!(
        with(Action::Redact, Action::Warn),
        (format!("[email] {UUID}"), vec![("email", "redact"), ("uuid", "warn")])
    );
    assert_eq!(with(Action::Redact, Action::Drop).0, "");
    assert_eq!(with(Action::Redact, Action::Drop).1, [("email", "redact"), ("uuid", "drop")]);
    // What is warned of is what stays: not what is gone with something worse.
    let default = sanitizer(|_| ());
    assert_eq!(cleaned(&default, &format!("{UUID}@example.com")).1, [("email", "redact")]);
    assert_eq!(cleaned(&default, &format!("{}{UUID}", "x/".repeat(80))).1, []);
    // Parts that overlap go together, under the worse name.
    assert_eq!(
        cleaned(&default, "mysql://app:pw@db.example.com/shop"),
        ("mysql://app:[token]/shop".to_owned(), vec![("token", "redact"), ("email", "redact")])
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
    // An accent goes with its letter, a joined emoji as a whole.
    assert_eq!(cut(3, "ae\u{301}x"), "a…");
    assert_eq!(cut(3, "a👩\u{200d}💻x"), "a…");
    assert_eq!(cut(3, "a👍🏽x"), "a…");
    assert_eq!(cut(2, "e\u{301}\u{301}\u{301}"), "…");
    // A secret is found before the cut, and is not halved by it.
    assert_eq!(cut(20, &format!("key sk-{}", "a1".repeat(40))), "key [api-key]");
    assert_eq!(cut(8, &format!("key sk-{}", "a1".repeat(40))), "key [ap…");
    assert_eq!(
        cut(30, &format!("k sk-{} after it comes more", "a1".repeat(40))),
        "k [api-key] after it comes mo…"
    );
    // What a cut would make: 17 digits are no card, 16 of them are.
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
fn test_sanitizer_long_values_leak_nothing_at_the_end_of_sight() {
    let limited = sanitizer(|config| config.max_length = Some(128));
    // Everything in sight is one long key and shrinks to a word; what comes into reach behind it is cut, not shown.
    // 128 characters and what is looked at beyond them end at byte 16,896.
    for filler in [16_000, 40_000].into_iter().chain(16_840..16_910) {
        let value = format!("sk-{} sk-{} tail", "a".repeat(filler), "b2".repeat(30));
        let (clean, _) = cleaned(&limited, &value);
        assert!(!clean.contains("aa") && !clean.contains("sk-"), "{filler}: {clean}");
        assert!(clean.starts_with("[api-key]") && clean.chars().count() <= 128, "{filler}: {clean}");
    }
    // A token that ends out of sight.
    let token = format!("x {}.{}", &JWT[..20], "eyJh".repeat(10_000));
    assert_eq!(cleaned(&limited, &token).0, "x [token]…");
    let emails = "someone.with.a.long.name@mail.example.com ".repeat(10_000);
    assert_eq!(cleaned(&limited, &emails).0, format!("{}[email]…", "[email] ".repeat(15)));
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
    // Joiners are part of words and of emoji.
    let joined = "می\u{200c}خواهم 👩\u{200d}💻";
    assert_eq!(cleaned(&sanitizer(|_| ()), joined).0, joined);
    // Nothing hides behind what is removed.
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
    assert_eq!(refusal(default.check_name(&LabelName::new("__name__")?)), reserved("__name__", "__"));
    assert_eq!(default.check_name(&LabelName::new("_name")?), Ok(()));
    let own = sanitizer(|config| config.reserved_prefixes = vec!["acme_".into(), "le".into()]);
    assert_eq!(refusal(own.check_name(&LabelName::new("acme_team")?)), reserved("acme_team", "acme_"));
    assert_eq!(refusal(own.check_name(&LabelName::new("level")?)), reserved("level", "le"));
    assert_eq!(own.check_name(&LabelName::new("__name__")?), Ok(()));
    Ok(())
}

#[test]
fn test_sanitizer_refuses_a_wrong_configuration() {
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
fn test_sanitizer_words_of_options() {
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

#[test]
fn test_redact_for_log() {
    let line =
        format!("model=gpt-4o\nuser=ada@example.com id={UUID} at 2024-10-22T10:15:30Z Bearer abc12345");
    let clean = "model=gpt-4o\u{fffd}user=[email] id=[uuid] at [timestamp] Bearer [token]";
    assert_eq!(redact_for_log(&line, 200), clean);
    assert_eq!(redact_for_log(&line, 20), "model=gpt-4o\u{fffd}user=[…");
    assert_eq!(redact_for_log(&line, 0), "");
    assert_eq!(redact_for_log("", 10), "");
}

/// Texts on which an engine that tracks back, or a search that begins anew at each byte, takes hours.
#[test]
fn test_sanitizer_takes_linear_time() {
    const BYTES: usize = 64 * 1024;
    let redacting = redacting();
    let pieces = [
        "a",
        "@",
        "a@",
        "a@b.",
        "%40",
        "sk-",
        "xeyJ",
        "eyJeyJeyJeyJ.",
        "1",
        "4111 ",
        "4111-1111-",
        "bearer ",
        "bearer",
        "authorization: ",
        "a-",
        "-",
        "://:",
        "://a:b",
        "\u{301}",
        "\u{200b}",
        "00000000-0000-",
        "2024-10-22T10:15:",
        "-----BEGIN PRIVATE KEY",
        "-----BEGIN PRIVATE KEY-----",
        "AKIA",
        "a@b.cc ",
        "é",
    ];
    for piece in pieces {
        let value = piece.repeat(BYTES / piece.len());
        let begun = Instant::now();
        let clean = redacting.sanitize(&value).value.into_owned();
        assert_eq!(redacting.sanitize(&clean).value, clean);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(8), "{piece:?} took {took:?}");
    }
}
