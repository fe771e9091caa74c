//! Tests the exporter's TLS: complete handshakes in memory, with certificates made for each test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::{Outcome, refusal};
use prometheus_metrics::ErrorKind;
use prometheus_metrics::http::{ClientAuth, Pem, Tls, TlsConfig, TlsVersion};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, version};

/// A folder that is deleted after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("prometheus-metrics-tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let path = self.0.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key, in PEM.
struct Identity {
    cert: String,
    key: String,
}

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    cert: String,
}

impl Authority {
    fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), cert })
    }

    fn identity(&self, names: Vec<SanType>) -> Result<Identity, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.subject_alt_names = names;
        Ok(Identity { cert: params.signed_by(&key, &self.issuer)?.pem(), key: key.serialize_pem() })
    }

    fn localhost(&self) -> Result<Identity, Box<dyn std::error::Error>> {
        Ok(self.identity(vec![SanType::DnsName("localhost".try_into()?)])?)
    }

    /// A client that trusts this authority, with or without a certificate of its own.
    fn client(&self, identity: Option<&Identity>) -> Result<ClientConfig, Box<dyn std::error::Error>> {
        self.client_of(identity, &[&version::TLS13, &version::TLS12])
    }

    fn client_of(
        &self,
        identity: Option<&Identity>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Result<ClientConfig, Box<dyn std::error::Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.cert.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_root_certificates(roots);
        let mut client = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { cert, key }) => builder.with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(cert.as_bytes())?],
                PrivateKeyDer::from_pem_slice(key.as_bytes())?,
            )?,
        };
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(client)
    }
}

/// The result of a handshake: version, suite, protocol; or the server's error.
type Agreed = Result<(String, String, String), String>;

fn handshake(server: Arc<ServerConfig>, client: ClientConfig) -> Result<Agreed, Box<dyn std::error::Error>> {
    let mut server = ServerConnection::new(server)?;
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from("localhost")?)?;
    while client.is_handshaking() || server.is_handshaking() || client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire)?;
        }
        let mut wire = &wire[..];
        while !wire.is_empty() {
            server.read_tls(&mut wire)?;
            if let Err(error) = server.process_new_packets() {
                return Ok(Err(error.to_string()));
            }
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire)?;
        }
        let mut wire = &wire[..];
        while !wire.is_empty() {
            client.read_tls(&mut wire)?;
            if let Err(error) = client.process_new_packets() {
                return Ok(Err(format!("client: {error}")));
            }
        }
    }
    let version = server.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
    let suite =
        server.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())).unwrap_or_default();
    let protocol = server.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned());
    Ok(Ok((version, suite, protocol.unwrap_or_default())))
}

fn agreed(version: &str, suite: &str) -> Agreed {
    Ok((version.to_owned(), suite.to_owned(), "http/1.1".to_owned()))
}

fn inline(identity: &Identity) -> TlsConfig {
    TlsConfig::new(Pem::Text(identity.cert.clone()), Pem::Text(identity.key.clone()))
}

/// Waits until the files are checked again.
fn a_second_passes() {
    std::thread::sleep(Duration::from_millis(1050));
}

#[test]
fn test_versions_suites_and_protocol_are_as_configured() -> Outcome {
    let authority = Authority::new()?;
    let config = inline(&authority.localhost()?);
    let tls = Tls::new(config.clone())?;
    let modern = agreed("TLSv1_3", "TLS13_AES_256_GCM_SHA384");
    assert_eq!(handshake(tls.server_config(), authority.client(None)?)?, modern);

    let mut old = config.clone();
    old.max_version = TlsVersion::Tls12;
    old.cipher_suites =
        ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
            .map(str::to_owned)
            .to_vec();
    old.curve_preferences = vec!["CurveP384".to_owned(), "X25519".to_owned()];
    let expected = agreed("TLSv1_2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    assert_eq!(handshake(Tls::new(old)?.server_config(), authority.client(None)?)?, expected);

    let mut new = config;
    new.min_version = TlsVersion::Tls13;
    new.cipher_suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()];
    let tls = Tls::new(new)?;
    assert_eq!(handshake(tls.server_config(), authority.client(None)?)?, modern, "1.3 has its own suites");
    let old_client = authority.client_of(None, &[&version::TLS12])?;
    let refused = Err("peer is incompatible: Tls12NotOfferedOrEnabled".to_owned());
    assert_eq!(handshake(tls.server_config(), old_client)?, refused);
    Ok(())
}

#[test]
fn test_client_certificates() -> Outcome {
    let authority = Authority::new()?;
    let stranger = Authority::new()?;
    let server = authority.localhost()?;
    let known = authority.identity(vec![SanType::DnsName("scraper".try_into()?)])?;
    let unknown = stranger.identity(vec![SanType::DnsName("scraper".try_into()?)])?;
    let tls = |auth: ClientAuth| {
        let mut config = inline(&server);
        config.client_auth = auth;
        config.client_ca = (auth != ClientAuth::NoClientCert).then(|| Pem::Text(authority.cert.clone()));
        Tls::new(config).map(|tls| tls.server_config())
    };
    let policies = [
        (ClientAuth::NoClientCert, [true, true, true]),
        (ClientAuth::VerifyClientCertIfGiven, [true, true, false]),
        (ClientAuth::RequireAndVerifyClientCert, [false, true, false]),
    ];
    for (auth, expected) in policies {
        for (identity, expected) in [None, Some(&known), Some(&unknown)].into_iter().zip(expected) {
            for versions in [&[&version::TLS13], &[&version::TLS12]] {
                let agreed = handshake(tls(auth)?, authority.client_of(identity, versions)?)?;
                assert_eq!(agreed.is_ok(), expected, "{auth:?} {agreed:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn test_client_names() -> Outcome {
    let authority = Authority::new()?;
    let names = || -> Result<Vec<(&str, SanType)>, Box<dyn std::error::Error>> {
        Ok(vec![
            ("scraper.example.com", SanType::DnsName("scraper.example.com".try_into()?)),
            ("ops@example.com", SanType::Rfc822Name("ops@example.com".try_into()?)),
            ("spiffe://example.com/prometheus", SanType::URI("spiffe://example.com/prometheus".try_into()?)),
            ("192.0.2.7", SanType::IpAddress([192, 0, 2, 7].into())),
            ("2001:db8::7", SanType::IpAddress("2001:db8::7".parse()?)),
        ])
    };
    let all = authority.identity(names()?.into_iter().map(|(_, name)| name).collect())?;
    let nameless = authority.identity(Vec::new())?;
    let wildcard = authority.identity(vec![SanType::DnsName("*.example.com".try_into()?)])?;
    let mut config = inline(&authority.localhost()?);
    config.client_ca = Some(Pem::Text(authority.cert.clone()));
    config.client_auth = ClientAuth::RequireAndVerifyClientCert;
    let allowing = |name: &str| {
        let config = config.clone().client_allowed_sans(vec!["other".to_owned(), name.to_owned()]);
        Tls::new(config).map(|tls| tls.server_config())
    };
    for (text, _) in names()? {
        assert!(handshake(allowing(text)?, authority.client(Some(&all))?)?.is_ok(), "{text}");
        for identity in [&nameless, &wildcard] {
            let refused = handshake(allowing(text)?, authority.client(Some(identity))?)?;
            assert_eq!(refused, Err("invalid peer certificate: ApplicationVerificationFailure".to_owned()));
        }
    }
    assert!(handshake(allowing("scraper.example")?, authority.client(Some(&all))?)?.is_err(), "exactly");
    Ok(())
}

#[test]
fn test_changed_certificate_files_are_reloaded() -> Outcome {
    let (first, second) = (Authority::new()?, Authority::new()?);
    let (old, new) = (first.localhost()?, second.localhost()?);
    let folder = Folder::new()?;
    let cert = folder.write("cert.pem", &old.cert)?;
    let key = folder.write("key.pem", &old.key)?;
    let tls = Tls::new(TlsConfig::new(&*cert, &*key))?;
    let serves = |authority: &Authority| -> Result<bool, Box<dyn std::error::Error>> {
        Ok(handshake(tls.server_config(), authority.client(None)?)?.is_ok())
    };
    assert!(serves(&first)?);

    // The new certificate does not match the old key, so the old certificate stays. The error is reported once.
    folder.write("cert.pem", &new.cert)?;
    assert!(serves(&first)?, "files are checked once a second");
    a_second_passes();
    assert!(serves(&first)?);
    let mismatch = format!(
        "Expected the key of the certificate in cert_file {cert:?} for key_file {key:?} but received another one"
    );
    assert_eq!(tls.take_reload_error(), Some(mismatch));
    assert_eq!((tls.take_reload_error(), tls.reload_failures()), (None, 1));
    a_second_passes();
    assert!(serves(&first)?);
    assert_eq!(
        (tls.take_reload_error(), tls.reload_failures()),
        (None, 1),
        "the same files are the same failure"
    );

    // With the new key both match. The files are replaced by renaming, as careful tools do.
    std::fs::rename(folder.write("key.new", &new.key)?, &key)?;
    a_second_passes();
    assert!(serves(&second)?);
    assert!(!serves(&first)?);

    std::fs::remove_file(&cert)?;
    a_second_passes();
    assert!(serves(&second)?, "a missing file changes nothing");
    assert_eq!(tls.reload_failures(), 2);
    assert!(tls.take_reload_error().is_some_and(|error| error.contains(&format!("{cert:?}"))));
    Ok(())
}

#[test]
fn test_errors_name_the_file_and_the_problem() -> Outcome {
    let authority = Authority::new()?;
    let (good, other) = (authority.localhost()?, authority.localhost()?);
    let folder = Folder::new()?;
    let cert = folder.write("cert.pem", &good.cert)?;
    let key = folder.write("key.pem", &good.key)?;
    let bad = folder.0.join("bad.pem");
    let encrypted = good.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let truncated = &good.cert[..good.cert.len() / 2];
    let cert_cases = [
        ("", format!("Expected a certificate in cert_file {bad:?} but received none")),
        (&*good.key, format!("Expected a certificate in cert_file {bad:?} but received none")),
        (truncated, format!("Expected PEM in cert_file {bad:?} but received missing section end marker")),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            format!("Expected a usable certificate in cert_file {bad:?} and its key in key_file {key:?}: "),
        ),
    ];
    for (text, message) in cert_cases {
        std::fs::write(&bad, text)?;
        let (kind, received) = refusal(Tls::new(TlsConfig::new(&*bad, &*key)));
        assert_eq!(kind, ErrorKind::InvalidConfig);
        assert!(received.starts_with(&message), "{received}");
    }
    let expected =
        |what: &str| format!("Expected an unencrypted private key in key_file {bad:?} but received {what}");
    let another = format!(
        "Expected the key of the certificate in cert_file {cert:?} for key_file {bad:?} but received another one"
    );
    let key_cases = [
        ("", expected("none")),
        (&*good.cert, expected("none")),
        (&*encrypted, expected("an encrypted one")),
        (&good.key[..good.key.len() / 2], expected("malformed PEM")),
        (&*other.key, another),
    ];
    for (text, message) in key_cases {
        std::fs::write(&bad, text)?;
        assert_eq!(refusal(Tls::new(TlsConfig::new(&*cert, &*bad))), (ErrorKind::InvalidConfig, message));
    }
    let unreadable = |path: &Path, what: &str| {
        let message = format!("Expected a readable file for cert_file {path:?} but received {what}");
        assert_eq!(refusal(Tls::new(TlsConfig::new(path, &*key))), (ErrorKind::InvalidConfig, message));
    };
    unreadable(&folder.0.join("none.pem"), "No such file or directory (os error 2)");
    unreadable(&folder.0, "something other than a file");
    std::fs::write(&bad, vec![b'\n'; 1024 * 1024 + 1])?;
    unreadable(&bad, "more than 1048576 bytes");
    Ok(())
}

#[test]
fn test_settings_that_contradict_each_other_are_refused() -> Outcome {
    let authority = Authority::new()?;
    let good = inline(&authority.localhost()?);
    let ca = || Some(Pem::Text(authority.cert.clone()));
    let cases = [
        (
            good.clone().min_version(TlsVersion::Tls13).max_version(TlsVersion::Tls12),
            "Expected min_version not above max_version but received TLS13 and TLS12",
        ),
        (
            good.clone().client_auth(ClientAuth::RequireAndVerifyClientCert),
            "Expected client_ca_file beside RequireAndVerifyClientCert but received none",
        ),
        (
            good.clone().client_ca(ca()),
            "Expected client_auth_type RequireAndVerifyClientCert or VerifyClientCertIfGiven beside client_ca_file but received NoClientCert",
        ),
        (
            good.clone()
                .client_ca(ca())
                .client_auth(ClientAuth::VerifyClientCertIfGiven)
                .client_allowed_sans(vec!["x".to_owned()]),
            "Expected client_auth_type RequireAndVerifyClientCert beside client_allowed_sans but received VerifyClientCertIfGiven",
        ),
        (
            good.clone().curve_preferences(vec!["CurveP521".to_owned()]),
            "Expected one of X25519, CurveP256, CurveP384 for curve_preferences but received \"CurveP521\"",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(refusal(Tls::new(config)), (ErrorKind::InvalidConfig, message.to_owned()));
    }
    let config = good.clone().cipher_suites(vec!["TLS_NULL".to_owned()]);
    let (_, message) = refusal(Tls::new(config));
    assert!(message.ends_with("for cipher_suites but received \"TLS_NULL\""), "{message}");
    let config = good
        .clone()
        .max_version(TlsVersion::Tls12)
        .cipher_suites(vec!["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA".to_owned()]);
    assert!(Tls::new(config).is_err(), "TLS 1.2 with no suite that is spoken");
    let shown = format!("{:?}", Tls::new(good)?);
    assert!(shown.contains("key: (inline)") && !shown.contains("PRIVATE"), "{shown}");
    Ok(())
}

#[test]
fn test_policies_without_verification_are_refused() {
    for text in ["RequestClientCert", "RequireAnyClientCert", "RequireClientCert"] {
        let message = format!(
            "Expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert for client_auth_type but received {text:?}, which accepts unverified certificates"
        );
        assert_eq!(refusal(ClientAuth::parse(text)), (ErrorKind::InvalidConfig, message));
    }
    assert_eq!(ClientAuth::parse(""), Ok(ClientAuth::NoClientCert));
    let message = "Expected TLS12 or TLS13 for a version of TLS but received \"SSL30\"".to_owned();
    assert_eq!(refusal(TlsVersion::parse("SSL30")), (ErrorKind::InvalidConfig, message));
}
