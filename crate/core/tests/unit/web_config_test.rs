//! Tests the web configuration file of the Prometheus exporters: what is read, and the errors for everything else.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Outcome, refusal};
use prometheus_metrics::http::{ClientAuth, Pem, RateLimit, TlsConfig, TlsVersion, WebConfig};
use prometheus_metrics::{ErrorKind, Result};
use proptest::prelude::*;

/// Reads a file with this content. The thread is part of its name, so that parallel tests do not share a file.
fn read(text: impl AsRef<[u8]>) -> (PathBuf, Result<WebConfig>) {
    let thread = std::thread::current().id();
    let path = std::env::temp_dir().join(format!("prometheus-metrics-{}-{thread:?}.yml", std::process::id()));
    std::fs::write(&path, text).expect("the temporary folder is writable");
    let config = WebConfig::read(&path);
    std::fs::remove_file(&path).expect("the file is there");
    (path, config)
}

#[test]
fn test_a_complete_file() -> Outcome {
    let (path, config) = read(
        r#"
# Every key that exporters read.
tls_server_config:
  cert_file: server.crt
  key_file: /etc/ssl/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: "ca.crt"
  client_allowed_sans: [scraper, 'ops@example.com']
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  prefer_server_cipher_suites: no
  curve_preferences:
    - X25519
http_server_config:
  http2: true
  headers:
    X-Frame-Options: deny
    X-Content-Type-Options:
    Strict-Transport-Security: "max-age=31536000; includeSubDomains"
basic_auth_users:
  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
  12: x
rate_limit:
  interval: 1m30.5s
  burst: 20
"#,
    );
    let config = config?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut tls = TlsConfig::new(folder.join("server.crt"), Path::new("/etc/ssl/server.key"));
    tls.client_auth = ClientAuth::RequireAndVerifyClientCert;
    tls.client_ca = Some(Pem::File(folder.join("ca.crt")));
    tls.client_allowed_sans = ["scraper", "ops@example.com"].map(str::to_owned).to_vec();
    tls.cipher_suites = vec!["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()];
    tls.prefer_server_cipher_suites = false;
    tls.curve_preferences = vec!["X25519".to_owned()];
    assert_eq!(config.tls, Some(tls));
    let pairs = |pairs: [(&str, &str); 2]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    let hash = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";
    assert_eq!(config.basic_users, pairs([("alice", hash), ("12", "x")]));
    let hsts = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    assert_eq!(config.headers, pairs([("X-Frame-Options", "deny"), hsts]));
    let limit =
        RateLimit { interval: Duration::from_millis(90_500), burst: NonZeroU32::new(20).ok_or("not zero")? };
    assert_eq!(config.rate_limit, Some(limit));
    let shown = format!("{config:?}");
    assert!(shown.contains("[\"alice\", \"12\"]") && !shown.contains(hash), "{shown}");
    Ok(())
}

#[test]
fn test_an_empty_configuration() -> Outcome {
    let empty = [
        "",
        "# nothing\n",
        "---\n...\n",
        "{}",
        "tls_server_config:\n",
        "tls_server_config:\n  min_version: TLS12\n  cipher_suites: []\n",
        "tls_server_config: {cert_file: '', key_file: ~}",
        "http_server_config: {http2: false, headers: {X-Frame-Options: ''}}",
        "basic_auth_users: {}\nrate_limit:\n  interval: 0\n",
        "rate_limit: {interval: 0s, burst: 0}",
    ];
    for text in empty {
        assert_eq!(read(text).1?, WebConfig::default(), "{text}");
    }
    Ok(())
}

#[test]
fn test_inline_certificates_and_old_versions() -> Outcome {
    let text = "tls_server_config:\n  cert: |\n    BEGIN\n    END\n  key: K\n  min_version: TLS10\n";
    let expected = TlsConfig::new(Pem::Text("BEGIN\nEND\n".to_owned()), Pem::Text("K".to_owned()));
    assert_eq!(read(text).1?.tls, Some(expected.clone()));
    assert_eq!(expected.min_version, TlsVersion::Tls12);
    Ok(())
}

/// Checks that each text is refused with the message, the file and the line.
fn check_refusals(cases: &[(String, usize, &str)]) {
    for (text, line, message) in cases {
        let (path, config) = read(text);
        let (kind, received) = refusal(config);
        let place = format!(" ({}, line {line})", path.display());
        assert_eq!(kind, ErrorKind::InvalidConfig);
        assert!(received.starts_with(message) && received.ends_with(&place), "{text}\n{received}");
    }
}

#[test]
fn test_every_refusal_of_tls_names_key_and_line() {
    let tls = |line: &str| format!("tls_server_config:\n  cert_file: a\n  key_file: b\n  {line}\n");
    check_refusals(&[
        (tls("cert_fle: a"), 4, "Expected a known key in tls_server_config but received \"cert_fle\""),
        (tls("cert_file: c"), 4, "Expected every key once but received \"cert_file\" twice"),
        (tls("cert: c"), 2, "Expected cert_file or cert in tls_server_config but received both"),
        (
            "\ntls_server_config:\n  key_file: b\n".to_owned(),
            3,
            "Expected cert_file or cert in tls_server_config but received none",
        ),
        (
            "tls_server_config:\n  cert_file: b\n".to_owned(),
            2,
            "Expected key_file or key in tls_server_config but received none",
        ),
        (tls("cert_file2: [a"), 5, "Expected YAML: "),
        (
            tls("min_version: TLS9"),
            4,
            "min_version: Expected TLS12 or TLS13 for a version of TLS but received \"TLS9\"",
        ),
        (
            tls("max_version: TLS11"),
            4,
            "max_version: Expected TLS12 or TLS13 for a version of TLS but received \"TLS11\"",
        ),
        (
            tls("client_auth_type: RequestClientCert"),
            4,
            "client_auth_type: Expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert for \
             client_auth_type but received \"RequestClientCert\", which accepts unverified certificates",
        ),
        (tls("cipher_suites: x"), 4, "Expected a list for cipher_suites but received a scalar"),
        (tls("cipher_suites: [[x]]"), 4, "Expected text in cipher_suites but received a list"),
        (
            tls("prefer_server_cipher_suites: maybe"),
            4,
            "Expected true or false for prefer_server_cipher_suites but received \"maybe\"",
        ),
        (tls("client_ca_file: {a: b}"), 4, "Expected text for client_ca_file but received a mapping"),
    ]);
}

#[test]
fn test_every_refusal_of_other_sections_names_key_and_line() {
    check_refusals(&[
        ("tls_config:\n".to_owned(), 1, "Expected a known key in the file but received \"tls_config\""),
        ("- a\n".to_owned(), 1, "Expected a mapping for the file but received a list"),
        (
            "http_server_config:\n  http3: on\n".to_owned(),
            2,
            "Expected a known key in http_server_config but received \"http3\"",
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: allow\n".to_owned(),
            3,
            "Expected deny or sameorigin for X-Frame-Options but received \"allow\"",
        ),
        (
            "http_server_config:\n  headers:\n    Server: x\n".to_owned(),
            3,
            "Expected one of Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, \
             X-Frame-Options, X-XSS-Protection for headers but received \"Server\"",
        ),
        (
            "http_server_config:\n  headers:\n    X-XSS-Protection: \"1\\r\\nSet-Cookie: a\"\n".to_owned(),
            3,
            "Expected visible ASCII characters for X-XSS-Protection but received \"1\\r\\nSet-Cookie: a\"",
        ),
        (
            "basic_auth_users:\n  u:\n".to_owned(),
            2,
            "Expected a bcrypt hash for user \"u\" but received nothing",
        ),
        (
            "basic_auth_users:\n  u: x\n  u: y\n".to_owned(),
            3,
            "Expected every key once but received \"u\" twice",
        ),
        (
            "rate_limit:\n  interval: 1\n".to_owned(),
            2,
            "interval: Expected a duration such as 250ms, 1s or 1m30s but received \"1\"",
        ),
        (
            "rate_limit:\n  burst: -1\n".to_owned(),
            2,
            "burst: Expected a whole number from 0 but received \"-1\"",
        ),
        (
            "rate_limit:\n  interval: 1s\n  burst: 0\n".to_owned(),
            2,
            "Expected a whole number from 1 for burst beside interval but received 0 or nothing",
        ),
    ]);
}

#[test]
fn test_every_refusal_of_yaml_names_the_line() {
    check_refusals(&[
        ("a: &a x\nb: *a\n".to_owned(), 2, "Expected a value but received an alias, which is not supported"),
        ("a: !!binary x\n".to_owned(), 1, "Expected a value but received a tag, which is not supported"),
        ("{}\n---\n{}\n".to_owned(), 2, "Expected one document but received more"),
        ("? [a]\n: b\n".to_owned(), 1, "Expected a scalar for a key but received something else"),
        ("[".repeat(20), 1, "Expected at most 16 levels but received more"),
    ]);
}

#[test]
fn test_unreadable_files() {
    let path = Path::new("/nonexistent/web.yml");
    let message = "Expected a readable web configuration in \"/nonexistent/web.yml\" but received \
                   No such file or directory (os error 2)";
    assert_eq!(refusal(WebConfig::read(path)), (ErrorKind::InvalidConfig, message.to_owned()));
    let (path, config) = read(vec![b'#'; 1024 * 1024 + 1]);
    let message =
        format!("Expected a readable web configuration in {path:?} but received more than 1048576 bytes");
    assert_eq!(refusal(config), (ErrorKind::InvalidConfig, message));
    let (path, config) = read([0xff]);
    assert_eq!(
        refusal(config),
        (ErrorKind::InvalidConfig, format!("Expected UTF-8 in {path:?} but received other bytes"))
    );
}

proptest! {
    #[test]
    fn no_bytes_of_a_web_configuration_panic(bytes: Vec<u8>) {
        let _ = read(bytes);
    }

    #[test]
    fn no_yaml_panics(
        text in "((tls_server_config|rate_limit|interval|headers|cipher_suites|basic_auth_users|[-\\[\\]{}:,&*!|>'\"#%@` \n]|[0-9.]{1,25}(h|ms|s)|  |: |\n|\\PC)){0,40}",
    ) {
        let _ = read(text);
    }

    #[test]
    fn durations_are_read_in_go_notation(hours in 0_u64..100, minutes in 0_u64..100, millis in 1_u64..100_000) {
        let text = format!("rate_limit: {{interval: {hours}h{minutes}m{millis}ms, burst: 1}}");
        let limit = read(text).1.expect("a good file").rate_limit.expect("a limit");
        let expected = Duration::from_millis(hours * 3_600_000 + minutes * 60_000 + millis);
        let difference = limit.interval.abs_diff(expected);
        prop_assert!(difference < Duration::from_micros(1), "{:?}", limit.interval);
    }
}
