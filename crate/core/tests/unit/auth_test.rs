//! Tests credentials: which are granted, what a wrong one costs, and that an attack does not disturb known clients.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::{Outcome, on_threads, refusal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prometheus_metrics::ErrorKind;
use prometheus_metrics::http::{AuthConfig, Authenticator, Verdict};
use proptest::prelude::*;

/// The lowest cost, so that the tests hash quickly.
const COST: u32 = 4;

fn hash(password: &str) -> String {
    bcrypt::hash(password, COST).expect("a hash")
}

fn users(users: &[(&str, &str)]) -> AuthConfig {
    let basic_users = users.iter().map(|(user, password)| ((*user).to_owned(), hash(password))).collect();
    AuthConfig::default().basic_users(basic_users)
}

fn tokens(tokens: &[&str]) -> AuthConfig {
    let bearer_tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    AuthConfig::default().bearer_tokens(bearer_tokens)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn peer(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

/// Calls `check`, and `verify` if needed, like the service.
fn judge(auth: &Authenticator, header: Option<&str>, peer: Option<IpAddr>) -> Verdict {
    match auth.check(header, peer) {
        Verdict::Verify(verification) => auth.verify(verification),
        verdict => verdict,
    }
}

#[test]
fn test_without_configured_credentials_every_request_is_granted() -> Outcome {
    let auth = Authenticator::new(AuthConfig::default())?;
    assert!(!auth.is_required());
    assert!(matches!(auth.check(None, None), Verdict::Granted));
    assert!(matches!(auth.check(Some("Bearer x"), peer(1)), Verdict::Granted));
    Ok(())
}

#[test]
fn test_bearer_token() -> Outcome {
    let auth = Authenticator::new(tokens(&["s3cret", "an~other+/token=="]))?;
    assert!(auth.is_required());
    for right in ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret ", "Bearer an~other+/token=="] {
        assert!(matches!(auth.check(Some(right), peer(1)), Verdict::Granted), "{right}");
    }
    let wrong = ["Bearer s3cre", "Bearer s3cret2", "Bearer S3CRET", "Bearer s3cret,s3cret", "Bearer\ts3cret"];
    for header in wrong {
        assert!(matches!(auth.check(Some(header), peer(2)), Verdict::Denied), "{header}");
    }
    assert!(matches!(auth.check(Some(&basic("s3cret", "s3cret")), peer(1)), Verdict::Denied));
    assert_eq!(auth.hashes(), 0);
    Ok(())
}

#[test]
fn test_basic_password() -> Outcome {
    let long = "p".repeat(80);
    let auth = Authenticator::new(users(&[
        ("prometheus", "pa:ss"),
        ("müller", "grüße"),
        ("", "unknown"),
        ("empty", ""),
        ("long", &long),
    ]))?;
    let right =
        [("prometheus", "pa:ss"), ("müller", "grüße"), ("", "unknown"), ("empty", ""), ("long", &long)];
    for (user, password) in right {
        assert!(matches!(judge(&auth, Some(&basic(user, password)), peer(1)), Verdict::Granted), "{user}");
    }
    assert_eq!(auth.hashes(), 5);
    let lower_case = basic("prometheus", "pa:ss").replace("Basic", "basic");
    assert!(matches!(auth.check(Some(&lower_case), peer(1)), Verdict::Granted));
    assert_eq!(auth.hashes(), 5, "remembered");
    let wrong = [("prometheus", "pa"), ("Prometheus", "pa:ss"), ("prometheus", ""), ("unknown", "unknown")];
    for (user, password) in wrong {
        assert!(matches!(judge(&auth, Some(&basic(user, password)), peer(2)), Verdict::Denied), "{user}");
    }
    assert_eq!(auth.hashes(), 9);
    Ok(())
}

#[test]
fn test_a_password_with_a_nul_is_denied_and_counts_as_a_guess() -> Outcome {
    let auth = Authenticator::new(users(&[("scraper", "p"), ("empty", "")]))?;
    for (user, password) in
        [("scraper", "p\0p"), ("scraper", "p\0"), ("scraper", "p\0p\0p"), ("empty", "\0"), ("stranger", "\0")]
    {
        assert!(
            matches!(judge(&auth, Some(&basic(user, password)), peer(1)), Verdict::Denied),
            "{password:?}"
        );
    }
    assert!(matches!(judge(&auth, Some(&basic("scraper", "p")), peer(1)), Verdict::Granted));
    let guesses = (0..20).map(|_| judge(&auth, Some(&basic("scraper", "\0")), peer(2)));
    assert_eq!(guesses.filter(|verdict| matches!(verdict, Verdict::Limited(_))).count(), 10);
    Ok(())
}

#[test]
fn test_every_prefix_of_bcrypt_is_read() -> Outcome {
    for prefix in ["$2a$", "$2b$", "$2y$"] {
        let hash = hash("x").replace("$2b$", prefix);
        let auth = Authenticator::new(AuthConfig::default().basic_users(vec![("u".to_owned(), hash)]))?;
        assert!(matches!(judge(&auth, Some(&basic("u", "x")), None), Verdict::Granted), "{prefix}");
    }
    // A hash from another implementation: a test vector of the crypt_blowfish library.
    let vector = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned();
    let auth = Authenticator::new(AuthConfig::default().basic_users(vec![("u".to_owned(), vector)]))?;
    assert!(matches!(judge(&auth, Some(&basic("u", "U*U")), None), Verdict::Granted));
    Ok(())
}

#[test]
fn test_malformed_credentials_are_denied_and_cost_nothing() -> Outcome {
    let auth = Authenticator::new(users(&[("u", "p")]).bearer_tokens(vec!["t".to_owned()]))?;
    let megabyte = "A".repeat(1024 * 1024);
    let headers = [
        String::new(),
        " ".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Bearer".to_owned(),
        "Basic !!!".to_owned(),
        "Basic dTpw=".to_owned(),
        "Basic dTp w".to_owned(),
        format!("Basic {}", STANDARD.encode("no colon")),
        format!("Basic {}", STANDARD.encode([b'u', b':', 0xff, 0xfe])),
        format!("Basic {megabyte}"),
        format!("Bearer {megabyte}"),
        megabyte,
        "Digest username=\"u\"".to_owned(),
        "Negotiate x".to_owned(),
        "u:p".to_owned(),
        "\u{130}asic dTpw".to_owned(),
    ];
    for _ in 0..100 {
        assert!(matches!(auth.check(None, peer(1)), Verdict::Denied));
        for header in &headers {
            assert!(matches!(auth.check(Some(header), peer(1)), Verdict::Denied));
        }
    }
    assert!(matches!(judge(&auth, Some(&basic("u", "p")), peer(1)), Verdict::Granted));
    Ok(())
}

#[test]
fn test_ten_thousand_wrong_passwords_neither_hash_nor_hinder() -> Outcome {
    let auth = Authenticator::new(users(&[("prometheus", "right")]))?;
    let good = basic("prometheus", "right");
    assert!(matches!(judge(&auth, Some(&good), peer(1)), Verdict::Granted));
    let started = Instant::now();
    let (mut denied, mut limited, mut times) = (0, 0, Vec::new());
    for number in 0..10_000 {
        match judge(&auth, Some(&basic("prometheus", &number.to_string())), peer(1)) {
            Verdict::Denied => denied += 1,
            Verdict::Limited(wait) => {
                assert!(wait <= Duration::from_secs(2), "one try in two seconds: {wait:?}");
                limited += 1;
            }
            verdict => panic!("{verdict:?}"),
        }
        let asked = Instant::now();
        assert!(matches!(auth.check(Some(&good), peer(1)), Verdict::Granted));
        times.push(asked.elapsed());
    }
    let tries = 10 + started.elapsed().as_secs() / 2 + 1;
    assert_eq!(denied + limited, 10_000);
    assert!(denied <= tries, "{denied} of {tries}");
    assert_eq!(auth.hashes(), denied + 1);
    // The slowest hundred of 10,000 do not count: on a busy machine a thread can lose its core for longer.
    times.sort_unstable();
    assert!(times[9_900] < Duration::from_millis(5), "{:?}", times[9_900]);
    Ok(())
}

#[test]
fn test_guesses_at_a_remembered_password_are_limited_for_other_clients() -> Outcome {
    let auth = Authenticator::new(users(&[("u", "p")]).bearer_tokens(vec!["t".to_owned()]))?;
    assert!(matches!(judge(&auth, Some(&basic("u", "p")), peer(1)), Verdict::Granted));
    assert!(matches!(auth.check(Some("Bearer t"), peer(1)), Verdict::Granted));
    for number in 0..10 {
        assert!(matches!(auth.check(Some(&format!("Bearer {number}")), peer(2)), Verdict::Denied));
    }
    // Even the correct password is limited; otherwise the answer would reveal it.
    assert!(matches!(auth.check(Some(&basic("u", "p")), peer(2)), Verdict::Limited(_)));
    assert!(matches!(auth.check(Some("Bearer t"), peer(2)), Verdict::Limited(_)));
    assert!(matches!(auth.check(Some(&basic("u", "p")), peer(1)), Verdict::Granted));
    assert!(matches!(auth.check(Some("Bearer t"), peer(1)), Verdict::Granted));
    Ok(())
}

#[test]
fn test_the_same_wrong_password_is_hashed_once_and_counted_each_time() -> Outcome {
    let auth = Authenticator::new(users(&[("u", "p")]))?;
    let wrong = basic("u", "wrong");
    for _ in 0..10 {
        assert!(matches!(judge(&auth, Some(&wrong), peer(1)), Verdict::Denied));
    }
    assert!(matches!(judge(&auth, Some(&wrong), peer(1)), Verdict::Limited(_)));
    assert!(matches!(judge(&auth, Some(&wrong), peer(2)), Verdict::Denied));
    assert_eq!(auth.hashes(), 1);
    Ok(())
}

#[test]
fn test_few_passwords_wait_to_be_hashed_for_any_number_of_addresses() -> Outcome {
    let auth = Authenticator::new(users(&[("u", "p")]))?;
    let mut waiting = Vec::new();
    for number in 0..10_000_u32 {
        let address = Some(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        match auth.check(Some(&basic("u", &number.to_string())), address) {
            Verdict::Verify(verification) => waiting.push(verification),
            Verdict::Limited(wait) => assert_eq!(wait, Duration::from_secs(1)),
            verdict => panic!("{verdict:?}"),
        }
    }
    assert_eq!(waiting.len(), 16);
    waiting.pop();
    assert!(matches!(judge(&auth, Some(&basic("u", "p")), peer(1)), Verdict::Granted), "there is room again");
    for verification in waiting {
        assert!(matches!(auth.verify(verification), Verdict::Denied));
    }
    assert_eq!(auth.hashes(), 16);
    Ok(())
}

#[test]
fn test_simultaneous_scrapers_cost_one_hash() -> Outcome {
    let auth = Authenticator::new(users(&[("u", "p")]))?;
    on_threads(8, |_| assert!(matches!(judge(&auth, Some(&basic("u", "p")), peer(1)), Verdict::Granted)));
    assert_eq!(auth.hashes(), 1);
    Ok(())
}

#[test]
fn test_a_refusal_takes_as_long_for_every_user() -> Outcome {
    let cost = |cost| bcrypt::hash("right", cost).expect("a hash");
    let basic_users = vec![("cheap".to_owned(), cost(4)), ("dear".to_owned(), cost(9))];
    let auth = Authenticator::new(AuthConfig::default().basic_users(basic_users).failure_burst(100))?;
    let fastest = |user: &str| {
        let try_one = |number: u32| {
            let Verdict::Verify(verification) = auth.check(Some(&basic(user, &number.to_string())), None)
            else {
                panic!("is to be hashed");
            };
            let started = Instant::now();
            assert!(matches!(auth.verify(verification), Verdict::Denied));
            started.elapsed()
        };
        (0..4).map(try_one).min().expect("four times")
    };
    let (cheap, dear, unknown) = (fastest("cheap"), fastest("dear"), fastest("unknown"));
    // Without the additional rounds, `cheap` would take a 32nd of the time.
    for time in [cheap, unknown] {
        assert!(time > dear / 3 && time < dear * 3, "{cheap:?} {dear:?} {unknown:?}");
    }
    Ok(())
}

#[test]
fn test_challenge_names_the_configured_schemes() -> Outcome {
    let challenge = |config| Authenticator::new(config).map(|auth| auth.challenge());
    let basic = r#"Basic realm="metrics", charset="UTF-8""#;
    assert_eq!(challenge(tokens(&["t"]))?, r#"Bearer realm="metrics""#);
    assert_eq!(challenge(users(&[("u", "p")]))?, basic);
    let both = users(&[("u", "p")]).bearer_tokens(vec!["t".to_owned()]);
    assert_eq!(challenge(both)?, format!("Bearer realm=\"metrics\", {basic}"));
    Ok(())
}

#[test]
fn test_a_bad_configuration_is_refused_without_its_secrets() {
    let user =
        |name: &str, hash: &str| AuthConfig::default().basic_users(vec![(name.to_owned(), hash.to_owned())]);
    let good = hash("p");
    let bad_hash = |what: &str| format!("Expected a bcrypt hash for user \"u\" but received {what}");
    let token = "Expected up to 8185 visible ASCII characters for a bearer token but received a text of another length or with other characters";
    let prefix = bad_hash("text without the prefix $2a$, $2b$ or $2y$");
    let repeated = AuthConfig::default()
        .basic_users(vec![("u".to_owned(), good.clone()), ("u".to_owned(), good.clone())]);
    let cases = [
        (user("u", ""), prefix.clone()),
        (user("u", "hunter2"), prefix.clone()),
        (user("u", &good.replace("$2b$", "$2x$")), prefix),
        (user("u", "$2b$10$hunter2"), bad_hash("a malformed one")),
        (user("u", &good[..59]), bad_hash("a malformed one")),
        (user("u", &good.replace("$04$", "$xx$")), bad_hash("a malformed one")),
        (user("u", &good.replace("$04$", "$03$")), bad_hash("one of cost 3, outside 4 to 31")),
        (user("u", &good.replace("$04$", "$32$")), bad_hash("one of cost 32, outside 4 to 31")),
        (
            user("a:b", &good),
            "Expected a name without colons and control characters for a user but received \"a:b\""
                .to_owned(),
        ),
        (repeated, "Expected one password for user \"u\" but received two".to_owned()),
        (tokens(&["hunter2", ""]), token.to_owned()),
        (tokens(&["hunter 2"]), token.to_owned()),
        (tokens(&["hüter2"]), token.to_owned()),
        (tokens(&[&"hunter2".repeat(1170)]), token.to_owned()),
        (
            AuthConfig::default().failure_burst(0),
            "Expected a whole number from 1 for failure_burst but received 0".to_owned(),
        ),
        (
            AuthConfig::default().failures_per_minute(0),
            "Expected a whole number from 1 for failures_per_minute but received 0".to_owned(),
        ),
    ];
    for (config, message) in cases {
        assert_eq!(refusal(Authenticator::new(config)), (ErrorKind::InvalidConfig, message));
    }
}

#[test]
fn test_no_secret_is_shown() -> Outcome {
    let config = users(&[("u", "hunter2")]).bearer_tokens(vec!["hunter2".to_owned()]);
    assert_eq!(
        format!("{config:?}"),
        "AuthConfig { bearer_tokens: 1, basic_users: [\"u\"], failures_per_minute: 30, failure_burst: 10 }"
    );
    let auth = Authenticator::new(config)?;
    assert_eq!(format!("{auth:?}"), "Authenticator { tokens: 1, users: 1, .. }");
    let verdict = auth.check(Some(&basic("u", "hunter2")), peer(1));
    assert_eq!(format!("{verdict:?}"), "Verify(Verification { peer: V4(192.0.2.1), .. })");
    Ok(())
}

static BOTH: LazyLock<Authenticator> = LazyLock::new(|| {
    let config = users(&[("u", "battery staple")]).bearer_tokens(vec!["correct-horse".to_owned()]);
    Authenticator::new(config).expect("a good configuration")
});

proptest! {
    #[test]
    fn no_header_panics_or_is_granted(header in "\\PC{0,60}|(?i:basic|bearer) \\PC{0,60}|(?i:basic) [A-Za-z0-9+/]{0,40}={0,2}") {
        prop_assert!(!matches!(BOTH.check(Some(&header), None), Verdict::Granted));
    }

    #[test]
    fn no_credentials_panic_or_are_granted(credentials: Vec<u8>) {
        let header = format!("Basic {}", STANDARD.encode(credentials));
        prop_assert!(!matches!(BOTH.check(Some(&header), None), Verdict::Granted));
    }
}
