//! Reads certificates and keys in PEM, from a file or from the setting's text. It must not know which of them belong
//! together.

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::pem::{Pem, read_bounded};
use crate::error::{MetricsError, Result};

/// The largest accepted file. A certificate chain has about 10 kB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

pub(crate) fn certificates(setting: &str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(setting, pem)?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<std::result::Result<Vec<_>, _>>().map_err(
        |error| {
            MetricsError::invalid_config(format!(
                "Expected PEM in {} but received {error}",
                named(setting, pem)
            ))
        },
    )?;
    if chain.is_empty() {
        return Err(MetricsError::invalid_config(format!(
            "Expected a certificate in {} but received none",
            named(setting, pem)
        )));
    }
    Ok(chain)
}

pub(crate) fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>> {
    let bytes = read("key", pem)?;
    let expected = |what: &str| {
        MetricsError::invalid_config(format!(
            "Expected an unencrypted private key in {} but received {what}",
            named("key", pem)
        ))
    };
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(expected("an encrypted one"));
    }
    // Do not show the error's text: it may quote a line of the file, which may be part of a key.
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => expected("none"),
        _ => expected("malformed PEM"),
    })
}

fn read(setting: &str, pem: &Pem) -> Result<Vec<u8>> {
    let path = match pem {
        Pem::File(path) => path,
        Pem::Text(text) => return Ok(text.clone().into_bytes()),
    };
    read_bounded(path, MAX_FILE_BYTES).map_err(|what| {
        MetricsError::invalid_config(format!(
            "Expected a readable file for {} but received {what}",
            named(setting, pem)
        ))
    })
}

/// The setting and its file, for error messages.
pub(super) fn named(setting: &str, pem: &Pem) -> String {
    match pem {
        Pem::File(path) => format!("{setting}_file {path:?}"),
        Pem::Text(_) => setting.to_owned(),
    }
}
