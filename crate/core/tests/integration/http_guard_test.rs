//! Tests access control over real sockets: rate limits, tokens, passwords, addresses, and the host program's callback.

use crate::Outcome;
use crate::http_endpoint_test::small;
use crate::program::{Program, letting_in, silent};
use crate::wire::{Answer, Client, get, quiet, start, start_with};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Exporter, Question};
use prometheus_metrics::{ErrorKind, Format};
use std::sync::Arc;
use std::time::Duration;

/// bcrypt of `correct horse`, at the lowest cost.
const HASH: &str = "$2b$04$4KalQFBJxlb23PHJ.VJOSu.gVG5zg8q87ekANnaCdpOQke051tU76";
/// `scraper:correct horse`, and a wrong password.
const RIGHT_BASIC: &str = "authorization: Basic c2NyYXBlcjpjb3JyZWN0IGhvcnNl";
const WRONG_BASIC: &str = "authorization: Basic c2NyYXBlcjp3cm9uZw==";
const RIGHT_BEARER: &str = "authorization: Bearer a-long-and-random-token";

fn plain(status: &str, text: &str, more: &str) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\ncontent-type: text/plain; charset=utf-8\ncontent-length: {}\nx-content-type-options: nosniff\n{more}",
        text.len()
    );
    let number = status.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    Answer { status: number, head, body: text.as_bytes().to_vec() }
}

fn unauthorized(challenge: &str) -> Answer {
    plain("401 Unauthorized", "Unauthorized.\n", &format!("www-authenticate: {challenge}\n"))
}

#[test]
fn test_rate_limiting() -> Outcome {
    let registry = small()?;
    let config = quiet()
        .rate_limit_rps(Some(2.0))
        .rate_limit_burst(Some(3))
        .trusted_proxies(vec!["127.0.0.1".to_owned()])
        .self_metrics(true);
    let exporter = start(&registry, &config)?;
    for _ in 0..3 {
        assert_eq!(get(&exporter, "/metrics", &[])?.status, 200);
    }
    let refused = plain("429 Too Many Requests", "Too many requests.\n", "retry-after: 1\n");
    assert_eq!(get(&exporter, "/metrics", &[])?, refused);
    assert_eq!(get(&exporter, "/nowhere", &[])?, refused, "every path costs");
    // A probe must not fail because a scraper sends too many requests.
    for _ in 0..5 {
        assert_eq!(get(&exporter, "/health", &[])?.status, 200);
        assert_eq!(get(&exporter, "/ready", &[])?.status, 200);
    }
    // Each client has its own limit. A trusted proxy names the client.
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        for _ in 0..3 {
            assert_eq!(get(&exporter, "/metrics", &[&format!("x-forwarded-for: {client}")])?.status, 200);
        }
        assert_eq!(get(&exporter, "/metrics", &[&format!("x-forwarded-for: {client}")])?, refused);
    }
    // After a second there is one token again. Refused requests are counted.
    std::thread::sleep(Duration::from_secs(1));
    let text = get(&exporter, "/metrics", &[])?.text()?;
    assert!(text.contains("llmdevops_metrics_rejected_total{reason=\"rate_limit\"} 5\n"), "{text}");
    Ok(())
}

#[test]
fn test_authentication_required() -> Outcome {
    let registry = small()?;
    let exposition = registry.encode(Format::PrometheusText);
    let config = quiet()
        .bearer_tokens(vec!["another-token".to_owned(), "a-long-and-random-token".to_owned()])
        .basic_users(vec![format!("scraper:{HASH}")])
        .auth_failures_per_minute(6000);
    let challenge = "Bearer realm=\"metrics\", Basic realm=\"metrics\", charset=\"UTF-8\"";
    let exporter = start(&registry, &config)?;
    for right in [RIGHT_BEARER, "authorization: bearer another-token", RIGHT_BASIC] {
        let answer = get(&exporter, "/metrics", &[right])?;
        assert_eq!((answer.status, answer.text()?), (200, exposition.clone()), "{right}");
    }
    for wrong in [
        "accept: */*",
        "authorization:",
        "authorization: Bearer",
        "authorization: Bearer a-long-and-random-toke",
        "authorization: Bearer another-token another-token",
        "authorization: Digest a-long-and-random-token",
        "authorization: a-long-and-random-token",
        "authorization: Basic !",
        "authorization: Basic c2NyYXBlcg==",
        WRONG_BASIC,
    ] {
        for target in ["/metrics", "/", "/nowhere"] {
            assert_eq!(get(&exporter, target, &[wrong])?, unauthorized(challenge), "{wrong} at {target}");
        }
        // These paths need no credentials, because a probe has none.
        assert_eq!(get(&exporter, "/health", &[wrong])?.status, 200);
        assert_eq!(get(&exporter, "/ready", &[wrong])?.status, 200);
    }
    let guarded = start(&registry, &config.protect_health(true))?;
    for target in ["/health", "/ready"] {
        assert_eq!(get(&guarded, target, &[])?, unauthorized(challenge));
        assert_eq!(get(&guarded, target, &[RIGHT_BEARER])?.status, 200);
    }
    // The challenge names the configured schemes.
    let basic = quiet().basic_users(vec![format!("scraper:{HASH}")]);
    let challenge = "Basic realm=\"metrics\", charset=\"UTF-8\"";
    assert_eq!(get(&start(&registry, &basic)?, "/metrics", &[RIGHT_BEARER])?, unauthorized(challenge));
    let bearer = quiet().bearer_tokens(vec!["token".to_owned()]);
    let challenge = "Bearer realm=\"metrics\"";
    assert_eq!(get(&start(&registry, &bearer)?, "/metrics", &[RIGHT_BASIC])?, unauthorized(challenge));
    Ok(())
}

#[test]
fn guesses_are_limited_and_known_clients_are_still_allowed() -> Outcome {
    let registry = small()?;
    let config = quiet()
        .basic_users(vec![format!("scraper:{HASH}")])
        .auth_failures_per_minute(1)
        .trusted_proxies(vec!["127.0.0.1".to_owned()]);
    let exporter = start(&registry, &config)?;
    assert_eq!(get(&exporter, "/metrics", &[RIGHT_BASIC])?.status, 200);
    let guess = |number: usize| -> Result<u16, Box<dyn std::error::Error>> {
        // `scraper:` and three more digits.
        let digit = |digit: usize| char::from(b'A' + u8::try_from(digit % 26).unwrap_or_default());
        let header = format!("authorization: Basic c2NyYXBlcjo{}{}AAA", digit(number), digit(number / 26));
        Ok(get(&exporter, "/metrics", &["x-forwarded-for: 203.0.113.9", &header])?.status)
    };
    let statuses: Vec<u16> = (0..50).map(guess).collect::<Result<_, _>>()?;
    let refused = statuses.iter().position(|status| *status == 429).ok_or("guesses are not limited")?;
    assert!(refused <= 11, "{refused} guesses");
    assert!(statuses[..refused].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[refused..].iter().all(|status| *status == 429), "{statuses:?}");
    // The correct password is limited too, if it comes from that address.
    assert_eq!(get(&exporter, "/metrics", &["x-forwarded-for: 203.0.113.9", RIGHT_BASIC])?.status, 429);
    for _ in 0..20 {
        assert_eq!(get(&exporter, "/metrics", &[RIGHT_BASIC])?.status, 200);
    }
    Ok(())
}

#[test]
fn only_addresses_on_the_allowlist_are_allowed() -> Outcome {
    let registry = small()?;
    let with = |allowlist: &[&str], trusted_proxies: &[&str]| {
        quiet()
            .allowlist(allowlist.iter().map(|block| (*block).to_owned()).collect())
            .trusted_proxies(trusted_proxies.iter().map(|block| (*block).to_owned()).collect())
    };
    let forbidden = plain("403 Forbidden", "Forbidden.\n", "");
    let forged = ["x-forwarded-for: 10.1.2.3"];
    let exporter = start(&registry, &with(&["10.0.0.0/8"], &[]))?;
    assert_eq!(get(&exporter, "/metrics", &[])?, forbidden);
    assert_eq!(get(&exporter, "/metrics", &forged)?, forbidden, "only a trusted proxy is believed");
    assert_eq!(get(&exporter, "/health", &[])?.status, 200);
    let exporter = start(&registry, &with(&["127.0.0.0/8"], &[]))?;
    assert_eq!(get(&exporter, "/metrics", &forged)?.status, 200);
    let exporter = start(&registry, &with(&["10.0.0.0/8"], &["127.0.0.1"]))?;
    assert_eq!(get(&exporter, "/metrics", &forged)?.status, 200);
    assert_eq!(get(&exporter, "/metrics", &["x-forwarded-for: 10.1.2.3, 192.0.2.1"])?, forbidden);
    Ok(())
}

#[test]
fn the_host_program_decides_about_requests() -> Outcome {
    let registry = small()?;
    let program = letting_in(|visitor| visitor.headers.contains(&("x-key".to_owned(), "open".to_owned())));
    let with_callback = |program: &Arc<Program>, config: &MetricsConfig| -> Result<Exporter, _> {
        let options = program.options().has_callback(true);
        start_with(&registry, config, options)
    };
    let exporter = with_callback(&program, &quiet())?;
    assert_eq!(get(&exporter, "/metrics?a=b", &["X-Key: open"])?.status, 200);
    assert_eq!(get(&exporter, "/metrics", &["x-key: shut"])?, unauthorized("Bearer realm=\"metrics\""));
    let Some(Question::Authorize(visitor)) = program.asked.lock().first().cloned() else {
        return Err("the program was not asked first".into());
    };
    assert_eq!((visitor.method.as_str(), visitor.target.as_str()), ("GET", "/metrics?a=b"));
    assert_eq!(visitor.peer, Some("127.0.0.1".parse()?));
    let headers =
        [("host", "test"), ("x-key", "open")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(visitor.headers, headers);

    // The program is asked only about requests that the credentials do not allow.
    program.asked.lock().clear();
    let config = quiet().bearer_tokens(vec!["a-long-and-random-token".to_owned()]);
    let exporter = with_callback(&program, &config)?;
    assert_eq!(get(&exporter, "/metrics", &[RIGHT_BEARER])?.status, 200);
    let was_asked =
        |program: &Program| program.asked.lock().iter().any(|asked| matches!(asked, Question::Authorize(_)));
    assert!(!was_asked(&program));
    assert_eq!(get(&exporter, "/metrics", &["x-key: open", WRONG_BASIC])?.status, 200);
    assert!(was_asked(&program));

    // Without a decision of the program no request is allowed.
    let exporter = with_callback(&silent(), &quiet())?;
    let answer = get(&exporter, "/metrics", &["x-key: open"])?;
    let undecided = "Authentication is not available.\n";
    assert_eq!(answer, plain("503 Service Unavailable", undecided, "retry-after: 1\n"));
    Ok(())
}

#[test]
fn a_slow_hash_does_not_delay_other_requests() -> Outcome {
    let registry = small()?;
    let config = quiet()
        .bearer_tokens(vec!["a-long-and-random-token".to_owned()])
        // Cost 12: a quarter of a second for each wrong password, in an optimized build.
        .basic_users(vec!["scraper:$2b$12$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e".to_owned()]);
    let exporter = start(&registry, &config)?;
    let mut guessing = Client::connect(&exporter)?;
    guessing.send(crate::wire::request("GET", "/metrics", &[WRONG_BASIC]))?;
    let began = std::time::Instant::now();
    for _ in 0..5 {
        assert_eq!(get(&exporter, "/metrics", &[RIGHT_BEARER])?.status, 200);
    }
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    assert_eq!(guessing.answer("GET")?.status, 401);
    Ok(())
}

#[test]
fn unsafe_settings_are_refused_at_the_start() -> Outcome {
    let registry = small()?;
    let text = |text: &str| vec![text.to_owned()];
    let cases = [
        quiet().allowlist(text("10.0.0.0/33")),
        quiet().trusted_proxies(text("proxy.example")),
        quiet().basic_users(text("scraper:correct horse")),
        quiet().bearer_tokens(text("two words")),
        quiet().bearer_token_file(Some("/nowhere".to_owned())),
        quiet().web_config_file(Some("/nowhere".to_owned())),
        quiet().tls_cert_file(Some("/nowhere".to_owned())).tls_key_file(Some("/nowhere".to_owned())),
        quiet().tls_cert_file(Some("/nowhere".to_owned())),
    ];
    for config in cases {
        let error = start(&registry, &config).err().ok_or_else(|| format!("{config:?} is taken"))?;
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{error}");
        assert!(!error.to_string().contains("correct horse"), "{error}");
    }
    Ok(())
}
