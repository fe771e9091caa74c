//! Tests which parts of a label value the sanitizer takes for secrets or personal data, what it does with them, and that
//! it leaves ordinary values unchanged.

use crate::label_sanitization_test::{JWT, UUID, cleaned, redacting, sanitizer};
use prometheus_metrics::labels::{Action, ControlPolicy, Detections, FindingKind, redact_for_log};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// Label values as real services write them: models, routes, versions, hashes, names of pods, user agents.
const ORDINARY: [&str; 84] = [
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
fn test_sanitizer_leaves_ordinary_values_unchanged() {
    let strict = sanitizer(|config| config.detect = Detections::all(Action::Drop));
    for value in ORDINARY {
        let sanitized = strict.sanitize(value);
        assert_eq!((&*sanitized.value, sanitized.findings.iter().collect::<Vec<_>>()), (value, vec![]));
        assert!(matches!(sanitized.value, Cow::Borrowed(_)), "{value} is copied");
        assert_eq!(redact_for_log(value, 200), value);
    }
}

/// Longer than a screen, because it is one table of cases.
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
        // E-mail addresses, also percent-encoded and international.
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
        ("at ://ada@acme.io now".into(), "at ://[email] now"),
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
        // Card numbers, one for each network. A number with a wrong check digit, an unknown network or further digits
        // is not one.
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
            *config = redacting.config().clone().control_characters(ControlPolicy::Keep);
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
    // A warning is only for a part that stays, not for one that was redacted within another finding or cut off.
    let default = sanitizer(|_| ());
    assert_eq!(cleaned(&default, &format!("{UUID}@example.com")).1, [("email", "redact")]);
    assert_eq!(cleaned(&default, &format!("{}{UUID}", "x/".repeat(80))).1, []);
    // Overlapping findings are replaced together, named after the more serious one.
    assert_eq!(
        cleaned(&default, "mysql://app:pw@db.example.com/shop"),
        ("mysql://app:[token]/shop".to_owned(), vec![("token", "redact"), ("email", "redact")])
    );
}

#[test]
fn test_sanitizer_never_shows_text_that_it_has_not_looked_at() {
    let limited = sanitizer(|config| config.max_length = Some(128));
    // The sanitizer looks at the first 16,896 bytes: 128 characters of 4 bytes, and 16 KiB more to find where secrets
    // end. Here all of them are one long key, which is redacted to one word. The text behind them was not looked at, so
    // it must be cut off, although there is room for it.
    for filler in [16_000, 40_000].into_iter().chain(16_840..16_910) {
        let value = format!("sk-{} sk-{} tail", "a".repeat(filler), "b2".repeat(30));
        let (clean, _) = cleaned(&limited, &value);
        assert!(!clean.contains("aa") && !clean.contains("sk-"), "{filler}: {clean}");
        assert!(clean.starts_with("[api-key]") && clean.chars().count() <= 128, "{filler}: {clean}");
    }
    // A token that ends behind the part that was looked at.
    let token = format!("x {}.{}", &JWT[..20], "eyJh".repeat(10_000));
    assert_eq!(cleaned(&limited, &token).0, "x [token]…");
    let emails = "someone.with.a.long.name@mail.example.com ".repeat(10_000);
    assert_eq!(cleaned(&limited, &emails).0, format!("{}[email]…", "[email] ".repeat(15)));
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

/// An engine that backtracks, or a search that starts again at each byte, would take hours for these texts.
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
