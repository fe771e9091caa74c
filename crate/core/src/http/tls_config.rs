//! The settings of TLS, as the variables and the web configuration file give them. It must not know who speaks TLS, so that
//! a build without TLS reads them too.

use super::pem::Pem;
use crate::error::{MetricsError, Result};

/// The TLS settings. Their names and meanings are those of `tls_server_config` of the Prometheus exporters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The certificate, followed by the intermediate certificates.
    pub cert: Pem,
    /// The certificate's private key, unencrypted.
    pub key: Pem,
    /// The certificates of the authorities that sign client certificates.
    pub client_ca: Option<Pem>,
    /// Which clients may connect.
    ///
    /// @default `ClientAuth::NoClientCert`
    pub client_auth: ClientAuth,
    /// If not empty, a client's certificate must have one of these names: DNS name, e-mail address, IP address or URI,
    /// compared as text. Needs `ClientAuth::RequireAndVerifyClientCert`.
    pub client_allowed_sans: Vec<String>,
    /// The oldest supported version.
    ///
    /// @default `TlsVersion::Tls12`
    pub min_version: TlsVersion,
    /// The newest supported version.
    ///
    /// @default `TlsVersion::Tls13`
    pub max_version: TlsVersion,
    /// The suites for TLS 1.2 by their IANA names, in order of preference; all secure suites if empty. TLS 1.3 has its
    /// own suites.
    pub cipher_suites: Vec<String>,
    /// `X25519`, `CurveP256`, `CurveP384`, in order of preference; all of them if empty.
    pub curve_preferences: Vec<String>,
    /// Whether the server's order of suites is used instead of the client's.
    ///
    /// @default true
    pub prefer_server_cipher_suites: bool,
}

setters!(TlsConfig {
    cert: Pem,
    key: Pem,
    client_ca: Option<Pem>,
    client_auth: ClientAuth,
    client_allowed_sans: Vec<String>,
    min_version: TlsVersion,
    max_version: TlsVersion,
    cipher_suites: Vec<String>,
    curve_preferences: Vec<String>,
    prefer_server_cipher_suites: bool,
});

/// Which clients may connect. There is no policy that asks for a certificate without verifying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Every client. The server asks for no certificate.
    #[default]
    NoClientCert,
    /// Clients without a certificate, and clients with a certificate signed by `client_ca`.
    VerifyClientCertIfGiven,
    /// Only clients with a certificate signed by `client_ca`.
    RequireAndVerifyClientCert,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsConfig {
    /// TLS 1.2 and 1.3 with this certificate and key, for every client.
    #[must_use]
    pub fn new(cert: impl Into<Pem>, key: impl Into<Pem>) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
            client_ca: None,
            client_auth: ClientAuth::default(),
            client_allowed_sans: Vec::new(),
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            cipher_suites: Vec::new(),
            curve_preferences: Vec::new(),
            prefer_server_cipher_suites: true,
        }
    }
}

impl ClientAuth {
    /// Reads a policy by its name in Go's `ClientAuthType`.
    ///
    /// # Errors
    /// `InvalidConfig` for an unknown name, and for policies that accept unverified certificates.
    pub fn parse(text: &str) -> Result<Self> {
        let why = match text {
            "" | "NoClientCert" => return Ok(Self::NoClientCert),
            "VerifyClientCertIfGiven" => return Ok(Self::VerifyClientCertIfGiven),
            "RequireAndVerifyClientCert" => return Ok(Self::RequireAndVerifyClientCert),
            "RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert" => {
                ", which accepts unverified certificates"
            }
            _ => "",
        };
        Err(MetricsError::invalid_config(format!(
            "Expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert for client_auth_type but \
             received {text:?}{why}"
        )))
    }
}

impl TlsVersion {
    /// Reads `TLS12` or `TLS13`.
    ///
    /// # Errors
    /// `InvalidConfig` for every other text. Older versions are not supported.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "TLS12" => Ok(Self::Tls12),
            "TLS13" => Ok(Self::Tls13),
            _ => Err(MetricsError::invalid_config(format!(
                "Expected TLS12 or TLS13 for a version of TLS but received {text:?}"
            ))),
        }
    }
}
