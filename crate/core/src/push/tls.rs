//! The client's side of TLS, by rustls.

use super::timed::Timed;
use super::tls_files::TlsTexts;
use crate::error::{MetricsError, Result};
use crate::http::{Pem, certificates, private_key};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// What the connections of a client have in common.
pub(super) struct Tls {
    texts: Arc<TlsTexts>,
    client: Arc<ClientConfig>,
}

impl Tls {
    /// # Errors
    /// `InvalidConfig` for certificates that cannot be used, and if the system has no authorities.
    pub(super) fn new(texts: &Arc<TlsTexts>) -> Result<Self> {
        Ok(Self { texts: Arc::clone(texts), client: Arc::new(load(texts)?) })
    }

    /// Whether it was made of these certificates.
    pub(super) fn is_of(&self, texts: &Arc<TlsTexts>) -> bool {
        Arc::ptr_eq(&self.texts, texts)
    }

    /// The encryption of a new connection.
    pub(super) fn session(&self, host: &str) -> io::Result<Session> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Session(ClientConnection::new(Arc::clone(&self.client), name).map_err(io::Error::other)?))
    }
}

/// The encryption of one connection.
pub(super) struct Session(ClientConnection);

impl Session {
    pub(super) fn write(&mut self, tcp: &mut Timed<'_>, bytes: &[u8]) -> io::Result<usize> {
        Stream::new(&mut self.0, tcp).write(bytes)
    }

    pub(super) fn flush(&mut self, tcp: &mut Timed<'_>) -> io::Result<()> {
        Stream::new(&mut self.0, tcp).flush()
    }

    pub(super) fn read(&mut self, tcp: &mut Timed<'_>, bytes: &mut [u8]) -> io::Result<usize> {
        Stream::new(&mut self.0, tcp).read(bytes)
    }
}

fn load(texts: &TlsTexts) -> Result<ClientConfig> {
    let invalid = |error: rustls::Error| {
        MetricsError::invalid_config(format!("Expected usable certificates for a pusher: {error}"))
    };
    let pem = |text: &String| Pem::Text(text.clone());
    let mut roots = RootCertStore::empty();
    match &texts.authorities {
        Some(authorities) => {
            for certificate in certificates("ca", &pem(authorities))? {
                roots.add(certificate).map_err(invalid)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(MetricsError::invalid_config(
                    "Expected authorities of the system for https but found none: set pushTlsCaFile",
                ));
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_root_certificates(roots);
    let mut client = match &texts.own {
        Some((cert, key)) => builder
            .with_client_auth_cert(certificates("cert", &pem(cert))?, private_key(&pem(key))?)
            .map_err(invalid)?,
        None => builder.with_no_client_auth(),
    };
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(client)
}
