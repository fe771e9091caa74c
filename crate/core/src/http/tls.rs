//! The exporter's side of TLS: reads certificates, reads them again when their files change, and decides which clients
//! may connect. It opens no socket and logs nothing: the caller asks for reload errors.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{InconsistentKeys, NamedGroup, RootCertStore, ServerConfig, SupportedCipherSuite, version};
use tokio_rustls::TlsAcceptor;

use super::certificates::{certificates, named, private_key};
use super::client_names::AllowedNames;
use super::connection::Socket;
use super::pem::Pem;
use super::tls_config::{ClientAuth, TlsConfig, TlsVersion};
use super::validity::{Validity, WARN_EVERY};
use crate::error::{MetricsError, Result};

/// The pause between two checks whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Suites that Go's servers offer to old clients and that this library does not support. A list of suites may contain
/// them; they are ignored.
const NOT_SPOKEN: [&str; 10] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];

/// The server's side of TLS, with the current content of its files.
///
/// A session can be resumed only until the files are read again. So a client whose authority was removed must show its
/// certificate again.
pub struct Tls {
    config: TlsConfig,
    loaded: Mutex<Loaded>,
    /// When the last warning that the certificate expires was taken.
    warned: Mutex<Option<Instant>>,
    failures: AtomicU64,
}

struct Loaded {
    server: Arc<ServerConfig>,
    validity: Option<Validity>,
    stamps: Vec<Option<Stamp>>,
    looked_at: Instant,
    /// The state of the files and the error of the last reading, if it failed.
    refused: Option<(Vec<Option<Stamp>>, String)>,
    /// An error that `take_reload_error` has not returned yet.
    news: Option<String>,
}

impl Tls {
    /// Reads the files and checks that they belong together.
    ///
    /// # Errors
    /// `InvalidConfig` naming the setting or file and the problem: missing, over 1 MiB, without a certificate or key,
    /// encrypted, not the certificate's key; or settings that contradict each other.
    pub fn new(config: TlsConfig) -> Result<Self> {
        let stamps = stamps(&config);
        let (server, validity) = load(&config)?;
        let loaded =
            Loaded { server, validity, stamps, looked_at: Instant::now(), refused: None, news: None };
        let warned = Mutex::default();
        Ok(Self { config, loaded: Mutex::new(loaded), warned, failures: AtomicU64::new(0) })
    }

    /// The configuration for the next connection. Checks at most once a second whether a file has changed (time, size,
    /// inode), and then reads all files again. If the new files are invalid, the old configuration stays: the error is
    /// reported, and the files are read again a second later, because a certificate and its key are rarely replaced at
    /// the same moment.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let mut loaded = self.loaded.lock();
        if loaded.looked_at.elapsed() >= LOOK_EVERY {
            self.look(&mut loaded);
        }
        Arc::clone(&loaded.server)
    }

    /// The encrypted connection over this socket; `None` if the handshake fails.
    pub(super) async fn accept(&self, socket: Socket) -> Option<Socket> {
        let encrypted = TlsAcceptor::from(self.server_config()).accept(socket).await.ok()?;
        Some(Box::new(encrypted))
    }

    /// The error of reading changed files, once for each error and state of the files.
    #[must_use]
    pub fn take_reload_error(&self) -> Option<String> {
        self.loaded.lock().news.take()
    }

    /// When the certificate expires, in seconds since 1970, if that can be read from it.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.loaded.lock().validity.map(|validity| validity.not_after)
    }

    /// A warning if the certificate has expired or does so soon, at most once a day.
    #[must_use]
    pub fn take_expiry_warning(&self) -> Option<String> {
        let mut warned = self.warned.lock();
        if warned.is_some_and(|warned| warned.elapsed() < WARN_EVERY) {
            return None;
        }
        let validity = self.loaded.lock().validity?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let warning = validity.warning(now)?;
        *warned = Some(Instant::now());
        Some(warning)
    }

    /// How many such errors there were.
    #[must_use]
    pub fn reload_failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    fn look(&self, loaded: &mut Loaded) {
        loaded.looked_at = Instant::now();
        // Take the stamps before reading. If a file changes meanwhile, the next check finds a difference.
        let stamps = stamps(&self.config);
        if stamps == loaded.stamps {
            loaded.refused = None;
            return;
        }
        match load(&self.config) {
            Ok((server, validity)) => {
                loaded.server = server;
                loaded.validity = validity;
                // The new certificate can be warned of at once.
                *self.warned.lock() = None;
                loaded.stamps = stamps;
                loaded.refused = None;
            }
            Err(error) => {
                let refused = Some((stamps, error.to_string()));
                if loaded.refused != refused {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    loaded.news = Some(error.to_string());
                    loaded.refused = refused;
                }
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What a file looks like from outside. Replacing a file by renaming changes the inode, Kubernetes' links among it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

fn stamps(config: &TlsConfig) -> Vec<Option<Stamp>> {
    let pems = [Some(&config.cert), Some(&config.key), config.client_ca.as_ref()];
    let stamp = |pem: &Pem| match pem {
        Pem::File(path) => stamp(path),
        Pem::Text(_) => None,
    };
    pems.into_iter().flatten().map(stamp).collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { modified: metadata.modified().ok(), size: metadata.len(), inode })
}

fn load(config: &TlsConfig) -> Result<(Arc<ServerConfig>, Option<Validity>)> {
    let provider = Arc::new(provider(config)?);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(config)?)
        .map_err(|error| {
            MetricsError::invalid_config(format!(
                "Expected suites and curves that go with the TLS versions: {error}"
            ))
        })?;
    let chain = certificates("cert", &config.cert)?;
    let validity = Validity::of_chain(chain.iter().map(AsRef::as_ref));
    let key = private_key(&config.key)?;
    let builder = match client_verifier(config, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut server = builder.with_single_cert(chain, key).map_err(|error| {
        let (cert, key) = (named("cert", &config.cert), named("key", &config.key));
        match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => MetricsError::invalid_config(
                format!("Expected the key of the certificate in {cert} for {key} but received another one"),
            ),
            error => MetricsError::invalid_config(format!(
                "Expected a usable certificate in {cert} and its key in {key}: {error}"
            )),
        }
    })?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server.ignore_client_order = config.prefer_server_cipher_suites;
    Ok((Arc::new(server), validity))
}

fn versions(config: &TlsConfig) -> Result<Vec<&'static rustls::SupportedProtocolVersion>> {
    let spoken = config.min_version..=config.max_version;
    if spoken.is_empty() {
        return Err(MetricsError::invalid_config(
            "Expected min_version not above max_version but received TLS13 and TLS12",
        ));
    }
    let all = [(TlsVersion::Tls12, &version::TLS12), (TlsVersion::Tls13, &version::TLS13)];
    Ok(all.into_iter().filter(|(version, _)| spoken.contains(version)).map(|(_, version)| version).collect())
}

fn provider(config: &TlsConfig) -> Result<CryptoProvider> {
    let mut provider = ring::default_provider();
    if !config.cipher_suites.is_empty() {
        let (mut suites, old): (Vec<_>, Vec<_>) =
            provider.cipher_suites.into_iter().partition(|suite| suite.tls13().is_some());
        for name in &config.cipher_suites {
            match old.iter().find(|suite| suite_name(suite) == *name) {
                Some(suite) if !suites.contains(suite) => suites.push(*suite),
                Some(_) => {}
                None if NOT_SPOKEN.contains(&name.as_str()) => {}
                None => return Err(unknown("cipher_suites", name, old.iter().map(suite_name))),
            }
        }
        provider.cipher_suites = suites;
    }
    if !config.curve_preferences.is_empty() {
        let all = std::mem::take(&mut provider.kx_groups);
        for name in &config.curve_preferences {
            let group = all.iter().find(|group| curve_name(group.name()) == Some(name));
            let Some(group) = group else {
                let names = all.iter().filter_map(|group| curve_name(group.name()).map(str::to_owned));
                return Err(unknown("curve_preferences", name, names));
            };
            provider.kx_groups.push(*group);
        }
    }
    Ok(provider)
}

fn suite_name(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite())
}

fn curve_name(group: NamedGroup) -> Option<&'static str> {
    match group {
        NamedGroup::X25519 => Some("X25519"),
        NamedGroup::secp256r1 => Some("CurveP256"),
        NamedGroup::secp384r1 => Some("CurveP384"),
        _ => None,
    }
}

fn unknown(setting: &str, name: &str, known: impl Iterator<Item = String>) -> MetricsError {
    let known = known.collect::<Vec<_>>().join(", ");
    MetricsError::invalid_config(format!("Expected one of {known} for {setting} but received {name:?}"))
}

fn client_verifier(
    config: &TlsConfig,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>> {
    let auth = config.client_auth;
    if !config.client_allowed_sans.is_empty() && auth != ClientAuth::RequireAndVerifyClientCert {
        return Err(MetricsError::invalid_config(format!(
            "Expected client_auth_type RequireAndVerifyClientCert beside client_allowed_sans but received {auth:?}"
        )));
    }
    let authorities = match (&config.client_ca, auth) {
        (None, ClientAuth::NoClientCert) => return Ok(None),
        (None, _) => {
            return Err(MetricsError::invalid_config(format!(
                "Expected client_ca_file beside {auth:?} but received none"
            )));
        }
        (Some(_), ClientAuth::NoClientCert) => {
            return Err(MetricsError::invalid_config(
                "Expected client_auth_type RequireAndVerifyClientCert or VerifyClientCertIfGiven beside \
                 client_ca_file but received NoClientCert",
            ));
        }
        (Some(authorities), _) => authorities,
    };
    let refused = |error: &dyn fmt::Display| {
        MetricsError::invalid_config(format!(
            "Expected usable certificates in {}: {error}",
            named("client_ca", authorities)
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client_ca", authorities)? {
        roots.add(certificate).map_err(|error| refused(&error))?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if auth == ClientAuth::VerifyClientCertIfGiven {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|error| refused(&error))?;
    if config.client_allowed_sans.is_empty() {
        return Ok(Some(verifier));
    }
    Ok(Some(Arc::new(AllowedNames::new(verifier, config.client_allowed_sans.clone()))))
}
