//! The pusher's side of TLS: the authorities that it believes, and its own certificate. Files are read again when they change.

use crate::config::MetricsConfig;
use crate::error::{MetricsError, Result};
use crate::http::{Pem, Stamp, certificates, private_key, stamp};
use parking_lot::Mutex;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

const OPTIONS: [&str; 3] = ["pushTlsCaFile", "pushTlsCertFile", "pushTlsKeyFile"];

/// The pusher's side of TLS.
pub(super) struct Tls {
    authorities: Option<Pem>,
    own: Option<(Pem, Pem)>,
    loaded: Mutex<(Arc<ClientConfig>, Vec<Option<Stamp>>)>,
}

impl Tls {
    /// # Errors
    /// `InvalidConfig` for a file that cannot be used, and if the system has no authorities.
    pub(super) fn new(config: &MetricsConfig) -> Result<Self> {
        let pem = |file: &Option<String>| file.as_ref().map(|file| Pem::from(PathBuf::from(file)));
        let own = match (pem(&config.push_tls_cert_file), pem(&config.push_tls_key_file)) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => {
                let error = MetricsError::invalid_config(
                    "Expected both pushTlsCertFile and pushTlsKeyFile but received one of them alone",
                );
                return Err(config.blame(&error, &OPTIONS[1..]));
            }
        };
        let authorities = pem(&config.push_tls_ca_file);
        let stamps = stamps(authorities.as_ref(), own.as_ref());
        let client =
            load(authorities.as_ref(), own.as_ref()).map_err(|error| config.blame(&error, &OPTIONS))?;
        Ok(Self { authorities, own, loaded: Mutex::new((client, stamps)) })
    }

    /// The encryption of a new connection.
    pub(super) fn session(&self, host: &str) -> io::Result<Session> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Session(ClientConnection::new(self.client(), name).map_err(io::Error::other)?))
    }

    /// The configuration for the next connection. If changed files cannot be used, the old one stays.
    fn client(&self) -> Arc<ClientConfig> {
        let mut loaded = self.loaded.lock();
        let now = stamps(self.authorities.as_ref(), self.own.as_ref());
        if now != loaded.1
            && let Ok(client) = load(self.authorities.as_ref(), self.own.as_ref())
        {
            *loaded = (client, now);
        }
        Arc::clone(&loaded.0)
    }
}

/// The encryption of one connection.
pub(super) struct Session(ClientConnection);

impl Session {
    pub(super) fn write(&mut self, tcp: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        Stream::new(&mut self.0, tcp).write(bytes)
    }

    pub(super) fn flush(&mut self, tcp: &mut TcpStream) -> io::Result<()> {
        Stream::new(&mut self.0, tcp).flush()
    }

    pub(super) fn read(&mut self, tcp: &mut TcpStream, bytes: &mut [u8]) -> io::Result<usize> {
        Stream::new(&mut self.0, tcp).read(bytes)
    }
}

fn stamps(authorities: Option<&Pem>, own: Option<&(Pem, Pem)>) -> Vec<Option<Stamp>> {
    authorities.into_iter().chain(own.into_iter().flat_map(|(cert, key)| [cert, key])).map(stamp).collect()
}

fn load(authorities: Option<&Pem>, own: Option<&(Pem, Pem)>) -> Result<Arc<ClientConfig>> {
    let invalid = |error: rustls::Error| {
        MetricsError::invalid_config(format!("Expected usable certificates for a pusher: {error}"))
    };
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(authorities) => {
            for certificate in certificates("ca", authorities)? {
                roots.add(certificate).map_err(invalid)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(MetricsError::invalid_config(
                    "Expected authorities of the system for https but found none: set tlsCaFile",
                ));
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_root_certificates(roots);
    let mut client = match own {
        Some((cert, key)) => {
            builder.with_client_auth_cert(certificates("cert", cert)?, private_key(key)?).map_err(invalid)?
        }
        None => builder.with_no_client_auth(),
    };
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(client))
}
